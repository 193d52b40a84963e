//! Which sheet of a workbook is the list.
//!
//! The first one that people see and that has a table on it: a cover page with a title, or notes in one column, come before many a
//! list.

use super::Overrules;
use super::header::{Outline, header_row};
use super::row::Row;
use crate::refusal::Refusal;
use crate::workbook::Workbook;

/// How many rows of a sheet are looked at.
const ROWS: u64 = 1_000;

/// How much text of a sheet is looked at.
const TEXT: usize = 256 * 1024;

/// How many bytes are read of sheets that turn out to be no table, and of those that stand before them. All sheets of a workbook may
/// be the same large part.
const READ: u64 = 16 << 20;

/// A sheet, by its place among the others, and the row with its headings.
pub(super) struct Chosen {
    pub(super) sheet: usize,
    pub(super) header_row: u64,
}

/// What the top of a sheet looks like.
struct Top {
    header_row: u64,
    /// Whether it has headings side by side, with rows below.
    is_table: bool,
}

/// Chooses a sheet, unless a person has named one.
pub(super) fn choose(book: &Workbook, overrules: &Overrules) -> Result<Chosen, Refusal> {
    if let Some(name) = &overrules.sheet {
        let sheet = book.sheets().iter().position(|sheet| sheet.name == *name).ok_or(Refusal::NoSuchSheet)?;
        let header_row = match overrules.header_row {
            Some(row) => row,
            None => top(book, sheet, &mut 0)?.ok_or(Refusal::Empty)?.ok_or(Refusal::NoHeader)?.header_row,
        };
        return Ok(Chosen { sheet, header_row });
    }
    let (mut first, mut why, mut read) = (None, Refusal::Empty, 0);
    for (sheet, _) in book.sheets().iter().enumerate().filter(|(_, sheet)| sheet.visible) {
        if read > READ {
            break;
        }
        match top(book, sheet, &mut read)? {
            Some(Some(top)) => {
                let chosen = Chosen { sheet, header_row: overrules.header_row.unwrap_or(top.header_row) };
                if top.is_table {
                    return Ok(chosen);
                }
                first.get_or_insert(chosen);
            }
            Some(None) => why = Refusal::NoHeader,
            None => {}
        }
    }
    first.ok_or(why)
}

/// The top of a sheet: nothing if the sheet is empty, nothing within if it has no headings. What it takes is added to `read`.
fn top(book: &Workbook, sheet: usize, read: &mut u64) -> Result<Option<Option<Top>>, Refusal> {
    let mut rows = book.rows(sheet)?;
    let (mut row, mut outlines, mut text) = (Row::default(), Vec::new(), 0);
    while text < TEXT && row.number < ROWS && rows.next(&mut row)? {
        text += row.bytes();
        if !row.is_blank() {
            outlines.push(Outline::of(&row));
        }
    }
    *read += rows.passed();
    if outlines.is_empty() {
        return Ok(None);
    }
    let Some(header_row) = header_row(&outlines) else { return Ok(Some(None)) };
    let mut rest = outlines.iter().skip_while(|outline| outline.number < header_row);
    let is_table = rest.next().is_some_and(|header| header.filled > 1) && rest.next().is_some();
    Ok(Some(Some(Top { header_row, is_table })))
}
