//! What one agreement shows of one record.
//!
//! [`Terms::disclose`] is the only way from an original to something another organization may hold. Wanting a second way is a
//! sign that a treatment or a condition is missing.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::condition::{Cell, Condition};
use crate::json;
use crate::keys::AgreementKeys;
use crate::mutants;
use crate::record::{Record, Sealed};
use crate::schema::{Field, FieldName, Schema, Sensitivity};
use crate::terms::{Rows, Terms};
use crate::treatment::Treatment;

/// What a recipient may hold of one record: the very text that is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedRecord {
    payload: String,
}

impl SharedRecord {
    /// The text: a JSON object of the disclosed fields in the order of the schema, `null` where there is no value.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// What [`Terms::disclose`] made, read back. Only for the store, from the shelf that it was put on.
    #[must_use]
    pub fn from_shelf(payload: String) -> Self {
        Self { payload }
    }
}

impl Serialize for SharedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue =
            serde_json::from_str(&self.payload).map_err(|_| serde::ser::Error::custom("a shared record is not JSON"))?;
        raw.serialize(serializer)
    }
}

// By hand: even what a recipient may see has no business in our logs.
impl fmt::Debug for SharedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedRecord({} bytes)", self.payload.len())
    }
}

/// Where a condition finds the cells of an original.
fn cell_of<'a>(record: &'a Record) -> impl Fn(&FieldName) -> Cell<'a> {
    |name| record.fields.get(name).map_or(Cell::Null, Cell::Value)
}

impl Terms {
    /// What these terms show of `record`; nothing if it is not among their rows, or the person in it said no.
    #[must_use]
    pub fn disclose(&self, schema: &Schema, keys: &AgreementKeys, record: &Sealed<Record>) -> Option<SharedRecord> {
        let record = record.inner();
        if !self.holds_for(record) && !mutants::on("condition-ignored") {
            return None;
        }
        // A ceiling: what the person said goes before whatever two co-ops agree on.
        if schema.refuses(record) && !mutants::on("consent-ignored") {
            return None;
        }
        if self.closed_by(schema) {
            return None;
        }
        // In the order of the schema: an order of the terms' own would tell nothing, but differ from agreement to agreement.
        let shown = schema.fields.iter().filter_map(|field| Some((&field.name, self.shown(field, keys, record)?)));
        let mut payload = String::with_capacity(512);
        payload.push('{');
        shown.enumerate().for_each(|(at, (name, value))| json::member(&mut payload, at, name.as_str(), &value));
        payload.push('}');
        Some(SharedRecord { payload })
    }

    fn holds_for(&self, record: &Record) -> bool {
        match &self.rows {
            Rows::All => true,
            Rows::Where(condition) => condition.matches(&cell_of(record)),
        }
    }

    /// Which of what the row condition demands a record does not meet. For the provider, who may look at its own records.
    #[must_use]
    pub fn unmet(&self, record: &Sealed<Record>) -> Vec<&Condition> {
        let record = record.inner();
        match &self.rows {
            Rows::All => Vec::new(),
            Rows::Where(condition) => {
                condition.conjuncts().into_iter().filter(|demand| !demand.matches(&cell_of(record))).collect()
            }
        }
    }

    /// How one field looks; nothing if it is hidden, which a field that the terms do not name always is.
    fn shown<'a>(&self, field: &Field, keys: &AgreementKeys, record: &'a Record) -> Option<Cow<'a, Value>> {
        let value = record.fields.get(&field.name);
        let named = self.fields.get(&field.name).unwrap_or(&Treatment::Hidden);
        // A field may have become `never` in a later version of the schema than the terms were read against.
        let treatment = if field.sensitivity == Sensitivity::Never { &Treatment::Hidden } else { named };
        if mutants::on("hidden-as-null") && *treatment == Treatment::Hidden {
            return Some(Cow::Owned(value.cloned().unwrap_or(Value::Null)));
        }
        let exact = mutants::on("treatment-ignored") && *treatment != Treatment::Hidden;
        if exact { Treatment::Exact.show(field, keys, value) } else { treatment.show(field, keys, value) }
    }
}
