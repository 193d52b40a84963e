//! The person in the list: what is known of them, and taking them out for good.

use std::time::Duration;

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, Nobody, Operator, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner, Viewer};
use crate::world::World;

/// A list of three, shared with the partner and with everyone; its id and the agreements'.
fn shared(world: &World) -> (String, String, String) {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Erased"})).expect(201).json();
    let dataset = made["id"].as_str().unwrap().to_owned();
    world.import(&dataset, "reference,title,city,status\nA1,Baker,Bath,s\nA2,Welder,Bath,s\nA3,Cook,Bath,s\n");
    let agreement = world.agree(&world.terms(&dataset, json!({"reference": "exact", "title": "exact"})));
    let public = crate::founding::terms(&dataset, &json!("public"), json!({"reference": "exact", "city": "exact"}));
    (dataset, agreement, world.agree(&public))
}

fn record(world: &World, dataset: &str, reference: &str) -> String {
    let own = world.get(Editor, &format!("/api/v1/datasets/{dataset}/records")).items();
    own.iter().find(|one| one["reference"] == reference).unwrap()["id"].as_str().unwrap().to_owned()
}

fn erase(world: &World, record: &str) -> Value {
    let erased = world.post(Steward, &format!("/api/v1/records/{record}/erase"), &json!({"reason": "asked by letter"}));
    assert_eq!(erased.header("cache-control"), "private, no-store");
    erased.ok()
}

/// The feed of one agreement from `cursor` to its end; its items and where it ended.
fn feed(world: &World, agreement: &str, cursor: Option<&str>) -> (Vec<Value>, String) {
    let (mut items, mut at) = (Vec::new(), cursor.map(str::to_owned));
    loop {
        let cursor = at.as_ref().map(|at| format!("&cursor={at}")).unwrap_or_default();
        let page = world.get(PartnerClient, &format!("/api/v1/changes?agreement={agreement}{cursor}")).ok();
        let came = page["items"].as_array().unwrap().clone();
        at = page["next"].as_str().map(str::to_owned);
        if came.is_empty() {
            return (items, at.unwrap());
        }
        items.extend(came);
    }
}

on_both! {
    fn a_report_says_where_everything_came_from_and_where_it_went(world: World) {
        let (dataset, agreement, public) = shared(&world);
        world.pass(Duration::from_secs(60));
        let second = world.import(&dataset, "reference,title,city,shelf\nA2,Smith,Bath,7\n");
        let record = record(&world, &dataset, "A2");
        let path = format!("/api/v1/records/{record}/subject-report");
        world.get(PartnerClient, &format!("/api/v1/opportunities?agreement={agreement}&fields=title")).expect(200);
        world.get(PartnerClient, &format!("/api/v1/opportunities/{record}?agreement={agreement}")).expect(200);
        let answer = world.get(Steward, &path);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        let report = answer.ok();
        assert_eq!((&report["id"], &report["dataset"]["id"]), (&json!(record), &json!(dataset)));
        assert_eq!((&report["record"]["title"], &report["record"]["city"], &report["record"]["shelf"]), (&json!("Smith"), &json!("Bath"), &json!("7")));
        let sources = report["sources"].as_array().unwrap();
        assert_eq!(sources.iter().map(|one| &one["change"]).collect::<Vec<_>>(), ["created", "updated"]);
        assert_eq!(sources[0]["fields"], json!(["city", "reference", "status", "title"]));
        assert_eq!((&sources[1]["fields"], &sources[1]["import"]), (&json!(["shelf", "title"]), &second["id"]));
        assert_eq!((&sources[1]["by"], &sources[1]["filename"]), (&json!("import"), &second["filename"]));
        assert!(sources[1]["uploaded_by"].as_str().unwrap().starts_with("per_"), "{sources:?}");
        let agreements = report["agreements"].as_array().unwrap();
        assert_eq!(agreements.len(), 2, "{agreements:?}");
        let one = agreements.iter().find(|one| one["agreement"] == json!(agreement)).unwrap();
        assert_eq!((&one["recipient"], &one["fields"]["title"]), (&json!(world.id("partner")), &json!("exact")));
        assert_eq!(one["shows"], json!({"reference": "A2", "title": "Smith"}));
        assert!(one["since"].is_string());
        assert!(agreements.iter().any(|one| one["agreement"] == json!(public) && one["recipient"].is_null()));
        let given = report["disclosures"].as_array().unwrap();
        assert_eq!((given.len(), &given[0]["recipient"], &given[0]["times"]), (1, &json!(world.id("partner")), &json!(2)));
        assert_eq!(given[0]["fields"], json!(["reference", "title"]));
        assert!(given[0]["purpose"].is_string() && given[0]["first"].is_string() && given[0]["last"].is_string());

        // For everyone else there is nothing, and no way to tell why.
        let nothing = world.get(ThirdOwner, &path.replace("rec_", "rec_a")).without_the_request();
        assert_eq!(nothing.0, 404);
        for who in [ThirdOwner, PartnerSteward] {
            assert_eq!(world.get(who, &path).without_the_request(), nothing);
        }
        for who in [Editor, Viewer, PartnerClient] {
            world.get(who, &path).problem(403, "insufficient-scope");
        }
        for who in [Nobody, Operator] {
            world.get(who, &path).problem(401, "unauthenticated");
        }
    }
}

