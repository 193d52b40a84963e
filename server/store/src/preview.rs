//! What a version would show: the disclosure itself, before anybody agreed to it.

use std::sync::Arc;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::id::AgreementId;
use hayward_domain::keys::AgreementKeys;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber, Sealed};
use hayward_domain::schema::Schema;
use hayward_domain::terms::{RecordIds, Terms};

use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::{Caller, Store};

/// The first page that a recipient would get.
pub struct Preview {
    /// What the version says.
    pub terms: Arc<Terms>,
    /// What the version was read against.
    pub schema: Arc<Schema>,
    /// The records: their ids for the recipient, and what would be disclosed.
    pub records: Vec<(String, SharedRecord)>,
}

rows! {
    PartyRow { number: i64, provider: i64, dataset: i64 }
    OriginalRow { record: i64, body: String }
}

/// Where a row would stand among the new rows of a share; see [`crate::share`].
type Place = ([u8; 16], [u8; 8]);

impl Store {
    /// The page that the recipient of a version would get from `GET /{collection}?agreement=…`, in the same order: for the provider.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone but the provider.
    pub fn preview(&self, caller: &Caller, id: &AgreementId, version: i64, limit: usize) -> Result<Preview> {
        self.db.read(Eyes::Own, |conn| {
            let select = "select number, provider, dataset from agreements where id = ? and provider = ?";
            let row = conn.one::<PartyRow>(Sql::new(select).bind(id.as_str()).bind(caller.organization.0))?;
            let (terms, schema) = self.terms(conn, row.number, version)?;
            let keys = self.agreement_keys(conn, row.number)?;
            let owner = OrganizationNumber(row.provider);
            let head = "select head as value from datasets where number = ?";
            let head = conn.one::<Number>(Sql::new(head).bind(row.dataset))?.value;
            let shelved = self.shelved_places(conn, row.number, version)?;
            let mut first: Vec<(Option<i64>, Place, i64, SharedRecord)> = Vec::new();
            let mut after = 0;
            loop {
                let select = "select record, body from records where dataset = ? and born <= ? and died > ? and record > ?
                    order by record limit 1000";
                let select = Sql::new(select).bind(row.dataset).bind(head).bind(head).bind(after);
                let originals = conn.load::<OriginalRow>(select)?;
                let Some(last) = originals.last() else { break };
                after = last.record;
                for original in originals {
                    let record = Record::from_body(&original.body).ok_or(StoreError::Corrupt("a record"))?;
                    let Some(shown) = terms.disclose(&schema, &keys, &Sealed::new(owner, record)) else { continue };
                    let place = (keys.order(shown.payload()), keys.order_number(RecordNumber(original.record)));
                    first.push((shelved.get(&original.record).copied(), place, original.record, shown));
                }
                // Rows already on the shelf stand first, in their order; new ones follow in theirs.
                first.sort_by_key(|(row, place, _, _)| (row.is_none(), *row, *place));
                first.truncate(limit);
            }
            let name = |record| self.recipient_id(&terms, &keys, row.number, record);
            let records = first.into_iter().map(|(_, _, record, shown)| (name(record), shown)).collect();
            Ok(Preview { terms, schema, records })
        })
    }

    /// The rows of a share that is built under this version, by record.
    fn shelved_places(
        &self,
        conn: &mut crate::conn::Conn,
        share: i64,
        version: i64,
    ) -> Result<std::collections::HashMap<i64, i64>> {
        rows! { ShelvedRow { row: i64, record: i64 } }
        let select = "select r.row, r.record from shared_records r join shares s on s.number = r.share
            where r.share = ? and s.version = ? and r.born <= s.head and r.died > s.head";
        let rows = conn.load::<ShelvedRow>(Sql::new(select).bind(share).bind(version))?;
        Ok(rows.into_iter().map(|row| (row.record, row.row)).collect())
    }

    fn recipient_id(&self, terms: &Terms, keys: &AgreementKeys, share: i64, record: i64) -> String {
        let ids = self.keyring.record_ids();
        match terms.record_id {
            RecordIds::Stable => ids.stable(RecordNumber(record)),
            RecordIds::Pseudonym => ids.pseudonym(share, keys, RecordNumber(record)),
        }
    }
}
