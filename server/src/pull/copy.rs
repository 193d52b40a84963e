//! The copy itself: a SQLite file that anybody can read.
//!
//! * `hayward_items` has every item as it came, one row for each (agreement, id). Each collection is a view, with a column for each field.
//! * `hayward_copy` has one row: of which commons, under which agreement, and the place in the feed behind what was applied.
//! * Reading anew begins another round. What a round does not meet is dropped when it ends, and not before: the copy is never empty for a while.
//! * One program at a time writes (the file is locked). What goes is overwritten (`secure_delete`), for it may be somebody who was erased.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction, params};
use serde_json::{Map, Value};

/// Marks the file as ours: `hayw`.
const APPLICATION: i64 = 0x6861_7977;
/// What this program makes of it. Another number is another program's.
const LAYOUT: i64 = 1;

const TABLES: &str = "
    create table hayward_copy (
        only_row integer primary key check (only_row = 1), url text not null, agreement text, place text, round integer not null);
    create table hayward_items (
        agreement text not null, id text not null, collection text not null, provider text not null, edition integer not null,
        item text not null, round integer not null, primary key (agreement, id));
    create index hayward_items_by_collection on hayward_items (collection, agreement, id);
    create table hayward_fields (
        collection text not null, field text not null, position integer not null, primary key (collection, field));";

/// What an item has besides its fields.
const ENVELOPE: [&str; 6] = ["type", "collection", "id", "provider", "agreement", "edition"];

/// A copy that is open, and ours alone.
pub(super) struct Copy {
    db: Connection,
}

/// One item of the copy.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) agreement: String,
    pub(super) edition: i64,
    /// Its fields, as one JSON object.
    pub(super) fields: String,
}

fn failed(error: rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another program has the copy open; let it end first".to_owned()
        }
        Some(rusqlite::ErrorCode::NotADatabase) => {
            "the file is there already, and is no copy that `hayward pull` made".to_owned()
        }
        // What SQLite says of a statement may quote a value.
        _ => match error.sqlite_error() {
            Some(code) => format!("the copy cannot be written: {code}"),
            None => "the copy cannot be read: it does not hold what this program writes".to_owned(),
        },
    }
}

impl Copy {
    /// Opens the copy of what the commons at `url` shows, or begins one.
    pub(super) fn open(file: &Path, url: &str, agreement: Option<&str>) -> Result<Self, String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(file, flags).map_err(failed)?;
        db.execute_batch("pragma locking_mode = exclusive; pragma secure_delete = on; pragma synchronous = full")
            .map_err(failed)?;
        let mut copy = Self { db };
        copy.set_up(url, agreement)?;
        Ok(copy)
    }

    fn set_up(&mut self, url: &str, agreement: Option<&str>) -> Result<(), String> {
        let work = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).map_err(failed)?;
        let number = |pragma: &str| work.query_row(&format!("pragma {pragma}"), [], |row| row.get::<_, i64>(0)).map_err(failed);
        let (ours, layout) = (number("application_id")?, number("user_version")?);
        let tables: i64 = work.query_row("select count(*) from sqlite_master", [], |row| row.get(0)).map_err(failed)?;
        if tables == 0 {
            work.execute_batch(TABLES).map_err(failed)?;
            work.execute_batch(&format!("pragma application_id = {APPLICATION}; pragma user_version = {LAYOUT}"))
                .map_err(failed)?;
            let insert = "insert into hayward_copy (only_row, url, agreement, round) values (1, ?, ?, 1)";
            work.execute(insert, params![url, agreement]).map_err(failed)?;
        } else if ours != APPLICATION {
            return Err("the file is there already, and is no copy that `hayward pull` made".to_owned());
        } else if layout != LAYOUT {
            return Err("the copy was made by another version of this program; pull into a new file".to_owned());
        }
        let select = "select url, agreement from hayward_copy";
        let of: (String, Option<String>) = work.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        if of.0 != url {
            return Err(format!("this is a copy of what {} shows; pull into another file", of.0));
        }
        if of.1.as_deref() != agreement {
            return Err("this is a copy under another choice of agreements; pull into another file".to_owned());
        }
        work.commit().map_err(failed)
    }

    /// Where in the feed the copy stands; nothing at the beginning.
    pub(super) fn place(&self) -> Result<Option<String>, String> {
        self.db.query_row("select place from hayward_copy", [], |row| row.get(0)).map_err(failed)
    }

    /// From now on everything is read from the beginning.
    pub(super) fn begin_anew(&mut self) -> Result<(), String> {
        self.db.execute("update hayward_copy set place = null, round = round + 1", []).map(drop).map_err(failed)
    }

    /// Applies a page of the feed, and goes on to the place after it. Returns how many items came or changed, and how many went.
    pub(super) fn apply(&mut self, items: &[Value], next: &str) -> Result<(u64, u64), String> {
        let work = self.db.transaction().map_err(failed)?;
        let mut counts = (0, 0);
        for item in items {
            let text = |name: &str| item.get(name).and_then(Value::as_str).ok_or("an item of the feed is not what it should be");
            let (kind, agreement, id) = (text("type")?, text("agreement")?, text("id")?);
            match kind {
                "upserted" => {
                    let edition = item.get("edition").and_then(Value::as_i64).unwrap_or_default();
                    upsert(&work, (text("collection")?, agreement, id, text("provider")?, edition), item)?;
                    counts.0 += 1;
                }
                "removed" => {
                    let delete = "delete from hayward_items where agreement = ? and id = ?";
                    counts.1 +=
                        work.prepare_cached(delete).and_then(|mut delete| delete.execute([agreement, id])).map_err(failed)?
                            as u64;
                }
                _ => return Err("the feed speaks of something that this program does not know; it is too old".to_owned()),
            }
        }
        work.execute("update hayward_copy set place = ?", [next]).map_err(failed)?;
        work.commit().map_err(failed)?;
        Ok(counts)
    }

    /// The copy is as the commons was a moment ago: drops what this round has not met, and makes the views anew. Returns how many went.
    pub(super) fn end(&mut self) -> Result<u64, String> {
        let work = self.db.transaction().map_err(failed)?;
        let gone =
            work.execute("delete from hayward_items where round < (select round from hayward_copy)", []).map_err(failed)?;
        views(&work)?;
        work.commit().map_err(failed)?;
        Ok(gone as u64)
    }
}

