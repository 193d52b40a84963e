//! The real server, in this process: on a free port, with a clock that tests move and randomness from a seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use hayward::app;
use hayward::commons::Commons;
use hayward::config::{self, Config};
use hayward::edge::Reach;
use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Keyring, Store};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};

/// When every test begins: 2026-11-22T12:00:00Z.
pub const START: Moment = Moment(1_795_348_800_000_000);

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(START.0)))
    }
}

impl TestClock {
    /// Moves on by `span`.
    pub fn forward(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// The clock as the program takes it.
    #[must_use]
    pub fn clock(&self) -> hayward_store::Clock {
        let now = Arc::clone(&self.0);
        Arc::new(move || Moment(now.load(Ordering::SeqCst)))
    }
}

/// Randomness that is the same in every run: the `n`-th call gives the `n`-th block of a seed's stream.
#[must_use]
pub fn seeded_random(seed: u64) -> hayward::commons::Random {
    let calls = Arc::new(AtomicU64::new(0));
    Arc::new(move |bytes| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(call)).fill_bytes(bytes);
    })
}

/// A running server. It stops when this is dropped.
pub struct Server {
    /// What it serves; tests may reach past HTTP for set-up.
    pub commons: Commons,
    /// Its clock.
    pub clock: TestClock,
    /// Where it listens: `http://127.0.0.1:…`.
    pub url: String,
    http: Client,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves the commons in `database`, which may be empty. The same seed makes the same keys and ids.
    ///
    /// # Panics
    /// If it cannot start: a test cannot go on then.
    #[must_use]
    pub fn start(database: &str, seed: u64) -> Self {
        Self::start_at(database, seed, TestClock::default())
    }

    /// The same with a clock that the test has already.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start_at(database: &str, seed: u64, clock: TestClock) -> Self {
        Self::start_again(database, seed, seed, clock)
    }

    /// Serves a commons that was made with the keys of `seed`, with other randomness: ids are never made twice.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start_again(database: &str, seed: u64, random: u64, clock: TestClock) -> Self {
        let mut bytes = [0; 128];
        StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
        Self::start_with(database, Keyring::from_random(&bytes), random, clock)
    }

    /// Serves a commons with these keys.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start_with(database: &str, keyring: Keyring, random: u64, clock: TestClock) -> Self {
        Self::start_reached(database, keyring, random, clock, Reach::default())
    }

    /// Serves a commons so that it is reached in this way.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that cannot start its server has nothing to test")]
    pub fn start_reached(database: &str, keyring: Keyring, random: u64, clock: TestClock, reach: Reach) -> Self {
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            database: DatabaseUrl::parse(database).expect("a database url"),
            keyring,
            journal: None,
            upload_limit: config::UPLOAD_LIMIT,
            kept: config::KEPT,
            reach,
            workers: Some(2),
        };
        let commons = app::open(&config, clock.clock(), seeded_random(random)).expect("the commons opens");
        let mut settings = commons.store.read_settings().expect("settings");
        settings.grace = Duration::ZERO;
        // The clock stands still: what is asked in a moment of it may be much.
        (settings.client_limit, settings.address_limit) = (1_000_000, 1_000_000);
        commons.store.write_settings(&settings).expect("settings");
        let (tell, told) = sync_channel(1);
        let served = commons.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = app::serve(served, &config).expect("the server starts");
                tell.send((running.url(), running.handle.clone())).expect("the test waits");
                running.wait().await.expect("the server runs");
            });
        });
        let (url, handle) = told.recv().expect("the server says where it is");
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .expect("an http client");
        Self { commons, clock, url, http, handle, thread: Some(thread) }
    }

    /// The store behind the server.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.commons.store
    }

    /// A request to `path`, with a token or without.
    pub fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The answer to a plain `GET`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test stops where the server does not answer")]
    pub fn get(&self, path: &str, token: Option<&str>) -> Response {
        self.request(Method::GET, path, token).send().expect("an answer")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not graceful: nobody waits for anything any more. The future does its work when it is made.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
