//! The marked list of an import: its own file back, with what is wrong in front of each row.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use hayward_importers::{Marked, MarkedFormat, Problem, Refusal, Unmarked, Unwritten};

use crate::Store;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState};

/// Problems read in one go.
const PAGE: i64 = 1_000;

impl Store {
    /// Writes the marked list of an import. Nothing of it is of use unless this returns without an error.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` where the file was not read or is being written, `file-gone` where it is no longer kept,
    /// `too-large-for-xlsx` where a workbook cannot hold it; [`StoreError::Stale`] where its problems changed meanwhile.
    pub fn write_marked(self: &Arc<Self>, import: &Import, format: MarkedFormat, out: impl Write + Send) -> Result<()> {
        let readable =
            [ImportState::Draft, ImportState::Checked, ImportState::Interrupted, ImportState::Committed, ImportState::Undone];
        if !readable.contains(&import.state) || import.matching.is_none() {
            return Err(StoreError::refused("wrong-state", "there are no rows of this file to mark"));
        }
        if !self.has_file(import)? {
            return Err(StoreError::refused("file-gone", "the file of this import is no longer kept"));
        }
        let matching = self.decided(import)?;
        let schema = self.schema_of(import)?;
        let source = self.import_file(import);
        let profile = self.profiled(import).map_err(Unmarked::from)?;
        let problems = Pages { store: self, import, after: 0, held: VecDeque::new(), ended: false };
        let count = u64::try_from(import.problem_count).unwrap_or(0);
        let list = Marked { source: &source, profile: &profile, schema: &schema, matching: &matching };
        let written = list.write(problems, count, format, out);
        // Whoever counts again, or commits, changes the problems while we read them: then it is that which is told.
        let now = self.reload(import)?;
        let is_same = (now.state, &now.counts, &now.matching, now.problem_count)
            == (import.state, &import.counts, &import.matching, import.problem_count);
        if is_same { written } else { Err(StoreError::Stale("this import has moved on meanwhile; ask again".to_owned())) }
    }
}

impl From<Unmarked> for StoreError {
    fn from(error: Unmarked) -> Self {
        match error {
            Unmarked::Unwritten(Unwritten::TooLarge(why)) => Self::refused("too-large-for-xlsx", why),
            Unmarked::Unwritten(Unwritten::Failed(kind)) => {
                Self::Unavailable(format!("a temporary file could not be written: {kind}"))
            }
            Unmarked::Refused(Refusal::Unreadable(_)) => Self::Unavailable("the uploaded file could not be read back".to_owned()),
            // Rows that do not fit their problems: somebody has counted again, or the file went while it was read.
            Unmarked::Refused(_) => Self::Stale("this import has moved on meanwhile; ask again".to_owned()),
        }
    }
}

/// The problems that are kept of an import, page by page.
struct Pages<'a> {
    store: &'a Store,
    import: &'a Import,
    after: i64,
    held: VecDeque<Problem>,
    ended: bool,
}

impl Iterator for Pages<'_> {
    type Item = Result<Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.held.is_empty() && !self.ended {
            let page = match self.store.kept_problems(self.import, self.after, PAGE) {
                Ok(page) => page,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            };
            self.after += i64::try_from(page.len()).unwrap_or(0);
            self.ended = page.is_empty();
            self.held = page.into();
        }
        self.held.pop_front().map(Ok)
    }
}
