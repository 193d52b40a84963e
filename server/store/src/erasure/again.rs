//! Erasing again, after a restore of an archive from before.

use std::sync::Arc;

use hayward_domain::id::{DatasetId, ErasureId};

use super::Order;
use crate::agreements::Again;
use crate::conn::Eyes;
use crate::error::Result;
use crate::sql::{Number, Sql, Word};
use crate::{Store, claim};

impl Store {
    /// Erases what a note names: the record of that number, every record with a key that has one of these hashes, and whatever else a
    /// file may bring back.
    pub(crate) fn erase_again(
        self: &Arc<Self>,
        id: &ErasureId,
        dataset: &DatasetId,
        record: i64,
        prints: &[String],
        by: &str,
    ) -> Result<Again> {
        let known = Sql::new("select id as value from erasures where id = ?").bind(id.as_str());
        let list = Sql::new("select number as value from datasets where id = ?").bind(dataset.as_str());
        let (known, list) = self
            .db
            .read(Eyes::Own, |conn| Ok::<_, crate::StoreError>((conn.first::<Word>(known)?, conn.first::<Number>(list)?)))?;
        let Some(list) = list.filter(|_| known.is_none()) else { return Ok(Again::Nothing) };
        let claim = claim::take_over(&self.db, &*self.clock, list.value, "erasure")?;
        let reason = "erased before; done again after a restore";
        let order = Order { id, dataset: list.value, record, by, reason, prints };
        if let Err(error) = self.take_out(&claim, &order) {
            self.tidied(claim.abandon(&self.db, &*self.clock));
            return Err(error);
        }
        Ok(Again::Closed)
    }
}
