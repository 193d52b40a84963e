//! Requests under an agreement that did not answer them.
//!
//! * A refusal says which program of which recipient asked under which agreement, in which hour, and how often. Not what it asked
//!   for: neither a record nor a filter.
//! * Repeated refusals are counted, as tokenless reads are: a program that asks a thousand times a second adds a row an hour.
//! * Whether there is one follows from nothing but what the recipient knows already; [`crate::View::refused`] sees to that.

use hayward_domain::moment::Moment;

use super::{Disclosed, Entry, EntryKind, HOUR};
use crate::conn::Conn;
use crate::error::Result;
use crate::sql::{Sql, rows};

/// One refused request, under one agreement.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// An id for the hour's entry, should this be its first refusal.
    pub id: String,
    /// When.
    pub at: Moment,
    /// Which organization asked.
    pub recipient: String,
    /// Through which program or person.
    pub client: String,
    /// Under which agreement.
    pub agreement: String,
    /// Which version of it stands.
    pub version: i64,
    /// Whose it is.
    pub provider: String,
    /// The code of its purpose.
    pub purpose: String,
}

rows! {
    RefusalRow {
        hour: i64, agreement: String, version: i64, provider: String, recipient: String, client: String, id: String,
        purpose: String, times: i64,
    }
}

const COLUMNS: &str = "hour, agreement, version, provider, recipient, client, id, purpose, times";

/// Counts a refusal in its hour, or in the one that is open if its own is over.
pub(super) fn count(conn: &mut Conn, refusal: &Refusal, open: i64) -> Result<()> {
    let upsert = "insert into refusals (hour, agreement, version, provider, recipient, client, id, purpose, times)
        values (?, ?, ?, ?, ?, ?, ?, ?, 1) on conflict (hour, agreement, client) do update set times = refusals.times + 1";
    let upsert = Sql::new(upsert).bind(open.max(refusal.at.0 / HOUR)).bind(&refusal.agreement).bind(refusal.version);
    let upsert = upsert.bind(&refusal.provider).bind(&refusal.recipient).bind(&refusal.client);
    conn.execute(upsert.bind(&refusal.id).bind(&refusal.purpose)).map(drop)
}

/// The refusals of the hours from `from` on and before `until`.
pub(super) fn between(conn: &mut Conn, from: i64, until: i64) -> Result<Vec<Entry>> {
    let select = format!("select {COLUMNS} from refusals where hour >= ? and hour < ? order by hour, agreement, client");
    let rows = conn.load::<RefusalRow>(Sql::new(&select).bind(from).bind(until))?;
    Ok(rows.into_iter().map(entry).collect())
}

/// The refusals that are not entries yet and concern an organization.
pub(super) fn open(conn: &mut Conn, organization: &str) -> Result<Vec<Entry>> {
    let select = format!(
        "select {COLUMNS} from refusals where (provider = ? or recipient = ?)
        and hour >= (select hour from sealed where only_row = 1) order by hour desc, agreement, client"
    );
    let rows = conn.load::<RefusalRow>(Sql::new(&select).bind(organization).bind(organization))?;
    Ok(rows.into_iter().map(entry).collect())
}

fn entry(row: RefusalRow) -> Entry {
    Entry {
        kind: EntryKind::Refusal,
        id: row.id,
        chunk: 0,
        at: Moment(row.hour * HOUR),
        recipient: row.recipient,
        client: row.client,
        channel: format!("{} refusals in the hour from here", row.times),
        request: String::new(),
        disclosed: vec![Disclosed {
            agreement: row.agreement,
            provider: row.provider,
            version: row.version,
            purpose: row.purpose,
            edition: 0,
            fields: Vec::new(),
            count: 0,
            records: String::new(),
        }],
    }
}
