//! `/healthz` and `/readyz`, and the pages that problems link to.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::commons::Commons;
use crate::error::Error;
use crate::problems;
use crate::routes;

/// The program runs.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// The program can answer: its database and its ledger do.
pub async fn ready(commons: Data<Commons>) -> Result<HttpResponse, Error> {
    commons.run(|store| store.ping()).await?;
    let ledger = commons.ledger.store.clone();
    commons.run(move |_| ledger.checkpoint("").map(drop)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}

/// What a problem means and what to do about it.
pub async fn problem(code: Path<String>) -> Result<HttpResponse, Error> {
    let page = problems::page(&code).ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(page))
}

/// Whatever no route answers.
pub async fn nothing(request: HttpRequest) -> Result<HttpResponse, Error> {
    // A token that opens nothing must not be told apart from none by what is missing.
    if routes::has_other_method(request.method(), request.path()) {
        return Err(Error::bad("method-not-allowed", "this address does not do that"));
    }
    Err(Error::NotFound)
}
