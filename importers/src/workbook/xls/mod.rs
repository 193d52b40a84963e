//! Workbooks of Excel 97 to 2003 ([MS-XLS]): `.xls`, `.xlt`.
//!
//! One stream of records in a compound file: first what belongs to all sheets, then each sheet from a place that the first part
//! names. The stream is copied out of the compound file, where its pieces may lie in any order.

use std::fs::File;
use std::sync::Arc;

use super::Sheet;
use super::spool::keep;
use super::texts::Texts;
use super::values::{Epoch, Look};
use crate::refusal::Refusal;

mod records;
mod rows;
mod strings;

pub(super) use rows::Rows;

use records::Records;
use strings::Fragments;

/// The largest stream. A workbook of this kind with every cell filled is larger than any that was made by hand.
const STREAM: u64 = 256 << 20;

/// How many sheets, and how many formats, a workbook may have.
const MOST: usize = 100_000;

const CUT_OFF: Refusal = Refusal::DamagedWorkbook("its records are cut off");

/// An open workbook.
pub(super) struct Xls {
    stream: Arc<File>,
    sheets: Vec<Sheet>,
    places: Vec<u64>,
    shared: Arc<Shared>,
}

/// What the cells of all sheets refer to.
#[derive(Default)]
pub(super) struct Shared {
    texts: Texts,
    looks: Vec<Look>,
    epoch: Epoch,
}

impl Xls {
    /// Opens the workbook in the compound file `file`.
    pub(super) fn open(file: Arc<File>) -> Result<Self, Refusal> {
        let mut compound = cfb::CompoundFile::open(file).map_err(|_| Refusal::DamagedWorkbook("its parts cannot be found"))?;
        if compound.is_stream("/EncryptedPackage") {
            return Err(Refusal::EncryptedWorkbook);
        }
        if !compound.is_stream("/Workbook") {
            let old = compound.is_stream("/Book");
            return Err(Refusal::Unsupported(if old { "a workbook of Excel 95" } else { "an old document" }));
        }
        let stream = compound.open_stream("/Workbook").map_err(|_| CUT_OFF)?;
        let stream = keep(stream, STREAM).map_err(|refusal| match refusal {
            Refusal::Unreadable(kind) => super::unpacking(kind),
            refusal => refusal,
        })?;
        let mut book = Self { stream, sheets: Vec::new(), places: Vec::new(), shared: Arc::default() };
        book.read_globals()?;
        Ok(book)
    }

    /// Its sheets, in the order of their tabs.
    pub(super) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// How many bytes describe all of them.
    pub(super) fn size(&self, _: usize) -> u64 {
        self.stream.metadata().map_or(0, |stream| stream.len())
    }

    /// The rows of one sheet that have something in them.
    pub(super) fn rows(&self, sheet: usize) -> Result<Rows, Refusal> {
        let place = self.places.get(sheet).copied().ok_or(CUT_OFF)?;
        Rows::new(Records::new(&self.stream, place), Arc::clone(&self.shared))
    }

    fn read_globals(&mut self) -> Result<(), Refusal> {
        let mut records = Records::new(&self.stream, 0);
        records.begin()?;
        let (mut shared, mut spelled) = (Shared::default(), std::collections::HashMap::new());
        while let Some(kind) = records.next()? {
            match kind {
                records::FILE_PASS => return Err(Refusal::EncryptedWorkbook),
                records::DATE_MODE if records.u16(0) == Some(1) => shared.epoch = Epoch::From1904,
                records::FORMAT if spelled.len() < MOST => {
                    let code = Fragments::new(records.data(), 2, &[]).text(2).ok_or(CUT_OFF)?;
                    spelled.extend(records.u16(0).map(|number| (u32::from(number), Look::of(&code))));
                }
                records::XF if shared.looks.len() < MOST => {
                    let number = records.u16(2).map_or(0, u32::from);
                    shared.looks.push(spelled.get(&number).copied().unwrap_or_else(|| Look::built_in(number)));
                }
                records::BOUND_SHEET if self.sheets.len() < MOST => self.add_sheet(&records)?,
                records::SST => shared.texts = strings::read(&mut records)?,
                records::EOF => break,
                _ => {}
            }
        }
        self.shared = Arc::new(shared);
        Ok(())
    }

    fn add_sheet(&mut self, records: &Records) -> Result<(), Refusal> {
        let place = records.u32(0).ok_or(CUT_OFF)?;
        let flags = records.u16(4).ok_or(CUT_OFF)?;
        let name = Fragments::new(records.data(), 6, &[]).text(1).ok_or(CUT_OFF)?;
        // The high byte tells sheets from charts and macros, the low bits which are hidden.
        if flags >> 8 == 0 {
            self.sheets.push(Sheet { name, visible: flags & 3 == 0 });
            self.places.push(u64::from(place));
        }
        Ok(())
    }
}
