//! JSON bodies: read whole, closed, and refused without quoting them.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Detail, Error};

/// The largest JSON body.
pub const LARGEST: usize = 1024 * 1024;

/// Reads a JSON body. An empty one is `{}`.
///
/// # Errors
/// `unsupported-media-type`, `invalid-json`.
pub fn json(request: &HttpRequest, bytes: &[u8]) -> Result<Value, Error> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    of_kind(request, bytes, "application/json")
}

/// Reads a JSON body of this media type, which is taken for granted where the request names none.
///
/// # Errors
/// As [`json`].
pub fn of_kind(request: &HttpRequest, bytes: &[u8], wanted: &str) -> Result<Value, Error> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(wanted);
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(wanted) {
        return Err(Error::bad("unsupported-media-type", format!("the body of this call is {wanted}")));
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        // The parser's own words may quote the body.
        Error::bad("invalid-json", format!("not a JSON document (line {}, column {})", error.line(), error.column()))
    })?;
    if holds_nul(&value) {
        return Err(Error::bad("invalid-json", "the body holds U+0000"));
    }
    Ok(value)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A body that is JSON, and not what the call takes.
pub fn invalid(detail: String) -> Error {
    let (pointer, code) = (Some(String::new()), "invalid-body");
    let errors = vec![Detail { pointer, parameter: None, code: code.to_owned(), detail: detail.clone() }];
    Error::Bad { code, detail, errors }
}

/// Reads a JSON body into what a call takes, nothing more and nothing less.
///
/// # Errors
/// As [`json`], and `invalid-body`.
pub fn read<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<T, Error> {
    let value = json(request, bytes)?;
    // What is derived to be read from an object would take a list of its values as well.
    if !value.is_object() {
        return Err(invalid("the body is a JSON object".to_owned()));
    }
    serde_json::from_value(value).map_err(|error| invalid(words(&error.to_string())))
}

/// What serde says, without what it quotes of the body: field names stand in backticks, values in double quotes.
fn words(message: &str) -> String {
    // From the first quotation mark to the last: a value may hold some of its own.
    match (message.split_once('"'), message.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{before}…{after}"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_a_body_holds_is_not_repeated() {
        assert_eq!(words("invalid type: string \"a \\\"secret\\\" b\", expected i64"), "invalid type: string …, expected i64");
        assert_eq!(words("missing field `terms`"), "missing field `terms`");
    }
}
