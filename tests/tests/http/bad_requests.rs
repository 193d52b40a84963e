//! Requests that make no sense: each is a problem with a code, soon, and nothing has changed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use hayward_tests::on_both;
use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{PartnerClient, Steward};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

/// Longer than any of this may take.
const SOON: std::time::Duration = std::time::Duration::from_secs(10);

/// How everything stands that a bad request could have changed.
pub fn standing(world: &World) -> Vec<Vec<u8>> {
    let lists = ["/api/v1/datasets", "/api/v1/agreements?limit=1000"].map(|path| world.get(Steward, path).expect(200).body);
    let records = ["jobs", "people", "coops"].map(|name| world.standing(world.id(name)).1);
    lists.into_iter().chain(records).collect()
}

/// Insists that a request is refused, and soon.
pub fn bad(request: RequestBuilder, status: u16, code: &str) -> Value {
    let began = Instant::now();
    let problem = Answer::to(request).problem(status, code);
    assert!(began.elapsed() < SOON, "{code} took {:?}", began.elapsed());
    problem
}

on_both! {
    fn bad_parameters_are_named(world: World) {
        let before = standing(&world);
        let many = "a".repeat(20_000);
        let hundred: String = (0..101).map(|at| format!("p{at}=1&")).collect();
        for (query, code) in [
            ("limit=0", "invalid-parameter"),
            ("limit=-1", "invalid-parameter"),
            ("limit=1001", "invalid-parameter"),
            ("limit=99999999999999999999", "invalid-parameter"),
            ("limit=1.5", "invalid-parameter"),
            ("limit=", "invalid-parameter"),
            ("limit=NaN", "invalid-parameter"),
            ("limit=5&limit=5", "invalid-parameter"),
            ("title=a&title=b", "invalid-parameter"),
            ("title=a&t%69tle=b", "invalid-parameter"),
            ("title=%00", "invalid-parameter"),
            ("%00=1", "invalid-parameter"),
            ("title=%ff%fe", "invalid-parameter"),
            ("title=%c0%80", "invalid-parameter"),
            ("audience=everyone", "invalid-parameter"),
            ("count=maybe", "invalid-parameter"),
            ("title[in]=", "invalid-parameter"),
            ("salary_min=NaN", "invalid-parameter"),
            ("salary_min=1e999", "invalid-parameter"),
            ("salary_min[gt]=-inf", "invalid-parameter"),
            ("salary_min[prefix]=1", "invalid-parameter"),
            ("closes_on[gte]=tomorrow", "invalid-parameter"),
            ("title[null]=perhaps", "invalid-parameter"),
            ("title[", "unknown-parameter"),
            ("title[]=x", "unknown-operator"),
            ("title[regex]=.*", "unknown-operator"),
            ("title[eq][eq]=x", "unknown-operator"),
            ("Title=x", "unknown-parameter"),
            ("payload=x", "unknown-parameter"),
            ("id=x", "unknown-parameter"),
            ("1%3D1;--=x", "unknown-parameter"),
            ("sort=", "unknown-field"),
            ("sort=title,title desc", "unknown-field"),
            ("fields=", "unknown-field"),
            ("fields=*", "unknown-field"),
            ("cursor=", "invalid-cursor"),
            ("cursor=forged", "invalid-cursor"),
            ("cursor=%F0%9F%98%80", "invalid-cursor"),
            (&format!("title={many}"), "invalid-parameter"),
            (&format!("cursor={}", &many[..1_000]), "invalid-cursor"),
            (&hundred, "invalid-parameter"),
        ] {
            let problem = bad(world.request(PartnerClient, Method::GET, &format!("{JOBS}?{query}")), 400, code);
            assert!(!problem["detail"].as_str().unwrap().is_empty(), "{query}");
        }
        for path in ["/api/v1/datasets", "/api/v1/agreements", "/api/v1/catalogue", "/api/v1/disclosures", "/api/v1/schemas"] {
            bad(world.request(Steward, Method::GET, &format!("{path}?surprise=1")), 400, "unknown-parameter");
            bad(world.request(Steward, Method::GET, &format!("{path}?a=1&a=1")), 400, "invalid-parameter");
        }
        let records = format!("/api/v1/datasets/{}/records", world.id("jobs"));
        for (query, code) in [
            ("limit=0", "invalid-parameter"),
            ("sort=nonsense", "unknown-field"),
            ("cursor=abc", "invalid-cursor"),
            ("title=x", "unknown-parameter"),
        ] {
            bad(world.request(Steward, Method::GET, &format!("{records}?{query}")), 400, code);
        }
        assert_eq!(standing(&world), before);
    }
}

