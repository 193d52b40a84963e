//! One row of cells as one change, or as everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hayward_domain::schema::{FieldName, Glance, Schema, Violation};
use serde_json::Value;

use super::plan::{Plan, Planned, Target, Use};
use super::ready::DraftRow;
use super::seen::{Hashes, Print};
use crate::problem::Problem;
use crate::profile::letter;
use crate::read::{Counts, Held, clean};
use crate::table::{Block, Cell, Line, Row, Shape};

/// How rows are judged. Nothing of one row is left when the next one comes, so that several may judge at a time.
#[derive(Clone)]
pub(super) struct Judge {
    pub(super) schema: Schema,
    pub(super) plan: Plan,
    /// How many of the first columns say nothing about the rows: marks are no value.
    pub(super) marks: usize,
    /// The fields that tell records apart, and their places.
    pub(super) key: Vec<(FieldName, Option<usize>)>,
    /// Other fields that every record has, and their places.
    pub(super) required: Vec<(FieldName, Option<usize>)>,
    pub(super) damaged: bool,
    pub(super) is_csv: bool,
    pub(super) hashes: Hashes,
}

/// What has become of one target of the plan.
#[derive(Clone)]
pub(super) enum Slot<'r> {
    /// No cell has said anything.
    Untouched,
    /// It is to be empty.
    Cleared,
    Holds(Held<'r>),
}

/// What the cells of one row have become so far.
pub(super) struct Typed<'r> {
    row: &'r Row,
    /// In the order of the plan's targets.
    pub(super) slots: Vec<Slot<'r>>,
    pub(super) missing: Vec<(FieldName, Problem)>,
    problems: Vec<Problem>,
    /// Whether the quick check has accepted every value.
    certain: bool,
}

