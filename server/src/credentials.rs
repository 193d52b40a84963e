//! Says who can sign in to a demo world, and with what.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

/// Writes the credentials file, if one is wanted, and prints who can sign in and three lines to paste.
///
/// # Errors
/// A sentence, where something cannot be written.
pub fn announce(world: &Value, url: &str, file: Option<&Path>, out: &mut impl Write) -> Result<(), String> {
    let organizations = world.get("organizations").cloned().unwrap_or_default();
    if let Some(file) = file {
        let document = json!({"base_url": url, "organizations": organizations});
        write_whole(file, &document.to_string()).map_err(|error| format!("the credentials cannot be written: {error}"))?;
    }
    let text = words(&organizations, url);
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}

/// Whoever waits for the file finds it whole.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut draft = file.as_os_str().to_owned();
    draft.push(".part");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, file)
}

fn words(organizations: &Value, url: &str) -> String {
    let all = organizations.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut words = String::from("\nWho can sign in (POST /api/v1/sessions with email and password):\n");
    for organization in all.iter().take(3) {
        words.push_str(&format!("  {}\n", text(organization, "name")));
        for person in list(organization, "people") {
            let roles: Vec<String> = list(&person, "roles").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            words.push_str(&format!("    {:12} {}  {}\n", roles.join(","), text(&person, "email"), text(&person, "password")));
        }
    }
    let rest = all.len().saturating_sub(3);
    words.push_str(&format!("  … and {rest} more member co-ops: `--credentials FILE` writes them all down.\n\nTry:\n"));
    let client = all.iter().flat_map(|organization| list(organization, "clients")).next();
    let people = all.iter().flat_map(|organization| list(organization, "people"));
    let steward = people.into_iter().find(|person| list(person, "roles").iter().any(|role| role == "steward"));
    if let Some(client) = client {
        let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
        words.push_str(&format!("  curl -s -u {id}:{secret} -d grant_type=client_credentials {url}/oauth/token\n"));
    }
    words.push_str(&format!("  curl -s '{url}/api/v1/organizations?limit=3'\n"));
    if let Some(steward) = steward {
        words.push_str(&format!(
            "  curl -s -H 'Authorization: Bearer {}' '{url}/api/v1/agreements?limit=2'\n",
            text(&steward, "token")
        ));
    }
    words
}
