//! The fast path: the keywords that nearly every field uses, compiled to plain comparisons.
//!
//! Sound, not complete: what a [`Typed`] accepts, JSON Schema accepts too; what it does not accept is for [`super::oracle`] to
//! judge. So a check that is hard to get exactly right (an e-mail address) knows the common case here and leaves the rest.

use regex::Regex;
use serde_json::{Map, Value};

use super::exact;
use super::formats;

/// Keywords that say nothing about a value.
const SILENT: [&str; 10] =
    ["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "x-hayward", "type"];

/// The checks of one field.
#[derive(Clone)]
pub(super) enum Typed {
    Text(Text),
    Number(Number),
    Boolean { among: Option<Vec<Value>> },
}

#[derive(Clone, Default)]
pub(super) struct Text {
    shortest: u64,
    longest: Option<u64>,
    format: Option<fn(&str) -> bool>,
    pattern: Option<Regex>,
    among: Option<Vec<Value>>,
}

#[derive(Clone, Default)]
pub(super) struct Number {
    whole: bool,
    least: Option<f64>,
    most: Option<f64>,
    above: Option<f64>,
    below: Option<f64>,
    among: Option<Vec<Value>>,
}

impl Typed {
    /// The checks of a field, unless it uses a keyword that is not known here.
    pub(super) fn compile(property: &Map<String, Value>) -> Option<Self> {
        let spoken = property.iter().filter(|(keyword, _)| !SILENT.contains(&keyword.as_str()));
        match property.get("type")?.as_str()? {
            "string" => {
                spoken.map(|(keyword, demand)| (keyword.as_str(), demand)).try_fold(Text::default(), Text::with).map(Self::Text)
            }
            number @ ("number" | "integer") => {
                let start = Number { whole: number == "integer", ..Number::default() };
                spoken.map(|(keyword, demand)| (keyword.as_str(), demand)).try_fold(start, Number::with).map(Self::Number)
            }
            "boolean" => {
                let mut among = None;
                for (keyword, demand) in spoken {
                    among = Some(choices(keyword, demand, among)?);
                }
                Some(Self::Boolean { among })
            }
            _ => None,
        }
    }

    /// Whether the value is certainly right.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(text), Value::String(found)) => text.accepts(found),
            (Self::Number(number), Value::Number(_)) => number.accepts(value),
            (Self::Boolean { among }, Value::Bool(_)) => contains(among.as_deref(), value),
            (Self::Text(_) | Self::Number(_) | Self::Boolean { .. }, _) => false,
        }
    }

    /// The same for a text that is no [`Value`] yet.
    pub(super) fn accepts_text(&self, found: &str) -> bool {
        match self {
            Self::Text(text) => text.accepts(found),
            Self::Number(_) | Self::Boolean { .. } => false,
        }
    }
}

impl Text {
    fn with(mut self, (keyword, demand): (&str, &Value)) -> Option<Self> {
        match keyword {
            "minLength" => self.shortest = demand.as_u64()?,
            "maxLength" => self.longest = Some(demand.as_u64()?),
            "format" => self.format = Some(formats::certain(demand.as_str()?)?),
            "pattern" => self.pattern = Some(plain_pattern(demand.as_str()?)?),
            _ => self.among = Some(choices(keyword, demand, self.among)?),
        }
        Some(self)
    }

    fn accepts(&self, found: &str) -> bool {
        self.fits(found)
            && self.format.is_none_or(|certain| certain(found))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(found))
            && self.among.as_ref().is_none_or(|among| among.iter().any(|choice| choice.as_str() == Some(found)))
    }

    /// Lengths count code points, as JSON Schema does; no text has more of them than bytes.
    fn fits(&self, found: &str) -> bool {
        let bytes = found.len() as u64;
        if self.shortest == 0 && self.longest.is_none_or(|longest| bytes <= longest) {
            return true;
        }
        let length = found.chars().count() as u64;
        self.shortest <= length && self.longest.is_none_or(|longest| length <= longest)
    }
}

impl Number {
    fn with(mut self, (keyword, demand): (&str, &Value)) -> Option<Self> {
        let bound = || exact::number(demand);
        match keyword {
            "minimum" => self.least = Some(bound()?),
            "maximum" => self.most = Some(bound()?),
            "exclusiveMinimum" => self.above = Some(bound()?),
            "exclusiveMaximum" => self.below = Some(bound()?),
            _ => self.among = Some(choices(keyword, demand, self.among)?),
        }
        Some(self)
    }

    fn accepts(&self, value: &Value) -> bool {
        // `1.0` is an integer to JSON Schema; that rare spelling is left to the oracle.
        let Some(number) = exact::number(value).filter(|_| !self.whole || value.is_i64() || value.is_u64()) else {
            return false;
        };
        self.least.is_none_or(|least| number >= least)
            && self.most.is_none_or(|most| number <= most)
            && self.above.is_none_or(|above| number > above)
            && self.below.is_none_or(|below| number < below)
            && contains(self.among.as_deref(), value)
    }
}

/// The values that `enum` or `const` leaves. Both at once are left to the oracle.
fn choices(keyword: &str, demand: &Value, already: Option<Vec<Value>>) -> Option<Vec<Value>> {
    match (keyword, already) {
        ("enum", None) => demand.as_array().cloned(),
        ("const", None) => Some(vec![demand.clone()]),
        _ => None,
    }
}

fn contains(among: Option<&[Value]>, value: &Value) -> bool {
    among.is_none_or(|among| among.contains(value))
}

/// A pattern that means the same to JSON Schema (ECMA 262) and to the `regex` crate as it stands.
///
/// Classes such as `\d` are ASCII in one and Unicode in the other, and sets in brackets nest in only one of them.
fn plain_pattern(pattern: &str) -> Option<Regex> {
    let escapes_a_letter =
        pattern.as_bytes().windows(2).any(|pair| matches!(pair, [b'\\', next] if next.is_ascii_alphanumeric()));
    let nests = pattern.split('[').skip(1).any(|set| !set.contains(']'));
    let special = ["(?", "&&", "~~", "--", "[:", "[]", "[^]"].iter().any(|mark| pattern.contains(mark));
    if escapes_a_letter || nests || special { None } else { Regex::new(pattern).ok() }
}

#[cfg(test)]
mod tests {
    use super::plain_pattern;

    #[test]
    fn patterns_that_two_dialects_read_differently_are_not_plain() {
        for pattern in [r"\d", r"\w+", r"^[[:alpha:]]$", "[a[b]]", "[a-z&&b]", "(?i)a", "[", "a{2"] {
            assert!(plain_pattern(pattern).is_none(), "{pattern}");
        }
        for pattern in ["^[A-Z]{2}$", "^https?://", r"^a\.b$", "^[0-9-]+$"] {
            assert!(plain_pattern(pattern).is_some(), "{pattern}");
        }
    }
}
