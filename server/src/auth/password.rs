//! Passwords of people: argon2id, in PHC form.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};

/// The shortest password that is taken.
pub const SHORTEST: usize = 10;
/// The longest: hashing megabytes is an attack, not a password.
pub const LONGEST: usize = 1_000;

/// Why a password cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

/// Hashes a password with 16 bytes of salt. Takes tens of milliseconds on purpose.
///
/// # Errors
/// [`PasswordError::Length`] for one that is too short or too long.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, PasswordError> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(PasswordError::Length);
    }
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(hashed.to_string())
}

/// Whether `password` is the one that `kept` was made from.
#[must_use]
pub fn matches(password: &str, kept: &str) -> bool {
    password.len() <= LONGEST * 4
        && PasswordHash::new(kept).is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}
