//! Own records, one by one.

use hayward_tests::{on_both, raw};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::Persona::{self, Editor, PartnerClient, Steward, ThirdOwner, Viewer};
use crate::world::World;

const FILE: &str = "reference,title,city,country,secret\nA-1,Cook,Vic,ES,x1\nA-2,Baker,Lyon,FR,x2\n";

/// A list of the provider's with two records that a file brought in, and where its records are.
fn list(world: &World) -> (String, String) {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "One by one"})).expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let import = world.import(&id, FILE);
    assert_eq!(import["state"], "committed");
    let records = format!("/api/v1/datasets/{id}/records");
    (id, records)
}

fn change(world: &World, who: Persona, path: &str, tag: Option<&str>, patch: &Value) -> Answer {
    let request = world.request(who, Method::PATCH, path).header("Content-Type", "application/merge-patch+json");
    let request = request.body(patch.to_string());
    Answer::to(match tag {
        Some(tag) => request.header("If-Match", tag),
        None => request,
    })
}

fn remove(world: &World, who: Persona, path: &str, tag: &str) -> Answer {
    Answer::to(world.request(who, Method::DELETE, path).header("If-Match", tag))
}

/// The record of this key: its address and how it stands.
fn named(world: &World, records: &str, reference: &str) -> (String, Answer) {
    let all = world.get(Editor, records).items();
    let id = all.iter().find(|item| item["reference"] == reference).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("{records}/{id}");
    let answer = world.get(Editor, &path).expect(200);
    assert_eq!(&answer.json(), all.iter().find(|item| item["id"] == *id).unwrap(), "a record is what its list shows");
    (path, answer)
}

on_both! {
    fn a_record_is_made_changed_and_removed(world: World) {
        let (list, records) = list(&world);
        let edition = |n: i64| assert_eq!(world.standing(&list).0, n);
        edition(1);
        let made = world.post(Editor, &records, &json!({
            "reference": "A-3", "title": "  Gardener ", "country": "Spain", "salary_min": 21000, "closes_on": "2027-01-31", "city": null,
        }));
        let made = made.expect(201);
        let path = made.header("location").to_owned();
        assert_eq!((made.json()["title"].clone(), made.json()["country"].clone()), (json!("Gardener"), json!("ES")), "as a file has it");
        let found = world.get(Editor, &path).expect(200);
        assert_eq!((found.json(), found.header("etag")), (made.json(), made.header("etag")));
        edition(2);

        let changed = change(&world, Editor, &path, Some(made.header("etag")), &json!({"city": "Vic", "closes_on": null})).expect(200);
        assert_ne!(changed.header("etag"), made.header("etag"));
        let mut wanted = made.json();
        (wanted["city"], wanted["closes_on"]) = (json!("Vic"), Value::Null);
        assert_eq!(changed.json(), wanted);
        edition(3);
        // What says nothing new makes no edition.
        let same = change(&world, Editor, &path, Some(changed.header("etag")), &json!({"city": "Vic"})).expect(200);
        assert_eq!((same.json(), same.header("etag")), (changed.json(), changed.header("etag")));
        edition(3);
        // A file that says the same finds nothing to change.
        let import = world.import(&list, "reference,title,country,salary_min,city\nA-3,Gardener,ES,21000,Vic\n");
        assert_eq!((&import["counts"]["unchanged"], &import["counts"]["updated"]), (&json!(1), &json!(0)));

        assert!(remove(&world, Editor, &path, changed.header("etag")).expect(204).body.is_empty());
        world.get(Editor, &path).problem(404, "not-found");
        edition(4);
        let kinds = "select kind || ' ' || coalesce(made_by, '-') as value from editions where dataset = \
            (select max(number) from datasets) order by edition";
        let kinds = raw::ask(&world.database, kinds);
        assert_eq!(kinds.iter().map(|kind| kind.split(' ').next().unwrap()).collect::<Vec<_>>(), ["import", "edit", "edit", "edit"]);
        assert!(kinds[1].contains(" per_"), "{kinds:?}");
        // A key that comes back is the record that it was.
        let again = world.post(Editor, &records, &json!({"reference": "A-3", "title": "Gardener"})).expect(201);
        assert_eq!(again.header("location"), path);
    }
}

