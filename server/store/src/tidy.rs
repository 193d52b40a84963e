//! What follows the last step of a commit or of a rebuild, and of which nobody sees whether it is done: dropping the uploaded file of a
//! committed import, erasing payloads below a floor, taking stock of tables that have grown.
//!
//! A committed import whose rows did not all go in keeps its file for its marked list: until the next import of the same dataset is
//! committed, for [`KEPT_FILES`] at most, and not once it is undone.
//!
//! Whoever took the last step does it right away. Where that fails, the step stands all the same, and the jobs come back to it until
//! it is done; what a program that died left is done when the next one starts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use hayward_domain::moment::Moment;

use crate::conn::Eyes;
use crate::error::Result;
use crate::imports::{Import, ImportState, drop_pieces};
use crate::sql::{Number, Sql, rows};
use crate::writing::Counts;
use crate::{Store, floor};

/// How long the file of a committed import is kept for the rows that did not go in.
pub(crate) const KEPT_FILES: Duration = Duration::from_secs(30 * 86_400);

rows! {
    /// An import that is over and still has its file; how many later ones of its dataset are over too.
    OverRow { id: String, state: String, counts: Option<String>, changed_at: i64, later: i64 }
}

/// So many rows at once change what is the best way to find one.
const MANY: u64 = 5_000;

impl Store {
    /// Lets the database know that so many rows have just been added.
    pub(crate) fn has_grown(&self, rows: u64) {
        let stock = || self.db.take_stock("records, shared_records, shared_words, share_names");
        if let Some(Err(error)) = (rows >= MANY).then(stock) {
            tracing::warn!(%error, "the database will find out by itself how large its tables are");
        }
    }

    /// Keeps SQLite's write-ahead log short. Returns how many were long: 0 or 1.
    ///
    /// # Errors
    /// Only the database's.
    pub fn shorten_log(&self) -> Result<usize> {
        self.db.shorten_log()
    }

    /// Remembers what went wrong behind a last step for the jobs, if something did.
    pub(crate) fn tidied(&self, done: Result<()>) {
        if let Err(error) = done {
            tracing::warn!(%error, "what follows a commit or a rebuild is left for later");
            self.untidy.store(true, Ordering::Relaxed);
        }
    }

    /// Does what was left over, if something was.
    ///
    /// # Errors
    /// Only the database's; it stays left over then.
    pub fn tidy_due(&self) -> Result<usize> {
        if !self.untidy.swap(false, Ordering::Relaxed) {
            return Ok(0);
        }
        let done = self.tidy();
        self.untidy.fetch_or(done.is_err(), Ordering::Relaxed);
        done.map(|()| 1)
    }

    pub(crate) fn tidy(&self) -> Result<()> {
        self.drop_files_except(None, (self.clock)())?;
        let raised = "select number as value from shares where floor > 0";
        for share in self.db.read(Eyes::Own, |conn| conn.load::<Number>(Sql::new(raised)))? {
            floor::erase_below(&self.db, share.value)?;
        }
        Ok(())
    }

    /// Drops the files of imports that are over and no longer need them. Where `newest` has just been committed,
    /// it is about those of its dataset, which it has all overtaken.
    pub(crate) fn drop_files_except(&self, newest: Option<&Import>, now: Moment) -> Result<()> {
        let over = "select i.id, i.state, i.counts, i.changed_at, (select count(*) from imports n
                where n.dataset = i.dataset and n.id <> i.id and n.state in ('committed', 'undone')
                and (n.edition > i.edition or n.changed_at > i.changed_at)) as later
            from imports i where i.state in ('committed', 'undone')
            and exists (select 1 from import_chunks c where c.import = i.id)";
        let mut over = Sql::new(over);
        if let Some(newest) = newest {
            over.push_with(" and i.dataset = ?", [newest.dataset_number.into()]);
        }
        let oldest = now.minus(KEPT_FILES);
        for import in self.db.read(Eyes::Own, |conn| conn.load::<OverRow>(over))? {
            let overtaken = newest.map_or(import.later > 0, |newest| newest.id != import.id);
            let is_kept = !overtaken && Moment(import.changed_at) >= oldest && import.waits_for_rows();
            if !is_kept {
                self.until_none(|conn| drop_pieces(conn, &import.id))?;
            }
        }
        Ok(())
    }
}

impl OverRow {
    /// Whether rows of the file are still to go in.
    fn waits_for_rows(&self) -> bool {
        let counts = self.counts.as_deref().and_then(|text| serde_json::from_str::<Counts>(text).ok());
        self.state == ImportState::Committed.as_str() && counts.is_some_and(|counts| counts.rejected > 0)
    }
}
