//! How often one caller may ask, and what is told about it.

use std::time::Duration;

use hayward::edge::Reach;
use hayward::edge::origin::{Proxies, ProxyHeader};
use hayward_store::{Keyring, Settings};
use hayward_tests::server::{Server, TestClock};
use hayward_tests::{TestDatabase, on_both};
use reqwest::Method;

use crate::answer::Answer;
use crate::world::Persona::{EmptyClient, Garbage, Nobody, PartnerClient, Steward};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

fn allow(world: &World, client: u32, address: u32) {
    let settings = world.server.store().read_settings().unwrap();
    let settings = Settings { client_limit: client, address_limit: address, ..settings };
    world.server.store().write_settings(&settings).unwrap();
    // What is allowed is remembered for ten seconds.
    world.pass(Duration::from_secs(11));
}

on_both! {
    fn every_caller_has_a_limit_of_its_own(world: World) {
        allow(&world, 3, 10);
        let first = world.get(PartnerClient, JOBS).expect(200);
        assert_eq!(first.header("ratelimit-policy"), "\"client\";q=3;w=1");
        assert_eq!(first.header("ratelimit"), "\"client\";r=2;t=1");
        // A refusal counts as well as an answer.
        assert_eq!(world.get(PartnerClient, "/api/v1/opportunities?colour=red").expect(400).header("ratelimit"), "\"client\";r=1;t=1");
        world.get(PartnerClient, JOBS).expect(200);
        let refused = world.get(PartnerClient, JOBS);
        refused.problem(429, "rate-limited");
        assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("1", "\"client\";r=0;t=1"));
        // Everybody else goes on.
        world.get(Steward, "/api/v1/datasets").expect(200);
        world.get(EmptyClient, JOBS).expect(403);
        // As soon as is said.
        world.pass(Duration::from_secs(1));
        assert_eq!(world.get(PartnerClient, JOBS).expect(200).header("ratelimit"), "\"client\";r=2;t=1");
    }
}

on_both! {
    fn a_token_that_opens_nothing_counts_to_the_address(world: World) {
        allow(&world, 1_000, 3);
        for who in [Garbage, Nobody, Garbage] {
            let answer = world.get(who, "/api/v1/datasets").expect(401);
            assert_eq!(answer.header("ratelimit-policy"), "\"address\";q=3;w=1");
        }
        world.get(Garbage, "/api/v1/datasets").problem(429, "rate-limited");
        world.get(Nobody, "/api/v1/schemas").problem(429, "rate-limited");
        // Health checks, and what problems point to, are not counted.
        world.get(Nobody, "/healthz").expect(200);
        world.get(Nobody, "/problems/rate-limited").expect(200);
    }
}

on_both! {
    fn the_operator_gives_a_program_a_limit_of_its_own(world: World) {
        allow(&world, 2, 1_000);
        world.server.store().limit_client(world.id("partner-client"), Some(5)).unwrap();
        world.pass(Duration::from_secs(11));
        assert_eq!(world.get(PartnerClient, JOBS).expect(200).header("ratelimit-policy"), "\"client\";q=5;w=1");
        world.server.store().limit_client(world.id("partner-client"), None).unwrap();
        world.pass(Duration::from_secs(11));
        assert_eq!(world.get(PartnerClient, JOBS).expect(200).header("ratelimit-policy"), "\"client\";q=2;w=1");
        assert!(world.server.store().limit_client("cli_nobody", Some(5)).is_err());
    }
}

/// How many of five requests are answered where an address may ask twice, each with another claim of where it comes from.
fn answered(db: &TestDatabase, proxies: Proxies, header: &str, claim: impl Fn(u8) -> String) -> usize {
    let reach = Reach { proxies, ..Reach::default() };
    let server = Server::start_reached(db.url(), Keyring::from_random(&[7; 128]), 7, TestClock::default(), reach);
    let settings = server.store().read_settings().unwrap();
    server.store().write_settings(&Settings { address_limit: 2, ..settings }).unwrap();
    let ask = |number| Answer::to(server.request(Method::GET, "/api/v1/schemas", None).header(header, claim(number)));
    (0..5).filter(|number| ask(*number).status == 200).count()
}

on_both! {
    fn nobody_gets_another_address_by_claiming_it(db: TestDatabase) {
        let trusted = |header| Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], header };
        let elsewhere = || Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], header: ProxyHeader::XForwardedFor };
        let one = |number: u8| format!("203.0.113.{number}");
        // Of whoever is not trusted nothing is believed.
        assert_eq!(answered(&db, Proxies::default(), "X-Forwarded-For", one), 2);
        assert_eq!(answered(&db, elsewhere(), "X-Forwarded-For", one), 2);
        // A trusted proxy is believed, its last word only.
        assert_eq!(answered(&db, trusted(ProxyHeader::XForwardedFor), "X-Forwarded-For", one), 5);
        assert_eq!(answered(&db, trusted(ProxyHeader::XForwardedFor), "X-Forwarded-For", |n| format!("{}, 192.0.2.1", one(n))), 2);
        assert_eq!(answered(&db, trusted(ProxyHeader::Forwarded), "Forwarded", |n| format!("for={};proto=https", one(n))), 5);
        // Of the two headers the one that the proxy writes.
        assert_eq!(answered(&db, trusted(ProxyHeader::XForwardedFor), "Forwarded", |n| format!("for={}", one(n))), 2);
        assert_eq!(answered(&db, trusted(ProxyHeader::Forwarded), "X-Forwarded-For", one), 2);
    }
}
