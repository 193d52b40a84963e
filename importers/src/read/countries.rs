//! Countries by name, alias or code.
//!
//! The names stand in `countries.tsv`. What is not there is not a country for us; it may be close to one that is.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::fold::fold;

const TABLE: &str = include_str!("countries.tsv");

/// How alike two names must be for one to be suggested for the other.
const ALIKE: f64 = 0.84;

/// Codes that people take for a country's, and whose it is.
const MISTAKEN: [(&str, &str); 4] = [("sp", "ES"), ("en", "GB"), ("ger", "DE"), ("dan", "DK")];

/// The alpha-2 code of every name, alias and code, folded.
static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let names = rows().flat_map(|(code, names)| names.map(move |name| (fold(name), code)));
    names.collect()
});

/// What two letters stand for, at 26 times the place of the first in the alphabet and once that of the second.
static PAIRS: LazyLock<Vec<Option<&'static str>>> = LazyLock::new(|| {
    let letters = || (b'a'..=b'z').map(char::from);
    letters().flat_map(|first| letters().map(move |second| CODES.get(&format!("{first}{second}")).copied())).collect()
});

/// The ISO 3166-1 alpha-2 code of the country that `text` names.
pub(crate) fn read(text: &str) -> Option<&'static str> {
    // Most lists have codes.
    if let [first, second] = text.as_bytes()
        && let (true, true) = (first.is_ascii_alphabetic(), second.is_ascii_alphabetic())
    {
        let place = |letter: &u8| usize::from(letter.to_ascii_lowercase() - b'a');
        return PAIRS.get(26 * place(first) + place(second)).copied().flatten();
    }
    // No name is longer; folding a page of prose for every cell would be paid by the whole file.
    if text.len() > 120 {
        return None;
    }
    CODES.get(&fold(text)).copied()
}

/// The English name of the country that may be meant.
pub(crate) fn meant(text: &str) -> Option<String> {
    let folded = fold(text);
    let mistaken = MISTAKEN.iter().find(|(wrong, _)| *wrong == folded).map(|(_, code)| *code);
    let code = mistaken.or_else(|| closest(&folded))?;
    let mut rows = rows();
    rows.find(|(found, _)| *found == code).and_then(|(_, mut names)| names.nth(2)).map(str::to_owned)
}

fn closest(folded: &str) -> Option<&'static str> {
    // Two letters are alike by chance.
    if folded.len() < 4 || folded.len() > 60 {
        return None;
    }
    let scored = CODES.iter().filter(|(name, _)| name.len() > 3).map(|(name, code)| (likeness(name, folded), *code));
    let best =
        scored.filter(|(score, _)| *score >= ALIKE).max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(one.1)));
    best.map(|(_, code)| code)
}

fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(one, other)
}

/// The table: a code, and everything it is called by, itself first.
fn rows() -> impl Iterator<Item = (&'static str, std::str::Split<'static, char>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').next().map(|code| (code, line.split('\t'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_found_by_any_of_its_names() {
        for (text, code) in [
            ("ES", "ES"),
            ("esp", "ES"),
            ("España", "ES"),
            ("Spanien", "ES"),
            ("UK", "GB"),
            ("England", "GB"),
            ("Northern Ireland", "GB"),
            ("U.S.A.", "US"),
            ("États-Unis", "US"),
            ("Côte d'Ivoire", "CI"),
            ("Deutschland", "DE"),
            ("the Netherlands", "NL"),
        ] {
            assert_eq!(read(text), Some(code), "{text}");
        }
        assert_eq!(read("Untied States"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_misspelt_country_is_suggested_and_not_taken() {
        assert_eq!(meant("Untied States").as_deref(), Some("United States"));
        assert_eq!(meant("Germny").as_deref(), Some("Germany"));
        assert_eq!(meant("SP").as_deref(), Some("Spain"));
        assert_eq!(meant("Atlantis"), None);
    }

    #[test]
    fn no_name_belongs_to_two_countries() {
        let mut names: HashMap<String, &str> = HashMap::new();
        for (code, called) in rows() {
            for name in called {
                let other = names.insert(fold(name), code);
                assert!(other.is_none_or(|other| other == code), "{name} is {code} and {other:?}");
            }
        }
        assert_eq!(rows().count(), 249);
    }
}
