//! What a person decides about a file before it goes in: how it is read, what its columns are, which cells are meant otherwise, and what
//! happens to records that are there.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::Editor;
use crate::world::{World, all_decided};

/// An empty dataset of the provider's.
fn dataset(world: &World, name: &str) -> String {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": name})).expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn path(import: &Value) -> String {
    format!("/api/v1/imports/{}", import["id"].as_str().unwrap())
}

/// The records of a list by reference: what their field holds.
fn held(world: &World, dataset: &str, field: &str) -> Vec<(String, Value)> {
    let records = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records?sort=reference")).items();
    records.iter().map(|record| (record["reference"].as_str().unwrap().to_owned(), record[field].clone())).collect()
}

/// Fourteen jobs in a country that is misspelt, of which no two stand side by side but the first two, and one in none.
fn misspelt() -> String {
    let rows = (1..=28).map(|row| {
        let country = if row == 1 || row % 2 == 0 && row < 28 { "Untied States" } else { "Spain" };
        format!("R{row},Job {row},{country}\n")
    });
    format!("reference,title,country\n{}R99,Odd job,Atlantis\n", rows.collect::<String>())
}

on_both! {
    fn a_mistake_in_many_rows_is_told_once_and_mended_in_one_call(world: World) {
        let import = world.upload(&dataset(&world, "Misspelt"), misspelt()).expect(201).json();
        let path = path(&import);
        assert_eq!((&import["counts"]["rejected"], &import["counts"]["created"]), (&json!(15), &json!(14)));
        let groups = world.get(Editor, &format!("{path}/problems/groups")).items();
        assert_eq!(groups.len(), 2);
        let worst = &groups[0];
        assert_eq!((&worst["column"], &worst["value"], &worst["count"]), (&json!("C"), &json!("Untied States"), &json!(14)));
        assert_eq!(worst["code"], "constraint-error");
        let runs: Vec<Value> = (4..=26).step_by(2).map(|reference| json!([reference + 1, reference + 1])).collect();
        assert_eq!(worst["rows"][0], json!([2, 3]), "rows side by side are a run");
        assert_eq!(worst["rows"].as_array().unwrap()[1..], runs);
        let first = world.get(Editor, &format!("{path}/problems/groups?limit=1")).ok();
        assert_eq!(first["items"], json!([worst]));
        let next = format!("{path}/problems/groups?limit=1&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(world.get(Editor, &next).ok(), json!({"items": [groups[1]], "next": null}));

        let fix = json!({"column": "C", "code": worst["code"], "from": worst["value"], "to": "United States"});
        let fixed = world.post(Editor, &format!("{path}/fixes"), &fix).ok();
        assert_eq!((&fixed["counts"]["rejected"], &fixed["counts"]["created"]), (&json!(1), &json!(28)));
        let left = world.get(Editor, &format!("{path}/problems/groups")).items();
        assert_eq!(left.iter().map(|group| &group["value"]).collect::<Vec<_>>(), ["Atlantis"]);
        let one = json!({"fixes": [{"column": "C", "row": 30, "to": "Portugal"}, {"column": "B", "row": 30, "to": "Sailor"}]});
        let clean = world.post(Editor, &format!("{path}/fixes"), &one).ok();
        assert_eq!((&clean["counts"]["rejected"], &clean["problem_count"]), (&json!(0), &json!(0)));
        let back = world.post(Editor, &format!("{path}/fixes"), &json!({"column": "C", "row": 30, "to": null})).ok();
        assert_eq!(back["counts"]["rejected"], 1, "a correction is taken back");

        for bad in [json!({"column": "Z", "from": "a", "to": "b"}), json!({"column": "C", "to": "b"})] {
            world.post(Editor, &format!("{path}/fixes"), &bad).problem(422, "invalid-matching");
        }
        world.post(Editor, &format!("{path}/fixes"), &json!({"fixes": [], "column": "C"})).problem(400, "invalid-body");
        assert_eq!(world.get(Editor, &path).ok(), back);
    }
}

on_both! {
    fn what_is_corrected_is_what_goes_in_and_only_the_failed_row_is_tried_again(world: World) {
        let dataset = dataset(&world, "Again");
        let good: String = (1..=9).map(|row| format!("R{row},Job {row},ES\n")).collect();
        let file = format!("reference,title,country\n{good}R10,Job 10,Untied States\n");
        let done = world.import(&dataset, file.clone());
        assert_eq!((&done["counts"]["created"], &done["counts"]["rejected"]), (&json!(9), &json!(1)));
        let again = world.upload(&dataset, file).expect(201).json();
        let fix = json!({"column": "C", "from": "Untied States", "to": "US"});
        let fixed = world.post(Editor, &format!("{}/fixes", path(&again)), &fix).ok();
        assert_eq!((&fixed["counts"]["created"], &fixed["counts"]["unchanged"]), (&json!(1), &json!(9)));
        world.post(Editor, &format!("{}/commit", path(&again)), &json!({})).expect(200);
        assert_eq!(held(&world, &dataset, "country")[1], ("R10".to_owned(), json!("US")));
    }
}

on_both! {
    fn every_guess_about_a_file_is_shown_and_can_be_overruled(world: World) {
        let dataset = dataset(&world, "Read");
        // Latin letters of a Macintosh, and a separator that nobody would guess.
        let file = b"Our jobs\nreference~title~Shelf\nR1~Caf\x8e~x\n".to_vec();
        let import = world.upload(&dataset, file).expect(201).json();
        let path = path(&import);
        let said = json!({"encoding": "macintosh", "delimiter": "~", "header_row": 2});
        let read = world.put(Editor, &format!("{path}/reading"), &said).ok();
        assert_eq!(read["reading"]["delimiter"], "~");
        assert_eq!((&read["reading"]["encoding"], &read["reading"]["header_row"]), (&json!("macintosh"), &json!(2)));
        assert_eq!(read["columns"].as_array().unwrap().len(), 3);
        let rows = world.get(Editor, &format!("{path}/rows")).items();
        assert_eq!(rows[0], json!({"row": 1, "cells": ["Our jobs"]}));
        assert_eq!(rows[2], json!({"row": 3, "cells": ["R1", "Café", "x"]}));
        let page = world.get(Editor, &format!("{path}/rows?limit=2")).ok();
        assert_eq!(page["items"], json!(rows[..2]));

        for (bad, why) in [(json!({"encoding": "klingon"}), "unknown-encoding"), (json!({"delimiter": "x"}), "unusable-delimiter"),
            (json!({"header_row": 900}), "missing-header")] {
            let refused = world.put(Editor, &format!("{path}/reading"), &bad).problem(422, "invalid-reading");
            assert_eq!(refused["errors"][0]["code"], why);
        }
        assert_eq!(world.get(Editor, &path).ok(), read, "what cannot be changes nothing");
        // What was decided about a column holds, wherever the next reading finds it.
        let kept = json!({"columns": [{"column": "C", "header": "Shelf", "field": {"leave_out": true}}]});
        assert_eq!(world.put(Editor, &format!("{path}/matching"), &kept).ok()["state"], "checked");
        let again = world.put(Editor, &format!("{path}/reading"), &json!({"delimiter": "~", "header_row": 2})).ok();
        assert_eq!((&again["state"], &again["columns"][2]["field"]), (&json!("checked"), &json!({"leave_out": true})));
        world.put(Editor, &format!("{path}/reading"), &said).expect(200);
        world.post(Editor, &format!("{path}/commit"), &json!({})).expect(200);
        assert_eq!(held(&world, &dataset, "title"), [("R1".to_owned(), json!("Café"))]);
        world.put(Editor, &format!("{path}/reading"), &said).problem(409, "wrong-state");
    }
}

on_both! {
    fn how_a_file_is_read_may_be_said_with_the_upload(world: World) {
        let dataset = dataset(&world, "Said");
        let send = |query: &str| {
            let path = format!("/api/v1/datasets/{dataset}/imports?filename=said.csv{query}");
            crate::answer::Answer::to(world.request(Editor, reqwest::Method::POST, &path).body("reference~title\nR1~One\n"))
        };
        let read = send("&delimiter=~&encoding=latin1&header_row=1").expect(201).json();
        assert_eq!((&read["reading"]["delimiter"], &read["counts"]["created"]), (&json!("~"), &json!(1)));
        let guessed = send("").expect(201).json();
        assert_ne!(guessed["id"], read["id"], "the same bytes read otherwise are another draft");
        send("&delimiter=~~").problem(400, "invalid-parameter");
        send("&header_row=one").problem(400, "invalid-parameter");
        send("&line_ends=none").problem(400, "invalid-parameter");
        let failed = send("&encoding=klingon").expect(201).json();
        assert_eq!((&failed["state"], &failed["failure"]["code"]), (&json!("failed"), &json!("unknown-encoding")));
        let mended = world.put(Editor, &format!("{}/reading", path(&failed)), &json!({"delimiter": "~"})).ok();
        assert_eq!((&mended["state"], &mended["failure"]), (&json!("checked"), &Value::Null));
    }
}

on_both! {
    fn a_file_may_only_add_or_only_change(world: World) {
        let dataset = dataset(&world, "Modes");
        world.import(&dataset, "reference,title,city\nR1,One,York\nR2,Two,Leeds\n");
        let go = |file: &str, only: Value| {
            let import = world.upload(&dataset, file).expect(201).json();
            let mut matching = all_decided(&import);
            matching["only"] = only;
            let checked = world.put(Editor, &format!("{}/matching", path(&import)), &matching).ok();
            let done = world.post(Editor, &format!("{}/commit", path(&import)), &json!({})).ok();
            assert_eq!(done["counts"], checked["counts"], "the counts are what a commit does");
            done["counts"].clone()
        };
        let added = go("reference,title\nR2,Other\nR3,Three\n", json!("add"));
        assert_eq!((&added["created"], &added["updated"], &added["skipped"]), (&json!(1), &json!(0), &json!(1)));
        // What was added before is left out now: the same file is not taken for unchanged.
        let again = go("reference,title\nR2,Other\nR3,Three\n", json!("add"));
        assert_eq!((&again["created"], &again["unchanged"], &again["skipped"]), (&json!(0), &json!(0), &json!(2)));
        let changed = go("reference,title\nR1,First\nR4,Four\n", json!("update"));
        assert_eq!((&changed["created"], &changed["updated"], &changed["skipped"]), (&json!(0), &json!(1), &json!(1)));
        let titles: Vec<Value> = held(&world, &dataset, "title").into_iter().map(|(_, title)| title).collect();
        assert_eq!(titles, ["First", "Two", "Three"]);

        let import = world.upload(&dataset, "reference,title\nR9,Nine\n").expect(201).json();
        let matching = json!({"columns": [], "only": "add", "absent": "delete"});
        let refused = world.put(Editor, &format!("{}/matching", path(&import)), &matching).problem(422, "invalid-matching");
        assert_eq!(refused["errors"][0]["code"], "half-a-replacement");
    }
}

on_both! {
    fn a_replacement_that_would_remove_more_than_a_fifth_waits_for_a_word(world: World) {
        let dataset = dataset(&world, "Brake");
        let rows = |count: usize| -> String { (1..=count).map(|row| format!("R{row:02},Job {row}\n")).collect() };
        let import = |count: usize| {
            let import = world.upload(&dataset, format!("reference,title\n{}", rows(count))).expect(201).json();
            let checked = world.put(Editor, &format!("{}/matching", path(&import)), &json!({"columns": [], "absent": "delete"})).ok();
            (path(&import), checked)
        };
        world.import(&dataset, format!("reference,title\n{}", rows(20)));
        let (a_fifth, checked) = import(16);
        assert_eq!(checked["counts"]["removed"], 4);
        world.post(Editor, &format!("{a_fifth}/commit"), &json!({})).expect(200);
        let (more, checked) = import(12);
        assert_eq!(checked["counts"]["removed"], 4);
        for too_few in [json!({}), json!({"removals": 3})] {
            let held = world.post(Editor, &format!("{more}/commit"), &too_few).problem(409, "many-removals");
            assert!(held["detail"].as_str().unwrap().contains("of the 16 records"), "{held}");
        }
        assert_eq!(held(&world, &dataset, "title").len(), 16);
        assert_eq!(world.get(Editor, &more).ok(), checked, "it can be committed still");
        let done = world.post(Editor, &format!("{more}/commit"), &json!({"edition": checked["edition"], "removals": 4})).ok();
        assert_eq!((&done["state"], &done["counts"]["removed"]), (&json!("committed"), &json!(4)));
        assert_eq!(held(&world, &dataset, "title").len(), 12);
    }
}

on_both! {
    fn a_matching_is_used_again_when_columns_move_and_for_the_next_list(world: World) {
        let first = dataset(&world, "First");
        let import = world.upload(&first, "Ref. of ours,title,Hue,opened\nR1,One,red,03/04/2026\n").expect(201).json();
        let mut matching = all_decided(&import);
        for (column, field) in [(0, json!("reference")), (2, json!({"leave_out": true})), (3, json!("opens_on"))] {
            matching["columns"][column]["field"] = field;
        }
        matching["columns"][3]["dates"] = json!("dmy");
        matching["columns"][1]["blank"] = json!("clear");
        matching["blank"] = json!("keep");
        assert_eq!(world.put(Editor, &format!("{}/matching", path(&import)), &matching).ok()["state"], "checked");
        world.post(Editor, &format!("{}/commit", path(&import)), &json!({})).expect(200);

        let moved = "opened,New,Hue,title,Ref. of ours\n05/04/2026,x,red,One,R1\n";
        // What was said about the new column is known the second time.
        for (list, asked) in [(first, vec!["New"]), (dataset(&world, "Second"), vec![])] {
            let next = world.upload(&list, moved).expect(201).json();
            let open: Vec<&Value> = next["columns"].as_array().unwrap().iter().filter(|column| column["field"].is_null()).collect();
            assert_eq!(open.iter().map(|column| &column["header"]).collect::<Vec<_>>(), asked, "only what is new is asked");
            let column = |at: usize| &next["columns"][at];
            assert_eq!((&column(4)["field"], &column(4)["reason"]), (&json!("reference"), &json!("same as last time")));
            assert_eq!((&column(0)["dates"], &column(3)["blank"]), (&json!("dmy"), &json!("clear")));
            let new = json!({"columns": [{"column": "B", "header": "New", "field": {"private": true}}]});
            world.put(Editor, &format!("{}/matching", path(&next)), &new).expect(200);
            world.post(Editor, &format!("{}/commit", path(&next)), &json!({})).expect(200);
            assert_eq!(held(&world, &list, "opens_on"), [("R1".to_owned(), json!("2026-04-05"))]);
        }
        // A file whose days say themselves how they are read is not read as the last one was.
        let other = world.upload(&dataset(&world, "Third"), "Ref. of ours,title,opened\nR1,One,04/25/2026\n").expect(201).json();
        assert_eq!((&other["columns"][2]["dates"], &other["counts"]["created"]), (&Value::Null, &json!(1)));
    }
}

on_both! {
    fn a_list_goes_on_being_told_apart_by_the_fields_it_went_in_by(world: World) {
        let list = dataset(&world, "Keyed");
        let import = world.upload(&list, "reference,title,contact_email\nR1,One,a@x.example\nR2,Two,b@x.example\n").expect(201).json();
        let mut matching = all_decided(&import);
        matching["key"] = json!(["contact_email"]);
        world.put(Editor, &format!("{}/matching", path(&import)), &matching).expect(200);
        world.post(Editor, &format!("{}/commit", path(&import)), &json!({})).expect(200);
        let next = world.upload(&list, "reference,title,contact_email\nX1,One,a@x.example\n").expect(201).json();
        assert_eq!((&next["counts"]["updated"], &next["counts"]["created"]), (&json!(1), &json!(0)));
        // Whoever speaks of columns only means no other key.
        let said = world.put(Editor, &format!("{}/matching", path(&next)), &json!({"columns": []})).ok();
        assert_eq!(said["counts"]["updated"], 1);
        let other = world.put(Editor, &format!("{}/matching", path(&next)), &json!({"columns": [], "key": ["reference"]}));
        assert_eq!(other.problem(422, "invalid-matching")["errors"][0]["code"], "other-key");
    }
}

/// A file that takes a moment to be read.
fn long() -> String {
    let rows: String = (0..30_000).map(|row| format!("R{row},Job {row},ES\n")).collect();
    format!("reference,title,country\n{rows}")
}

on_both! {
    fn the_work_on_an_import_can_be_watched_and_given_up(world: World) {
        let dataset = dataset(&world, "Long");
        let path_of = |name: &str| format!("/api/v1/datasets/{dataset}/imports?filename={name}.csv");
        let send = |name: &str, file: String| {
            let request = world.request(Editor, reqwest::Method::POST, &path_of(name)).header("Prefer", "respond-async");
            crate::answer::Answer::to(request.body(file)).expect(202).json()
        };
        let import = send("one", long());
        assert_eq!(import["state"], "reading");
        let path = path(&import);
        // Ends when nobody is at work any more.
        let events = world.get(Editor, &format!("{path}/events")).expect(200);
        assert_eq!(events.header("content-type"), "text/event-stream");
        let told: Vec<Value> = events
            .text()
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        let (last, before) = told.split_last().unwrap();
        assert_eq!(last, &json!({"id": import["id"], "state": "checked", "progress": null}));
        for event in before {
            assert_eq!(event["state"], "reading");
            let progress = &event["progress"];
            assert!(progress.is_null() || progress["done"].as_u64() <= progress["of"].as_u64(), "{event}");
        }
        let read = world.get(Editor, &path).ok();
        assert_eq!((&read["counts"]["created"], &read["progress"]), (&json!(30_000), &Value::Null));
        let again = world.get(Editor, &format!("{path}/events")).expect(200).text();
        assert_eq!(again.matches("data: ").count(), 1, "what is over is told once");

        let given_up = world.post(Editor, &format!("{path}/cancel"), &json!({})).ok();
        assert_eq!(given_up["state"], "cancelled");
        world.post(Editor, &format!("{path}/commit"), &json!({})).problem(409, "wrong-state");
        world.post(Editor, &format!("{path}/cancel"), &json!({})).problem(409, "wrong-state");
        let next = send("two", long());
        assert_ne!(next["id"], import["id"], "a file that was given up is begun anew");
        let list = world.get(Editor, &format!("/api/v1/datasets/{dataset}/imports")).items();
        let states: Vec<(&Value, &Value)> = list.iter().map(|line| (&line["id"], &line["filename"])).collect();
        assert_eq!(states.len(), 2);
        assert!(states.contains(&(&next["id"], &json!("two.csv"))));
        assert_eq!(list.iter().find(|line| line["id"] == import["id"]).unwrap()["state"], "cancelled");
        let next = next["id"].as_str().unwrap();
        world.get(Editor, &format!("/api/v1/imports/{next}/events")).expect(200);
    }
}
