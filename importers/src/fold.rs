//! Text as people compare it: without case, accents, spaces and punctuation.
//!
//! For recognising headings, countries and yes or no. Never for values that are stored.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The letters and digits of `text`, in lower case, without accents: `Código-Postal` is `codigopostal`.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(plain) => folded.push_str(plain),
            None if letter.is_alphanumeric() => folded.push(letter),
            None => {}
        }
    }
    folded
}

/// Letters that Unicode does not decompose, though everybody types them without the stroke when the keyboard lacks it.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ø' => "o",
        'ł' => "l",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        _ => return None,
    })
}

/// White space as people see it: what a copy from a web page or a word processor leaves around a value.
pub(crate) fn is_outer_space(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\u{2060}')
}

/// `text` without the white space around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    // Nearly every cell begins and ends with something that is plainly no space.
    if let (Some(first), Some(last)) = (text.as_bytes().first(), text.as_bytes().last())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    text.trim_matches(is_outer_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_that_people_take_for_the_same_fold_alike() {
        assert_eq!(fold("Código_Postal "), fold("codigo postal"));
        assert_eq!(fold("E-mail"), "email");
        assert_eq!(fold("Straße"), "strasse");
        assert_eq!(fold("Łódź & Ærø"), "lodzaero");
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_eq!(fold("ＦＵＬＬ"), "full");
    }

    #[test]
    fn the_white_space_of_web_pages_is_trimmed() {
        assert_eq!(trim("\u{feff}\u{a0} x y \u{200b}\t"), "x y");
    }
}
