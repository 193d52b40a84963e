//! Schemas that go on under live lists and agreements: nothing new is shown, whatever changes.

use std::collections::BTreeMap;

use hayward_domain::id::AgreementId;
use hayward_domain::schema::Schema;
use hayward_store::{StoreError, Viewer};
use hayward_tests::commons::{Commons, List, Member, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::agreements::code;

fn field(kind: &str, about: Value) -> Value {
    let mut about = about;
    about["label"] = json!({"en": about["label"], "es": about["label"]});
    if kind == "date" {
        return json!({"type": "string", "format": "date", "x-hayward": about});
    }
    json!({"type": kind, "x-hayward": about})
}

/// The first version of a schema that other versions are made of.
fn first() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tools", "type": "object", "required": ["code"],
        "additionalProperties": false,
        "x-hayward": {
            "name": "tool", "version": 1, "collection": "tools", "key": ["code"], "title": {"en": "Tools", "es": "Herramientas"},
            "consent": "lent", "indexed": ["kind"]
        },
        "properties": {
            "code": field("string", json!({"sensitivity": "public", "label": "Code"})),
            "kind": field("string", json!({"sensitivity": "public", "label": "Kind", "treatments": ["masked"]})),
            "notes": field("string", json!({"sensitivity": "internal", "label": "Notes"})),
            "bought": field("date", json!({"sensitivity": "internal", "label": "Bought", "generalise": ["month", "year"]})),
            "price": field("number", json!({"sensitivity": "internal", "label": "Price"})),
            "lent": field("boolean", json!({"sensitivity": "public", "label": "May be lent"})),
        }
    })
}

/// The next version after `document`, changed.
fn next(document: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut next = document.clone();
    next["x-hayward"]["version"] = json!(document["x-hayward"]["version"].as_i64().unwrap() + 1);
    change(&mut next);
    next
}

fn register(commons: &Commons, document: &Value) -> Result<(), StoreError> {
    commons.store.register_schema(&Schema::parse(document).unwrap())
}

const FILE: &str = "code,kind,notes,bought,price,lent\nA,saw,blunt,2026-01-02,10,yes\nB,drill,,2026-03-04,,\nC,axe,sharp,,5,no\n";

struct Shop {
    a: Member,
    b: Member,
    list: List,
    agreement: AgreementId,
}

fn shop(commons: &Commons, over: &Value) -> Shop {
    register(commons, &first()).unwrap();
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "tool");
    commons.import_csv(&list, FILE);
    let agreement = commons.agree(&a, To::One(&b), &list, over);
    Shop { a, b, list, agreement }
}

fn all() -> Value {
    json!({"fields": {"code": "exact", "kind": "masked", "notes": "exact", "bought": {"generalised": "month"}, "price": "exact"}})
}

/// What the recipient reads, by code, without the envelope.
fn read(commons: &Commons, viewer: &Viewer) -> BTreeMap<String, Value> {
    let items = commons.list(viewer, "tools");
    let plain = items.into_iter().map(|mut item| {
        for name in ["id", "provider", "agreement", "edition"] {
            item.as_object_mut().unwrap().remove(name);
        }
        (item.get("code").map_or_else(|| item.to_string(), |code| code.as_str().unwrap().to_owned()), item)
    });
    plain.collect()
}

/// Everything in `after` was in `before`.
fn shows_no_more(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) {
    for (code, item) in after {
        let was = before.get(code).unwrap_or_else(|| panic!("{code} was not shown before"));
        for (name, value) in item.as_object().unwrap() {
            assert!(value.is_null() || was.get(name) == Some(value), "{name} of {code}: {value} was {:?}", was.get(name));
        }
    }
}

