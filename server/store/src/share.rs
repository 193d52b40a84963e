//! Shares: what one agreement shows, as rows of their own.
//!
//! * `shared_records` holds only what [`Terms::disclose`] returned: hidden fields absent, treatments applied, rows outside the
//!   condition absent. Recipients read it and nothing else.
//! * A payload is stored as the bytes that are sent. A row is new only if those bytes changed.
//! * Rows born in one edition are numbered in the order of a keyed hash of the payload: the order of a file may follow a hidden
//!   column.
//! * A share is built under the claim of its dataset, one version of the terms at a time. Where the version in force is not the
//!   one it was built under, it answers nothing until it is rebuilt.

use std::collections::HashMap;
use std::sync::Arc;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::keys::AgreementKeys;
use hayward_domain::mutants;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber, Sealed};
use hayward_domain::schema::Schema;
use hayward_domain::terms::Terms;

use crate::Store;
use crate::claim::Claim;
use crate::conn::{Conn, Eyes};
use crate::counter;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};

/// Records looked at in one go: their bodies are in memory together.
const CHUNK: usize = 500;

rows! {
    BuiltRow { number: i64, version: i64, head: i64, floor: i64, shelf: i64, owner: i64, dataset: i64 }
    OriginalRow { record: i64, body: String }
    SharedLiveRow { row: i64, record: i64, payload: Option<String> }
    NameRow { record: i64, name: i64 }
    ExtentRow { live: i64, first_row: i64, last_row: i64 }
}

/// Everything needed to look at a dataset through one agreement.
pub(crate) struct Lens {
    pub(crate) share: i64,
    pub(crate) version: i64,
    pub(crate) head: i64,
    floor: i64,
    shelf: i64,
    dataset: i64,
    owner: OrganizationNumber,
    pub(crate) terms: Arc<Terms>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) keys: AgreementKeys,
}

impl Lens {
    /// What the recipient would get of one original.
    pub(crate) fn disclose(&self, body: &str) -> Result<Option<SharedRecord>> {
        let record = Record::from_body(body).ok_or(StoreError::Corrupt("a record"))?;
        Ok(self.terms.disclose(&self.schema, &self.keys, &Sealed::new(self.owner, record)))
    }
}

/// A share whose next edition is staged.
pub(crate) struct StagedShare {
    pub(crate) share: i64,
    version: i64,
    head: i64,
    floor: i64,
    pub(crate) moved: Moved,
}

/// What a staged edition of a share does to its rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moved {
    closed: i64,
    added: i64,
    /// The lowest and the highest of the new rows; 0 where there are none.
    first_row: i64,
    last_row: i64,
}

impl Moved {
    pub(crate) fn anything(&self) -> bool {
        self.closed > 0 || self.added > 0
    }
}

/// The lenses of the shares of a dataset that are in force and built under the version in force.
pub(crate) fn built_of_dataset(store: &Arc<Store>, dataset: i64) -> Result<Vec<Lens>> {
    let select = "select s.number, s.version, s.head, s.floor, s.shelf, d.organization as owner, s.dataset
        from shares s join datasets d on d.number = s.dataset
        join agreement_versions v on v.agreement = s.number and v.version = s.version and v.state in ('active', 'suspended')
        where s.dataset = ? order by s.number";
    store.db.read(Eyes::Own, |conn| {
        let rows = conn.load::<BuiltRow>(Sql::new(select).bind(dataset))?;
        rows.into_iter().map(|row| lens(store, conn, row)).collect()
    })
}

/// The lens of `version` of an agreement, for building or rebuilding its share.
pub(crate) fn lens_of(store: &Arc<Store>, conn: &mut Conn, agreement: i64, version: i64) -> Result<Lens> {
    let select = "select s.number, s.version, s.head, s.floor, s.shelf, d.organization as owner, s.dataset
        from shares s join datasets d on d.number = s.dataset where s.number = ?";
    let row = conn.one::<BuiltRow>(Sql::new(select).bind(agreement))?;
    lens(store, conn, BuiltRow { version, ..row })
}

fn lens(store: &Arc<Store>, conn: &mut Conn, row: BuiltRow) -> Result<Lens> {
    let (terms, schema) = store.terms(conn, row.number, row.version)?;
    let keys = store.agreement_keys(conn, row.number)?;
    Ok(Lens {
        share: row.number,
        version: row.version,
        head: row.head,
        floor: row.floor,
        shelf: row.shelf,
        dataset: row.dataset,
        owner: OrganizationNumber(row.owner),
        terms,
        schema,
        keys,
    })
}

