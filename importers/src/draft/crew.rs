//! Judging rows on several threads, without anybody noticing: they come out in the order of the file.
//!
//! One thread reads rows ahead, a bundle at a time, and hands the bundles round to the others; their results are taken back in the
//! same round. Every queue is short, so that what is in memory does not grow with the file. Who drops the crew ends it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::typing::{Judge, Judged};
use crate::read::Counts;
use crate::refusal::Refusal;
use crate::table::{Row, Rows, ahead};

/// Bundles that may wait for each thread, and behind it.
const WAITING: usize = 2;
/// More threads than this only wait for the one that reads.
const MOST: usize = 4;

/// Rows that have been judged.
pub(super) struct Bundle {
    pub(super) rows: Vec<(Row, Judged)>,
    pub(super) counts: Counts,
    /// Why there are no more.
    pub(super) refused: Option<Refusal>,
}

/// The threads.
pub(super) struct Crew {
    results: Vec<Receiver<Bundle>>,
    next: usize,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Sets one to work on what follows in `rows`.
    pub(super) fn start(rows: Rows, judge: &Arc<Judge>) -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(MOST);
        let (mut hands, mut results, mut threads) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..workers {
            let (hand, work) = sync_channel(WAITING);
            let (give, result) = sync_channel(WAITING);
            let judge = Arc::clone(judge);
            threads.push(thread::spawn(move || judge_all(&judge, &work, &give)));
            hands.push(hand);
            results.push(result);
        }
        threads.push(thread::spawn(move || {
            let mut round = hands.iter().cycle();
            ahead::read(rows, |bundle| round.next().is_some_and(|hand| hand.send(bundle).is_ok()));
        }));
        Self { results, next: 0, threads }
    }

    /// The next rows; nothing at the end of the file.
    pub(super) fn next(&mut self) -> Option<Bundle> {
        let bundle = self.results.get(self.next).and_then(|result| result.recv().ok());
        self.next = (self.next + 1) % self.results.len().max(1);
        if bundle.is_none() {
            self.results.clear();
            for thread in std::mem::take(&mut self.threads) {
                thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        }
        bundle
    }
}

fn judge_all(judge: &Judge, work: &Receiver<ahead::Bundle>, give: &SyncSender<Bundle>) {
    for ahead::Bundle { rows, refused } in work {
        let mut counts = Counts::default();
        let rows = rows.into_iter().map(|(row, line)| {
            let judged = judge.judge(&row, line, &mut counts);
            (row, judged)
        });
        let rows = rows.collect();
        if give.send(Bundle { rows, counts, refused }).is_err() {
            return;
        }
    }
}
