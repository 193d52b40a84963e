//! What a search, a place, a day and a moment select, against a plain reading of everything that is shared: at the newest commit, at an
//! older one, and while somebody writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hayward_domain::condition::{Condition, Is, Operand};
use hayward_domain::moment::Moment;
use hayward_domain::schema::FieldName;
use hayward_domain::search::Query;
use hayward_importers::Absent;
use hayward_store::{OpenOn, Order, Place, Selection, ShareQuery, StoreError, Viewer};
use hayward_tests::commons::{Commons, List, To};
use hayward_tests::{Kind, on_both};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::{chance, raw};

const TITLES: [&str; 10] = [
    "Solar panels",
    "SOLAR Panel Łódź",
    "Bäcker gesucht",
    "Straße 7",
    "パン職人募集",
    "京都の太陽光発電",
    "ร้านขนมปัง",
    "Ævintýri øre",
    "solarium",
    "",
];
const QUERIES: [&str; 16] = [
    "solar",
    "panel",
    "panel*",
    "sol*",
    "lodz",
    "backer",
    "STRASSE 7",
    "strasse",
    "パン",
    "職",
    "太陽光発電",
    "光太",
    "ขนม",
    "ปัง",
    "aevintyri ore",
    "solar* lodz",
];
const PLACES: [(&str, &str); 7] =
    [("", ""), ("41.38", "2.17"), ("40.42", "-3.70"), ("-17.8", "178.1"), ("-16.5", "-179.9"), ("90", "0"), ("0", "0")];
const DAYS: [&str; 7] = ["", "2026-11-30", "2026-12-01", "2026-12-02", "2026-12-31", "2027-01-01", "2025-05-05"];

type Record = (usize, usize, usize, usize);

fn record() -> impl Strategy<Value = Record> {
    (0..TITLES.len(), 0..PLACES.len(), 0..DAYS.len(), 0..DAYS.len())
}

fn file(records: &BTreeMap<u8, Record>) -> String {
    let line = |(key, (title, place, opens, closes)): (&u8, &Record)| {
        let (north, east) = PLACES[*place];
        let category = ["job", "grant", ""][title % 3];
        let title = if TITLES[*title].is_empty() { "-" } else { TITLES[*title] };
        format!("R{key},{title},{category},{north},{east},{},{}\n", DAYS[*opens], DAYS[*closes])
    };
    "reference,title,category,latitude,longitude,opens_on,closes_on\n".to_owned() + &records.iter().map(line).collect::<String>()
}

fn selection() -> impl Strategy<Value = Selection> {
    let words = proptest::option::of(select(&QUERIES[..]).prop_map(|text| Query::parse(text).unwrap()));
    let open = (select(&["2026-12-01", "2026-12-31", "2027-01-01"][..]), any::<bool>());
    let open = proptest::option::weighted(0.3, open.prop_map(|(day, open)| OpenOn { day: day.to_owned(), open }));
    let near = (select(&PLACES[1..]), select(&[0.0, 1.0, 300.0, 510.0, 1_000.0, 9_000.0, 20_038.0][..]));
    let near = near.prop_map(|((north, east), km)| Place::Near {
        latitude: north.parse().unwrap(),
        longitude: east.parse().unwrap(),
        km,
    });
    let frame =
        select(&[[-180.0, -90.0, 180.0, 90.0], [170.0, -20.0, -170.0, 0.0], [0.0, 40.0, 3.0, 42.0], [-4.0, 40.0, 2.0, 42.0]][..]);
    let frame = frame.prop_map(|[west, south, east, north]| Place::Box { west, south, east, north });
    let places = proptest::collection::vec(prop_oneof![near, frame], 0..2);
    let filter = proptest::option::weighted(0.3, select(&["job", "grant"][..]));
    let filter = filter.prop_map(|word| {
        let is = |word: &str| Condition::Test {
            field: FieldName::parse("category").unwrap(),
            is: Is::Eq(Operand { text: Some(word.to_owned()), number: None, boolean: None }),
        };
        Condition::All(word.into_iter().map(is).collect())
    });
    (words, open, places, filter).prop_map(|(words, open, places, condition)| Selection {
        words,
        open,
        places,
        ..Selection::from(condition)
    })
}

/// The first and the last day that a treated value may mean.
fn days(value: &str) -> (String, String) {
    match value.len() {
        4 => (format!("{value}-01-01"), format!("{value}-12-31")),
        7 => (format!("{value}-01"), format!("{value}-31")),
        _ => (value.to_owned(), value.to_owned()),
    }
}

