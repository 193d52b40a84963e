//! `/api/v1/sessions`: people sign in with e-mail and password, and get a bearer token.

use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::scope::Scopes;
use hayward_store::{NewToken, Store, StoreError};
use serde::Deserialize;
use serde_json::json;

use super::body;
use crate::auth::bearer::{Anyone, Bearer};
use crate::auth::{password, secret};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// How long a person stays signed in.
const LIFE: Duration = Duration::from_secs(12 * 3_600);

/// A hash of no password that anybody has: checked where the address is unknown, so that both take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

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
    let stopping = |_| Error::Unavailable("the program is stopping".to_owned());
    // It goes along with the work: a client that hangs up does not make room for another hash.
    let turn = std::sync::Arc::clone(&commons.hashing).acquire_owned().await.map_err(stopping)?;
    let token = secret::token(commons.random());
    let hash = secret::hash(&token);
    let session = commons
        .run(move |store| {
            let _turn = turn;
            sign_in(store, &email, &password, organization.as_deref(), hash)
        })
        .await?;
    let (organization, scopes) = session;
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs(), "scope": scopes.to_string(),
        "organization": organization,
    });
    Ok(HttpResponse::Created().insert_header(("Cache-Control", "no-store")).json(answer))
}

fn sign_in(store: &Store, email: &str, given: &str, organization: Option<&str>, hash: String) -> Result<(String, Scopes), Error> {
    let wrong = || Error::bad("invalid-credentials", "this address and password open nothing");
    let person = store.person(email)?;
    let kept = person.as_ref().map_or_else(|| NOBODY.to_owned(), |person| person.password_hash.clone());
    let right = password::matches(given, &kept);
    let person = person.filter(|person| right && !person.disabled).ok_or_else(wrong)?;
    let mut acts_for = person.positions.iter();
    let position = match organization {
        Some(named) => acts_for.find(|(organization, _)| organization.slug == named || organization.id.as_str() == named),
        None if person.positions.len() > 1 => {
            return Err(Error::bad("invalid-body", "you belong to several organizations: name one as `organization`"));
        }
        None => acts_for.next(),
    };
    let (organization, roles) = position.ok_or_else(wrong)?;
    let collections = store.collections()?;
    let scopes: Scopes = roles.iter().flat_map(|role| role.scopes(&collections).iter().cloned().collect::<Vec<_>>()).collect();
    let new = NewToken {
        hash,
        organization: organization.number,
        person: Some(person.id.clone()),
        client: None,
        scopes: scopes.clone(),
        expires_at: store.now().plus(LIFE),
    };
    store.begin_session(&new, &kept).map_err(|error| match error {
        // Meanwhile another password was set, or the person was shut out.
        StoreError::NotFound => wrong(),
        other => other.into(),
    })?;
    Ok((organization.id.to_string(), scopes))
}

/// Signs out: revokes the token that asks.
pub async fn delete(bearer: Bearer<Anyone>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let hash = bearer.token_hash;
    commons.run(move |store| store.revoke_token(&hash)).await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::NoContent().finish())
}
