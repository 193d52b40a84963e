//! `/api/v1/imports/{id}/events` and `/cancel`: watching the work on an import, and giving it up.

use std::time::{Duration, Instant};

use actix_web::rt::time::sleep;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use hayward_domain::id::ImportId;
use hayward_domain::record::OrganizationNumber;
use hayward_store::ImportState;
use serde::Deserialize;
use serde_json::{Value, json};

use super::imports::{named, shown};
use super::params::Params;
use super::{body, numbered::Numbered};
use crate::auth::bearer::{Bearer, ImportsWrite, unknown_token};
use crate::commons::Commons;
use crate::error::Error;

/// How often we look.
const TICK: Duration = Duration::from_millis(500);
/// After how long without news a line goes out that says nothing, so that nobody in between takes the connection for dead.
const QUIET: Duration = Duration::from_secs(15);
/// How long one watches at most; a browser connects anew by itself.
const LONGEST: Duration = Duration::from_secs(600);

/// Whoever watches, and what they were told last.
#[derive(Clone)]
struct Watch {
    owner: OrganizationNumber,
    import: ImportId,
    /// Looked up again before every event.
    token_hash: String,
    told: Value,
    since: Instant,
    until: Instant,
    ended: bool,
}

impl Watch {
    /// The next thing to be told; nothing once there is no more.
    async fn next(mut self, commons: &Commons) -> Result<Option<(Bytes, Self)>, Error> {
        let quiet = Instant::now();
        while !self.ended && self.since < self.until {
            let (hash, owner, import) = (self.token_hash.clone(), self.owner, self.import.clone());
            let (state, progress) = commons
                .run(move |store| {
                    store.caller(&hash).map_err(unknown_token)?;
                    store.import_standing(owner, &import).map_err(Error::from)
                })
                .await?;
            let now = json!({"id": self.import.as_str(), "state": state.as_str(), "progress": progress});
            if now != self.told {
                self.ended = !matches!(state, ImportState::Reading | ImportState::Committing);
                let event = if self.ended { "done" } else { "progress" };
                let text = format!("event: {event}\ndata: {now}\n\n");
                self.told = now;
                return Ok(Some((Bytes::from(text), self)));
            }
            sleep(TICK).await;
            self.since = Instant::now();
            if quiet.elapsed() > QUIET {
                return Ok(Some((Bytes::from_static(b": still at work\n\n"), self)));
            }
        }
        Ok(None)
    }
}

/// Tells how far the work on an import is, as server-sent events, until nobody is at work on it.
pub async fn events(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let owner = bearer.caller.organization;
    let import = ImportId::parse(&named(&commons, owner, &id).await?.id).ok_or(Error::NotFound)?;
    let since = Instant::now();
    let watch =
        Watch { owner, import, token_hash: bearer.token_hash, told: Value::Null, since, until: since + LONGEST, ended: false };
    let stream = try_unfold(watch, move |watch| {
        let commons = commons.clone();
        async move { watch.next(&commons).await }
    });
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream").insert_header(("Cache-Control", "private, no-store"));
    Ok(response.streaming(Box::pin(stream)))
}

/// Nothing has to be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Gives an import up.
pub async fn cancel(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Nothing {} = body::read(&request, &bytes)?;
    let owner = bearer.still(&commons).await?.organization;
    let import = named(&commons, owner, &id).await?;
    commons.run(move |store| store.cancel_import(&import)).await?;
    let import = named(&commons, owner, &id).await?;
    Ok(HttpResponse::Ok().json(shown(&commons, import).await?))
}

/// The imports of a list, the newest first.
pub async fn list(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let list = Numbered::of(&request, bearer.caller.name(), "imports", &dataset, &commons)?;
    let (owner, dataset) = (bearer.caller.organization, super::datasets::dataset_id(&dataset)?);
    let (after, limit) = (list.after, list.limit);
    let found = commons.run(move |store| store.imports(owner, &dataset, after, limit)).await?;
    list.respond(&commons, found, &["id", "filename", "state", "counts", "problem_count", "edition", "made_at"])
}
