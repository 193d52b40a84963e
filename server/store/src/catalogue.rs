//! What may be asked for: the lists of other member co-ops, described by their schemas alone. No counts, no values, nothing that an
//! import changes.

use hayward_domain::fault::Fault;
use hayward_domain::id::DatasetId;
use hayward_domain::schema::{Field, Generalises, Kind, ReadsAs, Schema, Sensitivity};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::agreements::ProposalError;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, Word, rows};
use crate::{Caller, Store};

/// A dataset that may be asked for.
#[derive(Serialize)]
pub struct CatalogueEntry {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub provider: String,
    /// The short name of whose it is.
    pub provider_slug: String,
    /// What people call whose it is.
    pub provider_name: String,
    /// The name of its schema.
    pub schema: String,
    /// What people call it.
    pub name: String,
    /// The fields an agreement can name.
    pub fields: Vec<String>,
    /// Where the next page begins; not for the wire.
    #[serde(skip)]
    pub number: i64,
}

/// Which part of the catalogue is wanted.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// Whose: by id, short name, or what people call them.
    pub provider: Option<String>,
    /// The name of the schema.
    pub schema: Option<String>,
    /// What people call the list.
    pub name: Option<String>,
}

rows! {
    ListedRow {
        number: i64, id: String, provider: String, provider_slug: String, provider_name: String, schema_name: String,
        schema_version: i64, name: String,
    }
    FoundRow { id: String, organization: i64 }
}

const LISTED: &str = "select d.number, d.id, o.id as provider, o.slug as provider_slug, o.name as provider_name, d.schema_name,
    d.schema_version, d.name from datasets d join organizations o on o.number = d.organization
    where o.left_at is null and d.organization <> ? and ";

impl Store {
    /// The datasets of others that the caller may ask for, above the dataset numbered `above`; one more than `limit` if there are more.
    ///
    /// # Errors
    /// Only the database's.
    pub fn catalogue(&self, caller: &Caller, sought: &Sought, above: i64, limit: i64) -> Result<Vec<CatalogueEntry>> {
        self.db.read(Eyes::Own, |conn| {
            let mut select = Sql::new(LISTED).bind(caller.organization.0);
            select.push_with("d.number > ?", [above.into()]);
            sought.narrow(&mut select);
            select.push_with(" order by d.number limit ?", [(limit + 1).into()]);
            let rows = conn.load::<ListedRow>(select)?;
            rows.into_iter().map(|row| self.entry(conn, row).map(|(entry, _)| entry)).collect()
        })
    }

    /// One of them, with what its schema says of every field, and a request to begin with.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that may not be asked for.
    pub fn catalogue_entry(&self, caller: &Caller, id: &DatasetId) -> Result<Value> {
        self.db.read(Eyes::Own, |conn| {
            let mut select = Sql::new(LISTED).bind(caller.organization.0);
            select.push_with("d.id = ?", [id.as_str().into()]);
            let row = conn.one::<ListedRow>(select)?;
            let document = "select document as value from schemas where name = ? and version = ?";
            let document = Sql::new(document).bind(&row.schema_name).bind(row.schema_version);
            let document: Value =
                serde_json::from_str(&conn.one::<Word>(document)?.value).map_err(|_| StoreError::Corrupt("a schema"))?;
            let (entry, schema) = self.entry(conn, row)?;
            Ok(described(&entry, &schema, &document, caller))
        })
    }

    fn entry(&self, conn: &mut Conn, row: ListedRow) -> Result<(CatalogueEntry, std::sync::Arc<Schema>)> {
        let schema = self.schema_under(conn, &row.schema_name, row.schema_version, row.schema_version)?;
        let open = schema.fields.iter().filter(|field| may_be_asked_for(field));
        let entry = CatalogueEntry {
            fields: open.map(|field| field.name.to_string()).collect(),
            id: row.id,
            provider: row.provider,
            provider_slug: row.provider_slug,
            provider_name: row.provider_name,
            schema: row.schema_name,
            name: row.name,
            number: row.number,
        };
        Ok((entry, schema))
    }

    /// Terms with what they leave out because everybody knows it: a dataset by its owner's short name and its own name in place of its
    /// id, and the caller's own organization where a request names no audience. Nothing wider is ever added.
    ///
    /// # Errors
    /// [`ProposalError::Faults`] where the name fits no list, or several.
    pub fn complete_terms(&self, caller: &Caller, mut raw: Value) -> std::result::Result<Value, ProposalError> {
        let fault = |pointer: &str, code, detail: String| {
            ProposalError::Faults(vec![Fault { pointer: pointer.to_owned(), code, detail }])
        };
        let Some(terms) = raw.as_object_mut() else { return Ok(raw) };
        let Some(Value::Object(named)) = terms.get("dataset") else { return Ok(raw) };
        let mut sought = Sought::default();
        for (key, value) in named {
            let place = match key.as_str() {
                "provider" => &mut sought.provider,
                "schema" => &mut sought.schema,
                "name" => &mut sought.name,
                _ => return Err(fault(&format!("/dataset/{key}"), "unknown-key", format!("`{key}` names no dataset"))),
            };
            let text = value.as_str().ok_or_else(|| fault(&format!("/dataset/{key}"), "type", "is text".to_owned()))?;
            *place = Some(text.to_owned());
        }
        if sought.provider.is_none() || sought.name.is_none() && sought.schema.is_none() {
            let detail = "name the `provider`, and the `name` of the list or its `schema`";
            return Err(fault("/dataset", "incomplete", detail.to_owned()));
        }
        let mut select = Sql::new(
            "select d.id, d.organization from datasets d join organizations o on o.number = d.organization where o.left_at is null",
        );
        sought.narrow(&mut select);
        select.push(" order by d.number limit 2");
        let found = self.db.read(Eyes::Own, |conn| conn.load::<FoundRow>(select))?;
        let one = match found.as_slice() {
            [one] => one,
            [] => return Err(fault("/dataset", "unknown-dataset", "names no dataset of this commons".to_owned())),
            _ => return Err(fault("/dataset", "ambiguous-dataset", "fits several lists: give the `name` of one".to_owned())),
        };
        terms.insert("dataset".to_owned(), one.id.as_str().into());
        if one.organization != caller.organization.0 && !terms.contains_key("audience") {
            terms.insert("audience".to_owned(), json!({"organization": caller.organization_id}));
        }
        Ok(raw)
    }
}

