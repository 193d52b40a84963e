//! A request for shared rows: what it selects, and one page of it.
//!
//! The token, the scope, the shares, the names and the rows all come from one snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hayward_domain::condition::Condition;
use hayward_domain::id::DisclosureId;
use hayward_domain::moment::Moment;
use hayward_domain::mutants;
use hayward_domain::scope::Scope;
use hayward_store::{
    AudienceKind, Caller, Facet, Names, Order, Refusal, RefusedUnder, Selection, ShareQuery, SharedRow, Shares, Store,
    StoreError, View, Viewer,
};

use super::facets;
use super::names::filter;
use super::params::Params;
use super::selecting::Selecting;
use crate::commons::Commons;
use crate::cursor::{self, Bound};
use crate::error::Error;

/// Why a page could not be made.
pub enum ReadError {
    /// The clock has ended something: that must be committed first.
    Expired,
    /// It takes longer than a thread that answers others may be held.
    Long,
    /// Anything else.
    Api(Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

/// What a request selects, not yet resolved against any share.
#[derive(Clone)]
pub struct Reading {
    /// Who reads.
    pub viewer: Viewer,
    /// The word in the URL.
    pub collection: String,
    shares: ShareQuery,
    selecting: Selecting,
    filters: Vec<(String, String)>,
    sort: Option<String>,
    fields: Option<String>,
    /// The fields whose values are wanted with their numbers.
    facets: Option<String>,
    /// Whether the number of rows is wanted.
    pub count: bool,
}

/// Where a page goes on.
#[derive(Clone, Copy)]
pub struct GoesOn {
    /// As of which commit.
    pub commit: i64,
    /// After which row.
    pub row: i64,
    /// When the first page was read.
    pub begun: Moment,
}

/// One page of rows, with everything the ledger and the caller must know about it.
pub struct Page {
    /// Who reads.
    pub caller: Option<Caller>,
    /// When its snapshot was opened, or a little before.
    pub opened: Instant,
    /// The commit that the pages of this list are of.
    pub commit: i64,
    /// When the first of them was read, or a little before.
    pub begun: Moment,
    /// The shares that were looked at.
    pub shares: Arc<Shares>,
    /// The rows.
    pub rows: Vec<SharedRow>,
    /// The row after which the next page begins.
    pub after: Option<i64>,
    /// The fields that the request leaves in; all if it says nothing.
    pub fields: Option<BTreeSet<String>>,
    /// The fields that the request filters, sorts and counts by: they tell something too.
    pub used: BTreeSet<String>,
    /// The values of fields with their numbers, if that was asked for.
    pub facets: Option<Vec<(String, Vec<Facet>)>>,
    /// How many rows there are, if that was asked for.
    pub count: Option<Option<i64>>,
    /// What cursors of this list are bound to.
    pub bound: Bound,
}

impl Page {
    /// Whether something is counted in it, and so of every share that was asked.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.count.is_some() || self.facets.is_some()
    }

    /// Where the next page goes on.
    #[must_use]
    pub fn goes_on(&self) -> Option<GoesOn> {
        self.after.map(|row| GoesOn { commit: self.commit, row, begun: self.begun })
    }
}

impl Reading {
    /// Reads the parameters of a list; what is left over is taken for filters.
    ///
    /// # Errors
    /// `invalid-parameter`.
    pub fn parse(viewer: Viewer, collection: &str, mut params: Params) -> Result<Self, Error> {
        let shares = share_query(&mut params)?;
        let count = match params.take("count").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Error::parameter("invalid-parameter", "count", "`count` is true or false")),
        };
        Ok(Self {
            viewer,
            collection: collection.to_owned(),
            shares,
            selecting: Selecting::parse(&mut params)?,
            sort: params.take("sort"),
            fields: params.take("fields"),
            facets: params.take("facets"),
            count,
            filters: params.rest(),
        })
    }

    /// Reads the parameters of a single record: nothing that selects, orders or counts is one.
    ///
    /// # Errors
    /// `invalid-parameter`, `unknown-parameter`.
    pub fn of_one(viewer: Viewer, collection: &str, mut params: Params) -> Result<Self, Error> {
        let (shares, fields) = (share_query(&mut params)?, params.take("fields"));
        params.end()?;
        Ok(Self {
            viewer,
            collection: collection.to_owned(),
            shares,
            selecting: Selecting::default(),
            sort: None,
            fields,
            facets: None,
            count: false,
            filters: Vec::new(),
        })
    }

    /// What cursors are bound to.
    fn bound(&self, caller: Option<&Caller>) -> Bound {
        let audience = self.shares.audience.map_or("", AudienceKind::as_str);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut parts = vec![
            "list".to_owned(),
            self.collection.clone(),
            audience.to_owned(),
            text(&self.shares.agreement),
            text(&self.shares.provider),
            text(&self.sort),
            text(&self.fields),
        ];
        let mut filters = self.filters.clone();
        filters.extend(self.selecting.given());
        filters.sort();
        parts.extend(filters.into_iter().flat_map(|(name, value)| [name, value]));
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Bound::to(caller.map_or("", Caller::name), &parts)
    }

    /// Whether values are to be counted, which pages can say and streams cannot.
    #[must_use]
    pub fn counts_values(&self) -> bool {
        self.facets.is_some()
    }

    /// One page, after the position of `cursor` or `from`.
    ///
    /// # Errors
    /// What is wrong with the request, or the database's. [`ReadError::Long`] where it would not be `brief` and was to be.
    pub fn page(
        &self,
        store: &Store,
        brief: bool,
        kept: Duration,
        cursor: Option<&str>,
        from: Option<GoesOn>,
        limit: i64,
    ) -> Result<Page, ReadError> {
        let (key, now) = (store.cursor_key(), store.now());
        self.view(store, |view| {
            let bound = self.bound(view.caller.as_ref());
            let from = match cursor {
                Some(cursor) => {
                    let [commit, row, begun, ..] = bound.open(key, cursor)?;
                    if cursor::has_aged(begun, now, kept) {
                        return Err(too_old().into());
                    }
                    Some(GoesOn { commit, row, begun: Moment(begun) })
                }
                None => from,
            };
            let (commit, begun) = from.map_or((view.commit, now), |from| (from.commit, from.begun));
            view.honours(commit).map_err(gone)?;
            let shares = view.shares(&self.collection, &self.shares, commit)?;
            let mut used = BTreeSet::new();
            let selection = self.selection(view, &shares.names, begun, &mut used)?;
            let order = self.order(&shares.names)?;
            let fields = self.projection(&shares.names)?;
            let counted = facets::fields(self.facets.as_deref(), &shares.names)?;
            if brief && (self.count || !counted.is_empty() || !is_brief(&shares, &selection, &order)) {
                return Err(ReadError::Long);
            }
            let page = view.list(&shares, &selection, &order, from.map(|from| from.row), limit).map_err(gone)?;
            used.extend(order.0.iter().map(|key| &key.field).chain(&counted).map(ToString::to_string));
            let count = if self.count { Some(view.count(&shares, &selection)?) } else { None };
            let facets = match &self.facets {
                Some(_) => Some(facets::read(view, &shares, &selection, &counted)?),
                None => None,
            };
            Ok(Page {
                caller: view.caller.clone(),
                opened: view.opened,
                commit,
                begun,
                rows: page.rows,
                after: page.after,
                shares,
                fields,
                used,
                facets,
                count,
                bound,
            })
        })
    }

    /// What the parameters select, over the names that are open. Notes which fields that tells something of.
    fn selection(
        &self,
        view: &mut View<'_>,
        names: &Names,
        begun: Moment,
        used: &mut BTreeSet<String>,
    ) -> Result<Selection, Error> {
        let condition = self.condition(names)?;
        used.extend(condition.fields().iter().map(ToString::to_string));
        self.selecting.select(condition, view, names, begun, used)
    }

    /// One record.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no share shows it.
    pub fn one(&self, store: &Store, id: &str) -> Result<Page, ReadError> {
        self.view(store, |view| {
            let shares = view.shares(&self.collection, &self.shares, view.commit)?;
            let fields = self.projection(&shares.names)?;
            let (row, _) = view.get(&shares, id)?;
            Ok(Page {
                caller: view.caller.clone(),
                opened: view.opened,
                commit: view.commit,
                begun: store.now(),
                rows: vec![row],
                after: None,
                shares,
                fields,
                used: BTreeSet::new(),
                facets: None,
                count: None,
                bound: self.bound(view.caller.as_ref()),
            })
        })
    }

    /// Under which agreements this request was refused, now that it was answered with `404`.
    ///
    /// # Errors
    /// Only the database's.
    pub fn refused(&self, store: &Store, id: Option<&str>) -> Result<Vec<Refusal>, Error> {
        let now = store.now();
        store.view(&self.viewer, |view| {
            let answering = view.shares(&self.collection, &ShareQuery::default(), view.commit)?;
            let mut refused = view.refused(Some(&self.collection), &self.shares, id)?;
            // An agreement that answers, and of which no record was named, refused nothing.
            refused.retain(|under| under.by_record || answering.iter().all(|share| share.agreement.as_str() != under.agreement));
            Ok(refusals(refused, view.caller.as_ref(), now))
        })
    }

    /// Whether the token and every share of a page still stand, looked at anew. Returns when that look began.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if the token does not.
    pub fn still_stands(&self, store: &Store, page_shares: &[(i64, i64)], commit: i64) -> Result<(bool, Instant), ReadError> {
        self.view(store, |view| {
            // As of the commit that was read: a floor that was raised since lies above it.
            let now = view.shares(&self.collection, &ShareQuery::default(), commit)?;
            let stands =
                |(number, version): &(i64, i64)| now.iter().any(|share| share.number() == *number && share.version == *version);
            Ok((page_shares.iter().all(stands), view.opened))
        })
    }

    /// A snapshot in which the caller's scope is checked and nothing is overdue.
    fn view<T>(&self, store: &Store, f: impl FnOnce(&mut View<'_>) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let opened = store.view(&self.viewer, |view| {
            if !view.has_collection(&self.collection)? {
                return Err(Error::NotFound.into());
            }
            let scope = Scope::Read(self.collection.clone());
            if view.caller.as_ref().is_some_and(|caller| !caller.scopes.has(&scope) && !mutants::on("scope-ignored")) {
                return Err(Error::MissingScope(scope).into());
            }
            if view.anything_expired()? {
                return Err(ReadError::Expired);
            }
            Ok::<_, ReadError>(Ok(f(view)?))
        });
        match opened {
            Err(ReadError::Api(Error::NotFound)) if matches!(self.viewer, Viewer::Token(_)) => self.unknown(store),
            Ok(done) => done,
            Err(error) => Err(error),
        }
    }

    /// Tells a token that opens nothing from a thing that is not there.
    fn unknown<T>(&self, store: &Store) -> Result<T, ReadError> {
        match &self.viewer {
            Viewer::Token(hash) => match store.caller(hash) {
                Err(StoreError::NotFound) => Err(Error::Unauthenticated.into()),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Error::NotFound.into()),
            },
            Viewer::Nobody => Err(Error::NotFound.into()),
        }
    }

    fn condition(&self, names: &Names) -> Result<Condition, Error> {
        let tests = self.filters.iter().map(|(parameter, value)| filter(names, parameter, value));
        tests.collect::<Result<_, _>>().map(Condition::All)
    }

    fn order(&self, names: &Names) -> Result<Order, Error> {
        let Some(text) = &self.sort else { return Ok(Order::default()) };
        let unknown =
            |name: &str| Error::parameter("unknown-field", "sort", format!("`{name}` is not a field that is open to you"));
        let order = Order::parse(text).map_err(|name| unknown(&name))?;
        match order.0.iter().find(|key| names.scalar(key.field.as_str()).is_none()) {
            Some(key) => Err(unknown(key.field.as_str())),
            None => Ok(order),
        }
    }

    fn projection(&self, names: &Names) -> Result<Option<BTreeSet<String>>, Error> {
        let Some(text) = &self.fields else { return Ok(None) };
        let mut fields = BTreeSet::new();
        for name in text.split(',') {
            if !names.has(name) {
                let detail = format!("`{name}` is not a field that is open to you");
                return Err(Error::parameter("unknown-field", "fields", detail));
            }
            fields.insert(name.to_owned());
        }
        Ok(Some(fields))
    }
}

