//! What every handler can reach: the store, the ledger, the clock, randomness.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hayward_store::Store;

use crate::error::Error;
use crate::ledger::Ledger;

/// Where randomness comes from: the operating system, or a seed in tests.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// One running commons.
#[derive(Clone)]
pub struct Commons {
    /// The database.
    pub store: Arc<Store>,
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// Randomness.
    pub random: Random,
    /// Wakes the jobs that wait for something to do.
    pub wake: Arc<tokio::sync::Notify>,
    /// At most so many passwords are hashed at a time: each takes tens of megabytes.
    pub hashing: Arc<tokio::sync::Semaphore>,
    /// At most so many files are read or written into lists at a time.
    pub importing: Arc<tokio::sync::Semaphore>,
    /// At most so many single records are written at a time: each may wait for whoever is writing its list.
    pub editing: Arc<tokio::sync::Semaphore>,
    /// How long old editions are kept, and so cursors.
    pub kept: Duration,
    /// The largest upload, in bytes.
    pub upload_limit: u64,
    /// The one-time key of the set-up page, while nobody can sign in.
    pub setup: Arc<std::sync::Mutex<Option<String>>>,
    /// Where others reach this commons, if somebody has said so: set once, when it starts to serve.
    pub public_url: Arc<OnceLock<String>>,
}

impl Commons {
    /// Where others reach this commons: scheme, host and port, without a `/` at the end. It names the authorization server and what it
    /// protects. From the settings or the socket, never from a request, whose `Host` anybody writes.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.public_url.get().cloned().unwrap_or_default()
    }

    /// Runs something that blocks where a dropped request cannot cancel it.
    ///
    /// # Errors
    /// Whatever `f` returns, and [`Error::Unavailable`] while the program stops.
    pub async fn run<T, E>(&self, f: impl FnOnce(&Arc<Store>) -> Result<T, E> + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Send + 'static,
        Error: From<E>,
    {
        let store = Arc::clone(&self.store);
        Ok(actix_web::web::block(move || f(&store)).await??)
    }

    /// Random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}
