//! Authorization codes (RFC 6749, section 4.1; RFC 7636).

use hayward_domain::id::ClientId;
use hayward_domain::moment::Moment;

use super::{Issue, NewConsent, Redeemed, consent, end, issue, keep};
use crate::error::Result;
use crate::sql::{Sql, rows};
use crate::{Store, dialect};

/// A code to be.
pub struct NewCode {
    /// The hash it is kept under.
    pub hash: String,
    /// Where the browser is sent with it.
    pub redirect_uri: String,
    /// The program's challenge, made with S256.
    pub challenge: String,
    /// When it stops working.
    pub expires_at: Moment,
}

/// A code, as a program shows it.
pub struct CodeShown {
    /// Its hash.
    pub hash: String,
    /// Where the program says that it got it.
    pub redirect_uri: String,
    /// The challenge that the program's verifier makes.
    pub challenge: String,
}

rows! {
    CodeRow { consent: String, redirect_uri: String, challenge: String, expires_at: i64, used_at: Option<i64> }
}

impl Store {
    /// Keeps a person's word and a code for it. False where the person, the program or the person's place is gone.
    ///
    /// # Errors
    /// Only the database's.
    pub fn allow_with_code(&self, new: &NewConsent, code: &NewCode) -> Result<bool> {
        let now = (self.clock)();
        self.db.write(|conn| {
            if keep(conn, new, now)?.is_none() {
                return Ok(false);
            }
            let insert = "insert into authorization_codes (hash, consent, redirect_uri, challenge, expires_at)
                values (?, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(&code.hash).bind(&new.id).bind(&code.redirect_uri).bind(&code.challenge);
            conn.execute(insert.bind(code.expires_at)).map(|_| true)
        })
    }

    /// Takes a code, once. A program's try that does not fit uses it up; another program's changes nothing.
    ///
    /// # Errors
    /// Only the database's.
    pub fn redeem_code(&self, client: &ClientId, shown: &CodeShown, fresh: &Issue) -> Result<Redeemed> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let lock = dialect::for_update(conn.kind());
            let select = format!(
                "select consent, redirect_uri, challenge, expires_at, used_at from authorization_codes where hash = ?{lock}"
            );
            let Some(code) = conn.first::<CodeRow>(Sql::new(&select).bind(&shown.hash))? else { return Ok(Redeemed::Refused) };
            let consent = consent(conn, &code.consent)?;
            if consent.client != client.as_str() {
                return Ok(Redeemed::Refused);
            }
            let first = code.used_at.is_none();
            let used = Sql::new("update authorization_codes set used_at = ? where hash = ? and used_at is null");
            conn.execute(used.bind(now).bind(&shown.hash))?;
            let fits = code.redirect_uri == shown.redirect_uri && code.challenge == shown.challenge;
            if !first || !fits || code.expires_at <= now.0 || !consent.stands(now) {
                end(conn, &consent.id, now)?;
                return Ok(Redeemed::Ended);
            }
            issue(conn, &consent, None, fresh, now)
        })
    }
}
