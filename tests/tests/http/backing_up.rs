//! `hayward backup` and `hayward restore`, as an operator types them.

use std::path::Path;
use std::process::Output;

use hayward_tests::{TestDatabase, on_both};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::process::{http, printed, run, serving};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn hayward(arguments: &[&str], keys: &Path) -> Output {
    run(arguments, |program| {
        program.env("HAYWARD_KEY_FILE", keys);
    })
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn ask(client: &Client, url: &str, token: &str) -> Value {
    client.get(url).bearer_auth(token).send().unwrap().json().unwrap()
}

/// A steward's token, and an agreement in force that the steward's co-op provides.
fn steward_and_agreement(client: &Client, url: &str, credentials: &Path) -> (String, String) {
    let world: Value = serde_json::from_str(&std::fs::read_to_string(credentials).unwrap()).unwrap();
    for organization in world["organizations"].as_array().unwrap() {
        for person in organization["people"].as_array().unwrap() {
            if !person["roles"].as_array().unwrap().contains(&json!("steward")) {
                continue;
            }
            let token = person["token"].as_str().unwrap().to_owned();
            let agreements = ask(client, &format!("{url}/api/v1/agreements"), &token);
            let mut agreements = agreements["items"].as_array().unwrap().iter();
            let own = |item: &&Value| item["state"] == "active" && item["provider"] == organization["id"] && item["version"] == 1;
            if let Some(found) = agreements.find(own) {
                return (token, found["id"].as_str().unwrap().to_owned());
            }
        }
    }
    panic!("nobody in the demo provides anything")
}

on_both! {
    fn a_served_commons_is_backed_up_and_what_was_closed_after_it_stays_closed(db: TestDatabase) {
        let (folder, client) = (db.folder(), http());
        let (keys, credentials, archive) = (folder.join("keys"), folder.join("who.json"), folder.join("archive.hay"));
        let server = serving("demo", &db, &["--credentials", &text(&credentials)]);
        while !credentials.exists() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let (token, agreement) = steward_and_agreement(&client, &server.url, &credentials);
        let arguments = ["backup", &text(&archive), "--database-url", db.url(), "--json"];
        let made = hayward(&arguments, &keys);
        assert_eq!(status(&made), 0, "{}", String::from_utf8_lossy(&made.stderr));
        assert!(printed(&made)["rows"].as_u64().unwrap() > 1_000);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&archive.metadata().unwrap().permissions()) & 0o777, 0o600);
        // An archive is never overwritten.
        let again = hayward(&arguments, &keys);
        assert_eq!((status(&again), printed(&again)["error"]["code"].as_str()), (2, Some("archive-exists")));

        let suspend = format!("{}/api/v1/agreements/{agreement}/suspend", server.url);
        let suspended = client.post(suspend).bearer_auth(&token).json(&json!({"version": 1})).send().unwrap();
        assert_eq!(suspended.status(), 200);
        server.stop();

        let new = TestDatabase::new(db.kind())?;
        let restore = ["restore", &text(&archive), "--database-url", new.url(), "--verify", "--json"];
        let restored = hayward(&restore, &keys);
        let said = printed(&restored);
        assert_eq!((status(&restored), &said["restored"], &said["verified"]), (0, &json!(true), &json!(true)), "{said}");
        let expected = json!([{"what": "suspend", "agreement": agreement, "version": 1, "outcome": "closed"}]);
        assert_eq!(said["replayed"].as_array().unwrap().iter().filter(|one| one["agreement"] == agreement.as_str()).count(), 1);
        assert_eq!(said["replayed"], expected);
        // What is there is not replaced.
        assert_eq!(printed(&hayward(&restore, &keys))["error"]["code"], "not-empty");

        std::fs::copy(&keys, new.folder().join("keys")).unwrap();
        let server = serving("serve", &new, &[]);
        assert_eq!(ask(&client, &format!("{}/api/v1/agreements/{agreement}", server.url), &token)["state"], "suspended");
        server.stop();
    }
}

#[test]
fn what_cannot_be_restored_is_refused_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (keys, archive, journal) = (path("hayward.keys"), path("archive.hay"), path("other.journal"));
    let url = format!("sqlite:{}", text(&path("hayward.db")));
    assert_eq!(status(&hayward(&["admin", "--database-url", &url, "organization", "list"], &keys)), 0);
    assert_eq!(status(&hayward(&["backup", &text(&archive), "--database-url", &url], &keys)), 0);
    let into = format!("sqlite:{}", text(&path("new.db")));
    let refused = |archive: &Path, keys: &Path, more: &[&str]| {
        let archive = text(archive);
        let arguments = [&["restore", &archive, "--database-url", &into, "--json"], more].concat();
        let output = hayward(&arguments, keys);
        assert_eq!(status(&output), 2);
        assert!(!path("new.db").exists());
        printed(&output)["error"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&archive, &path("none.keys"), &[]), "no-keys");
    let whole = std::fs::read(&archive).unwrap();
    std::fs::write(path("cut.hay"), &whole[..whole.len() - 1]).unwrap();
    assert_eq!(refused(&path("cut.hay"), &keys, &[]), "truncated-archive");
    assert_eq!(refused(&keys, &keys, &[]), "not-an-archive");
    std::fs::write(&journal, "not a note\n").unwrap();
    assert_eq!(refused(&archive, &keys, &["--journal", &text(&journal)]), "damaged-journal");
    assert_eq!(refused(&archive, &keys, &["--journal", &text(&path("none.journal"))]), "no-journal");
    let accepting =
        ["restore", &text(&archive), "--database-url", &into, "--journal", &text(&journal), "--accept-damaged-journal"];
    assert_eq!(status(&hayward(&accepting, &keys)), 1);
    assert!(path("new.db").exists() && path("new.ledger.db").exists());
    assert_eq!(status(&hayward(&["restore", &text(&archive), "--verify"], &keys)), 0);
}