on_both! {
    fn an_erased_person_is_gone_for_everybody_and_who_was_told_is_known(world: World) {
        let (dataset, agreement, public) = shared(&world);
        let record = record(&world, &dataset, "A2");
        let jobs = format!("/api/v1/opportunities?agreement={agreement}");
        let (first, cursor) = feed(&world, &agreement, None);
        assert_eq!(first.len(), 3);
        let list = world.get(PartnerClient, &format!("{jobs}&limit=1")).ok();
        world.get(Nobody, &format!("/api/v1/opportunities?agreement={public}")).expect(200);
        let draft = world.upload(&dataset, "reference,title\nA2,Welder\nA9,Driver\n").expect(201).json();

        let path = format!("/api/v1/records/{record}/erase");
        let because = json!({"reason": "asked by letter"});
        for who in [Editor, Viewer, PartnerClient, ThirdClient] {
            world.post(who, &path, &because).problem(403, "insufficient-scope");
        }
        for who in [PartnerSteward, ThirdOwner] {
            world.post(who, &path, &because).problem(404, "not-found");
        }
        world.post(Steward, &path, &json!({"reason": " "})).problem(422, "empty-reason");
        let erased = erase(&world, &record);
        assert_eq!((&erased["state"], &erased["reason"], &erased["dataset"]), (&json!("erased"), &json!("asked by letter"), &json!(dataset)));
        let files = erased["files"].as_array().unwrap();
        let of_draft = files.iter().find(|file| file["import"] == draft["id"]).unwrap();
        assert_eq!((files.len(), &of_draft["had_file"]), (2, &json!(true)));
        let id = erased["id"].as_str().unwrap();
        let at = format!("/api/v1/erasures/{id}");

        // Gone.
        world.post(Steward, &path, &because).problem(404, "not-found");
        world.get(Steward, &format!("/api/v1/records/{record}/subject-report")).problem(404, "not-found");
        world.get(PartnerClient, &format!("/api/v1/opportunities/{record}?agreement={agreement}")).problem(404, "not-found");
        let mut titles = world.get(PartnerClient, &jobs).column("title");
        titles.sort();
        assert_eq!(titles, ["Baker", "Cook"]);
        // A page from before leads nowhere.
        let next = list["next"].as_str().unwrap();
        world.get(PartnerClient, &format!("{jobs}&limit=1&cursor={next}")).problem(404, "not-found");
        let import = world.get(Editor, &format!("/api/v1/imports/{}", draft["id"].as_str().unwrap())).ok();
        assert_eq!((&import["state"], &import["failure"]["code"]), (&json!("cancelled"), &json!("erased")));

        // Nobody has been told yet.
        let partner = json!(world.id("partner"));
        let waiting = |told: bool, days: i64| {
            json!([{"organization": partner, "agreement": agreement, "given": true, "told": told, "acknowledged_at": null, "days_waiting": days}])
        };
        assert_eq!(world.get(Steward, &at).ok()["recipients"], waiting(false, 0));
        assert_eq!(world.get(Steward, &at).ok()["public"], json!([{"agreement": public, "reads": 1}]));
        world.pass(Duration::from_secs(3 * 86_400));
        let ack = |cursor: &str| world.post(PartnerClient, "/api/v1/changes/ack", &json!({"cursor": cursor, "agreement": agreement}));
        // What it said before says nothing of what came after.
        assert_eq!(ack(&cursor).expect(204).body, b"");
        assert_eq!(world.get(Steward, &at).ok()["recipients"], waiting(false, 3));
        let (removed, cursor) = feed(&world, &agreement, Some(&cursor));
        assert_eq!((removed.len(), &removed[0]["type"], &removed[0]["id"]), (1, &json!("removed"), &json!(record)));
        assert_eq!(world.get(Steward, &at).ok()["recipients"], waiting(true, 3));
        assert_eq!(ack(&cursor).expect(204).body, b"");
        let told = world.get(Steward, &at).ok()["recipients"][0].clone();
        assert!(told["acknowledged_at"].is_string() && told["days_waiting"].is_null(), "{told}");
        assert_eq!(world.get(Steward, "/api/v1/erasures").items(), [world.get(Steward, &at).ok()]);

        // The same answer to whoever was never given anything; and a cursor is good for who was given it.
        world.post(ThirdClient, "/api/v1/changes/ack", &json!({"cursor": cursor, "agreement": agreement})).problem(400, "invalid-cursor");
        let own = world.get(ThirdClient, "/api/v1/changes?limit=1000").ok()["next"].as_str().unwrap().to_owned();
        assert_eq!(world.post(ThirdClient, "/api/v1/changes/ack", &json!({"cursor": own})).expect(204).body, b"");
        for who in [PartnerSteward, ThirdOwner] {
            world.get(who, &at).problem(404, "not-found");
            assert!(world.get(who, "/api/v1/erasures").items().is_empty());
        }

        // Remembered, until that is lifted.
        let next = world.import(&dataset, "reference,title\nA2,Welder\nA4,Painter\n");
        assert_eq!((&next["counts"]["created"], &next["counts"]["skipped"]), (&json!(1), &json!(1)));
        let problems = world.get(Editor, &format!("/api/v1/imports/{}/problems", next["id"].as_str().unwrap())).items();
        assert_eq!((problems.len(), &problems[0]["code"], &problems[0]["row"]), (1, &json!("erased-on-request"), &json!(2)));
        world.post(Editor, &format!("{at}/lift"), &because).problem(403, "insufficient-scope");
        world.post(ThirdOwner, &format!("{at}/lift"), &because).problem(404, "not-found");
        let lifted = world.post(Steward, &format!("{at}/lift"), &json!({"reason": "she came back"})).ok();
        assert_eq!(lifted["lifted"]["reason"], "she came back");
        world.post(Steward, &format!("{at}/lift"), &because).problem(409, "wrong-state");
        let next = world.import(&dataset, "reference,title\nA2,Welder\nA4,Painter\n");
        assert_eq!((&next["counts"]["created"], &next["counts"]["skipped"]), (&json!(1), &json!(0)));
    }
}
