//! Dropping editions that no cursor needs any more.
//!
//! A version that died at or before what the oldest honoured commit saw is deleted; a cursor from before is answered `410`. Ledger
//! names are never pruned, and files of uncommitted drafts go with the editions of their time.

use std::time::Duration;

use crate::Store;
use crate::conn::Conn;
use crate::error::Result;
use crate::sql::{Number, Sql};

/// Rows that one transaction deletes.
const CHUNK: i64 = 2_000;

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
        if oldest == 0 {
            return Ok(0);
        }
        let mut gone = 0;
        let records = "delete from records where row in (select r.row from records r join datasets d on d.number = r.dataset
            where r.died <= (select coalesce(max(e.edition), 0) from editions e where e.dataset = r.dataset and e.commit_number <= ?)
            and r.died <= d.head limit ?)";
        let shared = "delete from shared_records where row in (select r.row from shared_records r join shares s on s.number = r.share
            where r.died <= (select coalesce(max(e.edition), 0) from share_editions e where e.share = r.share and e.commit_number <= ?)
            and r.died <= s.head limit ?)";
        for text in [records, shared] {
            loop {
                let touched = self.db.write(|conn| conn.execute(Sql::new(text).bind(oldest).bind(CHUNK)))?;
                gone += touched;
                if touched == 0 {
                    break;
                }
            }
        }
        self.db.write(|conn| drafts(conn, before))?;
        Ok(gone)
    }
}

/// Uploaded files that nobody committed are not kept for ever.
fn drafts(conn: &mut Conn, before: hayward_domain::moment::Moment) -> Result<()> {
    let stale =
        "select id from imports where changed_at < ? and state in ('draft', 'checked', 'interrupted', 'failed', 'cancelled')";
    for table in ["import_chunks", "import_problems"] {
        conn.execute(Sql::new(&format!("delete from {table} where import in ({stale})")).bind(before))?;
    }
    let update = format!("update imports set state = 'cancelled' where id in ({stale})");
    conn.execute(Sql::new(&update).bind(before)).map(drop)
}
