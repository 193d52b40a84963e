//! The ledger: entries that are well formed, chains without a break, checkpoints that were signed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hayward::ledger::seal;
use hayward_domain::id::base32;
use hayward_domain::moment::Moment;
use hayward_store::Keyring;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::tables::Entry;
use super::{Faults, Look, Memory};

pub(super) fn check(look: &Look<'_>, keyring: &Keyring, memory: &mut Memory, faults: &mut Faults) {
    entries(look, faults);
    parties(look, faults);
    chains(look, memory, faults);
    checkpoints(look, keyring, faults);
    hours(look, faults);
    index(look, faults);
}

/// One row an answer or chunk of it.
fn entries(look: &Look<'_>, faults: &mut Faults) {
    let mut chunks: HashMap<&str, BTreeSet<i64>> = HashMap::new();
    for (entry, expected) in look.tables.entries.iter().zip(1..) {
        let row = entry.row;
        faults.unless(row == expected, || format!("an entry of the ledger is missing before {row}"));
        faults.unless(entry.at > 0 && !entry.channel.is_empty(), || format!("entry {row} does not say when or how"));
        let fresh = chunks.entry(&entry.id).or_default().insert(entry.chunk);
        faults.unless(fresh, || format!("entry {row} is there twice"));
        for one in &disclosed(entry) {
            well_formed(look, entry, one, faults);
        }
    }
    for (id, chunks) in chunks {
        let dense = chunks.iter().zip(0..).all(|(chunk, expected)| *chunk == expected);
        faults.unless(dense, || format!("the chunks of {id} have a gap"));
    }
}

fn disclosed(entry: &Entry) -> Vec<Value> {
    serde_json::from_str(&entry.disclosed).unwrap_or_else(|_| vec![Value::Null])
}

