//! Filters, as a request's parameters say them, over the names that are open to it.

use hayward_domain::condition::{Condition, Is, Operand};
use hayward_store::{Names, Shape};

use super::params::unknown;
use crate::error::Error;

/// `name=value` or `name[operator]=value`.
///
/// # Errors
/// `unknown-parameter`, `unknown-operator`, `invalid-parameter`.
pub fn filter(names: &Names, parameter: &str, value: &str) -> Result<Condition, Error> {
    let (name, operator) = match parameter.split_once('[').map(|(name, rest)| (name, rest.strip_suffix(']'))) {
        None => (parameter, "eq"),
        Some((name, Some(operator))) => (name, operator),
        Some((_, None)) => return Err(unknown(parameter)),
    };
    let Some((field, shape)) = names.scalar(name) else {
        if names.hides(name) {
            return Err(Error::parameter("unknown-field", parameter, format!("`{name}` is not open to you")));
        }
        return Err(unknown(parameter));
    };
    let wrong = |detail: String| Error::parameter("invalid-parameter", parameter, detail);
    let operand = |text: &str| operand(shape, text).ok_or_else(|| wrong(format!("`{name}` cannot be compared with this value")));
    let is = match operator {
        "eq" => Is::Eq(operand(value)?),
        "in" => {
            let operands: Vec<Operand> = value.split(',').map(operand).collect::<Result<_, _>>()?;
            if operands.len() > 1_000 || value.is_empty() {
                return Err(wrong("a list of 1 to 1000 values, separated by commas".to_owned()));
            }
            Is::In(operands)
        }
        "gt" | "gte" | "lt" | "lte" if shape.boolean && !(shape.text || shape.date || shape.number) => {
            return Err(wrong(format!("`{name}` is true or false and has no order")));
        }
        "gt" => Is::Gt(operand(value)?),
        "gte" => Is::Gte(operand(value)?),
        "lt" => Is::Lt(operand(value)?),
        "lte" => Is::Lte(operand(value)?),
        "prefix" if shape.text || shape.date => Is::Prefix(value.to_owned()),
        "prefix" => return Err(wrong(format!("`{name}` is not text"))),
        "null" => match value {
            "true" => Is::Null(true),
            "false" => Is::Null(false),
            _ => return Err(wrong("`null` is true or false".to_owned())),
        },
        _ => {
            let detail = "filters know eq, in, gt, gte, lt, lte, prefix and null";
            return Err(Error::parameter("unknown-operator", parameter, detail));
        }
    };
    Ok(Condition::Test { field, is })
}

/// A value as it is compared with each kind of cell that the field can have.
fn operand(shape: Shape, text: &str) -> Option<Operand> {
    let number = shape.number.then(|| text.parse::<f64>().ok().filter(|number| number.is_finite())).flatten();
    let boolean = match (shape.boolean, text) {
        (true, "true") => Some(true),
        (true, "false") => Some(false),
        _ => None,
    };
    let words = shape.text || (shape.date && is_date(text));
    let operand = Operand { text: words.then(|| text.to_owned()), number, boolean };
    (operand.text.is_some() || operand.number.is_some() || operand.boolean.is_some()).then_some(operand)
}

/// A day, a month or a year: `2026-12-01`, `2026-12`, `2026`.
fn is_date(text: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-');
    let year = parts.next().is_some_and(|part| digits(part, 4));
    let rest = parts.all(|part| digits(part, 2));
    year && rest && text.len() <= 10
}