impl Sought {
    fn narrow(&self, sql: &mut Sql) {
        if let Some(provider) = &self.provider {
            let provider = || provider.as_str().into();
            sql.push_with(" and (o.slug = ? or o.id = ? or o.name = ?)", [provider(), provider(), provider()]);
        }
        if let Some(schema) = &self.schema {
            sql.push_with(" and d.schema_name = ?", [schema.as_str().into()]);
        }
        if let Some(name) = &self.name {
            sql.push_with(" and d.name = ?", [name.as_str().into()]);
        }
    }
}

fn may_be_asked_for(field: &Field) -> bool {
    field.sensitivity != Sensitivity::Never
}

fn described(entry: &CatalogueEntry, schema: &Schema, document: &Value, caller: &Caller) -> Value {
    let properties = document.get("properties");
    let fields = schema.fields.iter().map(|field| {
        let property = properties.and_then(|all| all.get(field.name.as_str()));
        json!({
            "name": field.name.as_str(),
            "type": kind(field.kind),
            "sensitivity": field.sensitivity.as_str(),
            "label": field.labels,
            "description": property.and_then(|property| property.get("description")),
            "example": may_be_asked_for(field).then(|| example(field, property)),
            "required": field.required,
            "can_be_asked_for": may_be_asked_for(field),
            "treatments": treatments(field),
        })
    });
    let mut described = serde_json::to_value(entry).unwrap_or_default();
    let more = json!({
        "schema_version": schema.version,
        "collection": schema.collection,
        "title": schema.titles,
        "key": schema.key.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "details": fields.collect::<Vec<_>>(),
        "request": request(entry, schema, caller),
    });
    if let (Value::Object(described), Value::Object(more)) = (&mut described, more) {
        described.extend(more);
    }
    described
}

/// What somebody may begin a request with: names in place of ids, the fields that are open to everybody, and gaps for what only the
/// one who asks can say.
fn request(entry: &CatalogueEntry, schema: &Schema, caller: &Caller) -> Value {
    let open = schema.fields.iter().filter(|field| field.sensitivity == Sensitivity::Public);
    let fields: Map<String, Value> = open.map(|field| (field.name.to_string(), "exact".into())).collect();
    json!({
        "dataset": {"provider": entry.provider_slug, "name": entry.name},
        "audience": {"organization": caller.organization_id},
        "fields": fields,
        "rows": "all",
        "record_id": "pseudonym",
        "purpose": {"code": "", "text": ""},
        "lawful_basis": "",
        "onward": "none",
        "ending": {"delete_within_days": 30},
        "starts_on": "",
        "ends_on": "",
        "contact": "",
    })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Date => "date",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Structured => "structured",
    }
}

/// What the schema gives as an example, or what any value of this kind looks like: never a value of a list.
fn example(field: &Field, property: Option<&Value>) -> Value {
    let first = |name: &str| property?.get(name)?.as_array()?.first().cloned();
    if let Some(given) = first("examples").or_else(|| first("enum")) {
        return given;
    }
    match (field.reads_as, field.kind) {
        (Some(ReadsAs::Identifier), _) => "A-17".into(),
        (Some(ReadsAs::Phone), _) => "+34 600 000 000".into(),
        (Some(ReadsAs::Postcode), _) => "08500".into(),
        (Some(ReadsAs::Email), _) => "name@example.org".into(),
        (Some(ReadsAs::Url), _) => "https://example.org".into(),
        (Some(ReadsAs::Country), _) => "ES".into(),
        (Some(ReadsAs::Latitude), _) => 41.93.into(),
        (Some(ReadsAs::Longitude), _) => 2.25.into(),
        (None, Kind::Text) => "Some words".into(),
        (None, Kind::Date) => "2026-12-31".into(),
        (None, Kind::Integer) => 12.into(),
        (None, Kind::Number) => 12.5.into(),
        (None, Kind::Boolean) => true.into(),
        (None, Kind::Structured) => Value::Null,
    }
}

/// How it can be shown, as terms write it.
fn treatments(field: &Field) -> Vec<Value> {
    if !may_be_asked_for(field) {
        return Vec::new();
    }
    let mut all = vec![Value::from("exact")];
    all.extend(field.offers.masked.then(|| Value::from("masked")));
    all.extend(field.offers.pseudonym.then(|| Value::from("pseudonym")));
    all.extend(field.offers.generalised.iter().map(|one| {
        let measure = match one {
            Generalises::Year => "year",
            Generalises::Month => "month",
            Generalises::Prefix => "prefix:n",
            Generalises::Grid => "grid:degrees",
            Generalises::Band => "band:width",
        };
        json!({"generalised": measure})
    }));
    all
}
