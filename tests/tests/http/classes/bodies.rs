//! What a body may say: what the call takes, and nothing that would make somebody else's thing of it.

use hayward::routes::{ROUTES, Shows};
use hayward_tests::on_both;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::bad_requests::standing;
use crate::founding::PASSWORD;
use crate::world::Persona::{Editor, Nobody, PartnerSteward, Steward, ThirdOwner};
use crate::world::{Persona, World, all_decided};

/// Members that some system somewhere let a caller set.
const FORBIDDEN: [&str; 40] = [
    "id",
    "org",
    "org_id",
    "organization_id",
    "owner",
    "owner_id",
    "tenant",
    "provider",
    "recipient",
    "state",
    "status",
    "active",
    "open",
    "approved",
    "approved_by",
    "approvals",
    "created_by",
    "updated_by",
    "by",
    "person",
    "client",
    "role",
    "roles",
    "scope",
    "scopes",
    "operator",
    "is_admin",
    "hash",
    "secret",
    "number",
    "head",
    "floor",
    "grace",
    "suspended_by",
    "now",
    "at",
    "__proto__",
    "constructor",
    "$set",
    "*",
];

/// Every call that takes JSON: who makes it, its body where it is good, and the places in it that are objects of the call's own.
fn calls(world: &World) -> Vec<(Persona, Method, String, Value, Vec<&'static str>)> {
    let import = |name: &str, rest: &str| format!("/api/v1/imports/{}{rest}", world.id(name));
    let agreement = |rest: &str| format!("/api/v1/agreements/{}{rest}", world.id("agreement"));
    let terms = world.terms(world.id("unshared"), json!({"title": "exact"}));
    let inside = ["", "/audience", "/fields", "/purpose", "/ending"];
    let mut narrower = world.terms(world.id("jobs"), json!({"title": "exact"}));
    narrower["rows"] = json!({"country": {"eq": "ES"}});
    let version = json!({"terms": narrower, "from": 1});
    let matching = json!({"columns": [{"column": "A", "header": "reference", "field": "reference"}]});
    let session = json!({"email": "editor@people.example", "password": PASSWORD});
    vec![
        (Nobody, Method::POST, "/api/v1/sessions".to_owned(), session, vec![""]),
        (Editor, Method::POST, "/api/v1/datasets".to_owned(), json!({"schema": "opportunity", "name": "One more"}), vec![""]),
        (Editor, Method::PUT, import("jobs-draft", "/matching"), matching, vec!["", "/columns/0"]),
        (Editor, Method::PUT, import("jobs-draft", "/reading"), json!({}), vec![""]),
        (
            Editor,
            Method::POST,
            import("jobs-draft", "/fixes"),
            json!({"fixes": [{"column": "B", "from": "x", "to": "y"}]}),
            vec!["", "/fixes/0"],
        ),
        (Editor, Method::POST, import("jobs-draft", "/commit"), json!({}), vec![""]),
        (Editor, Method::POST, import("jobs-import", "/undo"), json!({}), vec![""]),
        (Editor, Method::POST, import("jobs-draft", "/cancel"), json!({}), vec![""]),
        (Steward, Method::POST, "/api/v1/agreements".to_owned(), terms, inside.into()),
        (
            Steward,
            Method::POST,
            agreement("/versions"),
            version,
            vec!["", "/terms", "/terms/audience", "/terms/fields", "/terms/purpose", "/terms/rows"],
        ),
        (Steward, Method::POST, agreement("/suspend"), json!({"version": 1}), vec![""]),
        (Steward, Method::POST, "/api/v1/organization/leave".to_owned(), json!({"organization": "", "reason": "x"}), vec![""]),
        (PartnerSteward, Method::POST, agreement("/suspend"), json!({"version": 1, "reason": "a reason"}), vec![""]),
    ]
}

on_both! {
    /// Class 25: a body with one member more than the call takes is refused, whatever the member, and nothing has changed.
    fn no_body_sets_what_its_call_does_not_take(world: World) {
        let before = standing(&world);
        for (who, method, path, good, places) in calls(&world) {
            for place in places {
                for member in FORBIDDEN {
                    let mut body = good.clone();
                    let object = body.pointer_mut(place).unwrap().as_object_mut().unwrap();
                    if object.contains_key(member) {
                        continue;
                    }
                    object.insert(member.to_owned(), json!(world.id("third")));
                    let answer = Answer::to(world.request(who, method.clone(), &path).json(&body));
                    assert!(matches!(answer.status, 400 | 422), "{method} {path} took `{member}` at `{place}`: {}", answer.text());
                }
            }
        }
        assert_eq!(standing(&world), before);
        // Each is a good body but for that: the refusals above were about the members.
        for (who, method, path, good, _) in calls(&world) {
            let answer = Answer::to(world.request(who, method.clone(), &path).json(&good));
            assert!(!matches!(answer.status, 400 | 401 | 403 | 404), "{method} {path}: {}", answer.text());
        }
    }
}

