#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::time::Duration;

use clap::Parser;
use hayward_domain::moment::Moment;
use hayward_store::{DatabaseUrl, Keyring};

use super::*;
use crate::auth::{password, secret};

/// `hayward admin` as the command line reads it.
#[derive(Parser)]
struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
}

struct Commons {
    store: Arc<Store>,
    // Kept for as long as the database is.
    folder: tempfile::TempDir,
}

impl Commons {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::parse(&format!("sqlite:{}", folder.path().join("commons.db").display())).unwrap();
        let now = || Moment::from(chrono::Utc::now());
        Self { store: Store::open(&url, Keyring::from_random(&[3; 128]), Arc::new(now)).unwrap(), folder }
    }

    fn typed(&self, words: &[&str], input: &str, json: bool) -> Result<String, AdminError> {
        let command = Admin::try_parse_from(std::iter::once(&"admin").chain(words)).unwrap().command;
        let mut out = Vec::new();
        run_from(&self.store, &self.folder.path().join("keys"), command, json, &mut input.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.typed(words, "", true).unwrap()).unwrap()
    }

    fn refused(&self, words: &[&str]) -> String {
        self.typed(words, "", false).unwrap_err().to_string()
    }

    /// With one co-op, `sur`, and the built-in schemas.
    fn with_one_organization() -> Self {
        let commons = Self::new();
        for schema in hayward_domain::schema::built_in().unwrap() {
            commons.store.register_schema(&schema).unwrap();
        }
        commons.json(&["organization", "add", "--slug", "sur", "--name", "Food Coop Sur"]);
        commons
    }
}

#[test]
fn an_organization_that_was_added_is_listed() {
    let commons = Commons::new();
    assert_eq!(commons.typed(&["organization", "list"], "", false).unwrap(), "there is no organization yet\n");
    let added = commons.json(&["organization", "add", "--slug", "sur", "--name", "Food Coop Sur", "--approval-rule", "all"]);
    let listed = commons.json(&["organization", "list"]);
    assert_eq!(listed, serde_json::json!({"organizations": [{"id": added["id"], "slug": "sur", "name": "Food Coop Sur"}]}));
    assert!(commons.refused(&["organization", "add", "--slug", "sur", "--name", "Another"]).contains("already there"));
}

#[test]
fn an_organization_with_a_rule_that_is_none_is_not_added() {
    let commons = Commons::new();
    let words = ["organization", "add", "--slug", "sur", "--name", "Sur", "--approval-rule", "most"];
    assert_eq!(commons.refused(&words), "`most` is not an approval rule; there are `1`, `2` and `all`");
    assert_eq!(commons.json(&["organization", "list"]), serde_json::json!({"organizations": []}));
}

#[test]
fn a_password_that_was_made_signs_in_and_is_said_once() {
    let commons = Commons::with_one_organization();
    let words =
        ["person", "add", "--email", "Marta@sur.example", "--name", "Marta", "--organization", "sur", "--role", "steward"];
    let made = commons.json(&words);
    let person = commons.store.person("marta@sur.example").unwrap().unwrap();
    assert!(password::matches(made["password"].as_str().unwrap(), &person.password_hash));
    let (organization, roles) = person.positions.first().unwrap();
    assert_eq!((organization.slug.as_str(), roles.first().unwrap().as_str()), ("sur", "steward"));
    commons.json(&["role", "add", "--email", "marta@sur.example", "--organization", "sur", "--role", "editor"]);
    assert_eq!(commons.store.person("marta@sur.example").unwrap().unwrap().positions.first().unwrap().1.len(), 2);
}

#[test]
fn a_password_from_standard_input_is_never_said() {
    let commons = Commons::with_one_organization();
    let words = ["person", "add", "--email", "ossi@sur.example", "--name", "Ossi", "--operator", "--password-stdin"];
    assert!(matches!(commons.typed(&words, "short\n", false), Err(AdminError::Password(_))));
    assert!(commons.store.person("ossi@sur.example").unwrap().is_none());
    let said = commons.typed(&words, "correct horse battery\nsecond line", false).unwrap();
    assert_eq!(said, "added ossi@sur.example\n");
    let person = commons.store.person("ossi@sur.example").unwrap().unwrap();
    assert!(password::matches("correct horse battery", &person.password_hash));
}

