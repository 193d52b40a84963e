//! Where the ledger cannot be written, nothing is disclosed.

use hayward_tests::{on_both, raw};

use crate::bulk;
use crate::world::Persona::{Editor, Nobody, PartnerClient};
use crate::world::World;

on_both! {
    fn without_a_ledger_no_byte_of_data_leaves(world: World) {
        let id = world.get(PartnerClient, "/api/v1/opportunities").items()[0]["id"].as_str().unwrap().to_owned();
        raw::ledger::tell(&world.database, "alter table entries rename to lost_entries");
        let paths = [
            "/api/v1/opportunities".to_owned(),
            "/api/v1/opportunities?count=true".to_owned(),
            format!("/api/v1/opportunities/{id}"),
            "/api/v1/memberships?fields=given_name".to_owned(),
            "/api/v1/changes".to_owned(),
        ];
        for path in paths {
            for accept in ["application/json", "text/csv", "application/x-ndjson"] {
                let answer = world.get_as(PartnerClient, &path, accept);
                answer.problem(503, "ledger-unavailable");
                assert!(!answer.text().contains("Job "), "{path}");
                assert!(!answer.text().contains("Ann"), "{path}");
            }
        }
        // One's own lists are no disclosure.
        world.get(Editor, &format!("/api/v1/datasets/{}/records", world.id("jobs"))).expect(200);
        raw::ledger::tell(&world.database, "alter table lost_entries rename to entries");
        world.get(PartnerClient, "/api/v1/opportunities").expect(200);
    }
}

on_both! {
    fn public_reads_that_cannot_be_counted_are_not_answered(world: World) {
        world.get(Nobody, "/api/v1/organizations").expect(200);
        raw::ledger::tell(&world.database, "alter table public_reads rename to lost_reads");
        for path in ["/api/v1/organizations", "/api/v1/changes"] {
            let answer = world.get(Nobody, path);
            answer.problem(503, "ledger-unavailable");
            assert!(!answer.text().contains("Coop"));
        }
    }
}

on_both! {
    fn a_stream_whose_next_entry_cannot_be_written_ends_there(world: World) {
        let agreement = bulk::agreed(&world);
        let path = format!("/api/v1/opportunities?agreement={agreement}");
        let mut stream = world.request(PartnerClient, reqwest::Method::GET, &path).header("Accept", "text/csv").send().unwrap();
        let id = stream.headers()["disclosure-id"].to_str().unwrap().to_owned();
        raw::ledger::tell(&world.database, "alter table entries rename to lost_entries");
        let mut text = String::new();
        let broken = std::io::Read::read_to_string(&mut stream, &mut text).is_err();
        raw::ledger::tell(&world.database, "alter table lost_entries rename to entries");
        let given: usize = raw::ledger::ask(&world.database, &format!("select disclosed as value from entries where id = '{id}'"))
            .iter()
            .map(|disclosed| serde_json::from_str::<serde_json::Value>(disclosed).unwrap()[0]["count"].as_u64().unwrap() as usize)
            .sum();
        assert!(broken, "a stream that is cut must not look whole");
        assert!(text.lines().count() <= given + 1, "{} lines, {given} in the ledger", text.lines().count());
        assert!(given < bulk::ROWS);
    }
}
