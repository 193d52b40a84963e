//! Which column of a file goes to which field, and how it is read.
//!
//! A matching is what a person decided; [`suggest`] only proposes one. It is kept for the next file, where it is applied by
//! heading and not by position: somebody will insert a column.

use std::fmt;

use hayward_domain::schema::FieldName;
use serde::{Deserialize, Serialize};

mod column;
mod decision;
mod faults;
mod fix;
mod heading;
mod question;
mod score;
mod suggest;

pub use column::Column;
pub use decision::Decision;
pub use faults::MatchingFault;
pub(crate) use fix::ColumnFixes;
pub use fix::Fix;
pub use question::{Asked, Choice, Question};
pub use suggest::suggest;

/// In which order day, month and year stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 25/04/2024.
    Dmy,
    /// 04/25/2024.
    Mdy,
    /// 2024-04-25. Dates written so are understood in every column; this refuses the others.
    Ymd,
}

/// From which year the days of a spreadsheet count that stand in a column as bare numbers: `1900` or `1904` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
pub enum Serials {
    /// 45385 is 3 April 2024, as nearly everywhere.
    From1900,
    /// 43923 is 3 April 2024, as on the first Macintoshes.
    From1904,
}

impl From<Serials> for u16 {
    fn from(serials: Serials) -> Self {
        match serials {
            Serials::From1900 => 1900,
            Serials::From1904 => 1904,
        }
    }
}

impl TryFrom<u16> for Serials {
    type Error = &'static str;

    fn try_from(year: u16) -> Result<Self, Self::Error> {
        match year {
            1900 => Ok(Self::From1900),
            1904 => Ok(Self::From1904),
            _ => Err("spreadsheets count from 1900 or from 1904"),
        }
    }
}

/// What stands before the decimals in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecimalMark {
    /// 1,234.56
    Point,
    /// 1.234,56
    Comma,
}

/// What happens to records that the file does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// They stay.
    #[default]
    Keep,
    /// They are deleted.
    Delete,
}

/// What a blank cell does to what was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blank {
    /// Nothing.
    #[default]
    Keep,
    /// It empties it.
    Clear,
}

/// What is done with records that the file names, where not both are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// New records are added; a row about one that is there is left out.
    Add,
    /// Records that are there are changed; a row about another is left out.
    Update,
}

/// What was decided about one column.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDecision {
    /// The letter of the column.
    pub column: String,
    /// Its heading.
    pub header: String,
    /// Where it goes; nothing as long as nobody has decided.
    #[serde(default)]
    pub field: Option<Decision>,
    /// How its dates are read, where they do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// The last year that two digits mean in it: with 2029, 29 is 2029 and 30 is 1930.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u16>,
    /// From which year its days count, where they are bare numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serials: Option<Serials>,
    /// How its numbers are read, where they do not say it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<DecimalMark>,
    /// What a blank cell of this column does, where it is not what [`Matching::blank`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank: Option<Blank>,
}

// By hand: what was taken for a heading may be somebody's name.
impl fmt::Debug for ColumnDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnDecision({}: {:?})", self.column, self.field)
    }
}

/// What a person, or the suggestions, decided about a file. The body of `PUT /api/v1/imports/{id}/matching`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The columns; one that is not named is undecided.
    pub columns: Vec<ColumnDecision>,
    /// The fields that tell one record from another, if not those of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<String>>,
    /// What happens to records that the file does not have.
    #[serde(default)]
    pub absent: Absent,
    /// What a blank cell does.
    #[serde(default)]
    pub blank: Blank,
    /// Whether records are only added or only changed; without it both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// What stands in place of what the file says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

impl Matching {
    /// What `columns` say, with the defaults for the rest.
    #[must_use]
    pub fn from_columns(columns: &[Column]) -> Self {
        Self { columns: columns.iter().map(Column::decision).collect(), ..Self::default() }
    }

    /// What `columns` say, with the key of the last file of the same list. What happens to records that are there is said anew for every
    /// file, and corrections are of one file only.
    #[must_use]
    pub fn going_on(columns: &[Column], previous: &Self) -> Self {
        Self { key: previous.key.clone(), ..Self::from_columns(columns) }
    }

    /// What `columns` say, with what was settled for this very import before its file was read anew. That absent records go is said
    /// again, since another file may have taken the place of the first.
    #[must_use]
    pub fn again(columns: &[Column], before: &Self) -> Self {
        Self { blank: before.blank, only: before.only, ..Self::going_on(columns, before) }
    }

    /// The decision about the column with this letter.
    pub(crate) fn at(&self, letter: &str) -> Option<&ColumnDecision> {
        self.columns.iter().find(|decision| decision.column == letter)
    }

    /// The column that goes to `field`.
    pub(crate) fn to(&self, field: &FieldName) -> Option<&ColumnDecision> {
        self.columns.iter().find(|decision| decision.goes_to() == Some(field))
    }
}

impl ColumnDecision {
    /// The field it goes to.
    #[must_use]
    pub fn goes_to(&self) -> Option<&FieldName> {
        match &self.field {
            Some(Decision::Field(name)) => Some(name),
            Some(Decision::Private | Decision::LeaveOut) | None => None,
        }
    }
}
