//! Imports as they are kept: the uploaded file in pieces, what was decided about it, and what was found.
//!
//! The file lies in the database, so that any server of the commons can read it and a crash loses nothing.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use hayward_domain::id::{DatasetId, ImportId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_importers::{Problem, Profile, Source};
use serde_json::Value;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::datasets;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// The file is being read.
    Reading,
    /// Some column waits for a decision.
    Draft,
    /// Every column is decided; the counts say what a commit will do.
    Checked,
    /// It is being written.
    Committing,
    /// It is part of the dataset.
    Committed,
    /// It was, and was taken back.
    Undone,
    /// The program stopped in the middle; it can be committed again.
    Interrupted,
    /// The file could not be read.
    Failed,
    /// It was given up.
    Cancelled,
}

impl ImportState {
    const ALL: [Self; 9] = [
        Self::Reading,
        Self::Draft,
        Self::Checked,
        Self::Committing,
        Self::Committed,
        Self::Undone,
        Self::Interrupted,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Draft => "draft",
            Self::Checked => "checked",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Undone => "undone",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(StoreError::Corrupt("an import's state"))
    }
}

/// A file to be imported.
pub struct NewImport {
    /// Its id.
    pub id: ImportId,
    /// The name the file came with.
    pub filename: String,
}

/// One import.
pub struct Import {
    /// Its id.
    pub id: String,
    /// The dataset it goes into.
    pub dataset: String,
    pub(crate) dataset_number: i64,
    /// Where it stands.
    pub state: ImportState,
    /// The name the file came with.
    pub filename: String,
    /// What was found out about the file, once it was read.
    pub reading: Option<Value>,
    /// What the first reading of the file told, so that it need not be read a third time.
    pub(crate) profile: Option<Profile>,
    /// Its columns, once it was read.
    pub columns: Option<Value>,
    /// What was decided about them.
    pub matching: Option<Value>,
    /// What a commit will do, or did.
    pub counts: Option<Value>,
    /// How many problems there are.
    pub problem_count: i64,
    /// The edition that the counts were made against, or that the commit made.
    pub edition: i64,
    /// The edition that the commit made, if it changed anything.
    pub committed_edition: Option<i64>,
    /// Why the file could not be read: `{code, message, row}`.
    pub failure: Option<Value>,
}

rows! {
    ImportRow {
        id: String, dataset: String, dataset_number: i64, state: String, filename: String, reading: Option<String>, profile: Option<String>,
        columns: Option<String>, matching: Option<String>, counts: Option<String>, problem_count: i64, edition: i64,
        committed_edition: Option<i64>, failure: Option<String>,
    }
    ChunkRow { bytes: Vec<u8> }
    ProblemRow { problem: String }
    IdRow { id: String }
}

/// The rest of what was found out, written in one go.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) reading: Option<Value>,
    pub(crate) profile: Option<Value>,
    pub(crate) columns: Option<Value>,
    pub(crate) matching: Option<Value>,
    pub(crate) counts: Option<Value>,
    pub(crate) problem_count: i64,
    pub(crate) edition: i64,
    pub(crate) failure: Option<Value>,
}

/// Pieces a file is kept in.
const PIECE: usize = 256 * 1024;
/// Problems that are kept one by one; beyond it they are only counted.
pub(crate) const KEPT_PROBLEMS: i64 = 100_000;

/// Which program reads files here. Another version may understand the same bytes otherwise.
pub(crate) const READ_BY: &str = env!("CARGO_PKG_VERSION");

const COLUMNS: &str =
    "i.id, d.id as dataset, i.dataset as dataset_number, i.state, i.filename, i.reading, i.profile, i.columns, i.matching, i.counts,
    i.problem_count, i.edition, i.committed_edition, i.failure";

