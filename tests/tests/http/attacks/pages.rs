//! The pages on which people allow something, and where a browser is sent from them.

use hayward_tests::on_both;
use reqwest::Method;

use super::scene::{OTHER, REDIRECT, Scene, answers, refused, told};
use crate::world::World;

on_both! {
    /// Attacks 1 and 11: a browser is sent nowhere that was not registered to the letter, whatever is wrong; the page says what it is.
    fn a_browser_is_sent_nowhere_that_was_not_registered(world: World) {
        let scene = Scene::new(world);
        for browser in [scene.browser(), scene.signed_in()] {
            for over in [
                ("redirect_uri", "https://evil.example/back"),
                ("redirect_uri", "http://127.0.0.1/back/"),
                ("redirect_uri", "http://127.0.0.1/back?x"),
                ("redirect_uri", "http://127.0.0.1:80@evil.example/back"),
                ("redirect_uri", "http://127.0.0.1.evil.example/back"),
                ("redirect_uri", "http://localhost/back"),
                ("redirect_uri", "https://app.example/other"),
                ("redirect_uri", "https://app.example/other?kept=1&more=2"),
                ("redirect_uri", "javascript:alert(1)"),
                ("redirect_uri", ""),
                ("client_id", "cli_nobody"),
                ("client_id", ""),
            ] {
                // Something else is wrong besides, which would be told to the program.
                for address in [scene.asks_with(&[over]), scene.asks_with(&[over, ("response_type", "token")])] {
                    let page = browser.get(&address).expect(400);
                    assert_eq!(page.location, "", "{over:?}");
                    assert!(page.headers["content-type"].starts_with("text/html"));
                }
            }
            for twice in ["client_id", "redirect_uri"] {
                let page = browser.get(&format!("{}&{twice}=x", scene.asks_with(&[]))).expect(400);
                assert_eq!(page.location, "");
            }
        }
        let browser = scene.signed_in();
        let sent = scene.allow(&browser, &scene.asks_with(&[("redirect_uri", OTHER)])).expect(303);
        assert!(sent.location.starts_with("https://app.example/other?kept=1&code="));
        let sent = scene.allow(&browser, &scene.asks_with(&[("redirect_uri", "http://127.0.0.1:53123/back")])).expect(303);
        assert!(sent.location.starts_with("http://127.0.0.1:53123/back?code="));
        let sent = browser.get(&format!("{}&state=other", scene.asks_with(&[]))).expect(303);
        assert!(sent.location.starts_with(REDIRECT) && !told(&sent.location).contains_key("state"));
    }
}

on_both! {
    /// Attacks 2, 12 and 16: a page passes no address on, is never put into a frame, and is never left with a form in hand.
    fn a_page_gives_nothing_away_and_nothing_is_sent_on_with_a_form(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        let page = browser.get(&scene.asks_with(&[])).expect(200);
        let wrong = browser.get(&scene.asks_with(&[("client_id", "x")])).expect(400);
        let device = browser.get("/device?user_code=BCDF-GHJK").expect(200);
        for page in [&page, &wrong, &device] {
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert_eq!(page.headers["cache-control"], "no-store");
            assert_eq!(page.headers["x-frame-options"], "DENY");
            let policy = &page.headers["content-security-policy"];
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
        }
        assert!(page.headers["content-security-policy"].contains("form-action 'self' http://127.0.0.1;"));
        for decision in ["allow", "deny"] {
            let fields = answers(&page, decision);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let sent = browser.post_from(&page, "/oauth/authorize", &fields);
            // 303: whatever the method was, the browser goes on with GET and without a body.
            assert_eq!((sent.status, sent.headers["referrer-policy"].as_str()), (303, "no-referrer"));
            assert_eq!(sent.headers["cache-control"], "no-store");
        }
    }
}

on_both! {
    /// Attack 7: nobody says yes for somebody else: not without the form's own token, not from another site, not at another browser.
    fn another_site_cannot_say_yes(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        let page = browser.get(&scene.asks_with(&[])).expect(200);
        let fields = answers(&page, "allow");
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let post = || browser.request(Method::POST, "/oauth/authorize");
        assert_eq!(browser.send(post().form(&fields)).status, 403);
        let token = page.field("form");
        let whole: Vec<(&str, &str)> = fields.iter().copied().chain([("form", token.as_str())]).collect();
        assert_eq!(browser.send(post().header("Sec-Fetch-Site", "cross-site").form(&whole)).status, 403);
        assert_eq!(browser.send(post().header("Origin", "https://evil.example").form(&whole)).status, 403);
        let other = scene.signed_in();
        assert_eq!(other.send(other.request(Method::POST, "/oauth/authorize").form(&whole)).status, 403);
        let stranger = scene.browser();
        let sent = stranger.send(stranger.request(Method::POST, "/oauth/authorize").form(&whole));
        assert!(sent.status == 403 || sent.location.starts_with("/sign-in"), "{}", sent.status);
        assert_eq!(browser.send(post().header("Sec-Fetch-Site", "same-origin").form(&whole)).status, 303);
    }
}

