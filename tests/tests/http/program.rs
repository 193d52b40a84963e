//! The program as people start it: its commands, what they print, how they end.

use std::path::{Path, PathBuf};
use std::process::Command;

use hayward::config;
use hayward::routes::ROUTES;
use hayward_store::Keyring;
use hayward_tests::browser::Browser;
use hayward_tests::cluster::ClusterError;
use hayward_tests::server::{Server, TestClock};
use hayward_tests::{Kind, TestDatabase, on_both};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::founding::SEED;
use crate::process::{Running, http, printed, run, serving};
use crate::world::Persona::{Editor, PartnerClient, Steward};
use crate::world::World;

/// How a commons is set up.
pub const FIRST: [(&str, &str); 6] = [
    ("commons", "Test"),
    ("organization", "A <b> co-op"),
    ("slug", "first"),
    ("name", "Ada"),
    ("email", "ada@first.example"),
    ("password", "a long password"),
];

on_both! {
    fn an_empty_commons_is_set_up_once_at_the_address_it_prints(db: TestDatabase) {
        let mut server = serving("serve", &db, &[]);
        let said = server.line();
        let url = said.split_whitespace().last().unwrap().to_owned();
        assert!(url.starts_with(&server.url), "{said}");
        let http = http();
        assert_eq!(http.get(format!("{}/setup", server.url)).send().unwrap().status(), 404);
        assert_eq!(http.get(format!("{url}x")).send().unwrap().status(), 404);
        let page = http.get(&url).send().unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().unwrap().contains("<form"));
        let browser = Browser::new(&server.url);
        let page = browser.get(&url);
        // A form that we never showed is not taken.
        assert_eq!(http.post(&url).form(&FIRST).send().unwrap().status(), 403);
        assert_eq!(browser.post_from(&page, &url, &FIRST).status, 201);
        assert_eq!(http.get(&url).send().unwrap().status(), 410);
        assert_eq!(browser.post_from(&page, &url, &FIRST).status, 410);
        let sign_in = json!({"email": "ada@first.example", "password": "a long password"});
        let session = http.post(format!("{}/api/v1/sessions", server.url)).json(&sign_in).send().unwrap();
        assert_eq!(session.status(), 201);
        server.stop();

        // Started again, it is set up: there is nothing more to print.
        let server = serving("serve", &db, &[]);
        assert_eq!(http.get(format!("{}/setup", server.url)).send().unwrap().status(), 410);
        assert_eq!(http.post(format!("{}/api/v1/sessions", server.url)).json(&sign_in).send().unwrap().status(), 201);
        server.stop();
    }
}

