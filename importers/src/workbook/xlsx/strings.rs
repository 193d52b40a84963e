//! The texts that cells refer to by number.

use std::borrow::Cow;

use super::super::archive::Part;
use super::super::texts::Texts;
use super::super::xml::{Mark, Xml};
use crate::refusal::{CELL_BYTES, Refusal};

/// Reads the part with the texts of all cells.
pub(super) fn read(part: Part) -> Result<Texts, Refusal> {
    let mut xml = Xml::new(part);
    let (mut texts, mut piece) = (Texts::default(), Piece::default());
    loop {
        match xml.next(1)? {
            Mark::Open(tag) => piece.open(tag.name()),
            Mark::Close(tag) if tag.name() == "si" => texts.add(&piece.take())?,
            Mark::Close(tag) => piece.close(tag.name()),
            Mark::Text(text) => piece.text(&text, 1)?,
            Mark::End => return Ok(texts),
        }
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
