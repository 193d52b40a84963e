//! Tokens that open something, and tokens that do not any more.

use std::time::Duration;

use hayward_domain::id::ClientId;
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use hayward_store::{NewClient, NewToken, StoreError, Viewer};
use hayward_tests::commons::{Commons, START, holder};
use hayward_tests::on_both;

fn hash(token: &str) -> String {
    match holder(token) {
        Viewer::Token(hash) => hash,
        Viewer::Nobody => unreachable!("whoever holds a token is somebody"),
    }
}

/// Whether the token opens anything, for the program and in a recipient's snapshot: both say the same.
fn opens(commons: &Commons, token: &str) -> bool {
    let known = commons.store.caller(&hash(token));
    let seen = commons.store.view::<_, StoreError>(&holder(token), |view| Ok(view.caller.is_some()));
    assert_eq!(known.is_ok(), seen.is_ok());
    assert!(known.is_ok() || matches!((known, seen), (Err(StoreError::NotFound), Err(StoreError::NotFound))));
    commons.store.caller(&hash(token)).is_ok()
}

fn client(commons: &Commons, organization: OrganizationNumber) -> ClientId {
    let id = ClientId::from_random([3; 15]);
    let scopes = Scopes::parse("directory:read opportunities:read").unwrap();
    let new = NewClient { id: id.clone(), organization, name: "a program".to_owned(), secret_hash: "none".to_owned(), scopes };
    commons.store.add_client(&new).unwrap();
    id
}

fn issue(commons: &Commons, organization: OrganizationNumber, client: &ClientId, token: &str) {
    let new = NewToken {
        hash: hash(token),
        organization,
        person: None,
        client: Some(client.clone()),
        scopes: Scopes::parse("directory:read").unwrap(),
        expires_at: START.plus(Duration::from_secs(3600)),
    };
    commons.store.add_token(&new).unwrap();
}

on_both! {
    fn a_token_opens_until_it_expires(commons: Commons) {
        let a = commons.organization("a");
        issue(&commons, a.number, &client(&commons, a.number), "a token");
        assert!(opens(&commons, "a token") && !opens(&commons, "another"));
        commons.pass(Duration::from_micros(3_599_999_999));
        assert!(opens(&commons, "a token"));
        commons.pass(Duration::from_micros(1));
        assert!(!opens(&commons, "a token"));
    }
}

on_both! {
    fn a_token_opens_until_it_is_revoked(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        assert!(opens(&commons, &a.token));
        commons.store.revoke_token(&hash(&a.token)).unwrap();
        commons.store.revoke_token(&hash("no token")).unwrap();
        assert!(!opens(&commons, &a.token) && opens(&commons, &b.token));
    }
}

on_both! {
    fn a_revoked_program_has_no_tokens_not_even_later_ones(commons: Commons) {
        let a = commons.organization("a");
        let client = client(&commons, a.number);
        issue(&commons, a.number, &client, "before");
        assert!(opens(&commons, "before"));
        commons.store.revoke_client(client.as_str()).unwrap();
        // Somebody was asking for one at that very moment.
        issue(&commons, a.number, &client, "after");
        assert!(!opens(&commons, "before") && !opens(&commons, "after"));
        assert!(commons.store.client(client.as_str()).unwrap().is_none());
        assert!(matches!(commons.store.revoke_client(client.as_str()), Err(StoreError::NotFound)));
    }
}

on_both! {
    fn a_program_cannot_hold_what_only_people_hold(commons: Commons) {
        let a = commons.organization("a");
        let new = NewClient {
            id: ClientId::from_random([4; 15]),
            organization: a.number,
            name: "a program".to_owned(),
            secret_hash: "none".to_owned(),
            scopes: Scopes::parse("agreements:approve").unwrap(),
        };
        assert!(matches!(commons.store.add_client(&new), Err(StoreError::Refused { code: "people-only", .. })));
    }
}
