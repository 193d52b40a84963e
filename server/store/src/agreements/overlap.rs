//! What stays visible through other agreements when one stops.
//!
//! Agreements are never merged, so stopping one leaves every other as it is. A steward who stops one is told which of them show the
//! same list to the same recipient: all that they show, that recipient can read anyway.

use hayward_domain::id::AgreementId;
use serde_json::{Value, json};

use super::{AgreementRow, side_of};
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::{Caller, Store};

rows! {
    OtherRow { number: i64, id: String, version: i64, terms: String }
}

impl Store {
    /// The other agreements in force that show something of the same list to whom this one shows it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone but the parties.
    pub fn still_visible_through(&self, caller: &Caller, id: &AgreementId) -> Result<Vec<Value>> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select number, id, provider, recipient, audience, dataset from agreements where id = ?";
            let row = conn.one::<AgreementRow>(Sql::new(select).bind(id.as_str()))?;
            side_of(&row, caller.organization.0).ok_or(StoreError::NotFound)?;
            // What all member co-ops or the public read, any one of them may be shown by an agreement of its own as well.
            let others = "select a.number, a.id, v.version, v.terms from agreements a
                join agreement_versions v on v.agreement = a.number and v.state = 'active'
                where a.dataset = ? and a.number <> ? and (a.audience <= 0 or a.audience = ? or ? <= 0) order by a.number";
            let others = Sql::new(others).bind(row.dataset).bind(row.number).bind(row.audience).bind(row.audience);
            let mut told = Vec::new();
            for other in conn.load::<OtherRow>(others)? {
                let (terms, _) = self.terms(conn, other.number, other.version)?;
                let raw: Value = serde_json::from_str(&other.terms).map_err(|_| StoreError::Corrupt("terms"))?;
                let fields: Vec<&str> = terms.disclosed().map(|(field, _)| field.as_str()).collect();
                let audience = raw.get("audience").cloned().unwrap_or_default();
                told.push(json!({"agreement": other.id, "version": other.version, "audience": audience, "fields": fields}));
            }
            Ok(told)
        })
    }
}
