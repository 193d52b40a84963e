//! From a draft to an edition: comparing with what is there, committing, undoing.
//!
//! A check, a diff and a commit go through the same comparison ([`compare`]): what was counted is what is done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hayward_domain::record::Record;
use hayward_domain::schema::{FieldName, Schema};
use hayward_importers::{Absent, Draft, DraftRow, Matching, MatchingFault, Problem, Ready, draft, merge, profile, suggest};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Store;
use crate::conn::Eyes;
use crate::edition::{Cause, Change, Commit, LiveRow};
use crate::error::{Result, StoreError};
use crate::imports::{Findings, Import, ImportState, KEPT_PROBLEMS, drop_file, set_state};
use crate::sql::{Number, Sql, rows};

/// Rows compared in one go.
const BATCH: usize = 500;
/// How often a long check says that somebody is at work.
const ALIVE: std::time::Duration = std::time::Duration::from_secs(5);

/// What happens, or happened, to the rows of a file. The first is the sum of the next six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of the file, without the header.
    pub rows: u64,
    /// New records.
    pub created: u64,
    /// Records that change.
    pub updated: u64,
    /// Records that stay as they are.
    pub unchanged: u64,
    /// Rows left out because an earlier one is the same.
    pub skipped: u64,
    /// Rows with a problem.
    pub rejected: u64,
    /// Rows without a value.
    pub blank: u64,
    /// Records that go because the file lacks them, where the person asked for that. No row of the file.
    pub removed: u64,
}

/// One line of the difference between the file and the dataset.
#[derive(Serialize)]
pub struct DiffItem {
    /// `created`, `updated` or `removed`.
    pub change: &'static str,
    /// The row of the file, as a spreadsheet numbers it; none for what is removed.
    pub row: Option<u64>,
    /// The key of the record.
    pub key: Value,
    /// The fields that change: `{name: [before, after]}`.
    pub fields: serde_json::Map<String, Value>,
}

/// What a file and its matching come to.
struct WritePlan {
    draft: Draft,
    absent: Absent,
}

rows! {
    TouchedRow { row: i64, record: i64, key: String, body: String, born: i64, died: i64 }
}

/// One thing found while comparing.
enum Found<'a> {
    Problems(Vec<Problem>),
    Changed { row: Option<u64>, key: &'a str, before: Option<&'a LiveRow>, after: Option<&'a Record> },
}

fn refused(refusal: &hayward_importers::Refusal) -> StoreError {
    StoreError::refused(refusal.code(), refusal.to_string())
}

impl Store {
    /// Reads an uploaded file: its format, its columns, and what a commit would do. Leaves the import as `draft` or `checked`, or
    /// `failed` where the file cannot be read.
    ///
    /// # Errors
    /// Only the database's: a file that cannot be read is a finding.
    pub fn read_import(self: &Arc<Self>, import: &Import) -> Result<()> {
        let source = self.import_file(import);
        let profiled = match profile(&source) {
            Ok(profiled) => profiled,
            Err(refusal) => return self.fail(import, &refusal),
        };
        let schema = self.schema_of(import)?;
        let previous =
            self.last_matching(import.dataset_number)?.and_then(|value| serde_json::from_value::<Matching>(value).ok());
        let columns = suggest(&profiled, &schema, previous.as_ref());
        let matching = Matching::from_columns(&columns);
        let found = Findings {
            reading: serde_json::to_value(&profiled.reading).ok(),
            columns: serde_json::to_value(&columns).ok(),
            ..Findings::default()
        };
        self.check(import, &profiled, &schema, matching, found)
    }

