//! Days as people write them.
//!
//! A column is read day first or month first as a whole. A year that stands first, or eight digits, is ISO 8601 under any
//! reading. Nothing here guesses a century, from which day a spreadsheet counted, or a day that does not exist.

use chrono::{Datelike, NaiveDate};

use super::serials::serial;

use crate::matching::{DateOrder, Serials};

/// How the days of one column are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    /// In which order the numbers stand.
    pub(crate) order: DateOrder,
    /// The last year that two digits may mean, where somebody said so.
    pub(crate) years: Option<u16>,
    /// From which day numbers without anything between them count, where somebody said so.
    pub(crate) serials: Option<Serials>,
}

/// What spreadsheet programs take for the last year that two digits may mean.
pub(crate) const USUAL_YEARS: u16 = 2029;

/// How one value fits the readings that a column may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Not written like a date.
    None,
    /// Year first: the same under every reading.
    Iso,
    /// The same day under both readings, as 5/5/2024 is.
    Same,
    /// Can only be meant day first; there may still be no such day.
    DayFirst,
    /// Can only be meant month first; there may still be no such day.
    MonthFirst,
    /// Two different days.
    Either,
    /// Written like a date, and no day under any reading.
    Neither,
}

/// Why a value is no day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not written like a date.
    NotADate,
    /// The year has two digits.
    ShortYear,
    /// A number of the size in which spreadsheets keep days; with the day that it is most of the time.
    Serial(Option<String>),
    /// No such day; with the day that may be meant, written as the value was.
    NotInCalendar(Option<String>),
}

/// Three numbers that may be a day.
struct Written<'a> {
    parts: [&'a str; 3],
    separator: char,
    /// Whether the year stands first.
    iso: bool,
}

/// Whether `text` is a day as we write it ourselves, `2024-12-31`: the same text under every reading.
pub(crate) fn is_written_plainly(text: &str) -> bool {
    let &[m, c, d, y, b'-', n, o, b'-', e, f] = text.as_bytes() else { return false };
    let number = |digits: &[u8]| {
        let value = |number: Option<u32>, digit: &u8| {
            Some(number? * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?))
        };
        digits.iter().fold(Some(0), value)
    };
    let year = number(&[m, c, d, y]).and_then(|year| i32::try_from(year).ok()).filter(|year| *year > 0);
    let (Some(year), Some(month), Some(day)) = (year, number(&[n, o]), number(&[e, f])) else { return false };
    NaiveDate::from_ymd_opt(year, month, day).is_some()
}

/// How `text` fits.
pub(crate) fn weigh(text: &str) -> Fit {
    if is_written_plainly(text) {
        return Fit::Iso;
    }
    let Some(written) = split(text) else { return Fit::None };
    if written.iso {
        return if written.day(DateOrder::Ymd, None).is_some() { Fit::Iso } else { Fit::Neither };
    }
    let usual = Some(USUAL_YEARS);
    // 24-04-03 may have its year in front, too.
    if written.day(DateOrder::Ymd, usual).is_some() {
        return Fit::Either;
    }
    match (written.day(DateOrder::Dmy, usual), written.day(DateOrder::Mdy, usual)) {
        (Some(one), Some(other)) if one == other => Fit::Same,
        (Some(_), Some(_)) => Fit::Either,
        (Some(_), None) => Fit::DayFirst,
        (None, Some(_)) => Fit::MonthFirst,
        // 31/02/2024 is no day, and still shows how its column is written.
        (None, None) => match written.numbers() {
            Some([a, b, _]) if a > 12 && b <= 12 => Fit::DayFirst,
            Some([a, b, _]) if a <= 12 && b > 12 => Fit::MonthFirst,
            Some(_) | None => Fit::Neither,
        },
    }
}

/// The day that `text` is in a column that is read by `calendar`.
pub(crate) fn read(text: &str, calendar: Calendar) -> Result<NaiveDate, Fault> {
    let Calendar { order, years, serials } = calendar;
    if let Some(days) = serial(text) {
        let meant = || Fault::Serial(Serials::From1900.day(days).map(|day| day.to_string()));
        return serials.and_then(|serials| serials.day(days)).ok_or_else(meant);
    }
    let written = split(text).ok_or(Fault::NotADate)?;
    if written.has_short_year() && years.is_none() {
        return Err(Fault::ShortYear);
    }
    written.day(order, years).ok_or_else(|| Fault::NotInCalendar(written.meant(order, years)))
}

/// Whether `text`, which is written like a date, has a year of two digits.
pub(crate) fn has_short_year(text: &str) -> bool {
    split(text).is_some_and(|written| written.has_short_year())
}

