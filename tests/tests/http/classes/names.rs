//! Names that a caller may try: of fields that are hidden, in every spelling, and of parameters that there are not.

use hayward_tests::on_both;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::answer::Answer;
use crate::founding::treated;
use crate::world::Persona::{Editor, Nobody, PartnerClient};
use crate::world::World;

/// Every operator that filters know, and some that they do not.
const OPERATORS: [&str; 13] =
    ["", "[eq]", "[in]", "[gt]", "[gte]", "[lt]", "[lte]", "[prefix]", "[null]", "[like]", "[regex]", "[ne]", "[not]"];

/// Places beside a filter that take a name.
const PLACES: [&str; 5] = ["sort=NAME", "sort=-NAME", "sort=title,NAME", "fields=NAME", "fields=title,NAME"];

/// What nobody is told is the same as a name that is none. As long as `name`, so that lengths tell nothing either.
fn none_like(name: &str) -> String {
    // Of the same shape: that a word has a space in it may be told, since everybody can see that.
    let other = |letter: char| match letter {
        'A'..='Z' => 'Q',
        _ if letter.is_alphanumeric() => 'q',
        _ => letter,
    };
    name.chars().rev().map(other).collect()
}

fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// An answer without what names it: the problem's words with `name` taken out, everything else as it came.
fn without(answer: &Answer, spelt: &str, name: &str) -> (u16, Vec<(String, String)>, String) {
    let headers = answer
        .headers
        .iter()
        .filter(|(header, _)| !matches!(header.as_str(), "date" | "x-request-id" | "disclosure-id" | "etag" | "ratelimit"));
    let headers: Vec<(String, String)> = headers.map(|(header, value)| (header.clone(), value.clone())).collect();
    let Ok(mut problem) = serde_json::from_slice::<Value>(&answer.body) else { return (answer.status, headers, answer.text()) };
    // As it stands inside a text that is written as JSON twice.
    let inside = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
    };
    if let Some(members) = problem.as_object_mut() {
        members.remove("request_id");
        for member in ["detail", "errors"] {
            if let Some(words) = members.remove(member) {
                let words = words.to_string().replace(&inside(spelt), "NAME").replace(name, "NAME");
                members.insert(member.to_owned(), words.into());
            }
        }
    }
    (answer.status, headers, problem.to_string())
}

/// Asks with a hidden name and with none, and wants one answer.
#[track_caller]
fn alike(world: &World, address: &str, [hidden, none]: [&str; 2], names: [&str; 2]) {
    let ask = |name: &str| world.get(PartnerClient, &address.replace("NAME", &escaped(name)));
    let (told, nothing) = (ask(hidden), ask(none));
    assert_eq!(told.status, 400, "{address} with `{hidden}`: {}", told.text());
    // The length differs by the name alone, and the names are equally long.
    assert_eq!(without(&told, hidden, names[0]), without(&nothing, none, names[1]), "{address} with `{hidden}`");
}

/// The fields of the provider's jobs that the partner is not shown, each with a value that stands there.
fn hidden(world: &World) -> Vec<(String, String)> {
    let shown = treated();
    let original = world.get(Editor, &format!("/api/v1/datasets/{}/records?limit=1", world.id("jobs"))).items().remove(0);
    let fields = original.as_object().unwrap().iter().filter(|(name, _)| *name != "id" && shown.get(name.as_str()).is_none());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.map(|(name, value)| (name.clone(), text(value))).collect()
}

on_both! {
    /// Classes 1, 2, 6 and 12: no operator, no sort, no selection and no count tells a hidden field from no field.
    fn every_operator_on_every_hidden_field_answers_like_no_field(world: World) {
        let hidden = hidden(&world);
        assert!(hidden.len() >= 9, "{hidden:?}");
        for (name, value) in &hidden {
            let none = none_like(name);
            for operator in OPERATORS {
                for value in [value.as_str(), "true"] {
                    let filter = format!("NAME{}={}", escaped(operator), escaped(value));
                    alike(&world, &format!("/api/v1/opportunities?audience=organization&{filter}"), [name, &none], [name, &none]);
                    alike(&world, &format!("/api/v1/opportunities?count=true&limit=1&{filter}"), [name, &none], [name, &none]);
                }
            }
            for place in PLACES {
                alike(&world, &format!("/api/v1/opportunities?audience=organization&{place}"), [name, &none], [name, &none]);
            }
        }
    }
}

/// Ways to write a name that another program might take for it.
fn spellings(name: &str) -> Vec<String> {
    let swap = |from: &[char], to: &[char]| -> String {
        let to_of = |letter: char| from.iter().position(|known| *known == letter).map_or(letter, |at| to[at]);
        name.chars().map(to_of).collect()
    };
    let mut first = name.chars();
    let title: String = first.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default() + first.as_str();
    let wide: String = name
        .chars()
        .map(|letter| char::from_u32(u32::from(letter) + 0xfee0).filter(|_| letter.is_ascii()).unwrap_or(letter))
        .collect();
    let mut all: Vec<String> = [name.to_uppercase(), title, wide].into();
    // Letters that look the same in another script, and an accent that stands by itself.
    all.push(swap(&['a', 'c', 'e', 'i', 'o', 'p', 's', 'x', 'y'], &['а', 'с', 'е', 'і', 'о', 'р', 'ѕ', 'х', 'у']));
    all.push(format!("{name}\u{301}"));
    all.push(format!("{name}\u{200b}"));
    for pattern in [
        "NAME.",
        ".NAME",
        "NAME.x",
        "x.NAME",
        "a.b.NAME",
        "a.b.c.NAME",
        "NAME.NAME",
        "NAME.keyword",
        "payload.NAME",
        "r.NAME",
        "t1.NAME",
        "shared_records.NAME",
        "record[NAME]",
        "all[0][NAME]",
        "filter[or][0][and][0][NAME]",
        "$or[0][NAME]",
        "/NAME",
        "$.NAME",
        "NAME ",
        " NAME",
        "NAME\t",
        "NAME,",
        "NAME/",
        "NAME[]",
        "NAME[",
        "NAME]",
        "\"NAME\"",
        "`NAME`",
        "'NAME'",
        "-NAME",
        "+NAME",
        "--NAME",
        "nick:NAME",
        "NAME:nick",
        "NAME as nick",
        "nick=NAME",
        "NAME::text",
        "NAME->>'x'",
        "lower(NAME)",
        "NAME||title",
        "%70NAME",
        "NAME%00",
        "*",
        "**",
    ] {
        all.push(pattern.replace("NAME", name));
    }
    all
}

