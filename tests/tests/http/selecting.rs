//! Searching, places, days and moments, counted values, and the formats of all of it, as a partner's developer asks for them.

use std::io::Read;
use std::time::Duration;

use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::bulk;
use crate::marked::{lines, rows};
use crate::world::Persona::{self, Editor, Nobody, PartnerClient, Steward};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";
const GEOJSON: &str = "application/geo+json";
const NDJSON: &str = "application/x-ndjson";
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Titles of what a query selects, sorted.
fn titles(world: &World, query: &str) -> Vec<String> {
    let mut titles = world.get(PartnerClient, &format!("{JOBS}?limit=1000&{query}")).column("title");
    titles.sort();
    titles
}

/// A list of the provider's, and the agreement under which the partner sees it.
fn listed(world: &World, fields: Value) -> (String, String) {
    let made = json!({"schema": "opportunity", "name": format!("Work {fields}").chars().take(60).collect::<String>()});
    let list = world.post(Editor, "/api/v1/datasets", &made).expect(201).json()["id"].as_str().unwrap().to_owned();
    let file = "reference,title,kind,latitude,longitude,opens_on,closes_on,description\n\
        A,Solar à Łódź,course,51.76,19.46,,2026-12-31,ZQX-SECRET\n\
        B,パン職人,job,41.38,2.17,2026-10-01,2027-01-10,ZQX-SECRET\n\
        C,Straßenbau,job,-17.8,178.1,,,ZQX-SECRET\n\
        D,Brød,grant,,,2027-05-01,2027-06-30,ZQX-SECRET\n";
    world.import(&list, file);
    let agreement = world.agree(&world.terms(&list, fields));
    (list, format!("agreement={agreement}"))
}

fn open_fields() -> Value {
    json!({"title": "exact", "kind": "exact", "latitude": "exact", "longitude": "exact", "opens_on": "exact", "closes_on": "exact"})
}

on_both! {
    fn a_search_finds_words_whatever_their_accents_and_their_script(world: World) {
        let (_, of) = listed(&world, open_fields());
        for (query, found) in [
            ("lodz", vec!["Solar à Łódź"]),
            ("SOLAR+a", vec!["Solar à Łódź"]),
            ("strassenbau", vec!["Straßenbau"]),
            ("stra*", vec!["Straßenbau"]),
            ("stra", vec![]),
            ("brod", vec!["Brød"]),
            ("職人", vec!["パン職人"]),
            ("パン", vec!["パン職人"]),
            ("ン", vec!["パン職人"]),
            ("人職", vec![]),
            ("zqx-secret", vec![]),
            ("job", vec!["Straßenbau", "パン職人"]),
            ("solar+job", vec![]),
        ] {
            assert_eq!(titles(&world, &format!("{of}&q={query}")), found, "{query}");
        }
        assert_eq!(titles(&world, &format!("{of}&q=job&near=41,2,100")), ["パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&q=job&kind=job&sort=-title&open=true")), ["Straßenbau", "パン職人"]);
        let one = world.get(PartnerClient, &format!("{JOBS}?{of}&q=job&limit=1&count=true&fields=kind")).ok();
        assert_eq!((&one["count"], &one["items"][0]["kind"]), (&json!(2), &json!("job")));
        let next = one["next"].as_str().unwrap();
        let path = |query: &str| format!("{JOBS}?{of}&q={query}&limit=1&fields=kind&cursor={next}");
        assert_eq!(world.get(PartnerClient, &path("job")).items().len(), 1);
        world.get(PartnerClient, &path("jobs")).problem(400, "invalid-cursor");
    }
}

