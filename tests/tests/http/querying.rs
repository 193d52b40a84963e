//! Reading what is shared: filters, order, pages, formats.

use std::collections::BTreeSet;

use hayward_tests::on_both;
use reqwest::Method;
use serde_json::Value;

use crate::answer::Answer;
use crate::world::Persona::{Nobody, PartnerClient, ThirdClient};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

/// The titles that a query of the partner's client finds, sorted.
#[track_caller]
fn titles(world: &World, query: &str) -> Vec<String> {
    let mut titles = world.get(PartnerClient, &format!("{JOBS}?{query}")).column("title");
    titles.sort();
    titles
}

fn jobs(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("Job {number:02}")).collect()
}

/// Every page of a list, one after the other.
fn pages(world: &World, path: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = world.get(PartnerClient, &next).ok();
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return items,
        }
    }
}

on_both! {
    fn an_item_has_its_envelope_and_what_the_terms_show_and_nothing_else(world: World) {
        let agreement = world.id("agreement");
        let item = world.get(PartnerClient, &format!("{JOBS}?agreement={agreement}&title=Job%2001")).items().remove(0);
        let names: BTreeSet<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
        let shown = [
            "id",
            "provider",
            "agreement",
            "edition",
            "reference",
            "title",
            "category",
            "country",
            "city",
            "latitude",
            "longitude",
            "salary_min",
            "closes_on",
            "contact_email",
            "contact_phone",
        ];
        assert_eq!(names, BTreeSet::from(shown));
        assert_eq!(item["provider"], world.id("provider"));
        assert_eq!(item["agreement"], agreement);
        assert_eq!(item["edition"], 1);
        assert_eq!(item["city"], "Ba");
        assert_eq!(item["latitude"], 41.0);
        assert_eq!(item["salary_min"], 20_000);
        assert_eq!(item["closes_on"], "2027-01");
        assert!(item["contact_email"].as_str().unwrap().ends_with("@vall.example"));
        assert!(item["id"].as_str().unwrap().starts_with("rec_"));
    }
}

on_both! {
    fn every_filter_selects_what_it_says(world: World) {
        assert_eq!(titles(&world, "country=FR"), jobs(6..=8));
        assert_eq!(titles(&world, "country[eq]=FR"), jobs(6..=8));
        assert_eq!(titles(&world, "country[in]=FR,ES"), jobs(1..=8));
        assert_eq!(titles(&world, "title[prefix]=Job"), jobs(1..=8));
        assert_eq!(
            titles(&world, "title[gt]=Job%2006"),
            [jobs(7..=8), vec!["Theirs 1".to_owned(), "Theirs 2".to_owned()]].concat()
        );
        assert_eq!(titles(&world, "title[lte]=Job%2002"), jobs(1..=2));
        assert_eq!(titles(&world, "closes_on[gte]=2027-07"), jobs(7..=8));
        assert_eq!(titles(&world, "closes_on=2027-03"), jobs([3]));
        assert_eq!(titles(&world, "closes_on[lt]=2027-03"), jobs(1..=2));
        assert_eq!(titles(&world, "salary_min[gte]=25000"), jobs(5..=8));
        assert_eq!(titles(&world, "latitude[gt]=46"), jobs(7..=8));
        assert_eq!(titles(&world, "category=gig&country=ES"), jobs([3]));
        assert_eq!(titles(&world, "city[null]=true"), Vec::<String>::new());
        assert_eq!(titles(&world, "city[null]=false"), jobs(1..=8));
    }
}

