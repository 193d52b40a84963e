//! What a program asks a person for, through the person's browser (RFC 6749, section 4.1.1).
//!
//! * First the program and its address: as long as these are not known to be right, nobody is sent anywhere, and what is wrong stands on
//!   a page. From then on what is wrong is told to the program.
//! * Every answer carries `iss` (RFC 9207) and the program's own `state`.
//! * A request is read anew when the person has said yes: what counts is not what a form carried along, but what may be asked for now.

use hayward_domain::id::{PersonId, base32};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use hayward_store::{Client, NewCode, NewConsent};

use super::form::Form;
use super::{CODE_LIFE, CONSENT_LIFE, code, redirect, resource};
use crate::auth::secret::{self, Kind};
use crate::commons::Commons;
use crate::error::Error;

/// A program's question that a person can say yes or no to.
pub struct Asked {
    /// The program.
    pub client: Client,
    /// What it asks for.
    pub scopes: Scopes,
    redirect_uri: String,
    challenge: String,
    state: Option<String>,
}

/// Why there is nothing to ask the person.
#[derive(Debug)]
pub enum NotAsked {
    /// To be shown on a page: the browser is sent nowhere.
    Page(&'static str),
    /// Where the browser goes: the program is told.
    Sent(String),
    /// Our mistake.
    Ours(Error),
}

impl From<Error> for NotAsked {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// Where an answer goes.
struct Back<'a> {
    redirect_uri: &'a str,
    state: Option<&'a str>,
    issuer: String,
}

impl Back<'_> {
    /// The address with the answer. What was registered stays as it was written.
    fn with(&self, pairs: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        if let Some(state) = self.state {
            query.append_pair("state", state);
        }
        let query = query.append_pair("iss", &self.issuer).finish();
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{joint}{query}", self.redirect_uri)
    }

    fn refused(&self, code: &str, why: &str) -> NotAsked {
        NotAsked::Sent(self.with(&[("error", code), ("error_description", why)]))
    }
}

impl Asked {
    /// Reads a request.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub async fn read(query: &str, commons: &Commons) -> Result<Self, NotAsked> {
        let form = Form::read(query.as_bytes()).map_err(|unreadable| NotAsked::Page(unreadable.words()))?;
        let (client, redirect_uri) = trusted(&form, commons).await?;
        // Of a state that stands twice none is the program's.
        let repeated = form.repeated();
        let state = form.field("state").filter(|_| repeated != Some("state"));
        let back = Back { redirect_uri: &redirect_uri, state, issuer: commons.issuer() };
        if repeated.is_some() {
            return Err(back.refused("invalid_request", "a parameter stands twice"));
        }
        let (scopes, challenge) = wanted(&form, &client, &back)?;
        let state = state.map(str::to_owned);
        Ok(Self { client, scopes, redirect_uri, challenge, state })
    }

    /// The origin that the browser will be sent to.
    #[must_use]
    pub fn origin(&self) -> Option<url::Origin> {
        url::Url::parse(&self.redirect_uri).ok().map(|url| url.origin())
    }

    /// Where that is, as the person may know it.
    #[must_use]
    pub fn leads_to(&self) -> &str {
        &self.redirect_uri
    }

    fn back<'a>(&'a self, commons: &Commons) -> Back<'a> {
        Back { redirect_uri: &self.redirect_uri, state: self.state.as_deref(), issuer: commons.issuer() }
    }

    /// The person said no. Where the browser goes.
    #[must_use]
    pub fn denied(&self, commons: &Commons) -> String {
        self.back(commons).with(&[("error", "access_denied"), ("error_description", "the person said no")])
    }

    /// The person said yes. Where the browser goes.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn allowed(&self, commons: &Commons, person: PersonId, acts_for: OrganizationNumber) -> Result<String, Error> {
        let given = Kind::Code.make(commons.random());
        let consent = consent(commons, &self.client, person, acts_for, self.scopes.clone());
        let new = NewCode {
            hash: secret::hash(&given),
            redirect_uri: self.redirect_uri.clone(),
            challenge: self.challenge.clone(),
            expires_at: commons.store.now().plus(CODE_LIFE),
        };
        let kept = commons.run(move |store| store.allow_with_code(&consent, &new)).await?;
        Ok(if kept { self.back(commons).with(&[("code", &given)]) } else { self.denied(commons) })
    }
}

