//! Random lives of one agreement, step by step beside [`crate::reference`]: the same states, the same refusals, and the same fields
//! readable after every step.

use std::collections::BTreeSet;
use std::time::Duration;

use hayward_store::{Caller, Decision, ProposalError, Settings, StoreError};
use hayward_tests::commons::{Commons, To};
use hayward_tests::{Kind, on_both};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::reference::{GRACE, Reference};

const FIELDS: [&str; 3] = ["name", "city", "country"];

#[derive(Clone, Debug)]
enum Step {
    Propose { person: usize, mask: u8 },
    Decide { person: usize, version: usize, decision: Decision },
    Pass { hours: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let person = prop_oneof![20 => 0..4usize, 1 => Just(4usize)];
    let decision = prop_oneof![
        12 => Just(Decision::Approve), 1 => Just(Decision::Decline), 1 => Just(Decision::Withdraw), 3 => Just(Decision::Suspend),
        4 => Just(Decision::Resume), 1 => Just(Decision::End), 1 => Just(Decision::Certify), 1 => Just(Decision::Recuse),
    ];
    // Mostly about the newest version.
    let version = prop_oneof![5 => Just(0usize), 1 => 0..6usize];
    let step = prop_oneof![
        3 => (person.clone(), 1..8u8).prop_map(|(person, mask)| Step::Propose { person, mask }),
        9 => (person, version, decision).prop_map(|(person, version, decision)| Step::Decide { person, version, decision }),
        2 => prop_oneof![4 => 1..8u64, 1 => 1..80u64].prop_map(|hours| Step::Pass { hours }),
    ];
    // By chance alone hardly anything comes into force: now and then everybody says yes, and time passes.
    let yes = |person| Step::Decide { person, version: 0, decision: Decision::Approve };
    let all =
        || Just([0, 1, 2, 3].map(yes).to_vec()).prop_shuffle().prop_map(|yes| [yes, vec![Step::Pass { hours: GRACE }]].concat());
    let some = prop_oneof![9 => step.prop_map(|step| vec![step]), 2 => all()];
    (all(), prop::collection::vec(some, 15..35)).prop_map(|(first, some)| [first, some.concat()].concat())
}

fn refusal<T>(result: Result<T, StoreError>) -> Result<(), &'static str> {
    match result {
        Ok(_) => Ok(()),
        Err(StoreError::Refused { code, .. }) => Err(code),
        Err(StoreError::NotFound) => Err("not found"),
        Err(other) => panic!("{other}"),
    }
}

fn proposal<T>(result: Result<T, ProposalError>) -> Result<(), &'static str> {
    match result {
        Ok(_) => Ok(()),
        Err(ProposalError::Store(error)) => refusal::<()>(Err(error)),
        Err(ProposalError::Faults(faults)) => panic!("{faults:?}"),
    }
}

/// Goes through one life; how often something could be read, and something else than before.
fn live(kind: Kind, steps: &[Step]) -> (usize, usize) {
    let commons = Commons::new(kind).unwrap();
    let grace = Duration::from_secs(GRACE * 3_600);
    commons.store.write_settings(&Settings { grace, ..commons.store.read_settings().unwrap() }).unwrap();
    let (a, b, c) = (commons.organization("a"), commons.organization("b"), commons.organization("c"));
    commons.store.set_approval_rule(b.number, "2").unwrap();
    let people: Vec<Caller> =
        vec![a.steward.clone(), commons.another_steward(&a), b.steward.clone(), commons.another_steward(&b), c.steward.clone()];
    let list = commons.dataset(&a, "organization");
    commons.import_csv(&list, "identifier,name,city,country\n1,Alder,York,GB\n");
    let terms = |mask: u8| {
        let named = FIELDS.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
        let fields: Map<String, Value> = named.map(|(_, name)| ((*name).to_owned(), json!("exact"))).collect();
        commons.terms(&list, To::One(&b), &json!({"fields": fields, "ends_on": "2026-12-10"}))
    };
    let mut reference = Reference::default();
    reference.propose(0, 3).unwrap();
    let agreement = commons.propose(&people[0], &terms(3)).unwrap();
    let (mut readable, mut turns, mut last) = (0, 0, None);
    for (nth, step) in steps.iter().enumerate() {
        let newest = reference.versions.len();
        let (got, expected) = match step {
            Step::Propose { person, mask } => {
                let from = i64::try_from(newest).unwrap();
                let got = proposal(commons.store.propose_version(&people[*person], &agreement, from, &terms(*mask)));
                (got, reference.propose(*person, *mask))
            }
            Step::Decide { person, version, decision } => {
                let at = newest - 1 - version % newest;
                let number = i64::try_from(at + 1).unwrap();
                let got = refusal(commons.decide(&people[*person], &agreement, number, *decision));
                (got, reference.decide(*person, at, *decision))
            }
            Step::Pass { hours } => {
                commons.pass(Duration::from_secs(hours * 3_600));
                reference.pass(*hours);
                (Ok(()), Ok(()))
            }
        };
        assert_eq!(got, expected, "step {nth}, {step:?}, of {steps:?}");
        commons.store.expire_due().unwrap();
        commons.store.build_due().unwrap();
        let told = commons.store.agreement(&a.steward, &agreement, None).unwrap();
        let states: Vec<&str> =
            told["versions"].as_array().unwrap().iter().map(|version| version["state"].as_str().unwrap()).collect();
        let by_the_book: Vec<&str> = reference.versions.iter().map(|version| version.state).collect();
        assert_eq!(states, by_the_book, "after step {nth}, {step:?}, of {steps:?}");
        let item = commons.list(&b.viewer, "organizations").into_iter().next();
        let shown = item.map(|item| FIELDS.into_iter().filter(|name| item.get(*name).is_some()).collect::<BTreeSet<_>>());
        let active = reference.versions.iter().find(|version| version.state == "active");
        let open =
            |mask: u8| FIELDS.into_iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, name)| name).collect();
        assert_eq!(shown, active.map(|version| open(version.mask)), "after step {nth}, {step:?}, of {steps:?}");
        readable += usize::from(shown.is_some());
        turns += usize::from(shown != last);
        last = shown;
    }
    (readable, turns)
}

on_both! {
    fn every_life_goes_by_the_book(commons: Commons) {
        let kind = commons.database().kind();
        let cases = if kind == Kind::Sqlite { 60 } else { 25 };
        let mut runner = crate::chance::runner(cases);
        let told = std::cell::Cell::new((0, 0));
        runner
            .run(&steps(), |steps| {
                let (readable, turns) = live(kind, &steps);
                let before = told.get();
                told.set((before.0 + readable, before.1 + turns));
                Ok(())
            })
            .unwrap();
        let (readable, turns) = told.get();
        assert!(readable > 100 && turns > 50, "hardly anything was ever in force: {readable}, {turns}");
    }
}

#[test]
fn the_book_is_no_longer_than_a_hundred_lines() {
    assert!(include_str!("reference.rs").lines().filter(|line| !line.is_empty()).count() <= 100);
}
