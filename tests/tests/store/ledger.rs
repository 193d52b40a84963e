//! The ledger's own database: entries, who may read them, and one chain per provider.

use std::sync::Arc;
use std::thread;

use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Disclosed, Entry, EntryKind, LedgerStore, PublicRead, Sealable, StoreError};
use hayward_tests::{TestDatabase, on_both};
use serde_json::Value;

use crate::raw;

const HOUR: i64 = 3_600_000_000;

fn open(db: &TestDatabase) -> Arc<LedgerStore> {
    LedgerStore::open(&DatabaseUrl::parse(db.url()).unwrap()).unwrap()
}

fn disclosed(provider: &str, count: i64) -> Disclosed {
    Disclosed {
        agreement: format!("agr of {provider}"),
        provider: provider.to_owned(),
        version: 1,
        purpose: "directory".to_owned(),
        edition: 4,
        fields: vec!["name".to_owned()],
        count,
        records: format!("1-{count}"),
    }
}

fn entry(id: &str, recipient: &str, providers: &[&str]) -> Entry {
    Entry {
        kind: EntryKind::Disclosure,
        id: id.to_owned(),
        chunk: 0,
        at: Moment(HOUR),
        recipient: recipient.to_owned(),
        client: "a program".to_owned(),
        channel: "list".to_owned(),
        request: "a request".to_owned(),
        disclosed: providers.iter().map(|provider| disclosed(provider, 3)).collect(),
    }
}

/// The ids of the entries that an organization reads, newest first, a page at a time.
fn ids(ledger: &LedgerStore, organization: &str) -> Vec<String> {
    let (mut ids, mut below) = (Vec::new(), None);
    loop {
        let page = ledger.entries(organization, below, 2).unwrap();
        ids.extend(page.items.iter().map(|(entry, _)| entry["id"].as_str().unwrap().to_owned()));
        below = page.below;
        if below.is_none() {
            return ids;
        }
    }
}

/// A hash that anybody can follow: the chain so far and the entry's id.
fn hash(link: &Sealable<'_>) -> String {
    format!("{}<{}", link.previous, link.entry["id"].as_str().unwrap())
}

fn sign(provider: &str, position: i64, hash: &str, at: Moment) -> String {
    format!("{provider} {position} {hash} {}", at.0)
}

fn seal(ledger: &LedgerStore, now: i64) -> usize {
    let mut folded = 0;
    loop {
        match ledger.seal(Moment(now), &hash, &sign).unwrap() {
            0 => return folded,
            more => folded += more,
        }
    }
}

/// Every link of a provider's chain, oldest first, which must follow one from the other.
fn chain(ledger: &LedgerStore, provider: &str) -> Vec<String> {
    let mut items = ledger.entries(provider, None, 10_000).unwrap().items;
    items.reverse();
    let mut previous = String::new();
    let mut ids = Vec::new();
    for (at, (entry, link)) in items.into_iter().filter(|(_, link)| link.is_some()).enumerate() {
        let link = link.unwrap();
        let id = entry["id"].as_str().unwrap().to_owned();
        assert_eq!((link.position, &link.previous), (i64::try_from(at).unwrap() + 1, &previous));
        assert_eq!(link.hash, format!("{previous}<{id}"));
        previous = link.hash;
        ids.push(id);
    }
    let newest = ledger.checkpoint(provider).unwrap();
    assert_eq!(newest.map(|point| (point.position, point.hash)), (!ids.is_empty()).then_some((ids.len() as i64, previous)));
    ids
}

on_both! {
    fn an_entry_is_read_by_its_parties_and_by_nobody_else(db: TestDatabase) {
        let ledger = open(&db);
        let entries = [
            entry("dis 1", "r", &["p", "q"]),
            entry("dis 2", "r", &["q"]),
            entry("dis 3", "s", &["p"]),
            entry("dis 4", "r", &[]),
        ];
        ledger.append(&entries[..2], &[], &[]).unwrap();
        ledger.append(&entries[2..], &[], &[]).unwrap();
        assert_eq!(ids(&ledger, "r"), ["dis 4", "dis 2", "dis 1"]);
        assert_eq!(ids(&ledger, "p"), ["dis 3", "dis 1"]);
        assert_eq!(ids(&ledger, "q"), ["dis 2", "dis 1"]);
        assert!(ids(&ledger, "nobody").is_empty());
        assert!(ledger.entry("p", "dis 1").is_ok());
        assert!(matches!(ledger.entry("p", "dis 2"), Err(StoreError::NotFound)));
        assert!(matches!(ledger.entry("nobody", "dis 1"), Err(StoreError::NotFound)));
    }
}