    /// Replaces what was decided about the columns, and counts again. Returns what is wrong with the decisions, if something is.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` once the import is committed.
    pub fn rematch_import(self: &Arc<Self>, import: &Import, mut matching: Matching) -> Result<Vec<MatchingFault>> {
        if !matches!(import.state, ImportState::Draft | ImportState::Checked | ImportState::Interrupted) {
            return Err(StoreError::refused("wrong-state", "the columns of this import can no longer be changed"));
        }
        let source = self.import_file(import);
        let profiled = match profile(&source) {
            Ok(profiled) => profiled,
            Err(refusal) => return self.fail(import, &refusal).map(|()| Vec::new()),
        };
        let schema = self.schema_of(import)?;
        // A column that is not spoken of stays as it was decided.
        let spoken: HashSet<String> = matching.columns.iter().map(|decision| decision.column.clone()).collect();
        matching.columns.extend(self.decided(import)?.columns.into_iter().filter(|decision| !spoken.contains(&decision.column)));
        if let Err(faults) = matching.validate(&profiled, &schema) {
            return Ok(faults);
        }
        let found = Findings {
            reading: serde_json::to_value(&profiled.reading).ok(),
            columns: serde_json::to_value(matching.columns(&profiled, &schema)).ok(),
            ..Findings::default()
        };
        self.check(import, &profiled, &schema, matching, found).map(|()| Vec::new())
    }

    fn fail(&self, import: &Import, refusal: &hayward_importers::Refusal) -> Result<()> {
        let failure = json!({"code": refusal.code(), "message": refusal.to_string(), "row": refusal.row()});
        let counts = serde_json::to_value(Counts::default()).ok();
        self.write_findings(import, ImportState::Failed, &Findings { failure: Some(failure), counts, ..Findings::default() })
    }

