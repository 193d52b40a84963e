//! The part of JSON Schema 2020-12 that a schema of ours may use: nearly all of it, minus what reaches out of the document.
//!
//! JSON Schema ignores a keyword that it does not know. We refuse it: a misspelt `maxlength` would let everything in.

use super::SchemaError;
use super::node::Node;

/// How many subschemas a document may come to with every reference written out. Checking a record visits no more than these.
const LARGEST: u32 = 5_000;

/// How many subschemas may stand inside each other, counting through references.
const DEEPEST: u32 = 40;

/// The formats that are asserted. Others would be decoration.
const FORMATS: [&str; 14] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "uuid",
];

/// What stands behind a keyword.
enum Form {
    /// A value: a number, a list of names, a text.
    Plain,
    /// A schema.
    Schema,
    /// An object whose members are schemas.
    Members,
    /// A list of schemas.
    Items,
}

fn form(keyword: &str) -> Option<Form> {
    match keyword {
        "type" | "enum" | "const" | "format" | "pattern" | "minLength" | "maxLength" | "minimum" | "maximum"
        | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" | "required" | "dependentRequired" | "minProperties"
        | "maxProperties" | "minItems" | "maxItems" | "uniqueItems" | "minContains" | "maxContains" => Some(Form::Plain),
        "title" | "description" | "default" | "examples" | "deprecated" | "readOnly" | "writeOnly" | "$comment" => {
            Some(Form::Plain)
        }
        "additionalProperties"
        | "propertyNames"
        | "unevaluatedProperties"
        | "items"
        | "contains"
        | "unevaluatedItems"
        | "not"
        | "if"
        | "then"
        | "else" => Some(Form::Schema),
        "properties" | "patternProperties" | "dependentSchemas" => Some(Form::Members),
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Some(Form::Items),
        _ => None,
    }
}

/// Refuses a document with an unknown keyword or format, with a reference out of its own `$defs`, or with one that leads back.
pub(super) fn closed(root: &Node<'_>) -> Result<(), SchemaError> {
    // Definitions are walked for their own sake as well: one that nothing refers to is no place for mistakes either.
    for (_, definition) in root.get("$defs").map(|defs| defs.entries()).transpose()?.unwrap_or_default() {
        Walk { root, left: LARGEST }.schema(&definition, Place::Deeper, 1)?;
    }
    Walk { root, left: LARGEST }.schema(root, Place::Root, 0)
}

/// What a schema describes, which decides where annotations may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Field,
    Deeper,
}

struct Walk<'a> {
    root: &'a Node<'a>,
    left: u32,
}

impl Walk<'_> {
    fn schema(&mut self, node: &Node<'_>, place: Place, depth: u32) -> Result<(), SchemaError> {
        if node.value.is_boolean() && place == Place::Deeper {
            return Ok(());
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| node.refuse("the references of this document multiply too far"))?;
        if depth > DEEPEST {
            return Err(node.refuse("is nested too deep, or refers to itself"));
        }
        for (keyword, below) in node.entries()? {
            self.keyword(keyword, &below, place, depth)?;
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, below: &Node<'_>, place: Place, depth: u32) -> Result<(), SchemaError> {
        match (keyword, place) {
            ("$schema" | "$id" | "$defs" | "x-hayward", Place::Root) | ("x-hayward", Place::Field) => return Ok(()),
            ("$ref", _) => return self.reference(below, depth),
            ("patternProperties", Place::Root) => return Err(below.refuse("opens the record to fields without a name")),
            ("format", _) => below.choice(&FORMATS.map(|format| (format, ())))?,
            _ => {}
        }
        let inside = if place == Place::Root && keyword == "properties" { Place::Field } else { Place::Deeper };
        match form(keyword) {
            Some(Form::Plain) => {}
            Some(Form::Schema) => self.schema(below, inside, depth + 1)?,
            Some(Form::Members) => {
                for (_, member) in below.entries()? {
                    self.schema(&member, inside, depth + 1)?;
                }
            }
            Some(Form::Items) => {
                for item in below.items()? {
                    self.schema(&item, inside, depth + 1)?;
                }
            }
            None => return Err(below.refuse(format!("`{keyword}` is not a keyword that is understood here"))),
        }
        Ok(())
    }

    fn reference(&mut self, below: &Node<'_>, depth: u32) -> Result<(), SchemaError> {
        let name = below.text()?.strip_prefix("#/$defs/").filter(|name| !name.contains(['/', '~', '%']));
        let Some(name) = name else {
            return Err(below.refuse("may only refer to `#/$defs/<name>`: a schema stands for itself, and is never fetched"));
        };
        let definition = self.root.get("$defs").and_then(|defs| defs.get(name));
        let definition = definition.ok_or_else(|| below.refuse(format!("`$defs` has no `{name}`")))?;
        self.schema(&definition, Place::Deeper, depth + 1)
    }
}
