//! Records that wait to be read again: a little in memory, the rest in a file without a name, which the system forgets with the
//! process.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use tempfile::SpooledTempFile;

use crate::error::{Result, StoreError};

/// What is held in memory before there is a file.
const MEMORY: usize = 1 << 20;

/// One record: as it was and as it will be, empty for not at all.
pub(super) struct Held<'a> {
    /// The row of the file; 0 for none.
    pub(super) row: u64,
    pub(super) key: &'a str,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

/// The same, read back.
pub(super) struct Taken {
    pub(super) row: Option<u64>,
    pub(super) key: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Records behind one another; written, then read.
pub(super) struct Pile {
    state: State,
    /// Bytes written, and the byte that is read next.
    end: u64,
    next: u64,
}

enum State {
    Writing(BufWriter<SpooledTempFile>),
    Reading(BufReader<SpooledTempFile>),
}

impl Default for Pile {
    fn default() -> Self {
        Self { state: State::Writing(BufWriter::new(SpooledTempFile::new(MEMORY))), end: 0, next: 0 }
    }
}

impl Pile {
    /// Lays a record on top. Returns where it lies.
    pub(super) fn push(&mut self, held: &Held<'_>) -> Result<u64> {
        let at = self.end;
        self.write(held).map_err(failed)?;
        Ok(at)
    }

    fn write(&mut self, held: &Held<'_>) -> io::Result<()> {
        let State::Writing(file) = &mut self.state else { return Err(io::ErrorKind::InvalidInput.into()) };
        file.write_all(&held.row.to_le_bytes())?;
        for text in [held.key, held.before, held.after] {
            file.write_all(&(text.len() as u64).to_le_bytes())?;
            file.write_all(text.as_bytes())?;
            self.end += 8 + text.len() as u64;
        }
        self.end += 8;
        Ok(())
    }

    /// From now on it is read, from its beginning.
    pub(super) fn end(self) -> Result<Self> {
        let State::Writing(file) = self.state else { return Ok(self) };
        let mut file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        Ok(Self { state: State::Reading(BufReader::new(file)), ..self })
    }

    /// The record that lies at a place.
    pub(super) fn at(&mut self, place: u64) -> Result<Taken> {
        let by = i64::try_from(place).unwrap_or(i64::MAX) - i64::try_from(self.next).unwrap_or(i64::MAX);
        let State::Reading(file) = &mut self.state else { return Err(failed(io::ErrorKind::InvalidInput.into())) };
        // Mostly forwards and not far: what is buffered stays.
        file.seek_relative(by).map_err(failed)?;
        self.next = place;
        self.read().map_err(failed)
    }

    /// The next record, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Taken>> {
        if self.is_at_its_end() { Ok(None) } else { self.read().map(Some).map_err(failed) }
    }

    /// Whether everything has been read, one record after the other.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.next >= self.end
    }

    fn read(&mut self) -> io::Result<Taken> {
        let State::Reading(file) = &mut self.state else { return Err(io::ErrorKind::InvalidInput.into()) };
        let row = number(file)?;
        let mut bytes = 8;
        let mut text = || {
            let length = number(file)?;
            bytes += 8 + length;
            let mut text = String::new();
            file.take(length).read_to_string(&mut text)?;
            Ok::<_, io::Error>(text)
        };
        let (key, before, after) = (text()?, text()?, text()?);
        self.next += bytes;
        let some = |text: String| (!text.is_empty()).then_some(text);
        Ok(Taken { row: (row > 0).then_some(row), key, before: some(before), after: some(after) })
    }
}

fn number(file: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn failed(error: io::Error) -> StoreError {
    StoreError::Unavailable(format!("a temporary file cannot be written or read: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn what_was_laid_down_is_read_in_any_order() {
        let mut pile = Pile::default();
        let text = |at: u64| "é".repeat(usize::try_from(at % 700).unwrap());
        let places: Vec<u64> = (1..=3_000)
            .map(|at| pile.push(&Held { row: at, key: &at.to_string(), before: &text(at), after: &text(at * 7) }).unwrap())
            .collect();
        let mut pile = pile.end().unwrap();
        for at in 1..=3_000 {
            let taken = pile.next().unwrap().unwrap();
            assert_eq!((taken.row, taken.key), (Some(at), at.to_string()));
            assert_eq!((taken.before.unwrap_or_default(), taken.after.unwrap_or_default()), (text(at), text(at * 7)));
        }
        assert!(pile.next().unwrap().is_none());
        for (place, at) in places.iter().zip(1u16..).collect::<Vec<_>>().into_iter().rev().step_by(7) {
            assert_eq!(pile.at(*place).unwrap().row, Some(u64::from(at)));
        }
    }
}
