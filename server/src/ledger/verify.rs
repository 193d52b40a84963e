//! Checks an export of the ledger without the server: `hayward ledger verify FILE`.
//!
//! The file is what `GET /api/v1/disclosures` gives as NDJSON to a provider: one entry a line, sealed ones with their `chain`, and
//! one line with the newest `checkpoint`. Lines may come in any order.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::Value;

use super::seal;

/// What was found in an export.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Entries in the file.
    pub entries: usize,
    /// Those that are sealed.
    pub sealed: usize,
    /// Whether a checkpoint stands behind the newest sealed entry.
    pub checkpoint: bool,
    /// What is wrong, the earliest position first. Empty if nothing is.
    pub faults: Vec<String>,
}

struct Sealed {
    line: usize,
    previous: String,
    hash: String,
    entry: Value,
}

/// Reads an export and checks it. `key` is the commons' public key, if one is to be insisted on.
///
/// # Errors
/// If the file cannot be read.
pub fn verify(file: impl BufRead, key: Option<&str>) -> std::io::Result<Report> {
    let mut report = Report::default();
    let mut chain: BTreeMap<i64, Sealed> = BTreeMap::new();
    let mut checkpoint = None;
    for (at, line) in file.lines().enumerate() {
        let (line, number) = (line?, at + 1);
        if line.trim().is_empty() {
            continue;
        }
        let Ok(Value::Object(mut entry)) = serde_json::from_str(&line) else {
            report.faults.push(format!("line {number}: not a JSON object"));
            continue;
        };
        if let Some(found) = entry.remove("checkpoint") {
            checkpoint = Some(found);
            continue;
        }
        report.entries += 1;
        let Some(link) = entry.remove("chain").filter(|link| !link.is_null()) else { continue };
        let text = |name: &str| link.get(name).and_then(Value::as_str).map(str::to_owned);
        let position = link.get("position").and_then(Value::as_i64);
        let (Some(position), Some(previous), Some(hash)) = (position, text("previous"), text("hash")) else {
            report.faults.push(format!("line {number}: a `chain` without position, previous and hash"));
            continue;
        };
        report.sealed += 1;
        let sealed = Sealed { line: number, previous, hash, entry: Value::Object(entry) };
        if let Some(earlier) = chain.insert(position, sealed) {
            report.faults.push(format!("position {position}: stands in line {} and again in line {number}", earlier.line));
        }
    }
    follow(&chain, &mut report);
    check_point(&chain, checkpoint.as_ref(), key, &mut report);
    Ok(report)
}

/// Every link must follow the one before it and cover its entry. Only the first break is named: what comes after it hangs on it.
fn follow(chain: &BTreeMap<i64, Sealed>, report: &mut Report) {
    let mut previous = String::new();
    for (expected, (position, link)) in (1..).zip(chain) {
        if *position != expected {
            report.faults.push(format!("position {expected}: missing; the next in the file is {position}"));
            return;
        }
        if link.previous != previous {
            report.faults.push(format!("position {position} (line {}): does not follow the entry before it", link.line));
            return;
        }
        if seal::hash(&link.previous, &link.entry) != link.hash {
            report.faults.push(format!("position {position} (line {}): the entry is not the one that was sealed", link.line));
            return;
        }
        previous.clone_from(&link.hash);
    }
}

/// Whether `named` is the key that is trusted, or each key on the way from there vouched for the one after it.
fn leads_to(trusted: &str, named: &str, checkpoint: &Value) -> bool {
    let steps = checkpoint.get("succession").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |step: &Value, name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut at = trusted.to_owned();
    // No more steps than there are: a circle ends.
    for _ in 0..=steps.len() {
        if at == named {
            return true;
        }
        let step = steps.iter().find(|step| text(step, "key") == at);
        match step.map(|step| (text(step, "successor"), text(step, "signature"))) {
            Some((successor, signature)) if seal::vouched(&at, &successor, &signature) => at = successor,
            Some(_) | None => return false,
        }
    }
    false
}

fn check_point(chain: &BTreeMap<i64, Sealed>, checkpoint: Option<&Value>, key: Option<&str>, report: &mut Report) {
    let Some(checkpoint) = checkpoint else {
        if !chain.is_empty() {
            report.faults.push("no checkpoint: entries could be missing at the end".to_owned());
        }
        return;
    };
    let text = |name: &str| checkpoint.get(name).and_then(Value::as_str).unwrap_or_default();
    let position = checkpoint.get("position").and_then(Value::as_i64).unwrap_or_default();
    let (named, era) = (text("key"), checkpoint.get("era").and_then(Value::as_str));
    if key.is_some_and(|key| !leads_to(key, named, checkpoint)) {
        report.faults.push("the checkpoint names another key than the one asked for".to_owned());
    } else if !seal::signed_by(named, text("provider"), position, text("hash"), text("at"), era, text("signature")) {
        report.faults.push("the checkpoint's signature does not hold".to_owned());
    } else if chain.get(&position).is_none_or(|link| link.hash != text("hash")) {
        report.faults.push(format!("position {position}: the checkpoint stands behind an entry that is not in the file"));
    } else {
        report.checkpoint = true;
    }
}