on_both! {
    /// Classes 8, 9, 10 and 11: neither another spelling, nor a path, an alias or nesting leads to a hidden field.
    fn no_spelling_of_a_hidden_field_is_a_name(world: World) {
        for (name, value) in hidden(&world) {
            let none = none_like(&name);
            for (hidden, nothing) in spellings(&name).into_iter().zip(spellings(&none)) {
                let value = escaped(&value);
                let base = "/api/v1/opportunities?audience=organization";
                // Where the name itself is spelt in another way, its answer tells no more than that it is none.
                if !hidden.contains(&name) || !nothing.contains(&none) {
                    for query in [format!("{}={value}", escaped(&hidden)), format!("sort={}", escaped(&hidden)), format!("fields={}", escaped(&hidden))] {
                        assert_eq!(world.get(PartnerClient, &format!("{base}&{query}")).status, 400, "{query}");
                    }
                    continue;
                }
                alike(&world, &format!("{base}&NAME={value}"), [&hidden, &nothing], [&name, &none]);
                // A sort takes a sign away before it looks for the name.
                if !hidden.starts_with('-') {
                    alike(&world, &format!("{base}&sort=NAME"), [&hidden, &nothing], [&name, &none]);
                }
                alike(&world, &format!("{base}&fields=NAME"), [&hidden, &nothing], [&name, &none]);
            }
        }
    }
}

/// What other systems understand and this one does not: each has told somebody something somewhere.
const FOREIGN: [&str; 48] = [
    "query",
    "search",
    "text",
    "within",
    "polygon",
    "distance",
    "agg",
    "aggregate",
    "aggregations",
    "max",
    "min",
    "sum",
    "avg",
    "group_by",
    "groupby",
    "having",
    "distinct",
    "unique",
    "values",
    "stats",
    "profile",
    "where",
    "filter",
    "filters",
    "or",
    "and",
    "not",
    "lookup",
    "join",
    "include",
    "embed",
    "expand",
    "select",
    "alias",
    "explain",
    "debug",
    "highlight",
    "suggest",
    "autocomplete",
    "sql",
    "expr",
    "script",
    "offset",
    "page",
    "as_of",
    "history",
    "deleted",
    "raw",
];

on_both! {
    /// Classes 4, 7, 15, 38 and 53: there is no aggregate, no diagnosis and no expression to ask with, on any route that shows what others
    /// share; and what lists are asked with besides filters, neither the feed nor a single item takes.
    fn nothing_is_asked_with_but_what_is_documented(world: World) {
        let item = world.get(PartnerClient, "/api/v1/opportunities?audience=organization").items().remove(0);
        let one = format!("/api/v1/opportunities/{}", item["id"].as_str().unwrap());
        for path in ["/api/v1/opportunities", "/api/v1/memberships", "/api/v1/organizations", "/api/v1/changes", one.as_str()] {
            for who in [PartnerClient, Nobody] {
                if who == Nobody && path == one {
                    continue;
                }
                for word in FOREIGN {
                    world.get(who, &format!("{path}?{word}=1")).problem(400, "unknown-parameter");
                }
            }
        }
        for word in ["q", "near", "bbox", "open", "updated_since", "facets", "count", "sort", "end_line"] {
            for path in ["/api/v1/changes", one.as_str()] {
                world.get(PartnerClient, &format!("{path}?{word}=1")).problem(400, "unknown-parameter");
            }
        }
        // Filters are for lists: the feed and a single item take none, not even over a field that is shown.
        for path in ["/api/v1/changes", one.as_str()] {
            world.get(PartnerClient, &format!("{path}?title=Job%2001")).problem(400, "unknown-parameter");
        }
    }
}

on_both! {
    /// Classes 15 and 16: what a schema's document says does not depend on what stands in any list.
    fn schemas_say_nothing_of_what_is_in_the_lists(world: World) {
        let names = ["opportunity", "membership", "organization", "measurement"];
        let documents = || names.map(|name| world.get(PartnerClient, &format!("/api/v1/schemas/{name}")).expect(200).body);
        let (before, catalogue) = (documents(), world.get(PartnerClient, "/api/v1/catalogue").expect(200).body);
        world.import(world.id("jobs"), "reference,title,status,My own column\nZQX-NEW,ZQX-NEW,ZQX-NEW,ZQX-NEW\n");
        world.import(world.id("unshared"), "reference,title\nZQX-NEW,ZQX-NEW\n");
        assert_eq!(documents(), before);
        assert_eq!(world.get(PartnerClient, "/api/v1/catalogue").expect(200).body, catalogue);
    }
}
