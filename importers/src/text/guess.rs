//! Which of the older encodings some lines are in, by what is common in the languages that are written in each.

use std::collections::HashSet;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_15, WINDOWS_1252};

use super::encoding::is_foreign;
use super::lines::Lines;
use crate::refusal::Refusal;
use crate::source::Source;

/// How much of a file without valid UTF-8 the detector sees, from the first byte that is not ASCII.
const GUESSED_FROM: usize = 1 << 20;

/// How many bytes of lines that are not UTF-8 are compared with the letters of those that are, and how many letters.
const COMPARED: usize = 64 << 10;
const LETTERS: usize = 10_000;

/// The likeliest of the older encodings for the lines that `wanted` picks; windows-1252 for most of what a European spreadsheet saves.
pub(super) fn guess(source: &dyn Source, wanted: impl Fn(&[u8]) -> bool) -> Result<&'static Encoding, Refusal> {
    let mut lines = Lines::new(source.open()?);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut fed, mut latin9) = (0, Latin9::default());
    while let Some(line) = lines.next()? {
        if line.is_ascii() || !wanted(line) {
            continue;
        }
        latin9.see(line);
        if fed < GUESSED_FROM {
            detector.feed(line, false);
            fed += line.len();
        }
    }
    detector.feed(b"", true);
    let guessed = detector.guess(None, Utf8Detection::Deny);
    Ok(if guessed == WINDOWS_1252 && latin9.is_likely() { ISO_8859_15 } else { guessed })
}

/// The likeliest encoding for the lines that are not UTF-8. They may be too few to tell, and those that are know the letters of the
/// language: between the first guess and windows-1252, the one that makes more of these letters wins.
pub(super) fn guess_of_foreign(source: &dyn Source) -> Result<&'static Encoding, Refusal> {
    let guessed = guess(source, is_foreign)?;
    let (mut letters, mut foreign) = (HashSet::new(), Vec::new());
    let mut lines = Lines::new(source.open()?);
    while let Some(line) = lines.next()?.filter(|_| foreign.len() < COMPARED) {
        match std::str::from_utf8(line) {
            Ok(text) if letters.len() < LETTERS => letters.extend(text.chars().filter(|letter| !letter.is_ascii())),
            Err(_) if is_foreign(line) => foreign.extend_from_slice(line),
            Ok(_) | Err(_) => {}
        }
    }
    let known = |encoding: &'static Encoding| {
        let (text, _) = encoding.decode_without_bom_handling(&foreign);
        text.chars().filter(|letter| letters.contains(letter)).count()
    };
    let is_western = guessed == WINDOWS_1252 || guessed == ISO_8859_15;
    Ok(if is_western || known(guessed) > known(WINDOWS_1252) { guessed } else { WINDOWS_1252 })
}

/// What tells ISO-8859-15 from windows-1252, which differ in few characters: the euro sign and the French ligatures stand where the
/// other has a sign of currency that nobody writes, and fractions; and what the other has between 0x80 and 0x9f is not there.
#[derive(Default)]
struct Latin9 {
    signs: u64,
    contradicted: bool,
}

impl Latin9 {
    fn see(&mut self, line: &[u8]) {
        self.contradicted |= line.iter().any(|byte| (0x80..=0x9f).contains(byte));
        let is_letter = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0xc0);
        let ligature = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| line.get(before));
            is_letter(line.get(at + 1)) && !before.is_some_and(u8::is_ascii_digit)
        };
        let is_sign = |(at, byte): (usize, &u8)| *byte == 0xa4 || (matches!(byte, 0xbc | 0xbd) && ligature(at));
        self.signs += line.iter().enumerate().filter(|sign| is_sign(*sign)).count() as u64;
    }

    fn is_likely(&self) -> bool {
        self.signs > 0 && !self.contradicted
    }
}
