//! Which language to speak.

use std::collections::BTreeMap;

/// How many ranges of an `Accept-Language` are looked at.
const MOST_RANGES: usize = 50;

/// A language that every page of a commons has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// Its code (ISO 639-1).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The language with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The one that an `Accept-Language` (RFC 9110, section 12.5.4) wants most: English where it wants none of ours.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let mut best = (0, Self::English);
        for range in header.split(',').take(MOST_RANGES) {
            let (tag, quality) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let language = if primary == "*" { Some(Self::English) } else { Self::parse(&primary) };
            let thousandths = thousandths(quality);
            // The first of those wanted equally.
            if let (Some(language), true) = (language, thousandths > best.0) {
                best = (thousandths, language);
            }
        }
        best.1
    }

    /// The text in this language, of those that a schema has.
    pub(crate) fn of(self, texts: &BTreeMap<String, String>) -> Option<&str> {
        texts.get(self.code()).map(String::as_str)
    }
}

/// `q=0.7` in thousandths: 700. What cannot be read is not wanted.
fn thousandths(quality: &str) -> u32 {
    let quality = quality.trim();
    if quality.is_empty() {
        return 1000;
    }
    let Some(number) = quality.strip_prefix("q=").or_else(|| quality.strip_prefix("Q=")) else { return 0 };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" => format!("{decimals:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{English, Spanish};
    use super::*;

    #[test]
    fn the_language_wanted_most_is_spoken_and_english_where_it_is_none_of_ours() {
        for (header, language) in [
            ("", English),
            ("es", Spanish),
            ("es-MX,es;q=0.9", Spanish),
            ("ca, es;q=0.8, en;q=0.7", Spanish),
            ("en;q=0.7, ES;q=0.8", Spanish),
            ("en, es", English),
            ("fr, de", English),
            ("es;q=0, en;q=0.1", English),
            ("*, es;q=0.9", English),
            ("es;q=2, en;q=0.001", English),
            ("es;q=x", English),
            ("es ; q=0.5", Spanish),
            ("español", English),
            (";;,,q=1", English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
