//! Where a restored commons is put: nothing may be there, and nothing half done is ever served from there.
//!
//! * The place is marked before the first table is made, and the mark goes last of all. A marked database is refused by whoever would
//!   serve it; only a restore may replace it.
//! * SQLite: both files are made in a folder beside their place, and moved when they are whole: the commons', still marked, then the
//!   ledger's. A folder left behind by a restore that was killed holds nothing that is needed, and may be deleted.
//! * PostgreSQL: the tables are made where they stay. What a restore that was killed has left is dropped by the next.
//! * Two restores never meet in one place. On PostgreSQL the second is refused while the first runs: it would drop what that one writes.
//!   On SQLite each has a folder of its own, and one moves its files.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::BackupError;
use super::tables::{LEFT_OUT, TABLES};
use crate::conn::{DatabaseUrl, Db, Eyes, Held, Kind};
use crate::ledger::commons_file;
use crate::migrate::{self, Tree, UNFINISHED};
use crate::sql::{Number, Sql};

/// The ledger's database, for the commons' one.
pub(super) fn ledger_of(commons: &DatabaseUrl) -> DatabaseUrl {
    match commons {
        DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(commons_file(path, "ledger.db")),
        DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
    }
}

/// Whether there is a file to open; a server is asked when it is spoken to.
pub(super) fn exists(url: &DatabaseUrl) -> bool {
    match url {
        DatabaseUrl::Sqlite(path) => path.exists(),
        DatabaseUrl::Postgres(_) => true,
    }
}

/// The place, while a commons is restored into it.
pub(super) struct Site {
    /// Where the tables are made.
    pub(super) working: DatabaseUrl,
    rest: Rest,
}

/// What is to be done at the end.
enum Rest {
    /// Nothing: it was only to be looked at.
    Drop { _folder: TempDir },
    /// Move the files.
    Move { _folder: TempDir, from: PathBuf, to: PathBuf },
    /// Take the mark away.
    Unmark { _alone: Held },
}

impl Site {
    /// A place in a folder that is gone with it.
    pub(super) fn throwaway() -> Result<Self, BackupError> {
        let folder = TempDir::new().map_err(BackupError::placing)?;
        let working = DatabaseUrl::Sqlite(folder.path().join("hayward.db"));
        mark(&working)?;
        Ok(Self { working, rest: Rest::Drop { _folder: folder } })
    }

    /// The place that an address names, empty and marked.
    pub(super) fn prepare(url: &DatabaseUrl) -> Result<Self, BackupError> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::beside(path),
            DatabaseUrl::Postgres(_) => {
                let alone = alone(url)?;
                empty_postgres(url)?;
                mark(url)?;
                Ok(Self { working: url.clone(), rest: Rest::Unmark { _alone: alone } })
            }
        }
    }

    fn beside(path: &Path) -> Result<Self, BackupError> {
        refuse_taken(path)?;
        let folder = tempfile::Builder::new().prefix(".hayward-restore-").tempdir_in(folder_of(path));
        let folder = folder.map_err(BackupError::placing)?;
        let from = folder.path().join("hayward.db");
        let working = DatabaseUrl::Sqlite(from.clone());
        mark(&working)?;
        Ok(Self { working, rest: Rest::Move { _folder: folder, from, to: path.to_owned() } })
    }

    /// Everything is written: lets the place be served. No connection to it may be open any more.
    pub(super) fn finish(self) -> Result<(), BackupError> {
        match &self.rest {
            Rest::Drop { .. } => Ok(()),
            Rest::Unmark { .. } => unmark(&self.working),
            Rest::Move { from, to, .. } => {
                // Another restore may have come to its end meanwhile, or a server may have founded a commons here.
                let folder = File::open(folder_of(to)).map_err(BackupError::placing)?;
                folder.lock().map_err(BackupError::placing)?;
                refuse_taken(to)?;
                for file in [to.clone(), commons_file(to, "ledger.db")] {
                    // Of an unfinished restore that is replaced: a log must not outlive its database.
                    ["-wal", "-shm"].iter().try_for_each(|ending| remove(&file, ending)).map_err(BackupError::placing)?;
                }
                settle(from, to)?;
                settle(&commons_file(from, "ledger.db"), &commons_file(to, "ledger.db"))?;
                unmark(&DatabaseUrl::Sqlite(to.clone()))
            }
        }
    }
}

