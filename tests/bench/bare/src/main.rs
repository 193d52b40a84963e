//! What Hayward is measured against: the same rows, from the same web framework and the same database, without tokens, policy or
//! ledger.
//!
//! ```text
//! bare load FILE.csv DATABASE     makes a table of the file's rows, each with its JSON ready to send
//! bare serve DATABASE PORT        GET /items?category=&country=&q=&after=&limit= and GET /items/{id}
//! ```
//!
//! It does what a careful programmer would: an index for the filter, FTS5 over the texts for `q`, keyset paging by row number, prepared statements, one
//! read-only connection a thread, and bodies put together from stored text.

use std::cell::RefCell;
use std::error::Error;

use actix_web::web::{self, Path, Query};
use actix_web::{App, HttpResponse, HttpServer, error::ErrorInternalServerError};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params, params_from_iter, types::Value};
use serde::Deserialize;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["load", file, database] => load(file, database),
        ["serve", database, port] => serve(database, port.parse()?),
        _ => Err("bare load FILE.csv DATABASE | bare serve DATABASE PORT".into()),
    }
}

fn load(file: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let mut rows = csv::Reader::from_path(file)?;
    let headers = rows.headers()?.clone();
    let mut conn = Connection::open(database)?;
    conn.execute_batch(
        "pragma journal_mode = wal;
         create table items (row integer primary key, id text not null unique, category text, country text, payload text not null);",
    )?;
    let transaction = conn.transaction()?;
    {
        let mut insert = transaction.prepare("insert into items (id, category, country, payload) values (?, ?, ?, ?)")?;
        for row in rows.records() {
            let row = row?;
            let cell = |name: &str| headers.iter().position(|header| header == name).and_then(|at| row.get(at));
            let payload: serde_json::Map<String, serde_json::Value> =
                headers.iter().zip(&row).map(|(name, cell)| (name.to_owned(), cell.into())).collect();
            let payload = serde_json::to_string(&payload)?;
            insert.execute(params![cell("id"), cell("category"), cell("country"), payload])?;
        }
    }
    transaction.execute_batch("create index items_by_category on items (category, country, row)")?;
    let texts: Vec<&str> = TEXTS.into_iter().filter(|name| headers.iter().any(|header| header == *name)).collect();
    let of_item = texts.iter().map(|name| format!("payload ->> '$.{name}'")).collect::<Vec<_>>().join(", ");
    transaction.execute_batch(&format!(
        "create virtual table words using fts5 ({}, content = '', tokenize = 'unicode61 remove_diacritics 2');
         insert into words (rowid, {}) select row, {of_item} from items;",
        texts.join(", "),
        texts.join(", "),
    ))?;
    transaction.commit()?;
    Ok(())
}

/// What is searched.
const TEXTS: [&str; 8] = ["title", "description", "category", "organization", "city", "country", "contact_email", "status"];

#[derive(Deserialize)]
struct Wanted {
    q: Option<String>,
    category: Option<String>,
    country: Option<String>,
    after: Option<i64>,
    limit: Option<i64>,
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// The connection is this thread's own, so nothing waits for anything.
fn read<T>(database: &str, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> actix_web::Result<T> {
    READER.with_borrow_mut(|reader| {
        let conn = match reader.take() {
            Some(conn) => conn,
            None => Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(ErrorInternalServerError)?,
        };
        let found = f(&conn).map_err(ErrorInternalServerError);
        *reader = Some(conn);
        found
    })
}

async fn list(wanted: Query<Wanted>, database: web::Data<String>) -> actix_web::Result<HttpResponse> {
    let after = Value::Integer(wanted.after.unwrap_or(0));
    let (mut sql, mut binds) = match &wanted.q {
        None => ("select row, payload from items where row > ?".to_owned(), vec![after]),
        Some(words) => {
            let quoted: Vec<String> = words.split_whitespace().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
            let found = "select row, payload from words join items on row = words.rowid where words match ? and words.rowid > ?";
            (found.to_owned(), vec![Value::Text(quoted.join(" ")), after])
        }
    };
    for (column, value) in [("category", &wanted.category), ("country", &wanted.country)] {
        if let Some(value) = value {
            sql.push_str(&format!(" and {column} = ?"));
            binds.push(Value::Text(value.clone()));
        }
    }
    sql.push_str(if wanted.q.is_some() { " order by words.rowid limit ?" } else { " order by row limit ?" });
    binds.push(Value::Integer(wanted.limit.unwrap_or(50)));
    let (payloads, last) = read(&database, |conn| {
        let mut select = conn.prepare_cached(&sql)?;
        let (mut payloads, mut last) = (Vec::new(), None);
        let mut rows = select.query(params_from_iter(binds))?;
        while let Some(row) = rows.next()? {
            last = Some(row.get::<_, i64>(0)?);
            payloads.push(row.get::<_, String>(1)?);
        }
        Ok((payloads, last))
    })?;
    let next = last.map_or("null".to_owned(), |row| row.to_string());
    let body = format!("{{\"items\":[{}],\"next\":{next}}}", payloads.join(","));
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

async fn get(id: Path<String>, database: web::Data<String>) -> actix_web::Result<HttpResponse> {
    let payload = |row: &Row<'_>| row.get::<_, String>(0);
    let found = read(&database, |conn| {
        conn.prepare_cached("select payload from items where id = ?")?.query_row([id.as_str()], payload).optional()
    })?;
    Ok(match found {
        Some(payload) => HttpResponse::Ok().content_type("application/json").body(payload),
        None => HttpResponse::NotFound().finish(),
    })
}

#[actix_web::main]
async fn serve(database: &str, port: u16) -> Result<(), Box<dyn Error>> {
    let database = web::Data::new(database.to_owned());
    let app = move || {
        App::new().app_data(database.clone()).route("/items", web::get().to(list)).route("/items/{id}", web::get().to(get))
    };
    HttpServer::new(app).bind(("127.0.0.1", port))?.run().await?;
    Ok(())
}
