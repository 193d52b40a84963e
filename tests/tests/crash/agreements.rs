//! Killed while agreements come into force, are narrowed, halted and ended.

use hayward_tests::load::Path;
use hayward_tests::on_both;

use crate::rounds::Crash;

on_both! {
    fn a_kill_leaves_every_decision_taken_or_not_at_all(crash: Crash) {
        let mut crash = crash;
        crash.rounds(&[Path::Activation, Path::Narrowing, Path::Halt]);
    }
}
