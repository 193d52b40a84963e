//! What the columns of a file seem to be.
//!
//! Only a heading that is one of a field's names decides a column by itself, and so does the last file of the same layout.
//! Everything else is a suggestion: the column stays undecided until a person has said so.

use std::collections::{HashMap, HashSet};

use hayward_domain::schema::{Field, FieldName, Kind, Schema};

use super::heading::{family, is_private, may_share};
use super::score::{Look, Names, Rank};
use super::{Column, ColumnDecision, Decision, Matching, Question};
use crate::fold::fold;
use crate::marked::LEFT_OUT;
use crate::profile::{ColumnProfile, Profile};

/// A suggestion is never as sure as a decision.
const SUGGESTED: f64 = 0.85;

/// How sure a suggestion is that only the values made.
const LOOKS: f64 = 0.5;

/// Says where the columns of `profile` go: by the matching of the last file with the same headings, then by the headings, then
/// with suggestions.
#[must_use]
pub fn suggest(profile: &Profile, schema: &Schema, previous: Option<&Matching>) -> Vec<Column> {
    let mut table = Table::new(profile, schema);
    table.leave_out_empty_columns();
    table.leave_out_marks(previous);
    if let Some(previous) = previous {
        table.repeat(previous);
    }
    table.keep_private();
    table.decide_by_heading();
    table.propose();
    table.ask();
    table.columns
}

impl Matching {
    /// The columns of `profile` as this matching decides them, with suggestions and questions for what it leaves open.
    #[must_use]
    pub fn columns(&self, profile: &Profile, schema: &Schema) -> Vec<Column> {
        let mut table = Table::new(profile, schema);
        table.leave_out_empty_columns();
        table.obey(self);
        table.explain_marks();
        table.propose();
        table.ask();
        table.columns
    }

    /// The columns of `profile` that nobody has decided, and those whose values can be read in two ways while nobody has said in
    /// which. They are kept as private columns until then.
    #[must_use]
    pub fn undecided<'p>(&self, profile: &'p Profile, schema: &Schema) -> Vec<&'p ColumnProfile> {
        let columns = self.columns(profile, schema).into_iter().zip(&profile.columns);
        columns.filter(|(column, _)| column.field.is_none()).map(|(_, profile)| profile).collect()
    }
}

/// The columns of a file while they are being decided.
struct Table<'a> {
    profile: &'a Profile,
    names: Vec<Names<'a>>,
    columns: Vec<Column>,
    /// Fields that have a column, with its heading.
    taken: HashMap<FieldName, String>,
    schema: &'a Schema,
}

impl<'a> Table<'a> {
    fn new(profile: &'a Profile, schema: &'a Schema) -> Self {
        let columns = profile.columns.iter().map(Column::new).collect();
        Self { profile, names: Names::of(schema), columns, taken: HashMap::new(), schema }
    }

    fn leave_out_empty_columns(&mut self) {
        for (column, profile) in self.columns.iter_mut().zip(&self.profile.columns) {
            if profile.is_empty() {
                column.decide(Decision::LeaveOut, 1.0, "the column is empty");
            }
        }
    }

    /// The sentences of a marked list. Where all of them were taken out, only that list itself tells what the column was.
    fn leave_out_marks(&mut self, previous: Option<&Matching>) {
        let Some((column, profile)) = self.columns.first_mut().zip(self.profile.columns.first()) else { return };
        let was_so = || previous.is_some_and(|previous| previous.leaves_out_marks(self.profile));
        if self.profile.marked && (profile.filled > 0 || was_so()) {
            column.decide(Decision::LeaveOut, 1.0, LEFT_OUT);
        }
    }

    fn explain_marks(&mut self) {
        let Some(column) = self.columns.first_mut().filter(|column| column.decision().is_of_marks()) else { return };
        if self.profile.marked {
            LEFT_OUT.clone_into(&mut column.reason);
        }
    }

    /// What a person decided about this very file.
    fn obey(&mut self, matching: &Matching) {
        for column in &mut self.columns {
            let Some(said) = matching.at(&column.column) else { continue };
            column.heed(said);
            if let Some(decision) = &said.field {
                self.taken.extend(said.goes_to().map(|name| (name.clone(), column.header.clone())));
                column.decide(decision.clone(), 1.0, "as you said");
            }
        }
    }

