//! `hayward pull`: a copy of what is shared with the caller, kept in a file and brought up to date each time.
//!
//! * There is one way, for the first time and for every other: the feed of changes, applied from where the copy stands (`follow`).
//! * The copy is a SQLite file (`copy`). A page of the feed and the place after it are one transaction of it, so that whoever kills the
//!   program at any point only makes the next run do a page again.
//! * A list as CSV or NDJSON is written whole, beside the old one, and takes its place at the end; its copy lies beside it.
//! * When everything is applied, the commons is told so: it counts who has dropped what was erased.

mod copy;
mod follow;
mod lists;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::Done;
use crate::cli::remote::RemoteArgs;
use copy::Copy;

/// The arguments of `hayward pull`.
#[derive(Args)]
pub struct Pull {
    /// Where the copy goes: a SQLite file with a view for each collection, or one collection as CSV or NDJSON.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As what. Without it, by the file's ending: .csv, .ndjson, and SQLite for every other.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which collection goes into a CSV or NDJSON file, such as `opportunities`. Without it, the only one that there is.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
    /// Only what this agreement shows.
    #[arg(long, value_name = "ID")]
    agreement: Option<String>,
    /// Read everything anew, and drop what is not shown any more.
    #[arg(long)]
    anew: bool,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Sqlite,
    Csv,
    Ndjson,
}

impl Format {
    fn of(file: &Path) -> Self {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "ndjson" | "jsonl" => Self::Ndjson,
            _ => Self::Sqlite,
        }
    }
}

/// Brings the copy up to date.
///
/// # Errors
/// A sentence: the commons refuses or does not answer, or the file is not ours or cannot be written. What was applied until then stays.
pub fn pull(args: &Pull, out: &mut impl Write) -> Done {
    let format = args.format.unwrap_or_else(|| Format::of(&args.file));
    if format == Format::Sqlite && args.collection.is_some() {
        return Err("a SQLite copy has every collection, each as a view; --collection is for CSV and NDJSON".to_owned());
    }
    let remote = args.remote.remote()?;
    let kept = if format == Format::Sqlite { args.file.clone() } else { beside(&args.file) };
    let mut copy = Copy::open(&kept, remote.base().as_str(), args.agreement.as_deref())?;
    if args.anew {
        copy.begin_anew()?;
    }
    let pulled = follow::follow(&args.remote, remote, &mut copy, args.agreement.as_deref())?;
    match format {
        Format::Sqlite => {}
        Format::Csv => lists::csv(&copy, args.collection.as_deref(), &args.file)?,
        Format::Ndjson => lists::ndjson(&copy, args.collection.as_deref(), &args.file)?,
    }
    let counts = copy.counts()?;
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let told = if args.json {
        let collections: serde_json::Map<_, _> = counts.into_iter().map(|(name, count)| (name, count.into())).collect();
        let said = json!({
            "file": args.file, "upserted": pulled.upserted, "removed": pulled.removed, "anew": pulled.anew,
            "acknowledged": pulled.acknowledged, "items": all, "collections": collections,
        });
        said.to_string()
    } else {
        let mut words = format!("{}: {} come or changed, {} gone", args.file.display(), pulled.upserted, pulled.removed);
        for (name, count) in counts {
            words.push_str(&format!("\n{count:9} {name}"));
        }
        words
    };
    writeln!(out, "{told}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Where the copy of a list lies: `jobs.csv` has `jobs.csv.copy`.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".copy");
    name.into()
}
