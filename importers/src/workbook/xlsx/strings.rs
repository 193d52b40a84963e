//! The texts that cells refer to by number.

use std::borrow::Cow;

use super::super::archive::Part;
use super::super::xml::{Mark, Xml};
use crate::refusal::{CELL_BYTES, Refusal};

/// How much text is held, what it costs to find each one included.
const HELD: usize = 96 << 20;

/// All texts, one behind the other.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn read(part: Part) -> Result<Self, Refusal> {
        let mut xml = Xml::new(part);
        let mut strings = Self::default();
        let mut piece = Piece::default();
        loop {
            match xml.next(1)? {
                Mark::Open(tag) => piece.open(tag.name()),
                Mark::Close(tag) if tag.name() == "si" => strings.add(&piece.take())?,
                Mark::Close(tag) => piece.close(tag.name()),
                Mark::Text(text) => piece.text(&text, 1)?,
                Mark::End => return Ok(strings),
            }
        }
    }

    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let place = |number: usize| self.ends.get(number).and_then(|end| usize::try_from(*end).ok());
        let start = number.checked_sub(1).map_or(Some(0), place)?;
        self.text.get(start..place(number)?)
    }

    fn add(&mut self, text: &str) -> Result<(), Refusal> {
        self.text.push_str(text);
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| Refusal::WorkbookTooLarge)?);
        if self.text.len() + self.ends.len() * size_of::<u32>() > HELD { Err(Refusal::WorkbookTooLarge) } else { Ok(()) }
    }
}

/// One text while it is read: the `t` elements in it, except those that say how it is pronounced.
#[derive(Default)]
pub(super) struct Piece {
    text: String,
    in_text: bool,
    in_phonetic: bool,
}

impl Piece {
    pub(super) fn open(&mut self, name: &str) {
        self.in_text |= name == "t";
        self.in_phonetic |= name == "rPh";
    }

    pub(super) fn close(&mut self, name: &str) {
        self.in_text &= name != "t";
        self.in_phonetic &= name != "rPh";
    }

    pub(super) fn text(&mut self, text: &str, row: u64) -> Result<(), Refusal> {
        if self.in_text && !self.in_phonetic {
            self.text.push_str(text);
        }
        if self.text.len() > CELL_BYTES { Err(Refusal::CellTooLong { row }) } else { Ok(()) }
    }

    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        match unescaped(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(text) => text,
        }
    }
}

/// `_x000D_` is how Excel writes a character that XML cannot have (ECMA-376, part 1, 22.9.2.19), and `_x005F_` how it writes the
/// underscore of a text that only looks so.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find("_x") else { return Cow::Borrowed(text) };
    let (start, mut rest) = text.split_at(first);
    let mut plain = start.to_owned();
    while let Some(letter) = rest.chars().next() {
        let (character, length) = escape(rest).map_or((letter, letter.len_utf8()), |character| (character, 7));
        plain.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(plain)
}

fn escape(text: &str) -> Option<char> {
    let digits = text.strip_prefix("_x")?.get(..5)?.strip_suffix('_')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(digits, 16).ok()?).filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_have_come_back() {
        assert_eq!(unescaped("one_x000D_\ntwo"), "one\r\ntwo");
        assert_eq!(unescaped("_x005F_x000D_"), "_x000D_");
        assert_eq!(unescaped("_xyz_ _x12_ _x+00D_ é_x"), "_xyz_ _x12_ _x+00D_ é_x");
    }
}
