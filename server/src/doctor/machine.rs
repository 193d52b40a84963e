//! What can be seen on this machine: disk, files, keys.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Keyring, StoreError, commons_file};

use super::Check;
use crate::tls;

const MIB: u64 = 1024 * 1024;

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The files of a commons on SQLite.
fn database_files(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), commons_file(path, "ledger.db")]
}

/// Whether there is room left beside the database.
pub(super) fn disk(url: &DatabaseUrl) -> Check {
    let DatabaseUrl::Sqlite(path) = url else {
        return Check::ok("disk", "the data lies with PostgreSQL: watch the disk there");
    };
    let Ok(room) = rustix::fs::statvfs(folder(path)) else {
        return Check::failed("disk", "the folder of the database cannot be looked at", "See whether it is there and readable.");
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let whole = room.f_blocks.saturating_mul(room.f_frsize).max(1);
    let found = format!("{} MiB are free beside the database, {} %", free / MIB, free.saturating_mul(100) / whole);
    let advice = "Make room: an import needs about twice its list, a backup as much as the database.";
    if free < 200 * MIB {
        Check::failed("disk", found, advice)
    } else if free < 2_048 * MIB || free.saturating_mul(20) < whole {
        Check::warning("disk", found, advice)
    } else {
        Check::ok("disk", found)
    }
}

/// Whether others on this machine can read the database.
pub(super) fn files(url: &DatabaseUrl) -> Check {
    let DatabaseUrl::Sqlite(path) = url else {
        return Check::ok("files", "the data lies with PostgreSQL");
    };
    let open = database_files(path).iter().filter_map(|file| file.metadata().ok()).any(|meta| shared(&meta, 0o007));
    if open {
        let advice = "Take the rights of others away: `chmod o-rwx` on the database, its ledger and their folder.";
        return Check::warning("files", "everybody on this machine can read the database", advice);
    }
    Check::ok("files", "only the owner and the group can read the database")
}

fn shared(meta: &std::fs::Metadata, with: u32) -> bool {
    meta.permissions().mode() & with != 0
}

/// Whether SQLite's write-ahead logs are folded back.
pub(super) fn logs(url: &DatabaseUrl) -> Check {
    let DatabaseUrl::Sqlite(path) = url else {
        return Check::ok("logs", "the data lies with PostgreSQL");
    };
    let log = |file: &PathBuf| {
        let mut name = file.as_os_str().to_owned();
        name.push("-wal");
        PathBuf::from(name).metadata().map_or(0, |meta| meta.len())
    };
    let bytes: u64 = database_files(path).iter().map(log).sum();
    let found = format!("the write-ahead logs hold {} MiB", bytes / MIB);
    if bytes > 1_024 * MIB {
        return Check::warning(
            "logs",
            found,
            "Something reads for very long and keeps them from being folded back; restart the server.",
        );
    }
    Check::ok("logs", found)
}

/// Whether the key file is there, is only the owner's, and belongs to this database.
pub(super) fn keys(path: &Path, print: Result<Option<String>, StoreError>) -> Check {
    const LOST: &str = "Put the commons' key file back, or name it with HAYWARD_KEY_FILE; nothing opens without it.";
    let (Ok(meta), Ok(text)) = (path.metadata(), std::fs::read_to_string(path)) else {
        return Check::failed("keys", "the key file is not there, or cannot be read", LOST);
    };
    let keyring = match Keyring::from_file(&text) {
        Ok(keyring) => keyring,
        Err(sentence) => return Check::failed("keys", format!("the key file cannot be used: {sentence}"), LOST),
    };
    match print {
        Err(error) => return Check::unmade("keys", &error),
        Ok(Some(print)) if print != keyring.print() => {
            return Check::failed("keys", "the key file is another commons', or from before a rotation", LOST);
        }
        Ok(Some(_) | None) => {}
    }
    if shared(&meta, 0o077) {
        let advice = "`chmod 600` the key file: with a copy of the database it opens every pseudonym.";
        return Check::failed("keys", "others on this machine can read the key file", advice);
    }
    Check::ok("keys", "the key file is there, is only the owner's, and belongs to this database")
}

/// Whether the certificate and its key can be used, and for how long.
pub(super) fn certificate(files: &tls::Files, now: Moment) -> Check {
    const RENEW: &str = "Renew it, and put both files in place: the server reads them by itself.";
    let expires = match files.expires() {
        Ok(expires) => i64::try_from(expires).unwrap_or(i64::MAX),
        Err(sentence) => return Check::failed("certificate", sentence, RENEW),
    };
    let days = expires.saturating_sub(now.0 / 1_000_000).div_euclid(86_400);
    match days {
        ..0 => Check::failed("certificate", "the certificate has expired", RENEW),
        0..14 => Check::warning("certificate", format!("the certificate expires in {days} days"), RENEW),
        14.. if files.key.metadata().is_ok_and(|meta| shared(&meta, 0o007)) => {
            let advice = "Take the rights of others away: `chmod o-rwx` on the key of the certificate.";
            Check::warning("certificate", "everybody on this machine can read the key of the certificate", advice)
        }
        14.. => Check::ok("certificate", format!("the certificate belongs to its key and is valid for {days} days")),
    }
}
