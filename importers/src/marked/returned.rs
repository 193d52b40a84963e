//! How a marked list is known when it comes back.
//!
//! A file may be a marked list where its first column is headed [`MARKS`] and every cell in it that is not blank is one of our
//! sentences, behind a [`MARK`]. Rows may have gone, come or moved, sentences may have been emptied; a single word of somebody's own
//! makes the column theirs. It *is* the marked list of an import where, besides, its other headings are those of that import's file,
//! in their order: only the store can say so.
//!
//! INVARIANT: a column that is left out as marks holds nothing that is not ours. So the column is left out without a question only
//! where the rule above holds for the very file, never because it was so last time; a person may decide otherwise about it.
//! INVARIANT: a row that has nothing but marks is a blank row.

use super::MARK;
use crate::fold::trim;
use crate::matching::{ColumnDecision, Decision, Matching};
use crate::profile::{ColumnProfile, Profile, headings, letter};
use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Format, Line, Overrules, Row, find};

/// What stands above the first column.
pub(crate) const MARKS: &str = "problems";

/// Why that column is left out when it comes back.
pub(crate) const LEFT_OUT: &str = "it says what was wrong with the rows when the list was marked";

/// Whether a cell of that column is one of our sentences.
pub(crate) fn is_mark(text: &str) -> bool {
    trim(text).starts_with(MARK.trim_end())
}

/// The headings of the list that was marked, if `source` may be a marked list. Reads all of it only where its first heading is ours.
///
/// # Errors
/// Where it cannot be read as `overrules` says.
pub fn returned(source: &dyn Source, overrules: &Overrules) -> Result<Option<Vec<String>>, Refusal> {
    let layout = find(source, overrules)?;
    let mut rows = layout.rows(source)?;
    let (header_row, has_header) = (layout.reading.header_row, layout.reading.format.has_header());
    let mut row = Row::default();
    while row.number < header_row {
        if !has_header || rows.next(&mut row)?.is_none() {
            return Ok(None);
        }
    }
    let mut columns = headings(&row, layout.reading.format).into_iter().map(|column| column.header);
    if columns.next().as_deref() != Some(MARKS) {
        return Ok(None);
    }
    while let Some(line) = rows.next(&mut row)? {
        let cell = row.cell(0);
        if line == Line::Cells && !cell.is_blank() && !is_mark(cell.text) {
            return Ok(None);
        }
    }
    Ok(Some(to_the_last(columns.collect())))
}

/// Up to the last one that says something: programs drop the others, or add some.
fn to_the_last<T: AsRef<str>>(mut headings: Vec<T>) -> Vec<T> {
    while headings.last().is_some_and(|heading| heading.as_ref().is_empty()) {
        headings.pop();
    }
    headings
}

impl Profile {
    /// The headings of the columns, without that of marks that `matching` leaves out, as [`returned`] gives them.
    #[must_use]
    pub fn own_headings(&self, matching: &Matching) -> Vec<&str> {
        let skipped = usize::from(matching.leaves_out_marks(self));
        to_the_last(self.columns.iter().skip(skipped).map(|column| column.header.as_str()).collect())
    }
}

impl Matching {
    /// Whether the first column is marks, and left out.
    pub(crate) fn leaves_out_marks(&self, profile: &Profile) -> bool {
        profile.marked
            && profile.columns.first().and_then(|column| self.at(&column.letter)).is_some_and(ColumnDecision::is_of_marks)
    }

    /// What was decided about the file of `profile`, for the marked list of it. Corrections stand in its cells.
    #[must_use]
    pub fn for_marked(&self, profile: &Profile) -> Self {
        let skipped = usize::from(self.leaves_out_marks(profile));
        let (column, header, field) = (letter(0), MARKS.to_owned(), Some(Decision::LeaveOut));
        let marks = ColumnDecision { column, header, field, ..ColumnDecision::default() };
        let own =
            profile.columns.iter().skip(skipped).enumerate().map(|(index, column)| ColumnDecision {
                column: letter(index + 1),
                ..self.read_as(column, profile.reading.format)
            });
        let columns = std::iter::once(marks).chain(own).collect();
        Self { columns, fixes: Vec::new(), ..self.clone() }
    }

    /// The decision about a column. Numbers that were no text in their file are text in a list of CSV, and there they are written with
    /// the decimal mark of the others: nobody has to be asked which that is.
    fn read_as(&self, column: &ColumnProfile, format: Format) -> ColumnDecision {
        let (letter, header) = (column.letter.clone(), column.header.clone());
        let unspoken = ColumnDecision { column: letter, header, ..ColumnDecision::default() };
        let mut said = self.at(&column.letter).cloned().unwrap_or(unspoken);
        if format != Format::Csv && said.goes_to().is_some() {
            said.numbers = said.numbers.or(column.tally.decimal_mark());
        }
        said
    }
}

impl ColumnDecision {
    /// Whether it leaves out marks. Such a decision is about one file: the next one may have a column of its own under that heading.
    pub(crate) fn is_of_marks(&self) -> bool {
        self.column == "A" && self.header == MARKS && self.field == Some(Decision::LeaveOut)
    }
}
