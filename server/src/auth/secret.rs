//! Secrets that programs carry: tokens and client secrets.
//!
//! They are long and random, so a plain SHA-256 keeps them: there is nothing to guess that a slow hash would protect.

use hayward_domain::id::base32;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a bearer token begins with, so that a scanner of leaked files knows whose it is.
const TOKEN_PREFIX: &str = "hwt_";
/// The same for a client's secret.
const SECRET_PREFIX: &str = "hws_";

/// The same for the key of an invitation.
const INVITE_PREFIX: &str = "hwi_";

/// A new bearer token from 32 random bytes.
#[must_use]
pub fn token(random: [u8; 32]) -> String {
    format!("{TOKEN_PREFIX}{}", base32(&random))
}

/// A new client secret from 32 random bytes.
#[must_use]
pub fn client_secret(random: [u8; 32]) -> String {
    format!("{SECRET_PREFIX}{}", base32(&random))
}

/// The hash that a token or secret is kept under.
#[must_use]
pub fn hash(secret: &str) -> String {
    base32(&Sha256::digest(secret.as_bytes()))
}

/// Whether `secret` is the one kept under `kept`, in a time that tells nothing.
#[must_use]
pub fn matches(secret: &str, kept: &str) -> bool {
    hash(secret).as_bytes().ct_eq(kept.as_bytes()).into()
}

/// The key of the set-up page from 32 random bytes.
#[must_use]
pub fn setup_key(random: [u8; 32]) -> String {
    base32(&random)
}

/// The key of an invitation from 32 random bytes.
#[must_use]
pub fn invite_key(random: [u8; 32]) -> String {
    format!("{INVITE_PREFIX}{}", base32(&random))
}
