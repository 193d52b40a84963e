//! Editions: one committed change of a dataset, and of every share of it.
//!
//! * Rows are versions, live at edition `e` when `born <= e < died`; `head` is the newest edition anyone may see.
//! * A commit stages rows as `head + 1` in small transactions: invisible to every reader, removable by the next claimer.
//! * Then it stages the same change in every share of the dataset that is in force: see [`crate::share`].
//! * Then one small transaction takes the commit number, moves all the heads and writes the edition rows. Number order is
//!   commit order. Nothing is visible before it, everything after it.
//! * A share's head is dense and moves only when something disclosed changed.
//! * Undo is a new edition. No edition is ever rewritten.
//! * A key that comes back is the record that it was, under its old number, for as long as its versions are kept. Otherwise whoever was
//!   shown it could tell a record that was gone from one that was only hidden from them.
//! * Every transaction checks the claim. A change of terms that slips in between (narrowing does not wait for claims) is seen in
//!   the last transaction, and the share is left to its rebuild.

use std::collections::HashMap;
use std::sync::Arc;

use hayward_domain::moment::Moment;
use hayward_domain::record::{OrganizationNumber, Record, Sealed};
use sha2::{Digest, Sha256};

use crate::Store;
use crate::bulk::{Holds, Rows, Table};
use crate::claim::{self, Claim, Lease};
use crate::conn::{Conn, Eyes};
use crate::counter;
use crate::error::{Result, StoreError};
use crate::share::{self, Lens, Look, StagedShare, Staging};
use crate::sql::{Number, Sql, rows};

/// Shares that look at originals as they go by. Any others read them again, one after the other, so that memory does not grow with
/// the number of agreements.
const TOGETHER: usize = 3;
/// Bytes of payloads that are held in memory for all that are looked at together.
pub(crate) const MEMORY: usize = 24 << 20;

rows! {
    /// A dataset, as its writer needs it.
    DatasetRow { number: i64, organization: i64, head: i64 }
    /// A record that is gone, by the key it had.
    FormerRow { key: String, record: i64 }
}

static RECORDS: Table = Table {
    name: "records",
    columns: &[
        ("row", Holds::Int),
        ("dataset", Holds::Int),
        ("record", Holds::Int),
        ("key", Holds::Text),
        ("body", Holds::Text),
        ("hash", Holds::Bytes),
        ("born", Holds::Int),
    ],
};

/// What a record will be.
pub(crate) struct Version {
    pub(crate) key: String,
    pub(crate) record: Record,
    pub(crate) body: String,
    pub(crate) hash: BodyHash,
}

/// Tells bodies apart.
pub(crate) type BodyHash = [u8; 16];

impl Version {
    pub(crate) fn new(key: String, record: Record) -> Self {
        let body = record.to_body();
        Self { key, record, hash: body_hash(&body), body }
    }
}

pub(crate) fn body_hash(body: &str) -> BodyHash {
    let mut short = [0; 16];
    short.iter_mut().zip(Sha256::digest(body.as_bytes())).for_each(|(to, from)| *to = from);
    short
}

/// What happens to one record.
pub(crate) enum Change {
    /// A key that is not there becomes a record.
    Create(Version),
    Update {
        row: i64,
        record: i64,
        version: Version,
    },
    Remove {
        row: i64,
        record: i64,
    },
    /// A record that was removed comes back.
    Revive {
        record: i64,
        version: Version,
    },
}

/// Changes that the shares have looked at: ready to be written.
pub(crate) struct Batch {
    originals: Vec<Original>,
    /// For each share, what each of the changes means.
    looks: Vec<Vec<Look>>,
}

/// A change without what only the shares need.
struct Original {
    closes: Option<i64>,
    /// None where the record is new.
    record: Option<i64>,
    /// Key, body and its hash; none where the record goes.
    version: Option<(String, String, BodyHash)>,
}

/// Why an edition was made.
#[derive(Clone, Copy)]
pub(crate) enum Cause {
    Import,
    Undo,
    Edit,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Undo => "undo",
            Self::Edit => "edit",
        }
    }
}

/// A commit in the making. Dropped without [`Commit::publish`], what it staged stays invisible and the next claimer removes it.
pub(crate) struct Commit {
    pub(crate) view: Arc<Writing>,
    shares: Vec<Staging>,
    /// How many records it touches.
    touched: u64,
}

/// What a commit is about, for whoever prepares its changes on another thread.
pub(crate) struct Writing {
    store: Arc<Store>,
    lease: Lease,
    pub(crate) dataset: DatasetRow,
    /// Shares that look at originals as they go by, and those that read them afterwards.
    together: Vec<Arc<Lens>>,
    afterwards: Vec<Arc<Lens>>,
    /// Whether a record that is gone is still kept.
    has_former: bool,
}

