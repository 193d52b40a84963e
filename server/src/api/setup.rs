//! `/setup`: the first person of an empty commons, behind a one-time key that the program printed.
//!
//! Without the key there is nothing here; once somebody can sign in there is nothing here any more.

use std::sync::PoisonError;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::{OrganizationId, PersonId};
use hayward_store::{NewOrganization, NewPerson, Settings};
use subtle::ConstantTimeEq;

use super::params::Params;
use crate::auth::password;
use crate::commons::Commons;
use crate::error::Error;

/// The page, in plain HTML that works everywhere.
const PAGE: &str = include_str!("setup.html");

fn key_opens(request: &HttpRequest, commons: &Commons) -> Result<(), Error> {
    let mut params = Params::parse(request.query_string())?;
    let given = params.take("key").unwrap_or_default();
    let Some(kept) = commons.setup.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
        return Err(Error::bad("set-up-done", "this commons is set up already"));
    };
    if kept.as_bytes().ct_eq(given.as_bytes()).into() { Ok(()) } else { Err(Error::NotFound) }
}

/// Shows the form.
pub async fn page(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    key_opens(&request, &commons)?;
    Ok(page_with("", 200))
}

fn page_with(message: &str, status: u16) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"))
        .body(PAGE.replace("{message}", message))
}

/// Makes the commons: its name, its first member co-op, and the person who owns it there and runs the server.
pub async fn submit(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    key_opens(&request, &commons)?;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().collect();
    if form.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Error::bad("invalid-body", "the form holds U+0000"));
    }
    let field =
        |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default();
    let organization =
        NewOrganization { id: OrganizationId::from_random(commons.random()), slug: field("slug"), name: field("organization") };
    let (email, name, secret, title) = (field("email"), field("name"), field("password"), field("commons"));
    let (id, salt) = (PersonId::from_random(commons.random()), commons.random());
    let made = commons.run(move |store| {
        let password_hash = password::hash(&secret, salt).map_err(|error| Error::bad("bad-password", error.to_string()))?;
        let person = NewPerson { id, email, name, password_hash, operator: true, positions: Vec::new() };
        if !store.found(&organization, &person)? {
            return Err(Error::bad("set-up-done", "this commons is set up already"));
        }
        store.write_settings(&Settings { name: title, ..store.read_settings()? })?;
        Ok(())
    });
    match made.await {
        Ok(()) => {
            *commons.setup.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(HttpResponse::Created().content_type("text/plain; charset=utf-8").body(
                "The commons is ready. Sign in with POST /api/v1/sessions; add people and programs with `hayward admin`.\n",
            ))
        }
        Err(error @ Error::Bad { code: "set-up-done", .. }) => Err(error),
        Err(Error::Bad { detail, .. } | Error::Conflict { detail, .. }) => Ok(page_with(&detail, 400)),
        Err(error) => Err(error),
    }
}
