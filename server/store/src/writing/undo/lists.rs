//! What an undo would do to each record, or did.
//!
//! Told from the rows alone, as of the edition that the undo is against: so the same lists can be read before it and after it, until
//! what the import replaced is pruned. A commit under way is not looked at.

use serde_json::Value;

use crate::Store;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState};
use crate::sql::{Bind, Number, Sql, rows};

/// How many records an undo reverses, and how many it leaves as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undoing {
    /// Records that are, or were, put back.
    pub reversed: u64,
    /// Records that something else has changed since, or whose key another record has now.
    pub kept: u64,
}

/// One record that an import touched.
pub struct UndoItem {
    /// Whether it stays as it is.
    pub kept: bool,
    /// What the import did: `created`, `updated` or `removed`.
    pub change: &'static str,
    /// The key of the record.
    pub key: Value,
    /// The import that changed it since, where that is why it is kept.
    pub by: Option<String>,
}

/// Some of them.
pub struct UndoItems {
    /// In the order in which the import wrote them; what it removed comes last.
    pub items: Vec<UndoItem>,
    /// Where the next page begins, if there is one: whether among the removed, and after which row.
    pub next: Option<(bool, i64)>,
}

rows! {
    ListedRow { row: i64, key: String, closed: Option<i64>, kept: i64, cause: Option<String> }
}

/// Which of the records that an edition touched an undo keeps.
struct Against {
    dataset: i64,
    /// The edition that the import made.
    edition: i64,
    /// A version of the import's that was replaced by this edition, or an earlier one, is kept.
    replaced_by: i64,
    removed: Removed,
}

/// When a removed record is kept.
enum Removed {
    /// Where its key is another record's in this edition.
    WhereTaken(i64),
    /// Where the undo, this edition, did not bring it back; 0 for an undo that wrote nothing.
    UnlessRevivedBy(i64),
}

impl Removed {
    fn kept(&self) -> (&'static str, i64) {
        match self {
            Self::WhereTaken(head) => (
                "exists (select 1 from records k where k.dataset = r.dataset and k.key = r.key
                    and k.died = 9223372036854775807 and k.born <= ?)",
                *head,
            ),
            Self::UnlessRevivedBy(edition) => (
                "not exists (select 1 from records k where k.dataset = r.dataset and k.record = r.record and k.born = ?)",
                *edition,
            ),
        }
    }
}

/// The records that an edition only closed.
const ONLY_CLOSED: &str = "r.dataset = ? and r.died = ? and r.died < 9223372036854775807
    and not exists (select 1 from records n where n.dataset = r.dataset and n.record = r.record and n.born = r.died)";

impl Store {
    /// How many records an undo would reverse and how many it would keep, or did.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `wrong-state` for an import that was never committed, `too-old` where what it replaced is pruned.
    pub fn undoing(&self, import: &Import) -> Result<Undoing> {
        let Some(against) = self.against(import)? else { return Ok(Undoing::default()) };
        let made = "select count(*) as value from records r where r.dataset = ? and r.born = ?";
        let made = Sql::new(made).bind(against.dataset).bind(against.edition);
        let mut made_kept = made.clone();
        made_kept.push_with(" and r.died <= ?", [against.replaced_by.into()]);
        let gone = format!("select count(*) as value from records r where {ONLY_CLOSED}");
        let gone = Sql::new(&gone).bind(against.dataset).bind(against.edition);
        let mut gone_kept = gone.clone();
        let (kept, edition) = against.removed.kept();
        gone_kept.push_with(&format!(" and {kept}"), [edition.into()]);
        self.db.read(Eyes::Own, |conn| {
            let mut count = |sql| conn.one::<Number>(sql).map(|row| u64::try_from(row.value).unwrap_or(0));
            let (all, kept) = (count(made)? + count(gone)?, count(made_kept)? + count(gone_kept)?);
            Ok(Undoing { reversed: all.saturating_sub(kept), kept })
        })
    }

