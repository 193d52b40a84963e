//! The published schemas and their examples. The examples are contract, documentation and fixtures at once, so each is run.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hayward_domain::schema::{FieldName, Kind, ReadsAs, Schema, Sensitivity, Violation, built_in, folded};
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The examples of one folder, by file name.
fn examples(name: &str) -> Vec<(String, Value)> {
    let mut examples: Vec<_> = fs::read_dir(folder("examples").join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path)))
        .collect();
    examples.sort_by(|(one, _), (other, _)| one.cmp(other));
    examples
}

fn schema(name: &str) -> Schema {
    built_in().unwrap().into_iter().find(|schema| schema.name == name).expect(name)
}

fn venue() -> Schema {
    Schema::parse(&read(&folder("examples/registered/venue.json"))).unwrap()
}

fn record(value: &Value) -> BTreeMap<FieldName, Value> {
    value.as_object().unwrap().iter().map(|(name, value)| (FieldName::parse(name).expect(name), value.clone())).collect()
}

fn name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

fn check(schema: &Schema, value: &Value) -> Vec<Violation> {
    schema.check(&record(value))
}

#[test]
fn the_four_schemas_are_the_files_of_their_folder() {
    let files: BTreeSet<String> = fs::read_dir(folder(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let built_in: BTreeSet<String> = built_in().unwrap().into_iter().map(|schema| schema.name).collect();
    assert_eq!(files, built_in);
}

#[test]
fn the_fields_that_other_programs_hold_on_to_are_there() {
    let fixed = [
        (
            "organization",
            "organizations",
            "identifier",
            "identifier name",
            "legal_name description website email phone street postcode city region country latitude longitude legal_form activities registration_number registrar founded_on dissolved_on status",
        ),
        (
            "membership",
            "memberships",
            "member_id",
            "member_id",
            "given_name family_name email phone joined_on left_on birth_date membership_type status street postcode city region country shares consent_directory notes",
        ),
        (
            "opportunity",
            "opportunities",
            "reference",
            "reference title",
            "description kind category organization_name city region country latitude longitude contact_name contact_email contact_phone website salary_min salary_max opens_on closes_on status",
        ),
        (
            "measurement",
            "measurements",
            "organization_identifier indicator period_start",
            "organization_identifier indicator period_start value",
            "period_end unit as_of source",
        ),
    ];
    for (name, collection, key, required, optional) in fixed {
        let schema = schema(name);
        assert_eq!(schema.collection, collection);
        assert_eq!(schema.version, 1);
        assert_eq!(schema.key.iter().map(FieldName::as_str).collect::<Vec<_>>().join(" "), key);
        let demanded: Vec<&str> = schema.fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
        assert_eq!(demanded.join(" "), required);
        for field in optional.split(' ') {
            assert!(schema.field(field).is_some(), "{name} has no {field}");
        }
        assert_eq!(schema.geo.is_some(), schema.field("latitude").is_some());
    }
}

#[test]
fn a_word_belongs_to_one_field_of_a_schema() {
    for schema in built_in().unwrap() {
        let mut claimed: BTreeMap<String, &FieldName> = BTreeMap::new();
        for field in &schema.fields {
            let words = field.synonyms.iter().chain(field.labels.values()).map(String::as_str).chain([field.name.as_str()]);
            for word in words {
                let first = claimed.entry(folded(word)).or_insert(&field.name);
                assert_eq!(*first, &field.name, "{word}");
            }
        }
    }
}

#[test]
fn headers_of_real_lists_have_a_field() {
    let headers = [
        (
            "organization",
            "CUK Organisation ID=identifier|Registered Number=registration_number|Registrar=registrar|Registered Name=legal_name|Trading Name=name|Legal Form=legal_form|Registered Street=street|Registered City=city|Registered State/Province=region|Registered Postcode=postcode|Registered Status=status|Incorporation Date=founded_on|Dissolved Date=dissolved_on|Locality=city|Country ID=country|Companies House Number=registration_number|primary_url=website|telephone=phone|country_iso_3166=country|geolocation.lat=latitude|geolocation.lon=longitude|lat=latitude|long=longitude|Address=street|address_1=street|state_province=region",
        ),
        (
            "opportunity",
            "id=reference|organization=organization_name|lat=latitude|lon=longitude|starts_on=opens_on|ends_on=closes_on|producer=organization_name|sku=reference|Deadline=closes_on|Fecha límite=closes_on",
        ),
        (
            "membership",
            "Socio=member_id|Nº de socio=member_id|Apellidos=family_name|Nombre=given_name|Correo electrónico=email|Teléfono=phone|Fecha de alta=joined_on|Geburtsdatum=birth_date|Vorname=given_name|Nachname=family_name|Mitgliedsnummer=member_id|Código postal=postcode|Soci=member_id|Cognoms=family_name|Sócio=member_id|Prénom=given_name|Nom=family_name|Adhérent=member_id|DNI=national_id|IBAN=bank_account",
        ),
        (
            "measurement",
            "Charter number=organization_identifier|Indicador=indicator|Wert=value|Unité=unit|From=period_start|As at=as_of",
        ),
    ];
    for (name, pairs) in headers {
        let schema = schema(name);
        for (header, wanted) in pairs.split('|').map(|pair| pair.split_once('=').unwrap()) {
            let says = |word: &str| folded(word) == folded(header);
            let field = schema.fields.iter().find(|field| {
                says(field.name.as_str())
                    || field.labels.values().any(|label| says(label))
                    || field.synonyms.iter().any(|word| says(word))
            });
            assert_eq!(field.map(|field| field.name.as_str()), Some(wanted), "{header}");
        }
    }
}

#[test]
fn what_tells_on_a_person_is_not_public() {
    let membership = schema("membership");
    assert!(membership.fields.iter().all(|field| field.sensitivity >= Sensitivity::Personal));
    for field in ["national_id", "bank_account"] {
        assert_eq!(membership.field(field).unwrap().sensitivity, Sensitivity::Never);
    }
    let opportunity = schema("opportunity");
    for field in ["contact_name", "contact_email", "contact_phone"] {
        assert_eq!(opportunity.field(field).unwrap().sensitivity, Sensitivity::Personal);
    }
}

#[test]
fn fields_read_alike_offer_alike_in_every_schema() {
    for schema in built_in().unwrap() {
        for field in schema.fields.iter().filter(|field| field.sensitivity != Sensitivity::Never) {
            let offers = &field.offers;
            let wide = match (field.kind, field.reads_as) {
                (_, Some(ReadsAs::Email)) => offers.masked && offers.pseudonym,
                (_, Some(ReadsAs::Phone | ReadsAs::Identifier)) => {
                    offers.masked && offers.pseudonym && !offers.generalised.is_empty()
                }
                (_, Some(ReadsAs::Postcode | ReadsAs::Latitude | ReadsAs::Longitude)) => !offers.generalised.is_empty(),
                (Kind::Date | Kind::Integer | Kind::Number, _) => !offers.generalised.is_empty(),
                (Kind::Text | Kind::Boolean | Kind::Structured, _) => true,
            };
            assert!(wide, "{} of {}", field.name, schema.name);
        }
    }
}

#[test]
fn the_valid_examples_are_valid() {
    let examples = examples("valid");
    for (file, example) in &examples {
        let schema = schema(example["schema"].as_str().unwrap());
        assert!(file.starts_with(&schema.name), "{file}");
        assert_eq!(check(&schema, &example["record"]), [], "{file}");
    }
    for schema in built_in().unwrap() {
        assert!(examples.iter().filter(|(file, _)| file.starts_with(&schema.name)).count() >= 3, "{schema:?}");
    }
}

#[test]
fn the_invalid_examples_fail_where_and_how_they_say() {
    let examples = examples("invalid");
    for (file, example) in &examples {
        let schema = schema(example["schema"].as_str().unwrap());
        let violations = check(&schema, &example["record"]);
        let found: Vec<_> = violations.iter().map(|one| (one.field.as_ref().map(FieldName::as_str), one.code)).collect();
        let expect = &example["expect"];
        assert!(!found.is_empty(), "{file} is valid");
        for one in &found {
            assert_eq!(*one, (expect["field"].as_str(), expect["code"].as_str().unwrap()), "{file}");
        }
    }
    for schema in built_in().unwrap() {
        assert!(examples.iter().filter(|(file, _)| file.starts_with(&schema.name)).count() >= 8, "{schema:?}");
    }
}

#[test]
fn a_field_by_itself_is_judged_as_it_is_in_its_record() {
    for (file, example) in examples("invalid").into_iter().chain(examples("valid")) {
        let schema = schema(example["schema"].as_str().unwrap());
        let record = record(&example["record"]);
        let whole = schema.check(&record).into_iter().filter(|one| one.code != "missing-cell");
        let mut alone: Vec<_> = record.iter().flat_map(|(name, value)| schema.check_field(name, value)).collect();
        for violation in whole {
            let at = alone.iter().position(|one| *one == violation).expect(&file);
            alone.remove(at);
        }
        assert_eq!(alone, [], "{file}");
    }
}

#[test]
fn no_violation_holds_the_value() {
    let canary = "zq7canary";
    for schema in built_in().unwrap() {
        for field in &schema.fields {
            for value in [
                json!(canary),
                json!(format!("{canary}\0")),
                json!([canary]),
                json!({ canary: canary }),
                json!(canary.repeat(9_000)),
            ] {
                for violation in schema.check_field(&field.name, &value) {
                    assert!(!format!("{violation:?}").contains("zq7"), "{violation:?}");
                }
            }
        }
    }
}

#[test]
fn messages_say_what_to_do() {
    let said = |schema: &Schema, field: &str, value: Value| {
        let violations = schema.check_field(&name(field), &value);
        assert_eq!(violations.len(), 1, "{violations:?}");
        (violations[0].message.clone(), violations[0].suggestion.clone())
    };
    let plain = |message: &str| (message.to_owned(), None);
    let with = |message: &str, suggestion: &str| (message.to_owned(), Some(suggestion.to_owned()));
    let (membership, opportunity, venue) = (schema("membership"), schema("opportunity"), venue());
    assert_eq!(said(&membership, "postcode", json!("0".repeat(21))), plain("must be at most 20 characters"));
    assert_eq!(said(&membership, "member_id", json!("")), plain("must not be empty"));
    assert_eq!(said(&membership, "consent_directory", json!("yes")), plain("must be true or false"));
    assert_eq!(said(&membership, "left_on", json!("2023-02-29")), plain("is not a day in the calendar"));
    assert_eq!(said(&membership, "left_on", json!("1/2/2023")), with("is not a day in the calendar", "write it as YYYY-MM-DD"));
    assert_eq!(said(&membership, "given_name", json!("a\0")), plain("holds the character U+0000, which cannot be kept"));
    assert_eq!(said(&opportunity, "latitude", json!(91)), plain("must be at most 90"));
    assert_eq!(said(&opportunity, "salary_min", json!(1e17)), plain("has too many digits to keep exactly"));
    let layout = "must be one of `theatre`, `classroom`, `board`, `open`";
    assert_eq!(said(&venue, "layout", json!("theater")), with(layout, "`theatre`"));
    assert_eq!(said(&venue, "seats", json!(1.5)), plain("must be a whole number"));
    assert_eq!(said(&venue, "opening_hours", json!([{"day": "mon", "from": "09:00"}])), plain("a value inside it is missing"));
    assert_eq!(said(&venue, "layuot", json!("board")), with("is not a field of this list", "`layout`"));
}

#[test]
fn a_registered_schema_is_obeyed_like_our_own() {
    let venue = venue();
    assert_eq!(venue.collection, "venues");
    assert_eq!(venue.field("opening_hours").unwrap().kind, Kind::Structured);
    let hours = json!([{"day": "mon", "from": "09:00", "until": "17:30"}]);
    let room =
        json!({"room": "2b", "name": "Red room", "seats": 12, "layout": "board", "step_free": true, "opening_hours": hours});
    assert_eq!(check(&venue, &room), []);
    let closed = check(&venue, &json!({"room": "2b", "opening_hours": [{"day": "someday", "from": "9", "until": "17:30"}]}));
    let found: Vec<_> = closed.iter().map(|one| (one.field.as_ref().unwrap().as_str(), one.code)).collect();
    assert_eq!(found, [("name", "missing-cell"), ("opening_hours", "constraint-error"), ("opening_hours", "constraint-error")]);
}
