//! Which shares answer a viewer, as of a commit.
//!
//! * A share answers if its agreement is in force and open, if it was open at the commit that is read, and if its edition then is not
//!   below its floor.
//! * Whatever changes that takes a commit number. So what one snapshot found out holds in every snapshot with the same newest
//!   commit, and is kept until a newer one shows: the number is read in the very snapshot, on any number of servers.
//! * Only the clock moves without a commit: when each share ends is kept with it, and compared anew.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use hayward_domain::id::{AgreementId, OrganizationId};
use hayward_domain::keys::AgreementKeys;
use hayward_domain::mutants;
use hayward_domain::schema::Schema;
use hayward_domain::terms::{RecordIds, Terms};

use super::names::Names;
use super::{AudienceKind, ShareQuery, View};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};

/// Lists of shares that are kept at a time: one for each audience, collection and commit that is paged through.
const KEPT: usize = 4_096;

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
    pub(super) keys: Option<Arc<AgreementKeys>>,
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

/// How far the edition reaches that is read, and what may have happened to its rows since.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) dataset: i64,
    /// The share's newest edition: rows of the one that is read may have died up to here.
    pub(super) head: i64,
    pub(super) live: i64,
    pub(super) first_row: i64,
    pub(super) last_row: i64,
    /// Rows that were born before this edition are not wanted; 0 where all are.
    pub(super) since: i64,
    ends_at: i64,
}

/// The shares that answer a request, in the order of their numbers.
pub struct Shares {
    all: Vec<(Arc<ShareSummary>, Extent)>,
    /// What they disclose.
    pub names: Names,
}