impl Written<'_> {
    fn numbers(&self) -> Option<[u32; 3]> {
        let [a, b, c] = self.parts;
        Some([a.parse().ok()?, b.parse().ok()?, c.parse().ok()?])
    }

    fn has_short_year(&self) -> bool {
        !self.iso && self.parts.last().is_some_and(|year| year.len() != 4)
    }

    fn day(&self, order: DateOrder, years: Option<u16>) -> Option<NaiveDate> {
        let (year, month, day) = self.in_order(order)?;
        let year = i32::try_from(year).ok()?;
        let year = match years.map(i32::from) {
            _ if !self.has_short_year() => year,
            Some(last) => last - (last - year).rem_euclid(100),
            None => return None,
        };
        NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0)
    }

    /// Year, month and day, of which only a year of two digits may stand first unless it is ISO 8601.
    fn in_order(&self, order: DateOrder) -> Option<(u32, u32, u32)> {
        let [a, b, c] = self.numbers()?;
        let may_begin = self.separator == '-' && self.has_short_year();
        match order {
            _ if self.iso => Some((a, b, c)),
            DateOrder::Dmy => Some((c, b, a)),
            DateOrder::Mdy => Some((c, a, b)),
            DateOrder::Ymd => may_begin.then_some((a, b, c)),
        }
    }

    /// The last day of the month for a day beyond it; day and month the other way round where only that is a day.
    fn meant(&self, order: DateOrder, years: Option<u16>) -> Option<String> {
        let [a, b, c] = self.numbers()?;
        if !self.iso {
            let other = if order == DateOrder::Mdy { DateOrder::Dmy } else { DateOrder::Mdy };
            if self.day(other, years).is_some() && order != DateOrder::Ymd {
                return Some(self.write([b, a, c]));
            }
        }
        let (year, month, day) = self.in_order(order)?;
        // February is as long in 1904 as it was in 2004.
        let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()? + if self.has_short_year() { 2000 } else { 0 }, month, 1)?;
        let last = u32::from(first.num_days_in_month());
        let day = if day == 0 { 1 } else { last };
        Some(match order {
            _ if self.iso => self.write([a, b, day]),
            DateOrder::Dmy => self.write([day, b, c]),
            DateOrder::Mdy => self.write([a, day, c]),
            DateOrder::Ymd => self.write([a, b, day]),
        })
    }

    /// Three numbers, as long and with the separator as here.
    fn write(&self, numbers: [u32; 3]) -> String {
        let [a, b, c] = self.parts;
        let separator = self.separator;
        let [x, y, z] = numbers;
        format!("{x:0a$}{separator}{y:0b$}{separator}{z:0c$}", a = a.len(), b = b.len(), c = c.len())
    }
}

fn split(text: &str) -> Option<Written<'_>> {
    let text = crate::fold::trim(text);
    // The quick way out: nearly every cell of a file is no date.
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() > 48 {
        return None;
    }
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    if time.is_some_and(|time| !is_time(time)) {
        return None;
    }
    let separator = day.chars().find(|letter| !letter.is_ascii_digit());
    let Some(separator) = separator else { return compact(day) };
    if !matches!(separator, '/' | '.' | '-') {
        return None;
    }
    let mut parts = day.split(separator);
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    let written = Written { parts, separator, iso: parts.first().is_some_and(|first| first.len() == 4) };
    let whole = day.len() == parts.iter().map(|part| part.len()).sum::<usize>() + 2;
    (whole && written.has_plausible_lengths()).then_some(written)
}

impl Written<'_> {
    fn has_plausible_lengths(&self) -> bool {
        let [a, b, c] = self.parts.map(|part| (part.len(), part.bytes().all(|byte| byte.is_ascii_digit())));
        let short = |(length, digits): (usize, bool)| digits && (length == 1 || length == 2);
        let year = |(length, digits): (usize, bool)| digits && length == 4;
        short(b) && ((year(a) && short(c)) || (short(a) && (year(c) || c == (2, true))))
    }
}

/// `20240131`, where it is a day of the last or the next few lifetimes; other numbers of eight digits are numbers.
fn compact(day: &str) -> Option<Written<'_>> {
    let parts = [day.get(..4)?, day.get(4..6)?, day.get(6..)?];
    let written = Written { parts, separator: '-', iso: true };
    let plausible = day.len() == 8 && (day.starts_with("19") || day.starts_with("20"));
    (plausible && written.day(DateOrder::Ymd, None).is_some()).then_some(written)
}

