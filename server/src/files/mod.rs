//! `hayward check` and `hayward import`: files, from the command line.

mod bar;
mod check;
mod import;

use std::io::Write;
use std::path::Path;

use clap::Args;
use hayward_importers::{Matching, MatchingFault, Overrules, ProblemGroup};

pub use check::{Check, check};
pub use import::{Import, import};

/// Runs of rows that a sentence names.
const PLACES: usize = 3;

/// How a file is read, where the guess is wrong.
#[derive(Args)]
struct Reading {
    /// The encoding of the file, by any of its names: `windows-1252`, `latin1`, `macintosh` …
    #[arg(long)]
    encoding: Option<String>,
    /// What stands between cells: one character.
    #[arg(long)]
    delimiter: Option<char>,
    /// The row with the headings; 0 where there is none.
    #[arg(long)]
    header_row: Option<u64>,
    /// The sheet of a workbook, by name.
    #[arg(long)]
    sheet: Option<String>,
}

impl Reading {
    fn overrules(&self) -> Overrules {
        let Self { encoding, delimiter, header_row, sheet } = self;
        let (encoding, sheet) = (encoding.clone(), sheet.clone());
        Overrules { encoding, delimiter: *delimiter, line_ends: None, header_row: *header_row, sheet }
    }
}

fn matching_file(path: Option<&Path>) -> Result<Option<Matching>, String> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| format!("the matching cannot be read: {error}"))?;
    let parsed = serde_json::from_str(&text);
    parsed.map(Some).map_err(|error| format!("the matching is not one (line {}, column {})", error.line(), error.column()))
}

fn line(out: &mut impl Write, text: &str) -> Result<(), String> {
    writeln!(out, "{text}").map_err(|error| error.to_string())
}

/// One mistake, and where: `C2–C3, C5 and 11 more: …`.
fn sentence(group: &ProblemGroup) -> String {
    let cell = |row: &u64| format!("{}{row}", group.column.as_deref().unwrap_or("row "));
    let run = |(first, last): &(u64, u64)| if first == last { cell(first) } else { format!("{}–{}", cell(first), cell(last)) };
    let mut places = group.rows.iter().take(PLACES).map(run).collect::<Vec<_>>().join(", ");
    let named: u64 = group.rows.iter().take(PLACES).map(|(first, last)| last - first + 1).sum();
    if group.count > named {
        places += &format!(" and {} more", group.count - named);
    }
    let value = group.value.as_ref().map(|value| format!("`{value}` ")).unwrap_or_default();
    let meant = group.suggestion.as_ref().map(|suggestion| format!("; did you mean `{suggestion}`?")).unwrap_or_default();
    format!("{places}: {value}{} ({}){meant}", group.message, group.code)
}

/// What is wrong with a matching, one thing a line; nothing where nothing is.
fn refused(faults: &[MatchingFault]) -> Result<(), String> {
    let words: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
    if words.is_empty() { Ok(()) } else { Err(words.join("\n")) }
}
