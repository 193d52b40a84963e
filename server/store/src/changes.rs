//! The changes feed: what a recipient must apply to a copy as of one commit to have it as of a later one.
//!
//! * A window runs from the commit a client has `seen` to a `target`, pinned when the window opens.
//! * Per share: a row born since and live now is `upserted`; a row live then and not replaced is `removed`. Opening upserts all
//!   rows, closing removes them. So leaving the condition, being deleted and losing the agreement look the same.
//! * What moved only inside hidden fields has no row here, and so no item.
//! * A share whose floor was raised without a closing (an erasure) is read at its floor by a window that was pinned before.
//! * Rows below a share's floor are named in removals only: their payloads are gone.

use hayward_domain::mutants;

use crate::error::{Result, StoreError};
use crate::shelf::{ShareParts, ShareQuery, ShareSummary, SharedRow, View};
use crate::sql::{Sql, rows};

/// Where a client stands in the feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangesFrom {
    /// The commit up to which the client has everything; 0 for nothing.
    pub seen: i64,
    /// The commit that the window under way leads to; 0 between windows.
    pub target: i64,
    /// The share the last page ended in …
    pub share: i64,
    /// … whether it was among the removed …
    pub removing: bool,
    /// … and the row it ended with.
    pub row: i64,
}

/// One item of the feed.
pub enum ChangeItem {
    /// A row as it is now.
    Upserted(SharedRow),
    /// A record that is to be dropped.
    Removed {
        /// Its id.
        id: String,
        /// The share it was in.
        share: i64,
        /// The share's edition that dropped it.
        edition: i64,
        /// Its name in the ledger.
        name: i64,
    },
}

/// One page of the feed.
pub struct ChangesPage {
    /// The shares that the items belong to.
    pub shares: Vec<ShareSummary>,
    /// The items, with the collection of each.
    pub items: Vec<(String, ChangeItem)>,
    /// Where the next page begins.
    pub next: ChangesFrom,
}

rows! {
    FeedShare {
        number: i64, shelf: i64, floor: i64, provider: String, agreement: String, version: i64, audience: i64, collection: String,
        open_now: i64, opened_then: i64, opened_at_target: i64, opened_last: i64, edition_then: i64, edition: i64,
    }
    GoneRow { row: i64, record: i64, name: i64, died: i64 }
    PrunedRow { number: i64, pruned: i64 }
}

/// What a share was and is, at the two ends of a window.
struct Window {
    share: ShareSummary,
    collection: String,
    /// The edition the client has; nothing if the share did not answer then.
    then: Option<i64>,
    /// The edition to bring it to; nothing if the share does not answer now.
    now: Option<i64>,
    /// Whether the client's rows are to be taken as they are: the share answered without a break.
    unbroken: bool,
}

