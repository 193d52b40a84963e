//! What a person says about how a file is to be read, where the guess was wrong.

use std::fmt;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use super::LineEnds;
use crate::refusal::Refusal;

/// What is not to be guessed. What a format does not have, as JSON has no separator, is passed over.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrules {
    /// The encoding, by any of its names (WHATWG Encoding Standard): `windows-1252`, `latin1`, `macintosh` …
    pub encoding: Option<String>,
    /// The separator: a character of punctuation, or a tab.
    pub delimiter: Option<char>,
    /// What ends a row.
    pub line_ends: Option<LineEnds>,
    /// The row with the headings; 0 where there is none, and columns go by their letters.
    pub header_row: Option<u64>,
    /// The sheet of a workbook, by name; a hidden one too.
    pub sheet: Option<String>,
}

// By hand: a sheet may be called after a person.
impl fmt::Debug for Overrules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { encoding, delimiter, line_ends, header_row, sheet } = self;
        let sheet = if sheet.is_some() { "a sheet" } else { "no sheet" };
        write!(f, "Overrules({encoding:?}, {delimiter:?}, {line_ends:?}, {header_row:?}, {sheet})")
    }
}

impl Overrules {
    pub(super) fn encoding(&self) -> Result<Option<&'static Encoding>, Refusal> {
        let Some(name) = &self.encoding else { return Ok(None) };
        Encoding::for_label(name.as_bytes()).map(Some).ok_or(Refusal::UnknownEncoding)
    }

    pub(super) fn delimiter(&self) -> Result<Option<char>, Refusal> {
        let usable = |letter: char| letter == '\t' || (letter.is_ascii_punctuation() && letter != '"');
        match self.delimiter {
            Some(letter) if !usable(letter) => Err(Refusal::UnusableDelimiter),
            delimiter => Ok(delimiter),
        }
    }
}
