//! Terms in plain words: what a steward reads before saying yes, and how two versions differ.
//!
//! * Made from the terms, the schema and a few names alone: no record comes near, so no sentence can hold a value but those that the
//!   terms themselves name.
//! * Everything that the terms say is said: terms with different hashes differ in at least one sentence, in every language.
//! * Where no change is `More`, `Longer` or `Different`, the new terms are at most the old ones ([`Terms::is_at_most`]).
//! * Both parties read the same text, so nobody is `you` in it. Texts that somebody wrote stand in quotation marks that they cannot end.
//!
//! What is said is put together in `fields`, `conditions` and [`difference()`]; how a language says it, in `tongue` alone.

use crate::schema::Schema;
use crate::terms::{Audience, Ending, Onward, Rows, Terms};

mod conditions;
mod difference;
mod fields;
mod language;
mod text;
mod tongue;

pub use difference::{Changed, Difference, difference};
pub use language::Language;

use tongue::{Copies, Joint, On, To, Tongue};

/// A version with what its parties call things.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// What it says.
    pub terms: &'a Terms,
    /// The schema that it was written for.
    pub schema: &'a Schema,
    /// The name of the organization whose data it is.
    pub provider: &'a str,
    /// The name of the organization that receives, where it is a single one. Its id stands in for it.
    pub recipient: Option<&'a str>,
    /// What the provider calls the list.
    pub list: &'a str,
    /// The commons' time zone, in which its days begin and end.
    pub zone: &'a str,
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// Who shows whom something of which list.
    Parties,
    /// Fields, and how they look.
    Fields,
    /// Which fields are about people.
    People,
    /// Which fields are not shown.
    Hidden,
    /// Which records.
    Rows,
    /// What the condition on records gives away.
    Implied,
    /// How records are named.
    RecordId,
    /// Why.
    Purpose,
    /// The note on the law.
    LawfulBasis,
    /// Whom it may be passed on to.
    Onward,
    /// What happens in the end.
    Ending,
    /// From when until when.
    Dates,
    /// When it is looked at again.
    Review,
    /// Whom to ask.
    Contact,
    /// The form of the list.
    Schema,
}

impl About {
    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parties => "parties",
            Self::Fields => "fields",
            Self::People => "people",
            Self::Hidden => "hidden",
            Self::Rows => "rows",
            Self::Implied => "implied",
            Self::RecordId => "record_id",
            Self::Purpose => "purpose",
            Self::LawfulBasis => "lawful_basis",
            Self::Onward => "onward",
            Self::Ending => "ending",
            Self::Dates => "dates",
            Self::Review => "review",
            Self::Contact => "contact",
            Self::Schema => "schema",
        }
    }
}

/// Which way something changes, the riskiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// More would be shown, or might be done with it.
    More,
    /// For a longer time.
    Longer,
    /// Neither more nor less.
    Different,
    /// For a shorter time.
    Shorter,
    /// Less.
    Less,
}

impl Change {
    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Longer => "longer",
            Self::Different => "different",
            Self::Shorter => "shorter",
            Self::Less => "less",
        }
    }
}

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it is about.
    pub about: About,
    /// The members of the terms that it puts into words, as JSON pointers.
    pub pointers: Vec<String>,
    /// The words: plain text, in which what somebody wrote is quoted.
    pub text: String,
}

impl Sentence {
    fn new(about: About, pointers: &[&str], text: String) -> Self {
        Self { about, pointers: pointers.iter().map(|pointer| (*pointer).to_owned()).collect(), text }
    }
}

/// What a version says, in the order in which a steward should hear it.
#[must_use]
pub fn sentences(version: &Version<'_>, language: Language) -> Vec<Sentence> {
    let mut said = vec![version.parties(language)];
    said.extend(fields::sentences(version, language));
    said.extend(version.rows(language));
    said.extend([
        version.record_ids(language),
        version.purpose(language),
        version.lawful_basis(language),
        version.onward(language),
        version.ending(language),
        version.dates(language),
        version.review(language),
        version.contact(language),
    ]);
    said
}

