//! `/api/v1/imports/{id}/reading` and `/rows`: how a file is read, and what it looks like then.

use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use hayward_importers::{LineEnds, Overrules};
use serde_json::{Value, json};

use super::body;
use super::format::Format;
use super::imports::{named, shown, turn};
use super::numbered::Numbered;
use super::params::Params;
use crate::auth::bearer::{Bearer, ImportsWrite};
use crate::commons::Commons;
use crate::error::{Detail, Error};

/// What the parameters of an upload say about how the file is read.
///
/// # Errors
/// `invalid-parameter`.
pub fn overrules(params: &mut Params) -> Result<Overrules, Error> {
    let invalid = |name: &str, detail: &str| Error::parameter("invalid-parameter", name, detail);
    let delimiter = match params.take("delimiter") {
        None => None,
        Some(text) => {
            let mut letters = text.chars();
            let letter = letters.next().filter(|_| letters.next().is_none());
            Some(letter.ok_or_else(|| invalid("delimiter", "`delimiter` is one character"))?)
        }
    };
    let line_ends = match params.take("line_ends") {
        None => None,
        Some(text) => {
            let read = serde_json::from_value::<LineEnds>(Value::String(text));
            Some(read.map_err(|_| invalid("line_ends", "`line_ends` is `any` or `crlf`"))?)
        }
    };
    let header_row = match params.take("header_row") {
        None => None,
        Some(text) => {
            Some(text.parse::<u64>().map_err(|_| invalid("header_row", "`header_row` is the number of a row, 0 for none"))?)
        }
    };
    Ok(Overrules { encoding: params.take("encoding"), delimiter, line_ends, header_row, sheet: params.take("sheet") })
}

/// Says how the file is to be read.
pub async fn reread(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
    bytes: Bytes,
) -> Result<HttpResponse, Error> {
    let overrules: Overrules = body::read(&request, &bytes)?;
    let owner = bearer.still(&commons).await?.organization;
    let import = named(&commons, owner, &id).await?;
    let turn = turn(&commons).await?;
    let refusal = commons
        .run(move |store| {
            let _turn = turn;
            store.reread_import(&import, &overrules)
        })
        .await?;
    if let Some(refusal) = refusal {
        let error = Detail { pointer: None, parameter: None, code: refusal.code().to_owned(), detail: refusal.to_string() };
        let detail = "the file cannot be read so, and stays as it was read before".to_owned();
        return Err(Error::Bad { code: "invalid-reading", detail, errors: vec![error] });
    }
    let import = named(&commons, owner, &id).await?;
    Ok(HttpResponse::Ok().json(shown(&commons, import).await?))
}

/// The rows of the file as text, title rows and header included.
pub async fn rows(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    if Format::of(&request)? != Format::Json {
        return Err(Error::bad("not-acceptable", "the rows of a file come as application/json, a page at a time"));
    }
    let list = Numbered::of(&request, bearer.caller.name(), "rows", &id, &commons)?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    let turn = turn(&commons).await?;
    let (after, limit) = (usize::try_from(list.after).unwrap_or(0), usize::try_from(list.limit).unwrap_or(usize::MAX - 1));
    let found = commons
        .run(move |store| {
            let _turn = turn;
            store.import_rows(&import, after, limit)
        })
        .await?;
    let items = found.into_iter().map(|(row, cells)| json!({"row": row, "cells": cells})).collect();
    list.respond(&commons, items, &["row", "cells"])
}