    fn check(
        self: &Arc<Self>,
        import: &Import,
        profiled: &hayward_importers::Profile,
        schema: &Arc<Schema>,
        matching: Matching,
        mut found: Findings,
    ) -> Result<()> {
        let source = self.import_file(import);
        let head = "select head as value from datasets where number = ?";
        found.edition = self.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(head).bind(import.dataset_number)))?.value;
        found.matching = serde_json::to_value(&matching).ok();
        let state = if matching.undecided(profiled, schema).is_empty() { ImportState::Checked } else { ImportState::Draft };
        let rows = match draft(&source, profiled, schema, &matching) {
            Ok(rows) => rows,
            Err(refusal) => return self.fail(import, &refusal),
        };
        self.drop_problems(import)?;
        let mut kept = 0i64;
        let mut held: Vec<Problem> = Vec::new();
        let spoken = std::cell::Cell::new(std::time::Instant::now());
        let live = |keys: &[&str]| {
            if spoken.get().elapsed() > ALIVE {
                self.keep_alive(import)?;
                spoken.set(std::time::Instant::now());
            }
            live(self, import.dataset_number, keys)
        };
        let plan = WritePlan { draft: rows, absent: matching.absent };
        let outcome = compare(plan, live, |one| {
            if let Found::Problems(problems) = one {
                found.problem_count += i64::try_from(problems.len()).unwrap_or(0);
                held.extend(problems);
                if held.len() >= BATCH && kept < KEPT_PROBLEMS {
                    self.keep_problems(import, kept + 1, &held)?;
                    kept += i64::try_from(held.len()).unwrap_or(0);
                    held.clear();
                } else if kept >= KEPT_PROBLEMS {
                    held.clear();
                }
            }
            Ok(())
        });
        let (mut counts, seen) = match outcome {
            Ok(outcome) => outcome,
            Err(CompareError::Refused(refusal)) => return self.fail(import, &refusal),
            Err(CompareError::Store(error)) => return Err(error),
        };
        self.keep_problems(import, kept + 1, &held)?;
        if let Some(seen) = seen {
            counts.removed = u64::try_from(self.absent(import.dataset_number, &seen)?.len()).unwrap_or(0);
        }
        found.counts = serde_json::to_value(counts).ok();
        self.write_findings(import, state, &found)
    }

    /// The difference that a commit would make, or made: items after the `after`-th, one more than `limit` if there are more.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no file to compare any more.
    pub fn import_diff(self: &Arc<Self>, import: &Import, after: usize, limit: usize) -> Result<Vec<DiffItem>> {
        let schema = self.schema_of(import)?;
        let mut items = Vec::new();
        if let Some(edition) = import.committed_edition {
            self.still_kept(import.dataset_number, edition)?;
            let touched = self.touched(import.dataset_number, edition)?;
            for (before, after_version) in by_record(&touched, edition).into_values() {
                let record =
                    after_version.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
                let live =
                    before.map(|row| LiveRow { row: row.row, record: row.record, key: row.key.clone(), body: row.body.clone() });
                let key = after_version.or(before).map_or("", |row| row.key.as_str());
                items.push(diff_item(None, key, live.as_ref(), record.as_ref(), &schema)?);
            }
            items.sort_by_cached_key(|item| item.key.to_string());
            return Ok(items.into_iter().skip(after).take(limit + 1).collect());
        }
        let plan = self.plan(import)?;
        let live = |keys: &[&str]| live(self, import.dataset_number, keys);
        let mut at = 0;
        let outcome = compare(plan, live, |one| {
            if let Found::Changed { row, key, before, after: record } = one {
                if at >= after && items.len() <= limit {
                    items.push(diff_item(row, key, before, record, &schema)?);
                }
                at += 1;
            }
            Ok(())
        });
        let (_, seen) = outcome.map_err(|error| error.into_store())?;
        if let Some(seen) = seen {
            for row in self.absent(import.dataset_number, &seen)? {
                if at >= after && items.len() <= limit {
                    items.push(diff_item(None, &row.key, Some(&row), None, &schema)?);
                }
                at += 1;
            }
        }
        Ok(items)
    }

    /// Writes the import into its dataset, as one edition.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `undecided-columns`, [`StoreError::Stale`] where `edition` is no longer the newest,
    /// [`StoreError::Busy`] where something else is writing.
    pub fn commit_import(self: &Arc<Self>, import: &Import, edition: Option<i64>) -> Result<()> {
        if import.state == ImportState::Draft {
            return Err(StoreError::refused("undecided-columns", "some columns have no decision yet"));
        }
        let mut commit = Commit::begin(self, import.dataset_number, "import")?;
        if edition.is_some_and(|edition| edition != commit.dataset.head) {
            commit.abandon()?;
            return Err(StoreError::Stale("the list has changed since this difference was made; look again".to_owned()));
        }
        let startable = [ImportState::Checked, ImportState::Interrupted];
        if let Err(error) = self.set_state(import, &startable, ImportState::Committing) {
            commit.abandon()?;
            return Err(error);
        }
        let committed = match self.write(import, &mut commit) {
            Ok(counts) => self.publish_import(import, commit, &counts),
            Err(error) => {
                commit.give_up();
                Err(error)
            }
        };
        if committed.is_err() {
            // Where this fails too, the import is found to be interrupted later; the first error is the one that tells something.
            drop(self.set_state(import, &[ImportState::Committing], ImportState::Checked));
        }
        committed
    }

    fn publish_import(&self, import: &Import, commit: Commit, counts: &Counts) -> Result<()> {
        let (id, now) = (&import.id, commit.now());
        let head = commit.dataset.head;
        let published = commit.publish(Cause::Import, Some(id), |conn, edition| {
            set_state(conn, id, &[ImportState::Committing], ImportState::Committed, now)?;
            let made = (edition > head).then_some(edition);
            let update = "update imports set counts = ?, edition = ?, committed_edition = ? where id = ?";
            let counts = serde_json::to_string(counts).map_err(|_| StoreError::Corrupt("counts"))?;
            conn.execute(Sql::new(update).bind(counts).bind(edition).bind(made).bind(id))?;
            drop_file(conn, id)
        });
        published.map(drop)
    }

    fn write(self: &Arc<Self>, import: &Import, commit: &mut Commit) -> Result<Counts> {
        let plan = self.plan(import)?;
        let mut changes = Vec::new();
        let number = commit.dataset.number;
        let staged = std::cell::RefCell::new(commit);
        let outcome = compare(
            plan,
            |keys| staged.borrow().live(keys),
            |one| {
                if let Found::Changed { key, before, after: Some(record), .. } = one {
                    let body = record.to_body();
                    changes.push(match before {
                        None => Change::Create { key: key.to_owned(), body },
                        Some(live) => Change::Update { row: live.row, record: live.record, key: key.to_owned(), body },
                    });
                    if changes.len() >= BATCH {
                        staged.borrow_mut().stage(std::mem::take(&mut changes))?;
                    }
                }
                Ok(())
            },
        );
        let (mut counts, seen) = outcome.map_err(|error| error.into_store())?;
        let commit = staged.into_inner();
        commit.stage(changes)?;
        if let Some(seen) = seen {
            let gone = self.absent(number, &seen)?;
            counts.removed = u64::try_from(gone.len()).unwrap_or(0);
            commit.stage(gone.into_iter().map(|row| Change::Remove { row: row.row, record: row.record }).collect())?;
        }
        Ok(counts)
    }

    /// Takes a committed import back, as a new edition. Records that something changed since stay as they are; how many is returned.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` where it is not committed.
    pub fn undo_import(self: &Arc<Self>, import: &Import) -> Result<u64> {
        if import.state != ImportState::Committed {
            return Err(StoreError::refused("wrong-state", "only a committed import can be undone"));
        }
        let mut commit = Commit::begin(self, import.dataset_number, "undo")?;
        let kept = match self.reverse(import, &mut commit) {
            Ok(kept) => kept,
            Err(error) => {
                commit.give_up();
                return Err(error);
            }
        };
        let (id, now) = (import.id.clone(), commit.now());
        commit.publish(Cause::Undo, Some(&import.id), |conn, edition| {
            set_state(conn, &id, &[ImportState::Committed], ImportState::Undone, now)?;
            conn.execute(Sql::new("update imports set edition = ? where id = ?").bind(edition).bind(&id)).map(drop)
        })?;
        Ok(kept)
    }

    fn reverse(&self, import: &Import, commit: &mut Commit) -> Result<u64> {
        let Some(edition) = import.committed_edition else { return Ok(0) };
        self.still_kept(import.dataset_number, edition)?;
        let touched = self.touched(import.dataset_number, edition)?;
        let mut kept = 0;
        let mut changes = Vec::new();
        for (before, after) in by_record(&touched, edition).into_values() {
            match (before, after) {
                // Only what is still as the import left it is taken back.
                (_, Some(after)) if after.died != i64::MAX => kept += 1,
                (Some(before), Some(after)) => changes.push(Change::Update {
                    row: after.row,
                    record: after.record,
                    key: before.key.clone(),
                    body: before.body.clone(),
                }),
                (None, Some(after)) => changes.push(Change::Remove { row: after.row, record: after.record }),
                (Some(before), None) => {
                    if commit.live(&[before.key.as_str()])?.is_empty() {
                        changes.push(Change::Revive {
                            record: before.record,
                            key: before.key.clone(),
                            body: before.body.clone(),
                        });
                    } else {
                        kept += 1;
                    }
                }
                (None, None) => {}
            }
        }
        commit.stage(changes)?;
        Ok(kept)
    }

    /// Refuses an edition whose replaced versions are pruned: what they held cannot be brought back, and an update would look like
    /// a creation.
    fn still_kept(&self, dataset: i64, edition: i64) -> Result<()> {
        let select = "select count(*) as value from editions e join commit_counter c on c.only_row = 1
            where e.dataset = ? and e.edition = ? and e.commit_number > c.pruned";
        let select = Sql::new(select).bind(dataset).bind(edition);
        if self.db.read(Eyes::Own, |conn| conn.one::<Number>(select))?.value == 1 {
            return Ok(());
        }
        Err(StoreError::refused("too-old", "what this import replaced is no longer kept"))
    }

    /// The versions that an edition made or closed.
    fn touched(&self, dataset: i64, edition: i64) -> Result<Vec<TouchedRow>> {
        let select =
            "select row, record, key, body, born, died from records where dataset = ? and (born = ? or died = ?) order by record";
        self.db.read(Eyes::Own, |conn| conn.load::<TouchedRow>(Sql::new(select).bind(dataset).bind(edition).bind(edition)))
    }

    /// The live records whose keys a file does not have.
    fn absent(&self, dataset: i64, seen: &Keys) -> Result<Vec<LiveRow>> {
        let mut absent = Vec::new();
        let mut after = String::new();
        loop {
            let select = "select row, record, key, body from records where dataset = ? and died = 9223372036854775807 and key > ?
                order by key limit 1000";
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(Sql::new(select).bind(dataset).bind(&after)))?;
            let Some(last) = rows.last() else { return Ok(absent) };
            after.clone_from(&last.key);
            absent.extend(rows.into_iter().filter(|row| !seen.contains(&key_hash(&row.key))));
        }
    }

    fn schema_of(&self, import: &Import) -> Result<Arc<Schema>> {
        let select = "select number, organization, head, schema_name, schema_version from datasets where number = ?";
        self.db.read(Eyes::Own, |conn| {
            let kept = conn.one::<crate::datasets::KeptBy>(Sql::new(select).bind(import.dataset_number))?;
            self.schema_at(conn, &kept.schema_name, kept.schema_version)
        })
    }

    fn decided(&self, import: &Import) -> Result<Matching> {
        let matching = import.matching.clone().ok_or_else(|| StoreError::refused("wrong-state", "this file was not read yet"))?;
        serde_json::from_value(matching).map_err(|_| StoreError::Corrupt("a matching"))
    }

    fn plan(self: &Arc<Self>, import: &Import) -> Result<WritePlan> {
        let matching = self.decided(import)?;
        let schema = self.schema_of(import)?;
        let source = self.import_file(import);
        let profiled = profile(&source).map_err(|refusal| refused(&refusal))?;
        let draft = draft(&source, &profiled, &schema, &matching).map_err(|refusal| refused(&refusal))?;
        Ok(WritePlan { draft, absent: matching.absent })
    }
}

