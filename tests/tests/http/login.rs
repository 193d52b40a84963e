//! Signing in at a terminal, with a browser beside it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Duration;

use hayward_tests::on_both;
use hayward_tests::program::program;
use serde_json::Value;

use crate::attacks::scene::Scene;
use crate::world::World;

/// The program of somebody whose settings lie in `home`.
fn typed(home: &Path, words: &[&str]) -> Command {
    let mut program = program();
    program.args(words).env("HOME", home).env_remove("XDG_CONFIG_HOME");
    program
}

/// A sign-in that waits for its person, and the code that this one is to type.
fn begun(scene: &Scene, home: &Path) -> (Child, BufReader<ChildStderr>, String) {
    let words = ["login", &scene.world.server.url, "--client-id", &scene.public, "--scopes", "opportunities:read", "--json"];
    let mut program = typed(home, &words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut complaint = BufReader::new(program.stderr.take().unwrap());
    let mut lines = complaint.by_ref().lines();
    let code = lines.find_map(|line| Some(line.unwrap().strip_prefix("and type the code ")?.trim_end_matches('.').to_owned()));
    (program, complaint, code.unwrap())
}

/// What the person says at the browser.
fn says(scene: &Scene, code: &str, decision: &str) {
    let browser = scene.signed_in();
    let page = browser.get("/device").expect(200);
    let asked = browser.post_from(&page, "/device", &[("user_code", code)]).expect(200);
    let organization = asked.field("organization");
    let fields = [("user_code", code), ("organization", organization.as_str()), ("decision", decision)];
    let _said = browser.post_from(&asked, "/device", &fields).expect(200);
    // The program asks every five seconds; the commons' clock stands still.
    scene.world.pass(Duration::from_secs(11));
}

fn profile(home: &Path) -> (PathBuf, Value) {
    let path = home.join(".config/hayward/profiles.json");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, serde_json::from_str(&text).unwrap())
}

#[track_caller]
fn said(output: &Output, status: i32) -> (String, String) {
    let of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, complaint) = (of(&output.stdout), of(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{out}{complaint}");
    (out, complaint)
}

on_both! {
    fn who_allows_it_in_a_browser_is_signed_in_at_the_terminal(world: World) {
        let scene = Scene::new(world);
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let (program, _complaint, code) = begun(&scene, home);
        says(&scene, &code, "allow");
        let (out, _) = said(&program.wait_with_output().unwrap(), 0);
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&told["scope"], &told["profile"]), (&Value::from("opportunities:read"), &Value::from("default")));
        assert!(!out.contains("hwt_") && !out.contains("hwr_"));
        let pull = |name: &str| typed(home, &["pull", home.join(name).to_str().unwrap(), "--json"]).output().unwrap();
        let (out, _) = said(&pull("copy.db"), 0);
        assert!(serde_json::from_str::<Value>(&out).unwrap()["collections"]["opportunities"].as_u64().unwrap() > 0, "{out}");

        // A token that has run out is exchanged before it is used, and what came for it is kept.
        let (path, mut profiles) = profile(home);
        let old = profiles["default"]["refresh_token"].clone();
        profiles["default"]["expires_at"] = Value::from(1);
        profiles["default"]["access_token"] = Value::from("hwt_gone");
        std::fs::write(&path, profiles.to_string()).unwrap();
        said(&pull("copy.db"), 0);
        let now = profile(home).1;
        assert_ne!(now["default"]["refresh_token"], old);
        assert!(now["default"]["expires_at"].as_i64().unwrap() > 1);

        // Signed out: the token opens nothing, wherever it was copied to.
        let token = now["default"]["access_token"].as_str().unwrap().to_owned();
        let (out, _) = said(&typed(home, &["logout"]).output().unwrap(), 0);
        assert!(out.starts_with("signed out at "), "{out}");
        assert!(profile(home).1.get("default").is_none());
        assert_eq!(scene.read(&serde_json::json!({"access_token": token})), 401);
        let (_, complaint) = said(&pull("copy.db"), 2);
        assert!(complaint.contains("hayward login"), "{complaint}");
        said(&typed(home, &["logout"]).output().unwrap(), 2);
    }
}

on_both! {
    fn who_says_no_in_the_browser_is_not_signed_in(world: World) {
        let scene = Scene::new(world);
        let home = tempfile::tempdir().unwrap();
        let (program, mut rest, code) = begun(&scene, home.path());
        says(&scene, &code, "deny");
        let (out, _) = said(&program.wait_with_output().unwrap(), 2);
        let mut complaint = String::new();
        rest.read_to_string(&mut complaint).unwrap();
        assert!(out.is_empty() && complaint.contains("the commons says no"), "{complaint}");
        assert!(!home.path().join(".config/hayward/profiles.json").exists());
        // Another machine's commons is not spoken to in plain text.
        let (_, complaint) = said(&typed(home.path(), &["login", "http://commons.example", "--client-id", "cli_x"]).output().unwrap(), 2);
        assert!(complaint.contains("plain HTTP"), "{complaint}");
    }
}
