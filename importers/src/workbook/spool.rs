//! A workbook as a file that can be read at any place.
//!
//! An archive has its table of contents at the end, and a [`Source`] is read from its beginning. What is no file yet becomes one
//! without a name, which is gone when the last handle is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::refusal::Refusal;
use crate::source::Source;

/// The largest workbook, packed.
const PACKED: u64 = 512 << 20;

/// `source` as a file.
pub(super) fn spool(source: &dyn Source) -> Result<Arc<File>, Refusal> {
    if let Some(file) = source.file()? {
        return if file.metadata()?.len() > PACKED { Err(Refusal::WorkbookTooLarge) } else { Ok(Arc::new(file)) };
    }
    keep(source.open()?, PACKED)
}

/// Writes `bytes` to a file without a name.
pub(super) fn keep(bytes: impl Read, limit: u64) -> Result<Arc<File>, Refusal> {
    let mut file = tempfile::tempfile()?;
    let written = io::copy(&mut bytes.take(limit + 1), &mut file)?;
    if written > limit { Err(Refusal::WorkbookTooLarge) } else { Ok(Arc::new(file)) }
}

/// Some bytes of a file, from one place to another. Several may be open on one file.
pub(super) struct Slice {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Slice {
    /// The `length` bytes from `start` on, or fewer where the file ends before.
    pub(super) fn new(file: &Arc<File>, start: u64, length: u64) -> Self {
        Self { file: Arc::clone(file), at: start, end: start.saturating_add(length) }
    }

    /// All of them; nothing if the file ends before.
    pub(super) fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for Slice {
    // Every handle of a file shares one place in it: without going there first, two parts would read each other's bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(buffer.get_mut(..length).unwrap_or_default())?;
        self.at += read as u64;
        Ok(read)
    }
}
