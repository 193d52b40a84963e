//! Making connections, each for what it is opened for.

use std::sync::Arc;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;

use super::{Backend, Conn, DatabaseUrl};

/// What a connection is opened for. On SQLite only one may write at a time; [`crate::turn`] is their queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
    /// Writing what nobody sees before a later transaction says so.
    Stage,
}

pub(super) struct Manager {
    pub(super) url: DatabaseUrl,
    pub(super) purpose: Use,
    /// PostgreSQL's `search_path`: which schema the unqualified names mean.
    pub(super) schema: &'static str,
    pub(super) runtime: Option<Arc<Driver>>,
}

/// What drives the connections to PostgreSQL.
pub(super) struct Driver(pub(super) Option<tokio::runtime::Runtime>);

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
        // What is deleted is overwritten: see `crate::erasure`.
        // The patience comes first: whoever opens the file at the same moment may be switching it to WAL.
        let pragmas = match self.purpose {
            Use::Write => {
                "pragma busy_timeout = 20000; pragma secure_delete = on; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; \
                 pragma temp_store = memory; pragma wal_autocheckpoint = 8000; pragma cache_size = -4096;"
            }
            // Staged rows refer to the dataset and the shares that their writer has claimed, which are there. To look them up for
            // every row cost a fifth of the time, most of it for copies of pages in case that the statement had to be taken back.
            Use::Stage => {
                "pragma busy_timeout = 20000; pragma secure_delete = on; pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = off; \
                 pragma temp_store = memory; pragma wal_autocheckpoint = 8000; pragma cache_size = -24576;"
            }
            Use::Read => {
                "pragma busy_timeout = 20000; pragma foreign_keys = on; pragma query_only = on; pragma temp_store = memory; \
                 pragma cache_size = -4096;"
            }
        };
        conn.batch_execute(pragmas).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        super::apart::register(&mut conn).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        Ok(Conn::new(Backend::Sqlite(conn)))
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
        Ok(Conn::new(Backend::Pg(Box::new(conn))))
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
