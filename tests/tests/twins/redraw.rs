//! A record drawn anew in everything that the recipient may not see of it.

use rand::Rng;
use rand::rngs::StdRng;

use crate::bargain::{Bargain, Look};
use crate::fields::{Cell, Pool, Row, Shape};

/// Whether any of the terms shows this record.
pub fn is_seen(row: &Row, visible: &[Bargain]) -> bool {
    visible.iter().any(|terms| terms.holds(row))
}

/// A record that looks like `row` under all of `visible`.
pub fn alike(row: &Row, shape: &Shape, visible: &[Bargain], random: &mut StdRng) -> Row {
    let seen_under: Vec<&Bargain> = visible.iter().filter(|terms| terms.holds(row)).collect();
    let mut other: Row = row.clone();
    for (at, pool) in shape.pools.iter().enumerate() {
        let looks = |wanted: fn(Look) -> bool| seen_under.iter().any(|terms| wanted(terms.looks[at]));
        if looks(|look| matches!(look, Look::Exact | Look::Pseudonym)) {
            continue;
        }
        other[at] = if looks(|look| matches!(look, Look::Coarse(_))) {
            row[at].map(|(family, _)| (family, random.random_range(0..pool.size(family))))
        } else {
            any(pool, random)
        };
    }
    // Whether it is among the rows must not change either.
    if visible.iter().any(|terms| terms.holds(row) != terms.holds(&other)) {
        for at in visible.iter().flat_map(Bargain::asks_about) {
            other[at] = row[at];
        }
    }
    other
}

/// A record that none of `visible` shows, if one is found.
pub fn unseen(shape: &Shape, visible: &[Bargain], random: &mut StdRng) -> Option<Row> {
    let mut tries = (0..20).map(|_| shape.pools.iter().map(|pool| any(pool, random)).collect::<Row>());
    tries.find(|row| !is_seen(row, visible))
}

fn any(pool: &Pool, random: &mut StdRng) -> Cell {
    let drawn = random.random_bool(0.8).then(|| (random.random(), random.random()));
    pool.cell(drawn)
}
