//! The tables as they lie there, read by plain SQL over connections of the checker's own.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use serde::Deserialize;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::cluster::apart;
use crate::{Kind, TestDatabase};

/// Whether a server may be writing meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Nobody does. SQLite's files are copied first, so that looking does not tidy up what a crash left.
    Cold,
    /// One does: read in one snapshot.
    Live,
}

macro_rules! tables {
    ($($name:ident, $list:ident: $from:literal { $($column:ident: $type:ty),* $(,)? })*) => {
        $(
            #[derive(Deserialize)]
            pub(super) struct $name { $(pub(super) $column: $type),* }
            impl $name {
                /// Quoted: some of the names are words of SQL.
                const COLUMNS: &str = concat!("0" $(, ", \"", stringify!($column), "\"")*);
            }
        )*

        /// Everything that the checker looks at.
        pub(super) struct Tables { $(pub(super) $list: Vec<$name>),* }

        impl Tables {
            fn read(ask: &mut dyn FnMut(&str, &str) -> Vec<String>) -> Self {
                Self { $($list: {
                    let rows = ask($name::COLUMNS, $from);
                    rows.iter().map(|row| serde_json::from_str::<(i64, $name)>(&nested(row)).unwrap().1).collect()
                }),* }
            }
        }
    };
}

/// `[0, a, b]` as `[0, [a, b]]`: a row of one column is then no special case.
fn nested(row: &str) -> String {
    let (_, rest) = row.split_once(',').unwrap();
    format!("[0,[{rest}]")
}

tables! {
    // The ledger comes first: what it names is older than it.
    Entry, entries: "ledger.entries order by row" {
        row: i64, id: String, chunk: i64, at: i64, recipient: String, client: String, channel: String, request: String,
        disclosed: String, era: Option<String>, kind: Option<String>,
    }
    Party, parties: "ledger.entry_parties order by organization, position" {
        organization: String, row: i64, position: Option<i64>, hash: Option<String>,
    }
    PublicRead, public_reads: "ledger.public_reads" {
        hour: i64, agreement: String, provider: String, id: String, reads: i64, records: i64,
    }
    Refused, refusals: "ledger.refusals" {
        hour: i64, agreement: String, provider: String, recipient: String, id: String, times: i64,
    }
    Indexed, indexed: "ledger.entry_agreements order by row, agreement" { agreement: String, row: i64, low: i64, high: i64 }
    Given, given: "ledger.given_fields" { agreement: String, recipient: String, field: String, answers: i64, records: i64 }
    IndexedTo, indexed_to: "ledger.indexed_to" { row: i64 }
    Checkpoint, checkpoints: "ledger.checkpoints order by provider, position" {
        provider: String, position: i64, hash: String, at: i64, signature: String, era: Option<String>,
    }
    Sealed, sealed: "ledger.sealed" { row: i64, hour: i64 }
    LedgerCounter, ledger_counters: "ledger.counters" { name: String, next: i64 }
    Counter, counters: "counters" { name: String, next: i64 }
    CommitCounter, commit_counter: "commit_counter" { number: i64, pruned: i64 }
    Era, eras: "eras order by since" { mark: String, since: i64 }
    Schema, schemas: "schemas" { name: String, version: i64, document: String }
    Organization, organizations: "organizations" { number: i64, id: String }
    Dataset, datasets: "datasets" { number: i64, id: String, organization: i64, schema_name: String, head: i64 }
    Claim, claims: "claims" { dataset: i64, token: i64, purpose: Option<String>, until: i64, dirty: i64 }
    Original, records: "records order by dataset, record, born" {
        row: i64, dataset: i64, record: i64, key: String, body: String, born: i64, died: i64,
    }
    Edition, editions: "editions order by dataset, edition" {
        dataset: i64, edition: i64, commit_number: i64, kind: String, import: Option<String>, made_by: Option<String>,
    }
    Import, imports: "imports" {
        id: String, dataset: i64, state: String, file_hash: String, committed_edition: Option<i64>, counts: Option<String>,
    }
    Piece, pieces: "import_chunks" { import: String, position: i64 }
    Erasure, erasures: "erasures" { id: String, dataset: i64, record: i64, edition: i64, done_at: Option<i64> }
    ErasedFile, erased_files: "erased_files" { erasure: String, import: String }
    Agreement, agreements: "agreements" { number: i64, id: String, provider: i64, dataset: i64, secret: Option<String> }
    Version, versions: "agreement_versions order by agreement, version" {
        agreement: i64, version: i64, state: String, terms: String, hash: String, suspended_by: String,
        agreed_at: Option<i64>,
    }
    Approval, approvals: "approvals" { agreement: i64, version: i64, hash: String }
    Event, events: "agreement_events order by number" {
        number: i64, agreement: i64, version: i64, event: String, state: String, side: Option<String>,
    }
    Recusal, recusals: "recusals" { agreement: i64, person: String, side: String }
    Certificate, certificates: "certificates" { agreement: i64, version: i64, document: String, signature: String, key: String }
    Shelf, shelves: "shelves" { number: i64 }
    Share, shares: "shares" {
        number: i64, shelf: i64, dataset: i64, version: i64, head: i64, floor: i64, open: i64, named: i64,
    }
    ShareEdition, share_editions: "share_editions order by share, edition" {
        share: i64, edition: i64, commit_number: i64, live: i64, first_row: i64, last_row: i64,
    }
    Opening, openings: "share_openings order by share, opened" { share: i64, opened: i64, closed: i64 }
    Shared, shared: "shared_records order by share, record, born" {
        row: i64, shelf: i64, share: i64, record: i64, name: i64, payload: Option<String>, born: i64, died: i64,
    }
    Name, names: "share_names order by share, name" { share: i64, name: i64, record: i64 }
}