impl View<'_> {
    /// The next page of the feed over `collections`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if the client has seen so little that the editions in between are pruned: it must read anew.
    pub fn changes(&mut self, collections: &[String], wanted: &ShareQuery, from: ChangesFrom, limit: i64) -> Result<ChangesPage> {
        let pruned = "select number, pruned from commit_counter where only_row = 1";
        let pruned = self.conn.one::<PrunedRow>(Sql::new(pruned))?;
        if from.seen > 0 && from.seen < pruned.pruned || from.seen > pruned.number {
            return Err(StoreError::Stale("these changes are no longer kept; read everything anew".to_owned()));
        }
        let target = if from.target == 0 { self.commit } else { from.target };
        // A full page's `next` is where its last item stands; `fill` keeps it.
        let begin = ChangesFrom { seen: from.seen, target, share: from.share, removing: from.removing, row: from.row };
        let mut page = ChangesPage { shares: Vec::new(), items: Vec::new(), next: begin };
        let mut start = if from.target == 0 { ChangesFrom { share: 0, removing: false, row: 0, ..from } } else { from };
        for window in self.windows(collections, wanted, from.seen, target, start.share)? {
            if window.share.number() != start.share {
                start = ChangesFrom { share: window.share.number(), removing: false, row: 0, ..start };
            }
            page.shares.push(window.share.clone());
            if !start.removing {
                let room = limit - i64::try_from(page.items.len()).unwrap_or(limit);
                let rows = self.upserted(&window, start.row, room + 1)?;
                if fill(&mut page, &window, rows.into_iter().map(|row| (row.row, ChangeItem::Upserted(row))), limit) {
                    return Ok(page);
                }
                start = ChangesFrom { removing: true, row: 0, ..start };
            }
            let room = limit - i64::try_from(page.items.len()).unwrap_or(limit);
            let rows = self.removed(&window, start.row, room + 1)?;
            if fill(&mut page, &window, rows.into_iter(), limit) {
                return Ok(page);
            }
        }
        page.next = ChangesFrom { seen: target, ..ChangesFrom::default() };
        Ok(page)
    }

    fn windows(
        &mut self,
        collections: &[String],
        wanted: &ShareQuery,
        seen: i64,
        target: i64,
        from_share: i64,
    ) -> Result<Vec<Window>> {
        let mut sql = Sql::new(
            "select s.number, s.shelf, s.floor, o.id as provider, a.id as agreement, s.version, a.audience, h.collection,
                cast(case when s.open = 1 and v.state = 'active' and v.ends_at > ? then 1 else 0 end as bigint) as open_now,
                coalesce((select max(p.opened) from share_openings p
                    where p.share = s.number and p.opened <= ? and p.closed > ?), 0) as opened_then,
                coalesce((select max(p.opened) from share_openings p
                    where p.share = s.number and p.opened <= ? and p.closed > ?), 0) as opened_at_target,
                coalesce((select max(p.opened) from share_openings p where p.share = s.number), 0) as opened_last,
                coalesce((select max(e.edition) from share_editions e
                    where e.share = s.number and e.commit_number <= ?), 0) as edition_then,
                coalesce((select max(e.edition) from share_editions e
                    where e.share = s.number and e.commit_number <= ?), 0) as edition
            from shelves h join shares s on s.shelf = h.number join agreements a on a.number = s.number
            join organizations o on o.number = a.provider
            join agreement_versions v on v.agreement = s.number and v.version = s.version
            where s.number >= ? and h.audience in ",
        );
        for bind in [self.now.0, seen, seen, target, target, seen, target, from_share] {
            sql = sql.bind(bind);
        }
        sql.list(self.audiences());
        sql.push(" and h.collection in ").list(collections.iter().map(String::as_str));
        if let Some(agreement) = &wanted.agreement {
            sql.push_with(" and a.id = ?", [agreement.into()]);
        }
        sql.push(" order by s.number");
        let mut windows = Vec::new();
        for row in self.conn.load::<FeedShare>(sql)? {
            let then = (row.opened_then > 0).then_some(row.edition_then);
            // An erasure raises the floor and closes nothing. A window that was pinned before it leads to the floor then, and the next one
            // says some of it again; narrowing closes the share, and has another opening.
            let is_same = row.opened_at_target > 0 && row.opened_at_target == row.opened_last;
            let reached = if is_same { row.edition.max(row.floor) } else { row.edition };
            let answers = row.open_now == 1 && row.opened_at_target > 0 && reached >= row.floor;
            let answers = answers || mutants::on("feed-stays-open");
            let row = FeedShare { edition: reached, ..row };
            let (collection, edition, unbroken) = (row.collection, row.edition, row.opened_then == row.opened_at_target);
            if then.is_none() && !answers {
                continue;
            }
            let summary = ShareParts {
                number: row.number,
                shelf: row.shelf,
                edition,
                provider: row.provider,
                agreement: row.agreement,
                version: row.version,
                audience: row.audience,
            };
            match self.summary(summary) {
                Ok(share) => windows.push(Window { share, collection, then, now: answers.then_some(edition), unbroken }),
                // The secret of a closed agreement is destroyed: its pseudonymous ids can no longer be named, by anyone.
                Err(StoreError::Refused { code: crate::SECRET_GONE, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(windows)
    }

    fn upserted(&mut self, window: &Window, after: i64, limit: i64) -> Result<Vec<SharedRow>> {
        let Some(now) = window.now else { return Ok(Vec::new()) };
        let since = window.then.filter(|_| window.unbroken).unwrap_or(0);
        let select = "select row, share, record, name, payload, born from shared_records
            where share = ? and born > ? and born <= ? and died > ? and row > ? order by row limit ?";
        let select = Sql::new(select).bind(window.share.number()).bind(since).bind(now).bind(now).bind(after).bind(limit);
        self.rows_of(&window.share, select)
    }

    fn removed(&mut self, window: &Window, after: i64, limit: i64) -> Result<Vec<(i64, ChangeItem)>> {
        let Some(then) = window.then else { return Ok(Vec::new()) };
        let share = window.share.number();
        let mut sql = Sql::new(
            "select r.row, r.record, r.name, r.died from shared_records r
            where r.share = ? and r.born <= ? and r.died > ? and r.row > ?",
        );
        sql = sql.bind(share).bind(then).bind(then).bind(after);
        let edition = match window.now {
            None => then,
            Some(now) => {
                sql.push_with(
                    " and r.died <= ? and not exists (select 1 from shared_records l
                    where l.share = r.share and l.name = r.name and l.born <= ? and l.died > ?)",
                    [now.into(), now.into(), now.into()],
                );
                now
            }
        };
        sql.push_with(" order by r.row limit ?", [limit.into()]);
        let rows = self.conn.load::<GoneRow>(sql)?;
        let commit = mutants::on("tombstone-of-commit").then_some(self.commit);
        let items = rows.into_iter().map(|row| {
            let removed = ChangeItem::Removed {
                id: self.record_id(&window.share, row.record),
                share,
                edition: commit.unwrap_or(if mutants::on("removal-says-when") { row.died } else { row.died.min(edition) }),
                name: row.name,
            };
            (row.row, removed)
        });
        Ok(items.collect())
    }
}

/// Moves items into the page until it is full; whether it is, with more to come.
fn fill(page: &mut ChangesPage, window: &Window, items: impl Iterator<Item = (i64, ChangeItem)>, limit: i64) -> bool {
    for (row, item) in items {
        if i64::try_from(page.items.len()).unwrap_or(limit) >= limit {
            return true;
        }
        let removing = matches!(item, ChangeItem::Removed { .. });
        page.next = ChangesFrom { share: window.share.number(), removing, row, ..page.next };
        page.items.push((window.collection.clone(), item));
    }
    false
}
