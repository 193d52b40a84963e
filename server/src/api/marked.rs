//! `GET /api/v1/imports/{id}/marked`: a person's own file back, with what is wrong in front of each row.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_importers::MarkedFormat;

use super::format::{Format, accepted};
use super::imports::named;
use super::made::{self, WORKBOOK};
use super::params::Params;
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::error::Error;

/// The marked list of an import.
pub async fn get(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    let format = format(&request)?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let (media_type, ending) = match format {
        MarkedFormat::Csv => (Format::Csv.media_type(), "csv"),
        MarkedFormat::Xlsx => (WORKBOOK, "xlsx"),
    };
    let called = import.filename.rsplit_once('.').map_or(import.filename.as_str(), |(stem, _)| stem);
    // Of a list that was marked before, the old id goes.
    let called = called.split(".imp_").next().unwrap_or_default();
    // The id tells whose list it is when it comes back.
    let filename = made::named(called, &format!("{}.{ending}", import.id));
    let made = made::make(&commons, move |store, file| Ok(store.write_marked(&import, format, file)?)).await?;
    Ok(made.send(commons, bearer.token_hash, media_type, &filename))
}

fn format(request: &HttpRequest) -> Result<MarkedFormat, Error> {
    let known = |kind: &str| match kind {
        "text/csv" | "text/*" | "*/*" => Some(MarkedFormat::Csv),
        WORKBOOK | "application/*" => Some(MarkedFormat::Xlsx),
        _ => None,
    };
    let detail = format!("a marked list comes as text/csv or {WORKBOOK}");
    accepted(request, MarkedFormat::Csv, known).ok_or_else(|| Error::bad("not-acceptable", detail))
}
