//! A draft beside what is live, row by row. One thread reads and types the file, the one that asked compares.
//!
//! A row that says everything its record holds is the same as its record exactly where their bodies have one hash: most rows of a
//! list that comes every month are known to be unchanged without their bodies being read. [`Ready::onto`] decides about the others.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::SyncSender;

use hayward_domain::record::Record;
use hayward_domain::schema::FieldName;
use hayward_importers::{Absent, Draft, DraftRow, Only, Problem, Ready, Refusal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::present::{LiveRow, MarkRow, Present};
use crate::edition::{BodyHash, Version, body_hash};
use crate::error::{Result, StoreError};
use crate::parallel;

/// Rows compared in one go.
pub(super) const BATCH: usize = 500;

/// What happens, or happened, to the rows of a file. The first is the sum of the next six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the file, without the header.
    pub rows: u64,
    /// New records.
    pub created: u64,
    /// Records that change.
    pub updated: u64,
    /// Records that stay as they are.
    pub unchanged: u64,
    /// Rows left out: an earlier one is the same, records are only to be added or only to be changed, or the record was
    /// erased on request.
    pub skipped: u64,
    /// Rows with a problem.
    pub rejected: u64,
    /// Rows without a value.
    pub blank: u64,
    /// Records that go because the file lacks them, where the person asked for that. No row of the file.
    pub removed: u64,
}

impl Counts {
    /// Whether every record stays as it is.
    pub(super) fn change_nothing(&self) -> bool {
        self.created == 0 && self.updated == 0 && self.removed == 0
    }
}

/// What a file and its matching come to.
pub(super) struct Plan {
    pub(super) draft: Draft,
    pub(super) absent: Absent,
    pub(super) only: Option<Only>,
}

/// One thing found while comparing.
pub(super) enum Found<'a> {
    Problems(Vec<Problem>),
    Changed { row: u64, before: Option<&'a LiveRow>, after: Version },
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
            Self::Refused(refusal) => StoreError::refused(refusal.code(), refusal.to_string()),
            Self::Store(error) => error,
        }
    }
}

impl From<StoreError> for CompareError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for CompareError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // The file lies in the database: that it cannot be had says nothing about the file.
            Refusal::Unreadable(_) => Self::Store(StoreError::Unavailable("the uploaded file could not be read back".to_owned())),
            refusal => Self::Refused(refusal),
        }
    }
}