fn not_empty() -> BackupError {
    BackupError::refused("not-empty", "there is something at this address already; a backup is restored into an empty place")
}

/// Refuses a place on SQLite where something is that is no unfinished restore.
fn refuse_taken(path: &Path) -> Result<(), BackupError> {
    let taken = if path.exists() { !is_marked(path) } else { commons_file(path, "ledger.db").exists() };
    if taken { Err(not_empty()) } else { Ok(()) }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Refuses a database on PostgreSQL that another restore is at work in, and keeps others away.
fn alone(url: &DatabaseUrl) -> Result<Held, BackupError> {
    let mut held = Db::open(url, "public", 1)?.hold()?;
    // A lock of the session: it ends with whoever is killed.
    let lock = Sql::new("select pg_try_advisory_lock(7215041997)::int::bigint as value");
    if held.conn().one::<Number>(lock)?.value == 0 {
        return Err(BackupError::refused("being-restored", "another restore into this database is under way"));
    }
    Ok(held)
}

fn mark(url: &DatabaseUrl) -> Result<(), BackupError> {
    let create = format!("create table if not exists {UNFINISHED} (only_row bigint primary key)");
    Ok(Db::open(url, "public", 1)?.bare(|conn| conn.batch(&create))?)
}

fn unmark(url: &DatabaseUrl) -> Result<(), BackupError> {
    Ok(Db::open(url, "public", 1)?.bare(|conn| conn.batch(&format!("drop table {UNFINISHED}")))?)
}

/// Whether a file is a database that a restore did not finish. One that cannot be read is not.
fn is_marked(path: &Path) -> bool {
    let tables = Db::open(&DatabaseUrl::Sqlite(path.to_owned()), "public", 1).and_then(|db| db.read(Eyes::Own, migrate::tables));
    tables.is_ok_and(|tables| tables.iter().any(|name| name == UNFINISHED))
}

/// Refuses a database with anything in it but what an unfinished restore left, and drops that.
fn empty_postgres(url: &DatabaseUrl) -> Result<(), BackupError> {
    let (commons, ledger) = (Db::open(url, "public", 1)?, Db::open(url, "ledger", 1)?);
    let there = commons.bare(migrate::tables)?;
    let of_ledger = ledger.bare(migrate::tables)?;
    if there.is_empty() && of_ledger.is_empty() {
        return Ok(());
    }
    let ours = |name: &String| {
        let listed = TABLES.iter().filter(|table| table.tree == Tree::Commons).map(|table| table.name);
        listed.chain(LEFT_OUT).chain([UNFINISHED]).any(|known| known == name)
    };
    if !there.iter().any(|name| name == UNFINISHED) || !there.iter().all(ours) {
        return Err(not_empty());
    }
    commons.write(|conn| {
        conn.batch("drop schema if exists ledger cascade")?;
        let mut filled = there.iter().filter(|name| *name != UNFINISHED);
        filled.try_for_each(|name| conn.batch(&format!("drop table if exists {name} cascade")))
    })?;
    Ok(())
}

/// Brings what stands in a database's log into its file, and moves that, durably.
fn settle(from: &Path, to: &Path) -> Result<(), BackupError> {
    let db = Db::open(&DatabaseUrl::Sqlite(from.to_owned()), "public", 1)?;
    db.bare(|conn| conn.batch("pragma wal_checkpoint(truncate)"))?;
    drop(db);
    let moved = || {
        File::open(from)?.sync_all()?;
        std::fs::rename(from, to)?;
        File::open(folder_of(to))?.sync_all()
    };
    moved().map_err(BackupError::placing)
}

fn remove(database: &Path, ending: &str) -> std::io::Result<()> {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    match std::fs::remove_file(name) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Kind {
    /// The word that stands for it in an archive.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
