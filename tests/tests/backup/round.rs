//! There and back: row by row and byte by byte, on one database and across the two.

use hayward_tests::{TestDatabase, on_both};

use crate::world::{World, backed_up, other, restored};
use crate::{raw, tables};

/// Everything that outlives a restore, as text. Numbers that leap are left out.
const KEPT: &[&str] = &[
    "select row || ' ' || record || ' ' || key || ' ' || body || ' ' || born || ' ' || died as value from records order by row",
    "select row || ' ' || share || ' ' || record || ' ' || name || ' ' || coalesce(payload, '-') || ' ' || coalesce(index_1, '-')
        || ' ' || born || ' ' || died as value from shared_records order by row",
    "select share || ' ' || name || ' ' || record as value from share_names order by share, name",
    "select dataset || ' ' || edition || ' ' || commit_number || ' ' || kind || ' ' || import || ' ' || at as value
        from editions order by dataset, edition",
    "select share || ' ' || edition || ' ' || commit_number as value from share_editions order by share, edition",
    "select share || ' ' || opened || ' ' || closed as value from share_openings order by share, opened",
    "select agreement || ' ' || version || ' ' || state || ' ' || terms || ' ' || hash || ' ' || starts_at || ' ' || ends_at
        as value from agreement_versions order by agreement, version",
    "select number || ' ' || event || ' ' || state || ' ' || coalesce(side, '-') || ' ' || coalesce(actor, '-') as value
        from agreement_events order by number",
    "select position || ' ' || length(bytes) as value from import_chunks order by length(bytes), position",
    "select position || ' ' || problem as value from import_problems order by problem",
    "select document as value from schemas order by name, version",
    "select number || ' ' || id || ' ' || slug || ' ' || name as value from organizations order by number",
    "select count(*) as value from tokens",
    "select count(*) as value from approvals",
];

const LEDGER: &[&str] = &[
    "select row || ' ' || id || ' ' || recipient || ' ' || disclosed || ' ' || era as value from entries order by row",
    "select position || ' ' || row || ' ' || hash as value from entry_parties where position is not null order by organization, position",
    "select position || ' ' || hash || ' ' || signature || ' ' || era as value from checkpoints order by provider, position",
    "select hour || ' ' || reads || ' ' || records as value from public_reads order by hour",
];

fn kept(db: &TestDatabase) -> Vec<Vec<String>> {
    let commons = KEPT.iter().map(|sql| raw::ask(db, sql));
    commons.chain(LEDGER.iter().map(|sql| tables::ask(db, sql))).collect()
}

on_both! {
    fn a_restored_commons_is_what_it_was_row_by_row(world: World) {
        world.disclose(3);
        let (archive, here) = (backed_up(world.database()), TestDatabase::new(world.database().kind())?);
        restored(&archive, &here, Vec::new());
        let (before, after) = (kept(world.database()), kept(&here));
        assert!(before.iter().all(|rows| !rows.is_empty()));
        assert_eq!(before, after);
    }
}

on_both! {
    fn an_archive_of_one_database_goes_into_the_other_and_back(world: World) {
        world.disclose(2);
        let kind = world.database().kind();
        let (there, back) = (TestDatabase::new(other(kind))?, TestDatabase::new(kind)?);
        restored(&backed_up(world.database()), &there, Vec::new());
        restored(&backed_up(&there), &back, Vec::new());
        assert_eq!(kept(world.database()), kept(&there));
        assert_eq!(kept(&there), kept(&back));
    }
}