on_both! {
    fn what_was_looked_at_is_what_is_changed(world: World) {
        let (_, records) = list(&world);
        let (path, first) = named(&world, &records, "A-1");
        let tag = first.header("etag");
        let patch = json!({"title": "Chef"});
        change(&world, Editor, &path, None, &patch).problem(428, "precondition-required");
        Answer::to(world.request(Editor, Method::DELETE, &path)).problem(428, "precondition-required");
        for stale in ["\"0123\"", "W/\"0123\"", &format!("W/{tag}"), "nonsense"] {
            change(&world, Editor, &path, Some(stale), &patch).problem(412, "precondition-failed");
        }
        let changed = change(&world, Editor, &path, Some(&format!("\"0123\", {tag}")), &patch).expect(200);
        assert_eq!(changed.json()["secret"], "x1", "what no agreement can name stays");
        change(&world, Editor, &path, Some(tag), &json!({"title": "Cook"})).problem(412, "precondition-failed");
        remove(&world, Editor, &path, tag).problem(412, "precondition-failed");
        remove(&world, Editor, &path, "*").expect(204);
        remove(&world, Editor, &path, "*").problem(404, "not-found");
        let make = |header: &str, value: &str| {
            let request = world.request(Editor, Method::POST, &records).header(header, value);
            Answer::to(request.json(&json!({"reference": "A-9", "title": "T"})))
        };
        make("If-Match", tag).problem(412, "precondition-failed");
        make("If-None-Match", "\"x\"").problem(412, "precondition-failed");
        make("If-None-Match", "*").expect(201);
        make("If-None-Match", "*").problem(409, "key-taken");
    }
}

on_both! {
    fn a_record_that_cannot_be_is_refused_whole(world: World) {
        let (list, records) = list(&world);
        let before = world.standing(&list);
        let refused = world.post(Editor, &records, &json!({
            "title": 5, "closes_on": "31/01/2027", "country": "Atlantis", "titel": "x", "id": "rec_x", "salary_min": "much",
        }));
        let problem = refused.problem(422, "invalid-record");
        let mut told: Vec<(String, String)> = problem["errors"].as_array().unwrap().iter()
            .map(|error| (error["pointer"].as_str().unwrap().to_owned(), error["code"].as_str().unwrap().to_owned())).collect();
        told.sort();
        let told: Vec<(&str, &str)> = told.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
        assert_eq!(told, [
            ("/closes_on", "type-error"), ("/country", "constraint-error"), ("/id", "unknown-field"), ("/reference", "missing-cell"),
            ("/salary_min", "type-error"), ("/titel", "unknown-field"), ("/title", "type-error"),
        ]);
        for value in ["Atlantis", "31/01", "much"] {
            assert!(!refused.text().contains(value), "a value is repeated: {}", refused.text());
        }
        let (path, one) = named(&world, &records, "A-1");
        let tag = one.header("etag");
        for (patch, pointer, code) in [
            (json!({"reference": "A-7"}), "/reference", "key-field"),
            (json!({"reference": null}), "/reference", "missing-cell"),
            (json!({"title": ""}), "/title", "missing-cell"),
            (json!({"secret": "y"}), "/secret", "unknown-field"),
            (json!({"salary_min": {"amount": 5}}), "/salary_min", "type-error"),
        ] {
            let problem = change(&world, Editor, &path, Some(tag), &patch).problem(422, "invalid-record");
            assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!(pointer), &json!(code)), "{patch}");
        }
        // A number with more digits than can be kept is not rounded in silence.
        let digits = world.request(Editor, Method::POST, &records).header("Content-Type", "application/json");
        let digits = digits.body(r#"{"reference": "A-8", "title": "T", "salary_min": 12345678901234567890.123}"#);
        Answer::to(digits).problem(422, "invalid-record");
        change(&world, Editor, &path, Some(tag), &json!(["title"])).problem(400, "invalid-body");
        let plain = world.request(Editor, Method::PATCH, &path).header("If-Match", tag).json(&json!({"title": "x"}));
        Answer::to(plain).problem(415, "unsupported-media-type");
        world.post(Editor, &records, &json!({"reference": "A-1", "title": "Again"})).problem(409, "key-taken");
        assert_eq!(world.standing(&list), before);
    }
}

