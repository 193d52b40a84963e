//! Cells between separators (RFC 4180, and what people's programs make of it).
//!
//! Our own reader, because it must count empty lines, refuse a cell before it is held, and tell where a row begins. It takes
//! what spreadsheets take: a quotation mark opens a cell only as its first character, and text after the closing one is kept.

use memchr::{memchr, memchr2, memchr3};
use serde::{Deserialize, Serialize};

use super::row::{Row, Shape};
use crate::refusal::Refusal;
use crate::text::Text;

/// What ends a row outside of quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnds {
    /// `\r\n`, `\n` and `\r`, in any mixture.
    #[default]
    Any,
    /// Only `\r\n`: a `\n` by itself is a line break in a cell, from a program that puts no quotes around it.
    CrLf,
}

impl LineEnds {
    /// Whether any of them ends a row, which needs no mention.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn are_any(&self) -> bool {
        *self == Self::Any
    }
}

/// What tells cells and rows apart.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    delimiter: Option<u8>,
    ends: LineEnds,
}

impl Marks {
    pub(super) fn new(delimiter: Option<char>, ends: LineEnds) -> Self {
        Self { delimiter: delimiter.and_then(|letter| u8::try_from(letter).ok()), ends }
    }
}

/// The rows of a file.
pub(crate) struct Rows {
    text: Text,
    marks: Marks,
    number: u64,
    after_return: bool,
}

/// Where in a row the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first character of a cell.
    Start,
    /// In a cell without quotes, or behind its closing one.
    Plain,
    /// Between quotes.
    Quoted,
    /// At a quote between quotes: the closing one, or the first of two.
    Quote,
    /// Behind a `\r` that ends the row if a `\n` follows, where only both together do.
    Return,
}

impl Rows {
    /// Reads `text`, whose first line `sep=;` is not a row.
    pub(super) fn new(text: Text, marks: Marks) -> Result<Self, Refusal> {
        let mut rows = Self { text, marks, number: 0, after_return: false };
        rows.skip_separator_line()?;
        Ok(rows)
    }

    /// Reads the next row into `row`; false at the end of the file.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        row.begin(self.number + 1);
        let mut state = State::Start;
        loop {
            let Some(mut rest) = self.text.rest()? else { return self.end(row, state) };
            let mut used = 0;
            // The second half of a line end whose first half may have been in the last buffer.
            if std::mem::take(&mut self.after_return)
                && let Some(after) = rest.strip_prefix('\n')
            {
                (rest, used) = (after, 1);
            }
            let (taken, ended) = step(rest, self.marks, row, &mut state);
            self.text.consume(used + taken);
            row.check()?;
            if let Some(end) = ended {
                self.number += 1;
                self.after_return = end == b'\r';
                return Ok(true);
            }
        }
    }

    fn end(&mut self, row: &mut Row, state: State) -> Result<bool, Refusal> {
        if state == State::Quoted {
            return Err(Refusal::UnclosedQuote { row: row.number });
        }
        // Without this a file that ends in a line end would have an empty row below it.
        if row.is_untouched() && state == State::Start {
            return Ok(false);
        }
        row.end_cell(Shape::Text);
        row.check()?;
        self.number += 1;
        Ok(true)
    }

    fn skip_separator_line(&mut self) -> Result<(), Refusal> {
        let Some(rest) = self.text.rest()? else { return Ok(()) };
        if let Some((_, length)) = separator_line(rest) {
            self.text.consume(length);
        }
        Ok(())
    }
}

/// The separator that Excel's first line `sep=;` names, and the length of that line.
pub(super) fn separator_line(text: &str) -> Option<(char, usize)> {
    let mut rest = text.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and(text.get(4..))?.chars();
    let separator = rest.next().filter(|letter| super::delimiter::CANDIDATES.contains(letter))?;
    let rest = rest.as_str();
    let after = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']))?;
    Some((separator, text.len() - after.len()))
}

/// The beginning of a file, to look at before it is read.
pub(super) struct Sample {
    /// Its text, from the first character.
    pub(super) text: String,
    /// Whether that is all of it.
    pub(super) whole: bool,
}