    /// What was decided about the last file, by heading; the second of two equal headings is the second again.
    fn repeat(&mut self, previous: &Matching) {
        let mut before: HashMap<&str, Vec<&ColumnDecision>> = HashMap::new();
        let mut said: Vec<&ColumnDecision> = previous.columns.iter().filter(|decision| !decision.is_of_marks()).collect();
        // In the order of the columns, whoever spoke of them in which order: `A`, `Z`, `AA`.
        said.sort_by(|one, other| (other.column.len(), &other.column).cmp(&(one.column.len(), &one.column)));
        for decision in said {
            before.entry(&decision.header).or_default().push(decision);
        }
        for (column, profile) in self.columns.iter_mut().zip(&self.profile.columns).filter(|(column, _)| column.field.is_none()) {
            let Some(said) = before.get_mut(column.header.as_str()).and_then(Vec::pop) else { continue };
            let Some(decision) = &said.field else { continue };
            // Without a heading nothing says that it is the same column, least of all that it is empty again.
            if column.header.is_empty() && (column.column != said.column || *decision == Decision::LeaveOut) {
                continue;
            }
            if let Decision::Field(name) = decision {
                let field = self.schema.field(name.as_str());
                if !field.is_some_and(|field| take(&mut self.taken, self.schema, field, &column.header)) {
                    continue;
                }
            }
            column.heed(said);
            // What the values of this file say themselves is not overruled by what those of another were. Where some of them contradict it
            // and others may be read both ways, somebody has to say which it is.
            column.contradicted = contradict(profile.tally.date_order(), column.dates, profile.tally.date_example())
                || contradict(profile.tally.decimal_mark(), column.numbers, profile.tally.number_example());
            column.dates = column.dates.filter(|_| profile.tally.date_order().is_none());
            column.numbers = column.numbers.filter(|_| profile.tally.decimal_mark().is_none());
            column.decide(decision.clone(), 1.0, "same as last time");
        }
    }

    /// Headings that say themselves that nobody else is to see their column.
    fn keep_private(&mut self) {
        for column in self.columns.iter_mut().filter(|column| column.field.is_none() && is_private(&column.header)) {
            column.decide(Decision::Private, 1.0, "the heading says that it is private");
        }
    }

    /// Headings that are names of fields. Where two columns could be the same field, the surer name wins, then the fuller one.
    fn decide_by_heading(&mut self) {
        let spoken = self.spoken();
        let mut found: Vec<(Rank, u64, usize, &Field)> = Vec::new();
        for (index, profile) in self.profile.columns.iter().enumerate() {
            let several = family(&profile.header);
            let heading = fold(several.as_ref().unwrap_or(&profile.header));
            // One of several columns decides itself only for a field that takes them all.
            let takes = |field: &Field| several.is_none() || may_share(self.schema, field, &profile.header, &profile.header);
            let ranked = self.names.iter().filter(|names| takes(names.field) && !is_foreign(names, &heading, &spoken));
            let ranked = ranked.filter_map(|names| Some((names.rank(&heading)?, names.field)));
            found.extend(ranked.map(|(rank, field)| (rank, u64::MAX - profile.filled, index, field)));
        }
        found.sort_unstable_by_key(|(rank, filled, index, field)| (*rank, *filled, *index, &field.name));
        // The places of a list are one.
        let single = found
            .iter()
            .filter(|(_, _, index, _)| self.profile.columns.get(*index).is_some_and(|column| family(&column.header).is_none()));
        let alike = alike(single);
        for (rank, _, index, field) in found {
            let Some(column) = self.columns.get_mut(index).filter(|column| column.field.is_none()) else { continue };
            let name = &field.name;
            if rank == Rank::Synonym && alike.contains(name) && !self.taken.contains_key(name) {
                column.reason = format!("another column may be `{name}` as well");
                (column.suggestion, column.confidence) = (Some(name.clone()), SUGGESTED);
            } else if take(&mut self.taken, self.schema, field, &column.header) {
                column.decide(Decision::Field(name.clone()), rank.confidence(), rank.reason());
            } else if column.reason.is_empty() {
                column.reason = format!("another column is taken for `{name}` already");
            }
        }
    }

