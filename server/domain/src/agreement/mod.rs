//! The life of one version of an agreement: which step follows which, and who may take it.
//!
//! State belongs to the version, not to the agreement. What a step needs from outside (whether an approval rule is met, that a
//! day has come) is an argument; [`step()`] reads no clock and no database. Every state, event and actor is decided in one place,
//! and `tests/agreement.table` shows the decisions.

use std::collections::BTreeSet;
use std::fmt;

mod approval;
mod step;

pub use approval::{ApprovalRule, Rules, met};
pub use step::step;

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Being written; the other side does not know of it.
    Draft,
    /// The recipient asks for it.
    Requested,
    /// The provider offers it.
    Offered,
    /// Approved; waits for its first day, the grace period and the building of the share.
    Agreed,
    /// In force: the one state that opens data.
    Active,
    /// Halted by one side or both.
    Suspended,
    /// Replaced by another version.
    Superseded,
    /// Over, because its last day is.
    Expired,
    /// Over, because one side ended it.
    Ended,
    /// Over, and what happens to the copies is on record.
    Closed,
    /// Never came into force.
    Terminated,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Draft,
        Self::Requested,
        Self::Offered,
        Self::Agreed,
        Self::Active,
        Self::Suspended,
        Self::Superseded,
        Self::Expired,
        Self::Ended,
        Self::Closed,
        Self::Terminated,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Requested => "requested",
            Self::Offered => "offered",
            Self::Agreed => "agreed",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Closed => "closed",
            Self::Terminated => "terminated",
        }
    }

    /// The state that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state of the negotiation in the words of the Dataspace Protocol, for the export; a draft has none.
    ///
    /// The protocol knows no end of an agreement: what came into force stays `FINALIZED` there. A superseded version may or may
    /// not have been in force; it says `TERMINATED`, which promises nothing.
    #[must_use]
    pub fn dsp_name(self) -> Option<&'static str> {
        match self {
            Self::Draft => None,
            Self::Requested => Some("REQUESTED"),
            Self::Offered => Some("OFFERED"),
            Self::Agreed => Some("AGREED"),
            Self::Active | Self::Suspended | Self::Expired | Self::Ended | Self::Closed => Some("FINALIZED"),
            Self::Superseded | Self::Terminated => Some("TERMINATED"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of the two parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Whose data it is.
    Provider,
    /// Who receives it.
    Recipient,
}

impl Side {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Recipient => "recipient",
        }
    }

    /// The side that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Provider, Self::Recipient].into_iter().find(|side| side.as_str() == text)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A steward of one party.
    Steward(Side),
    /// The server, because a day has come or another step demands it.
    Clock,
    /// Who runs the server: has no say.
    Operator,
    /// Anybody else: has no say.
    Outsider,
}

/// Whether the approval rules of each side are met, this step counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RulesMet {
    /// Of the provider.
    pub provider: bool,
    /// Of the recipient; ignored where there is none.
    pub recipient: bool,
}

/// What happens to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its author lays a draft before the other side.
    Propose,
    /// Another version takes its place in the negotiation.
    Counter,
    /// A steward approves.
    Approve {
        /// What that comes to.
        rule_met_after: RulesMet,
    },
    /// The side that was asked says no.
    Decline,
    /// Its author takes it back; or either side, what is agreed and not yet in force.
    Withdraw,
    /// It comes into force.
    Activate,
    /// The provider puts a narrower version in force alone.
    Narrow,
    /// One side halts it.
    Suspend,
    /// The side that halted it lets it go on.
    Resume,
    /// A successor takes over.
    Supersede,
    /// Its last day is over.
    Expire,
    /// One side ends it.
    End,
    /// The deletion of the copies is certified, or the terms for keeping them are recorded.
    Certify,
    /// A steward declares a conflict of interest, and is not counted any more.
    Recuse {
        /// What that leaves.
        rule_met_after: RulesMet,
    },
}

impl Event {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Propose => "propose",
            Self::Counter => "counter",
            Self::Approve { .. } => "approve",
            Self::Decline => "decline",
            Self::Withdraw => "withdraw",
            Self::Activate => "activate",
            Self::Narrow => "narrow",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Supersede => "supersede",
            Self::Expire => "expire",
            Self::End => "end",
            Self::Certify => "certify",
            Self::Recuse { .. } => "recuse",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that the next step of a version depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// Who wrote it.
    pub proposed_by: Side,
    /// Whether another organization is party to it: not so where the audience is all members or the public.
    pub has_recipient: bool,
    /// Who halted it. A version that is to replace a suspended one is given this set, and comes into force suspended: a
    /// new version is no way around the other side's halt.
    pub suspended_by: BTreeSet<Side>,
}

/// A new state together with the event that explains it. The store accepts only the pair.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a change has no effect until it is saved"]
pub struct Change<T> {
    /// What is so afterwards.
    pub after: T,
    /// What happened.
    pub event: Event,
}

/// Why a step is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The actor is no party to the agreement.
    #[error("only the parties to an agreement take this step")]
    NoSay,
    /// The version is not where this step begins.
    #[error("a version that is {state} does not take the step `{event}`")]
    NotNow {
        /// Where the version stands.
        state: State,
        /// What was tried.
        event: Event,
    },
    /// The step is another's to take.
    #[error("the step `{event}` is not yours to take")]
    NotYours {
        /// What was tried.
        event: Event,
    },
    /// The side has halted the version already.
    #[error("your side has suspended this version already")]
    AlreadySuspended,
    /// The side did not halt the version, so that it is not the one to let it go on.
    #[error("the other side suspended this version, and only it can resume it")]
    SuspendedByOther,
}

impl Refusal {
    /// One of each kind, for the pages that explain them.
    pub const ALL: [Self; 5] = [
        Self::NoSay,
        Self::NotNow {
            state: State::Terminated,
            event: Event::Approve { rule_met_after: RulesMet { provider: false, recipient: false } },
        },
        Self::NotYours { event: Event::Activate },
        Self::AlreadySuspended,
        Self::SuspendedByOther,
    ];

    /// Its name, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSay => "no-say",
            Self::NotNow { .. } => "not-now",
            Self::NotYours { .. } => "not-yours",
            Self::AlreadySuspended => "already-suspended",
            Self::SuspendedByOther => "suspended-by-other",
        }
    }
}
