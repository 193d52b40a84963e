//! `/acting`: who belongs to several member co-ops says for which they act. It is never guessed, and stands on every page.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, Halt, Posted, Visitor, frame, local, query, words};
use crate::commons::Commons;
use crate::error::Error;

struct Place<'a> {
    slug: &'a str,
    name: &'a str,
    roles: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "acting.html")]
struct Page<'a> {
    frame: &'a Frame,
    name: &'a str,
    email: &'a str,
    places: Vec<Place<'a>>,
    next: &'a str,
}

/// Shows the choice.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Visitor) -> Result<HttpResponse, Halt> {
    let next = query(&request, "next").and_then(|next| local(&next)).unwrap_or_default();
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    let places = visitor.positions.iter().map(|(at, roles)| Place {
        slug: &at.slug,
        name: &at.name,
        roles: words(roles),
        chosen: visitor.organization == Some(at.number),
    });
    let page = Page { frame: &frame, name: &visitor.name, email: &visitor.email, places: places.collect(), next: &next };
    frame.page(StatusCode::OK, &page)
}

/// Takes the choice.
pub async fn choose(commons: Data<Commons>, visitor: Visitor, form: Posted) -> Result<HttpResponse, Halt> {
    let named = visitor.positions.iter().find(|(at, _)| at.slug == form.field("organization"));
    let number = named.map(|(at, _)| at.number).ok_or(Error::NotFound)?;
    let session = (*visitor).clone();
    commons.run(move |store| store.act_for(&session, number)).await?;
    Ok(frame::onward(local(form.field("next")).as_deref().unwrap_or("/account")).finish())
}