on_both! {
    fn forged_cursors_are_refused_letter_by_letter(world: World) {
        let cursor = world.get(PartnerClient, &format!("{JOBS}?limit=1")).ok()["next"].as_str().unwrap().to_owned();
        for at in (0..cursor.len()).step_by(5) {
            let forged: String = cursor
                .char_indices()
                .map(|(place, letter)| {
                    if place == at && letter == 'a' {
                        'b'
                    } else if place == at {
                        'a'
                    } else {
                        letter
                    }
                })
                .collect();
            bad(world.request(PartnerClient, Method::GET, &format!("{JOBS}?limit=1&cursor={forged}")), 400, "invalid-cursor");
        }
        bad(
            world.request(PartnerClient, Method::GET, &format!("{JOBS}?limit=1&cursor={}", &cursor[..cursor.len() - 8])),
            400,
            "invalid-cursor",
        );
        bad(world.request(Steward, Method::GET, &format!("/api/v1/disclosures?cursor={cursor}")), 400, "invalid-cursor");
    }
}

on_both! {
    fn wrong_methods_are_told_from_wrong_addresses(world: World) {
        for (method, path) in [
            (Method::DELETE, JOBS),
            (Method::POST, JOBS),
            (Method::PATCH, "/api/v1/datasets"),
            (Method::PUT, "/api/v1/agreements"),
            (Method::GET, "/oauth/token"),
            (Method::POST, "/api/v1/changes"),
            (Method::DELETE, "/api/v1/catalogue"),
        ] {
            bad(world.request(PartnerClient, method, path), 405, "method-not-allowed");
        }
        for path in [
            "/nowhere",
            "/api",
            "/api/v1",
            "/api/v2/opportunities",
            "/api/v1/opportunities/a/b",
            "//api/v1/opportunities",
            "/api/v1/",
            "/.env",
        ] {
            bad(world.request(PartnerClient, Method::GET, path), 404, "not-found");
        }
        bad(
            world
                .request(Steward, Method::POST, &format!("/api/v1/agreements/{}/dissolve", world.id("agreement")))
                .json(&json!({"version": 1})),
            404,
            "not-found",
        );
        for version in ["x", "0", "-1", "99", "99999999999999999999"] {
            for part in ["preview", "words", "difference", "difference?from=1"] {
                let path = format!("/api/v1/agreements/{}/versions/{version}/{part}", world.id("agreement"));
                bad(world.request(Steward, Method::GET, &path), 404, "not-found");
            }
        }
    }
}

/// Sends bytes as they are, and returns the status and the body of what comes back, if anything does.
fn raw(world: &World, request: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(world.server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    // The server may hang up on what it does not like to read to its end.
    let _hung_up = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
}

on_both! {
    fn what_is_no_http_is_refused_and_nobody_else_suffers(world: World) {
        let get = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
        let refused = |request: String| match raw(&world, request.as_bytes()) {
            None => {}
            Some((status, body)) => {
                assert!((400..500).contains(&status), "{status} to {}: {body}", request.get(..200).unwrap_or(&request))
            }
        };
        refused("nonsense\r\n\r\n".to_owned());
        refused(get("/api/v1/../../etc/passwd", ""));
        refused(get("/api/v1/opportunities/%2e%2e%2f%2e%2e%2fetc%2fpasswd", ""));
        refused(get("/api/v1/opportunities/%ff%fe", ""));
        refused(get("/api/v1/%00", ""));
        refused(get("/api/v1/%zz", ""));
        refused(get("/api/v1/opportunities/%00", ""));
        refused(get("/problems/%00", ""));
        refused(get(JOBS, &format!("Authorization: Bearer {}\r\n", "x".repeat(300_000))));
        refused(get(JOBS, &format!("X-Many: {}\r\n", "x".repeat(300_000))));
        refused(get(JOBS, &(0..500).map(|at| format!("X-{at}: 1\r\n")).collect::<String>()));
        refused(get(&format!("/{}", "a".repeat(300_000)), ""));
        refused(get(JOBS, "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"));
        refused(get(JOBS, "Authorization: Basic eDp5\r\n"));
        refused(get(JOBS, "Authorization: Bearer \r\n"));
        refused(get(JOBS, "Authorization: Bearer \u{e9}\r\n"));
        refused(get(JOBS, "Content-Length: -1\r\n"));
        refused(get("/api/v1/agreements", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"));
        assert_eq!(world.get(PartnerClient, JOBS).items().len(), 10);
    }
}
