//! What a recipient gets: disclosed fields, treated values, rows under the condition, and nothing that tells about the rest.

use hayward_domain::condition::{Condition, Is, Operand};
use hayward_domain::schema::FieldName;
use hayward_store::{AudienceKind, Decision, Order, ShareQuery, StoreError, Viewer};
use hayward_tests::commons::{Commons, To, item};
use hayward_tests::on_both;
use serde_json::{Value, json};

const FOUR: &str = "identifier,name,city,country,email,founded_on,member_count,latitude,longitude\n\
    1,Alder,Leeds,GB,alder@alder.example,1999-05-17,17,53.8008,-1.5491\n\
    2,Birch,York,GB,,2004-11-30,240,,\n\
    3,Cedar,Sevilla,ES,hola@cedar.example,2010-01-01,8,37.3891,-5.9845\n\
    4,Dogwood,Paris,FR,,,,,\n";

fn names(items: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
    names.sort_unstable();
    names
}

fn keys(item: &Value) -> Vec<&str> {
    item.as_object().unwrap().keys().map(String::as_str).collect()
}

fn test(field: &str, is: Is) -> Condition {
    Condition::Test { field: FieldName::parse(field).unwrap(), is }
}

on_both! {
    fn only_what_the_terms_name_is_shown_and_as_they_say(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        let fields = json!({
            "name": "exact", "identifier": "pseudonym", "email": "masked", "founded_on": {"generalised": "year"},
            "member_count": {"generalised": "band:100"}, "latitude": {"generalised": "grid:0.5"},
            "longitude": {"generalised": "grid:0.5"}, "city": "hidden",
        });
        let rows = json!({"any": [{"country": {"eq": "GB"}}, {"member_count": {"lt": 10}}]});
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": fields, "rows": rows}));
        let items = commons.list(&b.viewer, "organizations");
        assert_eq!(names(&items), ["Alder", "Birch", "Cedar"]);
        let alder = items.iter().find(|item| item["name"] == "Alder").unwrap();
        assert_eq!(
            keys(alder),
            ["id", "provider", "agreement", "edition", "identifier", "name", "email", "latitude", "longitude", "member_count", "founded_on",]
        );
        assert_eq!((&alder["provider"], &alder["agreement"]), (&json!(a.id), &json!(agreement)));
        assert_eq!((&alder["founded_on"], &alder["member_count"], &alder["latitude"]), (&json!("1999"), &json!(0), &json!(54)));
        assert_ne!(alder["identifier"], "1");
        assert!(alder["email"].as_str().unwrap().ends_with("@alder.example") && alder["email"] != "alder@alder.example");
        let birch = items.iter().find(|item| item["name"] == "Birch").unwrap();
        assert_eq!((&birch["email"], &birch["latitude"]), (&Value::Null, &Value::Null));
    }
}

on_both! {
    fn a_hidden_field_cannot_be_asked_about(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
        let ask =
            |is: Is| commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &test("country", is), &Order::default());
        for is in [Is::Eq(Operand::text("GB")), Is::Null(true), Is::Null(false), Is::Prefix("G".to_owned())] {
            assert!(ask(is).is_empty());
        }
        let sorted = Order::parse("-member_count").unwrap();
        let everything = Condition::All(Vec::new());
        let items = commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &everything, &sorted);
        assert_eq!(items, commons.list(&b.viewer, "organizations"));
    }
}

on_both! {
    fn a_filter_sees_the_treated_value(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        let fields = json!({"name": "exact", "founded_on": {"generalised": "year"}, "member_count": {"generalised": "band:100"}});
        commons.agree(&a, To::One(&b), &list, &json!({"fields": fields}));
        let ask = |condition: Condition| {
            commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &condition, &Order::default())
        };
        assert!(ask(test("founded_on", Is::Prefix("1999-05".to_owned()))).is_empty());
        assert_eq!(names(&ask(test("founded_on", Is::Eq(Operand::text("1999"))))), ["Alder"]);
        assert_eq!(names(&ask(test("member_count", Is::Gte(Operand::number(10.0))))), ["Birch"]);
        assert_eq!(names(&ask(test("member_count", Is::Null(true)))), ["Dogwood"]);
    }
}

