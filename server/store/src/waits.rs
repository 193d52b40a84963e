//! How long the program waits for a connection to its database.

use r2d2::event::CheckoutEvent;

/// Measures every wait.
#[derive(Debug)]
pub(crate) struct Waits;

impl r2d2::HandleEvent for Waits {
    fn handle_checkout(&self, event: CheckoutEvent) {
        metrics::histogram!("hayward_database_wait_seconds").record(event.duration().as_secs_f64());
    }
}
