//! How many of the rows that a request selects have which value of a field.
//!
//! It counts rows that the viewer can list, under the budget that a filter has, and groups by what is shown of them.

use std::cmp::Reverse;

use hayward_domain::schema::FieldName;
use serde_json::Value;

use super::{BUDGET, Selection, Shares, View, too_broad};
use crate::dialect::{self, Document};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};

/// The most values that one field is counted by.
const MOST: usize = 1_000;

/// A value of a field, and how many rows have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// The value; null where the cell is empty.
    pub value: Value,
    /// The rows.
    pub count: i64,
}

rows! {
    FacetRow { kind: String, text: Option<String>, number: Option<f64>, truth: Option<i64>, count: i64 }
}

impl View<'_> {
    /// The values of `field` in the rows of `shares` that are selected, the most frequent first. A row whose share hides the field has
    /// none, and is not counted.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `too-broad` beyond [`BUDGET`] rows, or for a field with more than a thousand values.
    pub fn facets(&mut self, shares: &Shares, selection: &Selection, field: &FieldName) -> Result<Vec<Facet>> {
        if shares.live() > BUDGET {
            return Err(too_broad());
        }
        let Some(shown) = self.selected(shares, selection)? else { return Ok(Vec::new()) };
        let cell = dialect::field(self.conn.kind(), Document::Payload, field);
        let mut sql = Sql::new(&format!(
            "select c.kind, c.text, c.number, c.truth, count(*) as count from (select {} as kind, {} as text, {} as number, {} as truth
            from (",
            cell.kind, cell.text, cell.number, cell.boolean
        ))
        .varying();
        sql.append(shown);
        sql.push(") as r) as c where c.kind in ('text', 'number', 'boolean', 'null') group by c.kind, c.text, c.number, c.truth");
        sql.push_with(" limit ?", [i64::try_from(MOST + 1).unwrap_or(i64::MAX).into()]);
        let mut found = self.conn.load::<FacetRow>(sql)?;
        if found.len() > MOST {
            return Err(StoreError::refused("too-broad", format!("`{field}` has more than {MOST} values; narrow the request")));
        }
        found.sort_by(|one, other| {
            let key = |row: &FacetRow| (Reverse(row.count), row.text.clone(), row.truth);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.number.unwrap_or(f64::NEG_INFINITY).total_cmp(&other.number.unwrap_or(f64::NEG_INFINITY)))
        });
        Ok(found.into_iter().map(Facet::from).collect())
    }
}

impl From<FacetRow> for Facet {
    fn from(row: FacetRow) -> Self {
        let value = match (row.kind.as_str(), row.text, row.number, row.truth) {
            ("text", Some(text), _, _) => Value::from(text),
            ("number", _, Some(number), _) => whole(number).map_or_else(|| Value::from(number), Value::from),
            ("boolean", _, _, Some(truth)) => Value::from(truth == 1),
            _ => Value::Null,
        };
        Self { value, count: row.count }
    }
}

/// The number as a whole one, as far as a double says exactly which.
fn whole(number: f64) -> Option<i64> {
    if number.fract() != 0.0 || number.abs() > 9_007_199_254_740_992.0 {
        return None;
    }
    format!("{number:.0}").parse().ok()
}
