//! Which keys a file has had so far.
//!
//! As 128 bits each, under random keys of our own: a million rows are some tens of megabytes, and nobody can make two keys that
//! collide.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use serde_json::Value;

use super::ready::Ready;

/// What is known about a key that has been seen.
pub(super) struct Earlier {
    /// The row it was first in.
    pub(super) row: u64,
    /// Whether that row said the same.
    pub(super) same: bool,
}

/// Rows that room is made for at once. A table that grows is there twice for a moment.
const AT_ONCE: u64 = 1 << 22;

/// The keys so far.
pub(super) struct Seen {
    one: RandomState,
    other: RandomState,
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
        let rows = HashMap::with_capacity_and_hasher(room, BuildHasherDefault::default());
        Self { one: RandomState::new(), other: RandomState::new(), rows }
    }

    /// Remembers `ready`, unless an earlier row had its key.
    pub(super) fn add(&mut self, ready: &Ready) -> Option<Earlier> {
        let key = (u128::from(self.one.hash_one(&ready.key)) << 64) | u128::from(self.other.hash_one(&ready.key));
        let content = self.content(ready);
        if let Some((row, before)) = self.rows.get(&key) {
            return Some(Earlier { row: *row, same: *before == content });
        }
        self.rows.insert(key, (ready.row, content));
        None
    }

    fn content(&self, ready: &Ready) -> u64 {
        let mut hasher = self.one.build_hasher();
        let mut write = |name: &str, value: Option<&str>| {
            hasher.write(name.as_bytes());
            hasher.write_u8(if value.is_some() { 0xfe } else { 0xff });
            hasher.write(value.unwrap_or_default().as_bytes());
            hasher.write_u8(0xff);
        };
        for (name, value) in &ready.record.fields {
            match value {
                Value::String(text) => write(name.as_str(), Some(text)),
                value => write(name.as_str(), Some(&value.to_string())),
            }
        }
        ready.record.private.iter().for_each(|(header, value)| write(header, Some(value)));
        ready.clears.iter().for_each(|name| write(name.as_str(), None));
        ready.clears_private.iter().for_each(|header| write(header, None));
        hasher.finish()
    }
}
