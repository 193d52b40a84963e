//! What the tests that drive the real program share.
//!
//! Nothing of the program itself belongs here: what a test needs to know about it, it asks from outside.

pub mod browser;
pub mod census;
pub mod checker;
pub mod cluster;
pub mod commons;
mod database;
pub mod kept;
pub mod load;
pub mod peers;
pub mod program;
pub mod raw;
pub mod server;

pub use database::{Kind, TestDatabase};
