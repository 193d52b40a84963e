//! Parameters: each stands at most once (RFC 6749, section 3.2), but for `resource`, which may be repeated (RFC 8707).

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;

use super::answer::{Refusal, invalid_request};

/// The largest form, in bytes.
const LARGEST: usize = 64 * 1024;
/// The most parameters.
const MOST: usize = 100;
/// The one that may be repeated.
const RESOURCE: &str = "resource";

/// Parameters of a request.
#[derive(Clone, Debug)]
pub(super) struct Form(Vec<(String, String)>);

/// What can be wrong with parameters as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Too long, or too many.
    TooMuch,
    /// Not text: U+0000, or not UTF-8.
    NotText,
}

impl Unreadable {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::TooMuch => "the request is too large",
            Self::NotText => "a parameter holds U+0000 or is not UTF-8",
        }
    }
}

impl Form {
    /// Reads `a=b&c=d`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LARGEST {
            return Err(Unreadable::TooMuch);
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().take(MOST + 1).collect();
        if pairs.len() > MOST {
            return Err(Unreadable::TooMuch);
        }
        // What is not UTF-8 has become U+FFFD.
        let odd = |text: &String| text.contains('\0') || text.contains('\u{fffd}');
        if pairs.iter().any(|(name, value)| odd(name) || odd(value)) {
            return Err(Unreadable::NotText);
        }
        Ok(Self(pairs))
    }

    /// The form that a program posted.
    pub(super) fn posted(request: &HttpRequest, bytes: &[u8]) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let is_form = |kind: &str| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        if !kind.is_none_or(is_form) {
            return Err(invalid_request("the body is application/x-www-form-urlencoded"));
        }
        let form = Self::read(bytes).map_err(|unreadable| invalid_request(unreadable.words()))?;
        if form.repeated().is_some() {
            return Err(invalid_request("a parameter stands twice"));
        }
        Ok(form)
    }

    /// A parameter that stands twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).filter(|name| *name != RESOURCE).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        })
    }

    /// A parameter. One without a value is as if it were not there (RFC 6749, section 3.1).
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A parameter, even without a value.
    pub(super) fn written(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    pub(super) fn needed(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.field(name).ok_or_else(|| invalid_request(missing))
    }

    /// Which resources are named.
    pub(super) fn resources(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(name, _)| name == RESOURCE).map(|(_, value)| value.as_str())
    }
}
