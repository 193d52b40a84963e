//! Texts that wait for their place.
//!
//! Where a row stands in its share is known once all rows of the edition have been seen. Until then their payloads lie here, apart
//! by the beginning of their sort key: a little in memory, the rest in a file without a name, which the system forgets with the
//! process. Each part is read back whole, so memory holds one part at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Into how many parts the sort keys are divided: by their first six bits.
const PARTS: usize = 64;

/// What texts are sorted by.
pub(crate) type Key = [u8; 16];

/// Texts by sort key and number.
pub(crate) struct Spool {
    parts: Vec<Part>,
    held: usize,
    limit: usize,
    file: Option<File>,
    end: u64,
}

#[derive(Default)]
struct Part {
    held: Vec<u8>,
    /// Where in the file the rest is: offset and length.
    written: Vec<(u64, usize)>,
}

/// One part, read back.
#[derive(Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Number, begin and end; sorted.
    places: Vec<(i64, usize, usize)>,
}

impl Spool {
    /// One that holds about `limit` bytes in memory.
    pub(crate) fn new(limit: usize) -> Self {
        Self { parts: std::iter::repeat_with(Part::default).take(PARTS).collect(), held: 0, limit, file: None, end: 0 }
    }

    /// Which part a key belongs to. Parts are in the order of the keys.
    pub(crate) fn part(key: &Key) -> usize {
        usize::from(key.first().copied().unwrap_or(0) >> 2)
    }

    /// Keeps `text` under a number of its own.
    pub(crate) fn push(&mut self, key: &Key, number: i64, text: &str) -> io::Result<()> {
        let Some(part) = self.parts.get_mut(Self::part(key)) else { return Ok(()) };
        part.held.extend_from_slice(&number.to_le_bytes());
        part.held.extend_from_slice(&(text.len() as u64).to_le_bytes());
        part.held.extend_from_slice(text.as_bytes());
        self.held += text.len() + 16;
        if self.held > self.limit { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        file.seek(SeekFrom::Start(self.end))?;
        for part in self.parts.iter_mut().filter(|part| !part.held.is_empty()) {
            file.write_all(&part.held)?;
            part.written.push((self.end, part.held.len()));
            self.end += part.held.len() as u64;
            part.held.clear();
        }
        self.file = Some(file);
        self.held = 0;
        Ok(())
    }

    /// Takes the texts of one part out.
    pub(crate) fn take(&mut self, part: usize) -> io::Result<Texts> {
        let Some(part) = self.parts.get_mut(part).map(std::mem::take) else { return Ok(Texts::default()) };
        let mut bytes = Vec::with_capacity(part.written.iter().map(|(_, length)| length).sum::<usize>() + part.held.len());
        for (offset, length) in part.written {
            let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start(offset))?;
            file.take(length as u64).read_to_end(&mut bytes)?;
        }
        bytes.extend_from_slice(&part.held);
        Texts::read(bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Texts {
    fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut places = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let number = i64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?);
            let length = u64::from_le_bytes(bytes.get(at + 8..at + 16)?.try_into().ok()?);
            let end = (at + 16).checked_add(usize::try_from(length).ok()?)?;
            bytes.get(at + 16..end)?;
            places.push((number, at + 16, end));
            at = end;
        }
        places.sort_unstable();
        Some(Self { bytes, places })
    }

    /// The text that was kept under `number`.
    pub(crate) fn get(&self, number: i64) -> Option<&str> {
        let at = self.places.binary_search_by_key(&number, |(number, _, _)| *number).ok()?;
        let (_, start, end) = *self.places.get(at)?;
        std::str::from_utf8(self.bytes.get(start..end)?).ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn what_is_kept_comes_back_from_memory_and_from_the_file() {
        for limit in [usize::MAX, 1_000, 1] {
            let mut spool = Spool::new(limit);
            let key = |number: i64| [(number * 37 % 256) as u8; 16];
            let text = |number: i64| "é".repeat(usize::try_from(number % 50).unwrap());
            for number in 0..2_000 {
                spool.push(&key(number), number, &text(number)).unwrap();
            }
            let parts: Vec<Texts> = (0..PARTS).map(|part| spool.take(part).unwrap()).collect();
            for number in 0..2_000 {
                assert_eq!(parts[Spool::part(&key(number))].get(number), Some(text(number).as_str()));
            }
            assert_eq!(parts.iter().map(|part| part.places.len()).sum::<usize>(), 2_000);
        }
    }

    #[test]
    fn parts_are_in_the_order_of_the_keys() {
        let mut keys: Vec<Key> = (0..=255u8).map(|first| [first; 16]).collect();
        keys.sort_unstable();
        assert!(keys.is_sorted_by_key(Spool::part));
        assert!(keys.iter().all(|key| Spool::part(key) < PARTS));
    }
}
