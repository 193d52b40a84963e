//! Who can sign in to the demo world, as the credentials file says it.

use serde::Serialize;

use super::cast::Cast;

/// The `organizations` of the credentials file. It has no `Debug`: it is made of secrets.
#[derive(Serialize)]
pub struct World {
    /// Every member co-op.
    pub organizations: Vec<Organization>,
}

/// One member co-op.
#[derive(Serialize)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Who acts for it.
    pub people: Vec<Person>,
    /// Its programs.
    pub clients: Vec<Client>,
    /// Its lists.
    pub datasets: Vec<Dataset>,
}

/// A person who can sign in.
#[derive(Serialize)]
pub struct Person {
    /// What they sign in with.
    pub email: String,
    /// Their password.
    pub password: String,
    /// What they are.
    pub roles: Vec<&'static str>,
    /// A bearer token with every scope of these roles.
    pub token: String,
}

/// A program registered with OAuth.
#[derive(Serialize)]
pub struct Client {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The most it may ask for.
    pub scopes: Vec<String>,
}

/// One list.
#[derive(Serialize)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// The name of its schema.
    pub schema: &'static str,
    /// What people call it.
    pub name: String,
}

impl World {
    pub(super) fn of(cast: &Cast) -> Self {
        let organizations = cast.members.iter().map(|member| Organization {
            id: member.id.to_string(),
            slug: member.slug.to_owned(),
            name: member.name.clone(),
            people: member.people.iter().map(Person::of).collect(),
            clients: member.programs.iter().map(Client::of).collect(),
            datasets: member.lists.iter().map(Dataset::of).collect(),
        });
        Self { organizations: organizations.collect() }
    }
}

impl Person {
    fn of(human: &super::cast::Human) -> Self {
        Self {
            email: human.email.clone(),
            password: human.password.clone(),
            roles: vec![human.role.as_str()],
            token: human.token.clone(),
        }
    }
}

impl Client {
    fn of(program: &super::cast::Program) -> Self {
        Self {
            client_id: program.id.to_string(),
            client_secret: program.secret.clone(),
            scopes: program.scopes.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Dataset {
    fn of(list: &super::cast::List) -> Self {
        Self { id: list.id.to_string(), schema: list.kind.schema(), name: list.name.clone() }
    }
}
