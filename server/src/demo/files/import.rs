//! Bringing one file in, the way that people do: upload, read, decide, commit.

use std::sync::Arc;

use hayward_domain::id::ImportId;
use hayward_domain::record::OrganizationNumber;
use hayward_importers::{Decision, Matching, Overrules};
use hayward_store::{Import, ImportState, NewImport, Seen, Store, StoreError};

use super::Sheet;
use crate::demo::cast::{Cast, List, Member};
use crate::demo::{DemoError, derive};

/// The uploads to one list.
pub(super) struct Uploads<'a> {
    pub(super) store: &'a Arc<Store>,
    pub(super) cast: &'a Cast,
    pub(super) member: &'a Member,
    pub(super) owner: OrganizationNumber,
    pub(super) list: &'a List,
}

impl Uploads<'_> {
    /// Imports the `nth` file of this list.
    pub(super) fn commit(&self, nth: usize, sheet: &Sheet) -> Result<(), DemoError> {
        self.commit_read(&self.read(nth, sheet, ImportState::Checked)?)
    }

    /// Imports a file, and takes it back.
    pub(super) fn commit_and_undo(&self, nth: usize, sheet: &Sheet) -> Result<(), DemoError> {
        let import = self.read(nth, sheet, ImportState::Checked)?;
        self.commit_read(&import)?;
        self.store.undo_import(&self.again(&import)?, None)?;
        Ok(())
    }

    /// Uploads a file, and leaves its unknown column undecided.
    pub(super) fn leave_as_draft(&self, nth: usize, sheet: &Sheet) -> Result<(), DemoError> {
        self.read(nth, sheet, ImportState::Draft).map(drop)
    }

    /// Imports a file, its unknown column kept private.
    pub(super) fn commit_with_private_column(&self, nth: usize, sheet: &Sheet) -> Result<(), DemoError> {
        let import = self.read(nth, sheet, ImportState::Draft)?;
        let unread = || DemoError::Unread { file: import.filename.clone(), state: import.state };
        let matching = import.matching.clone().and_then(|matching| serde_json::from_value::<Matching>(matching).ok());
        let mut matching = matching.ok_or_else(unread)?;
        for column in matching.columns.iter_mut().filter(|column| column.field.is_none()) {
            column.field = Some(Decision::Private);
        }
        if !self.store.rematch_import(&import, matching)?.is_empty() {
            return Err(unread());
        }
        self.commit_read(&self.again(&import)?)
    }

    fn commit_read(&self, import: &Import) -> Result<(), DemoError> {
        Ok(self.store.commit_import(import, Seen::of(import.edition))?)
    }

    fn read(&self, nth: usize, sheet: &Sheet, expected: ImportState) -> Result<Import, DemoError> {
        let schema = self.store.dataset_schema(self.owner, &self.list.id)?;
        let id = ImportId::from_random(derive::bytes(self.cast.seed, &["import", self.list.id.as_str(), &nth.to_string()]));
        let filename = format!("{}-{}.csv", self.list.kind.schema(), nth + 1);
        let by = self.member.people.last().map_or("", |human| human.id.as_str());
        self.store.begin_import(
            self.owner,
            by,
            &self.list.id,
            &NewImport { id: id.clone(), filename, overrules: Overrules::default() },
        )?;
        let id = self.store.keep_file(&id, sheet.csv(&schema)?.as_slice())?;
        self.store.read_import(&self.store.import(self.owner, &id)?)?;
        let import = self.store.import(self.owner, &id)?;
        if import.state == expected && import.problem_count == 0 {
            return Ok(import);
        }
        Err(DemoError::Unread { file: format!("{}/{}", self.member.slug, import.filename), state: import.state })
    }

    /// The import as it is now.
    fn again(&self, import: &Import) -> Result<Import, DemoError> {
        let id = ImportId::parse(&import.id).ok_or(StoreError::Corrupt("an import"))?;
        Ok(self.store.import(self.owner, &id)?)
    }
}
