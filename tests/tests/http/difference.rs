//! The difference of an import as other programs read it: daff applies ours to the old export and has the new one.

use std::fmt::Write;

use hayward_tests::{on_both, peers};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::world::Persona::{Editor, ThirdOwner};
use crate::world::{World, all_decided};

/// Cells that a format for changes, a spreadsheet or CSV might take for something else.
const CELLS: [&str; 32] = [
    "",
    "",
    "",
    "a",
    "b",
    "a b",
    "ab",
    "a  b",
    "->",
    "-->",
    "a->b",
    "b-->a",
    "--->",
    "-",
    ">",
    "NULL",
    "_NULL",
    "__NULL",
    "null",
    "...",
    "=1+1",
    "'=1+1",
    "-5",
    "+34600",
    "@x",
    "x, \"y\"",
    "two\nlines",
    "two\r\nlines",
    "Ünïcödé 株",
    "007",
    "+++",
    "!",
];

/// An empty list of the provider's.
fn list(world: &World, schema: &str) -> String {
    let made = world
        .post(Editor, "/api/v1/datasets", &json!({"schema": schema, "name": format!("Compared {schema}")}))
        .expect(201)
        .json();
    made["id"].as_str().unwrap().to_owned()
}

fn export(world: &World, dataset: &str) -> String {
    world.get_as(Editor, &format!("/api/v1/datasets/{dataset}/records"), "text/csv").expect(200).text()
}

fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// What daff makes of an export and a difference.
fn patched(export: &str, difference: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("old.csv"), export).unwrap();
    std::fs::write(at("difference.csv"), difference).unwrap();
    let mut daff = peers::daff();
    daff.arg("patch").arg("--output").arg(at("new.csv")).arg(at("old.csv")).arg(at("difference.csv"));
    let said = peers::run(&mut daff);
    // It speaks where a row is longer than the header.
    assert_eq!(String::from_utf8_lossy(&said.stdout), "");
    std::fs::read_to_string(at("new.csv")).unwrap()
}

/// Reads a file in with everything decided, up to its commit. Returns where the import is.
#[track_caller]
fn checked(world: &World, dataset: &str, file: &str, deletes: bool, clears: bool) -> String {
    let import = world.upload(dataset, file).expect(201).json();
    let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    let mut matching = all_decided(&import);
    matching["absent"] = if deletes { "delete".into() } else { "keep".into() };
    matching["blank"] = if clears { "clear".into() } else { "keep".into() };
    let checked = world.put(Editor, &format!("{path}/matching"), &matching).ok();
    assert_eq!(checked["state"], "checked", "{checked}");
    path
}

