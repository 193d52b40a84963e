//! Pages: who is signed in at a browser, which forms are taken, and where nobody is led.

use std::time::Duration;

use hayward_tests::browser::{Browser, Shown};
use hayward_tests::on_both;
use reqwest::Method;

use crate::founding::PASSWORD;
use crate::world::Persona::{Operator, Steward};
use crate::world::World;

const STEWARD: &str = "steward@people.example";

fn browser(world: &World) -> Browser {
    Browser::new(&world.server.url)
}

fn signed_in(world: &World) -> Browser {
    let browser = browser(world);
    let _shown = browser.sign_in(STEWARD, PASSWORD).expect(303);
    browser
}

/// Whether somebody is signed in there.
fn is_in(browser: &Browser) -> bool {
    let shown = browser.get("/sign-in?next=/acting");
    assert_eq!(shown.status, 200);
    browser.get("/acting").location != "/sign-in?next=%2Facting"
}

on_both! {
    fn somebody_signs_in_where_they_wanted_to_go_and_out_again(world: World) {
        let browser = browser(&world);
        let sent = browser.get("/acting?x=1").expect(303);
        assert_eq!(sent.location, "/sign-in?next=%2Facting%3Fx%3D1");
        let page = browser.get(&sent.location).expect(200);
        let next = page.field("next");
        let back = browser.post_from(&page, "/sign-in", &[("email", STEWARD), ("password", PASSWORD), ("next", &next)]);
        assert_eq!((back.status, back.location.as_str()), (303, "/acting?x=1"));
        assert!(is_in(&browser));
        let page = browser.get("/acting").expect(200);
        assert!(page.text.contains("steward") && page.text.contains("Co-op provider"), "{}", page.text);
        let out = browser.post_from(&page, "/sign-out", &[]).expect(303);
        assert_eq!(out.location, "/sign-in");
        assert_eq!(browser.cookie("hayward"), None);
        assert!(!is_in(&browser));
    }
}

on_both! {
    fn pages_let_the_browser_do_nothing_but_show_them(world: World) {
        let page = browser(&world).get("/sign-in").expect(200);
        let policy = &page.headers["content-security-policy"];
        for part in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.split("; ").any(|one| one == part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(page.headers[name], value);
        }
        assert!(!page.text.contains("<script") && !page.text.contains("style="), "{}", page.text);
        let style = page.between("href=\"/static/", "\"");
        let style = browser(&world).get(&format!("/static/{style}")).expect(200);
        assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
        assert!(style.headers["cache-control"].contains("immutable"));
        assert_eq!(browser(&world).get("/static/../Cargo.toml").status, 404);
    }
}

on_both! {
    fn a_sessions_cookie_is_new_at_every_sign_in_and_only_for_this_host(world: World) {
        let browser = browser(&world);
        // Somebody else knows this value, and hopes that it will be signed in to.
        let planted = "a".repeat(51) + "a";
        browser.plant("hayward", &planted);
        let shown = browser.sign_in(STEWARD, PASSWORD).expect(303);
        let first = browser.cookie("hayward").unwrap();
        assert_ne!(first, planted);
        let cookie = shown.cookies.iter().find(|cookie| cookie.starts_with("hayward=")).unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");

        // Signing in again ends what was open before.
        let other = Browser::new(&world.server.url);
        other.plant("hayward", &first);
        assert!(is_in(&other));
        let page = browser.get("/sign-in");
        let _shown = browser.post_from(&page, "/sign-in", &[("email", STEWARD), ("password", PASSWORD)]).expect(303);
        assert_ne!(browser.cookie("hayward").unwrap(), first);
        assert!(!is_in(&other));

        // Behind TLS the cookie is bound to the host.
        let request = || browser.request(Method::GET, "/sign-in").header("Host", "commons.example");
        let far = browser.send(request());
        assert!(far.cookies.iter().all(|cookie| cookie.starts_with("__Host-hayward-form=") && cookie.contains("Secure")));
        assert_eq!(far.cookies.len(), 1, "the plain cookie does not count there");
    }
}

