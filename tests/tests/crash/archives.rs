//! Killed while a backup is made, and while one is restored.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::checker::Checker;
use hayward_tests::cluster::ClusterError;
use hayward_tests::commons::keyring;
use hayward_tests::kept::kept;
use hayward_tests::load::{LARGE, Work};
use hayward_tests::program::{Process, Served, key_file, program_on, serve_on};
use hayward_tests::{Kind, TestDatabase, on_both, raw};
use rand::Rng;

use crate::commands::{Operator, words};
use crate::rounds::{gone, kills};

/// How long everybody works, so that there is a bit of everything to be kept.
const WORK: Duration = Duration::from_secs(2);
/// How long a restore may take until something of it is to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A commons with a past, and what is kept of it.
struct Keeper {
    operator: Operator,
    holds: Vec<Vec<String>>,
}

/// What a restore that was killed has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// A place as empty as before.
    Nothing,
    /// A place that says that it is not whole.
    Unfinished,
    /// A commons: the kill came too late.
    Whole,
}

impl Keeper {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        let mut operator = Operator::of(kind, LARGE)?;
        let served = operator.serve();
        let work = Work::at(&served.url);
        operator.world.busy(&work, |_| {
            thread::sleep(WORK);
            work.stop();
        });
        served.kill();
        gone(&operator.world.database);
        assert_eq!(work.complaints(), Vec::<String>::new());
        let holds = kept(&operator.world.database);
        Ok(Self { operator, holds })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.operator.world.database.folder().join(name)
    }

    /// Makes an archive undisturbed, and says how long that took.
    fn back_up(&self, name: &str) -> (PathBuf, Duration) {
        let file = self.file(name);
        let takes = self.operator.run(&backup(&file));
        (file, takes)
    }

    /// An empty place, with the keys that whoever restores a commons has kept.
    fn place(&self) -> Result<TestDatabase, ClusterError> {
        let place = TestDatabase::new(self.operator.world.database.kind())?;
        std::fs::copy(key_file(&self.operator.world.database), key_file(&place))?;
        Ok(place)
    }

    /// An archive is taken as whole, and is: everything comes back.
    fn is_whole(&self, archive: &Path) -> Result<(), ClusterError> {
        let place = self.place()?;
        assert!(restoring(&place, archive, &["--verify"]).ended_well(), "{} is no whole archive", archive.display());
        self.is_back(&place);
        Ok(())
    }

    /// A place holds what the commons holds, and is sound.
    fn is_back(&self, place: &TestDatabase) {
        assert!(kept(place) == self.holds, "what was restored is not what was there");
        let seen = Checker::new(keyring()).cold(place);
        assert_eq!(seen.faults, Vec::<String>::new());
    }

    /// Archives that backups had begun to write when they were killed.
    fn drafts(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.file(".")).unwrap().map(|file| file.unwrap());
        let drafts = files.filter(|file| file.file_name().to_string_lossy().starts_with(".hayward-backup-"));
        drafts.map(|file| file.path()).collect()
    }

    /// Starts a restore and kills it: at any moment of the time that it takes, or, every other time, near its end.
    fn kill_restoring(&mut self, place: &TestDatabase, archive: &Path, takes: Duration) {
        let late = self.operator.random.random_bool(0.5);
        let process = restoring(place, archive, &[]);
        match place.url().strip_prefix("sqlite:") {
            // Of three steps that take milliseconds, this is the first.
            Some(file) if late => appears(Path::new(file), &process),
            _ => {
                let from = if late { 0.8 } else { 0.0 };
                thread::sleep(takes.mul_f64(self.operator.random.random_range(from..1.0)));
            }
        }
        process.kill();
        gone(place);
    }
}

impl Operator {
    fn serve(&self) -> Served {
        let database = &self.world.database;
        Served::start(&mut serve_on(database), &database.folder().join("log"))
    }
}

fn backup(file: &Path) -> Vec<String> {
    words(&["backup", file.to_str().unwrap()])
}

fn restoring(place: &TestDatabase, archive: &Path, more: &[&str]) -> Process {
    let mut program = program_on(place);
    program.arg("restore").arg(archive).args(["--database-url", place.url()]).args(more);
    Process::start(&mut program, &place.folder().join("log"))
}

/// Waits until a file is there.
fn appears(file: &Path, process: &Process) {
    let began = Instant::now();
    while !file.exists() {
        assert!(began.elapsed() < PATIENCE, "process {} restores nothing", process.id());
        thread::sleep(Duration::from_micros(50));
    }
}

