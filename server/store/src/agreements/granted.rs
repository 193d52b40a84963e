//! What an agreement grants now, for its parties.

use std::sync::Arc;

use hayward_domain::agreement::Side;
use hayward_domain::id::AgreementId;
use hayward_domain::terms::Terms;

use super::{AgreementRow, in_force, side_of, versions};
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::Sql;
use crate::{Caller, Store};

/// The version that says what is granted: the one in force, else the newest.
pub struct Granted {
    /// Which it is.
    pub version: i64,
    /// Its state.
    pub state: String,
    /// What it says.
    pub terms: Arc<Terms>,
    /// Which side the caller is on.
    pub side: Side,
}

impl Store {
    /// What an agreement grants, for a party of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn granted(&self, caller: &Caller, id: &AgreementId) -> Result<Granted> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select number, id, provider, recipient, audience, dataset from agreements where id = ?";
            let row = conn.one::<AgreementRow>(Sql::new(select).bind(id.as_str()))?;
            let side = side_of(&row, caller.organization.0).ok_or(StoreError::NotFound)?;
            let all = versions(conn, row.number)?;
            let mut picked = all.last();
            for version in &all {
                if in_force(version.state()?) {
                    picked = Some(version);
                }
            }
            let picked = picked.ok_or(StoreError::Corrupt("an agreement without versions"))?;
            let (terms, _) = self.terms(conn, row.number, picked.version)?;
            Ok(Granted { version: picked.version, state: picked.state.clone(), terms, side })
        })
    }
}
