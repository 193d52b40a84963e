//! Restoring: see the order of things at the top of [`super`].

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::archive::{Contents, read_through};
use super::check::{self, LedgerEyes};
use super::load::{self, Pair, load};
use super::replay::{Replayed, replay};
use super::site::Site;
use super::{BackupError, Counted, Progress, dump, tables};
use crate::conn::{DatabaseUrl, Db, Eyes};
use crate::journal::Note;
use crate::migrate::{self, Tree};
use crate::sql::{Number, Sql};
use crate::{Clock, Keyring, Store, claim, era, oauth};

/// What to restore, and how.
pub struct Restore<'a> {
    /// Where to; none to see whether it could be restored, which is undone again.
    pub into: Option<&'a DatabaseUrl>,
    /// The commons' keys.
    pub keyring: Keyring,
    /// The clock.
    pub clock: Clock,
    /// What the journals say, in any order.
    pub notes: Vec<Note>,
    /// How the ledger's links and checkpoints are looked at; without it, what was written is not read back.
    pub verify: Option<&'a LedgerEyes<'a>>,
}

/// What a restore came to.
pub struct Restored {
    /// How many rows of each table the archive holds.
    pub tables: Vec<Counted>,
    /// The mark of the era that began.
    pub era: String,
    /// What the journals' notes came to.
    pub replayed: Vec<Replayed>,
    /// What is wrong with what was restored. If anything is, it is not put in place.
    pub faults: Vec<String>,
}

impl Contents {
    /// How many rows of each table the archive holds.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        self.tables.iter().map(|(_, ended)| Counted::from(ended)).collect()
    }
}

/// Reads a whole archive through, without any database.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn inspect(archive: &mut (impl Read + Seek)) -> Result<Contents, BackupError> {
    archive.seek(SeekFrom::Start(0)).map_err(BackupError::reading)?;
    let contents = read_through(&mut std::io::BufReader::new(archive), &mut |_| Ok(()))?;
    load::steps_taken(Tree::Commons, &contents.header.steps)?;
    load::steps_taken(Tree::Ledger, &contents.header.ledger_steps)?;
    Ok(contents)
}

/// Restores an archive: reads it through, and only then writes.
///
/// # Errors
/// [`BackupError`]. Nothing can be served then that could not be served before.
pub fn restore(archive: &mut (impl Read + Seek), how: Restore<'_>, progress: Progress<'_>) -> Result<Restored, BackupError> {
    let contents = inspect(archive)?;
    let print = how.keyring.print();
    if contents.header.keys.as_ref().is_some_and(|keys| *keys != print) {
        return Err(BackupError::refused(
            "other-keys",
            "these are not the keys of this commons; name their file with --key-file",
        ));
    }
    let site = match how.into {
        Some(url) => Site::prepare(url)?,
        None => Site::throwaway()?,
    };
    archive.seek(SeekFrom::Start(0)).map_err(BackupError::reading)?;
    let pair = Pair::open(&site.working)?;
    let written = load(&pair, &mut std::io::BufReader::new(archive), progress)?;
    [&pair.commons, &pair.ledger].into_iter().try_for_each(|db| db.take_stock(""))?;
    let mut faults = Vec::new();
    if how.verify.is_some() {
        faults.extend(compare(&pair, &written)?);
    }
    let (store, replayed) = finish(&pair, &site.working, &contents, &how)?;
    let era = store.era().text();
    if let Some(eyes) = how.verify {
        faults.extend(check::commons(&store)?);
        faults.extend(check::ledger(&pair.ledger, eyes)?);
    }
    drop((pair, store));
    if faults.is_empty() {
        site.finish()?;
    }
    Ok(Restored { tables: contents.counted(), era, replayed, faults })
}

/// What a table holds that the archive does not, or the other way round.
fn compare(pair: &Pair, contents: &Contents) -> Result<Vec<String>, BackupError> {
    let mut faults = Vec::new();
    for (begun, ended) in &contents.tables {
        let Some(table) = tables::named(begun.tree, &begun.name) else { continue };
        let found = pair.of(begun.tree).read(Eyes::Own, |conn| dump::tally(conn, table, &begun.columns))?;
        if found.rows != ended.rows || found.sum() != ended.sum {
            faults.push(format!("the table `{}` does not hold what the archive holds", begun.name));
        }
    }
    Ok(faults)
}

/// From the state of the archive to a commons that goes on: up to date, with nothing staged, in a new era, and with everything closed
/// that was closed since.
fn finish(
    pair: &Pair,
    working: &DatabaseUrl,
    contents: &Contents,
    how: &Restore<'_>,
) -> Result<(Arc<Store>, Vec<Replayed>), BackupError> {
    for tree in [Tree::Commons, Tree::Ledger] {
        pair.of(tree).bare(|conn| migrate::run_first(conn, tree, usize::MAX))?;
    }
    unstage(&pair.commons, &how.clock)?;
    era::current(&pair.commons, &*how.clock)?;
    let now = (how.clock)();
    era::begin(&pair.commons, now)?;
    era::leap_ledger(&pair.ledger, now)?;
    pair.commons.write(|conn| oauth::end_all(conn, now))?;
    let db = Db::open(working, "public", 2)?;
    let store = Arc::new(Store::on(db, how.keyring.clone(), Arc::clone(&how.clock))?);
    let replayed = replay(&store, &contents.header, &how.notes)?;
    Ok((store, replayed))
}

/// Removes what a commit that was under way had staged. Nobody is at work here whose claim would have to be waited for.
fn unstage(db: &Db, clock: &Clock) -> Result<(), BackupError> {
    db.write(|conn| conn.execute(Sql::new("update claims set purpose = null, until = 0")))?;
    let dirty = Sql::new("select dataset as value from claims where dirty = 1 order by dataset");
    for dataset in db.read(Eyes::Own, |conn| conn.load::<Number>(dirty))? {
        claim::take(db, &**clock, dataset.value, "restore")?.abandon(db, &**clock)?;
    }
    Ok(())
}
