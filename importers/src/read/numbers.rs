//! Numbers as people write them.
//!
//! Which of `.` and `,` is the decimal mark is a matter of the column. A number that a JSON number cannot keep digit by digit is
//! refused rather than rounded.

use std::borrow::Cow;

use serde_json::Number;

use crate::fold::trim;
use crate::matching::DecimalMark;

/// How one value fits the readings that a column may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Not written like a number.
    None,
    /// The same number under both readings.
    Same,
    /// A number only with a decimal point.
    Point,
    /// A number only with a decimal comma.
    Comma,
    /// Two different numbers, as 1,234 is.
    Either,
}

/// What may stand before or after an amount.
const CURRENCIES: [&str; 22] = [
    "€", "$", "£", "¥", "₹", "₺", "₽", "R$", "US$", "EUR", "USD", "GBP", "CHF", "CAD", "AUD", "BRL", "SEK", "NOK", "DKK", "PLN",
    "zł", "kr",
];

/// What may stand between groups of three digits besides the other mark.
const GROUPING: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// How `text` fits.
pub(crate) fn weigh(text: &str) -> Fit {
    if text.len() > 64 || begins_word(text) || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Fit::None;
    }
    if is_small(text.strip_prefix(['+', '-']).unwrap_or(text)) {
        return Fit::Same;
    }
    // The only letters in a number are those of an exponent and of a currency.
    if text.bytes().filter(u8::is_ascii_alphabetic).count() > 4 {
        return Fit::None;
    }
    match (read(text, DecimalMark::Point), read(text, DecimalMark::Comma)) {
        (Some(one), Some(other)) if one == other => Fit::Same,
        (Some(_), Some(_)) => Fit::Either,
        (Some(_), None) => Fit::Point,
        (None, Some(_)) => Fit::Comma,
        (None, None) => Fit::None,
    }
}

/// The number that `text` is in a column with this decimal mark, as JSON writes it; currency signs are left away.
pub(crate) fn read(text: &str, mark: DecimalMark) -> Option<Cow<'_, str>> {
    if is_small(text) && (text.len() == 1 || !text.starts_with('0')) {
        return Some(Cow::Borrowed(text));
    }
    let (negative, body) = bare(text)?;
    let (decimal, group) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (body, exponent) = match body.find(['e', 'E']) {
        Some(at) => (body.get(..at)?, exponent(body.get(at + 1..)?)?),
        None => (body, 0),
    };
    let (whole, fraction) = match body.split_once(decimal) {
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (body, ""),
    };
    let whole = if whole.is_empty() && !fraction.is_empty() { "0".to_owned() } else { ungrouped(whole, group)? };
    Some(Cow::Owned(canonical(negative, &whole, fraction, exponent)))
}

/// Nothing but digits, and not too many: written like that, nearly every number is the same under every reading.
fn is_small(text: &str) -> bool {
    text.len() <= 15 && is_digits(text)
}

/// Degrees: never grouped, so that one point or comma can only be the decimal mark, and no column needs to be asked about.
pub(crate) fn degrees(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_end_matches('°');
    let mark = if text.contains(',') { DecimalMark::Comma } else { DecimalMark::Point };
    let plain = text.bytes().filter(|byte| matches!(byte, b'.' | b',')).count() <= 1;
    plain.then(|| read(text, mark)).flatten()
}

/// A number as JSON wrote it.
pub(crate) fn json(text: &str) -> Option<Cow<'_, str>> {
    read(text, DecimalMark::Point)
}

/// `text` as a JSON number with exactly these digits; nothing if none has them all. Whole numbers have no fraction.
pub(crate) fn exact(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Number::from(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Number::from(whole));
    }
    let number: f64 = text.parse().ok()?;
    let kept = Number::from_f64(number)?;
    (significant(&number.to_string()) == significant(text)).then_some(kept)
}

/// The sign and what is left without it and without currencies.
fn bare(text: &str) -> Option<(bool, &str)> {
    let mut rest = trim(text);
    let mut negative = None;
    let mut currency = false;
    // A sign and a currency may stand before the digits, in either order and each once.
    for _ in 0..2 {
        if negative.is_none()
            && let Some(after) = rest.strip_prefix(['-', '−', '+'])
        {
            negative = Some(!rest.starts_with('+'));
            rest = trim(after);
        }
        if begins_number(rest) {
            break;
        }
        if !currency && let Some(after) = CURRENCIES.iter().find_map(|sign| rest.strip_prefix(sign)) {
            currency = true;
            rest = trim(after);
        }
    }
    if !begins_number(rest) {
        return None;
    }
    if !currency
        && !rest.ends_with(|last: char| last.is_ascii_digit())
        && let Some(before) = CURRENCIES.iter().find_map(|sign| rest.strip_suffix(sign))
    {
        rest = trim(before);
    }
    Some((negative == Some(true), rest))
}

