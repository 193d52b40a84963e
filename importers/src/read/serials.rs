//! Days as spreadsheets keep them: a number, counted from a day that two systems place four years apart.

use chrono::{Days, NaiveDate};

use crate::fold::trim;
use crate::matching::Serials;

/// The number of days that `text` is if a spreadsheet counted them, with the time left away: five digits, between 1927 and 2079.
/// Four digits may be a year.
pub(crate) fn serial(text: &str) -> Option<u64> {
    let text = trim(text);
    // Asked of every cell of a file.
    let (days, rest) = text.split_at_checked(5).filter(|(days, _)| days.bytes().all(|byte| byte.is_ascii_digit()))?;
    let time = rest.strip_prefix(['.', ',']);
    let is_time = time.is_some_and(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()));
    (rest.is_empty() || is_time).then(|| days.parse().ok())?.filter(|days| (10_000..65_536).contains(days))
}

impl Serials {
    /// The day of a serial number. After February 1900, in which one system has a day more than there was.
    pub(crate) fn day(self, days: u64) -> Option<NaiveDate> {
        let first = match self {
            Self::From1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
            Self::From1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        };
        first.checked_add_days(Days::new(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_days_is_a_day_in_either_system() {
        let day = |serials: Serials, days| serials.day(days).map(|day| day.to_string());
        assert_eq!(serial("45385.4375"), Some(45_385));
        assert_eq!(day(Serials::From1900, 45_385).as_deref(), Some("2024-04-03"));
        assert_eq!(day(Serials::From1904, 43_923).as_deref(), Some("2024-04-03"));
        for text in ["2024", "9999", "70000", "123456", "45385.", "45385.x", "-45385"] {
            assert_eq!(serial(text), None, "{text}");
        }
    }
}
