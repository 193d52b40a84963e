//! `hayward check` and `hayward import`: files, from the command line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use hayward_domain::id::{DatasetId, ImportId};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::schema::{self, Schema};
use hayward_importers::{
    DraftRow, FileSource, Marked, MarkedFormat, Matching, MatchingFault, Problem, Refusal, Unmarked, draft, profile, suggest,
};
use hayward_store::{Counts, Import as StoredImport, ImportState, NewImport, Store, StoreError};
use serde_json::{Value, json};

use crate::api::imports::to_json;
use crate::app;
use crate::cli::{Database, Done};

/// The arguments of `hayward check`.
#[derive(Args)]
pub struct Check {
    /// The file.
    file: PathBuf,
    /// The name of a built-in schema, or a file with one.
    #[arg(long)]
    schema: String,
    /// A file with a matching, as `PUT /imports/{id}/matching` takes it.
    #[arg(long)]
    matching: Option<PathBuf>,
    /// Write the file back with the problems in front of each row: a name that ends in `.csv` or `.xlsx`.
    #[arg(long)]
    marked: Option<PathBuf>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// The arguments of `hayward import`.
#[derive(Args)]
pub struct Import {
    /// The file.
    file: PathBuf,
    /// The id of the dataset.
    #[arg(long)]
    dataset: String,
    /// A file with a matching, as `PUT /imports/{id}/matching` takes it.
    #[arg(long)]
    matching: Option<PathBuf>,
    /// Write it; without this it stays a draft.
    #[arg(long)]
    commit: bool,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

fn source(path: &Path) -> FileSource {
    FileSource::new(path, path.file_name().unwrap_or_default().to_string_lossy())
}

fn matching_file(path: Option<&Path>) -> Result<Option<Matching>, String> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| format!("the matching cannot be read: {error}"))?;
    let parsed = serde_json::from_str(&text);
    parsed.map(Some).map_err(|error| format!("the matching is not one (line {}, column {})", error.line(), error.column()))
}

fn named_schema(name: &str) -> Result<Schema, String> {
    let built_in = schema::built_in().map_err(|error| error.to_string())?;
    if let Some(found) = built_in.into_iter().find(|schema| schema.name == name) {
        return Ok(found);
    }
    let text = std::fs::read_to_string(name)
        .map_err(|_| format!("`{name}` is neither a built-in schema nor a file that can be read"))?;
    let document: Value =
        serde_json::from_str(&text).map_err(|error| format!("the schema is not JSON (line {})", error.line()))?;
    Schema::parse(&document).map_err(|error| format!("the schema cannot be used: {error}"))
}

/// `hayward check`: reads, matches and validates. Every row is taken for a new record, since no list is looked at.
///
/// # Errors
/// A sentence where the file or an argument cannot be used at all.
pub fn check(args: &Check, out: &mut impl Write) -> Done {
    let schema = named_schema(&args.schema)?;
    match check_against(args, &schema, out) {
        Err(Unread::Refused(refusal)) if args.json => {
            let failure = json!({"code": refusal.code(), "message": refusal.to_string(), "row": refusal.row()});
            let shown = json!({
                "id": null, "dataset": null, "state": "failed", "reading": null, "columns": null, "counts": Counts::default(),
                "problems": [], "problem_count": 0, "edition": 0, "failure": failure,
            });
            line(out, &shown.to_string())?;
            Ok(ExitCode::from(2))
        }
        Err(Unread::Refused(refusal)) => Err(refusal.to_string()),
        Err(Unread::Other(sentence)) => Err(sentence),
        Ok(code) => Ok(code),
    }
}

/// Why a file was not checked.
enum Unread {
    Refused(Refusal),
    Other(String),
}

