//! `/api/v1/datasets/{id}/records`: own records, one by one.
//!
//! A record is changed by a merge patch (RFC 7396) with closed shapes, under the condition that it is still the one that was read
//! (RFC 9110, section 13; RFC 6585, section 3). Each change is an edition, made the way an import makes one.

use std::collections::BTreeMap;

use actix_web::http::header::{ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LOCATION};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use hayward_domain::id::DatasetId;
use hayward_domain::schema::Schema;
use hayward_store::{Edit, EditError, Edited, Given, OwnRecord};
use serde_json::value::RawValue;

use super::body;
use super::params::Params;
use crate::auth::bearer::{Bearer, DatasetsRead, DatasetsWrite};
use crate::commons::Commons;
use crate::error::{Detail, Error};

/// What a merge patch is called.
const MERGE_PATCH: &str = "application/merge-patch+json";

fn dataset_id(text: &str) -> Result<DatasetId, Error> {
    DatasetId::parse(text).ok_or(Error::NotFound)
}

/// One of one's own records.
pub async fn get(
    request: HttpRequest,
    path: Path<(String, String)>,
    bearer: Bearer<DatasetsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (dataset, record) = path.into_inner();
    let (dataset, owner) = (dataset_id(&dataset)?, bearer.caller.organization);
    let found = commons.run(move |store| store.one_own_record(owner, &dataset, &record)).await?;
    shown(HttpResponse::Ok(), &found)
}

/// Makes a record.
pub async fn create(
    request: HttpRequest,
    dataset: Path<String>,
    bearer: Bearer<DatasetsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let dataset = dataset_id(&dataset)?;
    let given = fields(&request, &bytes, "application/json")?;
    // A record is made where none is, whether the caller says so or not: nothing else may be asked here.
    if request.headers().contains_key(IF_MATCH) || one(&request, IF_NONE_MATCH)?.is_some_and(|line| line.trim() != "*") {
        return Err(Error::Conflict {
            code: "precondition-failed",
            detail: "there is nothing yet that could match; `If-None-Match: *` is all that can be asked".to_owned(),
        });
    }
    let caller = bearer.still(&commons).await?;
    let to = dataset.clone();
    let made = commons.run(move |store| store.create_record(&caller, &to, &given).map_err(refused)).await?;
    let id = made.record.as_ref().map(|record| record.id.clone()).unwrap_or_default();
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/api/v1/datasets/{dataset}/records/{id}")));
    commons.wake.notify_one();
    shown(response, &made)
}

/// Changes some fields of a record.
pub async fn change(
    request: HttpRequest,
    path: Path<(String, String)>,
    bearer: Bearer<DatasetsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let given = fields(&request, &bytes, MERGE_PATCH)?;
    let changed = edit(&request, path.into_inner(), bearer, &commons, Edit::Change(given)).await?;
    shown(HttpResponse::Ok(), &changed)
}

/// Removes a record. It may come back; whoever wants it gone for good erases it.
pub async fn remove(
    request: HttpRequest,
    path: Path<(String, String)>,
    bearer: Bearer<DatasetsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    edit(&request, path.into_inner(), bearer, &commons, Edit::Remove).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn edit(
    request: &HttpRequest,
    (dataset, record): (String, String),
    bearer: Bearer<DatasetsWrite>,
    commons: &Commons,
    edit: Edit,
) -> Result<Edited, Error> {
    Params::parse(request.query_string())?.end()?;
    let dataset = dataset_id(&dataset)?;
    let condition = Condition::of(request)?;
    let caller = bearer.still(commons).await?;
    let Some(condition) = condition else {
        // Whoever may not know of it hears nothing else of it.
        let owner = caller.organization;
        commons.run(move |store| store.one_own_record(owner, &dataset, &record).map(drop)).await?;
        let detail = "say which state of the record is meant, with `If-Match` and the `ETag` that came with it";
        return Err(Error::Conflict { code: "precondition-required", detail: detail.to_owned() });
    };
    let done = commons.run(move |store| {
        store.edit_record(&caller, &dataset, &record, &|record, schema| condition.holds(record, schema), &edit).map_err(refused)
    });
    let done = done.await?;
    commons.wake.notify_one();
    Ok(done)
}

/// What `If-Match` asks.
enum Condition {
    /// That there is such a record.
    Any,
    /// That it is in one of these states. Weak validators match nothing (RFC 9110, section 13.1.1).
    Tags(Vec<String>),
}

impl Condition {
    fn of(request: &HttpRequest) -> Result<Option<Self>, Error> {
        let Some(line) = one(request, IF_MATCH)? else { return Ok(None) };
        if line.trim() == "*" {
            return Ok(Some(Self::Any));
        }
        let strong = |tag: &str| Some(tag.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned());
        Ok(Some(Self::Tags(line.split(',').filter_map(strong).collect())))
    }

    fn holds(&self, record: &OwnRecord, schema: &Schema) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&record.tag(schema)),
        }
    }
}

/// A header that may stand once, as text.
fn one(request: &HttpRequest, name: HeaderName) -> Result<Option<String>, Error> {
    let lines: Result<Vec<&str>, _> = request.headers().get_all(&name).map(|line| line.to_str()).collect();
    let lines = lines.map_err(|_| Error::bad("invalid-parameter", format!("`{name}` cannot be read")))?;
    Ok((!lines.is_empty()).then(|| lines.join(",")))
}

fn shown(mut response: HttpResponseBuilder, edited: &Edited) -> Result<HttpResponse, Error> {
    let record = edited.record.as_ref().ok_or(Error::NotFound)?;
    Ok(response
        .insert_header((ETAG, format!("\"{}\"", record.tag(&edited.schema))))
        .insert_header(("Cache-Control", "private, no-store"))
        .json(record.to_json(&edited.schema)))
}

/// The fields of a body, each as it was written.
fn fields(request: &HttpRequest, bytes: &[u8], kind: &str) -> Result<Given, Error> {
    body::of_kind(request, bytes, kind)?;
    // A number is kept with the digits it was written with: they may be more than a number of JSON can hold.
    let given: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(bytes)
        .map_err(|_| body::invalid("the body is a JSON object with fields of the list".to_owned()))?;
    Ok(given)
}

fn refused(error: EditError) -> Error {
    let faults = match error {
        EditError::Store(error) => return error.into(),
        EditError::Invalid(faults) => faults,
    };
    let errors: Vec<Detail> = faults
        .into_iter()
        .map(|fault| Detail {
            pointer: Some(
                fault.field.map(|field| format!("/{}", field.replace('~', "~0").replace('/', "~1"))).unwrap_or_default(),
            ),
            parameter: None,
            code: fault.code.to_owned(),
            detail: fault.detail,
        })
        .collect();
    Error::Bad { code: "invalid-record", detail: format!("{} things are wrong with this record", errors.len()), errors }
}
