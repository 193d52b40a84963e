//! Series of figures about co-ops.

use rand::Rng;
use rand::rngs::StdRng;

use super::sheet::{Sheet, canary};
use crate::demo::cast::{Cast, Member};
use crate::demo::words::INDICATORS;

const FIELDS: &[&str] =
    &["organization_identifier", "indicator", "period_start", "period_end", "value", "unit", "as_of", "source"];

/// Twelve months of every indicator for one co-op after the other.
pub(super) fn sheet(rng: &mut StdRng, cast: &Cast, member: &Member, rows: usize) -> Sheet {
    let rows = (0..rows).map(|at| row(rng, cast, member, at)).collect();
    Sheet { language: member.language, fields: FIELDS, later: ("unit", "units"), rows, extra: None }
}

fn row(rng: &mut StdRng, cast: &Cast, member: &Member, at: usize) -> Vec<String> {
    let (month, series) = (at % 12 + 1, at / 12);
    let (indicator, unit) = INDICATORS.get(series % INDICATORS.len()).copied().unwrap_or_default();
    let about = cast.members.get((series / INDICATORS.len()) % cast.members.len()).unwrap_or(member);
    // Year first: the first of a month can be read in two ways otherwise.
    let day = |day: u32| format!("2025-{month:02}-{day:02}");
    vec![
        format!("{}-{}-1", about.country.code(), about.slug),
        indicator.to_owned(),
        day(1),
        day(28),
        member.language.number(f64::from(rng.random_range(10_000..9_000_000)) / 100.0, 2),
        unit.to_owned(),
        day(28),
        canary("source", at),
    ]
}
