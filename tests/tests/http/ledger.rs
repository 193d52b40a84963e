//! The ledger over HTTP: every disclosure is in it, each side reads its own part, and an export shows that nothing was touched.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::time::Duration;

use hayward::ledger::{seal, verify};
use hayward_tests::{on_both, raw};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner};
use crate::world::{Persona, World};

const JOBS: &str = "/api/v1/opportunities";

/// The entry of an answer, as `who` reads it.
fn entry(world: &World, who: Persona, answer: &Answer) -> Answer {
    world.get(who, &format!("/api/v1/disclosures/{}", answer.header("disclosure-id")))
}

fn agreements(entry: &Value) -> BTreeSet<String> {
    entry["disclosed"].as_array().unwrap().iter().map(|part| part["agreement"].as_str().unwrap().to_owned()).collect()
}

fn seal_all(world: &World) {
    let store = world.server.store();
    seal::all(&world.server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
}

/// The ledger of `who`, as its lines.
fn export(world: &World, who: Persona) -> Vec<String> {
    seal_all(world);
    let answer = world.get_as(who, "/api/v1/disclosures", "application/x-ndjson").expect(200);
    answer.text().lines().map(str::to_owned).collect()
}

fn verified(lines: &[String]) -> verify::Report {
    verify::verify(Cursor::new(lines.join("\n")), verify::Insist::default()).unwrap()
}

on_both! {
    fn every_answer_with_somebodys_data_has_its_entry(world: World) {
        let id = world.get(PartnerClient, JOBS).items()[0]["id"].as_str().unwrap().to_owned();
        let paths = [
            JOBS.to_owned(),
            format!("{JOBS}?count=true&limit=1"),
            format!("{JOBS}?title=nothing"),
            format!("{JOBS}/{id}"),
            "/api/v1/memberships".to_owned(),
            "/api/v1/changes?limit=3".to_owned(),
        ];
        for path in paths {
            for accept in ["application/json", "text/csv", "application/x-ndjson"] {
                let answer = world.get_as(PartnerClient, &path, accept).expect(200);
                let entry = entry(&world, PartnerSteward, &answer).ok();
                assert_eq!(entry["id"], answer.header("disclosure-id"));
                assert_eq!(entry["request_id"], answer.header("x-request-id"));
                assert_eq!(entry["recipient"], world.id("partner"));
                assert_eq!(entry["client"], world.id(PartnerClient.name()));
                assert!(!entry["disclosed"].as_array().unwrap().is_empty(), "{path} as {accept}: {entry}");
            }
        }
    }
}

on_both! {
    fn an_entry_says_what_was_given_and_not_a_word_of_it(world: World) {
        let answer =
            world.get(PartnerClient, &format!("{JOBS}?audience=organization&fields=title,city&country=ES&limit=3")).expect(200);
        let entry = entry(&world, Steward, &answer).ok();
        assert_eq!(entry["channel"], "list");
        let parts = entry["disclosed"].as_array().unwrap();
        assert_eq!(parts.len(), 1);
        let part = &parts[0];
        assert_eq!(part["agreement"], world.id("agreement"));
        assert_eq!(part["provider"], world.id("provider"));
        assert_eq!(part["version"], 1);
        assert_eq!(part["edition"], 1);
        assert_eq!(part["purpose"], "job-matching");
        // Whoever asks for the rows of a country has learnt the country of those it gets.
        assert_eq!(part["fields"], json!(["city", "country", "title"]));
        assert_eq!(part["count"], 3);
        assert!(!entry.to_string().contains("Job 0"));
    }
}

on_both! {
    fn a_provider_sees_its_own_part_and_a_recipient_sees_all(world: World) {
        let answer = world.get(PartnerClient, JOBS).expect(200);
        let (mine, theirs) = (world.id("agreement").to_owned(), world.id("members-agreement").to_owned());
        assert_eq!(agreements(&entry(&world, PartnerSteward, &answer).ok()), BTreeSet::from([mine.clone(), theirs.clone()]));
        assert_eq!(agreements(&entry(&world, Steward, &answer).ok()), BTreeSet::from([mine]));
        assert_eq!(agreements(&entry(&world, ThirdOwner, &answer).ok()), BTreeSet::from([theirs]));
        let people = world.get(PartnerClient, "/api/v1/memberships").expect(200);
        entry(&world, ThirdOwner, &people).problem(404, "not-found");
        let listed = world.get(ThirdOwner, "/api/v1/disclosures").items();
        assert!(listed.iter().all(|entry| entry["id"] != people.header("disclosure-id")));
        assert!(listed.iter().any(|entry| entry["id"] == answer.header("disclosure-id")));
    }
}

on_both! {
    fn a_stream_has_one_id_and_an_entry_for_every_chunk(world: World) {
        let many: String = (1..=1_200).map(|row| format!("M{row},Mass {row},ES\n")).collect();
        world.import(world.id("jobs"), format!("reference,title,country\n{many}"));
        let answer = world.get_as(PartnerClient, &format!("{JOBS}?audience=organization"), "application/x-ndjson").expect(200);
        assert_eq!(answer.text().lines().count(), 1_208);
        let entry = entry(&world, Steward, &answer).ok();
        let counts: Vec<i64> =
            entry["disclosed"].as_array().unwrap().iter().map(|part| part["count"].as_i64().unwrap()).collect();
        assert_eq!(counts.iter().sum::<i64>(), 1_208);
        assert_eq!(counts.len(), 3, "chunks of 500");
    }
}

on_both! {
    fn disclosures_are_listed_newest_first_page_by_page(world: World) {
        let ids: Vec<String> =
            (0..7).map(|_| world.get(PartnerClient, JOBS).expect(200).header("disclosure-id").to_owned()).collect();
        let (mut seen, mut next) = (Vec::new(), "/api/v1/disclosures?limit=2".to_owned());
        loop {
            let page = world.get(Steward, &next).ok();
            seen.extend(page["items"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(cursor) => next = format!("/api/v1/disclosures?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, ids.into_iter().rev().collect::<Vec<_>>());
    }
}

on_both! {
    fn public_reads_are_counted_by_the_hour(world: World) {
        for _ in 0..3 {
            world.get(Nobody, "/api/v1/organizations").expect(200);
        }
        let open = world.get(Steward, "/api/v1/disclosures").items();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0]["recipient"], "public");
        assert_eq!(open[0]["disclosed"][0]["count"], 9);
        world.pass(Duration::from_secs(3_600));
        seal_all(&world);
        let closed = world.get(Steward, "/api/v1/disclosures").items();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0]["chain"]["position"], 1);
        assert!(verified(&export(&world, Steward)).faults.is_empty());
    }
}

on_both! {
    fn an_export_verifies_and_every_tampering_is_named(world: World) {
        for _ in 0..4 {
            world.get(PartnerClient, JOBS).expect(200);
        }
        world.get(ThirdClient, JOBS).expect(200);
        let lines = export(&world, Steward);
        let whole = verified(&lines);
        assert_eq!(whole.faults, Vec::<String>::new());
        assert_eq!((whole.entries, whole.sealed, whole.checkpoint), (5, 5, true));
        // The newest entry is the first line, the checkpoint the last.
        let named = |lines: Vec<String>, word: &str| {
            let faults = verified(&lines).faults;
            assert!(faults.iter().any(|fault| fault.contains(word)), "no `{word}` in {faults:?}");
        };
        let mut changed = lines.clone();
        changed[2] = changed[2].replace("\"count\":8", "\"count\":7");
        assert_ne!(changed, lines);
        named(changed, "position 3 (line 3): the entry is not the one that was sealed");
        named([&lines[..2], &lines[3..]].concat(), "position 3: missing");
        named(lines[1..].to_vec(), "the checkpoint stands behind an entry that is not in the file");
        named(lines[..5].to_vec(), "no checkpoint");
        let swapped = |from: usize, to: usize| {
            let mut objects: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            let (one, other) = (objects[from]["chain"].take(), objects[to]["chain"].take());
            (objects[from]["chain"], objects[to]["chain"]) = (other, one);
            objects.iter().map(Value::to_string).collect::<Vec<_>>()
        };
        named(swapped(1, 2), "the entry is not the one that was sealed");
        // Lines may come in any order: the chain is what counts.
        assert_eq!(verified(&lines.iter().rev().cloned().collect::<Vec<_>>()), whole);
        let other_key = verify::verify(Cursor::new(lines.join("\n")), verify::Insist { key: Some("another"), checkpoint: None }).unwrap();
        assert!(other_key.faults[0].contains("another key"));
    }
}

on_both! {
    fn an_entry_that_was_changed_in_the_database_does_not_verify(world: World) {
        world.get(PartnerClient, JOBS).expect(200);
        world.get(PartnerClient, JOBS).expect(200);
        assert!(verified(&export(&world, Steward)).faults.is_empty());
        raw::ledger::tell(&world.database, "update entries set client = 'somebody-else' where row = 1");
        let faults = verified(&export(&world, Steward)).faults;
        assert!(faults.iter().any(|fault| fault.contains("not the one that was sealed")), "{faults:?}");
    }
}

on_both! {
    fn each_recipients_export_verifies_for_each_provider(world: World) {
        world.get(PartnerClient, JOBS).expect(200);
        for who in [Steward, ThirdOwner] {
            let report = verified(&export(&world, who));
            assert_eq!(report.faults, Vec::<String>::new());
            assert_eq!(report.sealed, 1);
        }
        // A recipient's entries are in its providers' chains, not in one of its own.
        let report = verified(&export(&world, PartnerSteward));
        assert_eq!((report.entries, report.sealed, report.faults.len()), (1, 0, 0));
    }
}

on_both! {
    fn an_export_made_while_others_read_verifies(world: World) {
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (0..60).for_each(|_| drop(world.get(PartnerClient, &format!("{JOBS}?limit=1")))));
            while !reader.is_finished() {
                let lines: Vec<String> = world
                    .get_as(Steward, "/api/v1/disclosures", "application/x-ndjson")
                    .expect(200)
                    .text()
                    .lines()
                    .map(str::to_owned)
                    .collect();
                assert_eq!(verified(&lines).faults, Vec::<String>::new());
                seal_all(&world);
            }
        });
    }
}
