//! Consents as people see them: what one would open, before; and what they gave, after.

use std::collections::BTreeMap;

use hayward_domain::id::{AgreementId, OrganizationId, PersonId};
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::{Scope, Scopes};
use serde::Serialize;

use super::{end, held};
use crate::agreements::Wording;
use crate::conn::Eyes;
use crate::error::{Result, StoreError};
use crate::shelf::{ShareQuery, ShareSummary};
use crate::sql::{Sql, Word, rows};
use crate::{AudienceKind, Caller, Client, Store};

/// How many agreements a page names one by one.
const NAMED: usize = 50;

/// What a program would be able to do for a person: the person's own roles, the program's scopes, and the agreements in force.
pub struct ConsentView {
    /// For which organization it would act.
    pub organization: String,
    /// What of the scopes it could have, for this person.
    pub scopes: Scopes,
    /// What it asks for and cannot have through this person.
    pub withheld: Scopes,
    /// What the reading scopes open now: by collection, through which agreements.
    pub opens: BTreeMap<String, Vec<OpenedBy>>,
    /// Further agreements that are not named.
    pub more: usize,
}

/// One agreement that a reading scope opens.
pub struct OpenedBy {
    /// Which.
    pub agreement: AgreementId,
    /// For one organization, for all members, or for the public.
    pub audience: AudienceKind,
    /// What it shows, to be put into words.
    pub wording: Wording,
}

/// A consent that stands, as the person who gave it sees it.
#[derive(Serialize)]
pub struct ListedConsent {
    /// Its id.
    pub id: String,
    /// The program.
    pub client_id: String,
    /// What people call it.
    pub client_name: String,
    /// What the member co-op is called that registered it.
    pub client_organization: String,
    /// For whom it acts.
    pub organization: String,
    /// Within which scopes.
    pub scope: String,
    /// Since when.
    pub given_at: String,
    /// Until when.
    pub expires_at: String,
}

rows! {
    NamedRow { id: String, name: String, left_at: Option<i64> }
    ListedRow {
        id: String, client: String, name: String, owner: String, organization: String, scopes: String, given_at: i64,
        expires_at: i64,
    }
}

impl Store {
    /// What a program would be able to do for this person within `wanted`. Nothing where the person has no place there.
    ///
    /// # Errors
    /// Only the database's.
    pub fn consent_view(
        &self,
        person: &PersonId,
        organization: OrganizationNumber,
        client: &Client,
        wanted: &Scopes,
    ) -> Result<Option<ConsentView>> {
        let wanted = wanted.and(&client.scopes);
        let of = Sql::new("select id, name, left_at from organizations where number = ?").bind(organization.0);
        let (named, scopes, zone) = self.db.read(Eyes::Own, |conn| {
            let zone = self.settings(conn)?.time_zone.name();
            Ok::<_, StoreError>((conn.one::<NamedRow>(of)?, held(conn, person.as_str(), organization.0, &wanted)?, zone))
        })?;
        let Some(scopes) = scopes.filter(|_| named.left_at.is_none()) else { return Ok(None) };
        let caller = Caller {
            organization,
            organization_id: OrganizationId::parse(&named.id).ok_or(StoreError::Corrupt("an organization"))?,
            person: Some(person.clone()),
            client: Some(client.id.clone()),
            scopes: scopes.clone(),
        };
        let shares = self.readable(caller)?;
        let more = shares.len().saturating_sub(NAMED);
        let mut opens: BTreeMap<String, Vec<OpenedBy>> = BTreeMap::new();
        for (collection, share) in shares.into_iter().take(NAMED) {
            let provider = Sql::new("select name as value from organizations where id = ?").bind(share.provider.as_str());
            let provider = self.db.read(Eyes::Own, |conn| conn.one::<Word>(provider))?.value;
            let recipient = (share.audience == AudienceKind::Organization).then(|| named.name.clone());
            let wording = Wording::of_share(&share, provider, recipient, zone);
            let opened = OpenedBy { agreement: share.agreement.clone(), audience: share.audience, wording };
            opens.entry(collection).or_default().push(opened);
        }
        let withheld = wanted.iter().filter(|scope| !scopes.has(scope)).cloned().collect();
        Ok(Some(ConsentView { organization: named.name, scopes, withheld, opens, more }))
    }

    /// Every share that the reading scopes of `caller` open, with its collection.
    fn readable(&self, caller: Caller) -> Result<Vec<(String, ShareSummary)>> {
        let collections: Vec<String> = caller
            .scopes
            .iter()
            .filter_map(|scope| if let Scope::Read(collection) = scope { Some(collection.clone()) } else { None })
            .collect();
        self.view_as::<_, StoreError>(caller, |view| {
            let mut all = Vec::new();
            for collection in collections {
                if view.has_collection(&collection)? {
                    let shares = view.shares(&collection, &ShareQuery::default(), view.commit)?;
                    all.extend(shares.iter().map(|share| (collection.clone(), ShareSummary::clone(share))));
                }
            }
            Ok(all)
        })
    }

    /// What a person has allowed programs, and not taken back.
    ///
    /// # Errors
    /// Only the database's.
    pub fn consents(&self, person: &PersonId) -> Result<Vec<ListedConsent>> {
        let now = (self.clock)();
        let select = "select g.id, g.client, c.name, p.name as owner, o.name as organization, g.scopes, g.given_at, g.expires_at
            from consents g join clients c on c.id = g.client join organizations p on p.number = c.organization
            join organizations o on o.number = g.organization
            where g.person = ? and g.ended_at is null and g.expires_at > ? and c.revoked_at is null order by g.given_at desc, g.id";
        let rows = self.db.read(Eyes::Own, |conn| conn.load::<ListedRow>(Sql::new(select).bind(person.as_str()).bind(now)))?;
        let listed = rows.into_iter().map(|row| ListedConsent {
            id: row.id,
            client_id: row.client,
            client_name: row.name,
            client_organization: row.owner,
            organization: row.organization,
            scope: row.scopes,
            given_at: Moment(row.given_at).to_rfc3339(),
            expires_at: Moment(row.expires_at).to_rfc3339(),
        });
        Ok(listed.collect())
    }

    /// A person takes a consent back, and with it every token that hangs on it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that is not theirs, or no longer stands.
    pub fn withdraw_consent(&self, person: &PersonId, id: &str) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            let select = "select id as value from consents where id = ? and person = ? and ended_at is null";
            conn.one::<Word>(Sql::new(select).bind(id).bind(person.as_str()))?;
            end(conn, id, now)
        })
    }
}
