//! What the operator did: a line each, without any value of a record.

use hayward_domain::moment::Moment;
use serde::Serialize;

use crate::Store;
use crate::conn::Eyes;
use crate::error::Result;
use crate::sql::{Sql, rows};

/// One act of the operator.
#[derive(Serialize)]
pub struct Act {
    /// When.
    pub at: String,
    /// What: `person disable`.
    pub act: String,
    /// The id of what it was done to, or a dash.
    pub subject: String,
}

rows! {
    ActRow { at: i64, act: String, subject: String }
}

impl Store {
    /// Writes an act down.
    ///
    /// # Errors
    /// Only the database's.
    pub fn note_act(&self, act: &str, subject: &str) -> Result<()> {
        let now = (self.clock)();
        let insert = "insert into acts (number, at, act, subject) select coalesce(max(number), 0) + 1, ?, ?, ? from acts";
        let insert = Sql::new(insert).bind(now).bind(act).bind(subject);
        self.db.write(|conn| conn.execute(insert.clone()).map(drop))
    }

    /// The newest acts, the newest first.
    ///
    /// # Errors
    /// Only the database's.
    pub fn acts(&self, limit: i64) -> Result<Vec<Act>> {
        let select = Sql::new("select at, act, subject from acts order by number desc limit ?").bind(limit);
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ActRow>(select))?;
        Ok(rows.into_iter().map(|row| Act { at: Moment(row.at).to_rfc3339(), act: row.act, subject: row.subject }).collect())
    }
}
