//! Query parameters: each is known and stands once, or the request is refused.

use crate::error::Error;

/// The longest query that is looked at.
const LONGEST: usize = 16_384;
/// The most parameters.
const MOST: usize = 100;

/// The parameters of a request that nobody has asked for yet.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string.
    ///
    /// # Errors
    /// `invalid-parameter` where a name stands twice, or holds U+0000.
    pub fn parse(query: &str) -> Result<Self, Error> {
        if query.len() > LONGEST {
            return Err(Error::bad("invalid-parameter", format!("the query is longer than {LONGEST} bytes")));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if name.contains('\0') || value.contains('\0') || value.contains('\u{fffd}') || name.contains('\u{fffd}') {
                return Err(Error::bad("invalid-parameter", "the query holds U+0000 or is not UTF-8"));
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Error::parameter("invalid-parameter", &name, format!("`{name}` stands twice")));
            }
            if pairs.len() == MOST {
                return Err(Error::bad("invalid-parameter", format!("there are more than {MOST} parameters")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Takes one parameter out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// `limit`: 1 to 1000.
    ///
    /// # Errors
    /// `invalid-parameter` for anything else.
    pub fn limit(&mut self) -> Result<Option<i64>, Error> {
        let Some(text) = self.take("limit") else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(limit @ 1..=1000) => Ok(Some(limit)),
            _ => Err(Error::parameter("invalid-parameter", "limit", "`limit` is a whole number from 1 to 1000")),
        }
    }

    /// What is left over, in order.
    #[must_use]
    pub fn rest(self) -> Vec<(String, String)> {
        self.0
    }

    /// Refuses whatever is left over.
    ///
    /// # Errors
    /// `unknown-parameter`, naming the first.
    pub fn end(self) -> Result<(), Error> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(unknown(name)),
        }
    }
}

/// What is said about a parameter that names nothing here, be it a typo or a field that is not open to the caller.
#[must_use]
pub fn unknown(name: &str) -> Error {
    Error::parameter("unknown-parameter", name, format!("`{name}` is not a parameter here"))
}

/// How many items a page has unless the request says.
pub const PAGE: i64 = 50;
