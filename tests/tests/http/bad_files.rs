//! Files that are none, or half of one: each ends in a problem with a code, and the list is as it was.

use std::io::Read;
use std::time::{Duration, Instant};

use hayward_tests::on_both;
use reqwest::Method;
use reqwest::blocking::Body;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::Editor;
use crate::world::{World, all_decided};

/// Uploads something that cannot go in; the code of why not.
fn refused(world: &World, dataset: &str, kind: &str, body: impl Into<Body>) -> String {
    let ending = if kind == "application/json" { "json" } else { "csv" };
    let path = format!("/api/v1/datasets/{dataset}/imports?filename=bad.{ending}");
    let began = Instant::now();
    let answer = Answer::to(world.request(Editor, Method::POST, &path).header("Content-Type", kind).body(body));
    assert!(began.elapsed() < Duration::from_secs(20), "this took {:?}", began.elapsed());
    if answer.status >= 400 {
        assert!(answer.status < 500, "{}", answer.text());
        return answer.json()["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    }
    let import = answer.expect(201).json();
    assert_eq!(import["state"], "failed", "{import}");
    assert_eq!(import["counts"]["rows"], 0);
    let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    let commit = world.post(Editor, &format!("{path}/commit"), &json!({}));
    assert_eq!(commit.status, 409, "{}", commit.text());
    import["failure"]["code"].as_str().unwrap().to_owned()
}

on_both! {
    fn what_is_no_list_is_refused_with_a_code(world: World) {
        let dataset = world.id("jobs").to_owned();
        let before = world.standing(&dataset);
        let deep = "[".repeat(10_000);
        let deeper = format!("[{}1{}]", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        let keys: String = (0..1_000_000).map(|at| format!("\"k{at}\":1,")).collect();
        let random: Vec<u8> = (0..100_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for (what, kind, body) in [
            ("nothing", "text/csv", Vec::new()),
            ("blank", "text/csv", b"\n\n\n".to_vec()),
            ("a picture", "application/octet-stream", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &random].concat()),
            ("noise", "text/csv", random.clone()),
            ("an archive", "application/octet-stream", [b"PK\x03\x04".as_slice(), &random].concat()),
            ("half a list", "application/json", b"[{\"reference\": \"A\", \"title\": \"B\"}, {\"refer".to_vec()),
            ("no JSON", "application/json", b"[{\"reference\": }]".to_vec()),
            ("a number", "application/json", b"17".to_vec()),
            ("NaN", "application/json", b"[{\"reference\": NaN}]".to_vec()),
            ("open brackets", "application/json", deep.into_bytes()),
            ("deep", "application/json", deeper.into_bytes()),
            ("a million keys", "application/json", format!("[{{{keys}\"last\":1}}]").into_bytes()),
            ("HTML", "text/html", b"<html><body>Not found</body></html>".to_vec()),
            ("XML", "application/xml", b"<list/>".to_vec()),
        ] {
            let code = refused(&world, &dataset, kind, body);
            assert!(!code.is_empty(), "{what}");
        }
        assert_eq!(world.standing(&dataset), before);
    }
}

on_both! {
    fn what_is_wrong_in_a_list_is_a_problem_of_its_row(world: World) {
        let dataset = world.id("unshared").to_owned();
        let upload = |file: &[u8]| {
            let import = world.upload(&dataset, file).expect(201).json();
            if import["state"] == "failed" {
                return import;
            }
            let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
            world.put(Editor, &format!("{path}/matching"), &all_decided(&import)).expect(200).json()
        };
        let codes = |import: &Value| {
            import["problems"]
                .as_array()
                .unwrap()
                .iter()
                .map(|problem| problem["code"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let before = world.standing(&dataset);

        let nul = upload(b"reference,title\nN1,with \0 inside\nN2,fine\n");
        assert_eq!(codes(&nul), ["constraint-error"]);
        assert_eq!((nul["counts"]["rejected"].as_u64(), nul["counts"]["created"].as_u64()), (Some(1), Some(1)));
        let number = upload(b"reference,title,salary_min\nS1,One,1e999\nS2,Two,NaN\nS3,Three,12\n");
        assert_eq!(codes(&number).len(), 2, "{number}");
        let missing = upload(b"reference,title\n,No reference\nR1,\n");
        assert_eq!(missing["counts"]["rejected"], 2, "{missing}");
        let ragged = upload(b"reference,title\nA\nB,Two,three,four\n");
        assert!(codes(&ragged).contains(&"extra-cell".to_owned()), "{ragged}");
        let cut = upload(b"reference,title\nC1,One\nC2,\"cut in the mid");
        assert_eq!(cut["state"], "failed");
        assert!(!cut["failure"]["code"].as_str().unwrap().is_empty(), "{cut}");
        let twice = upload(b"reference,title,title\nT1,One,Two\n");
        assert!(
            codes(&twice).contains(&"duplicate-label".to_owned()) || !twice["columns"].as_array().unwrap().is_empty(),
            "{twice}"
        );
        assert_eq!(world.standing(&dataset), before, "nothing is written before a commit");
    }
}

on_both! {
    fn a_file_name_is_a_name_and_no_path(world: World) {
        let dataset = world.id("unshared");
        let folder = |world: &World| {
            let mut names: Vec<_> =
                std::fs::read_dir(world.database.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let before = folder(&world);
        for (at, name) in ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "C%3A%5Cwindows", "..", "a%0Ab"].into_iter().enumerate() {
            let path = format!("/api/v1/datasets/{dataset}/imports?filename={name}");
            Answer::to(world.request(Editor, Method::POST, &path).body(format!("reference,title\nP{at},One\n"))).expect(201);
        }
        assert_eq!(folder(&world), before);
        let path = |name: &str| format!("/api/v1/datasets/{dataset}/imports?filename={name}");
        for name in ["", "%00", &"n".repeat(256)] {
            Answer::to(world.request(Editor, Method::POST, &path(name)).body("reference,title\nA,B\n"))
                .problem(400, "invalid-parameter");
        }
        Answer::to(world.request(Editor, Method::POST, &format!("{}&surprise=1", path("a.csv"))).body("x"))
            .problem(400, "unknown-parameter");
    }
}

/// The largest part of memory that this process ever held, in kilobytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

on_both! {
    fn one_endless_line_is_refused_without_being_held(world: World) {
        let dataset = world.id("jobs").to_owned();
        let before = (world.standing(&dataset), peak());
        let endless = std::io::repeat(b'x').take(80 << 20);
        let code = refused(&world, &dataset, "text/csv", Body::new(endless));
        assert!(!code.is_empty());
        let quoted = std::io::Cursor::new(b"reference,title\nA,\"".to_vec()).chain(std::io::repeat(b'y').take(20 << 20));
        let code = refused(&world, &dataset, "text/csv", Body::new(quoted));
        assert!(!code.is_empty());
        assert_eq!(world.standing(&dataset), before.0);
        let grown = peak().saturating_sub(before.1) / 1024;
        assert!(grown < 100, "{grown} MB for a line of 80");
    }
}
