//! The ledger asked about one record, one agreement, previews and refusals; and why something is shown or not.

use std::collections::BTreeSet;
use std::io::Cursor;

use hayward::ledger::{seal, verify};
use hayward_domain::id::base32;
use hayward_store::{Question, UnderAgreement};
use hayward_tests::on_both;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::Persona::{self, Nobody, PartnerClient, PartnerSteward, Steward, ThirdClient, ThirdOwner};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

fn own(world: &World, list: &str) -> Vec<String> {
    let path = format!("/api/v1/datasets/{}/records?limit=1000", world.id(list));
    world.get(Persona::Editor, &path).items().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn kinds(world: &World, who: Persona, kind: &str) -> Vec<Value> {
    world.get(who, &format!("/api/v1/disclosures?kind={kind}")).items()
}

on_both! {
    fn a_provider_learns_who_was_ever_given_a_record_and_which_fields(world: World) {
        let agreement = world.id("agreement").to_owned();
        let shown = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&fields=title,city")).items();
        let id = shown[0]["id"].as_str().unwrap();
        world.get(PartnerClient, &format!("{JOBS}/{id}?fields=category")).expect(200);
        let given = world.get(Steward, &format!("/api/v1/records/{id}/disclosures")).ok();
        let items = given["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["recipient"], world.id("partner"));
        assert_eq!(items[0]["agreement"], agreement.as_str());
        assert_eq!(items[0]["fields"], json!(["category", "city", "title"]));
        assert_eq!((&items[0]["times"], &items[0]["channels"]), (&json!(2), &json!({"get": 1, "list": 1})));
        // The entries themselves, for the provider and for the recipient.
        for who in [Steward, PartnerSteward] {
            let record = world.get(who, &format!("/api/v1/disclosures?record={id}")).items();
            assert_eq!(record.len(), 2, "{who:?}");
            assert_eq!(world.get(who, &format!("/api/v1/disclosures?record={id}&field=city")).items().len(), 1);
            assert_eq!(world.get(who, &format!("/api/v1/disclosures?record={id}&from=2026-11-22&to=2026-11-22")).items().len(), 2);
            assert!(world.get(who, &format!("/api/v1/disclosures?record={id}&to=2026-11-21")).items().is_empty());
        }
        // Nobody else is told anything about it, not even that it is there.
        for who in [PartnerSteward, ThirdOwner] {
            world.get(who, &format!("/api/v1/records/{id}/disclosures")).problem(404, "not-found");
        }
        assert!(world.get(ThirdOwner, &format!("/api/v1/disclosures?record={id}")).items().is_empty());
        for wrong in ["from=yesterday", "kind=other", "field=No+Field", "colour=red"] {
            assert_eq!(world.get(Steward, &format!("/api/v1/disclosures?{wrong}")).status, 400, "{wrong}");
        }
    }
}

on_both! {
    fn an_id_that_is_the_same_everywhere_leads_to_no_agreement_that_hides_it(world: World) {
        world.get(PartnerClient, "/api/v1/memberships").expect(200);
        let people = own(&world, "people");
        let seen = world.get(Steward, &format!("/api/v1/disclosures?record={}", people[0])).items();
        assert_eq!(seen.len(), 1);
        // The partner holds pseudonymous ids only: the provider's would tell it which of them is whom.
        assert!(world.get(PartnerSteward, &format!("/api/v1/disclosures?record={}", people[0])).items().is_empty());
        world.get(PartnerClient, &format!("/api/v1/memberships/{}", people[0])).problem(404, "not-found");
        assert!(kinds(&world, Steward, "refusal").is_empty());
        let explained = world.get(PartnerSteward, &format!("/api/v1/explain?record={}", people[0])).ok();
        assert_eq!(explained["visible"], false);
    }
}

on_both! {
    fn a_preview_is_written_down_for_the_provider_alone(world: World) {
        let path = format!("/api/v1/agreements/{}/versions/1/preview", world.id("agreement"));
        let preview = world.get(Steward, &path).expect(200);
        let entry = world.get(Steward, &format!("/api/v1/disclosures/{}", preview.header("disclosure-id"))).ok();
        assert_eq!((&entry["kind"], &entry["channel"], &entry["recipient"]), (&json!("preview"), &json!("preview"), &json!(world.id("provider"))));
        assert_eq!(entry["disclosed"][0]["count"], preview.items().len());
        assert_eq!(entry["disclosed"][0]["records"], "");
        assert_eq!(kinds(&world, Steward, "preview").len(), 1);
        assert!(world.get(PartnerSteward, "/api/v1/disclosures").items().is_empty());
        // Nobody was given anything by it.
        let usage = world.get(Steward, &format!("/api/v1/agreements/{}/usage", world.id("agreement"))).ok();
        assert_eq!((&usage["reads"], &usage["used"]), (&json!(0), &json!(0)));
        seal_all(&world);
        let export = world.get_as(Steward, "/api/v1/disclosures", "application/jsonl").expect(200).text();
        let report = verify::verify(Cursor::new(export), verify::Insist::default()).unwrap();
        assert_eq!((report.sealed, report.faults), (1, Vec::new()));
    }
}

fn seal_all(world: &World) {
    let store = world.server.store();
    seal::all(&world.server.commons.ledger.store, &store.keyring().signing(), store.now()).unwrap();
}

on_both! {
    fn a_refusal_is_told_to_both_sides_and_a_guess_to_nobody(world: World) {
        let (suspended, ended) = (world.id("suspended-agreement").to_owned(), world.id("ended-agreement").to_owned());
        for agreement in [&suspended, &ended] {
            for query in ["", "limit=1&"] {
                world.get(PartnerClient, &format!("/api/v1/measurements?{query}agreement={agreement}")).problem(404, "not-found");
            }
            // The feed goes on telling that there is nothing any more: that refuses nothing.
            world.get(PartnerClient, &format!("/api/v1/changes?agreement={agreement}")).expect(200);
        }
        let told = kinds(&world, Steward, "refusal");
        assert_eq!(told.len(), 2);
        let named: BTreeSet<&str> = told.iter().map(|entry| entry["disclosed"][0]["agreement"].as_str().unwrap()).collect();
        assert_eq!(named, BTreeSet::from([suspended.as_str(), ended.as_str()]));
        assert_eq!(told[0]["client"], world.id(PartnerClient.name()));
        assert!(told.iter().all(|entry| entry["channel"] == "2 refusals in the hour from here"));
        assert_eq!(kinds(&world, PartnerSteward, "refusal"), told);
        // Guesses, requests that were only wrong, and requests without a token.
        for agreement in ["foreign-agreement", "third-agreement"] {
            world.get(PartnerClient, &format!("{JOBS}?agreement={}", world.id(agreement))).problem(404, "not-found");
        }
        world.get(PartnerClient, &format!("/api/v1/memberships?agreement={}", world.id("agreement"))).problem(404, "not-found");
        world.get(PartnerClient, &format!("{JOBS}/rec_aaaaaaaaaaaaaaaaaaaaaaaaaa")).problem(404, "not-found");
        world.get(PartnerClient, &format!("{JOBS}/{}", own(&world, "unshared")[0])).problem(404, "not-found");
        world.get(Nobody, &format!("/api/v1/measurements?agreement={suspended}")).problem(404, "not-found");
        world.get(ThirdClient, &format!("/api/v1/measurements?agreement={suspended}"));
        for who in [Steward, ThirdOwner, PartnerSteward] {
            assert!(kinds(&world, who, "refusal").len() <= 2, "{who:?}");
        }
        assert!(kinds(&world, ThirdOwner, "refusal").is_empty());
        let usage = world.get(Steward, &format!("/api/v1/agreements/{suspended}/usage")).ok();
        assert_eq!((&usage["refusals"], &usage["reads"]), (&json!(2), &json!(0)));
    }
}

on_both! {
    fn a_record_that_was_once_shown_is_refused_under_its_agreement(world: World) {
        let agreement = world.id("agreement").to_owned();
        let id = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}")).items()[0]["id"].as_str().unwrap().to_owned();
        world.decide(Steward, &agreement, "suspend", 1).expect(200);
        world.get(PartnerClient, &format!("{JOBS}/{id}")).problem(404, "not-found");
        let told = kinds(&world, Steward, "refusal");
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0]["disclosed"][0]["agreement"], &told[0]["disclosed"][0]["records"]), (&json!(agreement), &json!("")));
        assert!(!told[0].to_string().contains(&id));
    }
}

