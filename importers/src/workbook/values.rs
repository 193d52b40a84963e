//! What a spreadsheet shows for the numbers it keeps.
//!
//! A date is a number with a format, and 0.1 + 0.2 is shown as 0.3. Nothing is shown here that a person would not read in the
//! cell, except that days are written as ISO 8601, so that nobody has to guess their order.

use chrono::{Days, NaiveDate};

/// From which day a workbook counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Epoch {
    /// 1 is 1 January 1900, and 29 February 1900 existed.
    #[default]
    From1900,
    /// 0 is 1 January 1904, as the first Macintoshes counted.
    From1904,
}

/// How a number format shows a number, as far as it changes what the number is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// As a number.
    #[default]
    Plain,
    /// As a number with zeros in front up to this many digits: a postcode, a reference.
    Padded(usize),
    /// As a day.
    Day,
    /// As a time of day, or as hours and minutes.
    Time,
}

const SECONDS_OF_DAY: f64 = 86_400.0;

/// 31 December 9999, the last day that spreadsheets know.
const LAST_DAY: f64 = 2_958_465.0;

impl Look {
    /// The look of a format that a workbook need not spell out (ECMA-376, part 1, 18.8.30).
    pub(super) fn built_in(number: u32) -> Self {
        match number {
            14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Self::Day,
            18..=21 | 32..=35 | 45..=47 | 55 | 56 => Self::Time,
            _ => Self::Plain,
        }
    }

    /// The look of a format that is spelled out, such as `dd/mm/yyyy` or `00000`.
    pub(super) fn of(code: &str) -> Self {
        let letters = bare(code);
        let has = |wanted: &[char]| letters.contains(wanted);
        match letters.len() {
            2..=30 if letters.bytes().all(|byte| byte == b'0') => Self::Padded(letters.len()),
            _ if has(&['d', 'y', 'g', 'e']) && !has(&['0', '#', '?']) => Self::Day,
            _ if has(&['h', 's']) => Self::Time,
            _ if has(&['m']) && !has(&['0', '#', '?']) => Self::Day,
            _ => Self::Plain,
        }
    }
}

/// The first section of a format in lower case, without what is shown as it is, colours and conditions. `[h]`, hours beyond a day, stays.
fn bare(code: &str) -> String {
    let mut letters = String::new();
    let mut rest = code.chars();
    while let Some(letter) = rest.next() {
        match letter {
            ';' => break,
            '"' => drop(rest.by_ref().find(|letter| *letter == '"')),
            '\\' | '_' | '*' => drop(rest.next()),
            '[' => {
                let inside: String = rest.by_ref().take_while(|letter| *letter != ']').collect();
                let inside = inside.to_ascii_lowercase();
                if ["h", "hh", "m", "mm", "s", "ss"].contains(&inside.as_str()) {
                    letters.push('h');
                }
            }
            letter => letters.extend(letter.to_lowercase()),
        }
    }
    // A word, and none of its letters stands for anything.
    if letters.starts_with("general") || letters.starts_with("standard") { String::new() } else { letters }
}

/// What a cell shows.
pub(super) enum Shown {
    /// A number, in the notation of JSON.
    Number(String),
    /// Anything else.
    Text(String),
}

/// What is shown for `value`.
pub(super) fn show(value: f64, look: Look, epoch: Epoch) -> Shown {
    match look {
        Look::Plain => Shown::Number(number(value)),
        Look::Padded(digits) if value >= 0.0 && value.fract() == 0.0 => Shown::Text(format!("{:0>digits$}", number(value))),
        Look::Padded(_) => Shown::Number(number(value)),
        Look::Day => moment(value, epoch).map_or_else(|| Shown::Number(number(value)), Shown::Text),
        // A time format on a day hides the day, and does not take it away.
        Look::Time if value >= 1_000.0 => show(value, Look::Day, epoch),
        Look::Time => time(value).map_or_else(|| Shown::Number(number(value)), Shown::Text),
    }
}

/// `value` with the fifteen digits that a spreadsheet shows, and no more than it needs.
pub(crate) fn number(value: f64) -> String {
    // Adding nothing makes minus zero zero.
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value) + 0.0;
    let size = f64::abs(rounded);
    // Beyond this a row of zeros says less than a power of ten.
    if size >= 1e21 || (size > 0.0 && size < 1e-9) { format!("{rounded:e}") } else { rounded.to_string() }
}

