//! What the recipient declares in the end: that its copies are deleted, or kept under the terms.
//!
//! The commons writes the declaration down and signs it, as text that can be checked without it: `hayward certificate`, a line
//! feed, and the members of `certificate` without `signature` and `key` in the canonical form of RFC 8785. The key is the one that
//! signs the checkpoints of the ledger.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use hayward_domain::agreement::Side;
use hayward_domain::id::{base32, from_base32};
use hayward_domain::moment::Moment;
use hayward_domain::terms::{Ending, canonical};
use serde_json::{Value, json};

use super::{AgreementRow, VersionRow};
use crate::Store;
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::sql::{Sql, rows};

rows! {
    CertificateRow { version: i64, document: String, signature: String, key: String }
    PartiesRow { provider: String, recipient: Option<String>, dataset: String }
}

fn text(document: &Value) -> String {
    format!("hayward certificate\n{}", canonical::text(document))
}

/// Whether `certificate`, as an agreement shows it, was signed with the key that it names.
#[must_use]
pub fn certified(certificate: &Value) -> bool {
    let Some(mut document) = certificate.as_object().cloned() else { return false };
    let mut bytes = |name: &str| document.remove(name).and_then(|text| from_base32(text.as_str()?));
    let (signature, key) = (bytes("signature"), bytes("key"));
    let key = key.and_then(|key| <[u8; 32]>::try_from(key).ok()).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = signature.and_then(|signature| Signature::from_slice(&signature).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify(text(&document.into()).as_bytes(), &signature).is_ok())
}

impl Store {
    /// Writes down and signs what `side` declared about a version that is over.
    pub(super) fn certify(
        &self,
        conn: &mut Conn,
        agreement: &AgreementRow,
        row: &VersionRow,
        side: Side,
        statement: Option<&str>,
        now: Moment,
    ) -> Result<()> {
        let parties = "select p.id as provider, r.id as recipient, d.id as dataset from agreements a
            join organizations p on p.number = a.provider left join organizations r on r.number = a.recipient
            join datasets d on d.number = a.dataset where a.number = ?";
        let parties = conn.one::<PartiesRow>(Sql::new(parties).bind(agreement.number))?;
        let (terms, _) = self.terms(conn, agreement.number, row.version)?;
        let (kind, agreed) = match &terms.ending {
            Ending::DeleteWithinDays(_) => ("deleted", "All copies are deleted."),
            Ending::Keep(words) => ("kept", words.as_str()),
        };
        let document = json!({
            "commons": self.commons, "agreement": agreement.id, "version": row.version, "provider": parties.provider,
            "recipient": parties.recipient, "dataset": parties.dataset, "kind": kind, "at": now.to_rfc3339(),
            "by_side": side.as_str(), "statement": statement.unwrap_or(agreed), "terms_hash": row.hash,
        });
        let key = SigningKey::from_bytes(&self.keyring.signing());
        let signature = base32(&key.sign(text(&document).as_bytes()).to_bytes());
        let insert = "insert into certificates (agreement, version, document, signature, key) values (?, ?, ?, ?, ?)";
        let insert = Sql::new(insert).bind(agreement.number).bind(row.version).bind(document.to_string()).bind(signature);
        conn.execute(insert.bind(base32(key.verifying_key().as_bytes()))).map(drop)
    }
}

/// The certificates of an agreement's versions.
pub(super) fn certificates(conn: &mut Conn, agreement: i64) -> Result<Vec<(i64, Value)>> {
    let select = "select version, document, signature, key from certificates where agreement = ? order by version";
    let rows = conn.load::<CertificateRow>(Sql::new(select).bind(agreement))?;
    let read = |row: CertificateRow| {
        let mut document: Value = serde_json::from_str(&row.document).map_err(|_| StoreError::Corrupt("a certificate"))?;
        if let Some(members) = document.as_object_mut() {
            members.extend([("signature".to_owned(), row.signature.into()), ("key".to_owned(), row.key.into())]);
        }
        Ok((row.version, document))
    };
    rows.into_iter().map(read).collect()
}