fn well_formed(look: &Look<'_>, entry: &Entry, one: &Value, faults: &mut Faults) {
    let row = entry.row;
    // A backup reads the ledger last: its entries may name what is newer than its commons, and lost with the restore.
    let former = look.tables.eras.last().is_some_and(|era| entry.era.as_ref() != Some(&era.mark));
    let agreement = look.tables.agreements.iter().find(|agreement| one["agreement"] == agreement.id.as_str());
    let Some(agreement) = agreement else {
        // The two databases are read one after the other: what the ledger names is older, and so there.
        faults.unless(former, || format!("entry {row} names no agreement"));
        return;
    };
    let provider = look.tables.organizations.iter().find(|organization| organization.number == agreement.provider);
    let right = provider.is_some_and(|provider| one["provider"] == provider.id.as_str());
    faults.unless(right, || format!("entry {row} names another provider than the agreement's"));
    let version = one["version"].as_i64().unwrap_or_default();
    let Some((terms, _)) = look.terms.get(&(agreement.number, version)) else {
        faults.unless(former, || format!("entry {row} names no version"));
        return;
    };
    let open: BTreeSet<&str> = terms.disclosed().map(|(name, _)| name.as_str()).collect();
    let fields = one["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let hidden = fields.iter().filter(|field| !open.contains(field.as_str().unwrap_or_default())).count();
    faults.unless(hidden == 0, || format!("entry {row} names {hidden} fields that its version hides"));
    // Reads without a token are counted; a preview shows records that have no names yet, and a refusal none.
    let unnamed = entry.kind.as_deref().is_some_and(|kind| kind != "disclosure");
    if entry.recipient == "public" || unnamed {
        let silent = entry.kind.as_deref() != Some("refusal") || one["count"] == 0 && fields.is_empty();
        faults.unless(one["records"] == "" && silent, || format!("entry {row} says more than its kind can"));
        return;
    }
    let names = numbers(one["records"].as_str().unwrap_or("?"));
    let counted = names.as_ref().is_some_and(|names| one["count"] == names.len());
    faults.unless(counted, || format!("entry {row} does not count the records that it names"));
    let share = look.tables.shares.iter().find(|share| share.number == agreement.number);
    let named = share.map_or(0, |share| share.named);
    let given = names.is_some_and(|names| names.iter().all(|name| (1..=named).contains(name)));
    faults.unless(given || (former && share.is_none()), || format!("entry {row} names records that have no such name"));
}

/// `1-3,7` as numbers.
pub(super) fn numbers(ranges: &str) -> Option<BTreeSet<i64>> {
    let mut numbers = BTreeSet::new();
    for range in ranges.split(',').filter(|range| !range.is_empty()) {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        numbers.extend(from.parse::<i64>().ok()?..=to.parse().ok()?);
    }
    Some(numbers)
}

/// Up to the sealer's mark every entry is linked into the chain of each of its providers and known to its recipient; nothing
/// after the mark is.
fn parties(look: &Look<'_>, faults: &mut Faults) {
    let mark = look.tables.sealed.first().map_or(0, |sealed| sealed.row);
    let mut parties: BTreeMap<i64, BTreeMap<&str, bool>> = BTreeMap::new();
    for party in &look.tables.parties {
        let before = parties.entry(party.row).or_default().insert(&party.organization, party.position.is_some());
        faults.unless(before.is_none(), || format!("entry {} concerns somebody twice", party.row));
        faults.unless(party.row <= mark, || format!("entry {} is linked and not marked as sealed", party.row));
    }
    for entry in look.tables.entries.iter().filter(|entry| entry.row <= mark) {
        let disclosed = disclosed(entry);
        let mut concerned = BTreeMap::from([(entry.recipient.as_str(), false)]);
        concerned.extend(disclosed.iter().filter_map(|one| Some((one["provider"].as_str()?, true))));
        let written = parties.remove(&entry.row).unwrap_or_default();
        faults.unless(written == concerned, || format!("entry {} is not linked for those whom it concerns", entry.row));
    }
    faults.unless(parties.is_empty(), || "somebody is party to an entry that is not there".to_owned());
    let newest = look.tables.entries.iter().map(|entry| entry.row).max().unwrap_or(0);
    faults.unless(mark <= newest, || "more is marked as sealed than there is".to_owned());
    faults.soon(mark == newest, || "entries wait for being sealed, and nobody does it".to_owned());
}

/// Every link covers the one before it and the entry as its provider reads it: the hashes, computed anew.
fn chains(look: &Look<'_>, memory: &mut Memory, faults: &mut Faults) {
    let entries: HashMap<i64, &Entry> = look.tables.entries.iter().map(|entry| (entry.row, entry)).collect();
    let mut before: Option<(&str, i64, i64, &str)> = None;
    for link in &look.tables.parties {
        let (Some(position), Some(hash)) = (link.position, link.hash.as_deref()) else { continue };
        let provider = link.organization.as_str();
        let (last, row, previous) = match before {
            Some((same, last, row, hash)) if same == provider => (last, row, hash),
            _ => (0, 0, ""),
        };
        faults.unless(position == last + 1, || format!("a link is missing before position {position} of {provider}"));
        faults.unless(link.row > row, || format!("position {position} of {provider} is older than the one before"));
        let digest = entries.get(&link.row).map(|entry| {
            let line = as_read_by(entry, provider, &disclosed(entry));
            base32(&Sha256::digest(format!("{previous}\n{}", canonical(&line))))
        });
        faults.unless(digest.as_deref() == Some(hash), || format!("position {position} of {provider} is not what was sealed"));
        let known = memory.links.entry((provider.to_owned(), position)).or_insert_with(|| hash.to_owned());
        faults.unless(known == hash, || format!("position {position} of {provider} was rewritten"));
        before = Some((provider, position, link.row, hash));
    }
}

/// RFC 8785 for what stands in an entry: objects, lists, texts and whole numbers.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", json!(name), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn as_read_by(entry: &Entry, provider: &str, disclosed: &[Value]) -> Value {
    let own: Vec<&Value> = disclosed.iter().filter(|one| entry.recipient == provider || one["provider"] == provider).collect();
    let line = json!({
        "id": entry.id, "chunk": entry.chunk, "at": Moment(entry.at).to_rfc3339(), "recipient": entry.recipient,
        "client": entry.client, "channel": entry.channel, "request_id": entry.request, "disclosed": own,
    });
    let mut line = line.as_object().cloned().unwrap_or_else(Map::new);
    line.extend(entry.kind.as_ref().map(|kind| ("kind".to_owned(), kind.as_str().into())));
    line.extend(entry.era.as_ref().map(|era| ("era".to_owned(), era.as_str().into())));
    Value::Object(line)
}

