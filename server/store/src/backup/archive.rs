//! The format of an archive, for writing and for reading.
//!
//! * Magic, format version, then frames. A frame is one byte for its kind, the length of what is stored, the length of what that
//!   unpacks to (4 bytes each, big-endian), a hash, and what is stored: deflated, at most [`LARGEST`] bytes unpacked.
//! * The hash is SHA-256 over the hash of the frame before it and everything of this frame but the hash: a frame that is changed,
//!   dropped, doubled or moved breaks the chain there. What is stored is unpacked only once its hash holds.
//! * The frames are: the header; for each table one with its name and columns, those with its rows, and one that closes it with their
//!   number and sum; the trailer with every table's number and sum. After the trailer the file ends.
//! * A hash tells what was damaged, not who wrote it: what an archive says is checked like anybody's input.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cells::{Cells, Tally};
use super::tables;
use super::{BackupError, Kind};
use crate::migrate::Tree;

const MAGIC: &[u8; 16] = b"hayward archive\n";
/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// What a frame may unpack to. A row is never cut in two, and no row is nearly as large.
const LARGEST: u32 = 64 << 20;

/// What stands at the beginning of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The program that made it.
    pub program: String,
    /// The database that it was made of: `sqlite` or `postgres`.
    pub database: String,
    /// When, in microseconds since 1970.
    pub taken_at: i64,
    /// The id of the commons; none if it was never opened by a program that gives one.
    pub commons: Option<String>,
    /// Its era.
    pub era: Option<String>,
    /// The newest commit that is in it.
    pub commit: i64,
    /// The print of the commons' keys.
    pub keys: Option<String>,
    /// The migration steps that the commons' database had taken.
    pub steps: Vec<String>,
    /// The same for the ledger's.
    pub ledger_steps: Vec<String>,
}

/// A table as it begins in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    pub(super) tree: Tree,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// A table as it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    pub(super) tree: Tree,
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) sum: String,
}

/// Writes frames.
pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    chain: [u8; 32],
}

impl<'a> Writer<'a> {
    pub(super) fn begin(out: &'a mut dyn Write, header: &Header) -> Result<Self, BackupError> {
        out.write_all(MAGIC).and_then(|()| out.write_all(&FORMAT.to_be_bytes())).map_err(BackupError::writing)?;
        let mut writer = Self { out, chain: first_link() };
        writer.json(Kind::Header, header)?;
        Ok(writer)
    }

    pub(super) fn json<T: Serialize>(&mut self, kind: Kind, value: &T) -> Result<(), BackupError> {
        let text = serde_json::to_vec(value).map_err(|_| BackupError::refused("too-large", "a part that cannot be written"))?;
        self.frame(kind, &text)
    }

    pub(super) fn frame(&mut self, kind: Kind, plain: &[u8]) -> Result<(), BackupError> {
        let too_large = || BackupError::refused("too-large", "the database holds a row that is too large for an archive");
        let unpacked = u32::try_from(plain.len()).ok().filter(|length| *length <= LARGEST).ok_or_else(too_large)?;
        let mut stored = Vec::with_capacity(plain.len() / 3);
        DeflateEncoder::new(plain, Compression::fast()).read_to_end(&mut stored).map_err(BackupError::writing)?;
        let length = u32::try_from(stored.len()).map_err(|_| too_large())?;
        let head = head(kind as u8, length, unpacked);
        self.chain = link(&self.chain, &head, &stored);
        for part in [&head[..], &self.chain, &stored] {
            self.out.write_all(part).map_err(BackupError::writing)?;
        }
        Ok(())
    }
}

fn head(kind: u8, stored: u32, unpacked: u32) -> [u8; 9] {
    let mut head = [kind; 9];
    let lengths = stored.to_be_bytes().into_iter().chain(unpacked.to_be_bytes());
    head.iter_mut().skip(1).zip(lengths).for_each(|(to, from)| *to = from);
    head
}

fn first_link() -> [u8; 32] {
    link(&[0; 32], MAGIC, &FORMAT.to_be_bytes())
}

fn link(before: &[u8; 32], head: &[u8], stored: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(head).chain_update(stored).finalize().into()
}

