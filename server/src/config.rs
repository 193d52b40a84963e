//! What a server is started with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Inspector, KEY_PRINT, Keyring, commons_file};

use crate::edge::Reach;

/// The settings of one server, from its command line and environment.
#[derive(Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The commons' database.
    pub database: DatabaseUrl,
    /// The commons' keys.
    pub keyring: Keyring,
    /// Where it is written down, outside the database, what was closed; nowhere for a commons that is thrown away.
    pub journal: Option<PathBuf>,
    /// The largest upload, in bytes.
    pub upload_limit: u64,
    /// How long old editions are kept.
    pub kept: Duration,
    /// How it is reached.
    pub reach: Reach,
    /// Threads that answer requests; one per core if none is given.
    pub workers: Option<usize>,
}

/// The largest upload unless the operator says otherwise: a list of some million rows.
pub const UPLOAD_LIMIT: u64 = 512 * 1024 * 1024;
/// How long old editions are kept unless the operator says otherwise.
pub const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Where the key file is unless `HAYWARD_KEY_FILE` says: beside the SQLite database, or in the working folder.
#[must_use]
pub fn key_file(database: &DatabaseUrl) -> PathBuf {
    match database {
        DatabaseUrl::Sqlite(path) => commons_file(path, "keys"),
        DatabaseUrl::Postgres(_) => PathBuf::from("hayward.keys"),
    }
}

/// Where the journal is unless `HAYWARD_JOURNAL` says: beside the key file, which outlives the database too.
#[must_use]
pub fn journal_file(key_file: &std::path::Path) -> PathBuf {
    key_file.with_extension("journal")
}

/// Reads the key file; where there is none yet, makes one that only its owner can read.
///
/// # Errors
/// A sentence for the operator.
pub fn keys(path: &Path, random: impl FnOnce(&mut [u8])) -> Result<Keyring, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Keyring::from_file(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(format!("the key file cannot be read: {error}")),
    }
    let mut bytes = [0; 128];
    random(&mut bytes);
    let keyring = Keyring::from_random(&bytes);
    write_keys(path, &keyring).or_else(|error| match error.kind() {
        // Another server of the same commons was quicker: its keys are the keys.
        std::io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(format!("the key file cannot be written: {error}")),
    })?;
    std::fs::read_to_string(path)
        .map_err(|error| format!("the key file cannot be read: {error}"))
        .and_then(|text| Keyring::from_file(&text))
}

/// Writes a key file that does not exist yet, whole or not at all.
///
/// # Errors
/// If it exists, or cannot be written.
pub fn write_keys(path: &Path, keyring: &Keyring) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".{}.{}", path.file_name().unwrap_or_default().to_string_lossy(), std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(keyring.to_file().as_bytes())?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace what another server has just written.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked
}

/// The name under which the next key file waits while the database is moved to it.
fn next_keys(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// Writes the keys to come beside those that are. What an earlier rotation left there was never used.
///
/// # Errors
/// If it cannot be written.
pub fn write_next_keys(path: &Path, keyring: &Keyring) -> std::io::Result<PathBuf> {
    let next = next_keys(path);
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    write_keys(&next, keyring)?;
    sync_folder(&next)?;
    Ok(next)
}

/// Puts the next key file in its place, and says under which name the one before is kept.
///
/// # Errors
/// If it cannot. The next file is still there then, and [`settle`] finds it.
pub fn replace_keys(path: &Path, next: &Path, now: Moment) -> std::io::Result<PathBuf> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(format!(".before-{}", now.0));
    let kept = PathBuf::from(kept);
    std::fs::hard_link(path, &kept)?;
    std::fs::rename(next, path)?;
    sync_folder(path)?;
    Ok(kept)
}

/// Ends a rotation that a crash interrupted: where the database was moved to the next keys and the file was not, the next file takes
/// its place. A next file that the database knows nothing of is left alone.
///
/// # Errors
/// A sentence for the operator.
pub fn settle(path: &Path, found: &Keyring, database: &DatabaseUrl, now: Moment) -> Result<Option<Keyring>, String> {
    let next = next_keys(path);
    let Ok(text) = std::fs::read_to_string(&next) else { return Ok(None) };
    let Ok(keyring) = Keyring::from_file(&text) else { return Ok(None) };
    let print = Inspector::open(database).and_then(|inspector| inspector.noted(KEY_PRINT)).map_err(|error| error.to_string())?;
    if print == Some(found.print()) || print != Some(keyring.print()) {
        return Ok(None);
    }
    replace_keys(path, &next, now).map_err(|error| format!("the key file cannot be replaced: {error}"))?;
    tracing::warn!("a rotation of the keys had been interrupted; it is complete now");
    Ok(Some(keyring))
}

/// A new name is durable once its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
