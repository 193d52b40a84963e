//! How well a heading, or what stands below it, fits a field.

use hayward_domain::schema::{Field, Kind, ReadsAs, Schema};
use serde_json::Value;

use crate::fold::fold;
use crate::profile::ColumnProfile;

/// How alike two words must be for one to be suggested for the other.
const ALIKE: f64 = 0.74;

/// The longest heading that is compared letter by letter, in bytes.
const COMPARED: usize = 80;

/// Through which of its names a field was found; the earlier, the surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The name itself.
    Name,
    /// What people call it.
    Label,
    /// What spreadsheets call it.
    Synonym,
}

impl Rank {
    pub(super) fn confidence(self) -> f64 {
        match self {
            Self::Name => 1.0,
            Self::Label => 0.98,
            Self::Synonym => 0.95,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Name => "the heading is the name of the field",
            Self::Label => "the heading says what the field is called",
            Self::Synonym => "the heading is another word for the field",
        }
    }
}

/// The folded names of one field.
pub(super) struct Names<'s> {
    pub(super) field: &'s Field,
    ranked: Vec<Word<'s>>,
}

/// One of them.
struct Word<'s> {
    folded: String,
    rank: Rank,
    /// The language it is from; the name of a field is from none.
    language: Option<&'s str>,
}

impl<'s> Names<'s> {
    /// The names of every field of `schema`.
    pub(super) fn of(schema: &'s Schema) -> Vec<Self> {
        schema.fields.iter().map(|field| Self::new(schema, field)).collect()
    }

    fn new(schema: &'s Schema, field: &'s Field) -> Self {
        let name = std::iter::once((field.name.as_str(), Rank::Name, None));
        let labels = field.labels.iter().map(|(language, label)| (label.as_str(), Rank::Label, Some(language.as_str())));
        let synonyms = synonyms(schema, field).map(|(language, synonym)| (synonym, Rank::Synonym, Some(language)));
        let words = name.chain(labels).chain(synonyms);
        let words = words.map(|(word, rank, language)| Word { folded: fold(word), rank, language });
        Self { field, ranked: words.filter(|word| !word.folded.is_empty()).collect() }
    }

    /// The languages in which `heading`, folded, is one of its names.
    pub(super) fn languages(&self, heading: &str) -> impl Iterator<Item = &'s str> {
        self.ranked.iter().filter(move |word| word.folded == heading).filter_map(|word| word.language)
    }

    /// The best of its names that `heading`, folded, is.
    pub(super) fn rank(&self, heading: &str) -> Option<Rank> {
        self.ranked.iter().filter(|word| word.folded == heading).map(|word| word.rank).min()
    }

    /// How alike `heading` and the closest of its names are, from 0 to 1; 0 where that may be chance.
    pub(super) fn likeness(&self, heading: &str) -> f64 {
        if heading.len() > COMPARED {
            return 0.0;
        }
        let folded = fold(heading);
        let words: Vec<String> = heading.split(|letter: char| !letter.is_alphanumeric()).map(fold).collect();
        let scores = self.ranked.iter().map(|Word { folded: name, .. }| {
            let spelling = if may_be_alike(&folded, name) { strsim::normalized_damerau_levenshtein(&folded, name) } else { 0.0 };
            // `Registered postcode` is a postcode; the last word says what a thing is, in some languages the first.
            let ends = words.len() > 1 && [words.first(), words.last()].contains(&Some(name)) && name.len() > 2;
            if ends { spelling.max(0.8) } else { spelling }
        });
        let best = scores.fold(0.0, f64::max);
        if best >= ALIKE { best } else { 0.0 }
    }
}

/// Whether one is not too long for the other: each letter that only one of them has makes them less alike. Asked first, because
/// comparing every heading of a wide file with every name letter by letter takes seconds.
#[expect(clippy::cast_precision_loss, reason = "headings are short")]
fn may_be_alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.chars().count(), other.chars().count());
    one.min(other) as f64 >= ALIKE * one.max(other) as f64
}

/// What spreadsheets call `field`, each with its language.
fn synonyms<'s>(schema: &'s Schema, field: &Field) -> impl Iterator<Item = (&'s str, &'s str)> {
    let pointer = format!("/properties/{}/x-hayward/synonyms", field.name);
    let by_language = schema.document.pointer(&pointer).and_then(Value::as_object).into_iter().flatten();
    by_language.flat_map(|(language, words)| {
        let words = words.as_array().into_iter().flatten().filter_map(Value::as_str);
        words.map(move |word| (language.as_str(), word))
    })
}

/// What the values below a heading look like, if nearly all look alike: how many of how many, in words, and for which fields.
pub(super) struct Look {
    pub(super) reason: String,
    fits: Fits,
}

/// Whether a field holds what the values look like.
type Fits = fn(&Field) -> bool;

impl Look {
    pub(super) fn of(column: &ColumnProfile) -> Option<Self> {
        let looks = &column.tally.looks;
        let candidates: [(u64, &str, Fits); 5] = [
            (looks.emails, "e-mail addresses", |field| field.reads_as == Some(ReadsAs::Email)),
            (looks.links, "web addresses", |field| field.reads_as == Some(ReadsAs::Url)),
            (looks.dates, "dates", |field| field.kind == Kind::Date),
            (looks.phones, "telephone numbers", |field| field.reads_as == Some(ReadsAs::Phone)),
            (looks.countries, "countries", |field| field.reads_as == Some(ReadsAs::Country)),
        ];
        let seen = looks.seen;
        let found = candidates.into_iter().find(|(count, _, _)| *count > 0 && count * 10 >= seen * 8);
        found.map(|(count, what, fits)| Self { reason: format!("{count} of {seen} values look like {what}"), fits })
    }

    pub(super) fn fits(&self, field: &Field) -> bool {
        (self.fits)(field)
    }
}