on_both! {
    fn places_days_and_moments_select_what_they_say(world: World) {
        let (list, of) = listed(&world, open_fields());
        assert_eq!(titles(&world, &format!("{of}&near=41.38,2.17,0")), ["パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&near=50,10,2000")), ["Solar à Łódź", "パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&bbox=170,-30,-170,0")), ["Straßenbau"]);
        assert_eq!(titles(&world, &format!("{of}&bbox=-170,-30,170,60")), ["Solar à Łódź", "パン職人"]);
        // The day is 2026-11-22.
        assert_eq!(titles(&world, &format!("{of}&open=true")), ["Solar à Łódź", "Straßenbau", "パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&open=false")), ["Brød"]);
        let since = (world.server.clock.clock())().to_rfc3339();
        assert_eq!(titles(&world, &format!("{of}&updated_since={since}")).len(), 4, "what came at this moment");
        world.pass(Duration::from_secs(60));
        let since = (world.server.clock.clock())().to_rfc3339();
        assert_eq!(titles(&world, &format!("{of}&updated_since={since}")), Vec::<String>::new());
        world.import(&list, "reference,description\nA,ZQX-OTHER\n");
        assert_eq!(titles(&world, &format!("{of}&updated_since={since}")), Vec::<String>::new(), "nobody was shown that");
        world.import(&list, "reference,title\nB,Bread\n");
        assert_eq!(titles(&world, &format!("{of}&updated_since={since}")), ["Bread"]);
        let feed = || world.get(PartnerClient, &format!("/api/v1/changes?limit=1000&{of}")).ok();
        let cursor = feed()["next"].as_str().unwrap().to_owned();
        world.pass(Duration::from_secs(45 * 86_400));
        assert_eq!(titles(&world, &format!("{of}&open=true")), ["Bread", "Straßenbau"], "the clock closes");
        let moved = world.get(PartnerClient, &format!("/api/v1/changes?{of}&cursor={cursor}")).items();
        assert_eq!(moved, Vec::<Value>::new(), "and moves nothing");
    }
}

on_both! {
    fn coarse_values_are_open_and_near_as_they_are_shown(world: World) {
        let grid = json!({"generalised": "grid:5"});
        let fields = json!({"title": "exact", "latitude": grid, "longitude": grid, "closes_on": {"generalised": "year"}});
        let (_, of) = listed(&world, fields);
        assert_eq!(titles(&world, &format!("{of}&near=41.38,2.17,50")), Vec::<String>::new(), "where it is, and is not shown");
        assert_eq!(titles(&world, &format!("{of}&near=40,0,1")), ["パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&bbox=0,40,0,40")), ["パン職人"]);
        world.pass(Duration::from_secs(80 * 86_400));
        // A year is open until its end; opening days are hidden.
        assert_eq!(titles(&world, &format!("{of}&open=true")), ["Brød", "Straßenbau", "パン職人"]);
        assert_eq!(titles(&world, &format!("{of}&open=false")), ["Solar à Łódź"]);
    }
}

on_both! {
    fn what_no_share_opens_is_no_parameter(world: World) {
        let (_, of) = listed(&world, json!({"latitude": "hidden", "title": "exact"}));
        for parameter in ["near=1,1,1", "bbox=1,1,2,2", "open=true"] {
            let name = parameter.split('=').next().unwrap();
            let problem = world.get(PartnerClient, &format!("{JOBS}?{of}&{parameter}")).problem(400, "unknown-parameter");
            assert_eq!(problem["errors"][0]["parameter"], name);
        }
        let (_, of) = listed(&world, json!({"closes_on": "exact"}));
        world.get(PartnerClient, &format!("{JOBS}?{of}&q=x")).problem(400, "unknown-parameter");
        let item = &world.get(PartnerClient, JOBS).items()[0];
        let one = format!("{JOBS}/{}", item["id"].as_str().unwrap());
        for parameter in ["q=x", "near=1,1,1", "bbox=1,1,2,2", "open=true", "updated_since=2026-01-01T00:00:00Z", "facets=title"] {
            world.get(PartnerClient, &format!("{one}?{parameter}")).problem(400, "unknown-parameter");
            world.get(PartnerClient, &format!("/api/v1/changes?{parameter}")).problem(400, "unknown-parameter");
        }
        for malformed in ["q=", "q=*", "near=1,1", "near=x,1,1", "bbox=1", "open=yes", "updated_since=2026-01-01"] {
            let problem = world.get(PartnerClient, &format!("{JOBS}?{malformed}")).problem(400, "invalid-parameter");
            assert_eq!(problem["errors"][0]["parameter"], malformed.split('=').next().unwrap());
        }
    }
}

