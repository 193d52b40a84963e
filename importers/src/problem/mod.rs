//! What is wrong with one cell or one row, in words that its owner can act on.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

mod groups;

pub use groups::{Groups, ProblemGroup};

/// How much of a cell a problem repeats, in characters: enough to find it, not a second copy of the file.
const SHOWN: usize = 200;

/// One thing that is wrong. On the wire it is what `GET /api/v1/imports/{id}/problems` lists.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// The row as a spreadsheet numbers it, the header counted.
    pub row: u64,
    /// The letter of the column, unless it is about the row.
    pub column: Option<String>,
    /// The heading of the column.
    pub header: Option<String>,
    /// What the cell holds, shortened. For the owner of the file only.
    pub value: Option<String>,
    /// A stable word: `type-error`, `constraint-error`, `missing-cell`, `extra-cell`, `primary-key` …
    pub code: Cow<'static, str>,
    /// What is wrong, without the value.
    pub message: String,
    /// What may be meant, in the form in which it would be typed.
    pub suggestion: Option<String>,
}

// By hand: the value, and the suggestion made from it, are people's data.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem(row {}, column {:?}, {})", self.row, self.column, self.code)
    }
}

impl Problem {
    /// A problem of a whole row.
    pub(crate) fn of_row(row: u64, code: &'static str, message: impl Into<String>) -> Self {
        let (column, header, value, suggestion) = (None, None, None, None);
        Self { row, column, header, value, code: Cow::Borrowed(code), message: message.into(), suggestion }
    }

    /// The same problem, of one cell.
    pub(crate) fn at(mut self, letter: &str, header: Option<&str>, value: Option<&str>) -> Self {
        self.column = Some(letter.to_owned());
        self.header = header.map(str::to_owned);
        self.value = value.filter(|value| !value.is_empty()).map(shortened);
        self
    }

    /// The same problem, with what may be meant.
    pub(crate) fn meaning(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

/// The beginning of `text`, marked as such if there is more.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
