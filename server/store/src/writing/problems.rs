//! Problems on their way into the database, in the order of being found.

use hayward_importers::{Groups, Problem};

use super::compare::BATCH;
use crate::Store;
use crate::error::Result;
use crate::imports::{Counting, Import, KEPT_PROBLEMS};

/// The problems of one reading of a file: all are counted, the first hundred thousand kept.
pub(super) struct Problems<'a> {
    store: &'a Store,
    import: &'a Import,
    /// How many there are.
    pub(super) count: i64,
    kept: i64,
    held: Vec<Problem>,
    groups: Groups,
    counting: Counting,
}

impl<'a> Problems<'a> {
    /// Begins anew: what an earlier reading found is dropped.
    pub(super) fn new(store: &'a Store, import: &'a Import) -> Result<Self> {
        let counting = store.begin_counting(import)?;
        Ok(Self { store, import, count: 0, kept: 0, held: Vec::new(), groups: Groups::default(), counting })
    }

    pub(super) fn add(&mut self, problems: Vec<Problem>) -> Result<()> {
        self.count += i64::try_from(problems.len()).unwrap_or(0);
        problems.iter().for_each(|problem| self.groups.add(problem));
        if self.kept < KEPT_PROBLEMS {
            self.held.extend(problems);
        }
        if self.held.len() >= BATCH { self.keep() } else { Ok(()) }
    }

    /// Keeps what is still held. Returns how many problems there are, and which counting it was that found them.
    pub(super) fn end(mut self) -> Result<(i64, Counting)> {
        self.keep()?;
        self.store.keep_groups(self.import, &self.counting, &self.groups.into_sorted())?;
        Ok((self.count, self.counting))
    }

    fn keep(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        self.store.keep_problems(self.import, &self.counting, self.kept + 1, &held)?;
        self.kept += i64::try_from(held.len()).unwrap_or(0);
        Ok(())
    }
}