impl Shares {
    pub(super) fn new(all: Vec<(Arc<ShareSummary>, Extent)>) -> Self {
        let names = Names::of(all.iter().map(|(share, _)| &**share));
        Self { all, names }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ShareSummary>> {
        self.all.iter().map(|(share, _)| share)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The one with this number.
    #[must_use]
    pub fn of(&self, number: i64) -> Option<&Arc<ShareSummary>> {
        self.all
            .binary_search_by_key(&number, |(share, _)| share.number)
            .ok()
            .and_then(|at| self.all.get(at))
            .map(|(share, _)| share)
    }

    pub(super) fn with_extents(&self) -> &[(Arc<ShareSummary>, Extent)] {
        &self.all
    }

    /// How many rows they show.
    #[must_use]
    pub fn live(&self) -> i64 {
        self.all.iter().map(|(_, extent)| extent.live).sum()
    }
}

rows! {
    AnsweringRow {
        number: i64, shelf: i64, edition: i64, floor: i64, provider: String, agreement: String, version: i64, audience: i64,
        dataset: i64, head: i64, live: i64, first_row: i64, last_row: i64, ends_at: i64,
    }
}

/// What identifies a share and its edition, out of a row.
pub(crate) struct ShareParts {
    pub(crate) number: i64,
    pub(crate) shelf: i64,
    pub(crate) edition: i64,
    pub(crate) provider: String,
    pub(crate) agreement: String,
    pub(crate) version: i64,
    pub(crate) audience: i64,
}

/// What holds at one newest commit.
#[derive(Default)]
pub(crate) struct Standing {
    commit: i64,
    /// When the clock ends the next of all agreements.
    next_end: Option<i64>,
    /// By the viewer's organization (0 for nobody), the collection, and the commit that is read.
    shares: HashMap<(i64, String, i64), Arc<Shares>>,
}

impl View<'_> {
    /// Whether a schema of this commons stands under this word.
    ///
    /// # Errors
    /// Only the database's.
    pub fn has_collection(&mut self, collection: &str) -> Result<bool> {
        // Schemas are only ever added.
        if self.store.collections.read().unwrap_or_else(PoisonError::into_inner).contains(collection) {
            return Ok(true);
        }
        let select = Sql::new("select count(*) as value from schemas where collection = ?").bind(collection);
        let known = self.conn.one::<Number>(select)?.value > 0;
        if known {
            self.store.collections.write().unwrap_or_else(PoisonError::into_inner).insert(collection.to_owned());
        }
        Ok(known)
    }

    /// Whether the clock has ended something that this snapshot still shows as standing.
    ///
    /// # Errors
    /// Only the database's.
    pub fn anything_expired(&mut self) -> Result<bool> {
        if let Some(next) = self.standing(|standing| standing.next_end) {
            return Ok(next <= self.now.0);
        }
        let select = "select coalesce(min(ends_at), 9223372036854775807) as value from agreement_versions
            where state in ('requested', 'offered', 'agreed', 'active', 'suspended')";
        let next = self.conn.one::<Number>(Sql::new(select))?.value;
        self.keep(|standing| standing.next_end = Some(next));
        Ok(next <= self.now.0)
    }

    /// Refuses a commit whose editions are pruned, or that this database never made.
    ///
    /// # Errors
    /// [`StoreError::Stale`].
    pub fn honours(&mut self, at: i64) -> Result<()> {
        if (self.pruned..=self.commit).contains(&at) {
            return Ok(());
        }
        Err(StoreError::Stale("this position is no longer kept; read anew".to_owned()))
    }

    /// The shares of a collection that answer the viewer, as of commit `at`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if `wanted.agreement` is not one of them.
    pub fn shares(&mut self, collection: &str, wanted: &ShareQuery, at: i64) -> Result<Arc<Shares>> {
        let all = self.answering(collection, at)?;
        let now = self.now.0;
        let fits = |(share, extent): &&(Arc<ShareSummary>, Extent)| {
            (extent.ends_at > now || mutants::on("revocation-ignored"))
                && wanted.agreement.as_ref().is_none_or(|agreement| share.agreement.as_str() == agreement)
                && wanted.provider.as_ref().is_none_or(|provider| share.provider.as_str() == provider)
                && wanted.audience.is_none_or(|audience| share.audience == audience)
        };
        let selected = if all.all.iter().all(|share| fits(&share)) {
            all
        } else {
            Arc::new(Shares::new(all.all.iter().filter(fits).cloned().collect()))
        };
        if wanted.agreement.is_some() && selected.is_empty() {
            if mutants::on("forbidden-differs") {
                let known = Sql::new("select number as value from agreements where id = ?").bind(wanted.agreement.clone());
                self.conn
                    .first::<Number>(known)?
                    .map_or(Ok(()), |_| Err(StoreError::refused("too-broad", "this is for others")))?;
            }
            return Err(StoreError::NotFound);
        }
        Ok(selected)
    }

    fn answering(&mut self, collection: &str, at: i64) -> Result<Arc<Shares>> {
        let viewer = self.caller.as_ref().map_or(0, |caller| caller.organization.0);
        let viewer = if mutants::on("cached-across-principals") { 0 } else { viewer };
        let key = (viewer, collection.to_owned(), at);
        if let Some(found) = self.standing(|standing| standing.shares.get(&key).cloned()) {
            return Ok(found);
        }
        let mut sql = Sql::new(
            "select s.number, s.shelf, s.floor, o.id as provider, a.id as agreement, s.version, a.audience, s.dataset, s.head, v.ends_at,
                coalesce(e.edition, 0) as edition, coalesce(e.live, 0) as live, coalesce(e.first_row, 0) as first_row,
                coalesce(e.last_row, 0) as last_row
            from shelves h join shares s on s.shelf = h.number join agreements a on a.number = s.number
            join organizations o on o.number = a.provider
            join agreement_versions v on v.agreement = s.number and v.version = s.version
            left join share_editions e on e.share = s.number and e.edition =
                (select max(f.edition) from share_editions f where f.share = s.number and f.commit_number <= ?)
            where h.collection = ?",
        );
        sql = sql.bind(at).bind(collection);
        if !mutants::on("other-audiences") {
            sql.push(" and h.audience in ").list(self.audiences());
        }
        if !mutants::on("revocation-ignored") {
            sql.push(" and s.open = 1 and v.state = 'active'");
        }
        sql.push_with(
            " and exists (select 1 from share_openings p where p.share = s.number and p.opened <= ? and p.closed > ?)",
            [at.into(), at.into()],
        );
        sql.push(" order by s.number");
        let mut shares = Vec::new();
        for row in self.conn.load::<AnsweringRow>(sql)?.into_iter().filter(|row| row.edition >= row.floor) {
            let extent = Extent {
                dataset: row.dataset,
                head: row.head,
                live: row.live,
                first_row: row.first_row,
                last_row: row.last_row,
                since: 0,
                ends_at: row.ends_at,
            };
            let parts = ShareParts {
                number: row.number,
                shelf: row.shelf,
                edition: row.edition,
                provider: row.provider,
                agreement: row.agreement,
                version: row.version,
                audience: row.audience,
            };
            shares.push((Arc::new(self.summary(parts)?), extent));
        }
        let shares = Arc::new(Shares::new(shares));
        self.keep(|standing| {
            if standing.shares.len() >= KEPT {
                standing.shares.clear();
            }
            standing.shares.insert(key, Arc::clone(&shares));
        });
        Ok(shares)
    }

    /// What is known of the newest commit that this snapshot sees.
    fn standing<T>(&self, f: impl FnOnce(&Standing) -> Option<T>) -> Option<T> {
        let standing = self.store.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.commit == self.commit { f(&standing) } else { None }
    }

    /// Keeps what this snapshot found out, unless a newer commit has shown already.
    fn keep(&self, f: impl FnOnce(&mut Standing)) {
        let mut standing = self.store.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.commit < self.commit {
            *standing = Standing { commit: self.commit, ..Standing::default() };
        }
        if standing.commit == self.commit {
            f(&mut standing);
        }
    }

    pub(crate) fn summary(&mut self, parts: ShareParts) -> Result<ShareSummary> {
        let (terms, schema) = self.store.terms(self.conn, parts.number, parts.version)?;
        let keys = match terms.record_id {
            RecordIds::Stable => None,
            RecordIds::Pseudonym => Some(Arc::new(self.store.agreement_keys(self.conn, parts.number)?)),
        };
        let audience = AudienceKind::of(parts.audience);
        Ok(ShareSummary {
            number: parts.number,
            shelf: parts.shelf,
            edition: parts.edition,
            provider: OrganizationId::parse(&parts.provider).ok_or(StoreError::Corrupt("an organization"))?,
            agreement: AgreementId::parse(&parts.agreement).ok_or(StoreError::Corrupt("an agreement"))?,
            version: parts.version,
            audience,
            terms,
            schema,
            keys,
        })
    }
}
