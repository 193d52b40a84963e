//! Whatever is done to a line of an export is named for what it is, at its line.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::io::Cursor;
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::{Fault, Insist, Report, What, verify};
use crate::ledger::seal;

const SEED: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];
const AT: &str = "2026-11-22T00:00:00.000000Z";

fn point(seed: &[u8; 32], position: usize, hash: &str) -> Value {
    let position = i64::try_from(position).unwrap();
    json!({"checkpoint": {
        "provider": "org_p", "position": position, "hash": hash, "at": AT, "key": seal::public_key(seed), "succession": [],
        "signature": seal::sign(seed, "org_p", position, hash, AT, Some("era")), "era": "era",
    }})
}

fn entry(number: usize) -> Value {
    json!({
        "id": format!("dis_{number}"), "chunk": 0, "at": AT, "recipient": "org_r", "client": "cli_r", "channel": "list",
        "request_id": "", "kind": "disclosure",
        "disclosed": [{"agreement": "agr_a", "provider": "org_p", "version": 1, "count": number, "records": format!("1-{number}")}],
    })
}

fn sealed(mut entry: Value, position: usize, previous: &str) -> (Value, String) {
    let hash = seal::hash(previous, &entry);
    entry["chain"] = json!({"position": position, "previous": previous, "hash": hash});
    (entry, hash)
}

/// The longest chain; shorter ones are its beginnings.
fn longest() -> &'static [Value] {
    static LONGEST: OnceLock<Vec<Value>> = OnceLock::new();
    LONGEST.get_or_init(|| {
        let (mut lines, mut previous) = (Vec::new(), String::new());
        for position in 1..=150 {
            let (line, hash) = sealed(entry(position), position, &previous);
            lines.push(line);
            previous = hash;
        }
        lines
    })
}

/// A chain of `length` entries, oldest first, with its checkpoint.
fn chain(length: usize) -> Vec<Value> {
    let mut lines = longest()[..length].to_vec();
    lines.push(point(&SEED, length, lines[length - 1]["chain"]["hash"].as_str().unwrap()));
    lines
}

/// As the server gives it: the newest first, the checkpoint last.
fn export(length: usize) -> Vec<Value> {
    let mut lines = chain(length);
    lines[..length].reverse();
    lines
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn check(lines: &[Value]) -> Report {
    verify(Cursor::new(text(lines)), Insist::default()).unwrap()
}

fn first(lines: &[Value]) -> Fault {
    let report = check(lines);
    assert!(!report.faults.is_empty());
    report.first.unwrap()
}

#[test]
fn a_whole_export_holds_whichever_way_it_runs() {
    for length in [1, 2, 3, 150] {
        let mut lines = export(length);
        let report = check(&lines);
        assert_eq!((report.entries, report.sealed, report.checkpoint), (length, length, true));
        assert_eq!((report.first.as_ref(), report.faults.len()), (None, 0), "{:?}", report.faults);
        lines.reverse();
        assert_eq!(check(&lines), report);
        assert_eq!(check(&chain(length)), report);
    }
}

/// Something that is done to one line.
#[derive(Clone, Debug)]
enum Harm {
    Count,
    Client,
    Hash,
    Previous,
    Position(i64),
    Garbage,
    NoLink,
    /// Changed, with the hash of its own link made anew.
    Rehashed,
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        Just(Harm::Count),
        Just(Harm::Client),
        Just(Harm::Hash),
        Just(Harm::Previous),
        (-40i64..40).prop_filter("another", |by| *by != 0).prop_map(Harm::Position),
        Just(Harm::Garbage),
        Just(Harm::NoLink),
        Just(Harm::Rehashed),
    ]
}

fn harmed(line: &Value, harm: &Harm) -> Value {
    let mut line = line.clone();
    match harm {
        Harm::Count => line["disclosed"][0]["count"] = json!(9_999),
        Harm::Client => line["client"] = json!("cli_x"),
        Harm::Hash => line["chain"]["hash"] = json!("x"),
        Harm::Previous => line["chain"]["previous"] = json!("x"),
        Harm::Position(by) => line["chain"]["position"] = json!(line["chain"]["position"].as_i64().unwrap() + by),
        Harm::Garbage => line = json!("gone"),
        Harm::NoLink => line["chain"] = Value::Null,
        Harm::Rehashed => {
            let chain = line.as_object_mut().unwrap().remove("chain").unwrap();
            line["client"] = json!("cli_x");
            line = sealed(line, chain["position"].as_u64().unwrap() as usize, chain["previous"].as_str().unwrap()).0;
        }
    }
    line
}

