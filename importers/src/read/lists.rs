//! Several values in one cell.
//!
//! Semicolons, vertical bars and line breaks separate them. A comma does not: it stands in names and places too.

use hayward_domain::schema::{Field, Kind, Schema};
use serde_json::Value;

use crate::fold::trim;

/// What the values of a field are that is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Items {
    /// Text.
    Text,
    /// Whole numbers.
    Integers,
    /// Numbers.
    Numbers,
    /// True or false.
    Booleans,
}

/// What the values of `field` are, if it is a list of values that may stand in a cell.
pub(crate) fn items(schema: &Schema, field: &Field) -> Option<Items> {
    if field.kind != Kind::Structured {
        return None;
    }
    let declared = schema.document.get("properties")?.get(field.name.as_str())?;
    if declared.get("type")?.as_str()? != "array" {
        return None;
    }
    let Some(items) = declared.get("items") else { return Some(Items::Text) };
    match items.get("type").and_then(Value::as_str)? {
        "string" => Some(Items::Text),
        "integer" => Some(Items::Integers),
        "number" => Some(Items::Numbers),
        "boolean" => Some(Items::Booleans),
        _ => None,
    }
}

/// The values of a cell.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '|', '\n']).map(trim).filter(|value| !value.is_empty())
}

/// What two columns for one field come to: a list of both, or their texts one behind the other.
pub(crate) fn joined(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Array(mut one), Value::Array(other)) => {
            one.extend(other);
            Value::Array(one)
        }
        (Value::String(one), Value::String(other)) => Value::String(format!("{one}; {other}")),
        (_, other) => other,
    }
}
