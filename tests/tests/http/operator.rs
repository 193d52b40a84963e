//! The operator: every command, what it prints, and that none of it is a row of anybody's list.

use std::path::{Path, PathBuf};
use std::process::Output;

use hayward::config;
use hayward_store::Keyring;
use hayward_tests::browser::Browser;
use hayward_tests::cluster::ClusterError;
use hayward_tests::{Kind, TestDatabase, on_both, raw};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use serde_json::{Value, json};

use crate::founding::SEED;
use crate::lists;
use crate::process::{printed, run, serving};
use crate::program::FIRST;
use crate::world::Persona::{PartnerClient, Steward};
use crate::world::World;

/// The keys of the founded commons, as a file.
fn keys(world: &World) -> PathBuf {
    let mut bytes = [0; 128];
    StdRng::seed_from_u64(SEED).fill_bytes(&mut bytes);
    let path = world.database.folder().join("hayward.keys");
    config::write_keys(&path, &Keyring::from_random(&bytes)).unwrap();
    path
}

fn typed(database: &TestDatabase, keys: &Path, words: &[&str]) -> Output {
    run(&[words, &["--database-url", database.url()]].concat(), |program| {
        program.env("HAYWARD_KEY_FILE", keys);
        program.env("HAYWARD_LOG", "trace");
    })
}

/// Every command that `hayward admin` has, without its options: `person add`.
fn commands() -> Vec<String> {
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let own = format!("{path} {}", command.get_name());
        if command.has_subcommands() {
            command.get_subcommands().for_each(|each| leaves(each, &own, found));
        } else {
            found.push(own.trim_start().to_owned());
        }
    }
    let mut found = Vec::new();
    let root = hayward::cli::command();
    let admin = root.get_subcommands().find(|command| command.get_name() == "admin").unwrap();
    admin.get_subcommands().for_each(|each| leaves(each, "", &mut found));
    found
}

