//! Backups: a whole commons in one file, and back.
//!
//! * An archive holds every row of the commons and of the ledger, in a format of our own ([`archive`]) that both databases are read
//!   into and written from. It holds no keys: only a print that tells whether a key file is the right one.
//! * A backup reads one snapshot of the commons, then one of the ledger ([`dump`]). It locks nothing.
//! * A restore reads the whole archive through before it touches anything, and refuses a place where something is ([`site`]). Until its
//!   last step the place is marked as unfinished: nobody serves it, and the next restore may replace it.
//! * Tables are made by the steps that the archive names, filled ([`load`]), and then brought up to date: an older program's archive
//!   becomes a commons of this one.
//! * What was staged by a commit under way is removed, a new [era](crate::era) begins, and the journal is replayed
//!   ([`replay`]): what was acknowledged as closed or narrowed since the archive was made is closed and narrowed again.
//! * Verifying ([`check`]) reads back what was written, and looks for every invariant that a database can be asked about.

mod archive;
mod cells;
mod check;
mod dump;
mod load;
mod replay;
mod restore;
mod site;
mod tables;

pub use archive::{Contents, Header};
pub use check::LedgerEyes;
pub use dump::{Backup, back_up, note_backup};
pub use replay::Replayed;
pub use restore::{Restore, Restored, inspect, restore};

use crate::error::StoreError;

/// Told which table is under way, and how many of its rows are done.
pub type Progress<'a> = &'a dyn Fn(&str, u64);

/// How many rows of a table are in an archive.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Counted {
    /// The table; the ledger's begin with `ledger.`.
    pub table: String,
    /// How many.
    pub rows: u64,
}

impl From<&archive::Ended> for Counted {
    fn from(ended: &archive::Ended) -> Self {
        let table = match ended.tree {
            crate::migrate::Tree::Commons => ended.name.clone(),
            crate::migrate::Tree::Ledger => format!("ledger.{}", ended.name),
        };
        Self { table, rows: ended.rows }
    }
}

/// What a frame of an archive holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header = 1,
    Table = 2,
    Rows = 3,
    End = 4,
    Trailer = 5,
}

impl Kind {
    fn parse(byte: u8) -> Option<Self> {
        [Self::Header, Self::Table, Self::Rows, Self::End, Self::Trailer].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The archive is not what was written.
    #[error("the archive is damaged: {part} {fault}; nothing was touched")]
    Damaged {
        /// Which part of it.
        part: String,
        /// What is wrong there.
        fault: &'static str,
    },
    /// The archive ends too early.
    #[error("the archive ends in the middle of {part}; nothing was touched")]
    Truncated {
        /// In which part.
        part: String,
    },
    /// It must not be done.
    #[error("{detail}")]
    Refused {
        /// A short name for the reason, for programs.
        code: &'static str,
        /// The reason in words.
        detail: String,
    },
    /// A file.
    #[error("{what}: {cause}")]
    File {
        /// What was done with which file.
        what: &'static str,
        /// Why it could not be.
        cause: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn damaged(part: &str, fault: &'static str) -> Self {
        Self::Damaged { part: part.to_owned(), fault }
    }

    fn truncated(part: &str) -> Self {
        Self::Truncated { part: part.to_owned() }
    }

    fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }

    fn reading(cause: std::io::Error) -> Self {
        Self::File { what: "the archive cannot be read", cause }
    }

    fn writing(cause: std::io::Error) -> Self {
        Self::File { what: "the archive cannot be written", cause }
    }

    fn placing(cause: std::io::Error) -> Self {
        Self::File { what: "the database's file cannot be put into its place", cause }
    }

    /// A short name for the reason, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "damaged-archive",
            Self::Truncated { .. } => "truncated-archive",
            Self::Refused { code, .. } | Self::Store(StoreError::Refused { code, .. }) => code,
            Self::File { .. } => "file",
            Self::Store(_) => "database",
        }
    }
}
