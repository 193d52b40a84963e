//! `/invite`: somebody who was invited says what they are called and chooses a password, once.
//!
//! The key is in the address. Looking uses nothing up, since mail programs and chat rooms open addresses by themselves; only the
//! form does. A key that opens nothing, or no longer, is answered like an address that nothing has.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::PersonId;
use hayward_store::{Invited, NewPerson};

use super::params::Params;
use crate::auth::{password, secret};
use crate::commons::Commons;
use crate::error::Error;

/// The page, in plain HTML that works everywhere.
const PAGE: &str = include_str!("invite.html");

/// The hash of the key in the address.
fn key(request: &HttpRequest) -> Result<String, Error> {
    let mut params = Params::parse(request.query_string())?;
    params.take("key").map(|key| secret::hash(&key)).ok_or(Error::NotFound)
}

/// Shows the form.
pub async fn page(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let hash = key(&request)?;
    let invited = commons.run(move |store| store.invited(&hash)).await?;
    Ok(page_with(&invited, "", StatusCode::OK))
}

fn page_with(invited: &Invited, message: &str, status: StatusCode) -> HttpResponse {
    let page = PAGE
        .replace("{message}", &escaped(message))
        .replace("{organization}", &escaped(&invited.organization))
        .replace("{email}", &escaped(&invited.email));
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"))
        .body(page)
}

/// Text that HTML shows as it is. Braces too: what is put in first must not name a place that is filled after it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '{' => safe.push_str("&#123;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Makes the person.
pub async fn accept(request: HttpRequest, commons: Data<Commons>, bytes: Bytes) -> Result<HttpResponse, Error> {
    let hash = key(&request)?;
    let looked_up = hash.clone();
    // Before anything is hashed: who holds no invitation costs nothing.
    let invited = commons.run(move |store| store.invited(&looked_up)).await?;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().collect();
    if form.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Error::bad("invalid-body", "the form holds U+0000"));
    }
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let (name, chosen) = (field("name").trim().to_owned(), field("password"));
    let (id, salt) = (PersonId::from_random(commons.random()), commons.random());
    let stopping = |_| Error::Unavailable("the program is stopping".to_owned());
    let turn = std::sync::Arc::clone(&commons.hashing).acquire_owned().await.map_err(stopping)?;
    let made = commons.run(move |store| {
        let _turn = turn;
        let password_hash = password::hash(&chosen, salt).map_err(|error| Error::bad("bad-password", error.to_string()))?;
        let person = NewPerson { id, email: String::new(), name, password_hash, operator: false, positions: Vec::new() };
        Ok::<_, Error>(store.accept_invite(&hash, person)?)
    });
    match made.await {
        Ok(()) => Ok(HttpResponse::Created()
            .content_type("text/plain; charset=utf-8")
            .insert_header(("Cache-Control", "no-store"))
            .body("You are in. Sign in with your address and the password you have just chosen.\n")),
        Err(Error::Bad { detail, .. } | Error::Conflict { detail, .. }) => {
            Ok(page_with(&invited, &detail, StatusCode::BAD_REQUEST))
        }
        Err(error) => Err(error),
    }
}
