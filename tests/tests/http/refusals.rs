//! What readers are refused, and that a refusal tells nothing.

use hayward_tests::on_both;

use crate::world::Persona::{EmptyClient, Garbage, Nobody, PartnerClient, ThirdClient};
use crate::world::World;

const JOBS: &str = "/api/v1/opportunities";

on_both! {
    fn refusals_say_who_what_and_where(world: World) {
        let unauthenticated = world.get(Garbage, JOBS);
        unauthenticated.problem(401, "unauthenticated");
        // Where a program begins that has no token yet (RFC 9728).
        let begin = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", world.server.url);
        assert_eq!(unauthenticated.header("www-authenticate"), format!("Bearer error=\"invalid_token\", {begin}"));
        let scope = world.get(EmptyClient, JOBS);
        let problem = scope.problem(403, "insufficient-scope");
        assert!(problem["detail"].as_str().unwrap().contains("opportunities:read"));
        let lacks = "Bearer error=\"insufficient_scope\", scope=\"opportunities:read\"";
        assert_eq!(scope.header("www-authenticate"), format!("{lacks}, {begin}"));
        let unknown = world.get(PartnerClient, &format!("{JOBS}?colour=red")).problem(400, "unknown-parameter");
        assert_eq!(unknown["errors"][0]["parameter"], "colour");
        assert_eq!(
            world.get(PartnerClient, &format!("{JOBS}?sort=colour")).problem(400, "unknown-field")["errors"][0]["parameter"],
            "sort"
        );
        world.get(PartnerClient, &format!("{JOBS}?title[like]=x")).problem(400, "unknown-operator");
        world.get(PartnerClient, "/api/v1/recipes").problem(404, "not-found");
        world.get(Nobody, "/api/v1/recipes").problem(404, "not-found");
        world.get(PartnerClient, &format!("{JOBS}/rec_nothing")).problem(404, "not-found");
        assert_eq!(world.get_as(PartnerClient, JOBS, "application/pdf").problem(406, "not-acceptable")["status"], 406);
    }
}

on_both! {
    fn the_type_of_every_problem_is_a_page(world: World) {
        for (who, path) in [
            (Garbage, JOBS),
            (EmptyClient, JOBS),
            (PartnerClient, "/api/v1/opportunities?limit=0"),
            (PartnerClient, "/api/v1/opportunities?colour=red"),
            (PartnerClient, "/api/v1/opportunities?cursor=abc"),
            (PartnerClient, "/nowhere"),
        ] {
            let problem = world.get(who, path).json();
            let page = world.get(Nobody, problem["type"].as_str().unwrap()).expect(200).text();
            assert!(page.contains(problem["title"].as_str().unwrap()), "{page}");
        }
    }
}

on_both! {
    fn a_hidden_field_is_answered_like_a_typo(world: World) {
        for name in ["website", "description", "contact_name", "salary_max", "opens_on", "status", "kind", "region"] {
            for query in [
                "NAME=x",
                "NAME[prefix]=x",
                "NAME[null]=true",
                "NAME[gte]=1",
                "sort=NAME",
                "sort=-NAME",
                "fields=NAME",
                "fields=title,NAME",
            ] {
                let ask = |name: &str| {
                    let query = query.replace("NAME", name);
                    let (status, body) =
                        world.get(PartnerClient, &format!("{JOBS}?audience=organization&{query}")).without_the_request();
                    (
                        status,
                        body.replace(&format!("`{name}"), "`NAME")
                            .replace(&format!("\"parameter\":\"{name}"), "\"parameter\":\"NAME"),
                    )
                };
                let (hidden, nothing) = (ask(name), ask("qwertzuiop"));
                assert_eq!(hidden, nothing, "{query} with {name}");
                assert_eq!(hidden.0, 400);
            }
        }
    }
}

on_both! {
    fn cursors_are_good_for_their_caller_and_their_query_only(world: World) {
        let cursor = |path: &str| world.get(PartnerClient, path).ok()["next"].as_str().unwrap().to_owned();
        let mine = cursor(&format!("{JOBS}?limit=2"));
        world.get(PartnerClient, &format!("{JOBS}?limit=2&cursor={mine}")).expect(200);
        for query in ["sort=title", "country=ES", "fields=title", "audience=organization"] {
            world.get(PartnerClient, &format!("{JOBS}?limit=2&{query}&cursor={mine}")).problem(400, "invalid-cursor");
        }
        world.get(PartnerClient, &format!("/api/v1/memberships?limit=2&cursor={mine}")).problem(400, "invalid-cursor");
        world.get(PartnerClient, &format!("/api/v1/changes?cursor={mine}")).problem(400, "invalid-cursor");
        world.get(ThirdClient, &format!("{JOBS}?limit=2&cursor={mine}")).problem(400, "invalid-cursor");
        let sorted = cursor(&format!("{JOBS}?limit=2&sort=-salary_min"));
        let feed = cursor("/api/v1/changes?limit=2");
        assert_eq!(mine.len(), sorted.len());
        assert_eq!(mine.len(), feed.len());
    }
}
