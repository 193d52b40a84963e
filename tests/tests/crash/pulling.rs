//! `hayward pull` is killed, while the provider imports and undoes.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use hayward_importers::Absent;
use hayward_store::Import;
use hayward_tests::commons::{Commons, List, Member, To, keyring};
use hayward_tests::on_both;
use hayward_tests::program::{Process, built, program};
use hayward_tests::server::{Server, TestClock};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::rounds::{kills, seeded};

/// Records that a file may have.
const RECORDS: usize = 3_000;

/// A file with most of the records, some of them otherwise than before.
fn file(random: &mut StdRng) -> String {
    let mut text = "identifier,name,city,member_count\n".to_owned();
    for record in (0..RECORDS).filter(|_| random.random_bool(0.8)).collect::<Vec<_>>() {
        let city = ["Leeds", "=York", "Hull, \"\"old\"\" town"].choose(random).unwrap();
        writeln!(text, "{record},Co-op {record},\"{city}\",{}", random.random_range(0..100)).unwrap();
    }
    text
}

/// The program that pulls for a partner, into a file.
fn pull(server: &Server, partner: &Member, into: &Path) -> Command {
    let mut pull = program();
    pull.arg("pull").arg(into).env("HAYWARD_URL", &server.url).env("HAYWARD_TOKEN", &partner.token);
    // No profile of whoever runs the tests.
    pull.env("XDG_CONFIG_HOME", into.parent().unwrap());
    pull
}

/// Imports a file in which what is gone goes, or takes the last one back.
fn act(commons: &Commons, list: &List, done: &mut Vec<Import>, text: &str, undoes: bool) {
    match done.pop() {
        Some(last) if undoes => drop(commons.undo(list, &last)),
        last => {
            done.extend(last);
            done.push(commons.import_with(list, text, |matching| matching.absent = Absent::Delete));
        }
    }
}

/// The copy, as lists have its items.
fn copied(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap().to_string());
    let set: BTreeSet<String> = lines.collect();
    assert_eq!(set.len(), text.lines().count(), "an item stands once");
    set
}

on_both! {
    fn a_copy_that_is_killed_over_and_over_equals_the_share(commons: Commons) {
        let (_, mut random) = seeded();
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let mut done = vec![commons.import_csv(&list, &file(&mut random))];
        let few = json!({"record_id": "pseudonym", "rows": {"member_count": {"gte": 50}},
            "fields": {"name": "exact", "member_count": {"generalised": "band:10"}}});
        commons.agree(&a, To::One(&b), &list, &few);
        commons.agree(&a, To::Members, &list, &json!({"fields": {"identifier": "pseudonym", "city": "exact"}}));
        let clock = TestClock::default();
        clock.forward(Duration::from_secs(9 * 86_400));
        let server = Server::start_with(commons.database().url(), keyring(), 7, clock);
        let folder = tempfile::tempdir().unwrap();
        let (into, log) = (folder.path().join("copy.ndjson"), folder.path().join("log"));
        let whole = |file: &Path| {
            let pulled = pull(&server, &b, file).output().unwrap();
            assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
        };
        // How long a pull takes, and not how long the program takes to be built.
        let _program = built();
        let began = Instant::now();
        whole(&folder.path().join("first.ndjson"));
        let takes = began.elapsed();
        let mut killed = 0;
        for turn in 0..kills(16) {
            let (after, undoes) = (takes.mul_f64(random.random_range(0.0..1.2)), random.random_bool(0.3));
            let text = file(&mut random);
            thread::scope(|scope| {
                scope.spawn(|| act(&commons, &list, &mut done, &text, undoes));
                let pulling = Process::start(&mut pull(&server, &b, &into), &log);
                thread::sleep(after);
                killed += usize::from(pulling.kill());
            });
            if turn % 4 == 3 {
                whole(&into);
                let shown = commons.list(&b.viewer, "organizations").iter().map(Value::to_string).collect();
                assert!(copied(&into) == shown, "turn {turn}: the copy is not what is shown");
            }
        }
        assert!(killed > 0, "every pull ended before it was killed");
        // What was read from the beginning is what was brought up to date.
        let anew = folder.path().join("anew.ndjson");
        whole(&into);
        whole(&anew);
        assert_eq!(copied(&into), copied(&anew));
    }
}
