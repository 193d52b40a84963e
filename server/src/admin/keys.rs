//! The commons' keys: what can be said about them, and replacing them.
//!
//! * The new key file is written beside the old one before the database moves, and takes its place after. A crash in between leaves
//!   both, and [`crate::config::settle`] takes the one that the database was moved to.
//! * The file before is kept under another name: a backup from before the rotation needs it.

use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use hayward_domain::id::base32;
use hayward_store::{RetiredKey, Rotate, Store};
use serde_json::{Map, Value, json};

use super::{AdminError, Answer, KeysCommand, random};
use crate::config;
use crate::ledger::seal;

pub(super) fn run(store: &Arc<Store>, file: &Path, command: KeysCommand) -> Result<Answer, AdminError> {
    match command {
        KeysCommand::Show => show(store),
        KeysCommand::Rotate { wrapping, cursor, signing } => {
            let all = !(wrapping || cursor || signing);
            rotate(store, file, Rotate { wrap: wrapping || all, cursor: cursor || all, signing: signing || all })
        }
    }
}

fn show(store: &Store) -> Result<Answer, AdminError> {
    let keyring = store.keyring();
    let public = seal::public_key(&keyring.signing());
    let retired = store.retired_keys()?;
    let mut lines: Vec<Vec<String>> = keyring.prints().map(|(what, print)| vec![what.to_owned(), print]).to_vec();
    let prints: Map<String, Value> = keyring.prints().map(|(what, print)| (what.to_owned(), print.into())).into_iter().collect();
    lines.push(vec!["the ledger's public key".to_owned(), public.clone()]);
    lines.extend(retired.iter().map(|one| vec![format!("retired {}", one.retired_at), one.key.clone()]));
    Ok(Answer::list(&lines, "", json!({"prints": prints, "ledger_public_key": public, "retired_keys": retired})))
}

fn rotate(store: &Store, file: &Path, rotate: Rotate) -> Result<Answer, AdminError> {
    let io = |cause| AdminError::Io { what: "the key file".to_owned(), cause };
    let fresh = store.keyring().rotated(rotate, &random()?);
    let retired = rotate.signing.then(|| retire(&store.keyring().signing(), &fresh.signing()));
    let next = config::write_next_keys(file, &fresh).map_err(io)?;
    let rewrapped = store.rotate_keys(&fresh, retired.as_ref())?;
    let kept = config::replace_keys(file, &next, store.now()).map_err(io)?;
    let sentence = format!(
        "rotated; start every server again with the new file. The file before is kept as {}: backups from before need it",
        kept.display()
    );
    let public = seal::public_key(&fresh.signing());
    let json = json!({
        "wrapping": rotate.wrap, "cursor": rotate.cursor, "signing": rotate.signing, "secrets_rewrapped": rewrapped,
        "ledger_public_key": public, "former_key_file": kept,
    });
    Ok(Answer::new(sentence, json).did("keys rotate", "-"))
}

/// The retired key vouches for the one after it, so that who trusts the old one can go on.
fn retire(old: &[u8; 32], new: &[u8; 32]) -> RetiredKey {
    let (key, successor) = (seal::public_key(old), seal::public_key(new));
    let signature = SigningKey::from_bytes(old).sign(seal::succession(&key, &successor).as_bytes());
    RetiredKey { signature: base32(&signature.to_bytes()), key, successor, retired_at: String::new() }
}