on_both! {
    /// Class 25: a column of a file is a field of the schema or the co-op's own; none says whose a record is.
    fn no_column_of_a_file_says_whose_a_record_is(world: World) {
        let theirs = world.get(ThirdOwner, &format!("/api/v1/datasets/{}/records", world.id("third-jobs"))).items();
        let heading = "reference,title,id,org_id,owner,dataset,edition,born,provider_id,agreement_state";
        let row = format!("TAKEN,Mine,{},{1},{1},{2},99,1,{1},active", theirs[0]["id"].as_str().unwrap(), world.id("third"), world.id("third-jobs"));
        let import = world.upload(world.id("jobs"), format!("{heading}\n{row}\n")).expect(201).json();
        for column in import["columns"].as_array().unwrap().iter().skip(2) {
            assert!(column["field"].is_null() || column["confidence"] != "certain", "{column}");
        }
        let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
        let mut matching = all_decided(&import);
        for column in matching["columns"].as_array_mut().unwrap().iter_mut().skip(2) {
            column["field"] = json!({"private": true});
        }
        world.put(Editor, &format!("{path}/matching"), &matching).expect(200);
        world.post(Editor, &format!("{path}/commit"), &json!({})).expect(200);
        assert_eq!(world.get(ThirdOwner, &format!("/api/v1/datasets/{}/records", world.id("third-jobs"))).items(), theirs);
        let mine = world.get(Editor, &format!("/api/v1/datasets/{}/records?limit=1000", world.id("jobs"))).items();
        let taken = mine.iter().find(|record| record["reference"] == "TAKEN").unwrap();
        assert_ne!(taken["id"], theirs[0]["id"]);
        assert_eq!(taken["id (private)"], theirs[0]["id"]);
    }
}

on_both! {
    /// Class 22: nothing is patched but an own record, by a merge patch; no body is a list of operations that could copy what is hidden to
    /// where it shows, or test it.
    fn nothing_is_patched(world: World) {
        let patched: Vec<_> = ROUTES.iter().filter(|route| route.method == "PATCH").map(|route| (route.path, route.shows)).collect();
        assert_eq!(patched, [("/api/v1/datasets/{id}/records/{record}", Shows::Own)]);
        let before = standing(&world);
        let operations = json!([{"op": "copy", "from": "/description", "path": "/title"}, {"op": "test", "path": "/title", "value": "x"}]);
        let records = format!("/api/v1/datasets/{}/records", world.id("jobs"));
        let record = world.get(Editor, &format!("{records}?limit=1")).items()[0]["id"].as_str().unwrap().to_owned();
        let own = |kind: &str| {
            let request = world.request(Editor, Method::PATCH, &format!("{records}/{record}")).header("If-Match", "*");
            Answer::to(request.header("Content-Type", kind).body(operations.to_string()))
        };
        own("application/json-patch+json").problem(415, "unsupported-media-type");
        own("application/merge-patch+json").problem(400, "invalid-body");
        for (who, method, path, _, _) in calls(&world) {
            for kind in ["application/json-patch+json", "application/merge-patch+json"] {
                let body = operations.to_string();
                let request = world.request(who, method.clone(), &path).header("Content-Type", kind).body(body);
                Answer::to(request).problem(415, "unsupported-media-type");
            }
            Answer::to(world.request(who, method.clone(), &path).json(&operations));
            assert_eq!(Answer::to(world.request(who, Method::PATCH, &path).json(&operations)).status, 405, "{path}");
        }
        assert_eq!(standing(&world), before);
    }
}

on_both! {
    /// Classes 23 and 24: a write answers what reading the same thing answers its caller, and no header or parameter makes a question of
    /// it.
    fn a_decision_answers_what_reading_it_answers(world: World) {
        let path = format!("/api/v1/agreements/{}", world.id("agreement"));
        for (who, event) in [(Steward, "suspend"), (PartnerSteward, "suspend"), (Steward, "resume"), (PartnerSteward, "resume")] {
            let request = world.request(who, Method::POST, &format!("{path}/{event}")).json(&json!({"version": 1, "reason": "to be tested"}));
            let request = request.header("If-Match", "\"nothing\"").header("Prefer", "return=representation");
            let mut told = Answer::to(request).ok();
            // What else shows something of the same list is told once, to whoever stops something.
            told.as_object_mut().unwrap().remove("still_visible_through");
            assert_eq!(told, world.get(who, &path).ok(), "{who:?} {event}");
        }
    }
}
