//! Entries of one organization that meet a filter, newest first.
//!
//! * Where a filter names agreements or a record, entries are found through the index; otherwise through what concerns the
//!   organization. What SQL can decide, it decides; the rest is decided on the few entries that are left.
//! * One page looks at a bounded number of entries. Where few of them meet the filter, it may be short, or empty, and still say
//!   where the next one goes on.
//! * Hours that are not over come with the first page, as they do without a filter.

use hayward_domain::moment::Moment;

use super::given::{APART, first_since};
use super::index::indexed_up_to;
use super::reading::{link, open_hours};
use super::{ENTRY_COLUMNS, Entry, EntryKind, EntryPage, EntryRow, Kept, LedgerStore};
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::sql::{Sql, rows};

/// Rows of the index that one statement goes through.
const WINDOW: i64 = 20_000;
/// Statements that one page may take.
const WINDOWS: usize = 10;
/// Entries looked through one by one in one go: those that are not indexed yet.
const BATCH: i64 = 500;

/// How one record is named in the ledger under one agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// The agreement.
    pub agreement: String,
    /// Whether all that stands in the ledger under it concerns whoever asks: its provider, or its only recipient.
    pub whole: bool,
    /// The number of the record; see [`super::Disclosed::records`].
    pub name: i64,
}

/// Which entries are wanted; an empty one wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What they are.
    pub kind: Option<EntryKind>,
    /// Under this agreement; the second says what [`RecordName::whole`] says.
    pub agreement: Option<(String, bool)>,
    /// To this recipient.
    pub recipient: Option<String>,
    /// With this field among those that were given.
    pub field: Option<String>,
    /// With the record that has one of these names.
    pub record: Option<Vec<RecordName>>,
    /// Not before this moment.
    pub from: Option<Moment>,
    /// Before this moment.
    pub until: Option<Moment>,
}

impl Filter {
    /// Whether it wants everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an entry meets it, as far as `organization` can see the entry. Agreement, field and record must meet in one part.
    fn wants(&self, entry: &Entry, organization: &str) -> bool {
        let part = |disclosed: &super::Disclosed| {
            (entry.recipient == organization || disclosed.provider == organization)
                && self.agreement.as_ref().is_none_or(|(agreement, _)| disclosed.agreement == *agreement)
                && self.field.as_ref().is_none_or(|field| disclosed.fields.contains(field))
                && self.record.as_ref().is_none_or(|names| {
                    names.iter().any(|name| name.agreement == disclosed.agreement && disclosed.covers(name.name))
                })
        };
        let any_part = self.agreement.is_none() && self.field.is_none() && self.record.is_none();
        entry.concerns(organization)
            && self.kind.is_none_or(|kind| entry.kind == kind)
            && self.recipient.as_ref().is_none_or(|recipient| entry.recipient == *recipient)
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at < until)
            && (any_part || entry.disclosed.iter().any(part))
    }

    /// What SQL can decide of it. It may let through more than the filter wants, never less.
    fn push(&self, sql: &mut Sql) {
        match self.kind {
            Some(EntryKind::Disclosure) => drop(sql.push(" and coalesce(e.kind, 'disclosure') = 'disclosure'")),
            Some(kind) => drop(sql.push_with(" and e.kind = ?", [kind.as_str().into()])),
            None => {}
        }
        if let Some(recipient) = &self.recipient {
            sql.push_with(" and e.recipient = ?", [recipient.into()]);
        }
        if let Some(field) = &self.field {
            sql.push_with(" and e.disclosed like ?", [format!("%\"{field}\"%").into()]);
        }
        if let Some(from) = self.from {
            sql.push_with(" and e.at >= ?", [from.into()]);
        }
        if let Some(until) = self.until {
            sql.push_with(" and e.at < ?", [until.into()]);
        }
    }

    /// The rows of entries after `from` and below `below` that the filter can hold for, the newest, as many as one statement goes
    /// through.
    fn window(&self, organization: &str, from: i64, below: i64) -> Sql {
        let bounds = [from.into(), below.into(), WINDOW.into()];
        let within = " and a.row > ? and a.row < ? order by a.row desc limit ?";
        let arm = |agreement: &str, whole: bool, name: Option<i64>| {
            let mut arm = Sql::new("select a.row from entry_agreements a");
            if !whole {
                arm.push_with(" join entry_parties p on p.organization = ? and p.row = a.row", [organization.into()]);
            }
            arm.push_with(" where a.agreement = ?", [agreement.into()]);
            if let Some(name) = name {
                arm.push_with(" and a.low <= ? and a.high >= ?", [name.into(), name.into()]);
            }
            arm.push_with(within, bounds.clone());
            arm
        };
        let agreed = self.agreement.as_ref();
        let arms: Vec<Sql> = match (&self.record, agreed) {
            (Some(names), _) => {
                let named = names.iter().filter(|name| agreed.is_none_or(|(agreement, _)| name.agreement == *agreement));
                named.map(|name| arm(&name.agreement, name.whole, Some(name.name))).collect()
            }
            (None, Some((agreement, whole))) => vec![arm(agreement, *whole, None)],
            (None, None) => {
                let all = "select a.row from entry_parties a where a.organization = ?";
                let mut arm = Sql::new(all).bind(organization);
                arm.push_with(within, bounds.clone());
                vec![arm]
            }
        };
        let mut window = Sql::new("select distinct row from (").varying();
        if arms.is_empty() {
            window.push("select row from entries where 1 = 0");
        }
        for (at, arm) in arms.into_iter().enumerate() {
            window
                .push(if at == 0 { "" } else { " union all " })
                .push("select row from (")
                .append(arm)
                .push(&format!(") as arm_{at}"));
        }
        window.push_with(") as arms order by row desc limit ?", [WINDOW.into()]);
        window
    }
}

