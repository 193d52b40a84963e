//! Agreements as they are kept: versions, approvals, events.
//!
//! What may follow what is [`hayward_domain::agreement::step`]'s to say; nothing here decides it again. Every transition is written
//! together with the event that explains it ([`save`]), in a transaction that has taken the commit number first.

mod again;
mod approving;
mod certificate;
mod decide;
mod granted;
mod overlap;
mod propose;
mod story;
mod view;
mod wording;

pub use again::Again;
pub use certificate::certified;
pub(crate) use decide::void_open;
pub use decide::{Decision, Outcome};
pub use granted::Granted;
pub use propose::{Fresh, ProposalError};
pub use view::AgreementPage;
pub use wording::Wording;

use std::collections::BTreeSet;

use hayward_domain::agreement::{Actor, Change, Event, Side, Standing, State, step};
use hayward_domain::id::AgreementId;
use hayward_domain::moment::Moment;

use crate::Caller;
use crate::conn::Conn;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};

/// The audience of all member co-ops, and of the public, where an organization's number stands otherwise.
pub(crate) const MEMBERS: i64 = 0;
pub(crate) const PUBLIC: i64 = -1;

rows! {
    AgreementRow { number: i64, id: String, provider: i64, recipient: Option<i64>, audience: i64, dataset: i64 }
    VersionRow {
        version: i64, state: String, terms: String, hash: String, proposed_by: String, proposer: Option<String>,
        suspended_by: String, starts_at: i64, ends_at: i64, agreed_at: Option<i64>, created_at: i64,
    }
}

const VERSION_COLUMNS: &str =
    "version, state, terms, hash, proposed_by, proposer, suspended_by, starts_at, ends_at, agreed_at, created_at";

impl VersionRow {
    pub(crate) fn state(&self) -> Result<State> {
        State::parse(&self.state).ok_or(StoreError::Corrupt("a state"))
    }

    fn standing(&self, has_recipient: bool) -> Result<Standing> {
        let side = |name: &str| Side::parse(name).ok_or(StoreError::Corrupt("a side"));
        let suspended_by = self.suspended_by.split_terminator(' ').map(side).collect::<Result<BTreeSet<_>>>()?;
        Ok(Standing { state: self.state()?, proposed_by: side(&self.proposed_by)?, has_recipient, suspended_by })
    }
}

/// Which side of the agreement the caller's organization is.
pub(crate) fn side_of(agreement: &AgreementRow, organization: i64) -> Option<Side> {
    if agreement.provider == organization {
        Some(Side::Provider)
    } else if agreement.recipient == Some(organization) {
        Some(Side::Recipient)
    } else {
        None
    }
}

/// The agreement, for a party of it; locked, so that two transitions cannot both start from the same state.
fn lock(conn: &mut Conn, id: &AgreementId, caller: &Caller) -> Result<(AgreementRow, Side)> {
    let lock = dialect::for_update(conn.kind());
    let select = format!("select number, id, provider, recipient, audience, dataset from agreements where id = ?{lock}");
    let row = conn.one::<AgreementRow>(Sql::new(&select).bind(id.as_str()))?;
    let side = side_of(&row, caller.organization.0).ok_or(StoreError::NotFound)?;
    Ok((row, side))
}

pub(crate) fn by_number(conn: &mut Conn, number: i64) -> Result<AgreementRow> {
    let lock = dialect::for_update(conn.kind());
    let select = format!("select number, id, provider, recipient, audience, dataset from agreements where number = ?{lock}");
    conn.one::<AgreementRow>(Sql::new(&select).bind(number))
}

pub(crate) fn versions(conn: &mut Conn, agreement: i64) -> Result<Vec<VersionRow>> {
    let select = format!("select {VERSION_COLUMNS} from agreement_versions where agreement = ? order by version");
    conn.load::<VersionRow>(Sql::new(&select).bind(agreement))
}

pub(crate) fn version(conn: &mut Conn, agreement: i64, version: i64) -> Result<VersionRow> {
    let select = format!("select {VERSION_COLUMNS} from agreement_versions where agreement = ? and version = ?");
    conn.one::<VersionRow>(Sql::new(&select).bind(agreement).bind(version))
}

pub(crate) fn in_force(state: State) -> bool {
    matches!(state, State::Active | State::Suspended)
}

pub(crate) fn open(state: State) -> bool {
    matches!(state, State::Requested | State::Offered | State::Agreed)
}

/// Who did it, for the event.
pub(crate) struct By<'a> {
    pub(crate) actor: Actor,
    pub(crate) who: Option<&'a Caller>,
    pub(crate) reason: Option<String>,
}

impl By<'_> {
    /// The clock, or the program acting on what was agreed.
    pub(crate) fn clock() -> Self {
        Self { actor: Actor::Clock, who: None, reason: None }
    }
}

/// Applies `event` to a version and writes the new state with its event.
pub(crate) fn transition(
    conn: &mut Conn,
    agreement: &AgreementRow,
    row: &VersionRow,
    event: Event,
    by: &By,
    now: Moment,
) -> Result<Standing> {
    let standing = row.standing(agreement.recipient.is_some())?;
    let change = step(&standing, event, by.actor).map_err(|refusal| StoreError::refused(refusal.code(), refusal.to_string()))?;
    save(conn, agreement.number, row.version, change, by, now)
}

/// Writes a change: the state and its event, together or not at all.
fn save(conn: &mut Conn, agreement: i64, version: i64, change: Change<Standing>, by: &By, now: Moment) -> Result<Standing> {
    let Change { after, event } = change;
    let suspended_by: Vec<&str> = after.suspended_by.iter().map(|side| side.as_str()).collect();
    let update = "update agreement_versions set state = ?, suspended_by = ? where agreement = ? and version = ?";
    let update = Sql::new(update).bind(after.state.as_str()).bind(suspended_by.join(" ")).bind(agreement).bind(version);
    conn.execute(update)?;
    if after.state == State::Agreed {
        let update = "update agreement_versions set agreed_at = ? where agreement = ? and version = ? and agreed_at is null";
        conn.execute(Sql::new(update).bind(now).bind(agreement).bind(version))?;
    }
    // Who has to be asked again has not agreed: the grace period then begins anew.
    if matches!(after.state, State::Requested | State::Offered) {
        let update =
            "update agreement_versions set agreed_at = null where agreement = ? and version = ? and agreed_at is not null";
        conn.execute(Sql::new(update).bind(agreement).bind(version))?;
    }
    note_event(conn, agreement, version, event, after.state, by, now)?;
    Ok(after)
}

fn note_event(conn: &mut Conn, agreement: i64, version: i64, event: Event, state: State, by: &By, now: Moment) -> Result<()> {
    let number = crate::counter::take(conn, "event", 1)?;
    let side = match by.actor {
        Actor::Steward(side) => Some(side.as_str().to_owned()),
        Actor::Clock | Actor::Operator | Actor::Outsider => None,
    };
    let actor = by.who.map(|caller| caller.name().to_owned());
    let insert = "insert into agreement_events (number, agreement, version, event, state, side, actor, reason, at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(number).bind(agreement).bind(version).bind(event.as_str()).bind(state.as_str());
    conn.execute(insert.bind(side).bind(actor).bind(by.reason.clone()).bind(now))?;
    Ok(())
}
