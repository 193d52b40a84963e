//! The life of a version: every state, event and actor, against a table that people read.
//!
//! `agreement.table` is what the stewards of a commons can count on. When a rule changes, this test fails and prints the lines
//! that differ; set `HAYWARD_WRITE_TABLE=1` to write the new table, and review it like code.

#![expect(clippy::expect_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hayward_domain::agreement::{Actor, Event, Refusal, RulesMet, Side, Standing, State, step};

const ACTORS: [(&str, Actor); 5] = [
    ("provider", Actor::Steward(Side::Provider)),
    ("recipient", Actor::Steward(Side::Recipient)),
    ("clock", Actor::Clock),
    ("operator", Actor::Operator),
    ("outsider", Actor::Outsider),
];

fn events() -> Vec<(String, Event)> {
    let mut events = Vec::new();
    for event in [Event::Propose, Event::Counter] {
        events.push((event.to_string(), event));
    }
    for (name, provider, recipient) in
        [("neither", false, false), ("provider", true, false), ("recipient", false, true), ("both", true, true)]
    {
        let rule_met_after = RulesMet { provider, recipient };
        events.push((format!("approve({name})"), Event::Approve { rule_met_after }));
    }
    for (name, met) in [("unmet", false), ("met", true)] {
        events.push((format!("recuse({name})"), Event::Recuse { rule_met_after: RulesMet { provider: met, recipient: met } }));
    }
    let rest = [
        Event::Decline,
        Event::Withdraw,
        Event::Activate,
        Event::Narrow,
        Event::Suspend,
        Event::Resume,
        Event::Supersede,
        Event::Expire,
        Event::End,
        Event::Certify,
    ];
    events.extend(rest.map(|event| (event.to_string(), event)));
    events
}

/// Who can have halted a version in `state`: nobody, unless it is suspended or is to replace one that is.
fn halts(state: State, has_recipient: bool) -> Vec<BTreeSet<Side>> {
    let (provider, recipient) = (BTreeSet::from([Side::Provider]), BTreeSet::from([Side::Recipient]));
    let both = BTreeSet::from([Side::Provider, Side::Recipient]);
    let some = if has_recipient { vec![provider, recipient, both] } else { vec![provider] };
    match state {
        State::Suspended => some,
        State::Draft | State::Requested | State::Offered | State::Agreed => [vec![BTreeSet::new()], some].concat(),
        State::Active | State::Superseded | State::Expired | State::Ended | State::Closed | State::Terminated => {
            vec![BTreeSet::new()]
        }
    }
}

fn name(state: State, suspended_by: &BTreeSet<Side>) -> String {
    let letter = |side: &Side| match side {
        Side::Provider => "p",
        Side::Recipient => "r",
    };
    let sides: Vec<&str> = suspended_by.iter().map(letter).collect();
    if sides.is_empty() { state.to_string() } else { format!("{state}[{}]", sides.join("+")) }
}

fn outcome(now: &Standing, event: Event, actor: Actor) -> String {
    match step(now, event, actor) {
        Ok(change) => {
            assert_eq!((change.after.proposed_by, change.after.has_recipient), (now.proposed_by, now.has_recipient));
            assert_eq!(change.event, event);
            name(change.after.state, &change.after.suspended_by)
        }
        Err(Refusal::NoSay) => "-".to_owned(),
        Err(Refusal::NotNow { .. }) => ".".to_owned(),
        Err(refusal) => format!("({})", refusal.code()),
    }
}

fn table() -> String {
    let mut table = String::from(
        "# Which step leads where. One line: what comes of it when a steward of the provider, a steward of the recipient, the\n\
         # clock, the operator or an outsider takes the steps named at its end, `.` not now, `-` no say at all, `(..)` another\n\
         # refusal. [p+r] says which sides halted the version, or the one that it replaces; approve(..) says whose approval\n\
         # rules are met then, recuse(..) whether they still are.\n",
    );
    let sections = [
        ("written by the provider, for one organization", Side::Provider, true),
        ("written by the recipient", Side::Recipient, true),
        ("for all members or the public", Side::Provider, false),
    ];
    for (title, proposed_by, has_recipient) in sections {
        table.push_str(&format!("\n## {title}\n"));
        for state in State::ALL {
            for suspended_by in halts(state, has_recipient) {
                table.push_str(&lines(&Standing { state, proposed_by, has_recipient, suspended_by }));
            }
        }
    }
    table
}

/// Every step from one standing, those with the same outcome in one line.
fn lines(now: &Standing) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (event_name, event) in events() {
        let outcomes = columns(ACTORS.map(|(_, actor)| outcome(now, event, actor)));
        match lines.iter_mut().find(|(same, _)| *same == outcomes) {
            Some((_, names)) => names.push(event_name),
            None => lines.push((outcomes, vec![event_name])),
        }
    }
    let header = columns(ACTORS.map(|(actor, _)| actor.to_owned()));
    let mut text = format!("\n{:<17}{header}step\n", name(now.state, &now.suspended_by));
    for (outcomes, names) in lines {
        text.push_str(&format!("{:<17}{outcomes}{}\n", "", names.join(" ")));
    }
    text
}

fn columns([provider, recipient, clock, operator, outsider]: [String; 5]) -> String {
    format!("{provider:<21}{recipient:<21}{clock:<16}{operator:<9}{outsider:<9}")
}

