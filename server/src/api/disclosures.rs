//! `GET /api/v1/disclosures`: the ledger, as far as it concerns the caller's organization.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use hayward_store::{EntryPage, Link};
use serde_json::{Value, json};

use super::format::Format;
use super::params::{PAGE, Params};
use crate::auth::bearer::{Bearer, LedgerRead, unknown_token};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;
use crate::ledger::seal;

/// Entries that one chunk of a stream holds.
const CHUNK: i64 = 500;

/// The entries, newest first. As NDJSON all of them, for `hayward ledger verify`.
pub async fn list(request: HttpRequest, bearer: Bearer<LedgerRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?, params.take("cursor"));
    params.end()?;
    let organization = bearer.caller.organization_id.to_string();
    let bound = Bound::to(bearer.caller.name(), &["disclosures"]);
    let key = commons.store.cursor_key();
    let below = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[below, ..]| below);
    match Format::of(&request)? {
        Format::Json => {
            let page = page(&commons, &organization, below, limit.unwrap_or(PAGE)).await?;
            let items: Vec<Value> = page.items.into_iter().map(linked).collect();
            let next = match page.below {
                Some(below) => Some(bound.seal(key, commons.random(), [below, 0, 0, 0, 0, 0, 0])?),
                None => None,
            };
            Ok(HttpResponse::Ok()
                .insert_header(("Cache-Control", "private, no-store"))
                .json(json!({"items": items, "next": next})))
        }
        Format::Ndjson => {
            // Before the entries: what is sealed while they are read must not stand behind one that was read unsealed.
            let checkpoint = checkpoint(&commons, &organization).await?;
            let first = page(&commons, &organization, below, CHUNK.min(limit.unwrap_or(CHUNK))).await?;
            let reader = LedgerReader { organization, token_hash: bearer.token_hash };
            Ok(stream(commons, reader, first, limit.unwrap_or(i64::MAX), checkpoint))
        }
        Format::Csv => Err(Error::bad("not-acceptable", "the ledger comes as application/json or application/x-ndjson")),
    }
}

async fn page(commons: &Commons, organization: &str, below: Option<i64>, limit: i64) -> Result<EntryPage, Error> {
    let (ledger, organization) = (commons.ledger.store.clone(), organization.to_owned());
    commons.run(move |_| ledger.entries(&organization, below, limit)).await
}

pub(super) fn linked((mut entry, link): (Value, Option<Link>)) -> Value {
    if let Value::Object(map) = &mut entry {
        map.insert("chain".to_owned(), serde_json::to_value(link).unwrap_or_default());
    }
    entry
}

/// Who reads a stream; the token is looked up again before every page.
#[derive(Clone)]
struct LedgerReader {
    organization: String,
    token_hash: String,
}

fn stream(commons: Data<Commons>, reader: LedgerReader, first: EntryPage, wanted: i64, checkpoint: String) -> HttpResponse {
    let stream = try_unfold((Some(first), wanted), move |(page_now, left)| {
        let (commons, checkpoint) = (commons.clone(), checkpoint.clone());
        let LedgerReader { organization, token_hash: hash } = reader.clone();
        async move {
            let Some(now) = page_now else { return Ok::<_, Error>(None) };
            let left = left - i64::try_from(now.items.len()).unwrap_or(0);
            let mut text: String = now.items.into_iter().map(|item| linked(item).to_string() + "\n").collect();
            let next = match now.below.filter(|_| left > 0) {
                Some(below) => {
                    commons.run(move |store| store.caller(&hash).map(drop).map_err(unknown_token)).await?;
                    Some(page(&commons, &organization, Some(below), CHUNK.min(left)).await?)
                }
                None => {
                    text.push_str(&checkpoint);
                    None
                }
            };
            Ok(Some((Bytes::from(text), (next, left))))
        }
    });
    let mut response = HttpResponse::Ok();
    response.content_type(Format::Ndjson.media_type()).insert_header(("Cache-Control", "private, no-store"));
    response.streaming(Box::pin(stream))
}

/// The line of the newest checkpoint, if the chain has one.
pub(super) async fn checkpoint(commons: &Commons, organization: &str) -> Result<String, Error> {
    let (ledger, provider) = (commons.ledger.store.clone(), organization.to_owned());
    let Some(point) = commons.run(move |_| ledger.checkpoint(&provider)).await? else {
        return Ok(String::new());
    };
    let at = point.at.to_rfc3339();
    let retired = commons.run(|store| store.retired_keys()).await?;
    let present = seal::public_key(&commons.store.keyring().signing());
    // The keys may have been exchanged since it was signed.
    let signed = |key: &&String| {
        seal::signed_by(key, organization, point.position, &point.hash, &at, point.era.as_deref(), &point.signature)
    };
    let key = retired.iter().map(|one| &one.key).find(signed).unwrap_or(&present);
    let mut checkpoint = json!({
        "provider": organization, "position": point.position, "hash": point.hash, "at": at, "signature": point.signature, "key": key,
        "succession": retired,
    });
    if let (Value::Object(members), Some(era)) = (&mut checkpoint, point.era) {
        members.insert("era".to_owned(), era.into());
    }
    Ok(json!({"checkpoint": checkpoint}).to_string() + "\n")
}

/// One answer: its chunks together.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<LedgerRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (ledger, organization) = (commons.ledger.store.clone(), bearer.caller.organization_id.to_string());
    let mut chunks = commons.run(move |_| ledger.entry(&organization, &id)).await?.into_iter().map(linked);
    let mut whole = chunks.next().ok_or(Error::NotFound)?;
    for chunk in chunks {
        let more = chunk.get("disclosed").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(Value::Array(disclosed)) = whole.get_mut("disclosed") {
            disclosed.extend(more);
        }
    }
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(whole))
}
