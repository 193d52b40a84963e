//! `hayward catalogue` and `hayward request`: what there is to ask for, and asking, by names.

use std::io::Write;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::Done;
use super::remote::{Remote, RemoteArgs};

/// The arguments of `hayward catalogue`.
#[derive(Args)]
pub(super) struct Catalogue {
    /// Whose lists, by short name, or one list, as PROVIDER/LIST: then every field of it is described. Without it, all of them.
    #[arg(value_name = "PROVIDER[/LIST]")]
    which: Option<String>,
    /// Only lists of this schema.
    #[arg(long)]
    schema: Option<String>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// The arguments of `hayward request`.
#[derive(Args)]
pub(super) struct Request {
    /// The list, as PROVIDER/LIST: the short name of whose it is, and what it is called.
    #[arg(long, value_name = "PROVIDER/LIST")]
    from: String,
    /// Fields, with commas between: `title,city`. After `=` the treatment, if not exact: `closes_on=generalised:month,email=masked`.
    #[arg(long, value_delimiter = ',', required = true)]
    fields: Vec<String>,
    /// What for, as a code: directory, job-matching, procurement, funding, training, mutual-aid, statistics, research, governance, other.
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// What for, in a sentence that the provider's stewards read.
    #[arg(long)]
    text: String,
    /// The last day, such as 2027-06-30.
    #[arg(long, value_name = "DAY")]
    until: NaiveDate,
    /// The first day; today, if none is named.
    #[arg(long, value_name = "DAY")]
    starting: Option<NaiveDate>,
    /// Which records, as a condition in JSON: `{"country": {"in": ["ES", "FR"]}}`. All of them, if none is given.
    #[arg(long, value_name = "CONDITION")]
    rows: Option<String>,
    /// How records are named: by an id of this agreement's own, or by the one that other agreements use too.
    #[arg(long, value_enum, default_value_t = RecordId::Pseudonym)]
    record_id: RecordId,
    /// How many days after the end every copy is deleted.
    #[arg(long, value_name = "DAYS", default_value_t = 30, conflicts_with = "keep")]
    delete_within: u32,
    /// On which terms copies are kept after the end, in words, instead of being deleted.
    #[arg(long, value_name = "TERMS")]
    keep: Option<String>,
    /// On which lawful basis, in words.
    #[arg(long, default_value = "", value_name = "WORDS")]
    lawful_basis: String,
    /// Whom the provider may ask about this.
    #[arg(long, default_value = "", value_name = "WORDS")]
    contact: String,
    /// Print the agreement as one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum RecordId {
    Pseudonym,
    Stable,
}

/// The two halves of PROVIDER/LIST. A list may have slashes in its name.
fn halves(which: &str) -> (&str, Option<&str>) {
    match which.split_once('/') {
        Some((provider, list)) => (provider, Some(list)),
        None => (which, None),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn say(out: &mut impl Write, line: &str) -> Result<(), String> {
    writeln!(out, "{line}").map_err(|error| error.to_string())
}

pub(super) fn catalogue(args: &Catalogue, out: &mut impl Write) -> Done {
    let remote = args.remote.remote()?;
    let (provider, list) = args.which.as_deref().map_or((None, None), |which| {
        let (provider, list) = halves(which);
        (Some(provider), list)
    });
    let sought = [("provider", provider), ("name", list), ("schema", args.schema.as_deref())];
    let sought: Vec<(&str, &str)> = sought.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    let found = remote.all("/api/v1/catalogue", &sought)?;
    if list.is_some() {
        return match found.as_slice() {
            [one] => describe(&remote, one, args.json, out),
            [] => Err("there is no such list to ask for; `hayward catalogue` shows what there is".to_owned()),
            _ => Err("several lists are called so; name the schema too, with --schema".to_owned()),
        };
    }
    if args.json {
        say(out, &json!({"items": found}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in &found {
        let fields = one.get("fields").and_then(Value::as_array).map_or(0, Vec::len);
        let name = format!("{}/{}", text(one, "provider_slug"), text(one, "name"));
        say(out, &format!("{name:44} {:16} {fields:3} fields  {}", text(one, "schema"), text(one, "provider_name")))?;
    }
    if found.is_empty() {
        say(out, "there is nothing to ask for")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(remote: &Remote, one: &Value, json: bool, out: &mut impl Write) -> Done {
    let described = remote.get(&format!("/api/v1/catalogue/{}", text(one, "id")), &[])?;
    if json {
        say(out, &described.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    say(out, &format!("{}/{}, a list of {}", text(one, "provider_slug"), text(one, "name"), text(one, "provider_name")))?;
    let fields = described.get("details").and_then(Value::as_array).cloned().unwrap_or_default();
    for field in fields.iter().filter(|field| field.get("can_be_asked_for").and_then(Value::as_bool) == Some(true)) {
        let words = text(field, "description");
        say(out, &format!("  {:24} {:10} {:9} {words}", text(field, "name"), text(field, "type"), text(field, "sensitivity")))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn request(args: &Request, out: &mut impl Write) -> Done {
    let remote = args.remote.remote()?;
    let terms = terms(args, chrono::Utc::now().date_naive())?;
    let agreement = remote.post("/api/v1/agreements", &terms)?;
    if args.json {
        say(out, &agreement.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = text(&agreement, "id");
    say(out, &format!("{id} is {}: {} fields of {}", text(&agreement, "state"), args.fields.len(), args.from))?;
    say(out, &format!("terms {}", text(&agreement, "hash")))?;
    let written = agreement.get("terms").cloned().unwrap_or_default();
    let audience = written.get("audience").and_then(|audience| audience.get("organization")).and_then(Value::as_str);
    say(out, &format!("for {} from {} to {}", audience.unwrap_or("-"), text(&written, "starts_on"), text(&written, "ends_on")))?;
    say(out, "nothing is shown before stewards of both sides have approved these very terms")?;
    Ok(ExitCode::SUCCESS)
}

/// The terms that were typed. The audience is left to the commons: the organization of whoever asks.
fn terms(args: &Request, today: NaiveDate) -> Result<Value, String> {
    let (provider, Some(list)) = halves(&args.from) else {
        return Err("name the list as PROVIDER/LIST; `hayward catalogue` shows them".to_owned());
    };
    let mut fields = Map::new();
    for field in args.fields.iter().map(|field| field.trim()).filter(|field| !field.is_empty()) {
        let (name, treatment) = field.split_once('=').unwrap_or((field, "exact"));
        let treatment = match treatment.split_once(':') {
            Some(("generalised", measure)) => json!({"generalised": measure}),
            _ => treatment.into(),
        };
        if fields.insert(name.to_owned(), treatment).is_some() {
            return Err(format!("`{name}` stands twice"));
        }
    }
    let rows = match &args.rows {
        Some(condition) => serde_json::from_str(condition).map_err(|_| "--rows is not JSON".to_owned())?,
        None => Value::from("all"),
    };
    let ending = match &args.keep {
        Some(terms) => json!({"keep": terms}),
        None => json!({"delete_within_days": args.delete_within}),
    };
    let record_id = match args.record_id {
        RecordId::Pseudonym => "pseudonym",
        RecordId::Stable => "stable",
    };
    Ok(json!({
        "dataset": {"provider": provider, "name": list},
        "fields": fields,
        "rows": rows,
        "record_id": record_id,
        "purpose": {"code": args.purpose, "text": args.text},
        "lawful_basis": args.lawful_basis,
        "onward": "none",
        "ending": ending,
        "starts_on": args.starting.unwrap_or(today).to_string(),
        "ends_on": args.until.to_string(),
        "contact": args.contact,
    }))
}
