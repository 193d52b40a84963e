//! `/api/v1/imports`: a file on its way into one's own list.

use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use hayward_domain::id::ImportId;
use hayward_domain::record::OrganizationNumber;
use hayward_importers::Matching;
use hayward_store::{Import, ImportState, NewImport, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::body;
use super::datasets::dataset_id;
use super::format::{Format, csv_line};
use super::params::{PAGE, Params};
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::{Detail, Error};

/// Bytes that are kept in one piece.
const PIECE: usize = 256 * 1024;
/// How long an answer waits for the work to be done before it says where to look.
const PATIENCE: Duration = Duration::from_secs(20);
/// Problems that an import carries along; the rest is under `/problems`.
const SHOWN: i64 = 100;

/// Takes a file.
pub async fn upload(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    payload: Payload,
) -> Result<HttpResponse, Error> {
    let dataset = dataset_id(&dataset)?;
    let mut params = Params::parse(request.query_string())?;
    let filename = params.take("filename").unwrap_or_else(|| "upload".to_owned());
    params.end()?;
    if filename.is_empty() || filename.chars().count() > 255 {
        return Err(Error::parameter("invalid-parameter", "filename", "`filename` has 1 to 255 characters"));
    }
    acceptable(&request)?;
    let caller = bearer.caller;
    let id = ImportId::from_random(commons.random());
    let new = NewImport { id: id.clone(), filename };
    let (owner, by) = (caller.organization, caller.name().to_owned());
    commons.run(move |store| store.begin_import(owner, &by, &dataset, &new)).await?;
    let id = match keep(&commons, &id, payload).await {
        Ok(id) => id,
        Err(error) => {
            commons.run(move |store| store.drop_upload(&id)).await?;
            return Err(error);
        }
    };
    let reading = import(&commons, owner, &id).await?;
    if reading.state != ImportState::Reading {
        return Ok(HttpResponse::Created().json(shown(&commons, reading).await?));
    }
    let done = at_work(&commons, reading, |store, import| store.read_import(import)).await?;
    let import = import(&commons, owner, &id).await?;
    let mut response = if done { HttpResponse::Created() } else { HttpResponse::Accepted() };
    response.insert_header((LOCATION, format!("/api/v1/imports/{id}")));
    Ok(response.json(shown(&commons, import).await?))
}

/// What a file may call itself. What it is, its bytes tell.
fn acceptable(request: &HttpRequest) -> Result<(), Error> {
    let Some(kind) = request.headers().get(CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = [
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/csv",
        "application/x-www-form-urlencoded",
    ];
    // curl calls anything a form unless told otherwise: that is no statement about the file.
    if kind.is_empty() || kind.starts_with("text/") && kind != "text/html" || known.contains(&kind.as_str()) {
        return Ok(());
    }
    Err(Error::bad("unsupported-media-type", "an import is the bytes of a CSV or JSON file"))
}

/// Keeps the body piece by piece: it is never in memory as a whole.
async fn keep(commons: &Commons, id: &ImportId, mut payload: Payload) -> Result<ImportId, Error> {
    let mut hasher = Sha256::new();
    let (mut size, mut position) = (0u64, 0i64);
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE);
    while let Some(bytes) = payload.next().await {
        let bytes = bytes.map_err(|_| Error::bad("invalid-body", "the upload broke off"))?;
        size += bytes.len() as u64;
        if size > commons.upload_limit {
            return Err(Error::bad("payload-too-large", format!("a file has at most {} bytes here", commons.upload_limit)));
        }
        hasher.update(&bytes);
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE {
            let (id, full) = (id.clone(), std::mem::take(&mut piece));
            commons.run(move |store| store.keep_piece(&id, position, full)).await?;
            position += 1;
        }
    }
    let hash = hayward_domain::id::base32(&hasher.finalize());
    let (id, size) = (id.clone(), i64::try_from(size).unwrap_or(i64::MAX));
    commons
        .run(move |store| {
            if !piece.is_empty() {
                store.keep_piece(&id, position, piece)?;
            }
            store.end_upload(&id, &hash, size)
        })
        .await
}

/// Runs long work on an import; whether it was done within our patience. Its outcome is in the import either way.
async fn at_work(
    commons: &Data<Commons>,
    import: Import,
    work: impl FnOnce(&std::sync::Arc<hayward_store::Store>, &Import) -> Result<(), StoreError> + Send + 'static,
) -> Result<bool, Error> {
    let commons = commons.clone();
    let task = actix_web::rt::spawn(async move {
        let _turn = commons.importing.acquire().await.map_err(|_| Error::Unavailable("the program is stopping".to_owned()))?;
        commons.run(move |store| work(store, &import)).await
    });
    match actix_web::rt::time::timeout(PATIENCE, task).await {
        Err(_) => Ok(false),
        Ok(Ok(done)) => done.map(|()| true),
        Ok(Err(_)) => Err(Error::Internal("the work on an import broke off".to_owned())),
    }
}

async fn import(commons: &Commons, owner: OrganizationNumber, id: &ImportId) -> Result<Import, Error> {
    let id = id.clone();
    commons.run(move |store| store.import(owner, &id)).await
}

async fn named(commons: &Commons, owner: OrganizationNumber, id: &str) -> Result<Import, Error> {
    import(commons, owner, &ImportId::parse(id).ok_or(Error::NotFound)?).await
}

/// An import as it goes out, with its first problems.
async fn shown(commons: &Commons, import: Import) -> Result<Value, Error> {
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
        if let Some(failure) = &import.failure {
            map.insert("failure".to_owned(), failure.clone());
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

/// Says where the columns go.
pub async fn rematch(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let matching: Matching = body::read(&request, &bytes)?;
    let owner = bearer.caller.organization;
    let import = named(&commons, owner, &id).await?;
    let _turn = commons.importing.acquire().await.map_err(|_| Error::Unavailable("the program is stopping".to_owned()))?;
    let faults = commons.run(move |store| store.rematch_import(&import, matching)).await?;
    if !faults.is_empty() {
        let errors = faults.into_iter().map(|fault| Detail {
            pointer: Some(fault.pointer.clone()),
            parameter: None,
            code: fault.code.to_string(),
            detail: fault.detail.clone(),
        });
        return Err(Error::Bad {
            code: "invalid-matching",
            detail: "these columns cannot go there".to_owned(),
            errors: errors.collect(),
        });
    }
    let import = named(&commons, owner, &id).await?;
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

/// What a commit will change, or has changed.
pub async fn diff(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let list = Numbered::of(&request, bearer.caller.name(), "diff", &id, &commons)?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let (after, limit) = (usize::try_from(list.after).unwrap_or(0), usize::try_from(list.limit).unwrap_or(usize::MAX - 1));
    let found = commons.run(move |store| store.import_diff(&import, after, limit)).await?;
    let items = found.iter().map(|item| serde_json::to_value(item).unwrap_or_default()).collect();
    list.respond(&commons, items, &["change", "row", "key", "fields"])
}

/// A list that is numbered from 1: a page as JSON, or everything as a spreadsheet.
struct Numbered {
    format: Format,
    after: i64,
    limit: i64,
    bound: Bound,
}

impl Numbered {
    fn of(request: &HttpRequest, caller: &str, what: &str, id: &str, commons: &Commons) -> Result<Self, Error> {
        let mut params = Params::parse(request.query_string())?;
        let (limit, cursor) = (params.limit()?, params.take("cursor"));
        params.end()?;
        let format = Format::of(request)?;
        let bound = Bound::to(caller, &[what, id]);
        let key = commons.store.keyring().cursor();
        let after = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map_or(0, |[after, ..]| after);
        let all = if format == Format::Json { PAGE } else { 100_000 };
        Ok(Self { format, after, limit: limit.unwrap_or(all), bound })
    }

    /// `found` holds one more than the limit if there are more.
    fn respond(&self, commons: &Commons, mut found: Vec<Value>, columns: &[&str]) -> Result<HttpResponse, Error> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let mut response = HttpResponse::Ok();
        response.insert_header(("Cache-Control", "private, no-store"));
        match self.format {
            Format::Json => {
                let position = [self.after + i64::try_from(found.len()).unwrap_or(0), 0, 0, 0, 0];
                let next = if more {
                    Some(self.bound.seal(commons.store.keyring().cursor(), commons.random(), position)?)
                } else {
                    None
                };
                Ok(response.json(json!({"items": found, "next": next})))
            }
            Format::Ndjson => {
                let lines: String = found.iter().map(|item| item.to_string() + "\n").collect();
                Ok(response.content_type(self.format.media_type()).body(lines))
            }
            Format::Csv => {
                let head: Vec<Value> = columns.iter().map(|name| (*name).into()).collect();
                let lines = found.iter().map(|item| csv_line(columns.iter().map(|name| item.get(name).unwrap_or(&Value::Null))));
                let text: String = std::iter::once(csv_line(&head)).chain(lines).collect();
                Ok(response.content_type(self.format.media_type()).body(text))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    edition: Option<i64>,
}

/// Writes an import into its list.
pub async fn commit(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Commit { edition } = body::read(&request, &bytes)?;
    let owner = bearer.caller.organization;
    let found = named(&commons, owner, &id).await?;
    if found.state == ImportState::Draft {
        return Err(undecided(&found));
    }
    let done = at_work(&commons, found, move |store, import| store.commit_import(import, edition)).await?;
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

/// Takes a committed import back.
pub async fn undo(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    body::read::<serde_json::Map<String, Value>>(&request, &bytes)?;
    let owner = bearer.caller.organization;
    let found = named(&commons, owner, &id).await?;
    let done = at_work(&commons, found, |store, import| store.undo_import(import).map(drop)).await?;
    finished(&commons, owner, &id, done).await
}

async fn finished(commons: &Commons, owner: OrganizationNumber, id: &str, done: bool) -> Result<HttpResponse, Error> {
    let import = named(commons, owner, id).await?;
    let mut response = if done { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(response.json(shown(commons, import).await?))
}
