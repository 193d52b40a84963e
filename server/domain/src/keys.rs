//! The keys of an agreement and of the ids of records, and what is made with them.
//!
//! Secrets come in as arguments; nothing here makes, stores or prints one. A key serves one purpose: what pseudonyms, orders
//! and ids are made with is derived apart, so that no answer of one can be played against another.

use std::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::id::{base32, from_base32};
use crate::mutants;
use crate::record::RecordNumber;
use crate::schema::FieldName;

/// What the id of every record begins with.
const RECORD_PREFIX: &str = "rec_";
/// The first byte of a block that holds a record number under the commons' key.
const STABLE: u8 = 0;
/// The first byte of a block that holds a share number under the commons' key.
const SHARE: u8 = 1;

/// The keys of one agreement. Destroying its secret makes what it named unlinkable.
#[derive(Clone)]
pub struct AgreementKeys {
    pseudonyms: [u8; 32],
    order: [u8; 32],
    records: Aes128,
}

impl AgreementKeys {
    /// The keys that follow from the agreement's secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            pseudonyms: mac(&secret, &[b"pseudonyms"]),
            order: mac(&secret, &[b"order"]),
            records: Aes128::new(&Array::from(cut::<16>(mac(&secret, &[b"records"])))),
        }
    }

    /// The stand-in for the value of `field` whose canonical text is `canonical`: 26 characters of base32.
    ///
    /// The same value has one stand-in per agreement and field, and different ones in different agreements or fields.
    #[must_use]
    pub fn pseudonym(&self, field: &FieldName, canonical: &str) -> String {
        let own = if mutants::on("pseudonym-of-the-commons") { &[0; 32] } else { &self.pseudonyms };
        let key = mac(own, &[field.as_str().as_bytes()]);
        base32(&cut::<16>(mac(&key, &[canonical.as_bytes()])))
    }

    /// Where a new row with this disclosed payload sorts among the new rows of its edition.
    ///
    /// The order of a file may follow a hidden column; this one follows nothing but what is shown.
    #[must_use]
    pub fn order(&self, payload: &str) -> [u8; 16] {
        cut(mac(&self.order, &[b"payload", payload.as_bytes()]))
    }

    /// Where a record sorts among those whose payloads are equal.
    #[must_use]
    pub fn order_number(&self, number: RecordNumber) -> [u8; 8] {
        cut(mac(&self.order, &[b"number", &number.0.to_be_bytes()]))
    }

    /// A record's number, encrypted for this agreement alone.
    #[must_use]
    pub fn seal_record(&self, number: RecordNumber) -> [u8; 16] {
        seal(&self.records, STABLE, number.0)
    }

    /// The number in what [`Self::seal_record`] made; nothing for a forgery or another agreement's.
    #[must_use]
    pub fn open_record(&self, sealed: [u8; 16]) -> Option<RecordNumber> {
        open(&self.records, sealed).filter(|(tag, _)| *tag == STABLE).map(|(_, number)| RecordNumber(number))
    }
}

// By hand: a derived `Debug` would print keys.
impl fmt::Debug for AgreementKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgreementKeys")
    }
}

/// The key of the commons for the ids of records. It never rotates: partners keep the ids.
#[derive(Clone)]
pub struct RecordIdKeys(Aes128);

/// What the id of a record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A record, under every agreement that says `stable`.
    Stable(RecordNumber),
    /// A record under one agreement.
    Pseudonym {
        /// The number of its share, which tells whose key applies.
        share: i64,
        /// For [`AgreementKeys::open_record`] of that agreement.
        sealed: [u8; 16],
    },
}

impl RecordIdKeys {
    /// The key that follows from the commons' secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Aes128::new(&Array::from(cut::<16>(mac(&secret, &[b"record ids"])))))
    }

    /// The id of a record under the agreements that say `stable`.
    #[must_use]
    pub fn stable(&self, number: RecordNumber) -> String {
        format!("{RECORD_PREFIX}{}", base32(&seal(&self.0, STABLE, number.0)))
    }

    /// The id of a record under one agreement that says `pseudonym`.
    #[must_use]
    pub fn pseudonym(&self, share: i64, keys: &AgreementKeys, number: RecordNumber) -> String {
        let blocks = [seal(&self.0, SHARE, share), keys.seal_record(number)];
        format!("{RECORD_PREFIX}{}", base32(blocks.as_flattened()))
    }

    /// What `id` names; nothing for a text that this commons did not make.
    #[must_use]
    pub fn read(&self, id: &str) -> Option<Named> {
        let bytes = from_base32(id.strip_prefix(RECORD_PREFIX)?)?;
        let (first, rest) = bytes.split_first_chunk::<16>()?;
        let (tag, number) = open(&self.0, *first)?;
        match (tag, rest) {
            (STABLE, []) => Some(Named::Stable(RecordNumber(number))),
            (SHARE, rest) => Some(Named::Pseudonym { share: number, sealed: rest.try_into().ok()? }),
            _ => None,
        }
    }
}

