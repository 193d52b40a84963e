//! Dropping editions that no cursor needs any more.
//!
//! A version that died at or before what the oldest honoured commit saw is deleted; a cursor from before is answered `410`. Ledger
//! names are never pruned, and files of uncommitted drafts go with the editions of their time. All of it goes in small steps, so
//! that nobody who writes waits for long.

use std::time::Duration;

use hayward_domain::moment::Moment;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::imports::{drop_pieces, drop_some_problems};
use crate::sql::{Number, Sql, Word, rows};

/// Rows that one transaction deletes.
const CHUNK: i64 = 1_000;

rows! {
    /// The newest edition of a dataset, or of a share, whose dead rows may go.
    Horizon { number: i64, edition: i64 }
}

/// The newest edition, committed or not beyond it, that the oldest honoured commit saw.
const OF_DATASETS: &str = "select d.number, max(e.edition) as edition from datasets d
    join editions e on e.dataset = d.number and e.edition <= d.head where e.commit_number <= ? group by d.number";
const OF_SHARES: &str = "select s.number, max(e.edition) as edition from shares s
    join share_editions e on e.share = s.number and e.edition <= s.head where e.commit_number <= ? group by s.number";

impl Store {
    /// Drops what was replaced more than `window` ago. Returns how many rows went.
    ///
    /// # Errors
    /// Only the database's.
    pub fn prune(&self, window: Duration) -> Result<usize> {
        let before = (self.clock)().minus(window);
        let oldest = self.db.write(|conn| {
            // Commits of the window stay. Editions carry the time; the commit before the first of them is the oldest to be honoured.
            let select = "select coalesce(max(commit_number), 0) as value from editions where at < ?";
            let oldest = conn.one::<Number>(Sql::new(select).bind(before))?.value;
            conn.execute(Sql::new("update commit_counter set pruned = ? where pruned < ?").bind(oldest).bind(oldest))?;
            Ok::<_, crate::StoreError>(oldest)
        })?;
        self.drop_drafts(before)?;
        // Another server may have died behind the last step of a commit.
        self.tidy()?;
        if oldest == 0 {
            return Ok(0);
        }
        let mut gone = 0;
        for (table, column, horizons) in [("records", "dataset", OF_DATASETS), ("shared_records", "share", OF_SHARES)] {
            let delete = format!(
                "delete from {table} where row in (select row from {table}
                    where {column} = ? and died <= ? and died < 9223372036854775807 order by died limit ?)"
            );
            for horizon in self.db.read(Eyes::Own, |conn| conn.load::<Horizon>(Sql::new(horizons).bind(oldest)))? {
                let delete = Sql::new(&delete).bind(horizon.number).bind(horizon.edition).bind(CHUNK);
                gone += self.until_none(|conn| conn.execute(delete.clone()))?;
            }
        }
        Ok(gone)
    }

    /// Repeats a small step, each time in a transaction of its own, until it finds nothing more to do.
    pub(crate) fn until_none(&self, step: impl Fn(&mut Conn) -> Result<usize>) -> Result<usize> {
        let mut all = 0;
        loop {
            match self.db.write(&step)? {
                0 => return Ok(all),
                done => all += done,
            }
        }
    }

    /// Uploaded files that nobody committed are not kept for ever.
    fn drop_drafts(&self, before: Moment) -> Result<()> {
        let pieces = "exists (select 1 from import_chunks c where c.import = imports.id)";
        let is_stale = "changed_at < ? and state in ('draft', 'checked', 'interrupted', 'failed', 'cancelled')";
        let stale = format!(
            "select id as value from imports where {is_stale} and (state <> 'cancelled' or {pieces}
            or exists (select 1 from import_problems p where p.import = imports.id))"
        );
        let cancel = format!("update imports set state = 'cancelled' where {is_stale} and id = ?");
        for import in self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(&stale).bind(before)))? {
            // Whoever comes back to it meanwhile finds it cancelled, and not half a file.
            let cancel = Sql::new(&cancel).bind(before).bind(&import.value);
            if self.db.write(|conn| conn.execute(cancel))? == 1 {
                self.until_none(|conn| drop_pieces(conn, &import.value))?;
                self.until_none(|conn| drop_some_problems(conn, &import.value))?;
            }
        }
        Ok(())
    }
}
