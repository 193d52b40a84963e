//! Terms in plain words, and how two versions differ.

use std::collections::BTreeSet;

use hayward_domain::schema::FieldName;
use hayward_domain::terms::Terms;
use hayward_domain::words::{About, Change, Difference, Language, Version, difference, sentences};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{SCHEMA, read, terms_document, with};
use crate::generated::documents;

fn version(terms: &Terms) -> Version<'_> {
    Version { terms, schema: &SCHEMA, provider: "Sol", recipient: Some("Verde"), list: "Our rooms", zone: "Europe/Madrid" }
}

fn said(terms: &Terms, language: Language) -> Vec<String> {
    sentences(&version(terms), language).into_iter().map(|sentence| sentence.text).collect()
}

fn between(old: &Terms, new: &Terms, language: Language) -> Difference {
    difference(&version(old), &version(new), language)
}

fn changes(old: &Value, new: &Value, language: Language) -> Vec<String> {
    let (old, new) = (read(old).unwrap(), read(new).unwrap());
    between(&old, &new, language).sentences.into_iter().map(|(_, sentence)| sentence.text).collect()
}

/// Terms with everything in them that has words of its own.
fn rich() -> Value {
    let mut document = with(
        "fields",
        json!({
            "code": "pseudonym", "email": "masked", "opened_on": {"generalised": "month"}, "seats": {"generalised": "band:1000"},
            "latitude": {"generalised": "grid:0.01"}, "country": "exact", "step_free": "exact", "tags": "hidden",
        }),
    );
    document["rows"] = json!({"all": [
        {"country": {"in": ["ES", "FR", "Oman"]}},
        {"any": [{"opened_on": {"gte": "2020-01-01"}}, {"all": [{"seats": {"gt": 20000}}, {"tags": {"null": false}}]}]},
        {"opened_on": {"prefix": "2026-12"}},
        {"step_free": {"eq": true}},
    ]});
    document["onward"] = json!({"named": ["The town hall", "Its school"]});
    document["lawful_basis"] = json!("consent");
    document["review_on"] = json!("2027-06-01");
    document["contact"] = json!("data@sol.example");
    document
}

#[test]
fn a_version_reads_like_this_in_english() {
    assert_eq!(
        said(&read(&rich()).unwrap(), Language::English),
        [
            "Sol shows Verde the following from its list “Our rooms” (Rooms), and nothing else.",
            "“Country” and “Step-free” are shown exactly as they are.",
            "“Code” is shown as a stand-in that only this agreement has: the same value always gets the same stand-in here, and \
             another one elsewhere.",
            "“Mail” is shown masked: only the first letter and what stands after the @ can be read.",
            "“Opened” is shown only as a month and a year, without the day.",
            "“Seats” is shown only roughly: as the lower end of a band of 1,000.",
            "“North” is shown only roughly: as the nearest point of a fixed grid with about 1.1 km or less between its points (0.01 \
             degrees).",
            "About identifiable people: “Mail” and “North”.",
            "Not shown: “Tags” and “Alarm”. A field that the list gets later is not shown either.",
            "The version says by name that “Tags” stays hidden.",
            "Only those records are shown for which all of this holds: “Country” is “ES”, “FR” or “Oman”; and (at least one of \
             these: “Opened” is 1 January 2020 or later; or (all of this: “Seats” is more than 20,000; and “Tags” is not empty)); \
             and “Opened” is in December 2026; and “Step-free” is yes. That goes for records that are added or changed later too.",
            "Whoever sees a record learns from the condition that “Opened” is 1 January 2020 or later, or that another of the \
             alternatives holds. The field itself is shown only as said above.",
            "Whoever sees a record learns from the condition that “Seats” is more than 20,000, or that another of the alternatives \
             holds. The field itself is shown only as said above.",
            "Whoever sees a record learns from the condition that “Tags” is not empty, or that another of the alternatives holds. \
             The field itself is not shown.",
            "Whoever sees a record learns from the condition that “Opened” is in December 2026. The field itself is shown only as \
             said above.",
            "The condition also tells about “Country” and “Step-free”, which can be seen anyway.",
            "A record has the same id here as under other agreements with lasting ids, so that what is received under several of \
             them can be put together.",
            "The purpose is helping each other out: “Finding a room.”",
            "As the legal basis the version gives: “consent”.",
            "Verde may pass the data on to “The town hall” and “Its school”, and to nobody else.",
            "Verde deletes every copy within 30 days of the end, and certifies it.",
            "The agreement holds from the beginning of 1 December 2026 until the end of 30 November 2027 (Europe/Madrid).",
            "Both sides look at the agreement again on 1 June 2027.",
            "Questions go to “data@sol.example”.",
        ]
    );
}

