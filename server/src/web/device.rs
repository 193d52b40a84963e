//! `/device`: a person types the code that a program shows elsewhere, and says yes or no (RFC 8628, section 3.3).
//!
//! A code that came with the address is only filled in: the person sends it, sees which program asks and compares the code, so that a
//! link alone allows nothing (section 5.4). Who types codes that are none is stopped for a while.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::scope::Scopes;
use hayward_store::{Caller, Client, DeviceFound};

use super::consent::Consent;
use super::{Frame, Halt, Posted, Visitor, query};
use crate::commons::Commons;
use crate::oauth;

#[derive(Template)]
#[template(path = "device.html")]
struct Page<'a> {
    frame: &'a Frame,
    message: &'a str,
    user_code: &'a str,
}

#[derive(Template)]
#[template(path = "device_consent.html")]
struct Ask<'a> {
    frame: &'a Frame,
    consent: &'a Consent,
    user_code: &'a str,
}

#[derive(Template)]
#[template(path = "device_done.html")]
struct Done<'a> {
    frame: &'a Frame,
    title: &'a str,
    text: &'a str,
}

/// Asks for the code.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Visitor) -> Result<HttpResponse, Halt> {
    let typed = query(&request, "user_code").and_then(|typed| oauth::user_code(&typed)).map(|(_, shown)| shown);
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    frame.page(StatusCode::OK, &Page { frame: &frame, message: "", user_code: &typed.unwrap_or_default() })
}

/// Looks a code up, or takes the person's word about it.
pub async fn decide(request: HttpRequest, commons: Data<Commons>, visitor: Visitor, form: Posted) -> Result<HttpResponse, Halt> {
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    let caller = visitor.caller(&commons).await?;
    let again = |message| frame.page(StatusCode::BAD_REQUEST, &Page { frame: &frame, message, user_code: "" });
    let Some((hash, shown)) = oauth::user_code(form.field("user_code")) else {
        return again("A code has eight letters, such as BCDF-GHJK.");
    };
    let (person, looked_up) = (visitor.person.clone(), hash.clone());
    let (client, scopes) = match commons.run(move |store| store.find_device(&person, &looked_up)).await? {
        DeviceFound::Waiting { client, scopes } => (client, scopes),
        DeviceFound::Nothing => {
            return again("No program waits under this code. It may be too old: let the program show another.");
        }
        DeviceFound::TooManyGuesses => {
            let message = "There were too many codes that were none. Try again in two hours.";
            let page = Page { frame: &frame, message, user_code: "" };
            return frame.page(StatusCode::TOO_MANY_REQUESTS, &page);
        }
    };
    let Some(client) = commons.run(move |store| store.client(client.as_str())).await? else {
        return again("The program that shows this code was revoked.");
    };
    if form.field("decision").is_empty() {
        let consent = Consent::of(&commons, &caller, &client, &scopes).await?;
        return frame.page(StatusCode::OK, &Ask { frame: &frame, consent: &consent, user_code: &shown });
    }
    if form.field("organization") != caller.organization_id.as_str() {
        return Err(Halt::Stale);
    }
    let (title, text) = match (form.field("decision"), said(&form, &commons, caller, client, scopes, hash).await?) {
        (_, false) => ("Nothing has changed", "No program waits under this code any more."),
        ("allow", true) => ("Allowed", "The program goes on by itself. You can close this page."),
        (_, true) => ("Denied", "The program was given nothing. You can close this page."),
    };
    frame.page(StatusCode::OK, &Done { frame: &frame, title, text })
}

/// Keeps the person's word. False where nothing waited for it any more.
async fn said(
    form: &Posted,
    commons: &Data<Commons>,
    caller: Caller,
    client: Client,
    scopes: Scopes,
    hash: String,
) -> Result<bool, Halt> {
    match (form.field("decision"), caller.person) {
        ("allow", Some(person)) => {
            let consent = oauth::consent(commons, &client, person, caller.organization, scopes);
            Ok(commons.run(move |store| store.allow_device(&hash, &consent)).await?)
        }
        ("deny", _) => Ok(commons.run(move |store| store.deny_device(&hash)).await?),
        _ => Err(Halt::Stale),
    }
}
