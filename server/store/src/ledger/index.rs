//! Where each agreement stands in the ledger, and what was given under it, added up.
//!
//! * Written behind the sealer, some hundred entries a transaction, each entry once: how far it has come is moved in the same
//!   transaction. A ledger from before there was an index is gone through from its beginning.
//! * Nothing here is part of a chain: it can be made anew from the entries. A reader takes what is indexed from here and looks
//!   through the few entries after it.
//! * Only disclosures to organizations are added up. A field was given where an answer with at least one record had it in.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::sealed_up_to;
use super::{ENTRY_COLUMNS, Entry, EntryKind, EntryRow, LedgerStore, PUBLIC};
use crate::bulk::{Holds, Rows, Table};
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::sql::{Number, Sql};

/// Entries that one transaction goes through.
const BATCH: i64 = 300;
/// Transactions after which the sealer gets its turn again.
const BATCHES: usize = 25;

static PARTS: Table = Table {
    name: "entry_agreements",
    columns: &[("agreement", Holds::Text), ("row", Holds::Int), ("low", Holds::Int), ("high", Holds::Int)],
};

/// What is added up: agreement, recipient, version, channel, field.
type Key = (String, String, i64, String, String);

/// One sum.
struct Sum {
    answers: i64,
    records: i64,
    first: i64,
    last: i64,
}

impl LedgerStore {
    /// Brings the index up to what is sealed, as far as it may take.
    pub(super) fn index(&self) -> Result<()> {
        for _ in 0..BATCHES {
            let behind = "select i.row as value from indexed_to i, sealed s where i.row < s.row";
            if self.db.read(Eyes::Own, |conn| conn.first::<Number>(Sql::new(behind)))?.is_none() {
                break;
            }
            self.db.write(index_batch)?;
        }
        Ok(())
    }
}

/// Up to which row entries are indexed.
pub(super) fn indexed_up_to(conn: &mut Conn) -> Result<i64> {
    Ok(conn.one::<Number>(Sql::new("select row as value from indexed_to where only_row = 1"))?.value)
}

fn index_batch(conn: &mut Conn) -> Result<()> {
    // One at a time: the others wait on this row.
    conn.execute(Sql::new("update indexed_to set row = row where only_row = 1"))?;
    let (from, to) = (indexed_up_to(conn)?, sealed_up_to(conn)?);
    let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? and e.row <= ? order by e.row limit ?");
    let rows = conn.load::<EntryRow>(Sql::new(&select).bind(from).bind(to).bind(BATCH))?;
    let full = i64::try_from(rows.len()) == Ok(BATCH);
    let mut last = to;
    let (mut parts, mut sums, mut begun) = (Rows::new(&PARTS), BTreeMap::new(), BTreeSet::new());
    for row in rows {
        let (number, entry) = (row.row, row.read()?.entry);
        if full {
            last = number;
        }
        for (agreement, (low, high)) in extents(&entry) {
            parts.push([agreement.into(), number.into(), low.into(), high.into()]);
        }
        if entry.kind == EntryKind::Disclosure && entry.recipient != PUBLIC {
            add(conn, &entry, &mut begun, &mut sums)?;
        }
    }
    conn.insert(&parts)?;
    for (key, sum) in sums {
        keep(conn, key, &sum)?;
    }
    conn.execute(Sql::new("update indexed_to set row = ? where only_row = 1").bind(last)).map(drop)
}

/// Each agreement of an entry, with the least and the greatest number of a record; 0 and -1 where it names none.
fn extents(entry: &Entry) -> BTreeMap<&str, (i64, i64)> {
    let mut extents: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for disclosed in &entry.disclosed {
        let extent = extents.entry(&disclosed.agreement).or_insert((0, -1));
        for (from, to) in disclosed.ranges() {
            let empty = extent.0 > extent.1;
            *extent = if empty { (from, to) } else { (extent.0.min(from), extent.1.max(to)) };
        }
    }
    extents
}

/// Adds what one entry gave. The later chunks of an answer are the same answer.
fn add(conn: &mut Conn, entry: &Entry, begun: &mut BTreeSet<(String, String)>, sums: &mut BTreeMap<Key, Sum>) -> Result<()> {
    for disclosed in &entry.disclosed {
        let known = !begun.insert((entry.id.clone(), disclosed.agreement.clone()))
            || entry.chunk > 0 && begun_before(conn, entry, &disclosed.agreement)?;
        let given = disclosed.fields.iter().filter(|_| disclosed.count > 0).map(String::as_str);
        for field in std::iter::once("").chain(given) {
            let key = (
                disclosed.agreement.clone(),
                entry.recipient.clone(),
                disclosed.version,
                entry.channel.clone(),
                field.to_owned(),
            );
            let at = entry.at.0;
            let sum = sums.entry(key).or_insert(Sum { answers: 0, records: 0, first: at, last: at });
            sum.answers += i64::from(!known);
            sum.records += disclosed.count;
            sum.first = sum.first.min(at);
            sum.last = sum.last.max(at);
        }
    }
    Ok(())
}

/// Whether an earlier chunk of the same answer, in an earlier batch, gave something under the agreement.
pub(super) fn begun_before(conn: &mut Conn, entry: &Entry, agreement: &str) -> Result<bool> {
    let select = "select e.chunk as value from entries e where e.id = ? and e.chunk < ? and exists
        (select 1 from entry_agreements a where a.agreement = ? and a.row = e.row) order by e.chunk desc limit 1";
    let select = Sql::new(select).bind(&entry.id).bind(entry.chunk).bind(agreement);
    Ok(conn.first::<Number>(select)?.is_some())
}

fn keep(conn: &mut Conn, key: Key, sum: &Sum) -> Result<()> {
    let (agreement, recipient, version, channel, field) = key;
    let upsert = "insert into given_fields (agreement, recipient, version, channel, field, answers, records, first_at, last_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (agreement, recipient, version, channel, field) do update set
        answers = given_fields.answers + excluded.answers, records = given_fields.records + excluded.records,
        first_at = case when excluded.first_at < given_fields.first_at then excluded.first_at else given_fields.first_at end,
        last_at = case when excluded.last_at > given_fields.last_at then excluded.last_at else given_fields.last_at end";
    let upsert = Sql::new(upsert).bind(agreement).bind(recipient).bind(version).bind(channel).bind(field);
    conn.execute(upsert.bind(sum.answers).bind(sum.records).bind(sum.first).bind(sum.last)).map(drop)
}
