//! Keys that are not added again.
//!
//! Kept as hashes under a key of the commons, one for each list: from the table alone nobody can tell who it was, not even by trying
//! every name there is. A file that has such a key is told so, row by row, and the row is left out (`skipped`), until a
//! steward lifts it.

use std::collections::HashMap;

use hayward_domain::id::ErasureId;
use hayward_domain::moment::Moment;
use hayward_importers::Problem;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::settings::day_of;
use crate::sql::{Number, Sql, rows};
use crate::{Caller, Keyring, Store};

/// The code of the problem of a row that is left out because its record was erased.
const CODE: &str = "erased-on-request";

rows! {
    PrintRow { hash: String, at: i64 }
    IdRow { id: String }
    LiftedRow { dataset: i64, lifted_at: Option<i64> }
}

/// The keys of one list that are not added again.
pub(crate) struct Suppressed {
    keyring: Keyring,
    dataset: String,
    /// By hash, the day of the erasure.
    days: HashMap<String, String>,
}

impl Suppressed {
    /// What is wrong with a row that has such a key.
    pub(crate) fn problem(&self, row: u64, key: &str) -> Option<Problem> {
        if self.days.is_empty() {
            return None;
        }
        let day = self.days.get(&self.keyring.key_print(&self.dataset, key))?;
        let message = format!("erased on request on {day}, not added again");
        let (column, header, value, suggestion) = (None, None, None, None);
        Some(Problem { row, column, header, value, code: CODE.into(), message, suggestion })
    }
}

pub(super) fn remember(conn: &mut Conn, dataset: i64, hash: &str, erasure: &ErasureId) -> Result<()> {
    let insert =
        "insert into suppressed_keys (dataset, hash, erasure) values (?, ?, ?) on conflict (dataset, hash, erasure) do nothing";
    conn.execute(Sql::new(insert).bind(dataset).bind(hash).bind(erasure.as_str())).map(drop)
}

impl Store {
    /// The keys of a list that are not added again.
    pub(crate) fn suppressed(&self, dataset: i64) -> Result<Suppressed> {
        let select = "select k.hash, e.at from suppressed_keys k join erasures e on e.id = k.erasure
            where k.dataset = ? and e.lifted_at is null order by e.at";
        let (days, zone, id) = self.db.read(Eyes::Own, |conn| {
            let rows = conn.load::<PrintRow>(Sql::new(select).bind(dataset))?;
            let id = conn.one::<IdRow>(Sql::new("select id from datasets where number = ?").bind(dataset))?.id;
            Ok::<_, StoreError>((rows, self.settings(conn)?.time_zone, id))
        })?;
        let day = |at: i64| day_of(zone, Moment(at));
        let days = days.into_iter().map(|row| (row.hash, day(row.at))).collect();
        Ok(Suppressed { keyring: self.keyring.clone(), dataset: id, days })
    }

    /// Whether some key of a list is not added again.
    pub(crate) fn suppresses(&self, dataset: i64) -> Result<bool> {
        let select = "select count(*) as value from suppressed_keys k join erasures e on e.id = k.erasure
            where k.dataset = ? and e.lifted_at is null";
        let select = Sql::new(select).bind(dataset);
        Ok(self.db.read(Eyes::Own, |conn| conn.one::<Number>(select))?.value > 0)
    }

    /// Lets a file add the record again that was erased. What was erased does not come back by this.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an erasure that is not theirs, [`StoreError::Refused`] with `people-only`, `empty-reason`, and
    /// `wrong-state` where it is lifted already.
    pub fn lift_erasure(&self, caller: &Caller, id: &ErasureId, reason: &str) -> Result<()> {
        if caller.person.is_none() {
            return Err(StoreError::refused("people-only", "a person has to say that a record may be added again"));
        }
        let now = (self.clock)();
        self.db.write(|conn| {
            let select = "select e.dataset, e.lifted_at from erasures e join datasets d on d.number = e.dataset
                where e.id = ? and d.organization = ?";
            let row = conn.one::<LiftedRow>(Sql::new(select).bind(id.as_str()).bind(caller.organization.0))?;
            super::reasonable(reason)?;
            let update = "update erasures set lifted_at = ?, lifted_by = ?, lift_reason = ? where id = ? and lifted_at is null";
            let update = Sql::new(update).bind(now).bind(caller.name()).bind(reason).bind(id.as_str());
            if row.lifted_at.is_some() || conn.execute(update)? == 0 {
                return Err(StoreError::refused("wrong-state", "this was lifted already"));
            }
            // What was counted is not so any more, and no earlier counting of the same file stands for a new one.
            let update = "update imports set counting = counting + 1, counts = null, edition = 0,
                state = case when state = 'checked' then 'interrupted' else state end
                where dataset = ? and state in ('draft', 'checked', 'interrupted')";
            conn.execute(Sql::new(update).bind(row.dataset))?;
            conn.execute(Sql::new("update imports set read_by = null where dataset = ?").bind(row.dataset)).map(drop)
        })
    }
}
