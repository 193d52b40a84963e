//! The whole difference that an import makes, or made, in an order that a copy of the list can be changed by.
//!
//! * First what the list has or had already, in the order of its records, which is the order of its export; then what is new, in the
//!   order of being written. So who applies it from top to bottom has the new export.
//! * Its columns are those of the export before and after: every field of the schema, then the private columns that some record has.
//! * The file is compared once. What is found waits in files without a name ([`pile`]); memory holds sixteen bytes for every record
//!   that changes or goes, however long the list is.
//! * Records that come follow an anchor, the record that they stand after, so that they have a place. Where a column appears, all records can
//!   be asked for ([`Show::WholeWhereColumnsAppear`]): it is empty in the others, and that is a value too.

mod columns;
mod pile;
mod rows;

use std::sync::Arc;

use hayward_domain::record::Record;
use hayward_importers::Matching;

pub use columns::DiffColumn;
pub use rows::{DiffRow, RowChange};

use super::compare::{Found, compare};
use super::present::{LiveRow, Present};
use crate::Store;
use crate::conn::Eyes;
use crate::edition;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState};
use crate::sql::{Number, Sql};
use columns::{Columns, Source};
use pile::{Held, Pile};

/// Records that come, looked up in one go.
const TOGETHER: usize = 500;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Those that change, come and go.
    Changes,
    /// All records where a private column appears that none had before, else those that change, come and go.
    WholeWhereColumnsAppear,
}

/// A difference, ready to be read.
pub struct Difference {
    /// The columns, in the order of the export.
    pub columns: Vec<DiffColumn>,
    /// Whether some record has a cell of three dots, which elsewhere stand for what is left out.
    pub has_dots: bool,
    sources: Vec<Source>,
    store: Arc<Store>,
    dataset: i64,
    /// The edition that it starts from.
    base: i64,
    old: Pile,
    /// Where in `old` each record lies, in the order of the records.
    places: Vec<(i64, u64)>,
    new: Pile,
    at: rows::At,
}

impl Store {
    /// The whole difference that a commit would make, or made.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no file to compare any more, or what the import replaced is no longer kept.
    pub fn difference(self: &Arc<Self>, import: &Import, show: Show) -> Result<Difference> {
        let schema = self.schema_of(import)?;
        let dataset = import.dataset_number;
        let base = match import.committed_edition {
            Some(edition) => edition - 1,
            None => self.head(import)?,
        };
        let key = import.matching.clone().and_then(|matching| serde_json::from_value::<Matching>(matching).ok());
        let mut columns = Columns::new(&schema, key.and_then(|matching| matching.key), self.private_tally(dataset, base)?);
        let newest = "select coalesce(max(record), 0) as value from records where dataset = ? and born <= ?";
        let newest = Sql::new(newest).bind(dataset).bind(base);
        let newest = self.db.read(Eyes::Own, |conn| conn.one::<Number>(newest))?.value;
        let (old, new) = (Pile::default(), Pile::default());
        let mut kept =
            Kept { store: self, dataset, newest, columns: &mut columns, old, places: Vec::new(), new, coming: Vec::new() };
        match import.committed_edition {
            Some(edition) => {
                self.still_kept(dataset, edition)?;
                self.touched(dataset, edition, i64::MAX - 1, |page| {
                    page.into_iter().try_for_each(|one| {
                        let after = one.after.as_ref().map(|row| (&*row.key, &*row.body));
                        match (&one.before, &one.after) {
                            (None, Some(row)) => kept.place(row.record, &Coming::new(None, &row.key, &row.body)),
                            _ => kept.keep(None, one.before.as_ref(), after),
                        }
                    })
                })?;
            }
            // It was committed, and there was nothing to change.
            None if matches!(import.state, ImportState::Committed | ImportState::Undone) => {}
            None => self.compared(import, base, &mut kept)?,
        }
        kept.recall()?;
        let Kept { old, mut places, new, .. } = kept;
        places.sort_unstable();
        let dots = "select count(*) as value from
            (select 1 from records where dataset = ? and born <= ? and died > ? and body like '%\"...\"%' limit 1) as found";
        let dots = Sql::new(dots).bind(dataset).bind(base).bind(base);
        let dots = self.db.read(Eyes::Own, |conn| conn.one::<Number>(dots))?.value;
        let (columns, sources) = columns.settle();
        let whole = show == Show::WholeWhereColumnsAppear && columns.iter().any(|column| !column.before);
        let at = rows::At::begin(whole);
        let (store, old, new) = (Arc::clone(self), old.end()?, new.end()?);
        Ok(Difference { columns, has_dots: dots > 0, sources, store, dataset, base, old, places, new, at })
    }

