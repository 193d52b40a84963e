//! Taking one person out of a list for good, because they asked for it.
//!
//! * What was acknowledged is over. One transaction ([`Store::take_out`]) deletes every version of the record, empties its rows in
//!   every share, gives up what waits to be imported and remembers the key; nothing of it can be read afterwards, by anyone.
//! * It goes before other work: a writer that holds the list for long loses its claim, and with it whatever it has staged.
//! * A person is the record and every other record of the list that ever had the same key.
//! * A share whose rows were changed gets an edition and a floor: no cursor leads behind it. To its recipient it looks like any
//!   removal ([`reach`]).
//! * What is left then is many rows to delete and no decision: files, problems, the database's own leavings ([`finish`]). Whoever comes
//!   by does it, until it is done; a program that is killed leaves it to the next one.
//! * The key is remembered as a hash under the commons' key ([`suppressed`]); it is not added again until a steward lifts that.
//! * The ledger stays as it is: it holds no values. So does the journal, from which a restore erases again ([`again`]).
//!
//! A table that holds values of records has to be reached from here: a test looks for an erased value in every column there is.

mod acknowledged;
mod again;
mod finish;
mod reach;
mod suppressed;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use hayward_domain::id::ErasureId;
use hayward_domain::keys::Named;
use hayward_domain::moment::Moment;
use hayward_domain::record::{OrganizationNumber, Record};

use crate::answers;
use crate::claim::{self, Claim};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::journal::Closing;
use crate::sql::{Number, Sql, Word, rows};
use crate::{Caller, Store, counter};

pub(crate) use suppressed::Suppressed;
pub use told::ErasurePage;

/// Characters of a reason.
const LONGEST_REASON: usize = 4_000;

/// What is to be erased.
struct Order<'a> {
    id: &'a ErasureId,
    dataset: i64,
    /// The record that was named; its companions are found by its keys.
    record: i64,
    by: &'a str,
    reason: &'a str,
    /// Hashes of keys that are remembered besides those of the records.
    prints: &'a [String],
}

rows! {
    ListRow { id: String, head: i64 }
    KeyRow { row: i64, key: String }
    KeptRow { record: i64, key: String, body: String }
    NotedRow { id: String, dataset: String, record: i64, commit_number: i64, at: i64, ordered_by: String }
}

impl Store {
    /// Erases a record of the caller's. When this returns, nothing of it can be read any more; what is left to delete,
    /// [`Store::finish_erasures`] deletes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an id that names none of theirs, [`StoreError::Refused`] with `people-only` for a program and
    /// `empty-reason` without a reason.
    pub fn erase(self: &Arc<Self>, caller: &Caller, record: &str, id: &ErasureId, reason: &str) -> Result<()> {
        if caller.person.is_none() {
            return Err(StoreError::refused("people-only", "a person has to say that a record is erased"));
        }
        let (dataset, record) = self.own_record(caller.organization, record)?;
        reasonable(reason)?;
        let claim = claim::take_over(&self.db, &*self.clock, dataset, "erasure")?;
        let order = Order { id, dataset, record, by: caller.name(), reason, prints: &[] };
        if let Err(error) = self.take_out(&claim, &order) {
            self.tidied(claim.abandon(&self.db, &*self.clock));
            return Err(error);
        }
        self.note_erasures()
    }

    /// Where one of an organization's own records lies: its dataset and its number. Versions that are dead count, as long as they are
    /// kept.
    pub(crate) fn own_record(&self, owner: OrganizationNumber, id: &str) -> Result<(i64, i64)> {
        let Some(Named::Stable(number)) = self.keyring.record_ids().read(id) else { return Err(StoreError::NotFound) };
        let select = "select r.dataset as value from datasets d join records r on r.dataset = d.number and r.record = ?
            where d.organization = ? limit 1";
        let select = Sql::new(select).bind(number.0).bind(owner.0);
        let dataset = self.db.read(Eyes::Own, |conn| conn.one::<Number>(select))?;
        Ok((dataset.value, number.0))
    }

