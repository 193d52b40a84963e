//! People who sign in, and what they are.

use std::io::Read;

use hayward_domain::id::{PersonId, base32};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Role;
use hayward_store::{Listed, NewPerson, Store, StoreError};
use serde_json::{Value, json};

use super::{AdminError, Answer, NewPersonArgs, PersonCommand, RoleCommand, first_line, organization, random};
use crate::auth::password;
use crate::revocation;

pub(super) fn run(store: &Store, command: PersonCommand, input: &mut impl Read) -> Result<Answer, AdminError> {
    match command {
        PersonCommand::Add(new) => add(store, new, input),
        PersonCommand::List => list(store),
        PersonCommand::ResetPassword { email, password_stdin } => reset(store, &email, password_stdin, input),
        PersonCommand::Disable { email } => disable(store, &email, true),
        PersonCommand::Enable { email } => disable(store, &email, false),
        PersonCommand::SignOut { email } => sign_out(store, &email),
    }
}

/// The password on standard input, or one that is made now; the latter is to be said.
fn password(from_input: bool, input: &mut impl Read) -> Result<(String, Option<String>), AdminError> {
    if from_input {
        return Ok((first_line(input)?, None));
    }
    let made = base32(&random::<15>()?);
    Ok((made.clone(), Some(made)))
}

fn said(made: Option<&String>) -> String {
    made.map(|password| format!("; the password is {password}, and is shown only now")).unwrap_or_default()
}

fn add(store: &Store, new: NewPersonArgs, input: &mut impl Read) -> Result<Answer, AdminError> {
    let positions = positions(store, &new.organization, &new.role)?;
    if positions.is_empty() && !new.operator {
        return Err(AdminError::Input("say what the person is: `--organization SLUG --role ROLE`, or `--operator`".to_owned()));
    }
    let (password, made) = password(new.password_stdin, input)?;
    let id = PersonId::from_random(random()?);
    store.add_person(&NewPerson {
        id: id.clone(),
        email: new.email.clone(),
        name: new.name,
        password_hash: password::hash(&password, random()?)?,
        operator: new.operator,
        positions,
    })?;
    Ok(Answer::new(
        format!("added {}{}", new.email, said(made.as_ref())),
        json!({"id": id, "email": new.email, "password": made.map_or(Value::Null, Value::from)}),
    )
    .did("person add", id.as_str()))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let all = store.people()?;
    let line = |one: &Listed| {
        let held = one.positions.iter().map(|(slug, role)| format!("{role} of {slug}"));
        let operator = one.operator.then(|| "operator".to_owned());
        let roles: Vec<String> = operator.into_iter().chain(held).collect();
        let state = if one.disabled { "shut out" } else { "in" };
        vec![one.email.clone(), one.name.clone(), state.to_owned(), roles.join(", ")]
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    Ok(Answer::list(&lines, "nobody can sign in yet", json!({"people": all})))
}

fn reset(store: &Store, email: &str, from_input: bool, input: &mut impl Read) -> Result<Answer, AdminError> {
    let id = person(store, email)?;
    let (password, made) = password(from_input, input)?;
    store.reset_password(email, &password::hash(&password, random()?)?)?;
    revocation::acknowledge_blocking();
    let sentence = format!("{email} has another password and is signed out everywhere{}", said(made.as_ref()));
    let json = json!({"id": id, "email": email, "password": made.map_or(Value::Null, Value::from)});
    Ok(Answer::new(sentence, json).did("person reset-password", id.as_str()))
}

fn disable(store: &Store, email: &str, disabled: bool) -> Result<Answer, AdminError> {
    let id = person(store, email)?;
    store.disable(email, disabled)?;
    revocation::acknowledge_blocking();
    let (sentence, act) = if disabled {
        (format!("{email} is shut out; nothing of theirs works any more"), "person disable")
    } else {
        (format!("{email} can sign in again"), "person enable")
    };
    Ok(Answer::new(sentence, json!({"id": id, "email": email, "disabled": disabled})).did(act, id.as_str()))
}

fn sign_out(store: &Store, email: &str) -> Result<Answer, AdminError> {
    let id = person(store, email)?;
    store.sign_out(email)?;
    revocation::acknowledge_blocking();
    let json = json!({"id": id, "email": email, "signed_out": true});
    Ok(Answer::new(format!("{email} is signed out everywhere"), json).did("person sign-out", id.as_str()))
}

/// Who signs in with this address.
fn person(store: &Store, email: &str) -> Result<PersonId, AdminError> {
    match store.person(email)? {
        Some(person) => Ok(person.id),
        None => Err(AdminError::Input(format!("nobody signs in with `{email}`"))),
    }
}

/// Each `--organization` goes with the `--role` in the same place.
fn positions(store: &Store, slugs: &[String], roles: &[String]) -> Result<Vec<(OrganizationNumber, Role)>, AdminError> {
    if slugs.len() != roles.len() {
        return Err(AdminError::Input("every `--organization` needs a `--role` of its own, and the other way round".to_owned()));
    }
    slugs.iter().zip(roles).map(|(slug, name)| Ok((organization(store, slug)?.number, role(name)?))).collect()
}

pub(super) fn role_command(store: &Store, command: RoleCommand) -> Result<Answer, AdminError> {
    match command {
        RoleCommand::Add { email, organization: slug, role: name } => {
            let (id, number, role) = (person(store, &email)?, organization(store, &slug)?.number, role(&name)?);
            store.add_role(&email, number, role)?;
            let sentence = format!("{email} is {} of `{slug}` now", role.as_str());
            let json = json!({"email": email, "organization": slug, "role": role.as_str()});
            Ok(Answer::new(sentence, json).did("role add", id.as_str()))
        }
        RoleCommand::Remove { email, organization: slug, role: name } => {
            let (id, number, role) = (person(store, &email)?, organization(store, &slug)?.number, role(&name)?);
            store.remove_role(&email, number, role).map_err(|error| match error {
                StoreError::NotFound => AdminError::Input(format!("{email} is not {} of `{slug}`", role.as_str())),
                other => other.into(),
            })?;
            revocation::acknowledge_blocking();
            let sentence = format!("{email} is not {} of `{slug}` any more", role.as_str());
            let json = json!({"email": email, "organization": slug, "role": role.as_str(), "removed": true});
            Ok(Answer::new(sentence, json).did("role remove", id.as_str()))
        }
    }
}

/// A role in an organization. Some are held in the commons instead.
pub(super) fn role(name: &str) -> Result<Role, AdminError> {
    Role::parse(name).filter(|role| !role.of_commons()).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.into_iter().filter(|role| !role.of_commons()).map(Role::as_str).collect();
        AdminError::Input(format!("`{name}` is not a role in an organization; there are {}", known.join(", ")))
    })
}