/// Whether `text` begins with a letter that no currency begins with. Nearly all words do, which are most of what there is to read.
fn begins_word(text: &str) -> bool {
    let begins = |first: &u8| CURRENCIES.iter().any(|sign| sign.as_bytes().first() == Some(first));
    text.as_bytes().first().is_some_and(|first| first.is_ascii_alphabetic() && !begins(first))
}

fn begins_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit() || first == '.' || first == ',')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (is_digits(digits) && digits.len() <= 4).then(|| text.parse().ok()).flatten()
}

/// Digits without what groups them: all in threes, with one separator, and no zero in front.
fn ungrouped(whole: &str, group: char) -> Option<String> {
    if is_digits(whole) {
        return Some(whole.to_owned());
    }
    let separator = whole.chars().find(|letter| !letter.is_ascii_digit())?;
    if separator != group && !GROUPING.contains(&separator) {
        return None;
    }
    let mut groups = whole.split(separator);
    let first = groups.next().filter(|first| is_digits(first) && first.len() <= 3 && !first.starts_with('0'))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_digits(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

/// One spelling for one number, so that equal numbers are equal text.
fn canonical(negative: bool, whole: &str, fraction: &str, exponent: i32) -> String {
    let fraction = if exponent == 0 { fraction.trim_end_matches('0') } else { fraction };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|digit| digit == b'0');
    let sign = if negative && !zero { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    let (power, exponent) = if exponent == 0 { ("", String::new()) } else { ("e", exponent.to_string()) };
    if zero { "0".to_owned() } else { format!("{sign}{whole}{point}{fraction}{power}{exponent}") }
}

/// The digits that matter and the power of ten of the first: equal for equal numbers, however they are written.
fn significant(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let size = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let first = size(whole) - i64::try_from(leading).unwrap_or(0) + power.parse::<i64>().unwrap_or(0);
    (negative, digits.trim_matches('0').to_owned(), first)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn the_mark_of_the_column_decides() {
        let point = |text| read(text, DecimalMark::Point);
        let comma = |text| read(text, DecimalMark::Comma);
        assert_eq!(point("1,234.50").as_deref(), Some("1234.5"));
        assert_eq!(comma("1.234,56").as_deref(), Some("1234.56"));
        assert_eq!(comma("9,99").as_deref(), Some("9.99"));
        assert_eq!(point("9,99"), None);
        assert_eq!(point("12.0").as_deref(), Some("12"));
        assert_eq!(comma("€ -1 234 567,5").as_deref(), Some("-1234567.5"));
        assert_eq!(point("-£12").as_deref(), Some("-12"));
        assert_eq!(point("12 €").as_deref(), Some("12"));
        assert_eq!(point("1'234").as_deref(), Some("1234"));
        assert_eq!(point("-0.0").as_deref(), Some("0"));
    }

    #[test]
    fn each_value_says_which_readings_it_fits() {
        assert_eq!(weigh("1,234"), Fit::Either);
        assert_eq!(weigh("1.234"), Fit::Either);
        assert_eq!(weigh("0.123"), Fit::Point);
        assert_eq!(weigh("9,99"), Fit::Comma);
        assert_eq!(weigh("1.5"), Fit::Point);
        assert_eq!(weigh("1,234,567"), Fit::Point);
        assert_eq!(weigh("42"), Fit::Same);
        for text in ["", "-", "1.2.3", "12 apples", "1,23,456", "525R", "01/02/2024", "1e", "--1", "€"] {
            assert_eq!(weigh(text), Fit::None, "{text}");
        }
    }

    #[test]
    fn a_number_is_kept_digit_by_digit_or_not_at_all() {
        assert_eq!(exact("0.1").unwrap().to_string(), "0.1");
        assert_eq!(exact("18446744073709551615").unwrap().to_string(), "18446744073709551615");
        assert!(exact("12345678901234567890.5").is_none());
        assert!(exact("123456789012345678901").is_none());
        assert!(exact("1e999").is_none());
        assert!(exact("1.5e300").is_some());
        assert!(exact("0.30000000000000000001").is_none());
    }

    #[test]
    fn degrees_are_never_grouped() {
        assert_eq!(degrees("40,416").as_deref(), Some("40.416"));
        assert_eq!(degrees("-3.703").as_deref(), Some("-3.703"));
        assert_eq!(degrees("1,234.5"), None);
    }
}
