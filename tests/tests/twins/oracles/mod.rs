//! One pair of worlds for each known way to learn what is hidden. Each is a line of questions that both twins must answer alike.

use serde_json::{Value, json};

use crate::compare::{Answer, Difference};
use crate::twins::{Told, Twins};
use crate::world::{Deal, RECIPIENT, SECRET_LIST, coop, terms};

/// A test on both databases for each oracle.
macro_rules! alike {
    ($($sentence:ident => $oracle:ident;)*) => {$(
        hayward_tests::on_both! {
            fn $sentence(twins: Twins) {
                $oracle(&mut { twins }).unwrap();
            }
        }
    )*};
}

pub mod doors;
pub mod existence;
pub mod movement;
pub mod names;
pub mod searching;
pub mod values;

/// The list of opportunities that most of this is about, and where the recipient reads it.
const JOBS: usize = 0;
const READ: &str = "/api/v1/opportunities";

/// The agreement with the recipient about [`JOBS`].
const DEAL: Deal = Deal { number: 0, list: JOBS, with: Some(RECIPIENT) };

fn shown(fields: Value) -> Value {
    terms(JOBS, json!({"organization": coop(RECIPIENT)}), fields)
}

/// What the recipient is shown to begin with: without it a comparison compares nothing.
fn sees(twins: &mut Twins, what: &str) -> Told {
    let answer = twins.get(READ)?;
    assert!(answer.status == 200 && answer.body.contains(what), "{answer:?}");
    Ok(())
}

/// What both twins were answered alike, and should have been for a reason of its own.
fn wanted(holds: bool, asked: &str, answer: &Answer) -> Told {
    let told = || Difference { asked: asked.to_owned(), answers: Box::new([answer.clone(), answer.clone()]) };
    if holds { Ok(()) } else { Err(told()) }
}

/// Something happens in the second commons that is none of the recipient's business, and more than once: a number that counts it is
/// seen to have moved on, whatever the first did of itself meanwhile.
fn elsewhere(twins: &mut Twins) {
    for turn in 0..3 {
        twins.worlds[1].import(SECRET_LIST, &format!("reference,title\nZ,Elsewhere {turn}\nY,Elsewhere\n"), false);
    }
}
