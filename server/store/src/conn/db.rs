//! Pools and transactions.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::manager::{Driver, Manager, Use};
use super::{Conn, DatabaseUrl, Kind};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::turn::Turn;

type Pool = r2d2::Pool<Manager>;

/// A database: a pool that writes, one that stages and one that reads.
pub(crate) struct Db {
    kind: Kind,
    writers: Pool,
    /// On PostgreSQL these are the writers.
    stagers: Pool,
    readers: Pool,
    /// The queue of those who write to SQLite.
    turn: Turn,
    /// SQLite's write-ahead log.
    log: Option<PathBuf>,
    /// What recipients' requests asked, in tests that count the work.
    #[cfg(feature = "mutants")]
    work: Arc<super::work::Log>,
}

/// A write-ahead log that is longer is begun anew.
const LONG_LOG: u64 = 64 << 20;

rows! {
    /// What SQLite says of its write-ahead log.
    Checkpoint { busy: i64 }
}

/// How a reading transaction begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eyes {
    /// An organization's own things, and the program's.
    Own,
    /// Another organization's: on PostgreSQL under a role that can read no original.
    Recipient,
}

impl Db {
    pub(crate) fn open(url: &DatabaseUrl, schema: &'static str, writers: u32) -> Result<Self> {
        let kind = url.kind();
        let runtime = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                let builder = builder.worker_threads(1).enable_all().thread_name("hayward-postgres");
                let runtime = builder.build().map_err(|error| StoreError::Unavailable(error.to_string()))?;
                Some(Arc::new(Driver(Some(runtime))))
            }
        };
        let pool = |purpose, size| {
            let manager = Manager { url: url.clone(), purpose, schema, runtime: runtime.clone() };
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .test_on_check_out(false)
                .idle_timeout(Some(Duration::from_secs(60)))
                .connection_timeout(Duration::from_secs(20))
                .error_handler(Box::new(Quiet))
                .event_handler(Box::new(crate::waits::Waits))
                .build_unchecked(manager)
        };
        let (writers, stagers, readers) = match kind {
            Kind::Sqlite => (pool(Use::Write, 1), pool(Use::Stage, 1), pool(Use::Read, 8)),
            Kind::Postgres => {
                let pool_of_writers = pool(Use::Write, writers);
                (pool_of_writers.clone(), pool_of_writers, pool(Use::Read, writers))
            }
        };
        let log = match url {
            DatabaseUrl::Sqlite(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push("-wal");
                Some(name.into())
            }
            DatabaseUrl::Postgres(_) => None,
        };
        Ok(Self {
            kind,
            writers,
            stagers,
            readers,
            turn: Turn::default(),
            log,
            #[cfg(feature = "mutants")]
            work: Arc::default(),
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Runs `f` in one snapshot that cannot write.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        eyes: Eyes,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let begin = match (self.kind, eyes) {
            (Kind::Sqlite, _) => "begin",
            (Kind::Postgres, Eyes::Own) => "begin isolation level repeatable read read only",
            // `local`: the role ends with the transaction and cannot follow the connection to its next user.
            (Kind::Postgres, Eyes::Recipient) => "begin isolation level repeatable read read only; set local role hayward_reader",
        };
        transact(&self.readers, begin, |conn| {
            #[cfg(feature = "mutants")]
            self.work.watch(eyes, conn);
            f(conn)
        })
    }

    /// What recipients' requests asked.
    #[cfg(feature = "mutants")]
    pub(super) fn work(&self) -> &Arc<super::work::Log> {
        &self.work
    }

    /// Runs `f` in one transaction that may write.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.change(&self.writers, "begin", f)
    }

    /// Like [`Self::write`], for rows that nobody sees before a later transaction says so: that one makes these durable too.
    pub(crate) fn stage<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.change(&self.stagers, "begin; set local synchronous_commit = off", f)
    }

    fn change<T, E: From<StoreError>>(
        &self,
        pool: &Pool,
        begin_on_postgres: &str,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match self.kind {
            Kind::Sqlite => {
                let _served = self.turn.wait();
                transact(pool, "begin immediate", f)
            }
            Kind::Postgres => transact(pool, begin_on_postgres, f),
        }
    }

    /// A connection that is nobody else's for as long as this is kept: a lock of its session ends with it.
    pub(crate) fn hold(&self) -> Result<Held> {
        Ok(Held(checkout(&self.writers)?))
    }

    /// Lets PostgreSQL look at how much is in `tables` now, or in all if none is named. By itself it looks within minutes, and until
    /// then plans as for what was there before. SQLite plans by what indexes there are.
    pub(crate) fn take_stock(&self, tables: &str) -> Result<()> {
        match self.kind {
            Kind::Sqlite => Ok(()),
            Kind::Postgres => self.bare(|conn| conn.batch(&format!("analyze {tables}"))),
        }
    }

    /// Begins a long write-ahead log anew. By itself SQLite does so when nobody reads, and in a busy commons somebody always does.
    /// Who reads at this moment is waited for briefly; beside one who reads for long, as a backup does, the next time will do.
    /// Returns how many logs were long.
    pub(crate) fn shorten_log(&self) -> Result<usize> {
        let length = |log: &PathBuf| std::fs::metadata(log).map_or(0, |about| about.len());
        if self.log.as_ref().map_or(0, length) < LONG_LOG {
            return Ok(0);
        }
        let _served = self.turn.wait();
        let anew = "pragma busy_timeout = 250; pragma wal_checkpoint(truncate); pragma busy_timeout = 20000;";
        self.bare(|conn| conn.batch(anew)).map(|()| 1)
    }

    /// Sees to it that nothing of what was deleted from `tables` is left in the database's files: empties SQLite's write-ahead log, whose
    /// pages were overwritten before, and lets PostgreSQL clear dead rows away.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where somebody still reads what was.
    pub(crate) fn forget_deleted(&self, tables: &str) -> Result<()> {
        if self.kind == Kind::Postgres {
            return self.bare(|conn| conn.batch(&format!("vacuum {tables}")));
        }
        let _served = self.turn.wait();
        self.bare(|conn| {
            conn.batch("pragma busy_timeout = 2000")?;
            let done = conn.one::<Checkpoint>(Sql::new("pragma wal_checkpoint(truncate)"));
            conn.batch("pragma busy_timeout = 20000")?;
            if done?.busy == 0 {
                return Ok(());
            }
            Err(StoreError::Unavailable("somebody still reads what was before".to_owned()))
        })
    }

    /// A connection outside any transaction, for migrations.
    pub(crate) fn bare<T>(&self, f: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        f(&mut *checkout(&self.writers)?)
    }
}

