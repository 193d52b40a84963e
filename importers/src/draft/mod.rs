//! The second reading of a file: every row below the header as a change that could be made, or as what is wrong with it.
//!
//! Each row gives exactly one [`DraftRow`], and no row waits for another: what is kept between rows is a hash of every key, so
//! that a key that comes twice is found. Whether a row changes anything is not known here; that takes the live edition.

use hayward_domain::schema::{FieldName, Schema};

use crate::matching::Matching;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::read::Counts;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Format, Keys, Line, Row, Rows};

mod plan;
mod ready;
mod seen;
mod typing;

pub use ready::{DraftRow, Ready};

use plan::Plan;
use seen::Seen;

/// Something that was done to many cells without being asked, because nothing is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// `trimmed`, `line-breaks`, `apostrophes` or `schemes`.
    pub rule: &'static str,
    /// To how many cells.
    pub count: u64,
}

/// The rows of a file under one matching.
pub struct Draft {
    rows: Rows,
    row: Row,
    schema: Schema,
    plan: Plan,
    key: Vec<FieldName>,
    damaged: bool,
    is_csv: bool,
    counts: Counts,
    seen: Seen,
    left: u64,
    ended: bool,
}

/// Reads `source` again, as `profile` found it and `matching` says. Undecided columns are taken for private ones.
///
/// # Errors
/// Where the file cannot be opened, or is not the one that was profiled.
pub fn draft(source: &dyn Source, profile: &Profile, schema: &Schema, matching: &Matching) -> Result<Draft, Refusal> {
    let reading = &profile.reading;
    let is_csv = reading.format == Format::Csv;
    let keys = Keys::new(profile.columns.iter().map(|column| column.header.clone()));
    let mut rows = reading.rows(source, keys)?;
    let mut row = Row::default();
    while reading.format.has_header() && row.number < reading.header_row {
        rows.next(&mut row)?.ok_or(Refusal::Changed)?;
    }
    Ok(Draft {
        rows,
        row,
        schema: schema.clone(),
        plan: Plan::new(profile, schema, matching),
        key: key_of(schema, matching),
        damaged: profile.damaged,
        is_csv,
        counts: Counts::default(),
        seen: Seen::new(profile.rows),
        left: profile.rows,
        ended: false,
    })
}

/// The fields that tell records apart. A name the schema does not have is a fault of the matching and was refused with it.
fn key_of(schema: &Schema, matching: &Matching) -> Vec<FieldName> {
    let Some(named) = &matching.key else { return schema.key.clone() };
    named.iter().filter_map(|name| schema.field(name)).map(|field| field.name.clone()).collect()
}

impl Draft {
    /// What was done to cells so far without being asked.
    #[must_use]
    pub fn applied(&self) -> Vec<Applied> {
        let Counts { trimmed, line_breaks, apostrophes, schemes } = self.counts;
        let rules = [("trimmed", trimmed), ("line-breaks", line_breaks), ("apostrophes", apostrophes), ("schemes", schemes)];
        rules.into_iter().filter(|(_, count)| *count > 0).map(|(rule, count)| Applied { rule, count }).collect()
    }

    fn read(&mut self) -> Result<Option<DraftRow>, Refusal> {
        let Some(line) = self.rows.next(&mut self.row)? else {
            // Somebody writes to the file while we read it: what was decided over it no longer holds.
            return if self.left == 0 { Ok(None) } else { Err(Refusal::Changed) };
        };
        self.left = self.left.checked_sub(1).ok_or(Refusal::Changed)?;
        let row = self.row.number;
        Ok(Some(match line {
            Line::Broken(why) => DraftRow::Rejected { row, problems: vec![Problem::of_row(row, "json-error", why)], key: None },
            Line::Cells if self.row.is_blank() => DraftRow::Blank { row },
            Line::Cells => self.judge(),
        }))
    }
}

impl Iterator for Draft {
    type Item = Result<DraftRow, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