/// Every checkpoint was signed, over the link that it names; the newest link of a chain has one.
fn checkpoints(look: &Look<'_>, keyring: &Keyring, faults: &mut Faults) {
    let key = seal::public_key(&keyring.signing());
    let parties = look.tables.parties.iter();
    let links = parties.filter_map(|link| Some(((link.organization.as_str(), link.position?), link.hash.as_deref()?)));
    let links: BTreeMap<(&str, i64), &str> = links.collect();
    // In order: the last position of each.
    let mut newest: BTreeMap<&str, i64> = links.keys().copied().collect();
    for point in &look.tables.checkpoints {
        let (provider, position) = (point.provider.as_str(), point.position);
        let behind = links.get(&(provider, position)) == Some(&point.hash.as_str());
        faults.unless(behind, || format!("the checkpoint at {position} of {provider} is not of its chain"));
        if newest.get(provider) == Some(&position) {
            newest.remove(provider);
            let at = Moment(point.at).to_rfc3339();
            let signed = seal::signed_by(&key, provider, position, &point.hash, &at, point.era.as_deref(), &point.signature);
            faults.unless(signed, || format!("the checkpoint at {position} of {provider} was not signed by this commons"));
        }
    }
    // Links are signed in a transaction of their own.
    faults.soon(newest.is_empty(), || "a chain grew without a checkpoint".to_owned());
}

/// Hours of tokenless reads that are over are entries.
fn hours(look: &Look<'_>, faults: &mut Faults) {
    let over = look.tables.sealed.first().map_or(0, |sealed| sealed.hour);
    for read in &look.tables.public_reads {
        let hour = read.hour;
        let entered = look.tables.entries.iter().any(|entry| entry.id == read.id);
        faults
            .unless(entered == (hour < over), || format!("the public reads of hour {hour} are not entered when they should be"));
        let counts = read.reads >= 0 && read.records >= 0 && !read.provider.is_empty() && !read.agreement.is_empty();
        faults.unless(counts, || format!("the public reads of hour {hour} do not count"));
    }
    for refused in &look.tables.refusals {
        let hour = refused.hour;
        let entered = look.tables.entries.iter().any(|entry| entry.id == refused.id);
        faults.unless(entered == (hour < over), || format!("the refusals of hour {hour} are not entered when they should be"));
        let counts = refused.times > 0 && !refused.agreement.is_empty() && refused.provider != refused.recipient;
        faults.unless(counts, || format!("the refusals of hour {hour} do not count"));
    }
}

/// The index is what the entries say up to its mark, and the sums are what they add up to.
fn index(look: &Look<'_>, faults: &mut Faults) {
    let sealed = look.tables.sealed.first().map_or(0, |sealed| sealed.row);
    let mark = look.tables.indexed_to.first().map_or(0, |indexed| indexed.row);
    faults.unless(mark <= sealed, || "more is marked as indexed than is sealed".to_owned());
    faults.soon(mark == sealed, || "entries wait for being indexed, and nobody does it".to_owned());
    let mut expected: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
    let mut sums: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for entry in look.tables.entries.iter().filter(|entry| entry.row <= mark) {
        for one in &disclosed(entry) {
            let agreement = one["agreement"].as_str().unwrap_or_default().to_owned();
            let names = numbers(one["records"].as_str().unwrap_or("?")).unwrap_or_default();
            let ends = names.first().copied().unwrap_or(0)..=names.last().copied().unwrap_or(-1);
            expected.insert((entry.row, agreement.clone()), (*ends.start(), *ends.end()));
            let counts = entry.kind.as_deref().is_none_or(|kind| kind == "disclosure") && entry.recipient != "public";
            let count = one["count"].as_i64().unwrap_or_default();
            let fields = one["fields"].as_array().map(Vec::as_slice).unwrap_or_default().iter().filter(|_| count > 0);
            let fields = fields.filter_map(Value::as_str).chain(std::iter::once(""));
            for field in fields.filter(|_| counts) {
                *sums.entry((agreement.clone(), entry.recipient.clone(), field.to_owned())).or_default() += count;
            }
        }
    }
    let is: BTreeMap<(i64, String), (i64, i64)> =
        look.tables.indexed.iter().map(|row| ((row.row, row.agreement.clone()), (row.low, row.high))).collect();
    faults.unless(is == expected, || "the index of the ledger is not what its entries say".to_owned());
    let mut kept: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for sum in &look.tables.given {
        *kept.entry((sum.agreement.clone(), sum.recipient.clone(), sum.field.clone())).or_default() += sum.records;
        faults.unless(sum.answers >= 0, || "the ledger counts fewer answers than none".to_owned());
    }
    faults.unless(kept == sums, || "what was given is not added up as the entries say".to_owned());
}
