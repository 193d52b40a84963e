//! The index of words: which rows of which shelf have a token.
//!
//! * A row of `shared_records` that has a payload has its tokens in `shared_words`, written in the same transaction; triggers take
//!   them away with the payload. So the index knows what recipients may see, as long as they may, and nothing else.
//! * Every token stands behind the number of its shelf: what others hold is no part of a search, nor of its work.
//! * It can be made anew of the payloads at any time, so that no archive has it. Row 0 says that it is whole, and by which
//!   [rules](hayward_domain::search::RULES); without it, opening the commons makes it, in small steps.
//! * Nothing is told by it but yes or no: no places, no frequencies.

use hayward_domain::search::{Query, RULES, each_token};

use crate::bulk::{ENOUGH, Holds, Rows, Table};
use crate::conn::{Conn, Db, Eyes, Kind};
use crate::dialect;
use crate::error::Result;
use crate::sql::{Number, Sql, rows};

static SQLITE: Table = Table { name: "shared_words", columns: &[("rowid", Holds::Int), ("words", Holds::Words)] };
static POSTGRES: Table = Table { name: "shared_words", columns: &[("row", Holds::Int), ("words", Holds::Words)] };

/// Pages of SQLite's index that one transaction merges.
const MERGED: i64 = 400;

rows! {
    PayloadRow { row: i64, shelf: i64, payload: String }
}

/// Rows of the index on their way there.
pub(crate) fn rows(kind: Kind) -> Rows {
    Rows::new(match kind {
        Kind::Sqlite => &SQLITE,
        Kind::Postgres => &POSTGRES,
    })
}

/// Adds what a row is found by.
pub(crate) fn push(rows: &mut Rows, row: i64, shelf: i64, payload: &str) {
    let before = format!("{shelf}_");
    let mut words = String::new();
    each_token(payload, |token| {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&before);
        words.push_str(token);
    });
    if !words.is_empty() {
        rows.push([row.into(), words.into()]);
    }
}

/// What the index is asked for to find the rows of these shelves that have all of a query. Tokens hold letters, digits and marks, so that
/// nothing in them means anything to either database.
pub(crate) fn wanted(kind: Kind, query: &Query, shelves: &[i64]) -> String {
    let (and, or) = match kind {
        Kind::Sqlite => (" AND ", " OR "),
        Kind::Postgres => (" & ", " | "),
    };
    let on = |shelf: &i64| {
        let one = |want: &hayward_domain::search::Want| match (kind, want.beginning) {
            (Kind::Sqlite, false) => format!("\"{shelf}_{}\"", want.token),
            (Kind::Sqlite, true) => format!("\"{shelf}_{}\" *", want.token),
            (Kind::Postgres, false) => format!("'{shelf}_{}'", want.token),
            (Kind::Postgres, true) => format!("'{shelf}_{}':*", want.token),
        };
        format!("({})", query.wants().iter().map(one).collect::<Vec<_>>().join(and))
    };
    shelves.iter().map(on).collect::<Vec<_>>().join(or)
}

/// What says that the index is whole.
fn mark() -> String {
    format!("rules{RULES}")
}

/// Makes the index, if it is not whole: after an upgrade, after a restore, or because words are made otherwise now.
pub(crate) fn complete(db: &Db) -> Result<()> {
    let kind = db.kind();
    let dialect::Words { row, have } = dialect::words(kind);
    let whole = format!("select count(*) as value from shared_words w where {row} = 0 and {have}");
    let quoted = match kind {
        Kind::Sqlite => format!("\"{}\"", mark()),
        Kind::Postgres => format!("'{}'", mark()),
    };
    if db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(&whole).bind(quoted)))?.value > 0 {
        return Ok(());
    }
    let delete = format!("delete from shared_words where {} in ", row.trim_start_matches("w."));
    let lock = dialect::for_update(kind);
    // Locked: who erases a payload meanwhile does it before or after, and its words go with it.
    let select = format!(
        "select row, shelf, payload from shared_records where row > ? and payload is not null order by row limit {}{lock}",
        ENOUGH.rows
    );
    let (mut after, mut done) = (0, 0_usize);
    loop {
        let found = db.write(|conn| {
            let found = conn.load::<PayloadRow>(Sql::new(&select).bind(after))?;
            replace(conn, &delete, &found)?;
            Ok::<_, crate::StoreError>(found.iter().map(|row| row.row).collect::<Vec<_>>())
        })?;
        let Some(last) = found.last() else { break };
        after = *last;
        done += found.len();
    }
    db.write(|conn| {
        let mut old = Sql::new(&delete);
        old.list([0]);
        conn.execute(old)?;
        let mut rows = self::rows(kind);
        rows.push([0.into(), mark().into()]);
        conn.insert(&rows)
    })?;
    if done > 0 {
        tracing::info!(rows = done, "what is shared can be searched now");
        db.take_stock("shared_words")?;
    }
    Ok(())
}

fn replace(conn: &mut Conn, delete: &str, found: &[PayloadRow]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let mut old = Sql::new(delete);
    old.list(found.iter().map(|row| row.row));
    conn.execute(old)?;
    let mut rows = rows(conn.kind());
    found.iter().for_each(|row| push(&mut rows, row.row, row.shelf, &row.payload));
    conn.insert(&rows)
}

/// Sees to it that the index holds nothing any more of rows that were taken out of it. SQLite's keeps a note of each until its parts are
/// merged: they are, in small steps. PostgreSQL's goes with the dead rows.
pub(crate) fn forget(db: &Db) -> Result<()> {
    if db.kind() == Kind::Postgres {
        return Ok(());
    }
    let mut pages = -MERGED;
    loop {
        let moved = db.write(|conn| {
            let changes = || Sql::new("select total_changes() as value");
            let before = conn.one::<Number>(changes())?.value;
            conn.batch(&format!("insert into shared_words (shared_words, rank) values ('merge', {pages})"))?;
            Ok::<_, crate::StoreError>(conn.one::<Number>(changes())?.value - before)
        })?;
        // The command itself is one change.
        if moved < 2 {
            return Ok(());
        }
        pages = MERGED;
    }
}
