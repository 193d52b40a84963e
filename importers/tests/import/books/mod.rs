//! Workbooks for the corpus, made while the tests run.
//!
//! By `rust_xlsxwriter` where a workbook is as programs write it, and by hand where it is as only some do.

mod ods;
mod parts;
mod xlsx;

pub use ods::ods;
pub use parts::{Book, zipped};

/// Every workbook, with its name in the corpus.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    [xlsx::all(), ods::all()].concat()
}
