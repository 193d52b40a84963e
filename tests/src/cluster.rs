//! The PostgreSQL that tests run on: the one that `HAYWARD_TEST_POSTGRES` names, otherwise one of this process's own.
//!
//! `tests/run` starts one for all tests and names it; a bare `cargo nextest run` or `cargo test` works too, only slower.
//! A machine without PostgreSQL fails these tests. They must never be skipped: a test that ran on one database alone has
//! not shown what it claims.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::{env, fmt, thread};

use tokio_postgres::{Client, NoTls};
use url::Url;

/// Names the cluster to use, as a superuser: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
pub const VARIABLE: &str = "HAYWARD_TEST_POSTGRES";

/// Why there is no database for a test.
#[derive(thiserror::Error)]
pub enum ClusterError {
    /// PostgreSQL is missing, or did not start. Says why, in the words of `tests/cluster/serve`.
    #[error("{0}\nrun `bash tests/run` as root to install what is missing, or set {VARIABLE} to a cluster")]
    NotStarted(String),
    /// The variable does not hold a URL. Its value may hold a password and is not repeated.
    #[error("{VARIABLE} is not a URL like `postgres://USER:PASSWORD@HOST:PORT/DATABASE`: {0}")]
    NotAUrl(url::ParseError),
    /// The cluster is there, but did not do what it was asked.
    #[error("PostgreSQL: {}", with_cause(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A file or folder could not be written or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A template's preparation wants a path or URL that is text.
    #[error("the folder for temporary files has a name that is not UTF-8")]
    NotUtf8,
}

// By hand: a test that returns this error shows its `Debug`, where a derived one would put the reader off with `\n`.
impl fmt::Debug for ClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// On its own the error only says `db error` or `error connecting to server`.
fn with_cause(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The URL of a fresh, empty database. Nobody drops it; [`TestDatabase`](crate::TestDatabase) does.
///
/// # Errors
/// If there is no cluster, or it refuses.
pub fn postgres_url() -> Result<String, ClusterError> {
    create("template0")
}

/// A new database that starts as a copy of `template`.
pub(crate) fn create(template: &str) -> Result<String, ClusterError> {
    let name = format!("hayward_test_{:016x}", rand::random::<u64>());
    command(&format!("create database {name} template {template}"))?;
    url_of(&name)
}

/// Drops the database that `url` names, together with the connections that it still has.
pub(crate) fn drop_database(url: &str) -> Result<(), ClusterError> {
    let url = Url::parse(url).map_err(ClusterError::NotAUrl)?;
    command(&format!("drop database if exists {} with (force)", url.path().trim_start_matches('/')))
}

/// The URL of the database `name` of the cluster.
pub(crate) fn url_of(name: &str) -> Result<String, ClusterError> {
    let mut url = Url::parse(cluster()?).map_err(ClusterError::NotAUrl)?;
    url.set_path(name);
    Ok(url.into())
}

/// One connection to the cluster's first database, whose calls wait for their answers.
///
/// Not to be made or used inside a runtime, which must not wait: see [`apart`].
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn open() -> Result<Self, ClusterError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(cluster()?, NoTls))?;
        // It ends when the client is dropped. An error of it reaches the client's callers as well.
        runtime.spawn(async {
            let _ = connection.await;
        });
        Ok(Self { runtime, client })
    }

    /// Runs one statement that answers nothing.
    pub(crate) fn run(&self, sql: &str) -> Result<(), ClusterError> {
        self.wait(self.client.batch_execute(sql))
    }

    /// Whether the query finds a row.
    pub(crate) fn finds(&self, sql: &str, text: &str) -> Result<bool, ClusterError> {
        self.wait(async { Ok(self.client.query_opt(sql, &[&text]).await?.is_some()) })
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, ClusterError> {
        Ok(self.runtime.block_on(answer)?)
    }
}

fn command(sql: &str) -> Result<(), ClusterError> {
    apart(|| Session::open()?.run(sql))
}

/// Runs `work` on a thread of its own, where it may wait even if the caller is inside a runtime.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// A cluster that ends with this process.
struct Own {
    url: String,
    /// Open for as long as the process lives, which is what `tests/cluster/serve` goes by.
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A cluster that a test may stop and start.
pub struct Control(Own);

impl Control {
    /// Makes a cluster that keeps what it has said to be written, and lets every database of this process be made on it.
    ///
    /// # Errors
    /// If there is none to be had, or this process uses another one already.
    pub fn take() -> Result<Self, ClusterError> {
        let own = start(&["durable"]).map_err(ClusterError::NotStarted)?;
        let other = |_| ClusterError::NotStarted("this process uses another cluster already".to_owned());
        TAKEN.set(own.url.clone()).map_err(other)?;
        Ok(Self(own))
    }

    /// Stops it at once, as a crash would, or starts it again; returns when that is done.
    ///
    /// # Errors
    /// If it does not do so.
    pub fn order(&mut self, order: Order) -> Result<(), ClusterError> {
        let Own { orders, answers, .. } = &mut self.0;
        let (order, expected) = match order {
            Order::Stop => ("stop", "stopped"),
            Order::Start => ("start", "started"),
        };
        writeln!(orders, "{order}")?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        if answer.trim() == expected { Ok(()) } else { Err(ClusterError::NotStarted(format!("it was told to {order}"))) }
    }
}

/// What a cluster is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Crash.
    Stop,
    /// Come back.
    Start,
}

/// The cluster that [`Control::take`] made.
static TAKEN: OnceLock<String> = OnceLock::new();

/// The URL of the cluster's first database, which is one.
fn cluster() -> Result<&'static str, ClusterError> {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    static OWN: OnceLock<Result<Own, String>> = OnceLock::new();

    if let Some(url) = TAKEN.get() {
        return Ok(url);
    }
    if let Some(url) = NAMED.get_or_init(|| env::var(VARIABLE).ok().filter(|url| !url.is_empty())) {
        return Url::parse(url).map(|_| url.as_str()).map_err(ClusterError::NotAUrl);
    }
    match OWN.get_or_init(|| start(&[])) {
        Ok(own) => Ok(&own.url),
        Err(why) => Err(ClusterError::NotStarted(why.clone())),
    }
}

fn start(more: &[&str]) -> Result<Own, String> {
    let mut serve = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/serve"))
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A test that runs for too long is killed with its group; this one has to outlive it and tidy up.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("`bash` cannot be run: {error}"))?;

    let (Some(orders), Some(answer), Some(mut complaint)) = (serve.stdin.take(), serve.stdout.take(), serve.stderr.take()) else {
        return Err("`tests/cluster/serve` was started without its pipes".to_owned());
    };
    let mut url = String::new();
    let mut answers = BufReader::new(answer);
    answers.read_line(&mut url).map_err(|error| error.to_string())?;
    if url.trim().is_empty() {
        let mut why = String::new();
        complaint.read_to_string(&mut why).map_err(|error| error.to_string())?;
        return Err(why.trim().to_owned());
    }
    Ok(Own { url: url.trim().to_owned(), orders, answers })
}
