//! Reading a condition from a document.
//!
//! Whatever is not understood is refused: a condition that lost a part on the way would open more rows than its author meant.

use serde_json::{Map, Number, Value};

use super::{Condition, Is, Operand};
use crate::fault::{Fault, below};
use crate::schema::{Field, Kind, Schema, Sensitivity};
use crate::treatment::day;

/// How many `all` and `any` may stand inside each other.
const DEEPEST: usize = 4;
/// How many tests one condition may hold.
const MOST_TESTS: usize = 200;
/// How many values one `in` may list.
const MOST_VALUES: usize = 1000;
/// How many bytes one operand may have.
const LONGEST_TEXT: usize = 4000;
/// 2^53: up to here, a double tells every whole number from its neighbours.
pub(super) const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Condition {
    /// Reads a condition on rows of `schema`; `at` is the JSON pointer to `json` in the caller's document.
    ///
    /// # Errors
    /// Everything that is wrong with it. Several operators on one field mean all of them, and count as one more `all`.
    pub fn parse(json: &Value, schema: &Schema, at: &str) -> Result<Self, Vec<Fault>> {
        let mut reading = Reading { schema, tests: 0, faults: Vec::new() };
        let condition = reading.condition(json, at, 0);
        if reading.tests > MOST_TESTS {
            reading.fault::<()>(at, "too-many", format!("a condition holds at most {MOST_TESTS} tests"));
        }
        match condition {
            Some(condition) if reading.faults.is_empty() => Ok(condition),
            Some(_) | None => Err(reading.faults),
        }
    }
}

