//! One list in every format: the same rows, the same cells, and no column more.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::founding::treated;
use crate::querying::{cells, rows_of};
use crate::world::Persona::{Nobody, PartnerClient};
use crate::world::{Persona, World};

/// Agreements of every shape that there is no founded one of, with the collection of each.
fn agreements(world: &World) -> Vec<(Persona, &'static str, String)> {
    let mut all: Vec<(Persona, &str, String)> = [
        (PartnerClient, "opportunities", "agreement"),
        (PartnerClient, "memberships", "people-agreement"),
        (PartnerClient, "opportunities", "members-agreement"),
        (Nobody, "organizations", "public-agreement"),
    ]
    .map(|(who, collection, name)| (who, collection, world.id(name).to_owned()))
    .into();
    let mut agree = |list: &str, collection, fields: Value, over: Value| {
        let mut terms = world.terms(world.id(list), fields);
        terms.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        all.push((PartnerClient, collection, world.agree(&terms)));
    };
    agree("jobs", "opportunities", json!({"title": "exact"}), json!({}));
    agree("jobs", "opportunities", json!({"reference": "pseudonym"}), json!({"record_id": "pseudonym"}));
    agree(
        "jobs",
        "opportunities",
        treated(),
        json!({"rows": {"any": [{"country": {"eq": "DE"}}, {"salary_min": {"lt": 22_000}}]}}),
    );
    agree("jobs", "opportunities", json!({"title": "exact"}), json!({"rows": {"country": {"eq": "PT"}}}));
    let everything = json!({
        "reference": "exact", "title": "exact", "description": "exact", "kind": "exact", "contact_name": "exact", "website": "exact",
        "salary_max": "exact", "opens_on": "exact", "closes_on": {"generalised": "year"}, "latitude": "exact", "longitude": "exact",
    });
    agree("jobs", "opportunities", everything, json!({"record_id": "pseudonym"}));
    let people = json!({"given_name": "masked", "email": "pseudonym", "postcode": {"generalised": "prefix:2"}, "shares": {"generalised": "band:1000"}});
    agree("people", "memberships", people, json!({}));
    agree("coops", "organizations", json!({"name": "masked", "activities": "exact", "phone": "masked"}), json!({}));
    let figures = json!({"organization_identifier": "pseudonym", "period_start": {"generalised": "month"}, "value": {"generalised": "band:100"}});
    agree("past", "measurements", figures, json!({}));
    all
}

on_both! {
    /// Classes 13, 14 and 16: under every shape of agreement, list, CSV, NDJSON, single items and the feed have the same cells, and a
    /// heading names what is disclosed and nothing else.
    fn every_format_shows_the_same_under_every_agreement(world: World) {
        for (who, collection, agreement) in agreements(&world) {
            let path = format!("/api/v1/{collection}?agreement={agreement}");
            let page = world.get(who, &format!("{path}&limit=1000")).ok();
            let items = page["items"].as_array().unwrap().clone();
            let lines = world.get_as(who, &path, "application/x-ndjson").expect(200).text();
            let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines, items, "{path}");

            let sheet = world.get_as(who, &path, "text/csv").expect(200);
            let filled = |item: &Value| cells(item).into_iter().filter(|(_, text)| !matches!(text.as_str(), "" | "null")).collect::<Vec<_>>();
            assert_eq!(rows_of(&sheet), items.iter().map(filled).collect::<Vec<_>>(), "{path}");
            let text = sheet.text();
            let heading: Vec<&str> = text.lines().next().unwrap().trim_end().split(',').collect();
            if let Some(item) = items.first() {
                assert_eq!(heading, item.as_object().unwrap().keys().collect::<Vec<_>>(), "{path}");
            }

            for item in items.iter().take(3) {
                let one = format!("/api/v1/{collection}/{}?agreement={agreement}", item["id"].as_str().unwrap());
                assert_eq!(world.get(who, &one).ok(), *item, "{one}");
            }
            let feed = world.get(who, &format!("/api/v1/changes?limit=1000&agreement={agreement}")).ok();
            let told = feed["items"].as_array().unwrap().iter().map(|change| {
                let mut item = change.clone();
                let members = item.as_object_mut().unwrap();
                assert_eq!(members.shift_remove("type"), Some(json!("upserted")));
                assert_eq!(members.shift_remove("collection"), Some(json!(collection)));
                item
            });
            assert_eq!(told.collect::<Vec<_>>(), items, "{path}");
        }
    }
}

/// What a spreadsheet would run, or might.
const FORMULAS: [&str; 7] = ["=HYPERLINK(A1)", "+1+1", "-1+1", "@SUM(A1)", "=1+1", "'=1+1", "=cmd|' /C calc'!A0"];

on_both! {
    /// Class 54: a cell that a spreadsheet would run is disarmed in CSV alone, and reads back as it was.
    fn a_formula_is_disarmed_in_a_spreadsheet_and_nowhere_else(world: World) {
        let mut file = String::from("reference,title\n");
        FORMULAS.iter().enumerate().for_each(|(at, formula)| file.push_str(&format!("F{at},\"{formula}\"\n")));
        let quoted = |text: &str| hayward_importers::csv_plain(text).to_string();
        world.import(world.id("unshared"), file.clone());
        let agreement = world.agree(&world.terms(world.id("unshared"), json!({"title": "exact"})));
        let path = format!("/api/v1/opportunities?agreement={agreement}&sort=title");
        let titles = world.get(PartnerClient, &path).column("title");
        let sheet = world.get_as(PartnerClient, &path, "text/csv").expect(200);
        let mut reader = csv::Reader::from_reader(sheet.body.as_slice());
        let cells: Vec<String> = reader.records().map(|row| row.unwrap().get(4).unwrap().to_owned()).collect();
        let armed = |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert!(!cells.iter().any(armed), "{cells:?}");
        assert_eq!(cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>(), titles);
        assert!(titles.iter().filter(|title| armed(title)).count() >= 5, "{titles:?}");
        let lines = world.get_as(PartnerClient, &path, "application/x-ndjson").expect(200).text();
        assert!(lines.contains("\"title\":\"=HYPERLINK(A1)\""), "{lines}");
    }
}
