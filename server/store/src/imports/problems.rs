//! What is wrong with the rows of a file, as it is kept.

use hayward_domain::moment::Moment;
use hayward_importers::{Problem, ProblemGroup};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Import, drop_some};
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word, rows};

/// Problems that are kept one by one; beyond it they are only counted.
pub(crate) const KEPT_PROBLEMS: i64 = 100_000;

rows! {
    ProblemRow { problem: String }
}

impl Store {
    /// Problems from `after` on; one more than `limit` if there are more.
    ///
    /// # Errors
    /// Only the database's.
    pub fn problems(&self, import: &Import, after: i64, limit: i64) -> Result<Vec<Value>> {
        self.read_problems(import, after, limit + 1)
    }

    /// The same, as what they are; no more than `limit`. They are in the order of their rows.
    pub(crate) fn kept_problems(&self, import: &Import, after: i64, limit: i64) -> Result<Vec<Problem>> {
        self.read_problems(import, after, limit)
    }

    fn read_problems<T: DeserializeOwned>(&self, import: &Import, after: i64, limit: i64) -> Result<Vec<T>> {
        let select = "select problem from import_problems where import = ? and position > ? order by position limit ?";
        let select = Sql::new(select).bind(&import.id).bind(after).bind(limit);
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ProblemRow>(select))?;
        rows.iter().map(|row| serde_json::from_str(&row.problem).map_err(|_| StoreError::Corrupt("a problem"))).collect()
    }

    /// The problems, those that are one mistake told once: the one in most rows first, from the `after`-th on; one more than `limit` if
    /// there are more.
    ///
    /// # Errors
    /// Only the database's.
    pub fn problem_groups(&self, import: &Import, after: usize, limit: usize) -> Result<Vec<ProblemGroup>> {
        let select = Sql::new("select coalesce(problem_groups, '[]') as value from imports where id = ?").bind(&import.id);
        let word = self.db.read(Eyes::Own, |conn| conn.one::<Word>(select))?;
        let groups: Vec<ProblemGroup> =
            serde_json::from_str(&word.value).map_err(|_| StoreError::Corrupt("groups of problems"))?;
        Ok(groups.into_iter().skip(after).take(limit.saturating_add(1)).collect())
    }

    /// Begins to count the rows of a file, and drops what an earlier counting found. Whatever that one has still to say, or decides
    /// something else meanwhile, is refused from here on; so is this one where the import has moved on already.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where it has.
    pub(crate) fn begin_counting(&self, import: &Import) -> Result<Counting> {
        let matching = import.matching.as_ref().map(Value::to_string).unwrap_or_default();
        // A failed file may be read otherwise; what is being committed is counted by whoever commits it.
        let update = "update imports set counting = counting + 1 where id = ? and coalesce(matching, '') = ? and file_hash = ?
            and (state = ? or (state in ('reading', 'draft', 'checked', 'interrupted', 'failed') and ? <> 'committing'))";
        let update = Sql::new(update).bind(&import.id).bind(matching).bind(&import.file_hash);
        let update = update.bind(import.state.as_str()).bind(import.state.as_str());
        let number = Sql::new("select counting as value from imports where id = ?").bind(&import.id);
        let number = self.db.write(|conn| match conn.execute(update)? {
            0 => Err(moved_on()),
            _ => Ok(conn.one::<Number>(number)?.value),
        })?;
        self.drop_problems(import)?;
        Ok(Counting(number))
    }

    pub(crate) fn keep_groups(&self, import: &Import, counting: &Counting, groups: &[ProblemGroup]) -> Result<()> {
        let text = serde_json::to_string(groups).map_err(|_| StoreError::Corrupt("groups of problems"))?;
        let update = Sql::new("update imports set problem_groups = ? where id = ? and counting = ?");
        let update = update.bind(text).bind(&import.id).bind(counting.0);
        if self.db.write(|conn| conn.execute(update))? == 1 { Ok(()) } else { Err(moved_on()) }
    }

    pub(crate) fn drop_problems(&self, import: &Import) -> Result<()> {
        self.until_none(|conn| drop_some_problems(conn, &import.id)).map(drop)
    }

    pub(crate) fn keep_problems(&self, import: &Import, counting: &Counting, first: i64, problems: &[Problem]) -> Result<()> {
        let now = (self.clock)();
        if problems.is_empty() || first > KEPT_PROBLEMS {
            return Ok(());
        }
        let mut insert = Sql::new("insert into import_problems (import, position, problem) values ").varying();
        for (at, (problem, position)) in problems.iter().zip(first..).enumerate() {
            let text = serde_json::to_string(problem).map_err(|_| StoreError::Corrupt("a problem"))?;
            let binds = [(&import.id).into(), position.into(), text.into()];
            insert.push_with(if at == 0 { "(?, ?, ?)" } else { ", (?, ?, ?)" }, binds);
        }
        self.db.write(|conn| {
            still_counts(conn, import, counting, now)?;
            conn.execute(insert).map(drop)
        })
    }
}

/// One counting of the rows of a file: its number.
pub(crate) struct Counting(pub(super) i64);

/// Says that a counting goes on.
///
/// # Errors
/// [`StoreError::Stale`] where another has begun since.
pub(crate) fn still_counts(conn: &mut Conn, import: &Import, counting: &Counting, now: Moment) -> Result<()> {
    let update = Sql::new("update imports set changed_at = ? where id = ? and counting = ?");
    if conn.execute(update.bind(now).bind(&import.id).bind(counting.0))? == 1 { Ok(()) } else { Err(moved_on()) }
}

pub(super) fn moved_on() -> StoreError {
    StoreError::Stale("this import has moved on meanwhile; look again".to_owned())
}

/// Drops some of an import's problems; 0 once none is left.
pub(crate) fn drop_some_problems(conn: &mut Conn, import: &str) -> Result<usize> {
    let groups = "update imports set problem_groups = null where id = ? and problem_groups is not null";
    conn.execute(Sql::new(groups).bind(import))?;
    drop_some(conn, "import_problems", import, 1_000)
}
