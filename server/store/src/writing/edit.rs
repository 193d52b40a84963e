//! One record at a time: made, changed or removed by a program, as an edition of its own.
//!
//! * The same claim, the same comparison with what is there and the same shares as an import: whoever reads sees one edition more.
//! * What was looked at is what is changed: the caller's condition is asked under the claim, of the record as it stands there.
//! * A record keeps its key: another key is another record. Values are held to the schema as a whole, as they are in a file.
//! * What was erased on request is not added again, by nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use hayward_domain::id::DatasetId;
use hayward_domain::keys::Named;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber};
use hayward_domain::schema::{FieldName, Schema};
use hayward_importers::single;
use serde_json::Value;
use serde_json::value::RawValue;

use super::present::LiveRow;
use crate::conn::Eyes;
use crate::datasets::{self, KeptBy};
use crate::edition::{Cause, Change, Commit, Version};
use crate::error::{Result, StoreError};
use crate::records::OwnRecord;
use crate::sql::Sql;
use crate::{Caller, Store};

/// Fields of a record as a program gives them: `null` empties one.
pub type Given = BTreeMap<String, Box<RawValue>>;

/// One thing that is wrong with what was given. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditFault {
    /// The field, unless it is about the record as a whole.
    pub field: Option<String>,
    /// As problems of an import are called, and `unknown-field`, `key-field`.
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

/// Why a record was not written.
#[derive(Debug)]
pub enum EditError {
    /// What was given cannot be.
    Invalid(Vec<EditFault>),
    /// Everything else.
    Store(StoreError),
}

impl From<StoreError> for EditError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is to become of a record that is there.
pub enum Edit {
    /// These fields, and no others, become other ones.
    Change(Given),
    /// It goes.
    Remove,
}

/// A record as it stands now, and what it stands under.
pub struct Edited {
    /// The record; nothing where it was removed.
    pub record: Option<OwnRecord>,
    /// The list's schema.
    pub schema: Arc<Schema>,
    /// The list's newest edition.
    pub edition: i64,
}

impl Store {
    /// One of an organization's own records, as it stands now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a list that is not theirs, and for an id that names no record of it.
    pub fn one_own_record(&self, owner: OrganizationNumber, dataset: &DatasetId, id: &str) -> Result<Edited> {
        let number = self.stable_number(id)?;
        let select = "select row, record, key, body from records where dataset = ? and record = ? and born <= ? and died > ?";
        self.db.read(Eyes::Own, |conn| {
            let kept = datasets::own(conn, dataset, owner)?;
            let schema = self.schema_at(conn, &kept.schema_name, kept.schema_version)?;
            let row = conn.one::<LiveRow>(Sql::new(select).bind(kept.number).bind(number).bind(kept.head).bind(kept.head))?;
            let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
            Ok(Edited { record: Some(self.opened(number, record)), schema, edition: kept.head })
        })
    }

    /// Makes a record. Waits a little for whoever is writing the list.
    ///
    /// # Errors
    /// [`EditError::Invalid`]; [`StoreError::Refused`] with `key-taken` where there is such a record, `erased-on-request`;
    /// [`StoreError::Busy`]; [`StoreError::NotFound`] for a list that is not theirs.
    pub fn create_record(
        self: &Arc<Self>,
        caller: &Caller,
        dataset: &DatasetId,
        given: &Given,
    ) -> std::result::Result<Edited, EditError> {
        self.editing(caller, dataset, |under| {
            let record = under.changed(&Record::default(), given)?;
            let key = under.key(&record)?;
            if under.live("key = ?", key.as_str())?.is_some() {
                return Err(StoreError::refused("key-taken", "there is a record with this key already").into());
            }
            if let Some(problem) = self.suppressed(under.kept.number)?.problem(0, &key) {
                return Err(StoreError::refused("erased-on-request", problem.message).into());
            }
            Ok(Some((Change::Create(Version::new(key, record.clone())), Some(record))))
        })
    }

