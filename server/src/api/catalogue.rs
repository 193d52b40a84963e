//! `GET /api/v1/catalogue` and `/api/v1/schemas`: what there is to ask for.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::DatasetId;
use hayward_store::Sought;
use serde_json::json;

use super::params::{PAGE, Params};
use crate::auth::bearer::{AgreementsRead, Bearer};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;

/// The datasets of other member co-ops: schema and fields, no counts and no values.
pub async fn list(request: HttpRequest, bearer: Bearer<AgreementsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    let mut params = Params::parse(request.query_string())?;
    let (limit, cursor) = (params.limit()?.unwrap_or(PAGE), params.take("cursor"));
    let sought = Sought { provider: params.take("provider"), schema: params.take("schema"), name: params.take("name") };
    params.end()?;
    let narrowed = [&sought.provider, &sought.schema, &sought.name].map(|part| part.as_deref().unwrap_or("\0"));
    let bound = Bound::to(bearer.caller.name(), &[&["catalogue"], &narrowed[..]].concat());
    let key = commons.store.cursor_key();
    let above = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map_or(0, |[above, ..]| above);
    let caller = bearer.caller;
    let mut entries = commons.run(move |store| store.catalogue(&caller, &sought, above, limit)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    let next = match entries.last().filter(|_| more) {
        Some(last) => Some(bound.seal(key, commons.random(), [last.number, 0, 0, 0, 0, 0, 0])?),
        None => None,
    };
    Ok(HttpResponse::Ok().json(json!({"items": entries, "next": next})))
}

/// One of them, with what its schema says of every field, and a request to begin with.
pub async fn one(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<AgreementsRead>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let (id, caller) = (DatasetId::parse(&id).ok_or(Error::NotFound)?, bearer.caller);
    let described = commons.run(move |store| store.catalogue_entry(&caller, &id)).await?;
    Ok(HttpResponse::Ok().json(described))
}

/// The schemas of this commons.
pub async fn schemas(request: HttpRequest, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let schemas = commons.run(|store| store.schemas()).await?;
    Ok(HttpResponse::Ok().json(json!({"items": schemas, "next": null})))
}

/// The newest version of one schema, by its name.
pub async fn schema(request: HttpRequest, name: Path<String>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let schema = commons.run(move |store| store.schema(&name)).await?;
    Ok(HttpResponse::Ok().content_type("application/schema+json").body(schema.document.to_string()))
}
