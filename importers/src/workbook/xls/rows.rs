//! The rows of a sheet, as they stream by.

use std::sync::Arc;

use super::super::bytes::{u16_at, u32_at};
use super::super::values::{Shown, show};
use super::records::{self, Records};
use super::strings::{Fragments, whole};
use super::{CUT_OFF, Shared};
use crate::refusal::Refusal;
use crate::table::{Row, Shape};

/// The rows of one sheet that have something in them.
pub(in super::super) struct Rows {
    records: Records,
    shared: Arc<Shared>,
    /// A formula came to a text, which is in a record behind it.
    awaits_text: bool,
    ended: bool,
}

impl Rows {
    pub(super) fn new(mut records: Records, shared: Arc<Shared>) -> Result<Self, Refusal> {
        records.begin()?;
        Ok(Self { records, shared, awaits_text: false, ended: false })
    }

    /// How many bytes of the stream have been read.
    pub(in super::super) fn passed(&self) -> u64 {
        self.records.passed()
    }

    /// Reads the next row into `row`; false at the end of the sheet.
    pub(in super::super) fn next(&mut self, row: &mut Row) -> Result<bool, Refusal> {
        row.begin(0);
        let mut charts = 0_usize;
        while !self.ended {
            let Some(kind) = self.records.next()? else { return Err(CUT_OFF) };
            match kind {
                records::BOF => charts += 1,
                records::EOF if charts > 0 => charts -= 1,
                records::EOF => self.ended = true,
                _ if charts > 0 => {}
                records::STRING if self.awaits_text => self.string(row)?,
                _ if is_cell(kind) => {
                    self.end_text(row);
                    let number = u64::from(self.records.u16(0).ok_or(CUT_OFF)?) + 1;
                    if row.number != number && row.len() > 0 {
                        self.records.leave(kind);
                        return Ok(true);
                    }
                    row.number = number;
                    self.cell(kind, row)?;
                }
                _ => {}
            }
        }
        self.end_text(row);
        Ok(row.len() > 0)
    }

    fn cell(&mut self, kind: u16, row: &mut Row) -> Result<(), Refusal> {
        let records = &self.records;
        let column = usize::from(records.u16(2).ok_or(CUT_OFF)?);
        if column < row.len() {
            return Err(Refusal::DamagedWorkbook("its cells are not in order"));
        }
        row.pad(column);
        match kind {
            records::MUL_RK => {
                // Pairs of a style and a number, and the last column behind them.
                let pairs = records.data().get(4..records.data().len().saturating_sub(2)).ok_or(CUT_OFF)?;
                for pair in pairs.chunks_exact(6) {
                    let (style, number) = u16_at(pair, 0).zip(u32_at(pair, 2)).ok_or(CUT_OFF)?;
                    self.number(style, packed(number), row);
                }
            }
            records::NUMBER => self.number(self.style()?, records.f64(6).ok_or(CUT_OFF)?, row),
            records::RK => self.number(self.style()?, packed(records.u32(6).ok_or(CUT_OFF)?), row),
            records::LABEL_SST => {
                let number = records.u32(6).and_then(|number| usize::try_from(number).ok());
                row.push(number.and_then(|number| self.shared.texts.get(number)).ok_or(CUT_OFF)?);
                row.end_cell(Shape::Text);
            }
            records::LABEL => {
                row.push(&Fragments::new(records.data(), 6, &[]).text(2).ok_or(CUT_OFF)?);
                row.end_cell(Shape::Text);
            }
            records::BOOL_ERR => {
                let [value, is_error] = records.u16(6).ok_or(CUT_OFF)?.to_le_bytes();
                truth_or_error(value, is_error != 0, row);
            }
            _ => self.formula(row)?,
        }
        row.check()
    }

    fn formula(&mut self, row: &mut Row) -> Result<(), Refusal> {
        let records = &self.records;
        if records.u16(12) != Some(u16::MAX) {
            self.number(self.style()?, records.f64(6).ok_or(CUT_OFF)?, row);
            return Ok(());
        }
        let [kind, _] = records.u16(6).ok_or(CUT_OFF)?.to_le_bytes();
        let [value, _] = records.u16(8).ok_or(CUT_OFF)?.to_le_bytes();
        match kind {
            0 => self.awaits_text = true,
            1 | 2 => truth_or_error(value, kind == 2, row),
            _ => row.end_cell(Shape::Text),
        }
        Ok(())
    }

    fn string(&mut self, row: &mut Row) -> Result<(), Refusal> {
        let (bytes, breaks) = whole(&mut self.records)?;
        row.push(&Fragments::new(&bytes, 0, &breaks).text(2).ok_or(CUT_OFF)?);
        self.end_text(row);
        row.check()
    }

    fn end_text(&mut self, row: &mut Row) {
        if std::mem::take(&mut self.awaits_text) {
            row.end_cell(Shape::Text);
        }
    }

    fn style(&self) -> Result<u16, Refusal> {
        self.records.u16(4).ok_or(CUT_OFF)
    }

    fn number(&self, style: u16, value: f64, row: &mut Row) {
        let look = self.shared.looks.get(usize::from(style)).copied().unwrap_or_default();
        let (text, shape) = match show(value, look, self.shared.epoch) {
            Shown::Number(text) => (text, Shape::Number),
            Shown::Text(text) => (text, Shape::Text),
        };
        row.push(&text);
        row.end_cell(shape);
    }
}

fn is_cell(kind: u16) -> bool {
    [records::NUMBER, records::RK, records::MUL_RK, records::LABEL, records::LABEL_SST, records::BOOL_ERR, records::FORMULA]
        .contains(&kind)
}

/// A number in 30 bits: a whole one, or the upper half of a floating-point one; either may stand for a hundredth of itself.
fn packed(bits: u32) -> f64 {
    let number = if bits & 2 != 0 { f64::from(bits.cast_signed() >> 2) } else { f64::from_bits(u64::from(bits & !3) << 32) };
    if bits & 1 != 0 { number / 100.0 } else { number }
}

fn truth_or_error(value: u8, is_error: bool, row: &mut Row) {
    let (text, shape) = match (is_error, value) {
        (false, 0) => ("false", Shape::Boolean),
        (false, _) => ("true", Shape::Boolean),
        (true, 0x00) => ("#NULL!", Shape::Error),
        (true, 0x07) => ("#DIV/0!", Shape::Error),
        (true, 0x0f) => ("#VALUE!", Shape::Error),
        (true, 0x17) => ("#REF!", Shape::Error),
        (true, 0x1d) => ("#NAME?", Shape::Error),
        (true, 0x24) => ("#NUM!", Shape::Error),
        (true, _) => ("#N/A", Shape::Error),
    };
    row.push(text);
    row.end_cell(shape);
}
