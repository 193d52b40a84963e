//! What the records of random worlds hold.
//!
//! A value belongs to a family. All values of one family look alike under every coarse treatment of their field, so one may stand
//! for another wherever a recipient sees no more than that; a test at the end holds the families to it.

use serde_json::{Value, json};

/// A cell: the number of a family, and of a value in it.
pub type Cell = Option<(u8, u8)>;
/// A record without its key: a cell for each pool of its schema.
pub type Row = Vec<Cell>;

/// What values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Truth,
}

/// What one field may hold, and how agreements may show it.
#[derive(Debug)]
pub struct Pool {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// Whether it may be shown at all.
    pub open: bool,
    pub pseudonym: bool,
    /// The coarse treatments, as terms write them; `masked` is one of them.
    pub coarse: &'static [&'static str],
    pub families: &'static [&'static [&'static str]],
}

/// The lists of one schema.
#[derive(Debug)]
pub struct Shape {
    pub schema: &'static str,
    pub collection: &'static str,
    /// The field that tells records apart.
    pub key: &'static str,
    /// The coarse treatments of the key.
    pub key_coarse: &'static [&'static str],
    /// Further fields of the key.
    pub fixed: &'static [(&'static str, &'static str)],
    /// The pool by which a person says no: no agreement shows a record whose cell is of its last family.
    pub consent: Option<usize>,
    /// A field that no agreement shows, and a slip in its name.
    pub never: [&'static str; 2],
    pub pools: &'static [Pool],
}

const fn text(name: &'static str, coarse: &'static [&'static str], families: &'static [&'static [&'static str]]) -> Pool {
    Pool { name, kind: Kind::Text, required: false, open: true, pseudonym: false, coarse, families }
}

const fn number(name: &'static str, coarse: &'static [&'static str], families: &'static [&'static [&'static str]]) -> Pool {
    Pool { kind: Kind::Number, ..text(name, coarse, families) }
}

const fn required(pool: Pool) -> Pool {
    Pool { required: true, ..pool }
}

const fn named(pool: Pool) -> Pool {
    Pool { pseudonym: true, ..pool }
}

const fn closed(pool: Pool) -> Pool {
    Pool { open: false, ..pool }
}

/// Stands for a text of several thousand characters.
const LONG: &str = "(long)";

const MASKED: &[&str] = &["masked"];
const PREFIX: &[&str] = &["prefix:2"];
const DAYS: &[&str] = &["month", "year"];
const GRIDS: &[&str] = &["grid:0.1", "grid:1"];

const CITIES: &[&[&str]] = &[&["Barcelona", "Badalona"], &["Madrid", "Marbella"], &["Łódź", "Łódeczka"], &["東京都", "東京"]];
const COUNTRIES: &[&[&str]] = &[&["ES"], &["FR"], &["DE"]];
const NORTH: &[&[&str]] = &[&["41.38", "41.41"], &["40.42", "40.38"], &["-33.02", "-32.96"]];
const EAST: &[&[&str]] = &[&["2.17", "2.22"], &["-3.72", "-3.68"]];
const MAILS: &[&[&str]] = &[&["maria@example.org", "marta@example.org"], &["ana@x.coop", "alba@x.coop"]];
const PHONES: &[&[&str]] = &[&["+34 600 111 222", "+34 699 888 222"], &["+33 1 22 33 44 55", "+33 6 11 00 04 55"]];
const DATES: &[&[&str]] = &[&["2026-12-01", "2026-12-24"], &["2027-01-15", "2027-01-31"], &["2027-02-01", "2027-02-28"]];
const WORDS: &[&[&str]] = &[&["Baker", "Bäcker"], &["Carpenter", "C, \"the\" carpenter"], &["=1+1", "=2"], &["大工さん"]];
const TEXTS: &[&[&str]] = &[&["Bread", "Brød"], &[LONG], &["one\ntwo", "{\"next\":1}"]];
const NAMES: &[&[&str]] = &[&["Acme", "Ajo"], &["Beta\nGamma", "Bon"], &["Ünal", "Üçok"]];
const STATES: &[&[&str]] = &[&["open"], &["closed"]];

