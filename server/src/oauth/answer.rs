//! Answers and errors of the endpoints that programs ask (RFC 6749, sections 5.1 and 5.2).

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, HttpResponseBuilder};
use hayward_domain::scope::Scopes;
use hayward_store::StoreError;
use serde_json::json;

use super::TOKEN_LIFE;
use crate::error::Error;

/// Why a program is not given what it asked for.
#[derive(Debug)]
pub(super) enum Refusal {
    /// An error code, and what it means here.
    Oauth(&'static str, &'static str),
    /// Not the program's fault.
    Ours(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.into())
    }
}

/// The request cannot be read as what it should be.
pub(super) fn invalid_request(why: &'static str) -> Refusal {
    Refusal::Oauth("invalid_request", why)
}

/// What was shown opens nothing.
pub(super) fn invalid_grant(why: &'static str) -> Refusal {
    Refusal::Oauth("invalid_grant", why)
}

impl Refusal {
    fn respond(self) -> Result<HttpResponse, Error> {
        match self {
            Self::Ours(error) => Err(error),
            Self::Oauth(code, description) => {
                let wrong_client = code == "invalid_client";
                let mut response = begun(if wrong_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST });
                if wrong_client {
                    response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"hayward\""));
                }
                Ok(response.json(json!({"error": code, "error_description": description})))
            }
        }
    }
}

/// An answer that nobody keeps on the way.
pub(super) fn begun(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header(("Cache-Control", "no-store"));
    response
}

/// What a handler ends with.
pub(super) fn ended(done: Result<HttpResponse, Refusal>) -> Result<HttpResponse, Error> {
    done.or_else(Refusal::respond)
}

/// Tokens on their way out.
pub(super) fn tokens(token: &str, refresh: Option<&str>, scopes: &Scopes) -> HttpResponse {
    let mut answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFE.as_secs(), "scope": scopes.to_string(),
    });
    if let (Some(refresh), Some(members)) = (refresh, answer.as_object_mut()) {
        members.insert("refresh_token".to_owned(), refresh.into());
    }
    begun(StatusCode::OK).json(answer)
}
