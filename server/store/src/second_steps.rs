//! The second step of signing in: codes of an app (RFC 6238), and recovery codes for the day the app is lost.
//!
//! * The app's secret is wrapped by the commons' key, under an id of its own: setting up again never wraps twice under one name.
//! * It is asked for once a first code has confirmed it. A code works once: its time step is taken in one statement, and only later
//!   steps work after it (RFC 6238, section 5.2), on whatever server.
//! * Recovery codes are long and random, kept as hashes, and work once each.

use std::fmt;

use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::keys::Keyring;
use crate::sql::{Number, Sql, rows};

/// The secret that a person's app and we share.
pub struct SecondStep {
    /// Under which id it is kept.
    pub id: String,
    /// The secret, as it is.
    pub secret: Vec<u8>,
    /// Whether a first code has shown that the app has it.
    pub confirmed: bool,
}

// By hand: the secret does not belong in logs.
impl fmt::Debug for SecondStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondStep")
    }
}

rows! {
    StepRow { id: String, secret: String, confirmed_at: Option<i64> }
    WrappedRow { id: String, secret: String }
}

/// Under which name the secret is wrapped.
fn name(id: &str) -> String {
    format!("second step {id}")
}

impl Store {
    /// Keeps a secret that an app is about to be given; one that was never confirmed makes room for it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `second-step-on` where one is in use.
    pub fn begin_second_step(&self, person: &PersonId, id: &str, secret: &[u8; 20]) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            // What is wrapped by keys that are gone could never be opened.
            self.keys_stand(conn)?;
            let wrapped = self.keyring.wrap_named(&name(id), secret)?;
            let delete = "delete from second_steps where person = ? and confirmed_at is null";
            conn.execute(Sql::new(delete).bind(person.as_str()))?;
            let insert = "insert into second_steps (person, id, secret, made_at) values (?, ?, ?, ?)
                on conflict (person) do nothing";
            let insert = Sql::new(insert).bind(person.as_str()).bind(id).bind(wrapped).bind(now);
            match conn.execute(insert)? {
                0 => Err(StoreError::refused("second-step-on", "codes are asked for already; turn that off first")),
                _ => Ok(()),
            }
        })
    }

    /// A person's second step, if they have one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where other keys wrapped it.
    pub fn second_step(&self, person: &PersonId) -> Result<Option<SecondStep>> {
        let select = Sql::new("select id, secret, confirmed_at from second_steps where person = ?").bind(person.as_str());
        let Some(row) = self.db.read(Eyes::Own, |conn| conn.first::<StepRow>(select))? else { return Ok(None) };
        let secret = self.keyring.unwrap_named(&name(&row.id), &row.secret)?;
        Ok(Some(SecondStep { id: row.id, secret, confirmed: row.confirmed_at.is_some() }))
    }

    /// From now on codes are asked for. `step` is that of the code that confirmed it, `recovery` the hashes of the recovery codes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where this secret does not wait for its first code any more.
    pub fn confirm_second_step(&self, person: &PersonId, id: &str, step: i64, recovery: &[String]) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let update = "update second_steps set confirmed_at = ?, last_step = ?
                where person = ? and id = ? and confirmed_at is null";
            if conn.execute(Sql::new(update).bind(now).bind(step).bind(person.as_str()).bind(id))? == 0 {
                return Err(StoreError::NotFound);
            }
            conn.execute(Sql::new("delete from recovery_codes where person = ?").bind(person.as_str()))?;
            recovery.iter().try_for_each(|hash| {
                let insert = Sql::new("insert into recovery_codes (person, hash) values (?, ?)");
                conn.execute(insert.bind(person.as_str()).bind(hash)).map(drop)
            })
        })
    }

    /// Takes the code of a time step. False where it, or a later one, was taken before.
    ///
    /// # Errors
    /// Only the database's.
    pub fn take_step(&self, person: &PersonId, step: i64) -> Result<bool> {
        let update = "update second_steps set last_step = ? where person = ? and last_step < ? and confirmed_at is not null";
        let update = Sql::new(update).bind(step).bind(person.as_str()).bind(step);
        self.db.write(|conn| Ok(conn.execute(update)? > 0))
    }

    /// Takes a recovery code. False where there is no such code, or no longer.
    ///
    /// # Errors
    /// Only the database's.
    pub fn take_recovery_code(&self, person: &PersonId, hash: &str) -> Result<bool> {
        let now = (self.clock)();
        let update = "update recovery_codes set used_at = ? where person = ? and hash = ? and used_at is null";
        let update = Sql::new(update).bind(now).bind(person.as_str()).bind(hash);
        self.db.write(|conn| Ok(conn.execute(update)? > 0))
    }

    /// How many recovery codes a person has left.
    ///
    /// # Errors
    /// Only the database's.
    pub fn recovery_codes_left(&self, person: &PersonId) -> Result<i64> {
        let count = Sql::new("select count(*) as value from recovery_codes where person = ? and used_at is null");
        self.db.read(Eyes::Own, |conn| Ok(conn.one::<Number>(count.bind(person.as_str()))?.value))
    }

    /// Asks a person for codes no more. False where it did not.
    ///
    /// # Errors
    /// Only the database's.
    pub fn drop_second_step(&self, person: &PersonId) -> Result<bool> {
        self.db.write(|conn| {
            conn.execute(Sql::new("delete from recovery_codes where person = ?").bind(person.as_str()))?;
            Ok(conn.execute(Sql::new("delete from second_steps where person = ?").bind(person.as_str()))? > 0)
        })
    }
}

/// Wraps every secret anew, in the transaction that replaces the keys. Returns how many there were.
pub(crate) fn rewrap(conn: &mut Conn, former: &Keyring, fresh: &Keyring) -> Result<usize> {
    let rows = conn.load::<WrappedRow>(Sql::new("select id, secret from second_steps"))?;
    for row in &rows {
        let secret = former.unwrap_named(&name(&row.id), &row.secret)?;
        let wrapped = fresh.wrap_named(&name(&row.id), &secret)?;
        conn.execute(Sql::new("update second_steps set secret = ? where id = ?").bind(wrapped).bind(&row.id))?;
    }
    Ok(rows.len())
}

/// The second of a moment, as codes count.
#[must_use]
pub fn code_second(now: Moment) -> u64 {
    u64::try_from(now.0 / 1_000_000).unwrap_or_default()
}
