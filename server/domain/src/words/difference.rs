//! How two versions differ: for people in sentences, for programs as pointers with what stood there before.
//!
//! Whatever differs in the documents is said, and each way is the one that [`Terms::is_at_most`] would take: what it does not take for
//! narrower is never called less.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{self, pointer};
use super::tongue::{self, RowsChange, Tongue};
use super::{About, Change, Language, Sentence, Version, conditions};
use crate::condition::Condition;
use crate::schema::{Field, FieldName, Sensitivity};
use crate::terms::{Audience, Ending, RecordIds, Rows, Terms};
use crate::treatment::Treatment;

/// One member of the terms that is different, for programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Where in the terms, as a JSON pointer.
    pub pointer: String,
    /// Which way.
    pub change: Change,
    /// What stood there; `null` if nothing did.
    pub before: Value,
    /// What stands there now; `null` if nothing does.
    pub after: Value,
}

/// How a version differs from another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// In words, the riskiest first. Empty if nothing differs.
    pub sentences: Vec<(Change, Sentence)>,
    /// The same for programs, in the same order.
    pub changes: Vec<Changed>,
    /// How many points stay as they are: every field that both name, and every other member.
    pub unchanged: usize,
    /// That in words.
    pub unchanged_words: String,
}

/// What is different in `new`, compared with `old`.
#[must_use]
pub fn difference(old: &Version<'_>, new: &Version<'_>, language: Language) -> Difference {
    let documents = [old.terms.to_json(), new.terms.to_json()];
    let tongue = tongue::of(language);
    let mut comparing = Comparing { old, new, documents, language, tongue, found: Vec::new(), unchanged: 0 };
    comparing.list();
    comparing.fields();
    comparing.rows();
    comparing.members();
    comparing.dates();
    let Comparing { mut found, unchanged, .. } = comparing;
    found.sort_by_key(|found| (found.change, Reverse(found.weight)));
    let unchanged_words = tongue.unchanged(unchanged, !found.is_empty());
    let mut difference = Difference { sentences: Vec::new(), changes: Vec::new(), unchanged, unchanged_words };
    for Found { change, sentence, changed, .. } in found {
        let text = format!("{}: {}", tongue.heading(change), sentence.text);
        difference.sentences.push((change, Sentence { text, ..sentence }));
        difference.changes.extend(changed);
    }
    difference
}

/// A difference, and how much it may matter to those whom the data is about. Higher comes first.
struct Found {
    change: Change,
    weight: u8,
    sentence: Sentence,
    changed: Vec<Changed>,
}

struct Comparing<'a> {
    old: &'a Version<'a>,
    new: &'a Version<'a>,
    /// The two as documents.
    documents: [Value; 2],
    language: Language,
    tongue: &'static dyn Tongue,
    found: Vec<Found>,
    unchanged: usize,
}

impl<'a> Comparing<'a> {
    fn find(&mut self, change: Change, weight: u8, sentence: Sentence) {
        let [before, after] = &self.documents;
        let at = |document: &Value, pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
        let changed = sentence.pointers.iter().map(|pointer| Changed {
            pointer: pointer.clone(),
            change,
            before: at(before, pointer),
            after: at(after, pointer),
        });
        // A sentence may name more than differs, such as both days where one has moved.
        let changed = changed.filter(|changed| changed.before != changed.after).collect();
        self.found.push(Found { change, weight, sentence, changed });
    }

    /// Something that follows from a change which is found elsewhere.
    fn follow(&mut self, change: Change, weight: u8, sentence: Sentence) {
        self.found.push(Found { change, weight, sentence, changed: Vec::new() });
    }

    /// Compares one member of the terms; `way` says which way it changed if it did.
    fn member<T: PartialEq + 'a>(
        &mut self,
        of: impl Fn(&'a Terms) -> &'a T,
        way: impl Fn(&T, &T) -> Change,
        weight: u8,
        say: impl Fn(&Version<'a>, Language) -> Sentence,
    ) {
        let (before, now) = (of(self.old.terms), of(self.new.terms));
        if before == now {
            self.unchanged += 1;
            return;
        }
        let (was, is) = (say(self.old, self.language), say(self.new, self.language));
        let text = self.tongue.instead(&is.text, &was.text);
        self.find(way(before, now), weight, Sentence { text, ..is });
    }

    /// What the two are about: versions of one agreement are about one list.
    fn list(&mut self) {
        let (old, new) = (self.old.terms, self.new.terms);
        for (pointer, same) in [("/provider", old.provider == new.provider), ("/dataset", old.dataset == new.dataset)] {
            if !same {
                let text = self.tongue.another_list().to_owned();
                self.find(Change::Different, 9, Sentence::new(About::Parties, &[pointer], text));
            }
        }
        if old.schema_name != new.schema_name {
            let text = self.tongue.another_list().to_owned();
            self.find(Change::Different, 9, Sentence::new(About::Schema, &["/schema/name"], text));
        }
        if old.schema_version != new.schema_version {
            let text = self.tongue.schema_version(new.schema_version, old.schema_version);
            self.find(Change::Different, 2, Sentence::new(About::Schema, &["/schema/version"], text));
        }
    }

    /// Every field that either names, in the order of the schemas.
    fn named(&self) -> Vec<&'a Field> {
        let (old, new) = (self.old, self.new);
        let mut seen: BTreeSet<&FieldName> = BTreeSet::new();
        let all = new.schema.fields.iter().chain(&old.schema.fields);
        let named = |field: &&Field| [old, new].into_iter().any(|version| version.terms.fields.get(&field.name).is_some());
        all.filter(named).filter(|field| seen.insert(&field.name)).collect()
    }