/// Every record that is live in the dataset or in the share: what a build must look at.
pub(crate) fn all_records(store: &Store, lens: &Lens) -> Result<Vec<i64>> {
    let originals =
        Sql::new("select record as value from records where dataset = ? and died = 9223372036854775807").bind(lens.dataset);
    let shared =
        Sql::new("select record as value from shared_records where share = ? and died = 9223372036854775807").bind(lens.share);
    store.db.read(Eyes::Own, |conn| {
        let mut all: Vec<i64> = conn.load::<Number>(originals)?.into_iter().map(|row| row.value).collect();
        all.extend(conn.load::<Number>(shared)?.into_iter().map(|row| row.value));
        all.sort_unstable();
        all.dedup();
        Ok(all)
    })
}

/// Where a new row goes within its edition. Equal payloads are ordered by the record, encrypted.
type Place = ([u8; 16], [u8; 8], i64);

/// Stages the next edition of one share: what `changed` (sorted) looks like through `lens` at the dataset's `edition`.
pub(crate) fn stage(store: &Arc<Store>, claim: Claim, lens: &Lens, changed: &[i64], edition: i64) -> Result<StagedShare> {
    let mut fresh: Vec<Place> = Vec::new();
    let mut moved = Moved::default();
    for records in changed.chunks(CHUNK) {
        let now = (store.clock)();
        moved.closed += store.db.write(|conn| {
            claim.check_and_soil(conn, now)?;
            close_changed(conn, lens, records, edition, &mut fresh)
        })?;
    }
    if !mutants::on("file-order") {
        fresh.sort_unstable();
    }
    for places in fresh.chunks(CHUNK) {
        let now = (store.clock)();
        let first_row = store.db.write(|conn| {
            claim.check_and_soil(conn, now)?;
            insert_fresh(conn, lens, places, edition)
        })?;
        let count = i64::try_from(places.len()).unwrap_or(0);
        moved.added += count;
        moved.first_row = if moved.first_row == 0 { first_row } else { moved.first_row };
        moved.last_row = first_row + count - 1;
    }
    Ok(StagedShare { share: lens.share, version: lens.version, head: lens.head, floor: lens.floor, moved })
}

/// Closes the rows that no longer look so, and notes where the new ones go. Returns how many were closed.
fn close_changed(conn: &mut Conn, lens: &Lens, records: &[i64], edition: i64, fresh: &mut Vec<Place>) -> Result<i64> {
    let originals = originals(conn, lens.dataset, records, edition)?;
    let mut live = Sql::new("select row, record, payload from shared_records where share = ?").bind(lens.share);
    live.push(" and died = 9223372036854775807 and record in ").list(records.iter().copied());
    let mut live: HashMap<i64, SharedLiveRow> =
        conn.load::<SharedLiveRow>(live)?.into_iter().map(|row| (row.record, row)).collect();
    let mut closing = Vec::new();
    for record in records {
        let shown = originals.get(record).map(|body| lens.disclose(body)).transpose()?.flatten();
        let shelved = live.remove(record);
        let same = match (&shown, &shelved) {
            (Some(shown), Some(row)) => row.payload.as_deref() == Some(shown.payload()) && !mutants::on("rewritten-though-same"),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            continue;
        }
        closing.extend(shelved.map(|row| row.row));
        if let Some(shown) = shown {
            fresh.push((lens.keys.order(shown.payload()), lens.keys.order_number(RecordNumber(*record)), *record));
        }
    }
    if closing.is_empty() {
        return Ok(0);
    }
    let closed = i64::try_from(closing.len()).unwrap_or(0);
    let mut close = Sql::new("update shared_records set died = ? where row in ").bind(lens.head + 1);
    close.list(closing);
    conn.execute(close)?;
    Ok(closed)
}

