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

/// The names of the tables that are there, each as `value`.
pub(crate) fn tables(kind: Kind) -> &'static str {
    match kind {
        // What a search index keeps in tables of its own is part of it.
        Kind::Sqlite => {
            "select name as value from sqlite_master where type = 'table' and name not like 'sqlite%'
             and substr(name, 1, 13) <> 'shared_words_' order by name"
        }
        Kind::Postgres => {
            "select c.relname::text as value from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = current_schema() and c.relkind in ('r', 'p') order by 1"
        }
    }
}

/// The database's own clock, in microseconds. SQLite has none but ours.
pub(crate) fn clock(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Sqlite => None,
        Kind::Postgres => Some("select (extract(epoch from clock_timestamp()) * 1000000)::bigint as value"),
    }
}

/// What is wrong with the database's own structures: `ok`, or a line each. PostgreSQL looks after its own.
pub(crate) fn integrity(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Sqlite => Some("select quick_check as value from pragma_quick_check"),
        Kind::Postgres => None,
    }
}

/// The names of a table's columns in their order, each as `value`; the table's name is bound.
pub(crate) fn columns(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => "select name as value from pragma_table_info(?) order by cid",
        Kind::Postgres => {
            "select attname::text as value from pg_attribute
             where attrelid = to_regclass(?) and attnum > 0 and not attisdropped order by attnum"
        }
    }
}

/// The words of shared rows: how a row is called in `shared_words`, and what holds where it has the words that are bound.
pub(crate) struct Words {
    pub(crate) row: &'static str,
    pub(crate) have: &'static str,
}

/// See [`Words`]. The table goes by the alias `w`.
pub(crate) fn words(kind: Kind) -> Words {
    match kind {
        Kind::Sqlite => Words { row: "w.rowid", have: "w.shared_words match ?" },
        Kind::Postgres => Words { row: "w.row", have: "w.words @@ cast(? as tsquery)" },
    }
}

/// How many kilometres lie between where a row is and a point, on a sphere, and what is bound to say it. Both by the haversine: SQLite
/// has no sines of its own and is given a function. PostgreSQL would not round down to nothing by itself, and says so.
pub(crate) fn apart(kind: Kind, [latitude, longitude]: [&str; 2], [north, east]: [f64; 2]) -> (String, Vec<f64>) {
    match kind {
        Kind::Sqlite => (format!("hayward_apart({latitude}, {longitude}, ?, ?)"), vec![north, east]),
        Kind::Postgres => {
            let half = |angle: &str| format!("greatest(abs(sin(radians({angle} - ?) / 2)), 1e-99)");
            let (rises, turns) = (half(latitude), half(longitude));
            // Nulls are no part of what is least or greatest there, and would make something of nothing.
            let text = format!(
                "case when {latitude} is not null and {longitude} is not null then (12742.0176 * asin(least(1, sqrt(power({rises}, 2) + greatest(cos(radians(?)), 0) * greatest(cos(radians({latitude})), 0)
                * power({turns}, 2))))) end"
            );
            (text, vec![north, north, east])
        }
    }
}

/// What the database itself finds wrong with its files or its references, each as `value`.
pub(crate) fn own_faults(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &[
            "select integrity_check as value from pragma_integrity_check where integrity_check <> 'ok'",
            "select 'a row of ' || \"table\" || ' refers to one of ' || parent || ' that is not there' as value from pragma_foreign_key_check",
        ],
        // PostgreSQL checked every reference when the rows were written.
        Kind::Postgres => &[],
    }
}
