//! `/api/v1/records/{id}/…` and `/api/v1/erasures`: the person in the list.
//!
//! A report holds whatever is known of one record, and an erasure takes it out for good: both are for the people of the co-op whose list it
//! is in, and whoever else asks is answered as if there were no such record.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::ErasureId;
use hayward_domain::scope::Scope;
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::params::{PAGE, Params};
use crate::auth::bearer::{AgreementsApprove, Bearer, LedgerRead};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;
use crate::revocation;

/// How long who erases waits for the last of it to be gone. What takes longer goes on by itself.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Because {
    reason: String,
}

fn erasure_id(text: &str) -> Result<ErasureId, Error> {
    ErasureId::parse(text).ok_or(Error::NotFound)
}

/// Everything that is known of one of one's own records.
pub async fn report(
    request: HttpRequest,
    record: Path<String>,
    bearer: Bearer<LedgerRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    if !bearer.caller.scopes.has(&Scope::DatasetsRead) {
        return Err(Error::MissingScope(Scope::DatasetsRead));
    }
    Params::parse(request.query_string())?.end()?;
    let (ledger, caller) = (Arc::clone(&commons.ledger.store), bearer.caller);
    let owner = (caller.organization, caller.organization_id.to_string());
    let report = commons.run(move |store| store.subject_report(&ledger, (owner.0, &owner.1), &record)).await?;
    Ok(private().json(report.0))
}

/// Erases one of one's own records. Answered when nothing of it can be read any more.
pub async fn erase(
    request: HttpRequest,
    record: Path<String>,
    bearer: Bearer<AgreementsApprove>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Because { reason } = body::read(&request, &bytes)?;
    let id = ErasureId::from_random(commons.random());
    let caller = bearer.still(&commons).await?;
    let owner = (caller.organization, caller.organization_id.to_string());
    let ordered = id.clone();
    commons.run(move |store| store.erase(&caller, &record, &ordered, &reason)).await?;
    revocation::acknowledge().await;
    finish(&commons).await;
    let ledger = Arc::clone(&commons.ledger.store);
    let erased = commons.run(move |store| store.erasure(&ledger, (owner.0, &owner.1), &id)).await?;
    Ok(private().json(erased))
}

/// Deletes what is left, or leaves it to the jobs.
async fn finish(commons: &Data<Commons>) {
    let worker = commons.clone();
    let task = actix_web::rt::spawn(async move { worker.run(|store| store.finish_erasures()).await });
    if !matches!(actix_web::rt::time::timeout(PATIENCE, task).await, Ok(Ok(Ok(_)))) {
        commons.wake.notify_one();
    }
}

/// The erasures from one's own lists.
pub async fn list(request: HttpRequest, bearer: Bearer<LedgerRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?.unwrap_or(PAGE), params.take("cursor"));
    params.end()?;
    let bound = Bound::to(bearer.caller.name(), &["erasures"]);
    let key = commons.store.cursor_key();
    let below = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[below, ..]| below);
    let (ledger, caller) = (Arc::clone(&commons.ledger.store), bearer.caller);
    let owner = (caller.organization, caller.organization_id.to_string());
    let page = commons.run(move |store| store.erasures(&ledger, (owner.0, &owner.1), below, limit)).await?;
    let next = match page.below {
        Some(below) => Some(bound.seal(key, commons.random(), [below, 0, 0, 0, 0, 0, 0])?),
        None => None,
    };
    Ok(private().json(json!({"items": page.items, "next": next})))
}

/// One of them.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<LedgerRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let id = erasure_id(&id)?;
    let (ledger, caller) = (Arc::clone(&commons.ledger.store), bearer.caller);
    let owner = (caller.organization, caller.organization_id.to_string());
    let erasure = commons.run(move |store| store.erasure(&ledger, (owner.0, &owner.1), &id)).await?;
    Ok(private().json(erasure))
}

/// Lets a file add the record again.
pub async fn lift(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<AgreementsApprove>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Because { reason } = body::read(&request, &bytes)?;
    let (id, caller) = (erasure_id(&id)?, bearer.still(&commons).await?);
    let ledger = Arc::clone(&commons.ledger.store);
    let owner = (caller.organization, caller.organization_id.to_string());
    let erasure = commons
        .run(move |store| {
            store.lift_erasure(&caller, &id, &reason)?;
            store.erasure(&ledger, (owner.0, &owner.1), &id)
        })
        .await?;
    Ok(private().json(erasure))
}

/// An answer that nobody keeps.
fn private() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "private, no-store"));
    response
}
