//! The second reading of a file: every row below the header as a change that could be made, or as what is wrong with it.
//!
//! Each row gives exactly one [`DraftRow`], and no row waits for another: what is kept between rows is a hash of every key, so
//! that a key that comes twice is found. Whether a row changes anything is not known here; that takes the live edition.

use std::sync::Arc;

use hayward_domain::schema::{FieldName, Schema};

use crate::matching::Matching;
use crate::profile::Profile;
use crate::read::Counts;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Format, Keys, Row, Rows};

mod crew;
mod plan;
mod ready;
mod seen;
mod typing;

pub use ready::{Alone, DraftRow, Ready, merge};

use crew::Crew;
use plan::Plan;
use seen::Seen;
use typing::{Judge, Judged};

/// Something that was done to many cells without being asked, because nothing is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// `trimmed`, `line-breaks`, `apostrophes` or `schemes`.
    pub rule: &'static str,
    /// To how many cells.
    pub count: u64,
}

/// Files with fewer rows are read by whoever asks for them.
const WORTH_A_CREW: u64 = 2_000;

/// The rows of a file under one matching.
pub struct Draft {
    supply: Supply,
    judge: Arc<Judge>,
    counts: Counts,
    seen: Seen,
    left: u64,
    ended: bool,
}

/// Where judged rows come from.
enum Supply {
    Here(Box<(Rows, Row)>),
    Crew { crew: Crew, waiting: std::vec::IntoIter<(Row, Judged)>, refused: Option<Refusal> },
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
    while is_csv && row.number < reading.header_row {
        rows.next(&mut row)?.ok_or(Refusal::Changed)?;
    }
    let judge = Arc::new(Judge {
        schema: schema.clone(),
        plan: Plan::new(profile, schema, matching),
        key: key_of(schema, matching),
        clears: matching.blank == crate::matching::Blank::Clear,
        damaged: profile.damaged,
        is_csv,
    });
    let supply = if profile.rows < WORTH_A_CREW {
        Supply::Here(Box::new((rows, row)))
    } else {
        Supply::Crew { crew: Crew::start(rows, &judge), waiting: Vec::new().into_iter(), refused: None }
    };
    Ok(Draft { supply, judge, counts: Counts::default(), seen: Seen::default(), left: profile.rows, ended: false })
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
        let Some((row, judged)) = self.judged()? else {
            // Somebody writes to the file while we read it: what was decided over it no longer holds.
            return if self.left == 0 { Ok(None) } else { Err(Refusal::Changed) };
        };
        self.left = self.left.checked_sub(1).ok_or(Refusal::Changed)?;
        let judged = match judged {
            Judged::Blank { row } => DraftRow::Blank { row },
            Judged::Rejected { row, problems, key } => DraftRow::Rejected { row, problems, key },
            Judged::Ready(ready) => match self.seen.add(&ready) {
                None => DraftRow::Ready(ready),
                Some(earlier) if earlier.same => DraftRow::Duplicate { row: ready.row, first: earlier.row },
                Some(earlier) => {
                    let problems = vec![self.judge.repeats(&row, earlier.row)];
                    DraftRow::Rejected { row: ready.row, problems, key: Some(ready.key) }
                }
            },
        };
        if let Supply::Here(here) = &mut self.supply {
            // The next row goes into the same buffer.
            here.1 = row;
        }
        Ok(Some(judged))
    }

    fn judged(&mut self) -> Result<Option<(Row, Judged)>, Refusal> {
        match &mut self.supply {
            Supply::Here(here) => {
                let (rows, row) = &mut **here;
                let mut row = std::mem::take(row);
                let Some(line) = rows.next(&mut row)? else { return Ok(None) };
                let judged = self.judge.judge(&row, line, &mut self.counts);
                Ok(Some((row, judged)))
            }
            Supply::Crew { crew, waiting, refused } => loop {
                if let Some(next) = waiting.next() {
                    return Ok(Some(next));
                }
                if let Some(refusal) = refused.take() {
                    return Err(refusal);
                }
                let Some(bundle) = crew.next() else { return Ok(None) };
                self.counts.add(bundle.counts);
                *waiting = bundle.rows.into_iter();
                *refused = bundle.refused;
            },
        }
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