#[test]
fn a_version_reads_like_this_in_spanish() {
    assert_eq!(
        said(&read(&rich()).unwrap(), Language::Spanish),
        [
            "Sol muestra a Verde lo siguiente de su lista «Our rooms» (Salas), y nada más.",
            "«Country (es)» y «Step-free (es)» se muestran tal cual.",
            "«Code (es)» se muestra con un código en su lugar, que solo existe en este acuerdo: el mismo valor recibe aquí siempre el \
             mismo código, y en otra parte otro.",
            "«Mail (es)» se muestra de forma parcial: solo se leen la primera letra y lo que sigue a la arroba.",
            "«Opened (es)» se muestra solo con el mes y el año, sin el día.",
            "«Seats (es)» se muestra solo de forma aproximada: el límite inferior de un tramo de 1000.",
            "«North (es)» se muestra solo de forma aproximada: el punto más cercano de una cuadrícula fija, con unos 1,1 km o menos \
             entre sus puntos (0,01 grados).",
            "Datos de personas identificables: «Mail (es)» y «North (es)».",
            "No se muestra: «Tags (es)» y «Alarm (es)». Tampoco se muestra ningún campo que la lista reciba más adelante.",
            "La versión dice expresamente que «Tags (es)» no se muestra.",
            "Solo se muestran los registros en los que se cumple todo esto: «Country (es)» es «ES», «FR» u «Oman»; y (al menos una de \
             estas condiciones: «Opened (es)» es el 1 de enero de 2020 o una fecha posterior; o (todo esto: «Seats (es)» es más de \
             20.000; y hay algún dato en «Tags (es)»)); y «Opened (es)» cae en diciembre de 2026; y «Step-free (es)» es sí. Vale \
             también para los que se añadan o cambien después.",
            "Quien ve un registro sabe por la condición que «Opened (es)» es el 1 de enero de 2020 o una fecha posterior, o que se \
             cumple otra de las alternativas. El campo en sí se muestra solo como se ha dicho.",
            "Quien ve un registro sabe por la condición que «Seats (es)» es más de 20.000, o que se cumple otra de las alternativas. \
             El campo en sí se muestra solo como se ha dicho.",
            "Quien ve un registro sabe por la condición que hay algún dato en «Tags (es)», o que se cumple otra de las alternativas. El \
             campo en sí no se muestra.",
            "Quien ve un registro sabe por la condición que «Opened (es)» cae en diciembre de 2026. El campo en sí se muestra solo como \
             se ha dicho.",
            "La condición informa también de «Country (es)» y «Step-free (es)», cosa que se ve de todos modos.",
            "Un registro tiene aquí el mismo identificador que en otros acuerdos con identificadores duraderos, de modo que se puede \
             juntar lo que se recibe por varios de ellos.",
            "La finalidad es la ayuda mutua: «Finding a room».",
            "Como base jurídica, la versión indica: «consent».",
            "Verde puede ceder los datos a «The town hall» e «Its school», y a nadie más.",
            "Verde borra todas las copias en el plazo de 30 días tras el final, y lo certifica.",
            "El acuerdo vale desde el comienzo del 1 de diciembre de 2026 hasta el final del 30 de noviembre de 2027 (Europe/Madrid).",
            "Las dos partes revisan el acuerdo el 1 de junio de 2027.",
            "Las preguntas se dirigen a «data@sol.example».",
        ]
    );
}

