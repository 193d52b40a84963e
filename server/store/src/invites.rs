//! Invitations: somebody named by an e-mail address may become a person with these roles, once.
//!
//! Only a hash of the key is kept. Accepting marks the invitation used and adds the person in one transaction.

use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use serde::Serialize;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::people::{NewPerson, add_person, add_position, address, plain_name};
use crate::sql::{Sql, Word, rows};

/// An invitation to be.
pub struct NewInvite {
    /// Its id, which opens nothing.
    pub id: String,
    /// The hash of its key.
    pub hash: String,
    /// Who is meant.
    pub email: String,
    /// Where they will be …
    pub organization: OrganizationNumber,
    /// … and what.
    pub roles: Vec<Role>,
    /// When it stops working.
    pub expires_at: Moment,
}

/// What whoever holds the key is told.
pub struct Invited {
    /// Who is meant.
    pub email: String,
    /// What the member co-op is called.
    pub organization: String,
}

/// An invitation, as the operator sees it.
#[derive(Serialize)]
pub struct ListedInvite {
    /// Its id.
    pub id: String,
    /// Who is meant.
    pub email: String,
    /// The slug of the member co-op.
    pub organization: String,
    /// What they will be there.
    pub roles: Vec<String>,
    /// When it stops working.
    pub expires_at: String,
    /// `open`, `accepted`, `revoked` or `expired`.
    pub state: &'static str,
}

rows! {
    InvitedRow { email: String, organization: String }
    OpenRow { id: String, email: String, organization: i64, roles: String }
    InviteRow {
        id: String, email: String, slug: String, roles: String, expires_at: i64, accepted_at: Option<i64>, revoked_at: Option<i64>,
    }
}

impl Store {
    /// Keeps an invitation.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for somebody who is in already.
    pub fn invite(&self, new: &NewInvite) -> Result<()> {
        let now = (self.clock)();
        let email = address(&new.email)?;
        self.db.write(|conn| {
            if Self::is_known(conn, &email)? {
                return Err(StoreError::Exists("a person with this e-mail address"));
            }
            keep(conn, new, &email, now)
        })
    }

    /// What the holder of a key is invited to.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a key that opens nothing, or no longer.
    pub fn invited(&self, hash: &str) -> Result<Invited> {
        let now = (self.clock)();
        let select = "select i.email, o.name as organization from invites i join organizations o on o.number = i.organization
            where i.hash = ? and i.accepted_at is null and i.revoked_at is null and i.expires_at > ?";
        let row = self.db.read(Eyes::Own, |conn| conn.one::<InvitedRow>(Sql::new(select).bind(hash).bind(now)))?;
        Ok(Invited { email: row.email, organization: row.organization })
    }

    /// Makes the invited person. `new` says what they are called and their password; address and roles are the invitation's.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a key that opens nothing, or no longer; [`StoreError::Exists`] for somebody who is in already.
    pub fn accept_invite(&self, hash: &str, new: NewPerson) -> Result<()> {
        let now = (self.clock)();
        plain_name(&new.name)?;
        self.db.write(|conn| {
            let invite = open(conn, hash, now)?;
            let role = |word: &str| Role::parse(word).ok_or(StoreError::Corrupt("an invitation"));
            let organization = OrganizationNumber(invite.organization);
            let positions: Result<Vec<_>> = invite.roles.split_whitespace().map(|word| Ok((organization, role(word)?))).collect();
            let person = NewPerson { email: invite.email, positions: positions?, operator: false, ..new };
            add_person(conn, &person, now)?;
            let update = "update invites set accepted_at = ?, person = ? where id = ?";
            conn.execute(Sql::new(update).bind(now).bind(person.id.as_str()).bind(invite.id)).map(drop)
        })
    }

    /// Gives the roles of an invitation to somebody who is in already, under the very address that was invited.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a key that opens nothing, or no longer; [`StoreError::Refused`] with `other-address` where it is
    /// somebody else who is invited.
    pub fn join_by_invite(&self, hash: &str, person: &PersonId) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let invite = open(conn, hash, now)?;
            let email = "select email as value from people where id = ? and disabled_at is null";
            if conn.one::<Word>(Sql::new(email).bind(person.as_str()))?.value != invite.email {
                return Err(StoreError::refused("other-address", "this invitation is for another address than yours"));
            }
            for word in invite.roles.split_whitespace() {
                let role = Role::parse(word).ok_or(StoreError::Corrupt("an invitation"))?;
                add_position(conn, person, OrganizationNumber(invite.organization), role)?;
            }
            let update = "update invites set accepted_at = ?, person = ? where id = ?";
            conn.execute(Sql::new(update).bind(now).bind(person.as_str()).bind(invite.id)).map(drop)
        })
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none that could still be accepted.
    pub fn revoke_invite(&self, id: &str) -> Result<()> {
        let now = (self.clock)();
        let update = "update invites set revoked_at = ? where id = ? and accepted_at is null and revoked_at is null";
        let update = Sql::new(update).bind(now).bind(id);
        self.db.write(|conn| if conn.execute(update)? == 0 { Err(StoreError::NotFound) } else { Ok(()) })
    }

    /// Every invitation, the newest first.
    ///
    /// # Errors
    /// Only the database's.
    pub fn invites(&self) -> Result<Vec<ListedInvite>> {
        let now = (self.clock)();
        let select = "select i.id, i.email, o.slug, i.roles, i.expires_at, i.accepted_at, i.revoked_at
            from invites i join organizations o on o.number = i.organization order by i.made_at desc, i.id";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<InviteRow>(Sql::new(select)))?;
        let listed = rows.into_iter().map(|row| ListedInvite {
            state: match (row.accepted_at, row.revoked_at) {
                (Some(_), _) => "accepted",
                (None, Some(_)) => "revoked",
                (None, None) if row.expires_at <= now.0 => "expired",
                (None, None) => "open",
            },
            id: row.id,
            email: row.email,
            organization: row.slug,
            roles: row.roles.split_whitespace().map(str::to_owned).collect(),
            expires_at: Moment(row.expires_at).to_rfc3339(),
        });
        Ok(listed.collect())
    }
}

/// Writes an invitation down.
pub(crate) fn keep(conn: &mut Conn, new: &NewInvite, email: &str, now: Moment) -> Result<()> {
    let roles: Vec<&str> = new.roles.iter().map(|role| role.as_str()).collect();
    let insert = "insert into invites (id, hash, email, organization, roles, made_at, expires_at) values (?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(&new.id).bind(&new.hash).bind(email).bind(new.organization.0);
    conn.execute(insert.bind(roles.join(" ")).bind(now).bind(new.expires_at)).map(drop)
}

/// The invitation that a key opens, locked: it is accepted once.
fn open(conn: &mut Conn, hash: &str, now: Moment) -> Result<OpenRow> {
    let lock = dialect::for_update(conn.kind());
    let select = format!(
        "select id, email, organization, roles from invites
        where hash = ? and accepted_at is null and revoked_at is null and expires_at > ?{lock}"
    );
    conn.one::<OpenRow>(Sql::new(&select).bind(hash).bind(now))
}
