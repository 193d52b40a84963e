//! Approving, declining, stopping: what stewards do to a version that stands.

use std::collections::BTreeSet;

use hayward_domain::agreement::{Actor, ApprovalRule, Event, RulesMet, Side, State, met};
use hayward_domain::id::{AgreementId, PersonId};
use hayward_domain::moment::Moment;

use super::{AgreementRow, By, VersionRow, lock, transition, version, versions};
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::journal::{Closing, Stop};
use crate::sql::{Number, Sql, Word, rows};
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
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 7] =
        [Self::Approve, Self::Decline, Self::Withdraw, Self::Suspend, Self::Resume, Self::End, Self::Certify];

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

rows! {
    RuleRow { approval_rule: String }
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
        let (commit, side, outcome) = self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let (agreement, side) = lock(conn, id, caller)?;
            let row = version(conn, agreement.number, number)?;
            let by = By { actor: Actor::Steward(side), who: Some(caller), reason };
            let event = match decision {
                Decision::Approve => approve(conn, &agreement, &row, caller, side, now)?,
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
                    destroy_secret(conn, agreement.number)?;
                    Outcome::Unchanged
                }
                Decision::Approve | Decision::Decline | Decision::Withdraw | Decision::Resume => Outcome::Unchanged,
            };
            Ok::<_, StoreError>((commit, side, outcome))
        })?;
        if let Some(how) = Stop::of(decision) {
            let (agreement, side, by) = (id.to_string(), side.as_str().to_owned(), caller.name().to_owned());
            self.write_down(commit, now, Closing::Stopped { agreement, version: number, how, side, by })?;
        }
        Ok(outcome)
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

/// Writes the approval down and says which rules are met with it.
fn approve(
    conn: &mut Conn,
    agreement: &AgreementRow,
    row: &VersionRow,
    caller: &Caller,
    side: Side,
    now: Moment,
) -> Result<Event> {
    let Some(person) = &caller.person else {
        return Err(StoreError::refused("people-only", "a program cannot approve"));
    };
    let both = "select count(distinct organization) as value from positions where person = ? and organization in (?, ?)";
    let both =
        Sql::new(both).bind(person.as_str()).bind(agreement.provider).bind(agreement.recipient.unwrap_or(agreement.provider));
    if conn.one::<Number>(both)?.value > 1 {
        return Err(StoreError::refused("conflict-of-interest", "who belongs to both organizations approves for neither"));
    }
    let insert = "insert into approvals (agreement, version, person, side, hash, at) values (?, ?, ?, ?, ?, ?)
        on conflict (agreement, version, person) do nothing";
    let insert = Sql::new(insert).bind(agreement.number).bind(row.version).bind(person.as_str());
    conn.execute(insert.bind(side.as_str()).bind(&row.hash).bind(now))?;
    let provider = side_met(conn, agreement, row, Side::Provider)?;
    let recipient = side_met(conn, agreement, row, Side::Recipient)?;
    Ok(Event::Approve { rule_met_after: RulesMet { provider, recipient } })
}

fn side_met(conn: &mut Conn, agreement: &AgreementRow, row: &VersionRow, side: Side) -> Result<bool> {
    let organization = match side {
        Side::Provider => agreement.provider,
        Side::Recipient => match agreement.recipient {
            Some(recipient) => recipient,
            None => return Ok(false),
        },
    };
    let rule = conn.one::<RuleRow>(Sql::new("select approval_rule from organizations where number = ?").bind(organization))?;
    let rule = ApprovalRule::parse(&rule.approval_rule).ok_or(StoreError::Corrupt("an approval rule"))?;
    let people = |words: Vec<Word>| words.into_iter().filter_map(|word| PersonId::parse(&word.value)).collect::<BTreeSet<_>>();
    let approvers = "select person as value from approvals where agreement = ? and version = ? and side = ? and hash = ?";
    let approvers = Sql::new(approvers).bind(agreement.number).bind(row.version).bind(side.as_str()).bind(&row.hash);
    let approvers = people(conn.load::<Word>(approvers)?);
    // Who belongs to both organizations has no say, and is nobody that the others would have to wait for; nor is who was shut out.
    let other = if side == Side::Provider { agreement.recipient } else { Some(agreement.provider) };
    let stewards = "select distinct person as value from positions p where organization = ? and role in ('steward', 'owner')
        and not exists (select 1 from positions q where q.person = p.person and q.organization = ?)
        and not exists (select 1 from people d where d.id = p.person and d.disabled_at is not null)";
    let stewards = people(conn.load::<Word>(Sql::new(stewards).bind(organization).bind(other))?);
    let proposer = row.proposer.as_deref().filter(|_| row.proposed_by == side.as_str()).and_then(PersonId::parse);
    Ok(met(rule, &approvers, &stewards, proposer.as_ref()))
}
