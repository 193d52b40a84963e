//! Shares: what one agreement shows, as rows of their own.
//!
//! * `shared_records` holds only what [`Terms::disclose`] returned: hidden fields absent, treatments applied, rows outside the
//!   condition absent. Recipients read it and nothing else.
//! * A payload is stored as the bytes that are sent. A row is new only if those bytes changed.
//! * Rows born in one edition are numbered in the order of a keyed hash of the payload: the order of a file may follow a hidden
//!   column. So they are looked at first ([`look`]) and written when all of them are known ([`build`]).
//! * A share is built under the claim of its dataset, one version of the terms at a time. Where the version in force is not the
//!   one it was built under, it answers nothing until it is rebuilt.

use std::sync::Arc;

use hayward_domain::disclose::SharedRecord;
use hayward_domain::keys::AgreementKeys;
use hayward_domain::moment::Moment;
use hayward_domain::record::{OrganizationNumber, Record, Sealed};
use hayward_domain::schema::Schema;
use hayward_domain::terms::Terms;

use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::Result;
use crate::sql::{Sql, rows};

mod build;
mod look;
mod scan;

pub(crate) use build::Staging;
pub(crate) use look::{Look, looks};
pub(crate) use scan::{follow, rebuild};

rows! {
    BuiltRow { number: i64, version: i64, head: i64, floor: i64, shelf: i64, owner: i64, dataset: i64 }
    ExtentRow { live: i64, first_row: i64, last_row: i64 }
}

/// Everything needed to look at a dataset through one agreement.
pub(crate) struct Lens {
    pub(crate) share: i64,
    pub(crate) version: i64,
    pub(crate) head: i64,
    floor: i64,
    shelf: i64,
    dataset: i64,
    owner: OrganizationNumber,
    pub(crate) terms: Arc<Terms>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) keys: AgreementKeys,
}

impl Lens {
    /// What the recipient would get of one original.
    fn disclose(&self, original: &Sealed<Record>) -> Option<SharedRecord> {
        self.terms.disclose(&self.schema, &self.keys, original)
    }

    fn staged(&self, moved: Moved) -> StagedShare {
        StagedShare { share: self.share, version: self.version, head: self.head, floor: self.floor, moved }
    }

    pub(crate) fn owner(&self) -> OrganizationNumber {
        self.owner
    }
}

/// A share whose next edition is staged.
#[derive(Clone, Copy)]
pub(crate) struct StagedShare {
    pub(crate) share: i64,
    version: i64,
    head: i64,
    floor: i64,
    pub(crate) moved: Moved,
}

/// What a staged edition of a share does to its rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moved {
    closed: i64,
    pub(crate) added: i64,
    /// The lowest and the highest of the new rows; 0 where there are none.
    first_row: i64,
    last_row: i64,
}

impl Moved {
    /// Nothing but rows that are closed.
    pub(crate) fn closing(closed: i64) -> Self {
        Self { closed, ..Self::default() }
    }

    pub(crate) fn anything(&self) -> bool {
        self.closed > 0 || self.added > 0
    }
}

/// The lenses of the shares of a dataset that are in force and built under the version in force. One whose floor was raised waits for
/// its rebuild: rows that no commit touches may still look as they must not any more.
pub(crate) fn built_of_dataset(store: &Arc<Store>, dataset: i64) -> Result<Vec<Lens>> {
    let select = "select s.number, s.version, s.head, s.floor, s.shelf, d.organization as owner, s.dataset
        from shares s join datasets d on d.number = s.dataset
        join agreement_versions v on v.agreement = s.number and v.version = s.version and v.state in ('active', 'suspended')
        where s.dataset = ? and s.head >= s.floor order by s.number";
    store.db.read(Eyes::Own, |conn| {
        let rows = conn.load::<BuiltRow>(Sql::new(select).bind(dataset))?;
        rows.into_iter().map(|row| lens(store, conn, row)).collect()
    })
}

/// The lens of `version` of an agreement, for building or rebuilding its share.
pub(crate) fn lens_of(store: &Arc<Store>, conn: &mut Conn, agreement: i64, version: i64) -> Result<Lens> {
    let select = "select s.number, s.version, s.head, s.floor, s.shelf, d.organization as owner, s.dataset
        from shares s join datasets d on d.number = s.dataset where s.number = ?";
    let row = conn.one::<BuiltRow>(Sql::new(select).bind(agreement))?;
    lens(store, conn, BuiltRow { version, ..row })
}

fn lens(store: &Arc<Store>, conn: &mut Conn, row: BuiltRow) -> Result<Lens> {
    let (terms, schema) = store.terms(conn, row.number, row.version)?;
    let keys = store.agreement_keys(conn, row.number)?;
    Ok(Lens {
        share: row.number,
        version: row.version,
        head: row.head,
        floor: row.floor,
        shelf: row.shelf,
        dataset: row.dataset,
        owner: OrganizationNumber(row.owner),
        terms,
        schema,
        keys,
    })
}

/// Moves the heads of the staged shares, in the transaction of commit `number`. Returns the shares whose terms changed meanwhile:
/// what was staged for them must be removed, and their rebuild will do it again.
pub(crate) fn move_heads(conn: &mut Conn, shares: &[StagedShare], number: i64, at: Moment) -> Result<Vec<i64>> {
    let mut left_over = Vec::new();
    for share in shares.iter().filter(|share| share.moved.anything()) {
        // The version in force must still be the one the rows were made under.
        let update = "update shares set head = ? where number = ? and version = ? and floor = ? and exists
            (select 1 from agreement_versions v where v.agreement = shares.number and v.version = shares.version
             and v.state in ('active', 'suspended'))";
        let update = Sql::new(update).bind(share.head + 1).bind(share.share).bind(share.version).bind(share.floor);
        if conn.execute(update)? == 1 {
            note_edition(conn, share.share, share.head + 1, (number, at), &share.moved)?;
        } else {
            left_over.push(share.share);
        }
    }
    Ok(left_over)
}

/// Writes down that a share's edition came with a commit, when, and how far it reaches.
pub(crate) fn note_edition(conn: &mut Conn, share: i64, edition: i64, (number, at): (i64, Moment), moved: &Moved) -> Result<()> {
    let before =
        "select live, first_row, last_row from share_editions where share = ? and edition < ? order by edition desc limit 1";
    let before = conn.first::<ExtentRow>(Sql::new(before).bind(share).bind(edition))?;
    let before = before.unwrap_or(ExtentRow { live: 0, first_row: 0, last_row: 0 });
    let stay = before.live - moved.closed;
    // Where nothing stays of what was, the new rows are all there is.
    let first_row = if stay > 0 { before.first_row } else { moved.first_row };
    let insert =
        "insert into share_editions (share, edition, commit_number, at, live, first_row, last_row) values (?, ?, ?, ?, ?, ?, ?)";
    let insert = Sql::new(insert).bind(share).bind(edition).bind(number).bind(at);
    let insert = insert.bind(stay + moved.added).bind(first_row).bind(before.last_row.max(moved.last_row));
    conn.execute(insert).map(drop)
}
