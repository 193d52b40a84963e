//! Writing an archive: one snapshot of the commons, then one of the ledger, which is so never the older of the two.
//!
//! Nothing is locked and nothing is written: a program may go on serving. Rows are read page by page in the order of their keys, so
//! memory does not grow with the database.

use std::io::Write;

use hayward_domain::moment::Moment;

use super::archive::{Begun, Ended, Header, Writer};
use super::cells::{Cell, Cells, Tally};
use super::tables::{TABLES, Table};
use super::{BackupError, Counted, Kind, Progress, site};
use crate::conn::{Conn, DatabaseUrl, Db, Eyes};
use crate::era;
use crate::migrate::{self, Tree, UNFINISHED};
use crate::sql::{Sql, Word};
use crate::{counter, dialect};

/// Bytes of rows that are put into one frame.
const FRAME: usize = 1 << 20;

/// What a backup came to.
pub struct Backup {
    /// What stands at the archive's beginning.
    pub header: Header,
    /// How many rows of each table are in it.
    pub tables: Vec<Counted>,
}

/// Writes an archive of the commons at `url`. `program` is this program's name and version.
///
/// # Errors
/// [`BackupError::Refused`] where there is no commons, or one that this program does not know; the database's; `out`'s.
pub fn back_up(
    url: &DatabaseUrl,
    program: &str,
    now: Moment,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Backup, BackupError> {
    let none = || BackupError::refused("no-commons", "there is no commons at this address");
    let ledger = site::ledger_of(url);
    if !site::exists(url) {
        return Err(none());
    }
    let ledger = site::exists(&ledger).then(|| Db::open(&ledger, "ledger", 1)).transpose()?;
    let ledger_steps = match &ledger {
        Some(ledger) => ledger.read(Eyes::Own, |conn| known_steps(conn, Tree::Ledger))?,
        None => Vec::new(),
    };
    let mut ended = Vec::new();
    let commons = Db::open(url, "public", 1)?;
    let (header, mut writer) = commons.read(Eyes::Own, |conn| {
        if migrate::tables(conn)?.iter().any(|name| name == UNFINISHED) {
            return Err(BackupError::refused("unfinished-restore", "a restore into this database did not come to its end"));
        }
        let steps = known_steps(conn, Tree::Commons)?;
        if steps.is_empty() {
            return Err(none());
        }
        let header = header(conn, program, now, steps, ledger_steps.clone())?;
        let mut writer = Writer::begin(out, &header)?;
        all_tables(conn, Tree::Commons, &mut writer, &mut ended, progress)?;
        Ok((header, writer))
    })?;
    if let Some(ledger) = ledger {
        ledger.read(Eyes::Own, |conn| {
            if known_steps(conn, Tree::Ledger)? != ledger_steps {
                return Err(BackupError::refused("being-migrated", "the database is being brought up to date; try again"));
            }
            all_tables(conn, Tree::Ledger, &mut writer, &mut ended, progress)
        })?;
    }
    writer.json(Kind::Trailer, &ended)?;
    Ok(Backup { header, tables: ended.iter().map(Counted::from).collect() })
}

/// The steps that a database has taken, if this program knows them all.
fn known_steps(conn: &mut Conn, tree: Tree) -> Result<Vec<String>, BackupError> {
    let steps = migrate::applied(conn)?;
    if migrate::known(tree).starts_with(&steps.iter().map(String::as_str).collect::<Vec<_>>()) {
        return Ok(steps);
    }
    Err(BackupError::refused("newer-database", "this database was migrated by a newer Hayward; let that one back it up"))
}

fn header(
    conn: &mut Conn,
    program: &str,
    now: Moment,
    steps: Vec<String>,
    ledger_steps: Vec<String>,
) -> Result<Header, BackupError> {
    let mut setting = |name: &str| {
        let select = Sql::new("select value from settings where name = ?").bind(name);
        conn.first::<Word>(select).map(|found| found.map(|row| row.value))
    };
    let (commons, keys) = (setting("commons")?, setting("key_print")?);
    Ok(Header {
        program: program.to_owned(),
        database: conn.kind().as_str().to_owned(),
        taken_at: now.0,
        commons,
        era: era::of_any_age(conn)?,
        commit: counter::newest(conn)?,
        keys,
        steps,
        ledger_steps,
    })
}

fn all_tables(
    conn: &mut Conn,
    tree: Tree,
    writer: &mut Writer<'_>,
    ended: &mut Vec<Ended>,
    progress: Progress<'_>,
) -> Result<(), BackupError> {
    let there = migrate::tables(conn)?;
    // A table that a later step makes is not there yet in a database that was never opened by this program.
    for table in TABLES.iter().filter(|table| table.tree == tree && there.iter().any(|name| name == table.name)) {
        ended.push(one_table(conn, table, writer, progress)?);
    }
    Ok(())
}

fn one_table(conn: &mut Conn, table: &Table, writer: &mut Writer<'_>, progress: Progress<'_>) -> Result<Ended, BackupError> {
    let columns = columns(conn, table.name)?;
    let begun = Begun { tree: table.tree, name: table.name.to_owned(), columns: columns.clone() };
    writer.json(Kind::Table, &begun)?;
    let (mut tally, mut scratch, mut frame) = (Tally::default(), Vec::new(), Vec::with_capacity(FRAME));
    each_row(conn, table, &columns, &mut |row| {
        tally.add(row, &mut scratch);
        frame.extend_from_slice(&scratch);
        if frame.len() >= FRAME {
            writer.frame(Kind::Rows, &frame)?;
            frame.clear();
            progress(table.name, tally.rows);
        }
        Ok(())
    })?;
    if !frame.is_empty() {
        writer.frame(Kind::Rows, &frame)?;
    }
    progress(table.name, tally.rows);
    let ended = Ended { tree: table.tree, name: table.name.to_owned(), rows: tally.rows, sum: tally.sum() };
    writer.json(Kind::End, &ended)?;
    Ok(ended)
}

/// The columns of a table, in their order.
pub(super) fn columns(conn: &mut Conn, table: &str) -> crate::Result<Vec<String>> {
    let columns = Sql::new(dialect::columns(conn.kind())).bind(table);
    Ok(conn.load::<Word>(columns)?.into_iter().map(|row| row.value).collect())
}

/// Shows every row of a table, its cells in the order of `columns`.
pub(super) fn each_row(
    conn: &mut Conn,
    table: &Table,
    columns: &[String],
    visit: &mut dyn FnMut(&Cells) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let (list, key) = (columns.join(", "), table.key.join(", "));
    let places = vec!["?"; table.key.len()].join(", ");
    let rest = format!("order by {key} limit {}", table.page);
    let (first, next) = (
        format!("select {list} from {} {rest}", table.name),
        format!("select {list} from {} where ({key}) > ({places}) {rest}", table.name),
    );
    let at: Vec<usize> = table.key.iter().filter_map(|key| columns.iter().position(|column| column == key)).collect();
    let mut page = conn.load::<Cells>(Sql::new(&first))?;
    loop {
        page.iter().try_for_each(&mut *visit)?;
        let full = i64::try_from(page.len()).unwrap_or(i64::MAX) >= table.page;
        let Some(last) = page.last().filter(|_| full) else { return Ok(()) };
        let mut select = Sql::new(&next);
        for at in &at {
            let bind = last.0.get(*at).cloned().and_then(Cell::bind);
            select = select.bind(bind.ok_or(crate::StoreError::Corrupt("a key that is empty"))?);
        }
        page = conn.load::<Cells>(select)?;
    }
}

/// How many rows a table has and what is in them, for comparing with an archive.
pub(super) fn tally(conn: &mut Conn, table: &Table, columns: &[String]) -> Result<Tally, BackupError> {
    let (mut tally, mut scratch) = (Tally::default(), Vec::new());
    each_row(conn, table, columns, &mut |row| {
        tally.add(row, &mut scratch);
        Ok(())
    })?;
    Ok(tally)
}

/// Notes in the commons when it was last backed up, for `hayward doctor`. Called once the archive has its name.
///
/// # Errors
/// If it cannot be noted. The archive is good all the same.
pub fn note_backup(url: &DatabaseUrl, taken_at: Moment) -> Result<(), BackupError> {
    let upsert =
        "insert into settings (name, value) values ('last_backup', ?) on conflict (name) do update set value = excluded.value";
    let upsert = Sql::new(upsert).bind(taken_at.0.to_string());
    Db::open(url, "public", 1)?.write(|conn| conn.execute(upsert).map(drop)).map_err(BackupError::from)
}
