//! Hayward's words and rules.
//!
//! What an agreement is, what a schema says, what one record shows to whom: pure functions over plain values. Nothing here
//! reads a file, a clock, a database or a random number; time, randomness and keys are arguments.

pub mod agreement;
pub mod condition;
pub mod contacts;
pub mod disclose;
pub mod fault;
pub mod id;
mod json;
pub mod keys;
pub mod moment;
pub mod mutants;
pub mod record;
pub mod schema;
pub mod scope;
pub mod search;
pub mod terms;
pub mod treatment;
pub mod words;