    fn fields(&mut self) {
        let (mut opened, mut closed) = (Vec::new(), Vec::new());
        for field in self.named() {
            let of = |terms: &'a Terms| terms.fields.get(&field.name);
            let (before, now) = (of(self.old.terms), of(self.new.terms));
            let looks = |treatment: Option<&Treatment>| fields::how(treatment.unwrap_or(&Treatment::Hidden), field);
            match (looks(before), looks(now)) {
                _ if before == now => self.unchanged += 1,
                (None, Some(how)) => opened.push((field, how)),
                (Some(how), None) => closed.push((field, how)),
                (Some(before_how), Some(now_how)) => {
                    let text = self.tongue.looks_otherwise(&self.label(field), &now_how, &before_how);
                    self.find(way_of_treatment(before, now), weight(field), about_field(field, text));
                }
                (None, None) => {
                    let text = self.tongue.hidden_as_before(&self.label(field), now.is_some());
                    self.find(Change::Different, 0, about_field(field, text));
                }
            }
        }
        for group in fields::alike(opened.into_iter()) {
            let labels = group.labels(self.language);
            let text = self.tongue.also_shows(self.new.provider, &labels, group.many(), &group.how);
            self.find_fields(Change::More, &group.fields, group.pointers(), text);
        }
        let closed = fields::Alike { how: tongue::How::Exact, fields: closed.into_iter().map(|(field, _)| field).collect() };
        if !closed.fields.is_empty() {
            let text = self.tongue.no_longer_shows(self.new.provider, &closed.labels(self.language));
            self.find_fields(Change::Less, &closed.fields, closed.pointers(), text);
        }
    }

    fn find_fields(&mut self, change: Change, fields: &[&Field], pointers: Vec<String>, text: String) {
        let weight = fields.iter().map(|field| weight(field)).max().unwrap_or_default();
        self.find(change, weight, Sentence { about: About::Fields, pointers, text });
    }

    fn label(&self, field: &Field) -> String {
        let schema = if self.new.schema.field(field.name.as_str()).is_some() { self.new.schema } else { self.old.schema };
        fields::label(&field.name, schema, self.language)
    }

    fn rows(&mut self) {
        let (old, new) = (self.old, self.new);
        if old.terms.rows == new.terms.rows {
            self.unchanged += 1;
        } else {
            let words = |condition: &Condition, of: &Version<'_>| conditions::words(condition, of.schema, self.language);
            let (change, said) = match (&old.terms.rows, &new.terms.rows) {
                (Rows::Where(before), Rows::All) => (Change::More, RowsChange::Lifted { before: words(before, old) }),
                (Rows::All, Rows::Where(now)) => (Change::Less, RowsChange::Imposed { now: words(now, new) }),
                (Rows::Where(before), Rows::Where(now)) => self.demands(before, now),
                (Rows::All, Rows::All) => (Change::Different, RowsChange::Respelled),
            };
            let text = self.tongue.rows_change(&said);
            self.find(change, 6, Sentence::new(About::Rows, &["/rows"], text));
        }
        self.given_away();
    }

    /// How one condition became another: by demands that came, that went, or otherwise.
    fn demands(&self, before: &Condition, now: &Condition) -> (Change, RowsChange) {
        let (demanded, demands) = (before.conjuncts(), now.conjuncts());
        let added: Vec<&Condition> = demands.iter().copied().filter(|demand| !demanded.contains(demand)).collect();
        let dropped: Vec<&Condition> = demanded.iter().copied().filter(|demand| !demands.contains(demand)).collect();
        let all_of = |demands: &[&Condition], of: &Version<'_>| conditions::all_of(demands, of.schema, self.language);
        match (added.is_empty(), dropped.is_empty()) {
            (true, true) => (Change::Different, RowsChange::Respelled),
            (false, true) => (Change::Less, RowsChange::Added(all_of(&added, self.new))),
            (true, false) => (Change::More, RowsChange::Dropped(all_of(&dropped, self.old))),
            (false, false) => {
                let (now, before) = (all_of(&added, self.new), all_of(&dropped, self.old));
                (Change::Different, RowsChange::Other { now, before, partly: added.len() < demands.len() })
            }
        }
    }

