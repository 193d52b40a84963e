//! What is asked of the ledger beyond its newest entries: filters, one record, use. Everything is compared with what somebody finds who
//! reads every entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Disclosed, Entry, EntryKind, Filter, LedgerStore, PublicRead, RecordName, Refusal, Sealable};
use hayward_tests::{TestDatabase, on_both};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::raw;

const HOUR: i64 = 3_600_000_000;
const FIELDS: [&str; 4] = ["city", "email", "name", "phone"];
const CHANNELS: [&str; 3] = ["list", "get", "csv"];

fn open(db: &TestDatabase) -> Arc<LedgerStore> {
    LedgerStore::open(&DatabaseUrl::parse(db.url()).unwrap()).unwrap()
}

fn seal(ledger: &LedgerStore, now: i64) {
    let hash = |link: &Sealable<'_>| format!("{}<{}", link.previous.len(), link.entry["id"].as_str().unwrap());
    let sign = |provider: &str, position: i64, _: &str, _: Moment| format!("{provider} {position}");
    while ledger.seal(Moment(now), &hash, &sign).unwrap() > 0 {}
}

/// One part of a made-up answer: which of two agreements of which of two providers, its version, fields and records.
type Part = (usize, usize, i64, u8, Vec<i64>);

/// A made-up answer: recipient, channel, parts, whether it goes on the answer before it.
type Made = (usize, usize, Vec<Part>, bool);

fn part() -> impl Strategy<Value = Part> {
    (0..2usize, 0..2usize, 1..3i64, any::<u8>(), prop::collection::btree_set(1..9i64, 0..4)).prop_map(
        |(provider, agreement, version, fields, records)| (provider, agreement, version, fields, records.into_iter().collect()),
    )
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    let one = (0..3usize, 0..CHANNELS.len(), prop::collection::vec(part(), 0..3), prop::bool::weighted(0.3));
    prop::collection::vec(one, 1..40)
}

fn agreement(provider: usize, agreement: usize) -> String {
    format!("agr_{provider}{agreement}")
}

fn entries(made: &[Made]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (at, (recipient, channel, parts, goes_on)) in made.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let parts = parts.iter().filter(|part| seen.insert((part.0, part.1)));
        let disclosed = parts.map(|(provider, number, version, fields, records)| Disclosed {
            agreement: agreement(*provider, *number),
            provider: format!("p{provider}"),
            version: *version,
            purpose: "directory".to_owned(),
            edition: 1,
            fields: FIELDS
                .iter()
                .enumerate()
                .filter(|(at, _)| fields >> at & 1 == 1)
                .map(|(_, name)| (*name).to_owned())
                .collect(),
            count: records.len() as i64,
            records: hayward::ledger::ranges(records.clone()),
        });
        let mut entry = Entry {
            kind: EntryKind::Disclosure,
            id: format!("dis_{at:03}"),
            chunk: 0,
            at: Moment(HOUR / 10 * at as i64),
            recipient: format!("r{recipient}"),
            client: format!("cli_{recipient}"),
            channel: CHANNELS[*channel].to_owned(),
            request: String::new(),
            disclosed: disclosed.collect(),
        };
        if let Some(before) = entries.last().filter(|_| *goes_on) {
            let Entry { id, chunk, recipient, client, channel, .. } = before.clone();
            entry = Entry { id, chunk: chunk + 1, recipient, client, channel, ..entry };
        }
        entries.push(entry);
    }
    entries
}

/// Everything that a filter finds, page by page.
fn pages(ledger: &LedgerStore, who: &str, filter: &Filter, limit: i64) -> Vec<Value> {
    let (mut all, mut below) = (Vec::new(), None);
    loop {
        let page = ledger.filtered(who, filter, below, limit).unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        all.extend(page.items.into_iter().map(|(entry, _)| entry));
        match page.below {
            Some(next) => assert!(below.is_none_or(|below| next < below), "pages go on"),
            None => return all,
        }
        below = page.below;
    }
}

