//! The commons' keys: one file, shared by the servers of a commons and left out of backups.
//!
//! Each purpose has a key of its own, so that one can be replaced without the others. The key of record ids is never replaced:
//! an id that a partner keeps must go on meaning the same record. Pseudonyms hang on secrets of the agreements, which the wrapping
//! key only encloses: replacing that changes no pseudonym. See [`crate::rotation`].

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hayward_domain::id::{AgreementId, base32, from_base32};
use hayward_domain::keys::{AgreementKeys, RecordIdKeys};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::{Result, StoreError};

/// The keys of one commons.
#[derive(Clone)]
pub struct Keyring {
    ids: [u8; 32],
    wrap: [u8; 32],
    cursor: CursorKeys,
    signing: [u8; 32],
}

/// What seals cursors, and what sealed them before: those are known as ours, and too old.
#[derive(Clone, Copy)]
pub struct CursorKeys {
    /// Seals and opens.
    pub current: [u8; 32],
    /// Sealed what is refused as too old.
    pub former: Option<[u8; 32]>,
}

// By hand: keys do not belong in logs.
impl fmt::Debug for CursorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKeys")
    }
}

/// Which keys are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotate {
    /// What encloses the agreements' secrets.
    pub wrap: bool,
    /// What seals cursors.
    pub cursor: bool,
    /// What signs checkpoints of the ledger.
    pub signing: bool,
}

// By hand: keys do not belong in logs.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

/// What the key file holds: 32 bytes each, in base32.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u32,
    ids: String,
    wrap: String,
    cursor: String,
    /// Only after a rotation; a program that does not know it must not run with this file, since it would forget it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_cursor: Option<String>,
    signing: String,
}

