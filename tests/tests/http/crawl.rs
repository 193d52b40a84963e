//! Everything that somebody could think of asking about what is shared.

use actix_web::dev::ResourceDef;
use hayward::routes::{ROUTES, Shows};
use reqwest::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::world::{Persona, World};

const FORMATS: [&str; 4] = ["application/json", "application/x-ndjson", "text/csv", "application/geo+json"];
/// What is asked for besides where the program's own pages and lists are.
const EVERY_FORMAT: [&str; 4] = ["application/json", "application/x-ndjson", "text/csv", "text/html"];

/// The collections, with their schemas.
const COLLECTIONS: [(&str, &str); 4] = [
    ("opportunities", "opportunity"),
    ("memberships", "membership"),
    ("organizations", "organization"),
    ("measurements", "measurement"),
];

/// Words that a curious reader would try.
const GUESSES: [&str; 5] = ["ZQX-DESC-1", "ZQX", "91234.77", "2026-10-13", "34 600926"];

/// Every field of a schema, open or not.
fn fields(world: &World, schema: &str) -> Vec<String> {
    let document = world.get(Persona::Nobody, &format!("/api/v1/schemas/{schema}")).ok();
    document["properties"].as_object().unwrap().keys().cloned().collect()
}

/// Queries that select, order and shape; good ones and bad ones.
fn queries(world: &World, schema: &str) -> Vec<String> {
    let mut queries: Vec<String> = [
        "",
        "count=true",
        "limit=1",
        "limit=0",
        "limit=1000&count=true",
        "cursor=abc",
        "nonsense=1",
        "sort=nonsense",
        "fields=nonsense",
        "audience=members",
        "audience=public",
        "audience=organization",
        "audience=all",
        "q=zqx",
        "q=zqx*",
        "q=job*&sort=title",
        "near=41.17283469,2.55817269,1",
        "near=41,2.5,20000&count=true",
        "bbox=-180,-90,180,90",
        "open=true",
        "open=false&count=true",
        "updated_since=2026-01-01T00:00:00Z",
        "end_line=true",
    ]
    .map(str::to_owned)
    .into();
    for agreement in [
        "agreement",
        "people-agreement",
        "public-agreement",
        "third-agreement",
        "members-agreement",
        "suspended-agreement",
        "ended-agreement",
        "foreign-agreement",
    ] {
        queries.push(format!("agreement={}", world.id(agreement)));
    }
    queries.extend(["provider", "third", "fourth"].map(|organization| format!("provider={}", world.id(organization))));
    for (at, field) in fields(world, schema).iter().enumerate() {
        let guess = GUESSES[at % GUESSES.len()];
        queries.extend([
            format!("{field}={guess}"),
            format!("{field}[prefix]={guess}"),
            format!("{field}[in]=a,{guess}"),
            format!("{field}[gte]={guess}"),
            format!("{field}[like]={guess}"),
            format!("{field}[null]=false&count=true"),
            format!("sort={field}"),
            format!("sort=-{field}&limit=2"),
            format!("fields={field}"),
            format!("facets={field}"),
            format!("q={guess}&facets={field}"),
        ]);
    }
    queries
}

