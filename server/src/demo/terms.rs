//! What the agreements of the demo world say.
//!
//! Between them they use every treatment, several kinds of condition and both kinds of record ids. None discloses a field that
//! `files` fills with canaries.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::cast::{List, Member};

/// Whom a deal is with.
#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    Member(&'a Member),
    Members,
    Public,
}

/// What a deal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A co-op shows itself.
    Profile,
    /// A co-op says how to reach it.
    Contact,
    /// Openings for whoever looks for them.
    Openings,
    /// Openings for one partner, with whom to call.
    JobMatching,
    /// Neighbours who want to be found.
    MutualAid,
    /// Numbers about many.
    Statistics,
    /// Who may vote.
    Governance,
    /// Figures to compare oneself with.
    Figures,
}

/// Which version of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    /// What was proposed first.
    First,
    /// A field more, and two months longer: both sides have to approve.
    Wider,
    /// A field less: the provider may do so alone.
    Narrower,
}

/// Everything that one deal's terms depend on.
pub(super) struct Draft<'a> {
    pub(super) provider: &'a Member,
    pub(super) list: &'a List,
    pub(super) to: To<'a>,
    pub(super) about: Subject,
    /// The first day and the last, counted from today.
    pub(super) days: (i64, i64),
}

impl Draft<'_> {
    /// The document of one version.
    pub(super) fn terms(&self, edition: Edition, today: NaiveDate) -> Value {
        let mut fields = self.about.fields();
        let (starts, ends) = self.days;
        let (changed, ends) = match edition {
            Edition::First => (None, ends),
            Edition::Wider => (Some(("region", "exact")), ends + 60),
            Edition::Narrower => (Some(("city", "hidden")), ends),
        };
        if let (Some((field, treatment)), Some(all)) = (changed, fields.as_object_mut()) {
            all.insert(field.to_owned(), json!(treatment));
        }
        let (code, text) = self.about.purpose();
        let audience = match self.to {
            To::Member(member) => json!({"organization": member.id}),
            To::Members => json!("members"),
            To::Public => json!("public"),
        };
        json!({
            "dataset": self.list.id,
            "audience": audience,
            "fields": fields,
            "rows": self.about.rows(today),
            "record_id": self.about.record_id(),
            "purpose": {"code": code, "text": text},
            "lawful_basis": "The assembly agreed, and everybody concerned was told (GDPR Art. 6(1)(f)).",
            "onward": self.about.onward(),
            "ending": self.about.ending(),
            "starts_on": counted(today, starts),
            "ends_on": counted(today, ends),
            "review_on": counted(today, ends - 3),
            "contact": self.provider.people.first().map(|human| human.email.as_str()).unwrap_or_default(),
        })
    }
}

fn counted(today: NaiveDate, days: i64) -> String {
    let many = Days::new(days.unsigned_abs());
    let day = if days < 0 { today.checked_sub_days(many) } else { today.checked_add_days(many) };
    day.unwrap_or(today).to_string()
}

impl Subject {
    fn purpose(self) -> (&'static str, &'static str) {
        match self {
            Self::Profile => ("directory", "So that anybody can find us on the map."),
            Self::Contact => ("procurement", "So that a partner can order from us, and knows whom to call."),
            Self::Openings => ("job-matching", "So that whoever looks for work, a course or a contract finds it."),
            Self::JobMatching => ("job-matching", "So that the partner's advisers can put people forward."),
            Self::MutualAid => ("mutual-aid", "So that neighbours of both co-ops find each other for errands and lifts."),
            Self::Statistics => ("statistics", "To compare the age and the growth of memberships, in groups."),
            Self::Governance => ("governance", "To keep the roll of voters of the joint assembly."),
            Self::Figures => ("research", "To compare figures across co-ops of one trade."),
        }
    }

