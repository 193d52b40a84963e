//! Wires the parts together and serves them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig, to};
use actix_web::{App, HttpServer};
use hayward_domain::schema;
use hayward_store::{Clock, KEY_PRINT, LedgerStore, Store, StoreError};

use crate::api::{body, health};
use crate::commons::{Commons, Random};
use crate::config::Config;
use crate::edge::Gate;
use crate::jobs::Jobs;
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::tls::{self, Certificates};
use crate::{auth, edge, oauth, request_id, routes};

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    /// Others could listen to what is said here.
    #[error(
        "{0} can be reached from other machines, and this server speaks plain HTTP: name a certificate with --tls-certificate \
        and --tls-key, or listen on 127.0.0.1, or say --allow-plain-http where something in between speaks TLS"
    )]
    PlainHttp(SocketAddr),
    /// The certificate cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// The key file is not the one that this database was made with.
    #[error("this database was made with other keys; name their file with HAYWARD_KEY_FILE")]
    OtherKeys,
    /// The journal cannot be written: what is closed could not be kept closed across a restore.
    #[error("the journal cannot be written ({0}); name another place with HAYWARD_JOURNAL")]
    Journal(std::io::Error),
    /// A schema that comes with the program is broken.
    #[error("a built-in schema cannot be read: {0}")]
    Schema(String),
}

/// How long the head of a request, or a TLS handshake, may take.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The clock of the machine.
#[must_use]
pub fn machine_clock() -> Clock {
    Arc::new(|| chrono::Utc::now().into())
}

/// Randomness of the operating system.
#[must_use]
pub fn system_random() -> Random {
    Arc::new(|bytes| {
        // Without randomness there are no secrets: nothing sensible can follow.
        if getrandom::fill(bytes).is_err() {
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
    })
}

/// Opens a commons' databases, brings them up to date, and checks that the keys are theirs.
///
/// # Errors
/// [`StartError`].
pub fn open(config: &Config, clock: Clock, random: Random) -> Result<Commons, StartError> {
    tls::install();
    let store = Store::open(&config.database, config.keyring.clone(), clock)?;
    let print = config.keyring.print();
    if store.note_once(KEY_PRINT, &print)? != print {
        return Err(StartError::OtherKeys);
    }
    if let Some(path) = &config.journal {
        let journal = Journal::open(path).map_err(StartError::Journal)?;
        store.note_in(Box::new(move |note| journal.keep(note)));
    }
    for schema in schema::built_in().map_err(|error| StartError::Schema(error.to_string()))? {
        // A version that is registered already stays as it is. Where another server registers it now, the second look finds it.
        let registered = match store.register_schema(&schema) {
            Err(StoreError::Exists(_)) => store.register_schema(&schema),
            done => done,
        };
        match registered {
            Ok(()) | Err(StoreError::Refused { code: "version-gap", .. }) => {}
            Err(StoreError::Refused { code: "version-taken", .. }) => {
                tracing::warn!(
                    schema = schema.name,
                    version = schema.version,
                    "registered with another document; that one stands"
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    let ledger = LedgerStore::open(&config.database)?;
    ledger.begin_in(store.era());
    let ledger = Arc::new(Ledger::start(ledger));
    let setup = if store.has_people()? { None } else { Some(auth::secret::setup_key(random_bytes(&random))) };
    Ok(Commons {
        store,
        ledger,
        random,
        wake: Arc::default(),
        hashing: Arc::new(tokio::sync::Semaphore::new(2)),
        importing: Arc::new(tokio::sync::Semaphore::new(2)),
        editing: Arc::new(tokio::sync::Semaphore::new(8)),
        kept: config.kept,
        upload_limit: config.upload_limit,
        setup: Arc::new(std::sync::Mutex::new(setup)),
        public_url: Arc::default(),
    })
}

fn random_bytes(random: &Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random(&mut bytes);
    bytes
}

/// A server that answers.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Stops it.
    pub handle: ServerHandle,
    server: actix_web::dev::Server,
    scheme: &'static str,
    /// Looks at the certificate's files.
    watching: Option<tokio::task::JoinHandle<()>>,
    /// Dropped after the server: jobs end when it does.
    jobs: Jobs,
}

impl Running {
    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Serves until it is stopped: requests under way are finished first.
    ///
    /// # Errors
    /// If the server breaks.
    pub async fn wait(self) -> std::io::Result<()> {
        let done = self.server.await;
        self.watching.inspect(tokio::task::JoinHandle::abort);
        // Joining the jobs blocks; nothing else is left to do on this thread.
        drop(self.jobs);
        done
    }
}

/// Starts to serve a commons.
///
/// # Errors
/// [`StartError::Listen`], [`StartError::PlainHttp`], [`StartError::Certificate`].
pub fn serve(commons: Commons, config: &Config) -> Result<Running, StartError> {
    let reach = &config.reach;
    if reach.tls.is_none() && !reach.plain_http && !config.listen.ip().to_canonical().is_loopback() {
        return Err(StartError::PlainHttp(config.listen));
    }
    let certificates = reach.tls.clone().map(Certificates::open).transpose().map_err(StartError::Certificate)?;
    let tls = certificates.as_ref().map(Certificates::server).transpose().map_err(StartError::Certificate)?;
    let gate = Data::new(Gate::new(reach, &commons));
    let watching = if reach.takes_hangup || certificates.is_some() {
        Some(tokio::task::spawn_local(tls::watch(certificates)?))
    } else {
        None
    };
    let jobs = Jobs::start(&commons);
    let public_url = Arc::clone(&commons.public_url);
    let data = Data::new(commons);
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(gate.clone())
            .app_data(PayloadConfig::new(body::LARGEST))
            .wrap(from_fn(oauth::point_to_metadata))
            .wrap(from_fn(edge::pass))
            .wrap(from_fn(request_id::give))
            .configure(routes::configure)
            .default_service(to(health::nothing))
    })
    .shutdown_timeout(10)
    .worker_max_blocking_threads(64)
    .client_request_timeout(reach.patience.min(HEAD_WITHIN));
    let workers = config.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from));
    server = server.workers(workers).max_connections(edge::CONNECTIONS / workers.max(1));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let server = match tls {
        Some(tls) => server.bind_rustls_0_23(config.listen, tls)?,
        None => server.bind(config.listen)?,
    };
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    // Who told nobody where it is reached is reached where it listens.
    public_url.get_or_init(|| reach.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}")));
    let server = server.run();
    Ok(Running { address, handle: server.handle(), server, scheme, watching, jobs })
}