impl ImportRow {
    fn read(self) -> Result<Import> {
        let json = |text: Option<String>| {
            text.map(|text| serde_json::from_str::<Value>(&text).map_err(|_| StoreError::Corrupt("an import"))).transpose()
        };
        Ok(Import {
            state: ImportState::parse(&self.state)?,
            id: self.id,
            dataset: self.dataset,
            dataset_number: self.dataset_number,
            filename: self.filename,
            reading: json(self.reading)?,
            // One that another version of the program wrote is found out again.
            profile: self.profile.and_then(|text| serde_json::from_str(&text).ok()),
            columns: json(self.columns)?,
            matching: json(self.matching)?,
            counts: json(self.counts)?,
            problem_count: self.problem_count,
            edition: self.edition,
            committed_edition: self.committed_edition,
            failure: json(self.failure)?,
        })
    }
}

impl Store {
    /// Begins an import: pieces follow.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the dataset is not the owner's.
    pub fn begin_import(&self, owner: OrganizationNumber, by: &str, dataset: &DatasetId, new: &NewImport) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let kept = datasets::own(conn, dataset, owner)?;
            let insert = "insert into imports (id, dataset, state, filename, file_hash, size, made_by, made_at, changed_at)
                values (?, ?, 'reading', ?, '', 0, ?, ?, ?)";
            let insert = Sql::new(insert).bind(new.id.as_str()).bind(kept.number).bind(&new.filename).bind(by);
            conn.execute(insert.bind(now).bind(now)).map(drop)
        })
    }

    /// Keeps one more piece of the file, the `position`-th from 0.
    ///
    /// # Errors
    /// Only the database's.
    pub fn keep_piece(&self, import: &ImportId, position: i64, bytes: Vec<u8>) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let insert = Sql::new("insert into import_chunks (import, position, bytes) values (?, ?, ?)");
            conn.execute(insert.bind(import.as_str()).bind(position).bind(bytes))?;
            touch(conn, import, now)
        })
    }

    /// The file is complete. Where the same file waits as a draft already, that draft is the answer and this upload goes.
    ///
    /// # Errors
    /// Only the database's.
    pub fn end_upload(&self, import: &ImportId, hash: &str, size: i64) -> Result<ImportId> {
        self.db.write(|conn| {
            let same = "select i.id from imports i join imports n on n.id = ? and n.dataset = i.dataset
                where i.file_hash = ? and i.size = ? and i.state in ('draft', 'checked') and i.matching is not null order by i.made_at limit 1";
            let same = conn.first::<IdRow>(Sql::new(same).bind(import.as_str()).bind(hash).bind(size))?;
            if let Some(id) = same.and_then(|row| ImportId::parse(&row.id)) {
                forget(conn, import)?;
                return Ok(id);
            }
            let update = Sql::new("update imports set file_hash = ?, size = ? where id = ?").bind(hash).bind(size);
            conn.execute(update.bind(import.as_str()))?;
            Ok(import.clone())
        })
    }

    /// Drops an upload that did not arrive whole.
    ///
    /// # Errors
    /// Only the database's.
    pub fn drop_upload(&self, import: &ImportId) -> Result<()> {
        self.until_none(|conn| drop_pieces(conn, import.as_str()))?;
        self.db.write(|conn| forget(conn, import))
    }

    /// Keeps a whole file, piece by piece, from a reader. The size and a hash of it are taken on the way.
    ///
    /// # Errors
    /// The database's, and [`StoreError::Unavailable`] where the reader fails; the pieces that came are dropped then.
    pub fn keep_file(&self, import: &ImportId, mut from: impl Read) -> Result<ImportId> {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        let (mut size, mut position) = (0i64, 0i64);
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            if from.by_ref().take(PIECE as u64).read_to_end(&mut piece).is_err() {
                self.drop_upload(import)?;
                return Err(StoreError::Unavailable("the file could not be read to its end".to_owned()));
            }
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            size += i64::try_from(piece.len()).unwrap_or(0);
            self.keep_piece(import, position, piece)?;
            position += 1;
        }
        self.end_upload(import, &hayward_domain::id::base32(&hasher.finalize()), size)
    }

    /// One import, for its owner.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn import(&self, owner: OrganizationNumber, id: &ImportId) -> Result<Import> {
        let select = format!(
            "select {COLUMNS} from imports i join datasets d on d.number = i.dataset where i.id = ? and d.organization = ?"
        );
        self.db.read(Eyes::Own, |conn| conn.one::<ImportRow>(Sql::new(&select).bind(id.as_str()).bind(owner.0)))?.read()
    }

    /// The matching of the newest import that was committed to the same dataset.
    pub(crate) fn last_matching(&self, dataset: i64) -> Result<Option<Value>> {
        rows! { MatchingRow { matching: Option<String> } }
        let select =
            "select matching from imports where dataset = ? and state in ('committed', 'undone') and matching is not null
            order by changed_at desc limit 1";
        let row = self.db.read(Eyes::Own, |conn| conn.first::<MatchingRow>(Sql::new(select).bind(dataset)))?;
        Ok(row.and_then(|row| row.matching).and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The kept file of an import.
    #[must_use]
    pub fn import_file(self: &Arc<Self>, import: &Import) -> StoredSource {
        StoredSource { store: Arc::clone(self), import: import.id.clone(), name: import.filename.clone() }
    }

    /// Problems from `after` on; one more than `limit` if there are more.
    ///
    /// # Errors
    /// Only the database's.
    pub fn problems(&self, import: &Import, after: i64, limit: i64) -> Result<Vec<Value>> {
        let select = "select problem from import_problems where import = ? and position > ? order by position limit ?";
        let select = Sql::new(select).bind(&import.id).bind(after).bind(limit + 1);
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ProblemRow>(select))?;
        rows.iter().map(|row| serde_json::from_str(&row.problem).map_err(|_| StoreError::Corrupt("a problem"))).collect()
    }

    pub(crate) fn set_state(&self, import: &Import, from: &[ImportState], to: ImportState) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| set_state(conn, &import.id, from, to, now))
    }

    pub(crate) fn write_findings(&self, import: &Import, state: ImportState, found: &Findings) -> Result<()> {
        let now = (self.clock)();
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let update =
            "update imports set state = ?, reading = ?, profile = ?, columns = ?, matching = ?, counts = ?, problem_count = ?, edition = ?,
            failure = ?, read_by = ?, changed_at = ? where id = ? and state in ('reading', 'draft', 'checked', 'interrupted')";
        let update = Sql::new(update).bind(state.as_str()).bind(text(&found.reading));
        let update = update.bind(text(&found.profile)).bind(text(&found.columns));
        let update = update.bind(text(&found.matching)).bind(text(&found.counts)).bind(found.problem_count).bind(found.edition);
        let update = update.bind(text(&found.failure)).bind(READ_BY).bind(now).bind(&import.id);
        let touched = self.db.write(|conn| conn.execute(update))?;
        if touched == 1 { Ok(()) } else { Err(StoreError::Stale("this import has moved on meanwhile".to_owned())) }
    }

    pub(crate) fn drop_problems(&self, import: &Import) -> Result<()> {
        self.until_none(|conn| drop_some_problems(conn, &import.id)).map(drop)
    }

    pub(crate) fn keep_problems(&self, import: &Import, first: i64, problems: &[Problem]) -> Result<()> {
        let now = (self.clock)();
        if problems.is_empty() || first > KEPT_PROBLEMS {
            return Ok(());
        }
        let mut insert = Sql::new("insert into import_problems (import, position, problem) values ").varying();
        for (at, (problem, position)) in problems.iter().zip(first..).enumerate() {
            let text = serde_json::to_string(problem).map_err(|_| StoreError::Corrupt("a problem"))?;
            let binds = [(&import.id).into(), position.into(), text.into()];
            insert.push_with(if at == 0 { "(?, ?, ?)" } else { ", (?, ?, ?)" }, binds);
        }
        self.db.write(|conn| {
            conn.execute(insert)?;
            conn.execute(Sql::new("update imports set changed_at = ? where id = ?").bind(now).bind(&import.id)).map(drop)
        })
    }

    /// Imports that say they are at work while nobody is: their server stopped. A commit holds the claim of its list for as long as it
    /// lasts; who only reads a file says now and then that it is alive.
    ///
    /// # Errors
    /// Only the database's.
    pub fn mark_interrupted(&self) -> Result<usize> {
        let now = (self.clock)();
        let silent = now.minus(std::time::Duration::from_secs(60));
        let update = "update imports set state = 'interrupted', changed_at = ?
            where (state = 'reading' and changed_at < ?) or (state = 'committing' and not exists
                (select 1 from claims c where c.dataset = imports.dataset and c.purpose is not null and c.until > ?))";
        let any = "select count(*) as value from imports where (state = 'reading' and changed_at < ?) or state = 'committing'";
        if self.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(any).bind(silent)))?.value == 0 {
            return Ok(0);
        }
        self.db.write(|conn| conn.execute(Sql::new(update).bind(now).bind(silent).bind(now)))
    }

    /// The import as it stands now.
    pub(crate) fn reload(&self, import: &Import) -> Result<Import> {
        let select = format!("select {COLUMNS} from imports i join datasets d on d.number = i.dataset where i.id = ?");
        self.db.read(Eyes::Own, |conn| conn.one::<ImportRow>(Sql::new(&select).bind(&import.id)))?.read()
    }

    /// Says that somebody is still at work on it.
    pub(crate) fn keep_alive(&self, import: &Import) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            conn.execute(Sql::new("update imports set changed_at = ? where id = ?").bind(now).bind(&import.id)).map(drop)
        })
    }
}

