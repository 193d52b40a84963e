//! Everything that looks random in the demo world, derived from its seed.
//!
//! Each thing is derived under its own name, never drawn from a shared stream: another person or list added to the cast
//! leaves every other token, key and row as it was.

use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

/// The first `N` bytes, at most 32, of what `seed` gives under `name`.
pub(super) fn bytes<const N: usize>(seed: u64, name: &[&str]) -> [u8; N] {
    let mut hasher = Sha256::new();
    hasher.update(b"hayward demo 1");
    hasher.update(seed.to_be_bytes());
    for part in name {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; N];
    bytes.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    bytes
}

/// A source of invented contents of its own for `name`.
pub(super) fn stream(seed: u64, name: &[&str]) -> StdRng {
    StdRng::from_seed(bytes(seed, name))
}
