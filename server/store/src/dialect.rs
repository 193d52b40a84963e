//! The words that SQLite and PostgreSQL do not share.
//!
//! Everything here is a piece of SQL text, chosen by [`Kind`]. Field names are safe to write into it: [`FieldName`] admits nothing
//! but lower-case letters, digits and `_`.

use hayward_domain::schema::FieldName;

use crate::conn::Kind;

/// Which stored JSON document a field is looked up in.
#[derive(Clone, Copy)]
pub(crate) enum Document {
    /// `shared_records.payload` of the alias `r`: the disclosed fields.
    Payload,
    /// `records.body` of the alias `r`: the fields stand under `fields`.
    Body,
}

/// Expressions over one field of a stored document.
pub(crate) struct FieldSql {
    /// `'text'`, `'number'`, `'boolean'`, `'null'`, something else for arrays and objects, or SQL's null where the field is absent.
    pub(crate) kind: String,
    /// The value as text, comparable by bytes. Only meaningful where the kind is `'text'`.
    pub(crate) text: String,
    /// The value as a double. Null unless the kind is `'number'`.
    pub(crate) number: String,
    /// The value as 0 or 1. Null unless the kind is `'boolean'`.
    pub(crate) boolean: String,
}

pub(crate) fn field(kind: Kind, document: Document, name: &FieldName) -> FieldSql {
    match kind {
        Kind::Sqlite => {
            let path = match document {
                Document::Payload => format!("r.payload, '$.{name}'"),
                Document::Body => format!("r.body, '$.fields.{name}'"),
            };
            let json_type = format!("json_type({path})");
            let value = format!("json_extract({path})");
            FieldSql {
                kind: format!(
                    "case {json_type} when 'integer' then 'number' when 'real' then 'number' when 'true' then 'boolean' \
                     when 'false' then 'boolean' else {json_type} end"
                ),
                text: format!("case {json_type} when 'text' then {value} end"),
                number: format!("case when {json_type} in ('integer', 'real') then {value} end"),
                boolean: format!("case when {json_type} in ('true', 'false') then {value} end"),
            }
        }
        Kind::Postgres => {
            let value = match document {
                Document::Payload => format!("(r.payload::jsonb -> '{name}')"),
                Document::Body => format!("(r.body::jsonb -> 'fields' -> '{name}')"),
            };
            let json_type = format!("jsonb_typeof({value})");
            FieldSql {
                kind: format!("case {json_type} when 'string' then 'text' else {json_type} end"),
                text: format!("(case {json_type} when 'string' then {value} #>> '{{}}' end) collate \"C\""),
                number: format!("(case {json_type} when 'number' then ({value} #>> '{{}}')::float8 end)"),
                boolean: format!(
                    "(case {json_type} when 'boolean' then case ({value} #>> '{{}}') when 'true' then 1 else 0 end end)"
                ),
            }
        }
    }
}

/// Locks the rows that a `select` found until the transaction ends. SQLite's writing transactions are alone anyway.
pub(crate) fn for_update(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "",
        Kind::Postgres => " for update",
    }
}
