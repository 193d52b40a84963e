//! A file, imported with what the headings decide.

use std::io::Read;

use hayward_domain::schema::{Schema, built_in};
use hayward_importers::{
    Column, ColumnDecision, Decision, DraftRow, HeldSource, Matching, Problem, Profile, Ready, Refusal, Sound, Source, draft,
    judged, profile, suggest,
};
use serde_json::Value;

/// One of the schemas that every commons starts with.
pub fn schema(name: &str) -> Schema {
    built_in().unwrap().into_iter().find(|schema| schema.name == name).unwrap()
}

/// A file as it came in.
pub struct Imported {
    pub source: HeldSource,
    pub profile: Profile,
    pub columns: Vec<Column>,
    pub matching: Matching,
    pub rows: Vec<DraftRow>,
    pub schema: Schema,
}

/// Imports `text` as organizations.
pub fn organizations(text: impl AsRef<[u8]>) -> Imported {
    import("list.csv", text, &schema("organization"))
}

/// Imports `text` as opportunities.
pub fn opportunities(text: impl AsRef<[u8]>) -> Imported {
    import("list.csv", text, &schema("opportunity"))
}

/// Imports a file; it must be one.
pub fn import(name: &str, text: impl AsRef<[u8]>, schema: &Schema) -> Imported {
    try_import(name, text, schema).unwrap()
}

/// Imports a file.
pub fn try_import(name: &str, text: impl AsRef<[u8]>, schema: &Schema) -> Result<Imported, Refusal> {
    let source = HeldSource::new(name, text.as_ref());
    let profile = profile(&source)?;
    let columns = suggest(&profile, schema, None);
    let matching = Matching::from_columns(&columns);
    let rows = draft(&source, &profile, schema, &matching)?.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(rows.len() as u64, profile.rows, "every row is accounted for");
    let sound = judged(&source, &profile, schema, &matching)?.collect::<Result<Vec<_>, _>>()?;
    assert!(rows.iter().map(without_record).eq(sound), "a row is judged the same, whether its record is wanted or not");
    Ok(Imported { source, profile, columns, matching, rows, schema: schema.clone() })
}

/// The same row as somebody is told it who wants no record.
fn without_record(row: &DraftRow) -> DraftRow<Sound> {
    match row.clone() {
        DraftRow::Ready(Ready { row, key, missing, warnings, .. }) => {
            DraftRow::Ready(Sound { row, key, missing: missing.into_values().collect(), warnings })
        }
        DraftRow::Rejected { row, problems, key } => DraftRow::Rejected { row, problems, key },
        DraftRow::Duplicate { row, first } => DraftRow::Duplicate { row, first },
        DraftRow::Blank { row } => DraftRow::Blank { row },
    }
}

/// Why a file is refused.
pub fn refusal(name: &str, text: impl AsRef<[u8]>) -> Refusal {
    try_import(name, text, &schema("organization")).err().unwrap()
}

impl Imported {
    /// The same file after somebody changed the matching.
    pub fn decided(mut self, change: impl FnOnce(&mut Matching)) -> Self {
        change(&mut self.matching);
        self.matching.validate(&self.profile, &self.schema).unwrap();
        let draft = draft(&self.source, &self.profile, &self.schema, &self.matching).unwrap();
        self.rows = draft.collect::<Result<_, _>>().unwrap();
        self
    }

    pub fn ready(&self) -> Vec<&Ready> {
        self.rows.iter().filter_map(|row| if let DraftRow::Ready(ready) = row { Some(ready) } else { None }).collect()
    }

    pub fn problems(&self) -> Vec<&Problem> {
        let rejected =
            self.rows.iter().map(|row| if let DraftRow::Rejected { problems, .. } = row { problems.as_slice() } else { &[] });
        rejected.flatten().collect()
    }

    /// Row number and code of every problem, for comparing.
    pub fn codes(&self) -> Vec<(u64, &str)> {
        self.problems().into_iter().map(|problem| (problem.row, &*problem.code)).collect()
    }

    /// What the field holds in every row that can go in.
    pub fn values(&self, field: &str) -> Vec<Value> {
        let value =
            |ready: &&Ready| ready.record.fields.iter().find(|(name, _)| name.as_str() == field).map(|(_, value)| value.clone());
        self.ready().iter().map(|ready| value(ready).unwrap_or(Value::Null)).collect()
    }

    pub fn column(&self, header: &str) -> &Column {
        self.columns.iter().find(|column| column.header == header).unwrap()
    }
}

/// The decision about the column with this heading.
pub fn decide<'m>(matching: &'m mut Matching, header: &str) -> &'m mut ColumnDecision {
    matching.columns.iter_mut().find(|column| column.header == header).unwrap()
}

/// The name of the field that a column goes to.
pub fn field_of(column: &Column) -> Option<&str> {
    match &column.field {
        Some(Decision::Field(name)) => Some(name.as_str()),
        Some(Decision::Private | Decision::LeaveOut) | None => None,
    }
}

/// A file that is made while it is read, so that a test does not hold what the program must not hold.
pub struct Endless {
    pub start: &'static [u8],
    pub repeated: &'static [u8],
    pub times: u64,
}

impl Source for Endless {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        let length = self.repeated.len() as u64 * self.times;
        let bytes = self.repeated.repeat((64 << 10) / self.repeated.len() + 1);
        Ok(Box::new(self.start.chain(Repeat { bytes, period: self.repeated.len(), at: 0 }.take(length))))
    }

    fn name(&self) -> &str {
        "endless"
    }
}

/// Some bytes again and again, `bytes` being several times what is repeated.
struct Repeat {
    bytes: Vec<u8>,
    period: usize,
    at: usize,
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.bytes.len() - self.at);
        buffer[..length].copy_from_slice(&self.bytes[self.at..self.at + length]);
        self.at = (self.at + length) % self.period;
        Ok(length)
    }
}
