//! Numbers and traces for whoever runs a commons: they are there, and they name nobody.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::Duration;

use hayward::routes::ROUTES;
use hayward::telemetry::scrape;
use hayward_store::DatabaseUrl;
use hayward_tests::cluster::ClusterError;
use hayward_tests::{Kind, TestDatabase, on_both};

use crate::crawl;
use crate::lists;
use crate::process::{http, serving};
use crate::world::Persona::{Nobody, PartnerClient, Steward, ThirdClient};
use crate::world::World;

/// Whatever names somebody or something of theirs in the founded commons.
fn names(world: &World) -> Vec<String> {
    let store = world.server.store();
    let organizations = store.organizations().unwrap();
    let mut names: Vec<String> =
        organizations.iter().flat_map(|one| [one.id.to_string(), one.slug.clone(), one.name.clone()]).collect();
    for one in &organizations {
        names.extend(store.datasets(one.number).unwrap().into_iter().flat_map(|list| [list.id, list.name]));
    }
    names.extend(store.people().unwrap().into_iter().flat_map(|one| [one.id, one.email]));
    names.extend(store.clients().unwrap().into_iter().map(|one| one.id));
    names.push(world.id("agreement").to_owned());
    names.extend(lists::canaries());
    names
}

on_both! {
    fn numbers_name_nobody(world: World) {
        // From before the first request.
        scrape::count().unwrap();
        let mut nothing = |_: &str, _: &crate::answer::Answer| {};
        for who in [PartnerClient, ThirdClient, Nobody] {
            crawl::collections(&world, who, &mut nothing);
        }
        crawl::everything_else(&world, Steward, &mut nothing);
        world.import(world.id("jobs"), "reference,title\nZQX-REF-1,Job 01\n");
        world.request(Nobody, reqwest::Method::from_bytes(b"ZQX-METHOD").unwrap(), "/ZQX/path").send().unwrap();

        let (tell, told) = channel();
        let (commons, url) = (world.server.commons.clone(), DatabaseUrl::parse(world.database.url()).unwrap());
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                tell.send(scrape::serve(([127, 0, 0, 1], 0).into(), &commons, &url).unwrap()).unwrap();
                actix_web::rt::time::sleep(Duration::from_secs(30)).await;
            });
        });
        let address = told.recv().unwrap();
        let text = http().get(format!("http://{address}/metrics")).send().unwrap().text().unwrap();
        for line in [
            "hayward_http_requests_total{method=\"GET\",route=\"/api/v1/{collection}\",status=\"2xx\"}",
            "hayward_http_requests_total{method=\"other\",route=\"none\",status=\"4xx\"} 1",
            "hayward_http_request_duration_seconds_bucket{",
            "hayward_http_requests_in_flight 0",
            "hayward_ledger_entries_total{outcome=\"durable\"}",
            "hayward_ledger_write_seconds_sum",
            "hayward_ledger_sealing_lag_seconds",
            "hayward_job_runs_total{job=\"building shares\",outcome=\"done\"}",
            "hayward_imports{state=\"committed\"}",
            "hayward_commits_total",
            "hayward_shares_open",
            "hayward_database_wait_seconds_count",
            "hayward_database_up 1",
            "hayward_build_info{",
            "process_resident_memory_bytes",
            "process_open_fds",
        ] {
            assert!(text.contains(line), "no `{line}` in {text}");
        }
        assert_eq!(text.contains("hayward_wal_bytes "), world.database.kind() == Kind::Sqlite);
        // What explains a number is written in the program, and says `jobs` like one of the lists.
        let text: String = text.lines().filter(|line| !line.starts_with('#')).collect();
        // So are the routes, and one says `people`.
        let text = ROUTES.iter().fold(text, |text, route| text.replace(&format!("route=\"{}\"", route.path), ""));
        for name in names(&world) {
            assert!(!text.contains(&name), "the numbers hold `{name}`");
        }
        assert_eq!(world.get(Nobody, "/metrics").status, 404, "the numbers are not served beside the API");
    }
}

/// Takes one request after another, and passes on what was sent, head and body.
fn collector() -> (String, std::sync::mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut whole = Vec::new();
            let mut piece = [0; 4096];
            loop {
                let read = stream.read(&mut piece).unwrap_or(0);
                whole.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&whole).to_ascii_lowercase();
                let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
                let head = whole.windows(4).position(|four| four == b"\r\n\r\n");
                let done = length.zip(head).is_some_and(|(length, head)| whole.len() >= head + 4 + length);
                if read == 0 || done {
                    break;
                }
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if tell.send(whole).is_err() {
                return;
            }
        }
    });
    (address, told)
}

#[test]
fn spans_are_sent_where_a_collector_is_named_and_hold_no_values() -> Result<(), ClusterError> {
    let db = TestDatabase::new(Kind::Sqlite)?;
    let (address, told) = collector();
    let server = serving("serve", &db, &["--otlp-endpoint", &address]);
    let http = http();
    for path in ["/api/v1/opportunities?category=ZQX-VALUE", "/api/v1/opportunities/ZQX-ID", "/setup?key=ZQX-KEY", "/ZQX-PATH"] {
        http.get(format!("{}{path}", server.url)).bearer_auth("ZQX-TOKEN").send().unwrap();
    }
    let id = http.get(format!("{}/healthz", server.url)).send().unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();
    server.stop();
    let sent: Vec<u8> = told.try_iter().flatten().collect();
    let sent = String::from_utf8_lossy(&sent);
    for expected in ["POST /v1/traces", "GET /api/v1/{collection}/{id}", "http.route", "/healthz", &id] {
        assert!(sent.contains(expected), "no `{expected}` was sent: {sent}");
    }
    assert!(!sent.contains("ZQX"), "a span holds what was asked for");
    Ok(())
}

#[test]
fn a_collector_that_is_away_does_not_hold_the_program_up() -> Result<(), ClusterError> {
    let db = TestDatabase::new(Kind::Sqlite)?;
    let server = serving("serve", &db, &["--otlp-endpoint", "http://127.0.0.1:9"]);
    assert_eq!(http().get(format!("{}/readyz", server.url)).send().unwrap().status(), 200);
    server.stop();
    Ok(())
}
