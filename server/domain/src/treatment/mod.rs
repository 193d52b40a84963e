//! How a field looks to the recipient.
//!
//! A treatment is deterministic and total: a value that it cannot treat becomes `null`, never itself. Nothing random belongs
//! here, since what is drawn anew for every answer averages out.

use std::fmt;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::schema::{Field, Generalises, Kind, ReadsAs, Sensitivity};

mod decimal;
mod show;

pub use decimal::Width;

/// The most characters that a prefix may keep.
const LONGEST_PREFIX: u32 = 64;

/// How one field looks to the recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Absent, as if the schema did not have it.
    Hidden,
    /// A keyed stand-in: equal values look equal under this agreement, and nowhere else.
    Pseudonym,
    /// Coarser.
    Generalised(Generalisation),
    /// Blotted out but for a hint: `m•••@x.org`.
    Masked,
    /// As it is.
    Exact,
}

/// How much coarser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generalisation {
    /// A day to its year: `2026`.
    Year,
    /// A day to its month: `2026-12`.
    Month,
    /// A text to its first characters, counted in code points.
    Prefix(u32),
    /// A coordinate to the nearest point of a fixed grid with this step in degrees.
    Grid(Width),
    /// A number to the lower end of its band of this width.
    Band(Width),
}

impl Treatment {
    /// Reads `"exact"`, `"masked"`, `"pseudonym"`, `"hidden"` or `{"generalised": "month"}`.
    #[must_use]
    pub fn parse(json: &Value) -> Option<Self> {
        match json {
            Value::String(name) => match name.as_str() {
                "hidden" => Some(Self::Hidden),
                "pseudonym" => Some(Self::Pseudonym),
                "masked" => Some(Self::Masked),
                "exact" => Some(Self::Exact),
                _ => None,
            },
            Value::Object(members) if members.len() == 1 => {
                Generalisation::parse(members.get("generalised")?.as_str()?).map(Self::Generalised)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The treatment as [`Self::parse`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Hidden => Value::from("hidden"),
            Self::Pseudonym => Value::from("pseudonym"),
            Self::Generalised(how) => Value::Object(Map::from_iter([("generalised".to_owned(), Value::from(how.to_string()))])),
            Self::Masked => Value::from("masked"),
            Self::Exact => Value::from("exact"),
        }
    }

    /// Whether `field` may be treated so: exact and hidden always, unless it is never shared at all; anything else only if
    /// its schema offers it and its kind fits.
    #[must_use]
    pub fn fits(&self, field: &Field) -> bool {
        let offered = match self {
            Self::Hidden | Self::Exact => true,
            Self::Pseudonym => field.offers.pseudonym && !matches!(field.kind, Kind::Boolean | Kind::Structured),
            Self::Generalised(how) => field.offers.generalised.contains(&how.kind()) && how.fits(field),
            Self::Masked => field.offers.masked && field.kind == Kind::Text,
        };
        offered && field.sensitivity != Sensitivity::Never
    }

    /// Whether whoever sees `other` could make this from it: hidden is at most everything, everything is at most exact, and
    /// pseudonyms, masks and different kinds of generalisation do not compare.
    #[must_use]
    pub fn at_most(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hidden, _) | (_, Self::Exact) => true,
            (Self::Generalised(coarse), Self::Generalised(fine)) => coarse.at_most(fine),
            (Self::Pseudonym | Self::Generalised(_) | Self::Masked | Self::Exact, _) => self == other,
        }
    }
}

impl Generalisation {
    /// Reads `year`, `month`, `prefix:3`, `grid:0.1` or `band:10000`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "year" => Some(Self::Year),
            None if text == "month" => Some(Self::Month),
            Some(("prefix", length)) => {
                let plain = !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
                let length = plain.then(|| length.parse().ok())??;
                (1..=LONGEST_PREFIX).contains(&length).then_some(Self::Prefix(length))
            }
            Some(("grid", step)) => Width::parse(step).filter(|step| !step.exceeds(180)).map(Self::Grid),
            Some(("band", width)) => Width::parse(width).map(Self::Band),
            None | Some(_) => None,
        }
    }

    fn kind(&self) -> Generalises {
        match self {
            Self::Year => Generalises::Year,
            Self::Month => Generalises::Month,
            Self::Prefix(_) => Generalises::Prefix,
            Self::Grid(_) => Generalises::Grid,
            Self::Band(_) => Generalises::Band,
        }
    }

    fn fits(&self, field: &Field) -> bool {
        match self {
            Self::Year | Self::Month => field.kind == Kind::Date,
            Self::Prefix(_) => field.kind == Kind::Text,
            Self::Grid(_) => field.kind == Kind::Number && degrees(field).is_some(),
            Self::Band(_) => matches!(field.kind, Kind::Integer | Kind::Number),
        }
    }

    /// Whether this can be made from what `fine` shows.
    fn at_most(&self, fine: &Self) -> bool {
        match (self, fine) {
            (Self::Year, Self::Year | Self::Month) | (Self::Month, Self::Month) => true,
            (Self::Prefix(short), Self::Prefix(long)) => short <= long,
            (Self::Band(coarse), Self::Band(fine)) => coarse.multiple_of(*fine).is_some() && coarse.reaches_as_far_as(*fine),
            // Rounding goes to the nearest point, so the cells of an even multiple cut those of the finer grid in two: showing
            // one after the other would tell on which side of the cut a place lies.
            (Self::Grid(coarse), Self::Grid(fine)) => coarse.multiple_of(*fine).is_some_and(|times| times % 2 == 1),
            (Self::Year | Self::Month | Self::Prefix(_) | Self::Grid(_) | Self::Band(_), _) => false,
        }
    }
}

impl fmt::Display for Generalisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year => f.write_str("year"),
            Self::Month => f.write_str("month"),
            Self::Prefix(length) => write!(f, "prefix:{length}"),
            Self::Grid(step) => write!(f, "grid:{step}"),
            Self::Band(width) => write!(f, "band:{width}"),
        }
    }
}

/// The largest number of degrees that a coordinate has.
fn degrees(field: &Field) -> Option<i128> {
    match field.reads_as? {
        ReadsAs::Latitude => Some(90),
        ReadsAs::Longitude => Some(180),
        ReadsAs::Identifier | ReadsAs::Phone | ReadsAs::Postcode | ReadsAs::Email | ReadsAs::Url | ReadsAs::Country => None,
    }
}

/// The day that `text` is, if it is written `2026-12-31` and in the calendar.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

#[cfg(test)]
mod tests;
