//! The people of one member co-op, as its owners see and change them.
//!
//! * Only what concerns the own co-op: whether somebody has roles elsewhere is not told, and not touched.
//! * A co-op that has an owner keeps one: whatever takes roles away holds the co-op's row and counts again before it ends.
//! * Who lost the last role has nothing open there any more: tokens and sessions are looked up with the roles that are held.

use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use serde::Serialize;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::invites::{self, NewInvite};
use crate::people::{add_position, address};
use crate::sql::{Number, Sql, Word, rows};
use crate::{Store, dialect};

/// Somebody with a role in the own co-op.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Colleague {
    /// Their id.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// What they are in this co-op.
    pub roles: Vec<&'static str>,
    /// Whether the operator has shut them out.
    pub disabled: bool,
}

/// An invitation that could still be accepted.
#[derive(Clone, Debug, Serialize)]
pub struct OpenInvite {
    /// Its id.
    pub id: String,
    /// Who is meant.
    pub email: String,
    /// What they will be.
    pub roles: Vec<String>,
    /// When it stops working.
    pub expires_at: String,
}

rows! {
    ColleagueRow { id: String, name: String, email: String, role: String, disabled_at: Option<i64> }
    OpenRow { id: String, email: String, roles: String, expires_at: i64 }
}

impl Store {
    /// Everybody with a role in a co-op, by address.
    ///
    /// # Errors
    /// Only the database's.
    pub fn colleagues(&self, organization: OrganizationNumber) -> Result<Vec<Colleague>> {
        let select = "select p.id, p.name, p.email, s.role, p.disabled_at from positions s join people p on p.id = s.person
            where s.organization = ? order by p.email, s.role";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ColleagueRow>(Sql::new(select).bind(organization.0)))?;
        let mut all: Vec<Colleague> = Vec::new();
        for row in rows {
            let role = Role::parse(&row.role).ok_or(StoreError::Corrupt("a role"))?.as_str();
            match all.last_mut().filter(|last| last.id == row.id) {
                Some(last) => last.roles.push(role),
                None => all.push(Colleague {
                    id: row.id,
                    name: row.name,
                    email: row.email,
                    roles: vec![role],
                    disabled: row.disabled_at.is_some(),
                }),
            }
        }
        Ok(all)
    }

    /// Gives somebody of a co-op these roles there and no others; none shuts them out of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for somebody who has no role there, and [`StoreError::Refused`] with `last-owner` where no owner who can
    /// sign in would be left.
    pub fn set_roles(&self, organization: OrganizationNumber, person: &PersonId, roles: &[Role]) -> Result<()> {
        self.db.write(|conn| {
            let lock = dialect::for_update(conn.kind());
            let held = format!("select id as value from organizations where number = ?{lock}");
            conn.one::<Word>(Sql::new(&held).bind(organization.0))?;
            let owners = owners(conn, organization)?;
            let delete = Sql::new("delete from positions where organization = ? and person = ?");
            if conn.execute(delete.bind(organization.0).bind(person.as_str()))? == 0 {
                return Err(StoreError::NotFound);
            }
            roles.iter().try_for_each(|role| add_position(conn, person, organization, *role))?;
            if owners > 0 && self::owners(conn, organization)? == 0 {
                return Err(StoreError::refused(
                    "last-owner",
                    "the co-op would have no owner left; make somebody else one first",
                ));
            }
            Ok(())
        })
    }

    /// Keeps an invitation that an owner made. Nobody learns from it whether somebody has this address already.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for what is no address.
    pub fn invite_colleague(&self, new: &NewInvite) -> Result<()> {
        let now = (self.clock)();
        let email = address(&new.email)?;
        self.db.write(|conn| invites::keep(conn, new, &email, now))
    }

    /// The invitations of a co-op that could still be accepted, the newest first.
    ///
    /// # Errors
    /// Only the database's.
    pub fn open_invites(&self, organization: OrganizationNumber) -> Result<Vec<OpenInvite>> {
        let now = (self.clock)();
        let select = "select id, email, roles, expires_at from invites where organization = ?
            and accepted_at is null and revoked_at is null and expires_at > ? order by made_at desc, id";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<OpenRow>(Sql::new(select).bind(organization.0).bind(now)))?;
        let open = |row: OpenRow| OpenInvite {
            id: row.id,
            email: row.email,
            roles: row.roles.split_whitespace().map(str::to_owned).collect(),
            expires_at: Moment(row.expires_at).to_rfc3339(),
        };
        Ok(rows.into_iter().map(open).collect())
    }

    /// Takes an invitation of the own co-op back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none that could still be accepted.
    pub fn revoke_own_invite(&self, organization: OrganizationNumber, id: &str) -> Result<()> {
        let now = (self.clock)();
        let update = "update invites set revoked_at = ?
            where id = ? and organization = ? and accepted_at is null and revoked_at is null and expires_at > ?";
        let update = Sql::new(update).bind(now).bind(id).bind(organization.0).bind(now);
        self.db.write(|conn| if conn.execute(update)? == 0 { Err(StoreError::NotFound) } else { Ok(()) })
    }
}

/// How many owners a co-op has who can sign in.
fn owners(conn: &mut Conn, organization: OrganizationNumber) -> Result<i64> {
    let count = "select count(*) as value from positions s join people p on p.id = s.person
        where s.organization = ? and s.role = 'owner' and p.disabled_at is null";
    Ok(conn.one::<Number>(Sql::new(count).bind(organization.0))?.value)
}
