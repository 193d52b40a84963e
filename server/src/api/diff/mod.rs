//! `/api/v1/imports/{id}/diff`: what a commit will change, or has changed.
//!
//! As JSON a page at a time, each compared anew. As CSV (`highlighter`), NDJSON and HTML (`fragment`) everything, unless `limit` is
//! given: compared once, kept aside, and sent as it is asked for.

mod fragment;
mod highlighter;

use actix_web::http::header::ACCEPT;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use hayward_store::{DiffColumn, DiffRow, Difference, RowChange, Show};
use serde_json::{Map, Value, json};

use super::format::Format;
use super::imports::{named, turn};
use super::numbered::Numbered;
use super::params::Params;
use crate::auth::bearer::{Bearer, ImportsWrite, unknown_token};
use crate::commons::Commons;
use crate::error::Error;

/// Rows that one chunk of a stream holds.
const CHUNK: usize = 500;

/// How a whole difference goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Highlighter,
    Lines,
    Fragment,
}

/// What a commit will change, or has changed.
pub async fn diff(
    request: HttpRequest,
    id: Path<String>,
    bearer: Bearer<ImportsWrite>,
    commons: Data<Commons>,
) -> Result<HttpResponse, Error> {
    let shape = match wants_html(&request) {
        true => Shape::Fragment,
        false => match Format::of(&request)? {
            Format::Json => return page(&request, &id, &bearer, &commons).await,
            Format::Csv => Shape::Highlighter,
            Format::Ndjson => Shape::Lines,
        },
    };
    let mut params = Params::parse(request.query_string())?;
    let limit = params.limit()?;
    params.end()?;
    let import = named(&commons, bearer.caller.organization, &id).await?;
    // A part of a difference changes nothing exactly: no need to show the whole list around it.
    let show = if shape == Shape::Highlighter && limit.is_none() { Show::WholeWhereColumnsAppear } else { Show::Changes };
    let turn = turn(&commons).await?;
    let difference = commons
        .run(move |store| {
            let _turn = turn;
            store.difference(&import, show)
        })
        .await?;
    let left = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    Ok(stream(commons, shape, difference, left, bearer.token_hash))
}

/// Whether the request names HTML before any other format of ours.
fn wants_html(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let kinds = accepted.flat_map(|text| text.split(',')).map(|word| word.split(';').next().unwrap_or_default().trim());
    let ours = ["application/json", "application/*", "*/*", "text/csv", "text/*", "application/x-ndjson", "application/ndjson"];
    let is_ours = |kind: &&str| ours.iter().chain(&["text/html"]).any(|one| kind.eq_ignore_ascii_case(one));
    kinds.into_iter().find(is_ours).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"))
}

async fn page(
    request: &HttpRequest,
    id: &str,
    bearer: &Bearer<ImportsWrite>,
    commons: &Data<Commons>,
) -> Result<HttpResponse, Error> {
    let list = Numbered::of(request, bearer.caller.name(), "diff", id, commons)?;
    let import = named(commons, bearer.caller.organization, id).await?;
    let (after, limit) = (usize::try_from(list.after).unwrap_or(0), usize::try_from(list.limit).unwrap_or(usize::MAX - 1));
    let found = commons.run(move |store| store.import_diff(&import, after, limit)).await?;
    let items = found.iter().map(|item| serde_json::to_value(item).unwrap_or_default()).collect();
    list.respond(commons, items, &["change", "row", "key", "fields"])
}

impl Shape {
    fn media_type(self) -> &'static str {
        match self {
            Self::Highlighter => Format::Csv.media_type(),
            Self::Lines => Format::Ndjson.media_type(),
            Self::Fragment => "text/html; charset=utf-8",
        }
    }

    fn head(self, columns: &[DiffColumn]) -> String {
        match self {
            Self::Highlighter => highlighter::head(columns),
            Self::Lines => String::new(),
            Self::Fragment => fragment::head(columns),
        }
    }

    fn push(self, text: &mut String, difference: &Difference, row: &DiffRow) {
        match self {
            Self::Highlighter => highlighter::push(text, difference, row),
            Self::Lines => push_item(text, &difference.columns, row),
            Self::Fragment => fragment::push(text, &difference.columns, row),
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Highlighter | Self::Lines => "",
            Self::Fragment => fragment::END,
        }
    }
}

/// The item of the JSON list that a row is.
fn push_item(text: &mut String, columns: &[DiffColumn], row: &DiffRow) {
    if row.change == RowChange::Kept {
        return;
    }
    let cell =
        |cells: &Option<Vec<Value>>, at: usize| cells.as_ref().and_then(|cells| cells.get(at)).cloned().unwrap_or_default();
    let mut fields = Map::new();
    for (at, column) in columns.iter().enumerate() {
        let (old, new) = (cell(&row.before, at), cell(&row.after, at));
        if old != new {
            fields.insert(column.name.clone(), json!([old, new]));
        }
    }
    let item = json!({"change": row.change.as_str(), "row": row.row, "key": row.key, "fields": fields});
    text.push_str(&item.to_string());
    text.push('\n');
}

fn stream(commons: Data<Commons>, shape: Shape, difference: Difference, wanted: usize, token_hash: String) -> HttpResponse {
    let head = shape.head(&difference.columns);
    let stream = try_unfold((Some(difference), head, wanted), move |(difference, mut text, left)| {
        let (commons, hash) = (commons.clone(), token_hash.clone());
        async move {
            let Some(mut difference) = difference else { return Ok::<_, Error>(None) };
            let (text, left, difference) = commons
                .run(move |store| {
                    // Who may no longer read gets no more of it.
                    store.caller(&hash).map(drop).map_err(unknown_token)?;
                    let rows = difference.rows(CHUNK.min(left))?;
                    rows.iter().for_each(|row| shape.push(&mut text, &difference, row));
                    let changes = rows.iter().filter(|row| row.change != RowChange::Kept).count();
                    let left = left - changes;
                    let more = !rows.is_empty() && left > 0;
                    if !more {
                        text.push_str(shape.end());
                    }
                    Ok::<_, Error>((text, left, more.then_some(difference)))
                })
                .await?;
            Ok(Some((Bytes::from(text), (difference, String::new(), left))))
        }
    });
    let mut response = HttpResponse::Ok();
    response.content_type(shape.media_type()).insert_header(("Cache-Control", "private, no-store"));
    if shape == Shape::Fragment {
        // Somebody may open it by itself.
        response.insert_header(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"));
        response.insert_header(("X-Content-Type-Options", "nosniff"));
    }
    response.streaming(Box::pin(stream))
}