struct Reading<'a> {
    schema: &'a Schema,
    tests: usize,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    /// Notes a fault. Returns nothing, always, so that a reader can end with it.
    fn fault<T>(&mut self, at: &str, code: &'static str, detail: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(at, code, detail));
        None
    }

    fn condition(&mut self, json: &Value, at: &str, depth: usize) -> Option<Condition> {
        let Some((key, value)) = only_member(json) else {
            return self.fault(at, "type", "a condition is an object with one member: `all`, `any` or the name of a field");
        };
        let at = below(at, key);
        match key {
            "all" => self.group(value, &at, depth).map(Condition::All),
            "any" => self.group(value, &at, depth).map(Condition::Any),
            name => match self.schema.field(name) {
                Some(field) if field.sensitivity == Sensitivity::Never => self.fault(
                    &at,
                    "never-shared",
                    format!("`{name}` is never shared, and a condition on it would tell about it"),
                ),
                Some(field) => {
                    let field = field.clone();
                    self.tests(&field, value, &at, depth)
                }
                None => self.fault(&at, "unknown-field", format!("`{name}` is not a field of `{}`", self.schema.name)),
            },
        }
    }

    fn group(&mut self, json: &Value, at: &str, depth: usize) -> Option<Vec<Condition>> {
        if depth == DEEPEST {
            return self.fault(at, "too-deep", format!("`all` and `any` nest at most {DEEPEST} deep"));
        }
        let Some(parts) = json.as_array().filter(|parts| !parts.is_empty()) else {
            return self.fault(at, "type", "`all` and `any` take a list of at least one condition");
        };
        let read: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| self.condition(part, &below(at, &index.to_string()), depth + 1))
            .collect();
        read.into_iter().collect()
    }

    /// Reads `{operator: operand, …}` for one field.
    fn tests(&mut self, field: &Field, json: &Value, at: &str, depth: usize) -> Option<Condition> {
        let Some(operators) = json.as_object().filter(|operators| !operators.is_empty()) else {
            return self.fault(at, "type", "a test is an object like `{\"eq\": \"ES\"}`");
        };
        self.tests += operators.len();
        if operators.len() > 1 && depth == DEEPEST {
            return self.fault(
                at,
                "too-deep",
                format!("`all` and `any` nest at most {DEEPEST} deep, and so does a field with two operators"),
            );
        }
        let read: Vec<_> = operators.iter().map(|(name, operand)| self.test(field, name, operand, &below(at, name))).collect();
        let mut tests: Vec<Condition> = read.into_iter().collect::<Option<_>>()?;
        if tests.len() > 1 { Some(Condition::All(tests)) } else { tests.pop() }
    }

    fn test(&mut self, field: &Field, name: &str, json: &Value, at: &str) -> Option<Condition> {
        if field.kind == Kind::Structured && name != "null" {
            return self.fault(at, "type", format!("`{}` is a list or an object: ask only whether it is `null`", field.name));
        }
        if field.kind == Kind::Boolean && matches!(name, "gt" | "gte" | "lt" | "lte") {
            return self.fault(at, "type", "true and false have no order");
        }
        let is = match name {
            "eq" => Is::Eq(self.operand(field, json, at)?),
            "gt" => Is::Gt(self.operand(field, json, at)?),
            "gte" => Is::Gte(self.operand(field, json, at)?),
            "lt" => Is::Lt(self.operand(field, json, at)?),
            "lte" => Is::Lte(self.operand(field, json, at)?),
            "in" => Is::In(self.list(field, json, at)?),
            "prefix" => Is::Prefix(self.prefix(field, json, at)?),
            "null" => match json {
                Value::Bool(null) => Is::Null(*null),
                Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                    return self.fault(at, "type", "`null` takes true or false");
                }
            },
            other => {
                let known = "`eq`, `in`, `gt`, `gte`, `lt`, `lte`, `prefix` and `null`";
                return self.fault(at, "unknown-key", format!("`{other}` is not an operator; there are {known}"));
            }
        };
        Some(Condition::Test { field: field.name.clone(), is })
    }

    fn list(&mut self, field: &Field, json: &Value, at: &str) -> Option<Vec<Operand>> {
        let Some(values) = json.as_array() else {
            return self.fault(at, "type", "`in` takes a list of values");
        };
        // An empty list would mean "no row" here and "no condition" in the mind of whoever wrote the program that sent it.
        if values.is_empty() {
            return self.fault(at, "empty", "`in` needs at least one value");
        }
        if values.len() > MOST_VALUES {
            return self.fault(at, "too-many", format!("`in` takes at most {MOST_VALUES} values"));
        }
        let read: Vec<_> =
            values.iter().enumerate().map(|(index, value)| self.operand(field, value, &below(at, &index.to_string()))).collect();
        read.into_iter().collect()
    }

    fn prefix(&mut self, field: &Field, json: &Value, at: &str) -> Option<String> {
        if !matches!(field.kind, Kind::Text | Kind::Date) {
            return self.fault(at, "type", format!("`prefix` is for text and days, which `{}` is not", field.name));
        }
        match self.text(json, at)? {
            "" => {
                self.fault(at, "empty", "`prefix` needs at least one character; to ask for any value, write `{\"null\": false}`")
            }
            text => Some(text.to_owned()),
        }
    }

    fn operand(&mut self, field: &Field, json: &Value, at: &str) -> Option<Operand> {
        match field.kind {
            Kind::Text => self.text(json, at).map(Operand::text),
            Kind::Date => match self.text(json, at)? {
                text if day(text).is_some() => Some(Operand::text(text)),
                _ => self.fault(at, "date", "a day is written `2026-12-31`"),
            },
            Kind::Integer | Kind::Number => match json.as_number().and_then(exact) {
                Some(number) if field.kind == Kind::Number || number.fract() == 0.0 => Some(Operand::number(number)),
                Some(_) => self.fault(at, "type", format!("`{}` holds whole numbers", field.name)),
                None => self.fault(at, "type", format!("`{}` compares with a number of at most 2^53", field.name)),
            },
            Kind::Boolean => match json.as_bool() {
                Some(boolean) => Some(Operand::boolean(boolean)),
                None => self.fault(at, "type", format!("`{}` is true or false", field.name)),
            },
            Kind::Structured => self.fault(at, "type", format!("`{}` compares with nothing", field.name)),
        }
    }

    fn text<'j>(&mut self, json: &'j Value, at: &str) -> Option<&'j str> {
        match json.as_str() {
            None => self.fault(at, "type", "a text is needed here"),
            Some(text) if text.len() > LONGEST_TEXT => self.fault(at, "too-long", format!("at most {LONGEST_TEXT} bytes")),
            Some(text) if text.contains('\0') => self.fault(at, "character", "the character U+0000 is not taken"),
            Some(text) => Some(text),
        }
    }
}

fn only_member(json: &Value) -> Option<(&str, &Value)> {
    let members: &Map<String, Value> = json.as_object()?;
    members.iter().next().filter(|_| members.len() == 1).map(|(key, value)| (key.as_str(), value))
}

/// The number as a double, if nothing of it is lost that way. Minus zero is zero.
fn exact(number: &Number) -> Option<f64> {
    // Beyond 2^53, a whole number may become its neighbour: then only its own digits could tell.
    let neighbour = number.as_i64().is_some_and(|whole| whole.unsigned_abs() > 1 << 53);
    number.as_f64().filter(|double| !neighbour && double.abs() <= LARGEST_WHOLE).map(|double| double + 0.0)
}
