//! `/invite`: somebody who was invited says what they are called and chooses a password, once.
//!
//! The key is in the address. Looking uses nothing up, since mail programs and chat rooms open addresses by themselves; only the
//! form does. A key that opens nothing, or no longer, is answered like an address that nothing has.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::id::PersonId;
use hayward_store::{Invited, NewPerson};

use super::frame::Done;
use super::{Frame, Halt, Posted, query};
use crate::auth::throttle::{Guess, Guessed};
use crate::auth::{password, secret};
use crate::commons::Commons;
use crate::error::Error;

#[derive(Template)]
#[template(path = "invite.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
    organization: &'a str,
    email: &'a str,
}

/// The hash of the key in the address, and what it opens. A key that opens nothing is counted.
async fn opened(request: &HttpRequest, commons: &Data<Commons>) -> Result<(String, Invited), Error> {
    let hash = query(request, "key").filter(|key| !key.is_empty()).map(|key| secret::hash(&key)).ok_or(Error::NotFound)?;
    let guess = Guess::at(request, commons, Guessed::InviteKey).await?;
    let looked_up = hash.clone();
    let invited = commons.run(move |store| store.invited(&looked_up)).await?;
    guess.taken_back(commons).await?;
    Ok((hash, invited))
}

/// Shows the form.
pub async fn page(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Halt> {
    let (_, invited) = opened(&request, &commons).await?;
    page_with(&request, &commons, &invited, "", StatusCode::OK).await
}

async fn page_with(
    request: &HttpRequest,
    commons: &Data<Commons>,
    invited: &Invited,
    message: &str,
    status: StatusCode,
) -> Result<HttpResponse, Halt> {
    let frame = Frame::new(request, commons, None).await?;
    let (organization, email) = (&invited.organization, &invited.email);
    frame.page(status, &Page { frame: &frame, message, organization, email })
}

/// Makes the person.
pub async fn accept(request: HttpRequest, commons: Data<Commons>, form: Posted) -> Result<HttpResponse, Halt> {
    // Before anything is hashed: who holds no invitation costs nothing.
    let (hash, invited) = opened(&request, &commons).await?;
    let (name, chosen) = (form.field("name").to_owned(), form.exactly("password").to_owned());
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
        Ok(()) => {
            let frame = Frame::new(&request, &commons, None).await?;
            let text = "Sign in with your address and the password you have just chosen.";
            frame.page(StatusCode::CREATED, &Done { frame: &frame, title: "You are in", text })
        }
        Err(Error::Bad { detail, .. } | Error::Conflict { detail, .. }) => {
            page_with(&request, &commons, &invited, &detail, StatusCode::BAD_REQUEST).await
        }
        Err(error) => Err(error.into()),
    }
}
