//! What happens without anybody asking: expiring, building shares, erasing to the end, sealing the ledger, pruning, tidying up.
//!
//! Each job looks at the database for what is due and does it; several servers may do so at once. Nothing depends on a job being
//! on time: readers look at the clock themselves, and writers clear up after a dead writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hayward_store::Store;

use crate::commons::Commons;
use crate::ledger::{Ledger, seal};

/// How often the jobs look for something to do.
const EVERY: Duration = Duration::from_secs(1);
/// How often old editions are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
/// How often it is written down which tokens were used.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// How often the write-ahead logs are looked at.
const SHORTEN_EVERY: Duration = Duration::from_secs(20);

/// The jobs' thread. It stops when this is dropped.
pub struct Jobs {
    stop: Arc<AtomicBool>,
    wake: Arc<tokio::sync::Notify>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Jobs {
    /// Starts the jobs.
    #[must_use]
    pub fn start(commons: &Commons) -> Self {
        // A commit carries the time at which it began. The margin is for those that took long: no cursor may find its rows gone
        // before its own time is up.
        let kept = commons.kept.saturating_add(PRUNE_EVERY);
        let stop = Arc::new(AtomicBool::new(false));
        let wake = Arc::clone(&commons.wake);
        let (store, ledger) = (Arc::clone(&commons.store), Arc::clone(&commons.ledger));
        let (stopped, woken) = (Arc::clone(&stop), Arc::clone(&wake));
        let thread = std::thread::spawn(move || work(&store, &ledger, kept, &stopped, &woken));
        Self { stop, wake, thread: Some(thread) }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A job that panicked has been logged by its panic.
            drop(thread.join());
        }
    }
}

fn work(store: &Arc<Store>, ledger: &Ledger, kept: Duration, stop: &AtomicBool, wake: &tokio::sync::Notify) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        tracing::error!("the jobs cannot start");
        return;
    };
    let (mut pruned, mut shortened): (Option<Instant>, Option<Instant>) = (None, None);
    // What was used before the first minute is over is written then.
    let mut noted = Some(Instant::now());
    let is_due = |last: Option<Instant>, every| last.is_none_or(|at| at.elapsed() >= every);
    while !stop.load(Ordering::Relaxed) {
        logged("expiring", store.expire_due());
        logged("building shares", store.build_due());
        logged("tidying up", store.tidy_due());
        logged("finishing erasures", store.finish_erasures());
        logged("finding interrupted imports", store.mark_interrupted());
        logged("sealing the ledger", seal::all(&ledger.store, &store.keyring().signing(), store.now()));
        if is_due(shortened, SHORTEN_EVERY) {
            logged("shortening logs", store.shorten_log().and_then(|own| Ok(own + ledger.store.shorten_log()?)));
            shortened = Some(Instant::now());
        }
        if is_due(noted, NOTE_EVERY) {
            logged("noting uses", store.write_uses());
            noted = Some(Instant::now());
        }
        if is_due(pruned, PRUNE_EVERY) {
            logged("pruning", store.prune(kept));
            logged("forgetting guesses", store.prune_attempts());
            logged("forgetting sessions", store.prune_sessions());
            logged("dropping old consents", store.prune_consents());
            logged("dropping old answers", store.drop_old_answers());
            logged("dropping what left", store.drop_what_left());
            pruned = Some(Instant::now());
        }
        runtime.block_on(async {
            // Whichever comes first; being woken for nothing costs a few queries.
            drop(tokio::time::timeout(EVERY, wake.notified()).await);
        });
    }
}

fn logged(what: &'static str, done: hayward_store::Result<usize>) {
    let outcome = if done.is_ok() { "done" } else { "failed" };
    metrics::counter!("hayward_job_runs_total", "job" => what, "outcome" => outcome).increment(1);
    match done {
        Ok(0) => {}
        Ok(count) => {
            metrics::counter!("hayward_job_done_total", "job" => what).increment(u64::try_from(count).unwrap_or_default());
            tracing::debug!(what, count, "done");
        }
        Err(error) => tracing::warn!(what, %error, "not done; trying again"),
    }
}
