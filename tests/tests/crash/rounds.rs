//! Kill, look, start again, look again; over and over.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::checker::{Answer, Checker, Seen};
use hayward_tests::cluster::ClusterError;
use hayward_tests::commons::keyring;
use hayward_tests::load::{LARGE, Path, Work, World, found};
use hayward_tests::program::{Process, Served, serve_on};
use hayward_tests::{Kind, TestDatabase, raw};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Kills that a test makes at the least.
const KILLS: usize = 36;
/// Of them, those that find each of its paths in the middle.
const EACH: usize = 12;
/// How long a program may take to settle.
const PATIENCE: Duration = Duration::from_secs(20);

/// A commons that is killed over and over.
pub struct Crash {
    pub world: World,
    checker: Checker,
    pub random: StdRng,
    log: PathBuf,
    served: Option<Served>,
    /// How often a kill found a path in the middle.
    tally: BTreeMap<Path, usize>,
    kills: usize,
    /// How long work on a path takes.
    takes: BTreeMap<Path, Duration>,
    received: Vec<Answer>,
}

/// A number from the environment, or `usual`.
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Where the random choices come from; printed, so that a failure can be had again.
pub fn seeded() -> (u64, StdRng) {
    let seed = number("HAYWARD_CRASH_SEED", rand::random());
    println!("HAYWARD_CRASH_SEED={seed}");
    (seed, StdRng::seed_from_u64(seed))
}

/// How many of `usual` kills to make, by `HAYWARD_CRASH_KILLS`.
pub fn kills(usual: usize) -> usize {
    let wanted = usize::try_from(number("HAYWARD_CRASH_KILLS", KILLS as u64)).unwrap();
    (usual * wanted).div_ceil(KILLS)
}

