//! There and back: row by row and byte by byte, on one database and across the two.

use hayward_tests::kept::kept;
use hayward_tests::{TestDatabase, on_both};

use crate::world::{World, backed_up, other, restored};

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
