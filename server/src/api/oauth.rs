//! `POST /oauth/token` and `/oauth/revoke`: client credentials (RFC 6749, section 4.4) and revocation (RFC 7009).
//!
//! Errors are worded as those RFCs word them, not as problems.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hayward_domain::scope::Scopes;
use hayward_store::{Client, NewToken};
use serde_json::json;

use crate::auth::secret;
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// How long a program's token works.
const LIFE: Duration = Duration::from_secs(3_600);

/// An error of RFC 6749, section 5.2.
enum Refusal {
    Oauth(&'static str, &'static str),
    Ours(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl Refusal {
    fn respond(self) -> Result<HttpResponse, Error> {
        match self {
            Self::Ours(error) => Err(error),
            Self::Oauth(code, description) => {
                let wrong_client = code == "invalid_client";
                let mut response =
                    HttpResponse::build(if wrong_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST });
                if wrong_client {
                    response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"hayward\""));
                }
                response.insert_header(("Cache-Control", "no-store"));
                Ok(response.json(json!({"error": code, "error_description": description})))
            }
        }
    }
}

/// Gives a program a token.
pub async fn token(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    match grant(&request, &commons, &bytes).await {
        Ok(response) => Ok(response),
        Err(refusal) => refusal.respond(),
    }
}

async fn grant(request: &HttpRequest, commons: &Data<Commons>, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    let form = form(bytes)?;
    let client = authenticate(request, commons).await?;
    match field(&form, "grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::Oauth("unsupported_grant_type", "the grant here is client_credentials")),
        None => return Err(Refusal::Oauth("invalid_request", "`grant_type` is missing")),
    }
    let scopes = match field(&form, "scope") {
        None => client.scopes.clone(),
        Some(text) => {
            if text.trim().is_empty() {
                return Err(Refusal::Oauth("invalid_scope", "`scope` names no scope; leave it out for all that the client has"));
            }
            let wanted = Scopes::parse(text).map_err(|_| Refusal::Oauth("invalid_scope", "one of these is no scope"))?;
            if !wanted.within(&client.scopes) {
                return Err(Refusal::Oauth("invalid_scope", "this client may not have one of these scopes"));
            }
            wanted
        }
    };
    let token = secret::token(commons.random());
    let new = NewToken {
        hash: secret::hash(&token),
        organization: client.organization,
        person: None,
        client: Some(client.id),
        scopes: scopes.clone(),
        expires_at: commons.store.now().plus(LIFE),
    };
    commons.run(move |store| store.add_token(&new)).await?;
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": LIFE.as_secs(), "scope": scopes.to_string(),
    });
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(answer))
}

/// Revokes one of the caller's own tokens.
pub async fn revoke(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    match give_back(&request, &commons, &bytes).await {
        Ok(response) => Ok(response),
        Err(refusal) => refusal.respond(),
    }
}

async fn give_back(request: &HttpRequest, commons: &Data<Commons>, bytes: &[u8]) -> Result<HttpResponse, Refusal> {
    let form = form(bytes)?;
    let client = authenticate(request, commons).await?;
    let Some(token) = field(&form, "token") else {
        return Err(Refusal::Oauth("invalid_request", "`token` is missing"));
    };
    let hash = secret::hash(token);
    let revoked = commons
        .run(move |store| match store.caller(&hash) {
            // Somebody else's token is none of this client's business (RFC 7009, section 2.1).
            Ok(caller) if caller.client.as_ref() != Some(&client.id) => Ok(false),
            Ok(_) => store.revoke_token(&hash).map(|()| true),
            Err(hayward_store::StoreError::NotFound) => Ok(true),
            Err(error) => Err(error),
        })
        .await?;
    if !revoked {
        return Err(Refusal::Oauth("invalid_request", "this token is not this client's"));
    }
    revocation::acknowledge().await;
    Ok(HttpResponse::Ok().finish())
}

type Form = Vec<(String, String)>;

fn form(bytes: &[u8]) -> Result<Form, Refusal> {
    let form: Form = url::form_urlencoded::parse(bytes).into_owned().collect();
    // RFC 6749, section 3.2: parameters must not be included more than once.
    let mut names: Vec<&String> = form.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if form.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(Refusal::Oauth("invalid_request", "a parameter holds U+0000"));
    }
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Refusal::Oauth("invalid_request", "a parameter stands twice"));
    }
    Ok(form)
}

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The client that the request's Basic credentials name.
async fn authenticate(request: &HttpRequest, commons: &Data<Commons>) -> Result<Client, Refusal> {
    let wrong = || Refusal::Oauth("invalid_client", "client id and secret go into HTTP Basic, and must be right");
    let (id, given) = basic(request).ok_or_else(wrong)?;
    let client = commons.run(move |store| store.client(&id)).await?;
    // A client that does not exist takes as long as one with another secret.
    let kept = client.as_ref().map_or("", |client| client.secret_hash.as_str());
    let former = client.as_ref().and_then(|client| client.former_hash.as_deref()).unwrap_or_default();
    // Both are looked at, always.
    let right = secret::matches(&given, kept) | secret::matches(&given, former);
    client.filter(|_| right).ok_or_else(wrong)
}

fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749, section 2.3.1: both are form-encoded before they are put together.
    let decoded =
        |part: &str| url::form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, value)| value.into_owned());
    let (id, secret) = (decoded(id)?, decoded(secret)?);
    (!id.contains('\0') && !secret.contains('\0')).then_some((id, secret))
}
