//! What is wrong with a matching that somebody sent.

use std::collections::{HashMap, HashSet};

use hayward_domain::schema::{FieldName, Schema};

use super::heading::may_share;
use super::{Absent, ColumnDecision, Decision, Matching};
use crate::profile::Profile;

/// One thing that is wrong with a matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchingFault {
    /// Where, as a JSON pointer into the matching.
    pub pointer: String,
    /// `unknown-column`, `duplicate-column`, `header-mismatch`, `unknown-field`, `duplicate-field`, `unmatched-key`, `half-a-replacement`,
    /// `unusable-years`, `unclear-fix`, `unknown-row`, `too-long` or `too-many-fixes`.
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

impl MatchingFault {
    fn new(pointer: String, code: &'static str, detail: String) -> Self {
        Self { pointer, code, detail }
    }
}

impl Matching {
    /// Holds the matching against the file and the schema. That a column is undecided is no fault.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validate(&self, profile: &Profile, schema: &Schema) -> Result<(), Vec<MatchingFault>> {
        let mut faults = Vec::new();
        let mut letters = HashSet::new();
        let mut fields: HashMap<&FieldName, &str> = HashMap::new();
        for (index, decision) in self.columns.iter().enumerate() {
            let pointer = format!("/columns/{index}");
            faults.extend(column_fault(&pointer, decision, profile));
            if !letters.insert(decision.column.as_str()) {
                let detail = format!("column {} is decided twice", decision.column);
                faults.push(MatchingFault::new(format!("{pointer}/column"), "duplicate-column", detail));
            }
            if let Some(Decision::Field(name)) = &decision.field {
                let before = fields.insert(name, &decision.header);
                faults.extend(field_fault(&pointer, name, schema, before.zip(Some(&decision.header))));
            }
        }
        faults.extend(self.key_faults(profile, schema));
        faults.extend(self.fix_faults(profile));
        if self.only.is_some() && self.absent == Absent::Delete {
            let detail = "a file that replaces a list both adds to it and changes it".to_owned();
            faults.push(MatchingFault::new("/only".to_owned(), "half-a-replacement", detail));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// A key that somebody named must be matched at once; the schema's own while a column may still become it need not be.
    fn key_faults(&self, profile: &Profile, schema: &Schema) -> Vec<MatchingFault> {
        let mut faults = Vec::new();
        let Some(key) = &self.key else {
            let unmatched = schema.key.iter().filter(|name| self.to(name).is_none());
            let unmatched: Vec<&str> = unmatched.map(FieldName::as_str).collect();
            if !unmatched.is_empty() && self.undecided(profile, schema).is_empty() {
                let detail = format!("no column goes to `{}`, which tells records apart", unmatched.join("`, `"));
                faults.push(MatchingFault::new("/columns".to_owned(), "unmatched-key", detail));
            }
            return faults;
        };
        if key.is_empty() {
            let detail = "a key has at least one field".to_owned();
            faults.push(MatchingFault::new("/key".to_owned(), "unmatched-key", detail));
        }
        for (index, name) in key.iter().enumerate() {
            let pointer = format!("/key/{index}");
            match schema.field(name) {
                None => faults.push(MatchingFault::new(pointer, "unknown-field", "the schema has no such field".to_owned())),
                Some(field) if self.to(&field.name).is_none() => {
                    let detail = format!("no column goes to `{}`", field.name);
                    faults.push(MatchingFault::new(pointer, "unmatched-key", detail));
                }
                Some(_) => {}
            }
        }
        faults
    }
}

fn column_fault(pointer: &str, decision: &ColumnDecision, profile: &Profile) -> Option<MatchingFault> {
    match profile.column(&decision.column) {
        None => {
            let detail = "the file has no such column".to_owned();
            Some(MatchingFault::new(format!("{pointer}/column"), "unknown-column", detail))
        }
        Some(column) if column.header != decision.header => {
            let detail = format!("column {} of the file has another heading", column.letter);
            Some(MatchingFault::new(format!("{pointer}/header"), "header-mismatch", detail))
        }
        Some(_) if decision.years.is_some_and(|years| !(1900..=2199).contains(&years)) => {
            let detail = "the last year that two digits mean lies between 1900 and 2199".to_owned();
            Some(MatchingFault::new(format!("{pointer}/years"), "unusable-years", detail))
        }
        Some(_) => None,
    }
}

/// `both` are the headings of the last column that went to the field, if one did, and of this one.
fn field_fault(pointer: &str, name: &FieldName, schema: &Schema, both: Option<(&str, &str)>) -> Option<MatchingFault> {
    let pointer = format!("{pointer}/field");
    let Some(field) = schema.field(name.as_str()) else {
        return Some(MatchingFault::new(pointer, "unknown-field", format!("the schema has no field `{name}`")));
    };
    both.filter(|(one, other)| !may_share(schema, field, one, other))
        .map(|_| MatchingFault::new(pointer, "duplicate-field", format!("two columns go to `{name}`")))
}