on_both! {
    fn what_is_granted_and_never_used_can_be_left_out_at_once(world: World) {
        let agreement = world.id("agreement").to_owned();
        let path = format!("/api/v1/agreements/{agreement}/usage");
        let nothing = world.get(Steward, &path).ok();
        assert_eq!((&nothing["granted"], &nothing["used"], &nothing["narrower"]), (&json!(11), &json!(0), &Value::Null));
        world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&fields=title&country=ES&sort=category")).expect(200);
        world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&fields=city&country=XX")).expect(200);
        for sealed in [false, true] {
            if sealed {
                seal_all(&world);
            }
            let usage = world.get(Steward, &path).ok();
            assert_eq!((&usage["granted"], &usage["used"], &usage["reads"]), (&json!(11), &json!(3), &json!(2)));
            assert_eq!(usage["channels"], json!({"list": 2}));
            let used: Vec<&Value> =
                usage["fields"].as_array().unwrap().iter().filter(|field| field["answers"] == 1).map(|field| &field["field"]).collect();
            assert_eq!(used, ["category", "country", "title"]);
            // The literals of a filter are nowhere.
            assert!(!usage.to_string().contains("ES") || usage["narrower"].to_string().contains("ES"));
            let theirs = world.get(PartnerSteward, &path).ok();
            assert_eq!((&theirs["used"], theirs.get("narrower")), (&json!(3), None));
        }
        world.get(ThirdOwner, &path).problem(404, "not-found");
        let narrower = world.get(Steward, &path).ok()["narrower"].clone();
        let made = world.post(Steward, &format!("/api/v1/agreements/{agreement}/versions"), &json!({"terms": narrower, "from": 1}));
        assert_eq!(made.expect(201).json()["state"], "active");
        let items = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}"));
        if items.status == 200 {
            assert!(items.items().iter().all(|item| item.get("city").is_none() && item.get("title").is_some()));
        }
    }
}

