//! Yes and no in the six languages that our schemas speak.

use crate::fold::{fold, trim};

/// What people write for yes; folded.
const YES: [&str; 18] = [
    "yes",
    "y",
    "true",
    "t",
    "1",
    "x",
    "on",
    "si",
    "s",
    "oui",
    "vrai",
    "verdadero",
    "verdadeiro",
    "sim",
    "cert",
    "ja",
    "j",
    "wahr",
];

/// What people write for no; folded.
const NO: [&str; 13] = ["no", "n", "false", "f", "0", "off", "non", "faux", "falso", "nao", "fals", "nein", "falsch"];

/// True or false, if `text` says either.
pub(crate) fn read(text: &str) -> Option<bool> {
    let text = trim(text);
    if text.len() > 16 {
        return None;
    }
    match text {
        "✓" | "✔" | "☑" => return Some(true),
        "✗" | "✘" | "☐" => return Some(false),
        _ => {}
    }
    // Most are written as they stand here, and folding them is not for nothing.
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if YES.iter().any(is) {
        return Some(true);
    }
    if NO.iter().any(is) {
        return Some(false);
    }
    let folded = fold(text);
    let yes = YES.contains(&folded.as_str());
    (yes || NO.contains(&folded.as_str())).then_some(yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_understood_in_six_languages() {
        for yes in ["Yes", "TRUE", "1", "x", "Sí", "oui", "Sim", "ja", "Wahr", "✓"] {
            assert_eq!(read(yes), Some(true), "{yes}");
        }
        for no in ["no", "False", "0", "non", "Não", "nein", "fals"] {
            assert_eq!(read(no), Some(false), "{no}");
        }
        for neither in ["", "maybe", "2", "-", "yes please, and thank you"] {
            assert_eq!(read(neither), None, "{neither}");
        }
    }
}
