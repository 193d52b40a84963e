//! Taking an import back.

use std::collections::HashMap;
use std::sync::Arc;

use super::TouchedRow;
use crate::Store;
use crate::conn::Eyes;
use crate::edition::{Cause, Change, Commit};
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, set_state};
use crate::sql::{Number, Sql};

impl Store {
    /// Takes a committed import back, as a new edition. Records that something changed since stay as they are; how many is returned.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` where it is not committed.
    pub fn undo_import(self: &Arc<Self>, import: &Import) -> Result<u64> {
        if import.state != ImportState::Committed {
            return Err(StoreError::refused("wrong-state", "only a committed import can be undone"));
        }
        let mut commit = Commit::begin(self, import.dataset_number, "undo")?;
        let kept = match self.reverse(import, &mut commit) {
            Ok(kept) => kept,
            Err(error) => {
                commit.give_up();
                return Err(error);
            }
        };
        let (id, now) = (import.id.clone(), commit.now());
        commit.publish(Cause::Undo, Some(&import.id), |conn, edition| {
            set_state(conn, &id, &[ImportState::Committed], ImportState::Undone, now)?;
            conn.execute(Sql::new("update imports set edition = ? where id = ?").bind(edition).bind(&id)).map(drop)
        })?;
        Ok(kept)
    }

    fn reverse(&self, import: &Import, commit: &mut Commit) -> Result<u64> {
        let Some(edition) = import.committed_edition else { return Ok(0) };
        self.still_kept(import.dataset_number, edition)?;
        let touched = self.touched(import.dataset_number, edition)?;
        let mut kept = 0;
        let mut changes = Vec::new();
        for (before, after) in by_record(&touched, edition).into_values() {
            match (before, after) {
                // Only what is still as the import left it is taken back.
                (_, Some(after)) if after.died != i64::MAX => kept += 1,
                (Some(before), Some(after)) => changes.push(Change::Update {
                    row: after.row,
                    record: after.record,
                    key: before.key.clone(),
                    body: before.body.clone(),
                }),
                (None, Some(after)) => changes.push(Change::Remove { row: after.row, record: after.record }),
                (Some(before), None) => {
                    if commit.live(&[before.key.as_str()])?.is_empty() {
                        changes.push(Change::Revive {
                            record: before.record,
                            key: before.key.clone(),
                            body: before.body.clone(),
                        });
                    } else {
                        kept += 1;
                    }
                }
                (None, None) => {}
            }
        }
        commit.stage(changes)?;
        Ok(kept)
    }

    /// Refuses an edition whose replaced versions are pruned: what they held cannot be brought back, and an update would look like
    /// a creation.
    pub(super) fn still_kept(&self, dataset: i64, edition: i64) -> Result<()> {
        let select = "select count(*) as value from editions e join commit_counter c on c.only_row = 1
            where e.dataset = ? and e.edition = ? and e.commit_number > c.pruned";
        let select = Sql::new(select).bind(dataset).bind(edition);
        if self.db.read(Eyes::Own, |conn| conn.one::<Number>(select))?.value == 1 {
            return Ok(());
        }
        Err(StoreError::refused("too-old", "what this import replaced is no longer kept"))
    }
}

/// What was there before an edition and what it made, by record.
pub(super) fn by_record(touched: &[TouchedRow], edition: i64) -> HashMap<i64, (Option<&TouchedRow>, Option<&TouchedRow>)> {
    let mut records: HashMap<i64, (Option<&TouchedRow>, Option<&TouchedRow>)> = HashMap::new();
    for row in touched {
        let entry = records.entry(row.record).or_default();
        if row.born == edition {
            entry.1 = Some(row);
        } else {
            entry.0 = Some(row);
        }
    }
    records
}
