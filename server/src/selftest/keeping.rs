//! `accounting`, `undo` and `feed`: what goes in is accounted for, comes out again, and reaches every copy.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::Found;
use super::world::{COLLECTIONS, Deal, World, keeper, steward, text};

/// `accounting`: the rows of every import are all somewhere.
pub(super) fn accounting(world: &World) -> Found {
    let (mut imports, mut rows) = (0, 0);
    for organization in &world.organizations {
        for dataset in &organization.datasets {
            for import in world.items(&format!("/api/v1/datasets/{}/imports", dataset.id), Some(keeper(organization)?))? {
                let id = text(&import, "id").to_owned();
                let whole = world.get(&format!("/api/v1/imports/{id}"), Some(keeper(organization)?))?.json("an import")?;
                let counted = |name: &str| whole.pointer(&format!("/counts/{name}")).and_then(Value::as_u64);
                let parts = ["created", "updated", "unchanged", "skipped", "rejected", "blank"];
                let sum = parts.iter().map(|part| counted(part)).sum::<Option<u64>>();
                if sum.is_none() || sum != counted("rows") {
                    return Err(format!("the counts of {id} do not add up to its rows"));
                }
                imports += 1;
                rows += sum.unwrap_or_default();
            }
        }
    }
    if imports == 0 { Err("nothing was imported".to_owned()) } else { Ok(format!("{imports} imports account for {rows} rows")) }
}

/// A list as its owner has it, byte for byte.
fn originals(world: &World, deal: &Deal<'_>) -> Result<String, String> {
    let path = format!("/api/v1/datasets/{}/records", deal.dataset);
    let lines = |request: reqwest::blocking::RequestBuilder| request.header("Accept", "application/x-ndjson");
    Ok(world.send(Method::GET, &path, Some(keeper(deal.provider)?), lines)?.body)
}

/// What the recipient gets of it, without the editions, which count up.
fn shared(world: &World, deal: &Deal<'_>) -> Result<Vec<Value>, String> {
    let mut items = world
        .items(&format!("/api/v1/opportunities?agreement={}", text(&deal.agreement, "id")), Some(steward(deal.recipient)?))?;
    for item in &mut items {
        item.as_object_mut().and_then(|members| members.shift_remove("edition"));
    }
    items.sort_by_key(Value::to_string);
    Ok(items)
}

/// A file that changes the first records of a list and adds one.
fn changes(world: &World, deal: &Deal<'_>) -> Result<String, String> {
    let path = format!("/api/v1/datasets/{}/records?limit=5", deal.dataset);
    let page = world.get(&path, Some(keeper(deal.provider)?))?.json("a list")?;
    let records = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let row = |record: &Value| format!("{},Changed,tender,90000,2099-12-31\n", text(record, "reference"));
    let rows: String = records.iter().map(row).collect();
    Ok(format!("reference,title,category,salary_max,closes_on\n{rows}SELFTEST-1,Added,tender,90000,2099-12-31\n"))
}

/// `undo`: an import that is taken back leaves every byte as it was.
pub(super) fn undo(world: &World) -> Found {
    let deal = world.deal("opportunity")?;
    let (list, share) = (originals(world, &deal)?, shared(world, &deal)?);
    let import = world.import(deal.provider, deal.dataset, changes(world, &deal)?)?;
    if originals(world, &deal)? == list || shared(world, &deal)? == share {
        return Err("an import changed nothing".to_owned());
    }
    world.tell(Method::POST, &format!("/api/v1/imports/{import}/undo"), keeper(deal.provider)?, &json!({}))?;
    if originals(world, &deal)? != list {
        return Err("the list is not what it was before the import".to_owned());
    }
    if shared(world, &deal)? != share {
        return Err("the share is not what it was before the import".to_owned());
    }
    Ok(format!("an import of {} was taken back, and the list and its share are what they were", deal.provider.slug))
}

/// More pages than the feed of a demo world has.
const PAGES: usize = 50;

/// What one recipient keeps by the feed alone.
#[derive(Default)]
struct Copy {
    items: BTreeMap<String, Value>,
    cursor: String,
}

impl Copy {
    fn follow(&mut self, world: &World, token: &str) -> Result<(), String> {
        for _ in 0..PAGES {
            let cursor = if self.cursor.is_empty() { String::new() } else { format!("&cursor={}", self.cursor) };
            let page = world.get(&format!("/api/v1/changes?limit=500{cursor}"), Some(token))?.json("the feed")?;
            self.cursor = text(&page, "next").to_owned();
            let changes = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            if changes.is_empty() {
                return Ok(());
            }
            for mut change in changes {
                let key = format!("{} {}", text(&change, "agreement"), text(&change, "id"));
                let removed = text(&change, "type") == "removed";
                if let Some(members) = change.as_object_mut() {
                    members.shift_remove("type");
                    members.shift_remove("collection");
                }
                if removed {
                    self.items.remove(&key)
                } else {
                    self.items.insert(key, change)
                };
            }
        }
        Err(format!("the feed does not come to an end within {PAGES} pages, though nothing goes on"))
    }

    /// Follows, and compares with what whoever reads everything anew gets.
    fn is_like(&mut self, world: &World, token: &str, when: &str) -> Result<(), String> {
        self.follow(world, token)?;
        let mut read = Vec::new();
        for collection in COLLECTIONS {
            read.extend(world.items(&format!("/api/v1/{collection}"), Some(token))?);
        }
        let mut read: Vec<String> = read.iter().map(Value::to_string).collect();
        let mut kept: Vec<String> = self.items.values().map(Value::to_string).collect();
        read.sort();
        kept.sort();
        if read == kept { Ok(()) } else { Err(format!("{when}, a copy kept by the feed is not what is read anew")) }
    }
}

/// `feed`: applying the feed and reading everything anew come to the same, whatever happens.
pub(super) fn feed(world: &World) -> Found {
    let deal = world.deal("opportunity")?;
    let (token, id) = (steward(deal.recipient)?, text(&deal.agreement, "id"));
    let version = deal.agreement.get("version").cloned().unwrap_or_default();
    let decide = |event: &str| {
        let path = format!("/api/v1/agreements/{id}/{event}");
        world.tell(Method::POST, &path, steward(deal.provider)?, &json!({"version": version, "reason": "A self-test."}))
    };
    let mut copy = Copy::default();
    copy.is_like(world, token, "at first")?;
    let before = copy.items.len();
    let import = world.import(deal.provider, deal.dataset, changes(world, &deal)?)?;
    copy.is_like(world, token, "after an import")?;
    decide("suspend")?;
    copy.is_like(world, token, "while an agreement is suspended")?;
    world.tell(Method::POST, &format!("/api/v1/imports/{import}/undo"), keeper(deal.provider)?, &json!({}))?;
    decide("resume")?;
    copy.is_like(world, token, "after it was resumed")?;
    if before == 0 || copy.items.len() != before {
        return Err("the copy has not as many items as before".to_owned());
    }
    Ok(format!("a copy of {before} items followed an import, a suspension, an undo and a resumption"))
}
