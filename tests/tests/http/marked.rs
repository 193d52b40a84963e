//! The marked list: out, put right, and in again. And own lists as workbooks, which other people's programs open unchanged.

use std::time::Duration;

use hayward_tests::{on_both, peers};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{Editor, ThirdOwner};
use crate::world::{World, all_decided};

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const FILE: &str = "reference,title,country,closes_on,Shelf mark\n\
    A1,Baker,ES,2027-03-01,s-1\n\
    A2,Welder,FR,2027-04-01,s-2\n\
    A3,Driver,ES,not a day,s-3\n\
    ,,,,\n\
    A4,=1+1,Untied States,2027-05-01,'+34\n";

fn dataset(world: &World) -> String {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Jobs \"2027\"/Łódź"}));
    made.expect(201).json()["id"].as_str().unwrap().to_owned()
}

fn upload(world: &World, dataset: &str, name: &str, file: Vec<u8>) -> Value {
    let path = format!("/api/v1/datasets/{dataset}/imports?filename={name}");
    Answer::to(world.request(Editor, Method::POST, &path).body(file)).expect(201).json()
}

fn path_of(import: &Value) -> String {
    format!("/api/v1/imports/{}", import["id"].as_str().unwrap())
}

/// A draft of `file` with every column decided.
fn draft(world: &World, dataset: &str, file: &str) -> Value {
    let import = world.upload(dataset, file).expect(201).json();
    world.put(Editor, &format!("{}/matching", path_of(&import)), &all_decided(&import)).expect(200).json()
}

fn marked(world: &World, import: &Value, accept: &str) -> Answer {
    world.get_as(Editor, &format!("{}/marked", path_of(import)), accept).expect(200)
}

/// The name that an answer gives its file.
fn filename(answer: &Answer) -> String {
    let named = answer.header("content-disposition").split("filename=\"").nth(1).unwrap();
    named.split('"').next().unwrap().to_owned()
}

on_both! {
    fn the_marked_list_of_a_draft_comes_back_as_that_draft(world: World) {
        let dataset = dataset(&world);
        let import = draft(&world, &dataset, FILE);
        assert_eq!(import["counts"]["rejected"], 2);
        let list = marked(&world, &import, "text/csv");
        assert_eq!(list.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(list.header("cache-control"), "private, no-store");
        let text = list.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "problems,reference,title,country,closes_on,Shelf mark");
        assert_eq!(lines[1], ",A1,Baker,ES,2027-03-01,s-1");
        assert_eq!(lines[3], "\"! closes_on: is not a day, as in 2024-12-31\",A3,Driver,ES,not a day,s-3");
        assert_eq!((lines[4], lines.len()), (",,,,,", 6));
        assert!(lines[5].starts_with("\"! country: ") && lines[5].ends_with(",A4,'=1+1,Untied States,2027-05-01,'+34"), "{}", lines[5]);

        // One of the two is put right: whatever the file is called now, it is the same draft.
        let once = upload(&world, &dataset, "fixed.csv", text.replace("not a day", "2027-06-01").into_bytes());
        assert_eq!(once["id"], import["id"]);
        assert_eq!((&once["state"], &once["counts"]["rejected"]), (&json!("checked"), &json!(1)));
        assert_eq!((&once["counts"]["rows"], &once["counts"]["blank"]), (&import["counts"]["rows"], &import["counts"]["blank"]));
        assert_eq!(once["columns"][0]["field"], json!({"leave_out": true}));
        assert!(once["columns"][0]["reason"].as_str().unwrap().contains("marked"), "{}", once["columns"][0]);
        assert_eq!(once["columns"][5]["field"], json!({"private": true}), "what was decided stays");
        // Then the other, in a workbook.
        let book = marked(&world, &once, WORKBOOK);
        assert!(filename(&book).ends_with(&format!(".{}.xlsx", import["id"].as_str().unwrap())), "{}", filename(&book));
        let fixed = marked(&world, &once, "text/csv").text().replace("Untied States", "US");
        let twice = upload(&world, &dataset, "fixed%20again.csv", fixed.into_bytes());
        assert_eq!((&twice["id"], &twice["problem_count"]), (&import["id"], &json!(0)));
        let done = world.post(Editor, &format!("{}/commit", path_of(&twice)), &json!({})).ok();
        assert_eq!(done["counts"]["created"], 4);
        let records = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records?sort=reference")).items();
        assert_eq!(records[3]["title"], "=1+1");
        assert!(records[3].get("problems").is_none());
        world.get(Editor, &format!("{}/marked", path_of(&twice))).problem(410, "file-gone");
    }
}

