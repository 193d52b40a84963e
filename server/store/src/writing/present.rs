//! What a dataset holds at one edition, for whoever compares a file with it.
//!
//! Rows that another commit is staging are not there yet, and those that it is closing still are. Each question is a short read of
//! its own: a snapshot that stayed open for the length of a file would keep SQLite's journal from ever being reset.

use std::sync::OnceLock;

use hayward_importers::Problem;

use super::compare::{Keys, key_hash};
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::erasure::Suppressed;
use crate::error::Result;
use crate::sql::{Bind, Number, Sql, rows};

/// How many times as many rows as it has keys a batch may walk through before it asks for each key by itself.
const DENSE: usize = 2;
/// Rows read in one go.
const PAGE: i64 = 1_000;

rows! {
    /// What tells whether a record changes.
    MarkRow { row: i64, key: String, hash: Option<Vec<u8>> }
    /// A version of a record.
    LiveRow { row: i64, record: i64, key: String, body: String }
}

/// One dataset at one edition.
pub(super) struct Present<'a> {
    store: &'a Store,
    dataset: i64,
    edition: i64,
    /// Keys that are not added again.
    erased: OnceLock<Suppressed>,
    /// Told of rows before they are compared, and of no rows before other reads: says that somebody is at work.
    alive: Box<dyn Fn(u64) -> Result<()> + Send + 'a>,
}

impl<'a> Present<'a> {
    pub(super) fn new(store: &'a Store, dataset: i64, edition: i64, alive: impl Fn(u64) -> Result<()> + Send + 'a) -> Self {
        Self { store, dataset, edition, erased: OnceLock::new(), alive: Box::new(alive) }
    }

    /// What is wrong with a row whose record was erased: it is not added again.
    pub(super) fn erased(&self, row: u64, key: &str) -> Result<Option<Problem>> {
        if let Some(erased) = self.erased.get() {
            return Ok(erased.problem(row, key));
        }
        let erased = self.store.suppressed(self.dataset)?;
        Ok(self.erased.get_or_init(|| erased).problem(row, key))
    }

    /// Whether nothing was ever committed.
    pub(super) fn is_empty(&self) -> bool {
        self.edition == 0
    }

    /// So many rows are compared now.
    pub(super) fn compares(&self, rows: usize) -> Result<()> {
        (self.alive)(rows as u64)
    }

    /// How many records there are.
    pub(super) fn count(&self) -> Result<u64> {
        let select = self.select("row", |_| {});
        let mut count = Sql::new("select count(*) as value from (");
        count.append(select).push(") as live");
        let count = self.store.db.read(Eyes::Own, |conn| conn.one::<Number>(count))?;
        Ok(u64::try_from(count.value).unwrap_or(0))
    }

    /// The records with these keys.
    pub(super) fn marks(&self, mut keys: Vec<&str>) -> Result<Vec<MarkRow>> {
        if self.is_empty() || keys.is_empty() {
            return Ok(Vec::new());
        }
        keys.sort_unstable();
        self.store.db.read(Eyes::Own, |conn| match self.walk(conn, &keys)? {
            Some(marks) => Ok(marks),
            None => self.ask(conn, &keys),
        })
    }

    /// A file is often in the order of its keys, and then its records lie together.
    fn walk(&self, conn: &mut Conn, keys: &[&str]) -> Result<Option<Vec<MarkRow>>> {
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(None) };
        let most = keys.len() * DENSE;
        let within = |sql: &mut Sql| {
            sql.push_with(" and key >= ? and key <= ?", [(*first).into(), (*last).into()]);
        };
        let mut select = self.select("row, key, hash", within);
        select.push_with(" limit ?", [i64::try_from(most + 1).unwrap_or(i64::MAX).into()]);
        let marks = conn.load::<MarkRow>(select)?;
        Ok((marks.len() <= most).then_some(marks))
    }

    fn ask(&self, conn: &mut Conn, keys: &[&str]) -> Result<Vec<MarkRow>> {
        conn.load(self.select("row, key, hash", |sql| {
            sql.push(" and key in ").list(keys.iter().copied());
        }))
    }

    /// The bodies of these.
    pub(super) fn bodies(&self, marks: &[MarkRow]) -> Result<Vec<LiveRow>> {
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = Sql::new("select row, record, key, body from records where row in ");
        select.list(marks.iter().map(|mark| mark.row));
        self.store.db.read(Eyes::Own, |conn| conn.load(select))
    }

    /// Shows the records whose keys a file does not have to `see`, in the order of their keys.
    pub(super) fn absent(&self, seen: &Keys, mut see: impl FnMut(LiveRow) -> Result<()>) -> Result<()> {
        let mut after = String::new();
        loop {
            (self.alive)(0)?;
            let beyond = |sql: &mut Sql| {
                sql.push_with(" and key > ?", [Bind::from(&after)]);
            };
            let mut select = self.select("row, key, hash", beyond);
            select.push_with(" order by key limit ?", [PAGE.into()]);
            let marks = self.store.db.read(Eyes::Own, |conn| conn.load::<MarkRow>(select))?;
            let Some(last) = marks.last() else { return Ok(()) };
            after.clone_from(&last.key);
            let absent: Vec<MarkRow> = marks.into_iter().filter(|mark| !seen.contains(&key_hash(&mark.key))).collect();
            let mut rows = self.bodies(&absent)?;
            rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            rows.into_iter().try_for_each(&mut see)?;
        }
    }

    /// What is live, and what a commit in the making has closed. Each half has an index of its own.
    fn select(&self, columns: &str, narrow: impl Fn(&mut Sql)) -> Sql {
        let mut sql =
            Sql::new(&format!("select {columns} from records where dataset = ? and died = 9223372036854775807 and born <= ?"));
        sql = sql.bind(self.dataset).bind(self.edition);
        narrow(&mut sql);
        let closing = format!(
            " union all select {columns} from records where dataset = ? and died > ? and died < 9223372036854775807 and born <= ?"
        );
        sql.push_with(&closing, [self.dataset.into(), self.edition.into(), self.edition.into()]);
        narrow(&mut sql);
        sql
    }
}