#[test]
fn a_person_is_something_somewhere() {
    let commons = Commons::with_one_organization();
    let person = ["person", "add", "--email", "a@b.example", "--name", "A"];
    let with = |more: &[&str]| commons.refused(&[&person, more].concat());
    assert!(with(&[]).starts_with("say what the person is"));
    assert!(with(&["--organization", "sur"]).starts_with("every `--organization` needs a `--role`"));
    assert!(with(&["--organization", "nord", "--role", "owner"]).starts_with("there is no organization `nord`"));
    assert!(with(&["--organization", "sur", "--role", "operator"]).starts_with("`operator` is not a role in an organization"));
    assert!(!commons.store.has_people().unwrap());
}

#[test]
fn a_client_gets_a_secret_once_and_can_be_revoked_once() {
    let commons = Commons::with_one_organization();
    let words = ["client", "add", "--organization", "sur", "--name", "Sync", "--scopes", "directory:read ledger:read"];
    let made = commons.json(&words);
    let id = made["client_id"].as_str().unwrap();
    let kept = commons.store.client(id).unwrap().unwrap();
    assert!(secret::matches(made["client_secret"].as_str().unwrap(), &kept.secret_hash));
    assert_eq!(commons.json(&["client", "revoke", id])["revoked"], true);
    assert!(commons.store.client(id).unwrap().is_none());
    assert!(commons.refused(&["client", "revoke", id]).starts_with("there is no program"));
}

#[test]
fn a_client_is_not_given_what_is_no_scope_or_for_people_only() {
    let commons = Commons::with_one_organization();
    let with = |scopes: &str| commons.refused(&["client", "add", "--organization", "sur", "--name", "Sync", "--scopes", scopes]);
    assert_eq!(with("directory:read everything"), "`everything` is not a scope");
    assert_eq!(with(""), "a program without a scope can do nothing");
    assert_eq!(with("agreements:approve"), "a program cannot hold `agreements:approve`");
}

#[test]
fn a_schema_is_registered_from_a_file_and_lists_are_made_of_it() {
    let commons = Commons::with_one_organization();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/examples/registered/venue.json");
    let registered = commons.json(&["schema", "register", file]);
    let listed = commons.json(&["schema", "list"]);
    assert_eq!(listed["schemas"].as_array().unwrap().len(), 5);
    assert!(listed["schemas"].as_array().unwrap().contains(&registered));
    let made = commons.json(&["dataset", "add", "--organization", "sur", "--schema", "venue", "--name", "Halls"]);
    assert_eq!(commons.json(&["dataset", "list"]), serde_json::json!({"datasets": [made]}));
    assert!(commons.typed(&["dataset", "list"], "", false).unwrap().contains("\tvenue\tHalls\n"));
}

#[test]
fn a_file_that_is_no_schema_is_refused_by_name() {
    let commons = Commons::new();
    let file = commons.folder.path().join("broken.json");
    std::fs::write(&file, "{").unwrap();
    let name = file.display().to_string();
    assert!(commons.refused(&["schema", "register", &name]).starts_with(&format!("`{name}` is not JSON")));
    std::fs::write(&file, "{}").unwrap();
    assert!(commons.refused(&["schema", "register", &name]).starts_with(&format!("`{name}`: ")));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(commons.typed(&["schema", "register", &name], "", false), Err(AdminError::Io { .. })));
}

#[test]
fn settings_that_are_not_named_stay() {
    let commons = Commons::new();
    commons.json(&["settings", "set", "--name", "Our commons", "--grace-minutes", "3"]);
    commons.json(&["settings", "set", "--time-zone", "Europe/Madrid"]);
    let settings = commons.store.read_settings().unwrap();
    assert_eq!((settings.name.as_str(), settings.time_zone.name()), ("Our commons", "Europe/Madrid"));
    assert_eq!(settings.grace, Duration::from_secs(180));
    assert!(
        commons.refused(&["settings", "set", "--time-zone", "Mars/Olympus"]).starts_with("`Mars/Olympus` is not a time zone")
    );
    assert!(commons.refused(&["settings", "set", "--name", " "]).starts_with("the name of a commons"));
}