on_both! {
    fn a_schema_goes_on_under_an_agreement_and_shows_nothing_new(commons: Commons) {
        let Shop { a, b, list, .. } = shop(&commons, &all());
        let mut standing = read(&commons, &b.viewer);
        assert_eq!(standing.keys().collect::<Vec<_>>(), ["A", "B"], "who said no is not shown");
        let about = |document: &mut Value, name: &str, key: &str, value: Value| {
            document["properties"][name]["x-hayward"][key] = value;
        };
        let remove = |document: &mut Value, name: &str| drop(document["properties"].as_object_mut().unwrap().remove(name));
        type Step<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>);
        let steps: Vec<Step> = vec![
            ("a field is added", Box::new(|document| {
                document["properties"]["owner"] = field("string", json!({"sensitivity": "public", "label": "Owner"}));
            })),
            ("a treatment is no longer offered", Box::new(|document| about(document, "kind", "treatments", json!([])))),
            ("a field is thought worse of", Box::new(|document| about(document, "price", "sensitivity", json!("special")))),
            ("a field is removed", Box::new(|document| remove(document, "notes"))),
            ("it comes back, as something else", Box::new(|document| {
                document["properties"]["notes"] = field("string", json!({"sensitivity": "special", "label": "Notes on people"}));
            })),
            ("a field is renamed", Box::new(|document| {
                let bought = document["properties"]["bought"].clone();
                remove(document, "bought");
                document["properties"]["acquired"] = bought;
            })),
            ("a field gets another type", Box::new(|document| {
                document["properties"]["price"] = field("string", json!({"sensitivity": "internal", "label": "Price"}));
            })),
            ("a field is no longer shared", Box::new(|document| {
                document["properties"]["kind"] = field("string", json!({"sensitivity": "never", "label": "Kind"}));
                document["x-hayward"]["indexed"] = json!([]);
            })),
            ("and is shared again", Box::new(|document| {
                document["properties"]["kind"] = field("string", json!({"sensitivity": "public", "label": "Kind"}));
            })),
        ];
        let mut document = first();
        for (what, change) in steps {
            document = next(&document, &*change);
            register(&commons, &document).unwrap_or_else(|error| panic!("{what}: {error}"));
            commons.store.build_due().unwrap();
            let registered = read(&commons, &b.viewer);
            shows_no_more(&standing, &registered);
            let version = document["x-hayward"]["version"].as_i64().unwrap();
            let foreseen = commons.store.foresee_move(list.owner, &list.id, Some(version)).unwrap();
            assert_eq!(commons.store.move_dataset(list.owner, &list.id, version).unwrap(), foreseen, "{what}");
            commons.store.build_due().unwrap();
            let moved = read(&commons, &b.viewer);
            shows_no_more(&registered, &moved);
            // A file with every field of the version, all of them filled.
            let fields = Schema::parse(&document).unwrap().fields;
            let names: Vec<String> = fields.iter().map(|field| field.name.to_string()).collect();
            let value = |name: &str| match name {
                "code" => "A",
                "lent" => "yes",
                "bought" | "acquired" => "2026-01-02",
                "price" => "10",
                "kind" => "saw",
                _ => "ZQX-SECRET",
            };
            let row: Vec<&str> = names.iter().map(|name| value(name)).collect();
            commons.import_csv(&list, &format!("{}\n{}\n", names.join(","), row.join(",")));
            let imported = read(&commons, &b.viewer);
            assert!(!json!(imported).to_string().contains("ZQX-SECRET") || what.contains("added") || version < 5, "{what}: {imported:?}");
            if version >= 5 {
                shows_no_more(&registered, &imported);
            }
            standing = if version >= 5 { imported } else { read(&commons, &b.viewer) };
        }
        assert_eq!(standing["A"], json!({"code": "A"}), "of all that was agreed the key is left");
        // What is agreed now is agreed about what there is now.
        commons.agree(&a, To::Members, &list, &json!({"fields": {"notes": "exact", "kind": "exact"}}));
        let members = commons.list(&b.viewer, "tools");
        assert!(members.iter().any(|item| item["notes"] == "ZQX-SECRET" && item["kind"] == "saw"), "{members:?}");
        assert!(!json!(members).to_string().contains("blunt"), "what the old field held is nobody's");
    }
}

