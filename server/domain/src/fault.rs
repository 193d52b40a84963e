//! What is wrong with a document that somebody sent us, and where.
//!
//! A fault may quote the document, which its author wrote; it never quotes a record.

use std::fmt;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What kind of thing, for programs: `unknown-key`, `missing`, `type` …
    pub code: &'static str,
    /// What is wrong there, for people.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.detail)
    }
}

/// The pointer to the member `key` of what `base` points to.
pub(crate) fn below(base: &str, key: &str) -> String {
    format!("{base}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_would_read_as_two_steps() {
        assert_eq!(below("/rows", "a/b~c"), "/rows/a~1b~0c");
    }
}
