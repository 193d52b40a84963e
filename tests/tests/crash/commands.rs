//! Killed while an operator's command runs.

use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::cluster::ClusterError;
use hayward_tests::load::{SMALL, World, found};
use hayward_tests::program::{Process, program_on};
use hayward_tests::{Kind, checker::Checker, commons::keyring, on_both, raw};
use rand::Rng;
use rand::rngs::StdRng;

use crate::rounds::{gone, kills, lapse, seeded};

/// Records that a file of the operator's brings.
const ROWS: usize = 700;

/// Whoever types commands, and a commons that is not served.
pub struct Operator {
    pub world: World,
    pub checker: Checker,
    pub random: StdRng,
}

impl Operator {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        Self::of(kind, SMALL)
    }

    /// One whose large list has `records` records.
    pub fn of(kind: Kind, records: usize) -> Result<Self, ClusterError> {
        let (seed, random) = seeded();
        Ok(Self { world: found(kind, seed, records)?, checker: Checker::new(keyring()), random })
    }

    pub fn start(&self, words: &[String]) -> Process {
        Process::start(program_on(&self.world.database).args(words), &self.world.database.folder().join("log"))
    }

    /// Runs a command to its end, and says how long that took.
    pub fn run(&self, words: &[String]) -> Duration {
        let began = Instant::now();
        assert!(self.start(words).ended_well(), "{words:?} is refused");
        began.elapsed()
    }

    /// Starts a command and kills it at some moment of the time that it takes. The database is sound afterwards.
    pub fn kill(&mut self, words: &[String], takes: Duration) {
        let process = self.start(words);
        thread::sleep(takes.mul_f64(self.random.random_range(0.0..1.0)));
        process.kill();
        gone(&self.world.database);
        let seen = self.checker.cold(&self.world.database);
        assert!(seen.faults.is_empty(), "after {words:?}: {:#?}", seen.faults);
    }

    fn count(&self, from: &str) -> i64 {
        raw::count(&self.world.database, from)
    }

    /// A file with all records as they are in `turn`, and the command that imports it.
    fn import(&self, turn: usize) -> Vec<String> {
        let path = self.world.database.folder().join(format!("turn-{turn}.csv"));
        let rows = (0..ROWS).map(|number| format!("X-{number},Turn {turn}\n"));
        std::fs::write(&path, format!("reference,title\n{}", rows.collect::<String>())).unwrap();
        words(&["import", path.to_str().unwrap(), "--dataset", &self.world.spare, "--commit"])
    }

    /// In how many turns the live records of the list were written.
    fn turns(&self) -> Vec<String> {
        let live = "from records r join datasets d on d.number = r.dataset where r.born <= d.head and r.died > d.head";
        let turns =
            format!("select distinct substr(body, strpos(body, 'Turn')) as value {live} and d.id = '{}'", self.world.spare);
        let turns = if self.world.database.kind() == Kind::Sqlite { turns.replace("strpos", "instr") } else { turns };
        raw::ask(&self.world.database, &turns)
    }
}

pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

on_both! {
    fn an_import_by_command_is_done_wholly_or_not_at_all(operator: Operator) {
        let mut operator = operator;
        let takes = operator.run(&operator.import(0));
        for turn in 1..=kills(14) {
            let import = operator.import(turn);
            operator.kill(&import, takes);
            assert_eq!(operator.turns().len(), 1, "a file is there in part");
            lapse(&operator.world.database);
            // The same file again: whatever the kill left is no obstacle.
            operator.run(&import);
            let turns = operator.turns();
            assert!(turns.iter().all(|text| text.contains(&format!("Turn {turn}\""))) && turns.len() == 1, "{turns:?}");
        }
    }
}

on_both! {
    fn an_admin_command_is_done_wholly_or_not_at_all(operator: Operator) {
        let mut operator = operator;
        let organization = |at: usize| words(&["admin", "organization", "add", "--slug", &format!("new-{at}"), "--name", "New"]);
        let person = |at: usize| {
            let email = format!("p{at}@new.example");
            words(&["admin", "person", "add", "--email", &email, "--name", "P", "--organization", "first", "--role", "viewer"])
        };
        let dataset = |at: usize| {
            words(&["admin", "dataset", "add", "--organization", "first", "--schema", "membership", "--name", &format!("list-{at}")])
        };
        let takes = [organization(0), person(0), dataset(0)].map(|command| operator.run(&command));
        for at in 1..=kills(4) {
            operator.kill(&organization(at), takes[0]);
            operator.kill(&person(at), takes[1]);
            operator.kill(&dataset(at), takes[2]);
            let there = |from: String| operator.count(&from) == 1;
            if !there(format!("organizations where slug = 'new-{at}'")) {
                operator.run(&organization(at));
            }
            let one = format!("people where email = 'p{at}@new.example'");
            assert_eq!(operator.count(&one), operator.count(&format!("positions where person in (select id from {one})")));
            if !there(one) {
                operator.run(&person(at));
            }
            let one = format!("datasets where name = 'list-{at}'");
            // Without a claim to take, nobody could ever write it.
            assert_eq!(operator.count(&one), operator.count(&format!("claims where dataset in (select number from {one})")));
            if !there(one) {
                operator.run(&dataset(at));
            }
        }
    }
}
