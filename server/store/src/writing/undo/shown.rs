//! Which rows of which shares show what an import wrote.
//!
//! A row of a share shows a version of the import's where it was made while that version was the one in the list: by the import's own
//! commit, or later, by a new agreement or a change of terms. The ledger names records by numbers of their share and says of which
//! edition of it they were given, so these rows, as numbers, are all that [`crate::LedgerStore::given`] needs.

use std::collections::HashMap;

use hayward_domain::moment::Moment;
use roaring::RoaringTreemap;

use crate::Store;
use crate::conn::Eyes;
use crate::error::Result;
use crate::imports::Import;
use crate::shelf::AudienceKind;
use crate::sql::{Number, Sql, rows};

/// Records of the import that are looked at in one go.
const PAGE: i64 = 1_000;

/// What every share showed of an import.
pub struct Shown {
    /// When the import was committed; nothing where it changed nothing.
    pub(crate) since: Option<Moment>,
    pub(crate) rows: Vec<ShownRows>,
}

/// Rows of one share that stood in the same editions of it.
pub(crate) struct ShownRows {
    pub(crate) agreement: String,
    pub(crate) audience: AudienceKind,
    pub(crate) born: i64,
    pub(crate) died: i64,
    /// The numbers of the records in the ledger.
    pub(crate) names: RoaringTreemap,
}

rows! {
    EditionRow { edition: i64, commit_number: i64, at: i64 }
    AgreementRow { number: i64, id: String, audience: i64 }
    ShareRow { share: i64, name: i64, born: i64, died: i64, commit_number: i64, until: i64 }
}

impl Store {
    /// What the shares of its list showed of an import, as far as they are kept.
    ///
    /// # Errors
    /// Only the database's.
    pub fn shown_of_import(&self, import: &Import) -> Result<Shown> {
        let Some(edition) = import.committed_edition else { return Ok(Shown { since: None, rows: Vec::new() }) };
        let dataset = import.dataset_number;
        let editions = "select edition, commit_number, at from editions where dataset = ? and edition >= ? order by edition";
        let editions = Sql::new(editions).bind(dataset).bind(edition);
        let agreements =
            "select a.number, a.id, a.audience from agreements a join shares s on s.number = a.number where s.dataset = ?";
        let agreements = Sql::new(agreements).bind(dataset);
        let (editions, agreements) = self.db.read(Eyes::Own, |conn| {
            Ok::<_, crate::StoreError>((conn.load::<EditionRow>(editions)?, conn.load::<AgreementRow>(agreements)?))
        })?;
        let Some(first) = editions.first().filter(|_| !agreements.is_empty()) else {
            return Ok(Shown { since: None, rows: Vec::new() });
        };
        let mut groups: HashMap<(i64, i64, i64), RoaringTreemap> = HashMap::new();
        self.share_rows(dataset, edition, first.commit_number, |row| {
            // The edition of the list that the row was made from.
            let newest = editions.partition_point(|edition| edition.commit_number <= row.commit_number);
            let from = newest.checked_sub(1).and_then(|at| editions.get(at)).map_or(0, |edition| edition.edition);
            if from < row.until {
                groups.entry((row.share, row.born, row.died)).or_default().insert(u64::try_from(row.name).unwrap_or(0));
            }
        })?;
        let agreements: HashMap<i64, AgreementRow> = agreements.into_iter().map(|row| (row.number, row)).collect();
        let rows = groups.into_iter().filter_map(|((share, born, died), names)| {
            let agreement = agreements.get(&share)?;
            let audience = AudienceKind::of(agreement.audience);
            Some(ShownRows { agreement: agreement.id.clone(), audience, born, died, names })
        });
        Ok(Shown { since: Some(Moment(first.at)), rows: rows.collect() })
    }

    /// The rows of shares that stand for records of which the edition made a version, from commit `commit` on.
    fn share_rows(&self, dataset: i64, edition: i64, commit: i64, mut see: impl FnMut(ShareRow)) -> Result<()> {
        let page = "select coalesce(max(row), 0) as value from
            (select row from records where dataset = ? and born = ? and row > ? order by row limit ?) as page";
        // Cross joins, since SQLite keeps their order.
        let select = "select n.share, s.name, s.born, s.died, e.commit_number, r.died as until from records r
            cross join share_names n cross join shared_records s cross join share_editions e
            where n.record = r.record and s.share = n.share and s.name = n.name and e.share = s.share and e.edition = s.born
            and r.dataset = ? and r.born = ? and r.row > ? and r.row <= ? and e.commit_number >= ?";
        let mut after = 0;
        loop {
            let page = Sql::new(page).bind(dataset).bind(edition).bind(after).bind(PAGE);
            let (last, rows) = self.db.read(Eyes::Own, |conn| {
                let last = conn.one::<Number>(page)?.value;
                let select = Sql::new(select).bind(dataset).bind(edition).bind(after).bind(last).bind(commit);
                Ok::<_, crate::StoreError>((last, conn.load::<ShareRow>(select)?))
            })?;
            if last == 0 {
                return Ok(());
            }
            after = last;
            rows.into_iter().for_each(&mut see);
        }
    }
}