/// The day of a serial number, with the time if it has one.
fn moment(serial: f64, epoch: Epoch) -> Option<String> {
    if !(0.0..LAST_DAY + 1.0).contains(&serial) {
        return None;
    }
    let (mut day, mut seconds) = (serial.floor(), ((serial - serial.floor()) * SECONDS_OF_DAY).round());
    // 23:59:59.9999 is what is left of a midnight that was calculated.
    if seconds >= SECONDS_OF_DAY {
        (day, seconds) = (day + 1.0, 0.0);
    }
    let days = whole(day)?;
    let day = match (epoch, days) {
        (Epoch::From1904, days) => NaiveDate::from_ymd_opt(1904, 1, 1)?.checked_add_days(Days::new(days))?,
        // 0 is a time without a day, and 60 the day that was not.
        (Epoch::From1900, 0 | 60) => return None,
        (Epoch::From1900, 1..=59) => NaiveDate::from_ymd_opt(1899, 12, 31)?.checked_add_days(Days::new(days))?,
        (Epoch::From1900, _) => NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))?,
    };
    Some(if seconds == 0.0 { day.to_string() } else { format!("{day}T{}", clock(whole(seconds)?)) })
}

fn time(days: f64) -> Option<String> {
    whole((days * SECONDS_OF_DAY).round()).map(clock)
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A whole number that is not negative and of a size that days and seconds have.
fn whole(value: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked, and there is no fraction")]
    (0.0..1e15).contains(&value).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64, look: Look, epoch: Epoch) -> String {
        match show(value, look, epoch) {
            Shown::Number(text) | Shown::Text(text) => text,
        }
    }

    #[test]
    fn numbers_are_shown_as_a_person_reads_them() {
        let plain = |value| shown(value, Look::Plain, Epoch::From1900);
        assert_eq!(
            [1.0, -0.0, 0.1 + 0.2, 1e15, 123_456_789_012.0].map(plain),
            ["1", "0", "0.3", "1000000000000000", "123456789012"]
        );
        assert_eq!([1e300, 1.5e-12, 41.930_000_000_000_01].map(plain), ["1e300", "1.5e-12", "41.93"]);
        assert_eq!(shown(2138.0, Look::Padded(5), Epoch::From1900), "02138");
    }

    #[test]
    fn days_count_from_the_day_of_their_workbook() {
        let day = |value| shown(value, Look::Day, Epoch::From1900);
        assert_eq!([1.0, 59.0, 61.0, 45_385.0].map(day), ["1900-01-01", "1900-02-28", "1900-03-01", "2024-04-03"]);
        assert_eq!(shown(45_385.0 - 1_462.0, Look::Day, Epoch::From1904), "2024-04-03");
        assert_eq!(day(45_385.437_5), "2024-04-03T10:30:00");
        assert_eq!(day(45_384.999_999_999), "2024-04-03");
        // What is no day is left as the number it is.
        assert_eq!([60.0, -3.0, 3e9].map(day), ["60", "-3", "3000000000"]);
    }

    #[test]
    fn times_may_go_beyond_a_day() {
        let time = |value| shown(value, Look::Time, Epoch::From1900);
        assert_eq!([0.4375, 1.5, 45_385.437_5].map(time), ["10:30:00", "36:00:00", "2024-04-03T10:30:00"]);
    }

    #[test]
    fn a_format_says_what_its_numbers_are() {
        for code in ["dd/mm/yyyy", "[$-409]d-mmm-yy;@", "yyyy\\-mm\\-dd", "d. mmmm yyyy h:mm", "mmm"] {
            assert_eq!(Look::of(code), Look::Day, "{code}");
        }
        for code in ["h:mm AM/PM", "[h]:mm:ss", "mm:ss.0"] {
            assert_eq!(Look::of(code), Look::Time, "{code}");
        }
        for code in ["General", "0.00", "#,##0 \"days\"", "[Red]0.0", "0.00E+00", "@", "_-* #,##0.00 \\d", "0"] {
            assert_eq!(Look::of(code), Look::Plain, "{code}");
        }
        for code in [
            "[$-C0A]dd/mm/yyyy",
            "d\\.m\\.yy",
            "dd/mm/yyyy;;",
            "[DBNum1][$-804]yyyy\"年\"m\"月\"",
            "yyyy\\-mm\\-dd\\Thh:mm",
            "jj/mm/aaaa",
        ] {
            assert_eq!(Look::of(code), Look::Day, "{code}");
        }
        assert_eq!([Look::of("[$-F400]h:mm:ss AM/PM"), Look::of("[mm]:ss")], [Look::Time, Look::Time]);
        for code in [
            "#,##0\\ [$€-40C]",
            "_-* #,##0.00\\ [$kr-414]_-",
            ";;;",
            "# ?/?",
            "[>=1000]0.0,\"k\";0",
            "0.0%",
            "General;[Red]-General",
        ] {
            assert_eq!(Look::of(code), Look::Plain, "{code}");
        }
        assert_eq!(Look::of("00000"), Look::Padded(5));
    }
}