on_both! {
    fn records_are_their_owners_alone(world: World) {
        let (list, records) = list(&world);
        let (path, one) = named(&world, &records, "A-1");
        let tag = one.header("etag");
        let before = world.standing(&list);
        for who in [ThirdOwner, PartnerClient] {
            let status = |answer: Answer| assert!([403, 404].contains(&answer.status), "{who:?} {}", answer.status);
            status(world.get(who, &path));
            status(change(&world, who, &path, Some(tag), &json!({"title": "x"})));
            status(change(&world, who, &path, None, &json!({"title": "x"})));
            status(remove(&world, who, &path, "*"));
            status(world.post(who, &records, &json!({"reference": "B-1", "title": "x"})));
        }
        change(&world, Viewer, &path, Some(tag), &json!({"title": "x"})).problem(403, "insufficient-scope");
        world.get(Editor, &format!("{records}/rec_nothing")).problem(404, "not-found");
        // A record of another list of one's own is not in this one.
        let other = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Other"})).expect(201).json();
        let there = path.replace(&list, other["id"].as_str().unwrap());
        world.get(Editor, &there).problem(404, "not-found");
        remove(&world, Editor, &there, "*").problem(404, "not-found");
        assert_eq!(world.standing(&list), before);
    }
}

on_both! {
    fn a_change_of_one_record_reaches_whoever_it_is_shared_with(world: World) {
        let (list, records) = list(&world);
        let agreement = world.agree(&world.terms(&list, json!({"reference": "exact", "title": "exact"})));
        let given = || world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={agreement}&sort=reference")).column("title");
        assert_eq!(given(), ["Cook", "Baker"]);
        let (path, one) = named(&world, &records, "A-1");
        change(&world, Editor, &path, Some(one.header("etag")), &json!({"title": "Chef"})).expect(200);
        assert_eq!(given(), ["Chef", "Baker"]);
        world.post(Editor, &records, &json!({"reference": "A-0", "title": "Tailor"})).expect(201);
        assert_eq!(given(), ["Tailor", "Chef", "Baker"]);
        remove(&world, Editor, &named(&world, &records, "A-2").0, "*").expect(204);
        assert_eq!(given(), ["Tailor", "Chef"]);
        // What is not shared moves nothing of the share.
        let edition = || world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={agreement}&sort=reference")).items()[1]["edition"].clone();
        let (path, one) = named(&world, &records, "A-1");
        let before = edition();
        change(&world, Editor, &path, Some(one.header("etag")), &json!({"city": "Olot"})).expect(200);
        assert_eq!(edition(), before);
    }
}

on_both! {
    fn an_import_is_undone_but_for_what_was_edited_since(world: World) {
        let (list, records) = list(&world);
        let import = world.import(&list, "reference,title\nA-1,Cook II\nA-2,Baker II\n");
        let (path, one) = named(&world, &records, "A-1");
        change(&world, Editor, &path, Some(one.header("etag")), &json!({"city": "Olot"})).expect(200);
        let undo = format!("/api/v1/imports/{}/undo", import["id"].as_str().unwrap());
        world.post(Editor, &undo, &json!({})).problem(409, "edited-since");
        world.post(Editor, &undo, &json!({"kept": 1})).expect(200);
        assert_eq!(named(&world, &records, "A-1").1.json()["title"], "Cook II");
        assert_eq!(named(&world, &records, "A-2").1.json()["title"], "Baker");
    }
}

on_both! {
    fn whoever_was_erased_is_not_added_again_one_by_one(world: World) {
        let (_, records) = list(&world);
        let (path, one) = named(&world, &records, "A-1");
        let id = path.rsplit('/').next().unwrap();
        world.post(Steward, &format!("/api/v1/records/{id}/erase"), &json!({"reason": "They asked."})).expect(200);
        world.get(Editor, &path).problem(404, "not-found");
        change(&world, Editor, &path, Some(one.header("etag")), &json!({"title": "x"})).problem(404, "not-found");
        world.post(Editor, &records, &json!({"reference": "A-1", "title": "Cook"})).problem(409, "erased-on-request");
    }
}

on_both! {
    fn records_that_were_made_one_by_one_are_told_apart_by_the_schemas_key(world: World) {
        let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Fresh"})).expect(201).json();
        let list = made["id"].as_str().unwrap();
        world.post(Editor, &format!("/api/v1/datasets/{list}/records"), &json!({"reference": "A-1", "title": "Cook"})).expect(201);
        let import = world.upload(list, "reference,title\nA-1,Chef\n").expect(201).json();
        let mut matching = crate::world::all_decided(&import);
        matching["key"] = json!(["title"]);
        let refused = world.put(Editor, &format!("/api/v1/imports/{}/matching", import["id"].as_str().unwrap()), &matching);
        assert_eq!(refused.problem(422, "invalid-matching")["errors"][0]["code"], "other-key");
    }
}
