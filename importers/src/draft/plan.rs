//! What happens to each column, settled before the first row is read.

use std::collections::HashMap;

use hayward_domain::schema::{FieldName, Schema};

use crate::matching::{Blank, ColumnFixes, DateOrder, DecimalMark, Decision, Matching};
use crate::profile::Profile;
use crate::read::Reader;

/// What happens to the cells of one column.
#[derive(Clone, Debug)]
pub(super) enum Use {
    /// They become values of a field.
    Field(FieldName, Reader),
    /// They are kept as they are, under this name.
    Private(String),
    /// Nothing.
    LeaveOut,
}

/// One column.
pub(super) struct Planned {
    pub(super) letter: String,
    pub(super) header: String,
    pub(super) usage: Use,
    /// Whether a blank cell empties what was there.
    pub(super) clears: bool,
    /// What stands in place of some of its cells.
    pub(super) fixes: Option<ColumnFixes>,
}

impl Planned {
    /// What somebody put in place of `text` in row `row`.
    pub(super) fn instead(&self, row: u64, text: &str) -> Option<&str> {
        self.fixes.as_ref()?.instead(row, text)
    }
}

/// All columns, in their order.
pub(super) struct Plan {
    pub(super) columns: Vec<Planned>,
}

impl Plan {
    pub(super) fn new(profile: &Profile, schema: &Schema, matching: &Matching) -> Self {
        let decided = matching.columns(profile, schema);
        let mut again: HashMap<&str, u32> = HashMap::new();
        let mut columns = Vec::with_capacity(profile.columns.len());
        for (column, decided) in profile.columns.iter().zip(decided) {
            let field = match &decided.field {
                Some(Decision::Field(name)) => schema.field(name.as_str()),
                Some(Decision::Private | Decision::LeaveOut) | None => None,
            };
            let count = again.entry(column.header.as_str()).or_default();
            *count += 1;
            let usage = match (decided.field, field) {
                (Some(Decision::LeaveOut), _) => Use::LeaveOut,
                (Some(Decision::Field(_)), Some(field)) => {
                    let order = decided.dates.or(column.tally.date_order()).unwrap_or(DateOrder::Dmy);
                    let mark = decided.numbers.or(column.tally.decimal_mark()).unwrap_or(DecimalMark::Point);
                    Use::Field(field.name.clone(), Reader::new(field, order, mark))
                }
                (Some(Decision::Field(_) | Decision::Private) | None, _) => Use::Private(private_name(column, *count)),
            };
            let clears = decided.blank.unwrap_or(matching.blank) == Blank::Clear;
            let fixes = ColumnFixes::of(column, matching);
            columns.push(Planned { letter: column.letter.clone(), header: column.header.clone(), usage, clears, fixes });
        }
        Self { columns }
    }

    /// The column that goes to `field`, and its place in a row.
    pub(super) fn to(&self, field: &FieldName) -> Option<(usize, &Planned)> {
        self.columns.iter().enumerate().find(|(_, column)| matches!(&column.usage, Use::Field(name, _) if name == field))
    }
}

/// By heading, so that a column inserted next month changes nothing; by letter only where there is no heading.
fn private_name(column: &crate::profile::ColumnProfile, count: u32) -> String {
    match (column.header.as_str(), count) {
        ("", _) => format!("column {}", column.letter),
        (header, 1) => header.to_owned(),
        (header, again) => format!("{header} ({again})"),
    }
}
