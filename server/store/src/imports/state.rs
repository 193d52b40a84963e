//! Where an import stands.

use crate::error::{Result, StoreError};

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// The file is being read.
    Reading,
    /// Some column waits for a decision.
    Draft,
    /// Every column is decided; the counts say what a commit will do.
    Checked,
    /// It is being written.
    Committing,
    /// It is part of the dataset.
    Committed,
    /// It was, and was taken back.
    Undone,
    /// The program stopped in the middle; it can be committed again.
    Interrupted,
    /// The file could not be read.
    Failed,
    /// It was given up.
    Cancelled,
}

impl ImportState {
    const ALL: [Self; 9] = [
        Self::Reading,
        Self::Draft,
        Self::Checked,
        Self::Committing,
        Self::Committed,
        Self::Undone,
        Self::Interrupted,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Draft => "draft",
            Self::Checked => "checked",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Undone => "undone",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(StoreError::Corrupt("an import's state"))
    }
}
