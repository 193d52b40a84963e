//! Reading rows ahead of whoever uses them.

use super::{Line, Row, Rows};
use crate::refusal::Refusal;

/// Rows in a bundle.
const BUNDLE: usize = 256;

/// Some rows, in their order.
pub(crate) struct Bundle {
    /// The rows, and what was found at each.
    pub(crate) rows: Vec<(Row, Line)>,
    /// Why there are no more.
    pub(crate) refused: Option<Refusal>,
}

/// Gives what follows in `rows` to `give`, for as long as that says that it wants more.
pub(crate) fn read(mut rows: Rows, mut give: impl FnMut(Bundle) -> bool) -> Rows {
    loop {
        let (bundle, more) = bundle(&mut rows);
        if !give(bundle) || !more {
            return rows;
        }
    }
}

fn bundle(rows: &mut Rows) -> (Bundle, bool) {
    let mut bundle = Bundle { rows: Vec::with_capacity(BUNDLE), refused: None };
    while bundle.rows.len() < BUNDLE {
        let mut row = bundle.rows.last().map_or_else(Row::default, |(row, _)| row.roomy());
        match rows.next(&mut row) {
            Ok(Some(line)) => bundle.rows.push((row, line)),
            Ok(None) => return (bundle, false),
            Err(refusal) => {
                bundle.refused = Some(refusal);
                return (bundle, false);
            }
        }
    }
    (bundle, true)
}
