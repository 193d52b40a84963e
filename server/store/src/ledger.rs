//! The ledger's database: a file or a schema of its own, with connections of its own.
//!
//! * Rows are added, never changed and never pruned.
//! * An entry is durable when [`LedgerStore::append`] returns; whoever answers a recipient waits for that.
//! * Entry numbers are given under a lock that is held to the commit, so their order is the order of the commits and the sealer can
//!   go on from where it stopped.
//! * The sealer folds entries into one hash chain per provider: each link covers the one before it and the entry as that provider
//!   reads it. How a link is hashed and a checkpoint signed is the caller's.
//! * Tokenless reads of public shares are counted by the hour; an hour becomes an entry once it is over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use hayward_domain::moment::Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::conn::{Conn, DatabaseUrl, Db, Eyes};
use crate::counter;
use crate::dialect;
use crate::era::Era;
use crate::error::{Result, StoreError};
use crate::migrate;
use crate::sql::{Number, Sql, rows};

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

/// One act of giving data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
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
    /// The entry as one organization reads it: a provider sees what was its own, the recipient everything.
    #[must_use]
    pub fn seen_by(&self, organization: &str) -> Value {
        let own = |disclosed: &&Disclosed| self.recipient == organization || disclosed.provider == organization;
        json!({
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
        era: Option<String>,
    }
    LinkRow { position: i64, previous: String, hash: String }
    SealedRow { row: i64, hour: i64 }
    HourRow {
        hour: i64, agreement: String, version: i64, provider: String, id: String, purpose: String, fields: String, reads: i64,
        records: i64,
    }
    PointRow { position: i64, hash: String, at: i64, signature: String, era: Option<String> }
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

const HOUR: i64 = 3_600_000_000;
/// Entries sealed in one transaction.
const BATCH: i64 = 500;
const ENTRY_COLUMNS: &str = "e.row, e.id, e.chunk, e.at, e.recipient, e.client, e.channel, e.request, e.disclosed, e.era";

/// The ledger's database.
pub struct LedgerStore {
    db: Db,
    /// The mark of the commons' era, once it is known.
    era: OnceLock<String>,
}

impl LedgerStore {
    /// Opens the ledger that belongs to a commons' database: on SQLite the file beside it, on PostgreSQL the schema `ledger`.
    ///
    /// # Errors
    /// If it cannot be reached or was migrated by a newer program.
    pub fn open(commons: &DatabaseUrl) -> Result<Arc<Self>> {
        let url = match commons {
            DatabaseUrl::Sqlite(path) => DatabaseUrl::Sqlite(commons_file(path, "ledger.db")),
            DatabaseUrl::Postgres(url) => DatabaseUrl::Postgres(url.clone()),
        };
        let db = Db::open(&url, "ledger", 4)?;
        db.bare(|conn| migrate::run(conn, migrate::Tree::Ledger))?;
        Ok(Arc::new(Self { db, era: OnceLock::new() }))
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

    /// Writes entries and counts, durably, all or none.
    ///
    /// # Errors
    /// If they are not durable: nothing may be answered then.
    pub fn append(&self, entries: &[Entry], reads: &[PublicRead]) -> Result<()> {
        self.db.write(|conn| {
            let open = if reads.is_empty() { 0 } else { open_hour(conn)? };
            let first = counter::take(conn, "entry", i64::try_from(entries.len()).unwrap_or(0))?;
            for (row, entry) in (first..).zip(entries) {
                insert(conn, row, entry, self.era())?;
            }
            reads.iter().try_for_each(|read| count(conn, read, open))
        })
    }

    /// The entries that concern an organization, newest first, below the entry numbered `below`. `None` for `limit` gives all.
    ///
    /// # Errors
    /// Only the database's.
    pub fn entries(&self, organization: &str, below: Option<i64>, limit: i64) -> Result<EntryPage> {
        self.db.read(Eyes::Own, |conn| {
            let select = format!(
                "select {ENTRY_COLUMNS} from entry_parties p join entries e on e.row = p.row
                where p.organization = ? and p.row < ? order by p.row desc limit ?"
            );
            let select = Sql::new(&select).bind(organization).bind(below.unwrap_or(i64::MAX)).bind(limit + 1);
            let mut rows = conn.load::<EntryRow>(select)?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = rows.len() > wanted;
            rows.truncate(wanted);
            let below_next = rows.last().map(|row| row.row).filter(|_| more);
            let mut items = Vec::with_capacity(rows.len());
            if below.is_none() {
                items.extend(open_hours(conn, organization)?.iter().map(|entry| (entry.seen_by(organization), None)));
            }
            for row in rows {
                let kept = row.read()?;
                items.push((kept.seen_by(organization), link(conn, organization, &kept.entry)?));
            }
            Ok(EntryPage { items, below: below_next })
        })
    }

    /// One answer, for an organization that it concerns: its chunks in order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn entry(&self, organization: &str, id: &str) -> Result<Vec<(Value, Option<Link>)>> {
        self.db.read(Eyes::Own, |conn| {
            let select = format!(
                "select {ENTRY_COLUMNS} from entries e join entry_parties p on p.row = e.row and p.organization = ?
                where e.id = ? order by e.chunk"
            );
            let rows = conn.load::<EntryRow>(Sql::new(&select).bind(organization).bind(id))?;
            if rows.is_empty() {
                return Err(StoreError::NotFound);
            }
            let read = |row: EntryRow| {
                let kept = row.read()?;
                Ok((kept.seen_by(organization), link(conn, organization, &kept.entry)?))
            };
            rows.into_iter().map(read).collect()
        })
    }

    /// The newest signed checkpoint of a provider's chain.
    ///
    /// # Errors
    /// Only the database's.
    pub fn checkpoint(&self, provider: &str) -> Result<Option<Point>> {
        let select =
            "select position, hash, at, signature, era from checkpoints where provider = ? order by position desc limit 1";
        let row = self.db.read(Eyes::Own, |conn| conn.first::<PointRow>(Sql::new(select).bind(provider)))?;
        Ok(row.map(|row| {
            let PointRow { position, hash, at, signature, era } = row;
            Point { provider: provider.to_owned(), position, hash, at: Moment(at), signature, era }
        }))
    }

    /// Folds what is new into the chains. `hash` makes a link's hash, `sign` a checkpoint's signature over (provider, position,
    /// hash, time). Returns how many entries were folded; call again while it is not 0.
    ///
    /// # Errors
    /// Only the database's.
    pub fn seal(
        &self,
        now: Moment,
        hash: &dyn Fn(&Sealable<'_>) -> String,
        sign: &dyn Fn(&str, i64, &str, Moment) -> String,
    ) -> Result<usize> {
        let waiting =
            "select s.row, s.hour from sealed s where s.hour < ? or exists (select 1 from entries e where e.row > s.row)";
        if self.db.read(Eyes::Own, |conn| conn.first::<SealedRow>(Sql::new(waiting).bind(now.0 / HOUR)))?.is_none() {
            return Ok(0);
        }
        self.db.write(|conn| {
            // One sealer at a time: the others wait on this row.
            conn.execute(Sql::new("update sealed set row = row where only_row = 1"))?;
            let sealed = conn.one::<SealedRow>(Sql::new("select row, hour from sealed where only_row = 1"))?;
            close_hours(conn, sealed.hour, now, self.era())?;
            let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? order by e.row limit ?");
            let rows = conn.load::<EntryRow>(Sql::new(&select).bind(sealed.row).bind(BATCH))?;
            let (count, last) = (rows.len(), rows.last().map(|row| row.row));
            let mut grown = BTreeSet::new();
            for row in rows {
                let kept = row.read()?;
                let providers: BTreeSet<String> =
                    kept.entry.disclosed.iter().map(|disclosed| disclosed.provider.clone()).collect();
                for provider in providers {
                    extend(conn, &provider, &kept, hash)?;
                    grown.insert(provider);
                }
            }
            for provider in grown {
                let Some(head) = head(conn, &provider)? else { continue };
                let signature = sign(&provider, head.position, &head.hash, now);
                let insert = "insert into checkpoints (provider, position, hash, at, signature, era) values (?, ?, ?, ?, ?, ?)";
                let insert = Sql::new(insert).bind(provider).bind(head.position).bind(head.hash).bind(now);
                conn.execute(insert.bind(signature).bind(self.era().map(str::to_owned)))?;
            }
            if let Some(last) = last {
                conn.execute(Sql::new("update sealed set row = ? where only_row = 1").bind(last))?;
            }
            Ok(count)
        })
    }
}

/// An entry as it was written.
pub(crate) struct Kept {
    entry: Entry,
    /// The era it was written in; none from before there were eras.
    era: Option<String>,
}

impl Kept {
    /// See [`Entry::seen_by`].
    pub(crate) fn seen_by(&self, organization: &str) -> Value {
        let mut seen = self.entry.seen_by(organization);
        if let (Value::Object(members), Some(era)) = (&mut seen, &self.era) {
            members.insert("era".to_owned(), era.as_str().into());
        }
        seen
    }
}

/// One entry, if it is there.
pub(crate) fn kept_entry(conn: &mut Conn, id: &str, chunk: i64) -> Result<Option<Kept>> {
    let select = format!("select {ENTRY_COLUMNS} from entries e where e.id = ? and e.chunk = ?");
    conn.first::<EntryRow>(Sql::new(&select).bind(id).bind(chunk))?.map(EntryRow::read).transpose()
}

impl EntryRow {
    fn read(self) -> Result<Kept> {
        let entry = Entry {
            disclosed: serde_json::from_str(&self.disclosed).map_err(|_| StoreError::Corrupt("a ledger entry"))?,
            id: self.id,
            chunk: self.chunk,
            at: Moment(self.at),
            recipient: self.recipient,
            client: self.client,
            channel: self.channel,
            request: self.request,
        };
        Ok(Kept { entry, era: self.era })
    }
}

fn insert(conn: &mut Conn, row: i64, entry: &Entry, era: Option<&str>) -> Result<()> {
    let insert = "insert into entries (row, id, chunk, at, recipient, client, channel, request, disclosed, era)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let disclosed = serde_json::to_string(&entry.disclosed).map_err(|_| StoreError::Corrupt("a ledger entry"))?;
    let insert =
        Sql::new(insert).bind(row).bind(&entry.id).bind(entry.chunk).bind(entry.at).bind(&entry.recipient).bind(&entry.client);
    let insert = insert.bind(&entry.channel).bind(&entry.request).bind(disclosed);
    conn.execute(insert.bind(era.map(str::to_owned)))?;
    let providers = entry.disclosed.iter().map(|disclosed| disclosed.provider.as_str());
    for party in providers.chain([entry.recipient.as_str()]).collect::<BTreeSet<_>>() {
        conn.execute(Sql::new("insert into entry_parties (organization, row) values (?, ?)").bind(party).bind(row))?;
    }
    Ok(())
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

fn hour_entry(row: HourRow) -> Result<Entry> {
    Ok(Entry {
        id: row.id,
        chunk: 0,
        at: Moment(row.hour * HOUR),
        recipient: "public".to_owned(),
        client: "public".to_owned(),
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

/// The hours of public reads that are not entries yet.
fn open_hours(conn: &mut Conn, provider: &str) -> Result<Vec<Entry>> {
    let select = format!(
        "select {HOUR_COLUMNS} from public_reads where provider = ? and hour >= (select hour from sealed where only_row = 1)
        order by hour desc, agreement"
    );
    conn.load::<HourRow>(Sql::new(&select).bind(provider))?.into_iter().map(hour_entry).collect()
}

/// Makes entries of the hours that are over.
fn close_hours(conn: &mut Conn, from: i64, now: Moment, era: Option<&str>) -> Result<()> {
    let until = now.0 / HOUR;
    if until <= from {
        return Ok(());
    }
    let select =
        format!("select {HOUR_COLUMNS} from public_reads where hour >= ? and hour < ? order by hour, agreement, version");
    let hours = conn.load::<HourRow>(Sql::new(&select).bind(from).bind(until))?;
    let first = counter::take(conn, "entry", i64::try_from(hours.len()).unwrap_or(0))?;
    for (row, hour) in (first..).zip(hours) {
        insert(conn, row, &hour_entry(hour)?, era)?;
    }
    conn.execute(Sql::new("update sealed set hour = ? where only_row = 1").bind(until)).map(drop)
}

fn head(conn: &mut Conn, provider: &str) -> Result<Option<Link>> {
    let select = "select position, previous, hash from chain where provider = ? order by position desc limit 1";
    let row = conn.first::<LinkRow>(Sql::new(select).bind(provider))?;
    Ok(row.map(|row| Link { position: row.position, previous: row.previous, hash: row.hash }))
}

fn link(conn: &mut Conn, provider: &str, entry: &Entry) -> Result<Option<Link>> {
    let select = Sql::new("select position, previous, hash from chain where provider = ? and id = ? and chunk = ?");
    let select = select.bind(provider).bind(&entry.id).bind(entry.chunk);
    let row = conn.first::<LinkRow>(select)?;
    Ok(row.map(|row| Link { position: row.position, previous: row.previous, hash: row.hash }))
}

fn extend(conn: &mut Conn, provider: &str, kept: &Kept, hash: &dyn Fn(&Sealable<'_>) -> String) -> Result<()> {
    let before = head(conn, provider)?;
    let previous = before.as_ref().map_or("", |link| link.hash.as_str());
    let line = kept.seen_by(provider);
    let hash = hash(&Sealable { provider, previous, entry: &line });
    let insert = "insert into chain (provider, position, id, chunk, line, previous, hash) values (?, ?, ?, ?, ?, ?, ?)";
    let position = before.as_ref().map_or(0, |link| link.position) + 1;
    let insert =
        Sql::new(insert).bind(provider).bind(position).bind(&kept.entry.id).bind(kept.entry.chunk).bind(line.to_string());
    conn.execute(insert.bind(previous).bind(hash)).map(drop)
}
