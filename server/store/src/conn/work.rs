//! What a recipient's request asks of the database: statements, their plans, and how many rows each gave. For tests, which compare the
//! work of two worlds; without the feature `mutants` nothing of this is compiled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use diesel::RunQueryDsl;

use super::{Backend, Conn, Eyes};
use crate::Store;
use crate::error::Result;
use crate::shelf;
use crate::sql::Sql;

/// One statement that was run for a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its text, without its values.
    pub statement: String,
    /// How the database goes about it: what it looks through, by which index, in which order.
    pub plan: Vec<String>,
    /// How many rows it gave.
    pub rows: usize,
}

/// The snapshots of one database, each with its statements, while somebody wants to know.
#[derive(Default)]
pub(super) struct Log {
    wanted: AtomicBool,
    snapshots: Mutex<Vec<Vec<Work>>>,
}

impl Log {
    /// A recipient's snapshot begins on `conn`.
    pub(super) fn watch(self: &Arc<Self>, eyes: Eyes, conn: &mut Conn) {
        let wanted = eyes == Eyes::Recipient && self.wanted.load(Ordering::SeqCst);
        conn.watched = wanted.then(|| Arc::clone(self));
        if wanted {
            self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).push(Vec::new());
        }
    }
}

impl Conn {
    /// The plan of a statement that is about to be run, where somebody watches.
    pub(super) fn planned(&mut self, sql: &Sql) -> Result<Option<Work>> {
        if self.watched.is_none() {
            return Ok(None);
        }
        Ok(Some(Work { statement: sql.text().to_owned(), plan: self.plan(sql)?, rows: 0 }))
    }

    fn plan(&mut self, sql: &Sql) -> Result<Vec<String>> {
        #[derive(diesel::QueryableByName)]
        struct Step {
            #[diesel(sql_type = diesel::sql_types::Text)]
            detail: String,
        }
        #[derive(diesel::QueryableByName)]
        struct Line {
            #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
            line: String,
        }
        Ok(match &mut self.backend {
            Backend::Sqlite(conn) => {
                let steps = sql.after("explain query plan ").load::<Step>(conn)?;
                steps.into_iter().map(|step| step.detail).collect()
            }
            Backend::Pg(conn) => {
                let lines = sql.after("explain (costs off) ").load::<Line>(&mut **conn)?;
                lines.into_iter().map(|line| without_values(&line.line)).collect()
            }
        })
    }

    /// Keeps what a statement came to.
    pub(super) fn worked(&mut self, planned: Option<Work>, rows: usize) {
        if let (Some(log), Some(work)) = (&self.watched, planned) {
            let mut snapshots = log.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(snapshot) = snapshots.last_mut() {
                snapshot.push(Work { rows, ..work });
            }
        }
    }
}

/// A line of a plan without the values that PostgreSQL writes into it: they stand in quotation marks.
fn without_values(line: &str) -> String {
    line.split('\'').step_by(2).collect::<Vec<_>>().join("?")
}

impl Store {
    /// From now on writes down what recipients' requests ask of the database, from nothing: what was kept of earlier requests is
    /// forgotten, so that the next does all its work itself.
    pub fn watch_work(&self) {
        let log = self.db.work();
        log.wanted.store(true, Ordering::SeqCst);
        log.snapshots.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = shelf::Standing::default();
    }

    /// The snapshots since, each with its statements in order.
    #[must_use]
    pub fn work(&self) -> Vec<Vec<Work>> {
        self.db.work().snapshots.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
