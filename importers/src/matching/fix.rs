//! Corrections of single cells, and of all cells of a column that say the same.
//!
//! A file stays as it came; what is put in place of its cells is a decision about it like the others, so that it is counted,
//! compared and committed as they are, and can be taken back.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Matching, MatchingFault};
use crate::fold::trim;
use crate::problem::shortened;
use crate::profile::{ColumnProfile, Profile};

/// The most corrections that one file may have.
const MOST: usize = 10_000;
/// The most that they may say together, in bytes: they are kept with the import.
const BYTES: usize = 1 << 20;
/// The longest text that may be put into a cell, in characters: what a spreadsheet holds.
const LONGEST: usize = 32_767;

/// One correction. It says either which value is replaced wherever the column has it, or in which row.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// The letter of the column.
    pub column: String,
    /// The value that is replaced in the whole column, as a problem shows it; empty for cells that are blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The row whose cell is replaced, as a spreadsheet numbers it. Goes before a correction of the whole column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// What stands there instead, as it would be typed; empty for a blank cell. Nothing takes an earlier correction back.
    pub to: Option<String>,
}

// By hand: both are values.
impl fmt::Debug for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fix({}, row {:?})", self.column, self.row)
    }
}

impl Fix {
    /// Which cells it is about.
    fn target(&self) -> (&str, Option<u64>, Option<&str>) {
        (&self.column, self.row, self.from.as_deref())
    }

    fn fault(&self, pointer: &str, profile: &Profile) -> Option<MatchingFault> {
        let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().nth(LONGEST).is_some());
        let (place, code, detail) = if profile.column(&self.column).is_none() {
            ("/column", "unknown-column", "the file has no such column".to_owned())
        } else if self.from.is_some() == self.row.is_some() {
            ("", "unclear-fix", "a correction names either the value it replaces (`from`) or a row".to_owned())
        } else if self.row.is_some_and(|row| row <= profile.reading.header_row || row > profile.reading.header_row + profile.rows)
        {
            ("/row", "unknown-row", "the list has no such row".to_owned())
        } else if is_long(&self.to) || is_long(&self.from) {
            ("/to", "too-long", format!("a cell has at most {LONGEST} characters"))
        } else {
            return None;
        };
        Some(MatchingFault { pointer: format!("{pointer}{place}"), code, detail })
    }
}

impl Matching {
    /// Takes further corrections up: one of the same cells goes before an earlier one.
    pub fn amend(&mut self, fixes: Vec<Fix>) {
        let mut at: HashMap<(String, Option<u64>, Option<String>), usize> = HashMap::new();
        let mut kept: Vec<Fix> = Vec::with_capacity(self.fixes.len() + fixes.len());
        for mut fix in std::mem::take(&mut self.fixes).into_iter().chain(fixes) {
            fix.from = fix.from.map(|from| trim(&from).to_owned());
            let (column, row, from) = fix.target();
            let target = (column.to_owned(), row, from.map(str::to_owned));
            match at.get(&target).and_then(|index| kept.get_mut(*index)) {
                Some(earlier) => *earlier = fix,
                None => {
                    at.insert(target, kept.len());
                    kept.push(fix);
                }
            }
        }
        kept.retain(|fix| fix.to.is_some());
        self.fixes = kept;
        self.follow();
    }

    /// A correction of what an earlier one has put there corrects that one.
    fn follow(&mut self) {
        let value = |fix: &Fix| Some(((fix.column.clone(), fix.from.clone()?), fix.to.clone()?));
        let next: HashMap<(String, String), String> = self.fixes.iter().filter_map(value).collect();
        for fix in &mut self.fixes {
            let found = fix.to.clone().and_then(|to| next.get(&(fix.column.clone(), trim(&to).to_owned())));
            // One that leads back to itself stays as it is.
            if let Some(found) = found.filter(|found| fix.from.as_ref() != Some(*found)) {
                fix.to = Some(found.clone());
            }
        }
    }

    pub(super) fn fix_faults(&self, profile: &Profile) -> Vec<MatchingFault> {
        if self.fixes.len() > MOST {
            let detail = format!("one file has at most {MOST} corrections");
            return vec![MatchingFault { pointer: "/fixes".to_owned(), code: "too-many-fixes", detail }];
        }
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        if self.fixes.iter().map(|fix| length(&fix.from) + length(&fix.to)).sum::<usize>() > BYTES {
            let detail = "the corrections of one file are a mebibyte at most".to_owned();
            return vec![MatchingFault { pointer: "/fixes".to_owned(), code: "too-many-fixes", detail }];
        }
        let fixes = self.fixes.iter().enumerate();
        fixes.filter_map(|(index, fix)| fix.fault(&format!("/fixes/{index}"), profile)).collect()
    }
}

/// The corrections of one column.
#[derive(Default)]
pub(crate) struct ColumnFixes {
    values: HashMap<String, String>,
    rows: HashMap<u64, String>,
}

impl ColumnFixes {
    /// Those of `column`, if there are any.
    pub(crate) fn of(column: &ColumnProfile, matching: &Matching) -> Option<Self> {
        let mut fixes = Self::default();
        for fix in matching.fixes.iter().filter(|fix| fix.column == column.letter) {
            let Some(to) = fix.to.as_deref().map(|to| trim(to).to_owned()) else { continue };
            match (fix.row, &fix.from) {
                (Some(row), _) => drop(fixes.rows.insert(row, to)),
                (None, Some(from)) => drop(fixes.values.insert(from.clone(), to)),
                (None, None) => {}
            }
        }
        (!fixes.values.is_empty() || !fixes.rows.is_empty()).then_some(fixes)
    }

    /// What stands in row `row` instead of `text`.
    pub(crate) fn instead(&self, row: u64, text: &str) -> Option<&str> {
        let of_value = || match self.values.get(text) {
            Some(to) => Some(to),
            // A problem shows no more than the beginning of a long value.
            None if text.len() > 200 => self.values.get(&shortened(text)),
            None => None,
        };
        self.rows.get(&row).or_else(of_value).map(String::as_str)
    }
}
