//! Programs registered with OAuth. Each belongs to one organization.

use std::collections::{BTreeMap, BTreeSet};

use hayward_domain::id::ClientId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use serde::Serialize;

use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::people::plain_name;
use crate::sql::{Sql, Word, rows};
use crate::{Store, counter, oauth};

/// How the two kinds are called.
const PUBLIC: &str = "public";

fn kind(public: bool) -> &'static str {
    if public { PUBLIC } else { "confidential" }
}

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

/// What else is known of a program. Without it: one that keeps a secret, and that no browser is sent back to.
#[derive(Clone, Debug, Default)]
pub struct ClientForm {
    /// Whether it runs where it can keep no secret (RFC 6749, section 2.1).
    pub public: bool,
    /// Where a browser may be sent back to, as it was checked.
    pub redirect_uris: Vec<String>,
    /// Whom to ask about it.
    pub contact: Option<String>,
}

/// A program, as the authorization server needs it.
#[derive(Clone)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Whose it is.
    pub organization: OrganizationNumber,
    /// What that member co-op is called.
    pub owner: String,
    /// What people call it.
    pub name: String,
    /// What else is known of it.
    pub form: ClientForm,
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
    /// `confidential` or `public`.
    pub kind: String,
    /// Where a browser may be sent back to.
    pub redirect_uris: Vec<String>,
    /// Whom to ask about it.
    pub contact: Option<String>,
    /// When it last used a token, to the hour.
    pub last_used: Option<String>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Until when the secret before its present one works.
    pub former_secret_until: Option<String>,
    /// Requests a second that it may make, if not as many as every other.
    pub rate_limit: Option<i64>,
}

rows! {
    ClientRow {
        id: String, organization: i64, owner: String, name: String, kind: String, contact: Option<String>, secret_hash: String,
        former_hash: Option<String>, scopes: String,
    }
    ListedRow {
        id: String, organization: String, name: String, scopes: String, kind: String, contact: Option<String>,
        used_at: Option<i64>, revoked_at: Option<i64>, former_until: Option<i64>, rate_limit: Option<i64>,
    }
    UriRow { client: String, uri: String }
}

impl Store {
    /// Registers a program.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a scope that only people hold.
    pub fn add_client(&self, new: &NewClient) -> Result<()> {
        self.register_client(new, &ClientForm::default())
    }

    /// Registers a program, with all that is known of it. One that is public has an empty `secret_hash`, which no secret has.
    ///
    /// # Errors
    /// As [`Self::add_client`].
    pub fn register_client(&self, new: &NewClient, form: &ClientForm) -> Result<()> {
        if let Some(scope) = new.scopes.iter().find(|scope| !scope.for_clients()) {
            return Err(StoreError::refused("people-only", format!("a program cannot hold `{scope}`")));
        }
        let now = (self.clock)();
        plain_name(&new.name)?;
        let insert = "insert into clients (id, organization, name, secret_hash, scopes, created_at, kind, contact)
            values (?, ?, ?, ?, ?, ?, ?, ?)";
        let secret_hash = if form.public { "" } else { &new.secret_hash };
        let insert = Sql::new(insert).bind(new.id.as_str()).bind(new.organization.0).bind(&new.name).bind(secret_hash);
        let insert = insert.bind(new.scopes.to_string()).bind(now).bind(kind(form.public)).bind(form.contact.clone());
        let uris: BTreeSet<&String> = form.redirect_uris.iter().collect();
        self.db.write(|conn| {
            conn.execute(insert)?;
            for uri in uris {
                let insert = Sql::new("insert into redirect_uris (client, uri) values (?, ?)");
                conn.execute(insert.bind(new.id.as_str()).bind(uri))?;
            }
            Ok(())
        })
    }

    /// The program with this id, unless it was revoked.
    ///
    /// # Errors
    /// Only the database's.
    pub fn client(&self, id: &str) -> Result<Option<Client>> {
        let now = (self.clock)();
        let select = "select c.id, c.organization, o.name as owner, c.name, c.kind, c.contact, c.secret_hash,
            case when c.former_until > ? then c.former_hash end as former_hash, c.scopes
            from clients c join organizations o on o.number = c.organization where c.id = ? and c.revoked_at is null";
        let select = Sql::new(select).bind(now).bind(id);
        let uris = Sql::new("select uri as value from redirect_uris where client = ? order by uri").bind(id);
        let found = self.db.read(Eyes::Own, |conn| {
            let Some(row) = conn.first::<ClientRow>(select)? else { return Ok::<_, StoreError>(None) };
            Ok(Some((row, conn.load::<Word>(uris)?)))
        })?;
        let Some((row, uris)) = found else { return Ok(None) };
        let corrupt = || StoreError::Corrupt("a client");
        Ok(Some(Client {
            id: ClientId::parse(&row.id).ok_or_else(corrupt)?,
            organization: OrganizationNumber(row.organization),
            owner: row.owner,
            name: row.name,
            form: ClientForm {
                public: row.kind == PUBLIC,
                redirect_uris: uris.into_iter().map(|uri| uri.value).collect(),
                contact: row.contact,
            },
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
        let select =
            "select c.id, o.slug as organization, c.name, c.scopes, c.kind, c.contact, c.used_at, c.revoked_at, c.rate_limit,
            case when c.former_until > ? then c.former_until end as former_until
            from clients c join organizations o on o.number = c.organization order by o.slug, c.name, c.id";
        let (rows, uris) = self.db.read(Eyes::Own, |conn| {
            let uris = conn.load::<UriRow>(Sql::new("select client, uri from redirect_uris order by client, uri"))?;
            Ok::<_, StoreError>((conn.load::<ListedRow>(Sql::new(select).bind(now))?, uris))
        })?;
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in uris {
            of.entry(row.client).or_default().push(row.uri);
        }
        let listed = rows.into_iter().map(|row| ListedClient {
            redirect_uris: of.remove(&row.id).unwrap_or_default(),
            kind: row.kind,
            contact: row.contact,
            last_used: row.used_at.map(|at| Moment(at).to_rfc3339()),
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

    /// A member co-op's own programs, by name, and among them those that were revoked.
    ///
    /// # Errors
    /// Only the database's.
    pub fn clients_of(&self, organization: OrganizationNumber) -> Result<Vec<ListedClient>> {
        let slug = Sql::new("select slug as value from organizations where number = ?").bind(organization.0);
        let slug = self.db.read(Eyes::Own, |conn| conn.one::<Word>(slug))?.value;
        Ok(self.clients()?.into_iter().filter(|client| client.organization == slug).collect())
    }

    /// Gives a program another secret. The one before works until `former_until`; one before that no longer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none, or no longer, or if it has none.
    pub fn rotate_secret(&self, id: &str, secret_hash: &str, former_until: Moment) -> Result<()> {
        let update = "update clients set former_hash = secret_hash, former_until = ?, secret_hash = ?
            where id = ? and revoked_at is null and kind = 'confidential'";
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
            oauth::end_of_client(conn, id, now)?;
            let update = "update tokens set revoked_at = ? where client = ? and revoked_at is null";
            conn.execute(Sql::new(update).bind(now).bind(id))?;
            counter::newest(conn)
        })?;
        self.write_down(commit, now, Closing::ClientRevoked { client: id.to_owned() })
    }
}
