//! Workbooks on their way out: one sheet, written row by row.
//!
//! A row is on disk before the next one is made, so that a million rows take as little memory as ten. What a cell shows is what it
//! holds, and what the importer reads back: text is text and never a formula (`007`, `1E5`, `=1+1`), a day is a day written as ISO
//! 8601, and a number is one only where a spreadsheet shows all of its digits. What a workbook cannot hold is refused, never cut.

use std::borrow::Cow;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::NaiveDate;
use rust_xlsxwriter::{Color, Format, IgnoreError, Workbook, Worksheet, XlsxError};
use serde_json::Value;

use crate::table::is_formula;
use crate::workbook::shown_number;

/// The rows of a sheet, the header counted (Excel's specifications and limits; other programs have no more).
const ROWS: u32 = 1 << 20;
/// Its columns.
const COLUMNS: usize = 1 << 14;
/// The longest text of a cell, in units of UTF-16.
const CELL: usize = 32_767;

/// The width of a column, in characters.
const WIDTH: f64 = 18.0;
/// Of one that holds sentences.
const WIDE: f64 = 60.0;

/// What is behind a cell that somebody should look at.
const LOOK_HERE: Color = Color::RGB(0x00FF_E08A);

/// Why a file was not written. Nothing of what it would have held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// A workbook cannot hold it.
    #[error("{0}")]
    TooLarge(String),
    /// The place where it was to be written does not take it.
    #[error("the file could not be written")]
    Failed(io::ErrorKind),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.kind())
    }
}

impl From<XlsxError> for Unwritten {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::IoError(error) => error.into(),
            _ => Self::Failed(io::ErrorKind::Other),
        }
    }
}

/// What stands in one cell.
#[derive(Clone, PartialEq)]
pub enum SheetCell<'a> {
    /// Nothing.
    Blank,
    /// Text, whatever it looks like.
    Text(Cow<'a, str>),
    /// A number that a spreadsheet shows as it is.
    Number(f64),
    /// True or false.
    Truth(bool),
    /// A day.
    Day(NaiveDate),
}

impl<'a> SheetCell<'a> {
    /// A value of a record; `is_day` where its field holds days.
    #[must_use]
    pub fn of(value: &'a Value, is_day: bool) -> Self {
        match value {
            Value::Null => Self::Blank,
            Value::Bool(truth) => Self::Truth(*truth),
            Value::Number(number) => Self::number(number.to_string()),
            Value::String(text) => day(text).filter(|_| is_day).map_or(Self::Text(text.into()), Self::Day),
            Value::Array(_) | Value::Object(_) => Self::Text(value.to_string().into()),
        }
    }

    /// The number that is written so, or this text where a spreadsheet would show another.
    pub(crate) fn number(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        match text.parse::<f64>() {
            Ok(number) if is_held(number) && shown_number(number) == text => Self::Number(number),
            _ => Self::Text(text),
        }
    }
}

/// Whether every spreadsheet knows numbers of this size.
fn is_held(number: f64) -> bool {
    number == 0.0 || (1e-300..1e300).contains(&number.abs())
}

/// The day that `text` is in ISO 8601, if it is one that all spreadsheets count alike: before March 1900 they differ.
fn day(text: &str) -> Option<NaiveDate> {
    let day: NaiveDate = text.parse().ok()?;
    let known = NaiveDate::from_ymd_opt(1900, 3, 1)?..=NaiveDate::from_ymd_opt(9999, 12, 31)?;
    (known.contains(&day) && day.to_string() == text).then_some(day)
}

/// A sheet that is being written.
pub struct SheetWriter {
    book: Workbook,
    rows: u32,
    plain: Looks,
    marked: Looks,
}

/// How cells look.
struct Looks {
    other: Format,
    /// Text that stays text when somebody goes into the cell and out again.
    quoted: Format,
    day: Format,
}

impl Looks {
    fn on(paper: &Format) -> Self {
        let (quoted, day) = (paper.clone().set_quote_prefix(), paper.clone().set_num_format("yyyy-mm-dd"));
        Self { other: paper.clone(), quoted, day }
    }
}

impl SheetWriter {
    /// Begins a sheet with these headings, which stay in sight. The column at `wide`, counted from 0, holds sentences.
    ///
    /// # Errors
    /// As [`Self::row`].
    pub fn new<'a>(headings: impl IntoIterator<Item = &'a str>, wide: Option<u16>) -> Result<Self, Unwritten> {
        let headings: Vec<&str> = headings.into_iter().collect();
        let last = u16::try_from(headings.len().saturating_sub(1)).ok().filter(|_| headings.len() <= COLUMNS);
        let last = last.ok_or_else(too_wide)?;
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory()?;
        sheet.set_freeze_panes(1, 0)?.set_column_range_width(0, last, WIDTH)?;
        if let Some(wide) = wide {
            sheet.set_column_width(wide, WIDE)?;
        }
        // Nobody wants to be told that an identifier could be a number.
        sheet.ignore_error_range(1, 0, ROWS - 1, last, IgnoreError::NumberStoredAsText)?;
        let bold = Looks::on(&Format::new().set_bold());
        for (heading, column) in headings.into_iter().zip(0..) {
            put(sheet, 0, column, &SheetCell::Text(heading.into()), &bold, false)?;
        }
        let (plain, marked) = (Looks::on(&Format::new()), Looks::on(&Format::new().set_background_color(LOOK_HERE)));
        Ok(Self { book, rows: 1, plain, marked })
    }

    /// Writes the next row. Cells that come with `true` are made to be looked at.
    ///
    /// # Errors
    /// [`Unwritten::TooLarge`] for a row or a cell that no workbook can have, [`Unwritten::Failed`] where the disk does not take it.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = (SheetCell<'a>, bool)>) -> Result<(), Unwritten> {
        if self.rows >= ROWS {
            return Err(Unwritten::TooLarge(format!("a workbook has at most {} rows below its header", ROWS - 1)));
        }
        unpanicked(|| {
            let sheet = self.book.worksheet_from_index(0)?;
            for (at, (cell, is_marked)) in cells.into_iter().enumerate() {
                let column = u16::try_from(at).ok().filter(|_| at < COLUMNS).ok_or_else(too_wide)?;
                put(sheet, self.rows, column, &cell, if is_marked { &self.marked } else { &self.plain }, is_marked)?;
            }
            self.rows += 1;
            Ok(())
        })
    }

    /// Puts the workbook together.
    ///
    /// # Errors
    /// [`Unwritten::Failed`].
    pub fn save(mut self, to: impl Write + Send) -> Result<(), Unwritten> {
        unpanicked(|| self.book.save_to_writer(to).map_err(Unwritten::from))
    }
}

