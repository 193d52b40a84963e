//! Two agreements between the same two co-ops, over the same list.

use std::collections::BTreeSet;

use hayward_tests::on_both;
use serde_json::{Value, json};

use crate::world::Persona::PartnerClient;
use crate::world::World;

fn cells(items: &[Value]) -> BTreeSet<String> {
    let own = |item: &Value| {
        let under = item["agreement"].as_str().unwrap().to_owned();
        item.as_object().unwrap().iter().map(move |(name, value)| format!("{under} {name} {value}")).collect::<Vec<_>>()
    };
    items.iter().flat_map(own).collect()
}

on_both! {
    /// Class 49: agreements are not merged: what one opens for some rows is not opened for the rows of another, in no list and by no filter.
    fn the_union_of_two_agreements_is_their_sum_cell_by_cell(world: World) {
        let jobs = world.id("jobs");
        let agree = |fields: Value, country: &str| {
            let mut terms = world.terms(jobs, fields);
            terms["rows"] = json!({"country": {"eq": country}});
            world.agree(&terms)
        };
        let french = agree(json!({"title": "exact", "description": "exact"}), "FR");
        let german = agree(json!({"title": "exact", "website": "exact"}), "DE");
        let (every, spanish) = ("/api/v1/opportunities?audience=organization", world.id("agreement"));
        let all = world.get(PartnerClient, &format!("{every}&limit=1000")).items();
        let under = |agreement: &str| world.get(PartnerClient, &format!("{every}&limit=1000&agreement={agreement}")).items();
        let apart = [under(&french), under(&german), under(spanish)];
        assert_eq!(apart.each_ref().map(Vec::len), [3, 4, 8]);
        assert_eq!(all.len(), 15);
        assert_eq!(cells(&all), apart.iter().flat_map(|items| cells(items)).collect());
        for item in &all {
            assert_eq!(item.get("description").is_some(), item["agreement"] == french);
            assert_eq!(item.get("website").is_some(), item["agreement"] == german);
        }
        // A field of the one selects, sorts and counts nothing of the other.
        for query in ["description[prefix]=ZQX", "description[null]=false", "description[null]=true", "description[gte]=A"] {
            let found = world.get(PartnerClient, &format!("{every}&count=true&{query}")).ok();
            let items = found["items"].as_array().unwrap();
            assert!(items.iter().all(|item| item["agreement"] == french), "{query}");
            assert_eq!(found["count"], items.len(), "{query}");
        }
        let columns = world.get_as(PartnerClient, &format!("{every}&sort=website"), "text/csv").expect(200);
        let mut reader = csv::Reader::from_reader(columns.body.as_slice());
        let heading = reader.headers().unwrap().clone();
        let at = |name: &str| heading.iter().position(|known| known == name).unwrap();
        for row in reader.records().map(Result::unwrap) {
            let under = row.get(at("agreement")).unwrap();
            assert!(row.get(at("description")).unwrap().is_empty() || under == french);
            assert!(row.get(at("website")).unwrap().is_empty() || under == german);
        }
    }
}
