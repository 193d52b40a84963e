//! A browser, as far as forms and cookies go: it keeps cookies, follows no redirect by itself, and sends the forms that it was shown.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where a page is not what it should be")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;

/// What a page came back as.
pub struct Shown {
    /// The status.
    pub status: u16,
    /// Where it sends the browser, or nothing.
    pub location: String,
    /// The `Set-Cookie` headers.
    pub cookies: Vec<String>,
    /// Every header, by its lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The page.
    pub text: String,
}

impl From<Response> for Shown {
    fn from(response: Response) -> Self {
        let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let cookies = response.headers().get_all("set-cookie").iter().map(text).collect();
        let headers: BTreeMap<String, String> =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let location = headers.get("location").cloned().unwrap_or_default();
        Self { status: response.status().as_u16(), location, cookies, headers, text: response.text().expect("a whole page") }
    }
}

impl Shown {
    /// Insists on a status.
    ///
    /// # Panics
    /// If it is another one.
    #[must_use]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The value of a field of the page's forms; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\"");
        let tag = self.text.split('<').find(|tag| tag.contains(&mark)).unwrap_or_default();
        let value = tag.split_once("value=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value);
        value.replace("&#38;", "&").replace("&amp;", "&").replace("&#61;", "=").replace("&#34;", "\"").replace("&#39;", "'")
    }

    /// What stands between two marks, the first time.
    #[must_use]
    pub fn between(&self, before: &str, after: &str) -> String {
        let found = self.text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        found.map_or_else(String::new, |(between, _)| between.trim().to_owned())
    }
}

/// One browser with its cookies.
pub struct Browser {
    base: String,
    http: Client,
    jar: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    /// A browser that has never been there, for pages at `base` (`http://127.0.0.1:8080`).
    ///
    /// # Panics
    /// If there is no HTTP client to be had.
    #[must_use]
    pub fn new(base: &str) -> Self {
        hayward::tls::install();
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("an http client");
        Self { base: base.to_owned(), http, jar: RefCell::default() }
    }

    /// The value of a cookie that it has.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.borrow().get(name).cloned()
    }

    /// Puts a cookie into it, as an attacker might.
    pub fn plant(&self, name: &str, value: &str) {
        self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// A request with its cookies; `address` is a path, or begins with the base.
    pub fn request(&self, method: Method, address: &str) -> RequestBuilder {
        let path = address.strip_prefix(&self.base).unwrap_or(address);
        let request = self.http.request(method, format!("{}{path}", self.base));
        let jar: Vec<String> = self.jar.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if jar.is_empty() { request } else { request.header("Cookie", jar.join("; ")) }
    }

    /// Sends a request and keeps what cookies come back.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn send(&self, request: RequestBuilder) -> Shown {
        let shown = Shown::from(request.send().expect("an answer"));
        for cookie in &shown.cookies {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            if cookie.contains("Max-Age=0") {
                self.jar.borrow_mut().remove(name);
            } else {
                self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }

    /// Looks at a page.
    #[must_use]
    pub fn get(&self, address: &str) -> Shown {
        self.send(self.request(Method::GET, address))
    }

    /// Sends a form to `address` with the token that stands on `page`.
    #[must_use]
    pub fn post_from(&self, page: &Shown, address: &str, fields: &[(&str, &str)]) -> Shown {
        let token = page.field("form");
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("form", token.as_str())]).collect();
        self.send(self.request(Method::POST, address).header("Sec-Fetch-Site", "same-origin").form(&fields))
    }

    /// Opens a page and sends its form, filled in.
    #[must_use]
    pub fn fill(&self, address: &str, fields: &[(&str, &str)]) -> Shown {
        let page = self.get(address);
        self.post_from(&page, address, fields)
    }

    /// Signs in with a password.
    #[must_use]
    pub fn sign_in(&self, email: &str, password: &str) -> Shown {
        self.fill("/sign-in", &[("email", email), ("password", password)])
    }
}
