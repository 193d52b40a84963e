//! What has changed since a moment.
//!
//! A row is as old as the edition of its share that it was born in. Rows of later editions have greater numbers, so that what is older
//! is not even looked at. An edit that shows nothing makes no edition of a share, and moves nothing.

use std::sync::Arc;

use hayward_domain::moment::Moment;
use hayward_domain::mutants;

use super::{Shares, View};
use crate::error::Result;
use crate::sql::{Sql, rows};

/// Shares that one statement names at most.
const MANY: usize = 500;

rows! {
    /// The first edition of a share that is new enough, and the last row before it.
    Young { share: i64, edition: i64, last_row: i64 }
}

impl View<'_> {
    /// The shares that have changed since, and of them what has.
    pub(super) fn since(&mut self, shares: &Shares, since: Moment) -> Result<Shares> {
        let numbers: Vec<i64> = shares.iter().map(|share| share.number).collect();
        let mut young = Vec::new();
        for some in numbers.chunks(MANY) {
            let select = "select f.share, f.edition, coalesce((select max(p.last_row) from share_editions p
                    where p.share = f.share and p.edition < f.edition), 0) as last_row
                from (select e.share, min(e.edition) as edition from share_editions e where e.at >= ? and e.share in ";
            let mut sql = Sql::new(select).bind(since);
            sql.list(some.iter().copied());
            sql.push(" group by e.share) as f");
            young.extend(self.conn.load::<Young>(sql)?);
        }
        if mutants::on("since-of-commit") {
            let select = "select e.share, 1 as edition, 0 as last_row from share_editions e
                group by e.share having max(e.commit_number) < ?";
            young.extend(self.conn.load::<Young>(Sql::new(select).bind(self.commit))?);
        }
        let of = |number: i64| young.iter().find(|young| young.share == number);
        let changed = shares.with_extents().iter().filter_map(|(share, extent)| {
            let young = of(share.number).filter(|young| young.edition <= share.edition)?;
            let mut extent = *extent;
            extent.since = young.edition;
            extent.first_row = extent.first_row.max(young.last_row + 1);
            Some((Arc::clone(share), extent))
        });
        Ok(Shares::new(changed.collect()))
    }
}
