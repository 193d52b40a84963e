//! The rows that a view shows: listed, counted, and one by one.
//!
//! What an edition shows are its rows that are live still, and the few that died since (a running commit has already closed some).
//! The live ones lie in indexes of their own, and nothing is looked at beyond the last row of the edition.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::sql_types::{BigInt, Nullable, Text};
use hayward_domain::condition::{Condition, Is, Operand};
use hayward_domain::disclose::SharedRecord;
use hayward_domain::keys::Named;
use hayward_domain::mutants;
use hayward_domain::record::RecordNumber;
use hayward_domain::search::Query;
use serde_json::Value;

use super::shares::Extent;
use super::{BUDGET, Selection, ShareSummary, SharedPage, SharedRow, Shares, View, too_broad};
use crate::conn::Kind;
use crate::dialect::{self, Document};
use crate::error::{Result, StoreError};
use crate::filter;
use crate::order::Order;
use crate::search;
use crate::sql::{Number, Sql, rows};

const COLUMNS: &str = "r.row, r.share, r.record, r.name, r.payload, r.born";
/// The rows that no edition has replaced. The literal must be that of the indexes: neither database sees through a bind. Limits are
/// written `? + 0`, or SQLite would plan anew for each.
const LIVE: &str = "r.died = 9223372036854775807";
/// Rows that are read in one go where some of them are other shares'.
const MOST: i64 = 2_000;
/// So many editions are looked up one by one, in the order of their rows; more are sorted.
const APART: i64 = 16;
/// Selected shares that are few enough to be named in the query.
const FEW: usize = 4;
/// Shares that one statement names at most.
const MANY: usize = 500;

/// The types of [`COLUMNS`].
pub(crate) type SharedColumns = (BigInt, BigInt, BigInt, BigInt, Nullable<Text>, BigInt);

/// What [`COLUMNS`] are read into.
#[derive(diesel::Queryable)]
pub(crate) struct SharedRowRow {
    row: i64,
    share: i64,
    record: i64,
    name: i64,
    payload: Option<String>,
    born: i64,
}

rows! {
    VersionRow { row: i64, share: i64, record: i64, name: i64, payload: Option<String>, born: i64, died: i64 }
}

type Share = (Arc<ShareSummary>, Extent);

/// What is wanted, split into what the indexes of the live rows answer and what is left.
struct Split {
    /// Column and value.
    indexed: BTreeMap<usize, String>,
    rest: Condition,
    /// What is derived from several values.
    derived: Option<Sql>,
    words: Option<Query>,
}

impl Split {
    /// Whether the indexes say exactly which rows are wanted.
    fn narrows_everything(&self) -> bool {
        matches!(&self.rest, Condition::All(parts) if parts.is_empty()) && self.derived.is_none()
    }

    /// Whether all rows are wanted.
    fn is_everything(&self) -> bool {
        self.narrows_everything() && self.indexed.is_empty() && self.words.is_none()
    }

    /// Appends what rows have to meet, but for their words.
    fn push(&self, kind: Kind, sql: &mut Sql) {
        for (column, value) in &self.indexed {
            sql.push_with(&format!(" and r.index_{column} = ?"), [value.into()]);
        }
        if !matches!(&self.rest, Condition::All(parts) if parts.is_empty()) {
            sql.push(" and ").append(filter::emit(kind, Document::Payload, &self.rest));
        }
        if let Some(derived) = &self.derived {
            sql.push(" and ").append(derived.clone());
        }
    }

    /// Appends that rows have the words, between two rows.
    fn push_words(&self, kind: Kind, sql: &mut Sql, shelves: &[i64], (after, last): (i64, i64)) {
        let Some(words) = &self.words else { return };
        let dialect::Words { row, have } = dialect::words(kind);
        let wanted = search::wanted(kind, words, shelves);
        let text = format!(" and r.row in (select {row} from shared_words w where {have} and {row} > ? and {row} <= ?)");
        sql.push_with(&text, [wanted.into(), after.into(), last.into()]);
    }
}

