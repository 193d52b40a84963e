//! What goes wrong is told without what it went wrong with: an error may end in a log.

use std::fmt::{Debug, Display};
use std::time::Duration;

use hayward_domain::id::{ClientId, DatasetId, ImportId, OrganizationId, PersonId};
use hayward_domain::record::OrganizationNumber;
use hayward_domain::scope::Scopes;
use hayward_importers::Overrules;
use hayward_store::{NewClient, NewDataset, NewImport, NewOrganization, NewPerson, NewToken, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, START, To};
use hayward_tests::on_both;
use serde_json::json;

use crate::agreements::parties;
use crate::raw;

const CANARY: &str = "zqxcanary";

fn silent<T>(result: Result<T, impl Display + Debug>) {
    let Err(error) = result else { unreachable!("it went wrong") };
    assert!(!format!("{error} {error:?} {error:#?}").contains(CANARY), "{error}");
}

fn person(email: &str) -> NewPerson {
    NewPerson {
        id: PersonId::from_random([8; 15]),
        email: email.to_owned(),
        name: CANARY.to_owned(),
        password_hash: CANARY.to_owned(),
        operator: false,
        positions: Vec::new(),
    }
}

on_both! {
    fn what_is_there_already_is_not_named(commons: Commons) {
        let a = commons.organization(CANARY);
        let new = NewOrganization { id: OrganizationId::from_random([8; 15]), slug: CANARY.to_owned(), name: CANARY.to_owned() };
        silent(commons.store.add_organization(&new));
        let email = format!("{CANARY}@a.example");
        commons.store.add_person(&person(&email)).unwrap();
        silent(commons.store.add_person(&NewPerson { id: PersonId::from_random([9; 15]), ..person(&email) }));
        silent(commons.store.add_person(&person("x@a.example")));
        silent(commons.store.add_person(&person(&format!("{CANARY} no address"))));
        let list = |byte: u8| NewDataset {
            id: DatasetId::from_random([byte; 15]),
            schema: "organization".to_owned(),
            name: CANARY.to_owned(),
        };
        commons.store.add_dataset(a.number, &list(1)).unwrap();
        silent(commons.store.add_dataset(a.number, &list(2)));
        silent(commons.store.add_dataset(a.number, &NewDataset { schema: CANARY.to_owned(), ..list(3) }));
        let client = NewClient {
            id: ClientId::from_random([8; 15]),
            organization: a.number,
            name: CANARY.to_owned(),
            secret_hash: CANARY.to_owned(),
            scopes: Scopes::default(),
        };
        commons.store.add_client(&client).unwrap();
        silent(commons.store.add_client(&client));
    }
}

on_both! {
    fn what_refers_to_nothing_is_not_named(commons: Commons) {
        let token = NewToken {
            hash: CANARY.to_owned(),
            organization: OrganizationNumber(999),
            person: Some(PersonId::from_random([8; 15])),
            client: None,
            scopes: Scopes::default(),
            expires_at: START.plus(Duration::from_secs(60)),
        };
        silent(commons.store.add_token(&token));
        let nowhere = ImportId::from_random([8; 15]);
        silent(commons.store.keep_piece(&nowhere, 0, CANARY.as_bytes().to_vec()));
        let a = commons.organization("a");
        let import = NewImport { id: nowhere, filename: CANARY.to_owned(), overrules: Overrules::default() };
        silent(commons.store.begin_import(a.number, CANARY, &DatasetId::from_random([8; 15]), &import));
        silent(commons.store.caller(CANARY));
        silent(commons.store.organization(CANARY));
        silent(commons.store.set_approval_rule(a.number, CANARY));
        silent(commons.store.schema(CANARY));
    }
}

on_both! {
    fn what_cannot_be_read_is_not_shown(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        raw::tell(
            commons.database(),
            &format!("update records set body = '{CANARY}'; update imports set counts = '{CANARY}', state = 'checked'"),
        );
        silent(commons.store.own_records(a.number, &list.id, &Default::default(), None, 10).map(drop));
        silent(commons.store.preview(&a.steward, &agreement, 1, 10).map(drop));
        let import = raw::ask(commons.database(), "select id as value from imports");
        silent(commons.store.import(a.number, &ImportId::parse(&import[0]).unwrap()).map(drop));
        raw::tell(
            commons.database(),
            &format!("update agreements set secret = '{CANARY}'; update agreement_versions set terms = '{CANARY}'"),
        );
        let store = commons.another_store().unwrap();
        let read = store
            .view::<_, StoreError>(&b.viewer, |view| view.shares("organizations", &ShareQuery::default(), view.commit).map(drop));
        silent(read);
    }
}
