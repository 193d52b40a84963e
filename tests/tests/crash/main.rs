//! The program dies, at any moment, on every path that writes.
//!
//! The real program is killed with signal 9 in the middle of its work, over and over on one long-lived database. After each kill
//! the independent checker of [`hayward_tests::checker`] reads the tables, and what was acknowledged and received before is
//! looked for. `HAYWARD_CRASH_KILLS` says how many kills each of these tests makes at the least, `HAYWARD_CRASH_SEED` with which
//! choices; the seed of a run is printed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it is surprised, and says with which seed"
)]

mod agreements;
mod archives;
mod checking;
mod commands;
mod editing;
mod erasing;
mod imports;
mod lease;
mod migrations;
mod pulling;
mod reading;
mod rounds;
