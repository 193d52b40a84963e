//! What one erasure reaches besides the list: the shares that showed the record, and the imports that may hold it.
//!
//! Which row of a file was whose cannot be told without reading it, and not at all where nobody has decided about its columns. So
//! every import of the list loses its file, its problems and its samples; one that was not committed is given up, and has to be
//! uploaded again.

use std::collections::BTreeSet;

use hayward_domain::id::ErasureId;
use hayward_domain::moment::Moment;
use hayward_importers::Matching;
use serde_json::json;

use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::imports::ImportState;
use crate::share::{Moved, note_edition};
use crate::sql::{Number, Sql, rows};

/// Values that are shorter stand in the names of many files.
const TELLING: usize = 4;

rows! {
    StoodRow { share: i64, name: i64, head: i64, versions: i64, live: i64, shown: i64, died: i64 }
    NamedRow { id: String, state: String, filename: String, matching: Option<String> }
}

/// Empties the rows of a record in every share. A share that had any goes on as with any removal, and behind its new edition nothing can
/// be read.
pub(super) fn shares(conn: &mut Conn, erasure: &ErasureId, record: i64, commit: i64, now: Moment) -> Result<()> {
    let of = "from shared_records r where r.share = n.share and r.name = n.name";
    let select = format!(
        "select n.share, n.name, s.head, (select count(*) {of}) as versions,
            (select count(*) {of} and r.died = 9223372036854775807) as live,
            (select count(*) {of} and r.payload is not null) as shown,
            coalesce((select max(r.died) {of} and r.died < 9223372036854775807), 0) as died
        from share_names n join shares s on s.number = n.share where n.record = ? order by n.share"
    );
    for stood in conn.load::<StoodRow>(Sql::new(&select).bind(record))? {
        if stood.versions == 0 {
            // It left this share so long ago that not even its removal is told any more.
            continue;
        }
        let (gone_in, gone_with) =
            if stood.live > 0 { (stood.head + 1, commit) } else { (stood.died, commit_of(conn, &stood, commit)?) };
        let insert = "insert into erased_shares (erasure, share, name, gone_in, commit_number) values (?, ?, ?, ?, ?)
            on conflict (erasure, share) do nothing";
        let insert = Sql::new(insert).bind(erasure.as_str()).bind(stood.share).bind(stood.name).bind(gone_in);
        conn.execute(insert.bind(gone_with))?;
        if stood.shown > 0 {
            empty(conn, &stood, commit, now)?;
        }
    }
    Ok(())
}

/// The commit with which the record left a share.
fn commit_of(conn: &mut Conn, stood: &StoodRow, now: i64) -> Result<i64> {
    let select = "select coalesce(max(commit_number), ?) as value from share_editions where share = ? and edition = ?";
    Ok(conn.one::<Number>(Sql::new(select).bind(now).bind(stood.share).bind(stood.died))?.value)
}

fn empty(conn: &mut Conn, stood: &StoodRow, commit: i64, now: Moment) -> Result<()> {
    let edition = stood.head + 1;
    let update = "update shared_records set payload = null, index_1 = null, index_2 = null, index_3 = null,
        died = case when died = 9223372036854775807 then ? else died end where share = ? and name = ?";
    conn.execute(Sql::new(update).bind(edition).bind(stood.share).bind(stood.name))?;
    // One that waits for its rebuild goes on waiting.
    let update = "update shares set head = ?, floor = case when floor > head then ? else ? end where number = ?";
    conn.execute(Sql::new(update).bind(edition).bind(edition + 1).bind(edition).bind(stood.share))?;
    note_edition(conn, stood.share, edition, (commit, now), &Moved::closing(stood.live))
}

/// Gives up the imports of a list that are not in it yet, and takes out of all of them what may be the person's. The files and problems
/// themselves, [`super::finish`] deletes: from here on nobody adds to them.
pub(super) fn imports(conn: &mut Conn, erasure: &ErasureId, dataset: i64, values: &BTreeSet<String>, now: Moment) -> Result<()> {
    let insert = "insert into erased_files (erasure, import, had_file) select ?, i.id,
        case when exists (select 1 from import_chunks c where c.import = i.id) then 1 else 0 end from imports i where i.dataset = ?";
    conn.execute(Sql::new(insert).bind(erasure.as_str()).bind(dataset))?;
    let select = Sql::new("select id, state, filename, matching from imports where dataset = ?").bind(dataset);
    for row in conn.load::<NamedRow>(select)? {
        // Only of what went in somebody still wants to know where its columns went.
        let went_in = [ImportState::Committed, ImportState::Undone].iter().any(|state| state.as_str() == row.state);
        let matching = row.matching.as_deref().filter(|_| went_in);
        let (filename, matching) = (without_name(&row.filename, values), without_values(matching, values)?);
        if filename != row.filename || matching != row.matching {
            let update = Sql::new("update imports set filename = ?, matching = ? where id = ?").bind(filename).bind(matching);
            conn.execute(update.bind(&row.id))?;
        }
    }
    let failure = json!({"code": "erased", "message":
        "a record of this list was erased meanwhile, and this file may have it; upload a new one", "row": null});
    let give_up = "update imports set state = 'cancelled', failure = ?, changed_at = ? where dataset = ?
        and state in ('reading', 'draft', 'checked', 'committing', 'interrupted', 'failed')";
    conn.execute(Sql::new(give_up).bind(failure.to_string()).bind(now).bind(dataset))?;
    let forget = "update imports set counting = counting + 1, reading = null, profile = null, columns = null, overrules = null,
        problem_groups = null where dataset = ?";
    conn.execute(Sql::new(forget).bind(dataset)).map(drop)
}

/// The name of a file, without the values in it.
fn without_name(filename: &str, values: &BTreeSet<String>) -> String {
    let mut name = filename.to_owned();
    for value in values.iter().filter(|value| value.chars().count() >= TELLING) {
        while let Some(at) = name.to_lowercase().find(value.as_str()) {
            let end = at + value.len();
            if name.get(at..end).is_none_or(|part| part.to_lowercase() != *value) {
                // Some letter is longer in its other case: where the value stands cannot be told.
                return "erased".to_owned();
            }
            name.replace_range(at..end, "…");
        }
    }
    name
}

/// A matching without corrections, which are values, and without headings that are: a file without a header has its first row there.
fn without_values(matching: Option<&str>, values: &BTreeSet<String>) -> Result<Option<String>> {
    let Some(text) = matching else { return Ok(None) };
    let mut matching: Matching = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("a matching"))?;
    let before = (matching.fixes.len(), matching.columns.len());
    matching.fixes.clear();
    matching.columns.retain(|column| !values.contains(&column.header.trim().to_lowercase()));
    if before == (0, matching.columns.len()) {
        return Ok(Some(text.to_owned()));
    }
    let text = serde_json::to_value(&matching).map_err(|_| StoreError::Corrupt("a matching"))?.to_string();
    Ok(Some(text))
}
