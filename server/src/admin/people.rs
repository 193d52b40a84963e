//! People who sign in, and what they are.

use std::io::Read;

use hayward_domain::id::{PersonId, base32};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use hayward_store::{NewPerson, Store, StoreError};
use serde_json::{Value, json};

use super::{AdminError, Answer, NewPersonArgs, RoleCommand, first_line, organization, random};
use crate::auth::password;

pub(super) fn add(store: &Store, new: NewPersonArgs, input: &mut impl Read) -> Result<Answer, AdminError> {
    let positions = positions(store, &new.organization, &new.role)?;
    if positions.is_empty() && !new.operator {
        return Err(AdminError::Input("say what the person is: `--organization SLUG --role ROLE`, or `--operator`".to_owned()));
    }
    let made = if new.password_stdin { None } else { Some(base32(&random::<15>()?)) };
    let password = match &made {
        Some(password) => password.clone(),
        None => first_line(input)?,
    };
    let id = PersonId::from_random(random()?);
    store.add_person(&NewPerson {
        id: id.clone(),
        email: new.email.clone(),
        name: new.name,
        password_hash: password::hash(&password, random()?)?,
        operator: new.operator,
        positions,
    })?;
    let said = made.as_ref().map(|password| format!("; the password is {password}, and is shown only now")).unwrap_or_default();
    Ok(Answer::new(
        format!("added {}{said}", new.email),
        json!({"id": id, "email": new.email, "password": made.map_or(Value::Null, Value::from)}),
    ))
}

/// Each `--organization` goes with the `--role` in the same place.
fn positions(store: &Store, slugs: &[String], roles: &[String]) -> Result<Vec<(OrganizationNumber, Role)>, AdminError> {
    if slugs.len() != roles.len() {
        return Err(AdminError::Input("every `--organization` needs a `--role` of its own, and the other way round".to_owned()));
    }
    slugs.iter().zip(roles).map(|(slug, name)| Ok((organization(store, slug)?, role(name)?))).collect()
}

pub(super) fn add_role(store: &Store, command: RoleCommand) -> Result<Answer, AdminError> {
    let RoleCommand::Add { email, organization: slug, role: name } = command;
    let (number, role) = (organization(store, &slug)?, role(&name)?);
    store.add_role(&email, number, role).map_err(|error| match error {
        StoreError::NotFound => AdminError::Input(format!("nobody signs in with `{email}`")),
        other => other.into(),
    })?;
    let sentence = format!("{email} is {} of `{slug}` now", role.as_str());
    Ok(Answer::new(sentence, json!({"email": email, "organization": slug, "role": role.as_str()})))
}

/// A role in an organization. Operators have theirs in the commons.
fn role(name: &str) -> Result<Role, AdminError> {
    Role::parse(name).filter(|role| *role != Role::Operator).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.into_iter().filter(|role| *role != Role::Operator).map(Role::as_str).collect();
        AdminError::Input(format!("`{name}` is not a role in an organization; there are {}", known.join(", ")))
    })
}
