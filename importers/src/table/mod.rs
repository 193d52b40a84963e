//! A file as rows and columns, whatever its format.
//!
//! Rows are numbered as a spreadsheet numbers them: a quoted cell with line breaks is one row, an empty line is a row, and a line
//! `sep=;` is none. The first record of a JSON file is row 2, as if its keys were a header above it. What cells mean is not
//! decided here.

use std::fmt;

use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::source::Source;
use crate::text::{Text, head};
use crate::workbook::{self, Workbook};

mod block;
mod csv;
mod delimiter;
mod feature;
mod flatten;
mod header;
mod json;
mod layout;
mod overrules;
mod row;
mod safe;
mod scan;
mod sheets;

pub(crate) use block::{Block, End, each, read_on};
pub use csv::LineEnds;
pub(crate) use flatten::Keys;
pub(crate) use layout::{Layout, find};
pub use overrules::Overrules;
pub(crate) use row::{Cell, Row, Shape};
pub(crate) use safe::is_formula;
pub use safe::{csv_plain, csv_safe, is_nil, push_csv_cell};

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Cells between separators: `,`, `;`, tab or `|`.
    Csv,
    /// One array of objects, or one object.
    Json,
    /// One object a line.
    Ndjson,
    /// The places of a map.
    Geojson,
    /// A workbook of Office Open XML.
    Xlsx,
    /// A workbook of OpenDocument.
    Ods,
    /// A workbook of Excel 97 to 2003.
    Xls,
}

impl Format {
    /// Whether its columns are named by a row of their own; otherwise every record names them.
    pub(crate) fn has_header(self) -> bool {
        match self {
            Self::Csv | Self::Xlsx | Self::Ods | Self::Xls => true,
            Self::Json | Self::Ndjson | Self::Geojson => false,
        }
    }
}

/// How the file was read. A person may look at it and say that it was read wrong.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// What kind of file it is.
    pub format: Format,
    /// The name of the encoding in lower case: `utf-8`, `windows-1252` …
    pub encoding: String,
    /// The encoding of single lines that are not in that one, where a file was put together from several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixed_with: Option<String>,
    /// The separator; none where a line is one cell, and for formats without one.
    pub delimiter: Option<char>,
    /// What ends a row.
    #[serde(default, skip_serializing_if = "LineEnds::are_any")]
    pub line_ends: LineEnds,
    /// The row with the headings; 1 for JSON, 0 where somebody said that there is none.
    pub header_row: u64,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// All sheets of a workbook, hidden ones included, in the order of their tabs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheets: Vec<String>,
}

// By hand: a sheet may be called after a person.
impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, encoding, delimiter, header_row, sheets, .. } = self;
        write!(f, "Reading({format:?}, {encoding}, {delimiter:?}, header in row {header_row}, {} sheets)", sheets.len())
    }
}

impl Reading {
    fn new(format: Format, encoding: String) -> Self {
        let (mixed_with, delimiter, line_ends, sheet, sheets) = (None, None, LineEnds::Any, None, Vec::new());
        Self { format, encoding, mixed_with, delimiter, line_ends, header_row: 1, sheet, sheets }
    }

    /// The rows of `source` from the first one on, title rows and header included. JSON cells stand in the order of `keys`.
    pub(crate) fn rows(&self, source: &dyn Source, keys: Keys) -> Result<Rows, Refusal> {
        let text = || -> Result<Text, Refusal> {
            let encoding = Encoding::for_label(self.encoding.as_bytes()).unwrap_or(UTF_8);
            let other = self.mixed_with.as_ref().and_then(|other| Encoding::for_label(other.as_bytes()));
            Ok(Text::new(source.open()?, encoding, other))
        };
        match self.format {
            Format::Csv => csv::Rows::new(text()?, csv::Marks::new(self.delimiter, self.line_ends)).map(Rows::Csv),
            Format::Json => Ok(Rows::Json(json::Rows::new(text()?, scan::Arrangement::Document, keys))),
            Format::Ndjson => Ok(Rows::Json(json::Rows::new(text()?, scan::Arrangement::Lines, keys))),
            Format::Geojson => Ok(Rows::Json(json::Rows::new(text()?, scan::Arrangement::Features, keys))),
            Format::Xlsx | Format::Ods | Format::Xls => {
                let book = Workbook::open(source, &head(source)?)?.ok_or(Refusal::Changed)?;
                self.sheet_of(&book)
            }
        }
    }

    /// The rows of the sheet in `book` that was chosen.
    fn sheet_of(&self, book: &Workbook) -> Result<Rows, Refusal> {
        let sheet = book.sheets().iter().position(|sheet| Some(&sheet.name) == self.sheet.as_ref()).ok_or(Refusal::Changed)?;
        book.rows(sheet).map(Box::new).map(Rows::Sheet)
    }
}

/// What was found at one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Cells.
    Cells,
    /// A record that could not be read, and why; the ones after it can.
    Broken(&'static str),
}

/// The rows of a file, one at a time.
pub(crate) enum Rows {
    /// Of cells between separators.
    Csv(csv::Rows),
    /// Of JSON objects.
    Json(json::Rows),
    /// Of a sheet.
    Sheet(Box<workbook::Rows>),
}

impl Rows {
    /// Reads the next row into `row`; nothing at the end of the file.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<Option<Line>, Refusal> {
        match self {
            Self::Csv(rows) => Ok(rows.next(row)?.then_some(Line::Cells)),
            Self::Json(rows) => rows.next(row),
            Self::Sheet(rows) => Ok(rows.next(row)?.then_some(Line::Cells)),
        }
    }

    /// The keys that have been seen so far; none for formats with a header row.
    pub(crate) fn keys(self) -> Keys {
        match self {
            Self::Csv(_) | Self::Sheet(_) => Keys::default(),
            Self::Json(rows) => rows.keys(),
        }
    }
}
