//! Records of a JSON file as rows.
//!
//! The columns are the keys of all records, in the order in which they first appear. A record that is broken is one row's
//! problem; a file whose records cannot be told apart is refused.

use super::Line;
use super::flatten::{Flattener, Keys};
use super::row::{Row, Shape};
use super::scan::{Arrangement, Records};
use crate::refusal::Refusal;
use crate::text::Text;

/// The rows of a file.
pub(crate) struct Rows {
    records: Records,
    flattener: Flattener,
    record: String,
    number: u64,
    arrangement: Arrangement,
}

impl Rows {
    /// Reads `text`, with the columns of `keys` first and others as they come.
    pub(crate) fn new(text: Text, arrangement: Arrangement, keys: Keys) -> Self {
        let (records, flattener) = (Records::new(text, arrangement), Flattener::new(keys));
        Self { records, flattener, record: String::new(), number: 1, arrangement }
    }

    /// Reads the next record into `row`; nothing at the end of the file.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<Option<Line>, Refusal> {
        let number = self.number + 1;
        row.begin(number);
        if !self.records.next(number, &mut self.record)? {
            return Ok(None);
        }
        self.number = number;
        let record = self.record.trim_matches([' ', '\t', '\r', '\n']);
        if record.is_empty() && self.arrangement == Arrangement::Lines {
            return Ok(Some(Line::Cells));
        }
        let read = match self.arrangement {
            Arrangement::Document | Arrangement::Lines => self.flattener.read(record),
            Arrangement::Features => self.flattener.read_feature(record),
        };
        if let Err(why) = read {
            return Ok(Some(Line::Broken(why)));
        }
        for cell in self.flattener.cells() {
            let (shape, text) = cell.as_ref().map_or((Shape::Text, ""), |(shape, text)| (*shape, text.as_str()));
            row.push(text);
            row.end_cell(shape);
        }
        row.check()?;
        Ok(Some(Line::Cells))
    }

    /// The keys that have been seen so far.
    pub(crate) fn keys(self) -> Keys {
        self.flattener.into_keys()
    }
}