    /// What an undo would do to each record, or did: those after `from`, at most `limit`, all or only those that are `kept` or not.
    ///
    /// # Errors
    /// As [`Self::undoing`].
    pub fn undo_items(&self, import: &Import, kept: Option<bool>, from: (bool, i64), limit: i64) -> Result<UndoItems> {
        let mut page = UndoItems { items: Vec::new(), next: None };
        let Some(against) = self.against(import)? else { return Ok(page) };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (mut removed, mut after) = from;
        loop {
            let left = wanted - page.items.len();
            let select = if removed { against.of_removed(kept, after) } else { against.of_made(kept, after) };
            let mut select = select;
            select.push_with(" order by r.row limit ?", [i64::try_from(left).unwrap_or(i64::MAX).saturating_add(1).into()]);
            let rows = self.db.read(Eyes::Own, |conn| conn.load::<ListedRow>(select))?;
            let more = rows.len() > left;
            for row in rows.into_iter().take(left) {
                after = row.row;
                page.items.push(row.item(removed));
            }
            match (more, removed) {
                (true, _) => {
                    page.next = Some((removed, after));
                    return Ok(page);
                }
                (false, true) => return Ok(page),
                (false, false) => (removed, after) = (true, 0),
            }
        }
    }

    /// What an undo of the import is against; nothing where it changed nothing.
    fn against(&self, import: &Import) -> Result<Option<Against>> {
        if !matches!(import.state, ImportState::Committed | ImportState::Undone) {
            return Err(StoreError::refused("wrong-state", "only a committed import can be undone"));
        }
        let Some(edition) = import.committed_edition else { return Ok(None) };
        self.still_kept(import.dataset_number, edition)?;
        let dataset = import.dataset_number;
        if import.state == ImportState::Committed {
            let head = self.head(import)?;
            return Ok(Some(Against { dataset, edition, replaced_by: head, removed: Removed::WhereTaken(head) }));
        }
        // An undo that kept everything made no edition.
        let undo = "select edition as value from editions where dataset = ? and edition = ? and kind = 'undo' and import = ?";
        let undo = Sql::new(undo).bind(dataset).bind(import.edition).bind(&import.id);
        let undo = self.db.read(Eyes::Own, |conn| conn.first::<Number>(undo))?.map(|row| row.value);
        let replaced_by = undo.map_or(import.edition, |undo| undo - 1);
        Ok(Some(Against { dataset, edition, replaced_by, removed: Removed::UnlessRevivedBy(undo.unwrap_or(0)) }))
    }
}

impl Against {
    fn of_made(&self, kept: Option<bool>, after: i64) -> Sql {
        let mut sql = Sql::new(
            "select r.row, r.key, c.row as closed, cast(case when r.died <= ? then 1 else 0 end as bigint) as kept,
                (select e.import from editions e where e.dataset = r.dataset and e.edition = r.died) as cause
            from records r left join records c on c.dataset = r.dataset and c.record = r.record and c.died = r.born
            where r.dataset = ? and r.born = ? and r.row > ?",
        );
        sql = sql.bind(self.replaced_by).bind(self.dataset).bind(self.edition).bind(after);
        match kept {
            Some(true) => drop(sql.push_with(" and r.died <= ?", [self.replaced_by.into()])),
            Some(false) => drop(sql.push_with(" and r.died > ?", [self.replaced_by.into()])),
            None => {}
        }
        sql
    }

    fn of_removed(&self, kept: Option<bool>, after: i64) -> Sql {
        let (stays, edition) = self.removed.kept();
        let edition: Bind = edition.into();
        let mut sql = Sql::new(&format!(
            "select r.row, r.key, r.row as closed, cast(case when {stays} then 1 else 0 end as bigint) as kept,
                cast(null as text) as cause from records r where {ONLY_CLOSED} and r.row > ?"
        ));
        sql.push_with("", [edition.clone()]);
        sql = sql.bind(self.dataset).bind(self.edition).bind(after);
        match kept {
            Some(true) => drop(sql.push_with(&format!(" and {stays}"), [edition])),
            Some(false) => drop(sql.push_with(&format!(" and not ({stays})"), [edition])),
            None => {}
        }
        sql
    }
}

impl ListedRow {
    fn item(self, removed: bool) -> UndoItem {
        let change = match (removed, self.closed) {
            (true, _) => "removed",
            (false, Some(_)) => "updated",
            (false, None) => "created",
        };
        let kept = self.kept == 1;
        UndoItem { kept, change, key: serde_json::from_str(&self.key).unwrap_or_default(), by: self.cause.filter(|_| kept) }
    }
}
