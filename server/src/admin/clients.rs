//! Programs, and taking tokens away.

use std::io::Read;
use std::time::Duration;

use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;
use hayward_store::{ClientForm, ListedClient, NewClient, Store, StoreError};
use serde_json::json;

use super::{AdminError, Answer, ClientCommand, first_line, organization, random};
use crate::auth::secret;
use crate::{oauth, revocation};

pub(super) fn run(store: &Store, command: ClientCommand) -> Result<Answer, AdminError> {
    match command {
        ClientCommand::Add { organization, name, scopes, redirect_uri, public, contact } => {
            let checked =
                |uri: &String| oauth::checked_redirect_uri(uri).map_err(|error| AdminError::Input(format!("`{uri}`: {error}")));
            let redirect_uris = redirect_uri.iter().map(checked).collect::<Result<_, _>>()?;
            add(store, &organization, name, &scopes, &ClientForm { public, redirect_uris, contact })
        }
        ClientCommand::List => list(store),
        ClientCommand::Rotate { id, overlap_hours } => rotate(store, id, overlap_hours),
        ClientCommand::Limit { id, requests } => limit(store, id, requests),
        ClientCommand::Revoke { id } => revoke(store, id),
    }
}

fn add(store: &Store, slug: &str, name: String, scopes: &str, form: &ClientForm) -> Result<Answer, AdminError> {
    let owner = organization(store, slug)?;
    let scopes = Scopes::parse(scopes).map_err(|word| AdminError::Input(format!("`{word}` is not a scope")))?;
    if scopes.iter().next().is_none() {
        return Err(AdminError::Input("a program without a scope can do nothing".to_owned()));
    }
    let id = ClientId::from_random(random()?);
    let secret = secret::client_secret(random()?);
    let new = NewClient {
        id: id.clone(),
        organization: owner.number,
        name: name.clone(),
        secret_hash: secret::hash(&secret),
        scopes: scopes.clone(),
    };
    store.register_client(&new, form)?;
    let uris = &form.redirect_uris;
    let mut about = json!({
        "client_id": id, "organization": slug, "name": name, "scope": scopes.to_string(), "redirect_uris": uris,
        "kind": if form.public { "public" } else { "confidential" },
    });
    let mut sentence = format!("registered the program {id} of `{slug}`; it is public, and has no secret");
    if !form.public {
        sentence = format!("registered the program {id} of `{slug}`; the secret is {secret}, and is shown only now");
        about.as_object_mut().map(|members| members.insert("client_secret".to_owned(), secret.into()));
    }
    Ok(Answer::new(sentence, about).did("client add", id.as_str()))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let all = store.clients()?;
    let state = |revoked| if revoked { "revoked" } else { "in use" }.to_owned();
    let line = |one: &ListedClient| {
        let used = one.last_used.clone().unwrap_or_else(|| "never used".to_owned());
        vec![
            one.organization.clone(),
            one.id.clone(),
            one.name.clone(),
            state(one.revoked),
            one.kind.clone(),
            used,
            one.scope.clone(),
        ]
    };
    let lines: Vec<_> = all.iter().map(line).collect();
    Ok(Answer::list(&lines, "there is no program yet", json!({"clients": all})))
}

fn rotate(store: &Store, id: String, overlap_hours: u16) -> Result<Answer, AdminError> {
    let secret = secret::client_secret(random()?);
    let until = store.now().plus(Duration::from_secs(u64::from(overlap_hours) * 3_600));
    store.rotate_secret(&id, &secret::hash(&secret), until).map_err(|error| no_client(error, &id))?;
    let until = until.to_rfc3339();
    let sentence = format!("the secret of {id} is {secret} now, and is shown only now; the one before works until {until}");
    let json = json!({"client_id": id, "client_secret": secret, "former_secret_until": until});
    Ok(Answer::new(sentence, json).did("client rotate", id))
}

fn limit(store: &Store, id: String, requests: Option<u32>) -> Result<Answer, AdminError> {
    store.limit_client(&id, requests).map_err(|error| no_client(error, &id))?;
    let sentence = match requests {
        Some(requests) => format!("{id} may make {requests} requests a second"),
        None => format!("{id} may make as many requests a second as every other program"),
    };
    Ok(Answer::new(sentence, json!({"client_id": id, "rate_limit": requests})).did("client limit", id))
}

fn no_client(error: StoreError, id: &str) -> AdminError {
    match error {
        StoreError::NotFound => AdminError::Input(format!("there is no program `{id}`, or it is revoked already")),
        other => other.into(),
    }
}

fn revoke(store: &Store, id: String) -> Result<Answer, AdminError> {
    store.revoke_client(&id).map_err(|error| no_client(error, &id))?;
    revocation::acknowledge_blocking();
    let json = json!({"client_id": id, "revoked": true});
    Ok(Answer::new(format!("revoked {id} and every token it held"), json).did("client revoke", id))
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
    Ok(Answer::new("no program can use this token any more", json!({"revoked": true})).did("token revoke", "-"))
}