on_both! {
    fn a_list_follows_the_agreement_the_provider_and_the_audience_that_are_asked_for(world: World) {
        assert_eq!(titles(&world, "").len(), 10);
        assert_eq!(titles(&world, &format!("provider={}", world.id("third"))), ["Theirs 1", "Theirs 2"]);
        assert_eq!(titles(&world, "audience=members"), ["Theirs 1", "Theirs 2"]);
        assert_eq!(titles(&world, "audience=organization"), jobs(1..=8));
        assert_eq!(titles(&world, "audience=public"), Vec::<String>::new());
        assert_eq!(titles(&world, &format!("agreement={}", world.id("members-agreement"))), ["Theirs 1", "Theirs 2"]);
        for closed in ["suspended-agreement", "ended-agreement", "foreign-agreement", "third-agreement"] {
            world.get(PartnerClient, &format!("{JOBS}?agreement={}", world.id(closed))).problem(404, "not-found");
        }
        // A field that only one agreement discloses matches nothing of the others, `is null` included.
        assert_eq!(titles(&world, "audience=organization&country[null]=true"), Vec::<String>::new());
        world.get(PartnerClient, &format!("{JOBS}?audience=members&country=ES")).problem(400, "unknown-parameter");
    }
}

on_both! {
    fn a_list_is_sorted_as_asked_in_both_directions_and_by_several_fields(world: World) {
        let sorted = |sort: &str| world.get(PartnerClient, &format!("{JOBS}?audience=organization&sort={sort}")).column("title");
        let backwards: Vec<String> = jobs((1..=8).rev());
        assert_eq!(sorted("title"), jobs(1..=8));
        assert_eq!(sorted("-title"), backwards);
        assert_eq!(sorted("-closes_on"), backwards);
        assert_eq!(sorted("country,-title"), jobs([5, 4, 3, 2, 1, 8, 7, 6]));
    }
}

on_both! {
    fn pages_put_together_are_the_list_whatever_their_size_and_order(world: World) {
        for query in ["count=false", "sort=-salary_min", "sort=category,title", "country[in]=ES,FR&sort=country", "fields=title"]
        {
            let whole = world.get(PartnerClient, &format!("{JOBS}?limit=1000&{query}")).items();
            for limit in [1, 3, 7] {
                assert_eq!(pages(&world, &format!("{JOBS}?limit={limit}&{query}")), whole, "{query} by {limit}");
            }
        }
    }
}

on_both! {
    fn a_cursor_stays_with_the_edition_it_began_in(world: World) {
        let path = format!("{JOBS}?audience=organization&sort=title&limit=3");
        let first = world.get(PartnerClient, &path).ok();
        world.import(world.id("jobs"), "reference,title,country\nNEW,Job 00,ES\nZQX-REF-4,Job 99,ES\n");
        assert_eq!(titles(&world, "audience=organization").len(), 9);
        let mut seen = first["items"].as_array().unwrap().clone();
        let mut cursor = first["next"].as_str().map(str::to_owned);
        while let Some(next) = cursor {
            let page = world.get(PartnerClient, &format!("{path}&cursor={next}")).ok();
            seen.extend(page["items"].as_array().unwrap().clone());
            cursor = page["next"].as_str().map(str::to_owned);
        }
        let seen: Vec<&str> = seen.iter().map(|item| item["title"].as_str().unwrap()).collect();
        assert_eq!(seen, jobs(1..=8));
    }
}

on_both! {
    fn fields_leave_only_what_they_name(world: World) {
        let items = world.get(PartnerClient, &format!("{JOBS}?agreement={}&fields=title,city", world.id("agreement"))).items();
        for item in items {
            let names: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["id", "provider", "agreement", "edition", "title", "city"]);
        }
    }
}

on_both! {
    fn a_count_counts_what_the_filters_leave(world: World) {
        let count = |query: &str| world.get(PartnerClient, &format!("{JOBS}?limit=1&count=true&{query}")).ok()["count"].clone();
        assert_eq!(count("country=FR"), 3);
        assert_eq!(count("provider=org_nobody"), 0);
        assert_eq!(count(""), 10);
    }
}

