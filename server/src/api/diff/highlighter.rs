//! The difference as CSV in the format of daff: what its specification calls the tabular diff format, 0.8, or highlighter diff.
//!
//! `daff patch` applies it to the CSV export of before and gets the export of afterwards, rows in the export's order.
//!
//! * A cell is spelled as in the export, apostrophe before a formula included. What the format puts before it begins no formula: no
//!   spreadsheet reads `->` as one, whatever follows.
//! * Every column is there, since daff finds a record again by what its cells were. It looks at the five columns that have most
//!   different values; a list whose records are not told apart by those is beyond it.
//! * A row's tag is the separator of its changed cells: `->`, with more dashes where a cell of the row holds that already.
//! * Changed rows are never said to be neighbours unless they are; otherwise daff would put them next to each other. So a row of dots
//!   stands between them: dots that no record has, since daff looks for a record there too.
//! * A record of which daff cannot read the change goes and comes back instead: where only spaces differ, which daff marks for the eye
//!   in the very text that it writes, and where the cell was the word `NULL`.
//! * A blank is an empty cell, as in the export, never `NULL`, and the word `NULL` is quoted: daff takes it bare for no value.

use std::borrow::Cow;
use std::iter::once;

use hayward_store::{DiffColumn, DiffRow, Difference, RowChange};
use serde_json::Value;

use hayward_importers::is_nil;

use crate::api::format::{cell_text, push_line};

/// The tag, and the cells, of a row that stands for others that are left out.
const GAP: &str = "...";
/// Its cells where a record has such a cell; what begins so is spelled otherwise in an export.
const OTHER_GAP: &str = "@...";

/// What every such difference begins with: which columns come and go, where any do, and the header.
#[must_use]
pub fn head(columns: &[DiffColumn]) -> String {
    let mut text = String::new();
    if columns.iter().any(|column| !column.before || !column.after) {
        let marks = columns.iter().map(|column| match (column.before, column.after) {
            (false, _) => "+++",
            (true, false) => "---",
            (true, true) => "",
        });
        push_line(&mut text, once("!").chain(marks).map(Cow::Borrowed));
    }
    let names: Vec<Value> = columns.iter().map(|column| column.name.as_str().into()).collect();
    push_line(&mut text, once(Cow::Borrowed("@@")).chain(names.iter().map(cell_text)));
    text
}

/// Appends one record.
pub fn push(text: &mut String, difference: &Difference, row: &DiffRow) {
    if !row.follows {
        let cell = if difference.has_dots { OTHER_GAP } else { GAP };
        push_row(text, GAP, difference.columns.iter().map(|_| Cow::Borrowed(cell)));
    }
    push_record(text, &difference.columns, row);
}

fn push_record(text: &mut String, columns: &[DiffColumn], row: &DiffRow) {
    let before = spelled(row.before.as_deref());
    let after = spelled(row.after.as_deref());
    match row.change {
        RowChange::Created => push_row(text, "+++", after.iter().cloned()),
        RowChange::Removed => push_row(text, "---", before.iter().cloned()),
        RowChange::Updated | RowChange::Kept => push_changed(text, columns, &before, &after),
    }
}

fn spelled(cells: Option<&[Value]>) -> Vec<Cow<'_, str>> {
    cells.unwrap_or_default().iter().map(cell_text).collect()
}

fn push_row<'a>(text: &mut String, tag: &'a str, cells: impl Iterator<Item = Cow<'a, str>>) {
    push_line(text, once(Cow::Borrowed(tag)).chain(cells));
}

fn push_changed(text: &mut String, columns: &[DiffColumn], before: &[Cow<'_, str>], after: &[Cow<'_, str>]) {
    let cells = || columns.iter().zip(before.iter().zip(after)).map(|(column, (old, new))| (column, &**old, &**new));
    let stays = |column: &DiffColumn| column.before && column.after;
    if cells().any(|(column, old, new)| stays(column) && old != new && !is_read_back(old, new)) {
        push_row(text, "---", before.iter().cloned());
        push_row(text, "+++", after.iter().cloned());
        return;
    }
    let separator = separator(before.iter().chain(after));
    let mut tag = "";
    let mut row = Vec::with_capacity(columns.len());
    for (column, old, new) in cells() {
        row.push(match (column.before, column.after) {
            (true, true) if old != new => {
                tag = &separator;
                Cow::Owned(format!("{}{separator}{}", old, told(new)))
            }
            (true, _) => Cow::Borrowed(old),
            (false, _) => {
                // A column that appears: blank is a value there, too.
                if tag.is_empty() {
                    tag = "+";
                }
                Cow::Borrowed(new)
            }
        });
    }
    push_row(text, tag, row.into_iter());
}

/// Whether daff reads a change of one text into the other as it is meant.
fn is_read_back(old: &str, new: &str) -> bool {
    !is_nil(old) && !old.chars().filter(|letter| *letter != ' ').eq(new.chars().filter(|letter| *letter != ' '))
}

/// A text behind a separator, where a bare `NULL` would be no value.
fn told(text: &str) -> Cow<'_, str> {
    if is_nil(text) { Cow::Owned(format!("_{text}")) } else { Cow::Borrowed(text) }
}

/// An arrow that none of the cells holds: with one dash more than the longest in them.
fn separator<'a>(cells: impl Iterator<Item = &'a Cow<'a, str>>) -> String {
    let dashes = |(at, _): (usize, &str), cell: &str| {
        cell.get(..at).unwrap_or_default().bytes().rev().take_while(|byte| *byte == b'-').count()
    };
    let longest = cells.flat_map(|cell| cell.match_indices('>').map(|arrow| dashes(arrow, cell))).max().unwrap_or(0);
    format!("{}>", "-".repeat(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, new: &str) -> String {
        let column = DiffColumn { name: "a".to_owned(), before: true, after: true, is_key: false, differs: true };
        let mut text = String::new();
        let cells = |text: &str| Some(vec![Value::from(text)]);
        let row = DiffRow {
            change: RowChange::Updated,
            row: None,
            follows: true,
            key: Value::Null,
            before: cells(old),
            after: cells(new),
        };
        push_record(&mut text, &[column], &row);
        text
    }

    #[test]
    fn a_change_is_told_by_a_separator_that_neither_side_holds() {
        assert_eq!(changed("x", "y"), "->,x->y\r\n");
        assert_eq!(changed("", "y"), "->,->y\r\n");
        assert_eq!(changed("x", ""), "->,x->\r\n");
        assert_eq!(changed("a->b", "c"), "-->,a->b-->c\r\n");
        assert_eq!(changed("c", "--->"), "---->,c---->'--->\r\n");
        assert_eq!(changed("x", "=1"), "->,x->'=1\r\n");
    }

    #[test]
    fn what_daff_would_not_read_back_goes_and_comes() {
        assert_eq!(changed("a b", "ab"), "---,a b\r\n+++,ab\r\n");
        assert_eq!(changed("NULL", "x"), "---,\"NULL\"\r\n+++,x\r\n");
        assert_eq!(changed("x", "NULL"), "->,x->_NULL\r\n");
        assert_eq!(changed("x", "__NULL"), "->,x->___NULL\r\n");
    }
}