#[test]
fn a_token_from_standard_input_is_revoked() {
    let commons = Commons::with_one_organization();
    let person =
        commons.json(&["person", "add", "--email", "a@b.example", "--name", "A", "--organization", "sur", "--role", "viewer"]);
    let token = secret::token([5; 32]);
    let new = hayward_store::NewToken {
        hash: secret::hash(&token),
        organization: commons.store.organization("sur").unwrap().number,
        person: hayward_domain::id::PersonId::parse(person["id"].as_str().unwrap()),
        client: None,
        scopes: Default::default(),
        expires_at: commons.store.now().plus(Duration::from_secs(60)),
    };
    commons.store.add_token(&new).unwrap();
    assert!(commons.store.caller(&secret::hash(&token)).is_ok());
    commons.typed(&["token", "revoke"], &format!("{token}\n"), false).unwrap();
    assert!(commons.store.caller(&secret::hash(&token)).is_err());
    assert!(commons.refused(&["token", "revoke"]).starts_with("the token is read from standard input"));
}

#[test]
fn who_is_shut_out_can_do_nothing_until_let_in_again() {
    let commons = Commons::with_one_organization();
    let words = ["person", "add", "--email", "ana@sur.example", "--name", "Ana", "--organization", "sur", "--role", "steward"];
    let made = commons.json(&words);
    let person = hayward_domain::id::PersonId::parse(made["id"].as_str().unwrap());
    let organization = commons.store.organization("sur").unwrap().number;
    let kept = || commons.store.person("ana@sur.example").unwrap().unwrap().password_hash;
    let new = |byte: u8| hayward_store::NewToken {
        hash: secret::hash(&secret::token([byte; 32])),
        organization,
        person: person.clone(),
        client: None,
        scopes: Default::default(),
        expires_at: commons.store.now().plus(Duration::from_secs(60)),
    };
    let begin = |byte: u8, checked: &str| {
        commons.store.begin_session(&new(byte), &format!("ses_{byte}"), "a test", hayward_store::Proof::Password(checked))
    };
    begin(1, &kept()).unwrap();
    assert!(commons.store.caller(&new(1).hash).is_ok());
    commons.json(&["person", "disable", "--email", "ana@sur.example"]);
    assert!(commons.store.caller(&new(1).hash).is_err());
    assert!(begin(2, &kept()).is_err());
    commons.json(&["person", "enable", "--email", "ana@sur.example"]);
    assert!(commons.store.caller(&new(1).hash).is_err(), "an old token came back");
    let before = kept();
    commons.json(&["person", "reset-password", "--email", "ana@sur.example"]);
    assert!(begin(3, &before).is_err(), "a session began with a password that was replaced");
    begin(4, &kept()).unwrap();
    commons.json(&["person", "sign-out", "--email", "ana@sur.example"]);
    assert!(commons.store.caller(&new(4).hash).is_err());
    assert_eq!(commons.refused(&["person", "disable", "--email", "no@sur.example"]), "nobody signs in with `no@sur.example`");
}

#[test]
fn a_role_that_is_taken_away_is_gone() {
    let commons = Commons::with_one_organization();
    commons.json(&["person", "add", "--email", "a@sur.example", "--name", "A", "--organization", "sur", "--role", "editor"]);
    let remove = ["role", "remove", "--email", "a@sur.example", "--organization", "sur", "--role", "editor"];
    commons.json(&remove);
    assert_eq!(commons.json(&["person", "list"])["people"][0]["positions"], serde_json::json!([]));
    assert_eq!(commons.refused(&remove), "a@sur.example is not editor of `sur`");
}

