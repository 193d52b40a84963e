//! Codes of an app (RFC 6238: SHA-1, six digits, thirty seconds, as the apps know them) and recovery codes.
//!
//! A code of the step before or after is taken, too: clocks differ. Which step it was is what the store counts, so that it works once.

use hayward_domain::id::{PersonId, base32};
use hayward_store::{Store, code_second};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Algorithm, Builder, Totp};

use super::secret;
use crate::error::Error;

/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// Seconds of a step.
const STEP: u64 = 30;

/// What a person gives to their app, shown once.
pub struct Offer {
    /// The secret in letters, for typing.
    pub letters: String,
    /// The same for apps on this machine.
    pub uri: String,
    /// The same as a picture, in SVG.
    pub picture: String,
}

fn totp(secret: &[u8], commons: &str, email: &str) -> Result<Totp, Error> {
    // A colon parts the two names in the address.
    let (commons, email) = (commons.replace(':', " "), email.replace(':', " "));
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1).with_step_duration(STEP);
    let builder = builder.with_secret(secret.to_vec()).with_account_name(email).with_issuer(Some(commons));
    builder.build().map_err(|_| Error::Internal("a second step that cannot be counted".to_owned()))
}

/// What to give to an app for this secret.
///
/// # Errors
/// Only what should not happen.
pub fn offer(secret: &[u8], commons: &str, email: &str) -> Result<Offer, Error> {
    let totp = totp(secret, commons, email)?;
    let uri = totp.to_url().map_err(|_| Error::Internal("a second step without an address".to_owned()))?;
    let picture = QrCode::with_error_correction_level(&uri, EcLevel::M);
    let picture = picture.map_err(|_| Error::Internal("a second step that cannot be drawn".to_owned()))?;
    let picture = picture.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // What stands before the picture belongs to a file of its own.
    let picture = picture.find("<svg").and_then(|at| picture.get(at..)).unwrap_or_default().to_owned();
    Ok(Offer { letters: totp.secret().to_base32(), uri, picture })
}

/// The step whose code this is.
#[must_use]
pub fn step(secret: &[u8], code: &str, second: u64) -> Option<i64> {
    let totp = totp(secret, "", "").ok()?;
    totp.check(code, second).and_then(|step| i64::try_from(step).ok())
}

/// Recovery codes, as they are shown: four groups of four letters.
pub fn recovery(mut random: impl FnMut() -> [u8; 10]) -> Vec<String> {
    let code = |bytes: [u8; 10]| {
        let letters = base32(&bytes);
        let groups: Vec<String> = letters.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        groups.join("-")
    };
    (0..RECOVERY_CODES).map(|_| code(random())).collect()
}

/// The hash that a recovery code is kept under, however it was typed.
#[must_use]
pub fn recovery_hash(code: &str) -> String {
    let letters: String = code.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    secret::hash(&format!("recovery {}", letters.to_ascii_lowercase()))
}

/// Whether a code of the app, or a recovery code, works for this person now. It is used up then.
///
/// # Errors
/// Only the database's.
pub fn take(store: &Store, person: &PersonId, kept: &[u8], code: &str) -> Result<bool, Error> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return match step(kept, &code, code_second(store.now())) {
            Some(step) => Ok(store.take_step(person, step)?),
            None => Ok(false),
        };
    }
    Ok(store.take_recovery_code(person, &recovery_hash(&code))?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it did not expect")]

    use super::{offer, recovery, recovery_hash, step};

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert_eq!(step(secret, code, second), Some(i64::try_from(second / 30).unwrap()));
            assert_eq!(step(secret, code, second + 30), Some(i64::try_from(second / 30).unwrap()), "clocks differ");
            assert_eq!(step(secret, code, second + 90), None);
        }
        for wrong in ["", "28708", "2870822", "abcdef", "000000"] {
            assert_eq!(step(secret, wrong, 59), None, "{wrong}");
        }
    }

    #[test]
    fn an_offer_says_the_same_in_three_ways() {
        let offer = offer(&[7; 20], "A commons: ours", "a@b.example").unwrap();
        assert_eq!(offer.letters, "A4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYH");
        assert!(offer.uri.starts_with("otpauth://totp/") && offer.uri.contains(&offer.letters), "{}", offer.uri);
        assert!(offer.picture.starts_with("<svg") && !offer.picture.contains("style="), "{}", offer.picture);
    }

    #[test]
    fn a_recovery_code_may_be_typed_as_one_likes() {
        let codes = recovery(|| [3; 10]);
        assert_eq!((codes.len(), codes[0].len()), (10, 19));
        assert_eq!(recovery_hash(&codes[0]), recovery_hash(&codes[0].to_uppercase().replace('-', " ")));
    }
}
