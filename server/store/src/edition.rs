//! Editions: one committed change of a dataset, and of every share of it.
//!
//! * Rows are versions, live at edition `e` when `born <= e < died`; `head` is the newest edition anyone may see.
//! * A commit stages rows as `head + 1` in small transactions: invisible to every reader, removable by the next claimer.
//! * Then it stages the same change in every share of the dataset that is in force: see [`crate::share`].
//! * Then one small transaction takes the commit number, moves all the heads and writes the edition rows. Number order is
//!   commit order. Nothing is visible before it, everything after it.
//! * A share's head is dense and moves only when something disclosed changed.
//! * Undo is a new edition. No edition is ever rewritten.
//! * Every transaction checks the claim. A change of terms that slips in between (narrowing does not wait for claims) is seen in
//!   the last transaction, and the share is left to its rebuild.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hayward_domain::moment::Moment;

use crate::Store;
use crate::claim::{self, Claim};
use crate::conn::{Conn, Eyes};
use crate::counter;
use crate::error::{Result, StoreError};
use crate::share::{self, StagedShare};
use crate::sql::{Sql, rows};

/// Rows that one staging transaction writes: it ends within milliseconds, so that other writers get their turn.
pub(crate) const CHUNK: usize = 500;

rows! {
    /// A dataset, as its writer needs it.
    DatasetRow { number: i64, head: i64 }
    /// A live version of a record.
    LiveRow { row: i64, record: i64, key: String, body: String }
}

/// What happens to one record.
pub(crate) enum Change {
    Create {
        key: String,
        body: String,
    },
    Update {
        row: i64,
        record: i64,
        key: String,
        body: String,
    },
    Remove {
        row: i64,
        record: i64,
    },
    /// A record that was removed comes back under its number.
    Revive {
        record: i64,
        key: String,
        body: String,
    },
}

/// Why an edition was made.
#[derive(Clone, Copy)]
pub(crate) enum Cause {
    Import,
    Undo,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Undo => "undo",
        }
    }
}

/// A commit in the making. Dropped without [`Commit::publish`], what it staged stays invisible and the next claimer removes it.
pub(crate) struct Commit {
    store: Arc<Store>,
    claim: Claim,
    pub(crate) dataset: DatasetRow,
    /// The records it touches.
    changed: Vec<i64>,
    /// When the lease was last renewed while nothing was staged.
    renewed: Cell<Instant>,
}

/// How often a commit that only compares says that it is alive.
const RENEW: Duration = Duration::from_secs(5);

impl Commit {
    pub(crate) fn begin(store: &Arc<Store>, dataset: i64, purpose: &str) -> Result<Self> {
        let claim = claim::take(&store.db, &*store.clock, dataset, purpose)?;
        let select = "select number, head from datasets where number = ?";
        let dataset = store.db.write(|conn| conn.one::<DatasetRow>(Sql::new(select).bind(dataset)))?;
        Ok(Self { store: Arc::clone(store), claim, dataset, changed: Vec::new(), renewed: Cell::new(Instant::now()) })
    }

