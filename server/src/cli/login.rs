//! `hayward login` and `hayward logout`: signing in at a commons from a terminal (RFC 8628), and being forgotten there.
//!
//! * A person allows it in a browser, where they are signed in anyway: no password is ever typed at a terminal.
//! * Where the codes are asked for stands in the commons' own metadata (RFC 8414), and is believed only if it lies at the commons.
//! * A token that runs out is exchanged (RFC 6749, section 6) before it is used, and the profile written before anything is asked with the
//!   new one: the old refresh token opens nothing after that.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, HttpRequest, HttpResponse, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::Done;
use super::profile::{Profile, Profiles};
use super::remote::{Remote, base_url, is_private};

/// The arguments of `hayward login`.
#[derive(Args)]
pub(super) struct Login {
    /// Where the commons is, such as `https://commons.example`.
    url: String,
    /// As which program: a public one of your organization. `hayward admin client add --public` registers one, and so does
    /// `POST /api/v1/clients`.
    #[arg(long, value_name = "ID", env = "HAYWARD_CLIENT_ID")]
    client_id: String,
    /// What it may do, at the most; everything that the program may, if nothing is said.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<String>,
    /// Under which name it is remembered.
    #[arg(long, env = "HAYWARD_PROFILE", default_value = "default")]
    profile: String,
    /// Print one JSON object at the end and nothing else; what to do in the browser is said on the standard error stream.
    #[arg(long)]
    json: bool,
}

/// The arguments of `hayward logout`.
#[derive(Args)]
pub(super) struct Logout {
    /// Which commons.
    #[arg(long, env = "HAYWARD_PROFILE", default_value = "default")]
    profile: String,
}

/// Where a commons gives tokens.
struct Places {
    token: String,
    device: String,
    revocation: String,
}

/// A token is exchanged this long before it runs out.
const EARLY: i64 = 60;

