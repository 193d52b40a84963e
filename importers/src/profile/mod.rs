//! The first reading of a file: what it is, and what every column holds.
//!
//! Nothing is decided here that a person may decide; a profile keeps counts and three samples a column, never the values.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fold::trim;
use crate::marked::{MARKS, is_mark};
use crate::problem::shortened;
use crate::refusal::{COLUMNS, Refusal};
use crate::source::Source;
use crate::table::{Cell, Format, Layout, Line, Overrules, Reading, Row, Shape, csv_plain, each, find};

mod tally;

pub use tally::Tally;

/// How many samples of a column are kept.
const SAMPLES: usize = 3;

/// What one column is called and holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnProfile {
    /// `A` … `Z`, `AA` …
    pub letter: String,
    /// Its heading, with single spaces; for JSON the path of its key.
    pub header: String,
    /// At most three different values, shortened. For the owner of the file only.
    pub samples: Vec<String>,
    /// How many cells have something in them.
    pub filled: u64,
    /// What its values have in common.
    pub tally: Tally,
}

// By hand: samples are people's data, and what was taken for a heading may be.
impl fmt::Debug for ColumnProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ColumnProfile({}, {} filled)", self.letter, self.filled)
    }
}

/// Something about the file that its owner should know before going on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// `blank-label`, `duplicate-label`, `encoding-error`, `mixed-encodings` or `total-row`.
    pub code: String,
    /// The letter of the column, unless it is about the file.
    pub column: Option<String>,
    /// In words.
    pub message: String,
}

/// What the first reading found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// How the file was read.
    pub reading: Reading,
    /// Its columns, in their order.
    pub columns: Vec<ColumnProfile>,
    /// How many rows stand below the header, blank ones included.
    pub rows: u64,
    /// What its owner should know.
    pub notes: Vec<Note>,
    /// Whether some bytes mean nothing in the encoding, so that a U+FFFD in a cell is a loss and not the owner's own.
    pub damaged: bool,
    /// Whether it may be the marked list of another file: see [`crate::returned`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
}

/// Reads `source` once, from beginning to end.
///
/// # Errors
/// Where the file as a whole cannot be read.
pub fn profile(source: &dyn Source) -> Result<Profile, Refusal> {
    profile_as(source, &Overrules::default())
}

/// Reads `source` as [`profile`] does, where `overrules` says how and not by guess. What was said is in the profile's reading, so the
/// second reading obeys it too.
///
/// # Errors
/// Where the file as a whole cannot be read, or not in this way.
pub fn profile_as(source: &dyn Source, overrules: &Overrules) -> Result<Profile, Refusal> {
    let layout = find(source, overrules)?;
    let mut rows = layout.rows(source)?;
    let Layout { reading, damaged, foreign_lines, .. } = layout;
    let mut row = Row::default();
    let mut survey = Survey::default();
    let grows = !reading.format.has_header() || reading.header_row == 0;
    if !grows {
        survey.columns = loop {
            match rows.next(&mut row)? {
                Some(_) if row.number == reading.header_row => break headings(&row, reading.format),
                Some(_) => {}
                None => return Err(Refusal::NoHeader),
            }
        };
    }
    let rows = each(rows, |block| {
        for (line, row) in block.rows() {
            survey.rows += 1;
            if line == Line::Cells {
                survey.add(row, grows);
            }
        }
    })?;
    for (column, name) in survey.columns.iter_mut().zip(rows.keys().into_names()) {
        column.header = name;
    }
    if survey.columns.is_empty() && survey.rows > 0 {
        return Err(Refusal::NotATable);
    }
    let marked = !grows && !survey.own_words && survey.columns.first().is_some_and(|column| column.header == MARKS);
    let mut notes = survey.notes(damaged);
    if let Some(other) = &reading.mixed_with {
        let message =
            format!("{foreign_lines} lines are not in {}, as the others are, and were read as {other}", reading.encoding);
        notes.insert(0, Note { code: "mixed-encodings".to_owned(), column: None, message });
    }
    Ok(Profile { reading, columns: survey.columns, rows: survey.rows, notes, damaged, marked })
}

impl Profile {
    /// The column with this letter.
    #[must_use]
    pub fn column(&self, letter: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.letter == letter)
    }
}

impl ColumnProfile {
    fn new(index: usize, header: String) -> Self {
        Self { letter: letter(index), header, samples: Vec::new(), filled: 0, tally: Tally::default() }
    }

