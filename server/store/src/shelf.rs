//! What recipients read: `shared_records`, in one snapshot with the token and the agreements that open it.
//!
//! A [`View`] is that snapshot. On PostgreSQL it runs under a role that can read no original.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use hayward_domain::condition::Condition;
use hayward_domain::disclose::SharedRecord;
use hayward_domain::id::{AgreementId, OrganizationId};
use hayward_domain::keys::{AgreementKeys, Named, RecordIdKeys};
use hayward_domain::mutants;
use hayward_domain::record::RecordNumber;
use hayward_domain::schema::Schema;
use hayward_domain::terms::{RecordIds, Terms};
use serde_json::Value;

use crate::agreements::{MEMBERS, PUBLIC};
use crate::conn::{Conn, Eyes};
use crate::dialect::Document;
use crate::error::{Result, StoreError};
use crate::order::Order;
use crate::sql::{Number, Sql, rows};
use crate::tokens::{self, Caller};
use crate::{Store, counter, filter};

/// How many visible rows a filter, a sort or a count may have to look at.
pub const BUDGET: i64 = 100_000;

/// Who reads.
#[derive(Clone)]
pub enum Viewer {
    /// The holder of the token with this hash.
    Token(String),
    /// Somebody without one: public shares only.
    Nobody,
}

/// Which shares of a collection a request selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareQuery {
    /// Only this agreement's.
    pub agreement: Option<String>,
    /// Only this provider's.
    pub provider: Option<String>,
    /// Only what is for one organization, for all members, or for the public.
    pub audience: Option<AudienceKind>,
}

/// The three audiences, the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudienceKind {
    /// One organization.
    Organization,
    /// All member co-ops.
    Members,
    /// Everyone.
    Public,
}

/// A share that the viewer may read, as of the snapshot.
#[derive(Clone)]
pub struct ShareSummary {
    pub(crate) number: i64,
    pub(crate) shelf: i64,
    pub(crate) edition: i64,
    /// Whose data it is.
    pub provider: OrganizationId,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Under which version of it.
    pub version: i64,
    /// For whom.
    pub audience: AudienceKind,
    /// What the version says.
    pub terms: Arc<Terms>,
    /// The schema of the dataset.
    pub schema: Arc<Schema>,
    keys: Option<Arc<AgreementKeys>>,
}

impl ShareSummary {
    /// The share's edition that this snapshot shows.
    #[must_use]
    pub fn edition(&self) -> i64 {
        self.edition
    }

    /// A number for this share within the answer's making. Not for the wire.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }
}

/// One shared record, on its way out.
pub struct SharedRow {
    /// The record's name for this recipient.
    pub id: String,
    /// Which of the page's shares it came under.
    pub share: i64,
    /// The share's edition in which it last changed.
    pub edition: i64,
    /// Its name in the ledger, within its share.
    pub name: i64,
    /// What is disclosed.
    pub record: SharedRecord,
    /// Its row: where the next page goes on. Not for the wire.
    pub row: i64,
}

/// One page of shared records.
pub struct SharedPage {
    /// The rows.
    pub rows: Vec<SharedRow>,
    /// The row after which the next page begins, if there is one.
    pub after: Option<i64>,
}

rows! {
    ShareRow { number: i64, shelf: i64, edition: i64, floor: i64, provider: String, agreement: String, version: i64, audience: i64 }
    SharedRowRow { row: i64, share: i64, record: i64, name: i64, payload: Option<String>, born: i64 }
}

/// One snapshot, for one viewer.
pub struct View<'a> {
    pub(crate) store: &'a Store,
    pub(crate) conn: &'a mut Conn,
    ids: RecordIdKeys,
    /// Who the token says it is; nobody without a token.
    pub caller: Option<Caller>,
    /// The newest commit that this snapshot sees.
    pub commit: i64,
    /// When the snapshot was opened, or a little before.
    pub opened: Instant,
    pub(crate) now: hayward_domain::moment::Moment,
}

impl Store {
    /// Runs `f` in one snapshot, as `viewer`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a token that opens nothing, and whatever `f` returns.
    pub fn view<T, E: From<StoreError>>(
        &self,
        viewer: &Viewer,
        f: impl FnOnce(&mut View<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let opened = Instant::now();
        let now = (self.clock)();
        self.db.read(Eyes::Recipient, |conn| {
            let caller = match viewer {
                Viewer::Token(hash) => Some(tokens::caller(conn, hash, now)?),
                Viewer::Nobody => None,
            };
            let commit = counter::newest(conn)?;
            f(&mut View { store: self, conn, ids: self.keyring.record_ids(), caller, commit, opened, now })
        })
    }
}

impl View<'_> {
    /// The numbers of the audiences that the viewer belongs to.
    pub(crate) fn audiences(&self) -> Vec<i64> {
        match &self.caller {
            Some(caller) => vec![caller.organization.0, MEMBERS, PUBLIC],
            None => vec![PUBLIC],
        }
    }

