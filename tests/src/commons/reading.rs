//! What the members of a commons see of it.

use hayward_domain::condition::Condition;
use hayward_store::{Order, Result, ShareQuery, ShareSummary, SharedRow, StoreError, Viewer};
use serde_json::{Map, Value, json};

use super::{Commons, List};

impl Commons {
    /// Everything that `viewer` can list of a collection, in the default order, page after page.
    #[must_use]
    pub fn list(&self, viewer: &Viewer, collection: &str) -> Vec<Value> {
        self.list_by(viewer, collection, &ShareQuery::default(), &Condition::All(Vec::new()), &Order::default())
    }

    /// Everything that `viewer` can list of the selected shares that meets `condition`, in `order`.
    ///
    /// An agreement that is selected and does not answer is an empty list here.
    #[must_use]
    pub fn list_by(
        &self,
        viewer: &Viewer,
        collection: &str,
        wanted: &ShareQuery,
        condition: &Condition,
        order: &Order,
    ) -> Vec<Value> {
        let listed = self.store.view::<_, StoreError>(viewer, |view| {
            let shares = view.shares(collection, wanted, view.commit)?;
            let (mut items, mut after) = (Vec::new(), None);
            loop {
                let page = view.list(&shares, &condition.clone().into(), order, after, 100)?;
                items.extend(page.rows.iter().map(|row| item(row, shares.of(row.share).unwrap())));
                after = page.after;
                if after.is_none() {
                    return Ok(items);
                }
            }
        });
        if_found(listed).unwrap_or_default()
    }

    /// One item by its id, if any share of the collection shows it.
    #[must_use]
    pub fn get(&self, viewer: &Viewer, collection: &str, id: &str) -> Option<Value> {
        let got = self.store.view::<_, StoreError>(viewer, |view| {
            let shares = view.shares(collection, &ShareQuery::default(), view.commit)?;
            view.get(&shares, id).map(|(row, share)| item(&row, &share))
        });
        if_found(got)
    }

    /// An organization's own records, flat, in their own order.
    #[must_use]
    pub fn own(&self, list: &List) -> Vec<Value> {
        let page = self.store.own_records(list.owner, &list.id, &Order::default(), None, 100_000).unwrap();
        page.records.iter().map(|record| record.to_json(&page.schema)).collect()
    }
}

/// A shared row as it goes over the wire: `{id, provider, agreement, edition, …}`.
#[must_use]
pub fn item(row: &SharedRow, share: &ShareSummary) -> Value {
    let mut item = json!({"id": row.id, "provider": share.provider, "agreement": share.agreement, "edition": row.edition});
    let fields: Map<String, Value> = serde_json::from_str(row.record.payload()).unwrap();
    item.as_object_mut().unwrap().extend(fields);
    item
}

/// What was found, if it was; every other error is a test that failed.
fn if_found<T>(result: Result<T>) -> Option<T> {
    if matches!(result, Err(StoreError::NotFound)) { None } else { Some(result.unwrap()) }
}