fn share_query(params: &mut Params) -> Result<ShareQuery, Error> {
    let audience = match params.take("audience").as_deref() {
        None => None,
        Some("organization") => Some(AudienceKind::Organization),
        Some("members") => Some(AudienceKind::Members),
        Some("public") => Some(AudienceKind::Public),
        Some(_) => {
            return Err(Error::parameter("invalid-parameter", "audience", "`audience` is organization, members or public"));
        }
    };
    Ok(ShareQuery { agreement: params.take("agreement"), provider: params.take("provider"), audience })
}

/// What is written down of a refused request. The ids are given when it is.
pub fn refusals(under: Vec<RefusedUnder>, caller: Option<&Caller>, at: Moment) -> Vec<Refusal> {
    let Some(caller) = caller else { return Vec::new() };
    let refusal = |under: RefusedUnder| Refusal {
        id: String::new(),
        at,
        recipient: caller.organization_id.to_string(),
        client: caller.name().to_owned(),
        agreement: under.agreement,
        version: under.version,
        provider: under.provider,
        purpose: under.purpose,
    };
    under.into_iter().map(refusal).collect()
}

/// What a request is answered that failed; one that was refused under an agreement is counted there first.
pub async fn answered(
    commons: &Commons,
    viewer: &Viewer,
    error: Error,
    refused: impl FnOnce(&Store) -> Result<Vec<Refusal>, Error> + Send + 'static,
) -> Error {
    if !matches!((&error, viewer), (Error::NotFound, Viewer::Token(_))) {
        return error;
    }
    let counted = async {
        let mut refusals = commons.run(move |store| refused(store)).await?;
        for refusal in &mut refusals {
            refusal.id = DisclosureId::at(commons.store.now(), commons.random()).to_string();
        }
        commons.ledger.refused(refusals).await
    };
    match counted.await {
        // The collection, or the token, is gone: there is nothing that could have refused.
        Ok(()) | Err(Error::NotFound) => error,
        Err(other) => other,
    }
}

/// Rows that may be looked at without another thread.
const BRIEF: i64 = 2_000;

/// Whether a page is found in an index, or among few rows.
fn is_brief(shares: &Shares, selection: &Selection, order: &Order) -> bool {
    shares.live() <= BRIEF || order.is_default() && shares.answered_by_index(selection)
}

fn gone(error: StoreError) -> Error {
    match error {
        StoreError::Stale(_) => too_old(),
        other => other.into(),
    }
}

fn too_old() -> Error {
    Error::bad("gone", "this cursor is too old: what it pointed at is no longer kept")
}
