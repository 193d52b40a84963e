//! Which character separates the cells.
//!
//! Voted by many rows with quotes honoured: the first line alone may be a title, or have fewer cells than the rest.

use std::collections::HashMap;

use super::csv::{Sample, separator_line};

/// What may separate cells, the likeliest first.
pub(super) const CANDIDATES: [char; 4] = [',', ';', '\t', '|'];

/// The separator of the file that begins with `sample`; nothing if no candidate makes a table of it.
pub(super) fn vote(sample: &Sample) -> Option<char> {
    if let Some((named, _)) = separator_line(&sample.text) {
        return Some(named);
    }
    let mut best: Option<(f64, char)> = None;
    for candidate in CANDIDATES {
        let score = regularity(sample, candidate);
        if score > best.map_or(0.0, |(best, _)| best) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How much of a table `delimiter` makes: the share of rows of the commonest width, squared, and that width. Nothing where most
/// rows do without it: a comma in some of the names does not make two columns of a list of names.
#[expect(clippy::cast_precision_loss, reason = "a sample has few rows")]
fn regularity(sample: &Sample, delimiter: char) -> f64 {
    let mut widths: HashMap<usize, usize> = HashMap::new();
    sample.rows(Some(delimiter), |row| {
        if !row.is_blank() {
            *widths.entry(row.len()).or_default() += 1;
        }
    });
    let rows: usize = widths.values().sum();
    let single = widths.remove(&1).unwrap_or(0);
    if single * 2 > rows {
        return 0.0;
    }
    // Of two widths as common as each other the larger, so that the outcome does not hang on the order of a hash map.
    let commonest = widths.into_iter().max_by_key(|(width, count)| (*count, *width));
    commonest.map_or(0.0, |(width, count)| (count as f64 / rows as f64).powi(2) * (width as f64).log2())
}
