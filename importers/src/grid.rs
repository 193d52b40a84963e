//! A file as rows of text, before anything is made of it.
//!
//! What a person looks at to see whether the file was read right: title rows and header included, every cell as it was read.

use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::source::Source;
use crate::table::{Keys, Line, Row, Rows};

/// The rows of a file: each with its number, as a spreadsheet counts, and its cells. A record that cannot be read has none.
pub struct Grid {
    rows: Rows,
    row: Row,
    ended: bool,
}

/// Reads `source` as `profile` found it.
///
/// # Errors
/// Where the file cannot be opened, or is not the one that was profiled.
pub fn grid(source: &dyn Source, profile: &Profile) -> Result<Grid, Refusal> {
    let keys = Keys::new(profile.columns.iter().map(|column| column.header.clone()));
    Ok(Grid { rows: profile.reading.rows(source, keys)?, row: Row::default(), ended: false })
}

impl Iterator for Grid {
    type Item = Result<(u64, Vec<String>), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.rows.next(&mut self.row).transpose();
        self.ended = !matches!(line, Some(Ok(_)));
        Some(line?.map(|line| match line {
            Line::Cells => (self.row.number, self.row.cells().map(|cell| cell.text.to_owned()).collect()),
            Line::Broken(_) => (self.row.number, Vec::new()),
        }))
    }
}
