//! What a backup keeps.

use crate::{TestDatabase, raw};

/// Everything that outlives a restore, as text. Numbers that leap are left out.
const KEPT: &[&str] = &[
    "select row || ' ' || record || ' ' || key || ' ' || body || ' ' || born || ' ' || died as value from records",
    "select row || ' ' || share || ' ' || record || ' ' || name || ' ' || coalesce(payload, '-') || ' ' || coalesce(index_1, '-')
        || ' ' || born || ' ' || died as value from shared_records",
    "select share || ' ' || name || ' ' || record as value from share_names",
    "select dataset || ' ' || edition || ' ' || commit_number || ' ' || kind || ' ' || coalesce(import, '-') || ' ' || at as value
        from editions",
    "select share || ' ' || edition || ' ' || commit_number as value from share_editions",
    "select share || ' ' || opened || ' ' || closed as value from share_openings",
    "select agreement || ' ' || version || ' ' || state || ' ' || terms || ' ' || hash || ' ' || starts_at || ' ' || ends_at
        as value from agreement_versions",
    "select number || ' ' || event || ' ' || state || ' ' || coalesce(side, '-') || ' ' || coalesce(actor, '-') as value
        from agreement_events",
    "select position || ' ' || length(bytes) as value from import_chunks",
    "select position || ' ' || problem as value from import_problems",
    "select document as value from schemas",
    "select number || ' ' || id || ' ' || slug || ' ' || name as value from organizations",
    "select count(*) as value from tokens",
    "select count(*) as value from approvals",
];

/// The same of the ledger.
const LEDGER: &[&str] = &[
    "select row || ' ' || id || ' ' || recipient || ' ' || disclosed || ' ' || era as value from entries",
    "select position || ' ' || row || ' ' || hash as value from entry_parties where position is not null",
    "select position || ' ' || hash || ' ' || signature || ' ' || era as value from checkpoints",
    "select hour || ' ' || reads || ' ' || records as value from public_reads",
];

/// All of it, one list for each of the tables.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn kept(db: &TestDatabase) -> Vec<Vec<String>> {
    let commons = KEPT.iter().map(|sql| raw::ask(db, sql));
    let mut kept: Vec<Vec<String>> = commons.chain(LEDGER.iter().map(|sql| raw::ledger::ask(db, sql))).collect();
    // Each database has an order of its own.
    kept.iter_mut().for_each(|rows| rows.sort());
    kept
}
