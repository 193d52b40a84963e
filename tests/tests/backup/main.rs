//! Backups: what comes back is what was there, what was closed stays closed, and an archive that is not whole is refused.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod closed;
mod damage;
mod eras;
mod files;
mod load;
mod round;
mod upgrade;
mod world;

use hayward_tests::raw;
