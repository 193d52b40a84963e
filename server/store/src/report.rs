//! What is known of one record: for the person whom it is about, through the co-op whose list it is in.
//!
//! It is put together from what the commons keeps and looks at one list: a person who is in several lists of a co-op is several
//! records, each with a report of its own. To whom it was given, the ledger tells ([`crate::LedgerStore::given_record`]).

use std::collections::BTreeSet;

use hayward_domain::moment::Moment;
use hayward_domain::record::{OrganizationNumber, Record, RecordNumber};
use hayward_domain::schema::Schema;
use serde_json::{Value, json};

use crate::agreements::{MEMBERS, PUBLIC};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::records::own_json;
use crate::sql::{Sql, rows};
use crate::{LedgerStore, RecordName, Store};

/// A report, ready to be sent to the provider's own people.
pub struct SubjectReport(pub Value);

rows! {
    ListRow { id: String, name: String, schema_name: String, schema_version: i64, head: i64 }
    VersionRow { body: String, born: i64, died: i64 }
    EditionRow {
        edition: i64, at: i64, kind: String, import: Option<String>, filename: Option<String>, made_by: Option<String>,
        made_at: Option<i64>,
    }
    ShownRow {
        share: i64, agreement: String, audience: i64, recipient: Option<String>, version: i64, state: String, terms: String,
        payload: Option<String>, first_commit: i64,
    }
    AtRow { at: i64 }
    NameRow { agreement: String, name: i64 }
}

impl Store {
    /// Everything that is known of one of an organization's own records: what it holds, where that came from, which agreements show
    /// it now and how, and to whom it was given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an id that names none of theirs.
    pub fn subject_report(&self, ledger: &LedgerStore, owner: (OrganizationNumber, &str), id: &str) -> Result<SubjectReport> {
        let (dataset, record) = self.own_record(owner.0, id)?;
        let (mut report, names) = self.db.read(Eyes::Own, |conn| {
            let select = "select id, name, schema_name, schema_version, head from datasets where number = ?";
            let list = conn.one::<ListRow>(Sql::new(select).bind(dataset))?;
            let schema = self.schema_at(conn, &list.schema_name, list.schema_version)?;
            let versions = "select body, born, died from records where dataset = ? and record = ? and born <= ? order by born";
            let versions = conn.load::<VersionRow>(Sql::new(versions).bind(dataset).bind(record).bind(list.head))?;
            let read = |row: &VersionRow| Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"));
            let now = versions.last().filter(|row| row.died > list.head).map(read).transpose()?;
            let stable = self.keyring.record_ids().stable(RecordNumber(record));
            let report = json!({
                "id": stable,
                "dataset": {"id": list.id, "name": list.name, "schema": list.schema_name},
                "edition": list.head,
                "record": now.map(|now| own_json(&stable, &now, &schema)),
                "sources": sources(conn, dataset, list.head, &versions, &schema)?,
                "agreements": shown(conn, dataset, record)?,
            });
            let names = "select a.id as agreement, n.name from share_names n join agreements a on a.number = n.share
                where n.record = ? and a.dataset = ? order by n.share";
            let names = conn.load::<NameRow>(Sql::new(names).bind(record).bind(dataset))?;
            Ok::<_, StoreError>((report, names))
        })?;
        let names: Vec<RecordName> =
            names.into_iter().map(|row| RecordName { agreement: row.agreement, whole: true, name: row.name }).collect();
        let given = ledger.given_record(owner.1, &names)?;
        if let Value::Object(report) = &mut report {
            report.insert("disclosures".to_owned(), json!(given.items));
            report.insert("public_reads".to_owned(), json!(given.public));
            report.insert("made_at".to_owned(), (self.clock)().to_rfc3339().into());
        }
        Ok(SubjectReport(report))
    }
}

/// Each change of the record that is kept: what made it, and which fields it set, changed or emptied.
fn sources(conn: &mut Conn, dataset: i64, head: i64, versions: &[VersionRow], schema: &Schema) -> Result<Vec<Value>> {
    let mut sources = Vec::new();
    let mut before: Option<(Record, i64)> = None;
    for row in versions {
        let record = Record::from_body(&row.body).ok_or(StoreError::Corrupt("a record"))?;
        let gone = before.take();
        if let Some((_, died)) = gone.as_ref().filter(|(_, died)| *died < row.born) {
            sources.push(source(conn, dataset, *died, "removed", Vec::new())?);
        }
        let follows = gone.filter(|(_, died)| *died == row.born).map(|(record, _)| record);
        let change = if follows.is_some() { "updated" } else { "created" };
        sources.push(source(conn, dataset, row.born, change, changed(follows.as_ref(), &record, schema))?);
        before = Some((record, row.died));
    }
    if let Some((_, died)) = before.filter(|(_, died)| *died <= head) {
        sources.push(source(conn, dataset, died, "removed", Vec::new())?);
    }
    Ok(sources)
}

