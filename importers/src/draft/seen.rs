//! Which keys a file has had so far.
//!
//! As 128 bits each, under random keys of our own: a million rows are some tens of megabytes, and nobody can make two keys that
//! collide.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// What is known about a key that has been seen.
pub(super) struct Earlier {
    /// The row it was first in.
    pub(super) row: u64,
    /// Whether that row said the same.
    pub(super) same: bool,
}

/// Rows that room is made for at once. A table that grows is there twice for a moment.
const AT_ONCE: u64 = 1 << 22;

/// A row's key and everything it says, as hashes.
#[derive(Clone, Copy)]
pub(super) struct Print {
    key: u128,
    content: u64,
}

/// What makes such hashes. Clones make the same.
#[derive(Clone, Default)]
pub(super) struct Hashes {
    one: RandomState,
    other: RandomState,
}

impl Hashes {
    pub(super) fn print(&self, key: &str, content: &[u8]) -> Print {
        let key = (u128::from(self.one.hash_one(key)) << 64) | u128::from(self.other.hash_one(key));
        let mut hasher = self.one.build_hasher();
        // At once: hashing takes long for many small pieces.
        hasher.write(content);
        Print { key, content: hasher.finish() }
    }
}

/// The keys so far.
pub(super) struct Seen {
    rows: HashMap<u128, (u64, u64), BuildHasherDefault<Taken>>,
}

/// Keys are random already: half of one is as good as a hash of it.
#[derive(Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for (to, from) in bytes.iter().zip(0..) {
            self.0 ^= u64::from(*to) << (8 * (from % 8));
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = u64::try_from(key & u128::from(u64::MAX)).unwrap_or(0);
    }
}

impl Seen {
    /// For a file of so many rows.
    pub(super) fn new(rows: u64) -> Self {
        let room = usize::try_from(rows.min(AT_ONCE)).unwrap_or(0);
        Self { rows: HashMap::with_capacity_and_hasher(room, BuildHasherDefault::default()) }
    }

    /// Remembers `row`, unless an earlier one had its key.
    pub(super) fn add(&mut self, row: u64, print: Print) -> Option<Earlier> {
        match self.rows.entry(print.key) {
            Entry::Occupied(found) => {
                let (row, content) = *found.get();
                Some(Earlier { row, same: content == print.content })
            }
            Entry::Vacant(place) => {
                place.insert((row, print.content));
                None
            }
        }
    }
}