on_both! {
    fn what_moves_is_told_beforehand_and_kept_for_the_co_op_itself(commons: Commons) {
        let Shop { list, .. } = shop(&commons, &all());
        let without = next(&first(), |document| {
            document["properties"].as_object_mut().unwrap().remove("notes");
            document["properties"]["kind"]["enum"] = json!(["saw", "drill"]);
            document["required"] = json!(["code", "price"]);
        });
        register(&commons, &without).unwrap();
        let told = commons.store.foresee_move(list.owner, &list.id, None).unwrap();
        assert_eq!((told.from, told.to, told.newest, told.records), (1, 2, 2, 3));
        assert_eq!(told.becomes_private, BTreeMap::from([("notes".to_owned(), 2)]));
        assert_eq!(told.not_allowed, BTreeMap::from([("kind".to_owned(), 1), ("price".to_owned(), 1)]));
        let before = commons.import_csv(&list, "code,notes\nB,found\n");
        commons.store.move_dataset(list.owner, &list.id, 2).unwrap();
        let own = commons.store.own_records(list.owner, &list.id, &Default::default(), None, 10).unwrap();
        let flat: Vec<Value> = own.records.iter().map(|record| record.to_json(&own.schema)).collect();
        assert_eq!(flat.iter().map(|record| record["notes"].clone()).collect::<Vec<_>>(), ["blunt", "found", "sharp"]);
        assert!(flat.iter().any(|record| record["kind"] == "axe"), "what is not allowed any more stays");
        assert_eq!(code(commons.store.undo_import(&commons.again(&list, &before), None)), "schema-changed");
        let after = commons.import_csv(&list, "code,kind\nD,saw\n");
        assert_eq!(code(commons.store.move_dataset(list.owner, &list.id, 1)), "schema-backwards");
        assert_eq!(code(commons.store.move_dataset(list.owner, &list.id, 3)), "unknown-schema");
        // Where it stands already there is nothing to do, and nothing that could not be undone any more.
        assert_eq!(commons.store.move_dataset(list.owner, &list.id, 2).unwrap().becomes_private, BTreeMap::new());
        commons.undo(&list, &after);
        let other = commons.organization("other");
        assert_eq!(code(commons.store.foresee_move(other.number, &list.id, None)), "not found");
        assert_eq!(code(commons.store.move_dataset(other.number, &list.id, 2)), "not found");
    }
}

on_both! {
    fn a_field_that_is_never_shared_any_more_is_closed_at_once_and_for_good(commons: Commons) {
        let Shop { a, b, list, agreement } = shop(&commons, &all());
        let chosen = commons.agree(&a, To::One(&b), &list, &json!({"fields": {"code": "exact"}, "rows": {"notes": {"null": false}}}));
        let never = next(&first(), |document| {
            document["properties"]["notes"] = field("string", json!({"sensitivity": "never", "label": "Notes"}));
        });
        register(&commons, &never).unwrap();
        // Before anything is rebuilt: the shares answer nothing rather than too much.
        assert!(!json!(commons.list(&b.viewer, "tools")).to_string().contains("blunt"));
        commons.store.build_due().unwrap();
        let items = commons.list(&b.viewer, "tools");
        assert_eq!(items.len(), 2, "rows that were chosen by it are not shown at all");
        assert!(items.iter().all(|item| item.get("notes").is_none() && item["agreement"] == agreement.as_str()));
        assert!(commons.store.preview(&a.steward, &chosen, 1, 10).unwrap().records.is_empty());
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"notes": "exact"}}));
        assert!(commons.propose(&a.steward, &terms).is_err(), "nobody can agree on it anew, wherever the list stands");
    }
}

on_both! {
    fn nobody_gets_around_a_no_by_another_version(commons: Commons) {
        let Shop { b, .. } = shop(&commons, &all());
        let dropped = next(&first(), |document| drop(document["x-hayward"].as_object_mut().unwrap().remove("consent")));
        assert_eq!(code(register(&commons, &dropped)), "consent-dropped");
        let other = next(&first(), |document| {
            document["properties"]["agrees"] = field("boolean", json!({"sensitivity": "public", "label": "Agrees"}));
            document["x-hayward"]["consent"] = json!("agrees");
        });
        assert_eq!(code(register(&commons, &other)), "consent-dropped");
        assert_eq!(read(&commons, &b.viewer).len(), 2);
    }
}

