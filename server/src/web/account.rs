//! `/account`: who one is here, what one has open, and the password.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use hayward_domain::scope::Role;
use hayward_store::ListedSession;

use super::{Frame, Halt, Posted, Visitor, cookie, frame, words};
use crate::auth::password;
use crate::auth::throttle::Guess;
use crate::commons::Commons;
use crate::error::Error;
use crate::revocation;

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
    name: &'a str,
    email: &'a str,
    offices: String,
    acts_for: Option<&'a str>,
    roles: String,
    several: bool,
    sessions: Vec<ListedSession>,
    this: &'a str,
    codes_on: bool,
    recovery_left: i64,
}

/// What somebody is in the commons itself.
pub(super) fn offices(visitor: &Visitor) -> Vec<Role> {
    visitor.operator.then_some(Role::Operator).into_iter().chain(visitor.offices.iter().copied()).collect()
}

/// Shows the account.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Visitor) -> Result<HttpResponse, Halt> {
    page_with(&request, &commons, &visitor, "", StatusCode::OK).await
}

async fn page_with(
    request: &HttpRequest,
    commons: &Data<Commons>,
    visitor: &Visitor,
    message: &str,
    status: StatusCode,
) -> Result<HttpResponse, Halt> {
    let frame = Frame::new(request, commons, Some(visitor)).await?;
    let person = visitor.person.clone();
    let (sessions, codes_on, recovery_left) = commons
        .run(move |store| {
            let codes_on = store.second_step(&person)?.is_some_and(|step| step.confirmed);
            Ok::<_, Error>((store.sessions(&person)?, codes_on, store.recovery_codes_left(&person)?))
        })
        .await?;
    let page = Page {
        frame: &frame,
        message,
        name: &visitor.name,
        email: &visitor.email,
        offices: words(&offices(visitor)),
        acts_for: visitor.acts_for().map(|at| at.name.as_str()),
        roles: words(visitor.roles()),
        several: visitor.positions.len() > 1,
        sessions,
        this: &visitor.id,
        codes_on,
        recovery_left,
    };
    frame.page(status, &page)
}

/// The account with what was wrong; what is no fault of the visitor's goes on as it is.
pub(super) async fn refused(
    request: &HttpRequest,
    commons: &Data<Commons>,
    visitor: &Visitor,
    error: Error,
) -> Result<HttpResponse, Halt> {
    match error {
        Error::Bad { .. } | Error::Conflict { .. } => {
            page_with(request, commons, visitor, &error.to_string(), error.status_code()).await
        }
        other => Err(other.into()),
    }
}

/// Ends one session. Ending this one is signing out.
pub async fn end_session(
    request: HttpRequest,
    commons: Data<Commons>,
    visitor: Visitor,
    form: Posted,
) -> Result<HttpResponse, Halt> {
    let (person, id) = (visitor.person.clone(), form.field("id").to_owned());
    let here = id == visitor.id;
    commons.run(move |store| store.end_session(&person, &id)).await?;
    revocation::acknowledge().await;
    if here {
        return Ok(frame::onward("/sign-in").cookie(cookie::taken(&request, cookie::Kind::Session)).finish());
    }
    Ok(frame::onward("/account").finish())
}

/// The hash that the visitor's password is kept under, if `given` is their password. A guess like any other.
pub(super) async fn proved(
    request: &HttpRequest,
    commons: &Data<Commons>,
    visitor: &Visitor,
    given: String,
) -> Result<String, Error> {
    let guess = Guess::at_account(request, commons, &visitor.email).await?;
    let stopping = |_| Error::Unavailable("the program is stopping".to_owned());
    let turn = std::sync::Arc::clone(&commons.hashing).acquire_owned().await.map_err(stopping)?;
    let email = visitor.email.clone();
    let kept = commons
        .run(move |store| {
            let _turn = turn;
            let kept = store.person(&email)?.ok_or(Error::NotFound)?.password_hash;
            if password::matches(&given, &kept) { Ok(kept) } else { Err(Error::bad("bad-password", "this is not your password")) }
        })
        .await?;
    guess.proved(commons).await?;
    Ok(kept)
}

/// Takes another password, and ends every other session.
pub async fn change_password(
    request: HttpRequest,
    commons: Data<Commons>,
    visitor: Visitor,
    form: Posted,
) -> Result<HttpResponse, Halt> {
    match change(&request, &commons, &visitor, &form).await {
        Ok(()) => {
            revocation::acknowledge().await;
            page_with(&request, &commons, &visitor, "Your password is changed, and everything else is ended.", StatusCode::OK)
                .await
        }
        Err(error) => refused(&request, &commons, &visitor, error).await,
    }
}

async fn change(request: &HttpRequest, commons: &Data<Commons>, visitor: &Visitor, form: &Posted) -> Result<(), Error> {
    let kept = proved(request, commons, visitor, form.exactly("current").to_owned()).await?;
    let (chosen, salt) = (form.exactly("chosen").to_owned(), commons.random());
    let (person, this) = (visitor.person.clone(), visitor.id.clone());
    let stopping = |_| Error::Unavailable("the program is stopping".to_owned());
    let turn = std::sync::Arc::clone(&commons.hashing).acquire_owned().await.map_err(stopping)?;
    let changed = commons.run(move |store| {
        let _turn = turn;
        let hash = password::hash(&chosen, salt).map_err(|error| Error::bad("bad-password", error.to_string()))?;
        Ok::<_, Error>(store.change_password(&person, &kept, &hash, Some(&this))?)
    });
    changed.await
}