/// What is typed for each command, in an order that works.
fn walk(client: &str, invite: &str, schema: &str) -> Vec<Vec<String>> {
    let lines = [
        "organization add --slug fifth --name Fifth".to_owned(),
        "organization list".to_owned(),
        "organization show vall".to_owned(),
        "organization rename fifth --name Quinta".to_owned(),
        "organization rule fifth all".to_owned(),
        "person add --email walker@people.example --name Walker --organization fifth --role editor".to_owned(),
        "person list".to_owned(),
        "person reset-password --email walker@people.example".to_owned(),
        "person sign-out --email walker@people.example".to_owned(),
        "person disable --email walker@people.example".to_owned(),
        "person enable --email walker@people.example".to_owned(),
        "role add --email walker@people.example --organization fifth --role viewer".to_owned(),
        "role remove --email walker@people.example --organization fifth --role viewer".to_owned(),
        "invite add --email guest@people.example --organization fifth --role viewer".to_owned(),
        "invite list".to_owned(),
        format!("invite revoke {invite}"),
        "client add --organization fifth --name Map --scopes directory:read".to_owned(),
        "client list".to_owned(),
        format!("client rotate {client}"),
        format!("client revoke {client}"),
        format!("schema register {schema}"),
        "schema list".to_owned(),
        "schema show opportunity".to_owned(),
        "dataset add --organization fifth --schema organization --name Directory".to_owned(),
        "dataset list".to_owned(),
        "settings show".to_owned(),
        "settings set --grace-minutes 5".to_owned(),
        "token revoke".to_owned(),
        "keys show".to_owned(),
        "keys rotate".to_owned(),
        "acts".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[track_caller]
fn nothing_of_the_lists(text: &str, place: &str) {
    for mark in lists::canaries() {
        assert!(!text.contains(&mark), "{place} holds `{mark}`: {text}");
    }
}

on_both! {
    fn no_command_of_the_operator_shows_a_value_of_a_list(world: World) {
        let keys = keys(&world);
        let World { server, database, .. } = world;
        let store = server.store();
        let slug = store.organizations().unwrap().first().unwrap().slug.clone();
        drop(server);
        let admin = |words: &[&str]| typed(&database, &keys, &[&["admin"], words, &["--json"]].concat());
        let made = |words: &str| printed(&admin(&words.split(' ').collect::<Vec<_>>()));
        let client = made(&format!("client add --organization {slug} --name X --scopes directory:read"))["client_id"].clone();
        let invite = made(&format!("invite add --email first@people.example --organization {slug} --role viewer"))["id"].clone();
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/examples/registered/venue.json");
        let mut walked = Vec::new();
        for words in walk(client.as_str().unwrap(), invite.as_str().unwrap(), schema) {
            let words: Vec<&str> = words.iter().map(|word| if word == "vall" { slug.as_str() } else { word }).collect();
            // A token is read from standard input, which is empty here.
            let expected = if words == ["token", "revoke"] { 2 } else { 0 };
            for json in [true, false] {
                // What can be done once only is not done again to see it in words.
                let again = ["add", "revoke", "rotate", "remove", "register"].contains(words.get(1).unwrap_or(&""));
                if again && !json {
                    continue;
                }
                let shape: &[&str] = if json { &["--json"] } else { &[] };
                let output = typed(&database, &keys, &[&["admin"][..], &words, shape].concat());
                let said = [output.stdout.clone(), output.stderr.clone()].concat();
                let said = String::from_utf8_lossy(&said);
                assert_eq!(output.status.code(), Some(expected), "{words:?}: {said}");
                nothing_of_the_lists(&said, &words.join(" "));
            }
            walked.push(words.iter().take(if words[0] == "acts" { 1 } else { 2 }).copied().collect::<Vec<_>>().join(" "));
        }
        assert_eq!(walked, { let mut all = commands(); all.sort_by_key(|one| walked.iter().position(|each| each == one)); all });
        let acts = made("acts --limit 500").to_string();
        for act in ["person disable", "invite add", "client rotate", "keys rotate"] {
            assert!(acts.contains(act), "`{act}` was not written down");
        }
        assert!(!acts.contains("people.example") && !acts.contains("Quinta"), "an act holds a name");
        // The keys were exchanged: what there is opens with the new file and no longer with the old.
        assert_eq!(typed(&database, &keys, &["admin", "organization", "list"]).status.code(), Some(0));
        let former = std::fs::read_dir(database.folder()).unwrap().map(|file| file.unwrap().path());
        let former = former.into_iter().find(|path| path.to_string_lossy().contains(".before-")).unwrap();
        assert_eq!(typed(&database, &former, &["admin", "organization", "list"]).status.code(), Some(2));
    }
}

on_both! {
    fn an_invitation_is_looked_at_often_and_accepted_once(db: TestDatabase) {
        let mut server = serving("serve", &db, &[]);
        let setup = server.line().split_whitespace().last().unwrap().to_owned();
        let http = crate::process::http();
        let browser = Browser::new(&server.url);
        assert_eq!(browser.fill(&setup, &FIRST).status, 201);
        let keys = db.folder().join("keys");
        let words = ["admin", "invite", "add", "--email", "Eva@First.example", "--organization", "first", "--role", "editor", "--json"];
        let invite = printed(&typed(&db, &keys, &words));
        let address = format!("{}{}", server.url, invite["address"].as_str().unwrap());
        for _ in 0..2 {
            let page = http.get(&address).send().unwrap();
            assert_eq!(page.status(), 200);
            assert_eq!(page.headers()["cache-control"], "no-store");
            let page = page.text().unwrap();
            assert!(page.contains("eva@first.example") && page.contains("A &#60;b&#62; co-op"), "{page}");
        }
        let eva = [("name", "Eva"), ("password", "another long password")];
        assert_eq!(http.post(&address).form(&eva).send().unwrap().status(), 403);
        let page = browser.get(&address);
        assert_eq!(browser.post_from(&page, &address, &[("name", "Eva"), ("password", "short")]).status, 400);
        assert_eq!(browser.post_from(&page, &format!("{address}x"), &eva).status, 404);
        assert_eq!(browser.post_from(&page, &address, &eva).status, 201);
        assert_eq!(browser.post_from(&page, &address, &eva).status, 404);
        assert_eq!(http.get(&address).send().unwrap().status(), 404);
        let sign_in = json!({"email": "eva@first.example", "password": "another long password"});
        let sessions = format!("{}/api/v1/sessions", server.url);
        let session: Value = http.post(&sessions).json(&sign_in).send().unwrap().json().unwrap();
        assert!(session["scope"].as_str().unwrap().contains("imports:write"));
        let token = session["access_token"].as_str().unwrap();
        let datasets = || http.get(format!("{}/api/v1/datasets", server.url)).bearer_auth(token).send().unwrap().status();
        assert_eq!(datasets(), 200);
        let disabled = typed(&db, &keys, &["admin", "person", "disable", "--email", "eva@first.example"]);
        assert_eq!(disabled.status.code(), Some(0));
        assert_eq!(datasets(), 401);
        assert_eq!(http.post(&sessions).json(&sign_in).send().unwrap().status(), 401);
        server.stop();
    }
}

/// The status of one check.
fn of<'a>(report: &'a Value, name: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check `{name}`: {report}"))["status"]
        .as_str()
        .unwrap()
}

on_both! {
    fn the_doctor_says_what_is_wrong_and_changes_nothing(world: World) {
        let keys = keys(&world);
        world.get(PartnerClient, "/api/v1/opportunities").expect(200);
        let store = world.server.store();
        let ledger = &world.server.commons.ledger.store;
        hayward::ledger::seal::all(ledger, &store.keyring().signing(), store.now()).unwrap();
        store.note("last_backup", &chrono::Utc::now().timestamp_micros().to_string()).unwrap();
        let World { server, database, .. } = world;
        drop(server);
        let doctor = || {
            let output = typed(&database, &keys, &["doctor", "--json"]);
            let report = printed(&output);
            nothing_of_the_lists(&report.to_string(), "the doctor");
            (output.status.code().unwrap(), report)
        };
        let (_, report) = doctor();
        for name in ["database", "migrations", "keys", "recipients", "backups", "writers", "imports", "chains", "structure"] {
            assert_eq!(of(&report, name), "ok", "{name}: {report}");
        }

        raw::ledger::tell(&database, "update entries set disclosed = replace(disclosed, '\"count\":8', '\"count\":7')");
        let (code, report) = doctor();
        assert_eq!((code, of(&report, "chains")), (2, "failed"), "{report}");

        let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&keys, open).unwrap();
        assert_eq!(of(&doctor().1, "keys"), "failed");
        std::fs::remove_file(&keys).unwrap();
        assert_eq!(of(&doctor().1, "keys"), "failed");
        assert!(!keys.exists(), "the doctor made a key file");

        raw::tell(&database, "insert into migrations (version, name) values (9999, 'from the future')");
        let (code, report) = doctor();
        assert_eq!((code, of(&report, "migrations")), (2, "failed"));
    }
}

