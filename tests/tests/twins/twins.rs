//! Two commons side by side, and a caller who asks both the same.

use hayward_tests::Kind;
use hayward_tests::cluster::ClusterError;
use serde_json::Value;

use crate::ask::{Ask, Memory, What, Who};
use crate::compare::{Answer, Difference};
use crate::work;
use crate::world::{Deal, World};

/// What a comparison comes to.
pub type Told = Result<(), Difference>;

/// The two commons, and what their callers remember.
pub struct Twins {
    pub worlds: [World; 2],
    memories: [Memory; 2],
    /// Whether the work of the database is compared too.
    counting: bool,
}

impl Twins {
    pub fn new(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self { worlds: [World::new(kind)?, World::new(kind)?], memories: Default::default(), counting: false })
    }

    /// The same, and whatever is asked has to take the same statements, plans and rows in both.
    pub fn counting(kind: Kind) -> Result<Self, ClusterError> {
        Ok(Self { counting: true, ..Self::new(kind)? })
    }

    /// Whatever is asked in here is asked by a caller who was never told anything.
    pub fn anew(&mut self, asked: impl FnOnce(&mut Self) -> Told) -> Told {
        let known = std::mem::take(&mut self.memories);
        let told = asked(self);
        self.memories = known;
        told
    }

    /// The same in both commons.
    pub fn each(&mut self, mut done: impl FnMut(&mut World)) {
        self.worlds.iter_mut().for_each(&mut done);
    }

    /// A file in each commons.
    pub fn import(&mut self, list: usize, files: [&str; 2]) {
        for (world, file) in self.worlds.iter_mut().zip(files) {
            world.import(list, file, false);
        }
    }

    /// A file in each commons that has every record there is.
    pub fn import_whole(&mut self, list: usize, files: [&str; 2]) {
        for (world, file) in self.worlds.iter_mut().zip(files) {
            world.import(list, file, true);
        }
    }

    /// An agreement in force in both.
    pub fn agree(&mut self, deal: Deal, terms: &Value) {
        self.each(|world| world.agree(deal, terms));
    }

    /// Asks both the same, and compares.
    pub fn ask(&mut self, ask: &Ask) -> Told {
        self.ask_in(&[ask.clone(), ask.clone()], [None, None]).map(drop)
    }

    /// The recipient reads an address in both; the first answer is returned.
    pub fn get(&mut self, address: &str) -> Result<Answer, Difference> {
        let ask = Ask::get(address);
        self.ask_in(&[ask.clone(), ask], [None, None]).map(|answer| answer.unwrap())
    }

    /// Asks both the same; the first answer is returned.
    pub fn answer(&mut self, ask: &Ask) -> Result<Answer, Difference> {
        self.ask_in(&[ask.clone(), ask.clone()], [None, None]).map(|answer| answer.unwrap())
    }

    /// The recipient turns a page, of those that have a next one; the status of the answer.
    pub fn next(&mut self, nth: usize) -> Result<u16, Difference> {
        let ask = Ask::of(What::Next(nth));
        self.ask_in(&[ask.clone(), ask], [None, None]).map(|answer| answer.unwrap().status)
    }

    /// Asks with one word in the first commons and another, as long, in the second. The answers may differ by the word alone.
    pub fn ask_for(&mut self, address: &str, words: [&str; 2]) -> Told {
        self.ask_by(Who::Recipient, address, words)
    }

    /// The same as somebody else.
    pub fn ask_by(&mut self, who: Who, address: &str, words: [&str; 2]) -> Told {
        assert_eq!(words[0].len(), words[1].len(), "the words have one length");
        let asks = words.map(|word| Ask::get(&address.replace("{}", word)).by(who));
        self.ask_in(&asks, words.map(Some)).map(drop)
    }

    fn ask_in(&mut self, asks: &[Ask; 2], words: [Option<&str>; 2]) -> Result<Option<Answer>, Difference> {
        let [first, second] = &mut self.memories;
        let counting = self.counting;
        let answers = [
            first.send(&self.worlds[0], &asks[0], words[0], counting),
            second.send(&self.worlds[1], &asks[1], words[1], counting),
        ];
        if counting {
            work::alike(&self.worlds, &asks[0], &answers)?;
        }
        match answers {
            [None, None] => Ok(None),
            [Some(first), Some(second)] if first.is_like(&second) => Ok(Some(first)),
            [Some(first), Some(second)] => {
                Err(Difference { asked: format!("{:?}", asks[0]), answers: Box::new([first, second]) })
            }
            [Some(_), None] | [None, Some(_)] => unreachable!("one caller remembers what the other was never told"),
        }
    }
}
