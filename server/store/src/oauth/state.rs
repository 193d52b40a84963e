//! What a token is good for (RFC 7662), and giving it back (RFC 7009).

use hayward_domain::id::{ClientId, OrganizationId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::scope::Scopes;

use super::{ConsentRow, consent, end, held};
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, Word, rows};
use crate::tokens;

/// A token that works, as its own program may know it.
pub struct Shown {
    /// Whether it is a refresh token.
    pub refresh: bool,
    /// The organization that it acts for.
    pub organization: OrganizationId,
    /// The person whose word it has, if it is one's.
    pub person: Option<PersonId>,
    /// What it opens now: what was given, less what the person may no longer do.
    pub scopes: Scopes,
    /// Since when.
    pub issued_at: Moment,
    /// Until when.
    pub expires_at: Moment,
}

rows! {
    TimesRow { issued_at: i64, expires_at: i64 }
    HolderRow { client: Option<String> }
    RefreshRow { consent: String, organization: String, issued_at: i64, expires_at: i64 }
}

impl Store {
    /// A token or refresh token of this program's, if it works.
    ///
    /// # Errors
    /// Only the database's.
    pub fn introspect(&self, client: &ClientId, hash: &str) -> Result<Option<Shown>> {
        let now = (self.clock)();
        self.db.read(Eyes::Own, |conn| match tokens::caller(conn, hash, now) {
            Ok(caller) if caller.client.as_ref() == Some(client) => {
                let times = Sql::new("select issued_at, expires_at from tokens where hash = ?").bind(hash);
                let times = conn.one::<TimesRow>(times)?;
                Ok(Some(Shown {
                    refresh: false,
                    organization: caller.organization_id,
                    person: caller.person,
                    scopes: caller.scopes,
                    issued_at: Moment(times.issued_at),
                    expires_at: Moment(times.expires_at),
                }))
            }
            Ok(_) => Ok(None),
            Err(StoreError::NotFound) => refresh_token(conn, client, hash, now),
            Err(error) => Err(error),
        })
    }

    /// Gives back a token of this program's, or with a refresh token the whole consent. False where it is somebody else's; one that
    /// does not exist, or no longer, is given back already.
    ///
    /// # Errors
    /// Only the database's.
    pub fn give_back(&self, client: &ClientId, hash: &str) -> Result<bool> {
        let now = (self.clock)();
        let of = Sql::new("select client from tokens where hash = ?").bind(hash);
        if let Some(holder) = self.db.read(Eyes::Own, |conn| conn.first::<HolderRow>(of))? {
            return if holder.client.as_deref() == Some(client.as_str()) {
                self.revoke_token(hash).map(|()| true)
            } else {
                Ok(false)
            };
        }
        self.db.write(|conn| {
            let of = Sql::new("select consent as value from refresh_tokens where hash = ?").bind(hash);
            let Some(of) = conn.first::<Word>(of)? else { return Ok(true) };
            let consent = consent(conn, &of.value)?;
            if consent.client != client.as_str() {
                return Ok(false);
            }
            end(conn, &consent.id, now).map(|()| true)
        })
    }
}

fn refresh_token(conn: &mut Conn, client: &ClientId, hash: &str, now: Moment) -> Result<Option<Shown>> {
    let select = "select r.consent, o.id as organization, r.issued_at, r.expires_at from refresh_tokens r
        join consents g on g.id = r.consent join organizations o on o.number = g.organization
        join clients c on c.id = g.client
        where r.hash = ? and r.used_at is null and r.expires_at > ? and g.client = ? and c.revoked_at is null";
    let select = Sql::new(select).bind(hash).bind(now).bind(client.as_str());
    let Some(row) = conn.first::<RefreshRow>(select)? else { return Ok(None) };
    let select = "select id, client, person, organization, scopes, expires_at, ended_at from consents where id = ?";
    let consent = conn.one::<ConsentRow>(Sql::new(select).bind(&row.consent))?;
    if !consent.stands(now) {
        return Ok(None);
    }
    let Some(scopes) = held(conn, &consent.person, consent.organization, &consent.scopes()?)? else { return Ok(None) };
    let corrupt = || StoreError::Corrupt("a consent");
    Ok(Some(Shown {
        refresh: true,
        organization: OrganizationId::parse(&row.organization).ok_or_else(corrupt)?,
        person: Some(PersonId::parse(&consent.person).ok_or_else(corrupt)?),
        scopes,
        issued_at: Moment(row.issued_at),
        expires_at: Moment(row.expires_at),
    }))
}
