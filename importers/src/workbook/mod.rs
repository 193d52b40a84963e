//! Workbooks: sheets of cells that know what they are.
//!
//! Our own readers over `flate2`, `quick-xml` and `cfb`, because a sheet must be a stream: libraries that hold a sheet, or the part
//! it is in, take as much memory as somebody makes them. A cell shows what a spreadsheet program shows: the cached value of a
//! formula, a day for a number with the format of a day, and for merged cells the value of the first.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Format, Row};

mod archive;
mod bytes;
mod ods;
mod spool;
mod texts;
mod values;
mod xls;
mod xlsx;
mod xml;

use archive::Archive;
use ods::Ods;
use xls::Xls;
use xlsx::Xlsx;

pub(crate) use values::number as shown_number;

/// How much text the cells of one sheet may come to, however large it is.
const TEXT: u64 = 1 << 30;

/// How much text any sheet may come to, and how much for each byte of its part. A text is stored once and may be in a million cells,
/// each of which takes some thirty bytes to say so.
const SMALL_TEXT: u64 = 32 << 20;
const TEXT_FOR_EACH_BYTE: u64 = 20;

/// The most rows of a sheet: as many as spreadsheet programs have.
const SHEET_ROWS: u64 = 1 << 20;

/// Folders of archives that are known and no workbooks that we read.
const OTHERS: [(&str, &str); 3] = [("index/", "a workbook of Numbers"), ("word/", "a text document"), ("ppt/", "a presentation")];

/// One sheet.
#[derive(Clone)]
pub(crate) struct Sheet {
    /// Its name, on its tab.
    pub(crate) name: String,
    /// Whether people see it.
    pub(crate) visible: bool,
}

/// An open workbook.
pub(crate) struct Workbook(Book);

/// The same, by its format.
enum Book {
    Xlsx(Xlsx),
    Ods(Ods),
    Xls(Xls),
}

impl Workbook {
    /// Opens `source` if it is a workbook, which its first bytes tell; nothing otherwise.
    pub(crate) fn open(source: &dyn Source, head: &[u8]) -> Result<Option<Self>, Refusal> {
        if head.starts_with(b"PK\x03\x04") {
            return Self::unpack(spool::spool(source)?).map(Some);
        }
        if head.starts_with(b"\xd0\xcf\x11\xe0") {
            return Ok(Some(Self(Book::Xls(Xls::open(spool::spool(source)?)?))));
        }
        Ok(None)
    }

    fn unpack(file: Arc<File>) -> Result<Self, Refusal> {
        let archive = Archive::open(file)?;
        if archive.has("xl/workbook.bin") {
            return Err(Refusal::Unsupported("a binary workbook (xlsb)"));
        }
        if archive.has_folder("xl/") {
            return Ok(Self(Book::Xlsx(Xlsx::open(archive)?)));
        }
        if archive.has("content.xml") && archive.has("mimetype") {
            return Ok(Self(Book::Ods(Ods::open(archive)?)));
        }
        let other = OTHERS.iter().find(|(folder, _)| archive.has_folder(folder));
        Err(Refusal::Unsupported(other.map_or("an archive", |(_, what)| what)))
    }

    pub(crate) fn format(&self) -> Format {
        match &self.0 {
            Book::Xlsx(_) => Format::Xlsx,
            Book::Ods(_) => Format::Ods,
            Book::Xls(_) => Format::Xls,
        }
    }

    /// The name of the encoding that its text is in.
    pub(crate) fn encoding(&self) -> &'static str {
        match &self.0 {
            Book::Xlsx(_) | Book::Ods(_) => "utf-8",
            Book::Xls(_) => "utf-16le",
        }
    }

    /// Its sheets, in the order of their tabs.
    pub(crate) fn sheets(&self) -> &[Sheet] {
        match &self.0 {
            Book::Xlsx(book) => book.sheets(),
            Book::Ods(book) => book.sheets(),
            Book::Xls(book) => book.sheets(),
        }
    }

    /// How many bytes have to be unpacked to read a sheet.
    fn size(&self, sheet: usize) -> u64 {
        match &self.0 {
            Book::Xlsx(book) => book.size(sheet),
            Book::Ods(book) => book.size(sheet),
            Book::Xls(book) => book.size(sheet),
        }
    }

    /// The rows of one sheet.
    pub(crate) fn rows(&self, sheet: usize) -> Result<Rows, Refusal> {
        let filled = match &self.0 {
            Book::Xlsx(book) => Filled::Xlsx(book.rows(sheet)?),
            Book::Ods(book) => Filled::Ods(book.rows(sheet)?),
            Book::Xls(book) => Filled::Xls(book.rows(sheet)?),
        };
        let left = TEXT.min(SMALL_TEXT + self.size(sheet).saturating_mul(TEXT_FOR_EACH_BYTE));
        Ok(Rows { filled, held: Row::default(), is_held: false, number: 0, left })
    }
}

/// The rows of a sheet that have something in them.
enum Filled {
    Xlsx(xlsx::Rows),
    Ods(ods::Rows),
    Xls(xls::Rows),
}

impl Filled {
    fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        match self {
            Self::Xlsx(rows) => rows.next(row),
            Self::Ods(rows) => rows.next(row),
            Self::Xls(rows) => rows.next(row),
        }
    }

    fn passed(&self) -> u64 {
        match self {
            Self::Xlsx(rows) => rows.passed(),
            Self::Ods(rows) => rows.passed(),
            Self::Xls(rows) => rows.passed(),
        }
    }
}

/// The rows of a sheet, from the first one on. The last is the last with something in it: what is only coloured below is no row.
pub(crate) struct Rows {
    filled: Filled,
    held: Row,
    is_held: bool,
    number: u64,
    /// How much text may still come.
    left: u64,
}

impl Rows {
    /// Reads the next row into `row`; false at the end.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        if !self.is_held {
            if !self.next_filled()? {
                return Ok(false);
            }
            self.is_held = true;
        }
        self.number += 1;
        if self.held.number == self.number {
            std::mem::swap(row, &mut self.held);
            self.is_held = false;
        } else {
            row.begin(self.number);
        }
        Ok(true)
    }

    /// How many bytes it took to come here.
    pub(crate) fn passed(&self) -> u64 {
        self.filled.passed()
    }

    fn next_filled(&mut self) -> Result<bool, Refusal> {
        while self.filled.next(&mut self.held)? {
            let number = self.held.number;
            if number <= self.number || number > SHEET_ROWS {
                return Err(Refusal::DamagedWorkbook("its rows are not in order"));
            }
            self.left = self.left.checked_sub(self.held.bytes() as u64).ok_or(Refusal::WorkbookTooLarge)?;
            if !self.held.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What the system, or the packing, said. A file that is damaged must not be taken for one that cannot be had just now.
fn unpacking(kind: io::ErrorKind) -> Refusal {
    match kind {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            Refusal::DamagedWorkbook("a part of it cannot be unpacked")
        }
        kind => Refusal::Unreadable(kind),
    }
}
