//! Where somebody goes after signing in: a path here, and nowhere else.

use url::Url;

/// The longest path that is come back to.
const LONGEST: usize = 8_192;

/// The path and query that `next` is, if it is one of ours: never another origin, however a browser might read it.
#[must_use]
pub fn local(next: &str) -> Option<String> {
    let odd = |letter: char| letter.is_control() || letter == '\\';
    if !next.starts_with('/') || next.starts_with("//") || next.len() > LONGEST || next.chars().any(odd) {
        return None;
    }
    let here = Url::parse("http://here.invalid").ok()?;
    let there = here.join(next).ok()?;
    if there.origin() != here.origin() || !there.username().is_empty() || there.password().is_some() {
        return None;
    }
    // What is left after `..` is taken out must not begin like another host.
    let path = there.path();
    if path.starts_with("//") {
        return None;
    }
    Some(there.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_paths_of_our_own_are_come_back_to() {
        for (next, kept) in [("/", "/"), ("/account", "/account"), ("/oauth/authorize?a=b&c=%2F#x", "/oauth/authorize?a=b&c=%2F")]
        {
            assert_eq!(local(next).as_deref(), Some(kept));
        }
        let long = format!("/{}", "a".repeat(9_000));
        for next in [
            "",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "http:/evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            " /account",
            "@evil.example",
            &long,
        ] {
            assert_eq!(local(next), None, "{next}");
        }
    }
}
