//! How links are hashed and checkpoints signed.
//!
//! A link's hash is SHA-256 over the hash before it, a line feed, and the entry as its provider reads it in the canonical form of
//! RFC 8785. A checkpoint is an Ed25519 signature over lines that name the provider, the position, the hash, the time and the era.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use hayward_domain::id::{base32, from_base32};
use hayward_domain::moment::Moment;
use hayward_domain::terms::canonical;
use hayward_store::{LedgerStore, Result, Sealable};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash of a link.
#[must_use]
pub fn hash(previous: &str, entry: &Value) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update(b"\n");
    hasher.update(canonical::text(entry).as_bytes());
    base32(&hasher.finalize())
}

/// What is signed. A checkpoint from before there were eras has no last line.
fn checkpoint(provider: &str, position: i64, hash: &str, at: &str, era: Option<&str>) -> String {
    let era = era.map(|era| format!("\n{era}")).unwrap_or_default();
    format!("hayward checkpoint\n{provider}\n{position}\n{hash}\n{at}{era}")
}

/// The public half of the key that signs checkpoints.
#[must_use]
pub fn public_key(seed: &[u8; 32]) -> String {
    base32(SigningKey::from_bytes(seed).verifying_key().as_bytes())
}

/// What a retired key signs to vouch for the one after it.
#[must_use]
pub fn succession(key: &str, successor: &str) -> String {
    format!("hayward succession\n{key}\n{successor}")
}

/// Whether a checkpoint was signed by the holder of `key`.
#[must_use]
pub fn signed_by(key: &str, provider: &str, position: i64, hash: &str, at: &str, era: Option<&str>, signature: &str) -> bool {
    holds(key, &checkpoint(provider, position, hash, at, era), signature)
}

/// Whether the holder of `key` vouched for `successor`.
#[must_use]
pub fn vouched(key: &str, successor: &str, signature: &str) -> bool {
    holds(key, &succession(key, successor), signature)
}

fn holds(key: &str, line: &str, signature: &str) -> bool {
    let key =
        from_base32(key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = from_base32(signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify(line.as_bytes(), &signature).is_ok())
}

/// The signature under a checkpoint.
#[must_use]
pub fn sign(seed: &[u8; 32], provider: &str, position: i64, hash: &str, at: &str, era: Option<&str>) -> String {
    base32(&SigningKey::from_bytes(seed).sign(checkpoint(provider, position, hash, at, era).as_bytes()).to_bytes())
}

/// Seals everything that waits.
///
/// # Errors
/// Only the database's.
pub fn all(store: &LedgerStore, seed: &[u8; 32], now: Moment) -> Result<usize> {
    let link = |link: &Sealable<'_>| hash(link.previous, link.entry);
    let sign = |provider: &str, position: i64, hash: &str, at: Moment| {
        self::sign(seed, provider, position, hash, &at.to_rfc3339(), store.era())
    };
    let mut sealed = 0;
    loop {
        match store.seal(now, &link, &sign)? {
            0 => return Ok(sealed),
            count => sealed += count,
        }
    }
}
