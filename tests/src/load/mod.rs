//! Work for a server: co-ops that import and take back, stewards who bargain, partners who read, all at once and for as long as
//! they are let; with a memory of what was acknowledged and what was received.
//!
//! * A worker that loses its server stops in the middle, as a program does whose server died. What it was doing then is known
//!   ([`Work::doing`]), and so is what every list must look like, done or not done.
//! * An answer that nobody asked for (a `5xx`, a `4xx` that has no reason) is a complaint.
//! * Every choice comes from a seed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "work that cannot be asked for is a test that failed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use reqwest::Method;
use reqwest::blocking::{Client, Response};
use serde_json::Value;

mod bargainer;
mod founding;
mod importer;
mod reader;

pub use bargainer::Bargainer;
pub use founding::{LARGE, SMALL, World, found};
pub use importer::Importer;
pub use reader::Reader;

/// What somebody may be in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// Sending a file.
    Upload,
    /// Having it read.
    Reading,
    /// Committing some dozens of rows.
    SmallCommit,
    /// Committing more rows than one transaction takes.
    LargeCommit,
    /// Taking an import back.
    Undo,
    /// The last approval, and the building of the share.
    Activation,
    /// A narrower version.
    Narrowing,
    /// Suspending, resuming, ending.
    Halt,
    /// A page or an item: one entry of the ledger.
    Page,
    /// An export: an entry for every chunk.
    Export,
    /// The changes feed.
    Feed,
    /// A command of the operator's.
    Command,
    /// What a server does when it starts: sealing, building, pruning.
    StartUp,
}

/// Why a worker stopped in the middle.
#[derive(Debug)]
pub struct Gone;

/// What the workers of one server share.
pub struct Work {
    url: String,
    stop: AtomicBool,
    /// What each worker is at, and since when.
    doing: Mutex<BTreeMap<String, (Path, Instant)>>,
    /// How long each kind of work takes: the mean of what was finished.
    taken: Mutex<BTreeMap<Path, Duration>>,
    /// What was answered and should not have been.
    complaints: Mutex<Vec<String>>,
    /// Whether `503` is to be expected: the database is away, or its disk is full.
    failing: AtomicBool,
    /// Requests that were answered.
    answered: Mutex<BTreeMap<u16, u64>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// Work for the server at `url`.
    #[must_use]
    pub fn at(url: &str) -> Arc<Self> {
        Arc::new(Self {
            url: url.to_owned(),
            stop: AtomicBool::new(false),
            doing: Mutex::default(),
            taken: Mutex::default(),
            complaints: Mutex::default(),
            failing: AtomicBool::new(false),
            answered: Mutex::default(),
        })
    }

    /// Lets every worker finish what it is at, and stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether workers are to stop.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// From now on `503` is an answer to be expected, or no longer.
    pub fn expect_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// What workers are in the middle of.
    #[must_use]
    pub fn doing(&self) -> Vec<Path> {
        held(&self.doing).values().map(|(path, _)| *path).collect()
    }

    /// How long work of this kind took on the average, if any was finished.
    #[must_use]
    pub fn takes(&self, path: Path) -> Option<Duration> {
        held(&self.taken).get(&path).copied()
    }

    /// What was answered and should not have been.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        held(&self.complaints).clone()
    }

    /// How many requests were answered, by status.
    #[must_use]
    pub fn answered(&self) -> BTreeMap<u16, u64> {
        held(&self.answered).clone()
    }

    fn begin(&self, worker: &str, path: Path) {
        held(&self.doing).insert(worker.to_owned(), (path, Instant::now()));
    }

    fn end(&self, worker: &str) {
        let done = held(&self.doing).remove(worker);
        if let Some((path, since)) = done {
            let mut taken = held(&self.taken);
            let mean = taken.entry(path).or_insert_with(|| since.elapsed());
            *mean = (*mean * 3 + since.elapsed()) / 4;
        }
    }

    fn complain(&self, what: String) {
        held(&self.complaints).push(what);
    }
}

/// Somebody who asks: a client of their own, with a token or without.
pub(crate) struct Caller {
    http: Client,
    token: Option<String>,
}

impl Caller {
    pub(crate) fn new(token: Option<String>) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        Self { http, token }
    }

    /// The answer to one request, unless the server is gone.
    pub(crate) fn ask(&self, work: &Work, method: Method, path: &str, body: Option<Body>) -> Result<Response, Gone> {
        let mut request = self.http.request(method, format!("{}{path}", work.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request = match body {
            None => request,
            Some(Body::Json(json)) => request.json(&json),
            Some(Body::File(text)) => request.header("Content-Type", "text/csv").body(text),
            Some(Body::Accept(kind)) => request.header("Accept", kind),
        };
        let response = request.send().map_err(|_| Gone)?;
        *held(&work.answered).entry(response.status().as_u16()).or_default() += 1;
        Ok(response)
    }

    /// The status and the JSON of an answer. An answer that is neither good nor among `expected` is a complaint.
    pub(crate) fn told(
        &self,
        work: &Work,
        method: Method,
        path: &str,
        body: Option<Body>,
        expected: &[u16],
    ) -> Result<(u16, Value), Gone> {
        let verb = method.to_string();
        let response = self.ask(work, method, path, body)?;
        let status = response.status().as_u16();
        // The status alone acknowledges; where the rest breaks off, the next request finds out that the server is gone.
        let json: Value = response.json().unwrap_or_default();
        if status == 503 && work.failing.load(Ordering::SeqCst) {
            // Done or not, nobody knows yet: as if the server were gone.
            return Err(Gone);
        }
        judge(work, &format!("{verb} {path}"), status, &json, expected);
        Ok((status, json))
    }
}

/// What goes along with a request.
pub(crate) enum Body {
    Json(Value),
    File(String),
    Accept(&'static str),
}

/// Complains about a status that has no reason.
fn judge(work: &Work, request: &str, status: u16, json: &Value, expected: &[u16]) {
    let away = status == 503 && work.failing.load(Ordering::SeqCst);
    if (200..300).contains(&status) || expected.contains(&status) || away {
        return;
    }
    work.complain(format!("{request} was answered {status} {}: {}", json["type"], json["detail"]));
}

/// A pause between two things that somebody does.
pub(crate) fn pause(random: &mut StdRng, longest: u64) {
    std::thread::sleep(Duration::from_millis(rand::Rng::random_range(random, 0..=longest)));
}
