//! Refresh tokens, each used once (RFC 9700, section 4.14.2).
//!
//! A program that lost the answer has lost the consent as well, and asks the person again. Giving the same answer twice would need
//! the tokens themselves, which are not kept, and a second pair would be one for whoever copied the first.

use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;

use super::{Issue, Redeemed, consent, end, issue};
use crate::error::Result;
use crate::sql::{Sql, Word, rows};
use crate::{Store, dialect};

rows! {
    RefreshRow { expires_at: i64, used_at: Option<i64> }
}

impl Store {
    /// Exchanges a refresh token for a token and another refresh token.
    ///
    /// # Errors
    /// Only the database's.
    pub fn refresh(&self, client: &ClientId, hash: &str, wanted: Option<&Scopes>, fresh: &Issue) -> Result<Redeemed> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let of = Sql::new("select consent as value from refresh_tokens where hash = ?").bind(hash);
            let Some(of) = conn.first::<Word>(of)? else { return Ok(Redeemed::Refused) };
            // First the consent: whoever ends it and whoever comes with the same token wait for one another here.
            let consent = consent(conn, &of.value)?;
            if consent.client != client.as_str() {
                return Ok(Redeemed::Refused);
            }
            let lock = dialect::for_update(conn.kind());
            let select = format!("select expires_at, used_at from refresh_tokens where hash = ?{lock}");
            let row = conn.one::<RefreshRow>(Sql::new(&select).bind(hash))?;
            if row.used_at.is_some() {
                end(conn, &consent.id, now)?;
                return Ok(Redeemed::Ended);
            }
            if row.expires_at <= now.0 || !consent.stands(now) {
                return Ok(Redeemed::Refused);
            }
            let allowed = consent.scopes()?;
            if wanted.is_some_and(|wanted| !wanted.within(&allowed)) {
                return Ok(Redeemed::TooMuch);
            }
            conn.execute(Sql::new("update refresh_tokens set used_at = ? where hash = ?").bind(now).bind(hash))?;
            issue(conn, &consent, wanted, fresh, now)
        })
    }
}
