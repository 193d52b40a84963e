//! What a heading says besides a name: that its column is one of several, or that it is nobody else's business.

use hayward_domain::schema::{Field, Kind, Schema};

use crate::fold::fold;
use crate::read::lists;

/// The heading without its places in lists, where it has any: `tags[0]` and `tags[1]` are both `tags`, as programs write that flatten
/// JSON, and so is `tags(list-0)`.
pub(super) fn family(heading: &str) -> Option<String> {
    let mut name = String::with_capacity(heading.len());
    let mut rest = heading;
    while let Some(at) = rest.find(['[', '(']) {
        let (before, after) = rest.split_at_checked(at)?;
        name.push_str(before);
        let length = place(after);
        let kept = if length == 0 { after.get(..1)? } else { "" };
        name.push_str(kept);
        rest = after.get(length.max(1)..)?;
    }
    name.push_str(rest);
    (name.len() < heading.len() && !name.is_empty()).then_some(name)
}

/// How long the place in a list is that `text` begins with: `[12]` or `(list-12)`.
fn place(text: &str) -> usize {
    let inside = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let inside = inside.or_else(|| text.strip_prefix("(list-").and_then(|rest| rest.split_once(')')));
    match inside {
        Some((digits, rest)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => text.len() - rest.len(),
        Some(_) | None => 0,
    }
}

/// Whether columns with these headings may go to `field` together: any may where it is a list, and places of one list where it is
/// prose, in which they then stand one behind the other.
pub(super) fn may_share(schema: &Schema, field: &Field, one: &str, other: &str) -> bool {
    if lists::items(schema, field).is_some() {
        return true;
    }
    let prose = field.kind == Kind::Text && field.reads_as.is_none() && !field.required;
    prose && family(one).is_some_and(|family_of_one| family(other).as_ref() == Some(&family_of_one))
}

/// Whether the heading says that the column is private: `(Private Notes)`, in any of the six languages.
pub(super) fn is_private(heading: &str) -> bool {
    let word = heading.strip_prefix('(').map(|inside| inside.split([' ', ')', ':', '-', '_']).next().unwrap_or_default());
    word.is_some_and(|word| {
        let word = fold(word);
        matches!(word.as_str(), "private" | "privado" | "privada" | "prive" | "privee" | "privat")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_list_are_a_family() {
        assert_eq!(family("tags[0]").as_deref(), Some("tags"));
        assert_eq!(family("tags(list-12)").as_deref(), Some("tags"));
        assert_eq!(family("urls[3].name").as_deref(), Some("urls.name"));
        for alone in ["tags", "tags[]", "tags[a]", "Weight [kg]", "Price (list)", "[0]", "", "é[", "[é"] {
            assert_eq!(family(alone), None, "{alone}");
        }
    }

    #[test]
    fn a_heading_may_say_that_it_is_private() {
        for heading in ["(Private Notes)", "(private)", "(Privé) remarques", "(Privado: notas)", "(PRIVAT Notizen)"] {
            assert!(is_private(heading), "{heading}");
        }
        for heading in ["Private limited company", "(Privacy policy)", "Notes", "(Notes)", ""] {
            assert!(!is_private(heading), "{heading}");
        }
    }
}
