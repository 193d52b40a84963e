//! Errors as callers see them: RFC 9457, in one place.
//!
//! The caller learns what it can act on; the log gets the cause. Nothing here ever holds a value of a record.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use hayward_domain::scope::Scope;
use hayward_store::StoreError;
use serde::Serialize;

use crate::problems;
use crate::request_id;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Where in the body, as a JSON pointer …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// … or which query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// A short name for what is wrong.
    pub code: String,
    /// The same in words.
    pub detail: String,
}

/// Why a request was not answered with what it asked for.
#[derive(Debug)]
pub enum Error {
    /// No credential, or one that opens nothing.
    Unauthenticated,
    /// The token lacks a scope.
    MissingScope(Scope),
    /// Also what is said about things the caller may not know exist.
    NotFound,
    /// The request makes no sense: `code` names a page of ours.
    Bad {
        /// The name of the problem.
        code: &'static str,
        /// The problem in words.
        detail: String,
        /// What exactly, where there is more to say.
        errors: Vec<Detail>,
    },
    /// Something is in the way that the caller or somebody else can change: `409`, unless the problem's page says otherwise.
    Conflict {
        /// The name of the problem.
        code: &'static str,
        /// The problem in words.
        detail: String,
    },
    /// Too many guesses were wrong. After so many seconds there may be another.
    TooSoon(u64),
    /// The database or the ledger cannot be written or read now.
    Unavailable(String),
    /// Logged; the caller is told only that we failed.
    Internal(String),
}

impl Error {
    /// A bad query parameter.
    pub fn parameter(code: &'static str, parameter: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let parameter = Some(parameter.to_owned());
        let error = Detail { pointer: None, parameter, code: code.to_owned(), detail: detail.clone() };
        Self::Bad { code, detail, errors: vec![error] }
    }

    /// A bad request as a whole.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Bad { code, detail: detail.into(), errors: Vec::new() }
    }

    /// Writes down what the caller is not told.
    pub(crate) fn note(&self) {
        if let Self::Internal(cause) | Self::Unavailable(cause) = self {
            tracing::error!(code = self.code(), cause, "a request failed");
        }
    }

    /// After how many seconds trying again makes sense, where it does.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooSoon(seconds) => Some(*seconds),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }

    /// The name of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::MissingScope(_) => "insufficient-scope",
            Self::NotFound => "not-found",
            Self::Bad { code, .. } | Self::Conflict { code, .. } => code,
            Self::TooSoon(_) => "too-many-attempts",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("a bearer token is needed, and this request has none that works"),
            Self::MissingScope(scope) => write!(f, "this token lacks the scope `{scope}`"),
            Self::NotFound => f.write_str("there is nothing here for this caller"),
            Self::Bad { detail, .. } | Self::Conflict { detail, .. } => f.write_str(detail),
            Self::TooSoon(seconds) => write!(f, "there were too many attempts; wait {seconds} seconds before the next one"),
            Self::Unavailable(_) => f.write_str("this cannot be answered at the moment; try again"),
            Self::Internal(_) => f.write_str("something went wrong on our side"),
        }
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Busy(purpose) => {
                Self::Conflict { code: "busy", detail: format!("this list is being written ({purpose}); try again in a moment") }
            }
            StoreError::Stale(detail) => Self::Conflict { code: "stale", detail },
            StoreError::Refused { code, detail } if problems::status(code) == StatusCode::BAD_REQUEST => {
                Self::Bad { code, detail, errors: Vec::new() }
            }
            StoreError::Refused { code, detail } => Self::Conflict { code, detail },
            StoreError::Exists(what) => Self::Conflict { code: "exists", detail: format!("there is already {what}") },
            StoreError::Fenced => {
                Self::Conflict { code: "busy", detail: "another writer took over this list; try again".to_owned() }
            }
            StoreError::TooSoon(seconds) => Self::TooSoon(seconds),
            StoreError::Unavailable(detail) => Self::Unavailable(detail),
            StoreError::Corrupt(what) => Self::Internal(format!("the database holds {what} that cannot be read")),
            StoreError::Database(detail) => Self::Internal(detail),
        }
    }
}

impl From<actix_web::error::BlockingError> for Error {
    fn from(_: actix_web::error::BlockingError) -> Self {
        Self::Unavailable("the program is stopping".to_owned())
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    request_id: String,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    errors: &'a [Detail],
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        problems::status(self.code())
    }

    fn error_response(&self) -> HttpResponse {
        self.note();
        let status = self.status_code();
        let errors: &[Detail] = match self {
            Self::Bad { errors, .. } => errors,
            _ => &[],
        };
        let problem = Problem {
            r#type: format!("/problems/{}", self.code()),
            title: problems::title(self.code()),
            status: status.as_u16(),
            detail: self.to_string(),
            request_id: request_id::current(),
            errors,
        };
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json").insert_header(("Cache-Control", "no-store"));
        match self {
            Self::Unauthenticated => {
                response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            Self::MissingScope(scope) => {
                // RFC 6750, section 3.1.
                response.insert_header((WWW_AUTHENTICATE, format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")));
            }
            Self::TooSoon(seconds) => {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            Self::Unavailable(_) => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            Self::Bad { code: "overloaded", .. } | Self::Conflict { code: "busy" | "in-flight", .. } => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            Self::NotFound | Self::Bad { .. } | Self::Conflict { .. } | Self::Internal(_) => {}
        }
        response.body(serde_json::to_string(&problem).unwrap_or_default())
    }
}