    /// The erasure itself: one transaction, after which the list is given back.
    fn take_out(&self, claim: &Claim, order: &Order<'_>) -> Result<()> {
        // To look for a key among dead versions is to look at them all: not while everybody else waits. The claim holds them still.
        let kept = self.companions(order)?;
        if kept.is_empty() && order.prints.is_empty() {
            return Err(StoreError::NotFound);
        }
        let values = values(&kept)?;
        let now = (self.clock)();
        self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            claim.check(conn, now)?;
            let list = Sql::new("select id, head from datasets where number = ?").bind(order.dataset);
            let list = conn.one::<ListRow>(list)?;
            let edition = list.head + 1;
            write_edition(conn, order.dataset, edition, commit, now)?;
            write_order(conn, order, edition, commit, now)?;
            let keys: BTreeSet<&str> = kept.iter().map(|row| row.key.as_str()).collect();
            let prints = keys.into_iter().map(|key| self.keyring.key_print(&list.id, key));
            for print in prints.chain(order.prints.iter().cloned()) {
                suppressed::remember(conn, order.dataset, &print, order.id)?;
            }
            for record in kept.iter().map(|row| row.record).collect::<BTreeSet<_>>() {
                conn.execute(Sql::new("delete from records where dataset = ? and record = ?").bind(order.dataset).bind(record))?;
                reach::shares(conn, order.id, record, commit)?;
            }
            reach::imports(conn, order.id, order.dataset, &values, now)?;
            answers::forget_bodies(conn, order.dataset)?;
            claim.release(conn)
        })
    }

    /// Every version of the record, and of every other that ever had one of its keys.
    fn companions(&self, order: &Order<'_>) -> Result<Vec<KeptRow>> {
        let of_record = "select record, key, body from records where dataset = ? and record = ?";
        let of_record = Sql::new(of_record).bind(order.dataset).bind(order.record);
        self.db.read(Eyes::Own, |conn| {
            let mut kept = conn.load::<KeptRow>(of_record)?;
            let mut keys: BTreeSet<String> = kept.iter().map(|row| row.key.clone()).collect();
            if !order.prints.is_empty() {
                keys.extend(self.keys_with(conn, order)?);
            }
            for key in keys {
                let others = "select distinct record as value from records where dataset = ? and key = ? and record <> ?";
                let others = Sql::new(others).bind(order.dataset).bind(&key).bind(order.record);
                for other in conn.load::<Number>(others)? {
                    let of_other = "select record, key, body from records where dataset = ? and record = ?";
                    kept.extend(conn.load::<KeptRow>(Sql::new(of_other).bind(order.dataset).bind(other.value))?);
                }
            }
            Ok(kept)
        })
    }

    /// The keys of a list that have one of the order's hashes.
    fn keys_with(&self, conn: &mut Conn, order: &Order<'_>) -> Result<Vec<String>> {
        let list = Sql::new("select id, head from datasets where number = ?").bind(order.dataset);
        let list = conn.one::<ListRow>(list)?;
        let select = "select row, key from records where dataset = ? and row > ? order by row limit 1000";
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = conn.load::<KeyRow>(Sql::new(select).bind(order.dataset).bind(after))?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.row;
            let has_one = |row: &KeyRow| order.prints.contains(&self.keyring.key_print(&list.id, &row.key));
            found.extend(page.into_iter().filter(has_one).map(|row| row.key));
        }
    }

    /// Writes down in the journal what is not there yet.
    fn note_erasures(&self) -> Result<()> {
        let select = "select e.id, d.id as dataset, e.record, e.commit_number, e.at, e.ordered_by
            from erasures e join datasets d on d.number = e.dataset where e.noted = 0 order by e.commit_number";
        for row in self.db.read(Eyes::Own, |conn| conn.load::<NotedRow>(Sql::new(select)))? {
            let keys = Sql::new("select hash as value from suppressed_keys where erasure = ? order by hash").bind(&row.id);
            let keys = self.db.read(Eyes::Own, |conn| conn.load::<Word>(keys))?.into_iter().map(|word| word.value).collect();
            let id = row.id.clone();
            let erased = Closing::Erased { erasure: row.id, dataset: row.dataset, record: row.record, keys, by: row.ordered_by };
            self.write_down(row.commit_number, Moment(row.at), erased)?;
            self.db.write(|conn| conn.execute(Sql::new("update erasures set noted = 1 where id = ?").bind(id)))?;
        }
        Ok(())
    }
}

fn reasonable(reason: &str) -> Result<()> {
    if reason.trim().is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(StoreError::refused("empty-reason", format!("a reason has 1 to {LONGEST_REASON} characters")));
    }
    Ok(())
}

fn write_edition(conn: &mut Conn, dataset: i64, edition: i64, commit: i64, now: Moment) -> Result<()> {
    conn.execute(Sql::new("update datasets set head = ? where number = ?").bind(edition).bind(dataset))?;
    let insert = "insert into editions (dataset, edition, commit_number, kind, at) values (?, ?, ?, 'erasure', ?)";
    conn.execute(Sql::new(insert).bind(dataset).bind(edition).bind(commit).bind(now)).map(drop)
}

fn write_order(conn: &mut Conn, order: &Order<'_>, edition: i64, commit: i64, now: Moment) -> Result<()> {
    let insert = "insert into erasures (id, dataset, record, edition, commit_number, at, ordered_by, reason)
        values (?, ?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(order.id.as_str()).bind(order.dataset).bind(order.record).bind(edition);
    conn.execute(insert.bind(commit).bind(now).bind(order.by).bind(order.reason)).map(drop)
}

/// What the records say, as text: to know it where it stands for something else.
fn values(kept: &[KeptRow]) -> Result<BTreeSet<String>> {
    let mut values = BTreeSet::new();
    for row in kept {
        let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
        let fields = record.fields.into_values().map(|value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        });
        values.extend(fields.chain(record.private.into_values()).map(|text| text.trim().to_lowercase()));
    }
    Ok(values)
}
