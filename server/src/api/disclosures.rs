//! `GET /api/v1/disclosures`: the ledger, as far as it concerns the caller's organization.

use std::time::Duration;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::try_unfold;
use hayward_domain::moment::Moment;
use hayward_domain::schema::FieldName;
use hayward_store::{Caller, EntryKind, EntryPage, Filter, Link, Store};
use serde_json::{Map, Value, json};

use super::format::Format;
use super::params::{PAGE, Params};
use crate::auth::bearer::{Bearer, LedgerRead, unknown_token};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;
use crate::ledger::seal;

/// Entries that one chunk of a stream holds.
const CHUNK: i64 = 500;

/// The entries, newest first. As NDJSON all of them, for `hayward ledger verify`; a filtered export is no chain, and its last line
/// says so.
pub async fn list(request: HttpRequest, bearer: Bearer<LedgerRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?, params.take("cursor"));
    let asked = Asked::take(&mut params);
    params.end()?;
    let organization = bearer.caller.organization_id.to_string();
    let mut parts = vec!["disclosures"];
    parts.extend(asked.0.iter().flat_map(|(name, value)| [*name, value.as_str()]));
    let bound = Bound::to(bearer.caller.name(), &parts);
    let key = commons.store.cursor_key();
    let below = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[below, ..]| below);
    let format = Format::of(&request)?;
    let reader = {
        let (filter, caller) = (asked.clone(), bearer.caller.clone());
        let filter = commons.run(move |store| filter.filter(store, &caller)).await?;
        LedgerReader { organization, token_hash: bearer.token_hash, filter }
    };
    match format {
        Format::Json => {
            let page = page(&commons, &reader, below, limit.unwrap_or(PAGE)).await?;
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
            let last = if reader.filter.is_empty() {
                checkpoint(&commons, &reader.organization).await?
            } else {
                let filtered: Map<String, Value> =
                    asked.0.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                json!({"filtered": filtered}).to_string() + "\n"
            };
            let first = page(&commons, &reader, below, CHUNK.min(limit.unwrap_or(CHUNK))).await?;
            Ok(stream(commons, reader, first, limit.unwrap_or(i64::MAX), last))
        }
        Format::Csv => Err(Error::bad("not-acceptable", "the ledger comes as application/json or application/x-ndjson")),
    }
}

/// What a request asks of the ledger, in its own words.
#[derive(Clone)]
struct Asked(Vec<(&'static str, String)>);

impl Asked {
    fn take(params: &mut Params) -> Self {
        let names = ["agreement", "field", "from", "kind", "recipient", "record", "to"];
        Self(names.into_iter().filter_map(|name| Some((name, params.take(name)?))).collect())
    }

    fn filter(self, store: &Store, caller: &Caller) -> Result<Filter, Error> {
        let mut filter = Filter::default();
        for (name, value) in self.0 {
            let wrong = |detail: &str| Error::parameter("invalid-parameter", name, detail);
            match name {
                "kind" => {
                    let kind = EntryKind::parse(&value).ok_or_else(|| wrong("`kind` is disclosure, preview or refusal"))?;
                    filter.kind = Some(kind);
                }
                "agreement" => filter.agreement = Some((value.clone(), store.is_party(caller, &value)?)),
                "recipient" => filter.recipient = Some(value),
                "field" => {
                    let field = FieldName::parse(&value).ok_or_else(|| wrong("`field` is the name of a field"))?;
                    filter.field = Some(field.to_string());
                }
                "record" => filter.record = Some(store.record_names(caller, &value)?),
                "from" => filter.from = Some(instant(store, name, &value, false)?),
                _ => filter.until = Some(instant(store, name, &value, true)?),
            }
        }
        Ok(filter)
    }
}

/// A day in the commons' time zone, or an instant. The end of what is wanted is itself wanted: `after` it is the first moment that
/// is not.
fn instant(store: &Store, parameter: &str, text: &str, after: bool) -> Result<Moment, Error> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let day = if after { day.succ_opt().unwrap_or(day) } else { day };
        return Ok(store.day_begins(day)?);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => {
            let at = Moment::from(at.with_timezone(&Utc));
            Ok(if after { at.plus(Duration::from_micros(1)) } else { at })
        }
        Err(_) => {
            let detail = format!("`{parameter}` is a day, or an instant as RFC 3339 writes it");
            Err(Error::parameter("invalid-parameter", parameter, detail))
        }
    }
}

/// Everybody who was ever given one record, and which of its fields: for its provider.
pub async fn of_record(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<LedgerRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (ledger, caller) = (commons.ledger.store.clone(), bearer.caller);
    let given = commons
        .run(move |store| {
            let names = store.own_record_names(caller.organization, &id)?;
            ledger.given_record(caller.organization_id.as_str(), &names)
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "private, no-store")).json(given))
}

async fn page(commons: &Commons, reader: &LedgerReader, below: Option<i64>, limit: i64) -> Result<EntryPage, Error> {
    let (ledger, LedgerReader { organization, filter, .. }) = (commons.ledger.store.clone(), reader.clone());
    commons
        .run(move |_| {
            if filter.is_empty() {
                ledger.entries(&organization, below, limit)
            } else {
                ledger.filtered(&organization, &filter, below, limit)
            }
        })
        .await
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
    filter: Filter,
}

fn stream(commons: Data<Commons>, reader: LedgerReader, first: EntryPage, wanted: i64, checkpoint: String) -> HttpResponse {
    let stream = try_unfold((Some(first), wanted), move |(page_now, left)| {
        let (commons, checkpoint) = (commons.clone(), checkpoint.clone());
        let reader = reader.clone();
        async move {
            let Some(now) = page_now else { return Ok::<_, Error>(None) };
            let left = left - i64::try_from(now.items.len()).unwrap_or(0);
            let mut text: String = now.items.into_iter().map(|item| linked(item).to_string() + "\n").collect();
            let next = match now.below.filter(|_| left > 0) {
                Some(below) => {
                    let hash = reader.token_hash.clone();
                    commons.run(move |store| store.caller(&hash).map(drop).map_err(unknown_token)).await?;
                    Some(page(&commons, &reader, Some(below), CHUNK.min(left)).await?)
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
