//! The ledger's database: a file or a schema of its own, with connections of its own.
//!
//! * Rows are added, never changed and never pruned.
//! * An entry is durable when [`LedgerStore::append`] returns; whoever answers a recipient waits for that.
//! * Entry numbers are given under a lock that is held to the commit, so their order is the order of the commits and the sealer can
//!   go on from where it stopped.
//! * An answer writes one row. Whom it concerns, [`sealing`] writes down within seconds, with its links: one hash chain per provider,
//!   where each link covers the one before it and the entry as that provider reads it. [`reading`] finds the others one by one.
//! * Tokenless reads of public shares, and refusals, are counted by the hour; an hour becomes an entry once it is over.
//! * Behind the sealer, [`index`] writes down in which entries each agreement stands and adds up what was given: what is asked of
//!   millions of entries ([`filtered`], [`record`], [`usage`]) looks at few.

mod filtered;
mod given;
mod index;
mod reading;
mod record;
mod refusals;
mod sealing;
mod told;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use hayward_domain::moment::Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bulk::{Holds, Rows, Table};
use crate::conn::{Conn, DatabaseUrl, Db};
use crate::counter;
use crate::dialect;
use crate::era::Era;
use crate::error::{Result, StoreError};
use crate::migrate;
use crate::sql::{Number, Sql, rows};

pub use filtered::{Filter, RecordName};
pub use given::GivenTo;
pub(crate) use reading::links;
pub use record::{GivenRecord, RecordGivenTo, RecordRead};
pub use refusals::Refusal;
pub(crate) use told::Gone;
pub use usage::{FieldUse, Usage};

/// What one answer disclosed under one agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosed {
    /// The agreement.
    pub agreement: String,
    /// Whose data it was.
    pub provider: String,
    /// The version in force.
    pub version: i64,
    /// The code of its purpose.
    pub purpose: String,
    /// The share's edition.
    pub edition: i64,
    /// The fields that were given.
    pub fields: Vec<String>,
    /// How many records.
    pub count: i64,
    /// Which: numbers of the share's records, as ranges (`1-50,61`).
    pub records: String,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A recipient was given data.
    Disclosure,
    /// The provider's own people looked at what a version would show.
    Preview,
    /// A recipient asked under an agreement that did not answer it.
    Refusal,
}

impl EntryKind {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disclosure => "disclosure",
            Self::Preview => "preview",
            Self::Refusal => "refusal",
        }
    }

    /// The kind that goes by this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Disclosure, Self::Preview, Self::Refusal].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One act of giving data, of looking at what would be given, or of refusing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its id.
    pub id: String,
    /// Which part of the answer it covers: 0 for the first, or only, one.
    pub chunk: i64,
    /// When.
    pub at: Moment,
    /// To which organization, or `public`.
    pub recipient: String,
    /// Through which program or person.
    pub client: String,
    /// How: `list`, `get`, `changes`, `csv` …
    pub channel: String,
    /// The request it answered.
    pub request: String,
    /// What, by agreement. Empty for an answer without rows.
    pub disclosed: Vec<Disclosed>,
}

impl Entry {
    /// Whether an organization may read it: as its recipient, or as the provider of something in it.
    #[must_use]
    pub fn concerns(&self, organization: &str) -> bool {
        self.recipient == organization || self.disclosed.iter().any(|disclosed| disclosed.provider == organization)
    }

    /// The entry as one organization reads it: a provider sees what was its own, the recipient everything.
    #[must_use]
    pub fn seen_by(&self, organization: &str) -> Value {
        let own = |disclosed: &&Disclosed| self.recipient == organization || disclosed.provider == organization;
        json!({
            "kind": self.kind.as_str(),
            "id": self.id,
            "chunk": self.chunk,
            "at": self.at.to_rfc3339(),
            "recipient": self.recipient,
            "client": self.client,
            "channel": self.channel,
            "request_id": self.request,
            "disclosed": self.disclosed.iter().filter(own).collect::<Vec<_>>(),
        })
    }
}

/// A read of a public share without a token.
#[derive(Clone, Debug)]
pub struct PublicRead {
    /// An id for the hour's entry, should this be its first read.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Whether it is the first chunk of its answer: the others are the same read.
    pub first: bool,
    /// What was read.
    pub disclosed: Disclosed,
}

/// A link of a chain, ready to be hashed.
pub struct Sealable<'a> {
    /// Whose chain.
    pub provider: &'a str,
    /// The hash of the link before it; empty for the first.
    pub previous: &'a str,
    /// The entry as the provider reads it.
    pub entry: &'a Value,
}

/// A signed checkpoint of one provider's chain.
#[derive(Clone, Debug)]
pub struct Point {
    /// Whose chain.
    pub provider: String,
    /// Up to which link.
    pub position: i64,
    /// That link's hash.
    pub hash: String,
    /// When.
    pub at: Moment,
    /// The signature.
    pub signature: String,
    /// The era it was made in; none from before there were eras.
    pub era: Option<String>,
}

