//! `facets=country,category`: how many of the selected rows have which value.

use hayward_domain::schema::FieldName;
use hayward_store::{Facet, Names, Selection, Shares, View};
use serde_json::json;

use crate::error::Error;

/// The most fields that one request counts by.
const MOST: usize = 10;

/// The fields that are named. A field that is not open, and one whose values cannot be compared, is answered like a typo.
///
/// # Errors
/// `unknown-field`, `invalid-parameter`.
pub fn fields(text: Option<&str>, names: &Names) -> Result<Vec<FieldName>, Error> {
    let mut fields = Vec::new();
    for name in text.into_iter().flat_map(|text| text.split(',')) {
        let Some((field, _)) = names.scalar(name) else {
            return Err(Error::parameter("unknown-field", "facets", format!("`{name}` is not a field that is open to you")));
        };
        if fields.contains(&field) || fields.len() == MOST {
            return Err(Error::parameter("invalid-parameter", "facets", format!("up to {MOST} fields, each once")));
        }
        fields.push(field);
    }
    Ok(fields)
}

/// The values of each, with their numbers.
///
/// # Errors
/// `too-broad`.
pub fn read(
    view: &mut View<'_>,
    shares: &Shares,
    selection: &Selection,
    fields: &[FieldName],
) -> Result<Vec<(String, Vec<Facet>)>, Error> {
    fields.iter().map(|field| Ok((field.to_string(), view.facets(shares, selection, field)?))).collect()
}

/// As they are sent.
#[must_use]
pub fn text(facets: &[(String, Vec<Facet>)]) -> String {
    let value = |facet: &Facet| json!({"value": facet.value, "count": facet.count});
    let all: serde_json::Map<String, serde_json::Value> =
        facets.iter().map(|(name, values)| (name.clone(), values.iter().map(value).collect())).collect();
    serde_json::Value::Object(all).to_string()
}
