//! Cells that a spreadsheet would take for formulas.
//!
//! Exports write text through [`csv_safe`]; the importer takes back exactly what that added. An apostrophe that stood there
//! before gets another one, so that nothing is lost on the way out and in.

use std::borrow::Cow;

/// `cell` as it may stand in a CSV file that somebody opens in a spreadsheet: with an apostrophe before what would become a
/// formula. For text; a negative number is better written as it is.
#[must_use]
pub fn csv_safe(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// What [`csv_safe`] was given.
#[must_use]
pub fn csv_plain(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a spreadsheet might take this for something to calculate.
pub(crate) fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Adds `cell` to a line of CSV, in quotes where it needs them.
pub fn push_csv_cell(line: &mut String, cell: &str) {
    if cell.contains(['"', ',', '\r', '\n', ';', '\t']) || cell.starts_with(' ') || cell.ends_with(' ') || is_nil(cell) {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
}

/// Whether some programs would take it for no value at all, or for another one's name for that: daff is one of them.
#[must_use]
pub fn is_nil(text: &str) -> bool {
    text.trim_start_matches('_') == "NULL"
}
