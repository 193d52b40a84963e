//! `hayward check`: a file read as an import would read it, without any database.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hayward_domain::schema::{self, Schema};
use hayward_importers::{
    DraftRow, FileSource, Groups, Marked, MarkedFormat, Matching, Problem, Refusal, Unmarked, judged, profile_as, suggest,
};
use hayward_store::{Counts, Phase};
use serde_json::{Value, json};

use super::bar::{Bar, Watched};
use super::{Reading, line, matching_file, refused, sentence};
use crate::cli::Done;

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
    #[command(flatten)]
    reading: Reading,
    /// Write the file back with the problems in front of each row: a name that ends in `.csv` or `.xlsx`.
    #[arg(long)]
    marked: Option<PathBuf>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

fn source(path: &Path) -> FileSource {
    FileSource::new(path, path.file_name().unwrap_or_default().to_string_lossy())
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

/// Rows after which the bar moves.
const STEP: u64 = 1_000;

/// Problems that are listed one by one; beyond it they are only counted.
const KEPT: usize = 100_000;

/// What is wrong with a file.
#[derive(Default)]
struct Problems {
    kept: Vec<Problem>,
    count: u64,
    groups: Groups,
}

impl Problems {
    fn add(&mut self, found: Vec<Problem>) {
        self.count += found.len() as u64;
        found.iter().for_each(|problem| self.groups.add(problem));
        if self.kept.len() < KEPT {
            self.kept.extend(found);
        }
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
    let bar = Bar::new();
    bar.begin(Phase::Reading, std::fs::metadata(&args.file).map_or(0, |about| about.len()));
    let profiled = profile_as(&Watched { file: &source, bar: &bar }, &args.reading.overrules())?;
    let (matching, columns) = match matching_file(args.matching.as_deref())? {
        Some(matching) => {
            if let Err(faults) = matching.validate(&profiled, schema) {
                refused(&faults)?;
            }
            let columns = matching.columns(&profiled, schema);
            (matching, columns)
        }
        None => {
            let columns = suggest(&profiled, schema, None);
            (Matching::from_columns(&columns), columns)
        }
    };
    bar.begin(Phase::Comparing, profiled.rows);
    let (mut counts, mut problems) = (Counts::default(), Problems::default());
    for row in judged(&source, &profiled, schema, &matching)? {
        counts.rows += 1;
        if counts.rows.is_multiple_of(STEP) {
            bar.at(counts.rows);
        }
        match row? {
            DraftRow::Ready(sound) if sound.missing.is_empty() => {
                counts.created += 1;
                problems.add(sound.warnings);
            }
            DraftRow::Ready(sound) => {
                counts.rejected += 1;
                problems.add(sound.missing);
            }
            DraftRow::Rejected { problems: found, .. } => {
                counts.rejected += 1;
                problems.add(found);
            }
            DraftRow::Duplicate { .. } => counts.skipped += 1,
            DraftRow::Blank { .. } => counts.blank += 1,
        }
    }
    drop(bar);
    if let Some(path) = &args.marked {
        let list = Marked { source: &source, profile: &profiled, schema, matching: &matching };
        write_marked(&list, &problems, path)?;
    }
    let undecided = columns.iter().any(|column| column.field.is_none());
    let clean = problems.count == 0 && !undecided;
    let groups = problems.groups.into_sorted();
    if args.json {
        let shown = json!({
            "id": null, "dataset": null, "state": if undecided { "draft" } else { "checked" }, "reading": profiled.reading,
            "columns": columns, "counts": counts, "problems": problems.kept, "problem_count": problems.count, "edition": 0,
            "problem_groups": groups,
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
        groups.iter().try_for_each(|group| line(out, &sentence(group)))?;
        line(out, &counted(&counts))?;
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn counted(counts: &Counts) -> String {
    format!(
        "{} rows: {} good, {} left out as repeated, {} with problems, {} blank",
        counts.rows, counts.created, counts.skipped, counts.rejected, counts.blank
    )
}

/// Writes a marked list to `path`; where it cannot be, nothing is left there.
fn write_marked(list: &Marked<'_>, problems: &Problems, path: &Path) -> Result<(), Unread> {
    let format = match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => MarkedFormat::Csv,
        Some("xlsx") => MarkedFormat::Xlsx,
        _ => return Err("a marked list has a name that ends in `.csv` or `.xlsx`".to_owned().into()),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| Unread::Other(format!("the marked list cannot be written: {error}"));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let found = problems.kept.iter().map(|problem| Ok::<_, Unmarked>(problem.clone()));
    list.write(found, problems.count, format, &mut file).map_err(|error| match error {
        Unmarked::Refused(refusal) => Unread::Refused(refusal),
        Unmarked::Unwritten(unwritten) => Unread::Other(unwritten.to_string()),
    })?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}
