//! `hayward import`: the whole way of a file into a list.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use hayward_domain::id::{DatasetId, ImportId};
use hayward_domain::record::OrganizationNumber;
use hayward_importers::Matching;
use hayward_store::{Import as StoredImport, ImportState, NewImport, Seen, Store, StoreError};

use super::bar::Bar;
use super::{Reading, line, matching_file, refused, sentence};
use crate::api::imports::to_json;
use crate::app;
use crate::cli::{Database, Done};

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
    #[command(flatten)]
    reading: Reading,
    /// Write it; without this it stays a draft.
    #[arg(long)]
    commit: bool,
    /// How many records may go, where the file replaces the list and more than a fifth of it would.
    #[arg(long)]
    removals: Option<u64>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
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
    store
        .begin_import(owner, "operator", &dataset, &NewImport { id: id.clone(), filename, overrules: args.reading.overrules() })
        .map_err(words)?;
    let id = store.keep_file(&id, file).and_then(|id| store.take_up(&id)).map_err(words)?;
    let seen = Seen { edition: None, removals: args.removals };
    let look = || store.import_standing(owner, &id).ok().and_then(|(_, progress)| progress);
    let found = Bar::new().beside(look, || brought_in(store, owner, &id, matching, args.commit.then_some(seen)))?;
    let committed = found.state == ImportState::Committed;
    tracing::info!(import = %id, committed, "an import by the operator");
    if args.json {
        let problems = store.problems(&found, 0, 100_000).map_err(words)?;
        line(out, &to_json(&found, problems).to_string())?;
    } else {
        let groups = store.problem_groups(&found, 0, usize::MAX - 1).map_err(words)?;
        groups.iter().try_for_each(|group| line(out, &sentence(group)))?;
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
    commit: Option<Seen>,
) -> Result<StoredImport, String> {
    let words = |error: StoreError| error.to_string();
    let found = store.import(owner, id).map_err(words)?;
    let is_new = found.state == ImportState::Reading;
    if let Some(seen) = commit
        && is_new
    {
        refused(&store.import_at_once(&found, matching, seen).map_err(words)?)?;
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
        refused(&store.rematch_import(&found, matching).map_err(words)?)?;
        found = store.import(owner, id).map_err(words)?;
    }
    if let Some(seen) = commit
        && found.state == ImportState::Checked
    {
        store.commit_import(&found, Seen { edition: Some(found.edition), ..seen }).map_err(words)?;
        found = store.import(owner, id).map_err(words)?;
    }
    Ok(found)
}
