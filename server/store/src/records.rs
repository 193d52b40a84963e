//! An organization's own originals, read back.

use std::collections::BTreeMap;
use std::sync::Arc;

use hayward_domain::id::DatasetId;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber, Sealed};
use hayward_domain::schema::Schema;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::datasets;
use crate::dialect::Document;
use crate::error::{Result, StoreError};
use crate::order::Order;
use crate::sql::{Number, Sql, rows};

/// One of the caller's own records: opened for them.
pub struct OwnRecord {
    /// Its id.
    pub id: String,
    record: Record,
}

impl OwnRecord {
    pub(crate) fn new(id: String, record: Record) -> Self {
        Self { id, record }
    }

    /// What tells this state of the record from every other: a strong validator of [`Self::to_json`] (RFC 9110, section 8.8.1).
    #[must_use]
    pub fn tag(&self, schema: &Schema) -> String {
        let digest = Sha256::digest(self.to_json(schema).to_string().as_bytes());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The record, flat: `id`, every field of the schema (`null` where empty), then the private columns by header.
    #[must_use]
    pub fn to_json(&self, schema: &Schema) -> Value {
        own_json(&self.id, &self.record, schema)
    }

    /// The cells of a spreadsheet row: the schema's fields, then these private columns.
    #[must_use]
    pub fn to_cells(&self, schema: &Schema, private: &[String]) -> Vec<Value> {
        let fields = schema.fields.iter().map(|field| self.record.fields.get(&field.name).cloned().unwrap_or_default());
        let private =
            private.iter().map(|header| self.record.private.get(header).map_or(Value::Null, |text| text.as_str().into()));
        fields.chain(private).collect()
    }
}

/// A record for its owner, flat.
pub(crate) fn own_json(id: &str, record: &Record, schema: &Schema) -> Value {
    let mut flat = Map::new();
    flat.insert("id".to_owned(), id.into());
    for field in &schema.fields {
        flat.insert(field.name.to_string(), record.fields.get(&field.name).cloned().unwrap_or_default());
    }
    for (header, value) in &record.private {
        flat.insert(private_name(header, schema), value.as_str().into());
    }
    Value::Object(flat)
}

/// A private column keeps its header, unless a field or the id is called so.
#[must_use]
pub fn private_name(header: &str, schema: &Schema) -> String {
    if header == "id" || schema.field(header).is_some() { format!("{header} (private)") } else { header.to_owned() }
}

/// One page of own records.
pub struct OwnPage {
    /// The dataset's schema.
    pub schema: Arc<Schema>,
    /// The records.
    pub records: Vec<OwnRecord>,
    /// The edition that the pages are of.
    pub edition: i64,
    /// The row after which the next page begins, if there is one.
    pub after: Option<i64>,
}

rows! {
    RecordRow { record: i64, body: String }
    BodyRow { body: String }
}

impl Store {
    /// One page of an organization's own records, from an edition and the row that the page before it ended with, 0 before the first
    /// page; without either, the first page of the newest edition.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the dataset is not theirs.
    pub fn own_records(
        &self,
        owner: OrganizationNumber,
        dataset: &DatasetId,
        order: &Order,
        from: Option<(i64, i64)>,
        limit: i64,
    ) -> Result<OwnPage> {
        self.db.read(Eyes::Own, |conn| {
            let kept = datasets::own(conn, dataset, owner)?;
            let schema = self.schema_at(conn, &kept.schema_name, kept.schema_version)?;
            if let Some(key) = order.0.iter().find(|key| schema.field(key.field.as_str()).is_none()) {
                return Err(StoreError::refused("unknown-field", format!("`{}` is not a field of this list", key.field)));
            }
            // Edition 0 is that of a list that nothing was ever put into.
            if let Some((edition, _)) = from.filter(|(edition, _)| *edition > 0) {
                let select = "select count(*) as value from editions e where e.dataset = ? and e.edition = ?
                    and e.commit_number >= (select pruned from commit_counter where only_row = 1)";
                if conn.one::<Number>(Sql::new(select).bind(kept.number).bind(edition))?.value == 0 {
                    return Err(StoreError::Stale("this position is no longer kept; read anew".to_owned()));
                }
            }
            let (edition, last) = from.map_or((kept.head, None), |(edition, last)| (edition, (last > 0).then_some(last)));
            let mut sql = Sql::new("select r.record, r.body from records r where r.dataset = ? and r.born <= ? and r.died > ?");
            sql = sql.bind(kept.number).bind(edition).bind(edition).varying();
            if let Some(last) = last {
                let fields = fields_of(conn, kept.number, last, edition)?;
                // In the order of the records: a version has a row of its own, a record keeps its number.
                sql.push(" and ").append(order.after(conn.kind(), Document::Body, &fields, "r.record", last));
            }
            sql.push(&order.emit(conn.kind(), Document::Body, "r.record"));
            sql.push_with(" limit ?", [(limit + 1).into()]);
            let mut rows = conn.load::<RecordRow>(sql)?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let more = rows.len() > wanted;
            rows.truncate(wanted);
            let after = rows.last().map(|row| row.record).filter(|_| more);
            let ids = self.keyring.record_ids();
            let open = |row: RecordRow| {
                let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
                let record =
                    Sealed::new(OrganizationNumber(kept.organization), record).open_for(owner).ok_or(StoreError::NotFound)?;
                Ok(OwnRecord { id: ids.stable(RecordNumber(row.record)), record })
            };
            Ok(OwnPage { records: rows.into_iter().map(open).collect::<Result<_>>()?, schema, edition, after })
        })
    }

    /// The headers of the private columns that a dataset's records keep.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the dataset is not theirs.
    pub fn private_headers(&self, owner: OrganizationNumber, dataset: &DatasetId) -> Result<Vec<String>> {
        let kept = self.db.read(Eyes::Own, |conn| datasets::own(conn, dataset, owner))?;
        Ok(self.private_tally(kept.number, kept.head)?.into_keys().collect())
    }

    /// How many records of an edition have each private column.
    pub(crate) fn private_tally(&self, dataset: i64, edition: i64) -> Result<BTreeMap<String, i64>> {
        // Bodies are as `Record::to_body` writes them: most lists have no private column at all, and then no body is read here.
        let select = "select r.record, r.body from records r where r.dataset = ? and r.born <= ? and r.died > ? and r.record > ?
            and r.body like '%\"private\":{%' order by r.record limit 1000";
        let (mut tally, mut after) = (BTreeMap::new(), 0);
        loop {
            let page = Sql::new(select).bind(dataset).bind(edition).bind(edition).bind(after);
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<RecordRow>(page))?;
            let Some(last) = rows.last() else { return Ok(tally) };
            after = last.record;
            for row in rows {
                let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
                record.private.into_keys().for_each(|header| *tally.entry(header).or_default() += 1);
            }
        }
    }
}

/// The fields, as of `edition`, of the record that a page ended with.
fn fields_of(conn: &mut Conn, dataset: i64, record: i64, edition: i64) -> Result<Value> {
    let select = "select body from records where dataset = ? and record = ? and born <= ? and died > ?";
    let select = Sql::new(select).bind(dataset).bind(record).bind(edition).bind(edition);
    let row = conn.first::<BodyRow>(select)?.ok_or_else(|| StoreError::Stale("the page before this one is gone".to_owned()))?;
    let mut body: Value = serde_json::from_str(&row.body).map_err(|_| StoreError::Corrupt("a record"))?;
    Ok(body.get_mut("fields").map(Value::take).unwrap_or_default())
}
