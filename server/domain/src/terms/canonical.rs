//! One text for each JSON document (RFC 8785, JCS), so that equal documents have equal hashes.
//!
//! Numbers are doubles here, as the RFC has it: a number beyond 2^53 belongs into a text.

use serde_json::Value;

/// Whole numbers below it are doubles without loss.
const EXACT: u64 = 1 << 53;

/// The canonical text of a document.
#[must_use]
pub fn text(json: &Value) -> String {
    let mut out = String::new();
    write(json, &mut out);
    out
}

fn write(json: &Value, out: &mut String) {
    match json {
        Value::Null | Value::Bool(_) => out.push_str(&json.to_string()),
        Value::Number(number) => match number.as_i64().filter(|whole| whole.unsigned_abs() < EXACT) {
            // Most numbers are whole, and then there is nothing to find out.
            Some(whole) => out.push_str(&whole.to_string()),
            None => out.push_str(&number.as_f64().map(self::number).unwrap_or_default()),
        },
        Value::String(text) => string(text, out),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                separate(index, out);
                write(value, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // The RFC sorts by UTF-16 code units, which is not the order of bytes beyond U+FFFF.
            members.sort_by(|(one, _), (other, _)| match one.is_ascii() && other.is_ascii() {
                true => one.cmp(other),
                false => one.encode_utf16().cmp(other.encode_utf16()),
            });
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                separate(index, out);
                string(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// A text as ECMAScript's `JSON.stringify` writes it, which is how serde_json does too.
fn string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// A number as ECMAScript's `Number::toString` writes it (ECMA-262, section 6.1.6.1.20).
fn number(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let (digits, exponent) = shortest(number.abs());
    format!("{sign}{}", laid_out(&digits, exponent))
}

/// The shortest digits that read back as `number`, and the power of ten of the first of them.
///
/// serde_json's digits, not `format!`'s: where two decimals are equally near, ECMAScript takes the even one, and so does it.
fn shortest(number: f64) -> (String, i32) {
    let text = Value::from(number).to_string();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{decimals}");
    let digits = all.trim_start_matches('0');
    // In `0.0012`, the first digit that counts stands three places after the point.
    let leading = all.len() - digits.len();
    let first = i32::try_from(whole.len()).unwrap_or(i32::MAX) - 1 - i32::try_from(leading).unwrap_or(i32::MAX);
    (digits.trim_end_matches('0').to_owned(), exponent.parse::<i32>().unwrap_or_default() + first)
}

/// Lays out `d.ddd × 10^exponent`.
fn laid_out(digits: &str, exponent: i32) -> String {
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let after_first = i32::try_from(digits.len()).unwrap_or(i32::MAX).saturating_sub(1);
    match exponent {
        -6..=-1 => format!("0.{}{digits}", zeros(-exponent - 1)),
        0..=20 if after_first <= exponent => format!("{digits}{}", zeros(exponent - after_first)),
        0..=20 => {
            let (whole, decimals) = digits.split_at(usize::try_from(exponent + 1).unwrap_or(1));
            format!("{whole}.{decimals}")
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            format!("{first}{point}{rest}e{exponent:+}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_the_rfc_has_them() {
        // RFC 8785, appendix B.
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(number(f64::from_bits(bits)), text);
        }
        for (plain, written) in [(1.0, "1"), (10.0, "10"), (1.5, "1.5"), (-120.25, "-120.25"), (1e-7, "1e-7")] {
            assert_eq!(number(plain), written);
        }
    }

    #[test]
    fn keys_are_sorted_by_utf_16_and_texts_escaped_as_the_rfc_has_them() {
        // RFC 8785, sections 3.2.2 and 3.2.3.
        let document = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let order = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
        let text = text(&document);
        let places: Vec<_> = order.iter().map(|key| text.find(&format!("\"{key}\":"))).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{text}");
        let value = json!({"string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false]});
        let expected = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(super::text(&value), expected);
    }
}