on_both! {
    fn a_database_is_not_opened_with_other_keys(db: TestDatabase) {
        serving("serve", &db, &[]).stop();
        let other = db.folder().join("other-keys");
        let refused = run(&["serve", "--listen", "127.0.0.1:0", "--database-url", db.url()], |program| {
            program.env("HAYWARD_KEY_FILE", &other);
        });
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("other keys"));
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn check_says_what_an_import_would() -> Result<(), ClusterError> {
    let folder = tempfile::tempdir()?;
    let check = |name: &str, text: &str| {
        let file = write(folder.path(), name, text);
        run(&["check", &file, "--schema", "organization", "--json"], |_| {})
    };
    let clean = check("clean.csv", "identifier,name\nA,One\nB,Two\n");
    assert_eq!(clean.status.code(), Some(0));
    let clean = printed(&clean);
    assert_eq!(clean["counts"]["rows"], 2);
    assert_eq!(clean["counts"]["created"], 2);
    assert_eq!(clean["reading"]["format"], "csv");

    let wrong = check("wrong.csv", "identifier,name,founded_on\nA,One,yesterday\n,Two,\n");
    assert_eq!(wrong.status.code(), Some(1));
    let wrong = printed(&wrong);
    assert_eq!(wrong["counts"]["rejected"].as_u64().unwrap() + wrong["counts"]["created"].as_u64().unwrap(), 2);
    assert!(!wrong["problems"].as_array().unwrap().is_empty());

    assert_eq!(check("empty.csv", "").status.code(), Some(2));
    assert_eq!(run(&["check", "/nowhere.csv", "--schema", "organization", "--json"], |_| {}).status.code(), Some(2));
    let file = write(folder.path(), "again.csv", "identifier,name\nA,One\n");
    assert_eq!(run(&["check", &file, "--schema", "nonsense", "--json"], |_| {}).status.code(), Some(2));
    Ok(())
}

#[test]
fn check_writes_the_marked_list_of_a_file_and_knows_it() -> Result<(), ClusterError> {
    let folder = tempfile::tempdir()?;
    let file = write(folder.path(), "wrong.csv", "identifier,name,founded_on\nA,One,yesterday\nB,=Two,2020-01-01\n");
    for ending in ["csv", "xlsx"] {
        let list = folder.path().join(format!("marked.{ending}")).to_str().unwrap().to_owned();
        let first = run(&["check", &file, "--schema", "organization", "--marked", &list, "--json"], |_| {});
        assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stderr));
        let again = run(&["check", &list, "--schema", "organization", "--json"], |_| {});
        let (first, again) = (printed(&first), printed(&again));
        assert_eq!((&again["counts"], &again["state"]), (&first["counts"], &json!("checked")));
        assert_eq!(again["columns"][0]["field"], json!({"leave_out": true}));
        assert_eq!(again["problems"][0]["column"], "D");
    }
    let text = std::fs::read_to_string(folder.path().join("marked.csv"))?;
    assert_eq!(text.lines().nth(1), Some("\"! founded_on: is not a day, as in 2024-12-31\",A,One,yesterday"));
    let other = folder.path().join("marked.txt");
    let refused = run(&["check", &file, "--schema", "organization", "--marked", other.to_str().unwrap()], |_| {});
    assert_eq!((refused.status.code(), other.exists()), (Some(2), false));
    Ok(())
}

#[test]
fn routes_are_listed_with_what_they_need() {
    let listed = run(&["routes", "--json"], |_| {});
    assert!(listed.status.success());
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed, serde_json::to_value(ROUTES).unwrap());
}

/// The keys of the founded commons, as a file.
fn founded_keys(world: &World) -> PathBuf {
    let mut bytes = [0; 128];
    StdRng::seed_from_u64(SEED).fill_bytes(&mut bytes);
    let path = world.database.folder().join("founded.keys");
    config::write_keys(&path, &Keyring::from_random(&bytes)).unwrap();
    path
}

on_both! {
    fn import_writes_a_file_into_a_list(world: World) {
        let (keys, dataset) = (founded_keys(&world), world.id("unshared").to_owned());
        // Stopped: the program goes by the machine's clock, and would take the other's claims for old ones.
        let World { server, database, .. } = world;
        drop(server);
        let import = |name: &str, text: &str, more: &[&str]| {
            let file = write(database.folder(), name, text);
            let arguments =
                [&["import", &file, "--dataset", &dataset, "--json", "--database-url", database.url()], more].concat();
            run(&arguments, |program| {
                program.env("HAYWARD_KEY_FILE", &keys);
            })
        };
        let draft = import("one.csv", "reference,title\nCLI-1,From the command line\n", &[]);
        assert_eq!(draft.status.code(), Some(0), "{}", String::from_utf8_lossy(&draft.stderr));
        assert_eq!(printed(&draft)["state"], "checked");

        let done = import("one.csv", "reference,title\nCLI-1,From the command line\n", &["--commit"]);
        assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
        let done = printed(&done);
        assert_eq!((done["state"].as_str(), done["counts"]["created"].as_u64()), (Some("committed"), Some(1)));

        let wrong = import("two.csv", "reference,title\nCLI-2,Good\n,Without a reference\n", &["--commit"]);
        assert_eq!(wrong.status.code(), Some(1));
        assert_eq!(printed(&wrong)["counts"]["rejected"], 1);
        let undecided = import("three.csv", "reference,title,Unheard of\nCLI-3,Three,x\n", &["--commit"]);
        assert_eq!(undecided.status.code(), Some(2));
        assert_eq!(import("four.csv", "", &["--commit"]).status.code(), Some(2));

        let server = Server::start_again(database.url(), SEED, 1, TestClock::default());
        let records = server.get(&format!("/api/v1/datasets/{dataset}/records?sort=reference"), Editor.token().as_deref());
        assert_eq!(Answer::from(records).column("reference"), ["CLI-1", "CLI-2", "ZQX-U1", "ZQX-U2", "ZQX-U3"]);
    }
}

