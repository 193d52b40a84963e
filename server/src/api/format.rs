//! In which format an answer goes out, and how its pieces are put together.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use hayward_importers::csv_safe;
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
        let mut wanted =
            request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).peekable();
        if wanted.peek().is_none() {
            return Ok(Self::Json);
        }
        let kinds = wanted.map(|word| word.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        for kind in kinds {
            match kind.as_str() {
                "application/json" | "application/*" | "*/*" => return Ok(Self::Json),
                "text/csv" | "text/*" => return Ok(Self::Csv),
                "application/x-ndjson" | "application/ndjson" => return Ok(Self::Ndjson),
                _ => {}
            }
        }
        Err(Error::bad("not-acceptable", "this list comes as application/json, text/csv or application/x-ndjson"))
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
        push_cell(line, &cell);
    }
    line.push_str("\r\n");
}

fn push_cell(line: &mut String, text: &str) {
    let quoted = text.contains(['"', ',', '\r', '\n', ';', '\t']) || text.starts_with(' ') || text.ends_with(' ') || is_nil(text);
    if quoted {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}

/// Whether some programs would take it for no value at all, or for another one's name for that: daff is one of them.
#[must_use]
pub fn is_nil(text: &str) -> bool {
    text.trim_start_matches('_') == "NULL"
}