on_both! {
    fn a_provider_sees_its_own_part_of_an_entry(db: TestDatabase) {
        let ledger = open(&db);
        ledger.append(&[entry("dis 1", "r", &["p", "q"])], &[], &[]).unwrap();
        let seen = |organization: &str| {
            let (entry, _) = ledger.entry(organization, "dis 1").unwrap().remove(0);
            assert_eq!(entry, ledger.entries(organization, None, 5).unwrap().items.remove(0).0);
            let of = |disclosed: &Value| disclosed["provider"].as_str().unwrap().to_owned();
            entry["disclosed"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            (seen("p"), seen("q"), seen("r")),
            (vec!["p".to_owned()], vec!["q".to_owned()], vec!["p".to_owned(), "q".to_owned()])
        );
    }
}

on_both! {
    fn the_chunks_of_an_answer_are_read_together(db: TestDatabase) {
        let ledger = open(&db);
        for chunk in 0..3 {
            ledger.append(&[Entry { chunk, ..entry("dis 1", "r", &["p"]) }], &[], &[]).unwrap();
        }
        let chunks: Vec<Value> =
            ledger.entry("p", "dis 1").unwrap().into_iter().map(|(entry, _)| entry["chunk"].clone()).collect();
        assert_eq!(chunks, [0, 1, 2]);
        assert!(matches!(ledger.append(&[entry("dis 1", "r", &["p"])], &[], &[]), Err(StoreError::Exists(_))));
        assert_eq!(ids(&ledger, "p").len(), 3);
    }
}

on_both! {
    fn entries_are_written_all_or_none(db: TestDatabase) {
        let ledger = open(&db);
        ledger.append(&[entry("dis 1", "r", &["p"])], &[], &[]).unwrap();
        assert!(ledger.append(&[entry("dis 2", "r", &["p"]), entry("dis 1", "r", &["p"])], &[], &[]).is_err());
        assert_eq!(ids(&ledger, "p"), ["dis 1"]);
        ledger.append(&[entry("dis 3", "r", &["p"])], &[], &[]).unwrap();
        assert_eq!(ids(&ledger, "p"), ["dis 3", "dis 1"]);
    }
}

fn read(id: &str, at: i64, provider: &str, count: i64) -> PublicRead {
    PublicRead { id: id.to_owned(), at: Moment(at), first: true, disclosed: disclosed(provider, count) }
}

on_both! {
    fn public_reads_are_an_entry_once_their_hour_is_over(db: TestDatabase) {
        let ledger = open(&db);
        let noon = 12 * HOUR;
        ledger.append(&[], &[read("dis a", noon, "p", 5), read("dis b", noon + HOUR - 1, "p", 7)], &[]).unwrap();
        ledger.append(&[], &[read("dis c", noon + 1, "q", 1)], &[]).unwrap();
        assert_eq!(seal(&ledger, noon + HOUR - 1), 0);
        // Readable before it is sealed.
        let (open, link) = ledger.entries("p", None, 10).unwrap().items.remove(0);
        assert_eq!((open["disclosed"][0]["count"].as_i64(), link.is_none()), (Some(12), true));
        assert_eq!(seal(&ledger, noon + HOUR), 2);
        let items = ledger.entries("p", None, 10).unwrap().items;
        assert_eq!((items.len(), &items[0].0, items[0].1.is_some()), (1, &open, true));
        assert_eq!((chain(&ledger, "p"), chain(&ledger, "q")), (vec!["dis a".to_owned()], vec!["dis c".to_owned()]));
        assert!(open["channel"].as_str().unwrap().starts_with("2 reads"));
    }
}

on_both! {
    fn a_public_read_that_comes_after_its_hour_was_closed_still_counts(db: TestDatabase) {
        let ledger = open(&db);
        let noon = 12 * HOUR;
        ledger.append(&[], &[read("dis a", noon, "p", 5)], &[]).unwrap();
        assert_eq!(seal(&ledger, noon + HOUR), 1);
        ledger.append(&[], &[read("dis b", noon + HOUR - 1, "p", 7)], &[]).unwrap();
        assert_eq!(ids(&ledger, "p"), ["dis b", "dis a"]);
        assert_eq!(seal(&ledger, noon + 2 * HOUR), 1);
        assert_eq!(chain(&ledger, "p"), ["dis a", "dis b"]);
    }
}

on_both! {
    fn a_chain_has_no_gaps_and_no_forks_whoever_seals(db: TestDatabase) {
        let ledgers = [open(&db), open(&db)];
        thread::scope(|scope| {
            for (at, ledger) in ledgers.iter().enumerate() {
                scope.spawn(move || {
                    for number in 0..60 {
                        let providers: &[&str] = if number % 3 == 0 { &["p", "q"] } else { &["p"] };
                        ledger
                            .append(
                                &[entry(&format!("dis {at}-{number}"), "r", providers)],
                                &[read(&format!("dis hour {at}-{number}"), number * HOUR / 7, "p", 1)],
                                &[],
                            )
                            .unwrap();
                    }
                });
                scope.spawn(move || (0..30).for_each(|turn| assert!(seal(ledger, turn * HOUR / 5) <= 200)));
            }
        });
        ledgers.iter().for_each(|ledger| assert!(seal(ledger, 100 * HOUR) <= 200));
        let ids = chain(&ledgers[0], "p");
        assert_eq!(ids.iter().filter(|id| !id.contains("hour")).count(), 120);
        assert_eq!(chain(&ledgers[1], "q").len(), 40);
        // No read went uncounted.
        let items = ledgers[0].entries("p", None, 10_000).unwrap().items;
        let of_hours = items.iter().filter(|(entry, _)| entry["recipient"] == "public");
        assert_eq!(of_hours.map(|(entry, _)| entry["disclosed"][0]["count"].as_i64().unwrap()).sum::<i64>(), 120);
    }
}

on_both! {
    fn the_ledger_waits_for_no_import(db: TestDatabase) {
        let ledger = open(&db);
        let commons = hayward_store::Store::open(
            &DatabaseUrl::parse(db.url()).unwrap(),
            hayward_store::Keyring::from_random(&[7; 128]),
            Arc::new(|| Moment(0)),
        );
        commons.unwrap().ping().unwrap();
        let held = match db.kind() {
            hayward_tests::Kind::Sqlite => "begin immediate",
            hayward_tests::Kind::Postgres => "begin; lock table shared_records, records in access exclusive mode",
        };
        raw::holding(&db, held, || ledger.append(&[entry("dis 1", "r", &["p"])], &[], &[]).unwrap());
        assert_eq!(ids(&ledger, "p"), ["dis 1"]);
    }
}
