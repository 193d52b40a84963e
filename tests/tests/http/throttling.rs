//! Guessing: counted over all servers, for known and unknown addresses alike, and nobody is kept out by somebody else.

use std::net::IpAddr;
use std::time::Duration;

use hayward_tests::browser::Browser;
use hayward_tests::on_both;
use hayward_tests::server::Server;
use reqwest::blocking::Client;
use serde_json::json;

use crate::answer::Answer;
use crate::founding::{PASSWORD, SEED};
use crate::world::World;

const STEWARD: &str = "steward@people.example";

/// Signs in over the API, from an address of this machine.
fn sign_in(server: &Server, from: u8, email: &str, password: &str) -> Answer {
    let address: IpAddr = [127, 0, 0, from].into();
    let http = Client::builder().no_proxy().local_address(address).build().unwrap();
    let request = http.post(format!("{}/api/v1/sessions", server.url)).json(&json!({"email": email, "password": password}));
    Answer::to(request)
}

on_both! {
    fn two_servers_of_one_commons_count_guesses_together(world: World) {
        let other = Server::start_again(world.database.url(), SEED, rand::random(), world.server.clock.clone());
        for email in [STEWARD, "nobody@people.example"] {
            let servers = [&world.server, &other].into_iter().cycle();
            let statuses: Vec<u16> = servers.take(8).map(|server| sign_in(server, 1, email, "not the password").status).collect();
            assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429], "{email}");
            let refused = sign_in(&other, 1, email, PASSWORD);
            refused.problem(429, "too-many-attempts");
            assert_eq!(refused.header("retry-after"), "1");
        }
        // After the wait there is one more, and the wait after it is longer.
        world.pass(Duration::from_secs(1));
        assert_eq!(sign_in(&world.server, 1, STEWARD, "not the password").status, 401);
        assert_eq!(sign_in(&other, 1, STEWARD, PASSWORD).header("retry-after"), "2");
        world.pass(Duration::from_secs(2));
        assert_eq!(sign_in(&other, 1, STEWARD, PASSWORD).status, 201);
        // Who has proved who they are begins anew.
        let statuses: Vec<u16> = (0..7).map(|_| sign_in(&world.server, 1, STEWARD, "no").status).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429]);
    }
}

on_both! {
    fn a_burst_of_guesses_is_no_cheaper_than_one_after_the_other(world: World) {
        let server = &world.server;
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..24).map(|_| scope.spawn(|| sign_in(server, 1, STEWARD, "not the password").status)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 6, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 18, "{statuses:?}");
    }
}

on_both! {
    fn somebody_else_who_guesses_keeps_nobody_out(world: World) {
        let open = sign_in(&world.server, 9, STEWARD, PASSWORD).expect(201).json();
        // From many networks at once, until the account itself has to wait.
        for from in 20..24 {
            for _ in 0..5 {
                assert_eq!(sign_in(&world.server, from, STEWARD, "not the password").status, 401);
            }
        }
        assert_eq!(sign_in(&world.server, 24, STEWARD, "not the password").status, 401);
        assert_eq!(sign_in(&world.server, 30, STEWARD, PASSWORD).status, 429);
        // Where they signed in before they still do, and what is open goes on.
        assert_eq!(sign_in(&world.server, 9, STEWARD, PASSWORD).status, 201);
        let agreements = Answer::from(world.server.get("/api/v1/agreements", open["access_token"].as_str()));
        assert_eq!(agreements.status, 200);
        // From anywhere else they wait a minute at most, however long it went on.
        for _ in 0..12 {
            world.pass(Duration::from_secs(60));
            let _tried = sign_in(&world.server, 40, STEWARD, "not the password");
        }
        world.pass(Duration::from_secs(60));
        assert_eq!(sign_in(&world.server, 31, STEWARD, PASSWORD).status, 201);
    }
}

on_both! {
    fn the_page_waits_like_the_api_and_names_no_account(world: World) {
        for email in [STEWARD, "nobody@people.example"] {
            let browser = Browser::new(&world.server.url);
            for _ in 0..6 {
                assert_eq!(browser.sign_in(email, "not the password").status, 401);
            }
            let waiting = browser.sign_in(email, PASSWORD).expect(429);
            assert_eq!(waiting.headers["retry-after"], "1");
            assert!(waiting.text.contains("too many attempts"), "{}", waiting.text);
        }
    }
}

on_both! {
    fn keys_of_invitations_are_not_tried_for_ever(world: World) {
        let browser = Browser::new(&world.server.url);
        let statuses: Vec<u16> = (0..62).map(|at| browser.get(&format!("/invite?key=hwi_{at}")).status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 61);
        assert_eq!(statuses.last(), Some(&429));
    }
}

on_both! {
    fn what_no_longer_counts_is_forgotten_and_no_address_is_kept(world: World) {
        sign_in(&world.server, 9, STEWARD, PASSWORD).expect(201);
        let _wrong = sign_in(&world.server, 1, "nobody@people.example", "no");
        let rows = hayward_tests::raw::count(&world.database, "attempts");
        assert_eq!(rows, 6);
        let named = "attempts where who like '%people%' or who like '%127.0%' or length(who) <> 52";
        assert_eq!(hayward_tests::raw::count(&world.database, named), 0);
        world.pass(Duration::from_secs(86_401));
        assert_eq!(world.server.store().prune_attempts().unwrap(), 5, "who is familiar stays so");
        world.pass(Duration::from_secs(90 * 86_400));
        assert_eq!(world.server.store().prune_attempts().unwrap(), 1);
    }
}
