//! Erasures as their provider reads them: what was reached, and which recipients have said that they applied the removal.
//!
//! To whom a record was given, and whether they have fetched its removal, the ledger tells ([`crate::LedgerStore::told`]); here is what
//! the commons itself knows.

use hayward_domain::id::ErasureId;
use hayward_domain::moment::Moment;
use hayward_domain::record::OrganizationNumber;
use serde_json::{Value, json};

use crate::agreements::MEMBERS;
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::ledger::Gone;
use crate::shelf::AudienceKind;
use crate::sql::{Sql, rows};
use crate::{LedgerStore, Store, StoreError};

/// One page of erasures.
pub struct ErasurePage {
    /// The erasures, newest first.
    pub items: Vec<Value>,
    /// Where the next page begins.
    pub below: Option<i64>,
}

rows! {
    ErasureRow {
        id: String, dataset: String, edition: i64, commit_number: i64, at: i64, ordered_by: String, reason: String,
        done_at: Option<i64>, lifted_at: Option<i64>, lifted_by: Option<String>, lift_reason: Option<String>,
    }
    ShareRow { share: i64, agreement: String, audience: i64, recipient: Option<String>, name: i64, gone_in: i64 }
    AckRow { share: i64, organization: String, at: i64 }
    FileRow { import: String, filename: Option<String>, had_file: i64 }
}

/// What the commons knows of one erasure.
struct Known {
    row: ErasureRow,
    shares: Vec<ShareRow>,
    acks: Vec<AckRow>,
    files: Vec<FileRow>,
}

const MICROS_A_DAY: i64 = 86_400_000_000;

impl Store {
    /// The erasures of an organization's lists, newest first, below commit `below`.
    ///
    /// # Errors
    /// Only the databases'.
    pub fn erasures(
        &self,
        ledger: &LedgerStore,
        owner: (OrganizationNumber, &str),
        below: Option<i64>,
        limit: i64,
    ) -> Result<ErasurePage> {
        let mut known = self.known(owner.0, " and e.commit_number < ?", below.unwrap_or(i64::MAX), limit.saturating_add(1))?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = known.len() > wanted;
        known.truncate(wanted);
        let below = known.last().map(|one| one.row.commit_number).filter(|_| more);
        let items = known.iter().map(|one| self.told(ledger, owner.1, one)).collect::<Result<_>>()?;
        Ok(ErasurePage { items, below })
    }

    /// One erasure.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for everyone else's.
    pub fn erasure(&self, ledger: &LedgerStore, owner: (OrganizationNumber, &str), id: &ErasureId) -> Result<Value> {
        let known = self.known(owner.0, " and e.id = ?", id.as_str(), 1)?;
        self.told(ledger, owner.1, known.first().ok_or(StoreError::NotFound)?)
    }

    fn known(&self, owner: OrganizationNumber, narrow: &str, by: impl Into<crate::sql::Bind>, limit: i64) -> Result<Vec<Known>> {
        let select = format!(
            "select e.id, d.id as dataset, e.edition, e.commit_number, e.at, e.ordered_by, e.reason, e.done_at, e.lifted_at,
                e.lifted_by, e.lift_reason from erasures e join datasets d on d.number = e.dataset
            where d.organization = ?{narrow} order by e.commit_number desc limit ?"
        );
        let select = Sql::new(&select).bind(owner.0).bind(by).bind(limit);
        self.db.read(Eyes::Own, |conn| {
            let rows = conn.load::<ErasureRow>(select)?;
            rows.into_iter().map(|row| known(conn, row)).collect()
        })
    }

    fn told(&self, ledger: &LedgerStore, provider: &str, known: &Known) -> Result<Value> {
        let Known { row, shares, acks, files } = known;
        let gone: Vec<Gone> = shares
            .iter()
            .map(|share| Gone { agreement: share.agreement.clone(), name: share.name, edition: share.gone_in })
            .collect();
        let heard = ledger.told(provider, &gone)?;
        let now = (self.clock)();
        let (mut recipients, mut public) = (Vec::new(), Vec::new());
        for share in shares {
            let of_share = |agreement: &String| *agreement == share.agreement;
            match AudienceKind::of(share.audience) {
                AudienceKind::Public => {
                    let reads = heard.public.iter().filter(|one| of_share(&one.agreement)).map(|one| one.reads).sum::<i64>();
                    public.push(json!({"agreement": share.agreement, "reads": reads}));
                }
                AudienceKind::Organization | AudienceKind::Members => {}
            }
            let mut named: Vec<&str> = share.recipient.as_deref().into_iter().collect();
            if share.audience <= MEMBERS {
                let given = heard.items.iter().filter(|one| of_share(&one.agreement) && one.given);
                named.extend(given.map(|one| one.recipient.as_str()));
            }
            for organization in named {
                let one = heard.items.iter().find(|one| of_share(&one.agreement) && one.recipient == organization);
                let ack = acks.iter().find(|ack| ack.share == share.share && ack.organization == organization);
                let waiting = ack.is_none().then_some((now.0 - row.at) / MICROS_A_DAY);
                recipients.push(json!({
                    "organization": organization, "agreement": share.agreement,
                    "given": one.is_some_and(|one| one.given), "told": one.is_some_and(|one| one.told),
                    "acknowledged_at": ack.map(|ack| Moment(ack.at).to_rfc3339()), "days_waiting": waiting,
                }));
            }
        }
        let lifted =
            row.lifted_at.map(|at| json!({"at": Moment(at).to_rfc3339(), "by": row.lifted_by, "reason": row.lift_reason}));
        let files: Vec<Value> = files
            .iter()
            .map(|file| json!({"import": file.import, "filename": file.filename, "had_file": file.had_file == 1}))
            .collect();
        Ok(json!({
            "id": row.id, "dataset": row.dataset, "edition": row.edition, "at": Moment(row.at).to_rfc3339(), "by": row.ordered_by,
            "reason": row.reason, "state": if row.done_at.is_some() { "erased" } else { "erasing" },
            "erased_at": row.done_at.map(|at| Moment(at).to_rfc3339()), "lifted": lifted, "files": files,
            "recipients": recipients, "public": public,
        }))
    }
}

fn known(conn: &mut Conn, row: ErasureRow) -> Result<Known> {
    let shares = "select x.share, a.id as agreement, a.audience, o.id as recipient, x.name, x.gone_in from erased_shares x
        join agreements a on a.number = x.share left join organizations o on o.number = a.recipient
        where x.erasure = ? order by x.share";
    let acks = "select k.share, o.id as organization, k.at from erasure_acks k join organizations o on o.number = k.organization
        where k.erasure = ? order by k.share, k.organization";
    let files = "select f.import, i.filename, f.had_file from erased_files f left join imports i on i.id = f.import
        where f.erasure = ? order by f.import";
    Ok(Known {
        shares: conn.load(Sql::new(shares).bind(&row.id))?,
        acks: conn.load(Sql::new(acks).bind(&row.id))?,
        files: conn.load(Sql::new(files).bind(&row.id))?,
        row,
    })
}
