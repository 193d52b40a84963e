//! Bearer tokens: opaque, kept only as hashes, looked up in the very snapshot that is read.

use hayward_domain::id::{ClientId, OrganizationId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::mutants;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::{Role, Scope, Scopes};

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::sql::{Sql, Word, rows};
use crate::{Store, counter, leaving};

/// Who asks: an organization, and the person or program that acts for it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization's row number.
    pub organization: OrganizationNumber,
    /// The organization's id.
    pub organization_id: OrganizationId,
    /// The person, if it is one.
    pub person: Option<PersonId>,
    /// The program, if it is one. Beside a person it acts by the person's consent.
    pub client: Option<ClientId>,
    /// What the token may do.
    pub scopes: Scopes,
}

impl Caller {
    /// The id of the person or the program.
    #[must_use]
    pub fn name(&self) -> &str {
        match (&self.person, &self.client) {
            (Some(person), _) => person.as_str(),
            (None, Some(client)) => client.as_str(),
            (None, None) => self.organization_id.as_str(),
        }
    }
}

/// A token to be.
pub struct NewToken {
    /// The hash it is kept under.
    pub hash: String,
    /// Whom it acts for.
    pub organization: OrganizationNumber,
    /// The person who signed in …
    pub person: Option<PersonId>,
    /// … or the program.
    pub client: Option<ClientId>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops working.
    pub expires_at: Moment,
}

rows! {
    HolderRow { name: String, rate_limit: Option<i64> }
    TokenRow { organization: i64, organization_id: String, person: Option<String>, client: Option<String>, scopes: String, left_at: Option<i64> }
}

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// Only the database's.
    pub fn add_token(&self, new: &NewToken) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| add_token(conn, new, now))
    }

    /// Who holds the token with this hash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that does not exist, has expired or was revoked.
    pub fn caller(&self, hash: &str) -> Result<Caller> {
        let now = (self.clock)();
        let caller = self.db.read(Eyes::Own, |conn| caller(conn, hash, now))?;
        self.uses.note(hash, now);
        Ok(caller)
    }

    /// Whose the token with this hash is, by [`Caller::name`], and how many requests a second they may make, if they have a limit of
    /// their own. For counting: whether the token opens anything, [`Self::caller`] tells.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that does not exist, has expired or was revoked.
    pub fn holder(&self, hash: &str) -> Result<(String, Option<u32>)> {
        let select = "select coalesce(t.person, t.client, o.id) as name, c.rate_limit
            from tokens t join organizations o on o.number = t.organization left join clients c on c.id = t.client
            where t.hash = ? and t.revoked_at is null and t.expires_at > ? and c.revoked_at is null";
        let select = Sql::new(select).bind(hash).bind((self.clock)());
        let row = self.db.read(Eyes::Own, |conn| conn.one::<HolderRow>(select))?;
        Ok((row.name, row.rate_limit.and_then(|limit| u32::try_from(limit).ok())))
    }

    /// Revokes a token. Revoking one that does not exist is no error (RFC 7009, section 2.2).
    ///
    /// # Errors
    /// Only the database's.
    pub fn revoke_token(&self, hash: &str) -> Result<()> {
        let now = (self.clock)();
        let update = Sql::new("update tokens set revoked_at = ? where hash = ? and revoked_at is null").bind(now).bind(hash);
        let revoked = self.db.write(|conn| {
            let revoked = conn.execute(update)?;
            Ok::<_, StoreError>((revoked > 0).then_some(counter::newest(conn)?))
        })?;
        match revoked {
            Some(commit) => self.write_down(commit, now, Closing::TokenRevoked { hash: hash.to_owned() }),
            None => Ok(()),
        }
    }
}

pub(crate) fn add_token(conn: &mut Conn, new: &NewToken, now: Moment) -> Result<()> {
    let person = new.person.as_ref().map(|id| id.as_str().to_owned());
    let client = new.client.as_ref().map(|id| id.as_str().to_owned());
    // The same token again (a demo world made twice from one seed) is the same token, with a longer life.
    let insert = "insert into tokens (hash, organization, person, client, scopes, issued_at, expires_at)
        values (?, ?, ?, ?, ?, ?, ?) on conflict (hash) do update set expires_at = excluded.expires_at";
    let insert = Sql::new(insert).bind(&new.hash).bind(new.organization.0).bind(person).bind(client);
    let insert = insert.bind(new.scopes.to_string()).bind(now).bind(new.expires_at);
    let long_ago = now.minus(std::time::Duration::from_secs(86_400));
    conn.execute(Sql::new("delete from tokens where expires_at < ?").bind(long_ago))?;
    conn.execute(insert).map(drop)
}

pub(crate) fn caller(conn: &mut Conn, hash: &str, now: Moment) -> Result<Caller> {
    let now = if mutants::on("token-outlives-its-time") { Moment(0) } else { now };
    let select = "select t.organization, o.id as organization_id, t.person, t.client, t.scopes, o.left_at
        from tokens t join organizations o on o.number = t.organization left join clients c on c.id = t.client
        left join consents g on g.id = t.consent
        where t.hash = ? and t.revoked_at is null and t.expires_at > ? and c.revoked_at is null and g.ended_at is null";
    let row = conn.one::<TokenRow>(Sql::new(select).bind(hash).bind(now))?;
    let corrupt = || StoreError::Corrupt("a token");
    let mut scopes = Scopes::parse(&row.scopes).map_err(|_| corrupt())?;
    if let Some(person) = &row.person {
        scopes = still_held(conn, person, row.organization, &scopes)?;
    }
    if row.left_at.is_some() {
        scopes = leaving::still_open(&scopes);
    }
    Ok(Caller {
        organization: OrganizationNumber(row.organization),
        organization_id: OrganizationId::parse(&row.organization_id).ok_or_else(corrupt)?,
        person: row.person.map(|id| PersonId::parse(&id).ok_or_else(corrupt)).transpose()?,
        client: row.client.map(|id| ClientId::parse(&id).ok_or_else(corrupt)).transpose()?,
        scopes,
    })
}

/// What of a person's token their roles still allow. Who lost the last role in the organization has no token that works.
pub(crate) fn still_held(conn: &mut Conn, person: &str, organization: i64, scopes: &Scopes) -> Result<Scopes> {
    let select = "select role as value from positions where person = ? and organization = ?";
    let roles = conn.load::<Word>(Sql::new(select).bind(person).bind(organization))?;
    if roles.is_empty() {
        return Err(StoreError::NotFound);
    }
    let roles: Vec<Role> = roles.iter().filter_map(|role| Role::parse(&role.value)).collect();
    let held = |scope: &&Scope| match scope {
        Scope::Read(collection) => roles.iter().any(|role| role.scopes(std::slice::from_ref(collection)).has(scope)),
        _ => roles.iter().any(|role| role.scopes(&[]).has(scope)),
    };
    Ok(scopes.iter().filter(held).cloned().collect())
}
