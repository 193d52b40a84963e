//! Writing the next edition of a share.
//!
//! While originals go by, rows that no longer look so are closed, and what is new waits in a [`Spool`]. Once all is known, the new
//! rows are sorted, their records are given ledger names in that order, and they are written at the end of the shelf. In memory
//! there are two dozen bytes for each new row, never its payload.

use std::sync::Arc;
use std::sync::mpsc;

use hayward_domain::mutants;
use hayward_domain::record::RecordNumber;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::{Lens, Look, Moved, StagedShare};
use crate::Store;
use crate::bulk::{Holds, Load, Rows, Table};
use crate::claim::Claim;
use crate::conn::{Conn, Eyes, Kind};
use crate::counter;
use crate::error::{Result, StoreError};
use crate::spool::{Key, Spool, Texts};
use crate::sql::{Number, Sql, rows};
use crate::{parallel, search};

/// Records whose names are asked for in one go.
const CHUNK: usize = 1_000;
/// What one transaction writes: more than elsewhere, since a share's rows go to many places of its indexes, whose pages are written
/// once for each transaction. It takes some tens of milliseconds.
const TURN: Load = Load { rows: 5_000, bytes: 4 << 20 };

rows! {
    NameRow { record: i64, name: i64 }
}

static SHARED: Table = Table {
    name: "shared_records",
    columns: &[
        ("row", Holds::Int),
        ("shelf", Holds::Int),
        ("share", Holds::Int),
        ("record", Holds::Int),
        ("name", Holds::Int),
        ("payload", Holds::Text),
        ("index_1", Holds::Text),
        ("index_2", Holds::Text),
        ("index_3", Holds::Text),
        ("born", Holds::Int),
    ],
};

static NAMES: Table =
    Table { name: "share_names", columns: &[("share", Holds::Int), ("name", Holds::Int), ("record", Holds::Int)] };

/// A share whose next edition is being made.
pub(crate) struct Staging {
    pub(crate) lens: Arc<Lens>,
    /// The new rows.
    places: Vec<Placed>,
    spool: Spool,
    closed: i64,
}

/// A new row, on its way to its place.
#[derive(Clone, Copy)]
struct Placed {
    key: Key,
    record: i64,
    /// 0 until it is known.
    name: i64,
}

impl Staging {
    /// Begins; about `memory` bytes of payloads are held, the rest waits in a file.
    pub(crate) fn new(lens: Arc<Lens>, memory: usize) -> Self {
        Self { lens, places: Vec::new(), spool: Spool::new(memory), closed: 0 }
    }

    /// Closes the rows that no longer look so.
    pub(crate) fn close(&mut self, conn: &mut Conn, looks: &[Look]) -> Result<()> {
        let closing: Vec<i64> = looks.iter().filter_map(|look| look.closes).collect();
        if closing.is_empty() {
            return Ok(());
        }
        let mut close = Sql::new("update shared_records set died = ? where row in ").bind(self.lens.head + 1);
        self.closed += i64::try_from(closing.len()).unwrap_or(i64::MAX);
        close.list(closing);
        conn.execute(close)?;
        Ok(())
    }

    /// Keeps what is new of `record` until its place is known.
    pub(crate) fn keep(&mut self, record: i64, look: &Look) -> Result<()> {
        let Some((key, shown)) = &look.shows else { return Ok(()) };
        let key = if mutants::on("file-order") { i128::from(record).to_be_bytes() } else { *key };
        self.spool.push(&key, record, shown.payload()).map_err(unspooled)?;
        self.places.push(Placed { key, record, name: 0 });
        Ok(())
    }

    /// Writes the new rows in their order.
    pub(crate) fn finish(mut self, store: &Store, claim: &Claim) -> Result<StagedShare> {
        let lens = Arc::clone(&self.lens);
        let mut moved = Moved { closed: self.closed, ..Moved::default() };
        if self.places.is_empty() {
            return Ok(lens.staged(moved));
        }
        moved.added = i64::try_from(self.places.len()).unwrap_or(i64::MAX);
        let placed = self.placed(store, claim)?;
        let now = (store.clock)();
        let first_row = claim.stage(&store.db, now, |conn| counter::take(conn, "shared_row", moved.added))?;
        parallel::piped(
            |send| rows_in_order(store.kind(), &lens, &placed, first_row, self.spool, send),
            |[rows, words]: [Rows; 2]| {
                let now = (store.clock)();
                claim.stage(&store.db, now, |conn| {
                    conn.insert(&rows)?;
                    conn.insert(&words)
                })
            },
        )?;
        (moved.first_row, moved.last_row) = (first_row, first_row + moved.added - 1);
        Ok(lens.staged(moved))
    }

    /// The new rows in their order, each with a ledger name. Equal payloads are ordered by the record, encrypted.
    fn placed(&mut self, store: &Store, claim: &Claim) -> Result<Vec<Placed>> {
        let mut placed = std::mem::take(&mut self.places);
        let number = |place: &Placed| self.lens.keys.order_number(RecordNumber(place.record));
        placed.sort_unstable_by(|one, other| one.key.cmp(&other.key).then_with(|| number(one).cmp(&number(other))));
        let mut by_record: Vec<usize> = (0..placed.len()).collect();
        by_record.sort_unstable_by_key(|at| placed.get(*at).map(|place| place.record));
        self.known_names(store, &mut placed, &by_record)?;
        self.new_names(store, claim, &mut placed, &by_record)?;
        Ok(placed)
    }

