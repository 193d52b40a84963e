//! Which rows: the closed grammar that row conditions and API filters share.
//!
//! It is total: every condition decides every row, without casts, patterns or functions, so that no row can make it fail and
//! tell about itself that way. There is no negation either, so a field that cannot be seen can only ever match less.
//! [`Condition::matches`] is the meaning; the store's SQL is held to it by a property test. A new operator belongs into both.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::schema::FieldName;

pub(crate) mod implied;
mod matches;
mod parse;

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Each of them. An empty one, which no document can spell, matches every row.
    All(Vec<Condition>),
    /// At least one of them. An empty one, which no document can spell, matches no row.
    Any(Vec<Condition>),
    /// One field, one question.
    Test {
        /// The field that is asked about.
        field: FieldName,
        /// What is asked.
        is: Is,
    },
}

/// What is asked of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Is {
    /// The same value.
    Eq(Operand),
    /// One of these values.
    In(Vec<Operand>),
    /// Greater; text compares by bytes.
    Gt(Operand),
    /// Greater or the same.
    Gte(Operand),
    /// Less.
    Lt(Operand),
    /// Less or the same.
    Lte(Operand),
    /// A text that begins so.
    Prefix(String),
    /// Whether there is no value.
    Null(bool),
}

/// How an operand reads against a cell, by the JSON type of the cell. A reading that is absent matches nothing.
///
/// A query parameter `5` reads as a text and as a number; an operand of a JSON document has one reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operand {
    /// Against text, compared by bytes.
    pub text: Option<String>,
    /// Against numbers, compared as IEEE 754 doubles. Always finite.
    pub number: Option<f64>,
    /// Against true and false.
    pub boolean: Option<bool>,
}

/// What a condition finds where it looks for a field.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Nothing that may be asked about: it matches no test, `null` included.
    Hidden,
    /// A field without a value.
    Null,
    /// A value.
    Value(&'a Value),
}

impl Operand {
    /// An operand that reads as text only.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// An operand that reads as a number only; one that is not finite reads as nothing.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self { number: number.is_finite().then_some(number), ..Self::default() }
    }

    /// An operand that reads as true or false only.
    #[must_use]
    pub fn boolean(boolean: bool) -> Self {
        Self { boolean: Some(boolean), ..Self::default() }
    }

    pub(crate) fn to_json(&self) -> Value {
        match (&self.text, self.number, self.boolean) {
            (Some(text), _, _) => Value::from(text.as_str()),
            (None, Some(number), _) => number_to_json(number),
            (None, None, Some(boolean)) => Value::from(boolean),
            (None, None, None) => Value::Null,
        }
    }
}

/// A whole number as JSON writes one: `5`, not `5.0`.
fn number_to_json(number: f64) -> Value {
    let whole = number.fract() == 0.0 && number.abs() <= parse::LARGEST_WHOLE;
    if whole { Value::from(number as i64) } else { Value::from(number) }
}

impl Is {
    /// The operator's name in documents and in `field[operator]=`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Eq(_) => "eq",
            Self::In(_) => "in",
            Self::Gt(_) => "gt",
            Self::Gte(_) => "gte",
            Self::Lt(_) => "lt",
            Self::Lte(_) => "lte",
            Self::Prefix(_) => "prefix",
            Self::Null(_) => "null",
        }
    }

    fn operand_to_json(&self) -> Value {
        match self {
            Self::Eq(operand) | Self::Gt(operand) | Self::Gte(operand) | Self::Lt(operand) | Self::Lte(operand) => {
                operand.to_json()
            }
            Self::In(operands) => operands.iter().map(Operand::to_json).collect(),
            Self::Prefix(prefix) => Value::from(prefix.as_str()),
            Self::Null(null) => Value::from(*null),
        }
    }
}

impl Condition {
    /// The condition as a document: the one spelling that is hashed.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (key, value) = match self {
            Self::All(parts) => ("all", parts.iter().map(Self::to_json).collect()),
            Self::Any(parts) => ("any", parts.iter().map(Self::to_json).collect()),
            Self::Test { field, is } => (field.as_str(), Value::Object(member(is.name(), is.operand_to_json()))),
        };
        Value::Object(member(key, value))
    }

    /// Every field that it asks about.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<FieldName> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Test { field, .. } => BTreeSet::from([field.clone()]),
        }
    }

    /// The conditions that must all hold for this one to hold, taken apart as far as `all` goes.
    pub(crate) fn conjuncts(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            Self::Any(_) | Self::Test { .. } => vec![self],
        }
    }
}

fn member(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}
