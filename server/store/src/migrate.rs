//! Bringing a database up to what this program expects.
//!
//! One portable text per step; where PostgreSQL needs more, it stands beside it and runs in the same transaction.

use crate::conn::{Conn, Kind};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql};

/// One step. Steps are only ever added.
struct Step {
    name: &'static str,
    portable: &'static str,
    postgres: &'static str,
}

macro_rules! step {
    ($tree:literal, $name:literal) => {
        Step {
            name: $name,
            portable: include_str!(concat!("../../../migrations/", $tree, "/", $name, "/up.sql")),
            postgres: include_str!(concat!("../../../migrations/", $tree, "/", $name, "/postgres.sql")),
        }
    };
}

/// Which database of the two that make a commons.
#[derive(Clone, Copy)]
pub(crate) enum Tree {
    Commons,
    Ledger,
}

impl Tree {
    fn steps(self) -> &'static [Step] {
        static COMMONS: [Step; 2] = [step!("commons", "0001_commons"), step!("commons", "0002_reading")];
        static LEDGER: [Step; 2] = [step!("ledger", "0001_ledger"), step!("ledger", "0002_links")];
        match self {
            Self::Commons => &COMMONS,
            Self::Ledger => &LEDGER,
        }
    }
}

/// Runs what has not run yet, under a lock, each step in a transaction of its own.
pub(crate) fn run(conn: &mut Conn, tree: Tree) -> Result<()> {
    for (at, step) in tree.steps().iter().enumerate() {
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
    let newest = i64::try_from(tree.steps().len()).unwrap_or(i64::MAX);
    let found = conn.one::<Number>(Sql::new("select coalesce(max(version), 0) as value from migrations"))?.value;
    if found > newest {
        return Err(StoreError::refused("newer-database", "this database was migrated by a newer Hayward; run that one"));
    }
    Ok(())
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
    if conn.kind() == Kind::Postgres {
        conn.batch(step.postgres)?;
    }
    conn.execute(Sql::new("insert into migrations (version, name) values (?, ?)").bind(version).bind(step.name))?;
    Ok(())
}