on_both! {
    fn values_are_counted_over_what_is_selected(world: World) {
        let (_, of) = listed(&world, open_fields());
        let facets = |query: &str| world.get(PartnerClient, &format!("{JOBS}?{of}&limit=1&{query}")).ok()["facets"].clone();
        let kinds = json!([{"value": "job", "count": 2}, {"value": "course", "count": 1}, {"value": "grant", "count": 1}]);
        assert_eq!(facets("facets=kind"), json!({"kind": kinds}));
        let latitudes = json!([{"value": -17.8, "count": 1}, {"value": 41.38, "count": 1}]);
        assert_eq!(facets("facets=latitude,kind&kind=job"), json!({"latitude": latitudes, "kind": [{"value": "job", "count": 2}]}));
        assert_eq!(facets("facets=opens_on&q=solar"), json!({"opens_on": [{"value": null, "count": 1}]}));
        assert_eq!(facets("facets=kind&q=nothing"), json!({"kind": []}));
        assert_eq!(facets(""), Value::Null);
        let typo = world.get(PartnerClient, &format!("{JOBS}?{of}&facets=kind,descriptiom")).problem(400, "unknown-field");
        let hidden = world.get(PartnerClient, &format!("{JOBS}?{of}&facets=kind,description")).problem(400, "unknown-field");
        assert_eq!(typo["errors"].to_string().replace("descriptiom", "description"), hidden["errors"].to_string());
        world.get(PartnerClient, &format!("{JOBS}?{of}&facets=kind,kind")).problem(400, "invalid-parameter");
        world.get_as(PartnerClient, &format!("{JOBS}?{of}&facets=kind"), NDJSON).problem(400, "invalid-parameter");
        // The values tell of every record: of all that is shared the ledger names what was used.
        let id = world.get(PartnerClient, &format!("{JOBS}?{of}&fields=title&facets=kind&q=job")).header("disclosure-id").to_owned();
        let entry = world.get(Persona::PartnerSteward, &format!("/api/v1/disclosures/{id}")).ok();
        assert!(entry.to_string().contains("\"kind\"") && entry.to_string().contains("\"title\""), "{entry}");
    }
}

on_both! {
    fn every_format_has_the_same_rows_in_the_same_order(world: World) {
        let (_, of) = listed(&world, open_fields());
        for query in ["", "&sort=-title", "&q=job&sort=kind", "&near=0,0,20000", "&open=true&fields=title,kind", "&limit=2"] {
            let path = format!("{JOBS}?{of}{query}");
            let items = world.get(PartnerClient, &path).items();
            let map = world.get_as(PartnerClient, &path, GEOJSON).expect(200);
            assert_eq!(map.header("content-type"), GEOJSON);
            let map = map.json();
            assert_eq!(map["type"], "FeatureCollection");
            let features = map["features"].as_array().unwrap();
            for (feature, item) in features.iter().zip(&items) {
                let mut properties = feature["properties"].clone();
                properties.as_object_mut().unwrap().shift_insert(0, "id".to_owned(), feature["id"].clone());
                assert_eq!(properties, *item, "{query}");
                let point = match (&item["longitude"], &item["latitude"]) {
                    (Value::Number(east), Value::Number(north)) => json!({"type": "Point", "coordinates": [east, north]}),
                    _ => Value::Null,
                };
                assert_eq!((&feature["geometry"], &feature["type"]), (&point, &json!("Feature")), "{query}");
            }
            assert_eq!(features.len(), items.len());
            let csv = world.get_as(PartnerClient, &path, "text/csv").expect(200);
            let book = world.get_as(PartnerClient, &path, WORKBOOK).expect(200);
            assert_eq!(book.header("content-type"), WORKBOOK);
            assert_eq!(rows(&book.body), lines(&csv.text()), "{query}");
            for answer in [&csv, &book] {
                assert!(answer.header("disclosure-id").starts_with("dis_"));
                assert_eq!(answer.header("row-count"), items.len().to_string());
            }
        }
        for (format, channel) in [(GEOJSON, "geojson"), (WORKBOOK, "xlsx"), ("text/csv", "csv")] {
            let id = world.get_as(PartnerClient, &format!("{JOBS}?{of}"), format).expect(200).header("disclosure-id").to_owned();
            let entry = world.get(Persona::PartnerSteward, &format!("/api/v1/disclosures/{id}")).ok().to_string();
            assert!(entry.contains(&format!("\"{channel}\"")), "{entry}");
            assert!(world.get(Steward, &format!("/api/v1/disclosures/{id}")).ok().to_string().contains(channel));
        }
        world.get(Nobody, &format!("{JOBS}?{of}")).problem(404, "not-found");
        let public = world.get_as(Nobody, "/api/v1/organizations", WORKBOOK).expect(200);
        assert_eq!(rows(&public.body).len(), 4);
    }
}

