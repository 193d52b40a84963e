//! `hayward restore FILE`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hayward_domain::moment::Moment;
use hayward_store::{Again, DatabaseUrl, Keyring, LedgerEyes, Note, Point, Replayed, Restore, Restored};
use serde_json::{Value, json};

use super::{Refusal, answered, progress, progress_over};
use crate::cli::Done;
use crate::ledger::seal;
use crate::{app, config, journal};

/// The arguments of `hayward restore`.
#[derive(Args)]
pub struct RestoreArgs {
    /// The archive.
    file: PathBuf,
    /// Where to: `sqlite:PATH` or `postgres://…`. Nothing may be there. Without it, the archive is only looked at.
    #[arg(long)]
    database_url: Option<String>,
    /// Read back what was written and check everything that can be checked before it is put in place.
    #[arg(long)]
    verify: bool,
    /// The commons' key file, as it was when the archive was made. By default beside the SQLite database, else `hayward.keys`.
    #[arg(long, env = "HAYWARD_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The journal of a server of this commons; may be repeated. By default the one beside the key file.
    #[arg(long, env = "HAYWARD_JOURNAL", value_name = "FILE", value_delimiter = ':')]
    journal: Vec<PathBuf>,
    /// Restore although a journal has lines that cannot be read: what they closed may be open again.
    #[arg(long)]
    accept_damaged_journal: bool,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

/// Restores an archive into an empty place, and closes again what the journals say was closed since.
///
/// # Errors
/// A sentence where nothing was restored.
pub fn restore(args: &RestoreArgs, out: &mut impl Write) -> Done {
    answered(run(args, out), args.json, out)
}

fn run(args: &RestoreArgs, out: &mut impl Write) -> Result<ExitCode, Refusal> {
    let into = args.database_url.as_deref().map(DatabaseUrl::parse).transpose();
    let into = into.map_err(|sentence| Refusal::new("bad-address", sentence))?;
    if into.is_none() && !args.verify {
        return Err(Refusal::new("no-place", "say where to with --database-url, or only look at the archive with --verify"));
    }
    let key_file = args.key_file.clone().unwrap_or_else(|| match &into {
        Some(database) => config::key_file(database),
        None => PathBuf::from("hayward.keys"),
    });
    let mut archive =
        File::open(&args.file).map_err(|error| Refusal::new("file", format!("the archive cannot be read: {error}")))?;
    // A damaged archive is told before missing keys are: it may be the wrong file altogether.
    hayward_store::inspect(&mut archive)?;
    let keyring = keys(&key_file)?;
    let journals = journals(args, &key_file)?;
    let notes: Vec<Note> = journals.iter().flat_map(|(_, journalled)| journalled.notes.clone()).collect();
    let restored = put(&mut archive, into.as_ref(), &keyring, notes, args.verify)?;
    say(args, into.is_some(), &journals, &restored, out).map_err(|error| Refusal::new("file", error.to_string()))?;
    let unclean = !restored.faults.is_empty()
        || journals.iter().any(|(_, journalled)| !journalled.damaged.is_empty())
        || restored.replayed.iter().any(|one| one.outcome == Again::Instead);
    Ok(if unclean { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn put(
    archive: &mut File,
    into: Option<&DatabaseUrl>,
    keyring: &Keyring,
    notes: Vec<Note>,
    verify: bool,
) -> Result<Restored, Refusal> {
    let key = seal::public_key(&keyring.signing());
    let signed = |point: &Point| {
        let at = point.at.to_rfc3339();
        seal::signed_by(&key, &point.provider, point.position, &point.hash, &at, point.era.as_deref(), &point.signature)
    };
    let eyes = LedgerEyes { hash: &seal::hash, signed: &signed };
    let how = Restore { into, keyring: keyring.clone(), clock: app::machine_clock(), notes, verify: verify.then_some(&eyes) };
    let restored = hayward_store::restore(archive, how, &progress());
    progress_over();
    Ok(restored?)
}

/// The keys that the archive was made under: none are made here.
fn keys(path: &Path) -> Result<Keyring, Refusal> {
    match std::fs::read_to_string(path) {
        Ok(text) => Keyring::from_file(&text).map_err(|sentence| Refusal::new("bad-keys", sentence)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Refusal::new(
            "no-keys",
            format!(
                "a commons is nothing without its keys, and {} is not there; name the key file with --key-file",
                path.display()
            ),
        )),
        Err(error) => Err(Refusal::new("no-keys", format!("the key file cannot be read: {error}"))),
    }
}

type Journals = Vec<(PathBuf, journal::Journalled)>;

/// The journals that were named, or the one that is beside the key file if there is one.
fn journals(args: &RestoreArgs, key_file: &Path) -> Result<Journals, Refusal> {
    let named = if args.journal.is_empty() {
        Some(config::journal_file(key_file)).into_iter().filter(|path| path.exists()).collect()
    } else {
        args.journal.clone()
    };
    let mut journals = Vec::new();
    for path in named {
        let found = journal::read(&path)
            .map_err(|error| Refusal::new("no-journal", format!("the journal {} cannot be read: {error}", path.display())))?;
        if let Some(line) = found.damaged.first().filter(|_| !args.accept_damaged_journal) {
            let sentence = format!(
                "line {line} of the journal {} is damaged: what it closed would be open again; --accept-damaged-journal restores all the same",
                path.display()
            );
            return Err(Refusal::new("damaged-journal", sentence));
        }
        journals.push((path, found));
    }
    Ok(journals)
}

fn say(args: &RestoreArgs, placed: bool, journals: &Journals, restored: &Restored, out: &mut impl Write) -> std::io::Result<()> {
    let placed = placed && restored.faults.is_empty();
    if args.json {
        let journals: Vec<Value> = journals
            .iter()
            .map(|(path, found)| json!({"file": path.to_string_lossy(), "notes": found.notes.len(), "damaged_lines": found.damaged}))
            .collect();
        let shown = json!({
            "restored": placed, "verified": args.verify && restored.faults.is_empty(), "tables": restored.tables,
            "era": restored.era, "journals": journals, "replayed": restored.replayed, "faults": restored.faults,
            "at": Moment::to_rfc3339((app::machine_clock())()),
        });
        return writeln!(out, "{shown}");
    }
    let rows: u64 = restored.tables.iter().map(|table| table.rows).sum();
    writeln!(out, "{rows} rows of {} tables", restored.tables.len())?;
    if journals.is_empty() {
        writeln!(out, "there is no journal: what was closed after the archive was made may be open again")?;
    }
    restored
        .replayed
        .iter()
        .filter(|one| one.outcome != Again::Nothing)
        .try_for_each(|one| writeln!(out, "{}", sentence(one)))?;
    restored.faults.iter().try_for_each(|fault| writeln!(out, "fault: {fault}"))?;
    match (placed, restored.faults.is_empty()) {
        (true, _) => writeln!(out, "restored; a new era begins, and every cursor from before is too old"),
        (false, true) => writeln!(out, "the archive is whole and could be restored"),
        (false, false) => writeln!(out, "not restored"),
    }
}

fn sentence(one: &Replayed) -> String {
    let about = match (&one.agreement, one.version) {
        (Some(agreement), Some(version)) => format!(" of version {version} of {agreement}"),
        _ => String::new(),
    };
    match one.outcome {
        Again::Closed => format!("done again: {}{about}", one.what),
        Again::Nothing => format!("nothing to do for: {}{about}", one.what),
        Again::Instead => {
            format!("could not be done as it was: {}{about}; what stands is closed until its provider decides", one.what)
        }
    }
}
