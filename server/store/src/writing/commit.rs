//! Committing an import.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::brake::{Brake, Seen};
use super::compare::{Counts, Found, Plan, compare};
use super::present::Present;
use super::problems::Problems;
use super::pulse::{Phase, Pulse};
use crate::Store;
use crate::bulk::{ENOUGH, Load};
use crate::edition::{Batch, Cause, Change, Commit, Writing};
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, READ_BY, set_state};
use crate::parallel;
use crate::sql::Sql;

impl Store {
    /// Writes the import into its dataset, as one edition.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `undecided-columns` or `many-removals`, [`StoreError::Stale`] where the edition that was seen is no
    /// longer the newest, [`StoreError::Busy`] where something else is writing.
    pub fn commit_import(self: &Arc<Self>, import: &Import, seen: Seen) -> Result<()> {
        if import.state == ImportState::Draft {
            return Err(StoreError::refused("undecided-columns", "some columns have no decision yet"));
        }
        if import.matching.is_none() {
            return Err(StoreError::refused("wrong-state", "this file was not read through; say where its columns go"));
        }
        super::arrived(import)?;
        let mut commit = Commit::begin(self, import.dataset_number, "import")?;
        if seen.edition.is_some_and(|edition| edition != commit.view.dataset.head) {
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
        if let Err(error) = self.settled(import) {
            commit.give_up();
            drop(self.set_state(import, &[ImportState::Committing], before(import)));
            return Err(self.or_given_up(import, error));
        }
        let written = self.with_pulse(import, |pulse| self.write(import, seen, pulse, &mut commit));
        let committed = match written {
            Ok((counts, problems)) => self.publish_import(import, commit, &counts, problems),
            Err(error) => {
                commit.give_up();
                Err(error)
            }
        };
        if committed.is_err() {
            // Where this fails too, the import is found to be interrupted later; the first error is the one that tells something.
            drop(self.set_state(import, &[ImportState::Committing], before(import)));
        }
        committed.map_err(|error| self.or_given_up(import, error))
    }

    fn publish_import(&self, import: &Import, commit: Commit, counts: &Counts, problems: i64) -> Result<()> {
        let (id, now) = (&import.id, commit.now());
        let head = commit.view.dataset.head;
        let published = commit.publish(Cause::Import, Some(id), |conn, edition| {
            set_state(conn, id, &[ImportState::Committing], ImportState::Committed, now)?;
            let made = (edition > head).then_some(edition);
            // What another version of the program decided about the columns may be read otherwise by this one.
            let update = "update imports set counts = ?, problem_count = ?, edition = ?, committed_edition = ?,
                read_by = case when read_by = ? then read_by end where id = ?";
            let counts = serde_json::to_string(counts).map_err(|_| StoreError::Corrupt("counts"))?;
            let update = Sql::new(update).bind(counts).bind(problems).bind(edition).bind(made);
            conn.execute(update.bind(READ_BY).bind(id)).map(drop)
        });
        published?;
        self.tidied(self.drop_files_except(Some(import), now));
        Ok(())
    }

    /// Stages what the import changes: other threads read and compare, this one writes. Returns the counts and how many problems
    /// there are.
    fn write(self: &Arc<Self>, import: &Import, seen: Seen, pulse: &Pulse, commit: &mut Commit) -> Result<(Counts, i64)> {
        // Counted against this very edition, file and matching: comparing once more would find nothing to write either.
        let counted = import.counts.clone().and_then(|counts| serde_json::from_value::<Counts>(counts).ok());
        if let Some(counts) = counted.filter(|counts| import.edition == commit.view.dataset.head && counts.change_nothing()) {
            return Ok((counts, import.problem_count));
        }
        // What was counted has its problems listed already.
        let mut problems = if counted.is_none() { Some(Problems::new(self, import)?) } else { None };
        let plan = self.plan(import)?;
        pulse.begin(Phase::Writing, import.profile.as_ref().map_or(0, |profile| profile.rows));
        let view = Arc::clone(&commit.view);
        let counts =
            parallel::piped(|send| self.changes(plan, &view, (seen, pulse), &mut problems, send), |batch| commit.write(batch))?;
        Ok((counts, problems.map_or(Ok(import.problem_count), |problems| problems.end().map(|(count, _)| count))?))
    }

    /// Everything that a file changes, prepared to be written.
    fn changes(
        &self,
        plan: Plan,
        view: &Writing,
        (yes, pulse): (Seen, &Pulse),
        problems: &mut Option<Problems<'_>>,
        send: &SyncSender<Batch>,
    ) -> Result<Counts> {
        let present = Present::new(self, view.dataset.number, view.dataset.head, |rows| {
            pulse.count(rows)?;
            view.renew()
        });
        let mut changes = Changes::new(view, send);
        let outcome = compare(plan, &present, |one| match (one, &mut *problems) {
            (Found::Problems(some), Some(problems)) => problems.add(some),
            (Found::Problems(_), None) => Ok(()),
            (Found::Changed { before: None, after, .. }, _) => changes.add(Change::Create(after)),
            (Found::Changed { before: Some(live), after, .. }, _) => {
                changes.add(Change::Update { row: live.row, record: live.record, version: after })
            }
        });
        let (mut counts, seen) = outcome.map_err(|error| error.into_store())?;
        if let Some(seen) = seen {
            let brake = Brake::new(&present, yes)?;
            present.absent(&seen, |row| {
                counts.removed += 1;
                brake.hold(counts.removed)?;
                changes.add(Change::Remove { row: row.row, record: row.record })
            })?;
        }
        changes.send()?;
        Ok(counts)
    }
}

/// What an import was before somebody began to commit it.
fn before(import: &Import) -> ImportState {
    if import.counts.is_some() { ImportState::Checked } else { ImportState::Interrupted }
}

/// Changes on their way to the thread that writes.
pub(super) struct Changes<'a> {
    view: &'a Writing,
    send: &'a SyncSender<Batch>,
    held: Vec<Change>,
    load: Load,
}

impl<'a> Changes<'a> {
    pub(super) fn new(view: &'a Writing, send: &'a SyncSender<Batch>) -> Self {
        Self { view, send, held: Vec::new(), load: Load::default() }
    }

    pub(super) fn add(&mut self, change: Change) -> Result<()> {
        self.load.add(change.bytes());
        self.held.push(change);
        if self.load.reaches(ENOUGH) { self.send() } else { Ok(()) }
    }

    /// Sends what is held.
    pub(super) fn send(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.load = Load::default();
        let batch = self.view.prepare(std::mem::take(&mut self.held))?;
        // Nobody receives any more where writing failed, and that failure is what is told.
        self.send.send(batch).map_err(|_| StoreError::Fenced)
    }
}
