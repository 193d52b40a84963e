//! Approving, declining, stopping: what stewards do to a version that stands.

use hayward_domain::agreement::{Actor, Event, Side, State};
use hayward_domain::id::AgreementId;
use hayward_domain::moment::Moment;

use super::approving::{note_recusal, refuse_recused};
use super::{AgreementRow, By, VersionRow, lock, open, transition, version, versions};
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::journal::{Closing, Stop};
use crate::sql::Sql;
use crate::{Caller, Store, counter, floor};

/// What a steward can do to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, for one's own side.
    Approve,
    /// No, to the other side's proposal.
    Decline,
    /// Take back one's own proposal, or what is agreed and not yet in force.
    Withdraw,
    /// Stop for the time being.
    Suspend,
    /// Lift one's own side's suspension.
    Resume,
    /// Stop for good.
    End,
    /// Certify that the copies are deleted, or are kept under the terms.
    Certify,
    /// Declare a conflict of interest: not to be counted any more on any version of the agreement.
    Recuse,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 8] =
        [Self::Approve, Self::Decline, Self::Withdraw, Self::Suspend, Self::Resume, Self::End, Self::Certify, Self::Recuse];

    /// The word in the URL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::Withdraw => "withdraw",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::End => "end",
            Self::Certify => "certify",
            Self::Recuse => "recuse",
        }
    }

    /// The decision that a word of a URL names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.as_str() == text)
    }
}

/// What a decision did to what can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: it changed a state that opens no data.
    Unchanged,
    /// Both sides agree; the share is to be built once it is due.
    Agreed,
    /// A share stopped answering.
    Closed,
    /// A share answers again.
    Opened,
}

impl Store {
    /// Applies a steward's decision to one version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the caller is no party; [`StoreError::Refused`] where the state machine or the rules say no.
    pub fn decide(
        &self,
        caller: &Caller,
        id: &AgreementId,
        number: i64,
        decision: Decision,
        reason: Option<String>,
    ) -> Result<Outcome> {
        let now = (self.clock)();
        let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if reason.is_none() && matches!(decision, Decision::Decline | Decision::Recuse) {
            return Err(StoreError::refused("reason-missing", "say in a sentence why"));
        }
        let (commit, side, outcome) = self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let (agreement, side) = lock(conn, id, caller)?;
            let row = version(conn, agreement.number, number)?;
            let by = By { actor: Actor::Steward(side), who: Some(caller), reason: reason.clone() };
            if matches!(decision, Decision::Approve | Decision::Resume) {
                refuse_recused(conn, &agreement, caller)?;
            }
            let event = match decision {
                Decision::Approve => {
                    self.note_approval(conn, &agreement, &row, side, &by, now)?;
                    Event::Approve { rule_met_after: self.rules_met(conn, &agreement, &row)? }
                }
                Decision::Recuse => {
                    note_recusal(conn, &agreement, caller, side, reason.as_deref().unwrap_or_default(), now)?;
                    self.recuse_elsewhere(conn, &agreement, number, &by, now)?;
                    Event::Recuse { rule_met_after: self.rules_met(conn, &agreement, &row)? }
                }
                Decision::Decline => Event::Decline,
                Decision::Withdraw => Event::Withdraw,
                Decision::Suspend => Event::Suspend,
                Decision::Resume => Event::Resume,
                Decision::End => Event::End,
                Decision::Certify => Event::Certify,
            };
            let after = transition(conn, &agreement, &row, event, &by, now)?;
            if decision == Decision::End {
                void_open(conn, &agreement, side, &by, now)?;
            }
            let outcome = match decision {
                Decision::Suspend | Decision::End => {
                    floor::close(conn, agreement.number, commit)?;
                    Outcome::Closed
                }
                Decision::Resume if after.state == State::Active => {
                    floor::reopen(conn, agreement.number, commit)?;
                    Outcome::Opened
                }
                Decision::Approve if after.state == State::Agreed => Outcome::Agreed,
                Decision::Certify => {
                    self.certify(conn, &agreement, &row, side, reason.as_deref(), now)?;
                    destroy_secret(conn, agreement.number)?;
                    Outcome::Unchanged
                }
                Decision::Approve | Decision::Decline | Decision::Withdraw | Decision::Resume | Decision::Recuse => {
                    Outcome::Unchanged
                }
            };
            Ok::<_, StoreError>((commit, side, outcome))
        })?;
        if let Some(how) = Stop::of(decision) {
            let (agreement, side, by) = (id.to_string(), side.as_str().to_owned(), caller.name().to_owned());
            self.write_down(commit, now, Closing::Stopped { agreement, version: number, how, side, by })?;
        }
        Ok(outcome)
    }

    /// A conflict is one on every version: what was agreed with that voice in another one has to be asked for again, too.
    fn recuse_elsewhere(&self, conn: &mut Conn, agreement: &AgreementRow, number: i64, by: &By, now: Moment) -> Result<()> {
        for other in versions(conn, agreement.number)?.iter().filter(|other| other.version != number) {
            if open(other.state()?) {
                let rule_met_after = self.rules_met(conn, agreement, other)?;
                transition(conn, agreement, other, Event::Recuse { rule_met_after }, by, now)?;
            }
        }
        Ok(())
    }
}

/// Without its secret nobody can ever again tell which record a pseudonym stood for. A version that stands or may still come into
/// force needs it: then it goes when the last of them is certified.
pub(super) fn destroy_secret(conn: &mut Conn, agreement: i64) -> Result<()> {
    let destroy = "update agreements set secret = null where number = ? and not exists
        (select 1 from agreement_versions v where v.agreement = agreements.number
        and v.state in ('requested', 'offered', 'agreed', 'active', 'suspended'))";
    conn.execute(Sql::new(destroy).bind(agreement)).map(drop)
}

/// Who ends an agreement ends what was to come after it, too. Returns how many versions that were.
pub(crate) fn void_open(conn: &mut Conn, agreement: &AgreementRow, side: Side, by: &By, now: Moment) -> Result<usize> {
    let mut voided = 0;
    for version in versions(conn, agreement.number)? {
        voided += usize::from(void(conn, agreement, &version, side, by, now)?);
    }
    Ok(voided)
}

/// Takes a version back or declines it, whichever is `side`'s to do. Whether it was open.
pub(super) fn void(
    conn: &mut Conn,
    agreement: &AgreementRow,
    version: &VersionRow,
    side: Side,
    by: &By,
    now: Moment,
) -> Result<bool> {
    let event = match version.state()? {
        State::Agreed => Event::Withdraw,
        State::Requested | State::Offered if version.proposed_by == side.as_str() => Event::Withdraw,
        State::Requested | State::Offered => Event::Decline,
        State::Draft
        | State::Active
        | State::Suspended
        | State::Superseded
        | State::Expired
        | State::Ended
        | State::Closed
        | State::Terminated => return Ok(false),
    };
    transition(conn, agreement, version, event, by, now).map(|_| true)
}
