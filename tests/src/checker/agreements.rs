//! Agreements: one event per change of state, and what answers is what stands.

use std::collections::BTreeMap;

use super::{Faults, Look, NEVER};

/// What may follow what in the life of a version: the picture of section 3 of the design, by hand.
const FOLLOWS: &[(&str, &[&str])] = &[
    ("", &["requested", "offered", "active", "suspended"]),
    ("requested", &["requested", "agreed", "superseded", "terminated"]),
    ("offered", &["offered", "agreed", "superseded", "terminated"]),
    ("agreed", &["active", "suspended", "superseded", "expired", "terminated"]),
    ("active", &["suspended", "superseded", "expired", "ended"]),
    ("suspended", &["suspended", "active", "superseded", "expired", "ended"]),
    ("superseded", &["closed"]),
    ("expired", &["closed"]),
    ("ended", &["closed"]),
    ("terminated", &[]),
    ("closed", &[]),
];

pub(super) fn check(look: &Look<'_>, faults: &mut Faults) {
    let mut last: BTreeMap<(i64, i64), &str> = BTreeMap::new();
    for event in &look.tables.events {
        let before = last.insert((event.agreement, event.version), &event.state).unwrap_or_default();
        let conflict = |state: &str| before == state || before == "agreed" && ["requested", "offered"].contains(&state);
        let may = match event.event.as_str() {
            // Who is not counted any more changes no state, or has the other side asked again.
            "recuse" => conflict(&event.state),
            _ => FOLLOWS.iter().any(|(from, to)| *from == before && to.contains(&event.state.as_str())),
        };
        let (number, kind, state) = (event.number, &event.event, &event.state);
        faults.unless(may, || format!("event {number}, `{kind}`, leads from `{before}` to `{state}`"));
    }
    for version in &look.tables.versions {
        let (agreement, number, state) = (version.agreement, version.version, version.state.as_str());
        let told = last.get(&(agreement, number)).copied();
        faults.unless(told == Some(state), || {
            format!("version {number} of agreement {agreement} is {state}, and its last event says {told:?}")
        });
        let halted = !version.suspended_by.is_empty();
        faults.unless((state == "suspended") <= halted, || {
            format!("version {number} of agreement {agreement} is suspended by nobody")
        });
        faults.unless((state == "active") <= !halted, || {
            format!("version {number} of agreement {agreement} is active, and somebody has suspended it")
        });
        let approved = look.tables.approvals.iter().filter(|one| (one.agreement, one.version) == (agreement, number));
        for approval in approved {
            faults.unless(approval.hash == version.hash, || {
                format!("version {number} of agreement {agreement} was approved as something else")
            });
        }
        // The tests' commons has no grace period, and their agreements begin in the past.
        faults.soon(state != "agreed" || version.agreed_at.is_none(), || {
            format!("version {number} of agreement {agreement} is due and not in force")
        });
    }
    declared(look, faults);
    one_at_a_time(look, faults);
    openings(look, faults);
}

/// What was certified is signed, once; who declared a conflict said so in an event.
fn declared(look: &Look<'_>, faults: &mut Faults) {
    let tables = &look.tables;
    for event in tables.events.iter().filter(|event| event.event == "certify") {
        let (agreement, version) = (event.agreement, event.version);
        let mut of_version = tables.certificates.iter().filter(|one| (one.agreement, one.version) == (agreement, version));
        let signed = of_version.next().is_some_and(|one| {
            let mut document: serde_json::Value = serde_json::from_str(&one.document).unwrap_or_default();
            document["signature"] = one.signature.clone().into();
            document["key"] = one.key.clone().into();
            hayward_store::certified(&document)
        });
        faults.unless(signed, || {
            format!("version {version} of agreement {agreement} was certified without a signature that holds")
        });
    }
    for certificate in &tables.certificates {
        let (agreement, version) = (certificate.agreement, certificate.version);
        let told = tables
            .events
            .iter()
            .any(|event| (event.agreement, event.version, event.event.as_str()) == (agreement, version, "certify"));
        faults.unless(told, || format!("version {version} of agreement {agreement} has a certificate that no event explains"));
    }
    for recusal in &tables.recusals {
        let agreement = recusal.agreement;
        let told = tables.events.iter().any(|event| {
            event.agreement == agreement && event.event == "recuse" && event.side.as_deref() == Some(recusal.side.as_str())
        });
        faults.unless(told, || format!("{} is not counted on agreement {agreement}, and no event says why", recusal.person));
    }
}

fn one_at_a_time(look: &Look<'_>, faults: &mut Faults) {
    for agreement in &look.tables.agreements {
        let number = agreement.number;
        let count = |states: &[&str]| {
            let versions = look.tables.versions.iter().filter(|version| version.agreement == number);
            versions.filter(|version| states.contains(&version.state.as_str())).count()
        };
        faults.unless(count(&["active", "suspended"]) <= 1, || format!("two versions of agreement {number} are in force"));
        faults.unless(count(&["requested", "offered", "agreed"]) <= 1, || format!("two versions of agreement {number} are open"));
    }
}

fn openings(look: &Look<'_>, faults: &mut Faults) {
    let newest = look.tables.commit_counter.iter().map(|counter| counter.number).max().unwrap_or(0);
    for share in &look.tables.shares {
        let number = share.number;
        let openings: Vec<_> = look.tables.openings.iter().filter(|opening| opening.share == number).collect();
        let apart = openings.windows(2).all(|pair| matches!(pair, [a, b] if a.closed <= b.opened));
        faults.unless(apart, || format!("two openings of share {number} overlap"));
        let real = openings.iter().all(|one| one.opened <= newest && (one.closed <= newest || one.closed == NEVER));
        faults.unless(real, || format!("share {number} opens or closes with a commit that is yet to come"));
        let open = openings.last().is_some_and(|opening| opening.closed == NEVER);
        faults.unless(open == (share.open == 1), || format!("share {number} and its openings disagree"));
        let standing = look.in_force(number);
        let may = standing == Some((share.version, "active")) && share.head >= share.floor;
        faults.unless(!open || may, || format!("share {number} answers though nothing in force lets it"));
        let should = standing.is_some_and(|(_, state)| state == "active");
        faults.soon(open == should, || format!("share {number} should answer: {should}; it answers: {open}"));
        let built = standing.is_none_or(|(version, _)| version == share.version);
        faults.soon(built, || format!("share {number} waits for being rebuilt"));
    }
    for agreement in &look.tables.agreements {
        let number = agreement.number;
        let missing = look.in_force(number).is_some() && !look.tables.shares.iter().any(|share| share.number == number);
        // Only a narrowing comes into force before its share is rebuilt, and then there is one.
        faults.unless(!missing, || format!("agreement {number} is in force without a share"));
    }
}
