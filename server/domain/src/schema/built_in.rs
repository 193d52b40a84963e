//! The schemas that every commons starts with. A commons registers others beside them, through the same [`Schema::parse`].

use super::{Schema, SchemaError};

/// The documents of `schemas/`, as they are published.
pub const BUILT_IN: [&str; 4] = [
    include_str!("../../../../schemas/organization.json"),
    include_str!("../../../../schemas/membership.json"),
    include_str!("../../../../schemas/opportunity.json"),
    include_str!("../../../../schemas/measurement.json"),
];

/// The schemas of [`BUILT_IN`], in its order.
///
/// # Errors
/// Only if a document was broken after the tests last ran.
pub fn built_in() -> Result<Vec<Schema>, SchemaError> {
    let read = |text: &&str| {
        let document = serde_json::from_str(text);
        let document =
            document.map_err(|error| SchemaError { pointer: String::new(), detail: format!("is not JSON: {error}") })?;
        Schema::parse(&document)
    };
    BUILT_IN.iter().map(read).collect()
}
