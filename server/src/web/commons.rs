//! `/commons`: who belongs to the commons, for whoever holds an office of it. Names of member co-ops, and nothing of their lists.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use hayward_store::Organization;

use super::{Frame, Halt, Visitor, account};
use crate::commons::Commons;
use crate::error::Error;

#[derive(Template)]
#[template(path = "commons.html")]
struct Page<'a> {
    frame: &'a Frame,
    organizations: Vec<Organization>,
}

/// Shows the member co-ops.
pub async fn page(request: HttpRequest, commons: Data<Commons>, visitor: Visitor) -> Result<HttpResponse, Halt> {
    if account::offices(&visitor).is_empty() {
        return Err(Error::NotFound.into());
    }
    let organizations = commons.run(|store| store.organizations()).await?;
    let frame = Frame::new(&request, &commons, Some(&visitor)).await?;
    frame.page(StatusCode::OK, &Page { frame: &frame, organizations })
}
