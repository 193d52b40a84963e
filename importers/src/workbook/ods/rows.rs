//! The rows of a sheet, as they stream by.
//!
//! A row or a cell that comes several times in a row is written once. What is empty may be repeated to the end of the sheet; what is
//! not counts each time.

use super::super::SHEET_ROWS;
use super::super::archive::Part;
use super::super::xml::{Mark, Tag, Xml};
use super::cell::Cell;
use crate::refusal::Refusal;
use crate::table::Row;

/// The largest number of rows or cells that one stands for: beyond what any sheet has, and far from where numbers overflow.
const MOST: u64 = 1 << 32;

/// The rows of one sheet that have something in them.
pub(in super::super) struct Rows {
    xml: Xml,
    /// How many sheets begin before the rows that are wanted, and that one.
    before: usize,
    depth: usize,
    cell: Cell,
    number: u64,
    /// How often the row that was read last stands there again.
    again: u64,
    last: Row,
    ended: bool,
}

impl Rows {
    pub(super) fn new(content: Part, sheet: usize) -> Self {
        let (xml, cell, last) = (Xml::new(content), Cell::default(), Row::default());
        Self { xml, before: sheet + 1, depth: 0, cell, number: 0, again: 0, last, ended: false }
    }

    /// How many bytes of its part have been read.
    pub(in super::super) fn passed(&self) -> u64 {
        self.xml.passed()
    }

    /// Reads the next row into `row`; false at the end of the sheet.
    pub(in super::super) fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        if self.again > 0 {
            self.repeat(row);
            return Ok(true);
        }
        while !self.ended {
            match self.xml.next(self.number)? {
                Mark::Open(tag) if tag.name() == "table" => {
                    self.depth += 1;
                    self.before -= usize::from(self.depth == 1 && self.before > 0);
                }
                Mark::Close(tag) if tag.name() == "table" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.ended = self.before == 0 && self.depth == 0;
                }
                _ if self.before > 0 || self.depth > 1 => {}
                Mark::Open(tag) => match tag.name() {
                    "table-row" => {
                        self.number += 1;
                        self.again = repeated(&tag, "number-rows-repeated") - 1;
                        row.begin(self.number);
                        self.cell.begin_row();
                    }
                    "table-cell" | "covered-table-cell" => self.cell.begin(&tag),
                    _ => self.cell.open(&tag, self.number)?,
                },
                Mark::Text(text) => self.cell.text(&text, self.number)?,
                Mark::Close(tag) => match tag.name() {
                    "table-cell" | "covered-table-cell" => self.cell.end(row)?,
                    "table-row" if row.len() > 0 => {
                        if self.number + self.again > SHEET_ROWS {
                            return Err(Refusal::DamagedWorkbook("it has more rows than a sheet can have"));
                        }
                        if self.again > 0 {
                            self.last.clone_from(row);
                        }
                        return Ok(true);
                    }
                    "table-row" => self.number += std::mem::take(&mut self.again),
                    name => self.cell.close(name),
                },
                Mark::End => self.ended = true,
            }
        }
        Ok(false)
    }

    /// The row that was read last, once more.
    fn repeat(&mut self, row: &mut Row) {
        self.again -= 1;
        self.number += 1;
        row.clone_from(&self.last);
        row.number = self.number;
    }
}

/// How often a row or a cell stands there, at least once.
pub(super) fn repeated(tag: &Tag<'_>, name: &str) -> u64 {
    tag.get(name).and_then(|times| times.parse().ok()).map_or(1, |times: u64| times.clamp(1, MOST))
}
