//! The records of the stream: a kind, a length, and as many bytes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use super::super::bytes::{f64_at, u16_at, u32_at};
use super::super::spool::Slice;
use super::CUT_OFF;
use crate::refusal::Refusal;

pub(super) const BOF: u16 = 0x0809;
pub(super) const BOOL_ERR: u16 = 0x0205;
pub(super) const BOUND_SHEET: u16 = 0x0085;
pub(super) const CONTINUE: u16 = 0x003c;
pub(super) const DATE_MODE: u16 = 0x0022;
pub(super) const EOF: u16 = 0x000a;
pub(super) const FILE_PASS: u16 = 0x002f;
pub(super) const FORMAT: u16 = 0x041e;
pub(super) const FORMULA: u16 = 0x0006;
pub(super) const LABEL: u16 = 0x0204;
pub(super) const LABEL_SST: u16 = 0x00fd;
pub(super) const MUL_RK: u16 = 0x00bd;
pub(super) const NUMBER: u16 = 0x0203;
pub(super) const RK: u16 = 0x027e;
pub(super) const SST: u16 = 0x00fc;
pub(super) const STRING: u16 = 0x0207;
pub(super) const XF: u16 = 0x00e0;

/// The version of Excel 97 and later.
const BIFF8: u16 = 0x0600;

/// The records from one place on.
pub(super) struct Records {
    stream: BufReader<Slice>,
    data: Vec<u8>,
    passed: u64,
    /// The kind of a record that was looked at and is not yet taken.
    ahead: Option<u16>,
}

impl Records {
    pub(super) fn new(stream: &Arc<File>, place: u64) -> Self {
        let stream = BufReader::with_capacity(64 * 1024, Slice::new(stream, place, u64::MAX));
        Self { stream, data: Vec::new(), passed: 0, ahead: None }
    }

    /// Passes over the record with which every part begins.
    pub(super) fn begin(&mut self) -> Result<(), Refusal> {
        match (self.next()?, self.u16(0)) {
            (Some(BOF), Some(BIFF8)) => Ok(()),
            (Some(BOF), Some(_)) => Err(Refusal::Unsupported("a workbook of Excel 95 or older")),
            _ => Err(CUT_OFF),
        }
    }

    /// How many bytes have been read.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Reads the next record: its kind; nothing at the end of the stream.
    pub(super) fn next(&mut self) -> Result<Option<u16>, Refusal> {
        if let Some(kind) = self.ahead.take() {
            return Ok(Some(kind));
        }
        self.data.clear();
        (&mut self.stream).take(4).read_to_end(&mut self.data)?;
        if self.data.is_empty() {
            return Ok(None);
        }
        let (kind, length) = self.u16(0).zip(self.u16(2)).ok_or(CUT_OFF)?;
        self.data.clear();
        let read = (&mut self.stream).take(u64::from(length)).read_to_end(&mut self.data)?;
        self.passed += 4 + u64::from(length);
        if read < usize::from(length) { Err(CUT_OFF) } else { Ok(Some(kind)) }
    }

    /// Reads the next record if it goes on with this one, whose contents are gone then. Another one is left for [`Self::next`].
    pub(super) fn next_if(&mut self, kind: u16) -> Result<bool, Refusal> {
        let next = self.next()?;
        if next == Some(kind) {
            return Ok(true);
        }
        self.ahead = next;
        Ok(false)
    }

    /// Leaves the record that was just read, of `kind`, for [`Self::next`].
    pub(super) fn leave(&mut self, kind: u16) {
        self.ahead = Some(kind);
    }

    /// The contents of the record.
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    pub(super) fn u16(&self, at: usize) -> Option<u16> {
        u16_at(&self.data, at)
    }

    pub(super) fn u32(&self, at: usize) -> Option<u32> {
        u32_at(&self.data, at)
    }

    pub(super) fn f64(&self, at: usize) -> Option<f64> {
        f64_at(&self.data, at)
    }
}
