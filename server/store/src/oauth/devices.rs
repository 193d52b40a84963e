//! Device codes: a program that has no browser, and a person who types its code into theirs (RFC 8628).

use hayward_domain::id::{ClientId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::scope::Scopes;

use super::{Issue, NewConsent, Redeemed, consent, end, issue, keep};
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::{Store, dialect};

/// Codes that are none, which a person may type within an hour. A code has some 34 bits and lives ten minutes.
const GUESSES: i64 = 10;
/// By how many seconds the pause grows when a program asks too soon (RFC 8628, section 3.5).
const SLOWER: i64 = 5;
/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;
/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

/// A device code to be.
pub struct NewDevice {
    /// The hash it is kept under.
    pub hash: String,
    /// The hash of the code that a person types.
    pub user_code: String,
    /// Which program asks.
    pub client: ClientId,
    /// What for.
    pub scopes: Scopes,
    /// When both stop working.
    pub expires_at: Moment,
    /// Seconds between two questions.
    pub pause: i64,
}

/// What came of a program's question whether it was allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Nobody has said anything yet.
    Pending,
    /// It asks too often, and has to wait longer from now on.
    TooSoon,
    /// Somebody said no.
    Denied,
    /// Nobody said anything in time.
    Expired,
    /// As with other grants.
    Done(Redeemed),
}

/// What a typed code leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceFound {
    /// A program that waits for an answer.
    Waiting {
        /// Which.
        client: ClientId,
        /// For what.
        scopes: Scopes,
    },
    /// Nothing, or no longer.
    Nothing,
    /// This person has typed too many codes that were none.
    TooManyGuesses,
}

rows! {
    DeviceRow {
        client: String, expires_at: i64, pause: i64, asked_at: Option<i64>, denied_at: Option<i64>, consent: Option<String>,
        used_at: Option<i64>,
    }
    WaitingRow { hash: String, client: String, scopes: String }
}

impl Store {
    /// Keeps a device code.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where another program waits under the same words: try others.
    pub fn begin_device(&self, new: &NewDevice) -> Result<()> {
        let insert = "insert into device_codes (hash, user_code, client, scopes, expires_at, pause) values (?, ?, ?, ?, ?, ?)";
        let insert = Sql::new(insert).bind(&new.hash).bind(&new.user_code).bind(new.client.as_str());
        let insert = insert.bind(new.scopes.to_string()).bind(new.expires_at).bind(new.pause);
        self.db.write(|conn| conn.execute(insert).map(drop))
    }

    /// A program asks whether it was allowed.
    ///
    /// # Errors
    /// Only the database's.
    pub fn poll_device(&self, client: &ClientId, hash: &str, fresh: &Issue) -> Result<Polled> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let lock = dialect::for_update(conn.kind());
            let select = format!(
                "select client, expires_at, pause, asked_at, denied_at, consent, used_at from device_codes where hash = ?{lock}"
            );
            let row = conn.first::<DeviceRow>(Sql::new(&select).bind(hash))?;
            let Some(row) = row.filter(|row| row.client == client.as_str()) else { return Ok(Polled::Done(Redeemed::Refused)) };
            if row.used_at.is_some() {
                if let Some(id) = &row.consent {
                    end(conn, id, now)?;
                }
                return Ok(Polled::Done(Redeemed::Ended));
            }
            if row.expires_at <= now.0 {
                return Ok(Polled::Expired);
            }
            if row.denied_at.is_some() {
                return Ok(Polled::Denied);
            }
            let soon = row.asked_at.is_some_and(|asked| now.0 - asked < row.pause * SECOND);
            let update = "update device_codes set asked_at = ?, pause = pause + ? where hash = ?";
            conn.execute(Sql::new(update).bind(now).bind(if soon { SLOWER } else { 0 }).bind(hash))?;
            if soon {
                return Ok(Polled::TooSoon);
            }
            let Some(id) = row.consent else { return Ok(Polled::Pending) };
            conn.execute(Sql::new("update device_codes set used_at = ? where hash = ?").bind(now).bind(hash))?;
            let consent = consent(conn, &id)?;
            if !consent.stands(now) {
                return Ok(Polled::Done(Redeemed::Refused));
            }
            issue(conn, &consent, None, fresh, now).map(Polled::Done)
        })
    }

    /// What a code leads to that a person has typed. One that leads nowhere counts as a guess.
    ///
    /// # Errors
    /// Only the database's.
    pub fn find_device(&self, person: &PersonId, user_code: &str) -> Result<DeviceFound> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let hour = now.0 / HOUR;
            // `sum` is wider than a number on PostgreSQL.
            let guesses =
                "select cast(coalesce(sum(wrong), 0) as bigint) as value from code_guesses where person = ? and hour >= ?";
            let guesses = conn.one::<Number>(Sql::new(guesses).bind(person.as_str()).bind(hour - 1))?.value;
            if guesses >= GUESSES {
                return Ok(DeviceFound::TooManyGuesses);
            }
            if let Some(row) = waiting(conn, user_code, now)? {
                let corrupt = || StoreError::Corrupt("a device code");
                let client = ClientId::parse(&row.client).ok_or_else(corrupt)?;
                return Ok(DeviceFound::Waiting { client, scopes: Scopes::parse(&row.scopes).map_err(|_| corrupt())? });
            }
            let insert = "insert into code_guesses (person, hour, wrong) values (?, ?, 1)
                on conflict (person, hour) do update set wrong = code_guesses.wrong + 1";
            conn.execute(Sql::new(insert).bind(person.as_str()).bind(hour))?;
            Ok(DeviceFound::Nothing)
        })
    }

    /// A person allows what waits under a code. False where nothing waits any more, or the person, the program or the person's place is
    /// gone.
    ///
    /// # Errors
    /// Only the database's.
    pub fn allow_device(&self, user_code: &str, new: &NewConsent) -> Result<bool> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let Some(row) = waiting(conn, user_code, now)? else { return Ok(false) };
            if row.client != new.client.as_str() || keep(conn, new, now)?.is_none() {
                return Ok(false);
            }
            let update = "update device_codes set consent = ? where hash = ?";
            conn.execute(Sql::new(update).bind(&new.id).bind(row.hash)).map(|_| true)
        })
    }

    /// A person denies what waits under a code. False where nothing does any more.
    ///
    /// # Errors
    /// Only the database's.
    pub fn deny_device(&self, user_code: &str) -> Result<bool> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let Some(row) = waiting(conn, user_code, now)? else { return Ok(false) };
            let update = "update device_codes set denied_at = ? where hash = ?";
            conn.execute(Sql::new(update).bind(now).bind(row.hash)).map(|_| true)
        })
    }
}

/// What nobody has decided about yet, locked.
fn waiting(conn: &mut Conn, user_code: &str, now: Moment) -> Result<Option<WaitingRow>> {
    let lock = dialect::for_update(conn.kind());
    let select = format!(
        "select hash, client, scopes from device_codes
        where user_code = ? and expires_at > ? and denied_at is null and consent is null{lock}"
    );
    conn.first::<WaitingRow>(Sql::new(&select).bind(user_code).bind(now))
}