on_both! {
    /// Attack 25: what is allowed is what was shown: by name, in words, for the member co-op that stood there, and not more.
    fn what_was_shown_is_what_is_allowed(world: World) {
        let scene = Scene::new(world);
        let browser = scene.signed_in();
        let page = browser.get(&scene.asks_with(&[("scope", "opportunities:read ledger:read measurements:read")])).expect(200);
        assert!(!page.text.contains("<b>of</b>"), "a program's name is no HTML");
        for part in ["Co-op partner", "opportunities:read", "ledger:read", "Co-op provider", scene.world.id("agreement"), REDIRECT] {
            assert!(page.text.contains(part), "{part} in {}", page.text);
        }
        // Suspended, ended and other people's agreements open nothing, and are not told.
        for name in ["suspended-agreement", "ended-agreement", "third-agreement", "foreign-agreement"] {
            assert!(!page.text.contains(scene.world.id(name)), "{name}");
        }
        assert!(page.text.contains("There is no agreement in force for this now"));
        let send = |asked: &str, organization: &str, decision: &str| {
            let fields = [("asked", asked), ("organization", organization), ("decision", decision)];
            browser.post_from(&page, "/oauth/authorize", &fields)
        };
        let (asked, organization) = (page.field("asked"), page.field("organization"));
        assert_eq!(send(&asked, scene.world.id("provider"), "allow").status, 403);
        assert_eq!(send(&asked, &organization, "perhaps").status, 403);
        // What a form carries along is looked at as if it had been asked.
        let widened = asked.replace("opportunities%3Aread", "agreements%3Aapprove");
        assert_eq!(told(&send(&widened, &organization, "allow").expect(303).location)["error"], "invalid_scope");
        assert_eq!(send(&asked.replace("127.0.0.1", "evil.example"), &organization, "allow").expect(400).location, "");
        assert_eq!(told(&send(&asked, &organization, "deny").expect(303).location)["error"], "access_denied");
        let code = told(&send(&asked, &organization, "allow").expect(303).location)["code"].clone();
        assert_eq!(scene.redeem(&code).ok()["scope"], "measurements:read opportunities:read ledger:read");
    }
}

on_both! {
    /// Attacks 23 and 24: a link alone allows nothing, and who types codes that are none is stopped.
    fn a_device_is_allowed_by_who_sees_its_code_and_nobody_guesses_one(world: World) {
        let scene = Scene::new(world);
        let begun = scene.post("/oauth/device_authorization", &[("client_id", &scene.public), ("scope", "opportunities:read")]).ok();
        let poll = || {
            let code = begun["device_code"].as_str().unwrap();
            scene.ask_public(&[("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)])
        };
        refused(&poll(), 400, "authorization_pending");
        refused(&poll(), 400, "slow_down");
        let browser = scene.signed_in();
        let link = begun["verification_uri_complete"].as_str().unwrap();
        let page = browser.get(link).expect(200);
        let typed = begun["user_code"].as_str().unwrap();
        assert_eq!(page.field("user_code"), typed);
        scene.world.pass(std::time::Duration::from_secs(11));
        refused(&poll(), 400, "authorization_pending");
        let asked = browser.post_from(&page, "/device", &[("user_code", &typed.to_lowercase())]).expect(200);
        assert!(asked.text.contains(typed) && asked.text.contains("Pocket") && asked.text.contains(scene.world.id("agreement")));
        scene.world.pass(std::time::Duration::from_secs(11));
        refused(&poll(), 400, "authorization_pending");
        let organization = asked.field("organization");
        let said = |decision: &str| {
            let fields = [("user_code", typed), ("organization", organization.as_str()), ("decision", decision)];
            browser.post_from(&asked, "/device", &fields)
        };
        assert!(said("allow").expect(200).text.contains("Allowed"));
        scene.world.pass(std::time::Duration::from_secs(11));
        let tokens = poll().ok();
        assert_eq!(scene.read(&tokens), 200);
        refused(&poll(), 400, "invalid_grant");
        assert_eq!(scene.read(&tokens), 401);
        let guess = |code: &str| browser.post_from(&page, "/device", &[("user_code", code)]).status;
        let statuses: Vec<u16> = (0..12).map(|_| guess("BBBB-BBBB")).collect();
        assert_eq!(statuses.first(), Some(&400));
        assert_eq!(statuses.last(), Some(&429));
        assert_eq!(scene.browser().get("/device").expect(303).location, "/sign-in?next=%2Fdevice");
    }
}