impl View<'_> {
    /// One page of the rows of `shares` that are selected, after the row `after`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `too-broad` where a sort or a filter without an index would have to look at more than [`BUDGET`]
    /// rows.
    pub fn list(
        &mut self,
        shares: &Shares,
        selection: &Selection,
        order: &Order,
        after: Option<i64>,
        limit: i64,
    ) -> Result<SharedPage> {
        let shares = &*self.changed(shares, selection)?;
        let split = split(self.conn.kind(), shares, selection);
        if !(split.narrows_everything() && order.is_default()) && shares.live() > BUDGET {
            return Err(too_broad());
        }
        let mut found = if shares.is_empty() {
            Vec::new()
        } else if order.is_default() {
            self.in_order(shares, &split, after.unwrap_or(0), limit + 1)?
        } else {
            self.sorted(shares, &split, order, after, limit + 1)?
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let after = found.last().map(|row| row.row).filter(|_| more);
        let rows = found.into_iter().filter_map(|row| shares.of(row.share).map(|share| self.shared(row, share)));
        Ok(SharedPage { rows: rows.collect::<Result<_>>()?, after })
    }

    /// How many rows of `shares` are selected; nothing beyond the budget.
    ///
    /// # Errors
    /// Only the database's.
    pub fn count(&mut self, shares: &Shares, selection: &Selection) -> Result<Option<i64>> {
        let live = shares.live();
        if live > BUDGET {
            return Ok(None);
        }
        if live == 0 || selection.since.is_none() && split(self.conn.kind(), shares, selection).is_everything() {
            return Ok(Some(live));
        }
        let Some(shown) = self.selected(shares, selection)? else { return Ok(Some(0)) };
        let mut sql = Sql::default().varying();
        sql.push("select count(*) as value from (").append(shown).push(") as found");
        Ok(Some(self.conn.one::<Number>(sql)?.value))
    }

    /// Every row that is selected, in no order; nothing where no share has any.
    pub(super) fn selected(&mut self, shares: &Shares, selection: &Selection) -> Result<Option<Sql>> {
        let shares = &*self.changed(shares, selection)?;
        if shares.is_empty() {
            return Ok(None);
        }
        let split = split(self.conn.kind(), shares, selection);
        self.shown(shares, &split).map(Some)
    }

    /// The shares, less what has not changed since.
    fn changed<'s>(&mut self, shares: &'s Shares, selection: &Selection) -> Result<MaybeOwned<'s>> {
        Ok(match selection.since {
            None => MaybeOwned::Borrowed(shares),
            Some(since) => MaybeOwned::Owned(self.since(shares, since)?),
        })
    }

    /// The row that `id` names for this viewer, under the most specific audience.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if no share shows it.
    pub fn get(&mut self, shares: &Shares, id: &str) -> Result<(SharedRow, Arc<ShareSummary>)> {
        let named = self.ids.read(id).ok_or(StoreError::NotFound)?;
        let (number, mut candidates) = match named {
            Named::Stable(number) => (number, shares.iter().filter(|share| share.keys.is_none()).collect::<Vec<_>>()),
            Named::Pseudonym { share: of, sealed } => {
                let share = shares.of(of).ok_or(StoreError::NotFound)?;
                let number = share.keys.as_ref().and_then(|keys| keys.open_record(sealed)).ok_or(StoreError::NotFound)?;
                (number, vec![share])
            }
        };
        candidates.sort_by_key(|share| (share.audience, share.number));
        let versions = self.versions(number, &candidates)?;
        let shown = |share: &ShareSummary, row: &VersionRow| {
            row.share == share.number && row.born <= share.edition && row.died > share.edition
        };
        for share in candidates {
            if let Some(row) = versions.iter().find(|row| shown(share, row)) {
                let row = SharedRowRow {
                    row: row.row,
                    share: row.share,
                    record: row.record,
                    name: row.name,
                    payload: row.payload.clone(),
                    born: row.born,
                };
                return Ok((self.shared(row, share)?, Arc::clone(share)));
            }
        }
        Err(StoreError::NotFound)
    }

    /// Every version of a record in these shares. In others nothing is looked up: how many there are is not the viewer's to learn, not
    /// even by the time that it takes.
    fn versions(&mut self, number: RecordNumber, shares: &[&Arc<ShareSummary>]) -> Result<Vec<VersionRow>> {
        // Found by the names that it has there. `cross join` keeps SQLite from turning the join round.
        let select = format!(
            "select {COLUMNS}, r.died from share_names n cross join shared_records r
            where n.record = ? and r.share = n.share and r.name = n.name and n.share in "
        );
        let mut found = Vec::new();
        for some in shares.chunks(MANY) {
            let mut sql = Sql::new(&select).bind(number.0);
            if some.len() <= FEW {
                let of = |at: usize| some.get(at).or(some.first()).map_or(0, |share| share.number);
                sql.push_with("(?, ?, ?, ?)", (0..FEW).map(|at| of(at).into()));
            } else {
                sql.list(some.iter().map(|share| share.number));
            }
            found.extend(self.conn.load::<VersionRow>(sql)?);
        }
        Ok(found)
    }

    /// The first rows after `after`, in the shares' own order.
    fn in_order(&mut self, shares: &Shares, split: &Split, after: i64, wanted: i64) -> Result<Vec<SharedRowRow>> {
        let mut found = Vec::new();
        for shelf in shelves(shares) {
            let shares: Vec<&Share> = shares.with_extents().iter().filter(|(share, _)| share.shelf == shelf).collect();
            found.extend(self.live_rows(shelf, &shares, split, after, wanted)?);
        }
        let enough = usize::try_from(wanted).unwrap_or(usize::MAX);
        found.sort_unstable_by_key(|row| row.row);
        found.truncate(enough);
        let last = found.last().map_or(i64::MAX, |row| if found.len() < enough { i64::MAX } else { row.row });
        let writing = self.being_written()?;
        for (share, extent) in shares.with_extents() {
            if extent.head > share.edition || writing.contains(&extent.dataset) {
                found.extend(self.dead_rows(share, extent, split, (after, last), wanted)?);
            }
        }
        found.sort_unstable_by_key(|row| row.row);
        found.truncate(enough);
        Ok(found)
    }

    /// The first rows of one shelf that are live still.
    fn live_rows(&mut self, shelf: i64, shares: &[&Share], split: &Split, after: i64, wanted: i64) -> Result<Vec<SharedRowRow>> {
        let first = shares.iter().filter(|(_, extent)| extent.live > 0).map(|(_, extent)| extent.first_row).min().unwrap_or(0);
        let last = shares.iter().map(|(_, extent)| extent.last_row).max().unwrap_or(0);
        let editions: BTreeMap<i64, _> =
            shares.iter().map(|(share, extent)| (share.number, extent.since..=share.edition)).collect();
        let kind = self.conn.kind();
        let dialect::Words { row, have } = dialect::words(kind);
        let enough = usize::try_from(wanted).unwrap_or(usize::MAX);
        let (mut found, mut after, mut size) = (Vec::new(), after.max(first - 1), wanted);
        while found.len() < enough && after < last {
            let mut sql = match &split.words {
                None => Sql::new(&format!("select {COLUMNS} from shared_records r where r.shelf = ? and {LIVE}")).bind(shelf),
                // From the words to the rows: `cross join` keeps SQLite from turning it round.
                Some(words) => Sql::new(&format!(
                    "select {COLUMNS} from shared_words w cross join shared_records r where {have} and {row} > ? and {row} <= ?
                    and r.row = {row} and r.shelf = ? and {LIVE}"
                ))
                .bind(search::wanted(kind, words, &[shelf]))
                .bind(after)
                .bind(last)
                .bind(shelf),
            };
            sql.push_with(" and r.row > ? and r.row <= ?", [after.into(), last.into()]);
            if shares.len() <= FEW {
                let number = |at: usize| shares.get(at).or(shares.first()).map_or(0, |(share, _)| share.number);
                sql.push_with(" and r.share in (?, ?, ?, ?)", (0..FEW).map(|at| number(at).into()));
            }
            split.push(kind, &mut sql);
            let by = if split.words.is_some() { row } else { "r.row" };
            sql.push_with(&format!(" order by {by} limit ? + 0"), [size.into()]);
            let rows = self.conn.load_shared(sql)?;
            let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= size;
            after = rows.last().map_or(last, |row| row.row);
            // Without rows of other shares, and those that came after the edition that is read, or too long before.
            found.extend(
                rows.into_iter().filter(|row| editions.get(&row.share).is_some_and(|editions| editions.contains(&row.born))),
            );
            if !full {
                break;
            }
            size = (size * 2).min(MOST.max(wanted));
        }
        found.truncate(enough);
        Ok(found)
    }

    /// The first rows of one share, between two rows, that its edition shows and that died since.
    fn dead_rows(
        &mut self,
        share: &ShareSummary,
        extent: &Extent,
        split: &Split,
        (after, last): (i64, i64),
        wanted: i64,
    ) -> Result<Vec<SharedRowRow>> {
        let mut found = Vec::new();
        let kind = self.conn.kind();
        let mut load = |died: &str, binds: [i64; 1]| {
            let mut sql = Sql::new(&format!("select {COLUMNS} from shared_records r where r.share = ? and r.died {died} ?"));
            sql = sql.bind(share.number).bind(binds[0]);
            sql.push_with(" and r.died < 9223372036854775807 and r.born <= ?", [share.edition.into()]);
            if extent.since > 0 {
                sql.push_with(" and r.born >= ?", [extent.since.into()]);
            }
            let between = (after, last.min(extent.last_row));
            sql.push_with(" and r.row > ? and r.row <= ?", [between.0.into(), between.1.into()]);
            split.push(kind, &mut sql);
            split.push_words(kind, &mut sql, &[share.shelf], between);
            sql.push_with(" order by r.row limit ? + 0", [wanted.into()]);
            found.extend(self.conn.load_shared(sql)?);
            Ok::<_, StoreError>(())
        };
        // Whoever writes now closes rows as of the edition after the head.
        if extent.head - share.edition < APART {
            (share.edition + 1..=extent.head + 1).try_for_each(|died| load("=", [died]))?;
        } else {
            load(">", [share.edition])?;
        }
        Ok(found)
    }

    /// The datasets that a commit under way has staged rows for.
    fn being_written(&mut self) -> Result<Vec<i64>> {
        let select = "select dataset as value from claims where dirty = 1";
        Ok(self.conn.load::<Number>(Sql::new(select))?.into_iter().map(|row| row.value).collect())
    }

    /// The first rows after the row `after`, sorted.
    fn sorted(
        &mut self,
        shares: &Shares,
        split: &Split,
        order: &Order,
        after: Option<i64>,
        wanted: i64,
    ) -> Result<Vec<SharedRowRow>> {
        let kind = self.conn.kind();
        let mut sql = Sql::default().varying();
        let shown = self.shown(shares, split)?;
        sql.push("select * from (").append(shown).push(") as r");
        if let Some(last) = after {
            let payload = self.payload(last)?;
            sql.push(" where ").append(order.after(kind, Document::Payload, &payload, "r.row", last));
        }
        let tie = if mutants::on("ties-by-record") { "r.record" } else { "r.row" };
        sql.push(&order.emit(kind, Document::Payload, tie));
        sql.push_with(" limit ?", [wanted.into()]);
        self.conn.load_shared(sql)
    }

    /// Every row that the shares show and that meets the condition, in no order.
    fn shown(&mut self, shares: &Shares, split: &Split) -> Result<Sql> {
        let kind = self.conn.kind();
        let writing = self.being_written()?;
        // Those whose rows have to be looked at one by one: they moved on since, or not all of them are wanted.
        let apart =
            |(share, extent): &&Share| extent.head > share.edition || extent.since > 0 || writing.contains(&extent.dataset);
        let (apart, still): (Vec<&Share>, Vec<&Share>) = shares.with_extents().iter().partition(apart);
        let last = shares.with_extents().iter().map(|(_, extent)| extent.last_row).max().unwrap_or(0);
        let mut sql = Sql::default().varying();
        if !apart.is_empty() {
            sql.push("with apart (share, edition, since) as (values ");
            for (at, (share, extent)) in apart.iter().enumerate() {
                let values = if at == 0 { "(?, ?, ?)" } else { ", (?, ?, ?)" };
                sql.push_with(values, [share.number.into(), share.edition.into(), extent.since.into()]);
            }
            sql.push(") ");
        }
        let shelves = shelves(shares);
        sql.push(&format!("select {COLUMNS} from shared_records r where {LIVE} and r.shelf in ")).list(shelves.iter().copied());
        sql.push_with(" and r.row <= ? and (r.share in ", [last.into()]);
        sql.list(still.iter().map(|(share, _)| share.number).chain(still.is_empty().then_some(0)));
        if !apart.is_empty() {
            sql.push(" or exists (select 1 from apart m where m.share = r.share and r.born <= m.edition and r.born >= m.since)");
        }
        sql.push(")");
        split.push(kind, &mut sql);
        split.push_words(kind, &mut sql, &shelves, (0, last));
        if !apart.is_empty() {
            sql.push(&format!(
                " union all select {COLUMNS} from apart m cross join shared_records r where r.share = m.share
                and r.died > m.edition and r.died < 9223372036854775807 and r.born <= m.edition and r.born >= m.since"
            ));
            split.push(kind, &mut sql);
            split.push_words(kind, &mut sql, &shelves, (0, last));
        }
        Ok(sql)
    }

    fn payload(&mut self, row: i64) -> Result<Value> {
        let select = format!("select {COLUMNS} from shared_records r where r.row = ?");
        let row = self.conn.load_shared(Sql::new(&select).bind(row))?.into_iter().next();
        let text =
            row.and_then(|row| row.payload).ok_or_else(|| StoreError::Stale("the page before this one is gone".to_owned()))?;
        serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("a payload"))
    }

    fn shared(&self, row: SharedRowRow, share: &ShareSummary) -> Result<SharedRow> {
        Ok(SharedRow {
            id: self.record_id(share, row.record),
            share: row.share,
            edition: row.born,
            name: row.name,
            record: SharedRecord::from_shelf(row.payload.ok_or(StoreError::Corrupt("a payload"))?),
            row: row.row,
        })
    }

    /// The id of a record for this recipient.
    pub(crate) fn record_id(&self, share: &ShareSummary, record: i64) -> String {
        match share.keys.as_ref().filter(|_| !mutants::on("ids-of-the-commons")) {
            None => self.ids.stable(RecordNumber(record)),
            Some(keys) => self.ids.pseudonym(share.number, keys, RecordNumber(record)),
        }
    }

    /// Rows between `born` bounds and so on, for the feed.
    pub(crate) fn rows_of(&mut self, share: &ShareSummary, sql: Sql) -> Result<Vec<SharedRow>> {
        let rows = self.conn.load_shared(sql)?;
        rows.into_iter().map(|row| self.shared(row, share)).collect()
    }
}

