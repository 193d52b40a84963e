//! `hayward backup FILE`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hayward_domain::moment::Moment;
use hayward_store::{Backup, DatabaseUrl};
use serde_json::json;

use super::{Refusal, answered, progress, progress_over};
use crate::app;
use crate::cli::{Database, Done};

/// The arguments of `hayward backup`.
#[derive(Args)]
pub struct BackupArgs {
    /// The archive to be made. It must not exist yet.
    file: PathBuf,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

/// Writes an archive of a commons, which may be served meanwhile. The key file and the journal are not in it.
///
/// # Errors
/// A sentence where nothing was written.
pub fn back_up(args: &BackupArgs, out: &mut impl Write) -> Done {
    answered(run(args, out), args.json, out)
}

fn run(args: &BackupArgs, out: &mut impl Write) -> Result<ExitCode, Refusal> {
    let database = args.database.url().map_err(|sentence| Refusal::new("bad-address", sentence))?;
    let (backup, bytes) = write(&args.file, &database, (app::machine_clock())())?;
    let header = &backup.header;
    if let Err(error) = hayward_store::note_backup(&database, Moment(header.taken_at)) {
        tracing::warn!(%error, "the archive is whole, but the commons could not note that it was made");
    }
    let rows: u64 = backup.tables.iter().map(|table| table.rows).sum();
    let text = if args.json {
        json!({
            "archive": args.file.to_string_lossy(), "bytes": bytes, "rows": rows, "tables": backup.tables, "era": header.era,
            "commit": header.commit, "taken_at": Moment(header.taken_at).to_rfc3339(),
        })
        .to_string()
    } else {
        format!(
            "{} rows of {} tables in {} ({bytes} bytes)\nthe key file and the journal are not in it: keep copies of both elsewhere",
            rows,
            backup.tables.len(),
            args.file.display()
        )
    };
    writeln!(out, "{text}").map_err(|error| Refusal::new("file", error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

/// Under the final name stands a whole archive or nothing, whatever happens: it is written beside it and then linked there.
fn write(file: &Path, database: &DatabaseUrl, now: Moment) -> Result<(Backup, u64), Refusal> {
    let there = || Refusal::new("archive-exists", "there is something under this name already; an archive is never overwritten");
    if file.symlink_metadata().is_ok() {
        return Err(there());
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there(),
        _ => Refusal::new("file", format!("the archive cannot be written: {error}")),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Readable by its owner alone, and removed again unless it gets its name.
    let mut draft = tempfile::Builder::new().prefix(".hayward-backup-").tempfile_in(folder).map_err(failed)?;
    let mut buffered = BufWriter::with_capacity(1 << 20, draft.as_file_mut());
    let program = concat!("hayward ", env!("CARGO_PKG_VERSION"));
    let made = hayward_store::back_up(database, program, now, &mut buffered, &progress());
    progress_over();
    let made = made?;
    buffered.flush().map_err(failed)?;
    drop(buffered);
    draft.as_file().sync_all().map_err(failed)?;
    let bytes = draft.as_file().metadata().map_err(failed)?.len();
    draft.persist_noclobber(file).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok((made, bytes))
}
