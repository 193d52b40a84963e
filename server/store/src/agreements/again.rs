//! Closing again, after a restore, what was closed in the commons that was lost.
//!
//! The archive may hold less than the commons had: versions that came into force since are not in it. Then what stands there is
//! closed instead, and more rather than less: nothing that was acknowledged as closed or narrowed may be read.

use hayward_domain::agreement::{Actor, Event, Side, State};
use hayward_domain::id::{AgreementId, ClientId, OrganizationId, PersonId};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use serde_json::Value;

use super::decide::{destroy_secret, void, void_open};
use super::propose::Proposal;
use super::{AgreementRow, By, ProposalError, VersionRow, by_number, in_force, transition, versions};
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::journal::Stop;
use crate::sql::{Number, Sql, Word};
use crate::{Caller, Store, counter, floor};

/// What became of one note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Again {
    /// It is closed as it was.
    Closed,
    /// There was nothing to close: it is closed already, or the archive knows nothing of it.
    Nothing,
    /// It could not be done as it was; what stands is suspended by its provider, or taken back where it was not in force yet.
    Instead,
}

const REASON: &str = "closed again after a restore";

impl Store {
    /// Stops what a side had stopped.
    pub(crate) fn stop_again(&self, id: &AgreementId, number: i64, how: Stop, side: Side, by: &str) -> Result<Again> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let Some(agreement) = find(conn, id)? else { return Ok(Again::Nothing) };
            let caller = caller(conn, &agreement, side, by)?;
            let by = By { actor: Actor::Steward(side), who: Some(&caller), reason: Some(REASON.to_owned()) };
            let all = versions(conn, agreement.number)?;
            match how {
                Stop::Suspend => suspend(conn, &agreement, &all, side, &by, commit, now),
                Stop::End => {
                    let standing = standing(&all)?;
                    if let Some(version) = standing {
                        transition(conn, &agreement, version, Event::End, &by, now)?;
                        floor::close(conn, agreement.number, commit)?;
                    }
                    let voided = void_open(conn, &agreement, side, &by, now)?;
                    Ok(if standing.is_some() || voided > 0 { Again::Closed } else { Again::Nothing })
                }
                Stop::Withdraw | Stop::Decline => {
                    let Some(version) = all.iter().find(|version| version.version == number) else { return Ok(Again::Nothing) };
                    Ok(if void(conn, &agreement, version, side, &by, now)? { Again::Closed } else { Again::Nothing })
                }
                Stop::Certify => {
                    let over = |version: &&VersionRow| {
                        version.version == number && matches!(version.state(), Ok(State::Expired | State::Ended))
                    };
                    if let Some(version) = all.iter().find(over) {
                        self.certify(conn, &agreement, version, side, Some(REASON), now)?;
                        transition(conn, &agreement, version, Event::Certify, &by, now)?;
                    }
                    destroy_secret(conn, agreement.number)?;
                    Ok(Again::Closed)
                }
            }
        })
    }

    /// Writes a narrower version again, under its number, if it is narrower than what stands; otherwise closes what stands.
    pub(crate) fn narrow_again(&self, id: &AgreementId, number: i64, terms: &Value, by: &str) -> Result<Again> {
        match self.db.write(|conn| self.narrowed(conn, id, number, terms, by)) {
            Ok(Some(again)) => Ok(again),
            Ok(None) | Err(ProposalError::Faults(_) | ProposalError::Store(StoreError::Refused { .. })) => self.close_instead(id),
            Err(ProposalError::Store(error)) => Err(error),
        }
    }

    /// None where it cannot be written as it was.
    fn narrowed(
        &self,
        conn: &mut Conn,
        id: &AgreementId,
        number: i64,
        raw: &Value,
        by: &str,
    ) -> std::result::Result<Option<Again>, ProposalError> {
        let commit = counter::commit(conn)?;
        let Some(agreement) = find(conn, id)? else { return Ok(Some(Again::Nothing)) };
        let all = versions(conn, agreement.number)?;
        let Some(before) = standing(&all)? else { return Ok(None) };
        let (_, terms) = self.parse_terms(conn, raw)?;
        let (now_shown, bound) = self.terms(conn, agreement.number, before.version)?;
        if now_shown.closed_by(&bound) || !terms.is_at_most(&now_shown) || terms.record_id != now_shown.record_id {
            return Ok(None);
        }
        let caller = caller(conn, &agreement, Side::Provider, by)?;
        let newest = all.iter().map(|version| version.version).max().unwrap_or(0);
        let proposal = Proposal { terms: &terms, side: Side::Provider, caller: &caller, commit, now: (self.clock)() };
        void_open(conn, &agreement, Side::Provider, &proposal.by(), proposal.now)?;
        self.narrow(conn, &agreement, before, number.max(newest + 1), &proposal)?;
        Ok(Some(Again::Closed))
    }

    fn close_instead(&self, id: &AgreementId) -> Result<Again> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            let Some(agreement) = find(conn, id)? else { return Ok(Again::Nothing) };
            let caller = caller(conn, &agreement, Side::Provider, "")?;
            let by = By { actor: Actor::Steward(Side::Provider), who: Some(&caller), reason: Some(REASON.to_owned()) };
            let all = versions(conn, agreement.number)?;
            match suspend(conn, &agreement, &all, Side::Provider, &by, commit, now)? {
                Again::Closed | Again::Instead => Ok(Again::Instead),
                Again::Nothing => Ok(Again::Nothing),
            }
        })
    }
}