on_both! {
    fn a_form_that_another_site_sends_is_refused(world: World) {
        let browser = signed_in(&world);
        let page = browser.get("/acting").expect(200);
        let token = page.field("form");
        let send = |form: &[(&str, &str)], headers: &[(&str, &str)]| {
            let request = browser.request(Method::POST, "/sign-out").form(form);
            browser.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).status
        };
        let good: &[(&str, &str)] = &[("form", &token)];
        let origin = world.server.url.as_str();
        assert_eq!(send(&[], &[]), 403);
        assert_eq!(send(&[("form", "")], &[]), 403);
        assert_eq!(send(&[("form", "guess")], &[("Origin", origin)]), 403);
        for site in ["cross-site", "same-site", ""] {
            assert_eq!(send(good, &[("Sec-Fetch-Site", site)]), 403, "{site}");
        }
        for other in ["https://evil.example", "http://127.0.0.1:1", "http://127.0.0.1", "", "file://"] {
            assert_eq!(send(good, &[("Origin", other)]), 403, "{other}");
        }
        // A token that was good before signing in, or in another browser, is none here.
        let stranger = Browser::new(&world.server.url).get("/sign-in").field("form");
        assert_eq!(send(&[("form", &stranger)], &[]), 403);
        // As text, as a scriptless form of another site could send it.
        let text = browser.request(Method::POST, "/sign-out").header("Content-Type", "text/plain").body(format!("form={token}"));
        assert_eq!(browser.send(text).status, 415);
        assert!(is_in(&browser), "none of it signed anybody out");
        assert_eq!(send(good, &[("Origin", origin)]), 303);
    }
}

on_both! {
    fn signing_in_leads_nowhere_else(world: World) {
        for next in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/%09/evil.example",
            "javascript:alert(1)",
            "/..//evil.example",
            "",
        ] {
            let browser = browser(&world);
            let page = browser.get(&format!("/sign-in?next={}", url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()));
            assert!(!page.field("next").contains("evil") || next.starts_with("/%09"), "{next}");
            let form = [("email", STEWARD), ("password", PASSWORD), ("next", next)];
            let shown = browser.post_from(&page, "/sign-in", &form).expect(303);
            assert!(shown.location == "/account" || shown.location == "/%09/evil.example", "{next} led to {}", shown.location);
        }
    }
}

on_both! {
    fn a_cookie_opens_no_api_and_a_token_no_page(world: World) {
        let browser = signed_in(&world);
        for path in ["/api/v1/datasets", "/api/v1/agreements", "/api/v1/disclosures"] {
            assert_eq!(browser.get(path).status, 401, "{path}");
        }
        let token = Steward.token().unwrap();
        let with_token = browser.send(Browser::new(&world.server.url).request(Method::GET, "/acting").bearer_auth(token));
        assert_eq!(with_token.status, 303);
    }
}

/// What of a page does not come from chance: its forms' token and the id of the request.
fn without_chance(shown: &Shown) -> (u16, String) {
    (shown.status, shown.text.replace(&shown.field("form"), "token"))
}

on_both! {
    fn an_address_that_nobody_has_is_answered_like_a_wrong_password(world: World) {
        let ask = |email: &str, password: &str| {
            let shown = browser(&world).sign_in(email, password);
            let (status, text) = without_chance(&shown);
            (status, text.replace(email, "address"))
        };
        let wrong = ask(STEWARD, "not the password");
        assert_eq!(wrong.0, 401);
        assert_eq!(ask("nobody@people.example", "not the password"), wrong);
        world.server.store().disable("viewer@people.example", true).unwrap();
        assert_eq!(ask("viewer@people.example", PASSWORD), wrong);
    }
}

on_both! {
    fn who_is_shut_out_is_out_of_every_page_at_once(world: World) {
        let browser = signed_in(&world);
        assert!(is_in(&browser));
        world.server.store().disable(STEWARD, true).unwrap();
        assert!(!is_in(&browser));
        world.server.store().disable(STEWARD, false).unwrap();
        assert!(!is_in(&browser), "what was open stays closed");
        let browser = signed_in(&world);
        world.server.store().sign_out(STEWARD).unwrap();
        assert!(!is_in(&browser));
        let browser = signed_in(&world);
        world.pass(Duration::from_secs(12 * 3_600));
        assert!(!is_in(&browser));
    }
}

on_both! {
    fn an_operator_without_a_member_co_op_signs_in_to_pages(world: World) {
        let browser = browser(&world);
        let _shown = browser.sign_in(&format!("{}@people.example", Operator.name()), PASSWORD).expect(303);
        assert!(is_in(&browser));
    }
}
