//! Numbers that never go back.

use crate::conn::Conn;
use crate::error::Result;
use crate::sql::{Number, Sql, rows};

/// Takes `count` numbers of `name` and returns the first.
pub(crate) fn take(conn: &mut Conn, name: &str, count: i64) -> Result<i64> {
    let update = "update counters set next = next + ? where name = ? returning next as value";
    Ok(conn.one::<Number>(Sql::new(update).bind(count).bind(name))?.value - count)
}

/// The next commit number. Must be the first statement of its transaction: the lock on this row is what makes the order of
/// the numbers the order of the commits.
pub(crate) fn commit(conn: &mut Conn) -> Result<i64> {
    let update = "update commit_counter set number = number + 1 where only_row = 1 returning number as value";
    Ok(conn.one::<Number>(Sql::new(update))?.value)
}

rows! {
    NewestRow { number: i64, pruned: i64 }
}

/// The number of the newest commit that this snapshot sees.
pub(crate) fn newest(conn: &mut Conn) -> Result<i64> {
    kept(conn).map(|(newest, _)| newest)
}

/// The number of the newest commit that this snapshot sees, and that of the oldest that is honoured.
pub(crate) fn kept(conn: &mut Conn) -> Result<(i64, i64)> {
    let row = conn.one::<NewestRow>(Sql::new("select number, pruned from commit_counter where only_row = 1"))?;
    Ok((row.number, row.pruned))
}
