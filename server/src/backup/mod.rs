//! `hayward backup` and `hayward restore`: a whole commons into one file, and back.
//!
//! The format and the tables are the store's ([`hayward_store::back_up`]); here are the files, the journals and the words.

mod restore;
mod save;

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hayward_store::BackupError;
use serde_json::json;

use crate::cli::Done;

pub use restore::{RestoreArgs, restore};
pub use save::{BackupArgs, back_up};

/// Why a command did nothing.
struct Refusal {
    code: &'static str,
    sentence: String,
}

impl Refusal {
    fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

impl From<BackupError> for Refusal {
    fn from(error: BackupError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Says why, as the caller wants it said.
fn answered(done: Result<ExitCode, Refusal>, json: bool, out: &mut impl Write) -> Done {
    match done {
        Ok(code) => Ok(code),
        Err(refusal) if json => {
            let shown = json!({"error": {"code": refusal.code, "message": refusal.sentence}});
            writeln!(out, "{shown}").map_err(|error| error.to_string())?;
            Ok(ExitCode::from(2))
        }
        Err(refusal) => Err(format!("{} ({})", refusal.sentence, refusal.code)),
    }
}

/// Shows on a terminal how far it is; says nothing anywhere else.
fn progress() -> impl Fn(&str, u64) {
    let shown = Cell::new(Instant::now());
    let terminal = std::io::stderr().is_terminal();
    move |table, rows| {
        if terminal && shown.get().elapsed() > Duration::from_millis(100) {
            shown.set(Instant::now());
            // Back to the beginning of the line, and what stood there is gone. Nobody is harmed where it cannot be shown.
            drop(write!(std::io::stderr(), "\r\x1b[K{table}: {rows} rows"));
        }
    }
}

/// Takes the last of it away again.
fn progress_over() {
    if std::io::stderr().is_terminal() {
        drop(write!(std::io::stderr(), "\r\x1b[K"));
    }
}
