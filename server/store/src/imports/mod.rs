//! Imports as they are kept: the uploaded file in pieces, what was decided about it, and what was found.
//!
//! The file lies in the database, so that any server of the commons can read it and a crash loses nothing.

mod file;
mod problems;
mod standing;
mod state;

use hayward_domain::id::{DatasetId, ImportId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_importers::{Matching, Overrules, Profile};
use serde_json::Value;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::datasets;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, Word, rows};
use crate::writing::ImportProgress;

pub use file::StoredSource;
pub(crate) use file::{drop_pieces, forget};
pub(crate) use problems::{Counting, KEPT_PROBLEMS, drop_some_problems, still_counts};
pub use state::ImportState;

/// A file to be imported.
pub struct NewImport {
    /// Its id.
    pub id: ImportId,
    /// The name the file came with.
    pub filename: String,
    /// What somebody says about how it is to be read.
    pub overrules: Overrules,
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
    /// How long its file is, in bytes, and a hash of it: empty until it has arrived whole.
    pub(crate) size: i64,
    pub(crate) file_hash: String,
    /// What somebody said about how the file is to be read.
    pub(crate) overrules: Overrules,
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
    /// How far the work on it is, while somebody is at work.
    pub progress: Option<ImportProgress>,
    /// What an undo did: `{reversed, kept, disclosed}`, the last once it was looked up.
    pub undone: Option<Value>,
}

