//! Resource indicators (RFC 8707): there is one resource, and that is this commons.

use super::answer::Refusal;
use super::form::Form;

/// Whether every resource that is named is ours. The path `/` is the same as none (RFC 3986, section 6.2.3).
pub(super) fn is_ours(form: &Form, issuer: &str) -> bool {
    form.resources().all(|named| named == issuer || named.strip_suffix('/') == Some(issuer))
}

/// Refuses any other.
pub(super) fn check(form: &Form, issuer: &str) -> Result<(), Refusal> {
    if is_ours(form, issuer) {
        return Ok(());
    }
    Err(Refusal::Oauth("invalid_target", "the only resource here is this commons, by its own address"))
}
