//! Many rows into one table, as each database likes it best.
//!
//! SQLite runs one statement for every few dozen rows, always the same and so prepared once: a row by itself would open all of the
//! table's indexes anew, and the text of a long `values` list takes longer to parse than its rows to write. PostgreSQL takes one
//! statement with an array for each column, so that the server is asked once.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;

use crate::sql::Bind;

/// Rows that one of SQLite's statements writes.
const TOGETHER: usize = 50;
/// What one transaction writes as a rule: it ends within some ten milliseconds, so that other writers get their turn.
pub(crate) const ENOUGH: Load = Load { rows: 2_000, bytes: 4 << 20 };

/// What a column holds.
#[derive(Clone, Copy)]
pub(crate) enum Holds {
    Int,
    Text,
    /// Tokens with spaces between them: PostgreSQL's `tsvector`.
    Words,
    Bytes,
}

/// A table that much is written into, and the columns that are.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Holds)],
}

/// How much waits to be written.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) rows: usize,
    /// Of texts.
    pub(crate) bytes: usize,
}

impl Load {
    /// Adds a row with so many bytes of text.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    /// Whether it should be written before anything is added.
    pub(crate) fn reaches(&self, limit: Self) -> bool {
        self.rows >= limit.rows || self.bytes >= limit.bytes
    }
}

/// Rows on their way into a table.
pub(crate) struct Rows {
    table: &'static Table,
    /// Row after row.
    cells: Vec<Bind>,
}

impl Rows {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self { table, cells: Vec::new() }
    }

    /// Adds a row; the array is as long as the table has columns.
    pub(crate) fn push<const N: usize>(&mut self, row: [Bind; N]) {
        debug_assert_eq!(N, self.table.columns.len());
        self.cells.extend(row);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    fn names(&self) -> String {
        self.table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// SQLite's: statements of two kinds, for many rows and for one.
    pub(crate) fn statements(&self) -> impl Iterator<Item = Few<'_>> {
        let width = self.table.columns.len();
        // Whoever fails here rolls its transaction back. `or fail` says so, and spares a second journal for the statement alone.
        let before: std::rc::Rc<str> = format!("insert or fail into {} ({}) values ", self.table.name, self.names()).into();
        let whole = self.cells.chunks_exact(width * TOGETHER);
        let rest = whole.remainder().chunks(width);
        whole.chain(rest).map(move |cells| Few { before: before.clone(), width, cells })
    }

    /// PostgreSQL's: one statement for all of them.
    pub(crate) fn unnested(&self) -> Unnested {
        let width = self.table.columns.len();
        let column = |at: usize, holds: Holds| {
            let cells = self.cells.iter().skip(at).step_by(width);
            match holds {
                Holds::Int => Column::Ints(cells.map(Bind::int).collect()),
                Holds::Text | Holds::Words => Column::Texts(cells.map(Bind::text).collect()),
                Holds::Bytes => Column::Blobs(cells.map(Bind::blob).collect()),
            }
        };
        let columns = self.table.columns.iter().enumerate().map(|(at, (_, holds))| column(at, *holds)).collect();
        let value = |(name, holds): &(&str, Holds)| match holds {
            Holds::Words => format!("array_to_tsvector(string_to_array(u.{name}, ' '))"),
            Holds::Int | Holds::Text | Holds::Bytes => format!("u.{name}"),
        };
        let values: Vec<String> = self.table.columns.iter().map(value).collect();
        let names = self.names();
        Unnested {
            before: format!("insert into {} ({names}) select {} from unnest(", self.table.name, values.join(", ")),
            after: format!(") as u ({names})"),
            columns,
        }
    }
}

/// A few rows on their way into SQLite.
pub(crate) struct Few<'a> {
    before: std::rc::Rc<str>,
    width: usize,
    cells: &'a [Bind],
}

impl QueryFragment<Sqlite> for Few<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&self.before);
        for (at, row) in self.cells.chunks(self.width).enumerate() {
            out.push_sql(if at == 0 { "(" } else { ", (" });
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    out.push_sql(", ");
                }
                match cell {
                    Bind::Text(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                    Bind::Int(value) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                    Bind::Bytes(value) => out.push_bind_param::<Binary, _>(value)?,
                    Bind::Real(_) => {
                        return Err(Error::QueryBuilderError("no column that is written in bulk is a double".into()));
                    }
                }
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

/// Rows on their way into PostgreSQL, column by column.
pub(crate) struct Unnested {
    before: String,
    columns: Vec<Column>,
    after: String,
}

enum Column {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl QueryFragment<Pg> for Unnested {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.before);
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push_sql(", ");
            }
            match column {
                Column::Ints(values) => {
                    out.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?;
                    out.push_sql("::bigint[]");
                }
                Column::Texts(values) => {
                    out.push_bind_param::<Array<Nullable<Text>>, _>(values)?;
                    out.push_sql("::text[]");
                }
                Column::Blobs(values) => {
                    out.push_bind_param::<Array<Nullable<Binary>>, _>(values)?;
                    out.push_sql("::bytea[]");
                }
            }
        }
        out.push_sql(&self.after);
        Ok(())
    }
}

impl QueryId for Few<'_> {
    type QueryId = ();
    // The text is the identity, as in [`crate::sql::Sql`].
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryId for Unnested {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Few<'_> {
    type SqlType = Untyped;
}

impl Query for Unnested {
    type SqlType = Untyped;
}

impl<C> diesel::RunQueryDsl<C> for Few<'_> {}
impl<C> diesel::RunQueryDsl<C> for Unnested {}