/// See [`Db::hold`].
pub(crate) struct Held(r2d2::PooledConnection<Manager>);

impl Held {
    /// The connection.
    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.0
    }
}

fn checkout(pool: &Pool) -> Result<r2d2::PooledConnection<Manager>> {
    pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A connection in a transaction that has just begun.
fn begun(pool: &Pool, begin: &str) -> Result<r2d2::PooledConnection<Manager>> {
    let mut tries = pool.max_size();
    loop {
        let mut conn = checkout(pool)?;
        let Err(error) = conn.batch(begin) else { return Ok(conn) };
        conn.broken = true;
        // A server that closes idle connections, or was away, leaves a pool of dead ones: behind them is a fresh one, which tells
        // that from a database that is gone.
        if conn.kind() == Kind::Sqlite || tries == 0 {
            return Err(error);
        }
        tries -= 1;
    }
}

fn transact<T, E: From<StoreError>>(
    pool: &Pool,
    begin: &str,
    f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let mut conn = begun(pool, begin)?;
    // A panic must not hand an open transaction to the next user of the connection.
    let done = match catch_unwind(AssertUnwindSafe(|| f(&mut conn))) {
        Ok(Ok(value)) => conn.batch("commit").map(|()| value).map_err(E::from),
        Ok(Err(error)) => Err(error),
        Err(panic) => {
            conn.broken = true;
            resume_unwind(panic)
        }
    };
    if done.is_err() && conn.batch("rollback").is_err() {
        conn.broken = true;
    }
    done
}

/// r2d2 would print every failed try to connect, address included.
#[derive(Debug)]
struct Quiet;

impl<E: std::error::Error> r2d2::HandleError<E> for Quiet {
    fn handle_error(&self, _: E) {
        tracing::warn!("could not connect to the database");
    }
}