/// Asks the tables themselves what a restore left, and has it served unless there is nothing.
fn left(place: &TestDatabase) -> Left {
    let tables = match place.url().strip_prefix("sqlite:") {
        Some(file) if !Path::new(file).exists() => return Left::Nothing,
        Some(_) => "select name as value from sqlite_master where type = 'table'",
        None => "select table_name as value from information_schema.tables where table_schema in ('public', 'ledger')",
    };
    let tables = raw::ask(place, tables);
    if tables.is_empty() {
        return Left::Nothing;
    }
    if !tables.iter().any(|name| name == "unfinished_restore") {
        return Left::Whole;
    }
    let refused = Served::try_start(&mut serve_on(place), &place.folder().join("log")).err();
    let said = refused.as_ref().is_some_and(|log| log.contains("a restore into this database did not come to its end"));
    assert!(said, "half a commons is served, or refused for another reason: {refused:?}");
    Left::Unfinished
}

on_both! {
    fn a_killed_backup_leaves_a_whole_archive_or_none(keeper: Keeper) {
        let mut keeper = keeper;
        let (first, takes) = keeper.back_up("first.hay");
        keeper.is_whole(&first)?;
        for turn in 1..=kills(6) {
            let file = keeper.file(&format!("{turn}.hay"));
            keeper.operator.kill(&backup(&file), takes);
            for draft in keeper.drafts() {
                // One that was as good as done may be whole too, and is nothing that deceives anybody.
                if restoring(&keeper.place()?, &draft, &["--verify"]).ended_well() {
                    keeper.is_whole(&draft)?;
                }
                std::fs::remove_file(draft)?;
            }
            if !file.exists() {
                keeper.operator.run(&backup(&file));
            }
            keeper.is_whole(&file)?;
        }
    }
}

on_both! {
    fn a_backup_that_is_killed_beside_a_server_harms_nobody(keeper: Keeper) {
        let mut keeper = keeper;
        let (_, takes) = keeper.back_up("first.hay");
        let served = keeper.operator.serve();
        let work = Work::at(&served.url);
        let Operator { world, random, .. } = &mut keeper.operator;
        let files = world.busy(&work, |database| {
            let made = (0..kills(9)).map(|turn| {
                let file = database.folder().join(format!("{turn}.hay"));
                let process = Process::start(program_on(database).args(backup(&file)), &database.folder().join("log"));
                // Beside the others it takes longer.
                thread::sleep(takes.mul_f64(random.random_range(0.0..3.0)));
                process.kill();
                file
            });
            let files: Vec<PathBuf> = made.collect();
            work.stop();
            files
        });
        assert_eq!(work.complaints(), Vec::<String>::new());
        served.kill();
        gone(&keeper.operator.world.database);
        let seen = keeper.operator.checker.cold(&keeper.operator.world.database);
        assert_eq!(seen.faults, Vec::<String>::new());
        // What has its name is one whole moment of the commons.
        for file in files.into_iter().filter(|file| file.exists()) {
            let place = keeper.place()?;
            assert!(restoring(&place, &file, &["--verify"]).ended_well(), "{} is no whole archive", file.display());
            assert_eq!(Checker::new(keyring()).cold(&place).faults, Vec::<String>::new());
        }
    }
}

on_both! {
    fn a_killed_restore_is_never_served_and_can_be_run_again(keeper: Keeper) {
        let mut keeper = keeper;
        let (archive, _) = keeper.back_up("first.hay");
        let (place, began) = (keeper.place()?, Instant::now());
        assert!(restoring(&place, &archive, &[]).ended_well());
        let mut takes = began.elapsed();
        let mut found = Vec::new();
        for turn in 0..kills(9) {
            let place = keeper.place()?;
            // Every third is killed twice over: what the first kill left, unseen, is what the second begins with.
            let times = if turn % 3 == 2 { 2 } else { 1 };
            for _ in 0..times {
                keeper.kill_restoring(&place, &archive, takes);
            }
            let left = left(&place);
            if left == Left::Whole {
                // The first time, whatever else the machine did took longer.
                takes = takes.mul_f64(0.8);
            } else {
                assert!(restoring(&place, &archive, &["--verify"]).ended_well(), "what a kill left is in the way");
            }
            keeper.is_back(&place);
            Served::start(&mut serve_on(&place), &place.folder().join("log")).kill();
            gone(&place);
            found.push(left);
        }
        println!("left by kills: {found:?}");
        assert!(found.contains(&Left::Unfinished), "no kill came in the middle: {found:?}");
    }
}
