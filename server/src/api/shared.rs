//! `GET /api/v1/{collection}` and `/{id}`: what is shared with the caller.

use std::borrow::Cow;
use std::collections::HashMap;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::{DisclosureId, base32};
use hayward_domain::mutants;
use hayward_store::{Kind, ShareSummary, SharedRow, Store};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::coding::Coding;
use super::export::{self, CHUNK, Export, Form};
use super::facets;
use super::format::Format;
use super::params::{PAGE, Params};
use super::reading::{GoesOn, Page, ReadError, Reading, answered};
use crate::auth::bearer::Reader;
use crate::commons::Commons;
use crate::error::Error;
use crate::ledger::{Answer, Given};
use crate::revocation;

/// Lists what is shared with the caller of one collection.
pub async fn list(
    request: HttpRequest,
    collection: Path<String>,
    reader: Reader,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?, params.take("cursor"));
    let form = Form::of(&request)?;
    let end_line = export::end_line(&mut params, form)?;
    let reading = Reading::parse(reader.0, &collection, params)?;
    let id = DisclosureId::at(commons.store.now(), commons.random());
    let Some(form) = form else {
        let page = first_page(&commons, &reading, cursor, limit.unwrap_or(PAGE)).await?;
        write_down(&commons, &page, &id, 0, Format::Json.channel()).await?;
        let response = page_response(&request, &commons, &page, &id).await?;
        may_leave(&commons, &reading, &page).await?;
        return Ok(response);
    };
    if reading.counts_values() {
        return Err(Error::parameter("invalid-parameter", "facets", "`facets` come with application/json only"));
    }
    let wanted = limit.unwrap_or(i64::MAX);
    let begins = cursor.is_none();
    let first = first_page(&commons, &reading, cursor, CHUNK.min(wanted)).await?;
    write_down(&commons, &first, &id, 0, form.channel()).await?;
    let export = Export { form, id, wanted, rows: rows_to_come(&first, wanted, begins), end_line };
    if form == Form::Workbook {
        return export.workbook(commons, reading, first).await;
    }
    let coding = Coding::of(&request);
    Ok(export.stream(commons, reading, first, coding))
}

/// How many rows an answer will have, where that is known before it begins.
fn rows_to_come(first: &Page, wanted: i64, begins: bool) -> Option<i64> {
    let here = i64::try_from(first.rows.len()).unwrap_or(i64::MAX);
    let all = match first.after {
        Some(_) if here < wanted => first.count.flatten().filter(|_| begins),
        _ => Some(here),
    };
    all.map(|all| all.min(wanted))
}

/// One shared record.
pub async fn get(
    request: HttpRequest,
    path: Path<(String, String)>,
    reader: Reader,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let (collection, record) = path.into_inner();
    let reading = Reading::of_one(reader.0, &collection, Params::parse(request.query_string())?)?;
    let found = {
        let (reading, record) = (reading.clone(), record.clone());
        prompt(&commons, move |store, _| reading.one(store, &record)).await
    };
    let page = match found {
        Ok(page) => page,
        Err(error) => return Err(refused(&commons, &reading, error, Some(record)).await),
    };
    let id = DisclosureId::at(commons.store.now(), commons.random());
    write_down(&commons, &page, &id, 0, "get").await?;
    let row = page.rows.first().ok_or(Error::NotFound)?;
    let mut body = String::with_capacity(row.record.payload().len() + ENVELOPE);
    push_item(&mut body, &page, row);
    let stable = body.len();
    let response = respond(&request, &page, &id, body, stable);
    may_leave(&commons, &reading, &page).await?;
    Ok(response)
}

/// Runs a read; where the clock has ended something, commits that first and reads again.
pub async fn retried<T: Send + 'static>(
    commons: &Commons,
    read: impl Fn(&Store) -> Result<T, ReadError> + Send + Sync + Clone + 'static,
) -> Result<T, Error> {
    for _ in 0..3 {
        let read = read.clone();
        let outcome = commons.run(move |store| match read(store) {
            Ok(done) => Ok(Some(done)),
            Err(ReadError::Expired) => store.expire_due().map(|_| None).map_err(Error::from),
            Err(ReadError::Long) => Err(Error::Unavailable("a read that may take long was told to be brief".to_owned())),
            Err(ReadError::Api(error)) => Err(error),
        });
        if let Some(done) = outcome.await? {
            return Ok(done);
        }
    }
    Err(Error::Unavailable("something expires again and again".to_owned()))
}

