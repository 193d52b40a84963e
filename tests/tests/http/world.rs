//! One commons for one test: the founded one, served, and those who call it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hayward_tests::cluster::ClusterError;
use hayward_tests::server::{Server, TestClock};
use hayward_tests::{Kind, TestDatabase};
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::founding;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persona {
    Nobody,
    Garbage,
    Expired,
    Revoked,
    Steward,
    Editor,
    Viewer,
    PartnerSteward,
    PartnerClient,
    EmptyClient,
    ThirdClient,
    ThirdOwner,
    Operator,
}

impl Persona {
    pub const ALL: [Self; 13] = [
        Self::Nobody,
        Self::Garbage,
        Self::Expired,
        Self::Revoked,
        Self::Steward,
        Self::Editor,
        Self::Viewer,
        Self::PartnerSteward,
        Self::PartnerClient,
        Self::EmptyClient,
        Self::ThirdClient,
        Self::ThirdOwner,
        Self::Operator,
    ];

    /// Its name in the access table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Garbage => "garbage",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Steward => "steward",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
            Self::PartnerSteward => "partner-steward",
            Self::PartnerClient => "partner-client",
            Self::EmptyClient => "empty-client",
            Self::ThirdClient => "third-client",
            Self::ThirdOwner => "third-owner",
            Self::Operator => "operator",
        }
    }

    /// Its bearer token, if it has one.
    pub fn token(self) -> Option<String> {
        (self != Self::Nobody).then(|| format!("hwt_{}", self.name()))
    }
}

/// A commons of one test's own.
pub struct World {
    /// Before the database, which is dropped after it.
    pub server: Server,
    pub database: TestDatabase,
    names: Map<String, Value>,
    uploads: AtomicU64,
}

impl World {
    /// A copy of the founded commons, served.
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        let database = TestDatabase::from_template(kind, founding::found)?;
        let server = Server::start_again(database.url(), founding::SEED, rand::random(), TestClock::default());
        let names = server.store().noted("names").unwrap().unwrap();
        Ok(Self { server, database, names: serde_json::from_str(&names).unwrap(), uploads: AtomicU64::new(0) })
    }

    /// The id of something that was founded.
    #[track_caller]
    pub fn id(&self, name: &str) -> &str {
        self.names.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("nothing is called `{name}`"))
    }

    pub fn pass(&self, span: Duration) {
        self.server.clock.forward(span);
    }

    pub fn request(&self, who: Persona, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path, who.token().as_deref())
    }

    pub fn get(&self, who: Persona, path: &str) -> Answer {
        Answer::to(self.request(who, Method::GET, path))
    }

    pub fn get_as(&self, who: Persona, path: &str, accept: &str) -> Answer {
        Answer::to(self.request(who, Method::GET, path).header("Accept", accept))
    }

    pub fn post(&self, who: Persona, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(who, Method::POST, path).json(body))
    }

    pub fn put(&self, who: Persona, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(who, Method::PUT, path).json(body))
    }

    /// Uploads a file as the provider's editor.
    pub fn upload(&self, dataset: &str, file: impl Into<Vec<u8>>) -> Answer {
        let name = format!("list-{}.csv", self.uploads.fetch_add(1, Ordering::Relaxed));
        let path = format!("/api/v1/datasets/{dataset}/imports?filename={name}");
        let file: Vec<u8> = file.into();
        Answer::to(self.request(Persona::Editor, Method::POST, &path).header("Content-Type", "text/csv").body(file))
    }

    /// Uploads a file whose headings say it all, keeps private what they do not, and commits it.
    #[track_caller]
    pub fn import(&self, dataset: &str, file: impl Into<Vec<u8>>) -> Value {
        let import = self.upload(dataset, file).expect(201).json();
        let id = import["id"].as_str().unwrap();
        self.put(Persona::Editor, &format!("/api/v1/imports/{id}/matching"), &all_decided(&import)).expect(200);
        self.post(Persona::Editor, &format!("/api/v1/imports/{id}/commit"), &json!({})).expect(200).json()
    }

    /// Decides about a version of an agreement.
    pub fn decide(&self, who: Persona, agreement: &str, event: &str, version: i64) -> Answer {
        // What cannot be done without a reason has one.
        let reason = matches!(event, "approve" | "decline" | "recuse").then_some("So it was decided.");
        let body = json!({"version": version, "reason": reason});
        self.post(who, &format!("/api/v1/agreements/{agreement}/{event}"), &body)
    }

    /// Proposes terms as the provider, has both sides approve, and returns the agreement's id.
    #[track_caller]
    pub fn agree(&self, terms: &Value) -> String {
        let made = self.post(Persona::Steward, "/api/v1/agreements", terms).expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        self.decide(Persona::Steward, &id, "approve", 1).expect(200);
        if terms["audience"].is_object() {
            self.decide(Persona::PartnerSteward, &id, "approve", 1).expect(200);
        }
        let state = || self.get(Persona::Steward, &format!("/api/v1/agreements/{id}")).ok()["state"].clone();
        // A large share is built by a job.
        let active = (0..600).any(|_| {
            let active = state() == "active";
            if !active {
                std::thread::sleep(Duration::from_millis(50));
            }
            active
        });
        assert!(active, "both sides approved, and it is {}", state());
        id
    }

    /// Terms about the provider's `dataset` for the partner, with these fields.
    pub fn terms(&self, dataset: &str, fields: Value) -> Value {
        founding::terms(dataset, &json!({"organization": self.id("partner")}), fields)
    }

    /// How a dataset stands: its edition and every record.
    pub fn standing(&self, dataset: &str) -> (Value, Vec<u8>) {
        let all = self.get(Persona::Editor, "/api/v1/datasets").items();
        let edition = all.iter().find(|known| known["id"] == dataset).unwrap()["edition"].clone();
        (
            edition,
            self.get_as(Persona::Editor, &format!("/api/v1/datasets/{dataset}/records"), "application/x-ndjson").expect(200).body,
        )
    }
}

/// The matching that an import suggests, with private where it has no suggestion.
pub fn all_decided(import: &Value) -> Value {
    let columns = import["columns"].as_array().unwrap();
    let decided = columns.iter().map(|column| {
        let field = if column["field"].is_null() { json!({"private": true}) } else { column["field"].clone() };
        json!({"column": column["column"], "header": column["header"], "field": field})
    });
    json!({"columns": decided.collect::<Vec<_>>()})
}