on_both! {
    fn a_filtered_export_says_that_it_is_no_chain(world: World) {
        for _ in 0..3 {
            world.get(PartnerClient, JOBS).expect(200);
        }
        seal_all(&world);
        let path = format!("/api/v1/disclosures?agreement={}", world.id("agreement"));
        let export = world.get_as(Steward, &path, "application/x-ndjson").expect(200).text();
        assert_eq!(export.lines().last().unwrap(), json!({"filtered": {"agreement": world.id("agreement")}}).to_string());
        let report = verify::verify(Cursor::new(export), verify::Insist::default()).unwrap();
        assert_eq!((report.sealed, report.first.unwrap().what), (3, verify::What::Filtered));
    }
}

/// What a random agreement is and what happens to it.
#[derive(Clone, Debug)]
struct Deal {
    fields: Vec<&'static str>,
    rows: usize,
    pseudonymous: bool,
    event: Option<&'static str>,
}

const FIELDS: [&str; 6] = ["title", "category", "country", "city", "closes_on", "contact_email"];

fn deal() -> impl Strategy<Value = Deal> {
    let event = prop_oneof![3 => Just(None), 2 => select(vec!["suspend", "end", "offered", "narrow"]).prop_map(Some)];
    (subsequence(FIELDS.to_vec(), 1..6), 0..4usize, any::<bool>(), event).prop_map(|(fields, rows, pseudonymous, event)| Deal {
        fields,
        rows,
        pseudonymous,
        event,
    })
}

fn made(world: &World, deal: &Deal) -> String {
    let treated = |field: &&str| match *field {
        "city" => json!({"generalised": "prefix:2"}),
        "closes_on" => json!({"generalised": "month"}),
        "contact_email" => json!("masked"),
        _ => json!("exact"),
    };
    let fields: serde_json::Map<String, Value> = deal.fields.iter().map(|field| ((*field).to_owned(), treated(field))).collect();
    let mut terms = world.terms(world.id("jobs"), Value::Object(fields));
    terms["rows"] = match deal.rows {
        0 => json!("all"),
        1 => json!({"country": {"in": ["ES"]}}),
        2 => json!({"all": [{"country": {"in": ["ES", "FR"]}}, {"category": {"null": false}}]}),
        _ => json!({"title": {"prefix": "nothing begins so"}}),
    };
    terms["record_id"] = if deal.pseudonymous { "pseudonym".into() } else { "stable".into() };
    if deal.event == Some("offered") {
        return world.post(Steward, "/api/v1/agreements", &terms).expect(201).json()["id"].as_str().unwrap().to_owned();
    }
    let id = world.agree(&terms);
    match deal.event {
        Some("narrow") => {
            terms["rows"] = json!({"all": [terms["rows"].clone(), {"title": {"null": false}}]});
            if deal.rows == 0 {
                terms["rows"] = json!({"title": {"null": false}});
            }
            let path = format!("/api/v1/agreements/{id}/versions");
            world.post(Steward, &path, &json!({"terms": terms, "from": 1})).expect(201);
            world.server.store().build_due().unwrap();
        }
        Some(event) => drop(world.decide(Steward, &id, event, 1).expect(200)),
        None => {}
    }
    id
}

/// What the provider is told about one record under one agreement.
fn explained(world: &World, agreement: &str, record: &str, field: Option<&str>) -> UnderAgreement {
    let store = world.server.store();
    let caller = store.caller(&base32(&Sha256::digest(Steward.token().unwrap()))).unwrap();
    let beholder = store.beholding_client(&caller, world.id(PartnerClient.name())).unwrap();
    let question =
        Question { agreement: Some(agreement.to_owned()), record: Some(record.to_owned()), field: field.map(str::to_owned) };
    store.explain_to_provider(&caller, &beholder, &question).unwrap().unwrap().agreements.remove(0)
}

