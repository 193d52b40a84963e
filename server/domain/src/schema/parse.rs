//! Reads a schema document, and refuses one that this program could not obey to the letter.
//!
//! What is not understood is refused here, by name and place, because everything after trusts a [`Schema`]: the store writes
//! its field names into SQL, the importers guess columns by its words, the terms open what it offers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::Checks;
use super::node::Node;
use super::{Field, FieldName, Kind, Schema, Sensitivity, annotations, vocabulary, words};

/// The dialect that a document must declare.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// As many fields as fit one page of an agreement that a person can still read.
const MOST_FIELDS: usize = 500;

/// Words after `/api/v1/` that mean something else.
const TAKEN: [&str; 18] = [
    "schemas",
    "catalogue",
    "datasets",
    "imports",
    "agreements",
    "approval-rules",
    "records",
    "erasures",
    "explain",
    "changes",
    "disclosures",
    "sessions",
    "people",
    "invites",
    "organization",
    // These would give `{collection}:read` the name of another scope.
    "directory",
    "ledger",
    "clients",
];

/// Why a document is no schema of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct SchemaError {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

pub(super) fn schema(document: &Value) -> Result<Schema, SchemaError> {
    let root = Node::root(document);
    shape(&root)?;
    vocabulary::closed(&root)?;
    let fields = fields(&root)?;
    let says = root.need("x-hayward")?;
    says.only(&["name", "version", "collection", "key", "title", "geo", "consent", "indexed"])?;
    Ok(Schema {
        name: word(&says.need("name")?, &[])?,
        version: version(&says.need("version")?)?,
        collection: word(&says.need("collection")?, &TAKEN)?,
        titles: annotations::languages(&says.need("title")?)?,
        key: key(&says.need("key")?, &fields)?,
        geo: geo(&says, &fields)?,
        consent: consent(&says, &fields)?,
        closed: BTreeSet::new(),
        indexed: indexed(&says, &fields)?,
        checks: Checks::compile(&root, &fields)?,
        fields,
        document: document.clone().into(),
    })
}

fn shape(root: &Node<'_>) -> Result<(), SchemaError> {
    root.object()?;
    let demands = [
        ("$schema", Value::from(DIALECT), "must be JSON Schema 2020-12"),
        ("type", Value::from("object"), "must be `object`: a record is one"),
        ("additionalProperties", Value::from(false), "must be false: a field without annotations could not be protected"),
    ];
    for (keyword, wanted, detail) in demands {
        let found = root.need(keyword)?;
        if *found.value != wanted {
            return Err(found.refuse(detail));
        }
    }
    Ok(())
}

fn fields(root: &Node<'_>) -> Result<Vec<Field>, SchemaError> {
    let properties = root.need("properties")?;
    let entries = properties.entries()?;
    if entries.is_empty() || entries.len() > MOST_FIELDS {
        return Err(properties.refuse(format!("must have between 1 and {MOST_FIELDS} fields")));
    }
    let required = root.get("required").map(|list| list.items()).transpose()?.unwrap_or_default();
    for name in &required {
        if !entries.iter().any(|(entry, _)| *name.value == *entry) {
            return Err(name.refuse("is not a field"));
        }
    }
    let read = |(name, node): &(&str, Node<'_>)| annotations::field(name, node, required.iter().any(|one| *one.value == **name));
    let fields = entries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let nodes: Vec<Node<'_>> = entries.into_iter().map(|(_, node)| node).collect();
    words::claimed_once(&fields, &nodes)?;
    Ok(fields)
}

/// A word for URLs and file names.
fn word(node: &Node<'_>, taken: &[&str]) -> Result<String, SchemaError> {
    let text = node.text()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if !plain || !text.starts_with(|first: char| first.is_ascii_lowercase()) || text.len() > 63 {
        return Err(node.refuse("must match `[a-z][a-z0-9_-]*` and be at most 63 characters"));
    }
    if taken.contains(&text) {
        return Err(node.refuse(format!("`{text}` means something else in a URL")));
    }
    Ok(text.to_owned())
}

fn version(node: &Node<'_>) -> Result<i64, SchemaError> {
    node.value.as_i64().filter(|version| *version >= 1).ok_or_else(|| node.refuse("must be a whole number from 1"))
}

fn named<'a>(node: &Node<'_>, fields: &'a [Field]) -> Result<&'a Field, SchemaError> {
    let name = node.text()?;
    fields.iter().find(|field| field.name.as_str() == name).ok_or_else(|| node.refuse(format!("`{name}` is not a field")))
}

fn scalars(list: &Node<'_>, fields: &[Field]) -> Result<Vec<FieldName>, SchemaError> {
    let mut names = Vec::new();
    for item in list.items()? {
        let field = named(&item, fields)?;
        if field.kind == Kind::Structured {
            return Err(item.refuse(format!("`{}` is not a single value", field.name)));
        }
        if names.contains(&field.name) {
            return Err(item.refuse(format!("`{}` is named twice", field.name)));
        }
        names.push(field.name.clone());
    }
    Ok(names)
}

fn key(node: &Node<'_>, fields: &[Field]) -> Result<Vec<FieldName>, SchemaError> {
    let key = scalars(node, fields)?;
    if key.is_empty() {
        return Err(node.refuse("must name a field: without a key, no record is found again"));
    }
    match fields.iter().find(|field| key.contains(&field.name) && !field.required) {
        Some(field) => Err(node.refuse(format!("`{}` must be required to be part of the key", field.name))),
        None => Ok(key),
    }
}

fn geo(says: &Node<'_>, fields: &[Field]) -> Result<Option<(FieldName, FieldName)>, SchemaError> {
    let Some(node) = says.get("geo") else { return Ok(None) };
    node.only(&["latitude", "longitude"])?;
    let coordinate = |word: &str| {
        let place = node.need(word)?;
        let field = named(&place, fields)?;
        if field.kind != Kind::Number || field.sensitivity == Sensitivity::Never {
            return Err(place.refuse(format!("`{}` must be a number that may be shared", field.name)));
        }
        Ok(field.name.clone())
    };
    let (latitude, longitude) = (coordinate("latitude")?, coordinate("longitude")?);
    if latitude == longitude { Err(node.refuse("must be two fields")) } else { Ok(Some((latitude, longitude))) }
}

/// A ceiling that nobody may know the answer to would be none: whoever is shown tells it.
fn consent(says: &Node<'_>, fields: &[Field]) -> Result<Vec<FieldName>, SchemaError> {
    let Some(node) = says.get("consent") else { return Ok(Vec::new()) };
    let field = named(&node, fields)?;
    if field.kind != Kind::Boolean || field.sensitivity == Sensitivity::Never {
        return Err(node
            .refuse(format!("`{}` must be a boolean that may be shared: who is shown tells that it is not false", field.name)));
    }
    Ok(vec![field.name.clone()])
}

fn indexed(says: &Node<'_>, fields: &[Field]) -> Result<Vec<FieldName>, SchemaError> {
    let Some(node) = says.get("indexed") else { return Ok(Vec::new()) };
    let names = scalars(&node, fields)?;
    if names.len() > 3 {
        return Err(node.refuse("names more than three fields: every import pays for each of them"));
    }
    match fields.iter().find(|field| field.sensitivity == Sensitivity::Never && names.contains(&field.name)) {
        Some(field) => Err(node.refuse(format!("`{}` is never shared, so nobody could filter by it", field.name))),
        None => Ok(names),
    }
}
