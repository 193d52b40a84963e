//! The one function that decides.

use std::collections::BTreeSet;

use super::{Actor, Change, Event, Refusal, RulesMet, Side, Standing, State};

/// Takes one step.
///
/// # Errors
/// Why the step is not taken. Nothing that is not listed here is allowed.
pub fn step(now: &Standing, event: Event, actor: Actor) -> Result<Change<Standing>, Refusal> {
    let actor = party(now, actor)?;
    let after = match event {
        Event::Propose => propose(now, actor),
        Event::Counter => counter(now, actor),
        Event::Approve { rule_met_after } => approve(now, actor, rule_met_after),
        Event::Decline => decline(now, actor),
        Event::Withdraw => withdraw(now, actor),
        Event::Activate => activate(now, actor),
        Event::Narrow => narrow(now, actor),
        Event::Suspend => suspend(now, actor),
        Event::Resume => resume(now, actor),
        Event::Supersede => supersede(now, actor),
        Event::Expire => expire(now, actor),
        Event::End => end(now, actor),
        Event::Certify => certify(now, actor),
        Event::Recuse { rule_met_after } => recuse(now, actor, rule_met_after),
    };
    after.map(|after| Change { after, event }).map_err(|step| match step {
        Step::NotNow => Refusal::NotNow { state: now.state, event },
        Step::NotYours => Refusal::NotYours { event },
        Step::Refused(refusal) => refusal,
    })
}

/// Who may have a say at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Party {
    Steward(Side),
    Clock,
}

/// Why not, before the state and the event are filled in.
enum Step {
    NotNow,
    NotYours,
    Refused(Refusal),
}

type After = Result<Standing, Step>;

fn party(now: &Standing, actor: Actor) -> Result<Party, Refusal> {
    match actor {
        Actor::Steward(Side::Recipient) if !now.has_recipient => Err(Refusal::NoSay),
        Actor::Steward(side) => Ok(Party::Steward(side)),
        Actor::Clock => Ok(Party::Clock),
        Actor::Operator | Actor::Outsider => Err(Refusal::NoSay),
    }
}

/// The version in another state, halted by nobody.
fn to(now: &Standing, state: State) -> After {
    Ok(Standing { state, suspended_by: BTreeSet::new(), ..now.clone() })
}

/// The version in another state, with the halt that it takes over once it is in force.
fn toward(now: &Standing, state: State) -> After {
    Ok(Standing { state, ..now.clone() })
}

/// In force, or suspended if somebody's halt stands.
fn opened(now: &Standing) -> After {
    toward(now, if now.suspended_by.is_empty() { State::Active } else { State::Suspended })
}

/// The steward's side, if the version is in one of `states`.
fn side(now: &Standing, party: Party, states: &[State]) -> Result<Side, Step> {
    match party {
        _ if !states.contains(&now.state) => Err(Step::NotNow),
        Party::Steward(side) => Ok(side),
        Party::Clock => Err(Step::NotYours),
    }
}

/// Whether the server may take the step, if the version is in one of `states`.
fn clock(now: &Standing, party: Party, states: &[State]) -> Result<(), Step> {
    match party {
        _ if !states.contains(&now.state) => Err(Step::NotNow),
        Party::Clock => Ok(()),
        Party::Steward(_) => Err(Step::NotYours),
    }
}

const OPEN: [State; 2] = [State::Requested, State::Offered];
const IN_FORCE: [State; 2] = [State::Active, State::Suspended];

fn propose(now: &Standing, party: Party) -> After {
    match side(now, party, &[State::Draft])? {
        side if side != now.proposed_by => Err(Step::NotYours),
        Side::Provider => toward(now, State::Offered),
        Side::Recipient => toward(now, State::Requested),
    }
}

/// Either side: the one that was asked, with another idea, or the one that asked, with a better one.
fn counter(now: &Standing, party: Party) -> After {
    side(now, party, &OPEN)?;
    to(now, State::Superseded)
}

fn approve(now: &Standing, party: Party, rules: RulesMet) -> After {
    side(now, party, &OPEN)?;
    let agreed = rules.provider && (rules.recipient || !now.has_recipient);
    toward(now, if agreed { State::Agreed } else { now.state })
}

fn decline(now: &Standing, party: Party) -> After {
    if side(now, party, &OPEN)? == now.proposed_by { Err(Step::NotYours) } else { to(now, State::Terminated) }
}

fn withdraw(now: &Standing, party: Party) -> After {
    let side = side(now, party, &[State::Requested, State::Offered, State::Agreed])?;
    if side == now.proposed_by || now.state == State::Agreed { to(now, State::Terminated) } else { Err(Step::NotYours) }
}

fn activate(now: &Standing, party: Party) -> After {
    clock(now, party, &[State::Agreed])?;
    opened(now)
}

/// That the version is narrower than the one in force is the caller's to establish, with `Terms::is_at_most`.
fn narrow(now: &Standing, party: Party) -> After {
    match (side(now, party, &[State::Draft])?, now.proposed_by) {
        (Side::Provider, Side::Provider) => opened(now),
        (Side::Provider | Side::Recipient, _) => Err(Step::NotYours),
    }
}

fn suspend(now: &Standing, party: Party) -> After {
    let side = side(now, party, &IN_FORCE)?;
    let mut suspended_by = now.suspended_by.clone();
    if !suspended_by.insert(side) {
        return Err(Step::Refused(Refusal::AlreadySuspended));
    }
    Ok(Standing { state: State::Suspended, suspended_by, ..now.clone() })
}

fn resume(now: &Standing, party: Party) -> After {
    let side = side(now, party, &[State::Suspended])?;
    let mut suspended_by = now.suspended_by.clone();
    if !suspended_by.remove(&side) {
        return Err(Step::Refused(Refusal::SuspendedByOther));
    }
    opened(&Standing { suspended_by, ..now.clone() })
}

fn supersede(now: &Standing, party: Party) -> After {
    clock(now, party, &IN_FORCE)?;
    to(now, State::Superseded)
}

fn expire(now: &Standing, party: Party) -> After {
    clock(now, party, &[State::Requested, State::Offered, State::Agreed, State::Active, State::Suspended])?;
    if IN_FORCE.contains(&now.state) {
        // Who has halted it is kept: a successor comes into force halted.
        return Ok(Standing { state: State::Expired, ..now.clone() });
    }
    // What never came into force has nothing to be deleted or certified afterwards.
    to(now, State::Terminated)
}

fn end(now: &Standing, party: Party) -> After {
    side(now, party, &IN_FORCE)?;
    to(now, State::Ended)
}

/// Whoever holds the copies certifies; where everybody does, the provider closes the books.
fn certify(now: &Standing, party: Party) -> After {
    match side(now, party, &[State::Expired, State::Ended])? {
        Side::Provider if now.has_recipient => Err(Step::NotYours),
        Side::Provider | Side::Recipient => to(now, State::Closed),
    }
}

/// Who is not counted any more has not approved either: what is agreed and not yet in force may have to be asked for again. What is
/// in force stays: it was approved, and whoever is left can stop it.
fn recuse(now: &Standing, party: Party, rules: RulesMet) -> After {
    side(now, party, &[State::Requested, State::Offered, State::Agreed, State::Active, State::Suspended])?;
    let agreed = rules.provider && (rules.recipient || !now.has_recipient);
    toward(
        now,
        match (now.state, now.proposed_by) {
            (State::Agreed, Side::Provider) if !agreed => State::Offered,
            (State::Agreed, Side::Recipient) if !agreed => State::Requested,
            (state, _) => state,
        },
    )
}
