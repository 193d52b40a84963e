//! Taking an import back.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use hayward_domain::record::Record;

use super::commit::Changes;
use super::present::{LiveRow, Present};
use super::touched::Touched;
use crate::Store;
use crate::conn::Eyes;
use crate::edition::{Batch, Cause, Change, Commit, Version, Writing};
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, set_state};
use crate::parallel;
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
        let view = Arc::clone(&commit.view);
        parallel::piped(|send| self.reversed(&view, edition, send), |batch| commit.write(batch))
    }

    /// Everything that takes an edition back, prepared to be written. How many records stay as they are is returned.
    fn reversed(&self, view: &Writing, edition: i64, send: &SyncSender<Batch>) -> Result<u64> {
        let present = Present::new(self, view.dataset.number, view.dataset.head, |_| view.renew());
        let mut changes = Changes::new(view, send);
        let mut kept = 0;
        self.touched(view.dataset.number, edition, |page| {
            let gone = |one: &Touched| one.before.as_ref().filter(|_| one.after.is_none()).map(|before| before.key.clone());
            let gone: Vec<String> = page.iter().filter_map(gone).collect();
            let marks = present.marks(gone.iter().map(String::as_str).collect())?;
            let taken: HashSet<String> = marks.into_iter().map(|mark| mark.key).collect();
            for one in page {
                match reverse(one, &taken)? {
                    Some(change) => changes.add(change)?,
                    None => kept += 1,
                }
            }
            Ok(())
        })?;
        changes.send()?;
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

/// What takes back what an edition did to a record; nothing where something else has changed it since, or has its key now.
fn reverse(one: Touched, taken: &HashSet<String>) -> Result<Option<Change>> {
    let version = |before: LiveRow| {
        let record = Record::from_body(&before.body).ok_or(StoreError::Corrupt("a record"))?;
        Ok::<_, StoreError>(Version::new(before.key, record))
    };
    Ok(match (one.before, one.after) {
        _ if one.changed_since => None,
        (Some(before), Some(after)) => Some(Change::Update { row: after.row, record: after.record, version: version(before)? }),
        (None, Some(after)) => Some(Change::Remove { row: after.row, record: after.record }),
        (Some(before), None) if taken.contains(&before.key) => None,
        (Some(before), None) => Some(Change::Revive { record: before.record, version: version(before)? }),
        (None, None) => None,
    })
}
