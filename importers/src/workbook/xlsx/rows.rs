//! The rows of a sheet, as they stream by.

use std::sync::Arc;

use super::super::archive::Part;
use super::super::values::{Look, Shown, show};
use super::super::xml::{Mark, Tag, Xml};
use super::Shared;
use super::strings::{Piece, unescaped};
use crate::refusal::{CELL_BYTES, COLUMNS, Refusal};
use crate::table::{Row, Shape};

const BAD_PLACE: Refusal = Refusal::DamagedWorkbook("a cell stands where no cell can");

/// The rows of one sheet that have something in them.
pub(in super::super) struct Rows {
    xml: Xml,
    shared: Arc<Shared>,
    cell: Cell,
    number: u64,
    ended: bool,
}

/// What the value of a cell is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Number,
    /// The number of a text.
    Shared,
    /// Text, of a formula or in the cell itself.
    Text,
    Boolean,
    Error,
}

/// The cell that is being read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: Kind,
    style: usize,
    value: String,
    in_value: bool,
    inline: Piece,
    has_value: bool,
    has_formula: bool,
}

impl Rows {
    pub(super) fn new(part: Part, shared: Arc<Shared>) -> Self {
        Self { xml: Xml::new(part), shared, cell: Cell::default(), number: 0, ended: false }
    }

    /// How many bytes of its part have been read.
    pub(in super::super) fn passed(&self) -> u64 {
        self.xml.passed()
    }

    /// Reads the next row into `row`; false at the end of the sheet.
    pub(in super::super) fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        while !self.ended {
            match self.xml.next(self.number)? {
                Mark::Open(tag) => match tag.name() {
                    "row" => {
                        self.number = row_number(&tag).map_or(Ok(self.number + 1), |number| number.ok_or(BAD_PLACE))?;
                        row.begin(self.number);
                        self.cell.column = 0;
                    }
                    "c" => self.cell.begin(&tag)?,
                    "v" => (self.cell.in_value, self.cell.has_value) = (true, true),
                    "f" => self.cell.has_formula = true,
                    name => self.cell.inline.open(name),
                },
                Mark::Text(text) => self.cell.text(&text, self.number)?,
                Mark::Close(tag) => match tag.name() {
                    "row" if row.len() > 0 => return Ok(true),
                    "c" => self.cell.end(&self.shared, row)?,
                    "v" => self.cell.in_value = false,
                    // What follows is how the sheet is printed.
                    "sheetData" => self.ended = true,
                    name => self.cell.inline.close(name),
                },
                Mark::End => self.ended = true,
            }
        }
        Ok(false)
    }
}

impl Cell {
    fn begin(&mut self, tag: &Tag<'_>) -> Result<(), Refusal> {
        (self.kind, self.style, self.has_value, self.has_formula) = (Kind::Number, 0, false, false);
        self.value.clear();
        let mut place = Some(self.column + 1);
        tag.each(|key, value| match key {
            "r" => place = column(value),
            "s" => self.style = value.parse().unwrap_or(0),
            "t" => self.kind = Kind::of(value),
            _ => {}
        });
        self.column = place.filter(|column| *column > self.column).ok_or(BAD_PLACE)?;
        Ok(())
    }

    fn text(&mut self, text: &str, row: u64) -> Result<(), Refusal> {
        if !self.in_value {
            return self.inline.text(text, row);
        }
        self.value.push_str(text);
        if self.value.len() > CELL_BYTES { Err(Refusal::CellTooLong { row }) } else { Ok(()) }
    }

    /// Puts the cell into its row, unless it is one of those that only have a colour.
    fn end(&mut self, shared: &Shared, row: &mut Row) -> Result<(), Refusal> {
        let inline = self.inline.take();
        let is_empty = self.value.trim().is_empty() && inline.is_empty();
        if is_empty && !self.is_uncalculated() {
            return Ok(());
        }
        if self.column > COLUMNS {
            return Err(Refusal::TooManyColumns { row: row.number });
        }
        row.pad(self.column - 1);
        let shape = match self.kind {
            _ if is_empty => {
                // Whoever wrote the file did not calculate. What it would come to is not ours to say.
                row.push("#N/A");
                Shape::Error
            }
            Kind::Shared => {
                let number = self.value.trim().parse().ok();
                row.push(number.and_then(|number| shared.texts.get(number)).ok_or(BAD_PLACE)?);
                Shape::Text
            }
            Kind::Text => {
                row.push(&unescaped(&self.value));
                row.push(&inline);
                Shape::Text
            }
            Kind::Boolean => {
                row.push(if self.value.trim() == "1" || self.value.trim() == "true" { "true" } else { "false" });
                Shape::Boolean
            }
            Kind::Error => {
                row.push(&self.value);
                Shape::Error
            }
            Kind::Number => self.number(shared, row),
        };
        row.end_cell(shape);
        row.check()
    }

    /// Whether there is a formula and no result, which an empty text may be and an empty number is not.
    fn is_uncalculated(&self) -> bool {
        self.has_formula && !(self.has_value && self.kind == Kind::Text)
    }

    fn number(&self, shared: &Shared, row: &mut Row) -> Shape {
        let look = shared.looks.get(self.style).copied().unwrap_or_default();
        let raw = self.value.trim();
        // Nearly every number; and one with more digits than a spreadsheet shows is an identifier, of which none may be lost.
        if look == Look::Plain && raw.bytes().all(|byte| byte.is_ascii_digit()) && (raw == "0" || !raw.starts_with('0')) {
            row.push(raw);
            return Shape::Number;
        }
        let shown = raw.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| show(value, look, shared.epoch));
        let (text, shape) = match &shown {
            Some(Shown::Number(text)) => (text.as_str(), Shape::Number),
            Some(Shown::Text(text)) => (text.as_str(), Shape::Text),
            None => (raw, Shape::Text),
        };
        row.push(text);
        shape
    }
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "s" => Self::Shared,
            "b" => Self::Boolean,
            "e" => Self::Error,
            "n" => Self::Number,
            // `d` is a day in ISO 8601.
            _ => Self::Text,
        }
    }
}

/// The number that a row says it has, where it says so.
fn row_number(tag: &Tag<'_>) -> Option<Option<u64>> {
    let mut number = None;
    tag.each(|key, value| {
        if key == "r" {
            number = Some(value.parse().ok());
        }
    });
    number
}

/// The number of the column of `AB12`, counted from 1.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    letters.take(4).try_fold(0_usize, |column, letter| Some(column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1))
}
