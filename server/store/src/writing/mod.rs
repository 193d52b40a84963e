//! From a draft to an edition: comparing with what is there, committing, undoing.
//!
//! A check, a diff and a commit go through the same comparison ([`compare`]): what was counted is what is done.

mod commit;
mod compare;
mod diff;
mod present;
mod touched;
mod undo;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hayward_domain::schema::Schema;
use hayward_importers::{Matching, MatchingFault, Problem, Profile, Refusal, draft, profile, suggest};
use serde_json::json;

pub use compare::Counts;
pub use diff::DiffItem;

use crate::Store;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::imports::{Findings, Import, ImportState, KEPT_PROBLEMS};
use crate::sql::{Number, Sql};
use compare::{BATCH, CompareError, Found, Plan, compare};
use present::Present;

/// How often a long check says that somebody is at work.
const ALIVE: Duration = Duration::from_secs(5);

impl Store {
    /// Reads an uploaded file: its format, its columns, and what a commit would do. Leaves the import as `draft` or `checked`, or
    /// `failed` where the file cannot be read.
    ///
    /// # Errors
    /// Only the database's: a file that cannot be read is a finding.
    pub fn read_import(self: &Arc<Self>, import: &Import) -> Result<()> {
        let source = self.import_file(import);
        let profiled = match profile(&source) {
            Ok(profiled) => profiled,
            Err(refusal) => return self.fail(import, refusal.into()),
        };
        let schema = self.schema_of(import)?;
        let previous =
            self.last_matching(import.dataset_number)?.and_then(|value| serde_json::from_value::<Matching>(value).ok());
        let columns = suggest(&profiled, &schema, previous.as_ref());
        let matching = Matching::from_columns(&columns);
        let found = Findings {
            reading: serde_json::to_value(&profiled.reading).ok(),
            profile: serde_json::to_value(&profiled).ok(),
            columns: serde_json::to_value(&columns).ok(),
            ..Findings::default()
        };
        self.check(import, &profiled, &schema, matching, found)
    }

    /// Replaces what was decided about the columns, and counts again. Returns what is wrong with the decisions, if something is.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` once the import is committed.
    pub fn rematch_import(self: &Arc<Self>, import: &Import, mut matching: Matching) -> Result<Vec<MatchingFault>> {
        if !matches!(import.state, ImportState::Draft | ImportState::Checked | ImportState::Interrupted) {
            return Err(StoreError::refused("wrong-state", "the columns of this import can no longer be changed"));
        }
        let profiled = match self.profiled(import) {
            Ok(profiled) => profiled,
            Err(refusal) => return self.fail(import, refusal.into()).map(|()| Vec::new()),
        };
        let schema = self.schema_of(import)?;
        // A column that is not spoken of stays as it was decided; in a file that was never read through, as it would have been.
        let spoken: HashSet<String> = matching.columns.iter().map(|decision| decision.column.clone()).collect();
        let decided = match import.matching {
            Some(_) => self.decided(import)?,
            None => Matching::from_columns(&suggest(&profiled, &schema, None)),
        };
        matching.columns.extend(decided.columns.into_iter().filter(|decision| !spoken.contains(&decision.column)));
        if let Err(faults) = matching.validate(&profiled, &schema) {
            return Ok(faults);
        }
        if let Some(fault) = self.other_key(import, &schema, &matching)? {
            return Ok(vec![fault]);
        }
        let found = Findings {
            reading: serde_json::to_value(&profiled.reading).ok(),
            profile: serde_json::to_value(&profiled).ok(),
            columns: serde_json::to_value(matching.columns(&profiled, &schema)).ok(),
            ..Findings::default()
        };
        self.check(import, &profiled, &schema, matching, found).map(|()| Vec::new())
    }

    /// Counts again what a commit will do, where the list has changed since.
    ///
    /// # Errors
    /// As [`Self::rematch_import`].
    pub fn recheck_import(self: &Arc<Self>, import: &Import) -> Result<()> {
        let head = self.head(import)?;
        if import.matching.is_none()
            || import.edition == head
            || !matches!(import.state, ImportState::Draft | ImportState::Checked)
        {
            return Ok(());
        }
        let Matching { key, absent, blank, .. } = self.decided(import)?;
        self.rematch_import(import, Matching { columns: Vec::new(), key, absent, blank }).map(drop)
    }

