//! `/account/codes`: a second step of signing in is set up, confirmed by a first code, and turned off again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::id::base32;
use hayward_store::code_second;

use super::{Frame, Halt, Posted, Visitor, account, frame};
use crate::auth::codes::{self, Offer};
use crate::auth::throttle::Guess;
use crate::commons::Commons;
use crate::error::Error;

#[derive(Template)]
#[template(path = "codes.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
    /// Shown once, where it was just made.
    offer: Option<Offer>,
}

#[derive(Template)]
#[template(path = "recovery.html")]
struct Recovery<'a> {
    frame: &'a Frame,
    codes: Vec<String>,
}

/// Makes a secret and shows it, once.
pub async fn begin(request: HttpRequest, commons: Data<Commons>, visitor: Visitor, form: Posted) -> Result<HttpResponse, Halt> {
    match made(&request, &commons, &visitor, &form).await {
        Ok(secret) => {
            let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
            let offer = codes::offer(&secret, &frame.commons, &visitor.email)?;
            frame.page(StatusCode::OK, &Page { frame: &frame, message: "", offer: Some(offer) })
        }
        Err(error) => account::refused(&request, &commons, &visitor, error).await,
    }
}

async fn made(request: &HttpRequest, commons: &Data<Commons>, visitor: &Visitor, form: &Posted) -> Result<[u8; 20], Error> {
    // Who found a browser open must not lock its person out.
    account::proved(request, commons, visitor, form.exactly("password").to_owned()).await?;
    let (id, secret) = (format!("sec_{}", base32(&commons.random::<15>())), commons.random::<20>());
    let person = visitor.person.clone();
    commons.run(move |store| store.begin_second_step(&person, &id, &secret)).await?;
    Ok(secret)
}

/// Takes the first code; from then on codes are asked for. Shows the recovery codes, once.
pub async fn confirm(request: HttpRequest, commons: Data<Commons>, visitor: Visitor, form: Posted) -> Result<HttpResponse, Halt> {
    let guess = Guess::at_account(&request, &commons, &visitor.email).await?;
    let recovery = codes::recovery(|| commons.random());
    let hashes: Vec<String> = recovery.iter().map(|code| codes::recovery_hash(code)).collect();
    let (person, code) = (visitor.person.clone(), form.field("code").to_owned());
    let confirmed = commons
        .run(move |store| {
            let waiting = store.second_step(&person)?.filter(|step| !step.confirmed).ok_or(Error::NotFound)?;
            let Some(step) = codes::step(&waiting.secret, &code, code_second(store.now())) else { return Ok(false) };
            store.confirm_second_step(&person, &waiting.id, step, &hashes)?;
            Ok::<_, Error>(true)
        })
        .await?;
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    if !confirmed {
        let message = "This is not the code that your app should show now. Is its clock right?";
        return frame.page(StatusCode::BAD_REQUEST, &Page { frame: &frame, message, offer: None });
    }
    guess.taken_back(&commons).await?;
    frame.page(StatusCode::OK, &Recovery { frame: &frame, codes: recovery })
}

/// Asks for codes no more: with the password and a code, so that a browser that was left open is not enough.
pub async fn turn_off(
    request: HttpRequest,
    commons: Data<Commons>,
    visitor: Visitor,
    form: Posted,
) -> Result<HttpResponse, Halt> {
    match off(&request, &commons, &visitor, &form).await {
        Ok(()) => Ok(frame::onward("/account").finish()),
        Err(error) => account::refused(&request, &commons, &visitor, error).await,
    }
}

async fn off(request: &HttpRequest, commons: &Data<Commons>, visitor: &Visitor, form: &Posted) -> Result<(), Error> {
    account::proved(request, commons, visitor, form.exactly("password").to_owned()).await?;
    let guess = Guess::at_account(request, commons, &visitor.email).await?;
    let (person, code) = (visitor.person.clone(), form.field("code").to_owned());
    commons
        .run(move |store| {
            let wrong = || Error::bad("bad-password", "this code does not work");
            let step = store.second_step(&person)?.filter(|step| step.confirmed).ok_or_else(wrong)?;
            if !codes::take(store, &person, &step.secret, &code)? {
                return Err(wrong());
            }
            store.drop_second_step(&person)?;
            Ok(())
        })
        .await?;
    guess.proved(commons).await
}
