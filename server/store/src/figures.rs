//! Numbers for whoever watches a commons: how many, how old; never whose.

use crate::conn::Eyes;
use crate::error::Result;
use crate::inspect::Unsealed;
use crate::ledger::LedgerStore;
use crate::sql::{Number, Sql, rows};
use crate::{Store, counter, inspect};

/// What a scrape of the metrics asks the database for.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Commits since the commons began.
    pub commits: i64,
    /// Shares that answer now.
    pub open_shares: i64,
    /// Imports by state.
    pub imports: Vec<(String, i64)>,
    /// Lists whose writer fell silent.
    pub stale_claims: i64,
}

rows! {
    StateRow { state: String, count: i64 }
}

impl Store {
    /// The numbers.
    ///
    /// # Errors
    /// Only the database's.
    pub fn figures(&self) -> Result<Figures> {
        let now = (self.clock)();
        self.db.read(Eyes::Own, |conn| {
            let states = "select state, count(*) as count from imports group by state order by state";
            Ok(Figures {
                commits: counter::newest(conn)?,
                open_shares: conn.one::<Number>(Sql::new("select count(*) as value from shares where open = 1"))?.value,
                imports: conn.load::<StateRow>(Sql::new(states))?.into_iter().map(|row| (row.state, row.count)).collect(),
                stale_claims: inspect::stale(conn, now)?.silent,
            })
        })
    }
}

impl LedgerStore {
    /// What waits for the sealer.
    ///
    /// # Errors
    /// Only the database's.
    pub fn unsealed(&self) -> Result<Unsealed> {
        self.db().read(Eyes::Own, inspect::unsealed)
    }
}
