//! The brake: a file that replaces a list and would remove much of it is most often the wrong file, or half of the right one.
//!
//! More than a fifth of a list goes only where somebody has said, of this commit, how many records may go. Counting and comparing
//! never stop for it; committing does, before anything is written that a reader could see.

use super::present::Present;
use crate::error::{Result, StoreError};

/// Of how many records one may go unasked.
const OF: u64 = 5;

/// What somebody has seen before saying yes to a commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// The edition that the difference was made against; of another one nothing is committed.
    pub edition: Option<i64>,
    /// How many records may go, where it is more than a fifth of the list.
    pub removals: Option<u64>,
}

impl Seen {
    /// The difference against `edition`.
    #[must_use]
    pub fn of(edition: i64) -> Self {
        Self { edition: Some(edition), removals: None }
    }
}

/// How many records may go.
pub(super) struct Brake {
    live: u64,
    most: u64,
}

impl Brake {
    pub(super) fn new(present: &Present<'_>, seen: Seen) -> Result<Self> {
        let live = present.count()?;
        Ok(Self { live, most: seen.removals.unwrap_or(live / OF) })
    }

    /// Holds a commit that would remove so many.
    pub(super) fn hold(&self, removed: u64) -> Result<()> {
        if removed <= self.most {
            return Ok(());
        }
        let detail = format!(
            "more than {} of the {} records would go, because this file does not have them; say how many may (`removals`), or let absent \
            records stay",
            self.most, self.live
        );
        Err(StoreError::refused("many-removals", detail))
    }
}