    /// How many headings are words of each language.
    fn spoken(&self) -> HashMap<&'a str, usize> {
        let mut spoken = HashMap::new();
        for profile in &self.profile.columns {
            let heading = fold(&profile.header);
            let languages: HashSet<&str> = self.names.iter().flat_map(|names| names.languages(&heading)).collect();
            languages.into_iter().for_each(|language| *spoken.entry(language).or_default() += 1);
        }
        spoken
    }

    /// Fields for what is left, the likeliest first, each once.
    fn propose(&mut self) {
        let mut found: Vec<(f64, usize, &FieldName, String)> = Vec::new();
        for (index, profile) in self.profile.columns.iter().enumerate() {
            if self.columns.get(index).is_none_or(|column| column.field.is_some()) {
                continue;
            }
            let heading = family(&profile.header).unwrap_or_else(|| profile.header.clone());
            for names in self.names.iter().filter(|names| !self.taken.contains_key(&names.field.name)) {
                let likeness = names.likeness(&heading);
                if likeness > 0.0 {
                    found.push((
                        likeness * SUGGESTED,
                        index,
                        &names.field.name,
                        "the heading is close to the name of the field".to_owned(),
                    ));
                }
            }
            if let Some(look) = Look::of(profile) {
                let free = self.names.iter().find(|names| look.fits(names.field) && !self.taken.contains_key(&names.field.name));
                found.extend(free.map(|names| (LOOKS, index, &names.field.name, look.reason)));
            }
        }
        found.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let mut proposed: HashSet<&FieldName> = HashSet::new();
        for (confidence, index, name, reason) in found {
            let Some(column) = self.columns.get_mut(index).filter(|column| column.suggestion.is_none()) else { continue };
            if proposed.insert(name) {
                (column.suggestion, column.confidence, column.reason) = (Some(name.clone()), confidence, reason);
            }
        }
        for column in self.columns.iter_mut().filter(|column| column.reason.is_empty()) {
            column.reason =
                if column.header.is_empty() { "the column has no heading" } else { "no field is called so" }.to_owned();
        }
    }

    /// A column that can be read in two ways is undecided until a person has said in which.
    fn ask(&mut self) {
        for (column, profile) in self.columns.iter_mut().zip(&self.profile.columns) {
            let decided = column.decision();
            let Some(name) = decided.goes_to().or(column.suggestion.as_ref()) else { continue };
            let Some(names) = self.names.iter().find(|names| names.field.name == *name) else { continue };
            let about = if column.contradicted { Question::again } else { Question::about };
            let Some(question) = about(names.field, profile, &decided) else { continue };
            column.suggestion = Some(names.field.name.clone());
            column.question = Some(question);
            if column.field.take().is_some() {
                column.confidence = column.confidence.min(SUGGESTED);
                "the values can be read in two ways".clone_into(&mut column.reason);
            }
        }
    }
}

/// Fields that two columns with values have another word for: which of them is meant is not ours to say.
fn alike<'a, 'f: 'a>(found: impl Iterator<Item = &'a (Rank, u64, usize, &'f Field)>) -> HashSet<&'f FieldName> {
    let mut before: HashMap<&FieldName, usize> = HashMap::new();
    let filled = found.filter(|(rank, filled, ..)| *rank == Rank::Synonym && *filled < u64::MAX);
    let mut alike = HashSet::new();
    for (_, _, index, field) in filled {
        if before.insert(&field.name, *index).is_some_and(|before| before != *index) && field.kind != Kind::Structured {
            alike.insert(&field.name);
        }
    }
    alike
}

/// Whether the values say something else than was answered for the last file, while some may be read both ways.
fn contradict<A: PartialEq>(values: Option<A>, answered: Option<A>, either: Option<&str>) -> bool {
    either.is_some() && matches!((values, answered), (Some(values), Some(answered)) if values != answered)
}

/// Takes `field` for the column with this heading, if it is free or both columns may go there.
fn take(taken: &mut HashMap<FieldName, String>, schema: &Schema, field: &Field, heading: &str) -> bool {
    match taken.get(&field.name) {
        Some(before) => may_share(schema, field, before, heading),
        None => {
            taken.insert(field.name.clone(), heading.to_owned());
            true
        }
    }
}

/// Whether `heading` is a name of the field only in a language that the list is not in: `Nom` is a family name in a French list and
/// not in a Catalan one. English is everybody's.
fn is_foreign(names: &Names<'_>, heading: &str, spoken: &HashMap<&str, usize>) -> bool {
    let count = |language: &str| spoken.get(language).copied().unwrap_or(0);
    let languages: Vec<&str> = names.languages(heading).collect();
    let own = languages.iter().map(|language| count(language)).max().unwrap_or(usize::MAX);
    let most = spoken.values().copied().max().unwrap_or(0);
    names.rank(heading) != Some(Rank::Name) && !languages.contains(&"en") && own.saturating_mul(3) < most
}