pub(crate) fn set_state(conn: &mut Conn, import: &str, from: &[ImportState], to: ImportState, now: Moment) -> Result<()> {
    let mut update = Sql::new("update imports set state = ?, changed_at = ? where id = ? and state in ");
    update = update.bind(to.as_str()).bind(now).bind(import);
    update.list(from.iter().map(|state| state.as_str()));
    if conn.execute(update)? == 1 {
        return Ok(());
    }
    let state = Sql::new("select count(*) as value from imports where id = ?").bind(import);
    if conn.one::<Number>(state)?.value == 0 {
        return Err(StoreError::NotFound);
    }
    Err(StoreError::refused("wrong-state", format!("this import cannot become `{}` now", to.as_str())))
}

fn touch(conn: &mut Conn, import: &ImportId, now: Moment) -> Result<()> {
    conn.execute(Sql::new("update imports set changed_at = ? where id = ?").bind(now).bind(import.as_str())).map(drop)
}

fn forget(conn: &mut Conn, import: &ImportId) -> Result<()> {
    drop_file(conn, import.as_str())?;
    conn.execute(Sql::new("delete from import_problems where import = ?").bind(import.as_str()))?;
    conn.execute(Sql::new("delete from imports where id = ?").bind(import.as_str())).map(drop)
}