impl Writing {
    /// Says that this commit is alive, if it has been silent for long.
    pub(crate) fn renew(&self) -> Result<()> {
        self.lease.renew(&self.store.db, &*self.store.clock)
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.lease.claim
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Lets the shares look at changes. Each record may be changed once in a commit.
    pub(crate) fn prepare(&self, changes: Vec<Change>) -> Result<Batch> {
        let owner = OrganizationNumber(self.dataset.organization);
        let changes = self.recall(changes)?;
        let (originals, records): (Vec<Original>, Vec<Option<Sealed<Record>>>) =
            changes.into_iter().map(|change| change.split(owner)).unzip();
        let seen: Vec<_> = originals.iter().zip(&records).map(|(original, record)| (original.record, record.as_ref())).collect();
        let look = |lens: &Arc<Lens>| self.store.db.read(Eyes::Own, |conn| share::looks(conn, lens, &seen));
        let looks = self.together.iter().map(look).collect::<Result<_>>()?;
        Ok(Batch { originals, looks })
    }

    /// Gives those that come back the numbers they had.
    fn recall(&self, changes: Vec<Change>) -> Result<Vec<Change>> {
        let key = |change: &Change| if let Change::Create(version) = change { Some(version.key.clone()) } else { None };
        let keys: Vec<String> = changes.iter().filter_map(key).collect();
        if keys.is_empty() || !self.has_former {
            return Ok(changes);
        }
        let former = self.store.db.read(Eyes::Own, |conn| former(conn, self.dataset.number, keys))?;
        let recalled = |change| match change {
            Change::Create(version) => match former.get(&version.key) {
                Some(&record) => Change::Revive { record, version },
                None => Change::Create(version),
            },
            other => other,
        };
        Ok(changes.into_iter().map(recalled).collect())
    }
}

impl Change {
    /// About how much it will write.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Create(version) | Self::Update { version, .. } | Self::Revive { version, .. } => version.body.len(),
            Self::Remove { .. } => 0,
        }
    }

    fn split(self, owner: OrganizationNumber) -> (Original, Option<Sealed<Record>>) {
        let (closes, record, version) = match self {
            Self::Create(version) => (None, None, Some(version)),
            Self::Update { row, record, version } => (Some(row), Some(record), Some(version)),
            Self::Remove { row, record } => (Some(row), Some(record), None),
            Self::Revive { record, version } => (None, Some(record), Some(version)),
        };
        let Some(Version { key, record: content, body, hash }) = version else {
            return (Original { closes, record, version: None }, None);
        };
        (Original { closes, record, version: Some((key, body, hash)) }, Some(Sealed::new(owner, content)))
    }
}

impl Commit {
    pub(crate) fn begin(store: &Arc<Store>, dataset: i64, purpose: &str) -> Result<Self> {
        let claim = claim::take(&store.db, &*store.clock, dataset, purpose)?;
        match Self::claimed(store, claim.clone()) {
            Ok(commit) => Ok(commit),
            Err(error) => {
                give_up(store, &claim);
                Err(error)
            }
        }
    }

    fn claimed(store: &Arc<Store>, claim: Claim) -> Result<Self> {
        let select = "select number, organization, head from datasets where number = ?";
        let former = "select count(*) as value from (select row from records where dataset = ? and died < 9223372036854775807 limit 1) as one";
        let (dataset, former) = store.db.read(Eyes::Own, |conn| {
            let dataset = conn.one::<DatasetRow>(Sql::new(select).bind(claim.dataset))?;
            Ok::<_, StoreError>((dataset, conn.one::<Number>(Sql::new(former).bind(claim.dataset))?.value))
        })?;
        let mut together: Vec<Arc<Lens>> = share::built_of_dataset(store, dataset.number)?.into_iter().map(Arc::new).collect();
        let afterwards = together.split_off(together.len().min(TOGETHER));
        let memory = MEMORY / together.len().max(1);
        let shares = together.iter().map(|lens| Staging::new(Arc::clone(lens), memory)).collect();
        let has_former = former > 0;
        let view = Writing { store: Arc::clone(store), lease: Lease::new(claim), dataset, together, afterwards, has_former };
        Ok(Self { view: Arc::new(view), shares, touched: 0 })
    }

    /// Stages what was prepared, in one transaction.
    pub(crate) fn write(&mut self, batch: Batch) -> Result<()> {
        self.write_numbered(batch).map(drop)
    }

