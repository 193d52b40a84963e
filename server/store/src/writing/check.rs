//! Counting what a commit would do.

use std::sync::Arc;

use hayward_importers::draft;
use serde_json::json;

use super::compare::{CompareError, Counts, Found, Plan, compare};
use super::decided::Decided;
use super::present::Present;
use super::problems::Problems;
use super::pulse::{Phase, Pulse};
use crate::Store;
use crate::error::Result;
use crate::imports::{Counting, Findings, Import, ImportState};

impl Store {
    /// Reads the rows of a file and compares them with the list as it is now. Leaves the import as `draft` or `checked`, or `failed`
    /// where the file cannot be read to its end.
    pub(super) fn check(self: &Arc<Self>, import: &Import, decided: &Decided) -> Result<()> {
        let mut found = decided.findings(self.head(import)?);
        let counted = self.with_pulse(import, |pulse| {
            pulse.begin(Phase::Comparing, decided.profiled.rows);
            self.count(import, decided, found.edition, pulse)
        });
        let (counts, problem_count, counting) = match counted {
            Ok(counted) => counted,
            Err(error) => return self.fail(import, error),
        };
        found.counts = serde_json::to_value(counts).ok();
        found.problem_count = problem_count;
        let state = if decided.is_complete() { ImportState::Checked } else { ImportState::Draft };
        self.write_findings(import, state, &found, Some(&counting))
    }

    /// What a commit to edition `head` would do, and how many problems there are; these are kept.
    fn count(
        self: &Arc<Self>,
        import: &Import,
        decided: &Decided,
        head: i64,
        pulse: &Pulse,
    ) -> std::result::Result<(Counts, i64, Counting), CompareError> {
        if let Some(first) = self.first_time(import, decided, head)? {
            let counting = self.begin_counting(import)?;
            self.same_problems(import, &counting, &first)?;
            return Ok((first.counts, first.problem_count, counting));
        }
        let rows = draft(&self.import_file(import), &decided.profiled, &decided.schema, &decided.matching)?;
        let mut problems = Problems::new(self, import)?;
        let present = Present::new(self, import.dataset_number, head, |rows| pulse.count(rows));
        let plan = Plan { draft: rows, absent: decided.matching.absent, only: decided.matching.only };
        let (mut counts, seen) = compare(plan, &present, |one| match one {
            Found::Problems(some) => problems.add(some),
            Found::Changed { .. } => Ok(()),
        })?;
        let (problem_count, counting) = problems.end()?;
        if let Some(seen) = seen {
            present.absent(&seen, |_| {
                counts.removed += 1;
                Ok(())
            })?;
        }
        Ok((counts, problem_count, counting))
    }

    /// Leaves the import as `failed`, where it is the file that cannot be read.
    pub(super) fn fail(&self, import: &Import, error: CompareError) -> Result<()> {
        let refusal = match error {
            CompareError::Refused(refusal) => refusal,
            CompareError::Store(error) => return Err(error),
        };
        let failure = json!({"code": refusal.code(), "message": refusal.to_string(), "row": refusal.row()});
        let counts = serde_json::to_value(Counts::default()).ok();
        self.write_findings(
            import,
            ImportState::Failed,
            &Findings { failure: Some(failure), counts, ..Findings::default() },
            None,
        )
    }
}
