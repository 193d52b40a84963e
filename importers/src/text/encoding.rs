//! Which encoding a file is in.
//!
//! Valid UTF-8 is always read as UTF-8. The rest is decided by the whole file, so that the one accent in row 90,000 counts. Where
//! lists of several hands were put together, some lines are UTF-8 and some are not: then each is read for itself.

use std::io::Read;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::{memchr2, memrchr2};

use super::guess::{guess, guess_of_foreign};
use super::{BUFFER, read_some};
use crate::refusal::{ROW_BYTES, Refusal};
use crate::source::Source;

/// A file in UTF-8 with a few broken characters is still UTF-8 if it has this many good ones for each broken one.
const GOOD_FOR_EACH_BROKEN: u64 = 20;

/// A file in another encoding is not mixed because a line of it happens to be valid UTF-8: that many bytes of others for each good
/// character are too many.
const FOREIGN_FOR_EACH_GOOD: u64 = 20;

/// What the bytes said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detected {
    /// The encoding.
    pub(crate) encoding: &'static Encoding,
    /// The encoding of lines that are not in it, and how many there are.
    pub(crate) others: Option<(&'static Encoding, u64)>,
    /// Whether some bytes mean nothing in it, so that a U+FFFD in the text may stand for something lost.
    pub(crate) damaged: bool,
}

impl Detected {
    /// The whole of `source` in `encoding`.
    fn whole(source: &dyn Source, encoding: &'static Encoding) -> Result<Self, Refusal> {
        Ok(Self { encoding, others: None, damaged: has_errors(source, encoding)? })
    }
}

/// The first bytes of a file, at most one buffer.
pub(crate) fn head(source: &dyn Source) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::new();
    source.open()?.take(BUFFER as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Decides the encoding of `source`, whose first bytes are `head`, unless somebody has `said` it.
pub(crate) fn detect(source: &dyn Source, head: &[u8], said: Option<&'static Encoding>) -> Result<Detected, Refusal> {
    let marked = Encoding::for_bom(head).map(|(encoding, _)| encoding);
    if let Some(encoding) = said.or(marked.filter(|encoding| *encoding != UTF_8)).or_else(|| utf16_without_mark(head)) {
        return Detected::whole(source, encoding);
    }
    if mostly_controls(head) {
        return Err(Refusal::Binary);
    }
    let Sequences { good, foreign, torn, foreign_lines, .. } = Sequences::count(source, head)?;
    if foreign == 0 && (torn == 0 || good / GOOD_FOR_EACH_BROKEN >= torn) {
        return Ok(Detected { encoding: UTF_8, others: None, damaged: torn > 0 });
    }
    let is_mixed = marked.is_some() || (good > 0 && foreign / FOREIGN_FOR_EACH_GOOD <= good);
    if foreign > 0 && is_mixed {
        let others = Some((guess_of_foreign(source)?, foreign_lines));
        return Ok(Detected { encoding: UTF_8, others, damaged: torn > 0 });
    }
    match marked {
        Some(encoding) => Detected::whole(source, encoding),
        None => Detected::whole(source, guess(source, |_| true)?),
    }
}

/// Whether a line is in no UTF-8 at all. One that has a good character and a broken one was UTF-8 until something cut it.
pub(super) fn is_foreign(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_err() && line.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
}

/// Text in UTF-16 is recognised by the zero bytes of its ASCII half: Excel's "Unicode text" often loses the mark on its way.
fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.chunks_exact(2).len();
    let zeros = |at: usize| head.chunks_exact(2).filter(|pair| pair.get(at) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    match pairs {
        0..=3 => None,
        _ if second * 10 >= pairs * 7 && first * 10 <= pairs => Some(UTF_16LE),
        _ if first * 10 >= pairs * 7 && second * 10 <= pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// A single zero byte is a broken cell; a tenth of the file in control characters is a program or a picture.
fn mostly_controls(head: &[u8]) -> bool {
    let controls = head.iter().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)).count();
    controls > 8 && controls * 10 > head.len()
}

/// What the lines of a file would be as UTF-8.
#[derive(Default)]
struct Sequences {
    /// Multi-byte sequences in lines that are wholly valid.
    good: u64,
    /// Bytes that belong to none, in lines without a good sequence.
    foreign: u64,
    /// The same in lines with one.
    torn: u64,
    foreign_lines: u64,
    /// The good sequences and the broken bytes of the line so far.
    line: (u64, u64),
    /// How many valid bytes have come since the last line end.
    length: usize,
}

impl Sequences {
    /// Counts to the end of `source`, or to a line that is refused for its length whatever it is in. JSON may be one line.
    fn count(source: &dyn Source, head: &[u8]) -> Result<Self, Refusal> {
        let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let is_json = start.starts_with(b"{") || start.starts_with(b"[");
        let mut file = source.open()?;
        let (mut counted, mut buffer, mut held) = (Self::default(), vec![0; BUFFER], 0);
        loop {
            let read = read_some(&mut *file, buffer.get_mut(held..).unwrap_or_default())?;
            let bytes = buffer.get(..held + read).unwrap_or_default();
            let left = counted.add(bytes);
            if read == 0 || (counted.length > ROW_BYTES && !is_json) {
                counted.line.1 += u64::from(left > 0);
                counted.end_line();
                return Ok(counted);
            }
            let keep = bytes.len() - left;
            buffer.copy_within(keep..keep + left, 0);
            held = left;
        }
    }

    /// Counts what is complete; the answer is how many bytes at the end wait for more.
    fn add(&mut self, mut bytes: &[u8]) -> usize {
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.add_valid(text.as_bytes());
                    return 0;
                }
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
            self.add_valid(valid);
            let Some(length) = error.error_len() else { return rest.len() };
            self.line.1 += 1;
            bytes = rest.get(length..).unwrap_or_default();
        }
    }

    /// The lines between the first line end and the last are wholly valid; those at the edges may not be.
    fn add_valid(&mut self, valid: &[u8]) {
        let ends = memchr2(b'\n', b'\r', valid).zip(memrchr2(b'\n', b'\r', valid));
        let Some((first, last)) = ends else {
            self.line.0 += leads(valid);
            self.length += valid.len();
            return;
        };
        self.line.0 += leads(valid.get(..first).unwrap_or_default());
        self.end_line();
        self.good += leads(valid.get(first..last).unwrap_or_default());
        self.line.0 = leads(valid.get(last..).unwrap_or_default());
        self.length = valid.len() - last;
    }

    fn end_line(&mut self) {
        match std::mem::take(&mut self.line) {
            (good, 0) => self.good += good,
            (0, broken) => {
                self.foreign += broken;
                self.foreign_lines += 1;
            }
            (_, broken) => self.torn += broken,
        }
    }
}

/// How many multi-byte sequences begin in valid UTF-8.
fn leads(valid: &[u8]) -> u64 {
    if valid.is_ascii() { 0 } else { valid.iter().filter(|byte| **byte >= 0xc0).count() as u64 }
}

/// Whether some bytes of `source` mean nothing in `encoding`.
fn has_errors(source: &dyn Source, encoding: &'static Encoding) -> Result<bool, Refusal> {
    let mut file = source.open()?;
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let (mut buffer, mut text) = (vec![0; BUFFER], String::with_capacity(BUFFER * 4));
    loop {
        let read = read_some(&mut *file, &mut buffer)?;
        text.clear();
        let (_, _, errors) = decoder.decode_to_string(buffer.get(..read).unwrap_or_default(), &mut text, read == 0);
        if errors || read == 0 {
            return Ok(errors);
        }
    }
}
