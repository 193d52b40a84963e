//! The same mistake in many rows, told once.
//!
//! Problems belong together that are of one kind, in one column, over one value: whoever corrects one of them corrects all. However
//! many problems a file has, what is held here is bounded; beyond the bounds groups become coarser, and every problem stays counted.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Problem;

/// Groups that are told apart by value. A problem with yet another value goes to the group of all other values of its column.
const BY_VALUE: usize = 1_000;
/// Runs of rows that a group names.
const RUNS: usize = 100;

/// Problems that are one mistake. On the wire it is what `GET /api/v1/imports/{id}/problems/groups` lists.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemGroup {
    /// The letter of the column, unless it is about whole rows.
    pub column: Option<String>,
    /// The heading of the column.
    pub header: Option<String>,
    /// As in [`Problem::code`].
    pub code: Cow<'static, str>,
    /// What the cells hold, shortened; nothing where they are blank, or differ.
    pub value: Option<String>,
    /// Whether the cells differ: there were too many values to tell them all apart.
    pub various: bool,
    /// What is wrong with the first of them.
    pub message: String,
    /// What may be meant, in the form in which it would be typed.
    pub suggestion: Option<String>,
    /// How many problems there are.
    pub count: u64,
    /// In which rows, as runs from first to last; no more than the first hundred runs.
    pub rows: Vec<(u64, u64)>,
}

// By hand: the value, and the suggestion made from it, are people's data.
impl fmt::Debug for ProblemGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProblemGroup({:?}, {}, {} problems)", self.column, self.code, self.count)
    }
}

impl ProblemGroup {
    fn of(problem: &Problem, various: bool) -> Self {
        let Problem { column, header, value, code, message, suggestion, .. } = problem.clone();
        let (value, suggestion) = if various { (None, None) } else { (value, suggestion) };
        Self { column, header, code, value, various, message, suggestion, count: 0, rows: Vec::new() }
    }

    fn add(&mut self, row: u64) {
        self.count += 1;
        let has_room = self.rows.len() < RUNS;
        match self.rows.last_mut() {
            Some((_, last)) if *last == row || *last + 1 == row => *last = row,
            _ if has_room => self.rows.push((row, row)),
            _ => {}
        }
    }
}

/// Column, code and value; no value for the group of all that differ. What is wrong, where column and value do not tell.
type Key = (Option<String>, Cow<'static, str>, Option<Option<String>>, Option<String>);

/// Groups, while problems come in.
#[derive(Default)]
pub struct Groups {
    groups: HashMap<Key, ProblemGroup>,
}

impl Groups {
    /// Puts a problem into its group. Within a column they come in the order of the rows.
    pub fn add(&mut self, problem: &Problem) {
        let Problem { column, code, value, row, .. } = problem;
        let tells = column.is_some() && code != "primary-key";
        let message = if tells { None } else { Some(problem.message.clone()) };
        let mut key: Key = (column.clone(), code.clone(), Some(value.clone()), message);
        let various = self.groups.len() >= BY_VALUE && !self.groups.contains_key(&key);
        if various {
            (key.2, key.3) = (None, None);
        }
        self.groups.entry(key).or_insert_with(|| ProblemGroup::of(problem, various)).add(*row);
    }

    /// The groups, the one with the most problems first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<ProblemGroup> {
        let mut groups: Vec<ProblemGroup> = self.groups.into_values().collect();
        groups.sort_by(|one, other| {
            let place = |group: &ProblemGroup| (group.rows.first().copied(), group.column.clone());
            other.count.cmp(&one.count).then_with(|| place(one).cmp(&place(other))).then_with(|| one.code.cmp(&other.code))
        });
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(row: u64, value: &str) -> Problem {
        Problem::of_row(row, "type-error", "is no country").at("C", Some("Country"), Some(value))
    }

    #[test]
    fn rows_with_one_mistake_are_one_group_with_runs() {
        let mut groups = Groups::default();
        for row in [2, 3, 4, 9, 11, 12] {
            groups.add(&problem(row, "Untied States"));
        }
        groups.add(&problem(5, "Atlantis"));
        let groups = groups.into_sorted();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups.first().map(|group| (group.count, group.rows.clone())), Some((6, vec![(2, 4), (9, 9), (11, 12)])));
    }

    #[test]
    fn a_file_of_nothing_but_mistakes_stays_bounded_and_counted() {
        let mut groups = Groups::default();
        for row in 0..50_000 {
            groups.add(&problem(2 * row, &row.to_string()));
        }
        let groups = groups.into_sorted();
        assert_eq!(groups.len(), BY_VALUE + 1);
        assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 50_000);
        let various = groups.first().map(|group| (group.various, group.value.is_some(), group.rows.len()));
        assert_eq!(various, Some((true, false, RUNS)));
    }
}