rows! {
    EndRow { value: Option<i64> }
}

impl LedgerStore {
    /// The entries that concern an organization and meet a filter, newest first, below the entry numbered `below`. At most `limit`;
    /// fewer where a page would have to look at too many.
    ///
    /// # Errors
    /// Only the database's.
    pub fn filtered(&self, organization: &str, filter: &Filter, below: Option<i64>, limit: i64) -> Result<EntryPage> {
        self.db.read(Eyes::Own, |conn| {
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            let oldest = filter
                .from
                .map(|from| first_since(conn, from.minus(APART)))
                .transpose()?
                .map_or(0, |first| first.saturating_sub(1).max(0));
            let newest = filter.until.map(|until| first_since(conn, until.plus(APART))).transpose()?.unwrap_or(i64::MAX);
            let indexed = indexed_up_to(conn)?;
            let mut found: Vec<(i64, Kept)> = Vec::new();
            let mut at = below.unwrap_or(i64::MAX).min(newest);
            let mut more = false;
            for turn in 0.. {
                if at <= oldest.saturating_add(1) || found.len() > wanted {
                    break;
                }
                if turn == WINDOWS {
                    more = true;
                    break;
                }
                let (rows, reached) = if at > indexed.saturating_add(1) {
                    newer(conn, oldest.max(indexed), at)?
                } else {
                    let left = limit.saturating_add(1).saturating_sub(i64::try_from(found.len()).unwrap_or(limit));
                    older(conn, filter, organization, oldest, at, left)?
                };
                at = reached;
                for row in rows {
                    let (row, kept) = (row.row, row.read()?);
                    if filter.wants(&kept.entry, organization) {
                        found.push((row, kept));
                    }
                }
            }
            let more = more || found.len() > wanted;
            let cut = found.len() > wanted;
            found.truncate(wanted);
            let last = found.last().map(|(row, _)| *row).filter(|_| cut);
            let mut items = Vec::with_capacity(found.len());
            if below.is_none() {
                let hours = open_hours(conn, organization)?;
                let hours = hours.into_iter().filter(|entry| filter.wants(entry, organization));
                items.extend(hours.map(|entry| (self.fresh(entry).seen_by(organization), None)));
            }
            for (row, kept) in found {
                items.push((kept.seen_by(organization), link(conn, organization, row)?));
            }
            Ok(EntryPage { items, below: Some(last.unwrap_or(at)).filter(|_| more) })
        })
    }
}

/// Entries after `from` and below `below` that are not indexed, the newest of them, and how far they reach.
fn newer(conn: &mut Conn, from: i64, below: i64) -> Result<(Vec<EntryRow>, i64)> {
    let select = format!("select {ENTRY_COLUMNS} from entries e where e.row > ? and e.row < ? order by e.row desc limit ?");
    let rows = conn.load::<EntryRow>(Sql::new(&select).bind(from).bind(below).bind(BATCH))?;
    let full = i64::try_from(rows.len()) == Ok(BATCH);
    let reached = rows.last().map(|row| row.row).filter(|_| full).unwrap_or(from.saturating_add(1));
    Ok((rows, reached))
}

/// Indexed entries after `from` and below `below` that may meet the filter, the newest `left` of one window, and how far they reach.
fn older(conn: &mut Conn, filter: &Filter, organization: &str, from: i64, below: i64, left: i64) -> Result<(Vec<EntryRow>, i64)> {
    let mut select = Sql::new(&format!("select {ENTRY_COLUMNS} from (")).varying();
    select.append(filter.window(organization, from, below)).push(") w join entries e on e.row = w.row where 1 = 1");
    filter.push(&mut select);
    select.push_with(" order by e.row desc limit ?", [left.into()]);
    let rows = conn.load::<EntryRow>(select)?;
    if let Some(last) = rows.last().filter(|_| i64::try_from(rows.len()) == Ok(left)) {
        let reached = last.row;
        return Ok((rows, reached));
    }
    let mut end = Sql::new("select case when count(*) >= ? then min(row) end as value from (").bind(WINDOW).varying();
    end.append(filter.window(organization, from, below)).push(") as every");
    let end = conn.first::<EndRow>(end)?.and_then(|row| row.value);
    Ok((rows, end.unwrap_or(from.saturating_add(1))))
}
