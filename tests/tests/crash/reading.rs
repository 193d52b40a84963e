//! Killed while answers leave, and while the program starts with a ledger to seal and editions to prune.

use hayward_tests::load::Path;
use hayward_tests::on_both;

use crate::rounds::Crash;

on_both! {
    fn nothing_that_was_received_lacks_its_entry_after_a_kill(crash: Crash) {
        let mut crash = crash;
        crash.rounds(&[Path::Page, Path::Export, Path::Feed, Path::StartUp]);
    }
}
