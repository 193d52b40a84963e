//! One column of a file, and what is known of where it goes.

use std::fmt;

use hayward_domain::schema::FieldName;
use serde::{Serialize, Serializer};

use super::{Blank, ColumnDecision, DateOrder, DecimalMark, Decision, Question, Serials};
use crate::profile::ColumnProfile;

/// One column of a file and where it goes: an entry of an import's `columns`.
#[derive(Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its letter.
    pub column: String,
    /// Its heading.
    pub header: String,
    /// At most three values. For the owner of the file only.
    pub samples: Vec<String>,
    /// Where it goes; nothing as long as a person has to say.
    pub field: Option<Decision>,
    /// How sure that is, or the suggestion: 0 to 1, 0.9 and more only where it is decided.
    pub confidence: f64,
    /// Why, in words.
    pub reason: String,
    /// A field that it may be.
    #[serde(serialize_with = "as_text")]
    pub suggestion: Option<FieldName>,
    /// What has to be answered before it can go there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// How its dates are read, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
    /// The last year that two digits mean in it, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub years: Option<u16>,
    /// From which year its bare numbers count days, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serials: Option<Serials>,
    /// How its numbers are read, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<DecimalMark>,
    /// What its blank cells do, where somebody said so of this column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blank: Option<Blank>,
    /// Whether the values are for what was answered for another file, and against it.
    #[serde(skip)]
    pub(super) contradicted: bool,
}

// By hand: samples are people's data, and what was taken for a heading may be.
impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({}: {:?}, suggestion {:?}, question {:?})", self.column, self.field, self.suggestion, self.question)
    }
}

fn as_text<S: Serializer>(name: &Option<FieldName>, serializer: S) -> Result<S::Ok, S::Error> {
    name.as_ref().map(FieldName::as_str).serialize(serializer)
}

impl Column {
    pub(super) fn new(profile: &ColumnProfile) -> Self {
        Self {
            column: profile.letter.clone(),
            header: profile.header.clone(),
            samples: profile.samples.clone(),
            field: None,
            confidence: 0.0,
            reason: String::new(),
            suggestion: None,
            question: None,
            dates: None,
            years: None,
            serials: None,
            numbers: None,
            blank: None,
            contradicted: false,
        }
    }

    pub(super) fn decide(&mut self, decision: Decision, confidence: f64, reason: &str) {
        self.field = Some(decision);
        self.confidence = confidence;
        reason.clone_into(&mut self.reason);
    }

    /// What a matching says about this column.
    pub(super) fn decision(&self) -> ColumnDecision {
        let (column, header) = (self.column.clone(), self.header.clone());
        let Self { field, dates, years, serials, numbers, blank, .. } = self;
        ColumnDecision {
            column,
            header,
            field: field.clone(),
            dates: *dates,
            years: *years,
            serials: *serials,
            numbers: *numbers,
            blank: *blank,
        }
    }

    pub(super) fn heed(&mut self, said: &ColumnDecision) {
        (self.dates, self.years, self.serials) = (said.dates, said.years, said.serials);
        (self.numbers, self.blank) = (said.numbers, said.blank);
    }
}