    /// What the file of an import changes in edition `base` of its list.
    fn compared(self: &Arc<Self>, import: &Import, base: i64, kept: &mut Kept<'_>) -> Result<()> {
        let plan = self.plan(import)?;
        let present = Present::new(self, import.dataset_number, base, |_| Ok(()));
        let outcome = compare(plan, &present, |one| match one {
            Found::Problems(_) => Ok(()),
            Found::Changed { row, before, after } => kept.keep(Some(row), before, Some((&after.key, &after.body))),
        });
        match outcome.map_err(|error| error.into_store())?.1 {
            Some(seen) => present.absent(&seen, |row| kept.keep(None, Some(&row), None)),
            None => Ok(()),
        }
    }
}

/// What was found so far.
struct Kept<'a> {
    store: &'a Store,
    dataset: i64,
    /// The greatest number that a record of the list has or had.
    newest: i64,
    columns: &'a mut Columns,
    old: Pile,
    places: Vec<(i64, u64)>,
    new: Pile,
    /// Records that come, until it is known which of them come back.
    coming: Vec<Coming>,
}

/// A record that comes.
struct Coming {
    row: Option<u64>,
    key: String,
    body: String,
}

impl Coming {
    fn new(row: Option<u64>, key: &str, body: &str) -> Self {
        Self { row, key: key.to_owned(), body: body.to_owned() }
    }
}

impl Kept<'_> {
    /// Keeps one record as it was and as it will be: key and body.
    fn keep(&mut self, row: Option<u64>, before: Option<&LiveRow>, after: Option<(&str, &str)>) -> Result<()> {
        let (key, body) = after.unwrap_or_default();
        let Some(before) = before else {
            self.coming.push(Coming::new(row, key, body));
            return if self.coming.len() < TOGETHER { Ok(()) } else { self.recall() };
        };
        self.columns.count(Some(record(&before.body)?), after.map(|(_, body)| record(body)).transpose()?);
        let held = Held { row: row.unwrap_or(0), key: &before.key, before: &before.body, after: body };
        self.places.push((before.record, self.old.push(&held)?));
        Ok(())
    }

    /// Gives those that wait the places that they will have.
    fn recall(&mut self) -> Result<()> {
        let coming = std::mem::take(&mut self.coming);
        let keys = coming.iter().map(|one| one.key.clone()).collect();
        let former = self.store.db.read(Eyes::Own, |conn| edition::former(conn, self.dataset, keys))?;
        coming.iter().try_for_each(|one| self.place(former.get(&one.key).copied().unwrap_or(i64::MAX), one))
    }

    fn place(&mut self, number: i64, one: &Coming) -> Result<()> {
        self.columns.count(None, Some(record(&one.body)?));
        let held = Held { row: one.row.unwrap_or(0), key: &one.key, before: "", after: &one.body };
        if number > self.newest {
            self.new.push(&held).map(drop)
        } else {
            self.places.push((number, self.old.push(&held)?));
            Ok(())
        }
    }
}

fn record(body: &str) -> Result<Record> {
    Record::from_body(body).ok_or(StoreError::Corrupt("a record"))
}
