//! Filling the tables of an empty commons from an archive, as it was when the archive was made.
//!
//! The tables are made by the steps that the archive names. What an archive calls a column is compared with the table's own columns
//! before it gets into a statement.

use std::io::Read;

use super::archive::{Begun, Contents, Header, Part, read_through};
use super::cells::Cells;
use super::dump;
use super::{BackupError, Progress};
use crate::conn::{Conn, DatabaseUrl, Db};
use crate::migrate::{self, Tree};
use crate::sql::Sql;

/// Values in one statement: SQLite takes 32,766.
const VALUES: usize = 30_000;

/// The two databases of a commons, open.
pub(super) struct Pair {
    pub(super) commons: Db,
    pub(super) ledger: Db,
}

impl Pair {
    pub(super) fn open(url: &DatabaseUrl) -> Result<Self, BackupError> {
        Ok(Self { commons: Db::open(url, "public", 2)?, ledger: Db::open(&super::site::ledger_of(url), "ledger", 2)? })
    }

    pub(super) fn of(&self, tree: Tree) -> &Db {
        match tree {
            Tree::Commons => &self.commons,
            Tree::Ledger => &self.ledger,
        }
    }
}

/// How many of this program's steps an archive has taken.
///
/// # Errors
/// If they are not the first ones of ours: a newer program made it.
pub(super) fn steps_taken(tree: Tree, steps: &[String]) -> Result<usize, BackupError> {
    if migrate::known(tree).starts_with(&steps.iter().map(String::as_str).collect::<Vec<_>>()) {
        return Ok(steps.len());
    }
    Err(BackupError::refused("newer-archive", "this archive was made of a newer Hayward's database; restore it with that one"))
}

/// Makes the tables and writes the rows of `archive`.
pub(super) fn load(pair: &Pair, archive: &mut dyn Read, progress: Progress<'_>) -> Result<Contents, BackupError> {
    let mut table: Option<(Begun, u64)> = None;
    read_through(archive, &mut |part| match part {
        Part::Header(header) => make(pair, header),
        Part::Table(begun) => {
            pair.of(begun.tree).write(|conn| prepare(conn, begun))?;
            table = Some((begun.clone(), 0));
            Ok(())
        }
        Part::Rows(rows) => {
            let Some((begun, done)) = &mut table else { return Ok(()) };
            *done += u64::try_from(rows.len()).unwrap_or(0);
            progress(&begun.name, *done);
            Ok(pair.of(begun.tree).write(|conn| insert(conn, begun, rows))?)
        }
    })
}

fn make(pair: &Pair, header: &Header) -> Result<(), BackupError> {
    for (tree, steps) in [(Tree::Commons, &header.steps), (Tree::Ledger, &header.ledger_steps)] {
        let count = steps_taken(tree, steps)?;
        pair.of(tree).bare(|conn| migrate::run_first(conn, tree, count))?;
    }
    Ok(())
}

/// Empties a table of what its migration put in, and makes sure that it has the archive's columns.
fn prepare(conn: &mut Conn, table: &Begun) -> Result<(), BackupError> {
    if dump::columns(conn, &table.name)? != table.columns {
        return Err(BackupError::refused(
            "other-columns",
            format!("the table `{}` of this archive has other columns than its steps make", table.name),
        ));
    }
    conn.execute(Sql::new(&format!("delete from {}", table.name)))?;
    Ok(())
}

fn insert(conn: &mut Conn, table: &Begun, rows: Vec<Cells>) -> crate::Result<()> {
    let insert = format!("insert into {} ({}) values ", table.name, table.columns.join(", "));
    let together = VALUES / table.columns.len().max(1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut sql = Sql::new(&insert).varying();
        for (at, row) in rows.by_ref().take(together).enumerate() {
            let binds: Vec<_> = row.0.into_iter().map(super::cells::Cell::bind).collect();
            let places: Vec<&str> = binds.iter().map(|bind| if bind.is_some() { "?" } else { "null" }).collect();
            let text = format!("{}({})", if at == 0 { "" } else { ", " }, places.join(", "));
            sql.push_with(&text, binds.into_iter().flatten());
        }
        conn.execute(sql)?;
    }
    Ok(())
}