/// The library panics where its temporary file is not taken, as on a full disk. What it was at is of no use then, and is not used.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, Unwritten>) -> Result<T, Unwritten> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Unwritten::Failed(io::ErrorKind::StorageFull)))
}

fn too_wide() -> Unwritten {
    Unwritten::TooLarge(format!("a workbook has at most {COLUMNS} columns"))
}

/// Writes one cell. A cell without a look of its own is written without one: most are, and it is quicker.
fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &SheetCell<'_>,
    looks: &Looks,
    is_marked: bool,
) -> Result<(), Unwritten> {
    match cell {
        SheetCell::Blank if is_marked => sheet.write_blank(row, column, &looks.other)?,
        SheetCell::Blank => return Ok(()),
        SheetCell::Text(text) => {
            if text.len() > CELL && text.encode_utf16().count() > CELL {
                let place = format!("row {} has a cell with more than {CELL} characters", row + 1);
                return Err(Unwritten::TooLarge(format!("{place}, which no workbook can hold")));
            }
            let look = if is_formula(text) { &looks.quoted } else { &looks.other };
            sheet.write_string_with_format(row, column, &**text, look)?
        }
        SheetCell::Number(number) => sheet.write_number_with_format(row, column, *number, &looks.other)?,
        SheetCell::Truth(truth) => sheet.write_boolean_with_format(row, column, *truth, &looks.other)?,
        SheetCell::Day(day) => {
            let serial = day.signed_duration_since(NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or(*day)).num_days();
            sheet.write_number_with_format(row, column, f64::from(i32::try_from(serial).unwrap_or(0)), &looks.day)?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
    use serde_json::json;

    use super::*;
    use crate::{HeldSource, grid, profile};

    fn sheet(headings: &[&str]) -> SheetWriter {
        SheetWriter::new(headings.iter().copied(), None).unwrap()
    }

    fn read(writer: SheetWriter) -> Vec<Vec<String>> {
        let mut bytes = Vec::new();
        writer.save(&mut bytes).unwrap();
        let source = HeldSource::new("list.xlsx", bytes);
        let profile = profile(&source).unwrap();
        grid(&source, &profile).unwrap().map(|row| row.unwrap().1).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let texts = [
            "007",
            "1E5",
            "+34600",
            "=1+1",
            "-5",
            "@x",
            "'x",
            "''=x",
            "two\nlines",
            "tab\tbed",
            "_x0041_",
            "\u{1}",
            "é ü 漢 🙂",
            "<&>\"",
            "12345678901234567890",
            "2024-02-30",
            "1899-12-31",
            "true",
            "#N/A",
        ];
        for text in texts {
            let mut writer = sheet(&["one", text]);
            let value = json!(text);
            writer.row([(SheetCell::of(&value, true), true), (SheetCell::of(&value, false), false)]).unwrap();
            assert_eq!(read(writer), [["one", text], [text, text]]);
        }
    }

    #[test]
    fn days_numbers_and_truths_are_what_they_are() {
        let values = [json!("2024-04-03"), json!(0.1), json!(41_000), json!(-3.703_79), json!(true), json!(1e300), json!(1e16)];
        let mut writer = sheet(&["d", "a", "b", "c", "t", "x", "y"]);
        writer.row(values.iter().map(|value| (SheetCell::of(value, true), false))).unwrap();
        let shown = ["2024-04-03", "0.1", "41000", "-3.70379", "true", &values[5].to_string(), &values[6].to_string()];
        assert_eq!(read(writer).last().unwrap(), &shown);
        // More digits than a spreadsheet shows are kept as text.
        for digits in [json!(9_007_199_254_740_993_i64), json!(0.1 + 0.2), json!(1e301)] {
            assert!(matches!(SheetCell::of(&digits, false), SheetCell::Text(text) if text == digits.to_string()));
        }
        assert!(matches!(SheetCell::of(&json!("2024-04-03"), false), SheetCell::Text(_)));
    }

    #[test]
    fn what_a_workbook_cannot_hold_is_refused() {
        let mut writer = sheet(&["one"]);
        writer.row([(SheetCell::Text("é".repeat(CELL).into()), false)]).unwrap();
        let refused = writer.row([(SheetCell::Text("🙂".repeat(CELL / 2 + 1).into()), false)]);
        assert!(matches!(refused, Err(Unwritten::TooLarge(why)) if why.starts_with("row 3 ")));
        let mut writer = sheet(&["one"]);
        writer.rows = ROWS;
        assert!(matches!(writer.row([(SheetCell::Blank, false)]), Err(Unwritten::TooLarge(_))));
        let wide = vec!["x"; COLUMNS + 1];
        assert!(matches!(SheetWriter::new(wide, None), Err(Unwritten::TooLarge(_))));
    }
}
