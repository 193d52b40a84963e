//! `/api/v1/imports`: a file on its way into one's own list.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::ImportId;
use hayward_domain::record::OrganizationNumber;
use hayward_store::{Import, ImportState, Seen, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use super::numbered::Numbered;
use super::params::Params;
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::error::{Detail, Error};

/// How long an answer waits for the work to be done before it says where to look, unless the request says `Prefer: respond-async`
/// (RFC 7240).
const PATIENCE: Duration = Duration::from_secs(20);
/// Problems that an import carries along; the rest is under `/problems`.
const SHOWN: i64 = 100;

/// Runs long work on an import; whether it was done within our patience. Its outcome is in the import either way.
///
/// # Errors
/// The work's.
pub async fn at_work(
    request: &HttpRequest,
    commons: &Data<Commons>,
    import: Import,
    work: impl FnOnce(&std::sync::Arc<hayward_store::Store>, &Import) -> Result<(), StoreError> + Send + 'static,
) -> Result<bool, Error> {
    let commons = commons.clone();
    let task = actix_web::rt::spawn(async move {
        let turn = turn(&commons).await?;
        let done = commons
            .run(move |store| {
                let _turn = turn;
                work(store, &import)
            })
            .await;
        // Whoever asked may have been told to look later: then this is the only place that says what went wrong.
        if let Err(Error::Internal(cause) | Error::Unavailable(cause)) = &done {
            tracing::error!(cause, "work on an import failed");
        }
        done
    });
    let patience = if is_hasty(request) { Duration::ZERO } else { PATIENCE };
    match actix_web::rt::time::timeout(patience, task).await {
        Err(_) => Ok(false),
        Ok(Ok(done)) => done.map(|()| true),
        Ok(Err(_)) => Err(Error::Internal("the work on an import broke off".to_owned())),
    }
}

/// Whether the request would rather have an answer at once.
fn is_hasty(request: &HttpRequest) -> bool {
    let said =
        request.headers().get_all("Prefer").filter_map(|value| value.to_str().ok()).flat_map(|text| text.split([',', ';']));
    said.map(str::trim).any(|word| word.eq_ignore_ascii_case("respond-async"))
}

/// A turn at reading or writing files. It goes along with the work: a client that hangs up does not make room for another.
///
/// # Errors
/// Only that the program is stopping.
pub async fn turn(commons: &Commons) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
    let turn = std::sync::Arc::clone(&commons.importing).acquire_owned().await;
    turn.map_err(|_| Error::Unavailable("the program is stopping".to_owned()))
}

/// One import of the owner's.
///
/// # Errors
/// [`Error::NotFound`] if it is not theirs.
pub async fn import(commons: &Commons, owner: OrganizationNumber, id: &ImportId) -> Result<Import, Error> {
    let id = id.clone();
    commons.run(move |store| store.import(owner, &id)).await
}

/// The same, by what stands in the address.
///
/// # Errors
/// [`Error::NotFound`] if it is not theirs.
pub async fn named(commons: &Commons, owner: OrganizationNumber, id: &str) -> Result<Import, Error> {
    import(commons, owner, &ImportId::parse(id).ok_or(Error::NotFound)?).await
}

/// An import as it goes out, with its first problems.
///
/// # Errors
/// Only the database's.
pub async fn shown(commons: &Commons, import: Import) -> Result<Value, Error> {
    commons
        .run(move |store| {
            let mut problems = store.problems(&import, 0, SHOWN)?;
            problems.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
            Ok::<_, StoreError>(to_json(&import, problems))
        })
        .await
}

/// An import with these of its problems.
#[must_use]
pub fn to_json(import: &Import, problems: Vec<Value>) -> Value {
    let mut shown = json!({
        "id": import.id,
        "dataset": import.dataset,
        "filename": import.filename,
        "state": import.state.as_str(),
        "reading": import.reading,
        "columns": import.columns,
        "problems": problems,
        "problem_count": import.problem_count,
        "edition": import.edition,
    });
    if let Value::Object(map) = &mut shown {
        if import.state != ImportState::Reading {
            map.insert("counts".to_owned(), import.counts.clone().unwrap_or_default());
        }
        if let Some(progress) = &import.progress {
            map.insert("progress".to_owned(), json!(progress));
        }
        if let Some(failure) = &import.failure {
            map.insert("failure".to_owned(), failure.clone());
        }
        if let Some(undone) = &import.undone {
            map.insert("undone".to_owned(), undone.clone());
        }
    }
    shown
}

/// One import.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    Ok(HttpResponse::Ok().json(shown(&commons, import).await?))
}

/// What is wrong with the file.
pub async fn problems(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let list = Numbered::of(&request, bearer.caller.name(), "problems", &id, &commons)?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let (after, limit) = (list.after, list.limit);
    let found = commons.run(move |store| store.problems(&import, after, limit)).await?;
    let columns = ["row", "column", "header", "value", "code", "message", "suggestion"];
    list.respond(&commons, found, &columns)
}

/// The same, every mistake told once.
pub async fn problem_groups(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let list = Numbered::of(&request, bearer.caller.name(), "problem groups", &id, &commons)?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let (after, limit) = (usize::try_from(list.after).unwrap_or(0), usize::try_from(list.limit).unwrap_or(usize::MAX - 1));
    let found = commons.run(move |store| store.problem_groups(&import, after, limit)).await?;
    let items = found.iter().map(|group| serde_json::to_value(group).unwrap_or_default()).collect();
    list.respond(&commons, items, &["column", "header", "code", "value", "various", "message", "suggestion", "count", "rows"])
}

/// What was looked at: nothing is committed to another edition.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    edition: Option<i64>,
    /// How many records may go, where it is more than a fifth of the list.
    removals: Option<u64>,
}

/// Writes an import into its list.
pub async fn commit(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Commit { edition, removals } = body::read(&request, &bytes)?;
    let owner = bearer.still(&commons).await?.organization;
    let found = named(&commons, owner, &id).await?;
    if found.state == ImportState::Draft {
        return Err(undecided(&found));
    }
    let done =
        at_work(&request, &commons, found, move |store, import| store.commit_import(import, Seen { edition, removals })).await?;
    finished(&commons, owner, &id, done).await
}

/// Names the columns that wait for a decision.
fn undecided(import: &Import) -> Error {
    let columns = import.columns.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let open = columns.iter().enumerate().filter(|(_, column)| column.get("field").is_none_or(Value::is_null));
    let errors: Vec<Detail> = open
        .map(|(at, column)| {
            let text = |name: &str| column.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Detail {
                pointer: Some(format!("/columns/{at}")),
                parameter: None,
                code: "undecided-column".to_owned(),
                detail: format!("column {} (`{}`) has no decision yet", text("column"), text("header")),
            }
        })
        .collect();
    Error::Bad { code: "undecided-columns", detail: format!("{} columns have no decision yet", errors.len()), errors }
}

/// The import as work on it has left it.
///
/// # Errors
/// As [`import`].
pub async fn finished(commons: &Commons, owner: OrganizationNumber, id: &str, done: bool) -> Result<HttpResponse, Error> {
    let import = named(commons, owner, id).await?;
    let mut response = if done { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(response.json(shown(commons, import).await?))
}
