//! To whom some rows of shares were given, and when.
//!
//! Every entry since the rows were there is looked at once, a page at a time, so this takes as long as the provider's ledger has grown
//! since. Memory holds numbers of records as compressed sets: one for the rows, one for each recipient of each agreement.
//!
//! An entry covers a row where it names its record and is of an edition in which the row stood. Tokenless reads of public shares are
//! counted by the hour and name no record: that there were some is all that can be told.

use std::collections::BTreeMap;
use std::time::Duration;

use hayward_domain::moment::Moment;
use roaring::RoaringTreemap;
use serde::Serialize;

use super::reading::{open_hours, sealed_up_to};
use super::{Disclosed, ENTRY_COLUMNS, Entry, EntryKind, EntryRow, HOUR, LedgerStore};
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::shelf::AudienceKind;
use crate::sql::{Number, Sql};
use crate::writing::{Shown, ShownRows};

/// Entries looked at in one go.
const PAGE: i64 = 500;
/// How far the clocks of several servers, and the times at which answers were begun and written down, may lie apart.
pub(super) const APART: Duration = Duration::from_secs(3_600);

/// Somebody who was given records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenTo {
    /// The organization, or `public` for whoever came without a token.
    pub recipient: String,
    /// Under which agreement.
    pub agreement: String,
    /// For whom the agreement is: `organization`, `members` or `public`.
    pub audience: &'static str,
    /// How many different records; null for reads that are only counted.
    pub records: Option<u64>,
    /// When for the first time, as RFC 3339; for reads that are counted by the hour, its beginning.
    pub first: String,
    /// When for the last time.
    pub last: String,
}

/// What one recipient was given under one agreement.
struct Given {
    audience: AudienceKind,
    /// None for reads that are only counted.
    names: Option<RoaringTreemap>,
    first: Moment,
    last: Moment,
}

/// What everybody was given, while the entries are looked at.
struct Tally<'a> {
    shown: BTreeMap<&'a str, Vec<&'a ShownRows>>,
    since: Moment,
    given: BTreeMap<(String, String), Given>,
}

impl LedgerStore {
    /// To whom rows of a provider's shares were given.
    ///
    /// # Errors
    /// Only the database's.
    pub fn given(&self, provider: &str, shown: &Shown) -> Result<Vec<GivenTo>> {
        let Some(since) = shown.since.filter(|_| !shown.rows.is_empty()) else { return Ok(Vec::new()) };
        let mut tally = Tally { shown: BTreeMap::new(), since, given: BTreeMap::new() };
        for rows in &shown.rows {
            tally.shown.entry(&rows.agreement).or_default().push(rows);
        }
        let (sealed, mut from) = self
            .db
            .read(Eyes::Own, |conn| Ok::<_, crate::StoreError>((sealed_up_to(conn)?, first_since(conn, since.minus(APART))?)))?;
        let of_provider = format!(
            "select {ENTRY_COLUMNS} from entry_parties p join entries e on e.row = p.row
            where p.organization = ? and p.row >= ? and p.row <= ? order by p.row limit ?"
        );
        let unsealed = format!("select {ENTRY_COLUMNS} from entries e where e.row >= ? order by e.row limit ?");
        while from <= sealed {
            let page = Sql::new(&of_provider).bind(provider).bind(from).bind(sealed).bind(PAGE);
            from = self.look(page, provider, &mut tally)?.unwrap_or(sealed).saturating_add(1);
        }
        while let Some(last) = self.look(Sql::new(&unsealed).bind(from).bind(PAGE), provider, &mut tally)? {
            from = last.saturating_add(1);
        }
        for hour in self.db.read(Eyes::Own, |conn| open_hours(conn, provider))? {
            tally.add(&hour, provider);
        }
        Ok(tally.end())
    }

    /// Looks at one page of entries. Returns the row of the last one.
    fn look(&self, page: Sql, provider: &str, tally: &mut Tally<'_>) -> Result<Option<i64>> {
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<EntryRow>(page))?;
        let last = rows.last().map(|row| row.row);
        for row in rows {
            tally.add(&row.read()?.entry, provider);
        }
        Ok(last)
    }
}

/// The first entry that was written since a moment. Entries are in the order of their times, but for how far clocks lie [`APART`].
pub(super) fn first_since(conn: &mut Conn, since: Moment) -> Result<i64> {
    let last = conn.one::<Number>(Sql::new("select coalesce(max(row), 0) as value from entries"))?.value;
    let (mut from, mut to) = (0, last.saturating_add(1));
    while from < to {
        let middle = from + (to - from) / 2;
        // Numbers leap where a backup was restored: whatever comes next stands for those that nothing has.
        let at = Sql::new("select at as value from entries where row >= ? order by row limit 1").bind(middle);
        match conn.first::<Number>(at)? {
            Some(at) if at.value < since.0 => from = middle + 1,
            Some(_) | None => to = middle,
        }
    }
    Ok(from)
}

impl Tally<'_> {
    fn add(&mut self, entry: &Entry, provider: &str) {
        let given = if entry.kind == EntryKind::Disclosure { entry.disclosed.as_slice() } else { &[] };
        for disclosed in given.iter().filter(|disclosed| disclosed.provider == provider && disclosed.count > 0) {
            let Some(rows) = self.shown.get(disclosed.agreement.as_str()) else { continue };
            let Some(audience) = rows.first().map(|rows| rows.audience) else { continue };
            let names = if disclosed.records.is_empty() {
                if entry.at.0.saturating_add(HOUR) <= self.since.0 {
                    continue;
                }
                None
            } else {
                let names = covered(disclosed, rows);
                if names.is_empty() {
                    continue;
                }
                Some(names)
            };
            let key = (disclosed.agreement.clone(), entry.recipient.clone());
            let given = self.given.entry(key).or_insert(Given { audience, names: None, first: entry.at, last: entry.at });
            if let Some(names) = names {
                *given.names.get_or_insert_default() |= names;
            }
            given.first = given.first.min(entry.at);
            given.last = given.last.max(entry.at);
        }
    }

    fn end(self) -> Vec<GivenTo> {
        let given = self.given.into_iter().map(|((agreement, recipient), given)| GivenTo {
            recipient,
            agreement,
            audience: given.audience.as_str(),
            records: given.names.map(|names| names.len()),
            first: given.first.to_rfc3339(),
            last: given.last.to_rfc3339(),
        });
        given.collect()
    }
}

/// The rows that a disclosure covers.
fn covered(disclosed: &Disclosed, rows: &[&ShownRows]) -> RoaringTreemap {
    let mut covered = RoaringTreemap::new();
    let stood = rows.iter().filter(|rows| rows.born <= disclosed.edition && disclosed.edition < rows.died);
    let mut stood = stood.peekable();
    if stood.peek().is_none() {
        return covered;
    }
    let mut told = RoaringTreemap::new();
    for (from, to) in disclosed.ranges() {
        if let (Ok(from), Ok(to)) = (u64::try_from(from), u64::try_from(to)) {
            told.insert_range(from..=to);
        }
    }
    for rows in stood {
        covered |= &told & &rows.names;
    }
    covered
}
