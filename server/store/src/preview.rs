//! What a version would show: the disclosure itself, before anybody agreed to it.

use std::collections::HashMap;
use std::sync::Arc;

use hayward_domain::contacts::Contacts;
use hayward_domain::disclose::SharedRecord;
use hayward_domain::id::AgreementId;
use hayward_domain::keys::AgreementKeys;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber, Sealed};
use hayward_domain::schema::{FieldName, Kind, Schema, Sensitivity};
use hayward_domain::terms::{RecordIds, Terms};
use hayward_domain::treatment::Treatment;

use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::{Caller, Store};

/// How many records with something to look at are named for one field.
const NAMED: usize = 5;

/// The first page that a recipient would get, and what a steward should know about all the others.
pub struct Preview {
    /// What the version says.
    pub terms: Arc<Terms>,
    /// The schema that it was written for.
    pub schema: Arc<Schema>,
    /// The records: their ids for the recipient, and what would be disclosed.
    pub records: Vec<(String, SharedRecord)>,
    /// How many records would be disclosed, on all pages.
    pub shown: u64,
    /// How many records the list has.
    pub of: u64,
    /// Every field in free words that would be disclosed as it is.
    pub free_text: Vec<FreeText>,
}

/// What the disclosed cells of one field in free words hold besides. Never a value.
pub struct FreeText {
    /// The field.
    pub field: FieldName,
    /// In how many cells something looks like an e-mail address.
    pub emails: u64,
    /// In how many something looks like a telephone number.
    pub phones: u64,
    /// The first few records concerned, by the ids that they have in the provider's own list.
    pub records: Vec<String>,
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
            let (mut shown_of, mut looking) = ((0, 0), FreeText::fields(&terms, &schema));
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
                    let sealed = Sealed::new(owner, record);
                    shown_of.1 += 1;
                    let Some(shown) = terms.disclose(&schema, &keys, &sealed) else { continue };
                    shown_of.0 += 1;
                    // Whoever previews is the owner: what is looked into is shown as it is, and nothing of it is kept.
                    let record = sealed.open_for(caller.organization).ok_or(StoreError::NotFound)?;
                    let id = || self.keyring.record_ids().stable(RecordNumber(original.record));
                    looking.iter_mut().for_each(|field| field.look(&record, id));
                    let place = (keys.order(shown.payload()), keys.order_number(RecordNumber(original.record)));
                    first.push((shelved.get(&original.record).copied(), place, original.record, shown));
                }
                // Rows already on the shelf stand first, in their order; new ones follow in theirs.
                first.sort_by_key(|(row, place, _, _)| (row.is_none(), *row, *place));
                first.truncate(limit);
            }
            let name = |record| self.recipient_id(&terms, &keys, row.number, record);
            let records = first.into_iter().map(|(_, _, record, shown)| (name(record), shown)).collect();
            let (shown, of) = shown_of;
            Ok(Preview { terms, schema, records, shown, of, free_text: looking })
        })
    }

    /// The rows of a share that is built under this version, by record.
    fn shelved_places(&self, conn: &mut crate::conn::Conn, share: i64, version: i64) -> Result<HashMap<i64, i64>> {
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

impl FreeText {
    /// The fields to look into: text that nobody says the form of, and whatever is built of such text, where it is shown as it is.
    fn fields(terms: &Terms, schema: &Schema) -> Vec<Self> {
        let fields = schema.fields.iter().filter(|field| match field.kind {
            Kind::Text => field.reads_as.is_none(),
            Kind::Structured => true,
            Kind::Date | Kind::Integer | Kind::Number | Kind::Boolean => false,
        });
        let exact = fields
            .filter(|field| field.sensitivity != Sensitivity::Never && terms.fields.get(&field.name) == Some(&Treatment::Exact));
        exact.map(|field| Self { field: field.name.clone(), emails: 0, phones: 0, records: Vec::new() }).collect()
    }

    fn look(&mut self, record: &Record, id: impl Fn() -> String) {
        let found = record.fields.get(&self.field).map(Contacts::in_value).unwrap_or_default();
        self.emails += u64::from(found.email);
        self.phones += u64::from(found.phone);
        if (found.email || found.phone) && self.records.len() < NAMED {
            self.records.push(id());
        }
    }
}
