//! Under construction by the schema helper.
use std::collections::BTreeMap;
use serde_json::Value;
use super::FieldName;

/// One thing that is wrong with a record. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, unless it is about the record as a whole.
    pub field: Option<FieldName>,
    /// `type-error`, `constraint-error` or `missing-cell`: the Frictionless names.
    pub code: &'static str,
    /// What is wrong, in words, without the value.
    pub message: String,
    /// What might be meant.
    pub suggestion: Option<String>,
}

#[derive(Clone)]
pub(super) struct Checks;

impl Checks {
    pub(super) fn check(&self, _fields: &BTreeMap<FieldName, Value>) -> Vec<Violation> {
        Vec::new()
    }
}
