//! `preview`: the page that a provider is shown is the page that its recipient gets.

use serde_json::Value;

use super::Found;
use super::world::{World, steward, text};

pub(super) fn check(world: &World) -> Found {
    let mut compared = 0;
    for provider in &world.organizations {
        for agreement in world.in_force(provider)? {
            let (id, version) = (text(&agreement, "id"), agreement.get("version").and_then(Value::as_i64).unwrap_or_default());
            let dataset = agreement.pointer("/terms/dataset").and_then(Value::as_str).unwrap_or_default();
            let schema = provider.datasets.iter().find(|one| one.id == dataset).map_or("", |one| one.schema);
            let collection =
                world.schemas.iter().find(|known| known.name == schema).map_or("", |known| known.collection.as_str());
            let reader = match agreement.pointer("/terms/audience") {
                Some(Value::String(all)) if all == "public" => None,
                Some(Value::String(_)) => {
                    Some(steward(world.organizations.iter().find(|one| one.id != provider.id).ok_or("one co-op")?)?)
                }
                Some(one) => {
                    let recipient = world.organizations.iter().find(|known| known.id == text(one, "organization"));
                    Some(steward(recipient.ok_or("an agreement with nobody")?)?)
                }
                None => return Err("an agreement without an audience".to_owned()),
            };
            let address = format!("/api/v1/agreements/{id}/versions/{version}/preview?limit=200");
            let told = world.get(&address, Some(steward(provider)?))?.json("a preview")?;
            let page = world.get(&format!("/api/v1/{collection}?agreement={id}&limit=200"), reader)?.json("a page")?;
            if items(&told)? != items(&page)? {
                return Err(format!("the preview of {id} is not the page that its recipient gets"));
            }
            compared += 1;
        }
    }
    Ok(format!("{compared} agreements in force show what their previews show"))
}

/// The items as they are sent, without the edition, which a preview does not have.
fn items(page: &Value) -> Result<Vec<String>, String> {
    let items = page.get("items").and_then(Value::as_array).ok_or("a page without items")?;
    let plain = |item: &Value| {
        let mut item = item.clone();
        if let Some(members) = item.as_object_mut() {
            members.shift_remove("edition");
        }
        item.to_string()
    };
    Ok(items.iter().map(plain).collect())
}
