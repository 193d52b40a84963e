//! A commons with two programs that may act for people, a person at a browser, and short words for what they do.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hayward::auth::secret;
use hayward_domain::id::ClientId;
use hayward_domain::scope::Scopes;
use hayward_store::{ClientForm, NewClient};
use hayward_tests::browser::{Browser, Shown};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::founding::{CLIENT_SECRET, PASSWORD, READS};
use crate::world::Persona::{Nobody, PartnerClient};
use crate::world::World;

/// Where the programs wait for their answers.
pub const REDIRECT: &str = "http://127.0.0.1/back";
/// Another address, which only one of them has.
pub const OTHER: &str = "https://app.example/other?kept=1";
/// What the challenge is made from.
pub const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0";

/// Pairs of a query or a form.
pub type Pairs<'a> = Vec<(&'a str, String)>;

pub struct Scene {
    pub world: World,
    pub confidential: String,
    pub public: String,
}

/// What S256 makes of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// The parameters of an address.
pub fn told(location: &str) -> BTreeMap<String, String> {
    url::Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

impl Scene {
    pub fn new(world: World) -> Self {
        let owner = world.server.store().client(world.id(PartnerClient.name())).unwrap().unwrap().organization;
        let register = |byte: u8, name: &str, public: bool, redirect_uris: Vec<String>| {
            let id = ClientId::from_random([byte; 15]);
            let scopes = Scopes::parse(&format!("{READS} agreements:read ledger:read")).unwrap();
            let (name, secret_hash) = (name.to_owned(), secret::hash(CLIENT_SECRET));
            let new = NewClient { id: id.clone(), organization: owner, name, secret_hash, scopes };
            let form = ClientForm { public, redirect_uris, contact: Some("dev@partner.example".to_owned()) };
            world.server.store().register_client(&new, &form).unwrap();
            id.to_string()
        };
        let confidential = register(1, "Map <b>of</b> work", false, vec![REDIRECT.to_owned(), OTHER.to_owned()]);
        let public = register(2, "Pocket", true, vec![REDIRECT.to_owned()]);
        Self { world, confidential, public }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.world.server.url)
    }

    /// A browser at which the partner's steward is signed in.
    pub fn signed_in(&self) -> Browser {
        let browser = self.browser();
        let _shown = browser.sign_in("partner-steward@people.example", PASSWORD).expect(303);
        browser
    }

    /// A request that may be granted.
    pub fn asks(&self) -> Pairs<'static> {
        vec![
            ("client_id", self.confidential.clone()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("response_type", "code".to_owned()),
            ("scope", "opportunities:read".to_owned()),
            ("state", "a state".to_owned()),
            ("code_challenge", challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }

    /// The same with some parameters in place of its own; one that is empty is left out.
    pub fn asks_with(&self, over: &[(&'static str, &str)]) -> String {
        let mut pairs = self.asks();
        pairs.retain(|(name, _)| !over.iter().any(|(other, _)| other == name));
        pairs.extend(over.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (*name, (*value).to_owned())));
        format!("/oauth/authorize?{}", encoded(&pairs))
    }

    /// The person says yes at this browser; where it is sent.
    pub fn allow(&self, browser: &Browser, address: &str) -> Shown {
        let page = browser.get(address).expect(200);
        browser.post_from(
            &page,
            "/oauth/authorize",
            &answers(&page, "allow").iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(),
        )
    }

    /// A code for the usual request.
    pub fn code(&self) -> String {
        let sent = self.allow(&self.signed_in(), &self.asks_with(&[])).expect(303);
        told(&sent.location)["code"].clone()
    }

    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let form: Pairs<'_> = form.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let request = self.world.request(Nobody, Method::POST, path);
        Answer::to(request.header("Content-Type", "application/x-www-form-urlencoded").body(encoded(&form)))
    }

    /// What the token endpoint says to the program with a secret.
    pub fn ask(&self, form: &[(&str, &str)]) -> Answer {
        self.post(
            "/oauth/token",
            &[&[("client_id", self.confidential.as_str()), ("client_secret", CLIENT_SECRET)], form].concat(),
        )
    }

    /// What it says to the public program.
    pub fn ask_public(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/oauth/token", &[&[("client_id", self.public.as_str())], form].concat())
    }

    pub fn redeem(&self, code: &str) -> Answer {
        self.ask(&exchange(code))
    }

    pub fn refresh(&self, tokens: &Value) -> Answer {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())])
    }

    /// Tokens from a person's word.
    pub fn tokens(&self) -> Value {
        self.redeem(&self.code()).ok()
    }

    /// How a read with a token is answered.
    pub fn read(&self, tokens: &Value) -> u16 {
        self.world.server.get("/api/v1/opportunities", tokens["access_token"].as_str()).status().as_u16()
    }
}

/// The form of the exchange of a code.
pub fn exchange(code: &str) -> [(&str, &str); 4] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]
}

/// What the consent form carries, with a decision.
pub fn answers(page: &Shown, decision: &str) -> Vec<(&'static str, String)> {
    vec![("asked", page.field("asked")), ("organization", page.field("organization")), ("decision", decision.to_owned())]
}

pub fn encoded(pairs: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// An error as RFC 6749, section 5.2 has it.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["error"], code, "{}", answer.text());
    assert!(answer.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(answer.header("cache-control"), "no-store");
}
