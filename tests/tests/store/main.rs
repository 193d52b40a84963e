//! The store as its callers use it, on both databases: what is imported, agreed, shown, taken back and written down.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

mod again;
mod agreements;
mod approvals;
mod cancelling;
mod chance;
mod claims;
mod conditions;
mod consent;
mod days;
mod deaths;
mod depth;
mod erasing;
mod evolving;
mod feed;
mod floor;
mod granting;
mod imports;
mod ledger;
mod migrations;
mod model;
mod narrowing;
mod paging;
mod poison;
mod pruning;
mod reading;
mod reference;
mod rules;
mod selecting;
mod silence;
mod tokens;
mod undo;
mod writing;

use hayward_tests::raw;
