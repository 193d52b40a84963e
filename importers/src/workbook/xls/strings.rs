//! Texts, which may go on in the next record.
//!
//! A text has one or two bytes a character, and may change between them where a record ends.

use super::super::bytes::{u16_at, u32_at};
use super::super::texts::Texts;
use super::CUT_OFF;
use super::records::{CONTINUE, Records};
use crate::refusal::Refusal;

/// How many bytes of texts are held.
const HELD: usize = 64 << 20;

/// Characters have two bytes.
const WIDE: u8 = 1;
/// How a text is pronounced stands behind it.
const PHONETIC: u8 = 4;
/// Which parts of a text are bold stands behind it.
const RICH: u8 = 8;

/// Reads the table of texts that begins with the record that `records` stand at.
pub(super) fn read(records: &mut Records) -> Result<Texts, Refusal> {
    let (bytes, breaks) = whole(records)?;
    let count = u32_at(&bytes, 4).ok_or(CUT_OFF)?;
    let mut fragments = Fragments::new(&bytes, 8, &breaks);
    let mut texts = Texts::default();
    for _ in 0..count {
        texts.add(&fragments.text(2).ok_or(CUT_OFF)?)?;
    }
    Ok(texts)
}

/// The bytes of the record that `records` stand at and of those that go on with it, and where each of those begins.
pub(super) fn whole(records: &mut Records) -> Result<(Vec<u8>, Vec<usize>), Refusal> {
    let (mut bytes, mut breaks) = (records.data().to_vec(), Vec::new());
    while records.next_if(CONTINUE)? {
        breaks.push(bytes.len());
        bytes.extend_from_slice(records.data());
        if bytes.len() > HELD {
            return Err(Refusal::WorkbookTooLarge);
        }
    }
    Ok((bytes, breaks))
}

/// Bytes of several records, read from one text to the next.
pub(super) struct Fragments<'a> {
    bytes: &'a [u8],
    at: usize,
    breaks: &'a [usize],
}

impl<'a> Fragments<'a> {
    /// Reads `bytes` from `at` on; at each of `breaks` another record begins.
    pub(super) fn new(bytes: &'a [u8], at: usize, breaks: &'a [usize]) -> Self {
        Self { bytes, at, breaks }
    }

    /// The next text, whose length has so many bytes; nothing if it is cut off.
    pub(super) fn text(&mut self, length_bytes: usize) -> Option<String> {
        let length = match length_bytes {
            1 => u16::from(*self.bytes.get(self.at)?),
            _ => u16_at(self.bytes, self.at)?,
        };
        let mut flags = *self.bytes.get(self.at + length_bytes)?;
        self.at += length_bytes + 1;
        let mut behind = 0;
        if flags & RICH != 0 {
            behind += usize::from(u16_at(self.bytes, self.at)?) * 4;
            self.at += 2;
        }
        if flags & PHONETIC != 0 {
            behind += usize::try_from(u32_at(self.bytes, self.at)?).ok()?;
            self.at += 4;
        }
        let (mut units, mut left) = (Vec::with_capacity(usize::from(length)), usize::from(length));
        while left > 0 {
            left -= self.characters(left, flags & WIDE != 0, &mut units)?;
            if left > 0 {
                flags = *self.bytes.get(self.at)?;
                self.at += 1;
            }
        }
        self.at += behind;
        Some(String::from_utf16_lossy(&units))
    }

    /// Reads `wanted` characters, or as many as there are before the next record; how many it were.
    fn characters(&mut self, wanted: usize, wide: bool, units: &mut Vec<u16>) -> Option<usize> {
        let width = if wide { 2 } else { 1 };
        let next = self.breaks.partition_point(|place| *place < self.at);
        let end = self.breaks.get(next).copied().unwrap_or(self.bytes.len());
        // At the very end of a record there is none, and the next record goes on, with flags of its own.
        let count = wanted.min(end.saturating_sub(self.at) / width);
        let bytes = self.bytes.get(self.at..self.at + count * width)?;
        if wide {
            units.extend(bytes.chunks_exact(2).filter_map(|pair| u16_at(pair, 0)));
        } else {
            units.extend(bytes.iter().copied().map(u16::from));
        }
        self.at += count * width;
        (count > 0 || self.at < self.bytes.len()).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_go_on_in_the_next_record_with_wider_characters() {
        let bytes = b"\x04\x00\x00ab\x01\xe9\x00\xac\x20\x01\x00\x00z";
        let mut fragments = Fragments::new(bytes, 0, &[5]);
        assert_eq!(fragments.text(2).as_deref(), Some("abé€"));
        assert_eq!(fragments.text(2).as_deref(), Some("z"));
        assert_eq!(fragments.text(2), None);
    }

    #[test]
    fn a_text_may_begin_in_the_record_behind_its_length() {
        let bytes = b"\x02\x00\x00\x01\xe9\x00\xac\x20\x01\x00\x00z";
        let mut fragments = Fragments::new(bytes, 0, &[3]);
        assert_eq!([fragments.text(2), fragments.text(2)].map(Option::unwrap_or_default), ["é€", "z"]);
    }

    #[test]
    fn a_text_that_is_cut_off_is_none() {
        assert_eq!(Fragments::new(b"\x04\x00\x00ab", 0, &[]).text(2), None);
        assert_eq!(Fragments::new(b"\x04\x00", 0, &[]).text(2), None);
    }
}
