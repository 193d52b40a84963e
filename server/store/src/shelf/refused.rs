//! Under which agreements a request was refused that was answered with `404`.
//!
//! * A request is refused under an agreement where it named the agreement, or a record that the caller could once see under it.
//! * Nothing follows from here but what the caller knows: an agreement counts where it is the recipient, or where it was open to all
//!   and so to it; a record counts in a share that was open while the record stood in it. Whoever guesses is refused under nothing, and
//!   so is a stable id under an agreement that hides them.
//! * The looks are the same whatever the caller may not see.

use hayward_domain::keys::Named;
use hayward_domain::terms::RecordIds;

use super::{AudienceKind, ShareQuery, View};
use crate::agreements::{MEMBERS, PUBLIC};
use crate::error::Result;
use crate::sql::{Number, Sql, rows};

/// An agreement that a request was refused under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUnder {
    /// The agreement.
    pub agreement: String,
    /// Whose data it is about.
    pub provider: String,
    /// The version that its share shows, else the newest.
    pub version: i64,
    /// The code of its purpose.
    pub purpose: String,
    /// Whether it was a record of its that was named, and not only the agreement itself.
    pub by_record: bool,
}

rows! {
    CandidateRow { number: i64, agreement: String, provider: String, audience: i64, version: i64 }
}

impl View<'_> {
    /// The agreements under which a request was refused: one that named `wanted.agreement`, or the record `id`, in a collection, or in
    /// all of them.
    ///
    /// # Errors
    /// Only the database's.
    pub fn refused(&mut self, collection: Option<&str>, wanted: &ShareQuery, id: Option<&str>) -> Result<Vec<RefusedUnder>> {
        let Some(me) = self.caller.as_ref().map(|caller| caller.organization.0) else { return Ok(Vec::new()) };
        let of = |sql: &mut Sql| {
            if let Some(agreement) = &wanted.agreement {
                sql.push_with(" and a.id = ?", [agreement.into()]);
            }
        };
        let mut candidates = match id.and_then(|id| self.ids.read(id)) {
            None => Vec::new(),
            Some(Named::Pseudonym { share, .. }) => {
                let mut sql = candidates(me);
                sql.push_with(" and a.number = ?", [share.into()]);
                of(&mut sql);
                self.conn.load::<CandidateRow>(sql)?
            }
            Some(Named::Stable(number)) => self.stood_open(me, number.0, of)?,
        };
        let by_record = !candidates.is_empty();
        if !by_record && wanted.agreement.is_some() {
            let mut sql = self::candidates(me);
            of(&mut sql);
            candidates = self.conn.load::<CandidateRow>(sql)?;
        }
        let mut refused = Vec::new();
        for row in candidates {
            let (terms, schema) = self.store.terms(self.conn, row.number, row.version)?;
            let audience = AudienceKind::of(row.audience);
            let fits = collection.is_none_or(|collection| schema.collection == collection)
                && wanted.provider.as_ref().is_none_or(|provider| row.provider == *provider)
                && wanted.audience.is_none_or(|wanted| wanted == audience);
            if fits {
                let purpose = terms.purpose.code.as_str().to_owned();
                refused.push(RefusedUnder {
                    agreement: row.agreement,
                    provider: row.provider,
                    version: row.version,
                    purpose,
                    by_record,
                });
            }
        }
        Ok(refused)
    }

    /// The agreements in whose open shares a record once stood.
    fn stood_open(&mut self, me: i64, record: i64, of: impl Fn(&mut Sql)) -> Result<Vec<CandidateRow>> {
        let mut sql = candidates(me);
        sql.push_with(
            " and exists (select 1 from share_names n
                join shared_records r on r.share = n.share and r.name = n.name
                join share_editions b on b.share = r.share and b.edition = r.born
                left join share_editions d on d.share = r.share and d.edition = r.died
                join share_openings p on p.share = r.share and p.closed > b.commit_number
                    and p.opened < coalesce(d.commit_number, 9223372036854775807)
                where n.share = a.number and n.record = ?)",
            [record.into()],
        );
        of(&mut sql);
        let mut stable = Vec::new();
        for row in self.conn.load::<CandidateRow>(sql)? {
            let versions = Sql::new("select version as value from agreement_versions where agreement = ?").bind(row.number);
            let mut all = true;
            for version in self.conn.load::<Number>(versions)? {
                all &= self.store.terms(self.conn, row.number, version.value)?.0.record_id == RecordIds::Stable;
            }
            if all {
                stable.push(row);
            }
        }
        Ok(stable)
    }
}

/// The agreements that the organization `me` knows of as one of their audience, with a condition to follow.
fn candidates(me: i64) -> Sql {
    let select = "select a.number, a.id as agreement, o.id as provider, a.audience,
            coalesce((select s.version from shares s where s.number = a.number and s.version > 0),
                (select max(v.version) from agreement_versions v where v.agreement = a.number)) as version
        from agreements a join organizations o on o.number = a.provider
        where a.provider <> ? and (a.audience = ? or a.audience in (?, ?)
            and exists (select 1 from share_openings p where p.share = a.number))";
    Sql::new(select).bind(me).bind(me).bind(MEMBERS).bind(PUBLIC)
}