    /// Each names `city` (but for figures) and leaves `region` to a wider version.
    fn fields(self) -> Value {
        match self {
            Self::Profile => json!({
                "identifier": "exact", "name": "exact", "description": "exact", "website": "exact", "city": "exact",
                "country": "exact", "postcode": {"generalised": "prefix:2"}, "latitude": {"generalised": "grid:0.01"},
                "longitude": {"generalised": "grid:0.01"}, "activities": "exact", "founded_on": {"generalised": "year"},
                "status": "exact",
            }),
            Self::Contact => json!({
                "identifier": "exact", "name": "exact", "city": "exact", "country": "exact", "phone": "masked",
                "postcode": "exact", "member_count": {"generalised": "band:50"}, "founded_on": {"generalised": "month"},
            }),
            Self::Openings => json!({
                "reference": "exact", "title": "exact", "description": "exact", "kind": "exact", "category": "exact",
                "organization_name": "exact", "city": "exact", "country": "exact", "latitude": {"generalised": "grid:0.1"},
                "longitude": {"generalised": "grid:0.1"}, "contact_email": "masked", "website": "exact",
                "salary_min": {"generalised": "band:5000"}, "salary_currency": "exact", "opens_on": {"generalised": "month"},
                "closes_on": "exact", "status": "exact",
            }),
            Self::JobMatching => json!({
                "reference": "pseudonym", "title": "exact", "kind": "exact", "category": "exact", "city": "exact",
                "country": "exact", "contact_email": "exact", "contact_phone": {"generalised": "prefix:7"},
                "salary_min": "exact", "salary_max": "exact", "opens_on": "exact", "closes_on": "exact", "status": "exact",
            }),
            Self::MutualAid => json!({
                "member_id": "pseudonym", "given_name": "exact", "family_name": "masked", "city": "exact",
                "postcode": {"generalised": "prefix:3"}, "phone": "masked", "joined_on": {"generalised": "year"},
                "membership_type": "exact", "status": "exact", "birth_date": "hidden",
            }),
            Self::Statistics => json!({
                "member_id": "pseudonym", "birth_date": {"generalised": "year"}, "postcode": {"generalised": "prefix:2"},
                "city": {"generalised": "prefix:3"}, "country": "exact", "joined_on": {"generalised": "month"},
                "left_on": {"generalised": "month"}, "shares": {"generalised": "band:10"}, "status": "exact",
            }),
            Self::Governance => json!({
                "member_id": "exact", "given_name": "exact", "family_name": "exact", "email": "masked", "city": "exact",
                "country": "exact", "shares": "exact", "membership_type": "exact", "status": "exact",
                "consent_directory": "exact",
            }),
            Self::Figures => json!({
                "organization_identifier": "pseudonym", "indicator": "exact", "period_start": {"generalised": "year"},
                "value": {"generalised": "band:1000"}, "unit": "exact",
            }),
        }
    }

    fn rows(self, today: NaiveDate) -> Value {
        match self {
            Self::Profile | Self::Contact | Self::Statistics => json!("all"),
            Self::Openings => json!({"status": {"in": ["open", "filled"]}}),
            Self::JobMatching => json!({"any": [
                {"closes_on": {"gte": today.to_string()}},
                {"all": [{"category": {"eq": "tender"}}, {"salary_max": {"gt": 20_000}}]},
            ]}),
            Self::MutualAid => json!({"all": [{"consent_directory": {"eq": true}}, {"left_on": {"null": true}}]}),
            Self::Governance => json!({"all": [
                {"status": {"in": ["active", "paused"]}},
                {"joined_on": {"lt": "2023-01-01"}},
                {"membership_type": {"in": ["worker", "consumer"]}},
            ]}),
            Self::Figures => json!({"all": [{"indicator": {"prefix": "e"}}, {"value": {"gt": 0}}]}),
        }
    }

    fn record_id(self) -> &'static str {
        match self {
            Self::Profile | Self::Contact | Self::Openings | Self::Governance => "stable",
            Self::JobMatching | Self::MutualAid | Self::Statistics | Self::Figures => "pseudonym",
        }
    }

    fn onward(self) -> Value {
        match self {
            Self::Profile => json!("public"),
            Self::Openings => json!("members"),
            Self::JobMatching => json!({"named": ["The employment office of the town"]}),
            Self::Contact | Self::MutualAid | Self::Statistics | Self::Governance | Self::Figures => json!("none"),
        }
    }

    fn ending(self) -> Value {
        match self {
            Self::Profile => json!({"keep": "What was public may be kept, with the day on which it was read."}),
            Self::Figures => json!({"keep": "Tables that were published stay; the rows behind them are deleted."}),
            Self::Contact | Self::Openings | Self::JobMatching | Self::MutualAid | Self::Statistics | Self::Governance => {
                json!({"delete_within_days": 30})
            }
        }
    }
}
