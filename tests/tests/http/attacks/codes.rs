//! Codes on their way through a browser: bound to what they were asked for with, and good once.

use std::time::Duration;

use hayward_tests::on_both;

use super::scene::{OTHER, REDIRECT, Scene, VERIFIER, challenge, exchange, refused, told};
use crate::world::World;

on_both! {
    /// Attack 4: an answer says whose it is, so that a program that talks to two servers cannot take one for the other.
    fn every_answer_names_the_server(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        let issuer = scene.world.server.url.clone();
        let given = told(&scene.allow(&browser, &scene.asks_with(&[])).expect(303).location);
        assert_eq!((given["iss"].as_str(), given["state"].as_str()), (issuer.as_str(), "a state"));
        let wrong = told(&browser.get(&scene.asks_with(&[("response_type", "token")])).expect(303).location);
        assert_eq!((wrong["iss"].as_str(), wrong["state"].as_str()), (issuer.as_str(), "a state"));
        let metadata = scene.world.get(crate::world::Persona::Nobody, "/.well-known/oauth-authorization-server").ok();
        assert_eq!((metadata["issuer"].as_str(), &metadata["authorization_response_iss_parameter_supported"]), (Some(issuer.as_str()), &true.into()));
    }
}

on_both! {
    /// Attack 5: a code that was stolen and put into another session does not fit that session's verifier, and is over.
    fn a_code_of_another_request_opens_nothing(world: World) {
        let scene = Scene::new(world);
        for (name, value) in [("code_verifier", "another-verifier-that-is-long-enough-to-be-one"), ("redirect_uri", OTHER)] {
            let code = scene.code();
            let form: Vec<(&str, &str)> =
                exchange(&code).into_iter().map(|(known, own)| (known, if known == name { value } else { own })).collect();
            refused(&scene.ask(&form), 400, "invalid_grant");
            refused(&scene.redeem(&code), 400, "invalid_grant");
        }
        let code = scene.code();
        for missing in ["code", "redirect_uri", "code_verifier"] {
            let form: Vec<(&str, &str)> = exchange(&code).into_iter().filter(|(name, _)| *name != missing).collect();
            refused(&scene.ask(&form), 400, "invalid_request");
        }
        assert_eq!(scene.read(&scene.redeem(&code).ok()), 200);
    }
}

on_both! {
    /// Attacks 6 and 17: tokens never come through the browser, and codes only in the query of a registered address.
    fn nothing_but_codes_comes_through_the_browser(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        for (name, value, code) in [
            ("response_type", "token", "unsupported_response_type"),
            ("response_type", "code token", "unsupported_response_type"),
            ("response_type", "id_token", "unsupported_response_type"),
            ("response_type", "", "invalid_request"),
            ("response_mode", "fragment", "invalid_request"),
            ("response_mode", "form_post", "invalid_request"),
            ("response_mode", "web_message", "invalid_request"),
            ("request", "e30.e30.", "request_not_supported"),
            ("request_uri", "https://app.example/request", "request_uri_not_supported"),
        ] {
            let sent = browser.get(&scene.asks_with(&[(name, value)])).expect(303);
            assert!(sent.location.starts_with(&format!("{REDIRECT}?")), "{}", sent.location);
            assert_eq!(told(&sent.location)["error"], code, "{name}={value}");
        }
        let given = scene.allow(&browser, &scene.asks_with(&[])).expect(303).location;
        assert!(!given.contains('#') && !told(&given).contains_key("access_token"));
        assert!(told(&given)["code"].starts_with("hwc_"));
    }
}

on_both! {
    /// Attack 8: nobody is talked out of PKCE, neither by leaving it out nor by asking for `plain`.
    fn without_pkce_nothing_is_given(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        for over in [
            &[("code_challenge", ""), ("code_challenge_method", "")][..],
            &[("code_challenge_method", "")],
            &[("code_challenge_method", "plain")],
            &[("code_challenge_method", "s256")],
            &[("code_challenge", "")],
            &[("code_challenge", VERIFIER)],
            &[("code_challenge", "short")],
        ] {
            for client in [&scene.confidential, &scene.public] {
                let over: Vec<(&'static str, &str)> = over.iter().copied().chain([("client_id", client.as_str())]).collect();
                let sent = browser.get(&scene.asks_with(&over)).expect(303);
                assert_eq!(told(&sent.location)["error"], "invalid_request", "{over:?}");
            }
        }
        // What a verifier was not asked for with, it does not open.
        let asked = scene.asks_with(&[("code_challenge", &challenge(&challenge(VERIFIER)))]);
        let sent = scene.allow(&browser, &asked).expect(303);
        refused(&scene.redeem(&told(&sent.location)["code"]), 400, "invalid_grant");
    }
}

on_both! {
    /// Attack 18: a code that is shown twice takes back what it gave; one that is too old gives nothing.
    fn a_code_is_good_once_and_for_a_minute(world: World) {
        let scene = Scene::new(world);
        let code = scene.code();
        let tokens = scene.redeem(&code).ok();
        let next = scene.refresh(&tokens).ok();
        assert_eq!((scene.read(&tokens), scene.read(&next)), (200, 200));
        refused(&scene.redeem(&code), 400, "invalid_grant");
        assert_eq!((scene.read(&tokens), scene.read(&next)), (401, 401));
        refused(&scene.refresh(&next), 400, "invalid_grant");
        let late = scene.code();
        scene.world.pass(Duration::from_secs(60));
        refused(&scene.redeem(&late), 400, "invalid_grant");
    }
}

on_both! {
    /// Attack 19: a code is its program's own, whoever has it.
    fn a_code_is_of_no_use_to_another_program(world: World) {
        let scene = Scene::new(world);
        let code = scene.code();
        refused(&scene.ask_public(&exchange(&code)), 400, "invalid_grant");
        // It is still its program's.
        assert_eq!(scene.read(&scene.redeem(&code).ok()), 200);
    }
}
