//! Forms that come back, and whether they are ours.
//!
//! * A form carries a token that is a hash of a cookie which no other site can read or, over TLS, set: the session's if there is one,
//!   otherwise one that came with the form. A form that was given out before signing in is of no use after it, and the other way round.
//! * The browser's own word is asked for as well: `Sec-Fetch-Site` where there is one, otherwise an `Origin` that names a host.
//!   (Our pages send no referrer, for which browsers say `Origin: null`.)

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use hayward_domain::id::base32;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Halt, cookie};
use crate::error::Error;

/// Under which name a form carries its token.
const TOKEN: &str = "form";
/// The largest form.
const LARGEST: usize = 64 * 1024;

/// The token of a form, from the value of the cookie it hangs on. The hash gives nothing of the cookie away.
pub(super) fn token(cookie: &str) -> String {
    base32(&Sha256::digest(format!("hayward form {cookie}").as_bytes()))
}

/// The cookie that forms of this browser hang on now.
pub(super) fn hangs_on(request: &HttpRequest) -> Option<String> {
    cookie::value(request, cookie::Kind::Session).or_else(|| cookie::value(request, cookie::Kind::Form))
}

/// A form that is ours, sent by the browser that it was given to.
pub struct Posted(Vec<(String, String)>);

impl Posted {
    /// What stands in a field, without the space around it; nothing where there is no such field.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.exactly(name).trim()
    }

    /// What stands in a field, to the letter: for passwords.
    #[must_use]
    pub fn exactly(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    fn read(request: &HttpRequest, bytes: &[u8]) -> Result<Self, Halt> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::bad("unsupported-media-type", "this page takes a form").into());
        }
        if bytes.len() > LARGEST {
            return Err(Error::bad("payload-too-large", "the form is too large").into());
        }
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(bytes).into_owned().collect();
        if fields.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Error::bad("invalid-body", "the form holds U+0000").into());
        }
        let form = Self(fields);
        let right = hangs_on(request).map(|cookie| token(&cookie)).unwrap_or_default();
        let same: bool = form.exactly(TOKEN).as_bytes().ct_eq(right.as_bytes()).into();
        if right.is_empty() || !same || !from_here(request) {
            return Err(Halt::Stale);
        }
        Ok(form)
    }
}

/// Whether the browser says that a page of ours sent this, or says nothing.
fn from_here(request: &HttpRequest) -> bool {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    match (text("Sec-Fetch-Site"), text(ORIGIN.as_str())) {
        // `none` is somebody who typed or reloaded; `same-site` may be another host.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => {
            let host = text(HOST.as_str()).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }
    }
}

impl FromRequest for Posted {
    type Error = Halt;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Halt>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = bytes.await.map_err(|_| Error::bad("invalid-body", "the form cannot be read"))?;
            Self::read(&request, &bytes)
        })
    }
}
