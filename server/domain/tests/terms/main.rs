//! Terms: what is refused, what is narrower, and what they show of records.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod conditions;
mod disclosure;
mod fixtures;
mod generated;
mod later;
mod narrower;
mod refusals;
mod words;
