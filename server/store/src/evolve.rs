//! Schemas that go on: another version under live datasets and agreements, which shows nothing new.
//!
//! * A dataset keeps its version until its owner moves it to a later one ([`Store::move_dataset`]). What an agreement shows hangs on
//!   the version its terms were read against, less what later ones took away ([`Schema::under`]).
//! * Moving keeps records as they are. Only what the later version does not know as the same field becomes a private column of the
//!   co-op's own: no agreement can name it, not even one about another field of that name.
//! * What the later version would not allow is told beforehand, in numbers.
//! * Where agreements show less afterwards, their shares answer nothing from that very transaction on until they are rebuilt: the
//!   floor ([`crate::floor`]) is raised, as when a provider narrows.
//! * A dataset never goes back, and what was imported before a move is not undone after it: it would bring the old fields back.

use std::collections::BTreeMap;
use std::sync::Arc;

use hayward_domain::id::DatasetId;
use hayward_domain::record::{OrganizationNumber, Record};
use hayward_domain::schema::{FieldName, Schema};
use serde::Serialize;
use serde_json::Value;

use crate::conn::{Conn, Eyes};
use crate::datasets::{KeptBy, own};
use crate::edition::{Cause, Change, Commit, Version};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::{Store, claim, counter, dialect, floor};

/// Records looked at in one go.
const PAGE: i64 = 500;

/// What moving a dataset to another version of its schema does, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The schema.
    pub schema: String,
    /// The version that the dataset keeps.
    pub from: i64,
    /// The version that it is to keep.
    pub to: i64,
    /// The newest version that there is.
    pub newest: i64,
    /// How many records there are.
    pub records: u64,
    /// Fields that the later version does not have, or has as others: in how many records their values become private.
    pub becomes_private: BTreeMap<String, u64>,
    /// Fields whose values, or their lack, the later version would not take: in how many records. They stay as they are.
    pub not_allowed: BTreeMap<String, u64>,
}

rows! {
    LiveRow { row: i64, record: i64, key: String, body: String }
    StandingRow { agreement: i64, version: i64 }
}

