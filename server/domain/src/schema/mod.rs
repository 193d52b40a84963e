//! What a list of one kind looks like: a JSON Schema 2020-12 document with our annotations, which the code obeys.
//!
//! [`Schema::parse`] is strict so that nothing after it has to be: a [`Schema`] in hand has been understood in full. Asking the
//! `jsonschema` crate anything outside `oracle`, or quoting a value in a [`Violation`], is not done here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::record::Record;

mod annotations;
mod built_in;
mod check;
mod exact;
mod formats;
mod later;
mod node;
mod oracle;
mod parse;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod two_paths;
mod typed;
mod vocabulary;
mod wording;
mod words;

pub use built_in::{BUILT_IN, built_in};
pub use check::{Glance, Violation};
pub use parse::SchemaError;
pub use words::folded;

/// The name of a field: `[a-z][a-z0-9_]*`, at most 63 bytes, and none of the words that the API gives a meaning of its own.
///
/// The narrow alphabet is what lets the store write a field's name into SQL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(Arc<str>);

/// Names of the envelope around shared fields and of query parameters: a field called so could not be told from them.
const RESERVED: [&str; 17] = [
    "id",
    "provider",
    "agreement",
    "edition",
    "type",
    "collection",
    "limit",
    "cursor",
    "count",
    "sort",
    "fields",
    "q",
    "near",
    "bbox",
    "audience",
    "updated_since",
    "open",
];

impl FieldName {
    /// The field name that `text` is, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let plain = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        (starts && plain && text.len() <= 63 && !RESERVED.contains(&text)).then(|| Self(Arc::from(text)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much harm a field does in the wrong hands, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// Published already, or made to be.
    Public,
    /// The co-op's own affairs.
    Internal,
    /// About an identifiable person (GDPR Art. 4(1)).
    Personal,
    /// Special categories (GDPR Art. 9), and what does comparable harm.
    Special,
    /// Kept, and never shared: no agreement can open it.
    Never,
}

impl Sensitivity {
    /// Every sensitivity, in rising order.
    pub const ALL: [Self; 5] = [Self::Public, Self::Internal, Self::Personal, Self::Special, Self::Never];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Personal => "personal",
            Self::Special => "special",
            Self::Never => "never",
        }
    }

    /// The sensitivity that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sensitivity| sensitivity.as_str() == text)
    }
}

/// What a field's values are, as far as comparing and treating them goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any text.
    Text,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// An array or an object: shown whole or not at all.
    Structured,
}

/// How a column of a spreadsheet becomes values of a field, where [`Kind`] does not say enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadsAs {
    /// A key or a number that somebody gave out: text, byte for byte.
    Identifier,
    /// A telephone number: text, byte for byte.
    Phone,
    /// A postal code: text, byte for byte.
    Postcode,
    /// An e-mail address.
    Email,
    /// A web address; one without a scheme is given `https://`.
    Url,
    /// A country by name, alias or code, stored as ISO 3166-1 alpha-2.
    Country,
    /// Degrees north, -90 to 90.
    Latitude,
    /// Degrees east, -180 to 180.
    Longitude,
}

/// A kind of generalisation that a field offers; its measure is chosen in the terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generalises {
    /// A day to its year.
    Year,
    /// A day to its month.
    Month,
    /// A text to its first characters.
    Prefix,
    /// A coordinate to a fixed grid.
    Grid,
    /// A number to the lower end of its band.
    Band,
}

/// The treatments that a field offers besides hidden and exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Whether the middle of a value may be blotted out.
    pub masked: bool,
    /// Whether a value may be replaced by a keyed stand-in. For identifiers only: few values fall to counting.
    pub pseudonym: bool,
    /// The generalisations on offer.
    pub generalised: Vec<Generalises>,
}

/// One field of a schema.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: FieldName,
    /// What its values are.
    pub kind: Kind,
    /// How much harm it does in the wrong hands.
    pub sensitivity: Sensitivity,
    /// How a column becomes values of it.
    pub reads_as: Option<ReadsAs>,
    /// What people call it, by language: always `en` and `es`.
    pub labels: BTreeMap<String, String>,
    /// What a person should know before sharing it, by language; empty, or `en` and `es` at least.
    pub help: BTreeMap<String, String>,
    /// What spreadsheets call it, in any language. Folded, no word belongs to two fields of a schema.
    pub synonyms: Vec<String>,
    /// The treatments it offers.
    pub offers: Offers,
    /// Whether `q` looks into it.
    pub search: bool,
    /// Whether pages put it among the first filters to choose from. Every single value can be filtered by.
    pub filter: bool,
    /// Whether every record has it.
    pub required: bool,
}

/// One version of one schema.
#[derive(Clone)]
pub struct Schema {
    /// `opportunity`.
    pub name: String,
    /// Counts from 1.
    pub version: i64,
    /// `opportunities`: the word in the URL.
    pub collection: String,
    /// What people call it, by language: always `en` and `es`.
    pub titles: BTreeMap<String, String>,
    /// The fields that together tell one record from another.
    pub key: Vec<FieldName>,
    /// The pair that says where a record is: latitude, longitude.
    pub geo: Option<(FieldName, FieldName)>,
    /// The fields by which a person says no to being shown at all: at most one in a document. Where one is `false`, no agreement
    /// shows the record; empty says nothing, and closes nothing.
    pub consent: Vec<FieldName>,
    /// Fields that later versions closed; see [`Schema::under`]. None in a version by itself.
    pub closed: BTreeSet<FieldName>,
    /// At most three fields with an index of their own among shared records.
    pub indexed: Vec<FieldName>,
    /// The fields in the order of the document, which is the order they are shown in.
    pub fields: Vec<Field>,
    /// The document itself.
    pub document: Arc<Value>,
    checks: check::Checks,
}

impl Schema {
    /// The field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// Whether `record` is closed to every agreement, because the person said no.
    #[must_use]
    pub fn refuses(&self, record: &Record) -> bool {
        self.consent.iter().any(|field| record.fields.get(field) == Some(&Value::Bool(false)))
    }

    /// What seeing a record tells by itself, whatever the terms: whoever is shown has not said no.
    #[must_use]
    pub fn implied(&self) -> Vec<(FieldName, String)> {
        self.consent.iter().map(|field| (field.clone(), "is not false: nobody is shown who said no".to_owned())).collect()
    }

    /// Reads a schema document.
    ///
    /// # Errors
    /// Where the document is not one that this program can obey, with a JSON pointer.
    pub fn parse(document: &Value) -> Result<Self, SchemaError> {
        parse::schema(document)
    }

    /// What is wrong with a record; empty if nothing is. Never stops at the first.
    #[must_use]
    pub fn check(&self, fields: &BTreeMap<FieldName, Value>) -> Vec<Violation> {
        check::record(self, fields)
    }

    /// The quick check of the field `name`, if it has one.
    #[must_use]
    pub fn glance(&self, name: &FieldName) -> Option<Glance> {
        check::glance(self, name)
    }

    /// What is wrong with one value of one field, whatever the rest of its record.
    #[must_use]
    pub fn check_field(&self, name: &FieldName, value: &Value) -> Vec<Violation> {
        check::field(self, name, value)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} v{})", self.name, self.version)
    }
}
