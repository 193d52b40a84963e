//! The one test that waits: a dead writer's lease runs out by itself.

use std::thread;
use std::time::{Duration, Instant};

use hayward_tests::on_both;

use crate::rounds::Crash;

/// How long a writer may be silent before it is thought dead, and a little more for the jobs.
const LEASE: Duration = Duration::from_secs(40);

on_both! {
    fn an_import_that_a_kill_interrupted_can_be_committed_again_once_its_lease_has_run_out(crash: Crash) {
        let mut crash = crash;
        let (work, import) = crash.interrupt();
        let importer = crash.world.importers.first().unwrap();
        let began = Instant::now();
        while importer.state(&work, &import) == "committing" {
            assert!(began.elapsed() < LEASE, "nobody finds out that the import was interrupted");
            thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(importer.state(&work, &import), "interrupted");
        assert_eq!(importer.commit_again(&work, &import), 200);
        assert_eq!(importer.state(&work, &import), "committed");
        assert_eq!(crash.look().faults, Vec::<String>::new());
    }
}
