//! A schema with a field of every kind, and terms about it.

use std::sync::LazyLock;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::id::{DatasetId, OrganizationId};
use hayward_domain::keys::AgreementKeys;
use hayward_domain::record::{OrganizationNumber, Record, Sealed};
use hayward_domain::schema::{FieldName, Schema};
use hayward_domain::terms::{Context, Fault, Terms};
use serde_json::{Map, Value, json};

/// The schema of all these tests.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse(&document()).unwrap());
pub static PROVIDER: LazyLock<OrganizationId> = LazyLock::new(|| OrganizationId::from_random([1; 15]));
static DATASET: LazyLock<DatasetId> = LazyLock::new(|| DatasetId::from_random([2; 15]));

fn document() -> Value {
    let field = |shape: Value, label: &str, about: Value| {
        let mut field = shape;
        field["x-hayward"] = about;
        field["x-hayward"]["label"] = json!({"en": label, "es": format!("{label} (es)")});
        field
    };
    let text = || json!({"type": "string"});
    let number = || json!({"type": "number"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rooms",
        "type": "object",
        "required": ["code"],
        "additionalProperties": false,
        "x-hayward": {
            "name": "room", "version": 3, "collection": "rooms", "key": ["code"], "title": {"en": "Rooms", "es": "Salas"},
            "indexed": []
        },
        "properties": {
            "code": field(text(), "Code", json!({
                "sensitivity": "public", "treatments": ["masked", "pseudonym"], "generalise": ["prefix"], "reads_as": "identifier"
            })),
            "email": field(json!({"type": "string", "format": "email"}), "Mail", json!({
                "sensitivity": "personal", "treatments": ["masked", "pseudonym"], "reads_as": "email"
            })),
            "country": field(text(), "Country", json!({"sensitivity": "public"})),
            "opened_on": field(json!({"type": "string", "format": "date"}), "Opened", json!({
                "sensitivity": "internal", "generalise": ["year", "month"]
            })),
            "seats": field(json!({"type": "integer"}), "Seats", json!({"sensitivity": "internal", "generalise": ["band"]})),
            "latitude": field(number(), "North", json!({
                "sensitivity": "personal", "generalise": ["grid"], "reads_as": "latitude"
            })),
            "step_free": field(json!({"type": "boolean"}), "Step-free", json!({"sensitivity": "public"})),
            "tags": field(json!({"type": "array", "items": {"type": "string"}}), "Tags", json!({"sensitivity": "public"})),
            "alarm_code": field(text(), "Alarm", json!({"sensitivity": "never"})),
        }
    })
}

/// A field of the schema.
pub fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

/// Terms that open a little, as a document.
pub fn terms_document() -> Value {
    json!({
        "dataset": *DATASET,
        "audience": {"organization": OrganizationId::from_random([3; 15])},
        "fields": {"code": "exact", "opened_on": {"generalised": "month"}, "email": "masked"},
        "rows": {"all": [{"country": {"in": ["ES", "FR"]}}, {"opened_on": {"gte": "2020-01-01"}}]},
        "record_id": "stable",
        "purpose": {"code": "mutual-aid", "text": "Finding a room."},
        "ending": {"delete_within_days": 30},
        "starts_on": "2026-12-01",
        "ends_on": "2027-11-30",
    })
}

/// The document with one member set.
pub fn with(key: &str, value: Value) -> Value {
    let mut document = terms_document();
    document[key] = value;
    document
}

/// The terms that `document` says, or its faults.
pub fn read(document: &Value) -> Result<Terms, Vec<Fault>> {
    Terms::parse(document, &Context { provider: &PROVIDER, schema: &SCHEMA, dataset: &DATASET, longest_months: 24 })
}

/// Each fault as `pointer code`.
pub fn faults(document: &Value) -> Vec<String> {
    let faults = read(document).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
}

/// A record with these fields.
pub fn record(fields: &Value) -> Record {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Record { fields: fields.into_iter().map(|(field, value)| (name(&field), value)).collect(), ..Record::default() }
}

/// What the terms show of a record.
pub fn shown(terms: &Terms, record: &Record) -> Option<SharedRecord> {
    terms.disclose(&SCHEMA, &AgreementKeys::new([9; 32]), &Sealed::new(OrganizationNumber(1), record.clone()))
}

/// What the terms show of a record, by field.
pub fn cells(terms: &Terms, record: &Record) -> Option<Map<String, Value>> {
    shown(terms, record).map(|shared| serde_json::from_str(shared.payload()).unwrap())
}
