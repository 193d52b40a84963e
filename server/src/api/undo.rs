//! `/api/v1/imports/{id}/undo`: taking an import back, and what that does to each record.
//!
//! Whoever asks for it is told what stays as it is because something else changed it since, and to whom the import's records were given
//! in the meantime: undo stops the future, and recalls no copy. It is their own list, so they may know.

use std::sync::Arc;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_store::{Import, LedgerStore, Store, StoreError, UndoItem};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body;
use super::imports::{at_work, finished, named, turn};
use super::params::{PAGE, Params};
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;

/// What was looked at: an import of another edition is not undone, nor one of which more records would stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    edition: Option<i64>,
    #[serde(default)]
    kept: u64,
}

/// Takes a committed import back.
pub async fn undo(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Undo { edition, kept } = body::read(&request, &bytes)?;
    let caller = bearer.still(&commons).await?;
    let (owner, provider) = (caller.organization, caller.organization_id.to_string());
    let found = named(&commons, owner, &id).await?;
    if edition.is_some_and(|edition| edition != found.edition) {
        return Err(Error::Conflict { code: "stale", detail: "this import is of another edition".to_owned() });
    }
    let ledger = Arc::clone(&commons.ledger.store);
    let work = move |store: &Arc<Store>, import: &Import| {
        store.undo_import(import, Some(kept))?;
        // After it: nobody is given these records anew. Cursors from before go on to their end, as they do after every edition.
        if let Err(error) = note_given(store, &ledger, &provider, import) {
            // The undo stands, and the list can be asked for again.
            tracing::warn!(%error, "to whom an undone import had been given was not written down");
        }
        Ok(())
    };
    let done = at_work(&request, &commons, found, work).await?;
    finished(&commons, owner, &id, done).await
}

fn note_given(store: &Store, ledger: &LedgerStore, provider: &str, import: &Import) -> Result<(), StoreError> {
    let given = ledger.given(provider, &store.shown_of_import(import)?)?;
    store.note_given(import, &given)
}

/// What an undo would do, or did. The first page says how much and to whom the records were given; the others go on with the records.
pub async fn foresee(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor, outcome) = (params.limit()?.unwrap_or(PAGE), params.take("cursor"), params.take("outcome"));
    params.end()?;
    let wanted = match outcome.as_deref() {
        None => None,
        Some("kept") => Some(true),
        Some("reversed") => Some(false),
        Some(_) => return Err(Error::parameter("invalid-parameter", "outcome", "`outcome` is `kept` or `reversed`")),
    };
    let bound = Bound::to(bearer.caller.name(), &["undo", &id, outcome.as_deref().unwrap_or_default()]);
    let key = commons.store.cursor_key();
    let from = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[removed, row, ..]| (removed == 1, row));
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let (ledger, provider) = (Arc::clone(&commons.ledger.store), bearer.caller.organization_id.to_string());
    // To look through all records, and the ledger, is long work where the import was large.
    let turn = if from.is_none() { Some(turn(&commons).await?) } else { None };
    let (mut answer, page) = commons
        .run(move |store| {
            let _turn = turn;
            let answer = if from.is_none() { summary(store, &ledger, &provider, &import)? } else { Map::new() };
            Ok::<_, StoreError>((answer, store.undo_items(&import, wanted, from.unwrap_or_default(), limit)?))
        })
        .await?;
    let next = match page.next {
        Some((removed, row)) => Some(bound.seal(key, commons.random(), [i64::from(removed), row, 0, 0, 0, 0, 0])?),
        None => None,
    };
    answer.insert("items".to_owned(), page.items.iter().map(item).collect());
    answer.insert("next".to_owned(), next.into());
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(answer))
}

fn summary(store: &Store, ledger: &LedgerStore, provider: &str, import: &Import) -> Result<Map<String, Value>, StoreError> {
    let undoing = store.undoing(import)?;
    let given = ledger.given(provider, &store.shown_of_import(import)?)?;
    let summary = json!({"reversed": undoing.reversed, "kept": undoing.kept, "disclosed": given});
    match summary {
        Value::Object(summary) => Ok(summary),
        _ => Ok(Map::new()),
    }
}

fn item(item: &UndoItem) -> Value {
    let outcome = if item.kept { "kept" } else { "reversed" };
    let mut shown = json!({"outcome": outcome, "change": item.change, "key": item.key});
    if let (Value::Object(shown), Some(by)) = (&mut shown, &item.by) {
        shown.insert("by".to_owned(), by.as_str().into());
    }
    shown
}
