//! A code becomes tokens (RFC 6749, section 4.1.3), once, for whoever knows what its challenge was made from (RFC 7636, section 4.6).

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hayward_store::{Client, CodeShown, Redeemed};
use sha2::{Digest, Sha256};

use super::Fresh;
use super::answer::{Refusal, invalid_grant, invalid_request};
use super::form::Form;
use crate::auth::secret;
use crate::commons::Commons;
use crate::revocation;

pub(super) async fn grant(form: &Form, client: Client, commons: &Commons) -> Result<HttpResponse, Refusal> {
    let code = form.needed("code", "`code` is missing")?;
    let redirect_uri = form.needed("redirect_uri", "`redirect_uri` is missing")?.to_owned();
    let verifier = form.needed("code_verifier", "`code_verifier` is missing")?;
    if !is_verifier(verifier) {
        return Err(invalid_request("`code_verifier` has 43 to 128 letters, digits, `-`, `.`, `_` and `~`"));
    }
    let shown = CodeShown { hash: secret::hash(code), redirect_uri, challenge: challenge(verifier) };
    let fresh = Fresh::new(commons);
    let issue = fresh.issue(commons);
    match commons.run(move |store| store.redeem_code(&client.id, &shown, &issue)).await? {
        Redeemed::Given(scopes) => Ok(fresh.answer(&scopes)),
        Redeemed::Refused | Redeemed::TooMuch => Err(invalid_grant("this code opens nothing")),
        Redeemed::Ended => {
            revocation::acknowledge().await;
            Err(invalid_grant("this code was used before, is too old, or was given to another request; it opens nothing now"))
        }
    }
}

/// What S256 makes of a verifier.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether `text` can be what S256 made: 32 bytes in base64url.
pub(super) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::{challenge, is_challenge, is_verifier};

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_verifier(verifier) && is_challenge(&challenge(verifier)));
    }

    #[test]
    fn what_is_too_short_or_has_other_letters_is_neither() {
        for text in ["", "short", &"a".repeat(42), &"a".repeat(129), &format!("{}+", "a".repeat(43)), &"é".repeat(43)] {
            assert!(!is_verifier(text), "{text}");
        }
        for text in ["", &"a".repeat(42), &"a".repeat(44), &format!("{}=", "A".repeat(43)), &"+".repeat(43)] {
            assert!(!is_challenge(text), "{text}");
        }
    }
}
