//! Whether a record is as its schema says, by two paths: `typed` waves through what is plainly right, `oracle` judges the rest.
//!
//! The oracle alone decides that something is wrong. `two_paths` holds the two equal.

use std::collections::BTreeMap;

use serde_json::Value;

use super::node::Node;
use super::oracle::{Fault, Oracle};
use super::typed::Typed;
use super::{Field, FieldName, Schema, SchemaError, exact, wording};

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

/// The quick check of one field: what it accepts is certainly right, and about the rest it says nothing.
///
/// Where all values of a record are accepted, [`Schema::check`] finds at most that required fields are missing.
#[derive(Clone)]
pub struct Glance(Typed);

impl Glance {
    /// Whether the value is certainly right.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        exact::lost(value).is_none() && self.0.accepts(value)
    }

    /// The same for text without U+0000, which is not looked for.
    #[must_use]
    pub fn accepts_text(&self, text: &str) -> bool {
        self.0.accepts_text(text)
    }
}

/// The quick check of a field; nothing where it uses a keyword that only the oracle knows, or the schema says more about a record
/// than about its fields.
pub(super) fn glance(schema: &Schema, name: &FieldName) -> Option<Glance> {
    let typed = schema.checks.typed.get(name).filter(|_| schema.checks.by_field)?;
    typed.clone().map(Glance)
}

/// Keywords of the root that the typed path obeys, or that say nothing about a record.
const ROOT: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "x-hayward",
];

/// The checks of one schema.
#[derive(Clone)]
pub(super) struct Checks {
    /// Per field, unless it uses a keyword that only the oracle knows.
    typed: BTreeMap<FieldName, Option<Typed>>,
    /// Whether the fields, one by one, are all that the schema says about a record.
    by_field: bool,
    oracle: Oracle,
}

impl Checks {
    pub(super) fn compile(root: &Node<'_>, fields: &[Field]) -> Result<Self, SchemaError> {
        let properties = root.need("properties")?;
        let mut typed = BTreeMap::new();
        for field in fields {
            let property = properties.need(field.name.as_str())?;
            typed.insert(field.name.clone(), Typed::compile(property.object()?));
        }
        let by_field = root.object()?.keys().all(|keyword| ROOT.contains(&keyword.as_str()));
        Ok(Self { typed, by_field, oracle: Oracle::compile(root)? })
    }

    fn accept(&self, name: &FieldName, value: &Value) -> bool {
        self.typed.get(name).and_then(Option::as_ref).is_some_and(|typed| typed.accepts(value))
    }
}

/// What is wrong with a record.
pub(super) fn record(schema: &Schema, record: &BTreeMap<FieldName, Value>) -> Vec<Violation> {
    let lost = record.iter().filter_map(|(name, value)| exact::lost(value).map(|lost| wording::of_inexact(name, lost)));
    let mut violations: Vec<Violation> = lost.collect();
    if !certainly_right(schema, record) {
        let faults = schema.checks.oracle.faults(&whole(record));
        violations.extend(say(schema, &faults, |name| FieldName::parse(name).and_then(|name| record.get(&name))));
    }
    in_order(schema, violations)
}

/// What is wrong with one value by itself.
pub(super) fn field(schema: &Schema, name: &FieldName, value: &Value) -> Vec<Violation> {
    if schema.field(name.as_str()).is_none() {
        return vec![wording::of_stranger(name, &schema.fields)];
    }
    let mut violations: Vec<Violation> = exact::lost(value).map(|lost| wording::of_inexact(name, lost)).into_iter().collect();
    if !schema.checks.accept(name, value) {
        let faults = schema.checks.oracle.faults_alone(name.as_str(), value);
        violations.extend(say(schema, &faults, |_| Some(value)));
    }
    in_order(schema, violations)
}

/// The fast path: whether every part of the record is plainly right.
pub(super) fn certainly_right(schema: &Schema, record: &BTreeMap<FieldName, Value>) -> bool {
    let complete = || schema.fields.iter().all(|field| !field.required || record.contains_key(&field.name));
    schema.checks.by_field && complete() && record.iter().all(|(name, value)| schema.checks.accept(name, value))
}

/// The slow path: whether JSON Schema itself, leaving aside what cannot be stored, finds the record right.
#[cfg(test)]
pub(super) fn right_to_the_oracle(schema: &Schema, record: &BTreeMap<FieldName, Value>) -> bool {
    schema.checks.oracle.faults(&whole(record)).is_empty()
}

fn whole(record: &BTreeMap<FieldName, Value>) -> Value {
    Value::Object(record.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect())
}

fn say<'a>(schema: &Schema, faults: &[Fault], value: impl Fn(&str) -> Option<&'a Value>) -> Vec<Violation> {
    let is_type = |fault: &Fault| fault.keyword == "type" && !fault.inside;
    // A value of the wrong type breaks every other rule of its field too, which is noise to its owner.
    let drowned = |fault: &Fault| !is_type(fault) && faults.iter().any(|other| is_type(other) && other.field == fault.field);
    let told = faults.iter().filter(|fault| !drowned(fault));
    told.map(|fault| wording::of_fault(fault, &schema.fields, fault.field.as_deref().and_then(&value))).collect()
}

/// In the order of the schema's fields, each thing once; what is about the record as a whole comes last.
fn in_order(schema: &Schema, mut violations: Vec<Violation>) -> Vec<Violation> {
    let place = |violation: &Violation| schema.fields.iter().position(|field| Some(&field.name) == violation.field.as_ref());
    violations.sort_by_key(|violation| place(violation).unwrap_or(usize::MAX));
    violations.dedup();
    violations
}
