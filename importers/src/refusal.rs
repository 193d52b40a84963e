//! Why a file as a whole cannot be read, and the limits that keep one file from taking the memory of all.
//!
//! A refusal never carries what a cell holds: it is logged and shown to people who may not see the data.

use std::io;

/// The largest cell, in bytes of UTF-8.
pub(crate) const CELL_BYTES: usize = 1 << 20;

/// The largest row, in bytes of UTF-8.
pub(crate) const ROW_BYTES: usize = 4 << 20;

/// The most columns.
pub(crate) const COLUMNS: usize = 2_000;

/// Why the file as a whole cannot be read. Rows are numbered as a spreadsheet does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No bytes, or nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// A picture, an archive, a program: no text in any encoding.
    #[error("the file is not text")]
    Binary,
    /// A format that other programs know and this one does not.
    #[error("{0} cannot be read; save it as CSV and try again")]
    Unsupported(&'static str),
    /// Text, but no rows and columns.
    #[error("the file is not a table")]
    NotATable,
    /// No row among the first ones has headings in it.
    #[error("none of the first rows has column headings")]
    NoHeader,
    /// A row beyond 4 MiB.
    #[error("row {row} is longer than 4 MiB")]
    RowTooLong {
        /// Which.
        row: u64,
    },
    /// A cell beyond 1 MiB.
    #[error("row {row} has a cell longer than 1 MiB")]
    CellTooLong {
        /// Which.
        row: u64,
    },
    /// More than 2,000 columns.
    #[error("row {row} makes more than 2000 columns")]
    TooManyColumns {
        /// The row that passed the limit.
        row: u64,
    },
    /// A quote that is opened and never closed would make one cell of the rest of the file.
    #[error("a quotation mark opened in row {row} is never closed")]
    UnclosedQuote {
        /// Where the row begins.
        row: u64,
    },
    /// A JSON file whose structure is broken, so that its records cannot be told apart.
    #[error("record {}: {detail}", row.saturating_sub(1))]
    Json {
        /// The row of the first record that could not be read.
        row: u64,
        /// What was expected.
        detail: &'static str,
    },
    /// A workbook whose parts do not fit together, or do what no spreadsheet program does.
    #[error("the workbook is damaged: {0}; open it in a spreadsheet program, save it and try again")]
    DamagedWorkbook(&'static str),
    /// A workbook that unpacks to more than a file may be, as a small file can be made to.
    #[error("the workbook is too large when it is unpacked; save the sheet as CSV and try again")]
    WorkbookTooLarge,
    /// A workbook that cannot be read without its password.
    #[error("the workbook has a password; save it without one and try again")]
    EncryptedWorkbook,
    /// Somebody named a sheet that is not there.
    #[error("the workbook has no sheet of this name")]
    NoSuchSheet,
    /// Somebody named an encoding that nobody knows.
    #[error("no encoding is called so")]
    UnknownEncoding,
    /// Somebody named a separator that cannot be one.
    #[error("a separator is one character of punctuation, or a tab")]
    UnusableDelimiter,
    /// The system could not give us the bytes.
    #[error("the file could not be read: {0}")]
    Unreadable(io::ErrorKind),
    /// The second reading did not find what the first one had found.
    #[error("the file has changed since it was first read")]
    Changed,
}

impl Refusal {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty-file",
            Self::Binary => "binary-file",
            Self::Unsupported(_) => "unsupported-format",
            Self::NotATable => "not-a-table",
            Self::NoHeader => "missing-header",
            Self::RowTooLong { .. } => "row-too-long",
            Self::CellTooLong { .. } => "cell-too-long",
            Self::TooManyColumns { .. } => "too-many-columns",
            Self::UnclosedQuote { .. } => "unclosed-quote",
            Self::Json { .. } => "json-error",
            Self::DamagedWorkbook(_) => "damaged-workbook",
            Self::WorkbookTooLarge => "workbook-too-large",
            Self::EncryptedWorkbook => "encrypted-workbook",
            Self::NoSuchSheet => "no-such-sheet",
            Self::UnknownEncoding => "unknown-encoding",
            Self::UnusableDelimiter => "unusable-delimiter",
            Self::Unreadable(_) => "unreadable-file",
            Self::Changed => "file-changed",
        }
    }

    /// The row it is about, where it is about one.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        match self {
            Self::RowTooLong { row }
            | Self::CellTooLong { row }
            | Self::TooManyColumns { row }
            | Self::UnclosedQuote { row }
            | Self::Json { row, .. } => Some(*row),
            Self::Empty
            | Self::Binary
            | Self::Unsupported(_)
            | Self::NotATable
            | Self::NoHeader
            | Self::DamagedWorkbook(_)
            | Self::WorkbookTooLarge
            | Self::EncryptedWorkbook
            | Self::NoSuchSheet
            | Self::UnknownEncoding
            | Self::UnusableDelimiter
            | Self::Unreadable(_)
            | Self::Changed => None,
        }
    }
}

impl From<io::Error> for Refusal {
    // The kind only: a message of the system may name a path on our disk.
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.kind())
    }
}