/// Puts an item where it belongs, in place of what it was.
fn upsert(work: &Transaction<'_>, named: (&str, &str, &str, &str, i64), item: &Value) -> Result<(), String> {
    let (collection, agreement, id, provider, edition) = named;
    let all = item.as_object().into_iter().flatten();
    let fields: Map<String, Value> =
        all.filter(|(name, _)| !ENVELOPE.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
    let known = "insert or ignore into hayward_fields (collection, field, position)
        values (?1, ?2, (select count(*) from hayward_fields where collection = ?1))";
    let mut known = work.prepare_cached(known).map_err(failed)?;
    for name in fields.keys() {
        known.execute(params![collection, name]).map_err(failed)?;
    }
    let insert = "insert or replace into hayward_items (agreement, id, collection, provider, edition, item, round)
        values (?, ?, ?, ?, ?, ?, (select round from hayward_copy))";
    let fields = Value::Object(fields).to_string();
    let insert = work
        .prepare_cached(insert)
        .and_then(|mut insert| insert.execute(params![agreement, id, collection, provider, edition, fields]));
    insert.map(drop).map_err(failed)
}

/// A view for each collection: the envelope, then a column for each field. What is not scalar is JSON.
fn views(work: &Transaction<'_>) -> Result<(), String> {
    let mut made = Vec::new();
    for collection in list(work, "select distinct collection from hayward_fields", [])? {
        let mut columns = "id, provider, agreement, edition".to_owned();
        for field in list(work, FIELDS, [&collection])? {
            // A field's name has letters, digits and underscores; quoted all the same, for a commons may say what it likes.
            let path = format!("$.\"{}\"", field.replace('"', ""));
            columns.push_str(&format!(", json_extract(item, {}) as {}", text(&path), name(&field)));
        }
        made.push(format!(
            "drop view if exists {0}; create view {0} as select {columns} from hayward_items where collection = {1};",
            name(&collection),
            text(&collection)
        ));
    }
    work.execute_batch(&made.concat()).map_err(failed)
}

const FIELDS: &str = "select field from hayward_fields where collection = ? order by position";

fn list<P: rusqlite::Params>(db: &Connection, select: &str, params: P) -> Result<Vec<String>, String> {
    let mut select = db.prepare_cached(select).map_err(failed)?;
    let rows = select.query_map(params, |row| row.get(0)).map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// As a name in SQL.
fn name(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}

/// As a text in SQL.
fn text(words: &str) -> String {
    format!("'{}'", words.replace('\'', "''"))
}

impl Copy {
    /// How many items each collection has.
    pub(super) fn counts(&self) -> Result<Vec<(String, u64)>, String> {
        let select = "select collection, count(*) from hayward_items group by collection order by collection";
        let mut select = self.db.prepare_cached(select).map_err(failed)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// The collection that goes into a list: the named one, or the only one that there is.
    pub(super) fn collection(&self, named: Option<&str>) -> Result<Option<String>, String> {
        if let Some(named) = named {
            return Ok(Some(named.to_owned()));
        }
        let all: Vec<String> = self.counts()?.into_iter().map(|(name, _)| name).collect();
        match all.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => Err(format!("there are several collections: choose with --collection {}", all.join(", or "))),
        }
    }

    /// The fields that a collection has or had, in the order in which they came.
    pub(super) fn fields(&self, collection: &str) -> Result<Vec<String>, String> {
        list(&self.db, FIELDS, [collection])
    }

    /// Shows every item of a collection to `see`, by agreement and id.
    pub(super) fn each(&self, collection: &str, mut see: impl FnMut(Item) -> Result<(), String>) -> Result<(), String> {
        let select =
            "select id, provider, agreement, edition, item from hayward_items where collection = ? order by agreement, id";
        let mut select = self.db.prepare_cached(select).map_err(failed)?;
        let mut rows = select.query([collection]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let item = || {
                Ok(Item {
                    id: row.get(0)?,
                    provider: row.get(1)?,
                    agreement: row.get(2)?,
                    edition: row.get(3)?,
                    fields: row.get(4)?,
                })
            };
            see(item().map_err(failed)?)?;
        }
        Ok(())
    }
}
