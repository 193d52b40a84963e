//! Bringing a database up to what this program expects.
//!
//! One portable text per step; where one of the databases needs more, it stands beside it and runs in the same transaction.

use serde::{Deserialize, Serialize};

use crate::conn::{Conn, Kind};
use crate::dialect;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word};

/// Stands in a database from before the first step of a restore until after its last one: nobody may serve it then.
pub(crate) const UNFINISHED: &str = "unfinished_restore";

/// One step. Steps are only ever added.
struct Step {
    name: &'static str,
    portable: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! step {
    ($tree:literal, $name:literal) => {
        Step { sqlite: "", ..step!($tree, $name, "up.sql") }
    };
    // With what SQLite needs besides.
    ($tree:literal, $name:literal, $sqlite:literal) => {
        Step {
            name: $name,
            portable: include_str!(concat!("../../../migrations/", $tree, "/", $name, "/up.sql")),
            sqlite: include_str!(concat!("../../../migrations/", $tree, "/", $name, "/", $sqlite)),
            postgres: include_str!(concat!("../../../migrations/", $tree, "/", $name, "/postgres.sql")),
        }
    };
}

/// Which database of the two that make a commons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tree {
    Commons,
    Ledger,
}

impl Tree {
    fn steps(self) -> &'static [Step] {
        static COMMONS: [Step; 15] = [
            step!("commons", "0001_commons"),
            step!("commons", "0002_reading"),
            step!("commons", "0003_writing"),
            step!("commons", "0004_eras"),
            step!("commons", "0005_operation"),
            step!("commons", "0006_imports"),
            step!("commons", "0007_undone"),
            step!("commons", "0008_rules"),
            step!("commons", "0010_erasure"),
            step!("commons", "0012_leaving"),
            step!("commons", "0013_former"),
            step!("commons", "0014_oauth"),
            step!("commons", "0015_people"),
            step!("commons", "0016_search", "sqlite.sql"),
            step!("commons", "0017_writing"),
        ];
        static LEDGER: [Step; 4] = [
            step!("ledger", "0001_ledger"),
            step!("ledger", "0002_links"),
            step!("ledger", "0004_eras"),
            step!("ledger", "0005_depth"),
        ];
        match self {
            Self::Commons => &COMMONS,
            Self::Ledger => &LEDGER,
        }
    }

    /// The last step that this program knows.
    pub(crate) fn last_step(self) -> i64 {
        i64::try_from(self.steps().len()).unwrap_or(i64::MAX)
    }
}

/// Runs what has not run yet.
pub(crate) fn run(conn: &mut Conn, tree: Tree) -> Result<()> {
    refuse_newer(conn, tree)?;
    if tables(conn)?.iter().any(|name| name == UNFINISHED) {
        return Err(StoreError::refused(
            "unfinished-restore",
            "a restore into this database did not come to its end; restore into it again",
        ));
    }
    run_first(conn, tree, usize::MAX)
}

/// The names of the tables that are there.
pub(crate) fn tables(conn: &mut Conn) -> Result<Vec<String>> {
    let tables = Sql::new(dialect::tables(conn.kind()));
    Ok(conn.load::<Word>(tables)?.into_iter().map(|row| row.value).collect())
}

/// The names of this program's steps.
pub(crate) fn known(tree: Tree) -> Vec<&'static str> {
    tree.steps().iter().map(|step| step.name).collect()
}

/// The names of the steps that a database has taken; none where there is no commons.
pub(crate) fn applied(conn: &mut Conn) -> Result<Vec<String>> {
    if !tables(conn)?.iter().any(|name| name == "migrations") {
        return Ok(Vec::new());
    }
    let names = Sql::new("select name as value from migrations order by version");
    Ok(conn.load::<Word>(names)?.into_iter().map(|row| row.value).collect())
}

/// Runs those of the first `count` steps that have not run yet, under a lock, each in a transaction of its own.
pub(crate) fn run_first(conn: &mut Conn, tree: Tree, count: usize) -> Result<()> {
    for (at, step) in tree.steps().iter().enumerate().take(count) {
        let version = i64::try_from(at + 1).unwrap_or(i64::MAX);
        // Servers that start together wait here for one another. The lock ends with the transaction.
        conn.batch(match conn.kind() {
            Kind::Sqlite => "begin immediate",
            Kind::Postgres => "begin; select pg_advisory_xact_lock(7215041996)",
        })?;
        match apply(conn, tree, step, version) {
            Ok(()) => conn.batch("commit")?,
            Err(error) => {
                drop(conn.batch("rollback"));
                return Err(error);
            }
        }
    }
    refuse_newer(conn, tree)
}

/// Refuses a database that a newer program has changed: what this one would write there might be wrong.
pub(crate) fn refuse_newer(conn: &mut Conn, tree: Tree) -> Result<()> {
    if done(conn)? > tree.last_step() {
        return Err(StoreError::refused("newer-database", "this database was migrated by a newer Hayward; run that one"));
    }
    Ok(())
}

/// The last step that a database has been through; 0 for one that has seen none.
pub(crate) fn done(conn: &mut Conn) -> Result<i64> {
    if !tables(conn)?.iter().any(|name| name == "migrations") {
        return Ok(0);
    }
    Ok(conn.one::<Number>(Sql::new("select coalesce(max(version), 0) as value from migrations"))?.value)
}

fn apply(conn: &mut Conn, tree: Tree, step: &Step, version: i64) -> Result<()> {
    if let (Kind::Postgres, Tree::Ledger) = (conn.kind(), tree) {
        conn.batch("create schema if not exists ledger")?;
    }
    conn.batch("create table if not exists migrations (version bigint primary key, name text not null)")?;
    let done = Sql::new("select count(*) as value from migrations where version = ?").bind(version);
    if conn.one::<Number>(done)?.value > 0 {
        return Ok(());
    }
    conn.batch(step.portable)?;
    conn.batch(match conn.kind() {
        Kind::Sqlite => step.sqlite,
        Kind::Postgres => step.postgres,
    })?;
    conn.execute(Sql::new("insert into migrations (version, name) values (?, ?)").bind(version).bind(step.name))?;
    Ok(())
}
