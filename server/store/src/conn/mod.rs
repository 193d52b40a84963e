//! Connections, pools and transactions. With [`crate::dialect`], the only place that knows there are two databases.

mod apart;
mod db;
mod manager;
mod url;
#[cfg(feature = "mutants")]
mod work;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryableByName, RunQueryDsl};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;

use crate::bulk::Rows;
use crate::error::{Result, StoreError};
use crate::shelf::{SharedColumns, SharedRowRow};
use crate::sql::{Placed, Sql};

pub(crate) use db::{Db, Eyes, Held};
pub use url::{DatabaseUrl, Kind};
#[cfg(feature = "mutants")]
pub use work::Work;

/// One connection to one of the two.
pub(crate) struct Conn {
    backend: Backend,
    /// Set where a transaction could not be ended: the pool must not lend it out again.
    broken: bool,
    /// Where it is written down what is asked, in tests that count the work.
    #[cfg(feature = "mutants")]
    watched: Option<std::sync::Arc<work::Log>>,
}

enum Backend {
    Pg(Box<AsyncConnectionWrapper<AsyncPgConnection>>),
    Sqlite(SqliteConnection),
}

/// A query is written once and compiled for each.
macro_rules! on {
    ($conn:expr, $each:ident => $body:expr) => {
        match &mut $conn.backend {
            Backend::Pg($each) => {
                let $each = &mut **$each;
                $body
            }
            Backend::Sqlite($each) => $body,
        }
    };
}

/// What both databases can read a row into.
pub(crate) trait Row: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static {}
impl<T: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static> Row for T {}

impl Conn {
    fn new(backend: Backend) -> Self {
        Self {
            backend,
            broken: false,
            #[cfg(feature = "mutants")]
            watched: None,
        }
    }

    /// Every row that the query finds.
    pub(crate) fn load<T: Row>(&mut self, sql: Sql) -> Result<Vec<T>> {
        self.counted(sql, |conn, sql| on!(conn, conn => Ok(sql.load::<T>(conn)?)))
    }

    #[cfg(feature = "mutants")]
    fn counted<T>(&mut self, sql: Sql, load: impl FnOnce(&mut Self, Sql) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let planned = self.planned(&sql)?;
        let rows = load(self, sql)?;
        self.worked(planned, rows.len());
        Ok(rows)
    }

    #[cfg(not(feature = "mutants"))]
    #[inline(always)]
    fn counted<T>(&mut self, sql: Sql, load: impl FnOnce(&mut Self, Sql) -> Result<Vec<T>>) -> Result<Vec<T>> {
        load(self, sql)
    }

    /// Rows of shares.
    pub(crate) fn load_shared(&mut self, sql: Sql) -> Result<Vec<SharedRowRow>> {
        self.counted(sql, |conn, sql| {
            let placed = Placed::<SharedColumns>::new(sql);
            on!(conn, conn => Ok(placed.load::<SharedRowRow>(conn)?))
        })
    }

    /// The first row, if there is one.
    pub(crate) fn first<T: Row>(&mut self, sql: Sql) -> Result<Option<T>> {
        Ok(self.load(sql)?.into_iter().next())
    }

    /// The first row, or [`StoreError::NotFound`].
    pub(crate) fn one<T: Row>(&mut self, sql: Sql) -> Result<T> {
        self.first(sql)?.ok_or(StoreError::NotFound)
    }

    /// How many rows the statement touched.
    pub(crate) fn execute(&mut self, sql: Sql) -> Result<usize> {
        on!(self, conn => Ok(sql.execute(conn)?))
    }

    /// Inserts many rows at once.
    pub(crate) fn insert(&mut self, rows: &Rows) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        match &mut self.backend {
            Backend::Pg(conn) => drop(rows.unnested().execute(&mut **conn)?),
            Backend::Sqlite(conn) => {
                for few in rows.statements() {
                    few.execute(conn)?;
                }
            }
        }
        Ok(())
    }

    /// Statements without binds, several at a time.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        on!(self, conn => Ok(conn.batch_execute(sql)?))
    }

    /// Which of the two it is.
    pub(crate) fn kind(&self) -> Kind {
        match self.backend {
            Backend::Pg(_) => Kind::Postgres,
            Backend::Sqlite(_) => Kind::Sqlite,
        }
    }
}