impl From<Refusal> for Unread {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<String> for Unread {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

fn check_against(args: &Check, schema: &Schema, out: &mut impl Write) -> Result<ExitCode, Unread> {
    let source = source(&args.file);
    let profiled = profile(&source)?;
    let (matching, columns) = match matching_file(args.matching.as_deref())? {
        Some(matching) => {
            if let Err(faults) = matching.validate(&profiled, schema) {
                let words: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
                return Err(words.join("\n").into());
            }
            let columns = matching.columns(&profiled, schema);
            (matching, columns)
        }
        None => {
            let columns = suggest(&profiled, schema, None);
            (Matching::from_columns(&columns), columns)
        }
    };
    let mut counts = Counts::default();
    let mut problems: Vec<Problem> = Vec::new();
    for row in draft(&source, &profiled, schema, &matching)? {
        counts.rows += 1;
        match row? {
            DraftRow::Ready(ready) if ready.missing.is_empty() => {
                counts.created += 1;
                problems.extend(ready.warnings);
            }
            DraftRow::Ready(ready) => {
                counts.rejected += 1;
                problems.extend(ready.missing.into_values());
            }
            DraftRow::Rejected { problems: found, .. } => {
                counts.rejected += 1;
                problems.extend(found);
            }
            DraftRow::Duplicate { .. } => counts.skipped += 1,
            DraftRow::Blank { .. } => counts.blank += 1,
        }
    }
    if let Some(path) = &args.marked {
        let list = Marked { source: &source, profile: &profiled, schema, matching: &matching };
        write_marked(&list, &problems, path)?;
    }
    let undecided = columns.iter().any(|column| column.field.is_none());
    let clean = problems.is_empty() && !undecided;
    if args.json {
        let shown = json!({
            "id": null, "dataset": null, "state": if undecided { "draft" } else { "checked" }, "reading": profiled.reading,
            "columns": columns, "counts": counts, "problems": problems, "problem_count": problems.len(), "edition": 0,
        });
        line(out, &shown.to_string())?;
    } else {
        for column in &columns {
            let to = match serde_json::to_value(&column.field).unwrap_or_default() {
                Value::String(field) => field,
                Value::Null => "no decision yet".to_owned(),
                Value::Object(map) if map.contains_key("private") => "kept private".to_owned(),
                _ => "left out".to_owned(),
            };
            line(out, &format!("column {} `{}` → {to}", column.column, column.header))?;
        }
        problems.iter().try_for_each(|problem| line(out, &sentence(problem)))?;
        line(out, &counted(&counts))?;
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Writes a marked list to `path`; where it cannot be, nothing is left there.
fn write_marked(list: &Marked<'_>, problems: &[Problem], path: &Path) -> Result<(), Unread> {
    let format = match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => MarkedFormat::Csv,
        Some("xlsx") => MarkedFormat::Xlsx,
        _ => return Err("a marked list has a name that ends in `.csv` or `.xlsx`".to_owned().into()),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| Unread::Other(format!("the marked list cannot be written: {error}"));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let found = problems.iter().map(|problem| Ok::<_, Unmarked>(problem.clone()));
    list.write(found, problems.len() as u64, format, &mut file).map_err(|error| match error {
        Unmarked::Refused(refusal) => Unread::Refused(refusal),
        Unmarked::Unwritten(unwritten) => Unread::Other(unwritten.to_string()),
    })?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}

/// `hayward import`: the whole way of a file into a list, logged as the operator's act.
///
/// # Errors
/// A sentence where something is refused.
pub fn import(args: &Import, out: &mut impl Write) -> Done {
    let matching = matching_file(args.matching.as_deref())?;
    // Whoever reads the commons meanwhile goes first. Where that cannot be had, the import goes on all the same.
    let _went = rustix::process::nice(10);
    let config = args.database.config()?;
    let random = app::system_random();
    let commons = app::open(&config, app::machine_clock(), random).map_err(|error| error.to_string())?;
    let store = &commons.store;
    let words = |error: StoreError| error.to_string();
    let dataset = DatasetId::parse(&args.dataset).ok_or("this is not the id of a dataset")?;
    let (owner, _) = store.dataset_owner(&dataset).map_err(words)?;
    let id = ImportId::from_random(commons.random());
    let filename = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = std::fs::File::open(&args.file).map_err(|error| format!("the file cannot be read: {error}"))?;
    store.begin_import(owner, "operator", &dataset, &NewImport { id: id.clone(), filename }).map_err(words)?;
    let id = store.keep_file(&id, file).and_then(|id| store.take_up(&id)).map_err(words)?;
    let found = brought_in(store, owner, &id, matching, args.commit)?;
    let committed = found.state == ImportState::Committed;
    tracing::info!(import = %id, committed, "an import by the operator");
    let problems = store.problems(&found, 0, 100_000).map_err(words)?;
    if args.json {
        line(out, &to_json(&found, problems.clone()).to_string())?;
    } else {
        problems
            .iter()
            .filter_map(|problem| serde_json::from_value(problem.clone()).ok())
            .try_for_each(|problem| line(out, &sentence(&problem)))?;
        line(out, &format!("{}: {}", found.state.as_str(), found.counts.clone().unwrap_or_default()))?;
    }
    if found.state == ImportState::Failed || (args.commit && !committed) {
        return Ok(ExitCode::from(2));
    }
    Ok(if found.problem_count == 0 && found.state != ImportState::Draft { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Reads a kept file as `matching` says, and commits it if asked to and nothing is left to decide.
fn brought_in(
    store: &Arc<Store>,
    owner: OrganizationNumber,
    id: &ImportId,
    matching: Option<Matching>,
    commit: bool,
) -> Result<StoredImport, String> {
    let words = |error: StoreError| error.to_string();
    let said = |faults: Vec<MatchingFault>| {
        let words: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
        if words.is_empty() { Ok(()) } else { Err(words.join("\n")) }
    };
    let found = store.import(owner, id).map_err(words)?;
    let is_new = found.state == ImportState::Reading;
    if is_new && commit {
        said(store.import_at_once(&found, matching).map_err(words)?)?;
        return store.import(owner, id).map_err(words);
    }
    if is_new {
        store.read_import(&found).map_err(words)?;
    } else {
        // The same file may have waited as a draft while the list changed.
        store.recheck_import(&found).map_err(words)?;
    }
    let mut found = store.import(owner, id).map_err(words)?;
    if let Some(matching) = matching {
        said(store.rematch_import(&found, matching).map_err(words)?)?;
        found = store.import(owner, id).map_err(words)?;
    }
    if commit && found.state == ImportState::Checked {
        store.commit_import(&found, Some(found.edition)).map_err(words)?;
        found = store.import(owner, id).map_err(words)?;
    }
    Ok(found)
}

fn line(out: &mut impl Write, text: &str) -> Result<(), String> {
    writeln!(out, "{text}").map_err(|error| error.to_string())
}

fn sentence(problem: &Problem) -> String {
    let place =
        problem.column.as_ref().map_or_else(|| format!("row {}", problem.row), |column| format!("{column}{}", problem.row));
    let meant = problem.suggestion.as_ref().map(|suggestion| format!("; did you mean `{suggestion}`?")).unwrap_or_default();
    format!("{place}: {} ({}){meant}", problem.message, problem.code)
}

fn counted(counts: &Counts) -> String {
    format!(
        "{} rows: {} good, {} left out as repeated, {} with problems, {} blank",
        counts.rows, counts.created, counts.skipped, counts.rejected, counts.blank
    )
}
