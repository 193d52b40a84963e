//! In which format an answer goes out, and how its pieces are put together.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use hayward_domain::mutants;
use hayward_importers::{csv_safe, push_csv_cell};
use serde_json::Value;

use crate::error::Error;

/// The formats of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One page, as JSON.
    Json,
    /// Everything, as comma-separated values.
    Csv,
    /// Everything, one JSON object a line.
    Ndjson,
}

impl Format {
    /// What the request accepts; the first that we have.
    ///
    /// # Errors
    /// `not-acceptable`.
    pub fn of(request: &HttpRequest) -> Result<Self, Error> {
        accepted(request, Self::Json, Self::called)
            .ok_or_else(|| Error::bad("not-acceptable", "this list comes as application/json, text/csv or application/x-ndjson"))
    }

    /// The format that goes by this media type.
    #[must_use]
    pub fn called(kind: &str) -> Option<Self> {
        match kind {
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "text/csv" | "text/*" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// The word for it in the ledger.
    #[must_use]
    pub fn channel(self) -> &'static str {
        match self {
            Self::Json => "list",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// The first media type of the request's `Accept` that is `known`; `usual` where it has none.
pub fn accepted<T>(request: &HttpRequest, usual: T, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut wanted =
        request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).peekable();
    if wanted.peek().is_none() {
        return Some(usual);
    }
    wanted.find_map(|word| known(&word.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()))
}

/// One line of CSV, safe to open in a spreadsheet.
#[must_use]
pub fn csv_line<'a>(cells: impl IntoIterator<Item = &'a Value>) -> String {
    let mut line = String::new();
    push_line(&mut line, cells.into_iter().map(cell_text));
    line
}

/// How a value is spelled in CSV, before it is quoted.
#[must_use]
pub fn cell_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) if mutants::on("formula-in-csv") => Cow::Borrowed(text),
        Value::String(text) => csv_safe(text),
        // Numbers and truths begin no formula that a spreadsheet would run; nor do brackets.
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_string()),
    }
}

/// Appends one line of CSV, quoted where it must be.
pub fn push_line<'a>(line: &mut String, cells: impl IntoIterator<Item = Cow<'a, str>>) {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        push_csv_cell(line, &cell);
    }
    line.push_str("\r\n");
}
