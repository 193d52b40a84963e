//! What each role may do, against a table that people read, too.
//!
//! `HAYWARD_WRITE_ROLES=1` writes the table anew; whoever does reads the difference.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use hayward_domain::scope::{Role, Scope};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/people.md");
const BEGIN: &str = "<!-- roles: made by the tests -->\n";

/// One row a scope, one column a role.
fn table() -> String {
    let collections = ["opportunities".to_owned()];
    let every = Role::ALL.into_iter().flat_map(|role| role.scopes(&collections).iter().cloned().collect::<Vec<Scope>>());
    let mut scopes: Vec<Scope> = every.collect();
    scopes.sort();
    scopes.dedup();
    let names: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
    let mut text = format!("| scope | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for scope in scopes {
        let held = Role::ALL.map(|role| if role.scopes(&collections).has(&scope) { "yes" } else { "" });
        let name = if matches!(scope, Scope::Read(_)) { "`{collection}:read`".to_owned() } else { format!("`{scope}`") };
        text += &format!("| {name} | {} |\n", held.join(" | "));
    }
    text
}

#[test]
fn every_role_may_do_what_the_table_says() {
    let kept = std::fs::read_to_string(TABLE).unwrap();
    let (before, after) = kept.split_once(BEGIN).unwrap();
    let rest = after.find("\n\n").map_or("", |at| after.get(at + 1..).unwrap_or_default());
    let written = format!("{before}{BEGIN}{}{rest}", table());
    if std::env::var_os("HAYWARD_WRITE_ROLES").is_some() {
        std::fs::write(TABLE, &written).unwrap();
    }
    assert_eq!(std::fs::read_to_string(TABLE).unwrap(), written);
}

#[test]
fn a_role_of_the_commons_has_no_scope_and_no_other_decides() {
    let collections = ["opportunities".to_owned()];
    for role in Role::ALL {
        assert_eq!(role.of_commons(), role.scopes(&collections).iter().next().is_none(), "{}", role.as_str());
        assert_eq!(role.decides(), role.scopes(&[]).has(&Scope::AgreementsApprove), "{}", role.as_str());
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
}

#[test]
fn no_program_decides_and_none_says_who_is_in() {
    for scope in ["agreements:approve", "people:manage"] {
        assert!(!Scope::parse(scope).unwrap().for_clients(), "{scope}");
    }
    assert!(Scope::parse("clients:manage").unwrap().for_clients());
}
