//! What every page has around it, and the headers it goes out with.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use hayward_domain::id::base32;

use super::{Halt, Visitor, assets, cookie, form};
use crate::commons::Commons;
use crate::error::Error;

/// What is around a page: what the commons is called, who is signed in, and the token of its forms.
pub struct Frame {
    /// What the commons is called.
    pub commons: String,
    /// Where the stylesheet is.
    pub style: &'static str,
    /// The token that each form carries as `form`.
    pub token: String,
    /// Who is signed in: their name, and for which member co-op they act.
    pub who: Option<(String, String)>,
    /// The cookie that the token hangs on, where the browser has none yet.
    gives: Option<Cookie<'static>>,
    /// Another origin that a form of this page may lead to.
    leads_to: Option<String>,
}

impl Frame {
    /// What is around a page for this request.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn new(request: &HttpRequest, commons: &Data<Commons>, visitor: Option<&Visitor>) -> Result<Self, Halt> {
        let settings = commons.run(|store| store.read_settings()).await?;
        let (hangs_on, gives) = match form::hangs_on(request) {
            Some(value) => (value, None),
            None => {
                let value = base32(&commons.random::<32>());
                let gives = cookie::given(request, cookie::Kind::Form, value.clone());
                (value, Some(gives))
            }
        };
        let who = visitor.map(|visitor| (visitor.name.clone(), visitor.acts_for().map(|at| at.name.clone()).unwrap_or_default()));
        Ok(Self { commons: settings.name, style: assets::style(), token: form::token(&hangs_on), who, gives, leads_to: None })
    }

    /// Says that a form of this page may be answered with a redirect to `origin` (`https://partner.example`).
    #[must_use]
    pub fn leading_to(mut self, origin: &url::Origin) -> Self {
        self.leads_to = origin.is_tuple().then(|| origin.ascii_serialization());
        self
    }

    /// The page.
    ///
    /// # Errors
    /// Where the template cannot be written out.
    pub fn page(&self, status: StatusCode, template: &impl Template) -> Result<HttpResponse, Halt> {
        let body = template.render().map_err(|_| Error::Internal("a page could not be written out".to_owned()))?;
        let mut response = headed(status, self.leads_to.as_deref());
        if let Some(cookie) = &self.gives {
            response.cookie(cookie.clone());
        }
        Ok(response.body(body))
    }
}

/// A page that says that something is done, and where to sign in.
#[derive(Template)]
#[template(path = "done.html")]
pub(super) struct Done<'a> {
    pub(super) frame: &'a Frame,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
}

/// A page that has its headers and lacks its body.
pub(super) fn headed(status: StatusCode, leads_to: Option<&str>) -> HttpResponseBuilder {
    let leads_to = leads_to.map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{leads_to}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Security-Policy", policy))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("X-Frame-Options", "DENY"));
    response
}

/// Sends the browser on to a path of ours.
#[must_use]
pub fn onward(path: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header(("Location", path))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Referrer-Policy", "no-referrer"));
    response
}
