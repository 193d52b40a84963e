//! Rows of whatever table: typed cells, as a database gives them and as an archive holds them.
//!
//! A cell is one byte for its kind, then 8 bytes of an integer, or a length and the bytes of a text or of raw bytes; all numbers are
//! big-endian. The databases hold nothing else: see the note at the top of the first migration.

use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::pg::Pg;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::sqlite::{Sqlite, SqliteType};
use sha2::{Digest, Sha256};

use crate::sql::Bind;

/// One value.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cells(pub(super) Vec<Cell>);

impl Cell {
    /// The value as a bind; SQL's null is written out, since a bind would need the column's type.
    pub(super) fn bind(self) -> Option<Bind> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.into()),
            Self::Text(text) => Some(text.into()),
            Self::Bytes(bytes) => Some(bytes.into()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let mut long = |kind: u8, bytes: &[u8]| {
            out.push(kind);
            out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(bytes);
        };
        match self {
            Self::Text(text) => long(2, text.as_bytes()),
            Self::Bytes(bytes) => long(3, bytes),
            Self::Null => out.push(0),
            Self::Integer(number) => {
                out.push(1);
                out.extend(number.to_be_bytes());
            }
        }
    }

    fn decode(from: &mut &[u8]) -> Option<Self> {
        let [kind] = take_array::<1>(from)?;
        match kind {
            0 => Some(Self::Null),
            1 => Some(Self::Integer(i64::from_be_bytes(take_array(from)?))),
            2 => String::from_utf8(take_long(from)?.to_vec()).ok().map(Self::Text),
            3 => Some(Self::Bytes(take_long(from)?.to_vec())),
            _ => None,
        }
    }
}

fn take<'a>(from: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

fn take_array<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    take(from, N)?.try_into().ok()
}

fn take_long<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_be_bytes(take_array(from)?)).ok()?;
    take(from, length)
}

impl Cells {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|cell| cell.encode(out));
    }

    /// The rows of `columns` cells that `bytes` hold, if they hold nothing else.
    pub(super) fn decode_all(mut bytes: &[u8], columns: usize) -> Option<Vec<Self>> {
        let mut rows = Vec::new();
        while !bytes.is_empty() {
            let row = (0..columns).map(|_| Cell::decode(&mut bytes)).collect::<Option<Vec<_>>>()?;
            rows.push(Self(row));
        }
        Some(rows)
    }
}

/// How many rows a table has and what is in them. Does not depend on their order: the two databases sort text differently.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    sum: [u64; 4],
}

impl Tally {
    pub(super) fn add(&mut self, row: &Cells, scratch: &mut Vec<u8>) {
        scratch.clear();
        row.encode(scratch);
        let digest = Sha256::digest(&*scratch);
        for (sum, part) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            *sum = sum.wrapping_add(part.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)));
        }
        self.rows += 1;
    }

    /// The sum of the rows' hashes, as text.
    pub(super) fn sum(&self) -> String {
        self.sum.iter().map(|part| format!("{part:016x}")).collect()
    }
}

impl QueryableByName<Sqlite> for Cells {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for at in 0..row.field_count() {
            let field = Row::get(row, at).ok_or("a row without one of its columns")?;
            let Some(value) = field.value() else {
                cells.push(Cell::Null);
                continue;
            };
            cells.push(match value.value_type() {
                None => Cell::Null,
                Some(SqliteType::Text) => Cell::Text(<String as FromSql<Text, Sqlite>>::from_sql(value)?),
                Some(SqliteType::Binary) => Cell::Bytes(<Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?),
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    Cell::Integer(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
                }
                Some(_) => return Err("a number with a fraction".into()),
            });
        }
        Ok(Self(cells))
    }
}

impl QueryableByName<Pg> for Cells {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let mut cells = Vec::with_capacity(row.field_count());
        for at in 0..row.field_count() {
            let field = Row::get(row, at).ok_or("a row without one of its columns")?;
            let Some(value) = field.value() else {
                cells.push(Cell::Null);
                continue;
            };
            // The built-in types' numbers, which never change: int8, bytea, text.
            cells.push(match value.get_oid().get() {
                20 => Cell::Integer(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?),
                17 => Cell::Bytes(<Vec<u8> as FromSql<Binary, Pg>>::from_sql(value)?),
                25 => Cell::Text(<String as FromSql<Text, Pg>>::from_sql(value)?),
                _ => return Err("a column of a type that no commons has".into()),
            });
        }
        Ok(Self(cells))
    }
}
