//! Why a page is not shown: a page in words, or the way to sign in.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use hayward_store::StoreError;

use super::{assets, frame};
use crate::error::Error;
use crate::{problems, request_id};

/// Why there is no such page now.
#[derive(Debug)]
pub enum Halt {
    /// Nobody is signed in. Where they wanted to go, if it can be gone to.
    SignIn(Option<String>),
    /// They belong to several member co-ops, and have not said for which they act.
    Choose(Option<String>),
    /// The form is not ours, or not this browser's any more.
    Stale,
    /// Anything else.
    Problem(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Problem(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(_) => f.write_str("sign in first"),
            Self::Choose(_) => f.write_str("choose for whom you act"),
            Self::Stale => f.write_str("this form is out of date, or was not ours: open the page again and send it from there"),
            Self::Problem(error) => error.fmt(f),
        }
    }
}

#[derive(Template)]
#[template(path = "halt.html")]
struct Page<'a> {
    style: &'a str,
    title: &'a str,
    detail: String,
    request_id: String,
}

fn with_next(path: &str, next: Option<&str>) -> String {
    let encoded = |next: &str| url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    next.map_or_else(|| path.to_owned(), |next| format!("{path}?{}", encoded(next)))
}

impl ResponseError for Halt {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn(_) | Self::Choose(_) => StatusCode::SEE_OTHER,
            Self::Stale => StatusCode::FORBIDDEN,
            Self::Problem(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let title = match self {
            Self::SignIn(next) => return frame::onward(&with_next("/sign-in", next.as_deref())).finish(),
            Self::Choose(next) => return frame::onward(&with_next("/acting", next.as_deref())).finish(),
            Self::Stale => "Out of date",
            Self::Problem(error) => problems::title(error.code()),
        };
        let page = Page { style: assets::style(), title, detail: self.to_string(), request_id: request_id::current() };
        let mut response = frame::headed(self.status_code(), None);
        if let Self::Problem(error) = self {
            error.note();
            if let Some(seconds) = error.retry_after() {
                response.insert_header(("Retry-After", seconds.to_string()));
            }
        }
        response.body(page.render().unwrap_or_default())
    }
}
