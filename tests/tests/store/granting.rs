//! Codes, refresh tokens and device codes: each is used once, whoever comes at the same time, and ends with what it hangs on.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use hayward_domain::id::ClientId;
use hayward_domain::scope::{Role, Scopes};
use hayward_store::{
    ClientForm, CodeShown, DeviceFound, Issue, NewClient, NewCode, NewConsent, NewDevice, Polled, Redeemed, Store, StoreError,
    Viewer,
};
use hayward_tests::commons::{Commons, Member, holder};
use hayward_tests::on_both;

const REDIRECT: &str = "https://app.example/back";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPES: &str = "agreements:read directory:read opportunities:read";

fn hash(text: &str) -> String {
    match holder(text) {
        Viewer::Token(hash) => hash,
        Viewer::Nobody => unreachable!("whoever holds a token is somebody"),
    }
}

/// A person, a program, and one of the person's words for it after the other.
struct Scene {
    commons: Commons,
    member: Member,
    client: ClientId,
}

fn register(commons: &Commons, member: &Member, byte: u8) -> ClientId {
    let id = ClientId::from_random([byte; 15]);
    let scopes = Scopes::parse(SCOPES).unwrap();
    let new = NewClient { id: id.clone(), organization: member.number, name: "App".to_owned(), secret_hash: hash("s"), scopes };
    let form = ClientForm { redirect_uris: vec![REDIRECT.to_owned()], ..ClientForm::default() };
    commons.store.register_client(&new, &form).unwrap();
    id
}

impl Scene {
    fn new(commons: Commons) -> Self {
        let member = commons.organization("sur");
        let client = register(&commons, &member, 3);
        Self { commons, member, client }
    }

    fn store(&self) -> &Arc<Store> {
        &self.commons.store
    }

    fn consent(&self, id: &str) -> NewConsent {
        NewConsent {
            id: id.to_owned(),
            client: self.client.clone(),
            person: self.member.steward.person.clone().unwrap(),
            organization: self.member.number,
            scopes: Scopes::parse(SCOPES).unwrap(),
            expires_at: self.commons.now().plus(Duration::from_secs(365 * 86_400)),
        }
    }

    /// The person says yes, and the program has a code.
    fn code(&self, code: &str) -> bool {
        let new = NewCode {
            hash: hash(code),
            redirect_uri: REDIRECT.to_owned(),
            challenge: CHALLENGE.to_owned(),
            expires_at: self.commons.now().plus(Duration::from_secs(60)),
        };
        self.store().allow_with_code(&self.consent(&format!("con_{code}")), &new).unwrap()
    }

    fn issue(&self, name: &str) -> Issue {
        issue(&self.commons, name)
    }

    fn redeem(&self, code: &str, name: &str) -> Redeemed {
        self.store().redeem_code(&self.client, &shown(code), &self.issue(name)).unwrap()
    }

    fn refresh(&self, from: &str, to: &str) -> Redeemed {
        self.store().refresh(&self.client, &hash(&format!("refresh {from}")), None, &self.issue(to)).unwrap()
    }

    /// Whether the bearer token of this name opens something, in both of the ways in which it is looked up.
    fn works(&self, name: &str) -> bool {
        let token = format!("token {name}");
        let known = self.store().caller(&hash(&token)).is_ok();
        let seen = self.store().view::<_, StoreError>(&holder(&token), |view| Ok(view.caller.is_some())).is_ok();
        assert_eq!(known, seen);
        known
    }

    fn device(&self, code: &str, typed: &str) {
        let new = NewDevice {
            hash: hash(code),
            user_code: hash(typed),
            client: self.client.clone(),
            scopes: Scopes::parse("directory:read").unwrap(),
            expires_at: self.commons.now().plus(Duration::from_secs(600)),
            pause: 5,
        };
        self.store().begin_device(&new).unwrap();
    }

    fn poll(&self, code: &str, name: &str) -> Polled {
        self.store().poll_device(&self.client, &hash(code), &self.issue(name)).unwrap()
    }

    fn email(&self) -> String {
        let id = self.member.steward.person.clone().unwrap();
        self.store().people().unwrap().into_iter().find(|one| one.id == id.as_str()).unwrap().email
    }
}

fn issue(commons: &Commons, name: &str) -> Issue {
    Issue {
        token: hash(&format!("token {name}")),
        token_until: commons.now().plus(Duration::from_secs(3_600)),
        refresh: hash(&format!("refresh {name}")),
        refresh_until: commons.now().plus(Duration::from_secs(30 * 86_400)),
    }
}

