//! A file's bytes as text, one buffer at a time.
//!
//! Everything above this module sees UTF-8. It never sees more than one buffer, so an endless line is somebody else's limit to
//! set and this module's memory to keep.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding};

mod encoding;

pub(crate) use encoding::{detect, head};

/// How many bytes are read at once.
const BUFFER: usize = 64 * 1024;

/// The text of a file, from its beginning, without a byte order mark. Bytes that mean nothing become U+FFFD.
pub(crate) struct Text {
    source: Box<dyn Read + Send>,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: String,
    at: usize,
    ended: bool,
}

impl Text {
    /// The text of `source` in `encoding`.
    pub(crate) fn new(source: Box<dyn Read + Send>, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { source, decoder, bytes: vec![0; BUFFER], text: String::new(), at: 0, ended: false }
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
        let read = read_some(&mut *self.source, &mut self.bytes)?;
        self.ended = read == 0;
        self.text.clear();
        self.at = 0;
        let bytes = self.bytes.get(..read).unwrap_or_default();
        // With room for the worst case, one call consumes everything.
        self.text.reserve(self.decoder.max_utf8_buffer_length(read).unwrap_or(BUFFER * 4));
        let _ = self.decoder.decode_to_string(bytes, &mut self.text, self.ended);
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
