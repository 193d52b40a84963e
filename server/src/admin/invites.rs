//! Invitations: the operator says who may come in, and never learns their password.

use std::time::Duration;

use hayward_domain::id::base32;
use hayward_domain::scope::Role;
use hayward_store::{ListedInvite, NewInvite, Store, StoreError};
use serde_json::json;

use super::{AdminError, Answer, InviteCommand, organization, people, random};
use crate::auth::secret;

pub(super) fn run(store: &Store, command: InviteCommand) -> Result<Answer, AdminError> {
    match command {
        InviteCommand::Add { email, organization: slug, role, days, public_url } => {
            let roles: Vec<Role> = role.iter().map(|name| people::role(name)).collect::<Result<_, _>>()?;
            add(store, &email, &slug, roles, days, &public_url)
        }
        InviteCommand::List => list(store),
        InviteCommand::Revoke { id } => revoke(store, id),
    }
}

fn add(store: &Store, email: &str, slug: &str, roles: Vec<Role>, days: u16, url: &str) -> Result<Answer, AdminError> {
    let organization = organization(store, slug)?.number;
    let (id, key) = (format!("inv_{}", base32(&random::<15>()?)), secret::invite_key(random()?));
    let expires_at = store.now().plus(Duration::from_secs(u64::from(days) * 86_400));
    let hash = secret::hash(&key);
    store.invite(&NewInvite { id: id.clone(), hash, email: email.to_owned(), organization, roles, expires_at })?;
    let address = format!("{}/invite?key={key}", url.trim_end_matches('/'));
    let until = expires_at.to_rfc3339();
    let sentence = format!("invited {email}: {address} works once, until {until}, and is shown only now");
    let json = json!({
        "id": id, "email": email, "organization": slug, "key": key, "address": address, "expires_at": until,
    });
    Ok(Answer::new(sentence, json).did("invite add", id))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let all = store.invites()?;
    let line = |one: &ListedInvite| {
        let roles = format!("{} of {}", one.roles.join(", "), one.organization);
        vec![one.id.clone(), one.email.clone(), roles, one.state.to_owned(), one.expires_at.clone()]
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    Ok(Answer::list(&lines, "nobody is invited", json!({"invites": all})))
}

fn revoke(store: &Store, id: String) -> Result<Answer, AdminError> {
    store.revoke_invite(&id).map_err(|error| match error {
        StoreError::NotFound => AdminError::Input(format!("there is no invitation `{id}` that could still be accepted")),
        other => other.into(),
    })?;
    Ok(Answer::new(format!("took {id} back"), json!({"id": id, "revoked": true})).did("invite revoke", id))
}
