//! One row of a table, in one buffer that is used again for the next.

use memchr::memchr_iter;

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
    marks: Vec<Mark>,
    /// Where the cell begins that is being read.
    start: usize,
    longest: usize,
}

/// Where in the text a cell is, and what it was. A row is far below 4 GiB.
#[derive(Clone, Copy)]
struct Mark {
    start: u32,
    end: u32,
    shape: Shape,
}

impl Row {
    /// Begins row `number`.
    pub(crate) fn begin(&mut self, number: u64) {
        self.number = number;
        self.text.clear();
        self.marks.clear();
        (self.start, self.longest) = (0, 0);
    }

    /// Adds `text` to the cell that is being read.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends the cell that is being read.
    pub(crate) fn end_cell(&mut self, shape: Shape) {
        self.mark(self.text.len(), shape);
        self.start = self.text.len();
    }

    /// Adds the cells of a whole line in which nothing but `delimiter` has a meaning.
    pub(crate) fn push_line(&mut self, line: &str, delimiter: u8) {
        let begin = self.text.len();
        self.text.push_str(line);
        for end in memchr_iter(delimiter, line.as_bytes()) {
            self.mark(begin + end, Shape::Text);
            self.start = begin + end + 1;
        }
        self.end_cell(Shape::Text);
    }

    /// Marks what was read of a cell as all of it.
    fn mark(&mut self, end: usize, shape: Shape) {
        self.longest = self.longest.max(end - self.start);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.marks.push(Mark { start: place(self.start), end: place(end), shape });
    }

    /// Adds empty cells until there are `cells`.
    pub(crate) fn pad(&mut self, cells: usize) {
        while self.marks.len() < cells {
            self.end_cell(Shape::Text);
        }
    }

    /// How much text it has.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing has been read of it yet.
    pub(crate) fn is_untouched(&self) -> bool {
        self.marks.is_empty() && self.text.is_empty()
    }

    /// Refuses a row that has grown too large. Called often enough that it cannot grow by more than a buffer in between.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let row = self.number;
        if self.marks.len() > COLUMNS {
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
        self.marks.len()
    }

    /// The cell at `index`, counted from 0; an empty one beyond the end.
    pub(crate) fn cell(&self, index: usize) -> Cell<'_> {
        self.marks.get(index).map_or(Cell { shape: Shape::Text, text: "" }, |mark| self.marked(*mark))
    }

    fn marked(&self, mark: Mark) -> Cell<'_> {
        let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        Cell { shape: mark.shape, text: self.text.get(at(mark.start)..at(mark.end)).unwrap_or_default() }
    }

    /// The cells from the first one on.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        self.marks.iter().map(|mark| self.marked(*mark))
    }

    /// Whether every cell is blank.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells().all(Cell::is_blank)
    }

    /// Whether there is no control character anywhere in it, which holds for nearly every row and is known at one look.
    pub(crate) fn is_plain(&self) -> bool {
        self.text.bytes().fold(true, |plain, byte| plain & (byte >= b' '))
    }

    /// Whether it is all ASCII.
    pub(crate) fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// How much memory it holds, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.text.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    /// How much of that it uses.
    pub(crate) fn used(&self) -> usize {
        self.text.len() + self.marks.len() * size_of::<Mark>()
    }

    fn open(&self) -> usize {
        self.text.len() - self.start
    }
}