/// The five schemas.
pub const SHAPES: &[Shape] = &[
    Shape {
        schema: "opportunity",
        collection: "opportunities",
        key: "reference",
        key_coarse: &["masked", "prefix:3"],
        fixed: &[],
        consent: None,
        never: ["region", "regoin"],
        pools: &[
            required(text("title", &[], WORDS)),
            text("country", &[], COUNTRIES),
            text("category", &[], &[&["job"], &["grant"], &["tender"]]),
            text("status", &[], STATES),
            text("description", &[], TEXTS),
            text("organization_name", MASKED, NAMES),
            text("city", PREFIX, CITIES),
            number("latitude", GRIDS, NORTH),
            number("longitude", GRIDS, EAST),
            named(text("contact_email", MASKED, MAILS)),
            named(text("contact_phone", MASKED, PHONES)),
            number("salary_min", &["band:1000", "band:10000"], &[&["12000", "12900"], &["25500", "25100"]]),
            text("closes_on", DAYS, DATES),
        ],
    },
    Shape {
        schema: "membership",
        collection: "memberships",
        key: "member_id",
        key_coarse: &["masked", "prefix:3"],
        fixed: &[],
        consent: Some(9),
        never: ["national_id", "nacional_id"],
        pools: &[
            text("given_name", MASKED, NAMES),
            text("country", &[], COUNTRIES),
            text("status", &[], STATES),
            text("membership_type", &[], &[&["worker"], &["consumer"]]),
            named(text("email", MASKED, MAILS)),
            named(text("phone", MASKED, PHONES)),
            text("birth_date", DAYS, &[&["1980-01-02", "1980-01-30"], &["1991-07-01", "1991-07-31"]]),
            text("postcode", PREFIX, &[&["08001", "08080"], &["28004", "28999"]]),
            number("shares", &["band:10"], &[&["12", "17.5"], &["30", "39"]]),
            Pool { kind: Kind::Truth, ..text("consent_directory", &[], &[&["true"], &["false"]]) },
            closed(text("notes", &[], TEXTS)),
            closed(text("national_id", &[], NAMES)),
        ],
    },
    Shape {
        schema: "organization",
        collection: "organizations",
        key: "identifier",
        key_coarse: &["masked", "prefix:3"],
        fixed: &[],
        consent: None,
        never: ["legal_name", "leagl_name"],
        pools: &[
            required(text("name", MASKED, NAMES)),
            text("country", &[], COUNTRIES),
            text("status", &[], STATES),
            named(text("email", MASKED, MAILS)),
            text("city", PREFIX, CITIES),
            number("latitude", GRIDS, NORTH),
            number("longitude", GRIDS, EAST),
            number("member_count", &["band:10", "band:100"], &[&["12", "17"], &["230", "239"]]),
            text("founded_on", DAYS, DATES),
            text("legal_form", &[], &[&["co-op"], &["association"]]),
        ],
    },
    Shape {
        schema: "measurement",
        collection: "measurements",
        key: "organization_identifier",
        key_coarse: &["masked", "prefix:3"],
        fixed: &[("indicator", "turnover"), ("period_start", "2026-01-01")],
        consent: None,
        never: ["period_end", "perlod_end"],
        pools: &[
            required(number("value", &["band:100"], &[&["1250", "1299.5"], &["-20", "-90"]])),
            text("unit", &[], &[&["EUR"], &["people"]]),
            text("as_of", DAYS, DATES),
            text("source", &[], WORDS),
        ],
    },
    Shape {
        schema: "venue",
        collection: "venues",
        key: "room",
        key_coarse: MASKED,
        fixed: &[],
        consent: None,
        never: ["door_code", "dour_code"],
        pools: &[
            required(text("name", &[], WORDS)),
            text("city", PREFIX, CITIES),
            text("street", MASKED, NAMES),
            number("latitude", GRIDS, NORTH),
            number("longitude", GRIDS, EAST),
            number("seats", &["band:10"], &[&["12", "19"], &["120", "129"]]),
            text("layout", &[], &[&["board"], &["open"]]),
            Pool { kind: Kind::Truth, ..text("step_free", &[], &[&["true"], &["false"]]) },
            named(text("caretaker_phone", MASKED, PHONES)),
            closed(text("door_code", &[], NAMES)),
        ],
    },
];

/// The shape of the lists of a schema.
pub fn shape(schema: &str) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.schema == schema).unwrap()
}

impl Pool {
    /// A cell that means something here, whatever numbers were drawn.
    pub fn cell(&self, drawn: Cell) -> Cell {
        let (family, variant) = drawn.or(self.required.then_some((0, 0)))?;
        let family = family % u8::try_from(self.families.len()).unwrap();
        Some((family, variant % self.size(family)))
    }

    /// How many values a family has.
    pub fn size(&self, family: u8) -> u8 {
        u8::try_from(self.families[usize::from(family)].len()).unwrap()
    }

