//! The columns of a difference: what the export of a list had, and what it will have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hayward_domain::record::Record;
use hayward_domain::schema::{FieldName, Schema};
use serde_json::Value;

use crate::records::private_name;

/// One column.
#[derive(Clone)]
pub struct DiffColumn {
    /// Its name in the export.
    pub name: String,
    /// Whether the export has it before.
    pub before: bool,
    /// Whether it has it afterwards.
    pub after: bool,
    /// Whether records are told apart by it.
    pub is_key: bool,
    /// Whether any record differs in it.
    pub differs: bool,
}

/// Where the cells of a column come from.
pub(super) enum Source {
    Field(FieldName),
    Private(String),
}

impl Source {
    /// What a record has there; null for nothing.
    pub(super) fn cell(&self, record: &Record) -> Value {
        match self {
            Self::Field(name) => record.fields.get(name).cloned().unwrap_or_default(),
            Self::Private(header) => record.private.get(header).map_or(Value::Null, |text| text.as_str().into()),
        }
    }
}

/// The columns while records are counted.
pub(super) struct Columns {
    schema: Arc<Schema>,
    key: Vec<String>,
    /// How many records have each private column, before and after.
    private: BTreeMap<String, (i64, i64)>,
    fields_that_differ: BTreeSet<FieldName>,
    private_that_differ: BTreeSet<String>,
}

impl Columns {
    /// `private` says how many records have each private column now.
    pub(super) fn new(schema: &Arc<Schema>, key: Option<Vec<String>>, private: BTreeMap<String, i64>) -> Self {
        Self {
            schema: Arc::clone(schema),
            key: key.unwrap_or_else(|| schema.key.iter().map(ToString::to_string).collect()),
            private: private.into_iter().map(|(header, count)| (header, (count, count))).collect(),
            fields_that_differ: BTreeSet::new(),
            private_that_differ: BTreeSet::new(),
        }
    }

    /// Takes one record into account, as it was and as it will be.
    pub(super) fn count(&mut self, before: Option<Record>, after: Option<Record>) {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        for header in before.private.keys() {
            self.private.entry(header.clone()).or_default().1 -= 1;
        }
        for header in after.private.keys() {
            self.private.entry(header.clone()).or_default().1 += 1;
        }
        differing(&before.fields, &after.fields, &mut self.fields_that_differ);
        differing(&before.private, &after.private, &mut self.private_that_differ);
    }

    /// The columns, once every record has been counted, each with where its cells come from.
    pub(super) fn settle(self) -> (Vec<DiffColumn>, Vec<Source>) {
        let Self { schema, key, private, fields_that_differ, private_that_differ } = self;
        let fields = schema.fields.iter().map(|field| {
            let column = DiffColumn {
                name: field.name.to_string(),
                before: true,
                after: true,
                is_key: key.iter().any(|name| name == field.name.as_str()),
                differs: fields_that_differ.contains(&field.name),
            };
            (column, Source::Field(field.name.clone()))
        });
        let private = private.into_iter().filter(|(_, (before, after))| *before > 0 || *after > 0);
        let private = private.map(|(header, (before, after))| {
            let column = DiffColumn {
                name: private_name(&header, &schema),
                before: before > 0,
                after: after > 0,
                is_key: false,
                differs: private_that_differ.contains(&header),
            };
            (column, Source::Private(header))
        });
        fields.chain(private).unzip()
    }
}

/// Adds the names whose values are not the same in both.
fn differing<N: Ord + Clone, V: PartialEq>(one: &BTreeMap<N, V>, other: &BTreeMap<N, V>, into: &mut BTreeSet<N>) {
    for name in one.keys().chain(other.keys()) {
        if one.get(name) != other.get(name) && !into.contains(name) {
            into.insert(name.clone());
        }
    }
}
