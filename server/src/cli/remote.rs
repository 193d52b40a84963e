//! A commons at the other end of the network, for commands that speak to one.
//!
//! * Where it is and what opens it: an option or a variable, else a profile. A token is sent by TLS, or to this machine itself, and
//!   nowhere a redirection points to.
//! * What the commons refuses is one sentence, made of its problem: exit status 2, as everywhere. A status is never guessed from a body.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use url::{Host, Url};

use super::login;
use super::profile::Profiles;
use crate::tls;

/// Which commons, and as whom.
#[derive(Args, Clone)]
pub struct RemoteArgs {
    /// Where the commons is, such as `https://commons.example`. Without it, where the profile says.
    #[arg(long, env = "HAYWARD_URL", global = true)]
    url: Option<String>,
    /// A file whose first line is a bearer token. Without it, the token of the variable `HAYWARD_TOKEN`, or of the profile.
    #[arg(long, env = "HAYWARD_TOKEN_FILE", global = true)]
    token_file: Option<PathBuf>,
    /// A bearer token. Typed, it would stay in the shell's history: set the variable.
    #[arg(long, env = "HAYWARD_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// Which of the commons that were signed in at.
    #[arg(long, env = "HAYWARD_PROFILE", default_value = "default", global = true)]
    profile: String,
}

/// A commons that can be asked.
pub struct Remote {
    base: Url,
    token: Option<String>,
    http: Client,
}

/// Why the commons did not do it.
#[derive(Debug)]
pub enum Failed {
    /// It answered with a problem (RFC 9457): its status, its document, and after how long to ask again, if it says.
    Refused(u16, Value, Option<Duration>),
    /// There was no answer that could be read.
    Silent(String),
}

impl From<Failed> for String {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Silent(why) => why,
            Failed::Refused(status, problem, _) => words(status, &problem),
        }
    }
}

/// What a problem says: its detail, then each part of it.
fn words(status: u16, problem: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let said = text(problem, "detail").or_else(|| text(problem, "title")).or_else(|| text(problem, "error_description"));
    let mut words = said.unwrap_or_else(|| format!("the commons answered {status}"));
    for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let place = text(error, "pointer").or_else(|| text(error, "parameter")).unwrap_or_default();
        if let Some(detail) = text(error, "detail").filter(|detail| !words.contains(detail.as_str())) {
            words.push_str(&format!("\n  {place}: {detail}"));
        }
    }
    if let Some(id) = text(problem, "request_id").filter(|_| status >= 500) {
        words.push_str(&format!(" (request {id})"));
    }
    words
}

impl RemoteArgs {
    /// The name of the profile that is meant.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The commons that is meant, with the token for it if there is one.
    ///
    /// # Errors
    /// A sentence: nothing says where it is, or the token would be sent in plain text.
    pub fn remote(&self) -> Result<Remote, String> {
        let given = match &self.token_file {
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| format!("the token's file cannot be read: {error}"))?;
                Some(text.lines().next().unwrap_or_default().trim().to_owned())
            }
            None => self.token.clone(),
        };
        // A broken file of profiles is no reason to refuse what needs none.
        let profile = match (&self.url, &given) {
            (Some(_), Some(_)) => None,
            _ => {
                let mut profiles = Profiles::open()?;
                if given.is_none() { login::fresh(&mut profiles, &self.profile)? } else { profiles.get(&self.profile).cloned() }
            }
        };
        let said = self.url.clone().or_else(|| profile.as_ref().map(|profile| profile.url.clone()));
        let said = said.ok_or("say where the commons is, with --url or HAYWARD_URL, or sign in with `hayward login`")?;
        let base = base_url(&said)?;
        // The token of one commons is nobody else's business.
        let of_profile = profile.filter(|profile| base_url(&profile.url).ok().as_ref() == Some(&base));
        let token = given.or_else(|| of_profile.and_then(|profile| profile.access_token));
        Remote::new(base, token.filter(|token| !token.is_empty()))
    }
}

