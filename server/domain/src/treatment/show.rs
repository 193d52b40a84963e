//! Treating one value.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::decimal::Decimal;
use super::{Generalisation, Treatment, day, degrees};
use crate::keys::AgreementKeys;
use crate::schema::{Field, ReadsAs};

/// What stands for the part that is not shown.
const BLOT: &str = "•••";

impl Treatment {
    /// What the recipient sees of a value: nothing at all if it is hidden, `null` if there is none or it cannot be treated.
    ///
    /// For [`crate::disclose`] alone: the way to a shared record goes through the terms.
    pub(crate) fn show<'a>(&self, field: &Field, keys: &AgreementKeys, value: Option<&'a Value>) -> Option<Cow<'a, Value>> {
        let value = value.unwrap_or(&Value::Null);
        let shown = match self {
            Self::Hidden => return None,
            Self::Pseudonym => canonical(field, value).map(|text| Value::from(keys.pseudonym(&field.name, &text))),
            Self::Generalised(how) => how.coarsen(field, value),
            Self::Masked => value.as_str().and_then(|text| mask(field, text)).map(Value::from),
            Self::Exact => return Some(Cow::Borrowed(value)),
        };
        Some(Cow::Owned(shown.unwrap_or(Value::Null)))
    }
}

impl Generalisation {
    fn coarsen(&self, field: &Field, value: &Value) -> Option<Value> {
        match self {
            Self::Year => value.as_str().and_then(|text| coarser_day(text, 4)).map(Value::from),
            Self::Month => value.as_str().and_then(|text| coarser_day(text, 7)).map(Value::from),
            Self::Prefix(length) => {
                let text = value.as_str()?;
                Some(Value::from(text.chars().take(usize::try_from(*length).ok()?).collect::<String>()))
            }
            Self::Grid(step) => {
                let limit = degrees(field)?;
                decimal(value)?.clamped(limit).nearest_to(*step)?.clamped(limit).to_number().map(Value::from)
            }
            Self::Band(width) => decimal(value)?.floor_to(*width)?.to_number().map(Value::from),
        }
    }
}

/// The first `length` characters of a day, a month or a year; all of it if it is that coarse already.
fn coarser_day(text: &str, length: usize) -> Option<&str> {
    // A month and a year are completed to a day to see whether they are in the calendar.
    let completed = format!("{text}{}", "0000-01-01".get(text.len()..)?);
    let whole = matches!(text.len(), 4 | 7 | 10) && day(&completed).is_some();
    whole.then(|| text.get(..length).unwrap_or(text))
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number().and_then(|number| Decimal::parse(&number.to_string()))
}

/// One text for each value, however it is written: so that one person has one pseudonym.
fn canonical(field: &Field, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().nfc().collect::<String>(),
        Value::Number(number) => {
            Decimal::parse(&number.to_string()).map_or_else(|| number.to_string(), |exact| exact.to_string())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let text = if field.reads_as == Some(ReadsAs::Email) { text.to_lowercase() } else { text };
    (!text.is_empty()).then_some(text)
}

fn mask(field: &Field, text: &str) -> Option<String> {
    match field.reads_as {
        Some(ReadsAs::Email) => mask_email(text).or_else(|| mask_text(text)),
        Some(ReadsAs::Phone) => Some(mask_phone(text)),
        Some(
            ReadsAs::Identifier | ReadsAs::Postcode | ReadsAs::Url | ReadsAs::Country | ReadsAs::Latitude | ReadsAs::Longitude,
        )
        | None => mask_text(text),
    }
}

fn mask_email(text: &str) -> Option<String> {
    let (name, domain) = text.rsplit_once('@').filter(|(_, domain)| !domain.is_empty())?;
    name.chars().next().map(|first| format!("{first}{BLOT}@{domain}"))
}

/// The last three digits, of a number long enough that they do not nearly tell it.
fn mask_phone(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let masked = text.strip_prefix(BLOT).is_some_and(|rest| rest.len() == 3 && digits.len() == 3);
    let shown = if masked || digits.len() >= 6 { digits.len().saturating_sub(3) } else { digits.len() };
    format!("{BLOT}{}", digits.iter().skip(shown).collect::<String>())
}

fn mask_text(text: &str) -> Option<String> {
    text.chars().next().map(|first| format!("{first}{BLOT}"))
}
