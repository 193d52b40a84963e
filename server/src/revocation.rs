//! After a revocation was acknowledged, no byte of what it closed is handed over.
//!
//! * Whoever reads looks at the token and the agreements in the very snapshot that it reads.
//! * What was read is handed to the HTTP writer within [`WINDOW`], on a monotonic clock that was read before the snapshot opened,
//!   or is checked again in a new snapshot.
//! * Whoever revokes (suspends, ends, narrows, revokes a token) commits at once and acknowledges [`WINDOW`] later.
//! * So what was read before the revocation was handed over before the acknowledgement, on any number of servers.
//! * Exports are read page by page; each page goes through this.

use std::time::{Duration, Instant};

/// How long what was read may be handed over without looking again.
pub const WINDOW: Duration = Duration::from_millis(250);

/// Lets the window pass, after a revocation was committed and before it is acknowledged.
pub async fn acknowledge() {
    // A little more than the window: timers may fire early by their granularity.
    tokio::time::sleep(WINDOW + Duration::from_millis(10)).await;
}

/// The same, where nothing else waits: on the command line.
pub fn acknowledge_blocking() {
    std::thread::sleep(WINDOW + Duration::from_millis(10));
}

/// Whether what was read from a snapshot opened at `opened` may still be handed over.
#[must_use]
pub fn in_time(opened: Instant) -> bool {
    opened.elapsed() < WINDOW
}