on_both! {
    fn several_agreements_are_several_items(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        let one = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "city": "exact"}}));
        let members = commons.agree(&a, To::Members, &list, &json!({"fields": {"name": "exact"}}));
        assert_eq!(commons.list(&b.viewer, "organizations").len(), 8);
        let of = |agreement: &hayward_domain::id::AgreementId| ShareQuery {
            agreement: Some(agreement.to_string()),
            ..ShareQuery::default()
        };
        let by = |wanted: ShareQuery| {
            commons.list_by(&b.viewer, "organizations", &wanted, &Condition::All(Vec::new()), &Order::default())
        };
        assert_eq!(by(of(&one)).len(), 4);
        assert!(by(of(&members)).iter().all(|item| item.get("city").is_none()));
        assert_eq!(by(ShareQuery { audience: Some(AudienceKind::Members), ..ShareQuery::default() }).len(), 4);
        assert_eq!(by(ShareQuery { provider: Some(a.id.to_string()), ..ShareQuery::default() }).len(), 8);
        assert!(by(ShareQuery { provider: Some(b.id.to_string()), ..ShareQuery::default() }).is_empty());
        // A filter over the field of one of them.
        let leeds = test("city", Is::Eq(Operand::text("Leeds")));
        let found = commons.list_by(&b.viewer, "organizations", &ShareQuery::default(), &leeds, &Order::default());
        assert_eq!(found.len(), 1);
    }
}

on_both! {
    fn an_id_answers_the_most_specific_audience(commons: Commons) {
        let (a, b, c) = (commons.organization("a"), commons.organization("b"), commons.organization("c"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        commons.agree(&a, To::Public, &list, &json!({"fields": {"name": "exact"}}));
        commons.agree(&a, To::Members, &list, &json!({"fields": {"name": "exact", "country": "exact"}}));
        let one = commons.agree(
            &a,
            To::One(&b),
            &list,
            &json!({"fields": {"name": "exact", "city": "exact"}, "rows": {"country": {"eq": "GB"}}}),
        );
        let id = |name: &str| {
            let items = commons.list(&Viewer::Nobody, "organizations");
            items.iter().find(|item| item["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
        };
        let got = |viewer: &Viewer, name: &str| commons.get(viewer, "organizations", &id(name)).unwrap();
        assert!(got(&b.viewer, "Alder").get("city").is_some());
        // Not among the rows that are for b alone.
        assert!(got(&b.viewer, "Cedar").get("country").is_some());
        assert!(got(&c.viewer, "Alder").get("country").is_some());
        assert_eq!(keys(&got(&Viewer::Nobody, "Alder")), ["id", "provider", "agreement", "edition", "name"]);
        commons.decide(&a.steward, &one, 1, Decision::Suspend).unwrap();
        assert!(got(&b.viewer, "Alder").get("country").is_some());
    }
}

on_both! {
    fn an_id_of_a_row_that_is_not_shown_is_not_found(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}, "rows": {"country": {"eq": "GB"}}}));
        let own = commons.own(&list);
        let found = |name: &str| {
            let id = own.iter().find(|record| record["name"] == name).unwrap()["id"].as_str().unwrap();
            commons.get(&b.viewer, "organizations", id).is_some()
        };
        assert!(found("Alder") && found("Birch") && !found("Cedar") && !found("Dogwood"));
        for id in ["", "rec_", "rec_aaaaaaaaaaaaaaaaaaaaaaaaaa", "1", a.id.as_str()] {
            assert_eq!(commons.get(&b.viewer, "organizations", id), None);
        }
    }
}