on_both! {
    fn an_untouched_workbook_of_marks_comes_to_what_the_file_came_to(world: World) {
        let dataset = dataset(&world);
        let import = draft(&world, &dataset, FILE);
        let again = upload(&world, &dataset, "list.xlsx", marked(&world, &import, WORKBOOK).body);
        assert_eq!((&again["id"], &again["counts"]), (&import["id"], &import["counts"]));
        assert_eq!(again["reading"]["format"], "xlsx");
        // The same bytes a second time are the same file.
        let third = upload(&world, &dataset, "list.xlsx", marked(&world, &again, WORKBOOK).body);
        assert_eq!((&third["id"], &third["counts"]), (&import["id"], &import["counts"]));
    }
}

on_both! {
    fn nine_good_rows_go_in_at_once_and_the_tenth_when_it_is_put_right(world: World) {
        let dataset = dataset(&world);
        let good: String = (1..=9).map(|row| format!("G{row},Good {row},2027-01-0{row},mine\n")).collect();
        let file = format!("reference,title,closes_on,Own\n{good}B1,Bad,someday,mine\n");
        let import = world.import(&dataset, file);
        assert_eq!((&import["counts"]["created"], &import["counts"]["rejected"]), (&json!(9), &json!(1)));
        let list = marked(&world, &import, "text/csv");
        let fixed = list.text().replace(",someday,", ",2027-02-01,");
        let next = upload(&world, &dataset, "fixed.csv", fixed.into_bytes());
        assert_ne!(next["id"], import["id"], "what is committed stays what it was");
        assert_eq!((&next["state"], &next["problem_count"]), (&json!("checked"), &json!(0)), "{}", next["columns"]);
        let done = world.post(Editor, &format!("{}/commit", path_of(&next)), &json!({"edition": next["edition"]})).ok();
        assert_eq!((&done["counts"]["created"], &done["counts"]["unchanged"], &done["counts"]["updated"]), (&json!(1), &json!(9), &json!(0)));
        // Everything of the first file has gone in, or was put right: it is no longer kept.
        world.get(Editor, &format!("{}/marked", path_of(&import))).problem(410, "file-gone");
    }
}

on_both! {
    fn of_two_drafts_the_name_of_the_file_tells_which_is_meant(world: World) {
        let dataset = dataset(&world);
        let file = |month: &str| FILE.replace("2027-0", &format!("2027-{month}"));
        let (one, two) = (draft(&world, &dataset, &file("0")), draft(&world, &dataset, &file("1").replace("2027-15", "2027-12")));
        assert_ne!(one["id"], two["id"]);
        let list = marked(&world, &one, "text/csv");
        let fixed = list.text().replace("not a day", "2027-06-01");
        // Neither is touched where both could be meant.
        let other = upload(&world, &dataset, "fixed.csv", fixed.clone().into_bytes());
        assert!(other["id"] != one["id"] && other["id"] != two["id"]);
        assert_eq!((&other["state"], &other["counts"]["rejected"]), (&json!("checked"), &json!(1)));
        let named = upload(&world, &dataset, &filename(&list), (fixed + "\r\n").into_bytes());
        assert_eq!(named["id"], one["id"]);
        assert_eq!(world.get(Editor, &path_of(&two)).ok()["counts"], two["counts"]);
        // Nor is a list of other columns, or one with a word of somebody's own among the sentences.
        let own = list.text().replacen("\n,A1", "\nroof leaks,A1", 1);
        let own = upload(&world, &dataset, &filename(&list), own.into_bytes());
        assert_ne!(own["id"], one["id"]);
        assert_eq!((&own["columns"][0]["header"], &own["columns"][0]["field"]), (&json!("problems"), &json!(null)));
    }
}

on_both! {
    fn there_is_a_marked_list_only_where_there_are_rows_and_only_for_the_owner(world: World) {
        let dataset = dataset(&world);
        let import = draft(&world, &dataset, FILE);
        let path = format!("{}/marked", path_of(&import));
        world.get(ThirdOwner, &path).problem(404, "not-found");
        world.get_as(Editor, &path, "application/json").problem(406, "not-acceptable");
        world.get(Editor, &format!("{path}?surprise=1")).problem(400, "unknown-parameter");
        let unread = world.upload(&dataset, "").expect(201).json();
        world.get(Editor, &format!("{}/marked", path_of(&unread))).problem(409, "wrong-state");
        let long = format!("reference,title,Own\nA1,One,{}\nA2,,\n", "x".repeat(40_000));
        let import = draft(&world, &dataset, &long);
        let path = format!("{}/marked", path_of(&import));
        let refused = world.get_as(Editor, &path, WORKBOOK).problem(400, "too-large-for-xlsx");
        assert!(refused["detail"].as_str().unwrap().starts_with("row 2 "), "{refused}");
        assert!(!refused.to_string().contains("xxxx"));
        world.get_as(Editor, &path, "text/csv").expect(200);
        world.import(&dataset, long);
        world.get_as(Editor, &format!("/api/v1/datasets/{dataset}/records"), WORKBOOK).problem(400, "too-large-for-xlsx");
    }
}