    /// Fills in the names that records have from earlier.
    fn known_names(&self, store: &Store, placed: &mut [Placed], by_record: &[usize]) -> Result<()> {
        let share = self.lens.share;
        let named = "select named as value from shares where number = ?";
        if store.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(named).bind(share)))?.value == 0 {
            return Ok(());
        }
        for chunk in by_record.chunks(CHUNK) {
            let records = chunk.iter().filter_map(|at| placed.get(*at)).map(|place| place.record);
            let mut select = Sql::new("select record, name from share_names where share = ? and record in ").bind(share);
            select.list(records);
            select.push(" order by record");
            let names = store.db.read(Eyes::Own, |conn| conn.load::<NameRow>(select))?;
            let mut names = names.into_iter().peekable();
            for at in chunk {
                let Some(place) = placed.get_mut(*at) else { continue };
                if let Some(name) = names.next_if(|row| row.record == place.record) {
                    place.name = name.name;
                }
            }
        }
        Ok(())
    }

    /// Gives the others the next names, in the order of the rows, and writes these down in the order of the records.
    fn new_names(&self, store: &Store, claim: &Claim, placed: &mut [Placed], by_record: &[usize]) -> Result<()> {
        let share = self.lens.share;
        let count = placed.iter().filter(|place| place.name == 0).count();
        if count == 0 {
            return Ok(());
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let update = "update shares set named = named + ? where number = ? returning named as value";
        let now = (store.clock)();
        let last = claim.stage(&store.db, now, |conn| conn.one::<Number>(Sql::new(update).bind(count).bind(share)))?;
        let first = last.value - count + 1;
        for (name, place) in (first..).zip(placed.iter_mut().filter(|place| place.name == 0)) {
            place.name = name;
        }
        for chunk in by_record.chunks(TURN.rows) {
            let mut rows = Rows::new(&NAMES);
            for place in chunk.iter().filter_map(|at| placed.get(*at)).filter(|place| place.name >= first) {
                rows.push([share.into(), place.name.into(), place.record.into()]);
            }
            if rows.is_empty() {
                continue;
            }
            let now = (store.clock)();
            claim.stage(&store.db, now, |conn| conn.insert(&rows))?;
        }
        Ok(())
    }
}

/// Makes rows of what was kept, as many at a time as one transaction writes, and what is searched by with them.
fn rows_in_order(
    kind: Kind,
    lens: &Lens,
    placed: &[Placed],
    first_row: i64,
    mut spool: Spool,
    send: &mpsc::SyncSender<[Rows; 2]>,
) -> Result<()> {
    let mut texts = Texts::default();
    let mut part = None;
    let new = || [Rows::new(&SHARED), search::rows(kind)];
    let ([mut rows, mut words], mut load) = (new(), Load::default());
    for (place, row) in placed.iter().zip(first_row..) {
        let of = Spool::part(&place.key);
        if part != Some(of) {
            texts = spool.take(of).map_err(unspooled)?;
            part = Some(of);
        }
        let payload = texts.get(place.record).ok_or(StoreError::Corrupt("a row that waited for its place"))?;
        let mut indexed = Indexed(lens).of(payload).into_iter();
        let mut index = || indexed.next().flatten().into();
        rows.push([
            row.into(),
            lens.shelf.into(),
            lens.share.into(),
            place.record.into(),
            place.name.into(),
            payload.into(),
            index(),
            index(),
            index(),
            (lens.head + 1).into(),
        ]);
        search::push(&mut words, row, lens.shelf, payload);
        load.add(payload.len());
        if load.reaches(TURN) {
            load = Load::default();
            let [full_rows, full_words] = new();
            let full = [std::mem::replace(&mut rows, full_rows), std::mem::replace(&mut words, full_words)];
            if send.send(full).is_err() {
                // Whoever writes has stopped, and says why.
                return Ok(());
            }
        }
    }
    drop(send.send([rows, words]));
    Ok(())
}

fn unspooled(_: std::io::Error) -> StoreError {
    StoreError::Unavailable("a temporary file could not be written or read".to_owned())
}

/// Picks the values of the schema's indexed fields, where they are texts, out of a payload.
struct Indexed<'a>(&'a Lens);

impl Indexed<'_> {
    fn of(&self, payload: &str) -> Vec<Option<String>> {
        let mut read = serde_json::Deserializer::from_str(payload);
        DeserializeSeed::deserialize(Indexed(self.0), &mut read).unwrap_or_default()
    }
}

impl<'de> DeserializeSeed<'de> for Indexed<'_> {
    type Value = Vec<Option<String>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, read: D) -> std::result::Result<Self::Value, D::Error> {
        read.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Indexed<'_> {
    type Value = Vec<Option<String>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a shared record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let indexed = &self.0.schema.indexed;
        let mut found = vec![None; indexed.len()];
        // The names of fields have nothing in them that JSON would escape.
        while let Some(name) = map.next_key::<&str>()? {
            match indexed.iter().position(|field| field.as_str() == name).and_then(|at| found.get_mut(at)) {
                Some(place) => *place = map.next_value::<serde_json::Value>()?.as_str().map(str::to_owned),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}
