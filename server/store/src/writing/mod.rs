//! From a draft to an edition: comparing with what is there, committing, undoing.
//!
//! A check, a diff and a commit go through the same comparison ([`compare`]): what was counted is what is done.

mod again;
mod brake;
mod check;
mod commit;
mod compare;
mod decided;
mod diff;
mod difference;
mod edit;
mod marked;
mod present;
mod problems;
mod pulse;
mod returned;
mod touched;
mod undo;

use std::collections::HashSet;
use std::sync::Arc;

use hayward_domain::schema::Schema;
use hayward_importers::{Fix, Matching, MatchingFault, Overrules, Profile, Refusal, draft, grid, profile_as, suggest};

pub use brake::Seen;
pub use compare::Counts;
pub use diff::DiffItem;
pub use difference::{DiffColumn, DiffRow, Difference, RowChange, Show};
pub use edit::{Edit, EditError, EditFault, Edited, Given};
pub(crate) use pulse::Pulse;
pub use pulse::{ImportProgress, Phase};
pub(crate) use undo::ShownRows;
pub use undo::{Shown, UndoItem, UndoItems, Undoing};

use crate::Store;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState};
use crate::sql::{Number, Sql};
use compare::{CompareError, Plan};
use decided::Decided;

impl Store {
    /// Reads an uploaded file: its format, its columns, and what a commit would do. Leaves the import as `draft` or `checked`, or
    /// `failed` where the file cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `cancelled` where it was given up meanwhile. A file that cannot be read is a finding.
    pub fn read_import(self: &Arc<Self>, import: &Import) -> Result<()> {
        let read = match self.suggested(import)? {
            Ok(decided) => self.check(import, &decided),
            Err(refusal) => self.fail(import, refusal.into()),
        };
        read.map_err(|error| self.or_given_up(import, error))
    }

    /// Reads an uploaded file and commits it in the same go, its rows counted as they are written: for who wants no look at the counts
    /// first. `matching` is what was decided about its columns. Where something is left to decide, or the commit cannot be, the import
    /// is left as [`Self::read_import`] leaves it.
    ///
    /// # Errors
    /// As [`Self::commit_import`].
    pub fn import_at_once(
        self: &Arc<Self>,
        import: &Import,
        matching: Option<Matching>,
        seen: Seen,
    ) -> Result<Vec<MatchingFault>> {
        let mut decided = match self.suggested(import)? {
            Ok(decided) => decided,
            Err(refusal) => return self.fail(import, refusal.into()).map(|()| Vec::new()),
        };
        if let Some(matching) = matching {
            match self.said(import, &decided, matching)? {
                Ok(said) => decided = said,
                Err(faults) => return self.check(import, &decided).map(|()| faults),
            }
        }
        let head = self.head(import)?;
        if !decided.is_complete() || self.first_time(import, &decided, head)?.is_some() {
            self.check(import, &decided)?;
        } else {
            // Until the commit has it, it is what it would be if the program stopped here: it can be committed again.
            self.write_findings(import, ImportState::Interrupted, &decided.findings(head), None)?;
        }
        let found = self.reload(import)?;
        if !matches!(found.state, ImportState::Checked | ImportState::Interrupted) {
            return Ok(Vec::new());
        }
        let Err(error) = self.commit_import(&found, seen) else { return Ok(Vec::new()) };
        let found = &self.reload(import)?;
        if found.state == ImportState::Cancelled {
            return Err(error);
        }
        // Somebody may want to look at it, and commit it later. Where it is the file that failed, the import tells.
        self.check(found, &decided)?;
        if self.reload(import)?.state == ImportState::Failed { Ok(Vec::new()) } else { Err(error) }
    }