impl Store {
    /// What moving one of the caller's own datasets would do; to the newest version if none is named.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not theirs, [`StoreError::Refused`] where it cannot be moved there.
    pub fn foresee_move(&self, owner: OrganizationNumber, id: &DatasetId, to: Option<i64>) -> Result<Move> {
        let (kept, plan) = self.db.read(Eyes::Own, |conn| {
            let kept = own(conn, id, owner)?;
            let plan = self.plan_move(conn, &kept, to)?;
            Ok::<_, StoreError>((kept, plan))
        })?;
        let mut found = plan.told;
        self.each_live(kept.number, kept.head, |page| {
            for row in &page {
                let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
                count(&mut found, &plan.target, moved(record, &plan.lost));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Moves one of the caller's own datasets to a later version of its schema.
    ///
    /// # Errors
    /// As [`Self::foresee_move`]; [`StoreError::Busy`] where something else is writing, [`StoreError::Stale`] where something wrote
    /// while it was moved: then it was not.
    pub fn move_dataset(self: &Arc<Self>, owner: OrganizationNumber, id: &DatasetId, to: i64) -> Result<Move> {
        let number = self.db.read(Eyes::Own, |conn| own(conn, id, owner))?.number;
        let mut commit = Commit::begin(self, number, "schema")?;
        let (plan, told) = match self.rewrite(owner, id, to, &mut commit) {
            Ok(done) => done,
            Err(error) => {
                commit.give_up();
                return Err(error);
            }
        };
        if told.to == told.from {
            return commit.abandon().map(|()| told);
        }
        if !told.becomes_private.is_empty() {
            // With the records, in one transaction: an agreement whose rows are chosen by a field's being empty must not find it so.
            commit.publish(Cause::Import, None, |conn, edition| {
                let number = counter::newest(conn)?;
                self.gone_on(conn, number, &plan, edition)
            })?;
            return Ok(told);
        }
        // Nothing is written, and then an edition is none: the version alone changes, under a claim of its own.
        let edition = commit.publish(Cause::Import, None, |_, _| Ok(()))?;
        let claim = claim::take(&self.db, &*self.clock, number, "schema")?;
        let now = (self.clock)();
        let done = self.db.write(|conn| {
            let commit = counter::commit(conn)?;
            claim.check(conn, now)?;
            let lock = dialect::for_update(conn.kind());
            let head = Sql::new(&format!("select head as value from datasets where number = ?{lock}")).bind(number);
            if conn.one::<Number>(head)?.value != edition {
                return Err(StoreError::Stale("the list has changed while it was moved; try again".to_owned()));
            }
            self.gone_on(conn, commit, &plan, edition)?;
            claim.release(conn)
        });
        if done.is_err() {
            drop(claim.abandon(&self.db, &*self.clock));
        }
        done.map(|()| told)
    }

    /// The dataset keeps the later version from here on. Drafts that were counted against the earlier one are counted again.
    fn gone_on(&self, conn: &mut Conn, number: i64, plan: &Plan, edition: i64) -> Result<()> {
        self.under_another_ceiling(conn, number, Some(plan.dataset), &plan.target.name, |conn| {
            let update = "update datasets set schema_version = ?, schema_since = ? where number = ?";
            conn.execute(Sql::new(update).bind(plan.target.version).bind(edition).bind(plan.dataset))?;
            let update = "update imports set edition = 0 where dataset = ? and state in ('draft', 'checked', 'interrupted')";
            conn.execute(Sql::new(update).bind(plan.dataset)).map(drop)
        })
    }

    /// Stages what a move does to records.
    fn rewrite(&self, owner: OrganizationNumber, id: &DatasetId, to: i64, commit: &mut Commit) -> Result<(Plan, Move)> {
        let (kept, plan) = self.db.read(Eyes::Own, |conn| {
            let kept = own(conn, id, owner)?;
            let plan = self.plan_move(conn, &kept, Some(to))?;
            Ok::<_, StoreError>((kept, plan))
        })?;
        let mut found = plan.told.clone();
        self.each_live(kept.number, kept.head, |page| {
            let mut changes = Vec::new();
            for LiveRow { row, record: number, key, body } in page {
                let record = Record::from_body(&body).ok_or(StoreError::Corrupt("a record"))?;
                let after = moved(record, &plan.lost);
                count(&mut found, &plan.target, (after.0.clone(), after.1.clone()));
                if !after.1.is_empty() {
                    changes.push(Change::Update { row, record: number, version: Version::new(key, after.0) });
                }
            }
            if changes.is_empty() {
                return commit.view.renew();
            }
            let batch = commit.view.prepare(changes)?;
            commit.write(batch)
        })?;
        Ok((plan, found))
    }

    fn plan_move(&self, conn: &mut Conn, kept: &KeptBy, to: Option<i64>) -> Result<Plan> {
        let newest = "select max(version) as value from schemas where name = ?";
        let newest = conn.one::<Number>(Sql::new(newest).bind(&kept.schema_name))?.value;
        let to = to.unwrap_or(newest);
        if to < kept.schema_version {
            return Err(StoreError::refused("schema-backwards", "a list goes on to later versions of its schema, never back"));
        }
        if to > newest {
            return Err(StoreError::refused("unknown-schema", format!("the newest version of this schema is {newest}")));
        }
        let from = self.schema_at(conn, &kept.schema_name, kept.schema_version)?;
        let later = (kept.schema_version + 1..=to).map(|version| self.schema_at(conn, &kept.schema_name, version));
        let later = later.collect::<Result<Vec<_>>>()?;
        let lost = from.lost(later.iter().map(|schema| &**schema));
        let target = later.last().cloned().unwrap_or_else(|| Arc::clone(&from));
        if target.key != from.key || lost.iter().any(|field| from.key.contains(field)) {
            return Err(StoreError::refused("key-changed", "that version tells records apart by other fields; make a new list"));
        }
        let told = Move { schema: kept.schema_name.clone(), from: from.version, to, newest, ..Move::default() };
        Ok(Plan { dataset: kept.number, target, lost, told })
    }

    fn each_live(&self, dataset: i64, head: i64, mut page: impl FnMut(Vec<LiveRow>) -> Result<()>) -> Result<()> {
        let select = "select row, record, key, body from records where dataset = ? and born <= ? and died > ? and record > ?
            order by record limit ?";
        let mut after = 0;
        loop {
            let select = Sql::new(select).bind(dataset).bind(head).bind(head).bind(after).bind(PAGE);
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<LiveRow>(select))?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.record;
            page(rows)?;
        }
    }

    /// Makes a change that agreements over lists of the schema `name` (or over one of them) hang on, in the transaction of commit
    /// `number`. Shares that show less afterwards are closed until they are rebuilt.
    pub(crate) fn under_another_ceiling(
        &self,
        conn: &mut Conn,
        number: i64,
        dataset: Option<i64>,
        name: &str,
        change: impl FnOnce(&mut Conn) -> Result<()>,
    ) -> Result<()> {
        let standing = "select s.number as agreement, v.version from shares s join datasets d on d.number = s.dataset
            join agreement_versions v on v.agreement = s.number and v.state in ('active', 'suspended')
            where d.schema_name = ? and (d.number = ? or ? is null) order by s.number";
        let standing = conn.load::<StandingRow>(Sql::new(standing).bind(name).bind(dataset).bind(dataset))?;
        let read = |conn: &mut Conn| {
            let all = standing.iter().map(|row| self.read_terms(conn, row.agreement, row.version));
            all.collect::<Result<Vec<_>>>()
        };
        let before = read(conn)?;
        change(conn)?;
        let raise = Sql::new("update datasets set ceiling = ? where schema_name = ? and (number = ? or ? is null)");
        conn.execute(raise.bind(number).bind(name).bind(dataset).bind(dataset))?;
        let after = read(conn)?;
        for ((row, before), after) in standing.iter().zip(&before).zip(&after) {
            if before.0 != after.0 || before.1.closed != after.1.closed || before.1.consent != after.1.consent {
                floor::raise(conn, row.agreement, number)?;
            }
        }
        Ok(())
    }
}

struct Plan {
    dataset: i64,
    target: Arc<Schema>,
    lost: Vec<FieldName>,
    told: Move,
}

/// A record without the fields that are `lost`, which it keeps as private columns; and which those are.
fn moved(mut record: Record, lost: &[FieldName]) -> (Record, Vec<FieldName>) {
    let mut private = Vec::new();
    for name in lost {
        let Some(value) = record.fields.remove(name) else { continue };
        let mut header = name.to_string();
        while record.private.contains_key(&header) {
            header.push_str(" (earlier)");
        }
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        record.private.insert(header, text);
        private.push(name.clone());
    }
    (record, private)
}

fn count(found: &mut Move, target: &Schema, (record, private): (Record, Vec<FieldName>)) {
    found.records += 1;
    private.into_iter().for_each(|name| *found.becomes_private.entry(name.to_string()).or_default() += 1);
    let mut wrong: Vec<String> =
        target.check(&record.fields).into_iter().filter_map(|one| Some(one.field?.to_string())).collect();
    wrong.sort_unstable();
    wrong.dedup();
    wrong.into_iter().for_each(|name| *found.not_allowed.entry(name).or_default() += 1);
}