/// The same for a read that is usually brief: where the database is embedded, it is tried on the spot, without another thread. The
/// read is told whether it has to be brief.
async fn prompt<T: Send + 'static>(
    commons: &Commons,
    read: impl Fn(&Store, bool) -> Result<T, ReadError> + Send + Sync + Clone + 'static,
) -> Result<T, Error> {
    if commons.store.kind() == Kind::Sqlite {
        match read(&commons.store, true) {
            Ok(done) => return Ok(done),
            Err(ReadError::Api(error)) => return Err(error),
            Err(ReadError::Expired | ReadError::Long) => {}
        }
    }
    retried(commons, move |store| read(store, false)).await
}

pub(super) async fn next_page(
    commons: &Commons,
    reading: &Reading,
    cursor: Option<String>,
    from: Option<GoesOn>,
    limit: i64,
) -> Result<Page, Error> {
    let (reading, kept) = (reading.clone(), commons.kept);
    prompt(commons, move |store, brief| reading.page(store, brief, kept, cursor.as_deref(), from, limit)).await
}

async fn first_page(commons: &Commons, reading: &Reading, cursor: Option<String>, limit: i64) -> Result<Page, Error> {
    match next_page(commons, reading, cursor, None, limit).await {
        Ok(page) => Ok(page),
        Err(error) => Err(refused(commons, reading, error, None).await),
    }
}

/// What is answered instead of a page.
async fn refused(commons: &Commons, reading: &Reading, error: Error, record: Option<String>) -> Error {
    let asked = reading.clone();
    answered(commons, &reading.viewer, error, move |store| asked.refused(store, record.as_deref())).await
}

/// Writes the entry of a page; when this returns, it is durable.
pub(super) async fn write_down(
    commons: &Commons,
    page: &Page,
    id: &DisclosureId,
    chunk: i64,
    channel: &str,
) -> Result<(), Error> {
    let answer = Answer { id, chunk, caller: page.caller.as_ref(), channel, given: given(page) };
    commons.ledger.record(&answer, commons.store.now()).await
}

/// What each share gave. An answer without rows names the shares that were asked.
fn given(page: &Page) -> Vec<Given<'_>> {
    let mut names: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in &page.rows {
        names.entry(row.share).or_default().push(row.name);
    }
    let asked = names.is_empty() || page.counts();
    let shares = page.shares.iter().filter(|share| asked || names.contains_key(&share.number()));
    let fields = |share: &ShareSummary| {
        let all = share.terms.disclosed().map(|(name, _)| name.to_string());
        all.filter(|name| {
            page.fields
                .as_ref()
                .is_none_or(|fields| fields.contains(name) || page.used.contains(name) && !mutants::on("entry-forgets-filters"))
        })
        .collect()
    };
    shares
        .map(|share| Given {
            share,
            fields: fields(share),
            edition: share.edition(),
            names: names.get(&share.number()).cloned().unwrap_or_default(),
        })
        .collect()
}

async fn page_response(request: &HttpRequest, commons: &Commons, page: &Page, id: &DisclosureId) -> Result<HttpResponse, Error> {
    // Room for the whole answer: it is put together once.
    let payloads: usize = page.rows.iter().map(|row| row.record.payload().len() + ENVELOPE).sum();
    let mut body = String::with_capacity(payloads + ENVELOPE);
    body.push_str("{\"items\":[");
    for (at, row) in page.rows.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        push_item(&mut body, page, row);
    }
    body.push(']');
    if let Some(count) = page.count {
        let count = if mutants::on("count-of-originals") { commons.run(|store| store.newest_commit()).await.ok() } else { count };
        body.push_str(&format!(",\"count\":{}", count.map_or_else(|| "null".to_owned(), |count| count.to_string())));
    }
    if let Some(facets) = &page.facets {
        body.push_str(",\"facets\":");
        body.push_str(&facets::text(facets));
    }
    let stable = body.len();
    let next = match page.after {
        Some(row) => {
            let position = [page.commit, row, page.begun.0, 0, 0, 0, 0];
            let sealed = page.bound.seal(commons.store.cursor_key(), commons.random(), position)?;
            format!(",\"next\":\"{sealed}\"}}")
        }
        None => ",\"next\":null}".to_owned(),
    };
    body.push_str(&next);
    Ok(respond(request, page, id, body, stable))
}

