//! What the values of one column have in common: enough to decide how the column is read, without keeping the values.

use serde::{Deserialize, Serialize};

use crate::fold::trim;
use crate::matching::{DateOrder, DecimalMark};
use crate::problem::shortened;
use crate::read::{booleans, countries, dates, links, numbers, serials};

/// How many values are looked at for what they look like. How they are read is decided by all of them.
const LOOKED_AT: u64 = 1_000;

/// What is longer, in bytes, is prose: no date, no number, no address.
const PROSE: usize = 1_024;

/// One reading is taken over another that some values want only if it has this many times as many.
const OUTVOTES: u64 = 9;

/// What the values of one column have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    dates: Votes,
    numbers: Votes,
    #[serde(default, skip_serializing_if = "Sighted::is_none")]
    short_years: Sighted,
    #[serde(default, skip_serializing_if = "Sighted::is_none")]
    serials: Sighted,
    pub(crate) looks: Looks,
}

/// How the values of a column vote between two readings.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Votes {
    /// Values that mean the same under both.
    both: u64,
    /// Values that only the first can mean: day first, decimal point.
    first: u64,
    /// Values that only the second can mean: month first, decimal comma.
    second: u64,
    /// Values that mean two things.
    either: u64,
    /// One of those.
    example: Option<String>,
}

// By hand: the example is a value.
impl std::fmt::Debug for Votes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Votes({} both, {} first, {} second, {} either)", self.both, self.first, self.second, self.either)
    }
}

/// How many values are of a kind about which something has to be asked, and one of them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sighted {
    count: u64,
    example: Option<String>,
}

// By hand: the example is a value.
impl std::fmt::Debug for Sighted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sighted({})", self.count)
    }
}

impl Sighted {
    fn is_none(&self) -> bool {
        self.count == 0
    }

    fn see(&mut self, text: &str) {
        self.count += 1;
        self.example.get_or_insert_with(|| shortened(text));
    }
}

/// How many of the first values look like something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Looks {
    pub(crate) seen: u64,
    pub(crate) emails: u64,
    pub(crate) links: u64,
    pub(crate) phones: u64,
    pub(crate) countries: u64,
    pub(crate) dates: u64,
}

/// What the votes come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    First,
    Second,
    /// Nobody cares.
    Same,
    /// A person has to say.
    Undecided,
}

impl Votes {
    fn outcome(&self) -> Outcome {
        let (first, second) = (self.first, self.second);
        match (first, second) {
            (0, 0) if self.either > 0 => Outcome::Undecided,
            (0, 0) => Outcome::Same,
            _ if first / OUTVOTES >= second.max(1) || second == 0 => Outcome::First,
            _ if second / OUTVOTES >= first.max(1) || first == 0 => Outcome::Second,
            _ => Outcome::Undecided,
        }
    }

    fn example(&mut self, text: &str) {
        self.either += 1;
        self.example.get_or_insert_with(|| shortened(text));
    }
}

impl Tally {
    /// Counts one value.
    pub(crate) fn add(&mut self, text: &str) {
        let text = trim(text);
        if text.len() > PROSE {
            self.looks.seen += u64::from(self.looks.seen < LOOKED_AT);
            return;
        }
        let fit = dates::weigh(text);
        if !matches!(fit, dates::Fit::None | dates::Fit::Iso) && dates::has_short_year(text) {
            self.short_years.see(text);
        }
        match fit {
            dates::Fit::None => self.add_number(text),
            dates::Fit::Iso | dates::Fit::Same | dates::Fit::Neither => self.dates.both += 1,
            dates::Fit::DayFirst => self.dates.first += 1,
            dates::Fit::MonthFirst => self.dates.second += 1,
            dates::Fit::Either => self.dates.example(text),
        }
        if self.looks.seen < LOOKED_AT {
            self.looks.add(text);
        }
    }

    /// Counts a value that its file keeps as a number.
    pub(crate) fn add_serial(&mut self, text: &str) {
        if serials::serial(text).is_some() {
            self.serials.see(text);
        }
    }

