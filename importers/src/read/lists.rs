//! Several values in one cell.
//!
//! Semicolons, vertical bars and line breaks separate them. A comma does not: it stands in names and places too.

use std::borrow::Cow;

use hayward_domain::schema::{Field, Kind, Schema};
use serde_json::Value;

use super::Held;
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
pub(crate) fn joined<'a>(one: Held<'a>, other: Held<'a>) -> Held<'a> {
    match (one, other) {
        (Held::Text(one), Held::Text(other)) => Held::Text(Cow::Owned(format!("{one}; {other}"))),
        (Held::Structured(mut one), Held::Structured(mut other)) => {
            if let (Value::Array(one), Value::Array(other)) = (&mut *one, &mut *other) {
                one.append(other);
            }
            Held::Structured(one)
        }
        (_, other) => other,
    }
}