/// The answer, or `304` where the caller has it. Up to `stable` the answer is the same each time.
fn respond(request: &HttpRequest, page: &Page, id: &DisclosureId, body: String, stable: usize) -> HttpResponse {
    let mut hasher = Sha256::new();
    hasher.update(body.as_bytes().get(..stable).unwrap_or_default());
    if mutants::on("etag-of-commit") {
        hasher.update(page.commit.to_be_bytes());
    }
    let digest = hasher.finalize();
    let coding = Coding::of(request);
    // Other bytes, another tag (RFC 9110, section 8.8.3.3).
    let etag = format!("\"{}{}\"", base32(digest.get(..20).unwrap_or_default()), coding.suffix());
    let matches = |header: &str| header.split(',').any(|word| word.trim().trim_start_matches("W/") == etag || word.trim() == "*");
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(matches);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, etag)).insert_header(VARY);
    caching(&mut response, page);
    if page.caller.is_some() {
        response.insert_header(("Disclosure-Id", id.as_str()));
    }
    if known {
        return response.finish();
    }
    response.content_type(Format::Json.media_type());
    coding.named(&mut response);
    response.body(coding.whole(body.into_bytes()))
}

pub(super) fn caching(response: &mut actix_web::HttpResponseBuilder, page: &Page) {
    let private = if page.caller.is_some() { "private, no-cache" } else { "no-cache" };
    response.insert_header(("Cache-Control", private));
}

/// What an answer depends on besides its address.
pub(super) const VARY: (&str, &str) = ("Vary", "Authorization, Accept, Accept-Encoding");

/// About what an item's envelope takes.
const ENVELOPE: usize = 192;

/// One item: the envelope, then the disclosed fields as they are stored.
pub(super) fn push_item(text: &mut String, page: &Page, row: &SharedRow) {
    let Some(share) = page.shares.of(row.share) else { return };
    let edition = row.edition.to_string();
    let envelope = [
        "{\"id\":\"",
        &row.id,
        "\",\"provider\":\"",
        share.provider.as_str(),
        "\",\"agreement\":\"",
        share.agreement.as_str(),
        "\",\"edition\":",
        &edition,
    ];
    envelope.iter().for_each(|part| text.push_str(part));
    let payload = match &page.fields {
        None => Cow::Borrowed(row.record.payload()),
        Some(fields) => {
            let mut all: Map<String, Value> = serde_json::from_str(row.record.payload()).unwrap_or_default();
            all.retain(|name, _| fields.contains(name));
            Cow::Owned(Value::Object(all).to_string())
        }
    };
    match payload.strip_prefix('{') {
        Some("}") | None => text.push('}'),
        Some(rest) => {
            text.push(',');
            text.push_str(rest);
        }
    }
}

/// Makes sure that what was made of a page may leave now. Nothing but handing it over comes after this.
pub(super) async fn may_leave(commons: &Commons, reading: &Reading, page: &Page) -> Result<(), Error> {
    if revocation::in_time(page.opened) {
        return Ok(());
    }
    stands(commons, reading, &gave(page), page.commit).await
}

/// The shares that something of a page is of, with their versions. Where nothing is, or what was counted is, all that were asked.
pub(super) fn gave(page: &Page) -> Vec<(i64, i64)> {
    let gave = |number: i64| page.rows.is_empty() || page.counts() || page.rows.iter().any(|row| row.share == number);
    page.shares.iter().filter(|share| gave(share.number())).map(|share| (share.number(), share.version)).collect()
}

/// Makes sure that the token and these shares stand, by a look that is young when this returns.
pub(super) async fn stands(commons: &Commons, reading: &Reading, shares: &[(i64, i64)], commit: i64) -> Result<(), Error> {
    for _ in 0..5 {
        let (reading, shares) = (reading.clone(), shares.to_vec());
        let (stands, opened) = prompt(commons, move |store, _| reading.still_stands(store, &shares, commit)).await?;
        if !stands {
            return Err(Error::Unavailable("an agreement was closed while this was read".to_owned()));
        }
        if revocation::in_time(opened) {
            return Ok(());
        }
    }
    Err(Error::Unavailable("reading takes too long to be sure that it is still allowed".to_owned()))
}
