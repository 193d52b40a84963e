//! What is wrong with the rows of a file, as it is kept.

use hayward_importers::{Problem, ProblemGroup};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Import, drop_some};
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, Word, rows};

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

    pub(crate) fn keep_groups(&self, import: &Import, groups: &[ProblemGroup]) -> Result<()> {
        let text = serde_json::to_string(groups).map_err(|_| StoreError::Corrupt("groups of problems"))?;
        let update = Sql::new("update imports set problem_groups = ? where id = ?").bind(text).bind(&import.id);
        self.db.write(|conn| conn.execute(update)).map(drop)
    }

    pub(crate) fn drop_problems(&self, import: &Import) -> Result<()> {
        self.until_none(|conn| drop_some_problems(conn, &import.id)).map(drop)
    }

    pub(crate) fn keep_problems(&self, import: &Import, first: i64, problems: &[Problem]) -> Result<()> {
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
            conn.execute(insert)?;
            conn.execute(Sql::new("update imports set changed_at = ? where id = ?").bind(now).bind(&import.id)).map(drop)
        })
    }
}

/// Drops some of an import's problems; 0 once none is left.
pub(crate) fn drop_some_problems(conn: &mut Conn, import: &str) -> Result<usize> {
    let groups = "update imports set problem_groups = null where id = ? and problem_groups is not null";
    conn.execute(Sql::new(groups).bind(import))?;
    drop_some(conn, "import_problems", import, 1_000)
}
