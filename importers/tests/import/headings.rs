//! Headings that say more than a name: paths into JSON, places in a list, privacy, and words of another language.

use hayward_domain::schema::{FieldName, Schema};
use hayward_importers::{Blank, Decision, suggest};
use serde_json::{Value, json};

use crate::harness::{decide, field_of, import, organizations, schema};

/// Rooms, with lists among their fields.
fn rooms() -> Schema {
    let says = |sensitivity: &str, label: &str| json!({"sensitivity": sensitivity, "label": {"en": label, "es": label}});
    let list = |of: &str, label: &str| json!({"type": "array", "items": {"type": of}, "x-hayward": says("public", label)});
    let mut room = says("public", "Room");
    room["reads_as"] = Value::from("identifier");
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rooms", "description": "Rooms.", "type": "object",
        "required": ["room"], "additionalProperties": false,
        "x-hayward": {
            "name": "room", "version": 1, "collection": "rooms", "key": ["room"], "title": {"en": "Rooms", "es": "Salas"},
        },
        "properties": {
            "room": {"type": "string", "x-hayward": room},
            "tags": list("string", "Tags"), "seats": list("integer", "Seats"), "steps": list("boolean", "Steps"),
        },
    });
    Schema::parse(&document).unwrap()
}

#[test]
fn places_of_one_list_go_to_one_field() {
    let imported = organizations(
        "oid,name,tags[0],geolocation.lat,tags[1],geolocation.lon,tags(list-0)\n1,One,food,41.9,bread,2.2,\"a,b\"\n2,Two,,41.9,x,2.2,\n",
    );
    let fields: Vec<_> = imported.columns.iter().map(field_of).collect();
    assert_eq!(
        fields,
        [
            Some("identifier"),
            Some("name"),
            Some("activities"),
            Some("latitude"),
            Some("activities"),
            Some("longitude"),
            Some("activities")
        ]
    );
    assert!(imported.matching.validate(&imported.profile, &schema("organization")).is_ok());
    assert_eq!(imported.values("activities"), ["food; bread; a,b", "x"]);
}

#[test]
fn places_of_a_list_are_read_as_the_list_would_be() {
    let json = r#"[{"room":"1","tags":["a","b"]},{"room":"2","tags":["c"]}]"#;
    let flattened = "room,tags[0],tags[1]\n1,a,b\n2,c,\n";
    let [one, other] = [("list.json", json), ("list.csv", flattened)].map(|(name, text)| import(name, text, &rooms()));
    assert_eq!(one.values("tags"), other.values("tags"));
    assert_eq!(one.values("tags"), [json!(["a", "b"]), json!(["c"])]);
}

#[test]
fn a_blank_place_of_a_list_does_not_empty_it() {
    let imported = organizations("identifier,name,tags[0],tags[1]\n1,One,,b\n2,Two,a,\n3,Three,,\n");
    let cleared = imported.decided(|matching| matching.blank = Blank::Clear);
    assert_eq!(cleared.values("activities"), [json!("b"), json!("a"), Value::Null]);
    let clears: Vec<_> = cleared.ready().iter().map(|ready| ready.clears.len()).collect();
    assert_eq!(clears, [0, 0, 1]);
}

#[test]
fn several_values_in_a_cell_become_a_list() {
    let text = "room;tags;seats;steps\n1;\"a; b | c\nd\";\"1.200; 30\";sí|no\n2;Vic, Osona;7,5;maybe\n3;\"[\"\"x\"\"]\";;\n";
    let imported = import("list.csv", text, &rooms());
    assert_eq!(imported.values("tags"), [json!(["a", "b", "c", "d"]), json!(["x"])]);
    assert_eq!(imported.values("seats"), [json!([1200, 30]), Value::Null]);
    assert_eq!(imported.values("steps"), [json!([true, false]), Value::Null]);
    assert_eq!(imported.codes(), [(3, "type-error"), (3, "type-error")]);
    let alone = import("list.csv", "room,tags\n1,\"Vic, Osona\"\n", &rooms());
    assert_eq!(alone.values("tags"), [json!(["Vic, Osona"])]);
}

#[test]
fn two_columns_go_to_one_field_only_where_it_holds_several_values() {
    let imported = organizations("identifier,name,x,phones[0],phones[1]\n1,One,a,1,2\n");
    let to = |name: &str| Some(Decision::Field(FieldName::parse(name).unwrap()));
    for (headings, field) in [(["x", "name"], "name"), (["phones[0]", "phones[1]"], "phone"), (["x", "phones[0]"], "description")]
    {
        let mut matching = imported.matching.clone();
        headings.iter().for_each(|heading| decide(&mut matching, heading).field = to(field));
        let faults = matching.validate(&imported.profile, &schema("organization")).unwrap_err();
        assert!(faults.iter().any(|fault| fault.code == "duplicate-field"), "{headings:?}");
    }
    assert_eq!(imported.columns.iter().skip(3).map(field_of).collect::<Vec<_>>(), [None, None]);
    let rooms = rooms();
    let mut listed = import("list.csv", "room,tags,more\n1,a,\"b;c\"\n", &rooms);
    decide(&mut listed.matching, "more").field = to("tags");
    assert!(listed.matching.validate(&listed.profile, &rooms).is_ok());
    let listed = listed.decided(|_| ());
    assert_eq!(listed.values("tags"), [json!(["a", "b", "c"])]);
}

#[test]
fn a_list_that_has_one_more_place_next_time_is_matched_again() {
    let first = organizations("identifier,name,tags[0]\n1,One,a\n");
    let next = organizations("identifier,name,tags[0],tags[1]\n1,One,a,b\n");
    let columns = suggest(&next.profile, &schema("organization"), Some(&first.matching));
    assert_eq!(columns.iter().skip(2).map(field_of).collect::<Vec<_>>(), [Some("activities"), Some("activities")]);
}

#[test]
fn what_is_written_to_be_private_starts_as_private() {
    let imported = organizations("identifier,name,(Private Notes),(Privado) email\n1,One,secret,a@b.example\n");
    for heading in ["(Private Notes)", "(Privado) email"] {
        assert_eq!(imported.column(heading).field, Some(Decision::Private), "{heading}");
    }
    assert_eq!(imported.ready()[0].record.private["(Private Notes)"], "secret");
}

#[test]
fn a_word_means_what_it_means_in_the_language_of_the_list() {
    let list = |text: &str| {
        let imported = import("list.csv", text, &schema("membership"));
        imported.columns.iter().map(field_of).map(|field| field.map(str::to_owned)).collect::<Vec<_>>()
    };
    let french = list("N° adhérent,Prénom,Nom,Courriel,Ville\n1,Anna,Pons,,Toulouse\n");
    assert_eq!(french[2].as_deref(), Some("family_name"));
    let catalan = list("Núm. soci,Nom,Cognoms,Correu electrònic,Data d'alta,Mòbil\n1,Anna,Pons,,,\n");
    assert_eq!((catalan[1].as_deref(), catalan[2].as_deref()), (None, Some("family_name")));
}