impl Sample {
    /// Shows every complete row, with its number, to `see`; the first one also where it goes on beyond the sample.
    pub(super) fn rows(&self, marks: Marks, mut see: impl FnMut(&Row)) {
        self.ended_rows(marks, |row, _| see(row));
    }

    /// The same, with whether a row ends with `\r\n`.
    pub(super) fn ended_rows(&self, marks: Marks, mut see: impl FnMut(&Row, bool)) {
        let skipped = separator_line(&self.text).map_or(0, |(_, length)| length);
        let mut rest = self.text.get(skipped..).unwrap_or_default();
        let (mut row, mut number) = (Row::default(), 0);
        while !rest.is_empty() {
            number += 1;
            row.begin(number);
            let mut state = State::Start;
            let (used, end) = step(rest, marks, &mut row, &mut state);
            rest = rest.get(used..).unwrap_or_default();
            let after = rest.strip_prefix('\n').filter(|_| end == Some(b'\r'));
            match end {
                Some(_) => {}
                None if self.whole || number == 1 => row.end_cell(Shape::Text),
                None => return,
            }
            see(&row, after.is_some());
            rest = after.unwrap_or(rest);
        }
    }
}

/// Reads on through `text`: how many bytes were used, and the character that ended the row, if one did.
fn step(text: &str, marks: Marks, row: &mut Row, state: &mut State) -> (usize, Option<u8>) {
    let Marks { delimiter, ends } = marks;
    if *state == State::Start
        && row.is_untouched()
        && let Some((line, end, delimiter)) = plain_line(text, marks)
    {
        row.push_line(line, delimiter);
        return (line.len() + 1, Some(end));
    }
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match *state {
            State::Start if rest.starts_with('"') => {
                at += 1;
                *state = State::Quoted;
            }
            State::Quote if rest.starts_with('"') => {
                row.push("\"");
                at += 1;
                *state = State::Quoted;
            }
            State::Return if rest.starts_with('\n') => {
                row.end_cell(Shape::Text);
                return (at + 1, Some(b'\n'));
            }
            State::Return => {
                row.push("\r");
                *state = State::Plain;
            }
            State::Start | State::Quote => *state = State::Plain,
            State::Quoted => {
                let (inside, closes) = until(rest, memchr(b'"', rest.as_bytes()));
                row.push(inside);
                at += inside.len();
                if closes.is_some() {
                    at += 1;
                    *state = State::Quote;
                }
            }
            State::Plain => {
                let end = match delimiter {
                    Some(delimiter) => memchr3(b'\n', b'\r', delimiter, rest.as_bytes()),
                    None => memchr2(b'\n', b'\r', rest.as_bytes()),
                };
                let (inside, end) = until(rest, end);
                row.push(inside);
                at += inside.len();
                let Some(end) = end else { continue };
                at += 1;
                match (ends, end) {
                    (LineEnds::CrLf, b'\r') => {
                        *state = State::Return;
                        continue;
                    }
                    (LineEnds::CrLf, b'\n') => {
                        row.push("\n");
                        continue;
                    }
                    (LineEnds::Any | LineEnds::CrLf, _) => {}
                }
                row.end_cell(Shape::Text);
                *state = State::Start;
                if Some(end) != delimiter {
                    return (at, Some(end));
                }
            }
        }
    }
    (at, None)
}

/// The line that `text` begins with, what ends it and what separates its cells, if it is all there and has no quotation mark: what
/// the states below make of it is known at one look, and nearly all lines are such lines.
fn plain_line(text: &str, marks: Marks) -> Option<(&str, u8, u8)> {
    let delimiter = marks.delimiter.filter(|_| marks.ends.are_any())?;
    let (line, end) = until(text, memchr2(b'\n', b'\r', text.as_bytes()));
    let plain = memchr(b'"', line.as_bytes()).is_none();
    end.filter(|_| plain).map(|end| (line, end, delimiter))
}

/// The text before the ASCII byte that was found at `end`, and that byte.
fn until(text: &str, end: Option<usize>) -> (&str, Option<u8>) {
    let before = end.and_then(|end| text.get(..end));
    let stop = end.and_then(|end| text.as_bytes().get(end));
    (before.unwrap_or(text), stop.copied())
}