/// One member of the terms made different, with a word in English and one in Spanish that its sentence must have.
fn mutations() -> Vec<(&'static str, Value, Change, &'static str, &'static str)> {
    let org = json!({"organization": "org_aaaaaaaaaaaaaaaaaaaaaaaa"});
    vec![
        ("/audience", json!("members"), Change::More, "every member co-op", "todas las cooperativas miembro"),
        ("/audience", json!("public"), Change::More, "without signing in", "sin iniciar sesión"),
        ("/audience", org, Change::Different, "nothing else", "nada más"),
        ("/fields/country", json!("exact"), Change::More, "also show “Country”", "también «Country (es)»"),
        ("/fields/seats", json!({"generalised": "band:5000"}), Change::More, "a band of 5,000", "un tramo de 5000"),
        ("/fields/code", json!("hidden"), Change::Less, "no longer show “Code”", "dejaría de mostrar «Code (es)»"),
        (
            "/fields/code",
            json!("masked"),
            Change::Less,
            "“Code” would be shown masked",
            "«Code (es)» se mostraría de forma parcial",
        ),
        ("/fields/email", json!("pseudonym"), Change::Different, "“Mail”", "«Mail (es)»"),
        (
            "/fields/email",
            json!("exact"),
            Change::More,
            "“Mail” would be shown exactly as it is",
            "«Mail (es)» se mostraría tal cual",
        ),
        ("/fields/opened_on", json!({"generalised": "year"}), Change::Less, "only as a year", "solo con el año"),
        ("/fields/tags", json!("hidden"), Change::Different, "“Tags” stays hidden", "«Tags (es)» sigue sin mostrarse"),
        ("/rows", json!("all"), Change::More, "Every record", "todos los registros"),
        ("/rows/all/0/country/in/0", json!("PT"), Change::Different, "“PT” or “FR”", "«PT» o «FR»"),
        ("/record_id", json!("pseudonym"), Change::Different, "only this agreement uses", "solo usa este acuerdo"),
        ("/purpose/code", json!("research"), Change::Different, "research", "la investigación"),
        ("/purpose/text", json!("Study."), Change::Different, "“Study.”", "«Study»"),
        ("/lawful_basis", json!("law"), Change::Different, "“law”", "«law»"),
        ("/onward", json!("public"), Change::More, "may pass the data on to anybody", "a cualquiera"),
        ("/onward", json!({"named": ["x"]}), Change::More, "to “x”", "a «x»"),
        ("/ending/delete_within_days", json!(31), Change::Longer, "31 days", "31 días"),
        ("/ending/delete_within_days", json!(1), Change::Shorter, "one day", "un día"),
        ("/ending", json!({"keep": "as a record"}), Change::Longer, "“as a record”", "«as a record»"),
        ("/starts_on", json!("2026-11-30"), Change::Longer, "30 November 2026", "30 de noviembre de 2026"),
        ("/starts_on", json!("2026-12-02"), Change::Shorter, "2 December 2026", "2 de diciembre de 2026"),
        ("/ends_on", json!("2027-12-01"), Change::Longer, "1 December 2027 (Europe/Madrid)", "1 de diciembre de 2027"),
        ("/ends_on", json!("2027-11-29"), Change::Shorter, "29 November 2027", "29 de noviembre de 2027"),
        ("/review_on", json!("2027-06-01"), Change::Different, "1 June 2027", "1 de junio de 2027"),
        ("/contact", json!("x@y.example"), Change::Different, "“x@y.example”", "«x@y.example»"),
    ]
}

