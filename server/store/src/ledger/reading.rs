//! Reading the ledger: what concerns one organization, newest first.
//!
//! Sealed entries are found through `entry_parties`. Those that are not sealed yet are few, and looked through one by one.

use serde_json::Value;

use super::{
    ENTRY_COLUMNS, Entry, EntryPage, EntryRow, HOUR_COLUMNS, HourRow, Kept, LedgerStore, Link, Point, hour_entry, refusals,
};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use hayward_domain::moment::Moment;

/// Unsealed entries looked at in one go.
const BATCH: i64 = 500;

rows! {
    LinkRow { position: Option<i64>, previous: Option<String>, hash: Option<String> }
    PointRow { position: i64, hash: String, at: i64, signature: String, era: Option<String> }
}

impl LedgerStore {
    /// The entries that concern an organization, newest first, below the entry numbered `below`.
    ///
    /// # Errors
    /// Only the database's.
    pub fn entries(&self, organization: &str, below: Option<i64>, limit: i64) -> Result<EntryPage> {
        self.db.read(Eyes::Own, |conn| {
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let sealed = sealed_up_to(conn)?;
            let mut found = unsealed(conn, organization, sealed, below, wanted.saturating_add(1))?;
            if found.len() <= wanted {
                let select = format!(
                    "select {ENTRY_COLUMNS} from entry_parties p join entries e on e.row = p.row
                    where p.organization = ? and p.row < ? and p.row <= ? order by p.row desc limit ?"
                );
                let left = limit - i64::try_from(found.len()).unwrap_or(limit) + 1;
                let select = Sql::new(&select).bind(organization).bind(below.unwrap_or(i64::MAX)).bind(sealed).bind(left);
                for row in conn.load::<EntryRow>(select)? {
                    found.push((row.row, row.read()?));
                }
            }
            let more = found.len() > wanted;
            found.truncate(wanted);
            let below_next = found.last().map(|(row, _)| *row).filter(|_| more);
            let mut items = Vec::with_capacity(found.len());
            if below.is_none() {
                let hours = open_hours(conn, organization)?.into_iter().map(|entry| self.fresh(entry));
                items.extend(hours.map(|kept| (kept.seen_by(organization), None)));
            }
            for (row, entry) in found {
                items.push((entry.seen_by(organization), link(conn, organization, row)?));
            }
            Ok(EntryPage { items, below: below_next })
        })
    }

    /// One answer, for an organization that it concerns: its chunks in order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn entry(&self, organization: &str, id: &str) -> Result<Vec<(Value, Option<Link>)>> {
        self.db.read(Eyes::Own, |conn| {
            let select = format!("select {ENTRY_COLUMNS} from entries e where e.id = ? order by e.chunk");
            let mut chunks = Vec::new();
            for row in conn.load::<EntryRow>(Sql::new(&select).bind(id))? {
                let (row, entry) = (row.row, row.read()?);
                if entry.entry.concerns(organization) {
                    chunks.push((entry.seen_by(organization), link(conn, organization, row)?));
                }
            }
            if chunks.is_empty() { Err(StoreError::NotFound) } else { Ok(chunks) }
        })
    }

    /// The newest signed checkpoint of a provider's chain.
    ///
    /// # Errors
    /// Only the database's.
    pub fn checkpoint(&self, provider: &str) -> Result<Option<Point>> {
        let select =
            "select position, hash, at, signature, era from checkpoints where provider = ? order by position desc limit 1";
        let row = self.db.read(Eyes::Own, |conn| conn.first::<PointRow>(Sql::new(select).bind(provider)))?;
        Ok(row.map(|row| {
            let PointRow { position, hash, at, signature, era } = row;
            Point { provider: provider.to_owned(), position, hash, at: Moment(at), signature, era }
        }))
    }
}

pub(super) fn sealed_up_to(conn: &mut Conn) -> Result<i64> {
    Ok(conn.one::<Number>(Sql::new("select row as value from sealed where only_row = 1"))?.value)
}

/// The newest entries that are not sealed yet and concern the organization.
fn unsealed(conn: &mut Conn, organization: &str, sealed: i64, below: Option<i64>, wanted: usize) -> Result<Vec<(i64, Kept)>> {
    let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? and e.row < ? order by e.row desc limit ?");
    let (mut found, mut below) = (Vec::new(), below.unwrap_or(i64::MAX));
    while found.len() < wanted {
        let rows = conn.load::<EntryRow>(Sql::new(&select).bind(sealed).bind(below).bind(BATCH))?;
        let Some(last) = rows.last() else { break };
        below = last.row;
        for row in rows {
            let (row, entry) = (row.row, row.read()?);
            if entry.entry.concerns(organization) {
                found.push((row, entry));
            }
        }
    }
    found.truncate(wanted);
    Ok(found)
}

/// The hours of public reads and of refusals that are not entries yet.
pub(super) fn open_hours(conn: &mut Conn, organization: &str) -> Result<Vec<Entry>> {
    let mut hours = open_reads(conn, organization)?;
    hours.extend(refusals::open(conn, organization)?);
    hours.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    Ok(hours)
}

/// The hours of public reads that are not entries yet.
fn open_reads(conn: &mut Conn, provider: &str) -> Result<Vec<Entry>> {
    let select = format!(
        "select {HOUR_COLUMNS} from public_reads where provider = ? and hour >= (select hour from sealed where only_row = 1)
        order by hour desc, agreement"
    );
    conn.load::<HourRow>(Sql::new(&select).bind(provider))?.into_iter().map(hour_entry).collect()
}

/// The links of a provider's chain after a position, each with the entry that it covers.
pub(crate) fn links(conn: &mut Conn, provider: &str, after: i64, limit: i64) -> Result<Vec<(Value, Link)>> {
    let select = format!(
        "select {ENTRY_COLUMNS} from entry_parties p join entries e on e.row = p.row
        where p.organization = ? and p.position > ? order by p.position limit ?"
    );
    let rows = conn.load::<EntryRow>(Sql::new(&select).bind(provider).bind(after).bind(limit))?;
    let mut links = Vec::with_capacity(rows.len());
    for row in rows {
        let (row, kept) = (row.row, row.read()?);
        links.push((kept.seen_by(provider), link(conn, provider, row)?.ok_or(StoreError::Corrupt("a link of the ledger"))?));
    }
    Ok(links)
}

/// The entry's link in the organization's chain, once it is sealed.
pub(super) fn link(conn: &mut Conn, provider: &str, row: i64) -> Result<Option<Link>> {
    let select = "select p.position, p.hash, q.hash as previous from entry_parties p
        left join entry_parties q on q.organization = p.organization and q.position = p.position - 1
        where p.organization = ? and p.row = ?";
    let Some(row) = conn.first::<LinkRow>(Sql::new(select).bind(provider).bind(row))? else { return Ok(None) };
    let link = row.position.zip(row.hash);
    Ok(link.map(|(position, hash)| Link { position, previous: row.previous.unwrap_or_default(), hash }))
}