#[test]
fn every_step_is_in_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agreement.table");
    let decided = table();
    if std::env::var_os("HAYWARD_WRITE_TABLE").is_some() {
        std::fs::write(path, &decided).expect("the table can be written");
    }
    let written = std::fs::read_to_string(path).expect("the table is there");
    let (written, decided): (Vec<&str>, Vec<&str>) = (written.lines().collect(), decided.lines().collect());
    let mut differences = String::new();
    for line in written.iter().filter(|line| !decided.contains(line)) {
        writeln!(differences, "- {line}").expect("a string takes any text");
    }
    for line in decided.iter().filter(|line| !written.contains(line)) {
        writeln!(differences, "+ {line}").expect("a string takes any text");
    }
    assert!(written == decided, "the code and tests/agreement.table differ:\n{differences}");
}

fn standing(state: State, proposed_by: Side) -> Standing {
    Standing { state, proposed_by, has_recipient: true, suspended_by: BTreeSet::new() }
}

fn after(now: &Standing, event: Event, side: Side) -> Standing {
    step(now, event, Actor::Steward(side)).expect("the step is allowed").after
}

const PROVIDER: Actor = Actor::Steward(Side::Provider);
const RECIPIENT: Actor = Actor::Steward(Side::Recipient);

#[test]
fn nothing_is_agreed_until_the_rules_of_both_sides_are_met() {
    let offered = standing(State::Offered, Side::Provider);
    let approve = |provider, recipient| Event::Approve { rule_met_after: RulesMet { provider, recipient } };
    assert_eq!(after(&offered, approve(true, false), Side::Provider).state, State::Offered);
    assert_eq!(after(&offered, approve(true, true), Side::Recipient).state, State::Agreed);
}

#[test]
fn what_all_members_see_needs_only_the_provider() {
    let offered = Standing { has_recipient: false, ..standing(State::Offered, Side::Provider) };
    let approve = Event::Approve { rule_met_after: RulesMet { provider: true, recipient: false } };
    assert_eq!(after(&offered, approve, Side::Provider).state, State::Agreed);
    assert_eq!(step(&offered, approve, RECIPIENT), Err(Refusal::NoSay));
}

#[test]
fn only_the_clock_brings_an_agreed_version_into_force() {
    let agreed = standing(State::Agreed, Side::Provider);
    assert_eq!(step(&agreed, Event::Activate, Actor::Clock).expect("it is due").after.state, State::Active);
    assert_eq!(step(&agreed, Event::Activate, PROVIDER), Err(Refusal::NotYours { event: Event::Activate }));
}

#[test]
fn a_suspension_by_both_sides_needs_both_to_resume() {
    let both =
        after(&after(&standing(State::Active, Side::Provider), Event::Suspend, Side::Provider), Event::Suspend, Side::Recipient);
    let one = after(&both, Event::Resume, Side::Provider);
    assert_eq!(one.state, State::Suspended);
    assert_eq!(step(&one, Event::Resume, PROVIDER), Err(Refusal::SuspendedByOther));
    assert_eq!(after(&one, Event::Resume, Side::Recipient).state, State::Active);
}

#[test]
fn suspending_twice_is_refused_and_changes_nothing() {
    let suspended = after(&standing(State::Active, Side::Provider), Event::Suspend, Side::Recipient);
    assert_eq!(step(&suspended, Event::Suspend, RECIPIENT), Err(Refusal::AlreadySuspended));
}

#[test]
fn a_narrower_version_of_a_suspended_one_stays_suspended() {
    let draft = Standing { suspended_by: BTreeSet::from([Side::Recipient]), ..standing(State::Draft, Side::Provider) };
    let narrowed = after(&draft, Event::Narrow, Side::Provider);
    assert_eq!((narrowed.state, narrowed.suspended_by), (State::Suspended, BTreeSet::from([Side::Recipient])));
    assert_eq!(step(&draft, Event::Narrow, RECIPIENT), Err(Refusal::NotYours { event: Event::Narrow }));
}

#[test]
fn a_successor_does_not_lift_a_suspension() {
    let agreed = Standing { suspended_by: BTreeSet::from([Side::Provider]), ..standing(State::Agreed, Side::Provider) };
    assert_eq!(step(&agreed, Event::Activate, Actor::Clock).expect("it is due").after.state, State::Suspended);
}

#[test]
fn the_author_withdraws_and_the_other_side_declines() {
    let requested = standing(State::Requested, Side::Recipient);
    assert_eq!(after(&requested, Event::Withdraw, Side::Recipient).state, State::Terminated);
    assert_eq!(after(&requested, Event::Decline, Side::Provider).state, State::Terminated);
    assert!(step(&requested, Event::Withdraw, PROVIDER).is_err());
    assert!(step(&requested, Event::Decline, RECIPIENT).is_err());
}

#[test]
fn what_is_over_stays_over() {
    for state in [State::Superseded, State::Closed, State::Terminated] {
        for (_, event) in events() {
            for (_, actor) in ACTORS {
                assert!(step(&standing(state, Side::Provider), event, actor).is_err(), "{state} {event}");
            }
        }
    }
}

#[test]
fn the_operator_and_outsiders_take_no_step_at_all() {
    for state in State::ALL {
        for (_, event) in events() {
            for actor in [Actor::Operator, Actor::Outsider] {
                assert_eq!(step(&standing(state, Side::Provider), event, actor), Err(Refusal::NoSay));
            }
        }
    }
}

#[test]
fn a_name_of_a_state_reads_back() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
}
