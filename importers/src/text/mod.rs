//! A file's bytes as text, one buffer at a time.
//!
//! Everything above this module sees UTF-8. It never sees more than one buffer, so an endless line is somebody else's limit to
//! set and this module's memory to keep.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding};

mod encoding;
mod guess;
mod lines;

pub(crate) use encoding::{detect, head};

use encoding::is_foreign;
use lines::Lines;

/// How many bytes are read at once.
const BUFFER: usize = 64 * 1024;

/// The text of a file, from its beginning, without a byte order mark. Bytes that mean nothing become U+FFFD.
pub(crate) struct Text {
    bytes: Bytes,
    text: String,
    at: usize,
    ended: bool,
}

/// The bytes of a file, and what makes text of them.
enum Bytes {
    /// All in one encoding.
    Whole { source: Box<dyn Read + Send>, decoder: Decoder, buffer: Vec<u8> },
    /// Lines of UTF-8, and lines of another.
    Mixed { lines: Lines, other: &'static Encoding },
}

impl Text {
    /// The text of `source` in `encoding`; lines that are not in it are in `other`, if there is one.
    pub(crate) fn new(source: Box<dyn Read + Send>, encoding: &'static Encoding, other: Option<&'static Encoding>) -> Self {
        let bytes = match other {
            Some(other) => Bytes::Mixed { lines: Lines::new(source), other },
            None => Bytes::Whole { source, decoder: encoding.new_decoder_with_bom_removal(), buffer: vec![0; BUFFER] },
        };
        Self { bytes, text: String::new(), at: 0, ended: false }
    }

    /// What is read and not yet consumed; nothing at the end of the file, otherwise never empty.
    pub(crate) fn rest(&mut self) -> io::Result<Option<&str>> {
        while self.at >= self.text.len() && !self.ended {
            self.refill()?;
        }
        Ok(self.text.get(self.at..).filter(|rest| !rest.is_empty()))
    }

    /// Takes `bytes` of what [`Self::rest`] gave; they must end at a character.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }

    fn refill(&mut self) -> io::Result<()> {
        self.at = 0;
        self.text.clear();
        match &mut self.bytes {
            Bytes::Whole { source, decoder, buffer } => {
                let read = read_some(&mut **source, buffer)?;
                self.ended = read == 0;
                // With room for the worst case, one call consumes everything.
                self.text.reserve(decoder.max_utf8_buffer_length(read).unwrap_or(BUFFER * 4));
                let _ = decoder.decode_to_string(buffer.get(..read).unwrap_or_default(), &mut self.text, self.ended);
            }
            Bytes::Mixed { lines, other } => {
                while self.text.len() < BUFFER {
                    let Some(line) = lines.next()? else {
                        self.ended = true;
                        break;
                    };
                    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
                    if is_foreign(line) {
                        self.text.push_str(&other.decode_without_bom_handling(line).0);
                    } else {
                        self.text.push_str(&String::from_utf8_lossy(line));
                    }
                }
            }
        }
        Ok(())
    }
}

/// One read, again if it was interrupted.
fn read_some(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