#[test]
fn each_single_change_is_said_by_its_name_and_no_other() {
    let before = terms_document();
    for (pointer, value, change, english, spanish) in mutations() {
        let mut after = before.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match after.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            object => object[key] = value,
        }
        let (old, new) = (read(&before).unwrap(), read(&after).unwrap());
        for (language, word) in [(Language::English, english), (Language::Spanish, spanish)] {
            let found = between(&old, &new, language);
            // What the condition tells by itself, now that it or a field has changed, may be said too.
            let said: Vec<_> = found.sentences.iter().filter(|(_, sentence)| sentence.about != About::Implied).collect();
            assert_eq!(said.len(), 1, "{pointer}: {said:?}");
            let (way, sentence) = &said[0];
            assert_eq!(*way, change, "{pointer}: {sentence:?}");
            assert!(sentence.text.contains(word), "{pointer}: {}", sentence.text);
            assert!(found.changes.iter().all(|changed| pointer.starts_with(&changed.pointer) && changed.change == change));
            assert_eq!(found.changes.len(), 1, "{pointer}: {:?}", found.changes);
            let back = between(&new, &old, language);
            assert!(!back.sentences.is_empty(), "{pointer}, the other way round");
        }
    }
}

#[test]
fn what_changes_is_told_the_riskiest_first() {
    let mut after = rich();
    let fields = after["fields"].as_object_mut().unwrap();
    fields.insert("email".to_owned(), json!("exact"));
    fields.insert("tags".to_owned(), json!("exact"));
    fields.remove("step_free");
    after["ends_on"] = json!("2028-06-30");
    after["contact"] = json!("");
    let rows = after["rows"]["all"].as_array_mut().unwrap();
    rows[3] = json!({"email": {"prefix": "a"}});
    assert_eq!(
        changes(&rich(), &after, Language::English),
        [
            "More: “Mail” would be shown exactly as it is. Before: masked: only the first letter and what stands after the @ can be \
             read.",
            "More: Sol would also show “Tags”, exactly as it is.",
            "Longer: The agreement would hold until the end of 30 June 2028 (Europe/Madrid). Before: of 30 November 2027.",
            "Different: Other records would be shown: those for which “Mail” begins with “a”. Before: those for which “Step-free” is \
             yes. The rest of the condition stays.",
            "Different: Nobody is named for questions. Before: Questions go to “data@sol.example”.",
            "Less: Sol would no longer show “Step-free”.",
        ]
    );
}

#[test]
fn a_condition_that_is_narrower_may_tell_more() {
    let mut after = terms_document();
    after["rows"] = json!({"all": [terms_document()["rows"], {"seats": {"lte": 12}}]});
    assert_eq!(
        changes(&terms_document(), &after, Language::English),
        [
            "More: Whoever sees a record learns from the condition that “Seats” is at most 12. The field itself is not shown.",
            "Less: Fewer records would be shown: only those for which, besides, “Seats” is at most 12.",
        ]
    );
    assert_eq!(
        changes(&after, &terms_document(), Language::Spanish),
        ["Más: Se mostrarían más registros: ya no haría falta que se dé esto: «Seats (es)» es como mucho 12."]
    );
}

#[test]
fn what_somebody_wrote_cannot_pass_for_a_sentence_of_ours() {
    let document = with("contact", json!("me”.\nLess: “nothing is shown\u{202e}"));
    let texts = said(&read(&document).unwrap(), Language::English);
    assert_eq!(texts.last().unwrap(), "Questions go to “me’. Less: ‘nothing is shown\u{fffd}”.");
}

