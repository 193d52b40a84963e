//! Connections, pools and transactions. With [`crate::dialect`], the only place that knows there are two databases.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, QueryableByName, RunQueryDsl};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;

use crate::bulk::Rows;
use crate::error::{Result, StoreError};
use crate::shelf::{SharedColumns, SharedRowRow};
use crate::sql::{Placed, Sql};
use crate::turn::Turn;

/// One connection to one of the two.
pub(crate) struct Conn {
    backend: Backend,
    /// Set where a transaction could not be ended: the pool must not lend it out again.
    broken: bool,
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
    /// Every row that the query finds.
    pub(crate) fn load<T: Row>(&mut self, sql: Sql) -> Result<Vec<T>> {
        on!(self, conn => Ok(sql.load::<T>(conn)?))
    }

    /// Rows of shares.
    pub(crate) fn load_shared(&mut self, sql: Sql) -> Result<Vec<SharedRowRow>> {
        let placed = Placed::<SharedColumns>::new(sql);
        on!(self, conn => Ok(placed.load::<SharedRowRow>(conn)?))
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

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(std::path::PathBuf),
    /// A connection string, password included: it has no `Debug`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads a database's address.
    ///
    /// # Errors
    /// A sentence, without the address: it may hold a password.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some("") => Err("`sqlite:` wants the path of a file after it".to_owned()),
            Some(path) => Ok(Self::Sqlite(path.into())),
            None => Err("a database is named `sqlite:PATH` or `postgres://…`".to_owned()),
        }
    }

    /// Which database it names.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }
}

/// What a connection is opened for. On SQLite only one may write at a time; [`Turn`] is their queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    /// Writing what nobody sees before a later transaction says so.
    Stage,
}

struct Manager {
    url: DatabaseUrl,
    purpose: Use,
    /// PostgreSQL's `search_path`: which schema the unqualified names mean.
    schema: &'static str,
    runtime: Option<Arc<Driver>>,
}

/// What drives the connections to PostgreSQL.
struct Driver(Option<tokio::runtime::Runtime>);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for it would panic where a web server's own thread is the last to let go of the store.
            runtime.shutdown_background();
        }
    }
}

impl Manager {
    fn sqlite(&self, path: &std::path::Path) -> std::result::Result<Conn, diesel::ConnectionError> {
        let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
        // The patience comes first: whoever opens the file at the same moment may be switching it to WAL.
        let pragmas = match self.purpose {
            Use::Write => {
                "pragma busy_timeout = 20000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                 pragma temp_store = memory; pragma wal_autocheckpoint = 8000; pragma cache_size = -4096;"
            }
            // Staged rows refer to the dataset and the shares that their writer has claimed, which are there. To look them up for
            // every row cost a fifth of the time, most of it for copies of pages in case that the statement had to be taken back.
            Use::Stage => {
                "pragma busy_timeout = 20000; pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = off; \
                 pragma temp_store = memory; pragma wal_autocheckpoint = 8000; pragma cache_size = -24576;"
            }
            Use::Read => {
                "pragma busy_timeout = 20000; pragma foreign_keys = on; pragma query_only = on; pragma temp_store = memory; \
                 pragma cache_size = -8192;"
            }
        };
        conn.batch_execute(pragmas).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(Conn { backend: Backend::Sqlite(conn), broken: false })
    }

    fn postgres(&self, url: &str) -> std::result::Result<Conn, diesel::ConnectionError> {
        let bad = |detail: &str| diesel::ConnectionError::BadConnection(detail.to_owned());
        let runtime = self.runtime.as_ref().and_then(|driver| driver.0.as_ref()).ok_or_else(|| bad("no runtime"))?;
        let _inside = runtime.enter();
        let mut conn = if wants_tls(url) {
            let client = runtime.block_on(tls(url))?;
            AsyncConnectionWrapper::<AsyncPgConnection>::from(client)
        } else {
            <AsyncConnectionWrapper<AsyncPgConnection> as Connection>::establish(url)?
        };
        conn.batch_execute(&format!("set search_path to {}; set application_name = 'hayward';", self.schema))
            .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(Conn { backend: Backend::Pg(Box::new(conn)), broken: false })
    }
}

/// `sslmode=disable` in the address, or none at all on loopback, speaks plainly; everything else is encrypted and verified.
fn wants_tls(url: &str) -> bool {
    let Ok(config) = url.parse::<tokio_postgres::Config>() else { return false };
    match config.get_ssl_mode() {
        tokio_postgres::config::SslMode::Disable => false,
        tokio_postgres::config::SslMode::Prefer => config.get_hosts().iter().any(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => !matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
            #[cfg(unix)]
            tokio_postgres::config::Host::Unix(_) => false,
        }),
        _ => true,
    }
}

async fn tls(url: &str) -> diesel::ConnectionResult<AsyncPgConnection> {
    let bad = |detail: String| diesel::ConnectionError::BadConnection(detail);
    let (connector, _) = tokio_postgres_rustls::MakeRustlsConnect::with_native_certs()
        .map_err(|error| bad(format!("no certificates: {error:?}")))?;
    let (client, connection) = tokio_postgres::connect(url, connector).await.map_err(|error| bad(error.to_string()))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

impl r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::ConnectionError;

    fn connect(&self) -> std::result::Result<Conn, Self::Error> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => self.sqlite(path),
            DatabaseUrl::Postgres(url) => self.postgres(url),
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> std::result::Result<(), Self::Error> {
        conn.batch("select 1").map_err(|error| diesel::ConnectionError::BadConnection(error.to_string()))
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        conn.broken
    }
}

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
        Ok(Self { kind, writers, stagers, readers, turn: Turn::default() })
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
        transact(&self.readers, begin, f)
    }

    /// Runs `f` in one transaction that may write.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match self.kind {
            Kind::Sqlite => {
                let _served = self.turn.wait();
                transact(&self.writers, "begin immediate", f)
            }
            Kind::Postgres => transact(&self.writers, "begin", f),
        }
    }

    /// Like [`Self::write`], for rows that nobody sees before a later transaction says so: that one makes these durable too.
    pub(crate) fn stage<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match self.kind {
            Kind::Sqlite => {
                let _served = self.turn.wait();
                transact(&self.stagers, "begin immediate", f)
            }
            Kind::Postgres => transact(&self.stagers, "begin; set local synchronous_commit = off", f),
        }
    }

    /// A connection that is nobody else's for as long as this is kept: a lock of its session ends with it.
    pub(crate) fn hold(&self) -> Result<Held> {
        Ok(Held(checkout(&self.writers)?))
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
