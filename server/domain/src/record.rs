//! Originals, and the seal that keeps them inside their organization.
//!
//! A [`Record`] is what a provider imported. The store hands it out only as [`Sealed`], which nothing can print, serialize or
//! open except for its owner; to show it to anybody else, go through [`crate::terms::Terms::disclose`].

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::json;
use crate::schema::FieldName;

/// An organization's row number: what the store joins on. Never leaves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationNumber(pub i64);

/// A record's row number. It grows in the order of the file, so it leaves the program only encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNumber(pub i64);

/// One entry of a dataset, as its provider keeps it.
///
/// A field without a value is absent, never `null`; a record that differs only in that is the same record.
#[derive(Clone, Default, PartialEq)]
pub struct Record {
    /// The schema's fields.
    pub fields: BTreeMap<FieldName, Value>,
    /// Columns of the file that the provider keeps but that no agreement can name, by header.
    pub private: BTreeMap<String, String>,
}

// By hand: a derived `Debug` would put people's data in our logs.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} fields)", self.fields.len())
    }
}

impl Record {
    /// The text that is stored: `{"fields": {…}, "private": {…}}`, keys in byte order, so that equal records have equal text.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut body = String::with_capacity(512);
        body.push_str("{\"fields\":{");
        for (at, (name, value)) in self.fields.iter().enumerate() {
            json::member(&mut body, at, name.as_str(), value);
        }
        body.push('}');
        if !self.private.is_empty() {
            body.push_str(",\"private\":{");
            for (at, (header, value)) in self.private.iter().enumerate() {
                json::text_member(&mut body, at, header, value);
            }
            body.push('}');
        }
        body.push('}');
        body
    }

    /// Reads what [`Self::to_body`] wrote; nothing if it is something else.
    #[must_use]
    pub fn from_body(body: &str) -> Option<Self> {
        let Value::Object(mut body) = serde_json::from_str(body).ok()? else { return None };
        let Value::Object(fields) = body.remove("fields")? else { return None };
        let fields = fields.into_iter().map(|(name, value)| Some((FieldName::parse(&name)?, value)));
        let private = match body.remove("private") {
            Some(Value::Object(private)) => private,
            _ => Map::new(),
        };
        let private = private.into_iter().map(|(header, value)| Some((header, value.as_str()?.to_owned())));
        Some(Self { fields: fields.collect::<Option<_>>()?, private: private.collect::<Option<_>>()? })
    }
}

/// An original that nobody outside its organization has been cleared to see.
pub struct Sealed<T> {
    owner: OrganizationNumber,
    inner: T,
}

impl<T> Sealed<T> {
    /// Seals what belongs to `owner`.
    pub fn new(owner: OrganizationNumber, inner: T) -> Self {
        Self { owner, inner }
    }

    /// The original, for its owner and for nobody else.
    #[must_use]
    pub fn open_for(self, caller: OrganizationNumber) -> Option<T> {
        (caller == self.owner).then_some(self.inner)
    }

    /// For [`crate::disclose`], which decides what of it may be seen.
    pub(crate) fn inner(&self) -> &T {
        &self.inner
    }
}

// By hand: a derived `Debug` would put people's data in our logs.
impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}