/// Goes through a draft beside what is live, and counts. The keys that the file has are returned where absent records are to go.
pub(super) fn compare(
    plan: Plan,
    present: &Present<'_>,
    mut found: impl FnMut(Found<'_>) -> Result<()>,
) -> std::result::Result<(Counts, Option<Keys>), CompareError> {
    let Plan { draft, absent, only } = plan;
    let mut counts = Counts::default();
    let mut seen = match absent {
        Absent::Delete => Some(HashSet::new()),
        Absent::Keep => None,
    };
    let read = parallel::piped(
        |send| read(draft, send),
        |piece: Piece| {
            present.compares(piece.ready.len() + piece.rejected.len())?;
            let mut wrong = Vec::new();
            for (problems, key) in piece.rejected {
                counts.rejected += 1;
                match (&mut seen, key) {
                    // The row names its record all the same: a mistake in it is no reason to remove the record.
                    (Some(seen), Some(key)) => drop(seen.insert(key_hash(&key))),
                    // A row that does not say which record it is about could be any of those that seem to be absent.
                    (_, None) => seen = None,
                    (None, Some(_)) => {}
                }
                wrong.extend(problems);
            }
            if let Some(seen) = &mut seen {
                seen.extend(piece.ready.iter().map(|one| key_hash(&one.row.key)));
            }
            settle(piece.ready, present, only, &mut counts, &mut |one| match one {
                Found::Problems(problems) => {
                    wrong.extend(problems);
                    Ok(())
                }
                changed @ Found::Changed { .. } => found(changed),
            })?;
            // In the order of the file, across pieces too: a marked list is read along with it.
            wrong.sort_by_key(|problem| problem.row);
            if wrong.is_empty() { Ok(()) } else { Ok(found(Found::Problems(wrong))?) }
        },
    )?;
    Ok((Counts { rows: read.rows, skipped: read.skipped + counts.skipped, blank: read.blank, ..counts }, seen))
}

/// Some rows of a file, and what they come to by themselves.
#[derive(Default)]
struct Piece {
    ready: Vec<Drafted>,
    /// What is wrong with the others, and the keys that they name all the same.
    rejected: Vec<(Vec<Problem>, Option<String>)>,
}

/// Reads a draft to its end. What needs no comparing is counted here.
fn read(draft: Draft, send: &SyncSender<Piece>) -> std::result::Result<Counts, CompareError> {
    let (mut counts, mut piece) = (Counts::default(), Piece::default());
    for row in draft {
        counts.rows += 1;
        match row? {
            DraftRow::Ready(ready) => piece.ready.push(ready.into()),
            DraftRow::Rejected { problems, key, .. } => piece.rejected.push((problems, key)),
            DraftRow::Duplicate { .. } => counts.skipped += 1,
            DraftRow::Blank { .. } => counts.blank += 1,
        }
        if piece.ready.len() + piece.rejected.len() >= BATCH && send.send(std::mem::take(&mut piece)).is_err() {
            // Whoever compares has stopped, and says why.
            return Ok(counts);
        }
    }
    drop(send.send(piece));
    Ok(counts)
}

/// What is live under a row's key.
enum Before {
    Nothing,
    /// A record with the very body that the row alone would make.
    Same,
    Other(LiveRow),
}

fn settle(
    drafted: Vec<Drafted>,
    present: &Present<'_>,
    only: Option<Only>,
    counts: &mut Counts,
    found: &mut impl FnMut(Found<'_>) -> Result<()>,
) -> Result<()> {
    let mut known = known(&drafted, present)?;
    for drafted in drafted {
        if let Some(problem) = present.erased(drafted.row.row, &drafted.row.key)? {
            counts.skipped += 1;
            found(Found::Problems(vec![problem]))?;
            continue;
        }
        let before = known.remove(&drafted.row.key).unwrap_or(Before::Nothing);
        let wanted = match only {
            None => true,
            Some(Only::Add) => matches!(before, Before::Nothing),
            Some(Only::Update) => !matches!(before, Before::Nothing),
        };
        if wanted {
            settle_one(drafted, &before, counts, found)?;
        } else {
            counts.skipped += 1;
        }
    }
    Ok(())
}

/// A row, and the text of what it makes by itself.
struct Drafted {
    row: Ready,
    body: String,
    hash: BodyHash,
}

impl From<Ready> for Drafted {
    fn from(row: Ready) -> Self {
        let body = row.record.to_body();
        Self { row, hash: body_hash(&body), body }
    }
}

/// What is live under the keys of these rows.
fn known(drafted: &[Drafted], present: &Present<'_>) -> Result<HashMap<String, Before>> {
    if present.is_empty() {
        return Ok(HashMap::new());
    }
    let hashes: HashMap<&str, &BodyHash> = drafted.iter().map(|one| (one.row.key.as_str(), &one.hash)).collect();
    let keys: Vec<&str> = hashes.keys().copied().collect();
    let is_same =
        |mark: &MarkRow| hashes.get(mark.key.as_str()).is_some_and(|hash| mark.hash.as_deref() == Some(hash.as_slice()));
    let (same, other): (Vec<MarkRow>, Vec<MarkRow>) = present.marks(keys)?.into_iter().partition(is_same);
    let same = same.into_iter().map(|mark| (mark.key, Before::Same));
    let other = present.bodies(&other)?.into_iter().map(|live| (live.key.clone(), Before::Other(live)));
    Ok(same.chain(other).collect())
}

fn settle_one(
    drafted: Drafted,
    before: &Before,
    counts: &mut Counts,
    found: &mut impl FnMut(Found<'_>) -> Result<()>,
) -> Result<()> {
    let Drafted { row, body, hash } = drafted;
    let (same, live, merged) = match before {
        Before::Nothing => (false, None, None),
        Before::Same => (true, None, None),
        Before::Other(live) => {
            let existing = Record::from_body(&live.body).ok_or(StoreError::Corrupt("a record"))?;
            let merged = row.onto(&existing);
            (existing == merged, Some(live), Some(merged))
        }
    };
    let lacks = |field: &FieldName| !merged.as_ref().unwrap_or(&row.record).fields.contains_key(field);
    let missing: Vec<Problem> =
        row.missing.iter().filter(|(field, _)| lacks(field)).map(|(_, problem)| problem.clone()).collect();
    if !missing.is_empty() {
        counts.rejected += 1;
        return found(Found::Problems(missing));
    }
    if !row.warnings.is_empty() {
        found(Found::Problems(row.warnings))?;
    }
    match live {
        _ if same => {
            counts.unchanged += 1;
            return Ok(());
        }
        Some(_) => counts.updated += 1,
        None => counts.created += 1,
    }
    let after = match merged {
        Some(merged) => Version::new(row.key, merged),
        None => Version { key: row.key, record: row.record, body, hash },
    };
    found(Found::Changed { row: row.row, before: live, after })
}

pub(super) fn key_hash(key: &str) -> [u8; 16] {
    let digest = Sha256::digest(key.as_bytes());
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}
