//! What an operator does about member co-ops and people who are there already: looking them up, shutting out, letting in again.
//!
//! Who is shut out or gets another password loses every token in the same transaction. A session is begun only while the password
//! that was checked still stands ([`Store::begin_page_session`], [`Store::begin_session`]), so none slips in between.

use std::collections::BTreeMap;

use hayward_domain::id::PersonId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use serde::Serialize;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::oauth;
use crate::people::{folded, plain_name};
use crate::sessions::end_all;
use crate::sql::{Number, Sql, Word, rows};

/// A person, as the operator sees them.
#[derive(Serialize)]
pub struct Listed {
    /// Their id.
    pub id: String,
    /// What they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Whether they run the server.
    pub operator: bool,
    /// Whether they are shut out.
    pub disabled: bool,
    /// Where they have which role: slug and role.
    pub positions: Vec<(String, String)>,
}

/// A member co-op's counts and rule, as the operator sees them.
#[derive(Serialize)]
pub struct Standing {
    /// How many of its stewards have to approve, by what is shown.
    pub approval_rules: BTreeMap<&'static str, &'static str>,
    /// People with a role in it.
    pub people: i64,
    /// Its programs that are not revoked.
    pub clients: i64,
    /// Its lists.
    pub datasets: i64,
    /// Agreements that it is a party to.
    pub agreements: i64,
}

rows! {
    ListedRow { id: String, email: String, name: String, operator: i64, disabled_at: Option<i64> }
    PlaceRow { person: String, slug: String, role: String }
    StandingRow { people: i64, clients: i64, datasets: i64, agreements: i64 }
}

impl Store {
    /// Everybody, by address.
    ///
    /// # Errors
    /// Only the database's.
    pub fn people(&self) -> Result<Vec<Listed>> {
        self.db.read(Eyes::Own, |conn| {
            let select = Sql::new("select id, email, name, operator, disabled_at from people order by email");
            let people = conn.load::<ListedRow>(select)?;
            let places = "select p.person, o.slug, p.role from positions p join organizations o on o.number = p.organization
                order by p.person, o.slug, p.role";
            let mut held: std::collections::HashMap<String, Vec<(String, String)>> = std::collections::HashMap::new();
            for place in conn.load::<PlaceRow>(Sql::new(places))? {
                held.entry(place.person).or_default().push((place.slug, place.role));
            }
            let listed = people.into_iter().map(|row| Listed {
                positions: held.remove(&row.id).unwrap_or_default(),
                id: row.id,
                email: row.email,
                name: row.name,
                operator: row.operator == 1,
                disabled: row.disabled_at.is_some(),
            });
            Ok(listed.collect())
        })
    }

    /// How a member co-op stands.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none with this number.
    pub fn standing(&self, organization: OrganizationNumber) -> Result<Standing> {
        let rules = self.approval_rules(organization)?;
        let select = "select
            (select count(distinct person) from positions p where p.organization = o.number) as people,
            (select count(*) from clients c where c.organization = o.number and c.revoked_at is null) as clients,
            (select count(*) from datasets d where d.organization = o.number) as datasets,
            (select count(*) from agreements a where a.provider = o.number or a.recipient = o.number) as agreements
            from organizations o where number = ?";
        let row = self.db.read(Eyes::Own, |conn| conn.one::<StandingRow>(Sql::new(select).bind(organization.0)))?;
        let StandingRow { people, clients, datasets, agreements } = row;
        Ok(Standing { approval_rules: rules.to_map(), people, clients, datasets, agreements })
    }

    /// Calls a member co-op something else. Its id and its short name stay: others hold on to them.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a name that cannot be.
    pub fn rename_organization(&self, organization: OrganizationNumber, name: &str) -> Result<()> {
        plain_name(name)?;
        let update = Sql::new("update organizations set name = ? where number = ?").bind(name).bind(organization.0);
        self.db.write(|conn| conn.execute(update).map(drop))
    }

    /// Takes a role away. Tokens that needed it stop working: they are looked up with the roles that are held.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if they do not have it.
    pub fn remove_role(&self, email: &str, organization: OrganizationNumber, role: Role) -> Result<()> {
        let delete = "delete from positions where organization = ? and role = ?
            and person = (select id from people where email = ?)";
        let delete = Sql::new(delete).bind(organization.0).bind(role.as_str()).bind(folded(email));
        let now = (self.clock)();
        self.db.write(|conn| {
            if conn.execute(delete)? == 0 {
                return Err(StoreError::NotFound);
            }
            oauth::end_without_role(conn, organization, now)
        })
    }

    /// Gives a person a role in the commons itself, or takes it away.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a role in an organization; [`StoreError::NotFound`] where they do not have what is to be taken.
    pub fn set_office(&self, person: &PersonId, role: Role, give: bool) -> Result<()> {
        let changed = |row: usize| if row == 0 && !give { Err(StoreError::NotFound) } else { Ok(()) };
        match role {
            Role::Operator => {
                let update = "update people set operator = ? where id = ? and operator <> ?";
                let update = Sql::new(update).bind(i64::from(give)).bind(person.as_str()).bind(i64::from(give));
                self.db.write(|conn| changed(conn.execute(update)?))
            }
            Role::Facilitator | Role::Auditor => {
                let text = if give {
                    "insert into offices (person, role) values (?, ?) on conflict (person, role) do nothing"
                } else {
                    "delete from offices where person = ? and role = ?"
                };
                let change = Sql::new(text).bind(person.as_str()).bind(role.as_str());
                self.db.write(|conn| changed(conn.execute(change)?))
            }
            Role::Owner | Role::Steward | Role::Editor | Role::Developer | Role::Viewer => {
                Err(StoreError::refused("not-an-office", "this role belongs to an organization, not to the commons"))
            }
        }
    }

    /// Gives a person another password, and takes every token of theirs away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nobody signs in with this address.
    pub fn reset_password(&self, email: &str, password_hash: &str) -> Result<()> {
        let update = Sql::new("update people set password_hash = ? where email = ?").bind(password_hash).bind(folded(email));
        self.change_person(email, update)
    }

    /// Shuts a person out, or lets them in again. Their tokens are gone either way.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nobody signs in with this address.
    pub fn disable(&self, email: &str, disabled: bool) -> Result<()> {
        let since = disabled.then(|| (self.clock)().0);
        let update = Sql::new("update people set disabled_at = ? where email = ?").bind(since).bind(folded(email));
        self.change_person(email, update)
    }

    /// Takes every token of a person away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nobody signs in with this address.
    pub fn sign_out(&self, email: &str) -> Result<()> {
        // The row is written so that a session under way comes before or after, never in between.
        let touch = Sql::new("update people set name = name where email = ?").bind(folded(email));
        self.change_person(email, touch)
    }

    fn change_person(&self, email: &str, update: Sql) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            if conn.execute(update)? == 0 {
                return Err(StoreError::NotFound);
            }
            revoke_all(conn, email, now)
        })
    }

    /// Whether somebody signs in with this address.
    pub(crate) fn is_known(conn: &mut Conn, email: &str) -> Result<bool> {
        let count = Sql::new("select count(*) as value from people where email = ?").bind(email);
        Ok(conn.one::<Number>(count)?.value > 0)
    }
}

fn revoke_all(conn: &mut Conn, email: &str, now: Moment) -> Result<()> {
    let person = conn.one::<Word>(Sql::new("select id as value from people where email = ?").bind(folded(email)))?.value;
    end_all(conn, &person, None, now)
}