/// Reads everything, each of the two databases in one snapshot.
pub(super) fn read(db: &TestDatabase, source: Source) -> Tables {
    match db.kind() {
        Kind::Sqlite => read_sqlite(db, source),
        Kind::Postgres => apart(|| read_postgres(db.url())),
    }
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    value: String,
}

fn read_sqlite(db: &TestDatabase, source: Source) -> Tables {
    let commons = PathBuf::from(db.url().strip_prefix("sqlite:").unwrap());
    let copies = tempfile::tempdir().unwrap();
    let folder = match source {
        Source::Live => db.folder(),
        Source::Cold => {
            copy_databases(db.folder(), copies.path());
            copies.path()
        }
    };
    let commons = folder.join(commons.file_name().unwrap());
    let open = |path: &Path| {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("pragma busy_timeout = 20000; begin").unwrap();
        conn
    };
    let (mut ledger, mut commons) = (open(&commons.with_extension("ledger.db")), open(&commons));
    Tables::read(&mut |columns, from| {
        let (conn, from) = match from.strip_prefix("ledger.") {
            Some(from) => (&mut ledger, from),
            None => (&mut commons, from),
        };
        let lines = diesel::sql_query(format!("select json_array({columns}) as value from {from}")).load::<Line>(conn).unwrap();
        lines.into_iter().map(|line| line.value).collect()
    })
}

/// Both databases with what is not in their main files yet.
fn copy_databases(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name.ends_with(".db") || name.ends_with(".db-wal") {
            std::fs::copy(file.path(), to.join(name)).unwrap();
        }
    }
}

fn read_postgres(url: &str) -> Tables {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).unwrap();
    let _answering = runtime.spawn(connection);
    runtime.block_on(client.batch_execute("begin isolation level repeatable read read only")).unwrap();
    Tables::read(&mut |columns, from| {
        let select = format!("select json_build_array({columns})::text as value from {from}");
        let messages = runtime.block_on(client.simple_query(&select)).unwrap();
        let cell = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        messages.into_iter().filter_map(cell).collect()
    })
}
