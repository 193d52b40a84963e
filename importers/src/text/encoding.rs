//! Which encoding a file is in.
//!
//! Valid UTF-8 is always read as UTF-8. The rest is decided by the whole file, so that the one accent in row 90,000 counts.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::{BUFFER, read_some};
use crate::refusal::Refusal;
use crate::source::Source;

/// How much of a file without valid UTF-8 the detector sees, from the first byte that is not ASCII.
const GUESSED_FROM: usize = 1 << 20;

/// A file in UTF-8 with a few broken bytes is still UTF-8 if it has this many good sequences for each broken one.
const GOOD_FOR_EACH_BROKEN: u64 = 20;

/// What the bytes said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Detected {
    /// The encoding.
    pub(crate) encoding: &'static Encoding,
    /// Whether some bytes mean nothing in it, so that a U+FFFD in the text may stand for something lost.
    pub(crate) damaged: bool,
}

/// The first bytes of a file, at most one buffer.
pub(crate) fn head(source: &dyn Source) -> Result<Vec<u8>, Refusal> {
    let mut head = Vec::new();
    source.open()?.take(BUFFER as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Decides the encoding of `source`, whose first bytes are `head`, unless somebody has `said` it.
pub(crate) fn detect(source: &dyn Source, head: &[u8], said: Option<&'static Encoding>) -> Result<Detected, Refusal> {
    if let Some(encoding) = said {
        return Ok(Detected { encoding, damaged: has_errors(source, encoding)? });
    }
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(Detected { encoding, damaged: has_errors(source, encoding)? });
    }
    if let Some(encoding) = utf16_without_mark(head) {
        return Ok(Detected { encoding, damaged: has_errors(source, encoding)? });
    }
    if mostly_controls(head) {
        return Err(Refusal::Binary);
    }
    let sequences = Sequences::count(source)?;
    if sequences.broken == 0 {
        return Ok(Detected { encoding: UTF_8, damaged: false });
    }
    if sequences.good / GOOD_FOR_EACH_BROKEN >= sequences.broken {
        return Ok(Detected { encoding: UTF_8, damaged: true });
    }
    let encoding = guess(source)?;
    Ok(Detected { encoding, damaged: has_errors(source, encoding)? })
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

/// How many multi-byte sequences of UTF-8 a file has, and how many bytes that belong to none.
#[derive(Default)]
struct Sequences {
    good: u64,
    broken: u64,
}

impl Sequences {
    fn count(source: &dyn Source) -> Result<Self, Refusal> {
        let mut file = source.open()?;
        let (mut counted, mut buffer, mut held) = (Self::default(), vec![0; BUFFER], 0);
        loop {
            let read = read_some(&mut *file, buffer.get_mut(held..).unwrap_or_default())?;
            let bytes = buffer.get(..held + read).unwrap_or_default();
            let left = counted.add(bytes);
            if read == 0 {
                counted.broken += u64::from(left > 0);
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
                    self.good += leads(text.as_bytes());
                    return 0;
                }
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
            self.good += leads(valid);
            let Some(length) = error.error_len() else { return rest.len() };
            self.broken += 1;
            bytes = rest.get(length..).unwrap_or_default();
        }
    }
}

/// How many multi-byte sequences begin in valid UTF-8.
fn leads(valid: &[u8]) -> u64 {
    valid.iter().filter(|byte| **byte >= 0xc0).count() as u64
}

/// The likeliest of the older encodings; windows-1252 for most of what a European spreadsheet saves.
fn guess(source: &dyn Source) -> Result<&'static Encoding, Refusal> {
    let mut file = source.open()?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut buffer, mut fed) = (vec![0; BUFFER], 0);
    loop {
        let read = read_some(&mut *file, &mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if fed > 0 || !bytes.is_ascii() || read == 0 {
            detector.feed(bytes, read == 0);
            fed += read;
        }
        if read == 0 || fed >= GUESSED_FROM {
            return Ok(detector.guess(None, Utf8Detection::Deny));
        }
    }
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