/// What follows a day in a time stamp: `10:00`, `10:00:00.000Z`, `9:30 pm`, `10:00 UTC`.
fn is_time(time: &str) -> bool {
    let time = ["UTC", "GMT"].iter().find_map(|zone| time.strip_suffix(zone)).unwrap_or(time);
    time.contains(':')
        && time.starts_with(|first: char| first.is_ascii_digit())
        && time.bytes().all(|byte| byte.is_ascii_digit() || b":.,+- ZzAaPpMm".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn days_are_read_in_the_order_of_their_column() {
        let day = |text, order| read(text, calendar(order)).unwrap().to_string();
        assert_eq!(day("3/4/2024", DateOrder::Dmy), "2024-04-03");
        assert_eq!(day("3/4/2024", DateOrder::Mdy), "2024-03-04");
        assert_eq!(day("03.04.2024 10:00", DateOrder::Dmy), "2024-04-03");
        assert_eq!(day("2024-04-03T10:00:00+02:00", DateOrder::Mdy), "2024-04-03");
        assert_eq!(day("03/04/2024 9:30 pm", DateOrder::Dmy), "2024-04-03");
        assert_eq!(day("2024-04-03 10:00:00 UTC", DateOrder::Dmy), "2024-04-03");
        assert_eq!(day("2024/4/3", DateOrder::Dmy), "2024-04-03");
        assert_eq!(day("20240403", DateOrder::Ymd), "2024-04-03");
    }

    #[test]
    fn each_value_says_which_readings_it_fits() {
        assert_eq!(weigh("25/04/2024"), Fit::DayFirst);
        assert_eq!(weigh("04/25/2024"), Fit::MonthFirst);
        assert_eq!(weigh("03/04/2024"), Fit::Either);
        assert_eq!(weigh("5/5/2024"), Fit::Same);
        assert_eq!(weigh("31/02/2024"), Fit::DayFirst);
        assert_eq!(weigh("40/40/2024"), Fit::Neither);
        assert_eq!(weigh("2024-04-03"), Fit::Iso);
        for text in ["", "12", "1.5", "12345678", "192.168.1.1", "1/2", "a/b/c", "525R", "2024-04", "01/02/2024 soon"] {
            assert_eq!(weigh(text), Fit::None, "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_suggests_one_that_does() {
        let meant = |text, order| match read(text, calendar(order)) {
            Err(Fault::NotInCalendar(meant)) => meant,
            Ok(_) | Err(Fault::NotADate | Fault::ShortYear | Fault::Serial(_)) => None,
        };
        assert_eq!(meant("31/02/2024", DateOrder::Dmy).as_deref(), Some("29/02/2024"));
        assert_eq!(meant("2/31/2023", DateOrder::Mdy).as_deref(), Some("2/28/2023"));
        assert_eq!(meant("2024-06-31", DateOrder::Dmy).as_deref(), Some("2024-06-30"));
        assert_eq!(meant("04/25/2024", DateOrder::Dmy).as_deref(), Some("25/04/2024"));
        assert_eq!(meant("40/40/2024", DateOrder::Dmy), None);
    }

    #[test]
    fn a_day_that_is_written_as_we_write_it_is_the_same_text() {
        for (text, plain) in [("2024-02-29", true), ("0001-01-01", true), ("9999-12-31", true), ("2023-02-29", false)] {
            assert_eq!(is_written_plainly(text), plain, "{text}");
            assert_eq!(read(text, calendar(DateOrder::Ymd)).is_ok_and(|day| day.to_string() == text), plain, "{text}");
        }
        for text in ["0000-01-01", "2024/02/01", "2024-2-01", "2024-02-1x", "2024-02-01T", "+024-01-01"] {
            assert!(!is_written_plainly(text), "{text}");
        }
    }

    #[test]
    fn a_century_is_not_guessed() {
        assert_eq!(read("03/04/24", calendar(DateOrder::Dmy)), Err(Fault::ShortYear));
        let ending =
            |years| move |text| read(text, Calendar { years: Some(years), ..calendar(DateOrder::Dmy) }).unwrap().to_string();
        assert_eq!(["03/04/24", "03/04/29", "03/04/30"].map(ending(2029)), ["2024-04-03", "2029-04-03", "1930-04-03"]);
        assert_eq!(["03/04/24", "03/04/00", "03/04/99"].map(ending(1999)), ["1924-04-03", "1900-04-03", "1999-04-03"]);
    }

    #[test]
    fn a_year_of_two_digits_may_stand_first_between_hyphens() {
        let first = Calendar { years: Some(2029), ..calendar(DateOrder::Ymd) };
        assert_eq!(read("24-04-03", first).unwrap().to_string(), "2024-04-03");
        assert!(read("24/04/03", first).is_err());
        assert_eq!([weigh("24-04-03"), weigh("25/04/24"), weigh("04/25/24")], [Fit::Either, Fit::DayFirst, Fit::MonthFirst]);
    }

    #[test]
    fn a_bare_number_is_a_day_only_where_somebody_said_so() {
        let from = |serials| Calendar { serials, ..calendar(DateOrder::Dmy) };
        assert_eq!(read("45385", from(Some(Serials::From1900))).unwrap().to_string(), "2024-04-03");
        assert_eq!(read("45385", from(None)), Err(Fault::Serial(Some("2024-04-03".to_owned()))));
    }

    fn calendar(order: DateOrder) -> Calendar {
        Calendar { order, years: None, serials: None }
    }
}
