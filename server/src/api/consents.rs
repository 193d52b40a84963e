//! `/api/v1/consents`: what a person has allowed programs, and taking it back.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::PersonId;
use serde_json::json;

use super::params::Params;
use crate::auth::bearer::{Anyone, Bearer};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// A person with a token of their own. A program that acts for them has no say in what they allowed others.
fn person(bearer: Bearer<Anyone>) -> Result<PersonId, Error> {
    let by_themselves = bearer.caller.person.filter(|_| bearer.caller.client.is_none());
    by_themselves
        .ok_or_else(|| Error::Conflict { code: "people-only", detail: "a person who is signed in has to do this".to_owned() })
}

/// Lists what the caller has allowed.
pub async fn list(request: HttpRequest, bearer: Bearer<Anyone>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let person = person(bearer)?;
    let consents = commons.run(move |store| store.consents(&person)).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({"items": consents})))
}

/// Takes one back, and with it every token that was given for it.
pub async fn withdraw(path: Path<String>, bearer: Bearer<Anyone>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let (id, person) = (path.into_inner(), person(bearer)?);
    commons.run(move |store| store.withdraw_consent(&person, &id)).await?;
    revocation::acknowledge().await;
    Ok(HttpResponse::NoContent().finish())
}
