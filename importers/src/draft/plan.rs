//! What happens to each column, settled before the first row is read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use hayward_domain::schema::{FieldName, Glance, Schema};

use crate::matching::{Blank, ColumnFixes, DateOrder, DecimalMark, Decision, Matching};
use crate::profile::{ColumnProfile, Profile};
use crate::read::{Calendar, Counts, Reader, clean};
use crate::table::{Cell, Shape};

/// What happens to the cells of one column.
#[derive(Clone, Debug)]
pub(crate) enum Use {
    /// They become values of a field.
    Field(FieldName, Reader),
    /// They are kept as they are, under this name.
    Private(String),
    /// Nothing.
    LeaveOut,
}

/// What a value is kept under. Two columns may have come to one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Field(FieldName),
    Private(String),
}

/// One column.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) letter: String,
    pub(crate) header: String,
    pub(crate) usage: Use,
    /// Whether a blank cell empties what was there.
    pub(super) clears: bool,
    /// What stands in place of some of its cells.
    pub(super) fixes: Option<Arc<ColumnFixes>>,
    /// The place of its target; nothing where it is left out.
    pub(super) slot: Option<usize>,
    /// The quick check of its field.
    pub(super) glance: Option<Glance>,
}

impl Planned {
    /// What somebody put in place of `text` in row `row`.
    pub(crate) fn instead(&self, row: u64, text: &str) -> Option<&str> {
        self.fixes.as_ref()?.instead(row, text)
    }

    /// What somebody put in place of a cell of row `row`.
    pub(crate) fn in_place_of(&self, cell: Cell<'_>, row: u64, is_csv: bool) -> Option<&str> {
        let fixes = self.fixes.as_ref()?;
        match cell.shape {
            Shape::Text => fixes.instead(row, &clean(cell.text, is_csv, false, &mut Counts::default())),
            Shape::Number | Shape::Boolean | Shape::Error | Shape::List => fixes.instead(row, cell.text),
            // Its text is not what the file has there.
            Shape::Nested => None,
        }
    }
}

/// All columns, in their order.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<Planned>,
    /// What they go to: fields by name, then private ones by name.
    pub(super) targets: Vec<Target>,
}

impl Plan {
    pub(crate) fn new(profile: &Profile, schema: &Schema, matching: &Matching) -> Self {
        let decided = matching.columns(profile, schema);
        let mut again: HashMap<&str, u32> = HashMap::new();
        let mut names: HashSet<String> = profile.columns.iter().map(|column| column.header.clone()).collect();
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
                    let calendar = Calendar { order, years: decided.years, serials: decided.serials };
                    Use::Field(field.name.clone(), Reader::new(schema, field, calendar, mark))
                }
                (Some(Decision::Field(_) | Decision::Private) | None, _) => {
                    let name = private_name(column, *count, &names);
                    names.insert(name.clone());
                    Use::Private(name)
                }
            };
            let clears = decided.blank.unwrap_or(matching.blank) == Blank::Clear;
            let fixes = ColumnFixes::of(column, matching).map(Arc::new);
            let glance = field.and_then(|field| schema.glance(&field.name));
            let (letter, header) = (column.letter.clone(), column.header.clone());
            columns.push(Planned { letter, header, usage, clears, fixes, slot: None, glance });
        }
        let targets: BTreeSet<Target> = columns.iter().filter_map(|column| column.usage.target()).collect();
        let mut plan = Self { columns, targets: targets.into_iter().collect() };
        for column in &mut plan.columns {
            column.slot = column.usage.target().and_then(|target| plan.targets.binary_search(&target).ok());
        }
        plan
    }

    /// The place of what is kept under `field`; nothing where no column goes there.
    pub(super) fn slot(&self, field: &FieldName) -> Option<usize> {
        self.to(field).and_then(|(_, column)| column.slot)
    }

    /// Whether the first column holds what an older list was marked with, and is left out.
    pub(crate) fn has_marks(&self, profile: &Profile) -> bool {
        profile.marked && self.columns.first().is_some_and(|column| matches!(column.usage, Use::LeaveOut))
    }

    /// The column that goes to `field`, and its place in a row.
    pub(super) fn to(&self, field: &FieldName) -> Option<(usize, &Planned)> {
        self.columns.iter().enumerate().find(|(_, column)| matches!(&column.usage, Use::Field(name, _) if name == field))
    }
}

impl Use {
    fn target(&self) -> Option<Target> {
        match self {
            Self::Field(name, _) => Some(Target::Field(name.clone())),
            Self::Private(name) => Some(Target::Private(name.clone())),
            Self::LeaveOut => None,
        }
    }
}

/// By heading, so that a column inserted next month changes nothing; by letter only where there is no heading. A name of its own, which
/// no other column has.
fn private_name(column: &ColumnProfile, count: u32, taken: &HashSet<String>) -> String {
    let (name, first) = match (column.header.as_str(), count) {
        ("", _) => (format!("column {}", column.letter), 1),
        (header, 1) => return header.to_owned(),
        (header, again) => (header.to_owned(), again),
    };
    let numbered = |count: u32| if count == 1 { name.clone() } else { format!("{name} ({count})") };
    (first..).map(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}