on_both! {
    fn a_database_of_a_newer_program_is_refused_by_every_command(db: TestDatabase) {
        serving("serve", &db, &[]).stop();
        raw::tell(&db, "insert into migrations (version, name) values (9999, 'from the future')");
        let keys = db.folder().join("keys");
        for words in [
            &["admin", "organization", "list"][..],
            &["serve", "--listen", "127.0.0.1:0"],
            &["import", "/nowhere.csv", "--dataset", "ds_aaaaaaaaaaaaaaaaaaaaaaaa"],
        ] {
            let output = typed(&db, &keys, words);
            assert_eq!(output.status.code(), Some(2), "{words:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("newer Hayward"), "{words:?}");
        }
    }
}

#[test]
fn the_doctor_makes_nothing_where_there_is_nothing() -> Result<(), ClusterError> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("none.db").display());
    let output = run(&["doctor", "--json", "--database-url", &url], |_| {});
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(of(&printed(&output), "database"), "failed");
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    assert_eq!(run(&["ready", "--listen", "127.0.0.1:9"], |_| {}).status.code(), Some(2));
    Ok(())
}

#[test]
fn a_server_that_answers_is_ready() -> Result<(), ClusterError> {
    let db = TestDatabase::new(Kind::Sqlite)?;
    let server = serving("serve", &db, &[]);
    let listen = server.url.strip_prefix("http://").unwrap().to_owned();
    assert_eq!(run(&["ready", "--listen", &listen], |_| {}).status.code(), Some(0));
    server.stop();
    Ok(())
}

