//! A list on its way in: read, matched, committed, read back, taken back.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, Steward, ThirdOwner};
use crate::world::{World, all_decided};

/// Six rows: two good, one wrong, one blank, one repeated, one more good. `Shelf mark` is no field.
const FILE: &str = "reference,title,country,closes_on,Shelf mark\n\
    A1,Baker,ES,2027-03-01,s-1\n\
    A2,Welder,FR,2027-04-01,s-2\n\
    A3,Driver,ES,not a day,s-3\n\
    ,,,,\n\
    A2,Welder,FR,2027-04-01,s-2\n\
    A4,Cook,ES,2027-05-01,s-4\n";

#[track_caller]
fn adds_up(import: &Value) {
    let counts = &import["counts"];
    let count = |name: &str| counts[name].as_u64().unwrap_or_else(|| panic!("no count of {name}: {counts}"));
    let parts: u64 = ["created", "updated", "unchanged", "skipped", "rejected", "blank"].map(count).iter().sum();
    assert_eq!(count("rows"), parts, "{counts}");
}

/// An empty dataset of the provider's.
fn dataset(world: &World) -> String {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Empty"})).expect(201).json();
    assert_eq!(made["edition"], 0);
    made["id"].as_str().unwrap().to_owned()
}

on_both! {
    fn a_file_is_read_decided_committed_and_read_back(world: World) {
        let dataset = dataset(&world);
        let uploaded = world.upload(&dataset, FILE).expect(201);
        let import = uploaded.json();
        let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
        assert_eq!(uploaded.header("location"), path);
        assert_eq!(import["state"], "draft");
        assert_eq!(import["reading"]["format"], "csv");
        assert_eq!(import["reading"]["delimiter"], ",");
        assert_eq!(import["reading"]["header_row"], 1);
        assert_eq!(import["columns"].as_array().unwrap().len(), 5);
        assert_eq!(import["columns"][4]["header"], "Shelf mark");
        assert_eq!(import["columns"][4]["field"], json!(null));
        adds_up(&import);
        assert_eq!(world.get(Editor, &path).ok(), import);

        let refused = world.post(Editor, &format!("{path}/commit"), &json!({})).problem(422, "undecided-columns");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("Shelf mark"));
        assert_eq!(world.standing(&dataset).0, 0);

        let checked = world.put(Editor, &format!("{path}/matching"), &all_decided(&import)).ok();
        assert_eq!(checked["state"], "checked");
        // The wrong day alone is wrong: the rest of its row is good.
        let done = world.post(Editor, &format!("{path}/commit"), &json!({"edition": 0})).ok();
        assert_eq!(done["state"], "committed");
        assert_eq!(done["counts"], checked["counts"], "the counts are what a commit does");
        adds_up(&done);
        let (edition, rows) = world.standing(&dataset);
        assert_eq!(edition, 1);
        let records = String::from_utf8(rows).unwrap().lines().count() as u64;
        assert_eq!(done["counts"]["created"], records);
    }
}

