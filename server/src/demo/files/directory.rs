//! Lists of organizations: a co-op's own entry, and for federations those of its members.

use rand::Rng;
use rand::rngs::StdRng;

use super::sheet::{Sheet, canary};
use crate::demo::cast::Member;
use crate::demo::places::{Country, Language};
use crate::demo::words::{ACTIVITIES, FAMILY, digits, one, plain_day};

const FIELDS: &[&str] = &[
    "identifier",
    "name",
    "description",
    "website",
    "email",
    "phone",
    "street",
    "postcode",
    "city",
    "region",
    "country",
    "latitude",
    "longitude",
    "activities",
    "member_count",
    "registration_number",
    "founded_on",
    "status",
];

/// Co-ops that nobody has put on the map yet.
const UNPLACED: [&str; 3] = ["atelier-velo", "pao-nosso", "val-denza"];

pub(super) fn sheet(rng: &mut StdRng, member: &Member, rows: usize) -> Sheet {
    let rows = (0..rows).map(|at| row(rng, member, at)).collect();
    Sheet { language: member.language, fields: FIELDS, later: ("description", "Open on Saturdays, too."), rows, extra: None }
}

fn row(rng: &mut StdRng, member: &Member, at: usize) -> Vec<String> {
    let language = member.language;
    let country = country(rng, member, at);
    let towns = country.towns();
    let Some((city, region, postcode, north, east)) = towns.get(rng.random_range(0..towns.len())) else { return Vec::new() };
    let (year, month, day) = plain_day(rng, 1890..2024);
    let near = |rng: &mut StdRng, degrees: f64| match UNPLACED.contains(&member.slug) {
        true => String::new(),
        false => language.number(degrees + rng.random_range(-0.05..0.05), 5),
    };
    vec![
        format!("{}-{}-{}", country.code(), member.slug, at + 1),
        name(rng, member, at),
        description(language, member).to_owned(),
        format!("https://{}.example/{}", member.slug, at + 1),
        format!("{}@hidden.example", canary("email", at)),
        format!("{} {} {}", country.dial(), digits(rng, 3), digits(rng, 6)),
        format!("{} {}", canary("street", at), rng.random_range(1..200)),
        format!("{postcode}{}", digits(rng, 2)),
        (*city).to_owned(),
        (*region).to_owned(),
        country.name().to_owned(),
        near(rng, *north),
        near(rng, *east),
        one(rng, &ACTIVITIES).to_owned(),
        rng.random_range(7..6_000).to_string(),
        canary("registration_number", at),
        language.day(year, month, day),
        if rng.random_bool(0.9) { "active" } else { "dormant" }.to_owned(),
    ]
}

/// A federation's members are anywhere; a co-op is where it is.
fn country(rng: &mut StdRng, member: &Member, at: usize) -> Country {
    match at {
        0 | 1 => member.country,
        _ => Country::ALL.get(rng.random_range(0..Country::ALL.len())).copied().unwrap_or(member.country),
    }
}

fn name(rng: &mut StdRng, member: &Member, at: usize) -> String {
    match at {
        0 => member.name.clone(),
        1 if member.slug == "mugarri" => format!("{} (Iruñea)", member.name),
        _ => format!("{} & {} {}", one(rng, &FAMILY), one(rng, &FAMILY), at + 1),
    }
}

fn description(language: Language, member: &Member) -> &'static str {
    match (language, member.slug) {
        (_, "sum-a1") => "=HYPERLINK(\"https://sum-a1.example\",\"our sheet\") is what we call a joke; we teach spreadsheets.",
        (Language::English, _) => "A co-op owned by those who work in it and those who need it.",
        (Language::French, _) => "Une coopérative à celles et ceux qui y travaillent ; ouverte à tout le monde.",
        (Language::German, _) => "Eine Genossenschaft in der Hand ihrer Mitglieder.",
        (Language::Portuguese, _) => "Uma cooperativa de quem nela trabalha, aberta à vizinhança.",
        (Language::Spanish, _) => "Una cooperativa de quienes trabajan en ella, abierta al barrio.",
    }
}