fn shown(code: &str) -> CodeShown {
    CodeShown { hash: hash(code), redirect_uri: REDIRECT.to_owned(), challenge: CHALLENGE.to_owned() }
}

fn given(text: &str) -> Redeemed {
    Redeemed::Given(Scopes::parse(text).unwrap())
}

/// Runs the same thing twice at the same moment, each on a program of its own.
fn at_once<T: Send>(commons: &Commons, what: impl Fn(&Store, usize) -> T + Sync) -> Vec<T> {
    let (together, stores) = (Barrier::new(2), [Arc::clone(&commons.store), commons.another_store().unwrap()]);
    std::thread::scope(|scope| {
        let (what, together) = (&what, &together);
        let threads: Vec<_> = stores
            .iter()
            .enumerate()
            .map(|(at, store)| {
                scope.spawn(move || {
                    together.wait();
                    what(store, at)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

on_both! {
    fn a_code_gives_what_was_allowed_once_and_a_second_time_takes_it_all_back(commons: Commons) {
        let scene = Scene::new(commons);
        assert!(scene.code("one"));
        assert_eq!(scene.redeem("one", "a"), given(SCOPES));
        assert!(scene.works("a"));
        assert_eq!(scene.refresh("a", "b"), given(SCOPES));
        assert_eq!(scene.redeem("one", "c"), Redeemed::Ended);
        assert!(!scene.works("a") && !scene.works("b") && !scene.works("c"));
        assert_eq!(scene.refresh("b", "d"), Redeemed::Refused);
    }
}

on_both! {
    fn a_try_that_does_not_fit_uses_a_code_up_and_another_program_changes_nothing(commons: Commons) {
        let scene = Scene::new(commons);
        for (code, other) in [
            ("elsewhere", CodeShown { redirect_uri: "https://app.example/other".to_owned(), ..shown("elsewhere") }),
            ("unproved", CodeShown { challenge: "another".to_owned(), ..shown("unproved") }),
        ] {
            assert!(scene.code(code));
            assert_eq!(scene.store().redeem_code(&scene.client, &other, &scene.issue("x")).unwrap(), Redeemed::Ended);
            assert_eq!(scene.redeem(code, "y"), Redeemed::Ended);
        }
        let stranger = register(&scene.commons, &scene.member, 4);
        assert!(scene.code("mine"));
        let tried = scene.store().redeem_code(&stranger, &shown("mine"), &scene.issue("x")).unwrap();
        assert_eq!((tried, scene.redeem("mine", "m")), (Redeemed::Refused, given(SCOPES)));
        assert_eq!(scene.store().refresh(&stranger, &hash("refresh m"), None, &scene.issue("n")).unwrap(), Redeemed::Refused);
        assert!(scene.works("m"));
        assert!(scene.code("late"));
        scene.commons.pass(Duration::from_secs(60));
        assert_eq!(scene.redeem("late", "z"), Redeemed::Ended);
        assert_eq!(scene.redeem("never", "z"), Redeemed::Refused);
    }
}

on_both! {
    fn of_two_who_show_the_same_code_at_once_one_is_given_something_and_nobody_keeps_it(commons: Commons) {
        let scene = Scene::new(commons);
        for round in 0..8 {
            let code = format!("code {round}");
            assert!(scene.code(&code));
            let (commons, client) = (&scene.commons, &scene.client);
            let mut both = at_once(commons, |store, at| {
                store.redeem_code(client, &shown(&code), &issue(commons, &format!("{round} {at}"))).unwrap()
            });
            both.sort_by_key(|one| *one == Redeemed::Ended);
            assert_eq!(both, [given(SCOPES), Redeemed::Ended]);
            assert!(!scene.works(&format!("{round} 0")) && !scene.works(&format!("{round} 1")));
        }
    }
}

on_both! {
    fn of_two_who_show_the_same_refresh_token_at_once_one_is_given_something_and_nobody_keeps_it(commons: Commons) {
        let scene = Scene::new(commons);
        for round in 0..8 {
            assert!(scene.code(&format!("code {round}")));
            assert_eq!(scene.redeem(&format!("code {round}"), &format!("{round}")), given(SCOPES));
            let (commons, client) = (&scene.commons, &scene.client);
            let mut both = at_once(commons, |store, at| {
                let fresh = issue(commons, &format!("{round} {at}"));
                store.refresh(client, &hash(&format!("refresh {round}")), None, &fresh).unwrap()
            });
            both.sort_by_key(|one| *one == Redeemed::Ended);
            assert_eq!(both, [given(SCOPES), Redeemed::Ended]);
            assert!(["", " 0", " 1"].iter().all(|which| !scene.works(&format!("{round}{which}"))));
        }
    }
}

on_both! {
    fn a_refresh_token_is_used_once_expires_and_widens_nothing(commons: Commons) {
        let scene = Scene::new(commons);
        assert!(scene.code("one"));
        assert_eq!(scene.redeem("one", "a"), given(SCOPES));
        let with = |scopes: &str, from: &str, to: &str| {
            let (from, wanted) = (hash(&format!("refresh {from}")), Scopes::parse(scopes).unwrap());
            scene.store().refresh(&scene.client, &from, Some(&wanted), &scene.issue(to)).unwrap()
        };
        assert_eq!(with("ledger:read", "a", "x"), Redeemed::TooMuch);
        assert_eq!(with("directory:read", "a", "b"), given("directory:read"));
        // What was left out once may be asked for again: the person has allowed it.
        assert_eq!(scene.refresh("b", "c"), given(SCOPES));
        assert_eq!(scene.refresh("a", "x"), Redeemed::Ended);
        assert!(!scene.works("b") && !scene.works("c"));
        assert!(scene.code("two"));
        assert_eq!(scene.redeem("two", "e"), given(SCOPES));
        scene.commons.pass_days(30);
        assert_eq!(scene.refresh("e", "f"), Redeemed::Refused);
    }
}

on_both! {
    fn a_consent_ends_with_the_person_the_role_the_program_and_the_member(commons: Commons) {
        let scene = Scene::new(commons);
        let email = scene.email();
        let begin = |name: &str| {
            assert!(scene.code(name));
            assert_eq!(scene.redeem(name, name), given(SCOPES));
            assert!(scene.works(name) && scene.code(&format!("{name} waiting")));
            scene.device(&format!("{name} device"), &format!("{name} typed"));
            assert!(scene.store().allow_device(&hash(&format!("{name} typed")), &scene.consent(&format!("con_d{name}"))).unwrap());
        };
        let over = |name: &str| {
            assert!(!scene.works(name));
            assert!(matches!(scene.refresh(name, "x"), Redeemed::Refused | Redeemed::Ended));
            assert_eq!(scene.redeem(&format!("{name} waiting"), "x"), Redeemed::Ended);
            assert!(matches!(scene.poll(&format!("{name} device"), "x"), Polled::Done(Redeemed::Refused | Redeemed::Ended)));
            assert!(!scene.works("x"));
        };
        begin("disabled");
        scene.store().disable(&email, true).unwrap();
        over("disabled");
        assert!(!scene.code("while disabled"));
        scene.store().disable(&email, false).unwrap();
        over("disabled");
        begin("password");
        scene.store().reset_password(&email, "another").unwrap();
        over("password");
        begin("removed");
        scene.store().remove_role(&email, scene.member.number, Role::Steward).unwrap();
        over("removed");
        assert!(!scene.code("while removed"));
        scene.store().add_role(&email, scene.member.number, Role::Steward).unwrap();
        over("removed");
        begin("fewer");
        scene.store().add_role(&email, scene.member.number, Role::Viewer).unwrap();
        scene.store().remove_role(&email, scene.member.number, Role::Steward).unwrap();
        assert!(scene.works("fewer"));
        assert_eq!(scene.refresh("fewer", "fewer yet"), given("directory:read opportunities:read"));
        begin_again_with_all(&scene, &email);
        begin("withdrawn");
        let person = scene.member.steward.person.clone().unwrap();
        for consent in scene.store().consents(&person).unwrap() {
            scene.store().withdraw_consent(&person, &consent.id).unwrap();
        }
        over("withdrawn");
        begin("revoked");
        scene.store().revoke_client(scene.client.as_str()).unwrap();
        over("revoked");
        assert!(!scene.code("while revoked"));
    }
}

fn begin_again_with_all(scene: &Scene, email: &str) {
    scene.store().add_role(email, scene.member.number, Role::Steward).unwrap();
}

on_both! {
    fn a_member_that_leaves_takes_the_consents_of_its_people_along(commons: Commons) {
        let scene = Scene::new(commons);
        let other = scene.commons.organization("other");
        let elsewhere = register(&scene.commons, &other, 9);
        let scene = Scene { client: elsewhere, ..scene };
        assert!(scene.code("one"));
        assert_eq!(scene.redeem("one", "a"), given(SCOPES));
        scene.store().leave(&scene.member.steward, scene.member.id.as_str(), "closing").unwrap();
        assert!(!scene.works("a") && !scene.code("two"));
        assert_eq!(scene.refresh("a", "b"), Redeemed::Refused);
    }
}

on_both! {
    fn a_device_waits_is_slowed_down_and_is_given_something_once(commons: Commons) {
        let scene = Scene::new(commons);
        let person = scene.member.steward.person.clone().unwrap();
        scene.device("device", "typed");
        assert_eq!(scene.poll("device", "a"), Polled::Pending);
        assert_eq!(scene.poll("device", "a"), Polled::TooSoon);
        scene.commons.pass(Duration::from_secs(9));
        assert_eq!(scene.poll("device", "a"), Polled::TooSoon);
        scene.commons.pass(Duration::from_secs(15));
        assert_eq!(scene.poll("device", "a"), Polled::Pending);
        let found = scene.store().find_device(&person, &hash("typed")).unwrap();
        assert_eq!(found, DeviceFound::Waiting { client: scene.client.clone(), scopes: Scopes::parse("directory:read").unwrap() });
        let only = NewConsent { scopes: Scopes::parse("directory:read").unwrap(), ..scene.consent("con_device") };
        assert!(scene.store().allow_device(&hash("typed"), &only).unwrap());
        assert!(!scene.store().allow_device(&hash("typed"), &NewConsent { id: "con_2".to_owned(), ..only }).unwrap());
        assert!(!scene.store().deny_device(&hash("typed")).unwrap());
        assert_eq!(scene.store().find_device(&person, &hash("typed")).unwrap(), DeviceFound::Nothing);
        let stranger = register(&scene.commons, &scene.member, 4);
        let stolen = scene.store().poll_device(&stranger, &hash("device"), &scene.issue("x")).unwrap();
        assert_eq!(stolen, Polled::Done(Redeemed::Refused));
        scene.commons.pass(Duration::from_secs(15));
        assert_eq!(scene.poll("device", "a"), Polled::Done(given("directory:read")));
        assert!(scene.works("a"));
        assert_eq!(scene.poll("device", "b"), Polled::Done(Redeemed::Ended));
        assert!(!scene.works("a"));
        scene.device("denied", "no");
        assert!(scene.store().deny_device(&hash("no")).unwrap());
        assert_eq!(scene.poll("denied", "c"), Polled::Denied);
        scene.device("late", "too late");
        scene.commons.pass(Duration::from_secs(600));
        assert_eq!(scene.poll("late", "d"), Polled::Expired);
        assert!(!scene.store().allow_device(&hash("too late"), &scene.consent("con_late")).unwrap());
    }
}

on_both! {
    fn a_person_who_guesses_codes_is_stopped_and_others_are_not(commons: Commons) {
        let scene = Scene::new(commons);
        scene.device("device", "typed");
        let person = scene.member.steward.person.clone().unwrap();
        let other = scene.commons.another_steward(&scene.member).person.unwrap();
        for guess in 0..10 {
            assert_eq!(scene.store().find_device(&person, &hash(&format!("guess {guess}"))).unwrap(), DeviceFound::Nothing);
        }
        assert_eq!(scene.store().find_device(&person, &hash("typed")).unwrap(), DeviceFound::TooManyGuesses);
        assert_ne!(scene.store().find_device(&other, &hash("typed")).unwrap(), DeviceFound::TooManyGuesses);
        scene.commons.pass(Duration::from_secs(2 * 3_600));
        assert_eq!(scene.store().find_device(&person, &hash("typed")).unwrap(), DeviceFound::Nothing);
    }
}

on_both! {
    fn a_program_knows_and_gives_back_its_own_tokens_only(commons: Commons) {
        let scene = Scene::new(commons);
        let stranger = register(&scene.commons, &scene.member, 4);
        assert!(scene.code("one"));
        assert_eq!(scene.redeem("one", "a"), given(SCOPES));
        for name in ["token a", "refresh a"] {
            let mine = scene.store().introspect(&scene.client, &hash(name)).unwrap().unwrap();
            assert_eq!((mine.scopes, mine.person), (Scopes::parse(SCOPES).unwrap(), scene.member.steward.person.clone()));
            assert!(scene.store().introspect(&stranger, &hash(name)).unwrap().is_none());
            assert!(!scene.store().give_back(&stranger, &hash(name)).unwrap());
        }
        // A person's own token is no program's.
        assert!(!scene.store().give_back(&scene.client, &hash(&scene.member.token)).unwrap());
        assert!(scene.store().introspect(&scene.client, &hash(&scene.member.token)).unwrap().is_none());
        assert!(scene.store().give_back(&scene.client, &hash("never")).unwrap());
        assert_eq!(scene.refresh("a", "b"), given(SCOPES));
        assert!(scene.store().introspect(&scene.client, &hash("refresh a")).unwrap().is_none());
        assert!(scene.store().give_back(&scene.client, &hash("token a")).unwrap());
        assert!(!scene.works("a") && scene.works("b"));
        assert!(scene.store().give_back(&scene.client, &hash("refresh b")).unwrap());
        assert!(!scene.works("b"));
        assert!(scene.store().introspect(&scene.client, &hash("refresh b")).unwrap().is_none());
    }
}

on_both! {
    fn what_is_over_for_a_day_is_dropped_and_what_stands_is_kept(commons: Commons) {
        let scene = Scene::new(commons);
        assert!(scene.code("kept") && scene.code("ended") && scene.code("unused"));
        assert_eq!(scene.redeem("kept", "a"), given(SCOPES));
        assert_eq!(scene.redeem("ended", "b"), given(SCOPES));
        assert!(scene.store().give_back(&scene.client, &hash("refresh b")).unwrap());
        scene.device("device", "typed");
        scene.commons.pass_days(2);
        assert!(scene.store().prune_consents().unwrap() > 0);
        let count = |table: &str| crate::raw::count(scene.commons.database(), table);
        assert_eq!((count("authorization_codes"), count("device_codes")), (0, 0));
        assert_eq!(scene.refresh("a", "c"), given(SCOPES));
        assert!(scene.works("c"));
        scene.commons.pass_days(40);
        scene.store().prune_consents().unwrap();
        assert_eq!((count("refresh_tokens"), count("tokens where consent is not null")), (0, 0));
        assert_eq!(scene.store().prune_consents().unwrap(), 0);
    }
}

on_both! {
    fn a_use_is_written_down_later_and_to_the_hour(commons: Commons) {
        let scene = Scene::new(commons);
        assert!(scene.code("one"));
        assert_eq!(scene.redeem("one", "a"), given(SCOPES));
        let used = || scene.store().clients().unwrap().into_iter().find(|one| one.id == scene.client.as_str()).unwrap().last_used;
        scene.store().write_uses().unwrap();
        assert_eq!(used(), None);
        scene.commons.pass(Duration::from_secs(90));
        assert!(scene.works("a"));
        assert_eq!(used(), None);
        assert_eq!(scene.store().write_uses().unwrap(), 1);
        assert_eq!(used().as_deref(), Some("2026-12-01T12:00:00.000000Z"));
        assert_eq!(scene.store().write_uses().unwrap(), 0);
    }
}

on_both! {
    fn what_a_person_would_allow_is_told_by_agreement(commons: Commons) {
        let scene = Scene::new(commons);
        let person = scene.member.steward.person.clone().unwrap();
        let provider = scene.commons.organization("provider");
        let list = scene.commons.dataset(&provider, "organization");
        let client = scene.store().client(scene.client.as_str()).unwrap().unwrap();
        let view = |scopes: &str| {
            let wanted = Scopes::parse(scopes).unwrap();
            scene.store().consent_view(&person, scene.member.number, &client, &wanted).unwrap()
        };
        assert!(view(SCOPES).unwrap().opens.is_empty(), "a scope by itself opens nothing");
        let to = hayward_tests::commons::To::One(&scene.member);
        let agreement = scene.commons.agree(&provider, to, &list, &serde_json::json!({}));
        let seen = view(SCOPES).unwrap();
        assert_eq!(seen.opens["organizations"].iter().map(|one| &one.agreement).collect::<Vec<_>>(), [&agreement]);
        assert!(view("opportunities:read").unwrap().opens.is_empty());
        let viewer = scene.email();
        scene.store().add_role(&viewer, scene.member.number, Role::Viewer).unwrap();
        scene.store().remove_role(&viewer, scene.member.number, Role::Steward).unwrap();
        assert_eq!(view(SCOPES).unwrap().withheld, Scopes::parse("agreements:read").unwrap());
        scene.store().remove_role(&viewer, scene.member.number, Role::Viewer).unwrap();
        assert!(view(SCOPES).is_none());
    }
}
