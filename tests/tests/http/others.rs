//! Other people's OAuth clients do whole flows against the program: npm `openid-client` and `oauth4webapi`, PyPI `Authlib` and
//! `requests-oauthlib`. Their scripts lie in `tests/peers/clients`; people sign in and consent by plain forms.

use std::path::Path;
use std::process::Command;

use hayward_tests::{on_both, peers};
use serde_json::json;

use crate::attacks::scene::{REDIRECT, Scene};
use crate::founding::{CLIENT_SECRET, PASSWORD};
use crate::world::World;

fn flows(world: World, mut command: Command) {
    let scene = Scene::new(world);
    let told = json!({
        "issuer": scene.world.server.url, "confidential": scene.confidential, "secret": CLIENT_SECRET,
        "publicClient": scene.public, "redirectUri": REDIRECT, "path": "/api/v1/opportunities",
        "person": {"email": "partner-steward@people.example", "password": PASSWORD},
    });
    let output = peers::run(command.arg(told.to_string()));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
}

fn python(script: &str) -> Command {
    let mut command = peers::python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/clients").join(script));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

on_both! {
    fn openid_client_does_every_flow(world: World) {
        flows(world, peers::node("clients/openid_client.mjs"));
    }
}

on_both! {
    fn oauth4webapi_does_every_flow(world: World) {
        flows(world, peers::node("clients/oauth4webapi.mjs"));
    }
}

on_both! {
    fn authlib_does_every_flow(world: World) {
        flows(world, python("authlib_flows.py"));
    }
}

on_both! {
    fn requests_oauthlib_does_every_flow(world: World) {
        flows(world, python("requests_oauthlib_flows.py"));
    }
}
