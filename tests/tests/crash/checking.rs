//! The checker itself: it finds what is wrong, one thing at a time.

use std::collections::BTreeMap;

use hayward_tests::checker::Answer;
use hayward_tests::cluster::ClusterError;
use hayward_tests::load::SMALL;
use hayward_tests::{Kind, on_both, raw};

use crate::rounds::Crash;

/// What breaks an invariant, and what mends it again.
const BREAKS: &[(&str, &str)] = &[
    ("update datasets set head = head - 1 where head > 0", "update datasets set head = head + 1 where head > 0 or number < 5"),
    ("update shares set head = head + 1", "update shares set head = head - 1"),
    (
        "update shared_records set payload = payload || ' '
            where row = (select max(row) from shared_records where share = 1 and died = 9223372036854775807)",
        "update shared_records set payload = rtrim(payload)
            where row = (select max(row) from shared_records where share = 1 and died = 9223372036854775807)",
    ),
    (
        "update shared_records set name = name + 1000 where row = (select min(row) from shared_records)",
        "update shared_records set name = name - 1000 where row = (select min(row) from shared_records)",
    ),
    (
        "update shared_records set died = born + 1 where share = 1 and record = 1",
        "update shared_records set died = 9223372036854775807 where share = 1 and record = 1",
    ),
    (
        "update records set born = born + 90 where row = (select max(row) from records)",
        "update records set born = born - 90 where row = (select max(row) from records)",
    ),
    ("update editions set commit_number = commit_number + 90000", "update editions set commit_number = commit_number - 90000"),
    ("update share_names set name = -name where name = 1", "update share_names set name = -name where name = -1"),
    ("update counters set next = next - 50 where next > 50", "update counters set next = next + 50 where next > 1"),
    ("update commit_counter set number = number - 1", "update commit_counter set number = number + 1"),
    ("update claims set token = token - 1", "update claims set token = token + 1"),
    ("update claims set until = 5 where purpose is null", "update claims set until = 0 where purpose is null"),
    (
        "update agreement_versions set state = 'ended' where agreement = 1",
        "update agreement_versions set state = 'active' where agreement = 1",
    ),
    ("update shares set open = 0 where number = 1", "update shares set open = 1 where number = 1"),
    ("update shares set floor = head + 1 where number = 1", "update shares set floor = 0 where number = 1"),
    ("update ledger.entries set row = -row where row = 1", "update ledger.entries set row = -row where row = -1"),
    ("update ledger.entry_parties set hash = hash || '!'", "update ledger.entry_parties set hash = rtrim(hash, '!')"),
    ("update ledger.entry_parties set position = -position", "update ledger.entry_parties set position = -position"),
    ("update ledger.entries set request = request || '!'", "update ledger.entries set request = rtrim(request, '!')"),
    ("update share_editions set last_row = last_row - 1", "update share_editions set last_row = last_row + 1"),
    ("update share_editions set live = live + 1", "update share_editions set live = live - 1"),
    (
        "update ledger.checkpoints set signature = signature || '!'",
        "update ledger.checkpoints set signature = rtrim(signature, '!')",
    ),
    ("update ledger.sealed set row = row - 1", "update ledger.sealed set row = row + 1"),
    (
        "update ledger.entries set disclosed = replace(disclosed, '\"count\"', '\"number\"')",
        "update ledger.entries set disclosed = replace(disclosed, '\"number\"', '\"count\"')",
    ),
    (
        "update ledger.entry_parties set organization = organization || '!'",
        "update ledger.entry_parties set organization = rtrim(organization, '!')",
    ),
];

/// A commons of short lists, dead after some work.
struct Dead(Crash);

impl Dead {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self(Crash::of(kind, SMALL)?))
    }
}

on_both! {
    fn the_checker_finds_whatever_is_broken(dead: Dead) {
        let Dead(mut crash) = dead;
        let sound = crash.end();
        assert_eq!(sound.faults, Vec::<String>::new());
        for (damage, mend) in BREAKS {
            tell(&crash, damage);
            assert!(!crash.look().faults.is_empty(), "not found: {damage}");
            tell(&crash, mend);
            // Which way a number went back, the checker cannot know.
            let faults = crash.look().faults;
            assert!(faults.iter().all(|fault| fault.contains("went back")), "not mended: {mend}: {faults:?}");
        }
        let id = Some("dis_aaaaaaaaaaaaaaaaaaaaaaaa".to_owned());
        assert_eq!(sound.undisclosed(&[Answer { id, ..Answer::default() }]).len(), 1);
        let read = [("agr_unknown".to_owned(), BTreeMap::default())];
        assert_eq!(sound.undisclosed(&[Answer { id: None, given: read.into() }]).len(), 1);
    }
}

/// Runs a statement; on SQLite the ledger is a second file.
fn tell(crash: &Crash, statement: &str) {
    let statement = match crash.db().url().strip_prefix("sqlite:") {
        Some(path) => format!(
            "pragma foreign_keys = off; attach database '{}' as ledger; {statement}",
            path.replace("hayward.db", "hayward.ledger.db")
        ),
        None => format!("set session_replication_role = replica; {statement}"),
    };
    raw::tell(crash.db(), &statement);
}
