//! Cursors: sealed, of one length, bound to who asked and what for.
//!
//! A cursor holds positions, the era they are of, and no value. It is encrypted and authenticated, so nothing can be read from it or made up; it is good
//! only for the caller and the query that it was given to.
//!
//! It ages by the clock alone. Whether what it points at is still there also depends on what other co-ops committed since, which is
//! not the caller's to learn: so it is refused as soon as that might matter, whether it does or not.

use std::time::Duration;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hayward_domain::id::{base32, from_base32};
use hayward_domain::moment::Moment;
use hayward_domain::mutants;
use hayward_store::CursorKey;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// The numbers that a position is made of; what they mean is up to the kind of list.
pub type Position = [i64; 7];

/// Whether what could be read at `at` need no longer be kept.
#[must_use]
pub fn has_aged(at: i64, now: Moment, kept: Duration) -> bool {
    at <= now.minus(kept).0
}

/// What a cursor is bound to.
pub struct Bound {
    digest: [u8; 32],
}

impl Bound {
    /// Binds to a caller (empty for nobody) and the parts of a query.
    #[must_use]
    pub fn to(caller: &str, parts: &[&str]) -> Self {
        let caller = if mutants::on("cursor-of-anyone") { "" } else { caller };
        let mut hasher = Sha256::new();
        for part in std::iter::once(&caller).chain(parts) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self { digest: hasher.finalize().into() }
    }

    /// Seals a position.
    ///
    /// # Errors
    /// Never with a working cipher.
    pub fn seal(&self, with: CursorKey, nonce: [u8; 24], position: Position) -> Result<String, Error> {
        let plain: Vec<u8> = position.iter().chain([&with.era]).flat_map(|number| number.to_be_bytes()).collect();
        let payload = Payload { msg: &plain, aad: &self.digest };
        let sealed = XChaCha20Poly1305::new(&with.keys.current.into())
            .encrypt(&nonce.into(), payload)
            .map_err(|_| Error::Internal("a cursor could not be sealed".to_owned()))?;
        let bytes: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        Ok(base32(&bytes))
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// `gone` for one from before the keys were rotated or a backup was restored, else `invalid-cursor`, whatever is wrong with it.
    pub fn open(&self, with: CursorKey, cursor: &str) -> Result<Position, Error> {
        let invalid = || Error::parameter("invalid-cursor", "cursor", "this is not a cursor of this request");
        if cursor.len() > 400 {
            return Err(invalid());
        }
        let bytes = from_base32(cursor).ok_or_else(invalid)?;
        let (nonce, sealed) = bytes.split_at_checked(24).ok_or_else(invalid)?;
        let nonce = <[u8; 24]>::try_from(nonce).map_err(|_| invalid())?;
        let opened = |key: [u8; 32]| {
            let payload = Payload { msg: sealed, aad: &self.digest };
            XChaCha20Poly1305::new(&key.into()).decrypt(&nonce.into(), payload)
        };
        let plain = opened(with.keys.current).map_err(|_| match with.keys.former.map(opened) {
            Some(Ok(_)) => Error::parameter("gone", "cursor", "the keys were exchanged since; read everything anew"),
            Some(Err(_)) | None => invalid(),
        })?;
        let mut numbers = plain.chunks_exact(8).map(|bytes| bytes.try_into().map(i64::from_be_bytes).unwrap_or_default());
        let position: Position = std::array::from_fn(|_| numbers.next().unwrap_or_default());
        // A cursor from before there were eras has none.
        if numbers.next() != Some(with.era) {
            return Err(Error::bad("gone", "this cursor is from before a backup was restored; read everything anew"));
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it did not expect")]

    use hayward_store::CursorKeys;

    use super::*;

    fn key(byte: u8) -> CursorKey {
        CursorKey { keys: CursorKeys { current: [byte; 32], former: None }, era: 7 }
    }

    #[test]
    fn a_cursor_of_another_era_is_gone() {
        let bound = Bound::to("cli_a", &[]);
        let cursor = bound.seal(key(1), [2; 24], [1; 7]).unwrap();
        let later = CursorKey { era: 8, ..key(1) };
        assert!(matches!(bound.open(later, &cursor), Err(Error::Bad { code: "gone", .. })));
    }

    #[test]
    fn a_cursor_from_before_a_rotation_is_gone_and_a_forged_one_is_none() {
        let rotated = CursorKey { keys: CursorKeys { current: [3; 32], former: Some([1; 32]) }, era: 7 };
        let bound = Bound::to("", &[]);
        let cursor = bound.seal(key(1), [2; 24], [0; 7]).unwrap();
        assert_eq!(bound.open(rotated, &cursor).unwrap_err().code(), "gone");
        let stranger = bound.seal(key(9), [2; 24], [0; 7]).unwrap();
        assert_eq!(bound.open(rotated, &stranger).unwrap_err().code(), "invalid-cursor");
        let new = bound.seal(rotated, [2; 24], [7; 7]).unwrap();
        assert_eq!(bound.open(rotated, &new).unwrap(), [7; 7]);
    }

    #[test]
    fn a_cursor_opens_only_for_its_caller_and_its_query() {
        let bound = Bound::to("cli_a", &["opportunities", "country=ES"]);
        let cursor = bound.seal(key(1), [2; 24], [1, 2, 3, 4, 5, 6, i64::MAX]).unwrap();
        assert_eq!(bound.open(key(1), &cursor).unwrap(), [1, 2, 3, 4, 5, 6, i64::MAX]);
        assert!(Bound::to("cli_b", &["opportunities", "country=ES"]).open(key(1), &cursor).is_err());
        assert!(Bound::to("cli_a", &["opportunities", "country=FR"]).open(key(1), &cursor).is_err());
        assert!(bound.open(key(3), &cursor).is_err());
    }

    #[test]
    fn every_changed_letter_is_noticed() {
        let bound = Bound::to("", &[]);
        let cursor = bound.seal(key(1), [2; 24], [0; 7]).unwrap();
        for at in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'a' { b'b' } else { b'a' };
            assert!(bound.open(key(1), &String::from_utf8(forged).unwrap()).is_err());
        }
    }
}
