//! What one version of an agreement says.
//!
//! One closed document: a key that is not known is refused, a field that is not named is hidden, and nothing has a wildcard.
//! Terms are immutable. Whatever is to be different is other terms, with another hash and approvals of its own.

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDate;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::condition::Condition;
use crate::id::{DatasetId, OrganizationId};
use crate::schema::{FieldName, Schema, Sensitivity};
use crate::treatment::Treatment;

pub mod canonical;
mod document;
mod fields;
mod json;
mod narrower;
mod parse;

pub use crate::fault::Fault;
pub use fields::Fields;

/// Who receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One member co-op, which approves too.
    Organization(OrganizationId),
    /// All member co-ops.
    Members,
    /// Everybody.
    Public,
}

/// Which records.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// All of them: written out as `"all"`, never meant by saying nothing.
    All,
    /// Those that match.
    Where(Condition),
}

/// How records are named to the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordIds {
    /// The same under every agreement that says so.
    Stable,
    /// Differently under every agreement.
    Pseudonym,
}

/// Why the data is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// From the short list.
    pub code: PurposeCode,
    /// In a sentence.
    pub text: String,
}

/// The short list of purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PurposeCode {
    /// A directory of organizations.
    Directory,
    /// Bringing people and work together.
    JobMatching,
    /// Buying and selling.
    Procurement,
    /// Loans, grants and investment.
    Funding,
    /// Courses and learning.
    Training,
    /// Helping each other out.
    MutualAid,
    /// Numbers about many.
    Statistics,
    /// Study.
    Research,
    /// Running a co-op or a federation.
    Governance,
    /// What the sentence says.
    Other,
}

impl PurposeCode {
    /// Every purpose, in the order of the list.
    pub const ALL: [Self; 10] = [
        Self::Directory,
        Self::JobMatching,
        Self::Procurement,
        Self::Funding,
        Self::Training,
        Self::MutualAid,
        Self::Statistics,
        Self::Research,
        Self::Governance,
        Self::Other,
    ];

    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::JobMatching => "job-matching",
            Self::Procurement => "procurement",
            Self::Funding => "funding",
            Self::Training => "training",
            Self::MutualAid => "mutual-aid",
            Self::Statistics => "statistics",
            Self::Research => "research",
            Self::Governance => "governance",
            Self::Other => "other",
        }
    }

    /// The purpose that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

/// Whom the recipient may pass the data on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// Nobody.
    None,
    /// The member co-ops.
    Members,
    /// These, by name.
    Named(Vec<String>),
    /// Everybody.
    Public,
}

/// What the recipient does with its copy when the agreement is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Deletes it within so many days, and certifies that.
    DeleteWithinDays(u32),
    /// Keeps it, under terms in words.
    Keep(String),
}

/// What one version of an agreement says.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Whose data it is.
    pub provider: OrganizationId,
    /// The list.
    pub dataset: DatasetId,
    /// The schema of the list.
    pub schema_name: String,
    /// The version of the schema that the field names are from.
    pub schema_version: i64,
    /// Who receives.
    pub audience: Audience,
    /// Which fields, and how each looks.
    pub fields: Fields,
    /// Which records.
    pub rows: Rows,
    /// How records are named.
    pub record_id: RecordIds,
    /// Why.
    pub purpose: Purpose,
    /// A note on the law, in free words; may be empty.
    pub lawful_basis: String,
    /// Whom the recipient may pass the data on to.
    pub onward: Onward,
    /// What happens to the recipient's copy in the end.
    pub ending: Ending,
    /// The first day, in the commons' time zone.
    pub starts_on: NaiveDate,
    /// The last day, in the commons' time zone.
    pub ends_on: NaiveDate,
    /// When both sides want to look at it again.
    pub review_on: Option<NaiveDate>,
    /// Whom to ask, in free words; may be empty.
    pub contact: String,
}

/// What terms are read against: facts that the server knows, and the document may only repeat.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whose data it is.
    pub provider: &'a OrganizationId,
    /// The schema of the list.
    pub schema: &'a Schema,
    /// The list.
    pub dataset: &'a DatasetId,
    /// The longest time an agreement may run, in months.
    pub longest_months: u32,
}

impl Terms {
    /// Reads terms from a document.
    ///
    /// # Errors
    /// Everything that is wrong with it, never only the first, with JSON pointers into `raw`.
    pub fn parse(raw: &Value, context: &Context<'_>) -> Result<Self, Vec<Fault>> {
        parse::terms(raw, context)
    }

    /// The terms as a document: what [`Self::parse`] reads, and what is hashed and approved.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json::terms(self)
    }

    /// `sha256:` and the hash, in hex, of the document in canonical form (RFC 8785).
    #[must_use]
    pub fn hash(&self) -> String {
        let digest = Sha256::digest(canonical::text(&self.to_json()).as_bytes());
        digest.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// The fields that are not hidden, in byte order of their names.
    pub fn disclosed(&self) -> impl Iterator<Item = (&FieldName, &Treatment)> {
        self.fields.iter().filter(|(_, treatment)| **treatment != Treatment::Hidden)
    }

    /// What is wrong where the two coordinates of a place are not shown alike: one that is exact, beside one that is coarse or hidden,
    /// tells a line that the place lies on. For new terms; what was agreed before stands.
    #[must_use]
    pub fn uneven_coordinates(&self, schema: &Schema) -> Option<Fault> {
        let (latitude, longitude) = schema.geo.as_ref()?;
        let look = |field: &FieldName| self.fields.get(field).filter(|treatment| **treatment != Treatment::Hidden);
        let detail = || {
            format!("`{latitude}` and `{longitude}` say together where something is: both are shown in the same way, or neither")
        };
        (look(latitude) != look(longitude)).then(|| Fault::new("/fields", "uneven-coordinates", detail()))
    }

    /// These terms less the fields that `schema`, as later versions bind it, has closed.
    #[must_use]
    pub fn under(&self, schema: &Schema) -> Self {
        Self { fields: self.fields.without(&schema.closed), ..self.clone() }
    }

    /// Whether these terms show nothing at all under `schema`: all that they show is closed, or something is that their rows are
    /// chosen by.
    #[must_use]
    pub fn closed_by(&self, schema: &Schema) -> bool {
        let tested = || match &self.rows {
            Rows::All => false,
            Rows::Where(condition) => condition.fields().iter().any(|field| schema.closed.contains(field)),
        };
        !schema.closed.is_empty() && (self.disclosed().all(|(field, _)| schema.closed.contains(field)) || tested())
    }

    /// The sensitivities of all that these terms disclose: of the fields that are not hidden, and of those that the row condition
    /// asks about. Whatever `schema` no longer opens is not among them.
    #[must_use]
    pub fn sensitivities(&self, schema: &Schema) -> BTreeSet<Sensitivity> {
        let tested = match &self.rows {
            Rows::All => BTreeSet::new(),
            Rows::Where(condition) => condition.fields(),
        };
        let disclosed = self.disclosed().map(|(field, _)| field).chain(&tested);
        let sensitivity = |field: &FieldName| schema.field(field.as_str()).map(|field| field.sensitivity);
        disclosed.filter_map(sensitivity).filter(|sensitivity| *sensitivity != Sensitivity::Never).collect()
    }

    /// What the row condition gives away by itself; see [`Condition::implied`].
    #[must_use]
    pub fn implied(&self) -> Vec<(FieldName, String)> {
        match &self.rows {
            Rows::All => Vec::new(),
            Rows::Where(condition) => condition.implied(),
        }
    }
}

impl fmt::Display for PurposeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