    /// What stands in the file.
    pub fn text(&self, cell: Cell) -> String {
        let Some((family, variant)) = cell else { return String::new() };
        let text = self.families[usize::from(family)][usize::from(variant)];
        if text == LONG { "Über uns.".repeat(350) } else { text.to_owned() }
    }

    /// A value as terms write it.
    pub fn json(&self, text: &str) -> Value {
        match self.kind {
            Kind::Text => json!(text),
            Kind::Number | Kind::Truth => serde_json::from_str(text).unwrap(),
        }
    }
}

/// A treatment as terms write it.
pub fn treatment(word: &str) -> Value {
    if ["exact", "pseudonym", "masked"].contains(&word) { json!(word) } else { json!({"generalised": word}) }
}

impl Shape {
    /// The pools that say where a record is, which terms show alike.
    pub fn place(&self) -> Option<[usize; 2]> {
        let at = |name: &str| self.pools.iter().position(|pool| pool.name == name);
        Some([at("latitude")?, at("longitude")?])
    }

    /// Whether the person in this record said no.
    pub fn refuses(&self, row: &Row) -> bool {
        self.consent
            .is_some_and(|at| row[at].is_some_and(|(family, _)| self.pools[at].families[usize::from(family)] == ["false"]))
    }

    /// A file of these records: key and cells. A column of the co-op's own comes last.
    pub fn file(&self, rows: &[(String, Row)], memo: &str) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let fixed = self.fixed.iter().map(|(name, _)| *name);
        let names: Vec<&str> = [self.key].into_iter().chain(fixed).chain(self.pools.iter().map(|pool| pool.name)).collect();
        let mut file = format!("{},memo\n", names.join(","));
        for (key, row) in rows {
            let fixed = self.fixed.iter().map(|(_, value)| quoted(value));
            let cells = self.pools.iter().zip(row).map(|(pool, cell)| quoted(&pool.text(*cell)));
            let line: Vec<String> = [quoted(key)].into_iter().chain(fixed).chain(cells).chain([quoted(memo)]).collect();
            file.push_str(&line.join(","));
            file.push('\n');
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use hayward_domain::keys::AgreementKeys;
    use hayward_domain::record::{OrganizationNumber, Record, Sealed};
    use hayward_domain::schema::{FieldName, Schema, built_in};
    use hayward_domain::terms::{Context, Terms};

    use super::*;
    use crate::world::{coop, dataset, terms, venue};

    /// Class 50: no type that a cell may have is forgotten. What is an array or an object is shown whole or not at all; the domain's own
    /// tests have those.
    #[test]
    fn every_type_of_field_is_in_the_random_worlds() {
        use hayward_domain::schema::Kind as Type;
        let schemas: Vec<Schema> = built_in().unwrap().into_iter().chain([venue()]).collect();
        let drawn = |schema: &Schema, name: &str| {
            let shape = SHAPES.iter().find(|shape| shape.schema == schema.name).unwrap();
            shape.pools.iter().any(|pool| pool.name == name) || shape.key == name
        };
        let has = |kind: Type| {
            schemas
                .iter()
                .any(|schema| schema.fields.iter().any(|field| field.kind == kind && drawn(schema, field.name.as_str())))
        };
        for kind in [Type::Text, Type::Date, Type::Integer, Type::Number, Type::Boolean] {
            assert!(has(kind), "no random world has a field of type {kind:?}");
        }
    }

    #[test]
    fn values_of_one_family_look_alike() {
        let schemas: Vec<Schema> = built_in().unwrap().into_iter().chain([venue()]).collect();
        for shape in SHAPES {
            let schema = schemas.iter().find(|schema| schema.name == shape.schema).unwrap();
            for pool in shape.pools {
                for coarse in pool.coarse {
                    let shown = json!({pool.name: treatment(coarse)});
                    let context = Context { provider: &coop(0), schema, dataset: &dataset(0), longest_months: 24 };
                    let terms = Terms::parse(&terms(0, json!("public"), shown), &context).unwrap();
                    for family in pool.families {
                        let looks = family.iter().map(|text| {
                            let fields = [(FieldName::parse(pool.name).unwrap(), pool.json(text))];
                            let record = Record { fields: fields.into_iter().collect(), ..Record::default() };
                            let sealed = Sealed::new(OrganizationNumber(1), record);
                            terms.disclose(schema, &AgreementKeys::new([1; 32]), &sealed).unwrap().payload().to_owned()
                        });
                        let looks: std::collections::BTreeSet<String> = looks.collect();
                        assert_eq!(looks.len(), 1, "{} of {} as {coarse}: {looks:?}", pool.name, shape.schema);
                    }
                }
            }
        }
    }
}