    /// What the condition tells that it did not tell before, and what it still tells of a field that is now hidden.
    fn given_away(&mut self) {
        let before = conditions::given_away(self.old, self.language);
        for given in conditions::given_away(self.new, self.language) {
            if before.iter().any(|known| known.told == given.told) {
                continue;
            }
            let seen = conditions::is_exact(self.old.terms, &given.field);
            self.follow(if seen { Change::Different } else { Change::More }, 6, given.sentence);
        }
    }

    fn members(&mut self) {
        let different = |_: &String, _: &String| Change::Different;
        self.member(|terms| &terms.audience, way_of_audience, 9, Version::parties);
        self.member(
            |terms| &terms.onward,
            |before, now| match (now.is_at_most(before), before.is_at_most(now)) {
                (true, false) => Change::Less,
                (false, true) => Change::More,
                (true, true) | (false, false) => Change::Different,
            },
            6,
            Version::onward,
        );
        self.member(|terms| &terms.record_id, way_of_ids, 5, Version::record_ids);
        self.member(|terms| &terms.ending, way_of_ending, 5, Version::ending);
        self.member(|terms| &terms.purpose, |_, _| Change::Different, 5, Version::purpose);
        self.member(|terms| &terms.lawful_basis, different, 2, Version::lawful_basis);
        self.member(|terms| &terms.review_on, |_, _| Change::Different, 1, Version::review);
        self.member(|terms| &terms.contact, different, 1, Version::contact);
    }

    fn dates(&mut self) {
        let (old, new) = (self.old.terms, self.new.terms);
        let days = [
            ("/starts_on", old.starts_on, new.starts_on, new.starts_on < old.starts_on),
            ("/ends_on", old.ends_on, new.ends_on, new.ends_on > old.ends_on),
        ];
        for (pointer, before, now, longer) in days {
            if before == now {
                self.unchanged += 1;
                continue;
            }
            let text = match pointer {
                "/starts_on" => self.tongue.begins(now, before, self.new.zone),
                _ => self.tongue.ends(now, before, self.new.zone),
            };
            let change = if longer { Change::Longer } else { Change::Shorter };
            self.find(change, 4, Sentence::new(About::Dates, &[pointer], text));
        }
    }
}

fn about_field(field: &Field, text: String) -> Sentence {
    Sentence { about: About::Fields, pointers: vec![pointer(&field.name)], text }
}

fn weight(field: &Field) -> u8 {
    match field.sensitivity {
        Sensitivity::Special | Sensitivity::Never => 8,
        Sensitivity::Personal => 7,
        Sensitivity::Internal => 4,
        Sensitivity::Public => 3,
    }
}

fn way_of_treatment(before: Option<&Treatment>, now: Option<&Treatment>) -> Change {
    let [before, now] = [before, now].map(|treatment| treatment.unwrap_or(&Treatment::Hidden));
    match (now.at_most(before), before.at_most(now)) {
        (true, false) => Change::Less,
        (false, true) => Change::More,
        (true, true) | (false, false) => Change::Different,
    }
}

fn way_of_audience(before: &Audience, now: &Audience) -> Change {
    match (before, now) {
        (Audience::Organization(_), Audience::Members | Audience::Public) | (Audience::Members, Audience::Public) => Change::More,
        // Narrower for some, and yet a new recipient who has not agreed to anything.
        (_, Audience::Organization(_)) | (Audience::Members | Audience::Public, Audience::Members) => Change::Different,
        (Audience::Public, Audience::Public) => Change::Different,
    }
}

fn way_of_ids(_: &RecordIds, now: &RecordIds) -> Change {
    match now {
        RecordIds::Stable => Change::More,
        RecordIds::Pseudonym => Change::Different,
    }
}

fn way_of_ending(before: &Ending, now: &Ending) -> Change {
    match (before, now) {
        (Ending::DeleteWithinDays(before), Ending::DeleteWithinDays(now)) if now > before => Change::Longer,
        (Ending::DeleteWithinDays(_), Ending::DeleteWithinDays(_)) => Change::Shorter,
        (Ending::DeleteWithinDays(_), Ending::Keep(_)) => Change::Longer,
        (Ending::Keep(_), Ending::DeleteWithinDays(_) | Ending::Keep(_)) => Change::Different,
    }
}
