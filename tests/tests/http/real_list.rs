//! A list that nobody here made: the member co-ops of a country, in by the API and out to a partner.
//!
//! `HAYWARD_LISTS` names the folder with it; without it there is nothing to read.

#![expect(clippy::print_stdout, reason = "whoever runs this wants to know what was read, and what was not")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, PartnerClient};
use crate::world::{World, all_decided};

const FILE: &str = "coops-uk/open_data_organisations_2017-06.csv";

/// The list, if there is a folder of lists; a folder without it is a mistake.
fn list() -> Option<Vec<u8>> {
    let folder = std::env::var_os("HAYWARD_LISTS").map(PathBuf::from)?;
    Some(std::fs::read(folder.join(FILE)).expect("HAYWARD_LISTS is set, and the list is not there"))
}

/// Every rejection by its code.
fn rejections(world: &World, import: &str) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    let problems = world.get_as(Editor, &format!("/api/v1/imports/{import}/problems"), "application/x-ndjson").expect(200).text();
    for problem in problems.lines() {
        let problem: Value = serde_json::from_str(problem).unwrap();
        *codes.entry(problem["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    codes
}

/// Waits until an import is no longer being read or written.
fn settled(world: &World, import: &str) -> Value {
    loop {
        let now = world.get(Editor, &format!("/api/v1/imports/{import}")).ok();
        if now["state"] != "reading" && now["state"] != "committing" {
            return now;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Uploads, decides and commits; the import as it ended.
fn bring_in(world: &World, dataset: &str, file: &[u8]) -> Value {
    let uploaded = world.upload(dataset, file);
    assert!(matches!(uploaded.status, 201 | 202), "{}", uploaded.text());
    let id = uploaded.json()["id"].as_str().unwrap().to_owned();
    let import = settled(world, &id);
    let path = format!("/api/v1/imports/{id}");
    world.put(Editor, &format!("{path}/matching"), &all_decided(&import)).expect(200);
    let mut committed = world.post(Editor, &format!("{path}/commit"), &json!({}));
    // A share of this list may be being built. A caller is told so, and asks again.
    while committed.status == 409 && committed.json()["type"] == "/problems/busy" {
        committed = world.post(Editor, &format!("{path}/commit"), &json!({}));
    }
    assert!(matches!(committed.status, 200 | 202), "{}", committed.text());
    settled(world, &id)
}

on_both! {
    fn a_real_list_goes_in_once_and_out_field_by_field(world: World) {
        let Some(file) = list() else {
            println!("HAYWARD_LISTS is not set: no real list was read");
            return Ok(());
        };
        let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "organization", "name": "Real"})).expect(201).json();
        let dataset = made["id"].as_str().unwrap();
        let import = bring_in(&world, dataset, &file);
        assert_eq!(import["state"], "committed", "{}", import["failure"]);
        let count = |import: &Value, name: &str| import["counts"][name].as_u64().unwrap();
        assert_eq!(count(&import, "rows"), 8_371);
        let codes = rejections(&world, import["id"].as_str().unwrap());
        println!("created {}, rejected {}, problems {codes:?}", count(&import, "created"), count(&import, "rejected"));
        assert!(count(&import, "rejected") * 100 <= count(&import, "rows"), "{codes:?}");
        let known =
            ["type-error", "constraint-error", "missing-cell", "extra-cell", "format-error", "encoding-error", "duplicate-row"];
        assert!(codes.keys().all(|code| known.contains(&code.as_str())), "{codes:?}");

        let (postcode, founded_on) = (json!({"generalised": "prefix:2"}), json!({"generalised": "year"}));
        let fields = json!({"name": "exact", "city": "exact", "postcode": postcode, "founded_on": founded_on});
        let agreement = world.agree(&world.terms(dataset, fields));
        let path = format!("/api/v1/organizations?agreement={agreement}");
        let lines = world.get_as(PartnerClient, &path, "application/x-ndjson").expect(200).text();
        assert_eq!(lines.lines().count() as u64, count(&import, "created"));
        for line in lines.lines() {
            let item: Value = serde_json::from_str(line).unwrap();
            let mut names: Vec<&String> = item.as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, ["agreement", "city", "edition", "founded_on", "id", "name", "postcode", "provider"]);
            assert!(item["postcode"].as_str().is_none_or(|text| text.chars().count() <= 2));
            assert!(item["founded_on"].as_str().is_none_or(|text| text.len() == 4));
        }

        let before = world.standing(dataset);
        let again = bring_in(&world, dataset, &file);
        assert_eq!((count(&again, "created"), count(&again, "updated")), (0, 0), "{}", again["counts"]);
        assert_eq!(world.standing(dataset), before, "no new edition");
    }
}