    /// What the program makes of a file's columns.
    fn suggested(self: &Arc<Self>, import: &Import) -> Result<std::result::Result<Decided, Refusal>> {
        let profiled = match self.profiled_before(import)? {
            Some(profiled) => profiled,
            None => {
                let read = self.with_pulse(import, |pulse| {
                    pulse.begin(Phase::Reading, u64::try_from(import.size).unwrap_or(0));
                    profile_as(&self.counted_file(import, pulse), &import.overrules)
                });
                match read {
                    Ok(profiled) => profiled,
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
        };
        self.suggested_for(import, profiled).map(Ok)
    }

    /// Where its columns go, by what was decided about the same file before, the last file of the list, the file of another list of
    /// the same organization that is most like it, or by their headings alone.
    fn suggested_for(&self, import: &Import, profiled: Profile) -> Result<Decided> {
        let schema = self.schema_of(import)?;
        let of_list = self.last_matching(import.dataset_number)?;
        let said: Option<Matching> = import.matching.clone().and_then(|matching| serde_json::from_value(matching).ok());
        let sister = match said.is_none() && of_list.is_none() {
            true => most_alike(self.sister_matchings(import.dataset_number)?, &profiled),
            false => None,
        };
        let columns = suggest(&profiled, &schema, said.as_ref().or(of_list.as_ref()).or(sister.as_ref()));
        let matching = match (&said, &of_list) {
            (Some(own), _) => Matching::again(&columns, own),
            (None, Some(before)) => Matching::going_on(&columns, before),
            (None, None) => Matching::from_columns(&columns),
        };
        Ok(Decided::suggested(profiled, schema, columns, matching))
    }

    /// Reads the file again, as `overrules` says. The columns keep what was decided about them, by heading; corrections of cells are
    /// gone, since rows and columns may be others now. Where the file cannot be read so, everything stays as it was, and the reason is
    /// returned.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` once the import is committed.
    pub fn reread_import(self: &Arc<Self>, import: &Import, overrules: &Overrules) -> Result<Option<Refusal>> {
        let open = [ImportState::Draft, ImportState::Checked, ImportState::Interrupted, ImportState::Failed];
        if !open.contains(&import.state) {
            return Err(StoreError::refused("wrong-state", "this file can no longer be read anew"));
        }
        arrived(import)?;
        let profiled = match profile_as(&self.import_file(import), overrules) {
            Ok(profiled) => profiled,
            Err(refusal) => match CompareError::from(refusal) {
                CompareError::Refused(refusal) => return Ok(Some(refusal)),
                CompareError::Store(error) => return Err(error),
            },
        };
        let decided = self.suggested_for(import, profiled)?;
        self.overrule(import, overrules)?;
        self.check(&self.reload(import)?, &decided).map(|()| None)
    }

    /// Replaces what was decided about the columns, and counts again. Returns what is wrong with the decisions, if something is.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` once the import is committed.
    pub fn rematch_import(self: &Arc<Self>, import: &Import, matching: Matching) -> Result<Vec<MatchingFault>> {
        if !matches!(import.state, ImportState::Draft | ImportState::Checked | ImportState::Interrupted) {
            return Err(StoreError::refused("wrong-state", "the columns of this import can no longer be changed"));
        }
        arrived(import)?;
        let profiled = match self.profiled(import) {
            Ok(profiled) => profiled,
            Err(refusal) => return self.fail(import, refusal.into()).map(|()| Vec::new()),
        };
        let schema = self.schema_of(import)?;
        // In a file that was never read through, a column is decided as it would have been.
        let decided = match import.matching {
            Some(_) => Decided::said(profiled, schema, self.decided(import)?),
            None => self.suggested_for(import, profiled)?,
        };
        match self.said(import, &decided, matching)? {
            Ok(said) => self.check(import, &said).map(|()| Vec::new()),
            Err(faults) => Ok(faults),
        }
    }

    /// The rows of a file as text, title rows and header included, from the `after`-th on; one more than `limit` if there are more.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the file could not be read, or is no longer kept.
    pub fn import_rows(self: &Arc<Self>, import: &Import, after: usize, limit: usize) -> Result<Vec<(u64, Vec<String>)>> {
        let Some(profiled) = &import.profile else {
            return Err(StoreError::refused("wrong-state", "this file was not read"));
        };
        if !self.has_file(import)? {
            return Err(StoreError::refused("file-gone", "the file of this import is no longer kept"));
        }
        let refused = |refusal: Refusal| CompareError::from(refusal).into_store();
        let rows = grid(&self.import_file(import), profiled).map_err(refused)?;
        rows.skip(after).take(limit.saturating_add(1)).map(|row| row.map_err(refused)).collect()
    }

    /// What somebody decided about a file's columns. One that is not spoken of stays as it was.
    fn said(
        &self,
        import: &Import,
        before: &Decided,
        mut matching: Matching,
    ) -> Result<std::result::Result<Decided, Vec<MatchingFault>>> {
        let (profiled, schema) = (&before.profiled, &before.schema);
        let spoken: HashSet<String> = matching.columns.iter().map(|decision| decision.column.clone()).collect();
        let unspoken = before.matching.columns.iter().filter(|decision| !spoken.contains(&decision.column));
        matching.columns.extend(unspoken.cloned());
        matching.key = matching.key.or_else(|| before.matching.key.clone());
        let fixes = std::mem::replace(&mut matching.fixes, before.matching.fixes.clone());
        matching.amend(fixes);
        if let Err(faults) = matching.validate(profiled, schema) {
            return Ok(Err(faults));
        }
        if let Some(fault) = self.other_key(import, schema, &matching)? {
            return Ok(Err(vec![fault]));
        }
        Ok(Ok(Decided::said(profiled.clone(), Arc::clone(schema), matching)))
    }

    /// Takes further corrections of cells up, and counts again. Returns what is wrong with them, if something is.
    ///
    /// # Errors
    /// As [`Self::rematch_import`].
    pub fn fix_import(self: &Arc<Self>, import: &Import, fixes: Vec<Fix>) -> Result<Vec<MatchingFault>> {
        let decided = self.decided(import)?;
        self.rematch_import(import, Matching { columns: Vec::new(), fixes, ..decided })
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
        let faults = self.fix_import(import, Vec::new())?;
        match faults.into_iter().next() {
            Some(fault) => Err(StoreError::refused("wrong-state", fault.detail)),
            None => Ok(()),
        }
    }

    /// Records are told apart by the fields that they went in by. A file that goes by others would hit the wrong ones.
    fn other_key(&self, import: &Import, schema: &Schema, matching: &Matching) -> Result<Option<MatchingFault>> {
        let names = |key: &Option<Vec<String>>| match key {
            Some(names) => names.clone(),
            None => schema.key.iter().map(ToString::to_string).collect(),
        };
        let any = "select count(*) as value from (select 1 from records where dataset = ? and died = 9223372036854775807 limit 1) as found";
        let any = self.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(any).bind(import.dataset_number)))?.value > 0;
        // A key that is remembered as erased is told by these fields too.
        let any = any || self.suppresses(import.dataset_number)?;
        // Records that no file brought in went in by the schema's key.
        let before = names(&self.last_matching(import.dataset_number)?.and_then(|before| before.key));
        if !any || before == names(&matching.key) {
            return Ok(None);
        }
        Ok(Some(MatchingFault {
            pointer: "/key".to_owned(),
            code: "other-key",
            detail: format!("the records of this list are told apart by {}", before.join(", ")),
        }))
    }

