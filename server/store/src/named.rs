//! How one record is named in the ledger.
//!
//! A share gives each record that ever stood in it a number, once and for good; entries of the ledger say numbers of shares. Here an
//! id leads to them: the id of a provider's own list for the provider, the id that a recipient was given for the recipient.

use hayward_domain::keys::Named;
use hayward_domain::record::{OrganizationNumber, RecordNumber};
use hayward_domain::terms::RecordIds;

use crate::agreements::{MEMBERS, PUBLIC};
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::{Caller, RecordName, SECRET_GONE, Store};

rows! {
    NameRow { share: i64, agreement: String, audience: i64, name: i64 }
}

impl Store {
    /// The names of a provider's own record, under every agreement that it ever stood in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an id that names none of theirs.
    pub fn own_record_names(&self, owner: OrganizationNumber, id: &str) -> Result<Vec<RecordName>> {
        let Some(Named::Stable(number)) = self.keyring.record_ids().read(id) else { return Err(StoreError::NotFound) };
        self.db.read(Eyes::Own, |conn| {
            let theirs = "select r.record as value from records r join datasets d on d.number = r.dataset
                where r.record = ? and d.organization = ? limit 1";
            // Its versions may be pruned: what was shared of it is not forgotten.
            let names = own_names(conn, owner, number)?;
            let select = Sql::new(theirs).bind(number.0).bind(owner.0);
            if names.is_empty() && conn.first::<Number>(select)?.is_none() {
                return Err(StoreError::NotFound);
            }
            Ok(names)
        })
    }

    /// The names of a record by its id, under every agreement of the caller's: as the provider, or as one of its audience. None for an
    /// id that names nothing to the caller.
    ///
    /// # Errors
    /// Only the database's.
    pub fn record_names(&self, caller: &Caller, id: &str) -> Result<Vec<RecordName>> {
        self.db.read(Eyes::Own, |conn| {
            let me = caller.organization;
            match self.keyring.record_ids().read(id) {
                None => Ok(Vec::new()),
                Some(Named::Stable(number)) => {
                    let mut names = own_names(conn, me, number)?;
                    names.extend(self.given_names(conn, me, number, None)?);
                    Ok(names)
                }
                Some(Named::Pseudonym { share, sealed }) => {
                    let keys = match self.agreement_keys(conn, share) {
                        Ok(keys) => keys,
                        // Nobody can say any more what it named.
                        Err(StoreError::NotFound | StoreError::Refused { code: SECRET_GONE, .. }) => return Ok(Vec::new()),
                        Err(other) => return Err(other),
                    };
                    match keys.open_record(sealed) {
                        Some(number) => self.given_names(conn, me, number, Some(share)),
                        None => Ok(Vec::new()),
                    }
                }
            }
        })
    }

    /// Whether everything that stands in the ledger under an agreement concerns the caller: its provider's, and its only recipient's.
    ///
    /// # Errors
    /// Only the database's.
    pub fn is_party(&self, caller: &Caller, agreement: &str) -> Result<bool> {
        let select = "select number as value from agreements where id = ? and (provider = ? or recipient = ?)";
        let me = caller.organization.0;
        let select = Sql::new(select).bind(agreement).bind(me).bind(me);
        Ok(self.db.read(Eyes::Own, |conn| conn.first::<Number>(select))?.is_some())
    }
}

fn own_names(conn: &mut Conn, owner: OrganizationNumber, number: RecordNumber) -> Result<Vec<RecordName>> {
    let select =
        "select n.share, a.id as agreement, a.audience, n.name from share_names n join agreements a on a.number = n.share
        where n.record = ? and a.provider = ? order by n.share";
    let rows = conn.load::<NameRow>(Sql::new(select).bind(number.0).bind(owner.0))?;
    Ok(rows.into_iter().map(|row| RecordName { agreement: row.agreement, whole: true, name: row.name }).collect())
}

impl Store {
    /// Under agreements of which the organization is the recipient, or one among all.
    fn given_names(
        &self,
        conn: &mut Conn,
        recipient: OrganizationNumber,
        number: RecordNumber,
        share: Option<i64>,
    ) -> Result<Vec<RecordName>> {
        let select = "select n.share, a.id as agreement, a.audience, n.name from share_names n
            join agreements a on a.number = n.share
            where n.record = ? and a.audience in (?, ?, ?) and a.provider <> ? order by n.share";
        let select = Sql::new(select).bind(number.0).bind(recipient.0).bind(MEMBERS).bind(PUBLIC).bind(recipient.0);
        let mut names = Vec::new();
        for row in conn.load::<NameRow>(select)? {
            // An id under one agreement says nothing of the others, and a stable one nothing of those that hide it.
            let meant = match share {
                Some(share) => share == row.share,
                None => self.always_stable(conn, row.share)?,
            };
            if meant {
                names.push(RecordName { whole: row.audience == recipient.0, agreement: row.agreement, name: row.name });
            }
        }
        Ok(names)
    }

    /// Whether every version of an agreement names records by their stable ids.
    pub(crate) fn always_stable(&self, conn: &mut Conn, agreement: i64) -> Result<bool> {
        let select = Sql::new("select version as value from agreement_versions where agreement = ?").bind(agreement);
        for version in conn.load::<Number>(select)? {
            if self.terms(conn, agreement, version.value)?.0.record_id != RecordIds::Stable {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