/// What is made of a row in which nothing is wrong: of its number, its key, what it says, and where that goes.
pub(super) type Make<R> = fn(u64, String, Typed<'_>, &[Target]) -> R;

/// What one row comes to by itself.
pub(super) enum Verdict<R> {
    /// It can go in, unless an earlier row has its key.
    Good { row: u64, print: Print, made: R },
    /// Everything else.
    Settled(DraftRow<R>),
}

impl Judge {
    /// Judges every row of `block`.
    pub(super) fn judge_all<R>(&self, block: &Block, make: Make<R>, counts: &mut Counts) -> Vec<Verdict<R>> {
        let mut content = Vec::new();
        let verdicts = block.rows().map(|(line, row)| match line {
            Line::Broken(why) => {
                let problems = vec![Problem::of_row(row.number, "json-error", why)];
                Verdict::Settled(DraftRow::Rejected { row: row.number, problems, key: None })
            }
            Line::Cells if self.is_blank(row) => Verdict::Settled(DraftRow::Blank { row: row.number }),
            Line::Cells => self.judge(row, make, counts, &mut content),
        });
        verdicts.collect()
    }

    fn is_blank(&self, row: &Row) -> bool {
        if self.marks == 0 { row.is_blank() } else { row.cells().skip(self.marks).all(Cell::is_blank) }
    }

    /// Judges one row. What it says is written into `content` on the way.
    fn judge<R>(&self, row: &Row, make: Make<R>, counts: &mut Counts, content: &mut Vec<u8>) -> Verdict<R> {
        let (slots, missing) = (vec![Slot::Untouched; self.plan.targets.len()], Vec::new());
        let mut typed = Typed { row, slots, missing, problems: Vec::new(), certain: true };
        self.take_cells(&mut typed, counts);
        self.refuse_extra_cells(&mut typed);
        self.require(&mut typed);
        self.check(&mut typed);
        let row = row.number;
        if typed.problems.is_empty() {
            let key = self.key_text(&typed);
            typed.write(content);
            let print = self.hashes.print(&key, content);
            return Verdict::Good { row, print, made: make(row, key, typed, &self.plan.targets) };
        }
        let named = self.key.iter().all(|(_, slot)| typed.holds(*slot));
        let key = named.then(|| self.key_text(&typed));
        Verdict::Settled(DraftRow::Rejected { row, problems: typed.problems, key })
    }

    fn take_cells<'r>(&'r self, typed: &mut Typed<'r>, counts: &mut Counts) {
        let row = typed.row;
        // What is looked for in every cell can be ruled out for the whole row.
        let is_plain = !self.damaged && row.is_plain();
        for (index, column) in self.plan.columns.iter().enumerate() {
            let raw = row.cell(index);
            let Some(slot) = column.slot else { continue };
            let text = match raw.shape {
                Shape::Text => clean(raw.text, self.is_csv, is_plain, counts),
                Shape::Number | Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => Cow::Borrowed(raw.text),
            };
            let instead = column.instead(row.number, &text).filter(|_| raw.shape != Shape::Nested);
            // What somebody wrote is not of the row, and may be anything.
            let is_plain = is_plain && instead.is_none();
            let (shape, text) = match instead {
                Some(to) => (Shape::Text, Cow::Borrowed(to)),
                None => (raw.shape, text),
            };
            if text.is_empty() && shape == Shape::Text {
                if column.clears {
                    typed.clear(slot, &column.usage);
                }
                continue;
            }
            if !is_plain && let Some((code, message)) = broken(&text, self.damaged) {
                typed.problems.push(at(Problem::of_row(row.number, code, message), column, &text));
                continue;
            }
            match &column.usage {
                Use::Field(_, reader) => {
                    let read = match &text {
                        Cow::Borrowed(text) => reader.read(Cell { shape, text }, counts),
                        Cow::Owned(text) => reader.read(Cell { shape, text }, counts).map(Held::kept),
                    };
                    match read {
                        Ok(value) => {
                            typed.certain &= column.glance.as_ref().is_some_and(|glance| accepts(glance, &value));
                            typed.add(slot, value);
                        }
                        Err(wrong) => {
                            let problem = Problem::of_row(row.number, wrong.code, wrong.message).meaning(wrong.suggestion);
                            typed.problems.push(at(problem, column, &text));
                        }
                    }
                }
                Use::Private(_) if shape != Shape::Nested => typed.set(slot, Slot::Holds(Held::Text(text))),
                Use::Private(_) | Use::LeaveOut => {}
            }
        }
    }

    /// A value to the right of the last heading would be lost without a word.
    fn refuse_extra_cells(&self, typed: &mut Typed<'_>) {
        for index in self.plan.columns.len()..typed.row.len() {
            let cell = typed.row.cell(index);
            if !cell.is_blank() {
                let problem =
                    Problem::of_row(typed.row.number, "extra-cell", "stands to the right of the last column with a heading");
                typed.problems.push(problem.at(&letter(index), None, Some(cell.text)));
            }
        }
    }

    /// A key must be there. Other required fields may be in the record already.
    fn require(&self, typed: &mut Typed<'_>) {
        let row = typed.row;
        for (name, slot) in &self.key {
            if !typed.holds(*slot) && !typed.is_wrong(self.plan.to(name)) {
                let message = format!("`{name}` is missing, and tells records apart");
                typed.problems.push(self.about(name, row, Problem::of_row(row.number, "missing-cell", message)));
            }
        }
        for (name, slot) in &self.required {
            if !typed.holds(*slot) && !typed.is_wrong(self.plan.to(name)) {
                let message = format!("`{name}` is missing, and every record needs it");
                let problem = self.about(name, row, Problem::of_row(row.number, "missing-cell", message));
                typed.missing.push((name.clone(), problem));
            }
        }
    }

    fn check(&self, typed: &mut Typed<'_>) {
        if typed.certain {
            return;
        }
        let present = self.present(typed);
        for violation in self.schema.check(&present) {
            let Violation { field, code, message, suggestion } = violation;
            // What is not in the row is judged by `require`, and by whoever knows the record.
            if code == "missing-cell" && field.as_ref().is_none_or(|name| !present.contains_key(name)) {
                continue;
            }
            let problem = Problem::of_row(typed.row.number, code, message).meaning(suggestion);
            typed.problems.push(match &field {
                Some(name) => self.about(name, typed.row, problem),
                None => problem,
            });
        }
    }

    fn present(&self, typed: &Typed<'_>) -> BTreeMap<FieldName, Value> {
        let fields = self.plan.targets.iter().zip(&typed.slots).filter_map(|(target, slot)| match (target, slot) {
            (Target::Field(name), Slot::Holds(value)) => Some((name.clone(), value.clone().into_value())),
            (Target::Field(_), Slot::Untouched | Slot::Cleared) | (Target::Private(_), _) => None,
        });
        fields.collect()
    }

    fn key_text(&self, typed: &Typed<'_>) -> String {
        let values: Vec<&Held<'_>> = self.key.iter().filter_map(|(_, slot)| typed.value(*slot)).collect();
        // Values were read from text, or checked when they were: they can be written.
        serde_json::to_string(&values).unwrap_or_default()
    }

    /// The same problem, with the cell that the first field of the key comes from.
    pub(super) fn about_key(&self, row: &Row, problem: Problem) -> Problem {
        match self.key.first() {
            Some((name, _)) => self.about(name, row, problem),
            None => problem,
        }
    }

    /// The same problem, with the cell that `field` comes from.
    fn about(&self, field: &FieldName, row: &Row, problem: Problem) -> Problem {
        match self.plan.to(field) {
            Some((index, column)) => {
                let text = clean(row.cell(index).text, self.is_csv, false, &mut Counts::default());
                at(problem, column, column.instead(row.number, &text).unwrap_or(&text))
            }
            None => problem,
        }
    }
}