/// Asks `who`'s questions about every collection, and hands every answer to `look`.
pub fn collections(world: &World, who: Persona, look: &mut dyn FnMut(&str, &Answer)) {
    for (collection, schema) in COLLECTIONS {
        for (at, query) in queries(world, schema).iter().enumerate() {
            let path = format!("/api/v1/{collection}?{query}");
            let format = FORMATS[at % FORMATS.len()];
            let answer = world.get_as(who, &path, format);
            look(&path, &answer);
            if format == FORMATS[0] && answer.status == 200 {
                follow(world, who, &path, &answer, look);
            }
        }
        // A workbook is looked into, since what it holds is pressed.
        let path = format!("/api/v1/{collection}");
        let book = world.get_as(who, &path, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        let text = if book.status == 200 { format!("{:?}", crate::marked::rows(&book.body)).into_bytes() } else { book.body };
        look(&path, &Answer { body: text, ..book });
        let whole = world.get(who, &format!("/api/v1/{collection}?limit=1000"));
        let items = if whole.status == 200 { whole.items() } else { Vec::new() };
        for item in &items {
            let path = format!("/api/v1/{collection}/{}", item["id"].as_str().unwrap());
            look(&path, &world.get(who, &path));
            look(&path, &world.get(who, &format!("{path}?fields=website")));
        }
    }
}

/// The next page, the same page again, and the page for somebody who has it.
fn follow(world: &World, who: Persona, path: &str, answer: &Answer, look: &mut dyn FnMut(&str, &Answer)) {
    if let Some(cursor) = answer.json()["next"].as_str() {
        look(path, &world.get(who, &format!("{path}&cursor={cursor}")));
    }
    let known = world.request(who, Method::GET, path).header("If-None-Match", answer.header("etag"));
    look(path, &Answer::to(known).expect(304));
}

/// Follows the feed from its beginning, or from `cursor`, to its end, and returns where that is.
pub fn feed(world: &World, who: Persona, cursor: Option<String>, look: &mut dyn FnMut(&str, &Answer)) -> Option<String> {
    let mut at = cursor;
    loop {
        let cursor = at.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let answer = world.get(who, &format!("/api/v1/changes?limit=5{cursor}"));
        look("/api/v1/changes", &answer);
        if answer.status != 200 {
            return None;
        }
        let page = answer.json();
        at = page["next"].as_str().map(str::to_owned);
        if page["items"].as_array().is_none_or(Vec::is_empty) {
            return at;
        }
    }
}

/// Some records of the provider's lists, by the ids that only it is told.
fn own_records(world: &World) -> Vec<String> {
    let of = |list: &str| {
        let records = world.get(Persona::Editor, &format!("/api/v1/datasets/{}/records?limit=3", world.id(list))).items();
        records.into_iter().filter_map(|record| record["id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    ["jobs", "people", "unshared"].into_iter().flat_map(of).collect()
}

/// Everything else that answers a `GET`: about the provider's things, about nothing, and about one's own.
pub fn everything_else(world: &World, who: Persona, look: &mut dyn FnMut(&str, &Answer)) {
    let mut paths: Vec<String> = [
        "/",
        "/healthz",
        "/readyz",
        "/setup",
        "/invite",
        "/invite?key=x",
        "/static/house.css",
        "/sign-in",
        "/sign-in?next=/account",
        "/acting",
        "/account",
        "/commons",
        "/api/v1/sessions",
        "/api/v1/people",
        "/api/v1/invites",
        "/problems/not-found",
        "/nowhere",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/oauth/authorize",
        "/oauth/authorize?client_id=x",
        "/device",
        "/device?user_code=BCDF-GHJK",
        "/api/v1/clients",
        "/api/v1/consents",
        "/api/v1/schemas",
        "/api/v1/catalogue",
        "/api/v1/datasets",
        "/api/v1/agreements",
        "/api/v1/approval-rules",
        "/api/v1/organization/archive",
        "/api/v1/disclosures",
        "/api/v1/disclosures/x",
        "/api/v1/erasures",
        "/api/v1/erasures/x",
        "/api/v1/disclosures?kind=disclosure&field=email",
        "/api/v1/explain",
        "/api/v1/explain?field=email",
        "/api/v1/recipes",
        "/api/v1/changes?agreement=x",
    ]
    .map(str::to_owned)
    .into();
    for record in world.get(Persona::Editor, &format!("/api/v1/datasets/{}/records?limit=3", world.id("people"))).items() {
        paths.push(format!("/api/v1/records/{}/subject-report", record["id"].as_str().unwrap()));
    }
    for (_, schema) in COLLECTIONS {
        paths.push(format!("/api/v1/schemas/{schema}"));
    }
    for dataset in ["jobs", "people", "coops", "figures", "past", "unshared", "third-jobs"] {
        paths.extend(["records", "imports", "schema"].map(|part| format!("/api/v1/datasets/{}/{part}", world.id(dataset))));
        let import = format!("/api/v1/imports/{}", world.id(&format!("{dataset}-import")));
        paths.extend(
            ["", "/problems", "/problems/groups", "/marked", "/diff", "/undo", "/rows", "/events"]
                .map(|part| format!("{import}{part}")),
        );
    }
    for dataset in ["jobs", "people", "unshared", "third-jobs"].map(|name| world.id(name)) {
        paths.push(format!("/api/v1/catalogue/{dataset}"));
        paths.push(format!("/api/v1/catalogue?provider={}&schema=opportunity", world.id("provider")));
        paths.extend(own_records(world).iter().map(|record| format!("/api/v1/datasets/{dataset}/records/{record}")));
    }
    let draft = format!("/api/v1/imports/{}", world.id("jobs-draft"));
    paths.extend(["/rows", "/marked", "/problems/groups", ""].map(|part| format!("{draft}{part}")));
    for agreement in
        ["agreement", "people-agreement", "suspended-agreement", "ended-agreement", "public-agreement", "foreign-agreement"]
    {
        let path = format!("/api/v1/agreements/{}", world.id(agreement));
        paths.extend([path.clone(), format!("{path}/usage")]);
        paths.extend(
            ["preview", "words", "words?lang=es", "difference", "difference?from=1"]
                .map(|part| format!("{path}/versions/1/{part}")),
        );
        paths.push(format!("/api/v1/explain?agreement={}&field=notes", world.id(agreement)));
        paths.push(format!("/api/v1/disclosures?agreement={}", world.id(agreement)));
    }
    for record in own_records(world) {
        paths.push(format!("/api/v1/records/{record}/disclosures"));
        paths.push(format!("/api/v1/disclosures?record={record}"));
        for about in ["", "&field=email", "&field=description"] {
            paths.push(format!("/api/v1/explain?record={record}{about}"));
            paths.push(format!("/api/v1/explain?record={record}&organization={}{about}", world.id("partner")));
        }
    }
    for route in ROUTES.iter().filter(|route| route.method == "GET" && route.shows != Shows::Shares) {
        let pattern = ResourceDef::new(route.path);
        let walked = |path: &String| path.split('?').next().is_some_and(|path| pattern.is_match(path));
        assert!(paths.iter().any(walked), "nobody looks for canaries at {}", route.path);
    }
    for path in &paths {
        for accept in EVERY_FORMAT {
            look(path, &world.get_as(who, path, accept));
        }
    }
    let entries = world.get(who, "/api/v1/disclosures?limit=20");
    let entries: Vec<Value> = if entries.status == 200 { entries.items() } else { Vec::new() };
    for entry in entries {
        let path = format!("/api/v1/disclosures/{}", entry["id"].as_str().unwrap());
        look(&path, &world.get(who, &path));
    }
}
