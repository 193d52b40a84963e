//! A spreadsheet in the language of its co-op.

use hayward_domain::schema::Schema;
use serde_json::Value;

use crate::demo::DemoError;
use crate::demo::places::Language;

/// Rows under headings.
#[derive(Clone)]
pub(super) struct Sheet {
    pub(super) language: Language,
    /// The fields that the columns are of.
    pub(super) fields: &'static [&'static str],
    /// Which column a later file changes, and to what.
    pub(super) later: (&'static str, &'static str),
    pub(super) rows: Vec<Vec<String>>,
    /// The heading of one more column, which is no field.
    pub(super) extra: Option<&'static str>,
}

impl Sheet {
    /// Its first `count` rows.
    pub(super) fn first(&self, count: usize) -> Self {
        Self { rows: self.rows.iter().take(count).cloned().collect(), ..self.clone() }
    }

    /// Itself as it looks later, every `nth` row changed.
    pub(super) fn changed(&self, nth: usize) -> Self {
        let (field, value) = self.later;
        let column = self.fields.iter().position(|name| *name == field);
        let mut changed = self.clone();
        for row in changed.rows.iter_mut().step_by(nth) {
            if let Some(cell) = column.and_then(|column| row.get_mut(column)) {
                value.clone_into(cell);
            }
        }
        changed
    }

    /// Itself with something else, of the same kind, in every cell that no agreement shows.
    pub(super) fn redrawn(&self) -> Self {
        let mut other = self.clone();
        for cell in other.rows.iter_mut().flatten().filter(|cell| cell.contains(CANARY)) {
            *cell = cell.chars().map(|letter| if letter.is_ascii_digit() { turned(letter) } else { letter }).collect();
        }
        other
    }

    /// Itself with a column that no schema knows.
    pub(super) fn with_column(&self, heading: &'static str) -> Self {
        let mut wider = Self { extra: Some(heading), ..self.clone() };
        for (at, row) in wider.rows.iter_mut().enumerate() {
            row.push(canary("private", at));
        }
        wider
    }

    /// The file. Headings are the words that the schema knows for its fields in this language.
    pub(super) fn csv(&self, schema: &Schema) -> Result<Vec<u8>, DemoError> {
        let mut writer = csv::WriterBuilder::new().delimiter(self.language.delimiter()).from_writer(Vec::new());
        let headings = self.fields.iter().map(|field| heading(schema, field, self.language)).chain(self.extra);
        writer.write_record(headings)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        writer.into_inner().map_err(|error| DemoError::File(error.into_error().into()))
    }
}

/// What spreadsheets in this language call a field; its name where the schema knows none.
fn heading<'a>(schema: &'a Schema, field: &'a str, language: Language) -> &'a str {
    let annotations = schema.document.get("properties").and_then(|all| all.get(field)?.get("x-hayward"));
    let word = annotations.and_then(|annotations| match language {
        Language::English | Language::Spanish => annotations.get("label")?.get(language.code()),
        Language::French | Language::German | Language::Portuguese => annotations.get("synonyms")?.get(language.code())?.get(0),
    });
    word.and_then(Value::as_str).unwrap_or(field)
}

/// What every value begins with that nobody else may ever see.
const CANARY: &str = "ZQX-";

/// A value that nobody else may ever see.
pub(super) fn canary(field: &str, at: usize) -> String {
    format!("{CANARY}{field}-{}", at + 1)
}

/// Another digit.
fn turned(digit: char) -> char {
    digit.to_digit(10).and_then(|digit| char::from_digit(9 - digit, 10)).unwrap_or(digit)
}
