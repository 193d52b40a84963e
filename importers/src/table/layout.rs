//! Finds out what kind of file it is, from its name and its first bytes.

use encoding_rs::Encoding;

use super::csv::{Marks, Sample};
use super::header::{Outline, header_row};
use super::sheets::{self, Chosen};
use super::{Format, Keys, Overrules, Reading, Rows, delimiter};
use crate::fold::trim;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::text::{Text, detect, head};
use crate::workbook::Workbook;

/// How much text the vote over the separator sees.
const SAMPLE: usize = 256 * 1024;

/// Beginnings of files that are no text, or not the text they look like, and what they are.
const KNOWN: [(&[u8], &str); 9] = [
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
    (b"BZh9", "a compressed file"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\xff\xfe\0\0", "text in UTF-32"),
    (b"\0\0\xfe\xff", "text in UTF-32"),
];

/// Words of workbooks that are one file of XML, and what they are.
const MARKUP: [(&str, &str); 2] = [
    ("urn:schemas-microsoft-com:office:spreadsheet", "an XML workbook of Excel 2003"),
    ("urn:oasis:names:tc:opendocument:xmlns:office", "a flat workbook of OpenDocument"),
];

/// How to read a file.
pub(crate) struct Layout {
    /// What people see of it.
    pub(crate) reading: Reading,
    /// Whether some bytes mean nothing in the file's encoding.
    pub(crate) damaged: bool,
    /// How many lines are not in the file's encoding, and were read in another.
    pub(crate) foreign_lines: u64,
    /// The workbook, so that it is opened once.
    book: Option<Workbook>,
}

impl Layout {
    /// The rows of the `source` that it was found for, from the first one on.
    pub(crate) fn rows(&self, source: &dyn Source) -> Result<Rows, Refusal> {
        match &self.book {
            Some(book) => self.reading.sheet_of(book),
            None => self.reading.rows(source, Keys::default()),
        }
    }
}

/// Finds out how to read `source`, as far as `overrules` do not say it.
///
/// # Errors
/// Where it is no table in any format that is known here.
pub(crate) fn find(source: &dyn Source, overrules: &Overrules) -> Result<Layout, Refusal> {
    let head = head(source)?;
    if head.is_empty() {
        return Err(Refusal::Empty);
    }
    if let Some(book) = Workbook::open(source, &head)? {
        return in_workbook(book, overrules);
    }
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| head.starts_with(start)) {
        return Err(Refusal::Unsupported(what));
    }
    let detected = detect(source, &head, overrules.encoding()?)?;
    let other = detected.others.map(|(encoding, _)| encoding);
    let sample = sample(Text::new(source.open()?, detected.encoding, other))?;
    let start = trim(&sample.text);
    if start.is_empty() && sample.whole {
        return Err(Refusal::Empty);
    }
    let named = |encoding: &'static Encoding| encoding.name().to_ascii_lowercase();
    let mut reading = Reading::new(format(source.name(), start), named(detected.encoding));
    reading.mixed_with = other.map(named);
    let format = reading.format;
    if format == Format::Csv {
        if is_markup(start) {
            let known = MARKUP.iter().find(|(word, _)| start.contains(word));
            return Err(known.map_or(Refusal::NotATable, |(_, what)| Refusal::Unsupported(what)));
        }
        reading.delimiter = overrules.delimiter()?.or_else(|| delimiter::vote(&sample));
        reading.line_ends = overrules.line_ends.unwrap_or_else(|| delimiter::line_ends(&sample, reading.delimiter));
        reading.header_row = match overrules.header_row {
            Some(row) => row,
            None => {
                let marks = Marks::new(reading.delimiter, reading.line_ends);
                header_row(&outlines(&sample, marks)).ok_or(Refusal::NoHeader)?
            }
        };
    }
    let foreign_lines = detected.others.map_or(0, |(_, lines)| lines);
    Ok(Layout { reading, damaged: detected.damaged, foreign_lines, book: None })
}

fn in_workbook(book: Workbook, overrules: &Overrules) -> Result<Layout, Refusal> {
    let Chosen { sheet, header_row } = sheets::choose(&book, overrules)?;
    let sheet = book.sheets().get(sheet).map(|sheet| sheet.name.clone());
    let sheets = book.sheets().iter().map(|sheet| sheet.name.clone()).collect();
    let reading = Reading { header_row, sheet, sheets, ..Reading::new(book.format(), book.encoding().to_owned()) };
    Ok(Layout { reading, damaged: false, foreign_lines: 0, book: Some(book) })
}

fn outlines(sample: &Sample, marks: Marks) -> Vec<Outline> {
    let mut outlines = Vec::new();
    sample.rows(marks, |row| {
        if !row.is_blank() {
            outlines.push(Outline::of(row));
        }
    });
    outlines
}

fn sample(mut text: Text) -> Result<Sample, Refusal> {
    let mut sample = Sample { text: String::new(), whole: false };
    while sample.text.len() < SAMPLE {
        let Some(rest) = text.rest()? else {
            sample.whole = true;
            break;
        };
        sample.text.push_str(rest);
        let length = rest.len();
        text.consume(length);
    }
    Ok(sample)
}

/// The name decides between formats that begin alike; without a telling name the first character does.
fn format(name: &str, start: &str) -> Format {
    let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    match (ending.as_str(), start.chars().next()) {
        ("csv" | "tsv" | "tab", _) => Format::Csv,
        ("ndjson" | "jsonl", _) => Format::Ndjson,
        (_, Some('{')) if is_collection(start) => Format::Geojson,
        ("json", Some('[')) => Format::Json,
        (_, Some('[')) if begins_array(start) => Format::Json,
        (_, Some('{')) => one_or_many(start),
        ("json", _) => Format::Json,
        (_, _) => Format::Csv,
    }
}

/// A heading may begin with a bracket too, but not with a second one behind it.
fn begins_array(start: &str) -> bool {
    start.strip_prefix('[').is_some_and(|inside| inside.trim_start().starts_with(['{', '[', ']']))
}

/// Whether an object begins that has features. Its type may stand behind them, but theirs does not.
fn is_collection(start: &str) -> bool {
    let has = |word: &str| start.contains(word);
    has("\"features\"") && (has("\"FeatureCollection\"") || has("\"Feature\""))
}

/// A file that begins with an object has either one object a line, or one object over many lines.
fn one_or_many(start: &str) -> Format {
    let first = start.lines().next().unwrap_or_default();
    let complete = serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    if complete && start.len() > first.len() { Format::Ndjson } else { Format::Json }
}

/// Web pages are what a failed download leaves in a file called `list.csv`.
fn is_markup(start: &str) -> bool {
    let start = start.get(..9).unwrap_or(start).to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml")
}