    /// Whether there is nothing in it and nothing above it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.is_empty() && self.filled == 0
    }

    fn add(&mut self, cell: Cell<'_>) {
        self.filled += 1;
        // Numbers of JSON say themselves how they are read.
        match cell.shape {
            Shape::Text => self.tally.add(csv_plain(cell.text)),
            Shape::Number => self.tally.add_serial(cell.text),
            Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => {}
        }
        if self.samples.len() < SAMPLES && cell.shape != Shape::Nested {
            let sample = shortened(trim(cell.text));
            if !self.samples.contains(&sample) {
                self.samples.push(sample);
            }
        }
    }
}

/// What is counted while the file goes by.
#[derive(Default)]
struct Survey {
    columns: Vec<ColumnProfile>,
    rows: u64,
    garbled: u64,
    /// The last row, if it looks like a total.
    total: Option<u64>,
    /// Whether the first column has a cell that is not one of the sentences of a marked list.
    own_words: bool,
}

/// What stands before a total, in the six languages of our schemas.
const TOTALS: [&str; 10] = ["total", "totals", "totales", "totais", "totaux", "sum", "suma", "soma", "somme", "summe"];

impl Survey {
    fn add(&mut self, row: &Row, grows: bool) {
        while grows && self.columns.len() < row.len().min(COLUMNS) {
            self.columns.push(ColumnProfile::new(self.columns.len(), String::new()));
        }
        if !row.is_blank() {
            self.total = is_total(row).then_some(row.number);
        }
        let mut garbled = false;
        let first = row.cell(0);
        self.own_words |= !first.is_blank() && !is_mark(first.text);
        let may_be_garbled = !row.is_ascii();
        for (cell, column) in row.cells().zip(&mut self.columns) {
            if !cell.is_blank() {
                column.add(cell);
                garbled |= may_be_garbled && is_garbled(cell.text);
            }
        }
        self.garbled += u64::from(garbled);
    }

    fn notes(&self, damaged: bool) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut note = |code: &str, column: Option<&str>, message: String| {
            notes.push(Note { code: code.to_owned(), column: column.map(str::to_owned), message });
        };
        if damaged {
            note(
                "encoding-error",
                None,
                "some bytes are not text in the encoding of the file; the cells they are in are refused".to_owned(),
            );
        }
        if self.garbled > 0 {
            let rows = self.garbled;
            note("encoding-error", None, format!("{rows} rows look as if their accents had been saved in the wrong encoding"));
        }
        if let Some(row) = self.total {
            note("total-row", None, format!("row {row} looks like a total of the rows above, and is read as a row like them"));
        }
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for column in &self.columns {
            let letter = column.letter.as_str();
            if column.header.is_empty() {
                if column.filled > 0 {
                    note("blank-label", Some(letter), format!("column {letter} has values and no heading"));
                }
            } else if let Some(first) = seen.get(column.header.as_str()) {
                note("duplicate-label", Some(letter), format!("column {letter} has the same heading as column {first}"));
            } else {
                seen.insert(&column.header, letter);
            }
        }
        notes
    }
}

/// The columns under the headings of `row`.
pub(crate) fn headings(row: &Row, format: Format) -> Vec<ColumnProfile> {
    let heading = |cell: Cell<'_>| trim(cell.text).replace('\0', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    // Only exports of CSV write an apostrophe before what looks like a formula.
    let plain = |heading: String| if format == Format::Csv { csv_plain(&heading).to_owned() } else { heading };
    row.cells().enumerate().map(|(index, cell)| ColumnProfile::new(index, plain(heading(cell)))).collect()
}

/// Whether a row says that it is a total, and has little else in it.
fn is_total(row: &Row) -> bool {
    let mut filled = row.cells().filter(|cell| !cell.is_blank());
    let says = |text: &str| {
        let word = text.trim_start().split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        TOTALS.iter().any(|total| word.eq_ignore_ascii_case(total))
    };
    // Nearly every row begins with something else.
    let first = filled.next().filter(|cell| cell.text.len() <= 24 && cell.text.contains(['t', 'T', 's', 'S']));
    first.is_some_and(|cell| says(cell.text)) && filled.count() * 2 < row.len()
}

/// Whether UTF-8 seems to have been saved once more as windows-1252: `Ã©` for `é`.
fn is_garbled(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let pairs = text.chars().zip(text.chars().skip(1));
    pairs.into_iter().any(|(first, second)| matches!(first, 'Ã' | 'Â') && ('\u{80}'..='\u{bf}').contains(&second))
}

/// The letter of the column at `index`, counted from 0.
pub(crate) fn letter(index: usize) -> String {
    let mut letters = Vec::new();
    let mut left = index + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or(0)));
        left /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let letters: Vec<String> = [0, 25, 26, 51, 52, 701, 702].into_iter().map(letter).collect();
        assert_eq!(letters, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
