//! `/setup`: the first person of an empty commons, behind a one-time key that the program printed.
//!
//! Without the key there is nothing here; once somebody can sign in there is nothing here any more.

use std::sync::PoisonError;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::id::{OrganizationId, PersonId};
use hayward_store::{NewOrganization, NewPerson, Settings};
use subtle::ConstantTimeEq;

use super::frame::Done;
use super::{Frame, Halt, Posted, query};
use crate::auth::password;
use crate::auth::throttle::{Guess, Guessed};
use crate::commons::Commons;
use crate::error::Error;

#[derive(Template)]
#[template(path = "setup.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
}

async fn key_opens(request: &HttpRequest, commons: &Data<Commons>) -> Result<(), Error> {
    let given = query(request, "key").unwrap_or_default();
    let Some(kept) = commons.setup.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
        return Err(Error::bad("set-up-done", "this commons is set up already"));
    };
    if given.is_empty() {
        return Err(Error::NotFound);
    }
    let guess = Guess::at(request, commons, Guessed::SetupKey).await?;
    if kept.as_bytes().ct_eq(given.as_bytes()).into() { guess.taken_back(commons).await } else { Err(Error::NotFound) }
}

/// Shows the form.
pub async fn page(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Halt> {
    key_opens(&request, &commons).await?;
    page_with(&request, &commons, "", StatusCode::OK).await
}

async fn page_with(
    request: &HttpRequest,
    commons: &Data<Commons>,
    message: &str,
    status: StatusCode,
) -> Result<HttpResponse, Halt> {
    let frame = Frame::new(request, commons, None).await?;
    frame.page(status, &Page { frame: &frame, message })
}

/// Makes the commons: its name, its first member co-op, and the person who owns it there and runs the server.
pub async fn submit(request: HttpRequest, commons: Data<Commons>, form: Posted) -> Result<HttpResponse, Halt> {
    key_opens(&request, &commons).await?;
    let field = |name: &str| form.field(name).to_owned();
    let organization =
        NewOrganization { id: OrganizationId::from_random(commons.random()), slug: field("slug"), name: field("organization") };
    let (email, name, title, secret) = (field("email"), field("name"), field("commons"), form.exactly("password").to_owned());
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
            let frame = Frame::new(&request, &commons, None).await?;
            let text = "Sign in with your address and the password you have just chosen. People and programs are added there, or with `hayward admin`.";
            frame.page(StatusCode::CREATED, &Done { frame: &frame, title: "The commons is ready", text })
        }
        Err(error @ Error::Bad { code: "set-up-done", .. }) => Err(error.into()),
        Err(Error::Bad { detail, .. } | Error::Conflict { detail, .. }) => {
            page_with(&request, &commons, &detail, StatusCode::BAD_REQUEST).await
        }
        Err(error) => Err(error.into()),
    }
}
