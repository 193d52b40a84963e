//! What a version needs to be put into words: its terms and schema, and what the parties call things.

use std::sync::Arc;

use hayward_domain::id::AgreementId;
use hayward_domain::schema::Schema;
use hayward_domain::terms::Terms;
use hayward_domain::words::Version;

use super::{AgreementRow, in_force, side_of, versions};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::shelf::ShareSummary;
use crate::sql::{Sql, rows};
use crate::{Caller, Store};

/// One version, ready to be put into words. Of no record.
pub struct Wording {
    /// Which version.
    pub version: i64,
    terms: Arc<Terms>,
    schema: Arc<Schema>,
    provider: String,
    recipient: Option<String>,
    list: String,
    zone: &'static str,
}

impl Wording {
    /// What a share shows to whoever reads it. How its owner calls the list is the owner's, so the schema's name stands in for it.
    pub(crate) fn of_share(share: &ShareSummary, provider: String, recipient: Option<String>, zone: &'static str) -> Self {
        let list = share.schema.titles.get("en").unwrap_or(&share.schema.name).clone();
        let (terms, schema) = (Arc::clone(&share.terms), Arc::clone(&share.schema));
        Self { version: share.version, terms, schema, provider, recipient, list, zone }
    }

    /// The version as the domain speaks of it.
    #[must_use]
    pub fn as_version(&self) -> Version<'_> {
        Version {
            terms: &self.terms,
            schema: &self.schema,
            provider: &self.provider,
            recipient: self.recipient.as_deref(),
            list: &self.list,
            zone: self.zone,
        }
    }
}

rows! {
    NameRow { provider: String, recipient: Option<String>, list: String }
}

impl Store {
    /// One version of an agreement, for a party of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else, and where there is no such version.
    pub fn wording(&self, caller: &Caller, id: &AgreementId, version: i64) -> Result<Wording> {
        self.db.read(Eyes::Own, |conn| {
            let row = seen(conn, caller, id)?;
            self.worded(conn, row.number, version)
        })
    }

    /// A version and one to compare it with, for a party of the agreement: `from`, else the one in force, else the one before it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else, and where there is no such version; [`StoreError::Refused`] as `first-version` where
    /// nothing comes before it.
    pub fn wordings(&self, caller: &Caller, id: &AgreementId, from: Option<i64>, to: i64) -> Result<(Wording, Wording)> {
        self.db.read(Eyes::Own, |conn| {
            let row = seen(conn, caller, id)?;
            let to = self.worded(conn, row.number, to)?;
            let from = match from {
                Some(from) => from,
                None => usual_from(conn, row.number, to.version)?,
            };
            Ok((self.worded(conn, row.number, from)?, to))
        })
    }

    fn worded(&self, conn: &mut Conn, agreement: i64, version: i64) -> Result<Wording> {
        let (terms, schema) = self.terms(conn, agreement, version)?;
        let select = "select p.name as provider, r.name as recipient, d.name as list from agreements a
            join organizations p on p.number = a.provider left join organizations r on r.number = a.recipient
            join datasets d on d.number = a.dataset where a.number = ?";
        let NameRow { provider, recipient, list } = conn.one::<NameRow>(Sql::new(select).bind(agreement))?;
        let zone = self.settings(conn)?.time_zone.name();
        Ok(Wording { version, terms, schema, provider, recipient, list, zone })
    }
}

/// The agreement, if the caller's organization is a party of it.
fn seen(conn: &mut Conn, caller: &Caller, id: &AgreementId) -> Result<AgreementRow> {
    let select = "select number, id, provider, recipient, audience, dataset from agreements where id = ?";
    let row = conn.one::<AgreementRow>(Sql::new(select).bind(id.as_str()))?;
    side_of(&row, caller.organization.0).ok_or(StoreError::NotFound)?;
    Ok(row)
}

/// The version in force, unless it is the one that is compared or a later one; else the one before.
fn usual_from(conn: &mut Conn, agreement: i64, to: i64) -> Result<i64> {
    let mut from = None;
    for row in versions(conn, agreement)?.iter().filter(|row| row.version < to) {
        if in_force(row.state()?) {
            return Ok(row.version);
        }
        from = Some(row.version);
    }
    from.ok_or_else(|| StoreError::refused("first-version", "there is no version before this one: name one with `from`"))
}
