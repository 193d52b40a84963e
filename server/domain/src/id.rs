//! Names for things, as they appear on the wire: a type prefix and 24 random characters.
//!
//! Random, because a name that told when or in which order something was made would tell one co-op about another. Only the id of a
//! disclosure tells when, and only to those who are told anyway.

use std::fmt;

use crate::moment::Moment;

/// RFC 4648 base32 in lower case: no case to lose, no character that needs escaping in a URL.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// `bytes` in base32, lower case, without padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(digit(buffer >> bits));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(digit(buffer << (5 - bits)));
    }
    text
}

fn digit(value: u32) -> char {
    ALPHABET.get((value & 31) as usize).map_or('a', |byte| char::from(*byte))
}

/// The bytes that [`base32`] wrote, or nothing if `text` is not exactly what it would write.
#[must_use]
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte)?;
        buffer = (buffer << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).ok()?);
        }
        buffer &= (1 << bits) - 1;
    }
    // One spelling per id: left-over bits must be zero, and the length must be one that `base32` writes.
    (buffer == 0 && bits < 5 && base32(&bytes).len() == text.len()).then_some(bytes)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// An id from 15 random bytes.
            #[must_use]
            pub fn from_random(bytes: [u8; 15]) -> Self {
                Self(format!("{}{}", Self::PREFIX, base32(&bytes)))
            }

            /// The id that `text` is, if it has the shape of one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let body = text.strip_prefix(Self::PREFIX)?;
                (from_base32(body)?.len() == 15).then(|| Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not an id that begins with `", $prefix, "`")))
            }
        }
    )*};
}

ids! {
    /// A member co-op.
    OrganizationId = "org_";
    /// A person who signs in.
    PersonId = "per_";
    /// A program registered with OAuth.
    ClientId = "cli_";
    /// One organization's list of records of one schema.
    DatasetId = "ds_";
    /// One file on its way in.
    ImportId = "imp_";
    /// An agreement, over all its versions.
    AgreementId = "agr_";
    /// One act of giving data.
    DisclosureId = "dis_";
    /// One person, taken out of a list for good.
    ErasureId = "era_";
}

impl DisclosureId {
    /// An id that begins with the time: who may see it is told the time anyway, and ids that come one after the other lie side by
    /// side in an index. Without that, each entry of the ledger would rewrite a page of its own.
    #[must_use]
    pub fn at(moment: Moment, random: [u8; 15]) -> Self {
        let [_, time @ .., _] = moment.0.to_be_bytes();
        let mut bytes = random;
        bytes.iter_mut().zip(time).for_each(|(to, from)| *to = from);
        Self::from_random(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_disclosures_made_together_begin_alike() {
        let at = |micros, random| DisclosureId::at(Moment(micros), [random; 15]);
        let (one, other, later) = (at(1_790_000_000_000_000, 0), at(1_790_000_000_000_100, 255), at(1_790_000_000_100_000, 0));
        let begin = |id: &DisclosureId| id.as_str().get(..13).map(str::to_owned);
        assert_eq!(begin(&one), begin(&other));
        assert_ne!(begin(&one), begin(&later));
        assert_ne!(one, other);
    }

    #[test]
    fn an_id_reads_back_and_has_one_spelling() {
        let id = DatasetId::from_random([7; 15]);
        assert_eq!(DatasetId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(DatasetId::parse(&id.as_str().to_uppercase()), None);
        assert_eq!(ImportId::parse(id.as_str()), None);
        assert_eq!(DatasetId::parse("ds_"), None);
    }

    #[test]
    fn base32_reads_back_every_length() {
        for length in 0..40usize {
            let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at * 37 % 251).unwrap_or(0)).collect();
            assert_eq!(from_base32(&base32(&bytes)), Some(bytes));
        }
        assert_eq!(from_base32("b"), None);
    }
}