/// Values that spreadsheets like to change.
const AWKWARD: [&str; 16] = [
    "=1+1",
    "-5",
    "+34600",
    "@x",
    "007",
    "1E5",
    "'apostrophe",
    "''=twice",
    "two\nlines",
    "a \"quote\", a comma; a tab\tin it",
    "Łódź 漢字 🙂",
    "12345678901234567890123",
    "1.50",
    "2024-02-30",
    "TRUE",
    "_x0041_",
];

/// A list whose every cell is awkward: as text of fields and of a private column, with days and numbers beside it.
fn awkward() -> String {
    let quoted = |text: &str| format!("\"{}\"", hayward_importers::csv_safe(text).replace('"', "\"\""));
    let rows = AWKWARD.iter().enumerate().map(|(at, text)| {
        let text = quoted(text);
        format!("{text},{text},{text},2027-01-{:02},{},-3.70379,{text}\n", at + 1, [1234.5, 12_345_678.25, 0.1, 41_000.0][at % 4])
    });
    rows.fold("reference,title,description,closes_on,salary_min,longitude,Own\n".to_owned(), |file, row| file + &row)
}

fn awkward_list(world: &World) -> String {
    let dataset = dataset(world);
    let import = world.import(&dataset, awkward());
    assert_eq!(import["counts"]["created"], AWKWARD.len(), "{}", import["problems"]);
    dataset
}

on_both! {
    fn what_is_exported_and_imported_again_changes_nothing(world: World) {
        let dataset = awkward_list(&world);
        let path = format!("/api/v1/datasets/{dataset}/records");
        let before = world.standing(&dataset);
        let values = world.get(Editor, &format!("{path}?sort=closes_on")).column("title");
        assert_eq!(values, AWKWARD);
        for format in ["text/csv", WORKBOOK] {
            let export = world.get_as(Editor, &path, format).expect(200).body;
            let import = world.upload(&dataset, export).expect(201).json();
            assert_eq!(import["state"], "checked", "every column is known from last time: {}", import["columns"]);
            assert_eq!(import["counts"]["unchanged"], AWKWARD.len(), "{format}: {} {}", import["counts"], import["problems"]);
            assert_eq!(world.post(Editor, &format!("{}/commit", path_of(&import)), &json!({})).ok()["state"], "committed");
            assert_eq!(world.standing(&dataset), before, "{format}");
        }
    }
}

on_both! {
    fn a_workbook_has_the_rows_of_the_csv_in_the_same_order(world: World) {
        let dataset = awkward_list(&world);
        for query in ["", "?sort=-title", "?sort=title&limit=3"] {
            let path = format!("/api/v1/datasets/{dataset}/records{query}");
            let book = world.get_as(Editor, &path, WORKBOOK).expect(200);
            assert_eq!(book.header("content-type"), WORKBOOK);
            let name = book.header("content-disposition");
            assert_eq!(name, "attachment; filename=\"Jobs__2027____d_.xlsx\"; filename*=UTF-8''Jobs__2027__%C5%81%C3%B3d%C5%BA.xlsx");
            let csv = world.get_as(Editor, &path, "text/csv").expect(200).text();
            assert_eq!(rows(&book.body), lines(&csv), "{query}");
        }
    }
}

/// The cells of a workbook, as our own importer reads them.
pub fn rows(book: &[u8]) -> Vec<Vec<String>> {
    let source = hayward_importers::HeldSource::new("list.xlsx", book);
    let profile = hayward_importers::profile(&source).unwrap();
    let rows = hayward_importers::grid(&source, &profile).unwrap();
    let columns = profile.columns.len();
    rows.map(|row| row.unwrap().1)
        .map(|mut row| {
            row.resize(columns, String::new());
            row
        })
        .collect()
}

/// The cells of our CSV, without the apostrophes that keep them from being formulas.
pub fn lines(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let plain = |cell: &str| hayward_importers::csv_plain(cell).to_owned();
    reader.records().map(|row| row.unwrap().iter().map(plain).collect()).collect()
}

