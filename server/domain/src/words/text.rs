//! Putting texts and numbers of others into a sentence, so that they cannot pass for a part of it.

/// How a language writes numbers.
pub(super) struct Figures {
    /// Between groups of three digits.
    pub(super) group: char,
    /// Before the decimals.
    pub(super) point: char,
    /// Numbers of fewer digits before the point are not grouped.
    pub(super) grouped_from: usize,
}

/// A number, given as JSON spells it.
pub(super) fn number(digits: &str, figures: &Figures) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (mantissa, exponent) = rest.find(['e', 'E']).map_or((rest, ""), |at| rest.split_at(at));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(at);
        if at > 0 && left % 3 == 0 && whole.len() >= figures.grouped_from {
            out.push(figures.group);
        }
        out.push(digit);
    }
    // `5.0` is 5 to everybody who reads it.
    if !decimals.trim_end_matches('0').is_empty() {
        out.push(figures.point);
        out.push_str(decimals);
    }
    out + exponent
}

/// A text in one line, in which nothing is invisible and nothing turns the direction of what follows.
pub(super) fn plain(text: &str) -> String {
    let seen = |letter: char| match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2060}' | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => char::REPLACEMENT_CHARACTER,
        other if other.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.trim().chars().map(seen).collect()
}

/// A text between these marks; the same marks inside it become the inner ones, so that it ends where it ends.
pub(super) fn quoted(text: &str, marks: [char; 2], inner: [char; 2]) -> String {
    let within = |letter: char| match letter {
        mark if mark == marks[0] => inner[0],
        mark if mark == marks[1] => inner[1],
        other => other,
    };
    let text: String = plain(text).chars().map(within).collect();
    let [open, close] = marks;
    format!("{open}{text}{close}")
}

/// How far apart the points of a grid are, on the ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// So many kilometres.
    Kilometres(String),
    /// So many metres.
    Metres(String),
    /// Less than a metre.
    Less,
}

impl Apart {
    /// A degree of latitude; one of longitude is as long at the equator, and shorter elsewhere.
    const DEGREE: f64 = 111.32;

    /// About how far this many degrees are. Two digits are enough to picture it.
    pub(super) fn of_degrees(degrees: &str) -> Self {
        let kilometres = degrees.parse::<f64>().unwrap_or_default() * Self::DEGREE;
        let metres = kilometres * 1000.0;
        match kilometres {
            far if far >= 9.95 => Self::Kilometres(format!("{far:.0}")),
            near if near >= 1.0 => Self::Kilometres(format!("{near:.1}")),
            _ if metres >= 99.5 => Self::Metres(format!("{:.0}", (metres / 10.0).round() * 10.0)),
            _ if metres >= 1.0 => Self::Metres(format!("{metres:.0}")),
            _ => Self::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_has_it() {
        let english = Figures { group: ',', point: '.', grouped_from: 4 };
        let spanish = Figures { group: '.', point: ',', grouped_from: 5 };
        for (digits, in_english, in_spanish) in [
            ("5", "5", "5"),
            ("5.0", "5", "5"),
            ("0.05", "0.05", "0,05"),
            ("1000", "1,000", "1000"),
            ("20000", "20,000", "20.000"),
            ("-1234567.5", "-1,234,567.5", "-1.234.567,5"),
            ("1.5e-7", "1.5e-7", "1,5e-7"),
        ] {
            assert_eq!((number(digits, &english).as_str(), number(digits, &spanish).as_str()), (in_english, in_spanish));
        }
    }

    #[test]
    fn a_text_cannot_end_its_own_quotation_nor_hide_anything() {
        let quoted = |text| quoted(text, ['“', '”'], ['‘', '’']);
        assert_eq!(quoted("x”. More: all “y"), "“x’. More: all ‘y”");
        assert_eq!(quoted(" one\ntwo\u{202e}\u{0}three "), "“one two\u{fffd}\u{fffd}three”");
    }

    #[test]
    fn a_grid_is_pictured_on_the_ground() {
        for (degrees, apart) in [
            ("0.1", Apart::Kilometres("11".to_owned())),
            ("0.01", Apart::Kilometres("1.1".to_owned())),
            ("0.001", Apart::Metres("110".to_owned())),
            ("0.0001", Apart::Metres("11".to_owned())),
            ("0.000001", Apart::Less),
            ("1", Apart::Kilometres("111".to_owned())),
        ] {
            assert_eq!(Apart::of_degrees(degrees), apart, "{degrees}");
        }
    }
}
