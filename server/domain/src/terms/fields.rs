//! Which fields, and how each looks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fault::{Fault, below};
use crate::schema::{FieldName, Schema, Sensitivity};
use crate::treatment::Treatment;

/// The fields that terms name, each with its treatment: at least one of them not hidden, as long as no later version of the schema
/// closes it. There is no wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(BTreeMap<FieldName, Treatment>);

impl Fields {
    /// Reads `{name: treatment, …}` at the pointer `at`.
    ///
    /// # Errors
    /// Every field that `schema` does not have or never shares, every treatment that its field does not take, and a set that
    /// shows nothing.
    pub fn parse(raw: &Value, schema: &Schema, at: &str) -> Result<Self, Vec<Fault>> {
        let Some(members) = raw.as_object() else {
            return Err(vec![Fault::new(at, "type", "`fields` is an object like `{\"title\": \"exact\"}`")]);
        };
        let (mut treatments, mut faults) = (BTreeMap::new(), Vec::new());
        for (name, treatment) in members {
            match one(name, treatment, schema, &below(at, name)) {
                Ok((name, treatment)) => drop(treatments.insert(name, treatment)),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() && treatments.values().all(|treatment| *treatment == Treatment::Hidden) {
            faults.push(Fault::new(at, "empty", "name at least one field that is not hidden"));
        }
        if faults.is_empty() { Ok(Self(treatments)) } else { Err(faults) }
    }

    /// How the field looks; nothing if these terms do not name it, which hides it too.
    #[must_use]
    pub fn get(&self, name: &FieldName) -> Option<&Treatment> {
        self.0.get(name)
    }

    /// These fields without some.
    pub(super) fn without(&self, closed: &BTreeSet<FieldName>) -> Self {
        Self(self.0.iter().filter(|(name, _)| !closed.contains(*name)).map(|(name, how)| (name.clone(), how.clone())).collect())
    }

    /// Each field with its treatment, in byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &Treatment)> {
        self.0.iter()
    }
}

fn one(name: &str, treatment: &Value, schema: &Schema, at: &str) -> Result<(FieldName, Treatment), Fault> {
    let field = schema
        .field(name)
        .ok_or_else(|| Fault::new(at, "unknown-field", format!("`{name}` is not a field of `{}`", schema.name)))?;
    if field.sensitivity == Sensitivity::Never {
        return Err(Fault::new(at, "never-shared", format!("`{name}` is kept and never shared")));
    }
    let treatment = Treatment::parse(treatment).ok_or_else(|| {
        let known = "`\"exact\"`, `\"masked\"`, `\"pseudonym\"`, `\"hidden\"` and `{\"generalised\": \"month\"}` or the like";
        Fault::new(at, "unknown-treatment", format!("there are {known}"))
    })?;
    if !treatment.fits(field) {
        return Err(Fault::new(at, "not-offered", format!("`{name}` does not offer this treatment")));
    }
    Ok((field.name.clone(), treatment))
}