    /// The live versions of the records with these keys.
    pub(crate) fn live(&self, keys: &[&str]) -> Result<Vec<LiveRow>> {
        if self.renewed.get().elapsed() > RENEW {
            let now = self.now();
            self.store.db.write(|conn| self.claim.check(conn, now))?;
            self.renewed.set(Instant::now());
        }
        let mut found = Vec::new();
        for keys in keys.chunks(CHUNK) {
            let mut sql = Sql::new("select row, record, key, body from records where dataset = ?").bind(self.dataset.number);
            sql.push(" and died = 9223372036854775807 and key in ").list(keys.iter().copied());
            found.extend(self.store.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(sql))?);
        }
        Ok(found)
    }

    /// Stages changes. A record may be changed once in a commit.
    pub(crate) fn stage(&mut self, changes: Vec<Change>) -> Result<()> {
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let chunk: Vec<Change> = changes.by_ref().take(CHUNK).collect();
            let (claim, now, dataset) = (self.claim, (self.store.clock)(), &self.dataset);
            let touched = self.store.db.write(|conn| {
                claim.check_and_soil(conn, now)?;
                stage_chunk(conn, dataset, chunk)
            })?;
            self.changed.extend(touched);
        }
        Ok(())
    }

    /// Makes everything staged visible at once. `also` runs in the same transaction, with the edition that now stands.
    ///
    /// A commit that staged nothing makes no edition. One that fails gives the dataset back.
    pub(crate) fn publish(
        mut self,
        cause: Cause,
        import: Option<&str>,
        also: impl FnOnce(&mut Conn, i64) -> Result<()>,
    ) -> Result<i64> {
        let published = self.try_publish(cause, import, also);
        if published.is_err() {
            self.give_up();
        }
        published
    }

    fn try_publish(
        &mut self,
        cause: Cause,
        import: Option<&str>,
        also: impl FnOnce(&mut Conn, i64) -> Result<()>,
    ) -> Result<i64> {
        let edition = if self.changed.is_empty() { self.dataset.head } else { self.dataset.head + 1 };
        self.changed.sort_unstable();
        let shares = self.stage_shares(edition)?;
        let now = (self.store.clock)();
        let left_over = self.store.db.write(|conn| {
            if self.changed.is_empty() {
                self.claim.check(conn, now)?;
                also(conn, edition)?;
                self.claim.release(conn)?;
                return Ok::<_, StoreError>(Vec::new());
            }
            let number = counter::commit(conn)?;
            self.claim.check(conn, now)?;
            let left_over = share::move_heads(conn, &shares, number)?;
            conn.execute(Sql::new("update datasets set head = ? where number = ?").bind(edition).bind(self.dataset.number))?;
            let insert = "insert into editions (dataset, edition, commit_number, kind, import, at) values (?, ?, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(self.dataset.number).bind(edition).bind(number).bind(cause.as_str());
            conn.execute(insert.bind(import.map(str::to_owned)).bind(now))?;
            also(conn, edition)?;
            // With rows of a share left over the claim stays soiled, and is cleaned below.
            if left_over.is_empty() {
                self.claim.release(conn)?;
            }
            Ok(left_over)
        })?;
        if !left_over.is_empty() {
            // The commit stands. If this fails, the next claimer clears up.
            if let Err(error) = self.claim.abandon(&self.store.db, &*self.store.clock) {
                tracing::warn!(%error, "rows of a share that changed meanwhile are left for the next writer to remove");
            }
        }
        Ok(edition)
    }

    /// Removes what was staged and gives the dataset back.
    pub(crate) fn abandon(self) -> Result<()> {
        self.claim.abandon(&self.store.db, &*self.store.clock)
    }

    /// Like [`Self::abandon`], after an error that is more worth telling. Where even this fails, the next claimer does it, once the
    /// lease has run out.
    pub(crate) fn give_up(self) {
        if let Err(error) = self.abandon() {
            tracing::warn!(%error, "a dataset is left to its next writer to tidy up");
        }
    }

    fn stage_shares(&self, edition: i64) -> Result<Vec<StagedShare>> {
        if self.changed.is_empty() {
            return Ok(Vec::new());
        }
        let built = share::built_of_dataset(&self.store, self.dataset.number)?;
        built.into_iter().map(|lens| share::stage(&self.store, self.claim, &lens, &self.changed, edition)).collect()
    }

    pub(crate) fn claim(&self) -> Claim {
        self.claim
    }

    pub(crate) fn now(&self) -> Moment {
        (self.store.clock)()
    }
}

fn stage_chunk(conn: &mut Conn, dataset: &DatasetRow, chunk: Vec<Change>) -> Result<Vec<i64>> {
    let born = dataset.head + 1;
    let closing: Vec<i64> = chunk.iter().filter_map(closed_row).collect();
    if !closing.is_empty() {
        let mut close = Sql::new("update records set died = ? where row in ").bind(born);
        close.list(closing);
        conn.execute(close)?;
    }
    let count = |wanted: fn(&Change) -> bool| i64::try_from(chunk.iter().filter(|change| wanted(change)).count()).unwrap_or(0);
    let mut record = counter::take(conn, "record", count(|change| matches!(change, Change::Create { .. })))?;
    let mut row = counter::take(conn, "record_row", count(|change| !matches!(change, Change::Remove { .. })))?;
    let mut insert = Sql::new("insert into records (row, dataset, record, key, body, born) values ").varying();
    let mut touched = Vec::with_capacity(chunk.len());
    let mut first = true;
    for change in chunk {
        let (number, key, body) = match change {
            Change::Create { key, body } => {
                record += 1;
                (record - 1, key, body)
            }
            Change::Update { record, key, body, .. } | Change::Revive { record, key, body } => (record, key, body),
            Change::Remove { record, .. } => {
                touched.push(record);
                continue;
            }
        };
        let binds = [row.into(), dataset.number.into(), number.into(), key.into(), body.into(), born.into()];
        insert.push_with(if first { "(?, ?, ?, ?, ?, ?)" } else { ", (?, ?, ?, ?, ?, ?)" }, binds);
        first = false;
        row += 1;
        touched.push(number);
    }
    if !first {
        conn.execute(insert)?;
    }
    Ok(touched)
}

fn closed_row(change: &Change) -> Option<i64> {
    match change {
        Change::Create { .. } | Change::Revive { .. } => None,
        Change::Update { row, .. } | Change::Remove { row, .. } => Some(*row),
    }
}
