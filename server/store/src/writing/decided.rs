//! What is known of a file before its rows are compared: what the first reading of it told, and where its columns go.

use std::sync::Arc;

use hayward_domain::schema::Schema;
use hayward_importers::{Column, Matching, Profile};

use crate::imports::Findings;

/// A file whose columns were decided about, all of them or some.
pub(super) struct Decided {
    pub(super) profiled: Profile,
    pub(super) schema: Arc<Schema>,
    pub(super) matching: Matching,
    /// The columns, with the reasons for what was decided.
    columns: Vec<Column>,
}

impl Decided {
    /// As the program suggests; what that leaves open for the file as a whole, `matching` says.
    pub(super) fn suggested(profiled: Profile, schema: Arc<Schema>, columns: Vec<Column>, matching: Matching) -> Self {
        Self { matching, profiled, schema, columns }
    }

    /// As a person says.
    pub(super) fn said(profiled: Profile, schema: Arc<Schema>, matching: Matching) -> Self {
        Self { columns: matching.columns(&profiled, &schema), profiled, schema, matching }
    }

    /// Whether nothing is left to decide.
    pub(super) fn is_complete(&self) -> bool {
        self.matching.undecided(&self.profiled, &self.schema).is_empty()
    }

    /// The matching, as it is kept.
    pub(super) fn matching_text(&self) -> Option<String> {
        serde_json::to_value(&self.matching).ok().map(|value| value.to_string())
    }

    /// What is kept of it, for counts that are made against `edition`.
    pub(super) fn findings(&self, edition: i64) -> Findings {
        Findings {
            reading: serde_json::to_value(&self.profiled.reading).ok(),
            profile: serde_json::to_value(&self.profiled).ok(),
            columns: serde_json::to_value(&self.columns).ok(),
            matching: serde_json::to_value(&self.matching).ok(),
            edition,
            ..Findings::default()
        }
    }
}