on_both! {
    fn ledger_verify_checks_an_export(world: World) {
        world.get(PartnerClient, "/api/v1/opportunities").expect(200);
        let store = world.server.store();
        hayward::ledger::seal::all(&world.server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
        let export = world.get_as(Steward, "/api/v1/disclosures", "application/x-ndjson").expect(200).text();
        let verify = |text: &str| {
            let file = write(world.database.folder(), "export.ndjson", text);
            run(&["ledger", "verify", &file, "--json"], |_| {})
        };
        let whole = verify(&export);
        assert_eq!(whole.status.code(), Some(0));
        assert_eq!(printed(&whole)["sealed"], 1);
        let changed = verify(&export.replace("\"count\":8", "\"count\":9"));
        assert_eq!(changed.status.code(), Some(1));
        assert!(printed(&changed)["faults"][0].as_str().unwrap().contains("position 1"));
        assert_eq!(run(&["ledger", "verify", "/nowhere", "--json"], |_| {}).status.code(), Some(2));
    }
}

/// Three lines as the demo prints them, for a shell.
fn curl_lines(server: &mut Running) -> Vec<String> {
    let mut lines = Vec::new();
    while lines.len() < 3 {
        let line = server.line();
        if line.trim_start().starts_with("curl ") {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}

// Once: the demo's own tests seed both databases, and an unoptimised build takes its time.
#[test]
fn the_demo_says_who_can_sign_in_and_goes_on_where_it_stopped() -> Result<(), ClusterError> {
    let db = TestDatabase::new(Kind::Sqlite)?;
    let file = db.folder().join("credentials.json");
    let mut demo = serving("demo", &db, &["--credentials", file.to_str().unwrap()]);
    for line in curl_lines(&mut demo) {
        let output = Command::new("sh").args(["-c", &format!("{line} --fail")]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            answer["access_token"].is_string() || answer["items"].as_array().is_some_and(|items| !items.is_empty()),
            "{line}: {answer}"
        );
    }
    let credentials: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(credentials["base_url"], demo.url);
    let organizations = credentials["organizations"].as_array().unwrap().clone();
    let with_clients = organizations.iter().filter(|organization| !organization["clients"].as_array().unwrap().is_empty());
    assert!(with_clients.count() >= 3);
    let people = organizations.iter().flat_map(|organization| organization["people"].as_array().unwrap());
    let steward = people.clone().find(|person| person["roles"].as_array().unwrap().contains(&json!("steward"))).unwrap().clone();
    let (email, password) = (&steward["email"], &steward["password"]);
    let signed_in =
        http().post(format!("{}/api/v1/sessions", demo.url)).json(&json!({"email": email, "password": password})).send();
    assert_eq!(signed_in.unwrap().status(), 201);
    demo.stop();

    let server = serving("serve", &db, &[]);
    let agreements = http().get(format!("{}/api/v1/agreements", server.url)).bearer_auth(steward["token"].as_str().unwrap());
    assert_eq!(agreements.send().unwrap().status(), 200, "tokens go on working");
    server.stop();
    Ok(())
}
