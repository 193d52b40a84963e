//! `/sign-in` and `/sign-out`.
//!
//! * Signing in gives the browser another cookie than any it had, and ends what it had open: nobody can prepare a session for somebody
//!   else to sign in to.
//! * `next` is a path of ours ([`super::local`]) or it is forgotten.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::id::base32;
use hayward_store::{NewPageSession, Person, Proof};

use super::{Frame, Halt, Posted, Visitor, cookie, frame, local, query};
use crate::auth::sign_in::{self, Credentials, LIFE};
use crate::auth::{program, secret};
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

/// Where somebody goes who was on the way nowhere.
const HOME: &str = "/account";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
    email: &'a str,
    next: &'a str,
}

/// Shows the form.
pub async fn page(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Halt> {
    let next = query(&request, "next").and_then(|next| local(&next)).unwrap_or_default();
    let frame = Frame::new(&request, &commons, None).await?;
    frame.page(StatusCode::OK, &Page { frame: &frame, message: "", email: "", next: &next })
}

/// Signs somebody in.
pub async fn submit(request: HttpRequest, commons: Data<Commons>, form: Posted) -> Result<HttpResponse, Halt> {
    let next = local(form.field("next"));
    let given = Credentials { email: form.field("email").to_owned(), password: form.exactly("password").to_owned() };
    match sign_in::prove(&request, &commons, given).await {
        Ok(person) => {
            let kept = person.password_hash.clone();
            begin(&request, &commons, &person, Kept::Password(kept), next).await
        }
        Err(error @ (Error::Bad { .. } | Error::TooSoon(_))) => {
            let frame = Frame::new(&request, &commons, None).await?;
            let message = match &error {
                Error::TooSoon(_) => error.to_string(),
                _ => "This address and password open nothing.".to_owned(),
            };
            let (email, next) = (form.field("email"), next.unwrap_or_default());
            let status = actix_web::ResponseError::status_code(&error);
            let mut page = frame.page(status, &Page { frame: &frame, message: &message, email, next: &next })?;
            if let Some(seconds) = error.retry_after() {
                page.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds.into());
            }
            Ok(page)
        }
        Err(error) => Err(error.into()),
    }
}

/// By what a person has proved who they are.
pub(super) enum Kept {
    /// The hash that their password was checked against.
    Password(String),
}

impl Kept {
    fn proof(&self) -> Proof<'_> {
        match self {
            Self::Password(hash) => Proof::Password(hash),
        }
    }
}

/// Begins a session and sends the browser on.
pub(super) async fn begin(
    request: &HttpRequest,
    commons: &Data<Commons>,
    person: &Person,
    kept: Kept,
    next: Option<String>,
) -> Result<HttpResponse, Halt> {
    let value = base32(&commons.random::<32>());
    let new = NewPageSession {
        id: format!("ses_{}", base32(&commons.random::<15>())),
        hash: secret::hash(&value),
        person: person.id.clone(),
        // Who belongs to several says for which they act.
        organization: match person.positions.as_slice() {
            [(only, _)] => Some(only.number),
            _ => None,
        },
        program: program::words(request),
        expires_at: commons.store.now().plus(LIFE),
    };
    let former = cookie::value(request, cookie::Kind::Session).map(|value| secret::hash(&value));
    let begun = commons.run(move |store| {
        if let Some(former) = former {
            store.end_page_session(&former)?;
        }
        store.begin_page_session(&new, kept.proof())
    });
    match begun.await {
        Ok(()) => {}
        // Meanwhile another password was set, or the person was shut out.
        Err(Error::NotFound) => return Err(sign_in::wrong().into()),
        Err(error) => return Err(error.into()),
    }
    let mut response = frame::onward(next.as_deref().unwrap_or(HOME));
    response.cookie(cookie::given(request, cookie::Kind::Session, value));
    // Forms hang on the session from now on.
    response.cookie(cookie::taken(request, cookie::Kind::Form));
    Ok(response.finish())
}

/// Signs out at this browser.
pub async fn sign_out(
    request: HttpRequest,
    commons: Data<Commons>,
    visitor: Visitor,
    _form: Posted,
) -> Result<HttpResponse, Halt> {
    let hash = visitor.hash().to_owned();
    commons.run(move |store| store.end_page_session(&hash)).await?;
    revocation::acknowledge().await;
    Ok(frame::onward("/sign-in").cookie(cookie::taken(&request, cookie::Kind::Session)).finish())
}
