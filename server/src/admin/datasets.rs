//! Lists: that they exist, never what is in them.

use hayward_domain::id::DatasetId;
use hayward_store::{NewDataset, Store};
use serde_json::json;

use super::{AdminError, Answer, DatasetCommand, organization, random};

pub(super) fn run(store: &Store, command: DatasetCommand) -> Result<Answer, AdminError> {
    match command {
        DatasetCommand::Add { organization, schema, name } => add(store, &organization, schema, name),
        DatasetCommand::List => list(store),
    }
}

fn add(store: &Store, slug: &str, schema: String, name: String) -> Result<Answer, AdminError> {
    let owner = organization(store, slug)?;
    let made = store.add_dataset(owner.number, &NewDataset { id: DatasetId::from_random(random()?), schema, name })?;
    let sentence = format!("added an empty list `{}` of `{slug}` as {}", made.name, made.id);
    let json = json!({"id": made.id, "organization": slug, "schema": made.schema, "name": made.name});
    Ok(Answer::new(sentence, json).did("dataset add", made.id))
}

fn list(store: &Store) -> Result<Answer, AdminError> {
    let (mut lines, mut items) = (Vec::new(), Vec::new());
    for organization in store.organizations()? {
        for dataset in store.datasets(organization.number)? {
            items.push(json!({
                "id": dataset.id, "organization": organization.slug, "schema": dataset.schema, "name": dataset.name,
            }));
            lines.push(vec![organization.slug.clone(), dataset.id, dataset.schema, dataset.name]);
        }
    }
    Ok(Answer::list(&lines, "there is no list yet", json!({"datasets": items})))
}