on_both! {
    fn csv_and_ndjson_are_the_rows_of_the_json_in_its_order(world: World) {
        for query in ["sort=-title", "country=FR", "audience=organization&fields=title,salary_min", "limit=4"] {
            let path = format!("{JOBS}?{query}");
            let items = world.get(PartnerClient, &path).items();
            let lines = world.get_as(PartnerClient, &path, "application/x-ndjson").expect(200);
            assert_eq!(lines.header("content-type"), "application/x-ndjson");
            let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines, items, "{query}");
            let sheet = world.get_as(PartnerClient, &path, "text/csv").expect(200);
            assert_eq!(sheet.header("content-type"), "text/csv; charset=utf-8");
            assert_eq!(rows_of(&sheet), items.iter().map(cells).collect::<Vec<_>>(), "{query}");
        }
    }
}

/// The rows of a CSV file, without empty cells.
pub fn rows_of(sheet: &Answer) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(sheet.body.as_slice());
    let heading = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        let cells = heading.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
        let mut cells: Vec<(String, String)> =
            cells.map(|(name, cell)| (name.to_owned(), hayward_importers::csv_plain(cell).to_string())).collect();
        cells.sort();
        cells
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The cells of an item, by name, as text.
pub fn cells(item: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut cells: Vec<(String, String)> =
        item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect();
    cells.sort();
    cells
}

on_both! {
    fn one_item_is_the_item_of_the_list(world: World) {
        for item in world.get(PartnerClient, JOBS).items() {
            let id = item["id"].as_str().unwrap();
            assert_eq!(world.get(PartnerClient, &format!("{JOBS}/{id}")).ok(), item);
            world.get(Nobody, &format!("{JOBS}/{id}")).problem(404, "not-found");
        }
        let id = world.get(PartnerClient, "/api/v1/memberships").items()[0]["id"].as_str().unwrap().to_owned();
        world.get(PartnerClient, &format!("/api/v1/memberships/{id}")).expect(200);
        world.get(PartnerClient, &format!("{JOBS}/{id}")).problem(404, "not-found");
        world.get(ThirdClient, &format!("/api/v1/memberships/{id}")).problem(404, "not-found");
    }
}

on_both! {
    fn what_the_caller_has_already_is_not_sent_again(world: World) {
        let path = format!("{JOBS}?audience=organization&limit=5");
        let first = world.get(PartnerClient, &path).expect(200);
        let again = |etag: &str| Answer::to(world.request(PartnerClient, Method::GET, &path).header("If-None-Match", etag));
        let same = again(first.header("etag")).expect(304);
        assert!(same.body.is_empty());
        assert!(same.header("disclosure-id").starts_with("dis_"));
        again("\"another\"").expect(200);
        world.import(world.id("jobs"), "reference,description\nZQX-REF-1,changed where nobody sees it\n");
        again(first.header("etag")).expect(304);
        world.import(
            world.id("jobs"),
            (1..=8).map(|row| format!("ZQX-REF-{row},Retitled\n")).fold("reference,title\n".to_owned(), |csv, row| csv + &row),
        );
        again(first.header("etag")).expect(200);
        let one = format!("{JOBS}/{}", first.items()[0]["id"].as_str().unwrap());
        let etag = world.get(PartnerClient, &one).expect(200).header("etag").to_owned();
        Answer::to(world.request(PartnerClient, Method::GET, &one).header("If-None-Match", etag)).expect(304);
    }
}

on_both! {
    fn what_is_public_needs_no_token(world: World) {
        let items = world.get(Nobody, "/api/v1/organizations").expect(200);
        assert_eq!(items.header("disclosure-id"), "", "nobody is no recipient");
        let mut names = items.column("name");
        names.sort();
        assert_eq!(names, ["Coop 1", "Coop 2", "Coop 3"]);
        assert_eq!(world.get(Nobody, JOBS).items(), Vec::<Value>::new());
        assert_eq!(world.get(Nobody, "/api/v1/changes").items().len(), 3);
    }
}
