//! What people call a field, compared the way people read: `Código Postal`, `codigo_postal` and `CODIGO POSTAL` are one word.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::node::Node;
use super::{Field, SchemaError};

/// A word without what spreadsheets vary: case, accents, spaces and punctuation. Empty if nothing is left.
#[must_use]
pub fn folded(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    // `to_lowercase` comes first: it turns `İ` into an `i` and a mark, which the second pass takes off.
    for letter in word.to_lowercase().nfkd() {
        match letter {
            // Letters that Unicode does not take apart, as somebody without the key for them types them.
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            // Capitals may come out of a compatibility form, such as `№`.
            other if other.is_alphanumeric() => folded.extend(other.to_lowercase()),
            _ => {}
        }
    }
    folded
}

/// Refuses a word that two fields claim, since a column under it would have to be guessed.
///
/// Names and labels are words too. `nodes` are the annotations of `fields`, in the same order.
pub(super) fn claimed_once(fields: &[Field], nodes: &[Node<'_>]) -> Result<(), SchemaError> {
    let mut claimed: BTreeMap<String, &Field> = BTreeMap::new();
    for (field, node) in fields.iter().zip(nodes) {
        let words = [field.name.as_str()].into_iter().chain(field.labels.values().map(String::as_str));
        for word in words.chain(field.synonyms.iter().map(String::as_str)) {
            let plain = folded(word);
            if plain.is_empty() {
                return Err(node.refuse(format!("`{word}` has no letter or digit to know it by")));
            }
            let first = claimed.entry(plain).or_insert(field);
            if first.name != field.name {
                return Err(node.refuse(format!("`{word}` already means `{}`", first.name)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn case_accents_spaces_and_punctuation_do_not_matter() {
        for (one, other) in [
            ("Código Postal", "codigo_postal"),
            ("Nº de socio", "no. de socio"),
            ("Straße", "STRASSE"),
            ("Registered State/Province", "registered_state_province"),
            ("geolocation.lat", "Geolocation Lat"),
            ("E-Mail", "email"),
            ("ŁÓDŹ", "lodz"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_eq!(folded(" –/()"), "");
    }

    #[test]
    fn scripts_without_latin_letters_are_kept() {
        assert_eq!(folded("氏名"), "氏名");
        assert_ne!(folded("имя"), "");
    }
}
