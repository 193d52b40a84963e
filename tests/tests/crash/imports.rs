//! Killed while files are uploaded, read, committed and taken back.

use hayward_tests::load::Path;
use hayward_tests::on_both;

use crate::rounds::Crash;

on_both! {
    fn a_kill_leaves_every_list_wholly_changed_or_not_at_all(crash: Crash) {
        let mut crash = crash;
        crash.rounds(&[Path::Upload, Path::Reading, Path::SmallCommit, Path::LargeCommit, Path::Undo]);
    }
}
