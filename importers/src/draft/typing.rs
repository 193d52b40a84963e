//! One row of cells as one change, or as everything that is wrong with it.

use std::borrow::Cow;

use hayward_domain::schema::{FieldName, Violation};
use serde_json::Value;

use super::Draft;
use super::plan::{Planned, Use};
use super::ready::{DraftRow, Ready};
use crate::problem::Problem;
use crate::profile::letter;
use crate::read::{Counts, clean};
use crate::table::{Cell, Shape};

/// What the cells of one row have become so far.
struct Typed {
    ready: Ready,
    problems: Vec<Problem>,
}

impl Draft {
    /// Judges the row that has just been read.
    pub(super) fn judge(&mut self) -> DraftRow {
        let row = self.row.number;
        let mut typed = Typed { ready: Ready::new(row), problems: Vec::new() };
        self.take_cells(&mut typed);
        self.refuse_extra_cells(&mut typed);
        self.require(&mut typed);
        self.check(&mut typed);
        let Typed { mut ready, mut problems } = typed;
        if problems.is_empty() {
            ready.key = self.key_text(&ready);
            match self.seen.add(&ready) {
                None => return DraftRow::Ready(ready),
                Some(earlier) if earlier.same => return DraftRow::Duplicate { row, first: earlier.row },
                Some(earlier) => {
                    let message = format!("row {} has the same key and says something else", earlier.row);
                    problems.push(self.about_key(Problem::of_row(row, "primary-key", message)));
                }
            }
        }
        let named = self.key.iter().all(|name| ready.record.fields.contains_key(name));
        let key = named.then(|| self.key_text(&ready));
        DraftRow::Rejected { row, problems, key }
    }

    fn take_cells(&mut self, typed: &mut Typed) {
        let row = self.row.number;
        for (index, column) in self.plan.columns.iter().enumerate() {
            let raw = self.row.cell(index);
            if matches!(column.usage, Use::LeaveOut) {
                continue;
            }
            let text = match raw.shape {
                Shape::Text => clean(raw.text, self.is_csv, &mut self.counts),
                Shape::Number | Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => Cow::Borrowed(raw.text),
            };
            let (shape, text) = match column.instead(row, &text) {
                Some(to) => (Shape::Text, Cow::Borrowed(to)),
                None => (raw.shape, text),
            };
            if text.is_empty() && shape == Shape::Text {
                if column.clears {
                    typed.clear(&column.usage);
                }
                continue;
            }
            if let Some((code, message)) = broken(&text, self.damaged) {
                typed.problems.push(at(Problem::of_row(row, code, message), column, &text));
                continue;
            }
            match &column.usage {
                Use::Field(name, reader) => match reader.read(Cell { shape, text: &text }, &mut self.counts) {
                    Ok(value) => typed.set(name, value),
                    Err(wrong) => {
                        let problem = Problem::of_row(row, wrong.code, wrong.message).meaning(wrong.suggestion);
                        typed.problems.push(at(problem, column, &text));
                    }
                },
                Use::Private(name) if shape != Shape::Nested => {
                    typed.ready.record.private.insert(name.clone(), text.into_owned());
                }
                Use::Private(_) | Use::LeaveOut => {}
            }
        }
    }

    /// A value to the right of the last heading would be lost without a word.
    fn refuse_extra_cells(&self, typed: &mut Typed) {
        for index in self.plan.columns.len()..self.row.len() {
            let cell = self.row.cell(index);
            if !cell.is_blank() {
                let problem =
                    Problem::of_row(self.row.number, "extra-cell", "stands to the right of the last column with a heading");
                typed.problems.push(problem.at(&letter(index), None, Some(cell.text)));
            }
        }
    }

    /// A key must be there. Other required fields may be in the record already.
    fn require(&self, typed: &mut Typed) {
        let row = self.row.number;
        for name in &self.key {
            if !typed.has(name) && !typed.is_wrong(self.plan.to(name)) {
                let message = format!("`{name}` is missing, and tells records apart");
                typed.problems.push(self.about(name, Problem::of_row(row, "missing-cell", message)));
            }
        }
        for field in self.schema.fields.iter().filter(|field| field.required && !self.key.contains(&field.name)) {
            if !typed.has(&field.name) && !typed.is_wrong(self.plan.to(&field.name)) {
                let message = format!("`{}` is missing, and every record needs it", field.name);
                let problem = self.about(&field.name, Problem::of_row(row, "missing-cell", message));
                typed.ready.missing.insert(field.name.clone(), problem);
            }
        }
    }

    fn check(&self, typed: &mut Typed) {
        let present = &typed.ready.record.fields;
        for violation in self.schema.check(present) {
            let Violation { field, code, message, suggestion } = violation;
            // What is not in the row is judged by `require`, and by whoever knows the record.
            if code == "missing-cell" && field.as_ref().is_none_or(|name| !present.contains_key(name)) {
                continue;
            }
            let problem = Problem::of_row(self.row.number, code, message).meaning(suggestion);
            typed.problems.push(match &field {
                Some(name) => self.about(name, problem),
                None => problem,
            });
        }
    }

    fn key_text(&self, ready: &Ready) -> String {
        let values = self.key.iter().filter_map(|name| ready.record.fields.get(name).cloned());
        Value::Array(values.collect()).to_string()
    }

    fn about_key(&self, problem: Problem) -> Problem {
        match self.key.first() {
            Some(name) => self.about(name, problem),
            None => problem,
        }
    }

    /// The same problem, with the cell that `field` comes from.
    fn about(&self, field: &FieldName, problem: Problem) -> Problem {
        match self.plan.to(field) {
            Some((index, column)) => {
                let text = clean(self.row.cell(index).text, self.is_csv, &mut Counts::default());
                at(problem, column, column.instead(self.row.number, &text).unwrap_or(&text))
            }
            None => problem,
        }
    }
}

impl Typed {
    fn has(&self, name: &FieldName) -> bool {
        self.ready.record.fields.contains_key(name)
    }

    fn set(&mut self, name: &FieldName, value: Value) {
        self.ready.record.fields.insert(name.clone(), value);
    }

    fn clear(&mut self, usage: &Use) {
        let Ready { record, clears, clears_private, .. } = &mut self.ready;
        match usage {
            Use::Field(name, _) => {
                record.fields.remove(name);
                clears.push(name.clone());
            }
            // Two columns may have come to one name: what the later one says holds.
            Use::Private(name) => {
                record.private.remove(name);
                clears_private.push(name.clone());
            }
            Use::LeaveOut => {}
        }
    }

    /// Whether the cell of this column has a problem of its own, so that "missing" would be a second name for it.
    fn is_wrong(&self, column: Option<(usize, &Planned)>) -> bool {
        column.is_some_and(|(_, column)| {
            self.problems.iter().any(|problem| problem.column.as_deref() == Some(column.letter.as_str()))
        })
    }
}

/// What no cell may hold, whatever it is for.
fn broken(text: &str, damaged: bool) -> Option<(&'static str, &'static str)> {
    if text.contains('\0') {
        return Some(("constraint-error", "has a character U+0000, which no text may have"));
    }
    (damaged && text.contains('\u{fffd}'))
        .then_some(("encoding-error", "has bytes that are not text in the encoding of the file"))
}

fn at(problem: Problem, column: &Planned, text: &str) -> Problem {
    problem.at(&column.letter, Some(&column.header), Some(text))
}