    /// Changes or removes a record, if `seen` says of it that it is the one that was looked at. Waits a little for whoever is writing
    /// the list.
    ///
    /// # Errors
    /// As [`Self::create_record`], [`StoreError::NotFound`] also for a record that is not there, and [`StoreError::Refused`] with
    /// `precondition-failed` where `seen` says no.
    pub fn edit_record(
        self: &Arc<Self>,
        caller: &Caller,
        dataset: &DatasetId,
        id: &str,
        seen: &dyn Fn(&OwnRecord, &Schema) -> bool,
        edit: &Edit,
    ) -> std::result::Result<Edited, EditError> {
        let number = self.stable_number(id)?;
        // Nobody waits for a writer in order to hear that there is nothing.
        drop(self.one_own_record(caller.organization, dataset, id)?);
        self.editing(caller, dataset, |under| {
            let live = under.live("record = ?", number)?.ok_or(StoreError::NotFound)?;
            let before = Record::from_body(&live.body).ok_or(StoreError::Corrupt("a record"))?;
            if !seen(&self.opened(number, before.clone()), &under.schema) {
                return Err(StoreError::refused("precondition-failed", "this record has changed since it was read").into());
            }
            let (row, record) = (live.row, live.record);
            let Edit::Change(given) = edit else { return Ok(Some((Change::Remove { row, record }, None))) };
            let after = under.changed(&before, given)?;
            under.same_key(&before, &after)?;
            if after == before {
                return Ok(None);
            }
            let version = Version::new(live.key, after.clone());
            Ok(Some((Change::Update { row, record, version }, Some(after))))
        })
        .map(|edited| match (&edited.record, edit) {
            // Nothing changed: what was there stands.
            (None, Edit::Change(_)) => self.one_own_record(caller.organization, dataset, id).map_err(EditError::Store),
            _ => Ok(edited),
        })?
    }

