//! One row of a table, in one buffer that is used again for the next.

use crate::fold::trim;
use crate::refusal::{CELL_BYTES, COLUMNS, ROW_BYTES, Refusal};

/// What a cell was in its file. Only JSON and workbooks have more than text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Text.
    Text,
    /// A number, in the notation of JSON.
    Number,
    /// `true` or `false`.
    Boolean,
    /// The error that a formula came to, or a formula whose result is not in the file.
    Error,
    /// A JSON array of scalars, as it was written.
    List,
    /// An object or an array of objects, whose contents stand in columns of their own.
    Nested,
}

/// One cell.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// What it was.
    pub(crate) shape: Shape,
    /// Its text.
    pub(crate) text: &'a str,
}

impl Cell<'_> {
    /// Whether there is nothing in it but white space.
    pub(crate) fn is_blank(self) -> bool {
        match self.shape {
            Shape::Text => trim(self.text).is_empty(),
            Shape::Number | Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => false,
        }
    }
}

/// One row.
#[derive(Clone, Default)]
pub(crate) struct Row {
    /// Its number, as a spreadsheet counts.
    pub(crate) number: u64,
    text: String,
    ends: Vec<usize>,
    shapes: Vec<Shape>,
    longest: usize,
}

impl Row {
    /// Begins row `number`.
    pub(crate) fn begin(&mut self, number: u64) {
        self.number = number;
        self.text.clear();
        self.ends.clear();
        self.shapes.clear();
        self.longest = 0;
    }

    /// Adds `text` to the cell that is being read.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends the cell that is being read.
    pub(crate) fn end_cell(&mut self, shape: Shape) {
        self.longest = self.longest.max(self.open());
        self.ends.push(self.text.len());
        self.shapes.push(shape);
    }

    /// Adds empty cells until there are `cells`.
    pub(crate) fn pad(&mut self, cells: usize) {
        while self.ends.len() < cells {
            self.end_cell(Shape::Text);
        }
    }

    /// How much text it has.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing has been read of it yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.ends.is_empty() && self.text.is_empty()
    }

    /// Refuses a row that has grown too large. Called often enough that it cannot grow by more than a buffer in between.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let row = self.number;
        if self.ends.len() > COLUMNS {
            return Err(Refusal::TooManyColumns { row });
        }
        if self.longest.max(self.open()) > CELL_BYTES {
            return Err(Refusal::CellTooLong { row });
        }
        if self.text.len() > ROW_BYTES {
            return Err(Refusal::RowTooLong { row });
        }
        Ok(())
    }

    /// How many cells it has.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`, counted from 0; an empty one beyond the end.
    pub(crate) fn cell(&self, index: usize) -> Cell<'_> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let range = start.zip(self.ends.get(index).copied());
        let text = range.and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default();
        Cell { shape: self.shapes.get(index).copied().unwrap_or(Shape::Text), text }
    }

    /// The cells from the first one on.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.len()).map(|index| self.cell(index))
    }

    /// Whether every cell is blank.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells().all(Cell::is_blank)
    }

    fn open(&self) -> usize {
        self.text.len() - self.ends.last().copied().unwrap_or(0)
    }
}
