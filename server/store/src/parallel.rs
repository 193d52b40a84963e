//! Two threads and a short queue between them: one makes what the other uses up.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// How much may wait between the two.
const WAITING: usize = 2;

/// Runs `produce` on a thread of its own, and `consume` here for everything that it sends. If either fails, both end; what went wrong
/// in `consume` is told first, since it is what makes sending fail.
pub(crate) fn piped<T: Send, A: Send, E: Send>(
    produce: impl FnOnce(&SyncSender<T>) -> Result<A, E> + Send,
    mut consume: impl FnMut(T) -> Result<(), E>,
) -> Result<A, E> {
    let (send, receive) = sync_channel(WAITING);
    thread::scope(|scope| {
        let producer = scope.spawn(move || produce(&send));
        let consumed = receive.iter().try_for_each(&mut consume);
        // A producer that is still at work finds nobody to send to.
        drop(receive);
        let produced = producer.join().unwrap_or_else(|panic| resume_unwind(panic));
        consumed.and(produced)
    })
}