    /// Claims a list, asks `decide` what is to change, and commits it. Nothing to change makes no edition.
    fn editing(
        self: &Arc<Self>,
        caller: &Caller,
        dataset: &DatasetId,
        decide: impl FnOnce(&Under<'_>) -> std::result::Result<Option<(Change, Option<Record>)>, EditError>,
    ) -> std::result::Result<Edited, EditError> {
        let kept = self.db.read(Eyes::Own, |conn| datasets::own(conn, dataset, caller.organization))?;
        let mut commit = Commit::begin(self, kept.number, "edit")?;
        match self.stage_edit(caller, dataset, &mut commit, decide) {
            Ok((decided, schema)) => {
                let by = caller.name().to_owned();
                let head = commit.view.dataset.head;
                let edition = commit.publish(Cause::Edit, None, |conn, edition| {
                    let update = "update editions set made_by = ? where dataset = ? and edition = ?";
                    match edition > head {
                        true => conn.execute(Sql::new(update).bind(by).bind(kept.number).bind(edition)).map(drop),
                        false => Ok(()),
                    }
                })?;
                let record = decided.map(|(number, record)| self.opened(number, record));
                Ok(Edited { record, schema, edition })
            }
            Err(error) => {
                commit.give_up();
                Err(error)
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "what was decided, and the schema it was decided under")]
    fn stage_edit(
        &self,
        caller: &Caller,
        dataset: &DatasetId,
        commit: &mut Commit,
        decide: impl FnOnce(&Under<'_>) -> std::result::Result<Option<(Change, Option<Record>)>, EditError>,
    ) -> std::result::Result<(Option<(i64, Record)>, Arc<Schema>), EditError> {
        // Under the claim: until it is given back, nobody moves the list to another schema nor changes a record of it.
        let under = self.db.read(Eyes::Own, |conn| {
            let kept = datasets::own(conn, dataset, caller.organization)?;
            let schema = self.schema_at(conn, &kept.schema_name, kept.schema_version)?;
            Ok::<_, StoreError>(Under { store: self, kept, schema, key: Vec::new() })
        })?;
        let under = Under { key: self.key_names(&under)?, ..under };
        let Some((change, after)) = decide(&under)? else { return Ok((None, under.schema)) };
        let batch = commit.view.prepare(vec![change])?;
        let numbers = commit.write_numbered(batch)?;
        let number = numbers.first().copied().ok_or(StoreError::Corrupt("a commit"))?;
        Ok((after.map(|record| (number, record)), under.schema))
    }

    /// The fields that tell the records of a list apart: those that its last file went by, else those of its schema.
    fn key_names(&self, under: &Under<'_>) -> Result<Vec<FieldName>> {
        let of_file = self.last_matching(under.kept.number)?.and_then(|matching| matching.key);
        match of_file {
            Some(names) => names.iter().map(|name| FieldName::parse(name).ok_or(StoreError::Corrupt("a matching"))).collect(),
            None => Ok(under.schema.key.clone()),
        }
    }

    fn stable_number(&self, id: &str) -> Result<i64> {
        match self.keyring.record_ids().read(id) {
            Some(Named::Stable(number)) => Ok(number.0),
            Some(Named::Pseudonym { .. }) | None => Err(StoreError::NotFound),
        }
    }

    fn opened(&self, number: i64, record: Record) -> OwnRecord {
        OwnRecord::new(self.keyring.record_ids().stable(RecordNumber(number)), record)
    }
}

/// A list under its claim.
struct Under<'a> {
    store: &'a Store,
    kept: KeptBy,
    schema: Arc<Schema>,
    key: Vec<FieldName>,
}

impl Under<'_> {
    /// The live record of which `condition` holds. What an earlier writer staged is cleared away: only what stands is live.
    fn live(&self, condition: &str, value: impl Into<crate::sql::Bind>) -> Result<Option<LiveRow>> {
        let select = format!(
            "select row, record, key, body from records where dataset = ? and died = 9223372036854775807 and {condition}"
        );
        let select = Sql::new(&select).bind(self.kept.number).bind(value);
        self.store.db.read(Eyes::Own, |conn| conn.first::<LiveRow>(select))
    }

    /// What `before` becomes: RFC 7396 for a record, whose fields are values and no objects to merge. Everything that is wrong is told
    /// at once.
    fn changed(&self, before: &Record, given: &Given) -> std::result::Result<Record, EditError> {
        let (mut after, mut faults) = (before.clone(), Vec::new());
        for (name, raw) in given {
            let Some(field) = self.schema.field(name) else {
                let detail = format!("`{name}` is not a field of this list");
                faults.push(EditFault { field: Some(name.clone()), code: "unknown-field", detail });
                continue;
            };
            match single(&self.schema, field, raw) {
                Ok(Some(value)) => drop(after.fields.insert(field.name.clone(), value)),
                Ok(None) => drop(after.fields.remove(&field.name)),
                Err(no) => {
                    let detail = with(format!("`{name}` {}", no.message), no.suggestion);
                    faults.push(EditFault { field: Some(name.clone()), code: no.code, detail });
                }
            }
        }
        let is_told =
            |faults: &[EditFault], name: &FieldName| faults.iter().any(|fault| fault.field.as_deref() == Some(name.as_str()));
        for violation in self.schema.check(&after.fields) {
            if violation.field.as_ref().is_some_and(|name| is_told(&faults, name)) {
                continue;
            }
            let field = violation.field.as_ref().map(ToString::to_string);
            faults.push(EditFault { field, code: violation.code, detail: with(violation.message, violation.suggestion) });
        }
        for name in self.key.iter().filter(|name| !after.fields.contains_key(*name)) {
            if !is_told(&faults, name) {
                let detail = format!("`{name}` is missing, and tells records apart");
                faults.push(EditFault { field: Some(name.to_string()), code: "missing-cell", detail });
            }
        }
        if faults.is_empty() { Ok(after) } else { Err(EditError::Invalid(faults)) }
    }

    /// The values of the key fields, as every file has them.
    fn key(&self, record: &Record) -> Result<String> {
        let values: Vec<&Value> = self.key.iter().filter_map(|name| record.fields.get(name)).collect();
        serde_json::to_string(&values).map_err(|_| StoreError::Corrupt("a key"))
    }

    fn same_key(&self, before: &Record, after: &Record) -> std::result::Result<(), EditError> {
        let other = self.key.iter().filter(|name| before.fields.get(*name) != after.fields.get(*name));
        let faults: Vec<EditFault> = other
            .map(|name| EditFault {
                field: Some(name.to_string()),
                code: "key-field",
                detail: format!("`{name}` tells records apart and stays as it is; remove this record and make another"),
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(EditError::Invalid(faults)) }
    }
}

fn with(message: String, suggestion: Option<String>) -> String {
    match suggestion {
        Some(suggestion) => format!("{message}; is `{suggestion}` meant?"),
        None => message,
    }
}