/// Shares as they were asked for, or a narrower choice of them.
enum MaybeOwned<'a> {
    Borrowed(&'a Shares),
    Owned(Shares),
}

impl std::ops::Deref for MaybeOwned<'_> {
    type Target = Shares;

    fn deref(&self) -> &Shares {
        match self {
            Self::Borrowed(shares) => shares,
            Self::Owned(shares) => shares,
        }
    }
}

impl Shares {
    /// Whether an index leads from one row that is selected to the next. The beginning of a word does not: all words that begin so are
    /// put together first.
    #[must_use]
    pub fn answered_by_index(&self, selection: &Selection) -> bool {
        let (_, rest) = indexed(self, &selection.condition);
        let whole = |words: &Query| words.wants().iter().all(|want| !want.beginning);
        matches!(rest, Condition::All(parts) if parts.is_empty())
            && !selection.derives()
            && selection.words.as_ref().is_none_or(whole)
    }
}

fn shelves(shares: &Shares) -> Vec<i64> {
    let mut shelves: Vec<i64> = shares.iter().map(|share| share.shelf).collect();
    shelves.sort_unstable();
    shelves.dedup();
    shelves
}

fn split(kind: Kind, shares: &Shares, selection: &Selection) -> Split {
    let (indexed, rest) = indexed(shares, &selection.condition);
    Split { indexed, rest, derived: selection.derived(kind, &shares.names.places), words: selection.words.clone() }
}

/// Equalities over fields that have an index of their own in every one of the shares are the indexes'; everything else is left.
fn indexed(shares: &Shares, condition: &Condition) -> (BTreeMap<usize, String>, Condition) {
    let mut indexed = BTreeMap::new();
    let Condition::All(parts) = condition else { return (indexed, condition.clone()) };
    let mut rest = Vec::new();
    for part in parts {
        match in_index(shares, part).filter(|(column, _)| !indexed.contains_key(column)) {
            Some((column, text)) => drop(indexed.insert(column, text)),
            None => rest.push(part.clone()),
        }
    }
    (indexed, Condition::All(rest))
}

/// The index's column and value, where it says exactly what the test says.
fn in_index(shares: &Shares, test: &Condition) -> Option<(usize, String)> {
    let Condition::Test { field, is: Is::Eq(Operand { text: Some(text), number: None, boolean: None }) } = test else {
        // A number or a truth could match too, and has no index.
        return None;
    };
    let place = |share: &ShareSummary| share.schema.indexed.iter().position(|indexed| indexed == field);
    let first = shares.iter().next().and_then(|share| place(share))?;
    shares.iter().all(|share| place(share) == Some(first)).then(|| (first + 1, text.clone()))
}
