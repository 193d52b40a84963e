//! Programs, and taking tokens away.

use std::io::Read;

use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;
use hayward_store::{NewClient, Store, StoreError};
use serde_json::json;

use super::{AdminError, Answer, ClientCommand, first_line, organization, random};
use crate::auth::secret;
use crate::revocation;

pub(super) fn run(store: &Store, command: ClientCommand) -> Result<Answer, AdminError> {
    match command {
        ClientCommand::Add { organization, name, scopes } => add(store, &organization, name, &scopes),
        ClientCommand::Revoke { id } => revoke(store, id),
    }
}

fn add(store: &Store, slug: &str, name: String, scopes: &str) -> Result<Answer, AdminError> {
    let owner = organization(store, slug)?;
    let scopes = Scopes::parse(scopes).map_err(|word| AdminError::Input(format!("`{word}` is not a scope")))?;
    if scopes.iter().next().is_none() {
        return Err(AdminError::Input("a program without a scope can do nothing".to_owned()));
    }
    let id = ClientId::from_random(random()?);
    let secret = secret::client_secret(random()?);
    store.add_client(&NewClient {
        id: id.clone(),
        organization: owner,
        name: name.clone(),
        secret_hash: secret::hash(&secret),
        scopes: scopes.clone(),
    })?;
    Ok(Answer::new(
        format!("registered the program {id} of `{slug}`; the secret is {secret}, and is shown only now"),
        json!({"client_id": id, "client_secret": secret, "organization": slug, "name": name, "scope": scopes.to_string()}),
    ))
}

fn revoke(store: &Store, id: String) -> Result<Answer, AdminError> {
    store.revoke_client(&id).map_err(|error| match error {
        StoreError::NotFound => AdminError::Input(format!("there is no program `{id}`, or it is revoked already")),
        other => other.into(),
    })?;
    revocation::acknowledge_blocking();
    Ok(Answer::new(format!("revoked {id} and every token it held"), json!({"client_id": id, "revoked": true})))
}

/// Revoking a token that does not exist is no error, so that asking tells nothing.
pub(super) fn revoke_token(store: &Store, input: &mut impl Read) -> Result<Answer, AdminError> {
    let token = first_line(input)?;
    let token = token.trim();
    if token.is_empty() {
        return Err(AdminError::Input("the token is read from standard input, which is empty".to_owned()));
    }
    store.revoke_token(&secret::hash(token))?;
    revocation::acknowledge_blocking();
    Ok(Answer::new("no program can use this token any more", json!({"revoked": true})))
}
