//! The second step of signing in: set up once, asked for always, and no code works twice.

use std::time::Duration;

use hayward_tests::browser::Browser;
use hayward_tests::on_both;
use hayward_tests::server::{START, Server};
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use crate::answer::Answer;
use crate::founding::{PASSWORD, SEED};
use crate::world::Persona::Nobody;
use crate::world::World;

const STEWARD: &str = "steward@people.example";

/// An app that was given the letters.
struct App(Totp);

impl App {
    fn new(letters: &str) -> Self {
        let secret = Secret::try_from_base32(letters).unwrap();
        Self(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code that it shows so many seconds after the beginning of the test.
    fn code(&self, after: u64) -> String {
        let second = u64::try_from(START.0 / 1_000_000).unwrap() + after;
        self.0.generate(second).to_string()
    }
}

/// Signs in over the API.
fn over_api(server: &Server, code: &str) -> Answer {
    let body = json!({"email": STEWARD, "password": PASSWORD, "code": code});
    Answer::to(server.request(reqwest::Method::POST, "/api/v1/sessions", None).json(&body))
}

/// A browser that is signed in, an app, and the recovery codes.
fn set_up(world: &World) -> (Browser, App, Vec<String>) {
    let browser = Browser::new(&world.server.url);
    let _shown = browser.sign_in(STEWARD, PASSWORD).expect(303);
    let account = browser.get("/account").expect(200);
    let wrong = browser.post_from(&account, "/account/codes", &[("password", "not the password")]);
    assert_eq!(wrong.status, 400);
    let offered = browser.post_from(&account, "/account/codes", &[("password", PASSWORD)]).expect(200);
    let app = App::new(&offered.between("<code>", "</code>"));
    assert!(offered.text.contains("<svg") && offered.text.contains("otpauth://totp/"), "{}", offered.text);
    // Until a first code came, none is asked for.
    over_api(&world.server, "").expect(201);
    let wrong = browser.post_from(&offered, "/account/codes/confirm", &[("code", "000000")]).expect(400);
    assert!(!wrong.text.contains("<svg"), "it is shown once");
    let codes = browser.post_from(&wrong, "/account/codes/confirm", &[("code", &app.code(0))]).expect(200);
    let recovery: Vec<String> = codes
        .text
        .split("<code>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</code>"))
        .map(|(code, _)| code.to_owned())
        .collect();
    assert_eq!(recovery.len(), 10);
    (browser, app, recovery)
}

on_both! {
    fn a_code_is_asked_for_and_works_once(world: World) {
        let (browser, app, _) = set_up(&world);
        over_api(&world.server, "").problem(401, "code-needed");
        over_api(&world.server, "123456").problem(401, "invalid-credentials");
        // The code that confirmed it is used up.
        over_api(&world.server, &app.code(0)).problem(401, "invalid-credentials");
        world.pass(Duration::from_secs(60));
        over_api(&world.server, &app.code(60)).expect(201);
        over_api(&world.server, &app.code(60)).problem(401, "invalid-credentials");
        // Nor does an earlier one that was never used.
        over_api(&world.server, &app.code(30)).problem(401, "invalid-credentials");
        world.pass(Duration::from_secs(30));
        let page = browser.get("/sign-in");
        let form = |code: &str| {
            browser.post_from(&page, "/sign-in", &[("email", STEWARD), ("password", PASSWORD), ("code", code)]).status
        };
        assert_eq!(form(""), 401);
        assert_eq!(form(&app.code(90)), 303);
        // With a wrong password nobody learns that there is a code.
        let body = json!({"email": STEWARD, "password": "not the password"});
        world.post(Nobody, "/api/v1/sessions", &body).problem(401, "invalid-credentials");
    }
}

on_both! {
    fn of_many_who_show_one_code_at_once_one_comes_in(world: World) {
        let (_, app, _) = set_up(&world);
        let other = Server::start_again(world.database.url(), SEED, rand::random(), world.server.clock.clone());
        world.pass(Duration::from_secs(60));
        let code = app.code(60);
        let servers = [&world.server, &other];
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let ask = |at: usize| {
                let (server, code) = (servers[at % 2], &code);
                scope.spawn(move || over_api(server, code).status)
            };
            let all: Vec<_> = (0..6).map(ask).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    }
}

on_both! {
    fn a_recovery_code_works_once_and_turning_off_takes_password_and_code(world: World) {
        let (browser, app, recovery) = set_up(&world);
        over_api(&world.server, &recovery[0].to_uppercase()).expect(201);
        over_api(&world.server, &recovery[0]).problem(401, "invalid-credentials");
        let account = browser.get("/account").expect(200);
        assert!(account.text.contains("9 recovery codes left"), "{}", account.text);
        let off = |password: &str, code: &str| {
            browser.post_from(&account, "/account/codes/off", &[("password", password), ("code", code)]).status
        };
        assert_eq!(off("not the password", &recovery[1]), 400);
        assert_eq!(off(PASSWORD, "000000"), 400);
        assert_eq!(off(PASSWORD, &app.code(0)), 400, "it is used up");
        assert_eq!(browser.post_from(&account, "/account/codes", &[("password", PASSWORD)]).status, 409);
        assert_eq!(off(PASSWORD, &recovery[1]), 303);
        over_api(&world.server, "").expect(201);
    }
}

on_both! {
    fn the_secret_lies_wrapped_and_follows_the_keys(world: World) {
        let (_, app, _) = set_up(&world);
        let letters = app.0.secret().to_base32().to_lowercase();
        let plain = format!("second_steps where lower(secret) like '%{letters}%'");
        assert_eq!(hayward_tests::raw::count(&world.database, &plain), 0);
        let former = world.server.store().keyring().clone();
        let rotate = hayward_store::Rotate { wrap: true, cursor: false, signing: false };
        let fresh = former.rotated(rotate, &[9; 128]);
        world.server.store().rotate_keys(&fresh, None).unwrap();
        let moved = Server::start_with(world.database.url(), fresh, rand::random(), world.server.clock.clone());
        world.pass(Duration::from_secs(60));
        over_api(&moved, &app.code(60)).expect(201);
    }
}
