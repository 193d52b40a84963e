//! `hayward agreements` and `hayward disclosures`: what is agreed, and who was given what, for a partner or a provider at a terminal.

use std::io::{BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use super::Done;
use super::remote::{Failed, Remote, RemoteArgs};

/// The arguments of `hayward agreements`.
#[derive(Args)]
pub(super) struct Agreements {
    /// One agreement: then what its newest version says, in plain words. Without it, all of them, a line each.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Another version of it than the one in force or waiting.
    #[arg(long, value_name = "NUMBER", requires = "id")]
    version: Option<i64>,
    /// In which language: `en` or `es`.
    #[arg(long, value_name = "CODE", requires = "id")]
    language: Option<String>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// The arguments of `hayward disclosures`.
#[derive(Args)]
pub(super) struct Disclosures {
    /// Only of this agreement.
    #[arg(long, value_name = "ID")]
    agreement: Option<String>,
    /// Only to this organization.
    #[arg(long, value_name = "ID")]
    recipient: Option<String>,
    /// Only of this field.
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// Only of this record of yours.
    #[arg(long, value_name = "ID")]
    record: Option<String>,
    /// Only this kind: disclosure, preview or refusal.
    #[arg(long)]
    kind: Option<String>,
    /// From this day or moment on.
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Until this day, included, or this moment.
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// At most so many, the newest.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Write all of them into a file, as `hayward ledger verify` reads it, instead of showing the newest.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn say(out: &mut impl Write, line: &str) -> Result<(), String> {
    writeln!(out, "{}", line.trim_end()).map_err(|error| error.to_string())
}

pub(super) fn agreements(args: &Agreements, out: &mut impl Write) -> Done {
    let remote = args.remote.remote()?;
    match &args.id {
        Some(id) => agreement(&remote, id, args, out),
        None => all_agreements(&remote, args.json, out),
    }
}

fn all_agreements(remote: &Remote, json: bool, out: &mut impl Write) -> Done {
    let items = remote.all("/api/v1/agreements", &[])?;
    if json {
        say(out, &json!({"items": items}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for item in &items {
        let fields = item.pointer("/terms/fields").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        let line = format!(
            "{}  {:10} until {}  {fields:3} fields  {}",
            text(item, "/id"),
            text(item, "/state"),
            text(item, "/terms/ends_on"),
            text(item, "/terms/purpose/text"),
        );
        say(out, &line)?;
    }
    if items.is_empty() {
        say(out, "there is no agreement yet; `hayward catalogue` shows what can be asked for")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn agreement(remote: &Remote, id: &str, args: &Agreements, out: &mut impl Write) -> Done {
    let agreement = remote.get(&format!("/api/v1/agreements/{id}"), &[])?;
    if args.json {
        say(out, &agreement.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let shown = agreement.get("version").and_then(Value::as_i64).unwrap_or(1);
    let version = args.version.unwrap_or(shown);
    let language: Vec<(&str, &str)> = args.language.iter().map(|code| ("lang", code.as_str())).collect();
    let words = remote.get(&format!("/api/v1/agreements/{id}/versions/{version}/words"), &language)?;
    say(out, &format!("{id}, version {version}: {}", text(&agreement, "/state")))?;
    for sentence in words.get("sentences").and_then(Value::as_array).into_iter().flatten() {
        say(out, &format!("  {}", text(sentence, "/text")))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn disclosures(args: &Disclosures, out: &mut impl Write) -> Done {
    let remote = args.remote.remote()?;
    let asked = [
        ("agreement", &args.agreement),
        ("recipient", &args.recipient),
        ("field", &args.field),
        ("record", &args.record),
        ("kind", &args.kind),
        ("from", &args.from),
        ("to", &args.to),
    ];
    let asked: Vec<(&str, &str)> = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
    if let Some(file) = &args.export {
        let bytes = export(&remote, &asked, file)?;
        let said = json!({"file": file, "bytes": bytes});
        let words = format!("{}: {bytes} bytes; check it with `hayward ledger verify`", file.display());
        say(out, &if args.json { said.to_string() } else { words })?;
        return Ok(ExitCode::SUCCESS);
    }
    let items = newest(&remote, &asked, args.limit)?;
    if args.json {
        say(out, &json!({"items": items}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for item in &items {
        say(out, &line(item))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The newest entries, page after page.
fn newest(remote: &Remote, asked: &[(&str, &str)], limit: usize) -> Result<Vec<Value>, Failed> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    while items.len() < limit {
        let most = (limit - items.len()).min(1_000).to_string();
        let mut query = asked.to_vec();
        query.push(("limit", &most));
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = remote.get("/api/v1/disclosures", &query)?;
        if let Some(Value::Array(some)) = page.get_mut("items").map(Value::take) {
            items.extend(some);
        }
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(items)
}

/// One entry in a line.
fn line(entry: &Value) -> String {
    let names = |value: &Value| match value.get("fields").and_then(Value::as_array) {
        Some(fields) => fields.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        None => String::new(),
    };
    let shares = entry.get("disclosed").and_then(Value::as_array).into_iter().flatten();
    let parts: Vec<String> = shares
        .map(|share| {
            let records = share.get("records").and_then(Value::as_array).map_or(0, Vec::len);
            format!("{} ({records} records: {})", text(share, "/agreement"), names(share))
        })
        .collect();
    format!(
        "{}  {:10} {:8} {}  {}",
        text(entry, "/at"),
        text(entry, "/kind"),
        text(entry, "/channel"),
        text(entry, "/recipient"),
        parts.join("; ")
    )
}

/// The whole ledger as a file, which takes its place once it is whole. Returns how many bytes it has.
fn export(remote: &Remote, asked: &[(&str, &str)], file: &std::path::Path) -> Result<u64, String> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    let path = if query.is_empty() { "/api/v1/disclosures".to_owned() } else { format!("/api/v1/disclosures?{query}") };
    let request = remote.request(Method::GET, &path)?.header(ACCEPT, "application/x-ndjson");
    let mut answer = remote.send(request)?;
    let unwritable = |error: std::io::Error| format!("{} cannot be written: {error}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut beside = BufWriter::new(tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?);
    let mut piece = vec![0; 1 << 16];
    let (mut bytes, mut last) = (0_u64, None);
    loop {
        let read = answer.read(&mut piece).map_err(|error| format!("the ledger broke off: {error}; nothing was written"))?;
        let Some(some) = piece.get(..read).filter(|some| !some.is_empty()) else { break };
        beside.write_all(some).map_err(unwritable)?;
        bytes += read as u64;
        last = some.last().copied();
    }
    // Its last line says how far it goes; a line that is cut off is none.
    if last != Some(b'\n') {
        return Err("the ledger broke off; nothing was written".to_owned());
    }
    let beside = beside.into_inner().map_err(|error| unwritable(error.into_error()))?;
    beside.as_file().sync_all().map_err(unwritable)?;
    beside.persist(file).map_err(|error| unwritable(error.error))?;
    Ok(bytes)
}
