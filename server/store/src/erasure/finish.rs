//! What is left of an erasure once nothing can be read any more: deleting files and problems, and seeing to it that the database itself
//! keeps nothing.
//!
//! SQLite overwrites what is deleted (`secure_delete`); what stands in its write-ahead log is brought into the file, and the log cut to
//! nothing. PostgreSQL keeps dead rows until they are vacuumed: that is asked for.

use std::sync::Arc;

use hayward_domain::id::ErasureId;

use crate::Store;
use crate::conn::Eyes;
use crate::error::Result;
use crate::imports::{drop_pieces, drop_some_problems};
use crate::search;
use crate::sql::{Sql, Word};

/// Tables that values were deleted from.
const TABLES: &str = "records, shared_records, shared_words, imports, import_chunks, import_problems";

impl Store {
    /// Does what is left of every erasure. Returns how many came to their end.
    ///
    /// # Errors
    /// The database's, and the journal's; what is left is left for the next time. Somebody who reads for long, as a backup does, is
    /// waited for.
    pub fn finish_erasures(self: &Arc<Self>) -> Result<usize> {
        let open = "select id as value from erasures where done_at is null or noted = 0 order by commit_number";
        let open = self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(open)))?;
        if open.is_empty() {
            return Ok(0);
        }
        self.note_erasures()?;
        for erasure in &open {
            self.drop_erased(&erasure.value)?;
        }
        search::forget(&self.db)?;
        self.db.forget_deleted(TABLES)?;
        let now = (self.clock)();
        let mut done = Sql::new("update erasures set done_at = ? where done_at is null and id in ").bind(now);
        done.list(open.iter().map(|erasure| erasure.value.as_str()));
        self.db.write(|conn| conn.execute(done))
    }

    /// Whether all that an erasure reaches is gone.
    ///
    /// # Errors
    /// Only the database's.
    pub fn is_erased(&self, id: &ErasureId) -> Result<bool> {
        let select = "select id as value from erasures where id = ? and done_at is not null";
        let select = Sql::new(select).bind(id.as_str());
        Ok(self.db.read(Eyes::Own, |conn| conn.first::<Word>(select))?.is_some())
    }

    fn drop_erased(&self, erasure: &str) -> Result<()> {
        let left = "select f.import as value from erased_files f where f.erasure = ?
            and (exists (select 1 from import_chunks c where c.import = f.import)
                or exists (select 1 from import_problems p where p.import = f.import))";
        // Again and again: a file that was taking the place of another one's may have moved meanwhile.
        loop {
            let left = self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(left).bind(erasure)))?;
            if left.is_empty() {
                return Ok(());
            }
            for import in left {
                self.until_none(|conn| drop_pieces(conn, &import.value))?;
                self.until_none(|conn| drop_some_problems(conn, &import.value))?;
            }
        }
    }
}
