//! The tables themselves, past the store: for what no public function may tell.
//!
//! Here are the commons' own; the [`ledger`]'s lie in a file, or a schema, of their own.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read is a test that failed")]

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::{Kind, TestDatabase};

pub mod ledger;

/// Whose tables a statement means.
#[derive(Clone, Copy)]
enum Of {
    Commons,
    Ledger,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The column `value` of what a query finds, as text; an empty cell is `-`.
///
/// # Panics
/// If the database does not do it.
#[must_use]
pub fn ask(db: &TestDatabase, sql: &str) -> Vec<String> {
    cells(db, Of::Commons, sql)
}

/// How many rows the query counts.
///
/// # Panics
/// If the database does not do it.
#[must_use]
pub fn count(db: &TestDatabase, from: &str) -> i64 {
    ask(db, &format!("select count(*) as value from {from}")).first().unwrap().parse().unwrap()
}

/// Runs statements.
///
/// # Panics
/// If the database does not do it.
pub fn tell(db: &TestDatabase, sql: &str) {
    try_tell(db, sql).unwrap();
}

/// Runs statements, or says why not.
///
/// # Errors
/// What the database says.
pub fn try_tell(db: &TestDatabase, sql: &str) -> Result<(), String> {
    run(db, Of::Commons, sql)
}

/// Every table with its columns, and what was migrated.
///
/// # Panics
/// If the database does not say.
#[must_use]
pub fn shape(db: &TestDatabase) -> Vec<String> {
    let columns = match db.kind() {
        Kind::Sqlite => "select name || ': ' || coalesce(sql, '') as value from sqlite_master order by name",
        Kind::Postgres => {
            "select table_schema || '.' || table_name || '.' || column_name || ' ' || data_type as value
            from information_schema.columns where table_schema in ('public', 'ledger') order by 1"
        }
    };
    let migrated = ask(db, "select name as value from migrations order by version");
    [ask(db, columns), migrated].concat()
}

fn cells(db: &TestDatabase, of: Of, sql: &str) -> Vec<String> {
    let cells = match db.kind() {
        Kind::Sqlite => {
            let wrapped = format!("select cast(value as text) as value from ({sql}) as asked");
            let rows = diesel::sql_query(wrapped).load::<Row>(&mut sqlite(db, of)).unwrap();
            rows.into_iter().map(|row| row.value).collect()
        }
        Kind::Postgres => postgres(db, of, sql).unwrap(),
    };
    cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect()
}

fn run(db: &TestDatabase, of: Of, sql: &str) -> Result<(), String> {
    match db.kind() {
        Kind::Sqlite => sqlite(db, of).batch_execute(sql).map_err(|error| error.to_string()),
        Kind::Postgres => postgres(db, of, sql).map(drop),
    }
}

fn sqlite(db: &TestDatabase, of: Of) -> SqliteConnection {
    let commons = Path::new(db.url().strip_prefix("sqlite:").unwrap());
    let file = match of {
        Of::Commons => commons.to_owned(),
        Of::Ledger => commons.with_extension("ledger.db"),
    };
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("pragma busy_timeout = 20000").unwrap();
    conn
}

fn postgres(db: &TestDatabase, of: Of, sql: &str) -> Result<Vec<Option<String>>, String> {
    let schema = match of {
        Of::Commons => "public",
        Of::Ledger => "ledger",
    };
    let sql = &format!("set search_path = {schema}; {sql}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(db.url(), NoTls).await.unwrap();
        let asked = async {
            let messages = client.simple_query(sql).await;
            drop(client);
            messages
        };
        let (messages, _) = tokio::join!(asked, connection);
        let messages =
            messages.map_err(|error| error.as_db_error().map_or(error.to_string(), |error| error.message().to_owned()))?;
        let cell = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(row.try_get("value").ok().flatten().map(str::to_owned)),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(cell).collect())
    })
}

/// Runs `work` while a connection of ours has run `sql`, such as one that takes a lock.
///
/// # Panics
/// If the database does not do it.
pub fn holding(db: &TestDatabase, sql: &str, work: impl FnOnce()) {
    match db.kind() {
        Kind::Sqlite => {
            let mut conn = sqlite(db, Of::Commons);
            conn.batch_execute(sql).unwrap();
            work();
        }
        Kind::Postgres => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let (client, connection) = runtime.block_on(tokio_postgres::connect(db.url(), NoTls)).unwrap();
            let _answering = runtime.spawn(connection);
            runtime.block_on(client.batch_execute(sql)).unwrap();
            work();
        }
    }
}
