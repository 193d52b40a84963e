//! Datasets.

use hayward_domain::id::DatasetId;
use hayward_domain::record::OrganizationNumber;
use serde::Serialize;

use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::people::named;
use crate::sql::{Number, Sql, rows};
use crate::{Store, counter};

/// A dataset to be.
pub struct NewDataset {
    /// Its id.
    pub id: DatasetId,
    /// The name of its schema.
    pub schema: String,
    /// What people call it.
    pub name: String,
}

/// One of an organization's own datasets.
#[derive(Clone, Serialize)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// The name of its schema.
    pub schema: String,
    /// What people call it.
    pub name: String,
    /// Its newest edition; 0 before the first import.
    pub edition: i64,
}

rows! {
    OwnRow { id: String, schema_name: String, name: String, head: i64 }
    /// A dataset's number and owner.
    KeptBy { number: i64, organization: i64, head: i64, schema_name: String, schema_version: i64 }
}

/// The caller's own dataset. Somebody else's is not found.
pub(crate) fn own(conn: &mut Conn, id: &DatasetId, owner: OrganizationNumber) -> Result<KeptBy> {
    let select = "select number, organization, head, schema_name, schema_version from datasets where id = ? and organization = ?";
    conn.one::<KeptBy>(Sql::new(select).bind(id.as_str()).bind(owner.0))
}

impl Store {
    /// Makes an empty dataset of the newest version of a schema.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an unknown schema, [`StoreError::Exists`] if the organization has a dataset of this name.
    pub fn add_dataset(&self, owner: OrganizationNumber, new: &NewDataset) -> Result<Dataset> {
        if new.name.trim().is_empty() || new.name.chars().count() > 200 || new.name.contains('\0') {
            return Err(StoreError::refused("bad-name", "a dataset's name has 1 to 200 characters and no NUL"));
        }
        let now = (self.clock)();
        self.db.write(|conn| {
            let newest = "select coalesce(max(version), 0) as value from schemas where name = ?";
            let version = conn.one::<Number>(Sql::new(newest).bind(&new.schema))?.value;
            if version == 0 {
                return Err(StoreError::refused("unknown-schema", "no schema of this commons has this name"));
            }
            let number = counter::take(conn, "dataset", 1)?;
            let insert = "insert into datasets (number, id, organization, schema_name, schema_version, name, created_at)
                values (?, ?, ?, ?, ?, ?, ?)";
            let insert = Sql::new(insert).bind(number).bind(new.id.as_str()).bind(owner.0).bind(&new.schema).bind(version);
            conn.execute(insert.bind(&new.name).bind(now)).map_err(|error| named(error, "a dataset of yours with this name"))?;
            conn.execute(Sql::new("insert into claims (dataset) values (?)").bind(number))?;
            Ok(Dataset { id: new.id.to_string(), schema: new.schema.clone(), name: new.name.clone(), edition: 0 })
        })
    }

    /// The organization's own datasets, in the order they were made.
    ///
    /// # Errors
    /// Only the database's.
    pub fn datasets(&self, owner: OrganizationNumber) -> Result<Vec<Dataset>> {
        let select = "select id, schema_name, name, head from datasets where organization = ? order by number";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<OwnRow>(Sql::new(select).bind(owner.0)))?;
        Ok(rows
            .into_iter()
            .map(|row| Dataset { id: row.id, schema: row.schema_name, name: row.name, edition: row.head })
            .collect())
    }

    /// The dataset with this id and its owner, for the operator's command line.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    pub fn dataset_owner(&self, id: &DatasetId) -> Result<(OrganizationNumber, String)> {
        let select = "select number, organization, head, schema_name, schema_version from datasets where id = ?";
        let row = self.db.read(Eyes::Own, |conn| conn.one::<KeptBy>(Sql::new(select).bind(id.as_str())))?;
        Ok((OrganizationNumber(row.organization), row.schema_name))
    }

    /// The schema version that one of the caller's own datasets keeps.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not theirs.
    pub fn dataset_schema(
        &self,
        owner: OrganizationNumber,
        id: &DatasetId,
    ) -> Result<std::sync::Arc<hayward_domain::schema::Schema>> {
        self.db.read(Eyes::Own, |conn| {
            let row = own(conn, id, owner)?;
            self.schema_at(conn, &row.schema_name, row.schema_version)
        })
    }
}