pub(super) fn login(args: &Login, out: &mut impl Write) -> Done {
    let base = base_url(&args.url)?;
    let (remote, places) = reached(&base)?;
    let mut profiles = Profiles::open()?;
    let client = client(&args.client_id, &places)?;
    let send = |request: HttpRequest| sent(&remote, request);
    let mut asked = client.exchange_device_code();
    for scope in &args.scopes {
        asked = asked.add_scope(Scope::new(scope.clone()));
    }
    let details: StandardDeviceAuthorizationResponse = asked.request(&send).map_err(why)?;
    let whole = details.verification_uri_complete().map(|uri| uri.secret().clone());
    tell(&format!(
        "Open {}\nand type the code {}.",
        whole.unwrap_or_else(|| details.verification_uri().to_string()),
        details.user_code().secret()
    ))?;
    let token = client.exchange_device_access_token(&details).request(&send, std::thread::sleep, None).map_err(why)?;
    let profile = profile(&base, &args.client_id, &token, None);
    let scope = scopes(&token);
    profiles.keep(&args.profile, Some(profile))?;
    let said = match args.json {
        true => json!({"url": base.as_str(), "profile": args.profile, "scope": scope}).to_string(),
        false => format!("signed in at {base}, for {scope}"),
    };
    writeln!(out, "{said}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Has the commons end what was allowed, and forgets it here. Where the commons does not answer, it is forgotten all the same.
pub(super) fn logout(args: &Logout, out: &mut impl Write) -> Done {
    let mut profiles = Profiles::open()?;
    let Some(profile) = profiles.get(&args.profile).cloned() else {
        return Err(format!("nobody is signed in as `{}`", args.profile));
    };
    let ended = end(&profile);
    profiles.keep(&args.profile, None)?;
    let said = match ended {
        Ok(()) => format!("signed out at {}", profile.url),
        Err(sentence) => format!("forgotten here; {} was not told: {sentence}", profile.url),
    };
    writeln!(out, "{said}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn end(profile: &Profile) -> Result<(), String> {
    let token = profile.refresh_token.as_ref().or(profile.access_token.as_ref());
    let (Some(token), Some(client)) = (token, &profile.client_id) else { return Ok(()) };
    let (remote, places) = reached(&base_url(&profile.url)?)?;
    let form = [("token", token.as_str()), ("client_id", client.as_str())];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = oauth2::http::Request::builder()
        .method("POST")
        .uri(places.revocation)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into_bytes())
        .map_err(|error| error.to_string())?;
    let answer = sent(&remote, request).map_err(String::from)?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
}

/// The profile with a token that works, exchanged for another one where it is about to run out.
///
/// # Errors
/// A sentence: what was allowed has ended, or the commons does not answer.
pub(super) fn fresh(profiles: &mut Profiles, name: &str) -> Result<Option<Profile>, String> {
    let Some(profile) = profiles.get(name).cloned() else { return Ok(None) };
    let runs_out = profile.expires_at.is_some_and(|at| at - EARLY <= now());
    let (true, Some(refresh), Some(id)) = (runs_out, &profile.refresh_token, &profile.client_id) else {
        return Ok(Some(profile));
    };
    let base = base_url(&profile.url)?;
    let (remote, places) = reached(&base)?;
    let client = client(id, &places)?;
    let refresh = RefreshToken::new(refresh.clone());
    let send = |request: HttpRequest| sent(&remote, request);
    let token = client
        .exchange_refresh_token(&refresh)
        .request(&send)
        .map_err(|error| format!("{}; sign in again with `hayward login {}`", why(error), profile.url))?;
    let renewed = self::profile(&base, id, &token, Some(refresh.into_secret()));
    profiles.keep(name, Some(renewed.clone()))?;
    Ok(Some(renewed))
}

fn profile(base: &Url, client: &str, token: &BasicTokenResponse, before: Option<String>) -> Profile {
    let lives = token.expires_in().and_then(|span| i64::try_from(span.as_secs()).ok());
    Profile {
        url: base.as_str().trim_end_matches('/').to_owned(),
        access_token: Some(token.access_token().secret().clone()),
        expires_at: lives.map(|span| now().saturating_add(span)),
        refresh_token: token.refresh_token().map(|refresh| refresh.secret().clone()).or(before),
        client_id: Some(client.to_owned()),
    }
}

fn scopes(token: &BasicTokenResponse) -> String {
    let names = token.scopes().into_iter().flatten().map(|scope| scope.as_str());
    names.collect::<Vec<_>>().join(" ")
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A client that knows where codes and tokens are asked for.
type Known =
    BasicClient<oauth2::EndpointNotSet, oauth2::EndpointSet, oauth2::EndpointNotSet, oauth2::EndpointNotSet, oauth2::EndpointSet>;

fn client(id: &str, places: &Places) -> Result<Known, String> {
    let bad = |error: url::ParseError| format!("the commons' metadata has an address that is none: {error}");
    Ok(BasicClient::new(ClientId::new(id.to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(DeviceAuthorizationUrl::new(places.device.clone()).map_err(bad)?)
        .set_token_uri(TokenUrl::new(places.token.clone()).map_err(bad)?))
}

/// A commons that codes may be sent to, and where it takes them.
fn reached(base: &Url) -> Result<(Remote, Places), String> {
    is_private(base)?;
    let remote = Remote::new(base.clone(), None)?;
    let places = places(&remote)?;
    Ok((remote, places))
}

/// Where this commons gives tokens, by its own metadata.
fn places(remote: &Remote) -> Result<Places, String> {
    let metadata = remote.get("/.well-known/oauth-authorization-server", &[])?;
    let place = |name: &str| {
        let said = metadata.get(name).and_then(Value::as_str).unwrap_or_default();
        let url = Url::parse(said).map_err(|_| format!("the commons' metadata has no `{name}`"))?;
        // Anywhere else it would be somebody else who gets the codes.
        if url.origin() != remote.base().origin() {
            return Err(format!("the commons' `{name}` lies elsewhere, at {}", url.origin().ascii_serialization()));
        }
        Ok(url.into())
    };
    Ok(Places {
        token: place("token_endpoint")?,
        device: place("device_authorization_endpoint")?,
        revocation: place("revocation_endpoint")?,
    })
}

/// Sends what the library made, by the client that follows no redirection.
fn sent(remote: &Remote, request: HttpRequest) -> Result<HttpResponse, Unsent> {
    let (parts, body) = request.into_parts();
    let method = Method::from_bytes(parts.method.as_str().as_bytes()).map_err(|error| Unsent(error.to_string()))?;
    let answer = remote.anonymous(method, &parts.uri.to_string()).map_err(|failed| Unsent(failed.into()))?;
    let answer = parts.headers.iter().fold(answer, |answer, (name, value)| answer.header(name.as_str(), value.as_bytes()));
    let answer = answer.body(body).send().map_err(|error| Unsent(error.without_url().to_string()))?;
    let mut response = oauth2::http::Response::builder().status(answer.status().as_u16());
    for (name, value) in answer.headers() {
        response = response.header(name.as_str(), value.as_bytes());
    }
    let bytes = answer.bytes().map_err(|error| Unsent(error.without_url().to_string()))?;
    response.body(bytes.to_vec()).map_err(|error| Unsent(error.to_string()))
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unsent(String);

impl From<Unsent> for String {
    fn from(unsent: Unsent) -> Self {
        unsent.0
    }
}

/// What the commons, or the way to it, said.
fn why<T: oauth2::ErrorResponse + std::fmt::Display + 'static>(error: RequestTokenError<Unsent, T>) -> String {
    match error {
        RequestTokenError::ServerResponse(answer) => format!("the commons says no: {answer}"),
        RequestTokenError::Request(unsent) => unsent.0,
        // What could not be read may hold a token.
        RequestTokenError::Parse(..) => "the answer of the commons cannot be read".to_owned(),
        RequestTokenError::Other(other) => other,
    }
}

/// To the person, who may have sent the standard output elsewhere.
fn tell(words: &str) -> Result<(), String> {
    writeln!(std::io::stderr(), "{words}").map_err(|error| error.to_string())
}