on_both! {
    fn pseudonymous_ids_are_of_one_agreement(commons: Commons) {
        let (a, b, c) = (commons.organization("a"), commons.organization("b"), commons.organization("c"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        let over = json!({"record_id": "pseudonym", "fields": {"name": "exact", "identifier": "pseudonym"}});
        commons.agree(&a, To::One(&b), &list, &over);
        commons.agree(&a, To::One(&c), &list, &over);
        let alder = |viewer: &Viewer| {
            let items = commons.list(viewer, "organizations");
            items.into_iter().find(|item| item["name"] == "Alder").unwrap()
        };
        let (for_b, for_c) = (alder(&b.viewer), alder(&c.viewer));
        assert_ne!(for_b["id"], for_c["id"]);
        assert_ne!(for_b["identifier"], for_c["identifier"]);
        let get = |viewer: &Viewer, item: &Value| commons.get(viewer, "organizations", item["id"].as_str().unwrap());
        assert_eq!((get(&b.viewer, &for_b), get(&c.viewer, &for_c)), (Some(for_b.clone()), Some(for_c.clone())));
        assert_eq!((get(&b.viewer, &for_c), get(&c.viewer, &for_b)), (None, None));
        // Nor does the stable id open a pseudonymous share.
        let own = commons.own(&list);
        assert_eq!(get(&b.viewer, own.iter().find(|record| record["name"] == "Alder").unwrap()), None);
    }
}

on_both! {
    fn a_preview_is_the_page_that_the_recipient_gets(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        let fields = json!({"name": "masked", "city": "exact"});
        let over = json!({"record_id": "pseudonym", "fields": fields, "rows": {"country": {"in": ["GB", "ES"]}}});
        let agreement = commons.propose(&a.steward, &commons.terms(&list, To::One(&b), &over)).unwrap();
        let page = || {
            let preview = commons.store.preview(&a.steward, &agreement, 1, 50).unwrap();
            preview.records.into_iter().map(|(id, record)| (id, record.payload().to_owned())).collect::<Vec<_>>()
        };
        let before = page();
        commons.approve(&a, To::One(&b), &agreement, 1);
        let listed = commons.store.view::<_, StoreError>(&b.viewer, |view| {
            let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
            view.list(&shares, &Condition::All(Vec::new()).into(), &Order::default(), None, 50)
        });
        let listed: Vec<(String, String)> =
            listed.unwrap().rows.into_iter().map(|row| (row.id, row.record.payload().to_owned())).collect();
        assert_eq!((before, page()), (listed.clone(), listed));
    }
}

on_both! {
    fn a_program_that_has_parsed_nothing_yet_reads_under_the_recipients_role(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, FOUR);
        commons.agree(&a, To::One(&b), &list, &json!({"record_id": "pseudonym"}));
        let here = commons.list(&b.viewer, "organizations");
        let there = commons.another_store().unwrap().view::<_, StoreError>(&b.viewer, |view| {
            let shares = view.shares("organizations", &ShareQuery::default(), view.commit)?;
            let page = view.list(&shares, &Condition::All(Vec::new()).into(), &Order::default(), None, 50)?;
            Ok(page.rows.iter().map(|row| item(row, shares.of(row.share).unwrap())).collect::<Vec<_>>())
        });
        assert_eq!(there.unwrap(), here);
    }
}

on_both! {
    fn the_order_of_the_file_does_not_show(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let rows: Vec<String> = (0..40).map(|at| format!("{at},Co-op {at}\n")).collect();
        let order = |rows: Vec<String>| {
            let list = commons.dataset(&a, "organization");
            let agreement = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}}));
            commons.import_csv(&list, &format!("identifier,name\n{}", rows.concat()));
            let wanted = ShareQuery { agreement: Some(agreement.to_string()), ..ShareQuery::default() };
            let items = commons.list_by(&b.viewer, "organizations", &wanted, &Condition::All(Vec::new()), &Order::default());
            items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let there = order(rows.clone());
        let in_file: Vec<String> = (0..40).map(|at| format!("Co-op {at}")).collect();
        assert_ne!(there, in_file);
        assert_ne!(there, in_file.into_iter().rev().collect::<Vec<_>>());
        assert_eq!(there.len(), 40);
    }
}