/// A person's word, to be kept.
#[must_use]
pub fn consent(
    commons: &Commons,
    client: &Client,
    person: PersonId,
    organization: OrganizationNumber,
    scopes: Scopes,
) -> NewConsent {
    NewConsent {
        id: format!("con_{}", base32(&commons.random::<15>())),
        client: client.id.clone(),
        person,
        organization,
        scopes,
        expires_at: commons.store.now().plus(CONSENT_LIFE),
    }
}

/// The program, and the one of its addresses that is asked for.
async fn trusted(form: &Form, commons: &Commons) -> Result<(Client, String), NotAsked> {
    if matches!(form.repeated(), Some("client_id" | "redirect_uri")) {
        return Err(NotAsked::Page("The request names two programs, or two addresses."));
    }
    let id = form.field("client_id").ok_or(NotAsked::Page("The request does not say which program asks (`client_id`)."))?;
    let id = id.to_owned();
    let client = commons.run(move |store| store.client(&id)).await?;
    let client = client.ok_or(NotAsked::Page("There is no such program here, or it was revoked."))?;
    let uri = form
        .field("redirect_uri")
        .ok_or(NotAsked::Page("The request does not say where the program waits for the answer (`redirect_uri`)."))?;
    if !redirect::is_registered(uri, &client.form.redirect_uris) {
        return Err(NotAsked::Page("The program did not register the address where it waits for the answer (`redirect_uri`)."));
    }
    Ok((client, uri.to_owned()))
}

/// The scopes and the challenge, out of a request from a program that is known.
fn wanted(form: &Form, client: &Client, back: &Back<'_>) -> Result<(Scopes, String), NotAsked> {
    if form.field("request").is_some() {
        return Err(back.refused("request_not_supported", "request objects are not taken here"));
    }
    if form.field("request_uri").is_some() {
        return Err(back.refused("request_uri_not_supported", "request objects are not taken here"));
    }
    match form.field("response_type") {
        Some("code") => {}
        Some(_) => return Err(back.refused("unsupported_response_type", "the response type here is code")),
        None => return Err(back.refused("invalid_request", "response_type is missing")),
    }
    if !matches!(form.field("response_mode"), None | Some("query")) {
        return Err(back.refused("invalid_request", "the response mode here is query"));
    }
    if !resource::is_ours(form, &back.issuer) {
        return Err(back.refused("invalid_target", "the only resource here is this commons, by its own address"));
    }
    // RFC 7636, section 4.3: without a method it is `plain`.
    if form.field("code_challenge_method") != Some("S256") {
        return Err(back.refused("invalid_request", "PKCE is needed, with code_challenge_method=S256"));
    }
    let challenge = form.field("code_challenge").filter(|text| code::is_challenge(text));
    let challenge = challenge.ok_or_else(|| back.refused("invalid_request", "code_challenge is not what S256 makes"))?;
    let scopes = match form.written("scope") {
        None => client.scopes.clone(),
        Some(text) => {
            let scopes = Scopes::parse(text).ok().filter(|scopes| scopes.iter().next().is_some());
            let scopes = scopes.filter(|scopes| scopes.within(&client.scopes));
            scopes
                .ok_or_else(|| back.refused("invalid_scope", "one of these is no scope, or not one that this client may have"))?
        }
    };
    Ok((scopes, challenge.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::Back;

    #[test]
    fn an_answer_is_added_to_the_address_as_it_was_registered() {
        let back = |redirect_uri| Back { redirect_uri, state: Some("a b&c"), issuer: "https://c.example".to_owned() };
        let rest = "code=x&state=a+b%26c&iss=https%3A%2F%2Fc.example";
        assert_eq!(back("https://a.example/B").with(&[("code", "x")]), format!("https://a.example/B?{rest}"));
        assert_eq!(back("https://a.example/?q=1").with(&[("code", "x")]), format!("https://a.example/?q=1&{rest}"));
    }
}
