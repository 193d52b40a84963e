//! The rows of a difference, read back a few at a time.

use std::collections::VecDeque;

use serde_json::Value;

use super::pile::Taken;
use super::{Difference, record};
use crate::conn::Eyes;
use crate::error::Result;
use crate::sql::Sql;
use crate::writing::present::LiveRow;

/// Records that stay as they are, read in one go.
const PAGE: i64 = 500;

/// What happens to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Nothing: it shows where the others are.
    Kept,
    /// It comes.
    Created,
    /// It changes.
    Updated,
    /// It goes.
    Removed,
}

impl RowChange {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}

/// One record.
pub struct DiffRow {
    /// What happens to it.
    pub change: RowChange,
    /// The row of the file, as a spreadsheet numbers it; none for what is removed or kept, and after the commit.
    pub row: Option<u64>,
    /// Whether it comes right after the one before it, without another record between.
    pub follows: bool,
    /// Its key.
    pub key: Value,
    /// Its cells before, one for each column; none where it is new.
    pub before: Option<Vec<Value>>,
    /// Its cells afterwards; none where it goes.
    pub after: Option<Vec<Value>>,
}

/// How far a difference has been read.
pub(super) struct At {
    /// Whether records that stay are shown too.
    whole: bool,
    /// How many changes of records that were there have been read.
    read: usize,
    /// The record that came last.
    record: Option<i64>,
    /// Records that were read and are not shown yet, and whether there are no more.
    ahead: VecDeque<LiveRow>,
    exhausted: bool,
    /// The record that comes and whose anchor has been shown.
    anchored: Option<i64>,
}

impl At {
    pub(super) fn begin(whole: bool) -> Self {
        Self { whole, read: 0, record: None, ahead: VecDeque::new(), exhausted: false, anchored: None }
    }
}

impl Difference {
    /// The next rows, at most so many; none at the end.
    ///
    /// # Errors
    /// The database's, and that of the temporary files.
    pub fn rows(&mut self, most: usize) -> Result<Vec<DiffRow>> {
        let mut rows = Vec::new();
        while rows.len() < most {
            match self.next()? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }

    fn next(&mut self) -> Result<Option<DiffRow>> {
        let changed = self.places.get(self.at.read).copied();
        if self.at.whole
            && let Some(kept) = self.before_it(changed.map(|(record, _)| record))?
        {
            return Ok(Some(kept));
        }
        if let Some((number, place)) = changed {
            let taken = self.old.at(place)?;
            if taken.before.is_none()
                && let Some(anchor) = self.anchor(number)?
            {
                return self.kept(anchor).map(Some);
            }
            self.at.read += 1;
            return self.placed(number, taken).map(Some);
        }
        if !self.new.is_at_its_end()
            && let Some(anchor) = self.anchor(i64::MAX)?
        {
            return self.kept(anchor).map(Some);
        }
        let Some(taken) = self.new.next()? else { return Ok(None) };
        self.row(taken, true).map(Some)
    }

    /// The record that a record which comes stands after, where it has not been shown.
    fn anchor(&mut self, coming: i64) -> Result<Option<LiveRow>> {
        if self.at.whole || self.at.anchored.replace(coming) == Some(coming) {
            return Ok(None);
        }
        let select = "select row, record, key, body from records
            where dataset = ? and born <= ? and died > ? and record > ? and record < ? order by record desc limit 1";
        let select = Sql::new(select).bind(self.dataset).bind(self.base).bind(self.base);
        let select = select.bind(self.at.record.unwrap_or(0)).bind(coming);
        self.store.db.read(Eyes::Own, |conn| conn.first::<LiveRow>(select))
    }

    /// The next record that stays, if it comes before the record `changed`.
    fn before_it(&mut self, changed: Option<i64>) -> Result<Option<DiffRow>> {
        let limit = changed.unwrap_or(i64::MAX);
        if self.at.ahead.is_empty() && !self.at.exhausted {
            let select = "select row, record, key, body from records
                where dataset = ? and born <= ? and died > ? and record > ? order by record limit ?";
            let select = Sql::new(select).bind(self.dataset).bind(self.base).bind(self.base);
            let select = select.bind(self.at.record.unwrap_or(0)).bind(PAGE);
            self.at.ahead = self.store.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(select))?.into();
            self.at.exhausted = self.at.ahead.is_empty();
        }
        match self.at.ahead.front() {
            Some(front) if front.record < limit => {}
            Some(front) => {
                // The one that changes takes its own place.
                if front.record == limit {
                    self.at.ahead.pop_front();
                }
                return Ok(None);
            }
            None => return Ok(None),
        }
        let Some(kept) = self.at.ahead.pop_front() else { return Ok(None) };
        self.kept(kept).map(Some)
    }

    fn kept(&mut self, row: LiveRow) -> Result<DiffRow> {
        let LiveRow { record, key, body, .. } = row;
        self.placed(record, Taken { row: None, key, before: Some(body.clone()), after: Some(body) })
    }

    fn placed(&mut self, number: i64, taken: Taken) -> Result<DiffRow> {
        let before = self.at.record.replace(number);
        // Its anchor is right before a record that comes.
        let comes = taken.before.is_none();
        let follows = self.at.whole || comes || before.is_some_and(|before| before + 1 == number);
        self.row(taken, follows)
    }

    fn row(&self, taken: Taken, follows: bool) -> Result<DiffRow> {
        let change = match (&taken.before, &taken.after) {
            (None, _) => RowChange::Created,
            (Some(_), None) => RowChange::Removed,
            (Some(before), Some(after)) if before == after => RowChange::Kept,
            (Some(_), Some(_)) => RowChange::Updated,
        };
        let cells = |body: &String| {
            let record = record(body)?;
            Ok::<_, crate::StoreError>(self.sources.iter().map(|source| source.cell(&record)).collect())
        };
        Ok(DiffRow {
            change,
            row: taken.row,
            follows,
            key: serde_json::from_str(&taken.key).unwrap_or_default(),
            before: taken.before.as_ref().map(cells).transpose()?,
            after: taken.after.as_ref().map(cells).transpose()?,
        })
    }
}
