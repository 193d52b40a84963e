//! What an edition did to its records, read back a page at a time.

use std::collections::HashMap;

use super::present::LiveRow;
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::sql::{Sql, rows};

/// Records read in one go.
const PAGE: i64 = 500;

/// One record, before an edition and after it.
pub(super) struct Touched {
    pub(super) before: Option<LiveRow>,
    pub(super) after: Option<LiveRow>,
    /// Whether something else has changed it since.
    pub(super) changed_since: bool,
}

rows! {
    /// The rows of one record that an edition made and closed.
    Traces { made: Option<i64>, closed: Option<i64>, died: i64 }
}

/// A record that the edition made a version of, and one that it only closed. The first `?`s are the dataset and the edition.
const MADE: &str = "select r.record, r.row as made, c.row as closed, r.died from records r
    left join records c on c.dataset = r.dataset and c.record = r.record and c.died = r.born where r.dataset = ? and r.born = ?";
const REMOVED: &str = "select r.record, cast(null as bigint) as made, r.row as closed, cast(0 as bigint) as died from records r
    where r.dataset = ? and r.died = ? and r.died < 9223372036854775807
    and not exists (select 1 from records n where n.dataset = r.dataset and n.record = r.record and n.born = r.died)";

impl Store {
    /// Shows every record that an edition touched to `see`; changed since it is where it was by edition `head`.
    pub(super) fn touched(
        &self,
        dataset: i64,
        edition: i64,
        head: i64,
        mut see: impl FnMut(Vec<Touched>) -> Result<()>,
    ) -> Result<()> {
        for traces in [MADE, REMOVED] {
            let select = format!("{traces} and r.row > ? order by r.row limit ?");
            let mut after = 0;
            loop {
                let select = Sql::new(&select).bind(dataset).bind(edition).bind(after).bind(PAGE);
                let page = self.db.read(Eyes::Own, |conn| {
                    let traces = conn.load::<Traces>(select)?;
                    after = traces.last().and_then(|last| last.made.or(last.closed)).unwrap_or(i64::MAX);
                    versions(conn, traces, head)
                })?;
                if page.is_empty() {
                    break;
                }
                see(page)?;
            }
        }
        Ok(())
    }

    /// Some of the records that an edition touched, in the order of the records.
    pub(super) fn touched_page(&self, dataset: i64, edition: i64, skip: usize, limit: usize) -> Result<Vec<Touched>> {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let select = format!("{MADE} union all {REMOVED} order by record limit ? offset ?");
        let select = Sql::new(&select).bind(dataset).bind(edition).bind(dataset).bind(edition);
        let select = select.bind(number(limit)).bind(number(skip));
        self.db.read(Eyes::Own, |conn| {
            let traces = conn.load::<Traces>(select)?;
            versions(conn, traces, i64::MAX - 1)
        })
    }
}

/// The versions that the traces lead to.
fn versions(conn: &mut Conn, traces: Vec<Traces>, head: i64) -> Result<Vec<Touched>> {
    let rows: Vec<i64> = traces.iter().flat_map(|trace| [trace.made, trace.closed]).flatten().collect();
    let mut versions: HashMap<i64, LiveRow> = HashMap::with_capacity(rows.len());
    for rows in rows.chunks(1_000) {
        let mut select = Sql::new("select row, record, key, body from records where row in ");
        select.list(rows.iter().copied());
        versions.extend(conn.load::<LiveRow>(select)?.into_iter().map(|row| (row.row, row)));
    }
    let mut version = |row: Option<i64>| row.and_then(|row| versions.remove(&row));
    let touched = traces.into_iter().map(|trace| Touched {
        before: version(trace.closed),
        after: version(trace.made),
        changed_since: trace.made.is_some() && trace.died <= head,
    });
    Ok(touched.collect())
}