impl Version<'_> {
    /// To whom.
    fn to(&self) -> To<'_> {
        match &self.terms.audience {
            Audience::Organization(id) => To::One(self.recipient.unwrap_or(id.as_str())),
            Audience::Members => To::Members,
            Audience::Public => To::Public,
        }
    }

    fn parties(&self, language: Language) -> Sentence {
        let schema = language.of(&self.schema.titles).unwrap_or(&self.schema.name);
        let text = tongue::of(language).shows(self.provider, self.list, schema, self.to());
        Sentence::new(About::Parties, &["/provider", "/dataset", "/schema", "/audience"], text)
    }

    fn rows(&self, language: Language) -> Vec<Sentence> {
        let tongue = tongue::of(language);
        let text = match &self.terms.rows {
            Rows::All => tongue.every_record(),
            Rows::Where(condition) => tongue.some_records(&conditions::words(condition, self.schema, language)),
        };
        let mut said = vec![Sentence::new(About::Rows, &["/rows"], text)];
        said.extend(conditions::given_away(self, language).into_iter().map(|given| given.sentence));
        said.extend(conditions::shown_anyway(self, language));
        let no = |name| tongue.who_said_no(&fields::label(name, self.schema, language));
        said.extend(self.schema.consent.iter().map(|name| Sentence::new(About::Implied, &[], no(name))));
        said
    }

    fn record_ids(&self, language: Language) -> Sentence {
        Sentence::new(About::RecordId, &["/record_id"], tongue::of(language).record_ids(self.terms.record_id))
    }

    fn purpose(&self, language: Language) -> Sentence {
        let purpose = &self.terms.purpose;
        Sentence::new(About::Purpose, &["/purpose"], tongue::of(language).purpose(purpose.code, &purpose.text))
    }

    fn lawful_basis(&self, language: Language) -> Sentence {
        Sentence::new(About::LawfulBasis, &["/lawful_basis"], tongue::of(language).lawful_basis(&self.terms.lawful_basis))
    }

    fn onward(&self, language: Language) -> Sentence {
        let tongue = tongue::of(language);
        let named = |names: &[String]| quoted_list(tongue, names.iter().map(String::as_str));
        let text = match &self.terms.onward {
            Onward::None => tongue.onward(self.to(), On::Nobody),
            Onward::Members => tongue.onward(self.to(), On::Members),
            Onward::Named(names) => tongue.onward(self.to(), On::Named(&named(names))),
            Onward::Public => tongue.onward(self.to(), On::Public),
        };
        Sentence::new(About::Onward, &["/onward"], text)
    }

    fn ending(&self, language: Language) -> Sentence {
        let copies = match &self.terms.ending {
            Ending::DeleteWithinDays(days) => Copies::Deleted { days: *days },
            Ending::Keep(terms) => Copies::Kept(terms),
        };
        Sentence::new(About::Ending, &["/ending"], tongue::of(language).ending(self.to(), copies))
    }

    fn dates(&self, language: Language) -> Sentence {
        let text = tongue::of(language).lasts(self.terms.starts_on, self.terms.ends_on, self.zone);
        Sentence::new(About::Dates, &["/starts_on", "/ends_on"], text)
    }

    fn review(&self, language: Language) -> Sentence {
        let text = tongue::of(language).review(self.provider, self.to(), self.terms.review_on);
        Sentence::new(About::Review, &["/review_on"], text)
    }

    fn contact(&self, language: Language) -> Sentence {
        Sentence::new(About::Contact, &["/contact"], tongue::of(language).contact(&self.terms.contact))
    }
}

/// Texts in quotation marks, as a list that ends with `and`.
fn quoted_list<'a>(tongue: &dyn Tongue, texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(|text| tongue.quoted(text)).collect();
    tongue.joined(&texts, Joint::And)
}
