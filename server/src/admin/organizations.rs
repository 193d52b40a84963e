//! Member co-ops.

use hayward_domain::agreement::{ApprovalRule, Rules};
use hayward_domain::id::OrganizationId;
use hayward_domain::schema::Sensitivity;
use hayward_store::{NewOrganization, Organization, Standing, Store};
use serde_json::json;

use super::{AdminError, Answer, OrganizationCommand, organization, random};

pub(super) fn run(store: &Store, command: OrganizationCommand) -> Result<Answer, AdminError> {
    match command {
        OrganizationCommand::Add { slug, name, approval_rule } => add(store, slug, name, &approval_rule),
        OrganizationCommand::List => list(store),
        OrganizationCommand::Show { organization: named } => show(store, &organization(store, &named)?),
        OrganizationCommand::Rename { organization: named, name } => rename(store, &organization(store, &named)?, &name),
        OrganizationCommand::Rule { organization: named, rule, sensitivity } => {
            set_rule(store, &organization(store, &named)?, &rule, sensitivity.as_deref())
        }
    }
}

fn known_rule(rule: &str) -> Result<ApprovalRule, AdminError> {
    let unknown = || AdminError::Input(format!("`{rule}` is not an approval rule; there are `1`, `2` and `all`"));
    ApprovalRule::parse(rule).ok_or_else(unknown)
}

fn named(rules: &Rules) -> String {
    rules.to_map().into_iter().map(|(sensitivity, rule)| format!("{sensitivity} `{rule}`")).collect::<Vec<_>>().join(", ")
}

fn add(store: &Store, slug: String, name: String, rule: &str) -> Result<Answer, AdminError> {
    // Before anything is written: an organization without its rule would approve too easily.
    known_rule(rule)?;
    let id = OrganizationId::from_random(random()?);
    let number = store.add_organization(&NewOrganization { id: id.clone(), slug: slug.clone(), name: name.clone() })?;
    store.set_approval_rule(number, rule)?;
    Ok(Answer::new(
        format!("added the organization `{slug}` as {id}"),
        json!({"id": id, "slug": slug, "name": name, "approval_rule": rule}),
    )
    .did("organization add", id.as_str()))
}

fn show(store: &Store, one: &Organization) -> Result<Answer, AdminError> {
    let standing = store.standing(one.number)?;
    let Standing { approval_rules: _, people, clients, datasets, agreements } = &standing;
    let rules = named(&store.approval_rules(one.number)?);
    let text = format!(
        "{} ({}, {}): {people} people, {clients} programs, {datasets} lists, {agreements} agreements; approves by {rules}",
        one.name, one.slug, one.id
    );
    Ok(Answer::new(text, json!({"id": one.id, "slug": one.slug, "name": one.name, "standing": standing})))
}

fn rename(store: &Store, one: &Organization, name: &str) -> Result<Answer, AdminError> {
    store.rename_organization(one.number, name)?;
    let json = json!({"id": one.id, "slug": one.slug, "name": name});
    Ok(Answer::new(format!("`{}` is called {name} now", one.slug), json).did("organization rename", one.id.as_str()))
}

/// One rule for everything, or for what is as harmful as `sensitivity` says. In either direction: that is why it is written down.
fn set_rule(store: &Store, one: &Organization, rule: &str, sensitivity: Option<&str>) -> Result<Answer, AdminError> {
    let rule = known_rule(rule)?;
    let rules = match sensitivity {
        None => Rules::all(rule),
        Some(text) => {
            let before = store.approval_rules(one.number)?;
            let unknown =
                || AdminError::Input(format!("`{text}` has no rule; there are `public`, `internal`, `personal` and `special`"));
            Sensitivity::parse(text).and_then(|sensitivity| before.with(sensitivity, rule)).ok_or_else(unknown)?
        }
    };
    store.set_approval_rules(one.number, &rules)?;
    let json = json!({"id": one.id, "slug": one.slug, "approval_rules": rules.to_map()});
    Ok(Answer::new(format!("`{}` approves by {} now", one.slug, named(&rules)), json).did("organization rule", one.id.as_str()))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let all = store.organizations()?;
    let lines: Vec<_> = all.iter().map(|one| vec![one.slug.clone(), one.id.to_string(), one.name.clone()]).collect();
    Ok(Answer::list(&lines, "there is no organization yet", json!({"organizations": all})))
}
