//! The second reading of a file: every row below the header as a change that could be made, or as what is wrong with it.
//!
//! Each row gives exactly one [`DraftRow`]. Rows are judged by themselves, several at a time; what is kept between them is a hash of
//! every key, so that a key that comes twice is found. Whether a row changes anything is not known here; that takes the live edition.

use hayward_domain::schema::{FieldName, Schema};

use crate::matching::Matching;
use crate::problem::Problem;
use crate::profile::Profile;
use crate::read::Counts;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Block, End, Format, Keys, Row};

mod pieces;
mod plan;
mod ready;
mod seen;
mod typing;

pub use ready::{DraftRow, Ready, Sound};

use pieces::{Piece, Pieces};
pub(crate) use plan::{Plan, Use};
use seen::{Hashes, Seen};
use typing::{Judge, Make, Verdict};

/// Something that was done to many cells without being asked, because nothing is lost by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// `trimmed`, `line-breaks`, `apostrophes` or `schemes`.
    pub rule: &'static str,
    /// To how many cells.
    pub count: u64,
}

/// The rows of a file under one matching.
pub struct Draft<R = Ready> {
    pieces: Pieces<R>,
    /// The rows of one piece that are still to be given, what they were made of, and what comes behind them.
    rows: std::vec::IntoIter<DraftRow<R>>,
    block: Block,
    judge: Judge,
    counts: Counts,
    seen: Seen,
    key: fn(R) -> String,
    left: u64,
    ended: bool,
}

/// Reads `source` again, as `profile` found it and `matching` says. Undecided columns are taken for private ones.
///
/// # Errors
/// Where the file cannot be opened, or is not the one that was profiled.
pub fn draft(source: &dyn Source, profile: &Profile, schema: &Schema, matching: &Matching) -> Result<Draft, Refusal> {
    Draft::begin(source, profile, judge(profile, schema, matching), Ready::of, |ready| ready.key)
}

/// Judges the rows of `source` as [`draft`] does, and makes no records of them, which takes a good part of the time.
///
/// # Errors
/// Where the file cannot be opened, or is not the one that was profiled.
pub fn judged(source: &dyn Source, profile: &Profile, schema: &Schema, matching: &Matching) -> Result<Draft<Sound>, Refusal> {
    Draft::begin(source, profile, judge(profile, schema, matching), Sound::of, |sound| sound.key)
}

fn judge(profile: &Profile, schema: &Schema, matching: &Matching) -> Judge {
    let plan = Plan::new(profile, schema, matching);
    let placed = |name: FieldName| (name.clone(), plan.slot(&name));
    let key = key_of(schema, matching);
    let required = schema.fields.iter().filter(|field| field.required && !key.contains(&field.name));
    Judge {
        required: required.map(|field| placed(field.name.clone())).collect(),
        key: key.into_iter().map(placed).collect(),
        marks: usize::from(plan.has_marks(profile)),
        plan,
        schema: schema.clone(),
        damaged: profile.damaged,
        is_csv: profile.reading.format == Format::Csv,
        hashes: Hashes::default(),
    }
}

/// The fields that tell records apart. A name the schema does not have is a fault of the matching and was refused with it.
fn key_of(schema: &Schema, matching: &Matching) -> Vec<FieldName> {
    let Some(named) = &matching.key else { return schema.key.clone() };
    named.iter().filter_map(|name| schema.field(name)).map(|field| field.name.clone()).collect()
}

impl<R: Send + 'static> Draft<R> {
    fn begin(source: &dyn Source, profile: &Profile, judge: Judge, make: Make<R>, key: fn(R) -> String) -> Result<Self, Refusal> {
        let reading = &profile.reading;
        let keys = Keys::new(profile.columns.iter().map(|column| column.header.clone()));
        let mut rows = reading.rows(source, keys)?;
        let mut row = Row::default();
        while reading.format.has_header() && row.number < reading.header_row {
            rows.next(&mut row)?.ok_or(Refusal::Changed)?;
        }
        Ok(Self {
            pieces: Pieces::begin(rows, &judge, make)?,
            rows: Vec::new().into_iter(),
            block: Block::default(),
            judge,
            counts: Counts::default(),
            seen: Seen::new(profile.rows),
            key,
            left: profile.rows,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<DraftRow<R>>, Refusal> {
        loop {
            if let Some(row) = self.rows.next() {
                self.left = self.left.checked_sub(1).ok_or(Refusal::Changed)?;
                return Ok(Some(row));
            }
            match std::mem::take(&mut self.block.end) {
                End::More => {}
                End::Refused(refusal) => return Err(refusal),
                // Somebody writes to the file while we read it: what was decided over it no longer holds.
                End::Whole => return if self.left == 0 { Ok(None) } else { Err(Refusal::Changed) },
            }
            let piece = self.pieces.next(std::mem::take(&mut self.block)).ok_or(Refusal::Changed)?;
            self.take(piece);
        }
    }

    /// Finds the rows of a piece whose keys an earlier row had.
    fn take(&mut self, piece: Piece<R>) {
        let Piece { block, verdicts, counts } = piece;
        self.counts.add(counts);
        // Apart from what follows: looking up one key after the other, the processor need not wait for each.
        let earlier: Vec<_> = verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::Good { row, print, .. } => self.seen.add(*row, *print),
                Verdict::Settled(_) => None,
            })
            .collect();
        let mut rows = Vec::with_capacity(verdicts.len());
        for ((verdict, earlier), (_, cells)) in verdicts.into_iter().zip(earlier).zip(block.rows()) {
            rows.push(match (verdict, earlier) {
                (Verdict::Settled(row), _) => row,
                (Verdict::Good { made, .. }, None) => DraftRow::Ready(made),
                (Verdict::Good { row, .. }, Some(earlier)) if earlier.same => DraftRow::Duplicate { row, first: earlier.row },
                (Verdict::Good { row, made, .. }, Some(earlier)) => {
                    let message = format!("row {} has the same key and says something else", earlier.row);
                    let problem = self.judge.about_key(cells, Problem::of_row(row, "primary-key", message));
                    DraftRow::Rejected { row, problems: vec![problem], key: Some((self.key)(made)) }
                }
            });
        }
        (self.rows, self.block) = (rows.into_iter(), block);
    }
}

impl<R> Draft<R> {
    /// What was done to cells so far without being asked.
    #[must_use]
    pub fn applied(&self) -> Vec<Applied> {
        let Counts { trimmed, line_breaks, apostrophes, schemes } = self.counts;
        let rules = [("trimmed", trimmed), ("line-breaks", line_breaks), ("apostrophes", apostrophes), ("schemes", schemes)];
        rules.into_iter().filter(|(_, count)| *count > 0).map(|(rule, count)| Applied { rule, count }).collect()
    }
}

impl<R: Send + 'static> Iterator for Draft<R> {
    type Item = Result<DraftRow<R>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.read().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}
