//! `GET /api/v1/changes`: what moved in what is shared with the caller.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::DisclosureId;
use hayward_domain::scope::Scope;
use hayward_store::{Caller, ChangeItem, ChangesFrom, ChangesPage, Refusal, ShareQuery, Store, StoreError, Viewer};
use serde::Deserialize;

use super::body;
use super::params::{PAGE, Params};
use super::reading::{ReadError, answered, refusals};
use super::shared::retried;
use crate::auth::bearer::{Anyone, Bearer, Reader, unknown_token};
use crate::commons::Commons;
use crate::cursor::{self, Bound};
use crate::error::Error;
use crate::ledger::{Answer, Given};
use crate::revocation;

/// One page of the feed, as it was read.
struct Read {
    page: ChangesPage,
    caller: Option<Caller>,
    opened: std::time::Instant,
    bound: Bound,
    /// When the commits that the next page goes on from were the newest: what is seen, and the target, if one is pinned.
    times: [i64; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Applied {
    cursor: String,
    agreement: Option<String>,
}

/// Hears that a client has applied the feed up to a cursor that it was given. The answer is the same whatever that is good for.
pub async fn acknowledge(
    request: HttpRequest,
    bearer: Bearer<Anyone>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let Applied { cursor, agreement } = body::read(&request, &bytes)?;
    let caller = bearer.still(&commons).await?;
    commons
        .run(move |store| {
            let mine = readable(&caller, &store.collections()?)?;
            let bound = bound(caller.name(), agreement.as_deref(), &mine);
            let [seen, ..] = bound.open(store.cursor_key(), &cursor)?;
            Ok::<_, Error>(store.acknowledge(&caller, &mine, agreement.as_deref(), seen)?)
        })
        .await?;
    Ok(HttpResponse::NoContent().insert_header(("Cache-Control", "private, no-store")).finish())
}

/// The collections that a token may read.
fn readable(caller: &Caller, collections: &[String]) -> Result<Vec<String>, Error> {
    let mine = collections.iter().filter(|name| caller.scopes.has(&Scope::Read((*name).clone())));
    let mine: Vec<String> = mine.cloned().collect();
    if mine.is_empty() {
        return Err(Error::MissingScope(Scope::Read("organizations".to_owned())));
    }
    Ok(mine)
}

/// What a token may read belongs to what a position means: another token of the same caller may read more.
fn bound(caller: &str, agreement: Option<&str>, mine: &[String]) -> Bound {
    Bound::to(caller, &["changes", agreement.unwrap_or_default(), &mine.join(",")])
}

/// What to apply to a copy since `cursor`.
pub async fn list(request: HttpRequest, reader: Reader, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let limit = params.limit()?.unwrap_or(PAGE);
    let (cursor, agreement) = (params.take("cursor"), params.take("agreement"));
    params.end()?;
    for _ in 0..3 {
        // A try that was written down and not handed over keeps its entry, which has this id.
        let id = DisclosureId::at(commons.store.now(), commons.random());
        let (kept, viewer, cursor, agreement) = (commons.kept, reader.0.clone(), cursor.clone(), agreement.clone());
        let wanted = ShareQuery { agreement: agreement.clone(), ..ShareQuery::default() };
        let read = retried(&commons, move |store| read(store, kept, &viewer, cursor.as_deref(), agreement.clone(), limit)).await;
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                let viewer = reader.0.clone();
                let refused = move |store: &Store| refused(store, &viewer, &wanted);
                return Err(answered(&commons, &reader.0, error, refused).await);
            }
        };
        let answer = Answer { id: &id, chunk: 0, caller: read.caller.as_ref(), channel: "changes", given: given(&read.page) };
        commons.ledger.record(&answer, commons.store.now()).await?;
        let response = respond(&commons, &read, &id)?;
        if revocation::in_time(read.opened) || stands(&commons, &reader.0, &read.page).await? {
            return Ok(response);
        }
        // Something was closed meanwhile: what is to be told now is another page.
    }
    Err(Error::Unavailable("reading takes too long to be sure that it is still allowed".to_owned()))
}

fn read(
    store: &Store,
    kept: Duration,
    viewer: &Viewer,
    cursor: Option<&str>,
    agreement: Option<String>,
    limit: i64,
) -> Result<Read, ReadError> {
    let collections = store.collections()?;
    let (key, now) = (store.cursor_key(), store.now());
    let done = store.view(viewer, |view| {
        let mine: Vec<String> = match &view.caller {
            Some(caller) => readable(caller, &collections)?,
            None => collections,
        };
        let bound = bound(view.caller.as_ref().map_or("", Caller::name), agreement.as_deref(), &mine);
        let (from, [seen_at, pinned_at]) = match cursor {
            Some(cursor) => {
                let [seen, target, share, removing, row, seen_at, pinned_at] = bound.open(key, cursor)?;
                let aged = |commit: i64, at: i64| commit > 0 && cursor::has_aged(at, now, kept);
                if aged(seen, seen_at) || aged(target, pinned_at) {
                    return Err(Error::bad("gone", "this cursor is too old; read everything anew").into());
                }
                (ChangesFrom { seen, target, share, removing: removing == 1, row }, [seen_at, pinned_at])
            }
            None => (ChangesFrom::default(), [0, 0]),
        };
        if view.anything_expired()? {
            return Err(ReadError::Expired);
        }
        let wanted = ShareQuery { agreement, ..ShareQuery::default() };
        let page = view.changes(&mine, &wanted, from, limit).map_err(gone)?;
        let pinned_at = if from.target == 0 { now.0 } else { pinned_at };
        let times = if page.next.target == 0 { [pinned_at, 0] } else { [seen_at, pinned_at] };
        Ok(Read { page, caller: view.caller.clone(), opened: view.opened, bound, times })
    });
    match (done, viewer) {
        (Err(ReadError::Api(Error::NotFound)), Viewer::Token(hash)) => {
            Err(store.caller(hash).map_or_else(unknown_token, |_| Error::NotFound).into())
        }
        (done, _) => done,
    }
}

