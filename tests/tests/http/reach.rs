//! How the program is reached: by TLS, with certificates that change meanwhile, by HTTP/2, through proxies; and what it refuses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hayward::edge::Reach;
use hayward::tls;
use hayward_store::Keyring;
use hayward_tests::server::{Server, TestClock};
use hayward_tests::{TestDatabase, on_both};
use reqwest::blocking::{Client, ClientBuilder};
use reqwest::{Certificate, Version};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::process::{printed, run};

/// A certificate for this machine, valid for so many days from now on.
fn issue(folder: &Path, days: i64) -> Certificate {
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let day = |from_now: i64| {
        let date = chrono::Utc::now() + chrono::Duration::days(from_now) + chrono::Duration::hours(1);
        let (year, month, day) = (chrono::Datelike::year(&date), chrono::Datelike::month(&date), chrono::Datelike::day(&date));
        rcgen::date_time_ymd(year, month.try_into().unwrap(), day.try_into().unwrap())
    };
    (params.not_before, params.not_after) = (day(-2), day(days + 1));
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    // As a certificate is renewed: the key first.
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    Certificate::from_pem(certificate.pem().as_bytes()).unwrap()
}

fn files(folder: &Path) -> tls::Files {
    tls::Files { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

fn start(db: &TestDatabase, reach: Reach) -> Server {
    Server::start_reached(db.url(), Keyring::from_random(&[7; 128]), 7, TestClock::default(), reach)
}

fn trusting(certificate: &Certificate) -> ClientBuilder {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).tls_certs_only([certificate.clone()])
}

on_both! {
    fn tls_is_spoken_by_the_program_itself(db: TestDatabase) {
        let folder = TempDir::new().unwrap();
        let certificate = issue(folder.path(), 90);
        let server = start(&db, Reach { tls: Some(files(folder.path())), ..Reach::default() });
        let url = format!("{}/api/v1/schemas", server.url);
        assert!(url.starts_with("https://"), "{url}");
        let two = trusting(&certificate).build().unwrap().get(&url).send().unwrap();
        assert_eq!((two.status().as_u16(), two.version()), (200, Version::HTTP_2));
        assert_eq!(two.headers()["strict-transport-security"], "max-age=31536000");
        let one = trusting(&certificate).http1_only().build().unwrap().get(&url).send().unwrap();
        assert_eq!((one.status().as_u16(), one.version()), (200, Version::HTTP_11));
        let old = trusting(&certificate).tls_version_max(reqwest::tls::Version::TLS_1_2).build().unwrap();
        assert_eq!(old.get(&url).send().unwrap().status(), 200);
        // A head that HTTP/1.1 would not have let in is not let in by HTTP/2 either.
        let large = trusting(&certificate).build().unwrap().get(&url).header("x-large", "x".repeat(40_000)).send().unwrap();
        assert_eq!(large.version(), Version::HTTP_2);
        Answer::from(large).problem(431, "head-too-large");
        // Nothing is said in plain text on the same port.
        assert!(Client::builder().no_proxy().build().unwrap().get(url.replace("https", "http")).send().is_err());
        let ready = |more: &[&str]| run(&[&["ready", "--listen", server.url.strip_prefix("https://").unwrap()], more].concat(), |_| {});
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let of_tls = ["--tls-certificate", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        assert_eq!(ready(&of_tls).status.code(), Some(0));
        assert_eq!(ready(&[]).status.code(), Some(2));
    }
}

on_both! {
    fn a_certificate_is_exchanged_under_load_and_no_request_is_lost(db: TestDatabase) {
        let folder = TempDir::new().unwrap();
        let first = issue(folder.path(), 90);
        let server = start(&db, Reach { tls: Some(files(folder.path())), ..Reach::default() });
        let url = format!("{}/api/v1/schemas", server.url);
        let fresh = |certificate: &Certificate| trusting(certificate).build().unwrap().get(&url).send();
        assert_eq!(fresh(&first).unwrap().status(), 200);
        // What cannot be used is not used: half a file, then a key of another certificate.
        let good = std::fs::read(folder.path().join("certificate.pem")).unwrap();
        std::fs::write(folder.path().join("certificate.pem"), &good[..good.len() / 2]).unwrap();
        std::thread::sleep(Duration::from_millis(2_500));
        assert_eq!(fresh(&first).unwrap().status(), 200, "the one before goes on");
        std::fs::write(folder.path().join("certificate.pem"), &good).unwrap();
        let (stop, asked, other) = (AtomicBool::new(false), AtomicU64::new(0), TempDir::new().unwrap());
        let second = issue(other.path(), 90);
        std::thread::scope(|scope| {
            for keeps in [true, true, false] {
                let (stop, asked, url, both) = (&stop, &asked, &url, [first.clone(), second.clone()]);
                scope.spawn(move || {
                    let make = || trusting(&both[0]).tls_certs_only(both.clone()).build().unwrap();
                    let kept = make();
                    while !stop.load(Ordering::Relaxed) {
                        let client = if keeps { kept.clone() } else { make() };
                        let answer = client.get(url).send().expect("every request is answered");
                        assert_eq!(answer.status(), 200);
                        assert!(answer.bytes().unwrap().len() > 100);
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for name in ["key.pem", "certificate.pem"] {
                std::thread::sleep(Duration::from_millis(300));
                std::fs::rename(other.path().join(name), folder.path().join(name)).unwrap();
            }
            let began = Instant::now();
            while fresh(&second).is_err() {
                assert!(began.elapsed() < Duration::from_secs(20), "the new certificate is never used");
                std::thread::sleep(Duration::from_millis(100));
            }
            assert!(fresh(&first).is_err(), "the old certificate is no longer used");
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
        });
        assert!(asked.load(Ordering::Relaxed) > 20);
    }
}

on_both! {
    fn a_server_that_others_could_overhear_does_not_start(db: TestDatabase) {
        let serve = |more: &[&str]| {
            let output = run(&[&["serve", "--listen", "0.0.0.0:0", "--database-url", db.url()], more].concat(), |program| {
                program.env("HAYWARD_KEY_FILE", db.folder().join("keys"));
            });
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
            String::from_utf8(output.stderr).unwrap()
        };
        let said = serve(&[]);
        assert!(said.contains("--tls-certificate") && said.contains("--allow-plain-http"), "{said}");
        let folder = TempDir::new().unwrap();
        let _certificate = issue(folder.path(), 90);
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        assert!(serve(&["--tls-certificate", certificate]).contains("--tls-key"));
        assert!(serve(&["--tls-certificate", key, "--tls-key", key]).contains("no certificate"));
        assert!(serve(&["--tls-certificate", certificate, "--tls-key", "/nowhere"]).contains("cannot be read"));
        assert!(serve(&["--public-url", "commons.example"]).contains("https://commons.example"));
        assert!(serve(&["--trusted-proxies", "ten"]).contains("10.0.0.0/8"));
    }
}

on_both! {
    fn the_doctor_looks_at_the_certificate(db: TestDatabase) {
        drop(start(&db, Reach::default()));
        let folder = TempDir::new().unwrap();
        let check = || {
            let output = run(&["doctor", "--quick", "--json", "--database-url", db.url()], |program| {
                let files = files(folder.path());
                program.env("HAYWARD_TLS_CERTIFICATE", files.certificate).env("HAYWARD_TLS_KEY", files.key);
            });
            let report = printed(&output);
            let checks = report["checks"].as_array().unwrap();
            checks.iter().find(|check| check["name"] == "certificate").unwrap().clone()
        };
        let _good = issue(folder.path(), 90);
        std::fs::set_permissions(folder.path().join("key.pem"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(check()["status"], "ok", "{}", check());
        let _soon = issue(folder.path(), 5);
        assert_eq!(check()["status"], "warning", "{}", check());
        let key = std::fs::read(folder.path().join("key.pem")).unwrap();
        let _over = issue(folder.path(), -2);
        assert_eq!(check()["status"], "failed", "{}", check());
        let _other = issue(folder.path(), 90);
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        assert_eq!(check()["status"], "failed", "another key");
    }
}

on_both! {
    fn who_is_slow_is_not_waited_for(db: TestDatabase) {
        let server = start(&db, Reach { patience: Duration::from_secs(1), ..Reach::default() });
        let address = server.url.strip_prefix("http://").unwrap().to_owned();
        let slowly = |text: &str, then: &str| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            // Whoever has given up may have closed.
            drop(stream.write_all(then.as_bytes()));
            let (began, mut said) = (Instant::now(), String::new());
            drop(stream.read_to_string(&mut said));
            assert!(began.elapsed() < Duration::from_secs(15));
            said
        };
        let head = "POST /api/v1/sessions HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";
        let said = slowly(head, "{\"email\": ");
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("/problems/body-too-slow"), "{said}");
        let said = slowly("GET /healthz HTTP/1.1\r\nHost: here\r\n", "X-More: ");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        // Too much is refused before it is read, and whoever takes care is served meanwhile.
        let large = server.request(reqwest::Method::POST, "/api/v1/sessions", None);
        let large = large.header("Content-Type", "application/json").body(vec![b' '; 2_000_000]);
        Answer::to(large).problem(413, "payload-too-large");
        assert_eq!(server.get("/healthz", None).status(), 200);
    }
}

on_both! {
    fn a_read_that_takes_too_long_is_given_up(db: TestDatabase) {
        let server = start(&db, Reach { answer_within: Duration::ZERO, ..Reach::default() });
        let answer = Answer::to(server.request(reqwest::Method::GET, "/api/v1/schemas", None));
        answer.problem(503, "too-slow");
    }
}