/// Writes the new rows of these places. Returns the first of their numbers.
fn insert_fresh(conn: &mut Conn, lens: &Lens, places: &[Place], edition: i64) -> Result<i64> {
    let records: Vec<i64> = places.iter().map(|(_, _, record)| *record).collect();
    let originals = originals(conn, lens.dataset, &records, edition)?;
    let names = names(conn, lens.share, &records)?;
    let first_row = counter::take(conn, "shared_row", i64::try_from(records.len()).unwrap_or(0))?;
    let columns = "row, shelf, share, record, name, payload, index_1, index_2, index_3, born";
    let mut insert = Sql::new(&format!("insert into shared_records ({columns}) values ")).varying();
    let mut first = true;
    for (row, record) in (first_row..).zip(&records) {
        let body = originals.get(record).ok_or(StoreError::Corrupt("a staged record"))?;
        let Some(shown) = lens.disclose(body)? else { return Err(StoreError::Corrupt("a staged record")) };
        let name = names.get(record).copied().ok_or(StoreError::Corrupt("a ledger name"))?;
        let mut indexed = indexed(&lens.schema, &shown).into_iter();
        let mut index = || indexed.next().flatten().into();
        let binds = [
            row.into(),
            lens.shelf.into(),
            lens.share.into(),
            (*record).into(),
            name.into(),
            shown.payload().into(),
            index(),
            index(),
            index(),
            (lens.head + 1).into(),
        ];
        insert.push_with(if first { "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" } else { ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" }, binds);
        first = false;
    }
    conn.execute(insert)?;
    Ok(first_row)
}

/// The originals among `records` that are live at `edition`.
fn originals(conn: &mut Conn, dataset: i64, records: &[i64], edition: i64) -> Result<HashMap<i64, String>> {
    let mut select = Sql::new("select record, body from records where dataset = ?").bind(dataset);
    select
        .push_with(" and born <= ? and died > ? and record in ", [edition.into(), edition.into()])
        .list(records.iter().copied());
    Ok(conn.load::<OriginalRow>(select)?.into_iter().map(|row| (row.record, row.body)).collect())
}

/// The values of the schema's indexed fields, where they are texts, as the recipient sees them.
fn indexed(schema: &Schema, shown: &SharedRecord) -> Vec<Option<String>> {
    let payload: serde_json::Value = serde_json::from_str(shown.payload()).unwrap_or_default();
    let text =
        |name: &hayward_domain::schema::FieldName| payload.get(name.as_str()).and_then(|value| value.as_str()).map(str::to_owned);
    schema.indexed.iter().map(text).collect()
}

/// The ledger names of these records within the share; those without one are given the next, in this order.
fn names(conn: &mut Conn, share: i64, records: &[i64]) -> Result<HashMap<i64, i64>> {
    let mut select = Sql::new("select record, name from share_names where share = ? and record in ").bind(share);
    select.list(records.iter().copied());
    let mut names: HashMap<i64, i64> = conn.load::<NameRow>(select)?.into_iter().map(|row| (row.record, row.name)).collect();
    let nameless: Vec<i64> = records.iter().copied().filter(|record| !names.contains_key(record)).collect();
    if nameless.is_empty() {
        return Ok(names);
    }
    let count = i64::try_from(nameless.len()).unwrap_or(0);
    let update = "update shares set named = named + ? where number = ? returning named as value";
    let mut name = conn.one::<Number>(Sql::new(update).bind(count).bind(share))?.value - count;
    let mut insert = Sql::new("insert into share_names (share, name, record) values ").varying();
    for (at, record) in nameless.into_iter().enumerate() {
        name += 1;
        names.insert(record, name);
        insert.push_with(if at == 0 { "(?, ?, ?)" } else { ", (?, ?, ?)" }, [share.into(), name.into(), record.into()]);
    }
    conn.execute(insert)?;
    Ok(names)
}

/// Moves the heads of the staged shares, in the transaction of commit `number`. Returns the shares whose terms changed meanwhile:
/// what was staged for them must be removed, and their rebuild will do it again.
pub(crate) fn move_heads(conn: &mut Conn, shares: &[StagedShare], number: i64) -> Result<Vec<i64>> {
    let mut left_over = Vec::new();
    for share in shares.iter().filter(|share| share.moved.anything()) {
        // The version in force must still be the one the rows were made under.
        let update = "update shares set head = ? where number = ? and version = ? and floor = ? and exists
            (select 1 from agreement_versions v where v.agreement = shares.number and v.version = shares.version
             and v.state in ('active', 'suspended'))";
        let update = Sql::new(update).bind(share.head + 1).bind(share.share).bind(share.version).bind(share.floor);
        if conn.execute(update)? == 1 {
            note_edition(conn, share.share, share.head + 1, number, &share.moved)?;
        } else {
            left_over.push(share.share);
        }
    }
    Ok(left_over)
}

/// Writes down that a share's edition came with a commit, and how far it reaches.
pub(crate) fn note_edition(conn: &mut Conn, share: i64, edition: i64, number: i64, moved: &Moved) -> Result<()> {
    let before =
        "select live, first_row, last_row from share_editions where share = ? and edition < ? order by edition desc limit 1";
    let before = conn.first::<ExtentRow>(Sql::new(before).bind(share).bind(edition))?;
    let before = before.unwrap_or(ExtentRow { live: 0, first_row: 0, last_row: 0 });
    let stay = before.live - moved.closed;
    // Where nothing stays of what was, the new rows are all there is.
    let first_row = if stay > 0 { before.first_row } else { moved.first_row };
    let insert =
        "insert into share_editions (share, edition, commit_number, live, first_row, last_row) values (?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(share).bind(edition).bind(number);
    let insert = insert.bind(stay + moved.added).bind(first_row).bind(before.last_row.max(moved.last_row));
    conn.execute(insert).map(drop)
}
