//! The marked list: a person's own file back, with what is wrong with each row in front of it.
//!
//! The first column is headed [`MARKS`] and says in words what is wrong, each problem behind a [`MARK`]; then come the columns of the
//! file, in their order and under their own headings, one line for each row below the header. Cells are as they were read, corrected ones as corrected. They are
//! written so that the same reading finds the same values again, in whichever format: a row that nobody touches comes to what it
//! came to. How the list is known when it comes back stands in [`returned`].

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;
use std::iter::Peekable;

use hayward_domain::schema::Schema;

use crate::draft::{Plan, Use};
use crate::fold::trim;
use crate::matching::Matching;
use crate::problem::Problem;
use crate::profile::{Profile, letter};
use crate::refusal::Refusal;
use crate::sheet::{SheetCell, SheetWriter, Unwritten};
use crate::source::Source;
use crate::table::{Cell, Format, Keys, Line, Row, Shape, csv_plain, csv_safe, push_csv_cell};

mod returned;

pub use returned::returned;
pub(crate) use returned::{LEFT_OUT, MARKS, is_mark};

/// What stands before each problem of a row. Every encoding and every spreadsheet keeps it, and no formula begins with it.
const MARK: &str = "! ";

/// The longest text that says what is wrong with one row, in characters: it has to fit into a cell.
const WORDS: usize = 16_000;

/// In which format a marked list goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkedFormat {
    /// Comma-separated values, safe to open in a spreadsheet.
    Csv,
    /// A workbook, in which the cells with a problem stand out.
    Xlsx,
}

/// Why there is no marked list.
#[derive(Debug, thiserror::Error)]
pub enum Unmarked {
    /// The file cannot be read again, or is not the one that the problems are of.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The list cannot be written.
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
}

/// A file, how it was read, and what was decided about it.
#[derive(Clone, Copy)]
pub struct Marked<'a> {
    /// The file.
    pub source: &'a dyn Source,
    /// What the first reading found.
    pub profile: &'a Profile,
    /// The schema of its list.
    pub schema: &'a Schema,
    /// Where its columns go.
    pub matching: &'a Matching,
}

impl Marked<'_> {
    /// Writes the list. `problems` are in the order of their rows; where there are more than these, `count` says how many in all, and
    /// the last line of the list tells.
    ///
    /// # Errors
    /// [`Unwritten::TooLarge`] where a workbook cannot hold it, [`Refusal::Changed`] where a problem is of a row that the file does not
    /// have, and whatever `problems` end with.
    pub fn write<E: From<Unmarked>>(
        &self,
        problems: impl Iterator<Item = Result<Problem, E>>,
        count: u64,
        format: MarkedFormat,
        out: impl Write + Send,
    ) -> Result<(), E> {
        let mut problems = problems.peekable();
        let columns = Columns::new(self);
        let mut list = List::begin(format, out, &columns).map_err(Unmarked::from)?;
        let reading = &self.profile.reading;
        let keys = Keys::new(self.profile.columns.iter().map(|column| column.header.clone()));
        let mut rows = reading.rows(self.source, keys).map_err(Unmarked::from)?;
        let mut row = Row::default();
        let mut told = 0;
        while let Some(line) = rows.next(&mut row).map_err(Unmarked::from)? {
            if reading.format.has_header() && row.number <= reading.header_row {
                continue;
            }
            let found = of_row(&mut problems, row.number)?;
            told += found.len() as u64;
            let line = if line == Line::Cells { Some(&row) } else { None };
            list.row(&columns, line, &found).map_err(Unmarked::from)?;
        }
        if problems.next().transpose()?.is_some() {
            return Err(Unmarked::from(Refusal::Changed).into());
        }
        if told < count {
            let more =
                format!("{MARK}{} more problems are not shown here: put these right and upload the list again", count - told);
            list.last_word(&more).map_err(Unmarked::from)?;
        }
        Ok(list.end().map_err(Unmarked::from)?)
    }
}