    fn add_number(&mut self, text: &str) {
        self.add_serial(text);
        match numbers::weigh(text) {
            numbers::Fit::None => {}
            numbers::Fit::Same => self.numbers.both += 1,
            numbers::Fit::Point => self.numbers.first += 1,
            numbers::Fit::Comma => self.numbers.second += 1,
            numbers::Fit::Either => self.numbers.example(text),
        }
    }

    /// The order of its dates; nothing if a person has to say.
    pub(crate) fn date_order(&self) -> Option<DateOrder> {
        match self.dates.outcome() {
            Outcome::First | Outcome::Same => Some(DateOrder::Dmy),
            Outcome::Second => Some(DateOrder::Mdy),
            Outcome::Undecided => None,
        }
    }

    /// The decimal mark of its numbers; nothing if a person has to say.
    pub(crate) fn decimal_mark(&self) -> Option<DecimalMark> {
        match self.numbers.outcome() {
            Outcome::First | Outcome::Same => Some(DecimalMark::Point),
            Outcome::Second => Some(DecimalMark::Comma),
            Outcome::Undecided => None,
        }
    }

    /// A date whose year has two digits.
    pub(crate) fn short_year(&self) -> Option<&str> {
        self.short_years.example.as_deref()
    }

    /// A number that may be a day that a spreadsheet counted, unless there are so few that they are rather mistakes.
    pub(crate) fn serial(&self) -> Option<&str> {
        let Votes { both, first, second, either, .. } = &self.dates;
        let few = self.serials.count <= (both + first + second + either) / OUTVOTES;
        self.serials.example.as_deref().filter(|_| !few)
    }

    /// A date that can be read in two ways.
    pub(crate) fn date_example(&self) -> Option<&str> {
        self.dates.example.as_deref()
    }

    /// A number that can be read in two ways.
    pub(crate) fn number_example(&self) -> Option<&str> {
        self.numbers.example.as_deref()
    }
}

impl Looks {
    fn add(&mut self, text: &str) {
        self.seen += 1;
        self.emails += u64::from(links::looks_like_email(text));
        self.links += u64::from(links::has_scheme(text) || links::with_scheme(text).is_some());
        self.phones += u64::from(links::looks_like_phone(text));
        self.dates += u64::from(dates::weigh(text) != dates::Fit::None);
        // A country by code is two letters, as many other things are; yes and no are no country.
        self.countries += u64::from(countries::read(text).is_some() && booleans::read(text).is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for value in values {
            tally.add(value);
        }
        tally
    }

    #[test]
    fn one_value_that_fits_one_reading_decides_the_column() {
        assert_eq!(tally(&["03/04/2024", "25/04/2024"]).date_order(), Some(DateOrder::Dmy));
        assert_eq!(tally(&["03/04/2024", "04/25/2024"]).date_order(), Some(DateOrder::Mdy));
        assert_eq!(tally(&["9,99", "1.234,56"]).decimal_mark(), Some(DecimalMark::Comma));
        assert_eq!(tally(&["1,234", "1.5"]).decimal_mark(), Some(DecimalMark::Point));
    }

    #[test]
    fn a_column_that_can_be_read_in_two_ways_is_asked_about() {
        assert_eq!(tally(&["03/04/2024", "05/06/2024"]).date_order(), None);
        assert_eq!(tally(&["1,234", "2,500"]).decimal_mark(), None);
        assert_eq!(tally(&["25/04/2024", "04/25/2024"]).date_order(), None);
    }

    #[test]
    fn a_column_whose_readings_agree_is_not_asked_about() {
        assert!(tally(&["5/5/2024", "2024-04-03", "1/1/2000"]).date_order().is_some());
        assert!(tally(&["42", "7", "1000"]).decimal_mark().is_some());
        assert!(tally(&[]).date_order().is_some());
    }

    #[test]
    fn few_values_do_not_overrule_many() {
        let mut values = vec!["25/04/2024"; 30];
        values.push("04/25/2024");
        assert_eq!(tally(&values).date_order(), Some(DateOrder::Dmy));
    }
}