    /// The same, and tells the numbers of the records, in their order.
    pub(crate) fn write_numbered(&mut self, batch: Batch) -> Result<Vec<i64>> {
        let Batch { originals, looks } = batch;
        let (view, shares) = (&self.view, &mut self.shares);
        self.touched += originals.len() as u64;
        let now = (view.store.clock)();
        let records = view.claim().stage(&view.store.db, now, |conn| {
            let records = stage_chunk(conn, &view.dataset, originals)?;
            shares.iter_mut().zip(&looks).try_for_each(|(share, looks)| share.close(conn, looks))?;
            Ok(records)
        })?;
        for (share, looks) in self.shares.iter_mut().zip(&looks) {
            records.iter().zip(looks).try_for_each(|(record, look)| share.keep(*record, look))?;
        }
        Ok(records)
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
        let head = self.view.dataset.head;
        let edition = if self.touched == 0 { head } else { head + 1 };
        let shares = self.stage_shares(edition)?;
        let (store, claim, dataset) = (&self.view.store, self.view.claim(), self.view.dataset.number);
        let now = (store.clock)();
        let left_over = store.db.write(|conn| {
            if self.touched == 0 {
                claim.check(conn, now)?;
                also(conn, edition)?;
                claim.release(conn)?;
                return Ok::<_, StoreError>(Vec::new());
            }
            let number = counter::commit(conn)?;
            claim.check(conn, now)?;
            let left_over = share::move_heads(conn, &shares, number)?;
            conn.execute(Sql::new("update datasets set head = ? where number = ?").bind(edition).bind(dataset))?;
            let insert = "insert into editions (dataset, edition, commit_number, kind, import, at) values (?, ?, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(dataset).bind(edition).bind(number).bind(cause.as_str());
            conn.execute(insert.bind(import.map(str::to_owned)).bind(now))?;
            also(conn, edition)?;
            // With rows of a share left over the claim stays soiled, and is cleaned below.
            if left_over.is_empty() {
                claim.release(conn)?;
            }
            Ok(left_over)
        })?;
        if !left_over.is_empty() {
            // The commit stands. If this fails, the next claimer clears up.
            if let Err(error) = claim.abandon(&store.db, &*store.clock) {
                tracing::warn!(%error, "rows of a share that changed meanwhile are left for the next writer to remove");
            }
        }
        store.has_grown(self.touched);
        Ok(edition)
    }

    /// Removes what was staged and gives the dataset back.
    pub(crate) fn abandon(self) -> Result<()> {
        self.view.claim().abandon(&self.view.store.db, &*self.view.store.clock)
    }

    /// Like [`Self::abandon`], after an error that is more worth telling. Where even this fails, the next claimer does it, once the
    /// lease has run out.
    pub(crate) fn give_up(self) {
        give_up(&self.view.store, self.view.claim());
    }

    fn stage_shares(&mut self, edition: i64) -> Result<Vec<StagedShare>> {
        if self.touched == 0 {
            return Ok(Vec::new());
        }
        let Writing { store, lease, afterwards, .. } = &*self.view;
        let together = std::mem::take(&mut self.shares).into_iter().map(Ok);
        let afterwards = afterwards.iter().map(|lens| {
            let mut staging = Staging::new(Arc::clone(lens), MEMORY);
            share::follow(store, lease, &mut staging, edition)?;
            Ok(staging)
        });
        together.chain(afterwards).map(|staging: Result<Staging>| staging?.finish(store, &lease.claim)).collect()
    }

    pub(crate) fn now(&self) -> Moment {
        (self.view.store.clock)()
    }
}

/// The numbers that keys had whose records are gone. A key that is there is not to be asked for.
pub(crate) fn former(conn: &mut Conn, dataset: i64, keys: Vec<String>) -> Result<HashMap<String, i64>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let gone = "select key, max(record) as record from records where dataset = ? and died < 9223372036854775807 and key in ";
    let mut gone = Sql::new(gone).bind(dataset);
    gone.list(keys).push(" group by key");
    Ok(conn.load::<FormerRow>(gone)?.into_iter().map(|row| (row.key, row.record)).collect())
}

fn give_up(store: &Store, claim: &Claim) {
    if let Err(error) = claim.abandon(&store.db, &*store.clock) {
        tracing::warn!(%error, "a dataset is left to its next writer to tidy up");
    }
}

/// Writes originals, and returns the records' numbers.
fn stage_chunk(conn: &mut Conn, dataset: &DatasetRow, originals: Vec<Original>) -> Result<Vec<i64>> {
    let born = dataset.head + 1;
    let closing: Vec<i64> = originals.iter().filter_map(|original| original.closes).collect();
    if !closing.is_empty() {
        let mut close = Sql::new("update records set died = ? where row in ").bind(born);
        close.list(closing);
        conn.execute(close)?;
    }
    let count = |wanted: fn(&Original) -> bool| {
        i64::try_from(originals.iter().filter(|original| wanted(original)).count()).unwrap_or(i64::MAX)
    };
    let mut new_records = counter::take(conn, "record", count(|original| original.record.is_none()))?..;
    let mut new_rows = counter::take(conn, "record_row", count(|original| original.version.is_some()))?..;
    let mut rows = Rows::new(&RECORDS);
    let mut touched = Vec::with_capacity(originals.len());
    for original in originals {
        let number = original.record.or_else(|| new_records.next()).unwrap_or(i64::MAX);
        touched.push(number);
        let Some((key, body, hash)) = original.version else { continue };
        let row = new_rows.next().unwrap_or(i64::MAX);
        rows.push([row.into(), dataset.number.into(), number.into(), key.into(), body.into(), hash.to_vec().into(), born.into()]);
    }
    conn.insert(&rows)?;
    Ok(touched)
}
