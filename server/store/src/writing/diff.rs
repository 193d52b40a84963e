//! The difference that a commit would make, or made.

use std::collections::BTreeSet;
use std::sync::Arc;

use hayward_domain::record::Record;
use hayward_domain::schema::{FieldName, Schema};
use serde::Serialize;
use serde_json::{Value, json};

use super::compare::{Found, compare, live};
use super::undo::by_record;
use crate::Store;
use crate::edition::LiveRow;
use crate::error::{Result, StoreError};
use crate::imports::Import;
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
        let mut items = Vec::new();
        if let Some(edition) = import.committed_edition {
            self.still_kept(import.dataset_number, edition)?;
            let touched = self.touched(import.dataset_number, edition)?;
            for (before, after_version) in by_record(&touched, edition).into_values() {
                let record =
                    after_version.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
                let live =
                    before.map(|row| LiveRow { row: row.row, record: row.record, key: row.key.clone(), body: row.body.clone() });
                let key = after_version.or(before).map_or("", |row| row.key.as_str());
                items.push(diff_item(None, key, live.as_ref(), record.as_ref(), &schema)?);
            }
            items.sort_by_cached_key(|item| item.key.to_string());
            return Ok(items.into_iter().skip(after).take(limit + 1).collect());
        }
        let plan = self.plan(import)?;
        let live = |keys: &[&str]| live(self, import.dataset_number, keys);
        let mut at = 0;
        let outcome = compare(plan, live, |one| {
            if let Found::Changed { row, key, before, after: record } = one {
                if at >= after && items.len() <= limit {
                    items.push(diff_item(row, key, before, record, &schema)?);
                }
                at += 1;
            }
            Ok(())
        });
        let (_, seen) = outcome.map_err(|error| error.into_store())?;
        if let Some(seen) = seen {
            for row in self.absent(import.dataset_number, &seen)? {
                if at >= after && items.len() <= limit {
                    items.push(diff_item(None, &row.key, Some(&row), None, &schema)?);
                }
                at += 1;
            }
        }
        Ok(items)
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