rows! {
    ImportRow {
        id: String, dataset: String, dataset_number: i64, state: String, filename: String, size: i64, file_hash: String, reading: Option<String>, profile: Option<String>,
        overrules: Option<String>, columns: Option<String>, matching: Option<String>, counts: Option<String>, problem_count: i64, edition: i64,
        committed_edition: Option<i64>, failure: Option<String>, progress: Option<String>, undone: Option<String>,
    }
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

/// Which program reads files here. Another version may understand the same bytes otherwise.
pub(crate) const READ_BY: &str = env!("CARGO_PKG_VERSION");

/// How many imports are looked through for the one that a marked list is of.
const WITH_PROBLEMS: i64 = 20;

const COLUMNS: &str =
    "i.id, d.id as dataset, i.dataset as dataset_number, i.state, i.filename, i.size, i.file_hash, i.reading, i.profile, i.overrules, i.columns, i.matching, i.counts,
    i.problem_count, i.edition, i.committed_edition, i.failure, i.progress, i.undone";

impl ImportRow {
    fn read(self) -> Result<Import> {
        let json = |text: Option<String>| {
            text.map(|text| serde_json::from_str::<Value>(&text).map_err(|_| StoreError::Corrupt("an import"))).transpose()
        };
        let state = ImportState::parse(&self.state)?;
        Ok(Import {
            state,
            progress: standing::at_work(state, self.progress.as_deref()),
            id: self.id,
            dataset: self.dataset,
            dataset_number: self.dataset_number,
            filename: self.filename,
            size: self.size,
            file_hash: self.file_hash,
            reading: json(self.reading)?,
            // One that another version of the program wrote is found out again.
            profile: self.profile.and_then(|text| serde_json::from_str(&text).ok()),
            overrules: match self.overrules {
                Some(text) => serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("an import"))?,
                None => Overrules::default(),
            },
            columns: json(self.columns)?,
            matching: json(self.matching)?,
            counts: json(self.counts)?,
            problem_count: self.problem_count,
            edition: self.edition,
            committed_edition: self.committed_edition,
            failure: json(self.failure)?,
            undone: json(self.undone)?,
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
            let insert =
                "insert into imports (id, dataset, state, filename, file_hash, size, overrules, made_by, made_at, changed_at)
                values (?, ?, 'reading', ?, '', 0, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(new.id.as_str()).bind(kept.number).bind(&new.filename);
            conn.execute(insert.bind(overrules_text(&new.overrules)).bind(by).bind(now).bind(now)).map(drop)
        })
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
    pub(crate) fn last_matching(&self, dataset: i64) -> Result<Option<Matching>> {
        Ok(self.matchings("i.dataset = ?", dataset, 1)?.pop())
    }

    /// The matchings of the newest imports that its organization committed to other datasets of the same schema, the newest first.
    pub(crate) fn sister_matchings(&self, dataset: i64) -> Result<Vec<Matching>> {
        let is_sister = "i.dataset in (select o.number from datasets d join datasets o on o.organization = d.organization
            and o.schema_name = d.schema_name and o.number <> d.number where d.number = ?)";
        self.matchings(is_sister, dataset, 20)
    }

    fn matchings(&self, whose: &str, dataset: i64, most: i64) -> Result<Vec<Matching>> {
        let select = format!(
            "select i.matching as value from imports i where {whose} and i.state in ('committed', 'undone') and i.matching is not null
            order by i.changed_at desc limit ?"
        );
        let words = self.db.read(Eyes::Own, |conn| conn.load::<Word>(Sql::new(&select).bind(dataset).bind(most)))?;
        Ok(words.iter().filter_map(|word| serde_json::from_str(&word.value).ok()).collect())
    }

    /// Says how the file is to be read, and that it is to be read anew.
    pub(crate) fn overrule(&self, import: &Import, overrules: &Overrules) -> Result<()> {
        let now = (self.clock)();
        let update =
            "update imports set state = 'reading', overrules = ?, profile = null, matching = null, columns = null, counts = null,
            problem_count = 0, changed_at = ? where id = ? and state in ('draft', 'checked', 'interrupted', 'failed')";
        let update = Sql::new(update).bind(overrules_text(overrules)).bind(now).bind(&import.id);
        let touched = self.db.write(|conn| conn.execute(update))?;
        if touched == 1 { Ok(()) } else { Err(StoreError::Stale("this import has moved on meanwhile".to_owned())) }
    }

    pub(crate) fn set_state(&self, import: &Import, from: &[ImportState], to: ImportState) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| set_state(conn, &import.id, from, to, now))
    }

    /// Writes down what was found out, unless somebody else has decided something meanwhile, or another file has taken the place of this
    /// one: after a counting, unless another has begun since.
    pub(crate) fn write_findings(
        &self,
        import: &Import,
        state: ImportState,
        found: &Findings,
        counting: Option<&Counting>,
    ) -> Result<()> {
        let now = (self.clock)();
        let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let update =
            "update imports set state = ?, reading = ?, profile = ?, columns = ?, matching = ?, counts = ?, problem_count = ?, edition = ?,
            failure = ?, read_by = ?, changed_at = ? where id = ? and state in ('reading', 'draft', 'checked', 'interrupted', 'failed')
            and coalesce(matching, '') = ? and file_hash = ? and (counting = ? or ? = 0)";
        let update = Sql::new(update).bind(state.as_str()).bind(text(&found.reading));
        let update = update.bind(text(&found.profile)).bind(text(&found.columns));
        let update = update.bind(text(&found.matching)).bind(text(&found.counts)).bind(found.problem_count).bind(found.edition);
        let update = update.bind(text(&found.failure)).bind(READ_BY).bind(now).bind(&import.id);
        let update = update.bind(text(&import.matching).unwrap_or_default()).bind(&import.file_hash);
        let counting = counting.map_or(0, |counting| counting.0);
        let update = update.bind(counting).bind(counting);
        let touched = self.db.write(|conn| conn.execute(update))?;
        if touched == 1 { Ok(()) } else { Err(problems::moved_on()) }
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
        self.import_called(&import.id)
    }

    /// The import with this id, whoever's it is.
    pub(crate) fn import_called(&self, id: &str) -> Result<Import> {
        let select = format!("select {COLUMNS} from imports i join datasets d on d.number = i.dataset where i.id = ?");
        self.db.read(Eyes::Own, |conn| conn.one::<ImportRow>(Sql::new(&select).bind(id)))?.read()
    }

    /// The newest other imports of the same dataset that have problems, newest first: those whose marked list somebody may have.
    pub(crate) fn with_problems(&self, import: &Import) -> Result<Vec<Import>> {
        let select = format!(
            "select {COLUMNS} from imports i join datasets d on d.number = i.dataset where i.dataset = ? and i.id <> ?
            and i.problem_count > 0 and i.matching is not null and i.state not in ('reading', 'committing', 'failed')
            order by i.made_at desc, i.id limit {WITH_PROBLEMS}"
        );
        let select = Sql::new(&select).bind(import.dataset_number).bind(&import.id);
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ImportRow>(select))?;
        rows.into_iter().map(ImportRow::read).collect()
    }
}

/// What was said about how a file is read, as it is kept: nothing where nothing was said.
fn overrules_text(overrules: &Overrules) -> Option<String> {
    if *overrules == Overrules::default() { None } else { serde_json::to_string(overrules).ok() }
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

fn drop_some(conn: &mut Conn, table: &str, import: &str, count: i64) -> Result<usize> {
    let delete = format!(
        "delete from {table} where import = ? and position in
            (select position from {table} where import = ? order by position limit ?)"
    );
    conn.execute(Sql::new(&delete).bind(import).bind(import).bind(count))
}