proptest! {
    #![proptest_config(Config { cases: 150, failure_persistence: None, ..Config::default() })]

    // In a file of very few lines, one position that was changed leaves it open which way the file runs.
    #[test]
    fn a_changed_line_is_named(length in 8usize..120, at in any::<prop::sample::Index>(), harm in harm(), upwards in any::<bool>()) {
        let mut lines = if upwards { chain(length) } else { export(length) };
        let at = at.index(length);
        lines[at] = harmed(&lines[at], &harm);
        let fault = first(&lines);
        // The newest entry without its link looks like one that was not sealed yet: then it is the end that is missing.
        let newest = at == if upwards { length - 1 } else { 0 };
        let what = if newest && matches!(harm, Harm::NoLink) { What::Truncated } else { What::Changed };
        if newest && matches!(harm, Harm::NoLink) {
            prop_assert_eq!(fault.what, what);
        } else {
            prop_assert_eq!((fault.what, fault.line), (what, at + 1), "{:?}", check(&lines).faults);
        }
    }

    #[test]
    fn a_dropped_line_is_named(length in 3usize..120, at in any::<prop::sample::Index>(), upwards in any::<bool>()) {
        let mut lines = if upwards { chain(length) } else { export(length) };
        let at = at.index(length + 1);
        let gone = lines.remove(at);
        let fault = first(&lines);
        // At an end of the chain, nothing tells a line that was dropped from an end that was cut off.
        let inside = at > 0 && at + 1 < length;
        prop_assert_eq!(fault.what, if inside { What::Dropped } else { What::Truncated });
        if inside {
            prop_assert_eq!((fault.line, fault.position), (at + 1, gone["chain"]["position"].as_i64()));
        }
        prop_assert_eq!(check(&lines).faults.len(), 1, "{:?}", check(&lines).faults);
    }

    #[test]
    fn two_lines_that_changed_places_are_named(length in 8usize..120, one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), upwards in any::<bool>()) {
        let mut lines = if upwards { chain(length) } else { export(length) };
        let (one, other) = (one.index(length + 1), other.index(length + 1));
        prop_assume!(one != other);
        lines.swap(one, other);
        let fault = first(&lines);
        // A checkpoint may stand first: where it changed places with the first entry, the line after it is the first that is wrong.
        let wrong = if one.min(other) == 0 && one.max(other) == length { 2 } else { one.min(other) + 1 };
        prop_assert_eq!((fault.what, fault.line), (What::Reordered, wrong), "{:?}", check(&lines).faults);
    }

    #[test]
    fn a_line_that_stands_there_twice_is_named(length in 3usize..120, at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let mut lines = export(length);
        let (at, to) = (at.index(length), to.index(length));
        lines.insert(to.max(at) + 1, lines[at].clone());
        let fault = first(&lines);
        prop_assert_eq!((fault.what, fault.line), (What::Repeated, to.max(at) + 2), "{:?}", check(&lines).faults);
    }

    #[test]
    fn a_file_that_was_cut_off_is_named(length in 3usize..100, at in any::<prop::sample::Index>(), upwards in any::<bool>()) {
        let lines = if upwards { chain(length) } else { export(length) };
        let whole = text(&lines);
        let at = at.index(whole.len() - 2) + 1;
        let report = verify(Cursor::new(&whole[..at]), Insist::default()).unwrap();
        // A first line that was cut, or a checkpoint that stands alone, is all that there is.
        prop_assert_eq!(report.first.as_ref().unwrap().what, What::Truncated, "{:?}", report.faults);
        let kept = Insist { checkpoint: Some(&whole), ..Insist::default() };
        let report = verify(Cursor::new(&whole[..at]), kept).unwrap();
        prop_assert!(!report.faults.is_empty());
        // Lines from the beginning instead.
        let from = 1 + at % (lines.len() - 1);
        let report = check(&lines[from..]);
        prop_assert_eq!(report.first.unwrap().what, What::Truncated, "{:?}", report.faults);
    }

    #[test]
    fn no_file_makes_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..400), lines in prop::collection::vec(0usize..6, 0..40)) {
        drop(verify(Cursor::new(bytes), Insist::default()).unwrap());
        let parts = export(4);
        let text: String = lines.iter().map(|at| parts.get(*at).map_or_else(|| "{}\n".to_owned(), |line| format!("{line}\n"))).collect();
        let report = verify(Cursor::new(text), Insist::default()).unwrap();
        prop_assert_eq!(report.first.is_some(), !report.faults.is_empty());
    }
}

