//! An answer, read whole.

use std::collections::BTreeMap;

use reqwest::blocking::{RequestBuilder, Response};
use serde_json::Value;

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let header = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), header(value))).collect();
        Self { status: response.status().as_u16(), headers, body: response.bytes().expect("a whole body").to_vec() }
    }
}

impl Answer {
    /// Sends a request and reads its answer.
    pub fn to(request: RequestBuilder) -> Self {
        request.send().expect("an answer").into()
    }

    /// The same, or nothing where the connection broke before or while it was read.
    pub fn if_whole(request: RequestBuilder) -> Option<Self> {
        let response = request.send().ok()?;
        let status = response.status().as_u16();
        let body = response.bytes().ok()?.to_vec();
        Some(Self { status, headers: BTreeMap::new(), body })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is no JSON: {}", self.status, self.text()))
    }

    /// Insists on a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The JSON of an answer that must be a `200`.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200).json()
    }

    /// The items of a list.
    #[track_caller]
    pub fn items(self) -> Vec<Value> {
        self.ok()["items"].as_array().expect("a list").clone()
    }

    /// One member of every item of a list, as text.
    #[track_caller]
    pub fn column(self, name: &str) -> Vec<String> {
        self.items().iter().map(|item| item[name].as_str().unwrap_or("null").to_owned()).collect()
    }

    /// Insists on a problem of RFC 9457 as our contract has it, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(self.header("x-request-id").starts_with("req_"));
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        problem
    }

    /// The answer as two callers compare it: without what no two answers share.
    pub fn without_the_request(&self) -> (u16, String) {
        let own = self.header("x-request-id");
        let text = self.text();
        (self.status, if own.is_empty() { text } else { text.replace(own, "req") })
    }
}
