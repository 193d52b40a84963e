//! Bytes in, drafts and problems out.
//!
//! A file is read twice and never held: [`profile`] finds out what it is and what every column holds, a person settles the
//! [`Matching`] (with the help of [`suggest`]), and [`draft`] gives one [`DraftRow`] for every row below the header ([`judged`] the
//! same, without its record). Nothing here knows a database, HTTP or a clock, and nothing stops at the first problem: a row is
//! refused, or the file is, never the rest.

mod draft;
mod fold;
mod grid;
mod marked;
mod matching;
mod problem;
mod profile;
mod read;
mod refusal;
mod sheet;
mod single;
mod source;
mod table;
mod text;
mod workbook;

pub use draft::{Applied, Draft, DraftRow, Ready, Sound, draft, judged};
pub use grid::{Grid, grid};
pub use marked::{Marked, MarkedFormat, Unmarked, returned};
pub use matching::{
    Absent, Asked, Blank, Choice, Column, ColumnDecision, DateOrder, DecimalMark, Decision, Fix, Matching, MatchingFault, Only,
    Question, Serials, suggest,
};
pub use problem::{Groups, Problem, ProblemGroup};
pub use profile::{ColumnProfile, Note, Profile, Tally, profile, profile_as};
pub use refusal::Refusal;
pub use sheet::{SheetCell, SheetWriter, Unwritten};
pub use single::{NoValue, single};
pub use source::{FileSource, HeldSource, Source};
pub use table::{Format, LineEnds, Overrules, Reading, csv_plain, csv_safe, is_nil, push_csv_cell};
