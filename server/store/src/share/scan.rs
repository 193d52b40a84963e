//! Looking at originals that are already written: all of them for a build, or those that an edition changed.

use hayward_domain::record::{Record, Sealed};

use super::{Look, Staging, looks};
use crate::Store;
use crate::claim::Lease;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};

/// Originals looked at in one go: their bodies are in memory together.
const PAGE: i64 = 500;

rows! {
    PageRow { cursor: i64, record: i64, body: Option<String> }
}

/// Looks at every record that is live in the dataset at `edition`, or in the share.
pub(crate) fn rebuild(store: &Store, lease: &Lease, staging: &mut Staging, edition: i64) -> Result<()> {
    let (dataset, share, head) = (staging.lens.dataset, staging.lens.share, staging.lens.head);
    let live = "select record as cursor, record, body from records
        where dataset = ? and record > ? and born <= ? and died > ? order by record limit ?";
    walk(store, lease, staging, |after| Sql::new(live).bind(dataset).bind(after).bind(edition).bind(edition).bind(PAGE))?;
    if head == 0 {
        return Ok(());
    }
    let orphans = "select r.name as cursor, r.record, cast(null as text) as body from shared_records r
        where r.share = ? and r.died = 9223372036854775807 and r.name > ? and not exists
            (select 1 from records o where o.dataset = ? and o.record = r.record and o.born <= ? and o.died > ?)
        order by r.name limit ?";
    walk(store, lease, staging, |after| {
        Sql::new(orphans).bind(share).bind(after).bind(dataset).bind(edition).bind(edition).bind(PAGE)
    })
}

/// Looks at what the staged `edition` makes and removes.
pub(crate) fn follow(store: &Store, lease: &Lease, staging: &mut Staging, edition: i64) -> Result<()> {
    let dataset = staging.lens.dataset;
    let made = "select row as cursor, record, body from records where dataset = ? and born = ? and row > ? order by row limit ?";
    walk(store, lease, staging, |after| Sql::new(made).bind(dataset).bind(edition).bind(after).bind(PAGE))?;
    let removed = "select r.row as cursor, r.record, cast(null as text) as body from records r
        where r.dataset = ? and r.died = ? and r.died < 9223372036854775807 and r.row > ? and not exists
            (select 1 from records n where n.dataset = r.dataset and n.record = r.record and n.born = ?)
        order by r.row limit ?";
    walk(store, lease, staging, |after| Sql::new(removed).bind(dataset).bind(edition).bind(after).bind(edition).bind(PAGE))
}

fn walk(store: &Store, lease: &Lease, staging: &mut Staging, page: impl Fn(i64) -> Sql) -> Result<()> {
    let mut after = 0;
    loop {
        let page = store.db.read(Eyes::Own, |conn| conn.load::<PageRow>(page(after)))?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.cursor;
        look_at(store, lease, staging, &page)?;
    }
}

fn look_at(store: &Store, lease: &Lease, staging: &mut Staging, page: &[PageRow]) -> Result<()> {
    let owner = staging.lens.owner();
    let seal = |body: &String| {
        let record = Record::from_body(body).ok_or(StoreError::Corrupt("a record"))?;
        Ok::<_, StoreError>(Sealed::new(owner, record))
    };
    let originals = page.iter().map(|row| row.body.as_ref().map(seal).transpose()).collect::<Result<Vec<_>>>()?;
    let originals: Vec<_> = page.iter().zip(&originals).map(|(row, original)| (Some(row.record), original.as_ref())).collect();
    let looks = store.db.read(Eyes::Own, |conn| looks(conn, &staging.lens, &originals))?;
    if looks.iter().any(Look::closes) {
        let now = (store.clock)();
        lease.claim.stage(&store.db, now, |conn| staging.close(conn, &looks))?;
    } else {
        lease.renew(&store.db, &*store.clock)?;
    }
    page.iter().zip(&looks).try_for_each(|(row, look)| staging.keep(row.record, look))
}