// By hand: a derived `Debug` would print keys.
impl fmt::Debug for RecordIdKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordIdKeys")
    }
}

/// One block: the tag, seven zeros, the number. The zeros are how a forged id is told from one of ours.
fn seal(cipher: &Aes128, tag: u8, number: i64) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let mut block = Array::from([tag, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f, g, h]);
    cipher.encrypt_block(&mut block);
    block.into()
}

fn open(cipher: &Aes128, sealed: [u8; 16]) -> Option<(u8, i64)> {
    let mut block = Array::from(sealed);
    cipher.decrypt_block(&mut block);
    let [tag, zeros @ .., a, b, c, d, e, f, g, h]: [u8; 16] = block.into();
    (zeros == [0; 7]).then(|| (tag, i64::from_be_bytes([a, b, c, d, e, f, g, h])))
}

/// HMAC-SHA-256 over the parts, each preceded by its length, so that no two lists of parts read alike.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0u8; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&Array::from(block));
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The first `N` bytes of a tag.
fn cut<const N: usize>(tag: [u8; 32]) -> [u8; N] {
    std::array::from_fn(|at| tag.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn an_id_reads_back_whatever_the_number() {
        let (commons, keys) = (RecordIdKeys::new([1; 32]), AgreementKeys::new([2; 32]));
        for number in [0, 1, 70_000, i64::MAX].map(RecordNumber) {
            assert_eq!(commons.read(&commons.stable(number)), Some(Named::Stable(number)));
            let Some(Named::Pseudonym { share: 9, sealed }) = commons.read(&commons.pseudonym(9, &keys, number)) else {
                unreachable!("a pseudonymous id names its share")
            };
            assert_eq!(keys.open_record(sealed), Some(number));
            assert_eq!(AgreementKeys::new([3; 32]).open_record(sealed), None);
        }
    }

    #[test]
    fn a_forged_id_names_nothing() {
        let (commons, keys) = (RecordIdKeys::new([1; 32]), AgreementKeys::new([2; 32]));
        let foreign = RecordIdKeys::new([4; 32]);
        assert_eq!(commons.read(&foreign.stable(RecordNumber(1))), None);
        assert_eq!(commons.read(&foreign.pseudonym(9, &keys, RecordNumber(1))), None);
        for id in ["", "rec_", "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa", "ds_aaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(commons.read(id), None);
        }
        // A share's block alone, and a record's block with something after it.
        assert_eq!(commons.read(&format!("rec_{}", base32(&seal(&commons.0, SHARE, 9)))), None);
        assert_eq!(commons.read(&format!("rec_{}", base32(&[seal(&commons.0, STABLE, 9), [0; 16]].concat()))), None);
    }

    #[test]
    fn two_agreements_and_two_fields_share_no_pseudonym() {
        let (one, other) = (AgreementKeys::new([1; 32]), AgreementKeys::new([2; 32]));
        let (email, phone) = (FieldName::parse("email").unwrap(), FieldName::parse("phone").unwrap());
        let stand_in = one.pseudonym(&email, "x");
        assert_eq!(stand_in.len(), 26);
        assert_eq!(stand_in, AgreementKeys::new([1; 32]).pseudonym(&email, "x"));
        assert_ne!(stand_in, other.pseudonym(&email, "x"));
        assert_ne!(stand_in, one.pseudonym(&phone, "x"));
        assert_ne!(stand_in, one.pseudonym(&email, "y"));
    }

    #[test]
    fn keys_do_not_print() {
        assert_eq!(format!("{:?} {:?}", AgreementKeys::new([1; 32]), RecordIdKeys::new([1; 32])), "AgreementKeys RecordIdKeys");
    }

    #[test]
    fn the_mac_is_hmac_sha_256() {
        // RFC 4231, test case 2, has a key and a message of other lengths; this one was computed with another program:
        // key 32 × 0x01, message 00 00 00 00 00 00 00 01 ‖ "x".
        let hex: String = mac(&[1; 32], &[b"x"]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "27862cc3788aaf195c7234f6cfe7c8d5169fe5f4aba46685ec9fe6840275a9cc");
    }
}
