//! A demo world that is served for as long as this is kept, and the questions that the checks put to it.

use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use hayward_domain::schema::{Schema, built_in};
use hayward_store::DatabaseUrl;
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::commons::Commons;
use crate::config::{self, Config};
use crate::demo::{self, Hidden, Organization};
use crate::edge::Reach;
use crate::{app, demo::Person, tls};

/// The words in URLs under which the demo world's lists stand.
pub(super) const COLLECTIONS: [&str; 4] = ["organizations", "opportunities", "memberships", "measurements"];

/// One served world.
pub(super) struct World {
    pub(super) commons: Commons,
    pub(super) seed: u64,
    /// Who is in it.
    pub(super) organizations: Vec<Organization>,
    pub(super) schemas: Vec<Schema>,
    /// The disclosures that were answered.
    pub(super) disclosed: Mutex<Vec<Disclosed>>,
    url: String,
    http: Client,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
    // After the server, which has its files open.
    _folder: tempfile::TempDir,
}

/// One answer that gave records.
#[derive(Clone)]
pub(super) struct Disclosed {
    pub(super) id: String,
    /// Whose token was shown.
    pub(super) token: String,
    /// What was asked for.
    pub(super) path: String,
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The JSON of an answer that is good.
    ///
    /// # Errors
    /// A sentence with the status, and nothing of the body.
    pub(super) fn json(&self, asked: &str) -> Result<Value, String> {
        if !(200..300).contains(&self.status) {
            return Err(format!("{asked} was answered {}", self.status));
        }
        serde_json::from_str(&self.body).map_err(|_| format!("{asked} was answered with something that is no JSON"))
    }
}

