//! Rows in blocks, so that one thread can read a file while others look at what it has read.
//!
//! Blocks are used again when they come back, and a few of them are under way at any time: what they hold does not depend on the file.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::row::Row;
use super::{Line, Rows};
use crate::refusal::Refusal;

/// How many rows a block has at most, and about how many bytes.
const ROWS: usize = 512;
const BYTES: usize = 256 << 10;

/// What one row may hold on to after it was used, in bytes.
const KEPT: usize = 4 << 10;

/// How many blocks may wait for whoever looks at them.
const WAITING: usize = 2;

/// What follows a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// Another one.
    #[default]
    More,
    /// Nothing: the file ends here.
    Whole,
    /// A row that the file is refused for.
    Refused(Refusal),
}

/// Some rows that stand below each other.
#[derive(Default)]
pub(crate) struct Block {
    rows: Vec<(Line, Row)>,
    filled: usize,
    /// What follows.
    pub(crate) end: End,
}

impl Block {
    /// Reads the next rows in place of those that were here.
    pub(crate) fn fill(&mut self, from: &mut Rows) {
        self.read(from);
        // Rows that were not needed this time may be large ones, and would be kept for the length of the file.
        for (_, row) in self.rows.iter_mut().skip(self.filled).filter(|(_, row)| row.held() > KEPT) {
            *row = Row::default();
        }
    }

    fn read(&mut self, from: &mut Rows) {
        (self.filled, self.end) = (0, End::More);
        let mut bytes = 0;
        while self.filled < ROWS && bytes < BYTES {
            if self.filled == self.rows.len() {
                self.rows.push((Line::Cells, Row::default()));
            }
            let Some((line, row)) = self.rows.get_mut(self.filled) else { return };
            if row.held() > KEPT {
                *row = Row::default();
            }
            match from.next(row) {
                Ok(Some(found)) => *line = found,
                Ok(None) => {
                    self.end = End::Whole;
                    return;
                }
                Err(refusal) => {
                    self.end = End::Refused(refusal);
                    return;
                }
            }
            bytes += row.used();
            self.filled += 1;
        }
    }

    /// Its rows, and what was found at each.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = (Line, &Row)> {
        self.rows.iter().take(self.filled).map(|(line, row)| (*line, row))
    }
}

/// Reads to the end of the file, and gives a block to each of `to` in turn. Takes those that come `back`.
pub(crate) fn read_on(rows: &mut Rows, to: &[SyncSender<Block>], back: &Receiver<Block>) {
    for to in to.iter().cycle() {
        let mut block = back.try_recv().unwrap_or_default();
        block.fill(rows);
        let more = block.end == End::More;
        // Whoever looked at them may have stopped.
        if to.send(block).is_err() || !more {
            return;
        }
    }
}

/// Shows every block of `rows` to `see`, while another thread reads the next one. Returns the rows, read to their end.
pub(crate) fn each(mut rows: Rows, mut see: impl FnMut(&Block)) -> Result<Rows, Refusal> {
    let mut first = Block::default();
    first.fill(&mut rows);
    see(&first);
    // Most files are short: no thread is worth its while.
    if first.end != End::More {
        return ended(first.end, rows);
    }
    let (send, receive) = sync_channel(WAITING);
    let (give_back, back) = channel();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            read_on(&mut rows, &[send], &back);
            rows
        });
        let mut end = End::More;
        for mut block in receive {
            see(&block);
            end = std::mem::take(&mut block.end);
            drop(give_back.send(block));
        }
        ended(end, reader.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn ended(end: End, rows: Rows) -> Result<Rows, Refusal> {
    match end {
        End::Refused(refusal) => Err(refusal),
        End::More | End::Whole => Ok(rows),
    }
}
