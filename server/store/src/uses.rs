//! When tokens and programs were last used: to the hour, and written a minute late.
//!
//! Whoever reads only leaves a note in memory. A job writes the notes down, all in one transaction. What a crash loses is a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hayward_domain::moment::Moment;

use crate::Store;
use crate::error::{Result, StoreError};
use crate::sql::Sql;

/// The most tokens that are noted between two writings; further ones are not, that time.
const MOST: usize = 10_000;
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// Notes of uses, by the hash of the token.
#[derive(Default)]
pub(crate) struct Uses(Mutex<HashMap<String, Moment>>);

impl Uses {
    /// Notes that the token was used.
    pub(crate) fn note(&self, hash: &str, now: Moment) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = notes.get_mut(hash) {
            *at = now;
        } else if notes.len() < MOST {
            notes.insert(hash.to_owned(), now);
        }
    }

    fn take(&self) -> HashMap<String, Moment> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Writes down which tokens and programs were used since the last time. Returns how many tokens that were.
    ///
    /// # Errors
    /// Only the database's; the notes are lost then.
    pub fn write_uses(&self) -> Result<usize> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(0);
        }
        let mut uses: Vec<(String, i64)> = uses.into_iter().map(|(hash, at)| (hash, at.0 - at.0.rem_euclid(HOUR))).collect();
        // Servers that write at once take the rows in one order.
        uses.sort_unstable();
        self.db.write(|conn| {
            for (hash, at) in &uses {
                let token = "update tokens set used_at = ? where hash = ? and coalesce(used_at, 0) < ?";
                conn.execute(Sql::new(token).bind(*at).bind(hash).bind(*at))?;
            }
            let client = "update clients set used_at = (select max(t.used_at) from tokens t where t.client = clients.id)
                where exists (select 1 from tokens t where t.client = clients.id and t.used_at > coalesce(clients.used_at, 0))";
            conn.execute(Sql::new(client))?;
            Ok::<_, StoreError>(uses.len())
        })
    }
}
