//! Recipients that say how far they have applied the feed.
//!
//! What they are answered is always the same: whether anything was erased is not theirs to learn.

use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::{Caller, Store};

rows! {
    GoneRow { erasure: String, share: i64 }
}

impl Store {
    /// The caller has applied the feed over `collections`, or of one agreement, up to commit `seen`.
    ///
    /// # Errors
    /// Only the database's.
    pub fn acknowledge(&self, caller: &Caller, collections: &[String], agreement: Option<&str>, seen: i64) -> Result<()> {
        let me = caller.organization.0;
        let mut select = Sql::new(
            "select x.erasure, x.share from erased_shares x join agreements a on a.number = x.share
            join shares s on s.number = x.share join shelves h on h.number = s.shelf
            where x.commit_number <= ? and a.audience in (?, 0) and a.provider <> ? and not exists
                (select 1 from erasure_acks k where k.erasure = x.erasure and k.share = x.share and k.organization = ?)
            and h.collection in ",
        );
        select = select.bind(seen).bind(me).bind(me).bind(me);
        select.list(collections.iter().map(String::as_str));
        if let Some(agreement) = agreement {
            select.push_with(" and a.id = ?", [agreement.into()]);
        }
        let gone = self.db.read(Eyes::Own, |conn| conn.load::<GoneRow>(select))?;
        if gone.is_empty() {
            return Ok(());
        }
        let now = (self.clock)();
        self.db.write(|conn| {
            for row in &gone {
                let insert = "insert into erasure_acks (erasure, share, organization, at, said_by) values (?, ?, ?, ?, ?)
                    on conflict (erasure, share, organization) do nothing";
                let insert = Sql::new(insert).bind(&row.erasure).bind(row.share).bind(me).bind(now);
                conn.execute(insert.bind(caller.name()))?;
            }
            Ok::<_, StoreError>(())
        })
    }
}