impl World {
    /// Makes the demo world of `seed` and serves it: in `database`, or in a temporary folder. `redrawn` draws anew whatever none of its
    /// agreements shows.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn start(seed: u64, redrawn: bool, database: Option<DatabaseUrl>) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: database.unwrap_or_else(|| DatabaseUrl::Sqlite(folder.path().join("selftest.db"))),
            keyring: demo::keyring(seed),
            journal: None,
            upload_limit: config::UPLOAD_LIMIT,
            kept: config::KEPT,
            reach: Reach::default(),
            workers: Some(2),
        };
        let commons = app::open(&config, app::machine_clock(), app::system_random()).map_err(|error| error.to_string())?;
        let hidden = if redrawn { Hidden::Redrawn } else { Hidden::AsEver };
        let organizations = demo::seed_with(&commons.store, seed, hidden).map_err(|error| error.to_string())?.organizations;
        let schemas = built_in().map_err(|error| error.to_string())?;
        let (tell, told) = sync_channel(1);
        let served = commons.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                match app::serve(served, &config) {
                    Ok(running) => {
                        // Whoever waits for this is there: the thread is joined before the receiver goes.
                        drop(tell.send(Ok((running.url(), running.handle.clone()))));
                        drop(running.wait().await);
                    }
                    Err(error) => drop(tell.send(Err(error.to_string()))),
                }
            });
        });
        let (url, handle) = told.recv().map_err(|_| "the server did not start".to_owned())??;
        tls::install();
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| error.to_string())?;
        let disclosed = Mutex::default();
        Ok(Self { commons, seed, organizations, schemas, disclosed, url, http, handle, thread: Some(thread), _folder: folder })
    }

    /// Sends a request, with a token or without.
    ///
    /// # Errors
    /// A sentence, where no answer comes.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, String> {
        let request = with(self.http.request(method, format!("{}{path}", self.url)));
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let response = request.send().map_err(|error| format!("no answer: {}", error.without_url()))?;
        let status = response.status().as_u16();
        // Where this world is served says nothing of what is in it.
        let header =
            |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).replace(&self.url, "{here}");
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), header(value))).collect();
        let body = response.text().map_err(|error| format!("half an answer: {}", error.without_url()))?;
        let answer = Answer { status, headers, body };
        // An answer that names no record need have no entry.
        if let (Some(token), true) = (token, answer.body.contains("rec_") && !answer.header("disclosure-id").is_empty()) {
            let id = answer.header("disclosure-id").to_owned();
            let to = Disclosed { id, token: token.to_owned(), path: path.to_owned() };
            self.disclosed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(to);
        }
        Ok(answer)
    }

    /// A plain `GET`.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn get(&self, path: &str, token: Option<&str>) -> Result<Answer, String> {
        self.send(Method::GET, path, token, |request| request)
    }

    /// Every item of a list, page after page.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn items(&self, path: &str, token: Option<&str>) -> Result<Vec<Value>, String> {
        let (mut items, mut next) = (Vec::new(), String::new());
        let between = if path.contains('?') { '&' } else { '?' };
        loop {
            let mut page = self.get(&format!("{path}{between}limit=1000{next}"), token)?.json(path)?;
            if let Some(Value::Array(some)) = page.get_mut("items").map(Value::take) {
                items.extend(some);
            }
            match page.get("next").and_then(Value::as_str) {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return Ok(items),
            }
        }
    }

    /// Posts or puts JSON.
    ///
    /// # Errors
    /// A sentence, where it is refused.
    pub(super) fn tell(&self, method: Method, path: &str, token: &str, body: &Value) -> Result<Value, String> {
        self.send(method, path, Some(token), |request| request.json(body))?.json(path)
    }

    /// Everybody who reads: a steward of every co-op, and somebody without a token.
    pub(super) fn readers(&self) -> impl Iterator<Item = Reader<'_>> {
        let members = self.organizations.iter().filter_map(|organization| {
            Some(Reader { name: &organization.slug, id: &organization.id, token: Some(&organization.people.first()?.token) })
        });
        members.chain([Reader { name: "nobody", id: "", token: None }])
    }

    /// Imports a file into a list as its keeper would, its unknown columns kept private; the import's id.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn import(&self, organization: &Organization, dataset: &str, csv: String) -> Result<String, String> {
        let token = keeper(organization)?;
        let path = format!("/api/v1/datasets/{dataset}/imports?filename=selftest.csv");
        let sent = |request: RequestBuilder| request.header("Content-Type", "text/csv").body(csv);
        let import = self.send(Method::POST, &path, Some(token), sent)?.json("an upload")?;
        let id = text(&import, "id").to_owned();
        let decided = |column: &Value| {
            let field = column.get("field").filter(|field| !field.is_null()).cloned();
            let field = field.unwrap_or_else(|| serde_json::json!({"private": true}));
            serde_json::json!({"column": text(column, "column"), "header": text(column, "header"), "field": field})
        };
        let columns = import.get("columns").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let matching = serde_json::json!({"columns": columns.iter().map(decided).collect::<Vec<_>>()});
        self.tell(Method::PUT, &format!("/api/v1/imports/{id}/matching"), token, &matching)?;
        self.tell(Method::POST, &format!("/api/v1/imports/{id}/commit"), token, &serde_json::json!({}))?;
        Ok(id)
    }

    /// The first co-op with a list of `schema` that has an agreement in force with a single co-op, and who that is.
    ///
    /// # Errors
    /// If the world has none.
    pub(super) fn deal(&self, schema: &str) -> Result<Deal<'_>, String> {
        for provider in &self.organizations {
            for dataset in provider.datasets.iter().filter(|dataset| dataset.schema == schema) {
                for agreement in self.in_force(provider)? {
                    let to = agreement.pointer("/terms/audience/organization").and_then(Value::as_str);
                    let recipient = self.organizations.iter().find(|one| Some(one.id.as_str()) == to);
                    let about = agreement.pointer("/terms/dataset").and_then(Value::as_str);
                    if let (Some(recipient), true) = (recipient, about == Some(dataset.id.as_str())) {
                        return Ok(Deal { provider, recipient, dataset: &dataset.id, agreement });
                    }
                }
            }
        }
        Err(format!("nobody shares a list of {schema} with one co-op"))
    }

    /// The agreements in force that a co-op provides under.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn in_force(&self, provider: &Organization) -> Result<Vec<Value>, String> {
        let mut all = self.items("/api/v1/agreements", Some(steward(provider)?))?;
        all.retain(|one| text(one, "state") == "active" && text(one, "provider") == provider.id);
        Ok(all)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Not graceful: nobody waits for anything any more. The future does its work when it is made.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Somebody who reads what is shared.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// For sentences.
    pub(super) name: &'a str,
    /// The co-op's id; empty for nobody.
    pub(super) id: &'a str,
    pub(super) token: Option<&'a str>,
}

/// An agreement in force between two co-ops.
pub(super) struct Deal<'a> {
    pub(super) provider: &'a Organization,
    pub(super) recipient: &'a Organization,
    pub(super) dataset: &'a str,
    pub(super) agreement: Value,
}

/// A member that is text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The token of somebody who decides for a co-op.
///
/// # Errors
/// If there is nobody.
pub(super) fn steward(organization: &Organization) -> Result<&str, String> {
    token(organization.people.first())
}

/// The token of whoever keeps a co-op's lists.
///
/// # Errors
/// If there is nobody.
pub(super) fn keeper(organization: &Organization) -> Result<&str, String> {
    token(organization.people.last())
}

fn token(person: Option<&Person>) -> Result<&str, String> {
    person.map(|person| person.token.as_str()).ok_or_else(|| "a co-op without people".to_owned())
}