/// A link's place in its chain.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Counts from 1.
    pub position: i64,
    /// The hash of the link before it.
    pub previous: String,
    /// Its hash.
    pub hash: String,
}

/// One page of entries, newest first.
pub struct EntryPage {
    /// Each entry as the organization reads it, with its link where it is the provider and the entry is sealed.
    pub items: Vec<(Value, Option<Link>)>,
    /// The entry below which the next page begins, if there is one.
    pub below: Option<i64>,
}

rows! {
    EntryRow {
        row: i64, id: String, chunk: i64, at: i64, recipient: String, client: String, channel: String, request: String, disclosed: String,
        era: Option<String>, kind: Option<String>,
    }
    HourRow {
        hour: i64, agreement: String, version: i64, provider: String, id: String, purpose: String, fields: String, reads: i64,
        records: i64,
    }
}

/// A file that belongs to a commons' database: `hayward.db` → `hayward.ledger.db`. A name that does not end in `.db` is kept whole,
/// so that two commons in one folder never share it.
#[must_use]
pub fn commons_file(database: &Path, ending: &str) -> PathBuf {
    if database.extension().is_some_and(|extension| extension == "db") {
        return database.with_extension(ending);
    }
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}

/// Where the ledger of a commons lies.
pub(crate) fn ledger_url(commons: &DatabaseUrl) -> DatabaseUrl {
    match commons {
        DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(commons_file(path, "ledger.db")),
        DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
    }
}

static ENTRIES: Table = Table {
    name: "entries",
    columns: &[
        ("row", Holds::Int),
        ("id", Holds::Text),
        ("chunk", Holds::Int),
        ("at", Holds::Int),
        ("recipient", Holds::Text),
        ("client", Holds::Text),
        ("channel", Holds::Text),
        ("request", Holds::Text),
        ("disclosed", Holds::Text),
        ("era", Holds::Text),
        ("kind", Holds::Text),
    ],
};

const HOUR: i64 = 3_600_000_000;
/// The recipient of tokenless reads.
const PUBLIC: &str = "public";
const ENTRY_COLUMNS: &str = "e.row, e.id, e.chunk, e.at, e.recipient, e.client, e.channel, e.request, e.disclosed, e.era, e.kind";

/// The ledger's database.
pub struct LedgerStore {
    db: Db,
    /// The mark of the commons' era, once it is known.
    era: OnceLock<String>,
    /// Whether this program has signed every chain that it found.
    signed: AtomicBool,
}

impl LedgerStore {
    /// Opens the ledger that belongs to a commons' database: on SQLite the file beside it, on PostgreSQL the schema `ledger`.
    ///
    /// # Errors
    /// If it cannot be reached or was migrated by a newer program.
    pub fn open(commons: &DatabaseUrl) -> Result<Arc<Self>> {
        let db = Db::open(&ledger_url(commons), "ledger", 4)?;
        db.bare(|conn| migrate::run(conn, migrate::Tree::Ledger))?;
        Ok(Arc::new(Self { db, era: OnceLock::new(), signed: AtomicBool::new(false) }))
    }

    /// From now on, what is written bears the mark of this era. Only the first call counts.
    pub fn begin_in(&self, era: Era) {
        // A ledger is told once, when the program starts.
        let _told_before = self.era.set(era.text());
    }

    /// The mark of the era that what is written bears.
    #[must_use]
    pub fn era(&self) -> Option<&str> {
        self.era.get().map(String::as_str)
    }

    /// An entry as it will be written.
    fn fresh(&self, entry: Entry) -> Kept {
        Kept { entry, era: self.era().map(str::to_owned), says_kind: true }
    }

