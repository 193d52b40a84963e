//! Agreements as their parties read them.

use hayward_domain::agreement::{Side, State};
use hayward_domain::id::AgreementId;
use hayward_domain::moment::Moment;
use hayward_domain::mutants;
use hayward_domain::schema::Sensitivity;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::approving::recusals;
use super::certificate::certificates;
use super::story::{EventRow, Today, events, history};
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
            let own = side_of(&row, caller.organization.0).or(mutants::on("agreement-of-anyone").then_some(Side::Provider));
            let (own, today) = (own.ok_or(StoreError::NotFound)?, Today::of(self, conn)?);
            self.agreement_told(conn, &row, shown, own, &today)
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
            let today = Today::of(self, conn)?;
            let mut items = Vec::with_capacity(rows.len());
            for row in &rows {
                let own = side_of(row, me).ok_or(StoreError::NotFound)?;
                items.push(self.agreement_told(conn, row, None, own, &today)?);
            }
            Ok(AgreementPage { items, after })
        })
    }

    fn agreement_told(&self, conn: &mut Conn, row: &AgreementRow, shown: Option<i64>, own: Side, today: &Today) -> Result<Value> {
        let all = versions(conn, row.number)?;
        let pick = picked(&all, shown)?.ok_or(StoreError::Corrupt("an agreement without versions"))?;
        let ids = "select p.id as provider, r.id as recipient, d.id as dataset from agreements a
            join organizations p on p.number = a.provider left join organizations r on r.number = a.recipient
            join datasets d on d.number = a.dataset where a.number = ?";
        let ids = conn.one::<OrganizationIds>(Sql::new(ids).bind(row.number))?;
        let events = events(conn, row.number)?;
        let certificates = certificates(conn, row.number)?;
        let mut list = Vec::with_capacity(all.len());
        for version in &all {
            let certificate = certificates.iter().find(|(of, _)| *of == version.version).map(|(_, certificate)| certificate);
            list.push(self.version(conn, row, version, own, &events, today, certificate)?);
        }
        Ok(json!({
            "id": row.id,
            "provider": ids.provider,
            "recipient": ids.recipient,
            "dataset": ids.dataset,
            "version": pick.version,
            "state": pick.state,
            "hash": pick.hash,
            "terms": terms(pick)?,
            "recusals": recusals(conn, row.number, own)?,
            "versions": list,
        }))
    }

    #[expect(clippy::too_many_arguments, reason = "what all versions of an agreement have in common is asked for once")]
    fn version(
        &self,
        conn: &mut Conn,
        row: &AgreementRow,
        version: &VersionRow,
        own: Side,
        events: &[EventRow],
        today: &Today,
        certificate: Option<&Value>,
    ) -> Result<Value> {
        let mut json = Map::new();
        let mut put = |name: &str, value: Value| drop(json.insert(name.to_owned(), value));
        put("version", version.version.into());
        put("state", version.state.as_str().into());
        put("hash", version.hash.as_str().into());
        put("proposed_by", version.proposed_by.as_str().into());
        put("proposed_at", Moment(version.created_at).to_rfc3339().into());
        let (read, schema) = self.terms(conn, row.number, version.version)?;
        // What is missing is asked while something can be.
        if matches!(version.state()?, State::Requested | State::Offered) {
            put("approvals", self.approvals(conn, row, version, own)?);
            put("decision_needed", read.sensitivities(&schema).contains(&Sensitivity::Special).into());
        }
        put("suspended_by", version.suspended_by.split_terminator(' ').collect::<Vec<_>>().into());
        put("history", history(events, version.version, own).into());
        put("terms", terms(version)?);
        if let Some(certificate) = certificate {
            put("certificate", certificate.clone());
        }
        today.tell(version, &read, events, &mut json)?;
        Ok(json.into())
    }
}

fn terms(version: &VersionRow) -> Result<Value> {
    serde_json::from_str(&version.terms).map_err(|_| StoreError::Corrupt("terms"))
}

/// The version to put first.
fn picked(all: &[VersionRow], shown: Option<i64>) -> Result<Option<&VersionRow>> {
    let mut pick = all.last();
    for wanted in [open, in_force] {
        for version in all {
            if wanted(version.state()?) {
                pick = Some(version);
            }
        }
    }
    Ok(shown.and_then(|shown| all.iter().find(|version| version.version == shown)).or(pick))
}
