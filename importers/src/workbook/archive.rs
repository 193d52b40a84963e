//! The parts of a workbook that is a ZIP archive.
//!
//! Our own reader of the table of contents, because of what it must not do: hold a table as large as somebody makes it, or unpack
//! more than a part says it holds. The packing itself (DEFLATE) is `flate2`'s.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use flate2::bufread::DeflateDecoder;

use super::bytes::{u16_at, u32_at};
use super::spool::Slice;
use crate::refusal::Refusal;

/// The largest table of contents. A workbook with a hundred sheets has some kilobytes.
const CONTENTS: u32 = 4 << 20;

/// The most parts.
const PARTS: usize = 10_000;

/// The largest part, unpacked.
const UNPACKED: u32 = 1 << 30;

/// A part may unpack to this much however well it packs.
const SMALL: u32 = 16 << 20;

/// Beyond [`SMALL`], how many times its packed size a part may unpack to. Sheets full of repetitions come to 30; a bomb to 1,000.
const RATIO: u32 = 100;

/// The end of an archive: a fixed record, and a comment of at most 64 KiB.
const END: u64 = 22 + 65_535;

const NOT_AN_ARCHIVE: Refusal = Refusal::DamagedWorkbook("its table of contents cannot be read");

/// An archive and what is in it.
pub(super) struct Archive {
    file: Arc<File>,
    parts: HashMap<String, Entry>,
}

/// Where a part lies.
#[derive(Clone, Copy)]
struct Entry {
    deflated: bool,
    packed: u32,
    unpacked: u32,
    at: u32,
}

impl Archive {
    /// Reads the table of contents of `file`.
    pub(super) fn open(file: Arc<File>) -> Result<Self, Refusal> {
        let length = file.metadata()?.len();
        let start = length.saturating_sub(END);
        let tail = Slice::new(&file, start, END).whole()?;
        let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06").ok_or(NOT_AN_ARCHIVE)?;
        let field = |at| u32_at(&tail, end + at).ok_or(NOT_AN_ARCHIVE);
        let (size, at) = (field(12)?, field(16)?);
        if size > CONTENTS {
            return Err(Refusal::WorkbookTooLarge);
        }
        let contents = Slice::new(&file, u64::from(at), u64::from(size)).whole()?;
        let mut parts = HashMap::new();
        let mut rest = contents.as_slice();
        while rest.starts_with(b"PK\x01\x02") {
            let (name, entry, length) = entry(rest).ok_or(NOT_AN_ARCHIVE)?;
            parts.insert(name, entry);
            rest = rest.get(length..).ok_or(NOT_AN_ARCHIVE)?;
            if parts.len() > PARTS {
                return Err(Refusal::WorkbookTooLarge);
            }
        }
        Ok(Self { file, parts })
    }

    /// Whether there is a part of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&plain(name))
    }

    /// How many bytes a part unpacks to.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.parts.get(&plain(name)).map_or(0, |entry| u64::from(entry.unpacked))
    }

    /// Whether some part lies under `folder`.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.parts.keys().any(|name| name.starts_with(folder))
    }

    /// The same as [`Self::part`], of a part that is large in no workbook that a program writes: the list of sheets, the formats.
    pub(super) fn small_part(&self, name: &str) -> Result<Option<Part>, Refusal> {
        if self.size(name) > u64::from(SMALL) { Err(Refusal::WorkbookTooLarge) } else { self.part(name) }
    }

    /// The part of this name, unpacked while it is read; nothing if there is none.
    pub(super) fn part(&self, name: &str) -> Result<Option<Part>, Refusal> {
        let Some(entry) = self.parts.get(&plain(name)) else { return Ok(None) };
        if entry.unpacked > UNPACKED || entry.unpacked > SMALL.max(entry.packed.saturating_mul(RATIO)) {
            return Err(Refusal::WorkbookTooLarge);
        }
        let header = Slice::new(&self.file, u64::from(entry.at), 30).whole()?;
        let lengths = u16_at(&header, 26).zip(u16_at(&header, 28)).filter(|_| header.starts_with(b"PK\x03\x04"));
        let (name, extra) = lengths.ok_or(NOT_AN_ARCHIVE)?;
        let start = u64::from(entry.at) + 30 + u64::from(name) + u64::from(extra);
        let packed = BufReader::with_capacity(64 * 1024, Slice::new(&self.file, start, u64::from(entry.packed)));
        let bytes: Box<dyn Read + Send> = if entry.deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        Ok(Some(Part { bytes, left: entry.unpacked }))
    }
}

/// The first entry of a table of contents, with its length.
fn entry(bytes: &[u8]) -> Option<(String, Entry, usize)> {
    let length = |at| u16_at(bytes, at).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let method = u16_at(bytes, 10)?;
    let extra_fields = bytes.get(46 + name..46 + name + extra)?;
    // Only those that do not fit stand in the extra field, in this order. Some programs write none that fits.
    let mut wide = wide_numbers(extra_fields);
    let mut full = |at| u32_at(bytes, at).map(|number| if number == u32::MAX { wide.next().unwrap_or(number) } else { number });
    let (unpacked, packed, at) = (full(24)?, full(20)?, full(42)?);
    let called = plain(&String::from_utf8_lossy(bytes.get(46..46 + name)?));
    // Any other packing is no workbook's: such a part is one that unpacks to nothing.
    let unpacked = if matches!(method, 0 | 8) { unpacked } else { 0 };
    Some((called, Entry { deflated: method == 8, packed, unpacked, at }, 46 + name + extra + comment))
}

/// The numbers of eight bytes that an entry has where four are too few (ZIP64), as far as they fit into four after all.
fn wide_numbers(mut fields: &[u8]) -> impl Iterator<Item = u32> {
    let mut found: &[u8] = &[];
    while let Some((kind, length)) = u16_at(fields, 0).zip(u16_at(fields, 2)) {
        let data = fields.get(4..4 + usize::from(length)).unwrap_or_default();
        if kind == 1 {
            found = data;
            break;
        }
        fields = fields.get(4 + usize::from(length)..).unwrap_or_default();
    }
    found.chunks_exact(8).map(|eight| if u32_at(eight, 4) == Some(0) { u32_at(eight, 0).unwrap_or(u32::MAX) } else { u32::MAX })
}

/// A name as it is looked up: some programs write `\` for `/`, or another case than they refer to.
fn plain(name: &str) -> String {
    name.trim_start_matches(['/', '\\']).replace('\\', "/").to_ascii_lowercase()
}

/// A part while it is unpacked: never more than it said it would be.
pub(super) struct Part {
    bytes: Box<dyn Read + Send>,
    left: u32,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.bytes.read(buffer.get_mut(..length).unwrap_or_default())?;
        self.left -= u32::try_from(read).unwrap_or(self.left);
        Ok(read)
    }
}
