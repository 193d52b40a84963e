//! Lists of the people who belong to a co-op.

use rand::Rng;
use rand::rngs::StdRng;

use super::sheet::{Sheet, canary};
use crate::demo::cast::Member;
use crate::demo::words::{FAMILY, GIVEN, REMARKS, digits, one, plain_day};

const FIELDS: &[&str] = &[
    "member_id",
    "given_name",
    "family_name",
    "email",
    "phone",
    "joined_on",
    "left_on",
    "birth_date",
    "membership_type",
    "status",
    "street",
    "postcode",
    "city",
    "region",
    "country",
    "shares",
    "consent_directory",
    "notes",
    "national_id",
    "bank_account",
];

pub(super) fn sheet(rng: &mut StdRng, member: &Member, rows: usize) -> Sheet {
    let rows = (0..rows).map(|at| row(rng, member, at)).collect();
    Sheet { language: member.language, fields: FIELDS, later: ("status", "paused"), rows, extra: None }
}

fn row(rng: &mut StdRng, member: &Member, at: usize) -> Vec<String> {
    let (language, country) = (member.language, member.country);
    let towns = country.towns();
    let Some((city, region, postcode, ..)) = towns.get(rng.random_range(0..towns.len())) else { return Vec::new() };
    let (joined, born) = (plain_day(rng, 1998..2024), plain_day(rng, 1935..2006));
    let left = rng.random_bool(0.06).then(|| plain_day(rng, 2024..2026));
    let day = |(year, month, day): (i32, u32, u32)| language.day(year, month, day);
    let phone = format!("{} {} {}", country.dial(), digits(rng, 3), digits(rng, 6));
    vec![
        // Zeros in front: a spreadsheet must not take it for a number.
        format!("{:05}", at + 1),
        one(rng, &GIVEN).to_owned(),
        one(rng, &FAMILY).to_owned(),
        format!("member{}@{}.example", at + 1, member.slug),
        phone.clone(),
        day(joined),
        left.map(day).unwrap_or_default(),
        day(born),
        ["worker", "consumer", "supporter"].get(rng.random_range(0..3)).copied().unwrap_or_default().to_owned(),
        if left.is_some() { "left" } else { "active" }.to_owned(),
        format!("{} {}", canary("street", at), rng.random_range(1..200)),
        format!("{postcode}{}", digits(rng, 2)),
        (*city).to_owned(),
        (*region).to_owned(),
        country.name().to_owned(),
        rng.random_range(1..40).to_string(),
        language.boolean(rng.random_bool(0.7)).to_owned(),
        // The very thing that a list of fields cannot see: a number in a remark.
        format!("{}; {phone}; {}", one(rng, &REMARKS), canary("notes", at)),
        canary("national_id", at),
        canary("bank_account", at),
    ]
}
