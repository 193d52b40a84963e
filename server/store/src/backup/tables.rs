//! Every table of a commons, in an order in which rows can be written: what is referred to comes first.
//!
//! A test compares this list with what the migrations make, so that no table is forgotten.

use crate::migrate::Tree;

/// One table.
pub(super) struct Table {
    pub(super) tree: Tree,
    pub(super) name: &'static str,
    /// The columns of its primary key: rows are read in their order.
    pub(super) key: &'static [&'static str],
    /// How many rows are read in one go: few where a row may be large.
    pub(super) page: i64,
}

/// Not in an archive: which steps were taken stands in its header; what is searched by is made anew of what is there; an answer is kept for
/// a day, and repeated by the commons that gave it; who was signed in at a browser signs in again after a restore; guesses are counted anew.
pub(super) const LEFT_OUT: [&str; 5] = ["migrations", "shared_words", "kept_answers", "page_sessions", "attempts"];

/// Only in a database that has not been through every step.
#[cfg(test)]
const GONE: [&str; 1] = ["chain"];

macro_rules! tables {
    ($($tree:ident $name:literal [$($key:literal),+] $page:literal;)*) => {
        pub(super) const TABLES: &[Table] =
            &[$(Table { tree: Tree::$tree, name: $name, key: &[$($key),+], page: $page }),*];
    };
}

tables! {
    Commons "settings" ["name"] 100;
    Commons "eras" ["since"] 500;
    Commons "counters" ["name"] 500;
    Commons "commit_counter" ["only_row"] 1;
    Commons "schemas" ["name", "version"] 20;
    Commons "organizations" ["number"] 500;
    Commons "people" ["id"] 500;
    Commons "positions" ["person", "organization", "role"] 1000;
    Commons "offices" ["person", "role"] 1000;
    Commons "second_steps" ["person"] 500;
    Commons "recovery_codes" ["person", "hash"] 1000;
    Commons "invites" ["id"] 1000;
    Commons "retired_keys" ["key"] 500;
    Commons "acts" ["number"] 1000;
    Commons "clients" ["id"] 500;
    Commons "redirect_uris" ["client", "uri"] 1000;
    Commons "consents" ["id"] 1000;
    Commons "authorization_codes" ["hash"] 1000;
    Commons "refresh_tokens" ["hash"] 1000;
    Commons "device_codes" ["hash"] 1000;
    Commons "code_guesses" ["person", "hour"] 1000;
    Commons "tokens" ["hash"] 1000;
    Commons "datasets" ["number"] 500;
    Commons "claims" ["dataset"] 1000;
    Commons "records" ["row"] 500;
    Commons "editions" ["dataset", "edition"] 1000;
    Commons "imports" ["id"] 20;
    Commons "import_chunks" ["import", "position"] 4;
    Commons "import_problems" ["import", "position"] 500;
    Commons "agreements" ["number"] 500;
    Commons "agreement_versions" ["agreement", "version"] 100;
    Commons "approvals" ["agreement", "version", "person"] 1000;
    Commons "recusals" ["agreement", "person"] 1000;
    Commons "certificates" ["agreement", "version"] 500;
    Commons "agreement_events" ["number"] 500;
    Commons "shelves" ["number"] 1000;
    Commons "shares" ["number"] 1000;
    Commons "share_editions" ["share", "edition"] 1000;
    Commons "share_openings" ["share", "opened"] 1000;
    Commons "shared_records" ["row"] 500;
    Commons "share_names" ["share", "record"] 1000;
    Commons "erasures" ["id"] 500;
    Commons "suppressed_keys" ["dataset", "hash", "erasure"] 1000;
    Commons "erased_shares" ["erasure", "share"] 1000;
    Commons "erased_files" ["erasure", "import"] 1000;
    Commons "erasure_acks" ["erasure", "share", "organization"] 1000;
    Ledger "entries" ["row"] 500;
    Ledger "entry_parties" ["organization", "row"] 1000;
    Ledger "public_reads" ["hour", "agreement", "version", "fields"] 500;
    Ledger "refusals" ["hour", "agreement", "client"] 500;
    Ledger "entry_agreements" ["agreement", "row"] 1000;
    Ledger "given_fields" ["agreement", "recipient", "version", "channel", "field"] 500;
    Ledger "indexed_to" ["only_row"] 1;
    Ledger "chain" ["provider", "position"] 500;
    Ledger "checkpoints" ["provider", "position"] 500;
    Ledger "sealed" ["only_row"] 1;
    Ledger "counters" ["name"] 500;
}

pub(super) fn named(tree: Tree, name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.tree == tree && table.name == name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

    use std::collections::BTreeSet;

    use super::{GONE, LEFT_OUT, TABLES};
    use crate::conn::{DatabaseUrl, Db};
    use crate::migrate::{self, Tree};

    fn made(tree: Tree) -> BTreeSet<String> {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("hayward.db")), "public", 1).unwrap();
        db.bare(|conn| migrate::run(conn, tree).and_then(|()| migrate::tables(conn))).unwrap().into_iter().collect()
    }

    #[test]
    fn every_table_that_the_migrations_make_is_in_an_archive_or_left_out_on_purpose() {
        for tree in [Tree::Commons, Tree::Ledger] {
            let listed = TABLES.iter().filter(|table| table.tree == tree).map(|table| table.name);
            let listed = listed.filter(|name| !GONE.contains(name));
            // Both keep account of their steps; the rest is of the commons.
            let left_out = LEFT_OUT.into_iter().filter(|name| tree == Tree::Commons || *name == "migrations");
            assert_eq!(made(tree), listed.chain(left_out).map(str::to_owned).collect());
        }
    }
}
