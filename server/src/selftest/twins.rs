//! `twins`: the demo world a second time, with everything redrawn that no agreement shows, and another past that nobody may see. Whoever
//! reads gets the same bytes in both.

use reqwest::Method;

use super::Found;
use super::world::{Answer, COLLECTIONS, Reader, World, keeper};

/// Headers that differ between any two answers, of one world too.
const PASSING: [&str; 4] = ["date", "x-request-id", "disclosure-id", "ratelimit"];
/// So many readers ask, besides nobody.
const READERS: usize = 7;

const QUERIES: [&str; 12] = [
    "",
    "?limit=7",
    "?count=true&limit=1",
    "?sort=city",
    "?sort=-status&limit=20",
    "?fields=city,country",
    "?country=ES&count=true",
    "?city[prefix]=B&sort=country",
    "?status[null]=true",
    "?notes[prefix]=Z",
    "?sort=-contact_name",
    "?audience=members",
];

pub(super) fn check(world: &World) -> Found {
    let twin = World::start(world.seed, true, None)?;
    // What has happened in the twin alone: a hidden field was edited, in a list that many read.
    edit_what_is_hidden(&twin)?;
    let mut compared = 0;
    let members = world.readers().filter(|reader| reader.token.is_some()).take(READERS);
    for reader in members.chain([Reader { name: "nobody", id: "", token: None }]) {
        for collection in COLLECTIONS {
            for query in QUERIES {
                for accept in ["application/json", "text/csv", "application/x-ndjson"] {
                    if query.contains("sort") && accept != "application/json" {
                        continue;
                    }
                    same(world, &twin, reader, &format!("/api/v1/{collection}{query}"), accept)?;
                    compared += 1;
                }
            }
            compared += one_by_one(world, &twin, reader, collection)?;
        }
        for path in ["/api/v1/changes?limit=1000", "/api/v1/catalogue", "/api/v1/schemas", "/api/v1/schemas/membership"] {
            same(world, &twin, reader, path, "application/json")?;
            compared += 1;
        }
    }
    Ok(format!("{compared} requests were answered with the same bytes in a world with other secrets"))
}

fn edit_what_is_hidden(twin: &World) -> Result<(), String> {
    for (schema, key, hidden) in [("opportunity", "reference", "contact_name"), ("membership", "member_id", "notes")] {
        for organization in &twin.organizations {
            let Some(dataset) = organization.datasets.iter().find(|dataset| dataset.schema == schema) else { continue };
            let address = format!("/api/v1/datasets/{}/records?limit=1", dataset.id);
            let page = twin.get(&address, Some(keeper(organization)?))?.json("a list")?;
            let first =
                page.pointer(&format!("/items/0/{key}")).and_then(serde_json::Value::as_str).ok_or("a list without records")?;
            twin.import(organization, &dataset.id, format!("{key},{hidden}\n{first},Somebody else\n"))?;
        }
    }
    Ok(())
}

/// The first items of a list, each by its id, and each again by its tag.
fn one_by_one(world: &World, twin: &World, reader: Reader<'_>, collection: &str) -> Result<usize, String> {
    let page = world.get(&format!("/api/v1/{collection}?limit=5"), reader.token)?;
    let items = page.json("a list").ok().and_then(|page| page.get("items").cloned()).unwrap_or_default();
    let items = items.as_array().cloned().unwrap_or_default();
    for item in &items {
        same(world, twin, reader, &format!("/api/v1/{collection}/{}", super::world::text(item, "id")), "application/json")?;
    }
    let tagged = |world: &World| {
        let with = |request: reqwest::blocking::RequestBuilder| request.header("If-None-Match", page.header("etag"));
        world.send(Method::GET, &format!("/api/v1/{collection}?limit=5"), reader.token, with)
    };
    compare(&tagged(world)?, &tagged(twin)?).map_err(|what| format!("{} asks for {collection} again: {what}", reader.name))?;
    Ok(items.len() + 1)
}

fn same(world: &World, twin: &World, reader: Reader<'_>, path: &str, accept: &str) -> Result<(), String> {
    let ask = |world: &World| world.send(Method::GET, path, reader.token, |request| request.header("Accept", accept));
    compare(&ask(world)?, &ask(twin)?).map_err(|what| format!("{} asks for {path} as {accept}: {what}", reader.name))
}

fn compare(first: &Answer, second: &Answer) -> Result<(), &'static str> {
    if first.status != second.status {
        return Err("the status differs");
    }
    let lasting = |answer: &Answer| {
        let kept = answer.headers.iter().filter(|(name, _)| !PASSING.contains(&name.as_str()));
        let mut kept: Vec<(String, String)> = kept.cloned().collect();
        kept.sort();
        kept
    };
    if lasting(first) != lasting(second) {
        return Err("a header differs");
    }
    if plain(first) == plain(second) { Ok(()) } else { Err("the body differs") }
}

/// A body without what no two answers share: the request's id, and a cursor, which counts by its length.
fn plain(answer: &Answer) -> String {
    const NEXT: &str = "\"next\":\"";
    let body = match answer.header("x-request-id") {
        "" => answer.body.clone(),
        id => answer.body.replace(id, ""),
    };
    match body.rsplit_once(NEXT) {
        Some((before, cursor)) => format!("{before}{NEXT}{}", cursor.len()),
        None => body,
    }
}
