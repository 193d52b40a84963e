//! First come, first served.
//!
//! SQLite lets one connection write at a time, and a pool of one lends it to whoever happens to wake up first: an import, which
//! asks again at once, would have it nearly always. With tickets everybody else waits for one small transaction of it at most.

use std::sync::{Condvar, Mutex, PoisonError};

/// A queue.
#[derive(Default)]
pub(crate) struct Turn {
    tickets: Mutex<Tickets>,
    moved: Condvar,
}

#[derive(Default)]
struct Tickets {
    next: u64,
    served: u64,
}

/// Being served, until this is dropped.
pub(crate) struct Served<'a>(&'a Turn);

impl Turn {
    /// Waits until everybody who came before has left.
    pub(crate) fn wait(&self) -> Served<'_> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = tickets.next;
        tickets.next += 1;
        while tickets.served != mine {
            tickets = self.moved.wait(tickets).unwrap_or_else(PoisonError::into_inner);
        }
        Served(self)
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.tickets.lock().unwrap_or_else(PoisonError::into_inner).served += 1;
        self.0.moved.notify_all();
    }
}
