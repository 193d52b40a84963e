//! Lists that are numbered from 1: a page as JSON, or everything as a spreadsheet.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::format::{Format, csv_line};
use super::params::{PAGE, Params};
use crate::commons::Commons;
use crate::cursor::Bound;
use crate::error::Error;

/// Items that a spreadsheet holds at most.
const ALL: i64 = 100_000;

/// A request for such a list.
pub struct Numbered {
    format: Format,
    /// The item after which it begins.
    pub after: i64,
    /// How many items it wants.
    pub limit: i64,
    bound: Bound,
}

impl Numbered {
    /// Reads the request.
    ///
    /// # Errors
    /// What is wrong with its parameters.
    pub fn of(request: &HttpRequest, caller: &str, what: &str, id: &str, commons: &Commons) -> Result<Self, Error> {
        let mut params = Params::parse(request.query_string())?;
        let (limit, cursor) = (params.limit()?, params.take("cursor"));
        params.end()?;
        let format = Format::of(request)?;
        let bound = Bound::to(caller, &[what, id]);
        let key = commons.store.cursor_key();
        let after = cursor.map(|cursor| bound.open(key, &cursor)).transpose()?.map_or(0, |[after, ..]| after);
        let all = if format == Format::Json { PAGE } else { ALL };
        Ok(Self { format, after, limit: limit.unwrap_or(all), bound })
    }

    /// The answer; `found` holds one more than the limit if there are more.
    ///
    /// # Errors
    /// Only a cipher's.
    pub fn respond(&self, commons: &Commons, mut found: Vec<Value>, columns: &[&str]) -> Result<HttpResponse, Error> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let mut response = HttpResponse::Ok();
        response.insert_header(("Cache-Control", "private, no-store"));
        match self.format {
            Format::Json => {
                let position = [self.after + i64::try_from(found.len()).unwrap_or(0), 0, 0, 0, 0, 0, 0];
                let next =
                    if more { Some(self.bound.seal(commons.store.cursor_key(), commons.random(), position)?) } else { None };
                Ok(response.json(json!({"items": found, "next": next})))
            }
            Format::Ndjson => {
                let lines: String = found.iter().map(|item| item.to_string() + "\n").collect();
                Ok(response.content_type(self.format.media_type()).body(lines))
            }
            Format::Csv => {
                let head: Vec<Value> = columns.iter().map(|name| (*name).into()).collect();
                let lines = found.iter().map(|item| csv_line(columns.iter().map(|name| item.get(name).unwrap_or(&Value::Null))));
                let text: String = std::iter::once(csv_line(&head)).chain(lines).collect();
                Ok(response.content_type(self.format.media_type()).body(text))
            }
        }
    }
}
