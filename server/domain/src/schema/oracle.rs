//! The `jsonschema` crate, which knows all of JSON Schema: the judge of what the typed checks do not accept.
//!
//! The only module that names the crate. Its own messages quote the value and are never used; a [`Fault`] says where and by
//! which keyword, and [`super::wording`] says it in words.

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value, json};

use super::SchemaError;
use super::node::Node;
use super::parse::DIALECT;

/// A keyword that a record does not satisfy. It holds words of the schema and names of fields, never a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// The field, unless it is about the record as a whole.
    pub field: Option<String>,
    /// Whether it is about something inside the field's value.
    pub inside: bool,
    /// The keyword, as the schema writes it.
    pub keyword: String,
    /// What the schema wrote behind the keyword, where that can be said in a sentence.
    pub demand: Value,
}

/// One schema, compiled twice: for a record, and for a field by itself.
#[derive(Clone)]
pub(super) struct Oracle {
    record: Arc<Validator>,
    /// Without what the document says about the record as a whole.
    alone: Arc<Validator>,
}

impl Oracle {
    pub(super) fn compile(root: &Node<'_>) -> Result<Self, SchemaError> {
        let mut alone = Map::new();
        alone.insert("$schema".to_owned(), DIALECT.into());
        alone.insert("additionalProperties".to_owned(), false.into());
        for keyword in ["$id", "$defs", "properties"] {
            if let Some(node) = root.get(keyword) {
                alone.insert(keyword.to_owned(), node.value.clone());
            }
        }
        Ok(Self { record: validator(root.value)?, alone: validator(&Value::Object(alone))? })
    }

    pub(super) fn faults(&self, record: &Value) -> Vec<Fault> {
        faults(&self.record, record)
    }

    pub(super) fn faults_alone(&self, name: &str, value: &Value) -> Vec<Fault> {
        faults(&self.alone, &json!({ name: value }))
    }
}

fn validator(document: &Value) -> Result<Arc<Validator>, SchemaError> {
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        // Linear in the length of the text: a pattern must not be able to hang an import.
        .with_pattern_options(PatternOptions::regex())
        .offline();
    options.build(document).map(Arc::new).map_err(|error| {
        let pointer = error.instance_path().as_str().to_owned();
        let detail = if pointer.ends_with("/pattern") {
            "is not a regular expression without look-around and back-references".to_owned()
        } else {
            format!("is not what JSON Schema asks for here: {}", error.masked())
        };
        SchemaError { pointer, detail }
    })
}

fn faults(validator: &Validator, record: &Value) -> Vec<Fault> {
    validator.iter_errors(record).flat_map(|error| read(error.instance_path(), error.kind())).collect()
}

fn read(place: &Location, kind: &ValidationErrorKind) -> Vec<Fault> {
    let mut segments = place.iter();
    let field = segments.next().and_then(|segment| match segment {
        LocationSegment::Property(name) => Some(name.to_string()),
        LocationSegment::Index(_) => None,
    });
    let inside = segments.next().is_some();
    let fault = |field: Option<String>| Fault { field, inside, keyword: kind.keyword().to_owned(), demand: demand(kind) };
    match (kind, &field) {
        (ValidationErrorKind::Required { property }, None) => vec![fault(property.as_str().map(str::to_owned))],
        (ValidationErrorKind::AdditionalProperties { unexpected }, None) => {
            unexpected.iter().map(|name| fault(Some(name.clone()))).collect()
        }
        _ => vec![fault(field)],
    }
}

/// What the schema asked for. Kinds that say what they found instead are left out.
fn demand(kind: &ValidationErrorKind) -> Value {
    match kind {
        ValidationErrorKind::MaxLength { limit }
        | ValidationErrorKind::MinLength { limit }
        | ValidationErrorKind::MaxItems { limit }
        | ValidationErrorKind::MinItems { limit } => (*limit).into(),
        ValidationErrorKind::Maximum { limit }
        | ValidationErrorKind::Minimum { limit }
        | ValidationErrorKind::ExclusiveMaximum { limit }
        | ValidationErrorKind::ExclusiveMinimum { limit } => limit.clone(),
        ValidationErrorKind::MultipleOf { multiple_of } => (*multiple_of).into(),
        ValidationErrorKind::Format { format } => format.as_str().into(),
        ValidationErrorKind::Pattern { pattern } => pattern.as_str().into(),
        ValidationErrorKind::Enum { options } => Value::clone(options),
        ValidationErrorKind::Constant { expected_value } => Value::clone(expected_value),
        ValidationErrorKind::Type { kind } => match kind {
            jsonschema::error::TypeKind::Single(one) => one.to_string().into(),
            jsonschema::error::TypeKind::Multiple(_) => Value::Null,
        },
        _ => Value::Null,
    }
}
