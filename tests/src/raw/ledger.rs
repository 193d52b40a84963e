//! The ledger's tables themselves, past the program.

use super::{Of, cells, run};
use crate::{Kind, TestDatabase};

/// The column `value` of what a query finds, as text; an empty cell is `-`.
///
/// # Panics
/// If the database does not do it.
#[must_use]
pub fn ask(db: &TestDatabase, sql: &str) -> Vec<String> {
    cells(db, Of::Ledger, sql)
}

/// Runs statements.
///
/// # Panics
/// If the database does not do it.
pub fn tell(db: &TestDatabase, sql: &str) {
    run(db, Of::Ledger, sql).unwrap();
}

/// Every cell of every table, as text; on SQLite also whatever else the ledger's files hold.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn everything(db: &TestDatabase) -> String {
    match db.kind() {
        Kind::Sqlite => {
            let files = std::fs::read_dir(db.folder()).unwrap().map(|file| file.unwrap().path());
            let ledger = files.filter(|path| path.file_name().unwrap().to_string_lossy().contains(".ledger.db"));
            ledger.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
        }
        Kind::Postgres => {
            let names = ask(db, "select table_name::text as value from information_schema.tables where table_schema = 'ledger'");
            names.iter().flat_map(|name| ask(db, &format!("select t::text as value from {name} t"))).collect()
        }
    }
}
