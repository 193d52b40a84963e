//! `/account`: who one is here.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_domain::scope::Role;

use super::{Frame, Halt, Visitor, words};
use crate::commons::Commons;

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    frame: &'a Frame,
    name: &'a str,
    email: &'a str,
    offices: String,
    acts_for: Option<&'a str>,
    roles: String,
    several: bool,
}

/// Shows the account.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Visitor) -> Result<HttpResponse, Halt> {
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    let operator = visitor.operator.then_some(Role::Operator);
    let offices: Vec<Role> = operator.into_iter().chain(visitor.offices.iter().copied()).collect();
    let page = Page {
        frame: &frame,
        name: &visitor.name,
        email: &visitor.email,
        offices: words(&offices),
        acts_for: visitor.acts_for().map(|at| at.name.as_str()),
        roles: words(visitor.roles()),
        several: visitor.positions.len() > 1,
    };
    frame.page(StatusCode::OK, &page)
}