on_both! {
    fn a_version_that_marks_consent_binds_every_agreement_at_once(commons: Commons) {
        let mut unmarked = first();
        unmarked["x-hayward"].as_object_mut().unwrap().remove("consent");
        register(&commons, &unmarked).unwrap();
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "tool");
        commons.import_csv(&list, FILE);
        commons.agree(&a, To::One(&b), &list, &all());
        assert_eq!(read(&commons, &b.viewer).len(), 3);
        let marked = next(&unmarked, |document| document["x-hayward"]["consent"] = json!("lent"));
        register(&commons, &marked).unwrap();
        assert!(read(&commons, &b.viewer).is_empty());
        // An import in between neither opens the share nor loses a change.
        commons.import_csv(&list, "code,kind\nB,hammer\n");
        commons.store.build_due().unwrap();
        let shown = read(&commons, &b.viewer);
        assert_eq!(shown.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(shown["B"]["kind"], "h•••");
    }
}

on_both! {
    fn a_version_with_the_same_name_for_another_field_is_not_narrower(commons: Commons) {
        let Shop { a, list, agreement, b } = shop(&commons, &json!({"fields": {"code": "exact", "notes": "exact"}}));
        let gone = next(&first(), |document| drop(document["properties"].as_object_mut().unwrap().remove("notes")));
        let back = next(&gone, |document| {
            document["properties"]["notes"] = field("string", json!({"sensitivity": "special", "label": "Notes"}));
        });
        register(&commons, &gone).unwrap();
        register(&commons, &back).unwrap();
        commons.store.move_dataset(list.owner, &list.id, 3).unwrap();
        commons.store.build_due().unwrap();
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"notes": "exact"}}));
        let (version, narrowed) = commons.store.propose_version(&a.steward, &agreement, 1, &terms).unwrap();
        assert!(!narrowed, "it would show what nobody has agreed to");
        assert_eq!(commons.state(&b, &agreement, version), "offered");
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"code": "exact"}}));
        assert!(commons.store.propose_version(&a.steward, &agreement, version, &terms).unwrap().1);
    }
}

on_both! {
    fn rows_that_were_chosen_by_a_field_that_is_gone_are_not_shown_because_it_is_empty_now(commons: Commons) {
        let empty = json!({"fields": {"code": "exact"}, "rows": {"notes": {"null": true}}});
        let Shop { a, b, list, agreement } = shop(&commons, &empty);
        assert_eq!(read(&commons, &b.viewer).keys().collect::<Vec<_>>(), ["B"]);
        let draft = commons.upload(&list, "code,kind\nB,hammer\n");
        let draft = commons.rematch(&list, &draft, |_| {});
        let gone = next(&first(), |document| drop(document["properties"].as_object_mut().unwrap().remove("notes")));
        register(&commons, &gone).unwrap();
        assert_eq!(read(&commons, &b.viewer).keys().collect::<Vec<_>>(), ["B"]);
        commons.store.move_dataset(list.owner, &list.id, 2).unwrap();
        assert!(read(&commons, &b.viewer).is_empty());
        commons.store.build_due().unwrap();
        assert!(read(&commons, &b.viewer).is_empty());
        assert!(commons.store.preview(&a.steward, &agreement, 1, 10).unwrap().records.is_empty());
        // Even the same terms would have to be agreed to anew: they are about a field that is not there.
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"code": "exact"}}));
        assert!(!commons.store.propose_version(&a.steward, &agreement, 1, &terms).unwrap().1);
        // A draft that was counted before is counted again.
        let seen = hayward_store::Seen { edition: Some(draft.edition), removals: None };
        assert!(matches!(commons.store.commit_import(&draft, seen), Err(StoreError::Stale(_))));
        let draft = commons.again(&list, &draft);
        let seen = hayward_store::Seen { edition: Some(draft.edition), removals: None };
        commons.store.commit_import(&draft, seen).unwrap();
    }
}
