//! The table that stewards sit at: proposing, approving and stopping, with their own tokens.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use hayward_domain::agreement::Side;
use hayward_domain::id::AgreementId;
use hayward_store::{Caller, Decision, Fresh, Outcome, Store};

use super::{Deal, Fate};
use crate::auth::secret;
use crate::demo::cast::{Cast, Member};
use crate::demo::terms::{Edition, To};
use crate::demo::{DemoError, derive, files};

/// Everybody who decides, by co-op.
pub(super) struct Table<'a> {
    store: &'a Arc<Store>,
    seed: u64,
    today: NaiveDate,
    deciders: HashMap<&'static str, Vec<Caller>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(store: &'a Arc<Store>, cast: &Cast) -> Result<Self, DemoError> {
        let mut deciders = HashMap::new();
        for member in &cast.members {
            let deciding = member.people.iter().filter(|human| human.role.decides());
            let callers: Result<Vec<_>, _> = deciding.map(|human| store.caller(&secret::hash(&human.token))).collect();
            deciders.insert(member.slug, callers?);
        }
        Ok(Self { store, seed: cast.seed, today: files::today(store), deciders })
    }

    /// Proposes the `nth` agreement, and brings it to where it waits for its share or for an answer.
    pub(super) fn propose(&self, nth: usize, deal: &Deal<'_>) -> Result<AgreementId, DemoError> {
        let name = format!("{nth} of {}", deal.draft.provider.slug);
        let fresh = Fresh {
            id: AgreementId::from_random(derive::bytes(self.seed, &["agreement", &name])),
            secret: derive::bytes(self.seed, &["secret", &name]),
        };
        let terms = deal.draft.terms(Edition::First, self.today);
        let (id, version) = self.store.propose(self.speaker(deal, deal.proposed_by)?, &terms, &fresh)?;
        match deal.fate {
            Fate::Waits => {}
            Fate::Countered => {
                let terms = deal.draft.terms(Edition::Narrower, self.today);
                self.store.propose_version(self.speaker(deal, other(deal.proposed_by))?, &id, version, &terms)?;
            }
            Fate::Declined => self.decide(deal, &id, version, other(deal.proposed_by), Decision::Decline)?,
            Fate::Withdrawn => self.decide(deal, &id, version, deal.proposed_by, Decision::Withdraw)?,
            Fate::Agreed
            | Fate::Active
            | Fate::EndsSoon
            | Fate::Suspended(_)
            | Fate::Succeeded
            | Fate::Narrowed
            | Fate::Ended
            | Fate::Closed => self.sign(deal, &id, version)?,
        }
        Ok(id)
    }

    /// What happens to an agreement once it is in force.
    pub(super) fn carry_on(&self, deal: &Deal<'_>, id: &AgreementId) -> Result<(), DemoError> {
        match deal.fate {
            Fate::Suspended(sides) => sides.iter().try_for_each(|side| self.decide(deal, id, 1, *side, Decision::Suspend)),
            Fate::Succeeded => {
                let terms = deal.draft.terms(Edition::Wider, self.today);
                let (version, _) = self.store.propose_version(self.speaker(deal, deal.proposed_by)?, id, 1, &terms)?;
                self.sign(deal, id, version)
            }
            Fate::Narrowed => {
                let terms = deal.draft.terms(Edition::Narrower, self.today);
                self.store.propose_version(self.speaker(deal, Side::Provider)?, id, 1, &terms)?;
                Ok(())
            }
            Fate::Ended => self.decide(deal, id, 1, Side::Recipient, Decision::End),
            Fate::Closed => {
                self.decide(deal, id, 1, Side::Provider, Decision::End)?;
                self.decide(deal, id, 1, Side::Recipient, Decision::Certify)
            }
            Fate::Waits | Fate::Countered | Fate::Agreed | Fate::Active | Fate::EndsSoon | Fate::Declined | Fate::Withdrawn => {
                Ok(())
            }
        }
    }

    fn decide(&self, deal: &Deal<'_>, id: &AgreementId, version: i64, side: Side, decision: Decision) -> Result<(), DemoError> {
        let reason = match decision {
            Decision::Decline => Some("The telephone number is not needed for this.".to_owned()),
            Decision::Suspend => Some("Halted until the next assembly.".to_owned()),
            Decision::End => Some("The project is over.".to_owned()),
            Decision::Approve | Decision::Withdraw | Decision::Resume | Decision::Certify | Decision::Recuse => None,
        };
        self.store.decide(self.speaker(deal, side)?, id, version, decision, reason)?;
        Ok(())
    }

    /// Collects approvals until the rules of both sides are met; who proposed signs last.
    fn sign(&self, deal: &Deal<'_>, id: &AgreementId, version: i64) -> Result<(), DemoError> {
        let mut agreed = false;
        for side in [Side::Provider, Side::Recipient] {
            let Some(member) = party(deal, side) else { continue };
            let deciders = self.deciders(member);
            let needed = match member.rule {
                "1" => 1,
                "2" => 2,
                _ => deciders.len(),
            };
            for steward in deciders.iter().rev().take(needed) {
                agreed = self.store.decide(steward, id, version, Decision::Approve, None)? == Outcome::Agreed;
            }
        }
        if agreed { Ok(()) } else { Err(DemoError::Unsigned(id.to_string())) }
    }

    fn deciders(&self, member: &Member) -> &[Caller] {
        self.deciders.get(member.slug).map_or(&[], Vec::as_slice)
    }

    /// Who proposes and stops things for one side: its first steward.
    fn speaker(&self, deal: &Deal<'_>, side: Side) -> Result<&Caller, DemoError> {
        let speaker = party(deal, side).and_then(|member| self.deciders(member).first());
        speaker.ok_or_else(|| DemoError::Unsigned(format!("of `{}`", deal.draft.provider.slug)))
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Provider => Side::Recipient,
        Side::Recipient => Side::Provider,
    }
}

fn party<'a>(deal: &Deal<'a>, side: Side) -> Option<&'a Member> {
    match (side, deal.draft.to) {
        (Side::Provider, _) => Some(deal.draft.provider),
        (Side::Recipient, To::Member(member)) => Some(member),
        (Side::Recipient, To::Members | To::Public) => None,
    }
}
