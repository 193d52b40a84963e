//! Class 47: whether the database does the same for the same question, whatever is hidden: the same statements, by the same plans, over as
//! many rows. A clock would say less: it says nothing until something is slow.
//!
//! What the program keeps between requests is dropped by every commit in the commons, others' commits included, and so is forgotten
//! before each question here: that somebody committed something is no secret of theirs, what it was is.

use hayward_store::Work;
use hayward_tests::Kind;
use hayward_tests::cluster::ClusterError;
use hayward_tests::on_both;
use proptest::test_runner::{TestCaseError, TestError};

use crate::ask::Ask;
use crate::compare::{Answer, Difference};
use crate::oracles::{doors, existence, movement, names, searching, values};
use crate::plan::plan;
use crate::random::{Ground, runner, wanted};
use crate::replay::play;
use crate::twins::{Told, Twins};
use crate::world::World;

/// Pairs of worlds unless `HAYWARD_TWINS` says.
const CASES: u32 = 4;

/// The work that the newest question was in one commons. A look that only sees whether something still stands is left out: there is
/// one more of it wherever a machine was busy.
fn done(world: &World) -> Vec<Vec<Work>> {
    let mut snapshots = world.server().store().work();
    let reads = |snapshot: &Vec<Work>| snapshot.iter().any(|work| work.statement.contains("shared_records"));
    match snapshots.iter().any(reads) {
        true => snapshots.retain(reads),
        false => snapshots.truncate(1),
    }
    snapshots
}

/// Whether both took the same work, where both answered.
pub fn alike(worlds: &[World; 2], ask: &Ask, answers: &[Option<Answer>; 2]) -> Told {
    let [Some(first), Some(second)] = answers else { return Ok(()) };
    let works = worlds.each_ref().map(done);
    if works[0] == works[1] {
        return Ok(());
    }
    let told = |answer: &Answer, work: &[Vec<Work>]| Answer { body: format!("{work:#?}"), ..answer.clone() };
    let answers = Box::new([told(first, &works[0]), told(second, &works[1])]);
    Err(Difference { asked: format!("the work of {ask:?}"), answers })
}

/// Twins whose work is counted.
struct Counted(Twins);

impl Counted {
    fn new(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self(Twins::counting(kind)?))
    }
}

on_both! {
    fn both_worlds_do_the_same_work(ground: Ground) {
        let (cases, seed) = wanted(CASES);
        let played = runner(cases, seed).run(&plan(0), |plan| {
            let mut twins = Twins::counting(ground.0).map_err(|error| TestCaseError::fail(error.to_string()))?;
            play(&mut twins, &plan).map_err(|difference| TestCaseError::fail(format!("{difference:?}")))
        });
        if let Err(TestError::Fail(why, plan)) = &played {
            unreachable!("HAYWARD_TWINS={cases} HAYWARD_TWINS_SEED={seed}\n{why}\n{plan:?}");
        }
        played.unwrap();
    }
}

/// A test on both databases for each line of questions whose work is to be the same.
macro_rules! equal_work {
    ($($sentence:ident => $oracle:path;)*) => {$(
        on_both! {
            fn $sentence(counted: Counted) {
                let mut counted = counted;
                $oracle(&mut counted.0).unwrap();
                counted.0.get("/api/v1/opportunities").unwrap();
                let seen = counted.0.worlds.each_ref().map(|world| world.server().store().work().concat().len());
                assert!(seen.iter().all(|statements| *statements > 0), "work that is not seen is not compared");
            }
        }
    )*};
}

equal_work! {
    a_filter_on_what_is_hidden_takes_no_other_work => values::filters;
    what_others_are_shown_takes_no_work => existence::other_recipients;
    an_id_that_others_are_shown_takes_no_work => doors::ids;
    a_hidden_edit_takes_no_work => movement::etags;
    a_field_that_another_agreement_shows_takes_no_work => names::empty;
    a_search_takes_no_other_work => searching::words;
    a_place_takes_no_other_work => searching::places;
    what_others_are_found_by_takes_no_work => searching::others;
    a_count_of_values_takes_no_other_work => searching::facets;
}
