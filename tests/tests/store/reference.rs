//! The life of an agreement by the book, in a hundred lines: what [`crate::model`] holds the program to.

use std::collections::BTreeSet;

use hayward_store::Decision::{self as Does, Approve, Certify, Decline, End, Recuse, Resume, Suspend, Withdraw};

/// Hours from agreeing to coming into force.
pub const GRACE: u64 = 6;
/// The hour in which the last day is over.
const LAST: u64 = 12 + 9 * 24;
const OPEN: [&str; 3] = ["offered", "requested", "agreed"];
const STANDING: [&str; 2] = ["active", "suspended"];

#[derive(Clone, Default)]
pub struct Version {
    pub state: &'static str,
    pub mask: u8,
    author: usize,
    halted: BTreeSet<usize>,
    approved: BTreeSet<usize>,
    agreed: u64,
}

/// People 0 and 1 decide for the provider, any one of them; 2 and 3 for the recipient, both of them; 4 for nobody here.
#[derive(Default)]
pub struct Reference {
    pub versions: Vec<Version>,
    recused: BTreeSet<usize>,
    hour: u64,
}

impl Reference {
    fn find(&self, states: &[&str]) -> Option<usize> {
        self.versions.iter().position(|version| states.contains(&version.state))
    }

    fn to(&mut self, at: Option<usize>, state: &'static str) {
        at.into_iter().for_each(|at| self.versions[at].state = state);
    }

    fn met(&self, version: &Version) -> bool {
        let side = |side: usize, needed: usize| {
            let stewards: Vec<usize> = [side * 2, side * 2 + 1].into_iter().filter(|one| !self.recused.contains(one)).collect();
            let counted: Vec<_> = stewards.iter().filter(|person| version.approved.contains(person)).collect();
            counted.len() >= needed && (counted != [&version.author] || stewards.len() == 1)
        };
        side(0, 1) && side(1, 2)
    }

    pub fn propose(&mut self, author: usize, mask: u8) -> Result<(), &'static str> {
        let mut new = Version { state: ["offered", "requested", ""][author / 2], mask, author, ..Version::default() };
        match (author / 2, self.find(&STANDING), self.find(&OPEN)) {
            (2, ..) => return Err("not found"),
            (0, Some(before), open) if mask & !self.versions[before].mask == 0 => {
                self.to(open, if self.find(&OPEN[2..]).is_some() { "terminated" } else { "superseded" });
                new.halted = std::mem::take(&mut self.versions[before].halted);
                new.state = std::mem::replace(&mut self.versions[before].state, "superseded");
            }
            (..) if self.find(&OPEN[2..]).is_some() => return Err("not-now"),
            (_, None, None) if !self.versions.is_empty() => return Err("agreement-over"),
            (_, _, open) => self.to(open, "superseded"),
        }
        self.versions.push(new);
        Ok(())
    }

    pub fn decide(&mut self, person: usize, at: usize, decision: Does) -> Result<(), &'static str> {
        let (side, mut now) = (person / 2, self.versions[at].clone());
        let (asked, standing) = (OPEN[..2].contains(&now.state), STANDING.contains(&now.state));
        match decision {
            _ if side == 2 => return Err("not found"),
            Approve | Resume | Recuse if self.recused.contains(&person) => return Err("recused"),
            Approve if asked && now.approved.insert(person) | true && !self.met(&now) => {}
            Approve if asked => (now.state, now.agreed) = ("agreed", self.hour),
            Decline if asked && side != now.author / 2 => now.state = "terminated",
            Withdraw if asked && side == now.author / 2 || now.state == "agreed" => now.state = "terminated",
            Decline | Withdraw if asked => return Err("not-yours"),
            Suspend if standing && !now.halted.insert(side) => return Err("already-suspended"),
            Suspend if standing => now.state = "suspended",
            Resume if now.state == "suspended" && !now.halted.remove(&side) => return Err("suspended-by-other"),
            Resume if now.state == "suspended" => now.state = STANDING[usize::from(!now.halted.is_empty())],
            End if standing => now.state = "ended",
            Certify if side == 0 && ["expired", "ended"].contains(&now.state) => return Err("not-yours"),
            Certify if ["expired", "ended"].contains(&now.state) => now.state = "closed",
            Recuse if asked || standing || now.state == "agreed" => drop(self.recused.insert(person)),
            _ => return Err("not-now"),
        }
        self.versions[at] = now;
        self.to(self.find(&OPEN).filter(|_| decision == End), "terminated");
        let unmet = self.find(&OPEN[2..]).filter(|at| !self.met(&self.versions[*at]));
        self.to(unmet, OPEN[unmet.map_or(0, |at| self.versions[at].author / 2)]);
        Ok(())
    }

    pub fn pass(&mut self, hours: u64) {
        self.hour += hours;
        if self.hour >= LAST {
            self.to(self.find(&STANDING), "expired");
            self.to(self.find(&OPEN), "terminated");
        }
        if let Some(due) = self.find(&OPEN[2..]).filter(|due| self.hour >= self.versions[*due].agreed + GRACE) {
            let before = self.find(&STANDING);
            let halted = before.map(|at| std::mem::take(&mut self.versions[at].halted)).unwrap_or_default();
            self.to(before, "superseded");
            (self.versions[due].state, self.versions[due].halted) = (STANDING[usize::from(!halted.is_empty())], halted);
        }
    }
}