/// Where a commons is: an address without a path.
///
/// # Errors
/// A sentence.
pub fn base_url(text: &str) -> Result<Url, String> {
    let bad = || format!("`{text}` is no address of a commons; one looks like https://commons.example");
    let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
        return Err(bad());
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Whether nobody on the way hears what is sent there.
///
/// # Errors
/// A sentence, where they do.
pub(super) fn is_private(base: &Url) -> Result<(), String> {
    if base.scheme() == "http" && !is_here(base) {
        return Err(format!("{base} is plain HTTP: a token is not sent there; use https://"));
    }
    Ok(())
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Remote {
    /// The commons at `base`.
    ///
    /// # Errors
    /// A sentence, where the token would be sent in plain text to another machine.
    pub fn new(base: Url, token: Option<String>) -> Result<Self, String> {
        if token.is_some() {
            is_private(&base)?;
        }
        tls::install();
        let http = Client::builder()
            .user_agent(concat!("hayward/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            // Until the answer begins and between its pieces; exports take as long as they take.
            .timeout(None)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { base, token, http })
    }

    /// Where it is, with a slash at the end.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether there is a token.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.token.is_some()
    }

    /// A request to `path`, with the token. `path` begins with a slash.
    ///
    /// # Errors
    /// [`Failed::Silent`] for a path that is none.
    pub fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failed> {
        let url = self.base.join(path.trim_start_matches('/')).map_err(|error| Failed::Silent(error.to_string()))?;
        let request = self.http.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    /// A request to a whole address, without a token.
    ///
    /// # Errors
    /// [`Failed::Silent`] for an address that is none.
    pub(super) fn anonymous(&self, method: Method, url: &str) -> Result<RequestBuilder, Failed> {
        let url = Url::parse(url).map_err(|error| Failed::Silent(error.to_string()))?;
        Ok(self.http.request(method, url).timeout(PATIENCE))
    }

    /// Sends it. An answer that is no success is [`Failed::Refused`].
    ///
    /// # Errors
    /// [`Failed`].
    pub fn send(&self, request: RequestBuilder) -> Result<Response, Failed> {
        let silent =
            |error: reqwest::Error| Failed::Silent(format!("{} does not answer: {}", self.base, causes(&error.without_url())));
        let answer = request.send().map_err(silent)?;
        let status = answer.status();
        if status.is_success() || status.as_u16() == 304 {
            return Ok(answer);
        }
        let after =
            answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok()).map(Duration::from_secs);
        Err(Failed::Refused(status.as_u16(), answer.json().unwrap_or_default(), after))
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failed> {
        let mut request = self.request(Method::GET, path)?;
        if !query.is_empty() {
            let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            request = self.request(Method::GET, &format!("{path}?{pairs}"))?;
        }
        self.json(request.timeout(PATIENCE))
    }

    /// Sends `body` to `path`, a few times where there is no answer: under one key it is done once.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        let key = format!("\"{}\"", uuid::Uuid::new_v4());
        let mut left = TRIES;
        loop {
            let request = self.request(Method::POST, path)?.json(body).timeout(PATIENCE);
            left -= 1;
            match self.json(request.header("Idempotency-Key", &key)) {
                Err(Failed::Silent(_)) if left > 0 => std::thread::sleep(PAUSE),
                answered => return answered,
            }
        }
    }

    /// Every item of a list, page after page.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn all(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failed> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = query.to_vec();
            query.extend([("limit", "1000")]);
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = self.get(path, &query)?;
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(some)) => items.extend(some),
                _ => return Err(Failed::Silent("the answer is no list".to_owned())),
            }
            cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    fn json(&self, request: RequestBuilder) -> Result<Value, Failed> {
        self.send(request)?.json().map_err(|_| Failed::Silent("the answer is not JSON".to_owned()))
    }
}

/// How long a single answer may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often something is sent that is not answered, and the pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// An error with what caused it: the outer ones say little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    words
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]
mod tests {
    use serde_json::json;

    use super::{Remote, base_url, words};

    #[test]
    fn a_token_goes_nowhere_in_plain_text() {
        let token = || Some("hwt_secret".to_owned());
        assert!(Remote::new(base_url("http://commons.example").unwrap(), token()).is_err());
        assert!(Remote::new(base_url("http://commons.example").unwrap(), None).is_ok());
        assert!(Remote::new(base_url("https://commons.example").unwrap(), token()).is_ok());
        assert!(Remote::new(base_url("http://127.0.0.1:8080").unwrap(), token()).is_ok());
        assert!(Remote::new(base_url("http://[::1]:8080").unwrap(), token()).is_ok());
        assert!(base_url("ftp://commons.example").is_err());
        assert!(base_url("https://user:secret@commons.example").is_err());
    }

    #[test]
    fn a_problem_becomes_sentences() {
        let problem = json!({"title": "Terms that cannot be", "detail": "these terms cannot be", "errors": [
            {"pointer": "/fields/titel", "code": "unknown-field", "detail": "`titel` is not a field"},
        ]});
        assert_eq!(words(422, &problem), "these terms cannot be\n  /fields/titel: `titel` is not a field");
        assert_eq!(words(502, &serde_json::Value::Null), "the commons answered 502");
    }
}