/// Under which agreement the feed was refused.
fn refused(store: &Store, viewer: &Viewer, wanted: &ShareQuery) -> Result<Vec<Refusal>, Error> {
    let now = store.now();
    store.view(viewer, |view| Ok(refusals(view.refused(None, wanted, None)?, view.caller.as_ref(), now)))
}

/// Whether the token and every share that gave rows still stand, in a look that is young enough.
async fn stands(commons: &Commons, viewer: &Viewer, page: &ChangesPage) -> Result<bool, Error> {
    let gave = |number: i64| page.items.iter().any(|(_, item)| matches!(item, ChangeItem::Upserted(row) if row.share == number));
    let gave = page.shares.iter().filter(|share| gave(share.number()));
    let gave: Vec<(String, i64, i64)> =
        gave.map(|share| (share.schema.collection.clone(), share.number(), share.version)).collect();
    let commit = if page.next.target == 0 { page.next.seen } else { page.next.target };
    let viewer = viewer.clone();
    let look = move |store: &Store| {
        store.view(&viewer, |view| {
            for (collection, number, version) in &gave {
                // As of the commit that was read: a floor that was raised since lies above it.
                let now = view.shares(collection, &ShareQuery::default(), commit)?;
                if !now.iter().any(|share| share.number() == *number && share.version == *version) {
                    return Ok((false, view.opened));
                }
            }
            Ok::<_, ReadError>((true, view.opened))
        })
    };
    let (stands, opened) = retried(commons, look).await?;
    Ok(stands && revocation::in_time(opened))
}

fn gone(error: StoreError) -> Error {
    match error {
        StoreError::Stale(detail) => Error::bad("gone", detail),
        other => other.into(),
    }
}

fn respond(commons: &Commons, read: &Read, id: &DisclosureId) -> Result<HttpResponse, Error> {
    let shares: HashMap<i64, _> = read.page.shares.iter().map(|share| (share.number(), share)).collect();
    let mut items = Vec::with_capacity(read.page.items.len());
    for (collection, item) in &read.page.items {
        let (kind, id, number, edition) = match item {
            ChangeItem::Upserted(row) => ("upserted", &row.id, row.share, row.edition),
            ChangeItem::Removed { id, share, edition, .. } => ("removed", id, *share, *edition),
        };
        let Some(share) = shares.get(&number) else { continue };
        let mut text = format!(
            "{{\"type\":\"{kind}\",\"collection\":\"{collection}\",\"id\":\"{id}\",\"provider\":\"{}\",\"agreement\":\"{}\",\"edition\":{edition}",
            share.provider, share.agreement
        );
        match item {
            ChangeItem::Upserted(row) => match row.record.payload().strip_prefix('{') {
                Some("}") | None => text.push('}'),
                Some(rest) => {
                    text.push(',');
                    text.push_str(rest);
                }
            },
            ChangeItem::Removed { .. } => text.push('}'),
        }
        items.push(text);
    }
    let ChangesFrom { seen, target, share, removing, row } = read.page.next;
    let [seen_at, pinned_at] = read.times;
    let position = [seen, target, share, i64::from(removing), row, seen_at, pinned_at];
    let next = read.bound.seal(commons.store.cursor_key(), commons.random(), position)?;
    let mut response = HttpResponse::Ok();
    response.content_type("application/json").insert_header(("Cache-Control", "private, no-store"));
    response.insert_header(("Vary", "Authorization"));
    if read.caller.is_some() {
        response.insert_header(("Disclosure-Id", id.as_str()));
    }
    Ok(response.body(format!("{{\"items\":[{}],\"next\":\"{next}\"}}", items.join(","))))
}

/// What each share gave. A page without items names no share: nothing was asked of any in particular.
fn given(page: &ChangesPage) -> Vec<Given<'_>> {
    let mut names: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (_, item) in &page.items {
        match item {
            ChangeItem::Upserted(row) => names.entry(row.share).or_default().push(row.name),
            ChangeItem::Removed { share, name, .. } => names.entry(*share).or_default().push(*name),
        }
    }
    let given = page.shares.iter().filter_map(|share| {
        let names = names.remove(&share.number())?;
        let fields = share.terms.disclosed().map(|(name, _)| name.to_string()).collect();
        Some(Given { share, fields, edition: share.edition(), names })
    });
    given.collect()
}
