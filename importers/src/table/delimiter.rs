//! Which character separates the cells, and what ends a row.
//!
//! Voted by many rows with quotes honoured: the first line alone may be a title, or have fewer cells than the rest.

use std::collections::HashMap;

use super::csv::{LineEnds, Marks, Sample, separator_line};

/// What may separate cells, the likeliest first.
pub(super) const CANDIDATES: [char; 4] = [',', ';', '\t', '|'];

/// The separator of the file that begins with `sample`; nothing if no candidate makes a table of it.
pub(super) fn vote(sample: &Sample) -> Option<char> {
    if let Some((named, _)) = separator_line(&sample.text) {
        return Some(named);
    }
    let mut best: Option<(f64, char)> = None;
    for candidate in CANDIDATES {
        let score = regularity(sample, Marks::new(Some(candidate), LineEnds::Any));
        if score > best.map_or(0.0, |(best, _)| best) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// What ends the rows of the file: where `\r\n` and `\n` both stand outside of quotes, whichever makes more of a table of it.
pub(super) fn line_ends(sample: &Sample, delimiter: Option<char>) -> LineEnds {
    let both = sample.text.matches("\r\n").count();
    if both == 0 || both == sample.text.matches('\n').count() {
        return LineEnds::Any;
    }
    let [any, both] = [LineEnds::Any, LineEnds::CrLf].map(|ends| Marks::new(delimiter, ends));
    let mut ends = false;
    sample.ended_rows(any, |_, ended| ends |= ended);
    if !ends {
        return LineEnds::Any;
    }
    // One row for the whole file is as regular as can be: then `\r\n` only stands between quotes.
    let mut rows = 0_usize;
    sample.rows(both, |_| rows += 1);
    if rows > 1 && regularity(sample, both) > regularity(sample, any) { LineEnds::CrLf } else { LineEnds::Any }
}

/// How much of a table `marks` make: the share of rows of the commonest width, squared, and that width. Nothing where most
/// rows do without it: a comma in some of the names does not make two columns of a list of names.
#[expect(clippy::cast_precision_loss, reason = "a sample has few rows")]
fn regularity(sample: &Sample, marks: Marks) -> f64 {
    let mut widths: HashMap<usize, usize> = HashMap::new();
    sample.rows(marks, |row| {
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
