//! Web and mail addresses: what one looks like, and the scheme that people leave away.
//!
//! Whether an address is valid is for the schema to say.

use url::Url;

/// `text` as a web address: with `https://` where it looks like a host and has no scheme.
pub(crate) fn with_scheme(text: &str) -> Option<String> {
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !text.contains(['@', '\\']);
    if !plain || has_scheme(text) || text.chars().any(char::is_whitespace) {
        return None;
    }
    let address = format!("https://{text}");
    let valid = Url::parse(&address).is_ok_and(|url| url.domain().is_some_and(|domain| domain.contains('.')));
    valid.then_some(address)
}

/// Whether `text` begins as an address with a scheme does.
pub(crate) fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Whether most people would call it an e-mail address.
pub(crate) fn looks_like_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    !name.is_empty() && host.contains('.') && !host.contains('@') && !text.chars().any(char::is_whitespace)
}

/// Whether most people would call it a telephone number.
pub(crate) fn looks_like_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits)
        && text.bytes().all(|byte| byte.is_ascii_digit() || b" +-()./".contains(&byte))
        && (text.starts_with(['+', '0', '(']) || text.contains([' ', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_scheme_is_given_one() {
        assert_eq!(with_scheme("example.coop").as_deref(), Some("https://example.coop"));
        assert_eq!(with_scheme("www.example.coop/a b"), None);
        assert_eq!(with_scheme("www.example.coop/shop?x=1").as_deref(), Some("https://www.example.coop/shop?x=1"));
        for text in ["http://example.coop", "TBC", "n/a", "a@example.coop", "1.5", "..", "example."] {
            assert_eq!(with_scheme(text), None, "{text}");
        }
    }

    #[test]
    fn telephones_and_mail_addresses_are_recognised() {
        assert!(looks_like_phone("+34 600 123 456"));
        assert!(looks_like_phone("024 7667 2783"));
        assert!(!looks_like_phone("12345678"));
        assert!(looks_like_email("rosa@example.coop"));
        assert!(!looks_like_email("rosa@example"));
    }
}