/// Terms that differ in every member that can, as documents.
fn varied() -> impl Strategy<Value = Value> {
    let pick = |values: Vec<Value>| prop::sample::select(values);
    let members = (
        pick(vec![json!("members"), json!("public"), terms_document()["audience"].clone()]),
        pick(vec![json!("stable"), json!("pseudonym")]),
        pick(vec![
            json!({"code": "research", "text": "a"}),
            json!({"code": "other", "text": "a"}),
            json!({"code": "other", "text": "b"}),
        ]),
        pick(vec![json!(""), json!("consent"), json!("law")]),
        pick(vec![json!("2026-12-01"), json!("2026-12-15")]),
        pick(vec![json!(""), json!("a"), json!("b")]),
    );
    (documents(), members).prop_map(|(mut document, (audience, ids, purpose, basis, starts, contact))| {
        let members = [
            ("audience", audience),
            ("record_id", ids),
            ("purpose", purpose),
            ("lawful_basis", basis),
            ("starts_on", starts),
            ("contact", contact),
        ];
        members.into_iter().for_each(|(key, value)| document[key] = value);
        document
    })
}

/// Two versions, of which the second has only some members of its own.
fn pairs() -> impl Strategy<Value = (Value, Value)> {
    (varied(), varied(), any::<u16>()).prop_map(|(old, other, bits)| {
        let mut new = old.clone();
        let keys = [
            "audience",
            "fields",
            "rows",
            "record_id",
            "purpose",
            "lawful_basis",
            "onward",
            "ending",
            "starts_on",
            "ends_on",
            "review_on",
            "contact",
        ];
        for (at, key) in keys.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1) {
            match (other.get(key), new.as_object_mut()) {
                (Some(value), _) => new[key] = value.clone(),
                (None, Some(members)) => drop(members.remove(key)),
                (None, None) => unreachable!("{at}"),
            }
        }
        (old, new)
    })
}

/// What stands in the quotation marks of a sentence.
fn quotations(text: &str, [open, close]: [char; 2]) -> Vec<String> {
    let parts = text.split(open).skip(1);
    parts.map(|part| part.split_once(close).map_or(part, |(quotation, _)| quotation).to_owned()).collect()
}

