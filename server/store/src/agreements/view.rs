//! Agreements as their parties read them.

use hayward_domain::id::AgreementId;
use hayward_domain::mutants;
use serde::Serialize;
use serde_json::Value;

use super::{AgreementRow, VersionRow, in_force, open, side_of, versions};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};
use crate::{Caller, Store};

/// One page of agreements.
#[derive(Serialize)]
pub struct AgreementPage {
    /// The agreements, newest first.
    pub items: Vec<Value>,
    /// Where the next page begins.
    #[serde(skip)]
    pub after: Option<i64>,
}

rows! {
    ApprovalCount { side: String, count: i64 }
    OrganizationIds { provider: String, recipient: Option<String>, dataset: String }
}

impl Store {
    /// One agreement, for a party of it. `shown` is the version to put first; without one, the version in force, else the open one,
    /// else the newest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else.
    pub fn agreement(&self, caller: &Caller, id: &AgreementId, shown: Option<i64>) -> Result<Value> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select number, id, provider, recipient, audience, dataset from agreements where id = ?";
            let row = conn.one::<AgreementRow>(Sql::new(select).bind(id.as_str()))?;
            if side_of(&row, caller.organization.0).is_none() && !mutants::on("agreement-of-anyone") {
                return Err(StoreError::NotFound);
            }
            view(conn, &row, shown)
        })
    }

    /// The agreements of the caller's organization, newest first, below the agreement numbered `below`.
    ///
    /// # Errors
    /// Only the database's.
    pub fn agreements(&self, caller: &Caller, below: Option<i64>, limit: i64) -> Result<AgreementPage> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select number, id, provider, recipient, audience, dataset from agreements
                where number < ? and (provider = ? or recipient = ?) order by number desc limit ?";
            let me = caller.organization.0;
            let select = Sql::new(select).bind(below.unwrap_or(i64::MAX)).bind(me).bind(me).bind(limit + 1);
            let mut rows = conn.load::<AgreementRow>(select)?;
            let more = i64::try_from(rows.len()).unwrap_or(0) > limit;
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let after = rows.last().map(|row| row.number).filter(|_| more);
            let items = rows.iter().map(|row| view(conn, row, None)).collect::<Result<_>>()?;
            Ok(AgreementPage { items, after })
        })
    }
}

fn view(conn: &mut Conn, row: &AgreementRow, shown: Option<i64>) -> Result<Value> {
    let all = versions(conn, row.number)?;
    let mut pick = all.last();
    for wanted in [open, in_force] {
        for version in &all {
            if wanted(version.state()?) {
                pick = Some(version);
            }
        }
    }
    let pick = shown.and_then(|shown| all.iter().find(|version| version.version == shown)).or(pick);
    let pick = pick.ok_or(StoreError::Corrupt("an agreement without versions"))?;
    let ids = "select p.id as provider, r.id as recipient, d.id as dataset from agreements a
        join organizations p on p.number = a.provider left join organizations r on r.number = a.recipient
        join datasets d on d.number = a.dataset where a.number = ?";
    let ids = conn.one::<OrganizationIds>(Sql::new(ids).bind(row.number))?;
    let terms = |version: &VersionRow| serde_json::from_str::<Value>(&version.terms).map_err(|_| StoreError::Corrupt("terms"));
    let mut list = Vec::with_capacity(all.len());
    for version in &all {
        let count = "select side, count(*) as count from approvals where agreement = ? and version = ? group by side";
        let counts = conn.load::<ApprovalCount>(Sql::new(count).bind(row.number).bind(version.version))?;
        let of = |side: &str| counts.iter().find(|row| row.side == side).map_or(0, |row| row.count);
        list.push(serde_json::json!({
            "version": version.version,
            "state": version.state,
            "hash": version.hash,
            "proposed_by": version.proposed_by,
            "proposed_at": hayward_domain::moment::Moment(version.created_at).to_rfc3339(),
            "approvals": {"provider": of("provider"), "recipient": of("recipient")},
            "suspended_by": version.suspended_by.split_terminator(' ').collect::<Vec<_>>(),
            "terms": terms(version)?,
        }));
    }
    Ok(serde_json::json!({
        "id": row.id,
        "provider": ids.provider,
        "recipient": ids.recipient,
        "dataset": ids.dataset,
        "version": pick.version,
        "state": pick.state,
        "hash": pick.hash,
        "terms": terms(pick)?,
        "versions": list,
    }))
}