#[test]
fn a_checkpoint_that_was_changed_is_forged() {
    for (name, value) in [
        ("position", json!(99)),
        ("hash", json!("x")),
        ("at", json!("2027-01-01T00:00:00.000000Z")),
        ("provider", json!("org_q")),
        ("key", json!(seal::public_key(&OTHER))),
        ("signature", json!("x")),
        ("era", json!("another")),
        ("succession", json!([{"key": "a", "successor": "b", "signature": "c"}])),
    ] {
        let mut lines = export(120);
        lines[120]["checkpoint"][name] = value;
        let fault = first(&lines);
        assert_eq!((fault.what, fault.line), (What::Forged, 121), "{name}");
    }
}

#[test]
fn a_chain_that_was_made_anew_is_shown_by_what_was_kept() {
    let old = export(100);
    let kept = old[100].to_string();
    // Longer than what was kept, and another entry in the middle.
    let forge = |seed: &[u8; 32]| {
        let (mut lines, mut previous) = (Vec::new(), String::new());
        for position in 1..=150 {
            let mut entry = entry(position);
            if position == 60 {
                entry["recipient"] = json!("org_x");
            }
            let (line, hash) = sealed(entry, position, &previous);
            lines.push(line);
            previous = hash;
        }
        lines.reverse();
        lines.push(point(seed, 150, &previous));
        lines
    };
    let with = |lines: &[Value], insist: Insist<'_>| verify(Cursor::new(text(lines)), insist).unwrap().first;
    let (kept, key) = (Insist { checkpoint: Some(&kept), key: None }, seal::public_key(&SEED));
    let insist = Insist { key: Some(&key), checkpoint: None };
    // By nothing in the file itself.
    assert_eq!(with(&forge(&SEED), Insist::default()), None);
    let fault = with(&forge(&SEED), kept).unwrap();
    assert_eq!((fault.what, fault.position, fault.line), (What::Forged, Some(100), 51));
    assert_eq!(with(&forge(&OTHER), Insist::default()), None);
    assert_eq!(with(&forge(&OTHER), insist).unwrap().what, What::Forged);
    assert_eq!(with(&forge(&OTHER), kept).unwrap().what, What::Forged);
    // An honest one that has grown, and one that was cut back to before what was kept.
    assert_eq!(with(&export(150), Insist { key: Some(&key), ..kept }), None);
    let fault = with(&export(99), kept).unwrap();
    assert_eq!((fault.what, fault.position), (What::Truncated, Some(100)));
}

#[test]
fn entries_of_other_chains_stand_between_and_are_none_of_its_business() {
    let mut lines = export(40);
    let mut received = entry(7);
    received["disclosed"][0]["provider"] = json!("org_q");
    received["chain"] = Value::Null;
    for at in [30, 20, 20, 0] {
        lines.insert(at, received.clone());
    }
    assert_eq!(check(&lines).faults, Vec::<String>::new());
    lines.remove(19);
    // Position 22, before the two that were received.
    let fault = first(&lines);
    assert_eq!((fault.what, fault.position), (What::Dropped, Some(22)));
}

#[test]
fn a_filtered_export_says_so_and_its_entries_are_still_held_to_their_links() {
    let mut lines = export(40);
    lines[40] = json!({"filtered": {"agreement": "agr_a"}});
    let lines: Vec<Value> = lines.into_iter().step_by(4).collect();
    let report = check(&lines);
    assert_eq!((report.first.as_ref().unwrap().what, report.faults.len()), (What::Filtered, 1));
    let mut changed = lines;
    changed[3]["client"] = json!("cli_x");
    let fault = first(&changed);
    assert_eq!((fault.what, fault.line), (What::Changed, 4));
}
