//! The same file, again.
//!
//! Most files of a list that is sent every month are new, but some come twice, and a list of a million rows is long to read. Where
//! the file that made the newest edition of a list comes again, there is nothing to compare:
//!
//! * What a row comes to is decided by the file, its name and how it is read, the matching, the schema and the program, all of which are the same.
//! * What it is compared with is what the row itself has left there. A row that was written finds its own values, a row whose
//!   record was the same already finds that record, and one that was refused for want of a value finds what it found before.
//! * Records that the file lacks went with the first time, if they were to go.
//!
//! So its counts and problems are those of the first time, with everything written now unchanged. This is what a comparison would
//! come to, not a guess instead of one: where the list has moved since, or anything of the above differs, files are compared in full.

use hayward_importers::{Only, Profile};

use super::compare::Counts;
use super::decided::Decided;
use crate::Store;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::imports::{Counting, Import, READ_BY, still_counts};
use crate::sql::{Number, Sql, rows};

/// Problems copied in one go.
const PAGE: i64 = 1_000;

rows! {
    ProfileRow { profile: String }
    /// An import that left its list as it is now.
    FirstRow { id: String, counts: String, problem_count: i64 }
}

/// The import that brought the same file before.
pub(super) struct First {
    id: String,
    pub(super) counts: Counts,
    pub(super) problem_count: i64,
}

/// An import `i` of the same file into the same list as the import `n` whose id is bound; then the program is.
const SAME_FILE: &str = "from imports i join imports n on n.id = ? and n.dataset = i.dataset
    where i.file_hash = n.file_hash and i.size = n.size and i.filename = n.filename and i.id <> n.id and i.read_by = ?
    and coalesce(i.overrules, '') = coalesce(n.overrules, '')";

impl Store {
    /// What an earlier reading of the same file told.
    pub(super) fn profiled_before(&self, import: &Import) -> Result<Option<Profile>> {
        let select = format!("select i.profile {SAME_FILE} and i.profile is not null limit 1");
        let select = Sql::new(&select).bind(&import.id).bind(READ_BY);
        let row = self.db.read(Eyes::Own, |conn| conn.first::<ProfileRow>(select))?;
        Ok(row.and_then(|row| serde_json::from_str(&row.profile).ok()))
    }

    /// The import that left its list at edition `head`, if it brought the same file and the same was decided about it.
    pub(super) fn first_time(&self, import: &Import, decided: &Decided, head: i64) -> Result<Option<First>> {
        // What was added the first time is left out the second.
        if decided.matching.only == Some(Only::Add) {
            return Ok(None);
        }
        let select = format!(
            "select i.id, i.counts, i.problem_count {SAME_FILE}
            and i.state = 'committed' and i.edition = ? and i.matching = ? order by i.made_at desc limit 1"
        );
        let select = Sql::new(&select).bind(&import.id).bind(READ_BY).bind(head).bind(decided.matching_text());
        let Some(row) = self.db.read(Eyes::Own, |conn| conn.first::<FirstRow>(select))? else { return Ok(None) };
        let first = serde_json::from_str::<Counts>(&row.counts).map_err(|_| StoreError::Corrupt("counts"))?;
        let unchanged = first.created + first.updated + first.unchanged;
        let counts = Counts { created: 0, updated: 0, unchanged, removed: 0, ..first };
        Ok(Some(First { id: row.id, counts, problem_count: row.problem_count }))
    }

    /// Copies the problems that were found the first time.
    pub(super) fn same_problems(&self, import: &Import, counting: &Counting, first: &First) -> Result<()> {
        let copy = "insert into import_problems (import, position, problem)
            select ?, position, problem from import_problems where import = ? and position > ? and position <= ?";
        let last = "select coalesce(max(position), 0) as value from import_problems where import = ?";
        let last = self.db.read(Eyes::Own, |conn| conn.one::<Number>(Sql::new(last).bind(&first.id)))?.value;
        let mut after = 0;
        while after < last {
            let copy = Sql::new(copy).bind(&import.id).bind(&first.id).bind(after).bind(after + PAGE);
            let now = (self.clock)();
            self.db.write(|conn| {
                still_counts(conn, import, counting, now)?;
                conn.execute(copy)
            })?;
            after += PAGE;
        }
        let groups = "update imports set problem_groups = (select i.problem_groups from imports i where i.id = ?) where id = ?";
        self.db.write(|conn| conn.execute(Sql::new(groups).bind(&first.id).bind(&import.id))).map(drop)
    }
}
