//! Random cases: few by default, since each has a database to talk to; `PROPTEST_CASES` asks for more.

use proptest::test_runner::{Config, TestRunner};

/// A runner of `cases` random cases, or of as many as `PROPTEST_CASES` says.
pub fn runner(cases: u32) -> TestRunner {
    let asked = Config { failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { cases };
    TestRunner::new(Config { cases, ..asked })
}
