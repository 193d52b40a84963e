//! A file judged on several threads, and what it comes to in its order.
//!
//! One thread reads blocks of rows and deals them out in turn, a few judge them, and whoever asks gets them back in the same turn.
//! A short file is judged where it was asked for.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{Builder, JoinHandle, available_parallelism};

use super::typing::{Judge, Make, Verdict};
use crate::read::Counts;
use crate::refusal::Refusal;
use crate::table::{Block, End, Rows, read_on};

/// The most threads that judge: one that reads cannot keep more of them busy, and each has a few blocks under way.
const JUDGES: usize = 3;

/// A block that has been judged.
pub(super) struct Piece<R> {
    pub(super) block: Block,
    pub(super) verdicts: Vec<Verdict<R>>,
    pub(super) counts: Counts,
}

/// The blocks of a file, judged, in their order.
pub(super) struct Pieces<R> {
    first: Option<Piece<R>>,
    judged: Vec<Receiver<Piece<R>>>,
    turn: usize,
    back: Option<Sender<Block>>,
    threads: Vec<JoinHandle<()>>,
}

impl<R> Piece<R> {
    fn of(block: Block, judge: &Judge, make: Make<R>) -> Self {
        let mut counts = Counts::default();
        let verdicts = judge.judge_all(&block, make, &mut counts);
        Self { block, verdicts, counts }
    }
}

impl<R: Send + 'static> Pieces<R> {
    pub(super) fn begin(mut rows: Rows, judge: &Judge, make: Make<R>) -> Result<Self, Refusal> {
        let mut pieces = Self { first: None, judged: Vec::new(), turn: 0, back: None, threads: Vec::new() };
        let mut first = Block::default();
        first.fill(&mut rows);
        if first.end != End::More {
            pieces.first = Some(Piece::of(first, judge, make));
            return Ok(pieces);
        }
        let mut blocks = Vec::new();
        for _ in 0..available_parallelism().map_or(1, NonZero::get).min(JUDGES) {
            let ((send_block, receive_block), (send_piece, receive_piece)) = (sync_channel(1), sync_channel(1));
            // With regular expressions of its own: those that are shared wait for each other.
            let judge = judge.clone();
            pieces.start(move || {
                for block in receive_block {
                    if send_piece.send(Piece::of(block, &judge, make)).is_err() {
                        // Nobody asks any more.
                        return;
                    }
                }
            })?;
            blocks.push(send_block);
            pieces.judged.push(receive_piece);
        }
        let (send_back, back) = channel();
        pieces.back = Some(send_back);
        pieces.start(move || {
            if blocks.first().is_some_and(|to| to.send(first).is_ok()) {
                blocks.rotate_left(1);
                read_on(&mut rows, &blocks, &back);
            }
        })?;
        Ok(pieces)
    }

    fn start(&mut self, work: impl FnOnce() + Send + 'static) -> Result<(), Refusal> {
        self.threads.push(Builder::new().name("draft".to_owned()).spawn(work)?);
        Ok(())
    }

    /// The next one, for which the block of the last one is given back; nothing behind the last.
    pub(super) fn next(&mut self, used: Block) -> Option<Piece<R>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if let Some(back) = &self.back {
            // The one who reads may be done with it.
            drop(back.send(used));
        }
        let piece = self.judged.get(self.turn)?.recv().ok();
        self.turn = (self.turn + 1) % self.judged.len().max(1);
        if piece.is_none() {
            self.stop();
        }
        piece
    }
}

impl<R> Pieces<R> {
    /// Ends the threads; what went wrong in one goes wrong here.
    fn stop(&mut self) {
        // Those that are at work find nobody to send to.
        (self.judged, self.back) = (Vec::new(), None);
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join()
                && !std::thread::panicking()
            {
                resume_unwind(panic);
            }
        }
    }
}

impl<R> Drop for Pieces<R> {
    fn drop(&mut self) {
        self.stop();
    }
}