/// The problems of one row, which are the next ones.
fn of_row<E: From<Unmarked>>(
    problems: &mut Peekable<impl Iterator<Item = Result<Problem, E>>>,
    row: u64,
) -> Result<Vec<Problem>, E> {
    let mut found = Vec::new();
    while let Some(problem) = problems.next_if(|problem| problem.as_ref().map_or(true, |problem| problem.row <= row)) {
        let problem = problem?;
        if problem.row < row {
            return Err(Unmarked::from(Refusal::Changed).into());
        }
        found.push(problem);
    }
    Ok(found)
}

/// Everything that is wrong with a row, in words.
fn words(problems: &[Problem]) -> String {
    let mut words = String::new();
    for problem in problems {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(MARK);
        let heading = problem.header.as_deref().filter(|header| !header.is_empty());
        match (heading, &problem.column) {
            (Some(heading), _) => words.push_str(&format!("{heading}: ")),
            (None, Some(column)) => words.push_str(&format!("column {column}: ")),
            (None, None) => {}
        }
        words.push_str(&problem.message);
        if let Some(suggestion) = &problem.suggestion {
            words.push_str(&format!("; did you mean `{suggestion}`?"));
        }
    }
    match words.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

/// The columns of the file that stand in the list.
struct Columns {
    headings: Vec<String>,
    plan: Plan,
    /// How many of the first ones do not: an older list's marks.
    skipped: usize,
    from_csv: bool,
}

impl Columns {
    fn new(marked: &Marked<'_>) -> Self {
        let plan = Plan::new(marked.profile, marked.schema, marked.matching);
        let skipped = usize::from(plan.has_marks(marked.profile));
        let headings = marked.profile.columns.iter().skip(skipped).map(|column| column.header.clone()).collect();
        Self { headings, plan, skipped, from_csv: marked.profile.reading.format == Format::Csv }
    }

    /// The cell at `index` of a row of the file, as it stands in the list.
    fn cell<'a>(&'a self, row: &'a Row, index: usize) -> Shown<'a> {
        let cell = row.cell(index);
        let planned = self.plan.columns.get(index);
        let usage = planned.map(|column| &column.usage);
        let is_number = matches!(usage, Some(Use::Field(_, reader)) if reader.is_of_numbers());
        if let Some(fixed) = planned.and_then(|planned| planned.in_place_of(cell, row.number, self.from_csv)) {
            return Shown { shape: Shape::Text, text: Cow::Borrowed(fixed), is_number };
        }
        let text = match (cell.shape, usage) {
            (Shape::Text, _) => Cow::Borrowed(self.plain(cell)),
            (Shape::Nested, _) => Cow::Borrowed(""),
            (_, Some(Use::Field(_, reader))) => reader.written(cell),
            (_, Some(Use::Private(_) | Use::LeaveOut) | None) => Cow::Borrowed(cell.text),
        };
        Shown { shape: cell.shape, text, is_number }
    }

    /// A cell without what its own file needed to be safe.
    fn plain<'a>(&self, cell: Cell<'a>) -> &'a str {
        let plain = csv_plain(trim(cell.text));
        if self.from_csv && plain.len() < trim(cell.text).len() { plain } else { cell.text }
    }
}

/// What a cell of the file shows.
struct Shown<'a> {
    shape: Shape,
    text: Cow<'a, str>,
    /// It goes to a field of numbers.
    is_number: bool,
}

