//! Member co-ops, and the people who act for them.

use hayward_domain::id::{OrganizationId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use serde::Serialize;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word, rows};
use crate::{Store, counter};

/// A member co-op to be.
pub struct NewOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name in commands: lower-case letters, digits and `-`.
    pub slug: String,
    /// What people call it.
    pub name: String,
}

/// A member co-op.
#[derive(Clone, Serialize)]
pub struct Organization {
    /// Its row number; not for the wire.
    #[serde(skip)]
    pub number: OrganizationNumber,
    /// Its id.
    pub id: OrganizationId,
    /// Its short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
}

/// A person to be.
pub struct NewPerson {
    /// Their id.
    pub id: PersonId,
    /// Where they are reached, and what they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Their password's hash, in PHC form.
    pub password_hash: String,
    /// Whether they run the server. An operator reads no rows.
    pub operator: bool,
    /// What they are, and where.
    pub positions: Vec<(OrganizationNumber, Role)>,
}

/// A person, as signing in needs them.
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Their password's hash, in PHC form.
    pub password_hash: String,
    /// What they are, and where: by organization.
    pub positions: Vec<(Organization, Vec<Role>)>,
    /// Whether the operator has shut them out.
    pub disabled: bool,
}

rows! {
    OrganizationRow { number: i64, id: String, slug: String, name: String }
    PersonRow { id: String, password_hash: String, disabled_at: Option<i64> }
    PositionRow { organization: i64, role: String }
}

impl OrganizationRow {
    fn read(self) -> Result<Organization> {
        let id = OrganizationId::parse(&self.id).ok_or(StoreError::Corrupt("an organization"))?;
        Ok(Organization { number: OrganizationNumber(self.number), id, slug: self.slug, name: self.name })
    }
}

/// An e-mail address as it is compared: trimmed and lower-case.
pub(crate) fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Store {
    /// Adds a member co-op.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if the slug is taken.
    pub fn add_organization(&self, new: &NewOrganization) -> Result<OrganizationNumber> {
        let now = (self.clock)();
        self.db.write(|conn| add_organization(conn, new, now))
    }

    /// Founds a commons: its first member co-op and the person who owns it there, together or not at all. False where somebody can
    /// sign in already.
    ///
    /// # Errors
    /// As [`Self::add_organization`] and [`Self::add_person`].
    pub fn found(&self, organization: &NewOrganization, owner: &NewPerson) -> Result<bool> {
        let now = (self.clock)();
        self.db.write(|conn| {
            // Whoever comes second waits here, and then finds the first.
            counter::take(conn, "organization", 0)?;
            if conn.one::<Number>(Sql::new("select count(*) as value from people"))?.value > 0 {
                return Ok(false);
            }
            let number = add_organization(conn, organization, now)?;
            add_person(conn, owner, now)?;
            add_position(conn, &owner.id, number, Role::Owner)?;
            Ok(true)
        })
    }

    /// Every member co-op, by slug.
    ///
    /// # Errors
    /// Only the database's.
    pub fn organizations(&self) -> Result<Vec<Organization>> {
        let select = Sql::new("select number, id, slug, name from organizations order by slug");
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<OrganizationRow>(select))?;
        rows.into_iter().map(OrganizationRow::read).collect()
    }

    /// The member co-op with this slug or id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    pub fn organization(&self, slug_or_id: &str) -> Result<Organization> {
        let select = "select number, id, slug, name from organizations where slug = ? or id = ?";
        self.db.read(Eyes::Own, |conn| conn.one::<OrganizationRow>(Sql::new(select).bind(slug_or_id).bind(slug_or_id)))?.read()
    }

    /// Adds a person.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if somebody signs in with this address already.
    pub fn add_person(&self, new: &NewPerson) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| add_person(conn, new, now))
    }

    /// Gives a person a role in an organization.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if nobody signs in with this address.
    pub fn add_role(&self, email: &str, organization: OrganizationNumber, role: Role) -> Result<()> {
        let person = self.person(email)?.ok_or(StoreError::NotFound)?;
        self.db.write(|conn| add_position(conn, &person.id, organization, role))
    }

    /// Who signs in with this address.
    ///
    /// # Errors
    /// Only the database's.
    pub fn person(&self, email: &str) -> Result<Option<Person>> {
        self.db.read(Eyes::Own, |conn| {
            let select = Sql::new("select id, password_hash, disabled_at from people where email = ?").bind(folded(email));
            let Some(row) = conn.first::<PersonRow>(select)? else { return Ok(None) };
            let id = PersonId::parse(&row.id).ok_or(StoreError::Corrupt("a person"))?;
            let positions = positions(conn, &row.id)?;
            Ok(Some(Person { id, password_hash: row.password_hash, positions, disabled: row.disabled_at.is_some() }))
        })
    }

    /// Whether anybody can sign in yet.
    ///
    /// # Errors
    /// Only the database's.
    pub fn has_people(&self) -> Result<bool> {
        let count = Sql::new("select count(*) as value from people");
        Ok(self.db.read(Eyes::Own, |conn| conn.one::<Number>(count))?.value > 0)
    }
}

