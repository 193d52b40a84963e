//! Committing an import.

use std::cell::RefCell;
use std::sync::Arc;

use super::compare::{BATCH, Counts, Found, compare};
use crate::Store;
use crate::edition::{Cause, Change, Commit};
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, drop_file, set_state};
use crate::sql::Sql;

impl Store {
    /// Writes the import into its dataset, as one edition.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `undecided-columns`, [`StoreError::Stale`] where `edition` is no longer the newest,
    /// [`StoreError::Busy`] where something else is writing.
    pub fn commit_import(self: &Arc<Self>, import: &Import, edition: Option<i64>) -> Result<()> {
        if import.state == ImportState::Draft {
            return Err(StoreError::refused("undecided-columns", "some columns have no decision yet"));
        }
        if import.matching.is_none() {
            return Err(StoreError::refused("wrong-state", "this file was not read through; say where its columns go"));
        }
        let mut commit = Commit::begin(self, import.dataset_number, "import")?;
        if edition.is_some_and(|edition| edition != commit.dataset.head) {
            commit.abandon()?;
            // Whoever looks again sees what a commit would do now.
            self.recheck_import(import)?;
            return Err(StoreError::Stale("the list has changed since this difference was made; look again".to_owned()));
        }
        let startable = [ImportState::Checked, ImportState::Interrupted];
        if let Err(error) = self.set_state(import, &startable, ImportState::Committing) {
            commit.abandon()?;
            return Err(error);
        }
        // From here on nobody changes what was decided; until here somebody may have.
        let import = &self.reload(import)?;
        let committed = match self.write(import, &mut commit) {
            Ok(counts) => self.publish_import(import, commit, &counts),
            Err(error) => {
                commit.give_up();
                Err(error)
            }
        };
        if committed.is_err() {
            // Where this fails too, the import is found to be interrupted later; the first error is the one that tells something.
            drop(self.set_state(import, &[ImportState::Committing], ImportState::Checked));
        }
        committed
    }

    fn publish_import(&self, import: &Import, commit: Commit, counts: &Counts) -> Result<()> {
        let (id, now) = (&import.id, commit.now());
        let head = commit.dataset.head;
        let published = commit.publish(Cause::Import, Some(id), |conn, edition| {
            set_state(conn, id, &[ImportState::Committing], ImportState::Committed, now)?;
            let made = (edition > head).then_some(edition);
            let update = "update imports set counts = ?, edition = ?, committed_edition = ? where id = ?";
            let counts = serde_json::to_string(counts).map_err(|_| StoreError::Corrupt("counts"))?;
            conn.execute(Sql::new(update).bind(counts).bind(edition).bind(made).bind(id))?;
            drop_file(conn, id)
        });
        published.map(drop)
    }

    fn write(self: &Arc<Self>, import: &Import, commit: &mut Commit) -> Result<Counts> {
        let plan = self.plan(import)?;
        let mut changes = Vec::new();
        let number = commit.dataset.number;
        let staged = RefCell::new(commit);
        let outcome = compare(
            plan,
            |keys| staged.borrow().live(keys),
            |one| {
                if let Found::Changed { key, before, after: Some(record), .. } = one {
                    let body = record.to_body();
                    changes.push(match before {
                        None => Change::Create { key: key.to_owned(), body },
                        Some(live) => Change::Update { row: live.row, record: live.record, key: key.to_owned(), body },
                    });
                    if changes.len() >= BATCH {
                        staged.borrow_mut().stage(std::mem::take(&mut changes))?;
                    }
                }
                Ok(())
            },
        );
        let (mut counts, seen) = outcome.map_err(|error| error.into_store())?;
        let commit = staged.into_inner();
        commit.stage(changes)?;
        if let Some(seen) = seen {
            let gone = self.absent(number, &seen)?;
            counts.removed = u64::try_from(gone.len()).unwrap_or(0);
            commit.stage(gone.into_iter().map(|row| Change::Remove { row: row.row, record: row.record }).collect())?;
        }
        Ok(counts)
    }
}