fn naive(entries: &[Entry], who: &str, wants: &dyn Fn(&Entry, &Disclosed) -> bool, parts: bool) -> Vec<Value> {
    let wanted = entries.iter().rev().filter(|entry| {
        let mut own = entry.disclosed.iter().filter(|part| entry.recipient == who || part.provider == who);
        let nothing = Disclosed {
            agreement: String::new(),
            provider: String::new(),
            version: 0,
            purpose: String::new(),
            edition: 0,
            fields: Vec::new(),
            count: 0,
            records: String::new(),
        };
        entry.concerns(who) && if parts { own.any(|part| wants(entry, part)) } else { wants(entry, &nothing) }
    });
    wanted.map(|entry| entry.seen_by(who)).collect()
}

fn covers(part: &Disclosed, name: i64) -> bool {
    let mut ranges = part.records.split(',').filter(|range| !range.is_empty());
    ranges.any(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        (from.parse::<i64>().unwrap()..=to.parse().unwrap()).contains(&name)
    })
}

fn compare(ledger: &LedgerStore, entries: &[Entry]) {
    for who in ["p0", "p1", "r0", "r2", "nobody"] {
        let all = |filter: &Filter| pages(ledger, who, filter, 3);
        let whole = who != "r0";
        assert_eq!(all(&Filter::default()), naive(entries, who, &|_, _| true, false));
        let recipient = Filter { recipient: Some("r1".to_owned()), ..Filter::default() };
        assert_eq!(all(&recipient), naive(entries, who, &|entry, _| entry.recipient == "r1", false));
        let field = Filter { field: Some("email".to_owned()), ..Filter::default() };
        let has = |part: &Disclosed| part.fields.iter().any(|field| field == "email");
        assert_eq!(all(&field), naive(entries, who, &|_, part| has(part), true));
        let agreed = Filter { agreement: Some(("agr_00".to_owned(), who == "p0")), ..Filter::default() };
        assert_eq!(all(&agreed), naive(entries, who, &|_, part| part.agreement == "agr_00", true));
        let between = Filter { from: Some(Moment(HOUR)), until: Some(Moment(2 * HOUR)), ..agreed.clone() };
        let expected =
            naive(entries, who, &|entry, part| part.agreement == "agr_00" && entry.at.0 >= HOUR && entry.at.0 < 2 * HOUR, true);
        assert_eq!(all(&between), expected);
        let names = |agreements: &[&str], name: i64| {
            agreements
                .iter()
                .map(|agreement| RecordName {
                    agreement: (*agreement).to_owned(),
                    whole: who.starts_with('p') && whole && agreement.starts_with(&format!("agr_{}", &who[1..])),
                    name,
                })
                .collect()
        };
        for name in 1..9 {
            let record = Filter { record: Some(names(&["agr_00", "agr_11"], name)), ..field.clone() };
            let expected = naive(
                entries,
                who,
                &|_, part| has(part) && ["agr_00", "agr_11"].contains(&part.agreement.as_str()) && covers(part, name),
                true,
            );
            assert_eq!(all(&record), expected);
        }
        assert_eq!(all(&Filter { kind: Some(EntryKind::Refusal), ..Filter::default() }), Vec::<Value>::new());
    }
    for name in 1..9 {
        let names: Vec<RecordName> =
            (0..2).map(|number| RecordName { agreement: agreement(0, number), whole: true, name }).collect();
        let given = ledger.given_record("p0", &names).unwrap();
        // By agreement, recipient and version: the fields, how often, when first and when last.
        type Given = (BTreeSet<String>, u64, i64, i64);
        let mut expected: BTreeMap<(String, String, i64), Given> = BTreeMap::new();
        for entry in entries {
            for part in entry.disclosed.iter().filter(|part| part.provider == "p0" && covers(part, name)) {
                let key = (part.agreement.clone(), entry.recipient.clone(), part.version);
                let sum = expected.entry(key).or_insert((BTreeSet::new(), 0, entry.at.0, entry.at.0));
                sum.0.extend(part.fields.iter().cloned());
                sum.1 += 1;
                sum.3 = entry.at.0;
            }
        }
        let told: BTreeMap<_, _> = given
            .items
            .iter()
            .map(|item| {
                let fields: BTreeSet<String> = item.fields.iter().cloned().collect();
                (
                    (item.agreement.clone(), item.recipient.clone(), item.version),
                    (fields, item.times, item.first.clone(), item.last.clone()),
                )
            })
            .collect();
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .map(|(key, (fields, times, first, last))| {
                (key, (fields, times, Moment(first).to_rfc3339(), Moment(last).to_rfc3339()))
            })
            .collect();
        assert_eq!(told, expected);
    }
    for number in 0..2 {
        let name = agreement(1, number);
        for recipient in [None, Some("r1")] {
            let usage = ledger.usage(&name, recipient).unwrap();
            let mine = entries.iter().filter(|entry| recipient.is_none_or(|recipient| entry.recipient == recipient));
            let parts: Vec<(&Entry, &Disclosed)> = mine
                .flat_map(|entry| entry.disclosed.iter().filter(|part| part.agreement == name).map(move |part| (entry, part)))
                .collect();
            let answers: BTreeSet<(&str, &str)> =
                parts.iter().map(|(entry, _)| (entry.channel.as_str(), entry.id.as_str())).collect();
            let mut channels: BTreeMap<String, i64> = BTreeMap::new();
            answers.iter().for_each(|(channel, _)| *channels.entry((*channel).to_owned()).or_default() += 1);
            assert_eq!(usage.channels, channels);
            assert_eq!(usage.records, parts.iter().map(|(_, part)| part.count).sum::<i64>());
            assert_eq!(usage.last.map(|at| at.0), parts.iter().map(|(entry, _)| entry.at.0).max());
            let given: BTreeSet<String> =
                parts.iter().filter(|(_, part)| part.count > 0).flat_map(|(_, part)| part.fields.iter().cloned()).collect();
            assert_eq!(usage.fields.keys().cloned().collect::<BTreeSet<_>>(), given);
        }
    }
}

