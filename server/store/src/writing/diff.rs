//! The difference that a commit would make, or made.

use std::collections::BTreeSet;
use std::sync::Arc;

use hayward_domain::record::Record;
use hayward_domain::schema::{FieldName, Schema};
use serde::Serialize;
use serde_json::{Value, json};

use super::compare::{Found, compare};
use super::present::{LiveRow, Present};
use super::touched::Touched;
use crate::Store;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState};
use crate::records::private_name;

/// One line of the difference between the file and the dataset.
#[derive(Serialize)]
pub struct DiffItem {
    /// `created`, `updated` or `removed`.
    pub change: &'static str,
    /// The row of the file, as a spreadsheet numbers it; none for what is removed.
    pub row: Option<u64>,
    /// The key of the record.
    pub key: Value,
    /// The fields that change: `{name: [before, after]}`.
    pub fields: serde_json::Map<String, Value>,
}

impl Store {
    /// The difference that a commit would make, or made: items after the `after`-th, one more than `limit` if there are more.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no file to compare any more.
    pub fn import_diff(self: &Arc<Self>, import: &Import, after: usize, limit: usize) -> Result<Vec<DiffItem>> {
        let schema = self.schema_of(import)?;
        if let Some(edition) = import.committed_edition {
            return self.made_diff(import, edition, after, limit, &schema);
        }
        if matches!(import.state, ImportState::Committed | ImportState::Undone) {
            // It was committed, and there was nothing to change.
            return Ok(Vec::new());
        }
        let plan = self.plan(import)?;
        let head = self.head(import)?;
        let present = Present::new(self, import.dataset_number, head, |_| Ok(()));
        let (mut items, mut at) = (Vec::new(), 0);
        let mut add = |row: Option<u64>, key: &str, before: Option<&LiveRow>, record: Option<&Record>| {
            if at >= after && items.len() <= limit {
                items.push(diff_item(row, key, before, record, &schema)?);
            }
            at += 1;
            Ok::<_, StoreError>(())
        };
        let outcome = compare(plan, &present, |one| match one {
            Found::Problems(_) => Ok(()),
            Found::Changed { row, before, after } => add(Some(row), &after.key, before, Some(&after.record)),
        });
        let (_, seen) = outcome.map_err(|error| error.into_store())?;
        if let Some(seen) = seen {
            present.absent(&seen, |row| add(None, &row.key, Some(&row), None))?;
        }
        Ok(items)
    }

    /// The difference that an edition made, in the order of the records.
    fn made_diff(&self, import: &Import, edition: i64, after: usize, limit: usize, schema: &Schema) -> Result<Vec<DiffItem>> {
        self.still_kept(import.dataset_number, edition)?;
        let touched = self.touched_page(import.dataset_number, edition, after, limit + 1)?;
        let item = |Touched { before, after, .. }: Touched| {
            let key = after.as_ref().or(before.as_ref()).map_or("", |row| row.key.as_str());
            let record =
                after.as_ref().map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
            diff_item(None, key, before.as_ref(), record.as_ref(), schema)
        };
        touched.into_iter().map(item).collect()
    }
}

fn diff_item(row: Option<u64>, key: &str, before: Option<&LiveRow>, after: Option<&Record>, schema: &Schema) -> Result<DiffItem> {
    let before = before.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
    let cell = |record: Option<&Record>, name: &FieldName| {
        record.and_then(|record| record.fields.get(name)).cloned().unwrap_or_default()
    };
    let mut fields = serde_json::Map::new();
    for field in &schema.fields {
        let (old, new) = (cell(before.as_ref(), &field.name), cell(after, &field.name));
        if old != new {
            fields.insert(field.name.to_string(), json!([old, new]));
        }
    }
    let headers = |record: Option<&Record>| record.map(|record| record.private.clone()).unwrap_or_default();
    let (old, new) = (headers(before.as_ref()), headers(after));
    for header in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        if old.get(header) != new.get(header) {
            fields.insert(private_name(header, schema), json!([old.get(header), new.get(header)]));
        }
    }
    let change = match (&before, after) {
        (None, _) => "created",
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "removed",
    };
    Ok(DiffItem { change, row, key: serde_json::from_str(key).unwrap_or_default(), fields })
}