/// What a person is, and where: by organization.
pub(crate) fn positions(conn: &mut Conn, person: &str) -> Result<Vec<(Organization, Vec<Role>)>> {
    let select = "select organization, role from positions where person = ? order by organization, role";
    let mut positions: Vec<(Organization, Vec<Role>)> = Vec::new();
    for position in conn.load::<PositionRow>(Sql::new(select).bind(person))? {
        let role = Role::parse(&position.role).ok_or(StoreError::Corrupt("a role"))?;
        match positions.last_mut().filter(|(last, _)| last.number.0 == position.organization) {
            Some((_, roles)) => roles.push(role),
            None => {
                let select = "select number, id, slug, name from organizations where number = ?";
                let organization = conn.one::<OrganizationRow>(Sql::new(select).bind(position.organization))?.read()?;
                positions.push((organization, vec![role]));
            }
        }
    }
    Ok(positions)
}

/// What a person is in the commons, beside an operator.
pub(crate) fn offices(conn: &mut Conn, person: &str) -> Result<Vec<Role>> {
    let rows = conn.load::<Word>(Sql::new("select role as value from offices where person = ? order by role").bind(person))?;
    rows.iter().map(|row| Role::parse(&row.value).ok_or(StoreError::Corrupt("a role"))).collect()
}

fn add_organization(conn: &mut Conn, new: &NewOrganization, now: Moment) -> Result<OrganizationNumber> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if new.slug.is_empty() || new.slug.len() > 64 || !new.slug.bytes().all(plain) {
        return Err(StoreError::refused("bad-slug", "a slug has 1 to 64 lower-case letters, digits and hyphens"));
    }
    plain_name(&new.name)?;
    let number = counter::take(conn, "organization", 1)?;
    let insert = "insert into organizations (number, id, slug, name, created_at) values (?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(number).bind(new.id.as_str()).bind(&new.slug).bind(&new.name).bind(now);
    conn.execute(insert).map_err(|error| named(error, "an organization with this slug"))?;
    Ok(OrganizationNumber(number))
}

/// A name that can be kept.
pub(crate) fn plain_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > 1_000 || name.contains('\0') {
        return Err(StoreError::refused("bad-name", "a name has 1 to 1000 bytes and no NUL"));
    }
    Ok(())
}

/// An e-mail address as it is kept.
pub(crate) fn address(email: &str) -> Result<String> {
    let email = folded(email);
    if !email.contains('@') || email.len() > 320 || email.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(StoreError::refused("bad-email", "an e-mail address has an `@` and no spaces"));
    }
    Ok(email)
}

pub(crate) fn add_person(conn: &mut Conn, new: &NewPerson, now: Moment) -> Result<()> {
    let email = address(&new.email)?;
    let insert = "insert into people (id, email, name, password_hash, operator, created_at) values (?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(new.id.as_str()).bind(&email).bind(&new.name).bind(&new.password_hash);
    let insert = insert.bind(i64::from(new.operator)).bind(now);
    conn.execute(insert).map_err(|error| named(error, "a person with this e-mail address"))?;
    new.positions.iter().try_for_each(|(organization, role)| add_position(conn, &new.id, *organization, *role))
}

pub(crate) fn add_position(conn: &mut Conn, person: &PersonId, organization: OrganizationNumber, role: Role) -> Result<()> {
    if role.of_commons() {
        return Err(StoreError::refused("not-a-position", "this role belongs to the commons, not to an organization"));
    }
    let insert = "insert into positions (person, organization, role) values (?, ?, ?)
        on conflict (person, organization, role) do nothing";
    conn.execute(Sql::new(insert).bind(person.as_str()).bind(organization.0).bind(role.as_str())).map(drop)
}

pub(crate) fn named(error: StoreError, what: &'static str) -> StoreError {
    match error {
        StoreError::Exists(_) => StoreError::Exists(what),
        other => other,
    }
}
