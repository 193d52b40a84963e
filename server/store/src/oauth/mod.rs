//! What a person allowed a program, and what the program holds for it: codes, refresh tokens, tokens.
//!
//! * A consent is a person's word that a program may act for their organization, within some scopes. Everything that the program was
//!   given for it hangs on that one row: once the row is ended, a code, a refresh token and a bearer token open nothing, in the very
//!   next snapshot.
//! * A code and a refresh token work once. Each is looked at and marked under the lock of its row, so that of two who come together
//!   one gets something. One that comes a second time ends the consent: somebody has it who should not.
//! * A code is bound to its program, to the address that the answer went to and to the program's challenge. What does not fit ends it.
//! * What is given is never more than the person may do at that moment, and never more than was allowed.
//! * Whoever shuts a person out locks the person first and ends consents after; whoever makes a consent locks the person, too. So
//!   there is none that slips in between.
//! * A restore ends every consent: what was used or taken back since the archive was made must not come back.

mod codes;
mod consents;
mod devices;
mod prune;
mod refresh;
mod state;

use hayward_domain::id::{ClientId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;

use crate::conn::Conn;
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, Word, rows};
use crate::tokens::still_held;

pub use codes::{CodeShown, NewCode};
pub use consents::{ConsentView, ListedConsent, OpenedBy};
pub use devices::{DeviceFound, NewDevice, Polled};
pub use state::Shown;

/// A person's word, to be kept.
pub struct NewConsent {
    /// Its id, which opens nothing.
    pub id: String,
    /// Which program.
    pub client: ClientId,
    /// Whose word it is.
    pub person: PersonId,
    /// For whom the program will act.
    pub organization: OrganizationNumber,
    /// Within which scopes.
    pub scopes: Scopes,
    /// When it ends by itself.
    pub expires_at: Moment,
}

/// The hashes and the ends of what is to be handed out.
pub struct Issue {
    /// The hash of the bearer token.
    pub token: String,
    /// When that stops working.
    pub token_until: Moment,
    /// The hash of the refresh token.
    pub refresh: String,
    /// When that stops working, if the consent does not end before.
    pub refresh_until: Moment,
}

/// What came of showing a code or a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The tokens work, within these scopes.
    Given(Scopes),
    /// It opens nothing.
    Refused,
    /// It was shown before, or does not fit: the consent has ended with this, and with it all that was given.
    Ended,
    /// More scopes were asked for than were allowed. Nothing has changed.
    TooMuch,
}

rows! {
    ConsentRow {
        id: String, client: String, person: String, organization: i64, scopes: String, expires_at: i64, ended_at: Option<i64>,
    }
    NobodyRow { disabled_at: Option<i64> }
}

