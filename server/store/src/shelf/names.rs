//! The names that a request may use: what the selected shares disclose, and nothing else.
//!
//! A field that none of them discloses is no name here: it is answered exactly like a typo.

use std::collections::{BTreeMap, BTreeSet};

use hayward_domain::mutants;
use hayward_domain::schema::{FieldName, Kind};
use hayward_domain::treatment::{Generalisation, Treatment};

use super::ShareSummary;

/// What values of a field can be, over the shares that disclose it.
#[derive(Clone, Copy, Default)]
pub struct Shape {
    /// Text.
    pub text: bool,
    /// A day, a month or a year.
    pub date: bool,
    /// A number.
    pub number: bool,
    /// True or false.
    pub boolean: bool,
}

/// The names that some shares disclose.
pub struct Names {
    shapes: BTreeMap<String, Shape>,
    /// Each once, in the order of the schemas.
    pub in_order: Vec<String>,
    /// The pairs of fields, latitude and longitude, that say where a record is; both disclosed by some share.
    pub places: Vec<(FieldName, FieldName)>,
    /// Every name of the schemas, for a seeded leak only.
    hidden: BTreeSet<String>,
}

impl Names {
    pub(super) fn of<'a>(shares: impl Iterator<Item = &'a ShareSummary>) -> Self {
        let mut names = Self { shapes: BTreeMap::new(), in_order: Vec::new(), places: Vec::new(), hidden: BTreeSet::new() };
        for share in shares {
            let discloses = |name: &FieldName| share.terms.disclosed().any(|(disclosed, _)| disclosed == name);
            let place = share.schema.geo.clone().filter(|(north, east)| discloses(north) && discloses(east));
            if let Some(place) = place.filter(|place| !names.places.contains(place)) {
                names.places.push(place);
            }
            for field in &share.schema.fields {
                let treatment = share.terms.fields.get(&field.name).unwrap_or(&Treatment::Hidden);
                if mutants::on("hidden-name-differs") {
                    names.hidden.insert(field.name.to_string());
                }
                if mutants::on("heading-of-hidden") && *treatment == Treatment::Hidden {
                    names.in_order.push(field.name.to_string());
                }
                if *treatment == Treatment::Hidden {
                    continue;
                }
                if !names.shapes.contains_key(field.name.as_str()) {
                    names.in_order.push(field.name.to_string());
                }
                let shape = names.shapes.entry(field.name.to_string()).or_default();
                widen(shape, field.kind, treatment);
            }
        }
        names
    }

    /// Whether some share discloses a field of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Whether there is anything to search in.
    #[must_use]
    pub fn have_words(&self) -> bool {
        self.in_order.iter().any(|name| self.has_words(name))
    }

    /// Whether some share discloses a field of this name, and its values can be searched.
    #[must_use]
    pub fn has_words(&self, name: &str) -> bool {
        // What is structured has texts inside.
        self.shapes.get(name).is_some_and(|shape| shape.text || !(shape.date || shape.number || shape.boolean))
    }

    /// Whether some share discloses a field of this name, and it is a day, a month or a year there.
    #[must_use]
    pub fn is_day(&self, name: &str) -> bool {
        self.shapes.get(name).is_some_and(|shape| shape.date)
    }

    /// The field, if its values can be compared at all.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<(FieldName, Shape)> {
        let shape = self.shapes.get(name).filter(|shape| shape.text || shape.date || shape.number || shape.boolean)?;
        Some((FieldName::parse(name)?, *shape))
    }

    /// Whether some share hides a field of this name: what a seeded leak tells.
    #[must_use]
    pub fn hides(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }
}

fn widen(shape: &mut Shape, kind: Kind, treatment: &Treatment) {
    match (treatment, kind) {
        (Treatment::Hidden, _) | (_, Kind::Structured) => {}
        (Treatment::Pseudonym | Treatment::Masked, _) | (Treatment::Generalised(Generalisation::Prefix(_)), _) => {
            shape.text = true
        }
        (Treatment::Generalised(Generalisation::Grid(_) | Generalisation::Band(_)), _) => shape.number = true,
        (Treatment::Generalised(Generalisation::Year | Generalisation::Month), _) | (Treatment::Exact, Kind::Date) => {
            shape.date = true
        }
        (Treatment::Exact, Kind::Text) => shape.text = true,
        (Treatment::Exact, Kind::Integer | Kind::Number) => shape.number = true,
        (Treatment::Exact, Kind::Boolean) => shape.boolean = true,
    }
}