/// What is met on the way through an archive.
pub(super) enum Part<'a> {
    Header(&'a Header),
    Table(&'a Begun),
    Rows(Vec<Cells>),
}

/// What an archive turned out to hold.
#[derive(Clone)]
pub struct Contents {
    /// What stands at its beginning.
    pub header: Header,
    pub(super) tables: Vec<(Begun, Ended)>,
}

/// Reads an archive from its first byte to its last and shows its parts to `visit`. Every part is whole when it is shown; whether
/// the archive is, is known once this has returned.
pub(super) fn read_through(
    from: &mut dyn Read,
    visit: &mut dyn FnMut(Part<'_>) -> Result<(), BackupError>,
) -> Result<Contents, BackupError> {
    let mut reader = Reader::begin(from)?;
    let header: Header = reader.json(Kind::Header, "the header")?;
    visit(Part::Header(&header))?;
    let mut tables: Vec<(Begun, Ended)> = Vec::new();
    loop {
        let before = tables.last().map_or_else(|| "the header".to_owned(), |(begun, _)| format!("the table `{}`", begun.name));
        let after = format!("what follows {before}");
        let (kind, plain) = reader.frame(&after)?;
        match kind {
            Kind::Table => {
                let begun: Begun = parse(&plain, &after)?;
                let twice = tables.iter().any(|(other, _)| other.tree == begun.tree && other.name == begun.name);
                if twice || tables::named(begun.tree, &begun.name).is_none() || begun.columns.is_empty() {
                    return Err(BackupError::damaged(&after, "names a table that cannot be there"));
                }
                visit(Part::Table(&begun))?;
                let ended = reader.rows(&begun, visit)?;
                tables.push((begun, ended));
            }
            Kind::Trailer => {
                let all: Vec<Ended> = parse(&plain, "the trailer")?;
                if !all.iter().eq(tables.iter().map(|(_, ended)| ended)) {
                    return Err(BackupError::damaged("the trailer", "does not list the tables that are there"));
                }
                reader.end()?;
                return Ok(Contents { header, tables });
            }
            Kind::Header | Kind::Rows | Kind::End => return Err(BackupError::damaged(&after, "is out of its place")),
        }
    }
}

struct Reader<'a> {
    from: &'a mut dyn Read,
    chain: [u8; 32],
}

impl<'a> Reader<'a> {
    fn begin(from: &'a mut dyn Read) -> Result<Self, BackupError> {
        let (mut magic, mut format) = ([0; 16], [0; 4]);
        fill(from, &mut magic, "the first line")?;
        if &magic != MAGIC {
            return Err(BackupError::refused("not-an-archive", "this is no archive of a commons"));
        }
        fill(from, &mut format, "the format's number")?;
        match u32::from_be_bytes(format) {
            FORMAT => Ok(Self { from, chain: first_link() }),
            _ => Err(BackupError::refused("unknown-format", "this archive has a format that this program does not know")),
        }
    }

    /// The next frame, unpacked.
    fn frame(&mut self, part: &str) -> Result<(Kind, Vec<u8>), BackupError> {
        let (mut kind, mut lengths, mut hash) = ([0; 1], [[0; 4]; 2], [0; 32]);
        fill(self.from, &mut kind, part)?;
        for length in &mut lengths {
            fill(self.from, length, part)?;
        }
        fill(self.from, &mut hash, part)?;
        let [kind] = kind;
        let [length, unpacked] = lengths.map(u32::from_be_bytes);
        // Deflate grows what it cannot shrink by a little.
        if length > LARGEST + LARGEST / 16 || unpacked > LARGEST {
            return Err(BackupError::damaged(part, "claims a length that no part has"));
        }
        let mut stored = Vec::new();
        self.from.take(length.into()).read_to_end(&mut stored).map_err(BackupError::reading)?;
        if u32::try_from(stored.len()) != Ok(length) {
            return Err(BackupError::truncated(part));
        }
        let chain = link(&self.chain, &head(kind, length, unpacked), &stored);
        if chain != hash {
            return Err(BackupError::damaged(part, "does not match its hash"));
        }
        self.chain = chain;
        let mut plain = Vec::new();
        let unpacking = DeflateDecoder::new(&*stored).take(u64::from(unpacked) + 1).read_to_end(&mut plain);
        if unpacking.is_err() || u32::try_from(plain.len()) != Ok(unpacked) {
            return Err(BackupError::damaged(part, "does not unpack to what it claims"));
        }
        Ok((Kind::parse(kind).ok_or_else(|| BackupError::damaged(part, "is of no known kind"))?, plain))
    }

    fn json<T: DeserializeOwned>(&mut self, wanted: Kind, part: &str) -> Result<T, BackupError> {
        match self.frame(part)? {
            (kind, plain) if kind == wanted => parse(&plain, part),
            _ => Err(BackupError::damaged(part, "is out of its place")),
        }
    }

    /// The rows of a table up to its end.
    fn rows(&mut self, table: &Begun, visit: &mut dyn FnMut(Part<'_>) -> Result<(), BackupError>) -> Result<Ended, BackupError> {
        let part = format!("the table `{}`", table.name);
        let (mut tally, mut scratch) = (Tally::default(), Vec::new());
        loop {
            let (kind, plain) = self.frame(&part)?;
            match kind {
                Kind::Rows => {
                    let rows = Cells::decode_all(&plain, table.columns.len());
                    let rows = rows.ok_or_else(|| BackupError::damaged(&part, "holds something that is no row"))?;
                    rows.iter().for_each(|row| tally.add(row, &mut scratch));
                    visit(Part::Rows(rows))?;
                }
                Kind::End => {
                    let ended: Ended = parse(&plain, &part)?;
                    let found = Ended { tree: table.tree, name: table.name.clone(), rows: tally.rows, sum: tally.sum() };
                    if ended != found {
                        return Err(BackupError::damaged(&part, "does not hold the rows that it counts"));
                    }
                    return Ok(ended);
                }
                Kind::Header | Kind::Table | Kind::Trailer => {
                    return Err(BackupError::damaged(&part, "has no end"));
                }
            }
        }
    }

    /// After the trailer there is nothing.
    fn end(&mut self) -> Result<(), BackupError> {
        let mut more = [0; 1];
        match self.from.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(BackupError::damaged("the end", "is followed by something")),
            Err(error) => Err(BackupError::reading(error)),
        }
    }
}

fn fill(from: &mut dyn Read, into: &mut [u8], part: &str) -> Result<(), BackupError> {
    from.read_exact(into).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BackupError::truncated(part),
        _ => BackupError::reading(error),
    })
}

fn parse<T: DeserializeOwned>(plain: &[u8], part: &str) -> Result<T, BackupError> {
    serde_json::from_slice(plain).map_err(|_| BackupError::damaged(part, "cannot be read"))
}
