//! `/oauth/authorize`: a program asks a person, and the person says yes or no.
//!
//! What is wrong with the program or its address is said on a page; anything else is said to the program. The person is asked each
//! time: a yes of before is no yes to this.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::consent::Consent;
use super::{Frame, Halt, Posted, Visitor, frame};
use crate::commons::Commons;
use crate::oauth::{Asked, NotAsked};

#[derive(Template)]
#[template(path = "authorize.html")]
struct Page<'a> {
    frame: &'a Frame,
    consent: &'a Consent,
    /// Where the browser goes afterwards.
    leads_to: &'a str,
    /// The request, to be read anew.
    asked: &'a str,
}

#[derive(Template)]
#[template(path = "unasked.html")]
struct Unasked<'a> {
    frame: &'a Frame,
    text: &'a str,
}

/// Asks the person.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Result<Visitor, Halt>) -> Result<HttpResponse, Halt> {
    let query = request.query_string();
    let asked = match Asked::read(query, &commons).await {
        Ok(asked) => asked,
        Err(why) => return unasked(why, &request, &commons, visitor.as_ref().ok()).await,
    };
    let visitor = visitor?;
    let caller = visitor.caller(&commons).await?;
    let consent = Consent::of(&commons, &caller, &asked.client, &asked.scopes).await?;
    let mut frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    if let Some(origin) = asked.origin() {
        frame = frame.leading_to(&origin);
    }
    frame.page(StatusCode::OK, &Page { frame: &frame, consent: &consent, leads_to: asked.leads_to(), asked: query })
}

async fn unasked(
    why: NotAsked,
    request: &HttpRequest,
    commons: &Data<Commons>,
    visitor: Option<&Visitor>,
) -> Result<HttpResponse, Halt> {
    match why {
        NotAsked::Ours(error) => Err(error.into()),
        NotAsked::Sent(location) => Ok(frame::onward(&location).finish()),
        NotAsked::Page(text) => {
            let frame = Frame::new(request, commons, visitor).await?;
            frame.page(StatusCode::BAD_REQUEST, &Unasked { frame: &frame, text })
        }
    }
}

/// Takes the person's word.
pub async fn decide(request: HttpRequest, commons: Data<Commons>, visitor: Visitor, form: Posted) -> Result<HttpResponse, Halt> {
    let asked = match Asked::read(form.exactly("asked"), &commons).await {
        Ok(asked) => asked,
        Err(why) => return unasked(why, &request, &commons, Some(&visitor)).await,
    };
    let caller = visitor.caller(&commons).await?;
    // Meanwhile they may have begun to act for another member co-op, in another window.
    if form.field("organization") != caller.organization_id.as_str() {
        return Err(Halt::Stale);
    }
    let location = match (form.field("decision"), caller.person) {
        ("allow", Some(person)) => asked.allowed(&commons, person, caller.organization).await?,
        ("deny", _) => asked.denied(&commons),
        _ => return Err(Halt::Stale),
    };
    Ok(frame::onward(&location).finish())
}
