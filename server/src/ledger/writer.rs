//! Writes entries in groups: those that wait while one transaction is synced go into the next together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use hayward_store::{Entry, LedgerStore, PublicRead, Refusal, StoreError};
use tokio::sync::oneshot;

use crate::error::Error;

/// What is to be written together.
#[derive(Clone, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    pub(super) reads: Vec<PublicRead>,
    pub(super) refusals: Vec<Refusal>,
}

impl Batch {
    fn add(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.reads.extend(other.reads);
        self.refusals.extend(other.refusals);
    }
}

/// Answers that may wait for the ledger; beyond it the server is overloaded.
const WAITING: usize = 4_096;
/// Answers whose entries go into one transaction.
const GROUP: usize = 512;

struct Job {
    batch: Batch,
    done: oneshot::Sender<bool>,
}

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    pub(super) fn start(store: Arc<LedgerStore>) -> Self {
        let (jobs, waiting) = sync_channel(WAITING);
        // It ends when the last sender is dropped.
        std::thread::spawn(move || work(&store, &waiting));
        Self { jobs }
    }

    pub(super) async fn write(&self, batch: Batch) -> Result<(), Error> {
        let (done, durable) = oneshot::channel();
        let refused = || Error::Conflict { code: "ledger-unavailable", detail: "the ledger cannot be written now".to_owned() };
        self.jobs.try_send(Job { batch, done }).map_err(|_| refused())?;
        match durable.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(refused()),
        }
    }
}

fn work(store: &LedgerStore, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        while let Some(job) = (group.len() < GROUP).then(|| waiting.try_recv().ok()).flatten() {
            group.push(job);
        }
        let together = match group.as_slice() {
            [alone] => logged(append(store, &alone.batch)),
            several => {
                let mut all = Batch::default();
                several.iter().for_each(|job| all.add(job.batch.clone()));
                append(store, &all).is_ok()
            }
        };
        let alone = group.len() == 1;
        for job in group {
            // One entry that cannot be written must not keep the others' answers back.
            let durable = together || !alone && logged(append(store, &job.batch));
            // Whoever asked may be gone; the entry stays.
            let _gone = job.done.send(durable);
        }
    }
}

/// Whatever goes wrong with one group, the thread goes on to the next.
fn append(store: &LedgerStore, batch: &Batch) -> hayward_store::Result<()> {
    let Batch { entries, reads, refusals } = batch;
    let written = catch_unwind(AssertUnwindSafe(|| store.append(entries, reads, refusals)));
    written.unwrap_or_else(|_| Err(StoreError::Unavailable("the ledger's writer met a fault of the program".to_owned())))
}

fn logged(done: hayward_store::Result<()>) -> bool {
    if let Err(error) = &done {
        tracing::error!(%error, "the ledger could not be written");
    }
    done.is_ok()
}
