//! What a preview says besides the page: how much, what not, and what free words may give away.

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::{Editor, Steward};
use crate::world::World;

const LIST: &str = "reference,title,description,category,country,contact_phone,salary_min\n\
    A,Baker,Call 600 926 123 or write to ana@vall.example,job,ES,+34 600111222,20000\n\
    B,Smith 911 234 567,Ask in the office,job,ES,,21000\n\
    C,Cook,From 2026-12-01 to 2027-01-31,gig,FR,,22000\n\
    D,Hidden,Call +49 30 1234567,job,DE,,23000\n";

fn preview(world: &World, terms: &Value, query: &str) -> (String, Value) {
    let made = world.post(Steward, "/api/v1/agreements", terms).expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let answer = world.get(Steward, &format!("/api/v1/agreements/{id}/versions/1/preview{query}")).ok();
    (id, answer)
}

/// A list of its own, and terms over it.
fn listed(world: &World) -> (String, Value) {
    let made = world.post(Editor, "/api/v1/datasets", &json!({"schema": "opportunity", "name": "Openings"})).expect(201).json();
    let list = made["id"].as_str().unwrap().to_owned();
    world.import(&list, LIST);
    let fields =
        json!({"title": "exact", "description": "exact", "category": "exact", "country": "exact", "contact_phone": "masked"});
    let mut terms = world.terms(&list, fields);
    terms["rows"] = json!({"country": {"in": ["ES", "FR"]}});
    terms["record_id"] = "pseudonym".into();
    (list, terms)
}

on_both! {
    fn a_preview_counts_what_is_shown_and_names_what_is_not(world: World) {
        let (_, terms) = listed(&world);
        for query in ["", "?limit=1"] {
            let (_, preview) = preview(&world, &terms, query);
            assert_eq!(preview["count"], json!({"shown": 3, "of": 4}));
            assert_eq!(preview["items"].as_array().unwrap().len(), if query.is_empty() { 3 } else { 1 });
            assert_eq!(preview["not_shown"]["rows"], 1);
            let hidden = preview["not_shown"]["fields"].as_array().unwrap();
            assert!(hidden.contains(&json!({"field": "contact_name", "label": "Contact person", "sensitivity": "personal"})));
            assert!(hidden.contains(&json!({"field": "salary_min", "label": "Pay from", "sensitivity": "public"})));
            let shown = preview["items"][0].as_object().unwrap();
            assert!(hidden.iter().all(|field| !shown.contains_key(field["field"].as_str().unwrap())), "{preview}");
            let fields = world.get(Steward, "/api/v1/schemas/opportunity").ok()["properties"].as_object().unwrap().len();
            // An item has its id, its provider and its agreement besides.
            assert_eq!(hidden.len() + shown.len() - 3, fields, "every field is either shown or not");
            assert_eq!(preview["implied"][0]["field"], "country");
        }
        let (_, spanish) = preview(&world, &terms, "?lang=es");
        assert!(spanish["not_shown"]["fields"].as_array().unwrap().iter().any(|field| field["label"] == "Persona de contacto"));
    }
}

on_both! {
    fn a_preview_says_where_free_words_hold_phones_and_addresses_and_never_which(world: World) {
        let (list, mut terms) = listed(&world);
        let (id, shown) = preview(&world, &terms, "");
        let own = world.get(Editor, &format!("/api/v1/datasets/{list}/records")).items();
        let own_id = |reference: &str| own.iter().find(|record| record["reference"] == reference).unwrap()["id"].clone();
        assert_eq!(
            shown["free_text"],
            json!([
                {"field": "title", "emails": 0, "phones": 1, "rows": [own_id("B")]},
                {"field": "description", "emails": 1, "phones": 1, "rows": [own_id("A")]},
                {"field": "category", "emails": 0, "phones": 0, "rows": []},
            ]),
            "the row outside the condition does not count, nor does a field whose form is known"
        );
        let told = shown["free_text"].to_string();
        assert!(!told.contains("926") && !told.contains("vall"), "{told}");
        world.decide(Steward, &id, "withdraw", 1).expect(200);
        // Hidden or treated, there is nothing to look into.
        terms["fields"] = json!({"category": "exact", "description": "hidden", "contact_phone": "exact"});
        let (_, shown) = preview(&world, &terms, "");
        assert_eq!(shown["free_text"], json!([{"field": "category", "emails": 0, "phones": 0, "rows": []}]));
    }
}

on_both! {
    fn a_preview_names_five_records_and_counts_them_all(world: World) {
        let (list, terms) = listed(&world);
        let more: String = (0..2_500).map(|at| format!("N-{at},Job,Call 600 926 {:03},job,ES\n", at % 1000)).collect();
        world.import(&list, format!("reference,title,description,category,country\n{more}"));
        let (_, preview) = preview(&world, &terms, "?limit=10");
        assert_eq!(preview["count"], json!({"shown": 2_503, "of": 2_504}));
        assert_eq!(preview["free_text"][1]["phones"], 2_501);
        assert_eq!(preview["free_text"][1]["rows"].as_array().unwrap().len(), 5);
    }
}
