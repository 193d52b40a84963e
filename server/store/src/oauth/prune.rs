//! What opens nothing any more is dropped, a day later.

use std::time::Duration;

use crate::Store;
use crate::error::Result;
use crate::sql::Sql;

/// How long it is kept nevertheless: a code that is shown twice must find the first time.
const DAY: Duration = Duration::from_secs(86_400);

/// What may go, the referring tables first. Each binds a time that has passed for a day.
const DROPS: [&str; 5] = [
    "delete from authorization_codes where expires_at < ?",
    "delete from device_codes where expires_at < ?",
    "delete from refresh_tokens where expires_at < ?",
    "delete from tokens where expires_at < ?",
    "delete from consents where (ended_at is not null or expires_at < ?)
        and not exists (select 1 from tokens t where t.consent = consents.id)
        and not exists (select 1 from refresh_tokens r where r.consent = consents.id)
        and not exists (select 1 from authorization_codes a where a.consent = consents.id)
        and not exists (select 1 from device_codes d where d.consent = consents.id)",
];

impl Store {
    /// Drops codes, tokens and consents whose time was up a day ago. Returns how many rows went.
    ///
    /// # Errors
    /// Only the database's.
    pub fn prune_consents(&self) -> Result<usize> {
        let before = (self.clock)().minus(DAY);
        let mut gone = 0;
        for drop in DROPS {
            gone += self.db.write(|conn| conn.execute(Sql::new(drop).bind(before)))?;
        }
        let guesses = Sql::new("delete from code_guesses where hour < ?").bind(before.0 / 3_600_000_000);
        Ok(gone + self.db.write(|conn| conn.execute(guesses))?)
    }
}