    /// Holds what was decided about a file against the file, the schema and the list as they are: nothing else is committed.
    fn settled(self: &Arc<Self>, import: &Import) -> Result<()> {
        let (matching, schema) = (self.decided(import)?, self.schema_of(import)?);
        let profiled = self.profiled(import).map_err(|refusal| CompareError::from(refusal).into_store())?;
        let faults = matching.validate(&profiled, &schema).err().unwrap_or_default();
        let fault = faults.into_iter().next().or(self.other_key(import, &schema, &matching)?);
        if let Some(fault) = fault {
            return Err(StoreError::refused("wrong-state", fault.detail));
        }
        if !matching.undecided(&profiled, &schema).is_empty() {
            return Err(StoreError::refused("undecided-columns", "some columns have no decision yet"));
        }
        Ok(())
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
            None => profile_as(&self.import_file(import), &import.overrules),
        }
    }

    fn plan(self: &Arc<Self>, import: &Import) -> Result<Plan> {
        let matching = self.decided(import)?;
        let schema = self.schema_of(import)?;
        let source = self.import_file(import);
        let profiled = self.profiled(import).map_err(|refusal| CompareError::from(refusal).into_store())?;
        let draft = draft(&source, &profiled, &schema, &matching).map_err(|refusal| CompareError::from(refusal).into_store())?;
        Ok(Plan { draft, absent: matching.absent, only: matching.only })
    }
}

/// Refuses a file of which only the beginning is there.
fn arrived(import: &Import) -> Result<()> {
    if import.file_hash.is_empty() {
        return Err(StoreError::refused("wrong-state", "this file has not arrived whole"));
    }
    Ok(())
}

/// The matching that speaks of the most headings of this file; the earlier of two that are as good.
fn most_alike(matchings: Vec<Matching>, profiled: &Profile) -> Option<Matching> {
    let headings: HashSet<&str> = profiled.columns.iter().map(|column| column.header.as_str()).collect();
    let alike = |matching: &Matching| matching.columns.iter().filter(|column| headings.contains(column.header.as_str())).count();
    matchings.into_iter().rev().max_by_key(alike)
}