on_both! {
    fn records_are_read_back_in_every_format_and_order(world: World) {
        let dataset = dataset(&world);
        let import = world.import(&dataset, FILE);
        let path = format!("/api/v1/datasets/{dataset}/records");
        let sorted = world.get(Editor, &format!("{path}?sort=-title")).items();
        let titles: Vec<&str> = sorted.iter().map(|record| record["title"].as_str().unwrap()).collect();
        assert_eq!(titles.len() as u64, import["counts"]["created"].as_u64().unwrap());
        assert!(titles.is_sorted_by(|one, other| one > other), "{titles:?}");
        let mut paged = Vec::new();
        let mut next = format!("{path}?sort=-title&limit=1");
        loop {
            let page = world.get(Editor, &next).ok();
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(cursor) => next = format!("{path}?sort=-title&limit=1&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(paged, sorted);
        let lines = world.get_as(Editor, &format!("{path}?sort=-title"), "application/x-ndjson").expect(200).text();
        assert_eq!(lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>(), sorted);
        let sheet = world.get_as(Editor, &format!("{path}?sort=-title"), "text/csv").expect(200).text();
        assert_eq!(sheet.lines().count(), sorted.len() + 1);
        assert!(sheet.lines().next().unwrap().contains("Shelf mark"), "private columns come back too: {sheet}");
        assert!(sheet.contains("s-1"));
    }
}

on_both! {
    fn problems_and_the_diff_are_read_as_lists_and_as_spreadsheets(world: World) {
        let dataset = dataset(&world);
        let import = world.upload(&dataset, FILE).expect(201).json();
        let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
        world.put(Editor, &format!("{path}/matching"), &all_decided(&import)).expect(200);
        let problems = world.get(Editor, &format!("{path}/problems")).items();
        let wrong = problems.iter().find(|problem| problem["row"] == 4).expect("the fourth row of the spreadsheet is wrong");
        assert_eq!(wrong["column"], "D");
        assert_eq!(wrong["header"], "closes_on");
        assert_eq!(wrong["value"], "not a day");
        assert_eq!(wrong["code"], "type-error");
        let sheet = world.get_as(Editor, &format!("{path}/problems"), "text/csv").expect(200).text();
        assert_eq!(sheet.lines().next(), Some("row,column,header,value,code,message,suggestion"));
        assert_eq!(sheet.lines().count(), problems.len() + 1);
        let diff = world.get(Editor, &format!("{path}/diff")).items();
        assert!(diff.iter().all(|item| item["change"] == "created"), "{diff:?}");
        assert_eq!(diff.len() as u64, world.get(Editor, &path).ok()["counts"]["created"].as_u64().unwrap());
        let sheet = world.get_as(Editor, &format!("{path}/diff"), "text/csv").expect(200).text();
        assert_eq!(sheet.lines().filter(|line| line.starts_with("+++,")).count(), diff.len());
    }
}

on_both! {
    fn the_same_file_again_changes_nothing(world: World) {
        let dataset = dataset(&world);
        world.import(&dataset, FILE);
        let before = world.standing(&dataset);
        let again = world.import(&dataset, FILE);
        assert_eq!(again["counts"]["created"], 0);
        assert_eq!(again["counts"]["updated"], 0);
        assert_eq!(world.standing(&dataset), before);
    }
}

on_both! {
    fn undoing_an_import_restores_every_byte(world: World) {
        let dataset = dataset(&world);
        world.import(&dataset, FILE);
        let (edition, before) = world.standing(&dataset);
        let second =
            world.import(&dataset, "reference,title,country,closes_on,Shelf mark\nA1,Master baker,FR,,s-9\nA7,Painter,ES,,\n");
        assert_eq!(second["counts"]["updated"], 1);
        assert_eq!(second["counts"]["created"], 1);
        assert_ne!(world.standing(&dataset).1, before);
        let path = format!("/api/v1/imports/{}", second["id"].as_str().unwrap());
        assert_eq!(world.post(Editor, &format!("{path}/undo"), &json!({})).ok()["state"], "undone");
        let (after, restored) = world.standing(&dataset);
        assert_eq!(restored, before);
        assert!(after.as_i64() > edition.as_i64(), "undo is a new edition");
        world.post(Editor, &format!("{path}/undo"), &json!({})).problem(409, "wrong-state");
    }
}

on_both! {
    fn a_commit_of_a_diff_against_an_older_edition_is_stale(world: World) {
        let dataset = dataset(&world);
        let first = world.upload(&dataset, "reference,title\nB1,One\n").expect(201).json();
        world.import(&dataset, "reference,title\nB2,Two\n");
        let path = format!("/api/v1/imports/{}", first["id"].as_str().unwrap());
        world.put(Editor, &format!("{path}/matching"), &all_decided(&first)).expect(200);
        world.post(Editor, &format!("{path}/commit"), &json!({"edition": 0})).problem(409, "stale");
        let now = world.standing(&dataset);
        assert_eq!(now.0, 1);
    }
}

on_both! {
    fn a_matching_that_cannot_be_is_refused_column_by_column(world: World) {
        let import = world.upload(&dataset(&world), FILE).expect(201).json();
        let path = format!("/api/v1/imports/{}/matching", import["id"].as_str().unwrap());
        let mut matching = all_decided(&import);
        matching["columns"][4]["field"] = "no_such_field".into();
        let refused = world.put(Editor, &path, &matching).problem(422, "invalid-matching");
        assert!(refused["errors"][0]["pointer"].as_str().unwrap().starts_with("/columns/4"), "{refused}");
        matching["columns"][4]["field"] = "title".into();
        world.put(Editor, &path, &matching).problem(422, "invalid-matching");
        matching["columns"][4]["surprise"] = true.into();
        world.put(Editor, &path, &matching).problem(400, "invalid-body");
    }
}

on_both! {
    fn imports_and_lists_are_nobody_elses(world: World) {
        let import = format!("/api/v1/imports/{}", world.id("jobs-import"));
        for path in [import.clone(), format!("{import}/problems"), format!("{import}/diff"), format!("{import}/undo")] {
            world.get(ThirdOwner, &path).problem(404, "not-found");
            world.get(Steward, &path).problem(403, "insufficient-scope");
        }
        world.get(ThirdOwner, &format!("/api/v1/datasets/{}/records", world.id("jobs"))).problem(404, "not-found");
        let names = world.get(ThirdOwner, "/api/v1/datasets").column("id");
        assert_eq!(names, [world.id("third-jobs")]);
    }
}
