//! The pulse of the work on an import: how far it is, that somebody is at work, and whether it was given up.
//!
//! * Whoever works only counts, in memory. A thread beside it writes the count into the import now and then, so that any server can
//!   tell how far it is, and reads there whether somebody has given the import up: both cost the work nothing.
//! * Giving up is a state of the import, set at once and by whoever asks. What the work does then is worth nothing: its last step, which
//!   moves the import on from the state that it was in, finds another one. That the work ends early is only a courtesy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Store;
use crate::error::{Result, StoreError};
use crate::imports::Import;

/// How often the count is written down.
const BEAT: Duration = Duration::from_millis(500);
/// How often somebody says that somebody is at work.
const ALIVE: Duration = Duration::from_secs(5);

/// What is being done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is read for the first time; counted in bytes.
    Reading,
    /// Its rows are compared with the list; counted in rows.
    Comparing,
    /// They are written into the list; counted in rows.
    Writing,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Reading, Self::Comparing, Self::Writing];
}

/// How far the work on an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// What is being done.
    pub phase: Phase,
    /// How much of it is done.
    pub done: u64,
    /// Of how much.
    pub of: u64,
}

/// Counts what is done.
#[derive(Default)]
pub(crate) struct Pulse {
    phase: AtomicU8,
    done: AtomicU64,
    of: AtomicU64,
    given_up: AtomicBool,
}

impl Pulse {
    /// Begins something, of which there is so much to do.
    pub(super) fn begin(&self, phase: Phase, of: u64) {
        let place = Phase::ALL.iter().position(|other| *other == phase).unwrap_or(0);
        self.phase.store(u8::try_from(place).unwrap_or(0), Ordering::Relaxed);
        self.of.store(of, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    /// So much more is done.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `cancelled` where the import was given up.
    pub(crate) fn count(&self, more: u64) -> Result<()> {
        self.done.fetch_add(more, Ordering::Relaxed);
        if self.given_up.load(Ordering::Relaxed) {
            return Err(StoreError::refused("cancelled", "this import was given up"));
        }
        Ok(())
    }

    fn progress(&self) -> ImportProgress {
        let phase = Phase::ALL.get(usize::from(self.phase.load(Ordering::Relaxed))).copied().unwrap_or(Phase::Reading);
        // A file may be read more than once in one go.
        let of = self.of.load(Ordering::Relaxed);
        ImportProgress { phase, done: self.done.load(Ordering::Relaxed).min(of), of }
    }
}

impl Store {
    /// Works on an import while its pulse is written down.
    pub(super) fn with_pulse<T, E>(
        &self,
        import: &Import,
        work: impl FnOnce(&Arc<Pulse>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let pulse = Arc::new(Pulse::default());
        let (end, ended) = channel::<()>();
        thread::scope(|scope| {
            let beating = Arc::clone(&pulse);
            scope.spawn(move || {
                let mut spoken = Instant::now();
                while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    let is_due = spoken.elapsed() > ALIVE;
                    // What cannot be written down now is written down by the next beat, and the work finds out by itself that the
                    // database is gone.
                    if let Ok(false) = self.write_progress(import, &beating.progress(), is_due) {
                        beating.given_up.store(true, Ordering::Relaxed);
                    }
                    if is_due {
                        spoken = Instant::now();
                    }
                }
            });
            let done = work(&pulse);
            drop(end);
            done
        })
    }
}