#[test]
fn an_invitation_makes_one_person_once() {
    let commons = Commons::with_one_organization();
    let invite = |email: &str| {
        commons.json(&[
            "invite",
            "add",
            "--email",
            email,
            "--organization",
            "sur",
            "--role",
            "steward",
            "--role",
            "editor",
            "--public-url",
            "https://commons.example/",
        ])
    };
    let made = invite("Ana@sur.example");
    let key = made["key"].as_str().unwrap();
    assert_eq!(made["address"], format!("https://commons.example/invite?key={key}"));
    let accept = |byte: u8| {
        let new = hayward_store::NewPerson {
            id: hayward_domain::id::PersonId::from_random([byte; 15]),
            email: String::new(),
            name: "Ana".to_owned(),
            password_hash: password::hash("a long password", [1; 16]).unwrap(),
            operator: true,
            positions: Vec::new(),
        };
        commons.store.accept_invite(&secret::hash(key), new)
    };
    assert_eq!(commons.store.invited(&secret::hash(key)).unwrap().organization, "Food Coop Sur");
    accept(1).unwrap();
    assert!(matches!(accept(2), Err(StoreError::NotFound)));
    let listed = commons.json(&["person", "list"]);
    assert_eq!(listed["people"][0]["positions"], serde_json::json!([["sur", "editor"], ["sur", "steward"]]));
    assert_eq!(listed["people"][0]["operator"], false, "an invitation made an operator");
    assert!(
        commons
            .refused(&["invite", "add", "--email", "ana@sur.example", "--organization", "sur", "--role", "viewer"])
            .contains("already there")
    );

    let other = invite("eva@sur.example");
    commons.json(&["invite", "revoke", other["id"].as_str().unwrap()]);
    assert!(commons.store.invited(&secret::hash(other["key"].as_str().unwrap())).is_err());
    let states: Vec<String> = commons.json(&["invite", "list"])["invites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["email"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert!(states.contains(&"ana@sur.example accepted".to_owned()) && states.contains(&"eva@sur.example revoked".to_owned()));
    assert!(commons.refused(&["invite", "revoke", other["id"].as_str().unwrap()]).contains("could still be accepted"));
}

#[test]
fn two_secrets_of_a_program_overlap_and_no_more() {
    let commons = Commons::with_one_organization();
    let words = ["client", "add", "--organization", "sur", "--name", "Map", "--scopes", "directory:read"];
    let made = commons.json(&words);
    let id = made["client_id"].as_str().unwrap();
    let works = |secret: &str| {
        let client = commons.store.client(id).unwrap().unwrap();
        secret::matches(secret, &client.secret_hash) || client.former_hash.is_some_and(|former| secret::matches(secret, &former))
    };
    let first = made["client_secret"].as_str().unwrap().to_owned();
    let second = commons.json(&["client", "rotate", id])["client_secret"].as_str().unwrap().to_owned();
    assert!(works(&first) && works(&second));
    let third = commons.json(&["client", "rotate", id, "--overlap-hours", "0"])["client_secret"].as_str().unwrap().to_owned();
    assert!(!works(&first) && !works(&second) && works(&third));
    assert_eq!(commons.json(&["client", "list"])["clients"][0]["name"], "Map");
}

#[test]
fn what_changes_something_is_kept_as_an_act_and_what_only_looks_is_not() {
    let commons = Commons::with_one_organization();
    let added = commons.json(&["acts"])["acts"].as_array().unwrap().len();
    for look in [["organization", "list"], ["person", "list"], ["keys", "show"], ["settings", "show"], ["invite", "list"]] {
        commons.json(&look);
    }
    assert_eq!(commons.json(&["acts"])["acts"].as_array().unwrap().len(), added);
    commons.json(&["organization", "rename", "sur", "--name", "Sur of the South"]);
    let acts = commons.json(&["acts"]);
    assert_eq!(acts["acts"][0]["act"], "organization rename");
    assert!(!acts.to_string().contains("South"), "an act holds a name");
    assert_eq!(commons.json(&["organization", "show", "sur"])["name"], "Sur of the South");
    commons.json(&["organization", "rule", "sur", "all"]);
    let rules = |rest: &str| json!({"internal": "all", "personal": "all", "public": rest, "special": "all"});
    assert_eq!(commons.json(&["organization", "show", "sur"])["standing"]["approval_rules"], rules("all"));
    commons.json(&["organization", "rule", "sur", "1", "--sensitivity", "public"]);
    assert_eq!(commons.json(&["organization", "show", "sur"])["standing"]["approval_rules"], rules("1"));
    let acts = commons.json(&["acts"]);
    assert_eq!((&acts["acts"][0]["act"], &acts["acts"][1]["act"]), (&json!("organization rule"), &json!("organization rule")));
    assert!(commons.refused(&["organization", "rule", "sur", "1", "--sensitivity", "never"]).contains("has no rule"));
}
