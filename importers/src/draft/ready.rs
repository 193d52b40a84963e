//! What one row comes to.

use std::collections::BTreeMap;
use std::fmt;

use hayward_domain::record::Record;
use hayward_domain::schema::FieldName;
use serde_json::Value;

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
    /// New values; nothing where a field is to be emptied. A field that is absent stays as it was.
    pub fields: BTreeMap<FieldName, Option<Value>>,
    /// The same for columns that no agreement can name, by heading.
    pub private: BTreeMap<String, Option<String>>,
    /// Required fields that this row does not fill: a problem only if the record does not have them already.
    pub missing: BTreeMap<FieldName, Problem>,
    /// What its owner may want to look at.
    pub warnings: Vec<Problem>,
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready(row {}, {} fields)", self.row, self.fields.len())
    }
}

/// What a row makes by itself, and what else it says: [`Ready`], taken apart without a copy.
pub struct Alone {
    /// The record that the row makes if there is none.
    pub record: Record,
    /// Fields that it empties.
    pub clears: Vec<FieldName>,
    /// The same for columns that no agreement can name.
    pub clears_private: Vec<String>,
    /// As in [`Ready`].
    pub row: u64,
    /// As in [`Ready`].
    pub key: String,
    /// As in [`Ready`].
    pub missing: BTreeMap<FieldName, Problem>,
    /// As in [`Ready`].
    pub warnings: Vec<Problem>,
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alone(row {}, {:?})", self.row, self.record)
    }
}

impl From<Ready> for Alone {
    fn from(ready: Ready) -> Self {
        let Ready { row, key, fields, private, missing, warnings } = ready;
        let (mut clears, mut clears_private) = (Vec::new(), Vec::new());
        let fields = fields.into_iter().filter_map(|(name, value)| match value {
            Some(value) => Some((name, value)),
            None => {
                clears.push(name);
                None
            }
        });
        let fields = fields.collect();
        let private = private.into_iter().filter_map(|(header, value)| match value {
            Some(value) => Some((header, value)),
            None => {
                clears_private.push(header);
                None
            }
        });
        let record = Record { fields, private: private.collect() };
        Self { record, clears, clears_private, row, key, missing, warnings }
    }
}

impl Alone {
    /// What `existing` becomes through this row.
    #[must_use]
    pub fn onto(&self, existing: &Record) -> Record {
        let mut record = existing.clone();
        record.fields.extend(self.record.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        record.private.extend(self.record.private.iter().map(|(header, value)| (header.clone(), value.clone())));
        self.clears.iter().for_each(|name| drop(record.fields.remove(name)));
        self.clears_private.iter().for_each(|header| drop(record.private.remove(header)));
        record
    }
}

/// What `existing` becomes through `ready`; a new record if there is none.
#[must_use]
pub fn merge(existing: Option<&Record>, ready: &Ready) -> Record {
    let mut record = existing.cloned().unwrap_or_default();
    for (name, value) in &ready.fields {
        match value {
            Some(value) => record.fields.insert(name.clone(), value.clone()),
            None => record.fields.remove(name),
        };
    }
    for (header, value) in &ready.private {
        match value {
            Some(value) => record.private.insert(header.clone(), value.clone()),
            None => record.private.remove(header),
        };
    }
    record
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use proptest::prelude::*;

    use super::*;

    fn fields() -> impl Strategy<Value = BTreeMap<FieldName, Option<Value>>> {
        let value = prop_oneof![Just(None), (0..3i64).prop_map(|number| Some(Value::from(number)))];
        prop::collection::btree_map("[a-d]".prop_map(|name| FieldName::parse(&name).unwrap()), value, 0..4)
    }

    fn private() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
        prop::collection::btree_map("[A-D]", prop::option::of("[xy]"), 0..4)
    }

    proptest! {
        #[test]
        fn a_row_taken_apart_does_what_the_whole_does(
            fields in fields(), private in private(), old_fields in fields(), old_private in private(),
        ) {
            let (missing, warnings) = (BTreeMap::new(), Vec::new());
            let ready = Ready { row: 2, key: String::new(), fields, private, missing, warnings };
            let existing = Record {
                fields: old_fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
                private: old_private.into_iter().filter_map(|(header, value)| Some((header, value?))).collect(),
            };
            let alone = Alone::from(ready.clone());
            prop_assert!(alone.onto(&existing) == merge(Some(&existing), &ready));
            prop_assert!(alone.record == merge(None, &ready));
        }
    }
}
