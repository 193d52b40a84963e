//! `/api/v1/sessions`: people sign in with e-mail and password, and get a bearer token.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::base32;
use hayward_domain::scope::Scopes;
use hayward_store::{NewToken, Proof, StoreError};
use serde::Deserialize;
use serde_json::json;

use super::body;
use crate::auth::bearer::{Anyone, Bearer};
use crate::auth::sign_in::{self, Credentials, LIFE};
use crate::auth::{program, secret};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
    /// Which organization to act for: its slug or id. Needed only by who belongs to several.
    organization: Option<String>,
}

/// Signs a person in.
pub async fn create(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    let SignIn { email, password, organization } = body::read(&request, &bytes)?;
    let person = sign_in::prove(&request, &commons, Credentials { email, password }).await?;
    let mut acts_for = person.positions.iter();
    let position = match &organization {
        Some(named) => acts_for.find(|(at, _)| at.slug == *named || at.id.as_str() == *named),
        None if person.positions.len() > 1 => {
            return Err(Error::bad("invalid-body", "you belong to several organizations: name one as `organization`"));
        }
        None => acts_for.next(),
    };
    let (organization, roles) = position.cloned().ok_or_else(sign_in::wrong)?;
    let token = secret::token(commons.random());
    let (hash, id) = (secret::hash(&token), format!("ses_{}", base32(&commons.random::<15>())));
    let program = program::words(&request);
    let acts_for = organization.id.clone();
    let begun = commons.run(move |store| {
        let collections = store.collections()?;
        let scopes: Vec<Scopes> = roles.iter().map(|role| role.scopes(&collections)).collect();
        let new = NewToken {
            hash,
            organization: organization.number,
            person: Some(person.id),
            client: None,
            scopes: scopes.iter().flat_map(|scopes| scopes.iter().cloned()).collect(),
            expires_at: store.now().plus(LIFE),
        };
        store.begin_session(&new, &id, &program, Proof::Password(&person.password_hash))?;
        Ok::<_, StoreError>((id, new.scopes))
    });
    let (id, scopes) = match begun.await {
        Ok(begun) => begun,
        // Meanwhile another password was set, or the person was shut out.
        Err(Error::NotFound) => return Err(sign_in::wrong()),
        Err(error) => return Err(error),
    };
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs(), "scope": scopes.to_string(),
        "organization": acts_for, "session": id,
    });
    Ok(HttpResponse::Created().insert_header(("Cache-Control", "no-store")).json(answer))
}

/// Signs out: revokes the token that asks.
pub async fn delete(bearer: Bearer<Anyone>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let hash = bearer.token_hash;
    commons.run(move |store| store.revoke_token(&hash)).await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::NoContent().finish())
}