on_both! {
    fn what_is_explained_is_what_is_read(world: World) {
        let config = Config { cases: 5, failure_persistence: None, max_shrink_iters: 4, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]));
        let records = own(&world, "jobs");
        runner.run(&deal(), |deal| {
            let agreement = made(&world, &deal);
            let listed = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&limit=1000"));
            let items = if listed.status == 200 { listed.items() } else { Vec::new() };
            let mut shown = BTreeSet::new();
            for record in &records {
                let whole = explained(&world, &agreement, record, None);
                prop_assert_eq!(whole.visible, whole.id.is_some());
                prop_assert_eq!(whole.visible, whole.because.iter().any(|reason| reason.code == "shown"));
                shown.extend(whole.id.clone());
                // Read one by one, by the id that it has for the reader.
                let item = whole.id.map(|id| world.get(PartnerClient, &format!("{JOBS}/{id}?agreement={agreement}")).ok());
                for field in FIELDS.into_iter().chain(["salary_min", "no_such_field"]) {
                    let of_field = explained(&world, &agreement, record, Some(field));
                    prop_assert_eq!(of_field.visible, item.as_ref().is_some_and(|item| item.get(field).is_some()), "{}", field);
                    prop_assert_eq!(of_field.visible, of_field.treatment.is_some());
                    prop_assert!(!of_field.because.is_empty());
                }
            }
            let read: BTreeSet<String> = items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
            prop_assert_eq!(&shown, &read);
            // The recipient is told the same of what it reads, and of everything else one and the same.
            let ask = |record: &str, field: &str| {
                let path = format!("/api/v1/explain?agreement={agreement}&record={record}&field={field}");
                world.get(PartnerClient, &path).ok()
            };
            for item in items.iter().take(2) {
                for field in FIELDS.into_iter().chain(["salary_min", "no_such_field"]) {
                    let answer = ask(item["id"].as_str().unwrap(), field);
                    prop_assert_eq!(answer["visible"].as_bool(), Some(item.get(field).is_some()));
                }
            }
            let id = |number: usize| items.get(number).map_or("rec_x".to_owned(), |item| item["id"].as_str().unwrap().to_owned());
            prop_assert_eq!(ask(&id(0), "salary_min"), ask(&id(0), "no_such_field"));
            let nothing = ask("rec_aaaaaaaaaaaaaaaaaaaaaaaaaa", "title");
            for record in records.iter().filter(|record| !read.contains(*record)).chain(&own(&world, "unshared")) {
                prop_assert_eq!(&ask(record, "title"), &nothing);
            }
            Ok(())
        }).unwrap();
    }
}

on_both! {
    fn the_provider_is_told_what_stands_in_the_way(world: World) {
        let steward = |query: &str| world.get(Steward, &format!("/api/v1/explain?{query}"));
        let codes = |answer: Value| -> BTreeSet<String> {
            answer["because"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
        };
        let code = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let (partner, client) = (world.id("partner"), world.id(PartnerClient.name()));
        let agreement = world.id("agreement");
        let seen = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&limit=1000")).items();
        let read: Vec<&str> = seen.iter().map(|item| item["id"].as_str().unwrap()).collect();
        let kept_out = own(&world, "jobs").into_iter().find(|id| !read.contains(&id.as_str())).unwrap();
        let email = steward(&format!("client={client}&agreement={agreement}&record={}&field=contact_email", read[0])).ok();
        assert_eq!((&email["visible"], &email["as"], &email["because"][0]["version"]), (&json!(true), &json!("masked"), &json!(1)));
        assert_eq!(codes(steward(&format!("organization={partner}&agreement={agreement}&record={kept_out}")).ok()), code(&["row-condition"]));
        let hidden = steward(&format!("organization={partner}&agreement={agreement}&record={}&field=description", read[0])).ok();
        assert_eq!(codes(hidden), code(&["not-named"]));
        let typo = steward(&format!("organization={partner}&agreement={agreement}&field=descriptoin")).ok();
        assert_eq!(codes(typo), code(&["no-such-field"]));
        for (agreement, reason) in [("suspended-agreement", "suspended"), ("ended-agreement", "over")] {
            assert_eq!(codes(steward(&format!("client={client}&agreement={}", world.id(agreement))).ok()), code(&[reason]));
        }
        let without = world.id(Persona::EmptyClient.name());
        assert_eq!(codes(steward(&format!("client={without}&agreement={agreement}")).ok()), code(&["scope"]));
        // Nobody else's agreements, records or programs.
        steward(&format!("organization={partner}&agreement={}", world.id("foreign-agreement"))).problem(404, "not-found");
        steward(&format!("organization={partner}&record={}", read[0].replace('a', "b"))).problem(404, "not-found");
        steward("client=cli_x").problem(404, "not-found");
        world.get(ThirdOwner, &format!("/api/v1/explain?organization={partner}&record={}", read[0])).problem(404, "not-found");
        steward(&format!("organization={partner}&client={client}")).problem(400, "invalid-parameter");
    }
}