/// Suspends what stands. What is agreed and would come into force by itself is taken back where nothing stands whose halt it would
/// take over.
fn suspend(
    conn: &mut Conn,
    agreement: &AgreementRow,
    all: &[VersionRow],
    side: Side,
    by: &By,
    commit: i64,
    now: hayward_domain::moment::Moment,
) -> Result<Again> {
    if let Some(version) = standing(all)? {
        if version.standing(agreement.recipient.is_some())?.suspended_by.contains(&side) {
            return Ok(Again::Nothing);
        }
        transition(conn, agreement, version, Event::Suspend, by, now)?;
        floor::close(conn, agreement.number, commit)?;
        return Ok(Again::Closed);
    }
    for version in all {
        if version.state()? == State::Agreed {
            transition(conn, agreement, version, Event::Withdraw, by, now)?;
            return Ok(Again::Instead);
        }
    }
    Ok(Again::Nothing)
}

fn standing(all: &[VersionRow]) -> Result<Option<&VersionRow>> {
    for version in all {
        if in_force(version.state()?) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

fn find(conn: &mut Conn, id: &AgreementId) -> Result<Option<AgreementRow>> {
    let number = Sql::new("select number as value from agreements where id = ?").bind(id.as_str());
    conn.first::<Number>(number)?.map(|number| by_number(conn, number.value)).transpose()
}

/// Whoever closed it then. Where the archive does not know that person, the organization did.
fn caller(conn: &mut Conn, agreement: &AgreementRow, side: Side, by: &str) -> Result<Caller> {
    let number = match side {
        Side::Provider => agreement.provider,
        Side::Recipient => agreement.recipient.ok_or(StoreError::Corrupt("a side of an agreement"))?,
    };
    let id = conn.one::<Word>(Sql::new("select id as value from organizations where number = ?").bind(number))?.value;
    let known = "select count(*) as value from people where id = ?";
    let known = conn.one::<Number>(Sql::new(known).bind(by))?.value == 1;
    Ok(Caller {
        organization: OrganizationNumber(number),
        organization_id: OrganizationId::parse(&id).ok_or(StoreError::Corrupt("an organization"))?,
        person: PersonId::parse(by).filter(|_| known),
        client: ClientId::parse(by),
        scopes: Scopes::default(),
    })
}