fn texts_of(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, found)),
        Value::Object(members) => members.values().for_each(|value| texts_of(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whatever may be quoted: labels, the name of the list, texts of the terms.
fn quotable(documents: [&Value; 2]) -> BTreeSet<String> {
    let mut known = BTreeSet::from(["Our rooms".to_owned()]);
    known.extend(SCHEMA.fields.iter().flat_map(|field| field.labels.values().cloned()));
    documents.into_iter().for_each(|document| texts_of(document, &mut known));
    known
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_versions_differ_in_no_sentence_and_others_in_one_at_least((old, new) in pairs()) {
        let (Ok(old), Ok(new)) = (read(&old), read(&new)) else { return Ok(()) };
        for language in Language::ALL {
            let found = between(&old, &new, language);
            prop_assert_eq!(found.sentences.is_empty(), old.hash() == new.hash());
            prop_assert_eq!(found.changes.is_empty(), old.hash() == new.hash());
            let same = between(&new, &new, language);
            prop_assert!(same.sentences.is_empty() && same.changes.is_empty() && same.unchanged >= 11);
        }
    }

    #[test]
    fn where_nothing_is_more_longer_or_different_the_new_version_is_at_most_the_old_one((old, new) in pairs()) {
        let (Ok(old), Ok(new)) = (read(&old), read(&new)) else { return Ok(()) };
        let found = between(&old, &new, Language::English);
        let risky = |change: &Change| matches!(change, Change::More | Change::Longer | Change::Different);
        let told = found.sentences.iter().any(|(change, _)| risky(change));
        let marked = found.changes.iter().any(|changed| risky(&changed.change));
        prop_assert!(marked || new.is_at_most(&old), "{:?}", found);
        prop_assert!(told || !marked);
        prop_assert!(found.sentences.is_sorted_by_key(|(change, _)| *change));
    }

    #[test]
    fn every_change_has_its_sentence_and_the_documents_differ_just_there((old, new) in pairs()) {
        let (Ok(old), Ok(new)) = (read(&old), read(&new)) else { return Ok(()) };
        let found = between(&old, &new, Language::English);
        let mut patched = old.to_json();
        for changed in &found.changes {
            let mut said = found.sentences.iter().filter(|(change, _)| *change == changed.change);
            prop_assert!(said.any(|(_, sentence)| sentence.pointers.contains(&changed.pointer)), "{}", changed.pointer);
            let (parent, key) = changed.pointer.rsplit_once('/').unwrap();
            let members = patched.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
            prop_assert_eq!(members.get(key).unwrap_or(&Value::Null), &changed.before);
            match &changed.after {
                Value::Null => drop(members.remove(key)),
                after => drop(members.insert(key.to_owned(), after.clone())),
            }
        }
        prop_assert_eq!(read(&patched).unwrap().hash(), new.hash(), "the changes lead from one version to the other");
    }

    #[test]
    fn both_languages_say_the_same_things_and_quote_nothing_that_was_not_written((old, new) in pairs()) {
        let documents = [&old, &new];
        let (Ok(first), Ok(second)) = (read(&old), read(&new)) else { return Ok(()) };
        let known = quotable(documents);
        let both = Language::ALL.map(|language| {
            let found = between(&first, &second, language);
            let differences = found.sentences.into_iter().map(|(_, sentence)| sentence);
            sentences(&version(&first), language).into_iter().chain(differences).collect::<Vec<_>>()
        });
        let [english, spanish] = both;
        prop_assert_eq!(english.len(), spanish.len());
        for (one, other) in english.iter().zip(&spanish) {
            prop_assert_eq!((one.about, &one.pointers), (other.about, &other.pointers));
            prop_assert_ne!(&one.text, &other.text);
        }
        for (spoken, marks) in [(english, ['“', '”']), (spanish, ['«', '»'])] {
            for quotation in spoken.iter().flat_map(|sentence| quotations(&sentence.text, marks)) {
                let written = known.contains(&quotation) || known.contains(&format!("{quotation}."));
                prop_assert!(written, "{quotation}");
            }
        }
    }

    #[test]
    fn whatever_the_terms_say_is_said(document in varied()) {
        let Ok(terms) = read(&document) else { return Ok(()) };
        for language in Language::ALL {
            let spoken = sentences(&version(&terms), language);
            let all = spoken.iter().map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join("\n");
            for field in &SCHEMA.fields {
                prop_assert!(all.contains(&field.labels[language.code()]), "{}: {all}", field.name);
            }
            for (field, _) in terms.implied() {
                let label = &SCHEMA.field(field.as_str()).unwrap().labels[language.code()];
                let implied = spoken.iter().filter(|sentence| sentence.about.as_str() == "implied");
                prop_assert!(implied.into_iter().any(|sentence| sentence.text.contains(label.as_str())), "{field}");
            }
            let said: BTreeSet<&str> = spoken.iter().flat_map(|sentence| sentence.pointers.iter().map(String::as_str)).collect();
            for key in terms.to_json().as_object().unwrap().keys() {
                prop_assert!(said.iter().any(|pointer| pointer.strip_prefix('/').unwrap().starts_with(key.as_str())), "{key}");
            }
        }
    }
}

#[test]
fn that_the_persons_own_no_closes_a_record_is_said() {
    let terms = read(&terms_document()).unwrap();
    let mut schema = SCHEMA.clone();
    schema.consent = vec![FieldName::parse("step_free").unwrap()];
    for (language, words) in [
        (Language::English, "No record is shown in which “Step-free” is no, whatever is agreed"),
        (Language::Spanish, "No se muestra ningún registro en el que"),
    ] {
        let told = |schema| sentences(&Version { schema, ..version(&terms) }, language);
        let found: Vec<_> = told(&schema).into_iter().filter(|sentence| sentence.text.starts_with(words)).collect();
        assert_eq!(found.len(), 1, "{:?}", told(&schema));
        assert_eq!(told(&schema).len(), told(&SCHEMA).len() + 1);
    }
}
