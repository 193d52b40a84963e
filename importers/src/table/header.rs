//! Which row of a CSV file or of a sheet holds the headings.
//!
//! People put titles, dates and empty lines above their tables. Such a line fills few of the columns that the rows fill, wherever else
//! it has something; a header fills most of them and has words in it.

use crate::fold::trim;
use crate::read::{dates, links, numbers};
use crate::table::row::{Cell, Row};

/// How many filled rows from the top may be titles.
const TITLES: usize = 20;

/// The longest heading, in characters; what is longer is prose.
const HEADING: usize = 120;

/// What matters of a row near the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// Its number.
    pub(super) number: u64,
    /// How many of its cells have something in them.
    pub(super) filled: usize,
    words: usize,
    /// Which of the first 64 columns have something in them, the first as the lowest bit.
    columns: u64,
}

impl Outline {
    pub(super) fn of(row: &Row) -> Self {
        let filled = row.cells().filter(|cell| !cell.is_blank()).count();
        let first = row.cells().zip(0..u64::BITS).filter(|(cell, _)| !cell.is_blank());
        let columns = first.fold(0, |columns, (_, column)| columns | 1 << column);
        Self { number: row.number, filled, words: row.cells().filter(is_heading).count(), columns }
    }
}

/// The number of the header row among the rows that are not blank; nothing if none has a heading in it.
pub(super) fn header_row(rows: &[Outline]) -> Option<u64> {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.filled).collect();
    widths.sort_unstable();
    let typical = widths.get(widths.len() / 2).copied().unwrap_or(0);
    let usual = usual_columns(rows);
    let top = rows.get(..TITLES.min(rows.len())).unwrap_or_default();
    let mut rest = top;
    while let Some((row, below)) = rest.split_first() {
        let header_below = below.iter().any(|row| row.filled >= typical.max(2) && row.words == row.filled);
        let misses = (row.columns & usual).count_ones() * 2 <= usual.count_ones();
        let is_title = (row.filled * 2 <= typical || misses) && header_below;
        if !is_title {
            return (row.words > 0).then_some(row.number);
        }
        rest = below;
    }
    None
}

/// The columns that have something in them in more than half of the rows, as in [`Outline::columns`].
fn usual_columns(rows: &[Outline]) -> u64 {
    let filled = |column: u32| rows.iter().filter(|row| row.columns >> column & 1 == 1).count();
    (0..u64::BITS).filter(|column| filled(*column) * 2 > rows.len()).fold(0, |usual, column| usual | 1 << column)
}

/// Whether a cell may name a column: words, and nothing that is clearly a value.
fn is_heading(cell: &Cell<'_>) -> bool {
    let text = trim(cell.text);
    text.chars().any(char::is_alphabetic)
        && text.chars().nth(HEADING).is_none()
        && dates::weigh(text) == dates::Fit::None
        && numbers::weigh(text) == numbers::Fit::None
        && !links::looks_like_email(text)
        && !links::has_scheme(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, filled: usize, words: usize) -> Outline {
        Outline { number, filled, words, columns: (1 << filled) - 1 }
    }

    #[test]
    fn titles_above_the_header_are_passed_over() {
        let rows = [row(1, 1, 1), row(3, 2, 1), row(4, 6, 6), row(5, 6, 3), row(6, 5, 3)];
        assert_eq!(header_row(&rows), Some(4));
    }

    #[test]
    fn a_header_shorter_than_its_rows_is_still_the_header() {
        let rows = [row(1, 2, 2), row(2, 5, 3), row(3, 5, 2), row(4, 5, 3)];
        assert_eq!(header_row(&rows), Some(1));
    }

    #[test]
    fn a_title_that_is_wider_than_the_table_is_passed_over() {
        let title = Outline { number: 1, filled: 4, words: 3, columns: 0b111_0001 };
        assert_eq!(header_row(&[title, row(2, 3, 3), row(3, 3, 2), row(4, 3, 2)]), Some(2));
        // A header whose list goes on to the right, and an empty first column.
        let sparse = Outline { number: 1, filled: 3, words: 3, columns: 0b1_0011 };
        assert_eq!(header_row(&[sparse, row(2, 3, 3), row(3, 3, 2)]), Some(1));
    }

    #[test]
    fn rows_of_values_have_no_header() {
        assert_eq!(header_row(&[row(1, 3, 0), row(2, 3, 0)]), None);
        assert_eq!(header_row(&[]), None);
    }

    #[test]
    fn one_column_has_a_header_too() {
        assert_eq!(header_row(&[row(1, 1, 1), row(2, 1, 1)]), Some(1));
    }
}
