//! Terms as a document.
//!
//! Approvals are given over the hash of this spelling. A change here changes every hash: add, never rearrange meanings.

use serde_json::{Value, json};

use super::{Audience, Ending, Onward, RecordIds, Rows, Terms};

pub(super) fn terms(terms: &Terms) -> Value {
    let fields = terms.fields.iter().map(|(name, treatment)| (name.as_str().to_owned(), treatment.to_json()));
    let mut document = json!({
        "provider": terms.provider,
        "dataset": terms.dataset,
        "schema": {"name": terms.schema_name, "version": terms.schema_version},
        "audience": audience(&terms.audience),
        "fields": Value::Object(fields.collect()),
        "rows": rows(&terms.rows),
        "record_id": record_id(terms.record_id),
        "purpose": {"code": terms.purpose.code.as_str(), "text": terms.purpose.text},
        "lawful_basis": terms.lawful_basis,
        "onward": onward(&terms.onward),
        "ending": ending(&terms.ending),
        "starts_on": terms.starts_on.to_string(),
        "ends_on": terms.ends_on.to_string(),
        "contact": terms.contact,
    });
    if let (Some(day), Some(members)) = (terms.review_on, document.as_object_mut()) {
        members.insert("review_on".to_owned(), Value::from(day.to_string()));
    }
    document
}

fn audience(audience: &Audience) -> Value {
    match audience {
        Audience::Organization(id) => json!({"organization": id}),
        Audience::Members => json!("members"),
        Audience::Public => json!("public"),
    }
}

fn rows(rows: &Rows) -> Value {
    match rows {
        Rows::All => json!("all"),
        Rows::Where(condition) => condition.to_json(),
    }
}

fn record_id(record_id: RecordIds) -> &'static str {
    match record_id {
        RecordIds::Stable => "stable",
        RecordIds::Pseudonym => "pseudonym",
    }
}

fn onward(onward: &Onward) -> Value {
    match onward {
        Onward::None => json!("none"),
        Onward::Members => json!("members"),
        Onward::Named(names) => json!({"named": names}),
        Onward::Public => json!("public"),
    }
}

fn ending(ending: &Ending) -> Value {
    match ending {
        Ending::DeleteWithinDays(days) => json!({"delete_within_days": days}),
        Ending::Keep(words) => json!({"keep": words}),
    }
}
