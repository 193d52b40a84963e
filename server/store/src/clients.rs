//! Programs registered with OAuth. Each belongs to one organization.

use hayward_domain::id::ClientId;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;

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
    /// The most it may ask for.
    pub scopes: Scopes,
}

rows! {
    ClientRow { id: String, organization: i64, secret_hash: String, scopes: String }
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
        let select = "select id, organization, secret_hash, scopes from clients where id = ? and revoked_at is null";
        let Some(row) = self.db.read(Eyes::Own, |conn| conn.first::<ClientRow>(Sql::new(select).bind(id)))? else {
            return Ok(None);
        };
        let corrupt = || StoreError::Corrupt("a client");
        Ok(Some(Client {
            id: ClientId::parse(&row.id).ok_or_else(corrupt)?,
            organization: OrganizationNumber(row.organization),
            secret_hash: row.secret_hash,
            scopes: Scopes::parse(&row.scopes).map_err(|_| corrupt())?,
        }))
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
