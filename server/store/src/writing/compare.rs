//! A draft beside what is live, row by row.

use std::collections::{HashMap, HashSet};

use hayward_domain::record::Record;
use hayward_importers::{Absent, Draft, DraftRow, Problem, Ready, Refusal, merge};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::conn::Eyes;
use crate::edition::LiveRow;
use crate::error::{Result, StoreError};
use crate::sql::Sql;

/// Rows compared in one go.
pub(super) const BATCH: usize = 500;

/// What happens, or happened, to the rows of a file. The first is the sum of the next six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of the file, without the header.
    pub rows: u64,
    /// New records.
    pub created: u64,
    /// Records that change.
    pub updated: u64,
    /// Records that stay as they are.
    pub unchanged: u64,
    /// Rows left out because an earlier one is the same.
    pub skipped: u64,
    /// Rows with a problem.
    pub rejected: u64,
    /// Rows without a value.
    pub blank: u64,
    /// Records that go because the file lacks them, where the person asked for that. No row of the file.
    pub removed: u64,
}

/// What a file and its matching come to.
pub(super) struct Plan {
    pub(super) draft: Draft,
    pub(super) absent: Absent,
}

/// One thing found while comparing.
pub(super) enum Found<'a> {
    Problems(Vec<Problem>),
    Changed { row: Option<u64>, key: &'a str, before: Option<&'a LiveRow>, after: Option<&'a Record> },
}

/// Hashes of the keys that a file has.
pub(super) type Keys = HashSet<[u8; 16]>;

pub(super) enum CompareError {
    Refused(Refusal),
    Store(StoreError),
}

impl CompareError {
    pub(super) fn into_store(self) -> StoreError {
        match self {
            Self::Refused(refusal) => refused(&refusal),
            Self::Store(error) => error,
        }
    }
}

pub(super) fn refused(refusal: &Refusal) -> StoreError {
    StoreError::refused(refusal.code(), refusal.to_string())
}

pub(super) fn live(store: &Store, dataset: i64, keys: &[&str]) -> Result<Vec<LiveRow>> {
    let mut select =
        Sql::new("select row, record, key, body from records where dataset = ? and died = 9223372036854775807 and key in ");
    select = select.bind(dataset);
    select.list(keys.iter().copied());
    store.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(select))
}

/// Goes through a draft beside what is live, and counts. The keys that the file has are returned where absent records are to go.
pub(super) fn compare(
    plan: Plan,
    live: impl Fn(&[&str]) -> Result<Vec<LiveRow>>,
    mut found: impl FnMut(Found<'_>) -> Result<()>,
) -> std::result::Result<(Counts, Option<Keys>), CompareError> {
    let mut counts = Counts::default();
    let mut seen = match plan.absent {
        Absent::Delete => Some(HashSet::new()),
        Absent::Keep => None,
    };
    let mut batch: Vec<Ready> = Vec::with_capacity(BATCH);
    for row in plan.draft {
        counts.rows += 1;
        match row.map_err(CompareError::Refused)? {
            DraftRow::Ready(ready) => batch.push(ready),
            DraftRow::Rejected { problems, key, .. } => {
                counts.rejected += 1;
                // A row that does not say which record it is about could be any of those that seem to be absent.
                if key.is_none() {
                    seen = None;
                }
                // The row names its record all the same: a mistake in it is no reason to remove the record.
                if let (Some(seen), Some(key)) = (&mut seen, key) {
                    seen.insert(key_hash(&key));
                }
                found(Found::Problems(problems)).map_err(CompareError::Store)?;
            }
            DraftRow::Duplicate { .. } => counts.skipped += 1,
            DraftRow::Blank { .. } => counts.blank += 1,
        }
        if batch.len() >= BATCH {
            settle(std::mem::take(&mut batch), &live, &mut counts, &mut seen, &mut found).map_err(CompareError::Store)?;
        }
    }
    settle(batch, &live, &mut counts, &mut seen, &mut found).map_err(CompareError::Store)?;
    Ok((counts, seen))
}

fn settle(
    batch: Vec<Ready>,
    live: &impl Fn(&[&str]) -> Result<Vec<LiveRow>>,
    counts: &mut Counts,
    seen: &mut Option<Keys>,
    found: &mut impl FnMut(Found<'_>) -> Result<()>,
) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = batch.iter().map(|ready| ready.key.as_str()).collect();
    let known: HashMap<String, LiveRow> = live(&keys)?.into_iter().map(|row| (row.key.clone(), row)).collect();
    for ready in &batch {
        if let Some(seen) = seen {
            seen.insert(key_hash(&ready.key));
        }
        let before = known.get(&ready.key);
        let existing = before.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
        let record = merge(existing.as_ref(), ready);
        let missing: Vec<Problem> = ready
            .missing
            .iter()
            .filter(|(field, _)| !record.fields.contains_key(*field))
            .map(|(_, problem)| problem.clone())
            .collect();
        if !missing.is_empty() {
            counts.rejected += 1;
            found(Found::Problems(missing))?;
            continue;
        }
        if !ready.warnings.is_empty() {
            found(Found::Problems(ready.warnings.clone()))?;
        }
        match (&existing, before) {
            (Some(existing), _) if *existing == record => counts.unchanged += 1,
            (Some(_), _) => {
                counts.updated += 1;
                found(Found::Changed { row: Some(ready.row), key: &ready.key, before, after: Some(&record) })?;
            }
            (None, _) => {
                counts.created += 1;
                found(Found::Changed { row: Some(ready.row), key: &ready.key, before: None, after: Some(&record) })?;
            }
        }
    }
    Ok(())
}

pub(super) fn key_hash(key: &str) -> [u8; 16] {
    let digest = Sha256::digest(key.as_bytes());
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}