on_both! {
    fn whatever_is_asked_is_what_reading_every_entry_would_tell(db: TestDatabase) {
        let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
        let ledger = open(&db);
        runner.run(&(made(), select(vec![0usize, 1, 2, 3])), |(made, when)| {
            raw::ledger::tell(&db, "delete from entry_agreements; delete from given_fields; delete from entry_parties;
                delete from checkpoints; delete from entries; update sealed set row = 0; update indexed_to set row = 0;
                update counters set next = 1");
            let entries = entries(&made);
            // Unsealed, sealed and indexed, half and half, or of a program that knew of no index.
            let half = if when == 1 { entries.len() } else { entries.len() / 2 };
            ledger.append(&entries[..half], &[], &[]).unwrap();
            if when > 0 {
                seal(&ledger, 0);
            }
            if when == 3 {
                raw::ledger::tell(&db, "delete from entry_agreements; delete from given_fields; update indexed_to set row = 0");
            }
            ledger.append(&entries[half..], &[], &[]).unwrap();
            compare(&ledger, &entries);
            seal(&ledger, 0);
            compare(&ledger, &entries);
            Ok(())
        }).unwrap();
    }
}

fn refusal(client: &str, at: i64) -> Refusal {
    Refusal {
        id: format!("dis_{client}_{at}"),
        at: Moment(at),
        recipient: "r0".to_owned(),
        client: client.to_owned(),
        agreement: "agr_00".to_owned(),
        version: 2,
        provider: "p0".to_owned(),
        purpose: "directory".to_owned(),
    }
}

on_both! {
    fn refusals_are_counted_by_the_hour_and_seen_by_both_sides(db: TestDatabase) {
        let ledger = open(&db);
        for at in 0..50 {
            ledger.append(&[], &[], &[refusal("cli_a", at), refusal("cli_b", at)]).unwrap();
        }
        assert_eq!(raw::ledger::ask(&db, "select count(*) as value from refusals"), ["2"]);
        let kind = Filter { kind: Some(EntryKind::Refusal), ..Filter::default() };
        let open = pages(&ledger, "p0", &kind, 10);
        assert_eq!(open.iter().map(|entry| entry["client"].as_str().unwrap()).collect::<Vec<_>>(), ["cli_a", "cli_b"]);
        assert_eq!((&open[0]["kind"], &open[0]["channel"]), (&"refusal".into(), &"50 refusals in the hour from here".into()));
        assert_eq!(open[0]["disclosed"][0]["records"], "");
        assert_eq!(pages(&ledger, "r0", &kind, 10), open);
        assert!(pages(&ledger, "p1", &kind, 10).is_empty() && pages(&ledger, "r1", &kind, 10).is_empty());
        seal(&ledger, HOUR);
        let mut sealed = pages(&ledger, "p0", &kind, 10);
        sealed.reverse();
        assert_eq!(sealed, open);
        assert_eq!(ledger.usage("agr_00", None).unwrap().refusals, 100);
        // Nobody was given anything.
        assert!(ledger.given_record("p0", &[RecordName { agreement: "agr_00".to_owned(), whole: true, name: 1 }]).unwrap().items.is_empty());
        assert!(ledger.usage("agr_00", None).unwrap().channels.is_empty());
    }
}

on_both! {
    fn tokenless_reads_are_told_as_reads_of_a_share_that_the_record_stood_in(db: TestDatabase) {
        let ledger = open(&db);
        let disclosed = entries(&[(0, 0, vec![(0, 0, 1, 0b0101, vec![])], false)]).remove(0).disclosed.remove(0);
        let read = |at: i64| PublicRead {
            id: format!("dis_{at}"),
            at: Moment(at),
            first: true,
            disclosed: Disclosed { count: 7, ..disclosed.clone() },
        };
        ledger.append(&[], &[read(0), read(1), read(5 * HOUR)], &[]).unwrap();
        let names = [RecordName { agreement: "agr_00".to_owned(), whole: true, name: 3 }];
        let check = || {
            let given = ledger.given_record("p0", &names).unwrap();
            assert!(given.items.is_empty());
            assert_eq!((given.public.len(), given.public[0].reads), (1, 3));
            assert_eq!(given.public[0].fields, ["city", "name"]);
            assert_eq!(given.public[0].last, Moment(5 * HOUR).to_rfc3339());
            let usage = ledger.usage("agr_00", None).unwrap();
            assert_eq!((usage.channels["public"], usage.records, usage.fields.len()), (3, 21, 2));
            assert!(ledger.usage("agr_00", Some("r0")).unwrap().channels.is_empty());
        };
        check();
        seal(&ledger, 9 * HOUR);
        check();
    }
}

on_both! {
    fn a_kind_that_is_not_known_is_no_disclosure(db: TestDatabase) {
        let ledger = open(&db);
        ledger.append(&entries(&[(0, 0, vec![(0, 0, 1, 1, vec![1])], false)]), &[], &[]).unwrap();
        raw::ledger::tell(&db, "update entries set kind = 'something else'");
        assert!(ledger.entries("p0", None, 10).is_err());
        // Older than the difference: a disclosure that does not say so.
        raw::ledger::tell(&db, "update entries set kind = null");
        let old = ledger.entries("p0", None, 10).unwrap().items.remove(0).0;
        assert!(old.get("kind").is_none());
        let kind = |kind| pages(&ledger, "p0", &Filter { kind: Some(kind), ..Filter::default() }, 10).len();
        assert_eq!((kind(EntryKind::Disclosure), kind(EntryKind::Preview)), (1, 0));
        seal(&ledger, 0);
        assert_eq!((kind(EntryKind::Disclosure), kind(EntryKind::Preview)), (1, 0));
    }
}
