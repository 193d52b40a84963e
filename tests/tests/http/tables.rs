//! The ledger's tables themselves, past the program.

use diesel::sql_types::{Nullable, Text};
use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection};
use hayward_tests::{Kind, TestDatabase};
use tokio_postgres::{NoTls, SimpleQueryMessage};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Every cell of every table of the ledger, as text; on SQLite also whatever else its files hold.
pub fn everything(db: &TestDatabase) -> String {
    match db.kind() {
        Kind::Sqlite => {
            let files = std::fs::read_dir(db.folder()).unwrap().map(|file| file.unwrap().path());
            let ledger = files.filter(|path| path.file_name().unwrap().to_string_lossy().contains(".ledger.db"));
            ledger.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
        }
        Kind::Postgres => {
            let names =
                postgres(db, "select table_name::text as value from information_schema.tables where table_schema = 'ledger'");
            names.iter().flat_map(|name| postgres(db, &format!("select t::text as value from ledger.{name} t"))).collect()
        }
    }
}

/// Runs a statement in the ledger.
pub fn tell(db: &TestDatabase, sql: &str) {
    match db.kind() {
        Kind::Sqlite => sqlite(db).batch_execute(sql).unwrap(),
        Kind::Postgres => drop(postgres(db, &format!("set search_path = ledger; {sql}"))),
    }
}

/// The column `value` of what a query finds in the ledger.
pub fn ask(db: &TestDatabase, sql: &str) -> Vec<String> {
    match db.kind() {
        Kind::Sqlite => {
            let rows = diesel::sql_query(sql).load::<Row>(&mut sqlite(db)).unwrap();
            rows.into_iter().filter_map(|row| row.value).collect()
        }
        Kind::Postgres => postgres(db, &format!("set search_path = ledger; {sql}")),
    }
}

fn sqlite(db: &TestDatabase) -> SqliteConnection {
    let file = db.folder().join("hayward.ledger.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("pragma busy_timeout = 20000").unwrap();
    conn
}

fn postgres(db: &TestDatabase, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(db.url(), NoTls).await.unwrap();
        let asked = async {
            let messages = client.simple_query(sql).await;
            drop(client);
            messages
        };
        let (messages, _) = tokio::join!(asked, connection);
        let cell = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.try_get("value").ok().flatten().map(str::to_owned),
            _ => None,
        };
        messages.unwrap().into_iter().filter_map(cell).collect()
    })
}
