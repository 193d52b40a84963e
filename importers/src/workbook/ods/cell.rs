//! One cell: its value as it is kept, or its text as it is shown.

use super::super::values::number;
use super::super::xml::Tag;
use super::rows::repeated;
use crate::refusal::{CELL_BYTES, COLUMNS, Refusal};
use crate::table::{Row, Shape};

/// What the value of a cell is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Text,
    Number,
    Day,
    Time,
    Boolean,
    Error,
}

/// The cell that is being read.
#[derive(Default)]
pub(super) struct Cell {
    /// How many columns of the row are behind it.
    column: usize,
    again: usize,
    kind: Kind,
    value: String,
    text: String,
    paragraphs: usize,
    in_paragraph: bool,
    /// How deep in something that is no text of the cell: a comment, a picture, how a word is pronounced.
    aside: usize,
    covered: bool,
    /// It has a formula, and no result.
    uncalculated: bool,
}

impl Cell {
    pub(super) fn begin_row(&mut self) {
        self.column = 0;
    }

    pub(super) fn begin(&mut self, tag: &Tag<'_>) {
        *self = Self { column: self.column, ..Self::default() };
        self.again = usize::try_from(repeated(tag, "number-columns-repeated")).unwrap_or(1);
        // What a merged cell hides is not shown.
        self.covered = tag.name() == "covered-table-cell";
        self.uncalculated = tag.get("formula").is_some() && tag.get("value-type").is_none();
        let mut is_error = false;
        // The type stands there twice: once as the standard has it, and once with the errors that it does not have.
        tag.each(|key, value| match (key, value) {
            ("value-type", "error") => is_error = true,
            ("value-type", "float" | "percentage" | "currency") => self.kind = Kind::Number,
            ("value-type", "date") => self.kind = Kind::Day,
            ("value-type", "time") => self.kind = Kind::Time,
            ("value-type", "boolean") => self.kind = Kind::Boolean,
            ("value" | "date-value" | "time-value" | "boolean-value", value) => value.clone_into(&mut self.value),
            _ => {}
        });
        if is_error {
            self.kind = Kind::Error;
        }
        if self.kind == Kind::Text {
            self.value = tag.get("string-value").unwrap_or_default();
        }
    }

    /// An element inside the cell begins.
    pub(super) fn open(&mut self, tag: &Tag<'_>, row: u64) -> Result<(), Refusal> {
        match tag.name() {
            _ if self.aside > 0 => self.aside += 1,
            "p" | "h" => {
                self.in_paragraph = true;
                self.paragraphs += 1;
                if self.paragraphs > 1 {
                    return self.text("\n", row);
                }
            }
            "list" | "list-item" | "section" => {}
            // A shape, with a text of its own.
            _ if !self.in_paragraph => self.aside = 1,
            "annotation" | "frame" | "object" | "ruby-text" => self.aside = 1,
            "line-break" => return self.text("\n", row),
            "tab" => return self.text("\t", row),
            "s" => {
                let spaces = tag.get("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                return self.text(&" ".repeat(CELL_BYTES.saturating_add(1).min(spaces)), row);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn close(&mut self, name: &str) {
        match name {
            _ if self.aside > 0 => self.aside -= 1,
            "p" | "h" => self.in_paragraph = false,
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str, row: u64) -> Result<(), Refusal> {
        if self.in_paragraph && self.aside == 0 {
            self.text.push_str(text);
        }
        if self.text.len() > CELL_BYTES { Err(Refusal::CellTooLong { row }) } else { Ok(()) }
    }

    /// Puts the cell into its row, as often as it stands there, unless there is nothing in it.
    pub(super) fn end(&mut self, row: &mut Row) -> Result<(), Refusal> {
        let (text, shape) = self.shown();
        if text.is_empty() || self.covered {
            self.column = self.column.saturating_add(self.again);
            return Ok(());
        }
        for _ in 0..self.again {
            if self.column >= COLUMNS {
                return Err(Refusal::TooManyColumns { row: row.number });
            }
            row.pad(self.column);
            row.push(&text);
            row.end_cell(shape);
            row.check()?;
            self.column += 1;
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        let digits = self.value.as_bytes();
        digits.first().is_some_and(|first| matches!(first, b'1'..=b'9')) && digits.iter().all(u8::is_ascii_digit)
    }

    fn shown(&self) -> (String, Shape) {
        let text = || self.text.clone();
        match self.kind {
            Kind::Text if self.uncalculated => ("#N/A".to_owned(), Shape::Error),
            Kind::Text if self.paragraphs == 0 => (self.value.clone(), Shape::Text),
            Kind::Text => (text(), Shape::Text),
            Kind::Error => (text(), Shape::Error),
            Kind::Boolean => (self.value.clone(), Shape::Boolean),
            Kind::Day => (self.value.strip_suffix("T00:00:00").unwrap_or(&self.value).to_owned(), Shape::Text),
            Kind::Time => (clock(&self.value).unwrap_or_else(text), Shape::Text),
            // As a spreadsheet keeps it: one with more digits than it shows is an identifier, of which none may be lost.
            Kind::Number if self.is_whole() && !self.text.starts_with('0') => (self.value.clone(), Shape::Number),
            Kind::Number => match self.value.parse().ok().filter(|value: &f64| value.is_finite()).map(number) {
                // A format that puts zeros in front: a postcode, a reference.
                Some(value) if self.text.starts_with("0") && self.text.trim_start_matches('0') == value => (text(), Shape::Text),
                Some(value) => (value, Shape::Number),
                None => (text(), Shape::Text),
            },
        }
    }
}

/// `PT10H30M00S`, as a clock shows it.
fn clock(duration: &str) -> Option<String> {
    let (hours, rest) = duration.strip_prefix("PT")?.split_once('H')?;
    let (minutes, seconds) = rest.strip_suffix('S')?.split_once('M')?;
    let seconds = seconds.split(['.', ',']).next().unwrap_or_default();
    let is_number = |text: &str| !text.is_empty() && text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    [hours, minutes, seconds].into_iter().all(is_number).then(|| format!("{hours:0>2}:{minutes:0>2}:{seconds:0>2}"))
}