fn saved(folder: &std::path::Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

on_both! {
    fn libreoffice_opens_our_workbooks_unchanged(world: World) {
        let folder = tempfile::tempdir().unwrap();
        let dataset = awkward_list(&world);
        let path = format!("/api/v1/datasets/{dataset}/records?sort=closes_on");
        let book = world.get_as(Editor, &path, WORKBOOK).expect(200).body;
        let csv = world.get_as(Editor, &path, "text/csv").expect(200).text();
        assert_eq!(peers::cells(&saved(folder.path(), "records.xlsx", &book)), lines(&csv));

        let import = draft(&world, &dataset, FILE);
        let book = marked(&world, &import, WORKBOOK).body;
        let csv = marked(&world, &import, "text/csv").text();
        assert_eq!(peers::cells(&saved(folder.path(), "marked.xlsx", &book)), lines(&csv));
        // Saved by it, the list is still the list of that draft, and a workbook of an own list still changes nothing.
        let (_made, again) = peers::converted(&saved(folder.path(), "marked.xlsx", &book), "ods");
        let back = upload(&world, &dataset, "marked.ods", std::fs::read(again).unwrap());
        assert_eq!((&back["id"], &back["counts"]), (&import["id"], &import["counts"]));
    }
}

on_both! {
    fn frictionless_reads_our_marked_lists(world: World) {
        let folder = tempfile::tempdir().unwrap();
        let import = draft(&world, &dataset(&world), &FILE.replace(",,,,\n", ""));
        for (format, name) in [("text/csv", "marked.csv"), (WORKBOOK, "marked.xlsx")] {
            saved(folder.path(), name, &marked(&world, &import, format).body);
            let said = peers::run(peers::frictionless().args(["validate", name, "--json"]).current_dir(folder.path()));
            let said: Value = serde_json::from_slice(&said.stdout).unwrap();
            assert_eq!(said["valid"], true, "{name}: {said}");
            let labels = json!(["problems", "reference", "title", "country", "closes_on", "Shelf mark"]);
            assert_eq!(said["tasks"][0]["labels"], labels, "{name}");
            assert_eq!(said["tasks"][0]["stats"]["rows"], 4, "{name}");
        }
    }
}

/// What the system says about the memory of this process, in kilobytes.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

on_both! {
    fn a_list_of_a_hundred_thousand_wrong_rows_takes_little_memory(world: World) {
        const ROWS: usize = 100_000;
        let words = "of many words ".repeat(8);
        let rows = (1..=ROWS).map(|row| format!("M{row},soon,someday,{words}\n"));
        let file: String = std::iter::once("reference,opens_on,closes_on,description\n".to_owned()).chain(rows).collect();
        let (size, dataset) = (file.len() as u64 / 1024, dataset(&world));
        let path = format!("/api/v1/datasets/{dataset}/imports?filename=large.csv");
        let begun = Answer::to(world.request(Editor, Method::POST, &path).body(file).timeout(Duration::from_secs(300)));
        // It may be told to be looked for later.
        let path = begun.header("location").to_owned();
        let read = (0..1_200).map(|_| world.get(Editor, &path).ok()).find(|import| {
            std::thread::sleep(Duration::from_millis(250));
            import["state"] != "reading"
        });
        let import = read.expect("the file is read within minutes");
        assert_eq!(import["counts"]["rejected"], ROWS);
        let path = format!("{}/marked", path_of(&import));
        for format in ["text/csv", WORKBOOK] {
            let held = memory("VmRSS:");
            // From here on the peak is counted anew (proc(5)).
            std::fs::write("/proc/self/clear_refs", "5").unwrap();
            let asked = world.request(Editor, Method::GET, &path).header("Accept", format);
            let mut answer = asked.timeout(Duration::from_secs(300)).send().unwrap();
            assert_eq!(answer.status(), 200);
            let folder = tempfile::tempdir().unwrap();
            let list = folder.path().join("list");
            std::io::copy(&mut answer, &mut std::fs::File::create(&list).unwrap()).unwrap();
            let grown = memory("VmHWM:").saturating_sub(held);
            assert!(grown < size, "{format}: {grown} kB for a file of {size} kB");

            let source = hayward_importers::FileSource::new(&list, "list");
            let profile = hayward_importers::profile(&source).unwrap();
            assert_eq!(profile.rows, ROWS as u64 + 1);
            let last = hayward_importers::grid(&source, &profile).unwrap().last().unwrap().unwrap().1;
            // Two problems a row, of which the first hundred thousand are kept.
            assert!(last[0].starts_with(&format!("! {} more problems are not shown here", import["problem_count"].as_u64().unwrap() - 100_000)));
        }
    }
}