impl Crash {
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        Self::of(kind, LARGE)
    }

    /// One whose large list has `records` records.
    pub fn of(kind: Kind, records: usize) -> Result<Self, ClusterError> {
        let (seed, random) = seeded();
        let world = found(kind, seed, records)?;
        let log = world.database.folder().join("log");
        let checker = Checker::new(keyring());
        let (tally, takes) = (BTreeMap::new(), BTreeMap::new());
        let mut crash = Self { world, checker, random, log, served: None, tally, kills: 0, takes, received: Vec::new() };
        crash.settle();
        Ok(crash)
    }

    pub fn db(&self) -> &TestDatabase {
        &self.world.database
    }

    /// Kills until every one of these paths was found in the middle often enough.
    pub fn rounds(&mut self, paths: &[Path]) {
        let (least, each) = (kills(KILLS), kills(EACH));
        let met = |crash: &Self, path: &Path| crash.tally.get(path).copied().unwrap_or(0);
        while self.kills < least || paths.iter().any(|path| met(self, path) < each) {
            assert!(self.kills < 4 * least + 40, "some path is never met in the middle: {:?}", self.tally);
            let focus = *paths.iter().min_by_key(|path| met(self, path)).unwrap();
            if focus == Path::StartUp {
                self.while_starting();
            } else {
                self.while_working(focus);
            }
        }
        println!("{} kills; met in the middle: {:?}", self.kills, self.tally);
    }

    /// Kills the program until it has answered something and sealed it, and leaves it dead; a look at what it left.
    pub fn end(&mut self) -> Seen {
        for _ in 0..20 {
            self.while_working(Path::Export);
            if self.look().anything_sealed() {
                break;
            }
        }
        self.served.take().unwrap().kill();
        gone(self.db());
        self.look()
    }

    /// A look at a commons that nobody serves.
    pub fn look(&mut self) -> Seen {
        self.checker.cold(&self.world.database)
    }

    /// Kills the program in the middle of a commit, and serves what it left without helping time along. The interrupted import,
    /// and where to ask.
    pub fn interrupt(&mut self) -> (Arc<Work>, String) {
        for _ in 0..40 {
            self.kill_while_working(Path::LargeCommit);
            self.killed();
            let large = self.world.importers.first().unwrap().dataset();
            let of_it = format!("dataset = (select number from datasets where id = '{large}')");
            let import = raw::ask(self.db(), &format!("select id as value from imports where state = 'committing' and {of_it}"));
            if let Some(import) = import.into_iter().next() {
                let served = Served::start(&mut serve_on(self.db()), &self.log);
                let work = Work::at(&served.url);
                self.served = Some(served);
                return (work, import);
            }
            self.settle();
        }
        panic!("no commit was ever interrupted");
    }

    /// One kill under load, soon after somebody has begun something on the path `focus`; a look; a restart; another look.
    fn while_working(&mut self, focus: Path) {
        self.kill_while_working(focus);
        self.killed();
        self.settle();
    }

    fn kill_while_working(&mut self, focus: Path) {
        let served = self.served.take().unwrap();
        let work = Work::at(&served.url);
        let random = &mut self.random;
        let typical = self.takes.get(&focus).copied().unwrap_or(Duration::from_millis(200));
        self.world.busy(&work, |_| {
            // Some work first, so that the path is not always met at the beginning.
            thread::sleep(Duration::from_millis(random.random_range(50..300)));
            let began = Instant::now();
            while !work.doing().contains(&focus) && began.elapsed() < Duration::from_secs(5) {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(typical.mul_f64(random.random_range(0.0..0.9)));
            served.kill();
        });
        if let Some(took) = work.takes(focus) {
            self.takes.insert(focus, took);
        }
        self.judge("under load", work.complaints());
    }

    /// One kill while the program starts with much to do: entries to seal, editions to prune, shares to build.
    fn while_starting(&mut self) {
        self.while_working(Path::Export);
        self.served.take().unwrap().kill();
        age(self.db());
        let process = Process::start(serve_on(self.db()).args(["--keep-days", "0"]), &self.log);
        thread::sleep(Duration::from_millis(self.random.random_range(20..600)));
        assert!(process.kill(), "the program ended by itself: {}", self.complaints());
        *self.tally.entry(Path::StartUp).or_default() += 1;
        self.killed();
        self.settle();
    }

    /// The program was killed: looks at what it left, and notes what it was in the middle of.
    fn killed(&mut self) {
        self.kills += 1;
        gone(self.db());
        let seen = self.checker.cold(&self.world.database);
        self.judge("after the kill", seen.faults.clone());
        let World { importers, bargainers, readers, .. } = &mut self.world;
        let paths = importers.iter().filter_map(|one| one.died_in(&seen));
        let paths = paths.chain(bargainers.iter().filter_map(|one| one.died_in()));
        for path in paths.chain(readers.iter().filter_map(|one| one.died_in())) {
            *self.tally.entry(path).or_default() += 1;
        }
        self.received.extend(readers.iter_mut().flat_map(|reader| std::mem::take(&mut reader.received)));
        self.acknowledged(&seen, "after the kill");
    }

    fn acknowledged(&self, seen: &Seen, when: &str) {
        let World { importers, bargainers, .. } = &self.world;
        let lists = importers.iter().flat_map(|one| one.compare(seen));
        self.judge(when, lists.chain(bargainers.iter().flat_map(|one| one.compare(seen))).collect());
        self.judge(when, seen.undisclosed(&self.received));
    }

    /// Starts the program and waits until it has nothing left to do by itself; then everything must be in order.
    pub fn settle(&mut self) {
        lapse(self.db());
        let mut program = serve_on(self.db());
        if self.kills % 3 == 2 {
            age(self.db());
            program.args(["--keep-days", "0"]);
        }
        self.served = Some(Served::start(&mut program, &self.log));
        let began = Instant::now();
        let seen = loop {
            thread::sleep(Duration::from_millis(150));
            let seen = self.checker.live(&self.world.database);
            self.judge("after the restart", seen.faults.clone());
            if seen.waiting.is_empty() {
                break seen;
            }
            assert!(began.elapsed() < PATIENCE, "the program does not settle: {:#?}\n{}", seen.waiting, self.complaints());
        };
        self.acknowledged(&seen, "after the restart");
        // What has its entry keeps it: the checker sees to that. Reads without a token are counted, all of them together.
        self.received.retain(|answer| answer.id.is_none());
        let World { importers, bargainers, .. } = &mut self.world;
        let lists: Vec<String> = importers.iter_mut().filter_map(|one| one.resume(&seen).err()).collect();
        let steps: Vec<String> = bargainers.iter_mut().filter_map(|one| one.resume(&seen).err()).collect();
        self.judge("after the restart", [lists, steps].concat());
    }

    #[track_caller]
    fn judge(&self, when: &str, mut faults: Vec<String>) {
        faults.truncate(12);
        assert!(faults.is_empty(), "{when} {}: {faults:#?}\n{}", self.kills, self.complaints());
    }

    /// What the program complained about last.
    fn complaints(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.split_at(lines.len().saturating_sub(20)).1.join("\n")
    }
}

/// Waits until PostgreSQL has noticed that its client is gone: what was on its way is finished or given up then.
pub fn gone(db: &TestDatabase) {
    let connected = "pg_stat_activity where datname = current_database() and application_name = 'hayward'";
    let began = Instant::now();
    while db.kind() == Kind::Postgres && raw::count(db, connected) > 0 {
        assert!(began.elapsed() < PATIENCE, "a connection outlives its client");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Makes most editions old enough to be pruned by a program that keeps none for long. It also keeps these tests quick.
fn age(db: &TestDatabase) {
    raw::tell(db, "update editions set at = 0 where commit_number + 4 < (select number from commit_counter)");
}

/// Lets the leases of whoever is dead run out, as time would: hundreds of kills cannot wait half a minute each. One test does wait.
pub fn lapse(db: &TestDatabase) {
    raw::tell(db, "update claims set until = 0 where purpose is not null");
    raw::tell(db, "update imports set changed_at = 0 where state in ('reading', 'committing')");
}
