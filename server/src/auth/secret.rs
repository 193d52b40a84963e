//! Secrets that programs carry: tokens, client secrets, codes.
//!
//! * They are long and random, so a plain SHA-256 keeps them: there is nothing to guess that a slow hash would protect.
//! * Each has a prefix that says what it is, 52 letters that are random, and 6 that follow from what stands before. So whoever finds
//!   one in a file can tell that it is one, without asking anybody. `docs/oauth.md` says how.
//! * Those of before had no such letters. They go on working.

use hayward_domain::id::base32;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a secret is for, which its prefix tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bearer token.
    Token,
    /// A client's secret.
    Client,
    /// A refresh token.
    Refresh,
    /// An authorization code.
    Code,
    /// A device code.
    Device,
    /// The key of an invitation.
    Invite,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Token, Self::Client, Self::Refresh, Self::Code, Self::Device, Self::Invite];

    /// What it begins with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Token => "hwt_",
            Self::Client => "hws_",
            Self::Refresh => "hwr_",
            Self::Code => "hwc_",
            Self::Device => "hwd_",
            Self::Invite => "hwi_",
        }
    }

    /// A new one from 32 random bytes.
    #[must_use]
    pub fn make(self, random: [u8; 32]) -> String {
        let body = format!("{}{}", self.prefix(), base32(&random));
        let sum = sum(&body);
        body + &sum
    }
}

/// Letters that are random: 32 bytes in base32.
const BODY: usize = 52;
/// Letters that follow from what stands before them.
const SUM: usize = 6;

/// The first letters of a hash, in base32.
fn sum(body: &str) -> String {
    base32(&Sha256::digest(body.as_bytes())).chars().take(SUM).collect()
}

/// The kind of secret that `text` is, if it is one by its form: nobody is asked whether it works.
#[must_use]
pub fn recognised(text: &str) -> Option<Kind> {
    let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
    let (body, last) = text.split_at_checked(text.len().checked_sub(SUM)?)?;
    (text.len() == kind.prefix().len() + BODY + SUM && sum(body) == last).then_some(kind)
}

/// Whether `text` has the length and the letters of a secret, and is none: somebody has mistyped or cut it.
#[must_use]
pub fn is_mistyped(text: &str) -> bool {
    let letters = |letter: u8| letter.is_ascii_lowercase() || (b'2'..=b'7').contains(&letter);
    let kind = Kind::ALL.into_iter().find_map(|kind| text.strip_prefix(kind.prefix()));
    kind.is_some_and(|rest| rest.len() == BODY + SUM && rest.bytes().all(letters)) && recognised(text).is_none()
}

/// A new bearer token from 32 random bytes.
#[must_use]
pub fn token(random: [u8; 32]) -> String {
    Kind::Token.make(random)
}

/// A new client secret from 32 random bytes.
#[must_use]
pub fn client_secret(random: [u8; 32]) -> String {
    Kind::Client.make(random)
}

/// The hash that a token or secret is kept under.
#[must_use]
pub fn hash(secret: &str) -> String {
    base32(&Sha256::digest(secret.as_bytes()))
}

/// Whether `secret` is the one kept under `kept`, in a time that tells nothing.
#[must_use]
pub fn matches(secret: &str, kept: &str) -> bool {
    hash(secret).as_bytes().ct_eq(kept.as_bytes()).into()
}

/// The key of the set-up page from 32 random bytes.
#[must_use]
pub fn setup_key(random: [u8; 32]) -> String {
    base32(&random)
}

/// The key of an invitation from 32 random bytes.
#[must_use]
pub fn invite_key(random: [u8; 32]) -> String {
    Kind::Invite.make(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_by_its_form_and_one_changed_letter_is_noticed() {
        for kind in Kind::ALL {
            let secret = kind.make([7; 32]);
            assert_eq!((recognised(&secret), is_mistyped(&secret)), (Some(kind), false));
            for at in kind.prefix().len()..secret.len() {
                let other = if secret.as_bytes().get(at) == Some(&b'a') { "b" } else { "a" };
                let mut changed = secret.clone();
                changed.replace_range(at..=at, other);
                assert_eq!((recognised(&changed), is_mistyped(&changed)), (None, true), "letter {at}");
            }
        }
    }

    #[test]
    fn one_of_before_is_neither_recognised_nor_refused() {
        let before = format!("hwt_{}", base32(&[7; 32]));
        assert_eq!((recognised(&before), is_mistyped(&before)), (None, false));
        assert_eq!((recognised("hwt_"), is_mistyped("hwt_é"), recognised("")), (None, false, None));
    }

    #[test]
    fn the_page_for_developers_shows_one_that_is_recognised() {
        let page = include_str!("../../../docs/oauth.md");
        let shown = page.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        assert!(shown.filter(|word| recognised(word) == Some(Kind::Token)).count() > 0);
        assert!(Kind::ALL.iter().all(|kind| page.contains(&format!("`{}`", kind.prefix()))));
    }
}
