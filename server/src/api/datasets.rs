//! `/api/v1/datasets`: one's own lists.

use std::fs::File;

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use hayward_domain::id::DatasetId;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::schema::{Kind, Schema};
use hayward_importers::{SheetCell, SheetWriter, Unwritten};
use hayward_store::{NewDataset, Order, OwnPage, Store, StoreError, private_name};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use super::format::{Format, accepted, csv_line};
use super::made::{self, WORKBOOK};
use super::params::{PAGE, Params};
use crate::auth::bearer::{Bearer, DatasetsRead, DatasetsWrite, unknown_token};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;
use crate::revocation;

/// Records that one chunk of a stream holds.
const CHUNK: i64 = 500;

/// One's own datasets.
pub async fn list(request: HttpRequest, bearer: Bearer<DatasetsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let owner = bearer.caller.organization;
    let datasets = commons.run(move |store| store.datasets(owner)).await?;
    Ok(HttpResponse::Ok().json(json!({"items": datasets, "next": null})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    schema: String,
    name: String,
}

/// Makes an empty dataset.
pub async fn create(
    request: HttpRequest,
    bearer: Bearer<DatasetsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let Create { schema, name } = body::read(&request, &bytes)?;
    let new = NewDataset { id: DatasetId::from_random(commons.random()), schema, name };
    let owner = bearer.still(&commons).await?.organization;
    let dataset = commons.run(move |store| store.add_dataset(owner, &new)).await?;
    Ok(HttpResponse::Created().json(dataset))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveTo {
    version: i64,
}

/// What moving to another version of the schema would do; the newest unless one is named.
pub async fn schema(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<DatasetsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let dataset = dataset_id(&dataset)?;
    let mut params = Params::parse(request.query_string())?;
    let version = params.take("version");
    params.end()?;
    let bad = |_| Error::parameter("invalid-parameter", "version", "a version is a whole number");
    let version = version.map(|text| text.parse::<i64>().map_err(bad)).transpose()?;
    let owner = bearer.caller.organization;
    let told = commons.run(move |store| store.foresee_move(owner, &dataset, version)).await?;
    Ok(HttpResponse::Ok().json(told))
}

/// Moves one's own dataset to a later version of its schema.
pub async fn move_schema(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<DatasetsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let dataset = dataset_id(&dataset)?;
    let MoveTo { version } = body::read(&request, &bytes)?;
    let owner = bearer.still(&commons).await?.organization;
    let told = commons.run(move |store| store.move_dataset(owner, &dataset, version)).await?;
    commons.wake.notify_one();
    revocation::acknowledge().await;
    Ok(HttpResponse::Ok().json(told))
}

/// The dataset that a path names; what cannot be an id is not there.
pub fn dataset_id(text: &str) -> Result<DatasetId, Error> {
    DatasetId::parse(text).ok_or(Error::NotFound)
}

/// One's own records.
pub async fn records(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<DatasetsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let dataset = dataset_id(&dataset)?;
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor, sort) = (params.limit()?, params.take("cursor"), params.take("sort"));
    params.end()?;
    let unknown = |name: &str| Error::parameter("unknown-field", "sort", format!("`{name}` is not a field of this list"));
    let order = sort.as_deref().map(Order::parse).transpose().map_err(|name| unknown(&name))?.unwrap_or_default();
    let (owner, name, token_hash) = (bearer.caller.organization, bearer.caller.name().to_owned(), bearer.token_hash);
    let bound = Bound::to(&name, &["records", dataset.as_str(), sort.as_deref().unwrap_or_default()]);
    let key = commons.store.cursor_key();
    let from = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map(|[edition, row, ..]| (edition, row));
    let own = Own { owner, dataset, order, token_hash };
    let known = |kind: &str| if kind == WORKBOOK { Some(None) } else { Format::called(kind).map(Some) };
    let Some(format) = accepted(&request, Some(Format::Json), known) else {
        let detail = format!("this list comes as application/json, text/csv, application/x-ndjson or {WORKBOOK}");
        return Err(Error::bad("not-acceptable", detail));
    };
    let Some(format) = format else { return own.workbook(commons, from, limit.unwrap_or(i64::MAX)).await };
    match format {
        Format::Json => {
            let page = own.page(&commons, from, limit.unwrap_or(PAGE)).await?;
            let items: Vec<Value> = page.records.iter().map(|record| record.to_json(&page.schema)).collect();
            let next = match page.after {
                Some(after) => Some(bound.seal(key, commons.random(), [page.edition, after, 0, 0, 0, 0, 0])?),
                None => None,
            };
            Ok(HttpResponse::Ok()
                .insert_header(("Cache-Control", "private, no-store"))
                .json(json!({"items": items, "next": next})))
        }
        format @ (Format::Csv | Format::Ndjson) => {
            let wanted = limit.unwrap_or(i64::MAX);
            let first = own.page(&commons, from, CHUNK.min(wanted)).await?;
            let private = if format == Format::Csv { own.private(&commons).await? } else { Vec::new() };
            Ok(own.stream(commons, format, first, private, wanted))
        }
    }
}

/// A list of one's own records, wherever it stands.
#[derive(Clone)]
struct Own {
    owner: OrganizationNumber,
    dataset: DatasetId,
    order: Order,
    /// Looked up again before every page of a stream.
    token_hash: String,
}

impl Own {
    async fn page(&self, commons: &Commons, from: Option<(i64, i64)>, limit: i64) -> Result<OwnPage, Error> {
        let own = self.clone();
        commons.run(move |store| store.own_records(own.owner, &own.dataset, &own.order, from, limit).map_err(gone)).await
    }

    /// The same rows as CSV, as a workbook. It is made whole before it leaves.
    async fn workbook(self, commons: Data<Commons>, from: Option<(i64, i64)>, wanted: i64) -> Result<HttpResponse, Error> {
        let private = self.private(&commons).await?;
        let (own, called) = (self.clone(), self.clone());
        let datasets = commons.run(move |store| store.datasets(called.owner)).await?;
        let called = datasets.iter().find(|one| one.id == self.dataset.as_str()).map(|one| one.name.as_str());
        let made = made::make(&commons, move |store, file| own.write_workbook(store, from, wanted, &private, file)).await?;
        Ok(made.send(commons, self.token_hash, WORKBOOK, &made::named(called.unwrap_or_default(), "xlsx")))
    }

    fn write_workbook(
        &self,
        store: &Store,
        from: Option<(i64, i64)>,
        wanted: i64,
        private: &[String],
        file: &mut File,
    ) -> Result<(), Error> {
        let read = |from, limit| store.own_records(self.owner, &self.dataset, &self.order, from, limit).map_err(gone);
        let mut page = read(from, CHUNK.min(wanted))?;
        let head = header(&page.schema, private);
        let mut sheet = SheetWriter::new(head.iter().filter_map(Value::as_str), None).map_err(unwritten)?;
        let days: Vec<bool> = page.schema.fields.iter().map(|field| field.kind == Kind::Date).collect();
        let is_day = || days.iter().copied().chain(std::iter::repeat(false));
        let mut left = wanted;
        loop {
            for record in &page.records {
                let cells = record.to_cells(&page.schema, private);
                sheet
                    .row(cells.iter().zip(is_day()).map(|(cell, is_day)| (SheetCell::of(cell, is_day), false)))
                    .map_err(unwritten)?;
            }
            left -= i64::try_from(page.records.len()).unwrap_or(0);
            let Some(after) = page.after.filter(|_| left > 0) else { break };
            store.caller(&self.token_hash).map_err(unknown_token)?;
            page = read(Some((page.edition, after)), CHUNK.min(left))?;
        }
        sheet.save(file).map_err(unwritten)
    }

    async fn private(&self, commons: &Commons) -> Result<Vec<String>, Error> {
        let own = self.clone();
        commons.run(move |store| store.private_headers(own.owner, &own.dataset)).await
    }

    fn stream(self, commons: Data<Commons>, format: Format, first: OwnPage, private: Vec<String>, wanted: i64) -> HttpResponse {
        let head = if format == Format::Csv { csv_line(&header(&first.schema, &private)) } else { String::new() };
        let stream = try_unfold((Some(first), head, wanted), move |(page, head, left)| {
            let (own, commons, private) = (self.clone(), commons.clone(), private.clone());
            async move {
                let Some(page) = page else { return Ok::<_, Error>(None) };
                let text = head + &encode(format, &page, &private);
                let left = left - i64::try_from(page.records.len()).unwrap_or(0);
                let next = match page.after.filter(|_| left > 0) {
                    Some(after) => {
                        let hash = own.token_hash.clone();
                        commons.run(move |store| store.caller(&hash).map(drop).map_err(unknown_token)).await?;
                        Some(own.page(&commons, Some((page.edition, after)), CHUNK.min(left)).await?)
                    }
                    None => None,
                };
                Ok(Some((Bytes::from(text), (next, String::new(), left))))
            }
        });
        let mut response = HttpResponse::Ok();
        response.content_type(format.media_type()).insert_header(("Cache-Control", "private, no-store"));
        response.streaming(Box::pin(stream))
    }
}

pub(super) fn gone(error: StoreError) -> Error {
    match error {
        StoreError::Stale(detail) => Error::bad("gone", detail),
        other => other.into(),
    }
}

/// Why there is no workbook.
pub(super) fn unwritten(error: Unwritten) -> Error {
    match error {
        Unwritten::TooLarge(why) => Error::bad("too-large-for-xlsx", why),
        Unwritten::Failed(kind) => Error::Unavailable(format!("a temporary file could not be written: {kind}")),
    }
}

pub(super) fn header(schema: &Schema, private: &[String]) -> Vec<Value> {
    let fields = schema.fields.iter().map(|field| field.name.as_str().into());
    fields.chain(private.iter().map(|header| private_name(header, schema).into())).collect()
}

pub(super) fn encode(format: Format, page: &OwnPage, private: &[String]) -> String {
    let line = |record: &hayward_store::OwnRecord| match format {
        Format::Csv => csv_line(&record.to_cells(&page.schema, private)),
        Format::Json | Format::Ndjson => record.to_json(&page.schema).to_string() + "\n",
    };
    page.records.iter().map(line).collect()
}
