//! A query, written once for both databases.
//!
//! The text uses `?` for every value and only what SQLite and PostgreSQL both understand; the few words they do not share come
//! from [`crate::dialect`]. Values travel as binds, never inside the text.

use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;

/// One value of a query.
#[derive(Clone)]
pub(crate) enum Bind {
    Text(Option<String>),
    Int(Option<i64>),
    Real(f64),
    Bytes(Vec<u8>),
}

impl Bind {
    /// The number; null if it is something else.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => *value,
            Self::Text(_) | Self::Real(_) | Self::Bytes(_) => None,
        }
    }

    /// The text; null if it is something else.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(value) => value.clone(),
            Self::Int(_) | Self::Real(_) | Self::Bytes(_) => None,
        }
    }

    /// The bytes; null if it is something else.
    pub(crate) fn blob(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(value) => Some(value.clone()),
            Self::Text(_) | Self::Int(_) | Self::Real(_) => None,
        }
    }
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}
impl From<String> for Bind {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}
impl From<&String> for Bind {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}
impl From<Option<String>> for Bind {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Bind {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}
impl From<Option<i64>> for Bind {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}
impl From<f64> for Bind {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}
impl From<Vec<u8>> for Bind {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}
impl From<hayward_domain::moment::Moment> for Bind {
    fn from(at: hayward_domain::moment::Moment) -> Self {
        Self::Int(Some(at.0))
    }
}

/// A statement in the making: text with `?`, and a bind for each.
#[derive(Clone, Default)]
pub(crate) struct Sql {
    text: String,
    binds: Vec<Bind>,
    /// Whether the text varies with the request, so that keeping it prepared would fill the cache.
    varies: bool,
}

impl Sql {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), binds: Vec::new(), varies: false }
    }

    /// Binds the next `?`.
    #[must_use]
    pub(crate) fn bind(mut self, value: impl Into<Bind>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// Appends text, with binds of its own to follow.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends text whose `?`s are filled by `binds`, in order.
    pub(crate) fn push_with(&mut self, text: &str, binds: impl IntoIterator<Item = Bind>) -> &mut Self {
        self.text.push_str(text);
        self.binds.extend(binds);
        self
    }

    /// Appends a whole fragment.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.text.push_str(&other.text);
        self.binds.extend(other.binds);
        self.varies |= other.varies;
        self
    }

    /// Appends `(?, ?, …)`. The text now depends on how many there are, so it is not kept prepared.
    pub(crate) fn list<B: Into<Bind>>(&mut self, values: impl IntoIterator<Item = B>) -> &mut Self {
        self.varies = true;
        self.text.push('(');
        for (at, value) in values.into_iter().enumerate() {
            self.text.push_str(if at == 0 { "?" } else { ", ?" });
            self.binds.push(value.into());
        }
        self.text.push(')');
        self
    }

    /// The text, without its values.
    #[cfg(feature = "mutants")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same statement after some words of the database's own.
    #[cfg(feature = "mutants")]
    pub(crate) fn after(&self, words: &str) -> Self {
        Self { text: format!("{words}{}", self.text), binds: self.binds.clone(), varies: true }
    }

    /// Marks the text as varying with the request.
    #[must_use]
    pub(crate) fn varying(mut self) -> Self {
        self.varies = true;
        self
    }
}

macro_rules! fragment {
    ($backend:ty) => {
        impl QueryFragment<$backend> for Sql {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                if self.varies {
                    out.unsafe_to_cache_prepared();
                }
                let mut binds = self.binds.iter();
                for (at, piece) in self.text.split('?').enumerate() {
                    if at > 0 {
                        match binds.next() {
                            Some(Bind::Text(value)) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                            Some(Bind::Int(value)) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                            Some(Bind::Real(value)) => out.push_bind_param::<Double, _>(value)?,
                            Some(Bind::Bytes(value)) => out.push_bind_param::<Binary, _>(value)?,
                            None => return Err(diesel::result::Error::QueryBuilderError("a `?` without a bind".into())),
                        }
                    }
                    out.push_sql(piece);
                }
                match binds.next() {
                    None => Ok(()),
                    Some(_) => Err(diesel::result::Error::QueryBuilderError("a bind without a `?`".into())),
                }
            }
        }
    };
}

fragment!(Pg);
fragment!(Sqlite);

impl QueryId for Sql {
    type QueryId = ();
    // The text is the identity: what is cached is cached by it.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql {
    type SqlType = Untyped;
}

impl<C> diesel::RunQueryDsl<C> for Sql {}

/// A query whose columns are read by their places, which is quicker than by their names: for what is read by the thousand.
pub(crate) struct Placed<Columns> {
    sql: Sql,
    columns: PhantomData<Columns>,
}

impl<Columns> Placed<Columns> {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql, columns: PhantomData }
    }
}

impl<Columns, DB: diesel::backend::Backend> QueryFragment<DB> for Placed<Columns>
where
    Sql: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.sql.walk_ast(out)
    }
}

impl<Columns> QueryId for Placed<Columns> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Columns> Query for Placed<Columns> {
    type SqlType = Columns;
}

impl<Columns, C> diesel::RunQueryDsl<C> for Placed<Columns> {}

/// The SQL type that a Rust type is read as.
pub(crate) trait Column {
    type Sql;
}
impl Column for i64 {
    type Sql = BigInt;
}
impl Column for String {
    type Sql = Text;
}
impl Column for Vec<u8> {
    type Sql = Binary;
}
impl Column for Option<Vec<u8>> {
    type Sql = Nullable<Binary>;
}
impl Column for Option<i64> {
    type Sql = Nullable<BigInt>;
}
impl Column for Option<String> {
    type Sql = Nullable<Text>;
}
impl Column for Option<f64> {
    type Sql = Nullable<Double>;
}

/// Declares what a query's rows look like. They stay inside this crate: none serializes or prints itself.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(diesel::QueryableByName)]
        pub(crate) struct $name {
            $(
                #[diesel(sql_type = <$type as $crate::sql::Column>::Sql)]
                pub(crate) $field: $type,
            )*
        }
    )*};
}
pub(crate) use rows;

rows! {
    /// One number.
    Number { value: i64 }
    /// One text.
    Word { value: String }
}