impl Keyring {
    /// Keys from 128 random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; 128]) -> Self {
        let part = |at: usize| {
            let mut key = [0; 32];
            key.iter_mut().zip(bytes.iter().skip(at * 32)).for_each(|(to, from)| *to = *from);
            key
        };
        Self { ids: part(0), wrap: part(1), cursor: CursorKeys { current: part(2), former: None }, signing: part(3) }
    }

    /// These keys, some of them replaced by what the random bytes hold.
    #[must_use]
    pub fn rotated(&self, rotate: Rotate, bytes: &[u8; 128]) -> Self {
        let fresh = Self::from_random(bytes);
        Self {
            ids: self.ids,
            wrap: if rotate.wrap { fresh.wrap } else { self.wrap },
            cursor: if rotate.cursor {
                CursorKeys { current: fresh.cursor.current, former: Some(self.cursor.current) }
            } else {
                self.cursor
            },
            signing: if rotate.signing { fresh.signing } else { self.signing },
        }
    }

    /// The text of a key file.
    #[must_use]
    pub fn to_file(&self) -> String {
        let file = KeyFile {
            version: 1,
            ids: base32(&self.ids),
            wrap: base32(&self.wrap),
            cursor: base32(&self.cursor.current),
            former_cursor: self.cursor.former.map(|key| base32(&key)),
            signing: base32(&self.signing),
        };
        serde_json::to_string_pretty(&file).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// A sentence that quotes nothing of the file.
    pub fn from_file(text: &str) -> std::result::Result<Self, String> {
        let file: KeyFile = serde_json::from_str(text).map_err(|error| format!("not a key file (line {})", error.line()))?;
        if file.version != 1 {
            return Err(format!("a key file of version {}, which this program does not know", file.version));
        }
        let key = |name: &str, text: &str| {
            from_base32(text)
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                .ok_or_else(|| format!("the key `{name}` is damaged"))
        };
        Ok(Self {
            ids: key("ids", &file.ids)?,
            wrap: key("wrap", &file.wrap)?,
            cursor: CursorKeys {
                current: key("cursor", &file.cursor)?,
                former: file.former_cursor.map(|text| key("former_cursor", &text)).transpose()?,
            },
            signing: key("signing", &file.signing)?,
        })
    }

    /// What turns record numbers into the ids that leave.
    #[must_use]
    pub fn record_ids(&self) -> RecordIdKeys {
        RecordIdKeys::new(self.ids)
    }

    /// What a key of a list is remembered by once its record was erased. It says nothing to who lacks the key file, and the same key in
    /// another list gives another one. It hangs on the key of record ids, which is never replaced.
    pub(crate) fn key_print(&self, dataset: &str, key: &str) -> String {
        let of_dataset = mac(&self.ids, format!("hayward erased keys {dataset}").as_bytes());
        base32(&mac(&of_dataset, key.as_bytes()))
    }

    /// What stands for a word in a table that is searched by it: it says nothing to who lacks the key file. After a rotation of the
    /// wrapping key it is another one.
    pub(crate) fn print_of(&self, purpose: &str, word: &str) -> String {
        base32(&mac(&mac(&self.wrap, purpose.as_bytes()), word.as_bytes()))
    }

    /// The keys of cursors.
    #[must_use]
    pub fn cursor(&self) -> CursorKeys {
        self.cursor
    }

    /// The seed of the key that signs checkpoints of the ledger.
    #[must_use]
    pub fn signing(&self) -> [u8; 32] {
        self.signing
    }

    /// A short print of these keys, to notice that a database is opened with another commons' file.
    #[must_use]
    pub fn print(&self) -> String {
        let bytes = mac(&self.wrap, b"hayward key print");
        base32(bytes.get(..10).unwrap_or_default())
    }

    /// Prints that tell keys apart and give nothing of them away: what for, and the print.
    #[must_use]
    pub fn prints(&self) -> [(&'static str, String); 4] {
        let print = |key: &[u8; 32]| base32(mac(key, b"hayward key print").get(..10).unwrap_or_default());
        [
            ("ids", print(&self.ids)),
            ("wrap", print(&self.wrap)),
            ("cursor", print(&self.cursor.current)),
            ("signing", print(&self.signing)),
        ]
    }

    /// What `former` enclosed, enclosed by these keys.
    pub(crate) fn rewrap(&self, former: &Self, agreement: &AgreementId, wrapped: &str) -> Result<String> {
        self.wrap(agreement, &former.secret(agreement, wrapped)?)
    }

    /// An agreement's secret as it is stored.
    pub(crate) fn wrap(&self, agreement: &AgreementId, secret: &[u8; 32]) -> Result<String> {
        let payload = Payload { msg: secret, aad: agreement.as_str().as_bytes() };
        let sealed = self.cipher().encrypt(&self.nonce(agreement).into(), payload);
        sealed.map(|bytes| base32(&bytes)).map_err(|_| StoreError::Corrupt("a secret that cannot be wrapped"))
    }

    /// The keys of an agreement, from its stored secret.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where other keys wrapped it.
    pub fn unwrap(&self, agreement: &AgreementId, wrapped: &str) -> Result<AgreementKeys> {
        self.secret(agreement, wrapped).map(AgreementKeys::new)
    }

    fn secret(&self, agreement: &AgreementId, wrapped: &str) -> Result<[u8; 32]> {
        let wrong = StoreError::Corrupt("an agreement's secret that these keys do not open");
        let Some(sealed) = from_base32(wrapped) else { return Err(wrong) };
        let payload = Payload { msg: &sealed, aad: agreement.as_str().as_bytes() };
        let Ok(secret) = self.cipher().decrypt(&self.nonce(agreement).into(), payload) else { return Err(wrong) };
        <[u8; 32]>::try_from(secret).map_err(|_| wrong)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.wrap.into())
    }

    /// One secret an agreement, once: the agreement's id is as good as a counter.
    fn nonce(&self, agreement: &AgreementId) -> [u8; 12] {
        let bytes = mac(&self.wrap, agreement.as_str().as_bytes());
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        nonce
    }
}

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key of any length makes an HMAC; the error type is what the trait asks for.
    <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().into()
        })
        .unwrap_or_default()
}
