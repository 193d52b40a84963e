//! Taking everything along, and leaving.

use std::io::{Cursor, Read};
use std::time::Duration;

use hayward::ledger::{seal, verify};
use hayward_store::KEPT_AFTER_LEAVING;
use hayward_tests::{on_both, raw};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::answer::Answer;
use crate::world::Persona::{Editor, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner};
use crate::world::{Persona, World};

const LEAVE: &str = "/api/v1/organization/leave";
const ARCHIVE: &str = "/api/v1/organization/archive";
const JOBS: &str = "/api/v1/opportunities";

/// The provider leaves; its steward says so, since nobody owns it.
fn leave(world: &World) -> Answer {
    world.post(Steward, LEAVE, &json!({"organization": world.id("provider"), "reason": "We merge with Nord."}))
}

struct Taken(ZipArchive<Cursor<Vec<u8>>>);

impl Taken {
    fn by(world: &World, who: Persona) -> Self {
        Self(ZipArchive::new(Cursor::new(world.get(who, ARCHIVE).expect(200).body)).unwrap())
    }

    fn text(&mut self, name: &str) -> String {
        let mut text = String::new();
        self.0.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn lines(&mut self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

on_both! {
    fn the_archive_holds_every_list_every_agreement_and_the_ledger(world: World) {
        world.get(PartnerClient, JOBS).expect(200);
        world.get(PartnerClient, "/api/v1/memberships").expect(200);
        world.post(Editor, "/api/v1/datasets", &json!({"schema": "membership", "name": "../Łódź: (empty)"})).expect(201);
        let store = world.server.store();
        seal::all(&world.server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
        let mut taken = Taken::by(&world, Steward);
        let lists: Value = serde_json::from_str(&taken.text("lists.json")).unwrap();
        let own = world.get(Steward, "/api/v1/datasets").items();
        assert_eq!(lists.as_array().unwrap().len(), own.len());
        for list in lists.as_array().unwrap() {
            let records = format!("/api/v1/datasets/{}/records", list["id"].as_str().unwrap());
            for (file, format) in list["files"].as_array().unwrap().iter().zip(["text/csv", "application/x-ndjson"]) {
                let there = world.get_as(Steward, &records, format).expect(200).text();
                assert_eq!(taken.text(file.as_str().unwrap()), there);
            }
            let schema: Value = serde_json::from_str(&taken.text(list["described_by"].as_str().unwrap())).unwrap();
            assert_eq!(schema["x-hayward"]["name"], list["schema"]);
        }
        let agreements = taken.lines("agreements.ndjson");
        assert_eq!(Value::from(agreements), world.get(Steward, "/api/v1/agreements?limit=1000").ok()["items"]);
        let ledger = taken.text("ledger.ndjson");
        let report = verify::verify(std::io::Cursor::new(&ledger), verify::Insist::default()).unwrap();
        assert!(report.faults.is_empty() && report.checkpoint && report.entries >= 2, "{report:?}");
        assert!(taken.text("README.txt").contains("ledger.ndjson"));
    }
}

on_both! {
    fn the_archive_is_for_who_may_read_all_of_it(world: World) {
        for who in [Editor, PartnerClient] {
            assert_eq!(world.get(who, ARCHIVE).expect(403).json()["type"], "/problems/insufficient-scope");
        }
        world.get(Nobody, ARCHIVE).expect(401);
        // The partner's own archive holds nothing of the provider's.
        let mut taken = Taken::by(&world, PartnerSteward);
        let names: Vec<String> = taken.0.file_names().map(|name| name.unwrap().into_owned()).collect();
        for name in names {
            assert!(!taken.text(&name).contains("ZQX"), "{name}");
        }
    }
}

on_both! {
    fn who_leaves_says_so_in_full(world: World) {
        let code = |body: &Value, who| world.post(who, LEAVE, body).json()["type"].as_str().unwrap().to_owned();
        let provider = world.id("provider");
        assert_eq!(code(&json!({"organization": "partner", "reason": "x"}), Steward), "/problems/not-confirmed");
        assert_eq!(code(&json!({"organization": provider, "reason": " "}), Steward), "/problems/empty-reason");
        assert_eq!(code(&json!({"organization": provider}), Steward), "/problems/invalid-body");
        assert_eq!(code(&json!({"organization": provider, "reason": "x"}), Editor), "/problems/insufficient-scope");
        assert_eq!(world.get(PartnerClient, JOBS).column("title").len(), 10, "nothing has happened");
        leave(&world).expect(200);
        assert_eq!(code(&json!({"organization": provider, "reason": "x"}), Steward), "/problems/left-already");
    }
}

on_both! {
    fn what_was_shared_is_over_and_both_sides_can_see_why(world: World) {
        let agreement = world.id("agreement");
        let cursor = world.get(PartnerClient, "/api/v1/changes?limit=1000").ok()["next"].clone();
        let left = leave(&world).expect(200).json();
        assert!(left["agreements"].as_array().unwrap().contains(&agreement.into()), "{left}");
        let titles = world.get(PartnerClient, JOBS).column("title");
        assert!(titles.len() == 2, "only the third's are left: {titles:?}");
        world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}")).expect(404);
        world.get(Nobody, "/api/v1/organizations").expect(200);
        let feed = format!("/api/v1/changes?cursor={}&limit=1000", cursor.as_str().unwrap());
        let feed = world.get(PartnerClient, &feed).items();
        assert_eq!(feed.iter().filter(|item| item["agreement"] == agreement && item["type"] == "removed").count(), 8);
        let told = world.get(PartnerSteward, &format!("/api/v1/agreements/{agreement}")).ok();
        assert_eq!(told["state"], "ended");
        let reasons = "select reason as value from agreement_events where event = 'end' order by number";
        assert!(raw::ask(&world.database, reasons).iter().any(|reason| reason.contains("has left the commons: We merge")));
        world.decide(PartnerSteward, agreement, "certify", 1).expect(200);
        // Nobody asks it any more, or for its lists.
        let asked = world.terms(world.id("unshared"), json!({"title": "exact"}));
        let refused = world.post(PartnerSteward, "/api/v1/agreements", &asked).json();
        assert_eq!(refused["errors"][0]["code"], "unknown-dataset", "{refused}");
        let listed = world.get(PartnerSteward, "/api/v1/catalogue?limit=1000").items();
        assert!(listed.iter().all(|entry| entry["provider"] != world.id("provider")) && !listed.is_empty());
    }
}

on_both! {
    fn who_has_left_keeps_what_is_theirs_and_reads_nothing_of_others(world: World) {
        let records = format!("/api/v1/datasets/{}/records", world.id("jobs"));
        let before = world.get(Steward, &records).expect(200).body;
        leave(&world).expect(200);
        assert_eq!(world.get(Steward, &records).expect(200).body, before);
        Taken::by(&world, Steward);
        world.get(Steward, "/api/v1/disclosures").expect(200);
        world.get(Steward, JOBS).expect(403);
        let file = format!("/api/v1/datasets/{}/imports?filename=x.csv", world.id("jobs"));
        assert_eq!(Answer::to(world.request(Editor, reqwest::Method::POST, &file).body("reference,title\n1,X\n")).status, 403);
        world.post(Steward, "/api/v1/agreements", &world.terms(world.id("jobs"), json!({"title": "exact"}))).expect(403);
    }
}

on_both! {
    fn its_programs_stop_with_it(world: World) {
        let third = json!({"organization": "third", "reason": "Closing down."});
        world.get(ThirdClient, JOBS).expect(200);
        world.post(ThirdOwner, LEAVE, &third).expect(200);
        world.get(ThirdClient, JOBS).expect(401);
        let token = world.request(Nobody, reqwest::Method::POST, "/oauth/token");
        let token = token.basic_auth(world.id(ThirdClient.name()), Some(crate::founding::CLIENT_SECRET));
        Answer::to(token.body("grant_type=client_credentials")).expect(401);
        assert_eq!(world.get(PartnerClient, JOBS).column("title").len(), 8, "the provider's are left");
    }
}

on_both! {
    fn its_lists_are_dropped_a_month_later(world: World) {
        let holds = |table: &str, column: &str| {
            let dataset = world.id("jobs");
            let of = match table {
                "shared_records" => "share in (select s.number from shares s join datasets d on d.number = s.dataset where d.id = ?)",
                _ => "dataset in (select number from datasets where id = ?)",
            }
            .replace('?', &format!("'{dataset}'"));
            raw::ask(&world.database, &format!("select {column} as value from {table} where {of} and {column} is not null")).len()
        };
        leave(&world).expect(200);
        let store = world.server.store();
        assert_eq!(store.drop_what_left().unwrap(), 0, "not yet");
        assert!(holds("records", "body") > 0);
        world.pass(KEPT_AFTER_LEAVING + Duration::from_secs(1));
        assert!(store.drop_what_left().unwrap() > 0);
        assert_eq!(store.drop_what_left().unwrap(), 0);
        assert_eq!((holds("records", "body"), holds("shared_records", "payload"), holds("imports", "filename")), (0, 0, 0));
        // What is the other sides' as well stays.
        let agreement = world.get(PartnerSteward, &format!("/api/v1/agreements/{}", world.id("agreement"))).ok();
        assert_eq!(agreement["state"], "ended");
    }
}
