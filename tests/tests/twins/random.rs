//! Random pairs of worlds, asked random questions.

use std::env;

use hayward_tests::Kind;
use hayward_tests::cluster::ClusterError;
use hayward_tests::on_both;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::plan::plan;
use crate::replay::play;
use crate::twins::Twins;

/// Pairs of worlds unless `HAYWARD_TWINS` says.
const CASES: u32 = 12;
/// Traces in each pair unless `HAYWARD_TRACES` says: callers who know nothing yet ask about ten questions each, between the steps.
const TRACES: usize = 10;

/// Which database the worlds lie in.
pub struct Ground(pub Kind);

impl Ground {
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self(kind))
    }
}

/// The number of pairs, and what their making is seeded with. The usual few are the same in every run; whoever asks for more gets
/// new ones.
pub fn wanted(usual: u32) -> (u32, u64) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("HAYWARD_TWINS");
    let seed = number("HAYWARD_TWINS_SEED").unwrap_or_else(|| cases.map_or(1, |_| rand::random()));
    (cases.and_then(|cases| u32::try_from(cases).ok()).unwrap_or(usual), seed)
}

/// How many traces each pair of worlds is to see.
fn traces() -> usize {
    env::var("HAYWARD_TRACES").ok().and_then(|text| text.parse().ok()).unwrap_or(TRACES)
}

/// What runs so many cases, drawn from this seed.
pub fn runner(cases: u32, seed: u64) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, max_shrink_time: 120_000, ..Config::default() };
    let seeds: Vec<u8> = [seed; 4].iter().flat_map(|seed| seed.to_le_bytes()).collect();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seeds))
}

on_both! {
    fn what_the_recipient_may_not_see_makes_no_difference(ground: Ground) {
        let (cases, seed) = wanted(CASES);
        let mut runner = runner(cases, seed);
        let played = runner.run(&plan(traces()), |plan| {
            let mut twins = Twins::new(ground.0).map_err(|error| TestCaseError::fail(error.to_string()))?;
            play(&mut twins, &plan).map_err(|difference| TestCaseError::fail(format!("{difference:?}")))
        });
        if let Err(TestError::Fail(why, plan)) = &played {
            unreachable!("HAYWARD_TWINS={cases} HAYWARD_TWINS_SEED={seed}\n{why}\n{plan:?}");
        }
        played.unwrap();
    }
}
