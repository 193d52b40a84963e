//! What one row comes to.

use std::collections::BTreeMap;
use std::fmt;

use hayward_domain::record::Record;
use hayward_domain::schema::FieldName;

use super::plan::Target;
use super::typing::{Slot, Typed};
use crate::problem::Problem;
use crate::read::Held;

/// What one row of a file comes to. Rows are numbered as a spreadsheet does.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftRow<R = Ready> {
    /// It can go in.
    Ready(R),
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

/// A row that can go in, of which nobody wants the record: only whether it is right.
#[derive(Clone, PartialEq)]
pub struct Sound {
    /// Its number.
    pub row: u64,
    /// As in [`Ready`].
    pub key: String,
    /// Required fields that it does not fill: problems, where there is no record that has them.
    pub missing: Vec<Problem>,
    /// What its owner may want to look at.
    pub warnings: Vec<Problem>,
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

impl Sound {
    /// Drops what the row says.
    pub(super) fn of(row: u64, key: String, typed: Typed<'_>, _: &[Target]) -> Self {
        Self { row, key, missing: typed.missing.into_iter().map(|(_, problem)| problem).collect(), warnings: Vec::new() }
    }
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sound(row {}, {} missing)", self.row, self.missing.len())
    }
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready(row {}, {:?})", self.row, self.record)
    }
}

impl Ready {
    /// Makes the record of a row in which nothing is wrong.
    pub(super) fn of(row: u64, key: String, typed: Typed<'_>, targets: &[Target]) -> Self {
        let (mut clears, mut clears_private) = (Vec::new(), Vec::new());
        let (mut fields, mut private) = (Vec::with_capacity(targets.len()), Vec::new());
        for (target, slot) in targets.iter().zip(typed.slots) {
            match (target, slot) {
                (_, Slot::Untouched) => {}
                (Target::Field(name), Slot::Cleared) => clears.push(name.clone()),
                (Target::Private(name), Slot::Cleared) => clears_private.push(name.clone()),
                (Target::Field(name), Slot::Holds(value)) => fields.push((name.clone(), value.into_value())),
                (Target::Private(name), Slot::Holds(Held::Text(text))) => private.push((name.clone(), text.into_owned())),
                (Target::Private(_), Slot::Holds(Held::Number(_) | Held::Boolean(_) | Held::Structured(_))) => {}
            }
        }
        // Both stand in order already, of which a map is made at once.
        let record = Record { fields: fields.into_iter().collect(), private: private.into_iter().collect() };
        let missing = typed.missing.into_iter().collect();
        Self { row, key, record, clears, clears_private, missing, warnings: Vec::new() }
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
