//! Lists of what co-ops offer: work, courses, tenders.

use chrono::{Datelike, Days, NaiveDate};
use rand::Rng;
use rand::rngs::StdRng;

use super::sheet::{Sheet, canary};
use crate::demo::cast::Member;
use crate::demo::words::{CATEGORIES, KINDS, STREETS, TITLES, digits, one};

const FIELDS: &[&str] = &[
    "reference",
    "title",
    "description",
    "kind",
    "category",
    "organization_name",
    "city",
    "region",
    "country",
    "latitude",
    "longitude",
    "contact_name",
    "contact_email",
    "contact_phone",
    "website",
    "salary_min",
    "salary_max",
    "salary_currency",
    "opens_on",
    "closes_on",
    "status",
];

pub(super) fn sheet(rng: &mut StdRng, member: &Member, rows: usize, today: NaiveDate) -> Sheet {
    let rows = (0..rows).map(|at| row(rng, member, at, today)).collect();
    Sheet { language: member.language, fields: FIELDS, later: ("status", "filled"), rows, extra: None }
}

fn row(rng: &mut StdRng, member: &Member, at: usize, today: NaiveDate) -> Vec<String> {
    let (language, country) = (member.language, member.country);
    let towns = country.towns();
    let Some((city, region, _, north, east)) = towns.get(rng.random_range(0..towns.len())) else { return Vec::new() };
    // Days are written year first, so that none can be read in two ways.
    let near = |rng: &mut StdRng, from: u64, span: u64| {
        let day = today.checked_sub_days(Days::new(from)).unwrap_or(today);
        day.checked_add_days(Days::new(rng.random_range(0..span))).unwrap_or(today)
    };
    let (opens, closes) = (near(rng, 120, 90), near(rng, 25, 180));
    let pay = rng.random_range(14..40) * 1_000;
    vec![
        format!("{}-{}-{:03}", member.slug, opens.year(), at + 1),
        title(rng, at).to_owned(),
        format!("{}, {} {}. {}.", member.name, one(rng, &STREETS), rng.random_range(1..90), city),
        one(rng, &KINDS).to_owned(),
        one(rng, &CATEGORIES).to_owned(),
        member.name.clone(),
        (*city).to_owned(),
        (*region).to_owned(),
        country.name().to_owned(),
        language.number(north + rng.random_range(-0.05..0.05), 5),
        language.number(east + rng.random_range(-0.05..0.05), 5),
        canary("contact_name", at),
        format!("work{}@{}.example", at + 1, member.slug),
        format!("{} {} {}", country.dial(), digits(rng, 3), digits(rng, 6)),
        format!("https://{}.example/work/{}", member.slug, at + 1),
        pay.to_string(),
        (pay + rng.random_range(0..9) * 500).to_string(),
        "EUR".to_owned(),
        opens.to_string(),
        closes.to_string(),
        if closes < today { "closed" } else { "open" }.to_owned(),
    ]
}

fn title(rng: &mut StdRng, at: usize) -> &'static str {
    match at {
        4 => "=SUM(A1)",
        5 => "  Two spaces in front, and an <b>angle</b>",
        _ => one(rng, &TITLES),
    }
}