on_both! {
    fn ids_and_pseudonyms_outlive_a_rotation_of_the_keys(world: World) {
        let keys = keys(&world);
        let shown = |server: &hayward_tests::server::Server| {
            let answer = crate::answer::Answer::from(server.get("/api/v1/opportunities?limit=1000", PartnerClient.token().as_deref()));
            answer.expect(200).json()["items"].clone()
        };
        let before = shown(&world.server);
        let first = world.get(PartnerClient, "/api/v1/opportunities?limit=1").expect(200).json();
        let store = world.server.store();
        let old_key = hayward::ledger::seal::public_key(&store.keyring().signing());
        hayward::ledger::seal::all(&world.server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
        let rotated = typed(&world.database, &keys, &["admin", "keys", "rotate", "--json"]);
        assert_eq!(rotated.status.code(), Some(0), "{}", String::from_utf8_lossy(&rotated.stderr));
        assert!(printed(&rotated)["secrets_rewrapped"].as_u64().unwrap() > 0);

        // A server with the former keys makes no agreement any more.
        let terms = world.terms(world.id("unshared"), json!({"title": "exact"}));
        world.post(Steward, "/api/v1/agreements", &terms).problem(503, "unavailable");

        let World { server, database, .. } = world;
        drop(server);
        let fresh = Keyring::from_file(&std::fs::read_to_string(&keys).unwrap()).unwrap();
        let server = hayward_tests::server::Server::start_with(database.url(), fresh, 99, Default::default());
        assert_eq!(shown(&server), before);
        let cursor = first["next"].as_str().unwrap();
        let gone = server.get(&format!("/api/v1/opportunities?limit=1&cursor={cursor}"), PartnerClient.token().as_deref());
        assert_eq!(gone.status(), 410);
        let export = server.request(reqwest::Method::GET, "/api/v1/disclosures", Steward.token().as_deref());
        let export = export.header("Accept", "application/x-ndjson").send().unwrap().text().unwrap();
        let verified = verified_with(&export, &old_key).unwrap();
        assert!(verified.checkpoint && verified.faults.is_empty(), "{verified:?}");

        // What the new key signs is vouched for by the old one.
        assert_eq!(server.get("/api/v1/opportunities?limit=2", PartnerClient.token().as_deref()).status(), 200);
        let store = server.store();
        hayward::ledger::seal::all(&server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
        let export = server.request(reqwest::Method::GET, "/api/v1/disclosures", Steward.token().as_deref());
        let export = export.header("Accept", "application/x-ndjson").send().unwrap().text().unwrap();
        let verified = verified_with(&export, &old_key).unwrap();
        assert!(verified.checkpoint && verified.faults.is_empty(), "{verified:?}");
        let broken = export.replace("\"successor\":\"", "\"successor\":\"a");
        let broken = verified_with(&broken, &old_key).unwrap();
        assert!(broken.faults.iter().any(|fault| fault.contains("another key")), "{broken:?}");
    }
}

on_both! {
    fn a_rotation_that_a_crash_interrupted_is_ended_by_the_next_command(world: World) {
        let keys = keys(&world);
        let World { server, database, .. } = world;
        let all = hayward_store::Rotate { wrap: true, cursor: true, signing: true };
        let fresh = server.store().keyring().rotated(all, &[9; 128]);
        // Written, and not used yet: the old file counts.
        config::write_next_keys(&keys, &fresh).unwrap();
        assert_eq!(typed(&database, &keys, &["admin", "organization", "list"]).status.code(), Some(0));
        // Used, and not put in its place.
        server.store().rotate_keys(&fresh, None).unwrap();
        drop(server);
        assert_eq!(typed(&database, &keys, &["admin", "organization", "list"]).status.code(), Some(0));
        let now = Keyring::from_file(&std::fs::read_to_string(&keys).unwrap()).unwrap();
        assert_eq!(now.print(), fresh.print());
    }
}

/// Lints what there are tools for, and replays the container's steps.
#[test]
fn what_is_deployed_is_checked() {
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/check");
    let output = std::process::Command::new("bash").arg(check).arg(hayward_tests::program::built()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("run     the container's steps"), "{said}");
}

fn verified_with(export: &str, key: &str) -> std::io::Result<hayward::ledger::verify::Report> {
    let insist = hayward::ledger::verify::Insist { key: Some(key), checkpoint: None };
    hayward::ledger::verify::verify(std::io::Cursor::new(export), insist)
}