    /// Keeps SQLite's write-ahead log short. Returns how many were long: 0 or 1.
    ///
    /// # Errors
    /// Only the database's.
    pub fn shorten_log(&self) -> Result<usize> {
        self.db.shorten_log()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Writes entries and counts, durably, all or none.
    ///
    /// # Errors
    /// If they are not durable: nothing may be answered then.
    pub fn append(&self, entries: &[Entry], reads: &[PublicRead], refusals: &[Refusal]) -> Result<()> {
        self.db.write(|conn| {
            let open = if reads.is_empty() && refusals.is_empty() { 0 } else { open_hour(conn)? };
            let first = counter::take(conn, "entry", i64::try_from(entries.len()).unwrap_or(0))?;
            insert(conn, first, entries, self.era())?;
            reads.iter().try_for_each(|read| count(conn, read, open))?;
            refusals.iter().try_for_each(|refusal| refusals::count(conn, refusal, open))
        })
    }
}

/// An entry as it was written.
pub(crate) struct Kept {
    entry: Entry,
    /// The era it was written in; none from before there were eras.
    era: Option<String>,
    /// Whether it says what it is. Those that are older than the difference do not: what was hashed must stay what it was.
    says_kind: bool,
}

impl Kept {
    /// See [`Entry::seen_by`].
    pub(crate) fn seen_by(&self, organization: &str) -> Value {
        let mut seen = self.entry.seen_by(organization);
        if let Value::Object(members) = &mut seen {
            members.extend(self.era.as_deref().map(|era| ("era".to_owned(), era.into())));
            if !self.says_kind {
                members.remove("kind");
            }
        }
        seen
    }
}

impl EntryRow {
    fn read(self) -> Result<Kept> {
        let says_kind = self.kind.is_some();
        let kind = self.kind.map_or(Some(EntryKind::Disclosure), |kind| EntryKind::parse(&kind));
        let entry = Entry {
            kind: kind.ok_or(StoreError::Corrupt("a ledger entry"))?,
            disclosed: serde_json::from_str(&self.disclosed).map_err(|_| StoreError::Corrupt("a ledger entry"))?,
            id: self.id,
            chunk: self.chunk,
            at: Moment(self.at),
            recipient: self.recipient,
            client: self.client,
            channel: self.channel,
            request: self.request,
        };
        Ok(Kept { entry, era: self.era, says_kind })
    }
}

/// Writes entries, the first of them as the row `first`.
pub(super) fn insert(conn: &mut Conn, first: i64, entries: &[Entry], era: Option<&str>) -> Result<()> {
    let mut rows = Rows::new(&ENTRIES);
    for (row, entry) in (first..).zip(entries) {
        let disclosed = serde_json::to_string(&entry.disclosed).map_err(|_| StoreError::Corrupt("a ledger entry"))?;
        rows.push([
            row.into(),
            (&entry.id).into(),
            entry.chunk.into(),
            entry.at.0.into(),
            (&entry.recipient).into(),
            (&entry.client).into(),
            (&entry.channel).into(),
            (&entry.request).into(),
            disclosed.into(),
            era.map(str::to_owned).into(),
            entry.kind.as_str().into(),
        ]);
    }
    conn.insert(&rows)
}

impl Disclosed {
    /// The records that it names: ranges of numbers, both ends included.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (i64, i64)> {
        self.records.split(',').filter_map(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            Some((from.parse().ok()?, to.parse().ok()?))
        })
    }

    /// Whether it names this record.
    pub(super) fn covers(&self, name: i64) -> bool {
        self.ranges().any(|(from, to)| from <= name && name <= to)
    }
}

/// The first hour that is not entries yet. Locked against the sealer, in the order in which the sealer locks.
fn open_hour(conn: &mut Conn) -> Result<i64> {
    let lock = dialect::for_update(conn.kind());
    let select = format!("select hour as value from sealed where only_row = 1{lock}");
    Ok(conn.one::<Number>(Sql::new(&select))?.value)
}

/// A read that comes after its hour was closed counts in the hour that is open: nothing goes uncounted.
fn count(conn: &mut Conn, read: &PublicRead, open: i64) -> Result<()> {
    let upsert = "insert into public_reads (hour, agreement, version, provider, id, purpose, fields, reads, records)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (hour, agreement, version, fields)
        do update set reads = public_reads.reads + excluded.reads, records = public_reads.records + excluded.records";
    let fields = serde_json::to_string(&read.disclosed.fields).map_err(|_| StoreError::Corrupt("a ledger entry"))?;
    let upsert = Sql::new(upsert).bind(open.max(read.at.0 / HOUR)).bind(&read.disclosed.agreement).bind(read.disclosed.version);
    let upsert = upsert.bind(&read.disclosed.provider).bind(&read.id).bind(&read.disclosed.purpose).bind(fields);
    conn.execute(upsert.bind(i64::from(read.first)).bind(read.disclosed.count)).map(drop)
}

pub(super) fn hour_entry(row: HourRow) -> Result<Entry> {
    Ok(Entry {
        kind: EntryKind::Disclosure,
        id: row.id,
        chunk: 0,
        at: Moment(row.hour * HOUR),
        recipient: PUBLIC.to_owned(),
        client: PUBLIC.to_owned(),
        channel: format!("{} reads in the hour from here", row.reads),
        request: String::new(),
        disclosed: vec![Disclosed {
            agreement: row.agreement,
            provider: row.provider,
            version: row.version,
            purpose: row.purpose,
            edition: 0,
            fields: serde_json::from_str(&row.fields).map_err(|_| StoreError::Corrupt("a ledger entry"))?,
            count: row.records,
            records: String::new(),
        }],
    })
}

const HOUR_COLUMNS: &str = "hour, agreement, version, provider, id, purpose, fields, reads, records";
