//! Taking an import back, as a new edition.
//!
//! * A record is reversed where nothing else has changed it since and, if the import removed it, nobody has its key now; otherwise it
//!   is kept as it is. [`lists`] tells beforehand, and afterwards, which is which.
//! * How many are kept is agreed to before anything is written: an undo that would keep more than it was told to does nothing.
//! * It stops the future and recalls no copy: to whom the import's records were given in the meantime is [`shown`]'s to find out.

mod lists;
mod shown;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use hayward_domain::record::Record;
use serde_json::{Value, json};

pub use lists::{UndoItem, UndoItems, Undoing};
pub use shown::Shown;
pub(crate) use shown::ShownRows;

use super::commit::Changes;
use super::present::{LiveRow, Present};
use super::touched::Touched;
use crate::Store;
use crate::conn::Eyes;
use crate::edition::{Batch, Cause, Change, Commit, Version, Writing};
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, drop_pieces, set_state};
use crate::ledger::GivenTo;
use crate::parallel;
use crate::sql::{Number, Sql};

/// Recipients that an undone import carries along.
const NOTED: usize = 100;

impl Store {
    /// Takes a committed import back, as a new edition. Records that something changed since stay as they are; there may be `keep` of
    /// them, or any number where nothing is said.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` where it is not committed, `edited-since` where more would stay, `too-old` where what
    /// it replaced is pruned.
    pub fn undo_import(self: &Arc<Self>, import: &Import, keep: Option<u64>) -> Result<Undoing> {
        if import.state != ImportState::Committed {
            return Err(StoreError::refused("wrong-state", "only a committed import can be undone"));
        }
        let mut commit = Commit::begin(self, import.dataset_number, "undo")?;
        if let Err(error) = self.same_schema(import) {
            commit.give_up();
            return Err(error);
        }
        let done = match self.reverse(import, keep, &mut commit) {
            Ok(done) => done,
            Err(error) => {
                commit.give_up();
                return Err(error);
            }
        };
        let (id, now) = (import.id.clone(), commit.now());
        commit.publish(Cause::Undo, Some(&import.id), |conn, edition| {
            set_state(conn, &id, &[ImportState::Committed], ImportState::Undone, now)?;
            let undone = json!({"reversed": done.reversed, "kept": done.kept}).to_string();
            let update = Sql::new("update imports set edition = ?, undone = ? where id = ?");
            conn.execute(update.bind(edition).bind(undone).bind(&id)).map(drop)
        })?;
        self.tidied(self.until_none(|conn| drop_pieces(conn, &import.id)).map(drop));
        Ok(done)
    }

    /// Writes down to whom the records of an undone import had been given: how many that were, and the first of them.
    ///
    /// # Errors
    /// Only the database's.
    pub fn note_given(&self, import: &Import, given: &[GivenTo]) -> Result<()> {
        let Some(Value::Object(mut undone)) = self.reload(import)?.undone else { return Ok(()) };
        undone.insert("disclosed".to_owned(), json!(given.iter().take(NOTED).collect::<Vec<_>>()));
        undone.insert("disclosed_count".to_owned(), given.len().into());
        let update = Sql::new("update imports set undone = ? where id = ?");
        let update = update.bind(Value::Object(undone).to_string()).bind(&import.id);
        self.db.write(|conn| conn.execute(update)).map(drop)
    }

    fn reverse(&self, import: &Import, keep: Option<u64>, commit: &mut Commit) -> Result<Undoing> {
        let Some(edition) = import.committed_edition else { return Ok(Undoing::default()) };
        let foreseen = self.undoing(import)?;
        if keep.is_some_and(|keep| foreseen.kept > keep) {
            return Err(StoreError::refused(
                "edited-since",
                format!(
                    "{} records of this import have changed since and would stay as they are; look at them, and say \"kept\": {} to go on",
                    foreseen.kept, foreseen.kept
                ),
            ));
        }
        let view = Arc::clone(&commit.view);
        parallel::piped(|send| self.reversed(&view, edition, send), |batch| commit.write(batch))
    }

    /// Everything that takes an edition back, prepared to be written. How many records that is, and how many stay, is returned.
    fn reversed(&self, view: &Writing, edition: i64, send: &SyncSender<Batch>) -> Result<Undoing> {
        let present = Present::new(self, view.dataset.number, view.dataset.head, |_| view.renew());
        let mut changes = Changes::new(view, send);
        let mut done = Undoing::default();
        self.touched(view.dataset.number, edition, view.dataset.head, |page| {
            present.compares(0)?;
            let gone = |one: &Touched| one.before.as_ref().filter(|_| one.after.is_none()).map(|before| before.key.clone());
            let gone: Vec<String> = page.iter().filter_map(gone).collect();
            let marks = present.marks(gone.iter().map(String::as_str).collect())?;
            let taken: HashSet<String> = marks.into_iter().map(|mark| mark.key).collect();
            for one in page {
                match reverse(one, &taken)? {
                    Some(change) => {
                        changes.add(change)?;
                        done.reversed += 1;
                    }
                    None => done.kept += 1,
                }
            }
            Ok(())
        })?;
        changes.send()?;
        Ok(done)
    }

    /// Refuses an import from before the list went on to another version of its schema: fields would come back that are gone.
    fn same_schema(&self, import: &Import) -> Result<()> {
        let since = Sql::new("select schema_since as value from datasets where number = ?").bind(import.dataset_number);
        let since = self.db.read(Eyes::Own, |conn| conn.one::<Number>(since))?.value;
        if since > 0 && import.committed_edition.is_some_and(|edition| edition <= since) {
            return Err(StoreError::refused("schema-changed", "the list has gone on to another version of its schema since"));
        }
        Ok(())
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