fn drop_file(conn: &mut Conn, import: &str) -> Result<()> {
    conn.execute(Sql::new("delete from import_chunks where import = ?").bind(import)).map(drop)
}

/// Drops some pieces of an import's file; 0 once none is left.
pub(crate) fn drop_pieces(conn: &mut Conn, import: &str) -> Result<usize> {
    drop_some(conn, "import_chunks", import, 16)
}

/// Drops some of an import's problems; 0 once none is left.
pub(crate) fn drop_some_problems(conn: &mut Conn, import: &str) -> Result<usize> {
    drop_some(conn, "import_problems", import, 1_000)
}

fn drop_some(conn: &mut Conn, table: &str, import: &str, count: i64) -> Result<usize> {
    let delete = format!(
        "delete from {table} where import = ? and position in
            (select position from {table} where import = ? order by position limit ?)"
    );
    conn.execute(Sql::new(&delete).bind(import).bind(import).bind(count))
}

/// An uploaded file, read back from the database piece by piece.
pub struct StoredSource {
    store: Arc<Store>,
    import: String,
    name: String,
}

impl Source for StoredSource {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Pieces { store: Arc::clone(&self.store), import: self.import.clone(), position: 0, rest: VecDeque::new() }))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

struct Pieces {
    store: Arc<Store>,
    import: String,
    position: i64,
    rest: VecDeque<u8>,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let select = Sql::new("select bytes from import_chunks where import = ? and position = ?");
            let select = select.bind(&self.import).bind(self.position);
            let piece = self.store.db.read(Eyes::Own, |conn| conn.first::<ChunkRow>(select)).map_err(io::Error::other)?;
            self.position += 1;
            self.rest = piece.map(|row| row.bytes).unwrap_or_default().into();
        }
        self.rest.read(into)
    }
}
