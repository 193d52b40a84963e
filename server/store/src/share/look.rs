//! What changes in a share when some originals do.

use std::collections::HashMap;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::mutants;
use hayward_domain::record::{Record, Sealed};

use super::Lens;
use crate::conn::Conn;
use crate::error::Result;
use crate::spool::Key;
use crate::sql::{Sql, rows};

rows! {
    ShelvedRow { row: i64, record: i64, payload: Option<String> }
}

/// What one changed original means for one share.
#[derive(Default)]
pub(crate) struct Look {
    /// The row that no longer looks so.
    pub(super) closes: Option<i64>,
    /// What is new, and what it is sorted by.
    pub(super) shows: Option<(Key, SharedRecord)>,
}

impl Look {
    /// Nothing to write now; what is shown is kept until its place is known.
    pub(crate) fn closes(&self) -> bool {
        self.closes.is_some()
    }
}

/// Looks at originals through `lens`: each with its number, if it has one already, and what it is now, if it still is.
pub(crate) fn looks(conn: &mut Conn, lens: &Lens, originals: &[(Option<i64>, Option<&Sealed<Record>>)]) -> Result<Vec<Look>> {
    let numbers: Vec<i64> = originals.iter().filter_map(|(number, _)| *number).collect();
    let mut shelved = shelved(conn, lens, &numbers)?;
    let look = |(number, original): &(Option<i64>, Option<&Sealed<Record>>)| {
        let shown = original.and_then(|original| lens.disclose(original));
        let before = number.and_then(|number| shelved.remove(&number));
        let same = match (&shown, &before) {
            (Some(shown), Some(row)) => row.payload.as_deref() == Some(shown.payload()) && !mutants::on("rewritten-though-same"),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return Look::default();
        }
        let key = |shown: SharedRecord| (lens.keys.order(shown.payload()), shown);
        Look { closes: before.map(|row| row.row), shows: shown.map(key) }
    };
    Ok(originals.iter().map(look).collect())
}

/// The live rows of these records.
fn shelved(conn: &mut Conn, lens: &Lens, numbers: &[i64]) -> Result<HashMap<i64, ShelvedRow>> {
    // Nothing was ever shown by a share that is built for the first time.
    if numbers.is_empty() || lens.head == 0 {
        return Ok(HashMap::new());
    }
    // A cross join, since SQLite keeps its order: left to itself it goes through the whole share once for every few records.
    let mut select = Sql::new(
        "select r.row, r.record, r.payload from share_names n cross join shared_records r
        where r.share = n.share and r.name = n.name and r.died = 9223372036854775807 and n.share = ? and n.record in ",
    );
    select = select.bind(lens.share);
    select.list(numbers.iter().copied());
    Ok(conn.load::<ShelvedRow>(select)?.into_iter().map(|row| (row.record, row)).collect())
}
