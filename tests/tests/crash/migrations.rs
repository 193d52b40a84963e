//! Killed while a database is brought up to date.

use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::cluster::ClusterError;
use hayward_tests::program::{Process, Served, key_file, serve_on};
use hayward_tests::{Kind, TestDatabase, on_both, raw};
use rand::Rng;

use crate::rounds::{gone, kills, seeded};

/// The tables as they were first released.
const FIRST: [&str; 2] = [
    include_str!("../../../migrations/commons/0001_commons/up.sql"),
    include_str!("../../../migrations/commons/0001_commons/postgres.sql"),
];

/// What a database is before the program comes.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    /// Made by the first program.
    First,
}

fn database(kind: Kind, before: Before) -> Result<TestDatabase, ClusterError> {
    let db = TestDatabase::new(kind)?;
    match before {
        Before::Nothing => {}
        Before::First => {
            let [portable, postgres] = FIRST;
            raw::tell(&db, portable);
            if kind == Kind::Postgres {
                raw::tell(&db, postgres);
            }
            raw::tell(&db, "create table migrations (version bigint primary key, name text not null)");
            raw::tell(&db, "insert into migrations (version, name) values (1, '0001_commons')");
        }
    }
    Ok(db)
}

/// The tables, and the numbers and schemas that a commons begins with.
fn shape(db: &TestDatabase) -> Vec<String> {
    let counters = raw::ask(db, "select name || next as value from counters order by name");
    let schemas = raw::ask(db, "select name as value from schemas order by name, version");
    [raw::shape(db), counters, schemas].concat()
}

/// Starts the program, waits until it serves, and ends it.
fn served(db: &TestDatabase) -> Duration {
    let began = Instant::now();
    let served = Served::start(&mut serve_on(db), &db.folder().join("log"));
    let took = began.elapsed();
    let answer = reqwest::blocking::Client::builder().no_proxy().build().unwrap().get(format!("{}/readyz", served.url)).send();
    assert_eq!(answer.unwrap().status(), 200);
    served.kill();
    gone(db);
    took
}

struct Kills(Kind);

impl Kills {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self(kind))
    }

    fn of(&self, before: Before) -> Result<(), ClusterError> {
        let (_, mut random) = seeded();
        let undisturbed = database(self.0, before)?;
        let takes = served(&undisturbed);
        let expected = shape(&undisturbed);
        for _ in 0..kills(12).div_ceil(2) {
            let db = database(self.0, before)?;
            // Twice over: what the first kill leaves is what the second begins with.
            for _ in 0..2 {
                let process = Process::start(&mut serve_on(&db), &db.folder().join("log"));
                thread::sleep(takes.mul_f64(random.random_range(0.0..1.0)));
                process.kill();
                gone(&db);
            }
            served(&db);
            assert_eq!(shape(&db), expected);
            let keys = std::fs::read_dir(db.folder())?.filter_map(Result::ok).map(|file| file.path());
            assert!(keys.into_iter().any(|path| path == key_file(&db)), "the keys are there");
        }
        Ok(())
    }
}

on_both! {
    fn a_kill_while_a_commons_is_made_leaves_one_that_can_be_made(kills: Kills) {
        kills.of(Before::Nothing)?;
    }
}

on_both! {
    fn a_kill_while_an_older_commons_is_brought_up_to_date_leaves_one_that_can_be(kills: Kills) {
        kills.of(Before::First)?;
    }
}
