//! What one row comes to.

use std::collections::BTreeMap;
use std::fmt;

use hayward_domain::record::Record;
use hayward_domain::schema::FieldName;

use crate::problem::Problem;

/// What one row of a file comes to. Rows are numbered as a spreadsheet does.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftRow {
    /// It can go in.
    Ready(Ready),
    /// It cannot; the other rows can.
    Rejected {
        /// Which.
        row: u64,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
        /// The key of the record that it is about, where the row tells: a mistake elsewhere in it is no sign that the record is gone.
        key: Option<String>,
    },
    /// It says what an earlier row said.
    Duplicate {
        /// Which.
        row: u64,
        /// The earlier row.
        first: u64,
    },
    /// There is nothing in it.
    Blank {
        /// Which.
        row: u64,
    },
}

/// A row that can go in.
#[derive(Clone, PartialEq)]
pub struct Ready {
    /// Its number.
    pub row: u64,
    /// The values of the key fields, as a JSON array: equal for the same record, whatever file it is in.
    pub key: String,
    /// The record that the row makes if there is none. Of one that is there, a field that is absent stays as it was.
    pub record: Record,
    /// Fields that it empties.
    pub clears: Vec<FieldName>,
    /// The same for columns that no agreement can name, by heading.
    pub clears_private: Vec<String>,
    /// Required fields that this row does not fill: a problem only if the record does not have them already.
    pub missing: BTreeMap<FieldName, Problem>,
    /// What its owner may want to look at.
    pub warnings: Vec<Problem>,
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready(row {}, {:?})", self.row, self.record)
    }
}

impl Ready {
    /// Row `row`, with nothing in it yet.
    pub(super) fn new(row: u64) -> Self {
        let (record, missing) = (Record::default(), BTreeMap::new());
        Self { row, key: String::new(), record, clears: Vec::new(), clears_private: Vec::new(), missing, warnings: Vec::new() }
    }

    /// What `existing` becomes through this row.
    #[must_use]
    pub fn onto(&self, existing: &Record) -> Record {
        let mut record = existing.clone();
        self.clears.iter().for_each(|name| drop(record.fields.remove(name)));
        self.clears_private.iter().for_each(|header| drop(record.private.remove(header)));
        record.fields.extend(self.record.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        record.private.extend(self.record.private.iter().map(|(header, value)| (header.clone(), value.clone())));
        record
    }
}