    /// Records are told apart by the fields that they went in by. A file that goes by others would hit the wrong ones.
    fn other_key(&self, import: &Import, schema: &Schema, matching: &Matching) -> Result<Option<MatchingFault>> {
        let names = |key: &Option<Vec<String>>| match key {
            Some(names) => names.clone(),
            None => schema.key.iter().map(ToString::to_string).collect(),
        };
        let any = "select count(*) as value from (select 1 from records where dataset = ? and died = 9223372036854775807 limit 1) as found";
        let any = self.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(any).bind(import.dataset_number)))?.value > 0;
        let before = self.last_matching(import.dataset_number)?.and_then(|value| serde_json::from_value::<Matching>(value).ok());
        let Some(before) = before.filter(|before| any && names(&before.key) != names(&matching.key)) else { return Ok(None) };
        Ok(Some(MatchingFault {
            pointer: "/key".to_owned(),
            code: "other-key",
            detail: format!("the records of this list are told apart by {}", names(&before.key).join(", ")),
        }))
    }

    fn fail(&self, import: &Import, error: CompareError) -> Result<()> {
        let refusal = match error {
            CompareError::Refused(refusal) => refusal,
            CompareError::Store(error) => return Err(error),
        };
        let failure = json!({"code": refusal.code(), "message": refusal.to_string(), "row": refusal.row()});
        let counts = serde_json::to_value(Counts::default()).ok();
        self.write_findings(import, ImportState::Failed, &Findings { failure: Some(failure), counts, ..Findings::default() })
    }

    fn check(
        self: &Arc<Self>,
        import: &Import,
        profiled: &Profile,
        schema: &Arc<Schema>,
        matching: Matching,
        mut found: Findings,
    ) -> Result<()> {
        let source = self.import_file(import);
        found.edition = self.head(import)?;
        found.matching = serde_json::to_value(&matching).ok();
        let state = if matching.undecided(profiled, schema).is_empty() { ImportState::Checked } else { ImportState::Draft };
        let rows = match draft(&source, profiled, schema, &matching) {
            Ok(rows) => rows,
            Err(refusal) => return self.fail(import, refusal.into()),
        };
        self.drop_problems(import)?;
        let mut kept = 0i64;
        let mut held: Vec<Problem> = Vec::new();
        let spoken = Mutex::new(Instant::now());
        let alive = || {
            let mut spoken = spoken.lock().unwrap_or_else(PoisonError::into_inner);
            if spoken.elapsed() > ALIVE {
                self.keep_alive(import)?;
                *spoken = Instant::now();
            }
            Ok(())
        };
        let present = Present::new(self, import.dataset_number, found.edition, alive);
        let plan = Plan { draft: rows, absent: matching.absent };
        let outcome = compare(plan, &present, |one| {
            if let Found::Problems(problems) = one {
                found.problem_count += i64::try_from(problems.len()).unwrap_or(0);
                held.extend(problems);
                if held.len() >= BATCH && kept < KEPT_PROBLEMS {
                    self.keep_problems(import, kept + 1, &held)?;
                    kept += i64::try_from(held.len()).unwrap_or(0);
                    held.clear();
                } else if kept >= KEPT_PROBLEMS {
                    held.clear();
                }
            }
            Ok(())
        });
        let (mut counts, seen) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.fail(import, error),
        };
        self.keep_problems(import, kept + 1, &held)?;
        if let Some(seen) = seen {
            present.absent(&seen, |_| {
                counts.removed += 1;
                Ok(())
            })?;
        }
        found.counts = serde_json::to_value(counts).ok();
        self.write_findings(import, state, &found)
    }

    /// The newest edition of the import's dataset.
    fn head(&self, import: &Import) -> Result<i64> {
        let head = Sql::new("select head as value from datasets where number = ?").bind(import.dataset_number);
        Ok(self.db.read(Eyes::Own, |conn| conn.one::<Number>(head))?.value)
    }

    fn schema_of(&self, import: &Import) -> Result<Arc<Schema>> {
        let select = "select number, organization, head, schema_name, schema_version from datasets where number = ?";
        self.db.read(Eyes::Own, |conn| {
            let kept = conn.one::<crate::datasets::KeptBy>(Sql::new(select).bind(import.dataset_number))?;
            self.schema_at(conn, &kept.schema_name, kept.schema_version)
        })
    }

    fn decided(&self, import: &Import) -> Result<Matching> {
        let matching = import.matching.clone().ok_or_else(|| StoreError::refused("wrong-state", "this file was not read yet"))?;
        serde_json::from_value(matching).map_err(|_| StoreError::Corrupt("a matching"))
    }

    /// What the first reading of the file told: kept, since the file does not change.
    fn profiled(self: &Arc<Self>, import: &Import) -> std::result::Result<Profile, Refusal> {
        match &import.profile {
            Some(profiled) => Ok(profiled.clone()),
            None => profile(&self.import_file(import)),
        }
    }

    fn plan(self: &Arc<Self>, import: &Import) -> Result<Plan> {
        let matching = self.decided(import)?;
        let schema = self.schema_of(import)?;
        let source = self.import_file(import);
        let profiled = self.profiled(import).map_err(|refusal| CompareError::from(refusal).into_store())?;
        let draft = draft(&source, &profiled, &schema, &matching).map_err(|refusal| CompareError::from(refusal).into_store())?;
        Ok(Plan { draft, absent: matching.absent })
    }
}