/// The names of what differs, as the record's own page calls them.
fn changed(before: Option<&Record>, after: &Record, schema: &Schema) -> Vec<String> {
    let flat = |record: &Record| match own_json("", record, schema) {
        Value::Object(flat) => flat,
        _ => serde_json::Map::new(),
    };
    let (old, new) = (before.map(flat).unwrap_or_default(), flat(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).filter(|name| *name != "id").collect();
    let value = |flat: &serde_json::Map<String, Value>, name: &String| flat.get(name).cloned().unwrap_or_default();
    names.into_iter().filter(|name| value(&old, name) != value(&new, name)).cloned().collect()
}

fn source(conn: &mut Conn, dataset: i64, edition: i64, change: &str, fields: Vec<String>) -> Result<Value> {
    let select = "select e.edition, e.at, e.kind, e.import, i.filename, coalesce(i.made_by, e.made_by) as made_by, i.made_at
        from editions e
        left join imports i on i.id = e.import where e.dataset = ? and e.edition = ?";
    let row = conn.one::<EditionRow>(Sql::new(select).bind(dataset).bind(edition))?;
    Ok(json!({
        "edition": row.edition, "at": Moment(row.at).to_rfc3339(), "change": change, "fields": fields, "by": row.kind,
        "import": row.import, "filename": row.filename, "uploaded_by": row.made_by,
        "uploaded_at": row.made_at.map(|at| Moment(at).to_rfc3339()),
    }))
}

/// The agreements that show the record now, and those that would if they were not suspended.
fn shown(conn: &mut Conn, dataset: i64, record: i64) -> Result<Vec<Value>> {
    let select =
        "select s.number as share, a.id as agreement, a.audience, o.id as recipient, s.version, v.state, v.terms, r.payload,
            coalesce((select min(e.commit_number) from share_editions e where e.share = s.number and e.edition =
                (select min(f.born) from shared_records f where f.share = s.number and f.name = n.name)), 0) as first_commit
        from share_names n join shares s on s.number = n.share join agreements a on a.number = s.number
        left join organizations o on o.number = a.recipient
        join agreement_versions v on v.agreement = s.number and v.version = s.version and v.state in ('active', 'suspended')
        join shared_records r on r.share = s.number and r.name = n.name and r.born <= s.head and r.died > s.head
        where n.record = ? and s.dataset = ? and s.head >= s.floor order by s.number";
    let mut agreements = Vec::new();
    for row in conn.load::<ShownRow>(Sql::new(select).bind(record).bind(dataset))? {
        let terms: Value = serde_json::from_str(&row.terms).map_err(|_| StoreError::Corrupt("terms"))?;
        let payload = row.payload.as_deref().map(serde_json::from_str::<Value>).transpose();
        let audience = match row.audience {
            MEMBERS => "members",
            PUBLIC => "public",
            _ => "organization",
        };
        agreements.push(json!({
            "agreement": row.agreement, "version": row.version, "state": row.state, "audience": audience,
            "recipient": row.recipient, "purpose": terms.get("purpose"), "fields": terms.get("fields"),
            "shows": payload.map_err(|_| StoreError::Corrupt("a shared record"))?,
            "since": since(conn, dataset, &row)?.map(Moment::to_rfc3339),
        }));
    }
    Ok(agreements)
}

/// Since when a share has shown the record, as far back as is kept: the time of the import that brought it there, or of the agreement's
/// coming into force.
fn since(conn: &mut Conn, dataset: i64, row: &ShownRow) -> Result<Option<Moment>> {
    let edition = "select at from editions where dataset = ? and commit_number = ?";
    let edition = conn.first::<AtRow>(Sql::new(edition).bind(dataset).bind(row.first_commit))?;
    if let Some(edition) = edition {
        return Ok(Some(Moment(edition.at)));
    }
    let events = "select at from agreement_events where agreement = ? and event = 'activate' order by number limit 1";
    Ok(conn.first::<AtRow>(Sql::new(events).bind(row.share))?.map(|row| Moment(row.at)))
}
