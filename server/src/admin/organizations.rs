//! Member co-ops.

use hayward_domain::agreement::ApprovalRule;
use hayward_domain::id::OrganizationId;
use hayward_store::{NewOrganization, Store};
use serde_json::json;

use super::{AdminError, Answer, OrganizationCommand, random};

pub(super) fn run(store: &Store, command: OrganizationCommand) -> Result<Answer, AdminError> {
    match command {
        OrganizationCommand::Add { slug, name, approval_rule } => add(store, slug, name, &approval_rule),
        OrganizationCommand::List => list(store),
    }
}

fn add(store: &Store, slug: String, name: String, rule: &str) -> Result<Answer, AdminError> {
    // Before anything is written: an organization without its rule would approve too easily.
    if ApprovalRule::parse(rule).is_none() {
        return Err(AdminError::Input(format!("`{rule}` is not an approval rule; there are `1`, `2` and `all`")));
    }
    let id = OrganizationId::from_random(random()?);
    let number = store.add_organization(&NewOrganization { id: id.clone(), slug: slug.clone(), name: name.clone() })?;
    store.set_approval_rule(number, rule)?;
    Ok(Answer::new(
        format!("added the organization `{slug}` as {id}"),
        json!({"id": id, "slug": slug, "name": name, "approval_rule": rule}),
    ))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let all = store.organizations()?;
    let lines: Vec<_> = all.iter().map(|one| vec![one.slug.clone(), one.id.to_string(), one.name.clone()]).collect();
    Ok(Answer::list(&lines, "there is no organization yet", json!({"organizations": all})))
}