/// Imports a file; daff must come to the same list, by the difference of before the commit and by that of after it.
#[track_caller]
fn daff_follows(world: &World, dataset: &str, file: &str, deletes: bool, clears: bool) -> String {
    let path = checked(world, dataset, file, deletes, clears);
    let old = export(world, dataset);
    let foreseen = world.get_as(Editor, &format!("{path}/diff"), "text/csv").expect(200).text();
    world.post(Editor, &format!("{path}/commit"), &json!({"removals": 10_000})).expect(200);
    let new = export(world, dataset);
    assert_eq!(cells(&patched(&old, &foreseen)), cells(&new), "before the commit:\n{old}\n{foreseen}");
    let made = world.get_as(Editor, &format!("{path}/diff"), "text/csv").expect(200).text();
    assert_eq!(made, foreseen);
    foreseen
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

const OLD: &str = "reference,title,description,category,city,salary_min,closes_on,Shelf\n\
    A1,Baker,a->b,x,Bath,10,2027-01-01,s-1\n\
    A2,Welder,NULL,-->,York,20,2027-01-02,s-2\n\
    A3,\"Two\nlines, \"\"quoted\"\"\",_NULL,=1+1,Leeds,30,,s-3\n\
    A4,+34600,plain,,Hull,,,\n\
    A5,A title,gone soon,,,,,\n\
    A6,Last,stays,,Bath,60,2027-01-06,s-6\n";

on_both! {
    fn daff_makes_the_new_export_of_the_old_one(world: World) {
        let dataset = list(&world, "opportunity");
        let first = daff_follows(&world, &dataset, OLD, false, false);
        assert!(first.starts_with("!,"), "a private column appears: {first}");
        assert!(first.lines().next().unwrap().ends_with(",+++"));
        // Updates of every kind, a removal, creations, a value cleared and one set, a private column that goes and two that come.
        let new = "reference,title,description,category,city,salary_min,closes_on,Zone,Area\n\
            A1,Baker's,a-->b,'=x,B ath,11.5,2027-01-01,z->1,\n\
            A2,@Welder,x,->,,20,,,\n\
            A3,\"Two\r\nlines\",__NULL,,Leeds,-0,2027-02-01,,NULL\n\
            A4,-5,NULL,a,Hull,7,,z-4,=4\n\
            A6,Last,stays,,Bath,60,2027-01-06,,\n\
            B1,New ünïcödé 株,\"a,b\",+++,,,,,\n\
            B2,...,---,@@,,,,z-2,a-2\n";
        let second = daff_follows(&world, &dataset, new, true, true);
        assert!(second.contains("-->"), "{second}");
        assert_eq!(cells(&second)[0].iter().filter(|mark| *mark == "+++").count(), 2);
        // Nothing to change is a header and nothing else.
        let third = daff_follows(&world, &dataset, new, true, true);
        assert_eq!(cells(&third).len(), 1, "{third}");
        assert_eq!(cells(&third)[0][..3], ["@@", "reference", "title"]);
    }
}

on_both! {
    fn daff_follows_whatever_is_imported(world: World) {
        let mut random = StdRng::seed_from_u64(11);
        for (schema, head) in [
            ("opportunity", "reference,title,description,category,city,Shelf,Zone"),
            ("measurement", "organization_identifier,indicator,period_start,value,unit,source,Shelf"),
        ] {
            let dataset = list(&world, schema);
            let columns = head.split(',').count();
            for round in 0..8 {
                let mut file = format!("{head}\n");
                for record in 0..24 {
                    if random.random_bool(0.3) {
                        continue;
                    }
                    let mut row = match schema {
                        "opportunity" => vec![format!("R{record}"), format!("t{}", CELLS.choose(&mut random).unwrap())],
                        _ => vec![format!("O{}", record % 4), format!("i{}", record / 4), "2026-01-01".to_owned(), random.random_range(0..9).to_string()],
                    };
                    while row.len() < columns {
                        row.push((*CELLS.choose(&mut random).unwrap()).to_owned());
                    }
                    let row: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
                    writeln!(file, "{}", row.join(",")).unwrap();
                }
                daff_follows(&world, &dataset, &file, round % 2 == 1, round % 3 > 0);
            }
        }
    }
}

on_both! {
    fn the_difference_has_its_items_in_every_format(world: World) {
        let dataset = list(&world, "opportunity");
        world.import(&dataset, OLD);
        let path = checked(&world, &dataset, "reference,title,city,Shelf\nA1,<b>Cook</b>,Bath,s-9\nA7,Painter,,\n", true, false);
        let of = |query: &str, format: &str| world.get_as(Editor, &format!("{path}/diff{query}"), format).expect(200).text();
        let mut items = world.get(Editor, &format!("{path}/diff?limit=1000")).items();
        let mut lines: Vec<Value> = of("", "application/x-ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let by_key = |item: &Value| item["key"].to_string();
        items.sort_by_key(by_key);
        lines.sort_by_key(by_key);
        assert_eq!(lines, items);
        assert_eq!(lines.len(), 7);
        let html = of("", "text/html");
        assert_eq!(html.matches("<tr class=\"diff-").count(), 7);
        assert_eq!(html.matches("class=\"diff-removed\"").count(), 5);
        assert!(html.contains("<del dir=\"auto\">Baker</del> <span class=\"diff-word\">now</span> <ins dir=\"auto\">&lt;b&gt;Cook&lt;/b&gt;</ins>"));
        assert!(!html.contains("<b>") && html.contains("dir=\"auto\">Shelf</th>") && html.ends_with("</table>\n"));
        // A column in which nothing differs is not shown, the key is.
        assert!(!html.contains(">status</th>") && html.contains(">reference</th>"));
        assert_eq!(of("?limit=2", "application/x-ndjson").lines().count(), 2);
        assert_eq!(of("?limit=2", "text/html").matches("<tr class=\"diff-").count(), 2);
        let some = cells(&of("?limit=1", "text/csv"));
        assert_eq!(some.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["@@", "...", "-->"]);
        world.get_as(Editor, &format!("{path}/diff?cursor=x"), "text/csv").problem(400, "unknown-parameter");
        world.get_as(ThirdOwner, &format!("{path}/diff"), "text/html").problem(404, "not-found");
    }
}

on_both! {
    fn a_long_difference_comes_in_chunks_and_whole(world: World) {
        let dataset = list(&world, "opportunity");
        let rows = |city: &str, range: std::ops::Range<u32>| range.map(|at| format!("R{at:05},Job {at},{city}\n")).collect::<String>();
        world.import(&dataset, format!("reference,title,city\n{}", rows("Bath", 0..1_300)));
        let file = format!("reference,title,city\n{}{}", rows("York", 700..1_300), rows("Hull", 1_300..2_400));
        let path = checked(&world, &dataset, &file, true, false);
        let lines = world.get_as(Editor, &format!("{path}/diff"), "application/x-ndjson").expect(200).text();
        assert_eq!(lines.lines().count(), 2_400);
        let old = export(&world, &dataset);
        let difference = world.get_as(Editor, &format!("{path}/diff"), "text/csv").expect(200).text();
        world.post(Editor, &format!("{path}/commit"), &json!({"removals": 10_000})).expect(200);
        assert_eq!(cells(&patched(&old, &difference)), cells(&export(&world, &dataset)));
    }
}