/// By the spherical law of cosines in three dimensions, which is not how the databases do it.
fn apart([north, east]: [f64; 2], [latitude, longitude]: [f64; 2]) -> f64 {
    let point = |north: f64, east: f64| {
        let (north, east) = (north.to_radians(), east.to_radians());
        [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
    };
    let (one, other) = (point(north, east), point(latitude, longitude));
    let chord: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    2.0 * 6_371.008_8 * (chord / 2.0).min(1.0).asin()
}

/// What the selection says, in memory.
fn meets(selection: &Selection, item: &Value) -> bool {
    let payload: serde_json::Map<String, Value> =
        item.as_object().unwrap().iter().skip(4).map(|(name, value)| (name.clone(), value.clone())).collect();
    let worded = selection.words.as_ref().is_none_or(|query| query.matches(&Value::Object(payload).to_string()));
    let open = selection.open.as_ref().is_none_or(|open| {
        let Some(closes) = item.get("closes_on") else { return false };
        let closed = closes.as_str().is_some_and(|value| days(value).1 < open.day);
        let waits = item.get("opens_on").and_then(Value::as_str).is_some_and(|value| days(value).0 > open.day);
        open.open != (closed || waits)
    });
    let placed = selection.places.iter().all(|place| {
        let (Some(north), Some(east)) = (item["latitude"].as_f64(), item["longitude"].as_f64()) else { return false };
        match *place {
            Place::Near { latitude, longitude, km } => apart([north, east], [latitude, longitude]) <= km + 1e-6,
            Place::Box { west, south, east: end, north: top } => {
                let turned =
                    (east - west).rem_euclid(360.0) <= if west == -180.0 { 360.0 } else { (end - west).rem_euclid(360.0) };
                (south..=top).contains(&north) && turned
            }
        }
    });
    let filtered = match &selection.condition {
        Condition::All(parts) => parts.iter().all(|part| match part {
            Condition::Test { is: Is::Eq(operand), .. } => item["category"].as_str() == operand.text.as_deref(),
            _ => unreachable!(),
        }),
        _ => unreachable!(),
    };
    worded && open && placed && filtered
}

/// Everything that is selected as of a commit, page after page; with the count and the numbers of the categories.
fn found(
    commons: &Commons,
    viewer: &Viewer,
    at: i64,
    selection: &Selection,
    order: &Order,
) -> (Vec<Value>, Option<i64>, BTreeMap<String, i64>) {
    let found = commons.store.view::<_, StoreError>(viewer, |view| {
        let shares = view.shares("opportunities", &ShareQuery::default(), at)?;
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = view.list(&shares, selection, order, after, 3)?;
            items.extend(page.rows.iter().map(|row| hayward_tests::commons::item(row, shares.of(row.share).unwrap())));
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        let facets = view.facets(&shares, selection, &FieldName::parse("category").unwrap())?;
        let facets = facets.into_iter().map(|facet| (facet.value.to_string(), facet.count)).collect();
        Ok((items, view.count(&shares, selection)?, facets))
    });
    found.unwrap()
}

fn everything() -> Selection {
    Selection::from(Condition::All(Vec::new()))
}

/// Two agreements about the list with the recipient: exact, and coarse with neither category nor an opening day; one with all members.
fn shared(commons: &Commons) -> (List, Viewer) {
    let (a, b) = (commons.organization("a"), commons.organization("b"));
    let list = commons.dataset(&a, "opportunity");
    let exact = json!({"reference": "exact", "title": "exact", "category": "exact", "latitude": "exact", "longitude": "exact", "opens_on": "exact", "closes_on": "exact"});
    commons.agree(&a, To::One(&b), &list, &json!({"fields": exact}));
    let grid = json!({"generalised": "grid:0.5"});
    let coarse = json!({"title": "exact", "latitude": grid, "longitude": grid, "closes_on": {"generalised": "month"}});
    commons.agree(&a, To::One(&b), &list, &json!({"fields": coarse}));
    let members = json!({"title": "exact", "category": "exact", "closes_on": {"generalised": "year"}, "opens_on": {"generalised": "month"}});
    commons.agree(&a, To::Members, &list, &json!({"fields": members}));
    (list, b.viewer)
}

on_both! {
    fn whatever_is_selected_is_what_a_plain_reading_selects(commons: Commons) {
        let (list, viewer) = shared(&commons);
        let records = || proptest::collection::btree_map(0..12u8, record(), 1..12);
        let cases = (records(), records(), proptest::collection::vec(selection(), 10));
        let orders = [Order::default(), Order::parse("title").unwrap(), Order::parse("-closes_on,category").unwrap()];
        chance::runner(3)
            .run(&cases, |(first, second, selections)| {
                let replace = |records: &BTreeMap<u8, Record>| {
                    commons.import_with(&list, &file(records), |matching| matching.absent = Absent::Delete);
                    commons.store.newest_commit().unwrap()
                };
                let (earlier, newest) = (replace(&first), replace(&second));
                for (number, selection) in selections.iter().enumerate() {
                    for at in [earlier, newest] {
                        let order = &orders[number % orders.len()];
                        let (all, ..) = found(&commons, &viewer, at, &everything(), order);
                        let wanted: Vec<Value> = all.into_iter().filter(|item| meets(selection, item)).collect();
                        let (items, count, facets) = found(&commons, &viewer, at, selection, order);
                        prop_assert_eq!(&items, &wanted, "{:?} as of {} of {}", selection, at, newest);
                        prop_assert_eq!(count, i64::try_from(wanted.len()).ok());
                        let mut counted = BTreeMap::new();
                        for item in wanted.iter().filter(|item| item.get("category").is_some()) {
                            *counted.entry(item["category"].to_string()).or_insert(0) += 1;
                        }
                        prop_assert_eq!(facets, counted);
                    }
                }
                Ok(())
            })
            .unwrap();
    }
}

on_both! {
    fn what_has_changed_since_is_what_came_with_a_later_edition_of_its_share(commons: Commons) {
        let (list, viewer) = shared(&commons);
        let hour = Duration::from_secs(3_600);
        let heading = "reference,title,category,description\n";
        let mut commits: Vec<(Moment, i64)> = Vec::new();
        for rows in ["A,One,job,\nB,Two,job,\nC,Three,job,\n", "B,Two again,job,\n", "A,One,job,nobody sees this\n", "A,One,grant,\nD,Four,,\n"] {
            commons.pass(hour);
            commons.import_csv(&list, &format!("{heading}{rows}"));
            commits.push((commons.now(), commons.store.newest_commit().unwrap()));
        }
        commons.import_with(&list, &format!("{heading}A,One,grant,\n"), |matching| matching.absent = Absent::Delete);
        commits.push((commons.now(), commons.store.newest_commit().unwrap()));
        let titles = |since: Moment, at: i64, also: Option<&str>| {
            let words = also.map(|text| Query::parse(text).unwrap());
            let selection = Selection { since: Some(since), words, ..everything() };
            let by_title = Order::parse("title").unwrap();
            let (mut plain, count, _) = found(&commons, &viewer, at, &selection, &Order::default());
            let (sorted, ..) = found(&commons, &viewer, at, &selection, &by_title);
            assert_eq!(count, i64::try_from(plain.len()).ok());
            plain.sort_by_key(|item| item["title"].as_str().unwrap().to_owned());
            let titles = |items: &[Value]| items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            assert_eq!(titles(&plain), titles(&sorted));
            titles(&plain)
        };
        let [(first, at_first), (second, at_second), (third, at_third), (fourth, at_fourth), (_, at_last)] = commits[..] else { unreachable!() };
        assert_eq!(titles(first, at_first, None), [["One"; 3], ["Three"; 3], ["Two"; 3]].concat());
        assert_eq!(titles(first, at_second, None), [["One"; 3], ["Three"; 3], ["Two again"; 3]].concat());
        assert_eq!(titles(second, at_second, None), ["Two again"; 3]);
        assert_eq!(titles(second.plus(Duration::from_micros(1)), at_second, None), Vec::<String>::new());
        // A hidden edit is no change; and a category is shown by two of the three.
        assert_eq!(titles(third, at_third, None), Vec::<String>::new());
        assert_eq!(titles(fourth, at_fourth, None), [["Four"; 3].as_slice(), &["One"; 2]].concat());
        assert_eq!(titles(fourth, at_fourth, Some("four")), ["Four"; 3]);
        assert_eq!(titles(fourth, at_second, None), Vec::<String>::new(), "a commit that is older than the moment");
        assert_eq!(titles(fourth, at_last, None), ["One"; 2]);
    }
}

/// The tokens that the index still holds somewhere, for rows that are there or not.
fn tokens(commons: &Commons) -> BTreeSet<String> {
    let tokens = match commons.database().kind() {
        Kind::Sqlite => {
            raw::tell(commons.database(), "create virtual table if not exists seen_words using fts5vocab (shared_words, row)");
            let tokens = raw::ask(commons.database(), "select term as value from seen_words");
            raw::tell(commons.database(), "drop table seen_words");
            tokens
        }
        Kind::Postgres => {
            raw::ask(commons.database(), "select distinct unnest(tsvector_to_array(words)) as value from shared_words")
        }
    };
    tokens.into_iter().collect()
}

on_both! {
    fn a_narrower_version_takes_its_words_along(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Zqxleeds\n2,Birch,Zqxyork\n");
        let wide = json!({"fields": {"name": "exact", "city": "exact"}});
        let agreement = commons.agree(&a, To::One(&b), &list, &wide);
        let has = |word: &str| tokens(&commons).iter().any(|token| token.ends_with(word));
        assert!(has("_alder") && has("_zqxleeds"));
        let terms = commons.terms(&list, To::One(&b), &json!({"fields": {"name": "exact"}}));
        commons.store.propose_version(&a.steward, &agreement, 1, &terms).unwrap();
        commons.store.build_due().unwrap();
        commons.store.tidy_due().unwrap();
        assert!(has("_alder") && !has("zqxleeds") && !has("zqxyork"), "{:?}", tokens(&commons));
    }
}

on_both! {
    fn an_index_that_is_gone_is_made_anew(commons: Commons) {
        let (list, viewer) = shared(&commons);
        commons.import_csv(&list, "reference,title\nA,Solar panels\nB,Baker\n");
        commons.import_csv(&list, "reference,title\nB,Solar baker\n");
        let solar = Selection { words: Some(Query::parse("solar").unwrap()), ..everything() };
        let newest = commons.store.newest_commit().unwrap();
        let before = [newest - 1, newest].map(|at| found(&commons, &viewer, at, &solar, &Order::default()));
        assert_eq!((before[0].0.len(), before[1].0.len()), (3, 6));
        let all = tokens(&commons);
        let away = match commons.database().kind() {
            Kind::Sqlite => "insert into shared_words (shared_words) values ('delete-all')",
            Kind::Postgres => "delete from shared_words",
        };
        raw::tell(commons.database(), away);
        assert_eq!(found(&commons, &viewer, newest, &solar, &Order::default()).0.len(), 0);
        drop(commons.another_store().unwrap());
        assert_eq!([newest - 1, newest].map(|at| found(&commons, &viewer, at, &solar, &Order::default())), before);
        assert_eq!(tokens(&commons), all);
        // One that is whole is left as it is.
        raw::tell(commons.database(), match commons.database().kind() {
            Kind::Sqlite => "delete from shared_words where rowid > 0",
            Kind::Postgres => "delete from shared_words where row > 0",
        });
        drop(commons.another_store().unwrap());
        assert_ne!([newest - 1, newest].map(|at| found(&commons, &viewer, at, &solar, &Order::default())), before);
    }
}

on_both! {
    fn every_row_with_a_payload_has_its_words_and_no_other(commons: Commons) {
        let (list, viewer) = shared(&commons);
        let import = commons.import_csv(&list, "reference,title\nA,Solar panels\nB,Baker\nC,Cook\n");
        commons.import_with(&list, "reference,title\nA,Wind\nB,Baker\n", |matching| matching.absent = Absent::Delete);
        commons.undo(&list, &import);
        commons.pass_days(91);
        commons.import_csv(&list, "reference,title\nZ,Last\n");
        commons.store.prune(Duration::from_secs(90 * 86_400)).unwrap();
        let row = match commons.database().kind() {
            Kind::Sqlite => "rowid",
            Kind::Postgres => "row",
        };
        let words = raw::ask(commons.database(), &format!("select cast({row} as text) as value from shared_words where {row} > 0 order by {row}"));
        let rows = raw::ask(commons.database(), "select cast(row as text) as value from shared_records where payload is not null order by row");
        assert_eq!(words, rows);
        let newest = commons.store.newest_commit().unwrap();
        let last = Selection { words: Some(Query::parse("last").unwrap()), ..everything() };
        assert_eq!(found(&commons, &viewer, newest, &last, &Order::default()).0.len(), 3);
    }
}
