//! One value that a program gives, as an import of JSON would have it.
//!
//! A program knows types: a number is a JSON number, a day is written `2024-12-31`. Nothing is read from text that might mean two
//! things. What an import does to text without being asked (white space around it, names of countries) is done here too, so that a
//! file that says the same changes nothing.

use hayward_domain::schema::{Field, Kind, Schema};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::matching::{DateOrder, DecimalMark};
use crate::read::{Calendar, Counts, Reader, Wrong, clean, dates};
use crate::table::{Cell, Shape};

/// Why a value is none of its field. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoValue {
    /// As a [`crate::Problem`] has it.
    pub code: &'static str,
    /// In words.
    pub message: &'static str,
    /// What may be meant.
    pub suggestion: Option<String>,
}

impl From<Wrong> for NoValue {
    fn from(Wrong { code, message, suggestion }: Wrong) -> Self {
        Self { code, message, suggestion }
    }
}

/// The value of `field` that `given` is; nothing for `null` and for text without a character. What the schema says of it besides is
/// not looked at.
///
/// # Errors
/// [`NoValue`] for a number that cannot be kept exactly, a day that is none, a country that is none.
pub fn single(schema: &Schema, field: &Field, given: &RawValue) -> Result<Option<Value>, NoValue> {
    let unreadable = || NoValue { code: "type-error", message: "is not valid JSON", suggestion: None };
    let value: Value = serde_json::from_str(given.get()).map_err(|_| unreadable())?;
    let calendar = Calendar { order: DateOrder::Ymd, years: None, serials: None };
    let reader = Reader::new(schema, field, calendar, DecimalMark::Point);
    let read = |shape, text: &str| {
        let held = reader.read(Cell { shape, text }, &mut Counts::default())?;
        Ok::<_, NoValue>(Some(held.into_value()))
    };
    match (&value, field.kind) {
        (Value::Null, _) => Ok(None),
        (Value::String(text), Kind::Text | Kind::Date) => {
            let text = clean(text, false, false, &mut Counts::default());
            if text.is_empty() {
                return Ok(None);
            }
            if field.kind == Kind::Date && !dates::is_written_plainly(&text) {
                return Err(NoValue { code: "type-error", message: "is not a day, as in 2024-12-31", suggestion: None });
            }
            read(Shape::Text, &text)
        }
        (Value::Number(_), Kind::Integer | Kind::Number) => read(Shape::Number, given.get()),
        // The schema tells what is wrong with it, if something is.
        (_, Kind::Text | Kind::Date | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Structured) => Ok(Some(value)),
    }
}
