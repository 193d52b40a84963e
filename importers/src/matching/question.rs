//! What only a person can say about a column.

use std::fmt;

use hayward_domain::schema::{Field, Kind, ReadsAs};
use serde::Serialize;

use super::{ColumnDecision, DateOrder, DecimalMark};
use crate::profile::ColumnProfile;
use crate::read::{dates, numbers};

/// A column that can be read in two ways.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "lowercase")]
pub enum Question {
    /// Which number is the day.
    Dates {
        /// A value of the column.
        example: String,
        /// What it may mean.
        choices: Vec<Choice<DateOrder>>,
    },
    /// What stands before the decimals.
    Numbers {
        /// A value of the column.
        example: String,
        /// What it may mean.
        choices: Vec<Choice<DecimalMark>>,
    },
}

/// One way to read an example.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Choice<A> {
    /// What to answer.
    pub answer: A,
    /// What the example means then.
    pub reads: String,
}

// By hand: examples are values.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dates { .. } => "Question(dates)",
            Self::Numbers { .. } => "Question(numbers)",
        })
    }
}

impl<A> fmt::Debug for Choice<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Choice")
    }
}

impl Question {
    /// What has to be asked about `column` before its values can go to `field`.
    pub(super) fn about(field: &Field, column: &ColumnProfile, decision: &ColumnDecision) -> Option<Self> {
        match field.kind {
            Kind::Date if decision.dates.is_none() && column.tally.date_order().is_none() => Some(Self::dates(column)),
            Kind::Integer | Kind::Number if is_open(field, column, decision) => Some(Self::numbers(column)),
            Kind::Text | Kind::Date | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Structured => None,
        }
    }

    fn dates(column: &ColumnProfile) -> Self {
        // A column whose values contradict each other may have no value that can be read both ways.
        let example = column.tally.date_example().unwrap_or("3/4/2024").to_owned();
        let choices = [DateOrder::Dmy, DateOrder::Mdy].into_iter().filter_map(|answer| {
            let reads = dates::read(&example, answer).ok()?.to_string();
            Some(Choice { answer, reads })
        });
        Self::Dates { choices: choices.collect(), example }
    }

    fn numbers(column: &ColumnProfile) -> Self {
        let example = column.tally.number_example().unwrap_or("1,234").to_owned();
        let choices = [DecimalMark::Point, DecimalMark::Comma].into_iter().filter_map(|answer| {
            let reads = numbers::read(&example, answer)?.into_owned();
            Some(Choice { answer, reads })
        });
        Self::Numbers { choices: choices.collect(), example }
    }
}

/// Degrees are never grouped in thousands, so they are never ambiguous.
fn is_open(field: &Field, column: &ColumnProfile, decision: &ColumnDecision) -> bool {
    let degrees = matches!(field.reads_as, Some(ReadsAs::Latitude | ReadsAs::Longitude));
    !degrees && decision.numbers.is_none() && column.tally.decimal_mark().is_none()
}
