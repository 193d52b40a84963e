//! What only a person can say about a column.

use std::borrow::Cow;
use std::fmt;

use hayward_domain::schema::{Field, Kind, ReadsAs};
use serde::Serialize;

use super::{ColumnDecision, DateOrder, DecimalMark, Serials};
use crate::profile::ColumnProfile;
use crate::read::dates::{self, Calendar, USUAL_YEARS};
use crate::read::numbers;

/// A column that can be read in two ways.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "lowercase")]
pub enum Question {
    /// Which number is the day.
    Dates(Asked<DateOrder>),
    /// The last year that two digits mean.
    Years(Asked<u16>),
    /// From which year a spreadsheet counted the days that are bare numbers.
    Serials(Asked<Serials>),
    /// What stands before the decimals.
    Numbers(Asked<DecimalMark>),
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Asked<A> {
    /// A value of the column.
    pub example: String,
    /// What it may mean.
    pub choices: Vec<Choice<A>>,
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
            Self::Dates(_) => "Question(dates)",
            Self::Years(_) => "Question(years)",
            Self::Serials(_) => "Question(serials)",
            Self::Numbers(_) => "Question(numbers)",
        })
    }
}

impl<A> fmt::Debug for Asked<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked({} choices)", self.choices.len())
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
            Kind::Date => Self::years(column, decision).or_else(|| Self::serials(column, decision)),
            Kind::Integer | Kind::Number if is_open(field, column, decision) => Some(Self::numbers(column)),
            Kind::Text | Kind::Integer | Kind::Number | Kind::Boolean | Kind::Structured => None,
        }
    }

    /// The same, where an answer was given for another file, and the values of this one are for it and against it.
    pub(super) fn again(field: &Field, column: &ColumnProfile, decision: &ColumnDecision) -> Option<Self> {
        match field.kind {
            Kind::Date => Some(Self::dates(column)),
            Kind::Integer | Kind::Number => Some(Self::numbers(column)),
            Kind::Text | Kind::Boolean | Kind::Structured => Self::about(field, column, decision),
        }
    }

    fn dates(column: &ColumnProfile) -> Self {
        // A column whose values contradict each other may have no value that can be read both ways.
        let example = column.tally.date_example().unwrap_or("3/4/2024").to_owned();
        let choices = choices([DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd], |order| {
            let calendar = Calendar { order, years: Some(USUAL_YEARS), serials: None };
            dates::read(&example, calendar).ok().map(|day| day.to_string())
        });
        Self::Dates(Asked { example, choices })
    }

    /// As spreadsheet programs take it, the last century, and this one.
    fn years(column: &ColumnProfile, decision: &ColumnDecision) -> Option<Self> {
        let example = column.tally.short_year().filter(|_| decision.years.is_none())?.to_owned();
        let order = decision.dates.or(column.tally.date_order()).unwrap_or(DateOrder::Dmy);
        let choices = choices([USUAL_YEARS, 1999, 2099], |years| {
            let calendar = Calendar { order, years: Some(years), serials: None };
            dates::read(&example, calendar).ok().map(|day| day.to_string())
        });
        Some(Self::Years(Asked { example, choices }))
    }

    fn serials(column: &ColumnProfile, decision: &ColumnDecision) -> Option<Self> {
        let example = column.tally.serial().filter(|_| decision.serials.is_none())?.to_owned();
        let choices = choices([Serials::From1900, Serials::From1904], |serials| {
            let calendar = Calendar { order: DateOrder::Dmy, years: None, serials: Some(serials) };
            dates::read(&example, calendar).ok().map(|day| day.to_string())
        });
        Some(Self::Serials(Asked { example, choices }))
    }

    fn numbers(column: &ColumnProfile) -> Self {
        let example = column.tally.number_example().unwrap_or("1,234").to_owned();
        let choices =
            choices([DecimalMark::Point, DecimalMark::Comma], |mark| numbers::read(&example, mark).map(Cow::into_owned));
        Self::Numbers(Asked { example, choices })
    }
}

/// What each of `answers` makes of an example, as long as it makes something else of it than those before.
fn choices<A: Copy, const N: usize>(answers: [A; N], read: impl Fn(A) -> Option<String>) -> Vec<Choice<A>> {
    let mut choices: Vec<Choice<A>> = Vec::new();
    for answer in answers {
        if let Some(reads) = read(answer).filter(|reads| choices.iter().all(|choice| choice.reads != *reads)) {
            choices.push(Choice { answer, reads });
        }
    }
    choices
}

/// Degrees are never grouped in thousands, so they are never ambiguous.
fn is_open(field: &Field, column: &ColumnProfile, decision: &ColumnDecision) -> bool {
    let degrees = matches!(field.reads_as, Some(ReadsAs::Latitude | ReadsAs::Longitude));
    !degrees && decision.numbers.is_none() && column.tally.decimal_mark().is_none()
}