impl<'a> Shown<'a> {
    /// A spreadsheet runs no number, and `'-5` is no way to write one.
    fn csv(&self) -> Cow<'_, str> {
        let digits = self.text.strip_prefix('-').unwrap_or(&self.text);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
        match self.shape {
            Shape::Text if self.is_number && is_plain => Cow::Borrowed(&self.text),
            Shape::Number => Cow::Borrowed(&self.text),
            Shape::Text | Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => csv_safe(&self.text),
        }
    }

    fn sheet(self) -> SheetCell<'a> {
        match self.shape {
            _ if self.text.is_empty() => SheetCell::Blank,
            Shape::Number => SheetCell::number(self.text),
            Shape::Boolean => SheetCell::Truth(self.text == "true"),
            Shape::Text | Shape::Error | Shape::List | Shape::Nested => SheetCell::Text(self.text),
        }
    }
}

/// A list that is being written.
enum List<W: Write> {
    Csv { out: std::io::BufWriter<W>, line: String },
    Xlsx { sheet: Box<SheetWriter>, out: W },
}

impl<W: Write + Send> List<W> {
    fn begin(format: MarkedFormat, out: W, columns: &Columns) -> Result<Self, Unwritten> {
        let headings = std::iter::once(MARKS).chain(columns.headings.iter().map(String::as_str));
        match format {
            MarkedFormat::Xlsx => {
                // A cell with nothing in it is none, and then the last columns would not be there.
                let headings = headings.map(|heading| if heading.is_empty() { " " } else { heading });
                Ok(Self::Xlsx { sheet: Box::new(SheetWriter::new(headings, Some(0))?), out })
            }
            MarkedFormat::Csv => {
                let mut list = Self::Csv { out: std::io::BufWriter::new(out), line: String::new() };
                list.csv(headings.map(csv_safe))?;
                Ok(list)
            }
        }
    }

    /// Writes a row of the file, or an empty one for one that cannot be read.
    fn row(&mut self, columns: &Columns, row: Option<&Row>, problems: &[Problem]) -> Result<(), Unwritten> {
        let words = words(problems);
        let end = columns.plan.columns.len().max(row.map_or(0, Row::len));
        let cells = row.into_iter().flat_map(|row| (columns.skipped..end).map(move |index| (index, columns.cell(row, index))));
        match self {
            Self::Csv { .. } => {
                let blank = if row.is_none() { columns.headings.len() } else { 0 };
                let cells: Vec<Shown<'_>> = cells.map(|(_, cell)| cell).collect();
                let cells = cells.iter().map(Shown::csv).chain(std::iter::repeat_n(Cow::Borrowed(""), blank));
                self.csv(std::iter::once(csv_safe(&words)).chain(cells))
            }
            Self::Xlsx { sheet, .. } => {
                let wrong: HashSet<&str> = problems.iter().filter_map(|problem| problem.column.as_deref()).collect();
                let first = if words.is_empty() { SheetCell::Blank } else { SheetCell::Text(words.as_str().into()) };
                let cells =
                    cells.map(|(index, cell)| (cell.sheet(), !wrong.is_empty() && wrong.contains(letter(index).as_str())));
                sheet.row(std::iter::once((first, false)).chain(cells))
            }
        }
    }

    /// Writes a line that is about the list, and no row of it.
    fn last_word(&mut self, words: &str) -> Result<(), Unwritten> {
        match self {
            Self::Csv { .. } => self.csv(std::iter::once(csv_safe(words))),
            Self::Xlsx { sheet, .. } => sheet.row([(SheetCell::Text(words.into()), true)]),
        }
    }

    fn csv<'a>(&mut self, cells: impl Iterator<Item = Cow<'a, str>>) -> Result<(), Unwritten> {
        let Self::Csv { out, line } = self else { return Ok(()) };
        line.clear();
        for (cell, at) in cells.zip(0..) {
            if at > 0 {
                line.push(',');
            }
            push_csv_cell(line, &cell);
        }
        line.push_str("\r\n");
        Ok(out.write_all(line.as_bytes())?)
    }

    fn end(self) -> Result<(), Unwritten> {
        match self {
            Self::Csv { mut out, .. } => Ok(out.flush()?),
            Self::Xlsx { sheet, out } => sheet.save(out),
        }
    }
}