on_both! {
    fn whether_an_answer_is_whole_can_be_told(world: World) {
        let of = format!("agreement={}", bulk::agreed(&world));
        let whole = bulk::ROWS.to_string();
        let get = |query: &str, format: &str| world.get_as(PartnerClient, &format!("{JOBS}?{of}&{query}"), format).expect(200);
        let csv = get("end_line=true&fields=title", "text/csv").text();
        assert_eq!(csv.lines().last(), Some(format!("# end,rows={whole},,,").as_str()));
        assert_eq!(csv.lines().count(), bulk::ROWS + 2);
        let lines = get("end_line=true&fields=title", NDJSON).text();
        assert_eq!(lines.lines().last(), Some(format!("{{\"end\":true,\"rows\":{whole}}}").as_str()));
        assert_eq!(get("end_line=true&fields=title&limit=3", NDJSON).text().lines().last(), Some("{\"end\":true,\"rows\":3}"));
        for line in [get("fields=title", NDJSON), get("end_line=false", NDJSON)] {
            assert!(!line.text().contains("\"end\""));
            assert_eq!(line.header("row-count"), "", "counting is not for nothing");
        }
        assert_eq!(get("count=true&fields=title", NDJSON).header("row-count"), whole);
        assert_eq!(get("count=true&fields=title&limit=700", NDJSON).header("row-count"), "700");
        assert_eq!(get("count=true&title=Mass%207", "text/csv").header("row-count"), "1");
        let map = get("fields=title", GEOJSON);
        assert_eq!(map.json()["features"].as_array().unwrap().len(), bulk::ROWS);
        assert!(serde_json::from_slice::<Value>(&map.body[..map.body.len() - 3]).is_err());
        assert_eq!(rows(&get("fields=title", WORKBOOK).body).len(), bulk::ROWS + 1);
        for format in ["application/json", GEOJSON, WORKBOOK] {
            world.get_as(PartnerClient, &format!("{JOBS}?{of}&end_line=true"), format).problem(400, "invalid-parameter");
        }
    }
}

fn unpressed(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

on_both! {
    fn an_answer_is_pressed_where_that_is_asked_for_and_says_the_same(world: World) {
        let (_, of) = listed(&world, open_fields());
        let ask = |path: &str, accept: &str, coding: &str, etag: &str| {
            let request = world.request(PartnerClient, Method::GET, path).header("Accept", accept).header("Accept-Encoding", coding);
            Answer::to(if etag.is_empty() { request } else { request.header("If-None-Match", etag) })
        };
        for format in ["application/json", "text/csv", NDJSON, GEOJSON] {
            let path = format!("{JOBS}?{of}&q=job&facets=kind");
            let path = if format == "application/json" { path } else { format!("{JOBS}?{of}") };
            let (plain, pressed) = (ask(&path, format, "identity", ""), ask(&path, format, "br, gzip", ""));
            assert_eq!((plain.header("content-encoding"), pressed.header("content-encoding")), ("", "gzip"));
            assert_eq!(unpressed(&pressed.body), plain.body, "{format}");
            assert_eq!(pressed.header("vary"), "Authorization, Accept, Accept-Encoding");
        }
        let path = format!("{JOBS}?{of}&facets=kind&q=job");
        let (plain, pressed) = (ask(&path, "*/*", "", ""), ask(&path, "*/*", "gzip", ""));
        let (plain, pressed) = (plain.header("etag"), pressed.header("etag"));
        assert_ne!(plain, pressed, "other bytes");
        assert!(ask(&path, "*/*", "", plain).expect(304).body.is_empty());
        assert!(ask(&path, "*/*", "gzip", pressed).expect(304).body.is_empty());
        ask(&path, "*/*", "gzip", plain).expect(200);
        ask(&format!("{JOBS}?{of}&q=job"), "*/*", "gzip", pressed).expect(200);
        // Neither an error, which says the parameter again, nor a workbook, which is pressed already.
        assert_eq!(ask(&format!("{path}&x=1"), "*/*", "gzip", "").header("content-encoding"), "");
        assert_eq!(ask(&format!("{JOBS}?{of}"), WORKBOOK, "gzip", "").header("content-encoding"), "");
        let token = world.server.request(Method::POST, "/oauth/token", None).header("Accept-Encoding", "gzip").body("grant_type=x");
        assert_eq!(Answer::to(token).header("content-encoding"), "");
    }
}