    /// Whether a schema of this commons stands under this word.
    ///
    /// # Errors
    /// Only the database's.
    pub fn has_collection(&mut self, collection: &str) -> Result<bool> {
        let select = Sql::new("select count(*) as value from schemas where collection = ?").bind(collection);
        Ok(self.conn.one::<Number>(select)?.value > 0)
    }

    /// Whether the clock has ended something that this snapshot still shows as standing.
    ///
    /// # Errors
    /// Only the database's.
    pub fn anything_expired(&mut self) -> Result<bool> {
        let select = "select count(*) as value from agreement_versions where ends_at <= ?
            and state in ('requested', 'offered', 'agreed', 'active', 'suspended')";
        Ok(self.conn.one::<Number>(Sql::new(select).bind(self.now))?.value > 0)
    }

    /// Refuses a commit whose editions are pruned, or that this database never made.
    ///
    /// # Errors
    /// [`StoreError::Stale`].
    pub fn honours(&mut self, at: i64) -> Result<()> {
        let select = "select count(*) as value from commit_counter where only_row = 1 and pruned <= ? and number >= ?";
        if self.conn.one::<Number>(Sql::new(select).bind(at).bind(at))?.value == 1 {
            return Ok(());
        }
        Err(StoreError::Stale("this position is no longer kept; read anew".to_owned()))
    }

    /// The shares of a collection that answer the viewer, as of commit `at`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if `wanted.agreement` is not one of them.
    pub fn shares(&mut self, collection: &str, wanted: &ShareQuery, at: i64) -> Result<Vec<ShareSummary>> {
        let audiences = self.audiences();
        let mut sql = Sql::new(
            "select s.number, s.shelf, s.floor, o.id as provider, a.id as agreement, s.version, a.audience,
                coalesce((select max(e.edition) from share_editions e where e.share = s.number and e.commit_number <= ?), 0) as edition
            from shelves h join shares s on s.shelf = h.number join agreements a on a.number = s.number
            join organizations o on o.number = a.provider
            join agreement_versions v on v.agreement = s.number and v.version = s.version
            where h.collection = ?",
        );
        sql = sql.bind(at).bind(collection);
        if !mutants::on("other-audiences") {
            sql.push(" and h.audience in ").list(audiences);
        }
        if !mutants::on("revocation-ignored") {
            sql.push_with(" and s.open = 1 and v.state = 'active' and v.ends_at > ?", [self.now.into()]);
        }
        sql.push_with(
            " and exists (select 1 from share_openings p where p.share = s.number and p.opened <= ? and p.closed > ?)",
            [at.into(), at.into()],
        );
        if let Some(agreement) = &wanted.agreement {
            sql.push_with(" and a.id = ?", [agreement.into()]);
        }
        if let Some(provider) = &wanted.provider {
            sql.push_with(" and o.id = ?", [provider.into()]);
        }
        match wanted.audience {
            Some(AudienceKind::Organization) => sql.push(" and a.audience > 0"),
            Some(AudienceKind::Members) => sql.push(" and a.audience = 0"),
            Some(AudienceKind::Public) => sql.push(" and a.audience = -1"),
            None => &mut sql,
        };
        sql.push(" order by s.number");
        let found = self.conn.load::<ShareRow>(sql)?;
        let mut shares = Vec::with_capacity(found.len());
        for row in found {
            if row.edition >= row.floor {
                shares.push(self.summary(row)?);
            }
        }
        if wanted.agreement.is_some() && shares.is_empty() {
            return Err(StoreError::NotFound);
        }
        Ok(shares)
    }