/// Keeps a consent, if the person is there and the program is not revoked; with what of its scopes both may have. Nothing
/// otherwise.
fn keep(conn: &mut Conn, new: &NewConsent, now: Moment) -> Result<Option<Scopes>> {
    let lock = dialect::for_update(conn.kind());
    let person = format!("select id as value from people where id = ? and disabled_at is null{lock}");
    if conn.first::<Word>(Sql::new(&person).bind(new.person.as_str()))?.is_none() {
        return Ok(None);
    }
    let client = "select scopes as value from clients where id = ? and revoked_at is null";
    let Some(client) = conn.first::<Word>(Sql::new(client).bind(new.client.as_str()))? else { return Ok(None) };
    let gone = "select id as value from organizations where number = ? and left_at is null";
    if conn.first::<Word>(Sql::new(gone).bind(new.organization.0))?.is_none() {
        return Ok(None);
    }
    let of_client = Scopes::parse(&client.value).map_err(|_| StoreError::Corrupt("a client"))?;
    let wanted = new.scopes.and(&of_client);
    let Some(scopes) = held(conn, new.person.as_str(), new.organization.0, &wanted)? else { return Ok(None) };
    let insert = "insert into consents (id, client, person, organization, scopes, given_at, expires_at)
        values (?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(&new.id).bind(new.client.as_str()).bind(new.person.as_str()).bind(new.organization.0);
    conn.execute(insert.bind(scopes.to_string()).bind(now).bind(new.expires_at))?;
    Ok(Some(scopes))
}

/// What of `scopes` the person may do in the organization now; nothing where they are no longer there.
fn held(conn: &mut Conn, person: &str, organization: i64, scopes: &Scopes) -> Result<Option<Scopes>> {
    let select = Sql::new("select disabled_at from people where id = ?").bind(person);
    if conn.one::<NobodyRow>(select)?.disabled_at.is_some() {
        return Ok(None);
    }
    match still_held(conn, person, organization, scopes) {
        Ok(scopes) => Ok(Some(scopes)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A consent, locked.
fn consent(conn: &mut Conn, id: &str) -> Result<ConsentRow> {
    let lock = dialect::for_update(conn.kind());
    let select =
        format!("select id, client, person, organization, scopes, expires_at, ended_at from consents where id = ?{lock}");
    conn.one::<ConsentRow>(Sql::new(&select).bind(id))
}

impl ConsentRow {
    fn scopes(&self) -> Result<Scopes> {
        Scopes::parse(&self.scopes).map_err(|_| StoreError::Corrupt("a consent"))
    }

    fn stands(&self, now: Moment) -> bool {
        self.ended_at.is_none() && self.expires_at > now.0
    }
}

/// Hands out a bearer token and a refresh token under a locked consent that stands.
fn issue(conn: &mut Conn, consent: &ConsentRow, wanted: Option<&Scopes>, issue: &Issue, now: Moment) -> Result<Redeemed> {
    let allowed = consent.scopes()?;
    let Some(held) = held(conn, &consent.person, consent.organization, &allowed)? else {
        end(conn, &consent.id, now)?;
        return Ok(Redeemed::Ended);
    };
    let scopes = wanted.map_or_else(|| held.clone(), |wanted| wanted.and(&held));
    let insert = "insert into tokens (hash, organization, person, client, consent, scopes, issued_at, expires_at)
        values (?, ?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(&issue.token).bind(consent.organization).bind(&consent.person).bind(&consent.client);
    let insert = insert.bind(&consent.id).bind(scopes.to_string()).bind(now).bind(issue.token_until.0.min(consent.expires_at));
    conn.execute(insert)?;
    let insert = "insert into refresh_tokens (hash, consent, issued_at, expires_at) values (?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(&issue.refresh).bind(&consent.id).bind(now);
    conn.execute(insert.bind(issue.refresh_until.0.min(consent.expires_at)))?;
    Ok(Redeemed::Given(scopes))
}

/// Ends one consent, and all that hangs on it.
fn end(conn: &mut Conn, id: &str, now: Moment) -> Result<()> {
    let update = "update consents set ended_at = ? where id = ? and ended_at is null";
    conn.execute(Sql::new(update).bind(now).bind(id)).map(drop)
}

/// Ends every consent of a person.
pub(crate) fn end_of_person(conn: &mut Conn, person: &str, now: Moment) -> Result<()> {
    let update = "update consents set ended_at = ? where ended_at is null and person = ?";
    conn.execute(Sql::new(update).bind(now).bind(person)).map(drop)
}

/// Ends the consents of people who have no role left where they were given.
pub(crate) fn end_without_role(conn: &mut Conn, organization: OrganizationNumber, now: Moment) -> Result<()> {
    let update = "update consents set ended_at = ? where ended_at is null and organization = ? and not exists
        (select 1 from positions p where p.person = consents.person and p.organization = consents.organization)";
    conn.execute(Sql::new(update).bind(now).bind(organization.0)).map(drop)
}

/// Ends every consent that was given to a program.
pub(crate) fn end_of_client(conn: &mut Conn, client: &str, now: Moment) -> Result<()> {
    let update = "update consents set ended_at = ? where ended_at is null and client = ?";
    conn.execute(Sql::new(update).bind(now).bind(client)).map(drop)
}

/// Ends every consent, after a restore.
pub(crate) fn end_all(conn: &mut Conn, now: Moment) -> Result<()> {
    conn.execute(Sql::new("update consents set ended_at = ? where ended_at is null").bind(now))?;
    // Nobody has allowed these yet, and somebody may have denied them since.
    conn.execute(Sql::new("delete from device_codes where consent is null")).map(drop)
}
