//! What follows the last step of a commit or of a rebuild, and of which nobody sees whether it is done: dropping the uploaded file of a
//! committed import, erasing payloads below a floor, taking stock of tables that have grown.
//!
//! Whoever took the last step does it right away. Where that fails, the step stands all the same, and the jobs come back to it until
//! it is done; what a program that died left is done when the next one starts.

use std::sync::atomic::Ordering;

use crate::conn::Eyes;
use crate::error::Result;
use crate::imports::drop_pieces;
use crate::sql::{Number, Sql, Word};
use crate::{Store, floor};

/// So many rows at once change what is the best way to find one.
const MANY: u64 = 5_000;

impl Store {
    /// Lets the database know that so many rows have just been added.
    pub(crate) fn has_grown(&self, rows: u64) {
        let stock = || self.db.take_stock("records, shared_records, share_names");
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
        let over = "select id as value from imports where state in ('committed', 'undone')
            and exists (select 1 from import_chunks c where c.import = imports.id)";
        for import in self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(over)))? {
            self.until_none(|conn| drop_pieces(conn, &import.value))?;
        }
        let raised = "select number as value from shares where floor > 0";
        for share in self.db.read(Eyes::Own, |conn| conn.load::<Number>(Sql::new(raised)))? {
            floor::erase_below(&self.db, share.value)?;
        }
        Ok(())
    }
}
