//! Programs registered with OAuth. Each belongs to one organization.

use hayward_domain::id::ClientId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use serde::Serialize;

use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::sql::{Sql, rows};
use crate::{Store, counter};

/// A program to be.
pub struct NewClient {
    /// Its id.
    pub id: ClientId,
    /// Whose it is.
    pub organization: OrganizationNumber,
    /// What people call it.
    pub name: String,
    /// A hash of its secret.
    pub secret_hash: String,
    /// The most it may ask for.
    pub scopes: Scopes,
}

/// A program, as the token endpoint needs it.
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Whose it is.
    pub organization: OrganizationNumber,
    /// A hash of its secret.
    pub secret_hash: String,
    /// A hash of the secret before, while that still works.
    pub former_hash: Option<String>,
    /// The most it may ask for.
    pub scopes: Scopes,
}

/// A program, as the operator sees it.
#[derive(Serialize)]
pub struct ListedClient {
    /// Its id.
    pub id: String,
    /// The slug of its organization.
    pub organization: String,
    /// What people call it.
    pub name: String,
    /// The most it may ask for.
    pub scope: String,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Until when the secret before its present one works.
    pub former_secret_until: Option<String>,
    /// Requests a second that it may make, if not as many as every other.
    pub rate_limit: Option<i64>,
}

rows! {
    ClientRow { id: String, organization: i64, secret_hash: String, former_hash: Option<String>, scopes: String }
    ListedRow {
        id: String, organization: String, name: String, scopes: String, revoked_at: Option<i64>, former_until: Option<i64>,
        rate_limit: Option<i64>,
    }
}

impl Store {
    /// Registers a program.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a scope that only people hold.
    pub fn add_client(&self, new: &NewClient) -> Result<()> {
        if let Some(scope) = new.scopes.iter().find(|scope| !scope.for_clients()) {
            return Err(StoreError::refused("people-only", format!("a program cannot hold `{scope}`")));
        }
        let now = (self.clock)();
        let insert = "insert into clients (id, organization, name, secret_hash, scopes, created_at) values (?, ?, ?, ?, ?, ?)";
        let insert = Sql::new(insert).bind(new.id.as_str()).bind(new.organization.0).bind(&new.name).bind(&new.secret_hash);
        let insert = insert.bind(new.scopes.to_string()).bind(now);
        self.db.write(|conn| conn.execute(insert).map(drop))
    }

    /// The program with this id, unless it was revoked.
    ///
    /// # Errors
    /// Only the database's.
    pub fn client(&self, id: &str) -> Result<Option<Client>> {
        let now = (self.clock)();
        let select =
            "select id, organization, secret_hash, case when former_until > ? then former_hash end as former_hash, scopes
            from clients where id = ? and revoked_at is null";
        let select = Sql::new(select).bind(now).bind(id);
        let Some(row) = self.db.read(Eyes::Own, |conn| conn.first::<ClientRow>(select))? else {
            return Ok(None);
        };
        let corrupt = || StoreError::Corrupt("a client");
        Ok(Some(Client {
            id: ClientId::parse(&row.id).ok_or_else(corrupt)?,
            organization: OrganizationNumber(row.organization),
            secret_hash: row.secret_hash,
            former_hash: row.former_hash,
            scopes: Scopes::parse(&row.scopes).map_err(|_| corrupt())?,
        }))
    }

    /// Every program, by organization and name.
    ///
    /// # Errors
    /// Only the database's.
    pub fn clients(&self) -> Result<Vec<ListedClient>> {
        let now = (self.clock)();
        let select = "select c.id, o.slug as organization, c.name, c.scopes, c.revoked_at, c.rate_limit,
            case when c.former_until > ? then c.former_until end as former_until
            from clients c join organizations o on o.number = c.organization order by o.slug, c.name, c.id";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ListedRow>(Sql::new(select).bind(now)))?;
        let listed = rows.into_iter().map(|row| ListedClient {
            id: row.id,
            organization: row.organization,
            name: row.name,
            scope: row.scopes,
            revoked: row.revoked_at.is_some(),
            former_secret_until: row.former_until.map(|until| Moment(until).to_rfc3339()),
            rate_limit: row.rate_limit,
        });
        Ok(listed.collect())
    }

    /// Gives a program another secret. The one before works until `former_until`; one before that no longer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none, or no longer.
    pub fn rotate_secret(&self, id: &str, secret_hash: &str, former_until: Moment) -> Result<()> {
        let update = "update clients set former_hash = secret_hash, former_until = ?, secret_hash = ?
            where id = ? and revoked_at is null";
        let update = Sql::new(update).bind(former_until).bind(secret_hash).bind(id);
        self.db.write(|conn| if conn.execute(update)? == 0 { Err(StoreError::NotFound) } else { Ok(()) })
    }

    /// Lets a program make so many requests a second, or as many as every other.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none, or no longer.
    pub fn limit_client(&self, id: &str, limit: Option<u32>) -> Result<()> {
        let update = "update clients set rate_limit = ? where id = ? and revoked_at is null";
        let update = Sql::new(update).bind(limit.map(i64::from)).bind(id);
        self.db.write(|conn| if conn.execute(update)? == 0 { Err(StoreError::NotFound) } else { Ok(()) })
    }

    /// Revokes a program and every token it holds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none, or no longer.
    pub fn revoke_client(&self, id: &str) -> Result<()> {
        let now = (self.clock)();
        let commit = self.db.write(|conn| {
            let update = "update clients set revoked_at = ? where id = ? and revoked_at is null";
            if conn.execute(Sql::new(update).bind(now).bind(id))? == 0 {
                return Err(StoreError::NotFound);
            }
            let update = "update tokens set revoked_at = ? where client = ? and revoked_at is null";
            conn.execute(Sql::new(update).bind(now).bind(id))?;
            counter::newest(conn)
        })?;
        self.write_down(commit, now, Closing::ClientRevoked { client: id.to_owned() })
    }
}