fn live(store: &Store, dataset: i64, keys: &[&str]) -> Result<Vec<LiveRow>> {
    let mut select =
        Sql::new("select row, record, key, body from records where dataset = ? and died = 9223372036854775807 and key in ");
    select = select.bind(dataset);
    select.list(keys.iter().copied());
    store.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(select))
}

/// What was there before an edition and what it made, by record.
fn by_record(touched: &[TouchedRow], edition: i64) -> HashMap<i64, (Option<&TouchedRow>, Option<&TouchedRow>)> {
    let mut records: HashMap<i64, (Option<&TouchedRow>, Option<&TouchedRow>)> = HashMap::new();
    for row in touched {
        let entry = records.entry(row.record).or_default();
        if row.born == edition {
            entry.1 = Some(row);
        } else {
            entry.0 = Some(row);
        }
    }
    records
}

/// Hashes of the keys that a file has.
type Keys = HashSet<[u8; 16]>;

enum CompareError {
    Refused(hayward_importers::Refusal),
    Store(StoreError),
}

impl CompareError {
    fn into_store(self) -> StoreError {
        match self {
            Self::Refused(refusal) => refused(&refusal),
            Self::Store(error) => error,
        }
    }
}

/// Goes through a draft beside what is live, and counts. The keys that the file has are returned where absent records are to go.
fn compare(
    plan: WritePlan,
    live: impl Fn(&[&str]) -> Result<Vec<LiveRow>>,
    mut found: impl FnMut(Found<'_>) -> Result<()>,
) -> std::result::Result<(Counts, Option<Keys>), CompareError> {
    let mut counts = Counts::default();
    let mut seen = match plan.absent {
        Absent::Delete => Some(HashSet::new()),
        Absent::Keep => None,
    };
    let mut batch: Vec<Ready> = Vec::with_capacity(BATCH);
    for row in plan.draft {
        counts.rows += 1;
        match row.map_err(CompareError::Refused)? {
            DraftRow::Ready(ready) => batch.push(ready),
            DraftRow::Rejected { problems, key, .. } => {
                counts.rejected += 1;
                // The row names its record all the same: a mistake in it is no reason to remove the record.
                if let (Some(seen), Some(key)) = (&mut seen, key) {
                    seen.insert(key_hash(&key));
                }
                found(Found::Problems(problems)).map_err(CompareError::Store)?;
            }
            DraftRow::Duplicate { .. } => counts.skipped += 1,
            DraftRow::Blank { .. } => counts.blank += 1,
        }
        if batch.len() >= BATCH {
            settle(std::mem::take(&mut batch), &live, &mut counts, &mut seen, &mut found).map_err(CompareError::Store)?;
        }
    }
    settle(batch, &live, &mut counts, &mut seen, &mut found).map_err(CompareError::Store)?;
    Ok((counts, seen))
}

fn settle(
    batch: Vec<Ready>,
    live: &impl Fn(&[&str]) -> Result<Vec<LiveRow>>,
    counts: &mut Counts,
    seen: &mut Option<Keys>,
    found: &mut impl FnMut(Found<'_>) -> Result<()>,
) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = batch.iter().map(|ready| ready.key.as_str()).collect();
    let known: HashMap<String, LiveRow> = live(&keys)?.into_iter().map(|row| (row.key.clone(), row)).collect();
    for ready in &batch {
        if let Some(seen) = seen {
            seen.insert(key_hash(&ready.key));
        }
        let before = known.get(&ready.key);
        let existing = before.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
        let record = merge(existing.as_ref(), ready);
        let missing: Vec<Problem> = ready
            .missing
            .iter()
            .filter(|(field, _)| !record.fields.contains_key(*field))
            .map(|(_, problem)| problem.clone())
            .collect();
        if !missing.is_empty() {
            counts.rejected += 1;
            found(Found::Problems(missing))?;
            continue;
        }
        if !ready.warnings.is_empty() {
            found(Found::Problems(ready.warnings.clone()))?;
        }
        match (&existing, before) {
            (Some(existing), _) if *existing == record => counts.unchanged += 1,
            (Some(_), _) => {
                counts.updated += 1;
                found(Found::Changed { row: Some(ready.row), key: &ready.key, before, after: Some(&record) })?;
            }
            (None, _) => {
                counts.created += 1;
                found(Found::Changed { row: Some(ready.row), key: &ready.key, before: None, after: Some(&record) })?;
            }
        }
    }
    Ok(())
}

fn key_hash(key: &str) -> [u8; 16] {
    let digest = Sha256::digest(key.as_bytes());
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}

fn diff_item(row: Option<u64>, key: &str, before: Option<&LiveRow>, after: Option<&Record>, schema: &Schema) -> Result<DiffItem> {
    let before = before.map(|row| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))).transpose()?;
    let cell = |record: Option<&Record>, name: &FieldName| {
        record.and_then(|record| record.fields.get(name)).cloned().unwrap_or_default()
    };
    let mut fields = serde_json::Map::new();
    for field in &schema.fields {
        let (old, new) = (cell(before.as_ref(), &field.name), cell(after, &field.name));
        if old != new {
            fields.insert(field.name.to_string(), json!([old, new]));
        }
    }
    let headers = |record: Option<&Record>| record.map(|record| record.private.clone()).unwrap_or_default();
    let (old, new) = (headers(before.as_ref()), headers(after));
    for header in old.keys().chain(new.keys()).collect::<std::collections::BTreeSet<_>>() {
        if old.get(header) != new.get(header) {
            fields.insert(crate::records::private_name(header, schema), json!([old.get(header), new.get(header)]));
        }
    }
    let change = match (&before, after) {
        (None, _) => "created",
        (Some(_), Some(_)) => "updated",
        (Some(_), None) => "removed",
    };
    Ok(DiffItem { change, row, key: serde_json::from_str(key).unwrap_or_default(), fields })
}
