//! Closing and opening what a share answers: revocation as the database sees it.
//!
//! * A share answers while `open = 1`, at an edition not below its `floor`, inside the opening that contains the reader's commit.
//! * Suspending, ending and expiring close it. Narrowing closes it and raises the floor to `head + 1`: what was shown under the
//!   wider terms is below it and is never shown again, to anyone, at any commit. Payloads below the floor are erased once the
//!   share is rebuilt; what a dead program left of that, pruning erases.
//! * None of this waits for a claim: it is one small transaction that takes a commit number.
//! * Building or rebuilding, under the dataset's claim, reaches the floor and opens the share again.
//! * Openings are kept: the changes feed tells from them what a recipient had and has lost.

use crate::conn::{Conn, Db, Eyes};
use crate::error::Result;
use crate::search;
use crate::sql::{Number, Sql};

/// Rows that one transaction erases.
const CHUNK: usize = 500;

/// The share answers nothing from commit `number` on.
pub(crate) fn close(conn: &mut Conn, share: i64, number: i64) -> Result<()> {
    conn.execute(Sql::new("update shares set open = 0 where number = ?").bind(share))?;
    let update = "update share_openings set closed = ? where share = ? and closed = 9223372036854775807";
    conn.execute(Sql::new(update).bind(number).bind(share))?;
    Ok(())
}

/// The share answers again, if it is built under the version in force.
pub(crate) fn reopen(conn: &mut Conn, share: i64, number: i64) -> Result<()> {
    let update = "update shares set open = 1 where number = ? and open = 0 and head >= floor and exists
        (select 1 from agreement_versions v where v.agreement = shares.number and v.version = shares.version and v.state = 'active')";
    if conn.execute(Sql::new(update).bind(share))? == 1 {
        let insert = "insert into share_openings (share, opened) values (?, ?)";
        conn.execute(Sql::new(insert).bind(share).bind(number))?;
    }
    Ok(())
}

/// Nothing that the share has shown so far is ever shown again.
pub(crate) fn raise(conn: &mut Conn, share: i64, number: i64) -> Result<()> {
    conn.execute(Sql::new("update shares set floor = head + 1 where number = ?").bind(share))?;
    close(conn, share, number)
}

/// Erases what lies below a share's floor for good, in small steps: the floor itself keeps it from everybody already. The rows stay:
/// the feed tells from them what was removed.
pub(crate) fn erase_below(db: &Db, share: i64) -> Result<()> {
    let select = "select r.row as value from shared_records r join shares s on s.number = r.share
        where r.share = ? and r.died <= s.floor and r.died < 9223372036854775807 and r.payload is not null";
    let rows: Vec<i64> =
        db.read(Eyes::Own, |conn| conn.load::<Number>(Sql::new(select).bind(share)))?.into_iter().map(|row| row.value).collect();
    for rows in rows.chunks(CHUNK) {
        let mut update =
            Sql::new("update shared_records set payload = null, index_1 = null, index_2 = null, index_3 = null where row in ");
        update.list(rows.iter().copied());
        db.write(|conn| conn.execute(update))?;
    }
    if rows.is_empty() { Ok(()) } else { search::forget(db) }
}
