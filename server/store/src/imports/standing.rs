//! Where imports stand, how far the work on them is, and giving them up.

use hayward_domain::id::{DatasetId, ImportId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use serde_json::{Value, json};

use super::{Import, ImportState, drop_pieces};
use crate::Store;
use crate::conn::Eyes;
use crate::datasets;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::writing::ImportProgress;

rows! {
    StandingRow { state: String, progress: Option<String> }
    ImportLine { id: String, filename: String, state: String, counts: Option<String>, problem_count: i64, edition: i64, made_at: i64 }
}

impl ImportLine {
    fn to_json(&self) -> Value {
        let counts: Value = self.counts.as_deref().and_then(|counts| serde_json::from_str(counts).ok()).unwrap_or_default();
        json!({
            "id": self.id, "filename": self.filename, "state": self.state, "counts": counts, "problem_count": self.problem_count,
            "edition": self.edition, "made_at": Moment(self.made_at).to_rfc3339(),
        })
    }
}

impl Store {
    /// Where an import stands, and how far the work on it is while somebody is at work.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not the owner's.
    pub fn import_standing(&self, owner: OrganizationNumber, id: &ImportId) -> Result<(ImportState, Option<ImportProgress>)> {
        let select = "select i.state, i.progress from imports i join datasets d on d.number = i.dataset where i.id = ? and d.organization = ?";
        let select = Sql::new(select).bind(id.as_str()).bind(owner.0);
        let row = self.db.read(Eyes::Own, |conn| conn.one::<StandingRow>(select))?;
        let state = ImportState::parse(&row.state)?;
        Ok((state, at_work(state, row.progress.as_deref())))
    }

    /// Writes down how far the work is, and where it `is_alive` that somebody is at work. Returns whether anybody still wants it done.
    pub(crate) fn write_progress(&self, import: &Import, progress: &ImportProgress, is_alive: bool) -> Result<bool> {
        let mut update = Sql::new("update imports set progress = ?").bind(serde_json::to_string(progress).ok());
        if is_alive {
            update.push_with(", changed_at = ?", [(self.clock)().into()]);
        }
        update.push_with(" where id = ? and state <> 'cancelled'", [(&import.id).into()]);
        self.db.write(|conn| conn.execute(update)).map(|touched| touched == 1)
    }

    /// Gives an import up: nothing of it goes into the list, and its file is dropped. Who is at work on it ends soon, and in vain.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` where it is committed, or over in another way.
    pub fn cancel_import(&self, import: &Import) -> Result<()> {
        use ImportState::{Checked, Committing, Draft, Failed, Interrupted, Reading};
        let open = [Reading, Draft, Checked, Committing, Failed, Interrupted];
        let given_up = self.set_state(import, &open, ImportState::Cancelled);
        self.drop_given_up(import)?;
        given_up
    }

    /// Drops what an import holds, where it was given up. Who was still at work on it may have added something since.
    pub(crate) fn drop_given_up(&self, import: &Import) -> Result<bool> {
        if self.reload(import)?.state != ImportState::Cancelled {
            return Ok(false);
        }
        // Who still counts its rows keeps nothing more of them.
        let update = Sql::new("update imports set counting = counting + 1 where id = ?").bind(&import.id);
        self.db.write(|conn| conn.execute(update))?;
        self.until_none(|conn| drop_pieces(conn, &import.id))?;
        self.drop_problems(import)?;
        Ok(true)
    }

    /// The error to tell after work on an import failed: that it was given up, where it was.
    pub(crate) fn or_given_up(&self, import: &Import, error: StoreError) -> StoreError {
        match self.drop_given_up(import) {
            Ok(true) => StoreError::refused("cancelled", "this import was given up"),
            Ok(false) | Err(_) => error,
        }
    }

    /// The imports of a dataset, the newest first: those after the `after`-th, one more than `limit` if there are more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the dataset is not the owner's.
    pub fn imports(&self, owner: OrganizationNumber, dataset: &DatasetId, after: i64, limit: i64) -> Result<Vec<Value>> {
        let select = "select id, filename, state, counts, problem_count, edition, made_at from imports where dataset = ?
            order by made_at desc, id limit ? offset ?";
        self.db.read(Eyes::Own, |conn| {
            let kept = datasets::own(conn, dataset, owner)?;
            let lines = conn.load::<ImportLine>(Sql::new(select).bind(kept.number).bind(limit.saturating_add(1)).bind(after))?;
            Ok(lines.iter().map(ImportLine::to_json).collect())
        })
    }
}

/// How far the work is; nothing where nobody is at work.
pub(super) fn at_work(state: ImportState, progress: Option<&str>) -> Option<ImportProgress> {
    let progress = progress.filter(|_| matches!(state, ImportState::Reading | ImportState::Committing));
    progress.and_then(|text| serde_json::from_str(text).ok())
}