impl<'r> Typed<'r> {
    fn value(&self, slot: Option<usize>) -> Option<&Held<'r>> {
        match self.slots.get(slot?) {
            Some(Slot::Holds(value)) => Some(value),
            Some(Slot::Untouched | Slot::Cleared) | None => None,
        }
    }

    fn holds(&self, slot: Option<usize>) -> bool {
        self.value(slot).is_some()
    }

    /// Two columns may have come to one private name: what the later one says holds.
    fn set(&mut self, slot: usize, value: Slot<'r>) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = value;
        }
    }

    /// Two columns of one field are the parts of a list.
    fn add(&mut self, slot: usize, value: Held<'r>) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        *slot = match std::mem::replace(slot, Slot::Untouched) {
            Slot::Holds(before) => {
                self.certain = false;
                Slot::Holds(before.joined(value))
            }
            Slot::Untouched | Slot::Cleared => Slot::Holds(value),
        };
    }

    /// A blank cell empties what was there; of a list only where all its parts are blank.
    fn clear(&mut self, slot: usize, usage: &Use) {
        if matches!(usage, Use::Private(_)) || !self.holds(Some(slot)) {
            self.set(slot, Slot::Cleared);
        }
    }

    /// Writes what the row says, so that two rows that say the same write the same. No text has bytes like those between values.
    fn write(&self, content: &mut Vec<u8>) {
        content.clear();
        for (slot, place) in self.slots.iter().zip(0_u32..) {
            let mark = match slot {
                Slot::Untouched => continue,
                Slot::Cleared => 0xff,
                Slot::Holds(Held::Text(text)) => {
                    content.extend_from_slice(text.as_bytes());
                    0xfe
                }
                Slot::Holds(value) => {
                    // Writing to a vector does not fail.
                    let _written = serde_json::to_writer(&mut *content, value);
                    0xfe
                }
            };
            content.push(mark);
            content.extend_from_slice(&place.to_le_bytes());
        }
    }

    /// Whether the cell of this column has a problem of its own, so that "missing" would be a second name for it.
    fn is_wrong(&self, column: Option<(usize, &Planned)>) -> bool {
        column.is_some_and(|(_, column)| {
            self.problems.iter().any(|problem| problem.column.as_deref() == Some(column.letter.as_str()))
        })
    }
}

fn accepts(glance: &Glance, value: &Held<'_>) -> bool {
    match value {
        Held::Text(text) => glance.accepts_text(text),
        Held::Number(number) => glance.accepts(&Value::Number(number.clone())),
        Held::Boolean(boolean) => glance.accepts(&Value::Bool(*boolean)),
        Held::Structured(value) => glance.accepts(value),
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
