//! The XML of a workbook, one mark at a time.
//!
//! What XML can be made to do to its reader is refused here: a document type (and with it entities that expand), deep nesting,
//! and text without end.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesEnd, BytesRef, BytesStart, Event};

use super::archive::Part;
use crate::refusal::Refusal;

/// The longest piece of text or markup, in bytes. A cell of the largest size may have every character escaped.
const PIECE: usize = 6 << 20;

/// How deep elements may be nested.
const DEPTH: usize = 100;

const NOT_XML: Refusal = Refusal::DamagedWorkbook("a part of it is not well-formed");

/// What comes next.
pub(super) enum Mark<'a> {
    /// An element begins; one without contents ends at once.
    Open(Tag<'a>),
    /// An element ends.
    Close(EndTag<'a>),
    /// Text, or a piece of it.
    Text(Cow<'a, str>),
    /// The part is over.
    End,
}

/// The beginning of an element.
pub(super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// Its name without prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Shows each of its attributes, as written and without prefixes, to `see`.
    pub(super) fn each(&self, mut see: impl FnMut(&str, &str)) {
        for attribute in self.0.attributes().with_checks(false).flatten() {
            see(attribute.key.local_name().into_inner(), &attribute.value);
        }
    }

    /// The attribute of this name, without its escapes.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut found = None;
        self.each(|key, value| {
            if key == name {
                found = quick_xml::escape::unescape(value).ok().map(Cow::into_owned);
            }
        });
        found
    }
}

/// The end of an element.
pub(super) struct EndTag<'a>(BytesEnd<'a>);

impl EndTag<'_> {
    /// Its name without prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }
}

/// A part of a workbook, read as XML.
pub(super) struct Xml {
    reader: Reader<Meter>,
    buffer: Vec<u8>,
    depth: usize,
}

impl Xml {
    pub(super) fn new(part: Part) -> Self {
        let bytes = BufReader::with_capacity(64 * 1024, part);
        let mut reader = Reader::from_reader(Meter { bytes, left: PIECE, ran_out: false });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0 }
    }

    /// How many bytes have been read.
    pub(super) fn passed(&self) -> u64 {
        self.reader.buffer_position()
    }

    /// What comes next. `row` is where we are, for the refusal of what is too long.
    pub(super) fn next(&mut self, row: u64) -> Result<Mark<'_>, Refusal> {
        self.buffer.clear();
        self.reader.get_mut().left = PIECE;
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(_) if self.reader.get_ref().ran_out => return Err(Refusal::CellTooLong { row }),
            Err(quick_xml::Error::Io(error)) => return Err(super::unpacking(error.kind())),
            Err(_) => return Err(NOT_XML),
        };
        Ok(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err(Refusal::DamagedWorkbook("it is nested too deep"));
                }
                Mark::Open(Tag(start))
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                Mark::Close(EndTag(end))
            }
            Event::Text(text) => Mark::Text(text.into_inner()),
            Event::CData(text) => Mark::Text(text.into_inner()),
            Event::GeneralRef(reference) => Mark::Text(Cow::Owned(referred(&reference)?.to_string())),
            Event::DocType(_) => {
                return Err(Refusal::DamagedWorkbook("it has a document type, as no spreadsheet program writes"));
            }
            // Cut off, or longer than it said it would be.
            Event::Eof if self.depth > 0 => return Err(NOT_XML),
            Event::Eof => Mark::End,
            // Told from text by being empty, and nobody minds a piece of text with nothing in it.
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Mark::Text(Cow::Borrowed("")),
        })
    }
}

/// The character that `&…;` stands for.
fn referred(reference: &BytesRef<'_>) -> Result<char, Refusal> {
    Ok(match &**reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => reference.resolve_char_ref().ok().flatten().ok_or(NOT_XML)?,
    })
}

/// Bytes that run out when one piece takes too many of them.
struct Meter {
    bytes: BufReader<Part>,
    left: usize,
    ran_out: bool,
}

impl Read for Meter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl BufRead for Meter {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            self.ran_out = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        self.bytes.consume(bytes);
    }
}