    pub(crate) fn summary(&mut self, row: ShareRow) -> Result<ShareSummary> {
        let (terms, schema) = self.store.terms(self.conn, row.number, row.version)?;
        let keys = match terms.record_id {
            RecordIds::Stable => None,
            RecordIds::Pseudonym => Some(Arc::new(self.store.agreement_keys(self.conn, row.number)?)),
        };
        let audience = match row.audience {
            MEMBERS => AudienceKind::Members,
            PUBLIC => AudienceKind::Public,
            _ => AudienceKind::Organization,
        };
        Ok(ShareSummary {
            number: row.number,
            shelf: row.shelf,
            edition: row.edition,
            provider: OrganizationId::parse(&row.provider).ok_or(StoreError::Corrupt("an organization"))?,
            agreement: AgreementId::parse(&row.agreement).ok_or(StoreError::Corrupt("an agreement"))?,
            version: row.version,
            audience,
            terms,
            schema,
            keys,
        })
    }

    /// One page of the rows of `shares` that meet `condition`, after the row `after`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with `too-broad` where a sort or a filter would have to look at more than [`BUDGET`] rows.
    pub fn list(
        &mut self,
        shares: &[ShareSummary],
        condition: &Condition,
        order: &Order,
        after: Option<i64>,
        limit: i64,
    ) -> Result<SharedPage> {
        if shares.is_empty() {
            return Ok(SharedPage { rows: Vec::new(), after: None });
        }
        let filtered = !matches!(condition, Condition::All(parts) if parts.is_empty());
        if (filtered || !order.is_default()) && self.visible(shares)? > BUDGET {
            return Err(StoreError::refused(
                "too-broad",
                "more rows are shared than a filter or a sort may look at; narrow the request",
            ));
        }
        let mut found = if order.is_default() {
            let mut found = Vec::new();
            for shelf in shelves(shares) {
                let mut sql = self.select(shares, &[shelf], condition);
                sql.push_with(" and r.row > ?", [after.unwrap_or(0).into()]);
                sql.push_with(" order by r.row limit ?", [(limit + 1).into()]);
                found.extend(self.conn.load::<SharedRowRow>(sql)?);
            }
            found.sort_unstable_by_key(|row| row.row);
            found
        } else {
            let kind = self.conn.kind();
            let mut sql = self.select(shares, &shelves(shares), condition);
            if let Some(last) = after {
                let payload = self.payload(last)?;
                sql.push(" and ").append(order.after(kind, Document::Payload, &payload, "r.row", last));
            }
            sql.push(&order.emit(kind, Document::Payload, "r.row"));
            sql.push_with(" limit ?", [(limit + 1).into()]);
            self.conn.load::<SharedRowRow>(sql)?
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let after = found.last().map(|row| row.row).filter(|_| more);
        let by_number: HashMap<i64, &ShareSummary> = shares.iter().map(|share| (share.number, share)).collect();
        let rows = found.into_iter().filter_map(|row| by_number.get(&row.share).map(|share| self.shared(row, share)));
        Ok(SharedPage { rows: rows.collect::<Result<_>>()?, after })
    }

    /// How many rows of `shares` meet `condition`; nothing beyond the budget.
    ///
    /// # Errors
    /// Only the database's.
    pub fn count(&mut self, shares: &[ShareSummary], condition: &Condition) -> Result<Option<i64>> {
        if shares.is_empty() {
            return Ok(Some(0));
        }
        if self.visible(shares)? > BUDGET {
            return Ok(None);
        }
        let mut sql = Sql::new("select count(*) as value from (").varying();
        sql.append(self.select(shares, &shelves(shares), condition)).push(") as found");
        Ok(Some(self.conn.one::<Number>(sql)?.value))
    }

    /// How many rows the shares show, looking at one more than the budget at most.
    fn visible(&mut self, shares: &[ShareSummary]) -> Result<i64> {
        let mut sql = Sql::new("select count(*) as value from (").varying();
        sql.append(self.select(shares, &shelves(shares), &Condition::All(Vec::new())));
        sql.push_with(" limit ?) as found", [(BUDGET + 1).into()]);
        Ok(self.conn.one::<Number>(sql)?.value)
    }

    fn select(&mut self, shares: &[ShareSummary], shelves: &[i64], condition: &Condition) -> Sql {
        let mut sql = Sql::new("with visible (share, edition) as (values ").varying();
        for (at, share) in shares.iter().filter(|share| shelves.contains(&share.shelf)).enumerate() {
            sql.push_with(if at == 0 { "(?, ?)" } else { ", (?, ?)" }, [share.number.into(), share.edition.into()]);
        }
        // `cross join` keeps SQLite from turning the join round: the rows of a shelf lie in the order that is asked for.
        sql.push(
            ") select r.row, r.share, r.record, r.name, r.payload, r.born from shared_records r cross join visible v
            where v.share = r.share and r.born <= v.edition and r.died > v.edition and r.shelf in ",
        );
        sql.list(shelves.iter().copied());
        for (column, value) in narrowed(shares, condition) {
            sql.push_with(&format!(" and r.index_{column} = ?"), [value.into()]);
        }
        sql.push(" and ").append(filter::emit(self.conn.kind(), Document::Payload, condition));
        sql
    }

    fn payload(&mut self, row: i64) -> Result<Value> {
        let select = "select row, share, record, name, payload, born from shared_records where row = ?";
        let row = self.conn.first::<SharedRowRow>(Sql::new(select).bind(row))?;
        let text =
            row.and_then(|row| row.payload).ok_or_else(|| StoreError::Stale("the page before this one is gone".to_owned()))?;
        serde_json::from_str(&text).map_err(|_| StoreError::Corrupt("a payload"))
    }

    /// The row that `id` names for this viewer, under the most specific audience.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if no share shows it.
    pub fn get(&mut self, shares: &[ShareSummary], id: &str) -> Result<(SharedRow, ShareSummary)> {
        let named = self.ids.read(id).ok_or(StoreError::NotFound)?;
        let mut candidates: Vec<(&ShareSummary, RecordNumber)> = Vec::new();
        for share in shares {
            match (&named, &share.keys) {
                (Named::Stable(number), None) => candidates.push((share, *number)),
                (Named::Pseudonym { share: of, sealed }, Some(keys)) if *of == share.number => {
                    candidates.extend(keys.open_record(*sealed).map(|number| (share, number)));
                }
                (Named::Stable(_), Some(_)) | (Named::Pseudonym { .. }, _) => {}
            }
        }
        candidates.sort_by_key(|(share, _)| (share.audience, share.number));
        for (share, number) in candidates {
            let select = "select row, share, record, name, payload, born from shared_records
                where share = ? and name = (select name from share_names where share = ? and record = ?) and born <= ? and died > ?";
            let select =
                Sql::new(select).bind(share.number).bind(share.number).bind(number.0).bind(share.edition).bind(share.edition);
            if let Some(row) = self.conn.first::<SharedRowRow>(select)? {
                return Ok((self.shared(row, share)?, share.clone()));
            }
        }
        Err(StoreError::NotFound)
    }

    fn shared(&self, row: SharedRowRow, share: &ShareSummary) -> Result<SharedRow> {
        Ok(SharedRow {
            id: self.record_id(share, row.record),
            share: row.share,
            edition: row.born,
            name: row.name,
            record: SharedRecord::from_shelf(row.payload.ok_or(StoreError::Corrupt("a payload"))?),
            row: row.row,
        })
    }

    /// The id of a record for this recipient.
    pub(crate) fn record_id(&self, share: &ShareSummary, record: i64) -> String {
        match &share.keys {
            None => self.ids.stable(RecordNumber(record)),
            Some(keys) => self.ids.pseudonym(share.number, keys, RecordNumber(record)),
        }
    }

    /// Rows between `born` bounds and so on, for the feed.
    pub(crate) fn rows_of(&mut self, share: &ShareSummary, sql: Sql) -> Result<Vec<SharedRow>> {
        let rows = self.conn.load::<SharedRowRow>(sql)?;
        rows.into_iter().map(|row| self.shared(row, share)).collect()
    }
}

fn shelves(shares: &[ShareSummary]) -> Vec<i64> {
    let mut shelves: Vec<i64> = shares.iter().map(|share| share.shelf).collect();
    shelves.sort_unstable();
    shelves.dedup();
    shelves
}

/// Equalities over fields that have an index of their own in every one of the shares: they narrow the scan, the filter decides.
fn narrowed(shares: &[ShareSummary], condition: &Condition) -> BTreeMap<usize, String> {
    let mut columns = BTreeMap::new();
    let Condition::All(parts) = condition else { return columns };
    for part in parts {
        let Condition::Test { field, is: hayward_domain::condition::Is::Eq(operand) } = part else { continue };
        // A number or a truth could match too, and has no index.
        let (Some(text), None, None) = (&operand.text, operand.number, operand.boolean) else { continue };
        let place = |share: &ShareSummary| share.schema.indexed.iter().position(|indexed| indexed == field);
        let Some(first) = shares.first().and_then(place) else { continue };
        if shares.iter().all(|share| place(share) == Some(first)) {
            columns.insert(first + 1, text.clone());
        }
    }
    columns
}
