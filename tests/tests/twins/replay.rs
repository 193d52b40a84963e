//! Plays a plan in both commons: the first as it stands, the second with everything redrawn that the recipient may not see.
//!
//! The terms that count as seen by the recipient are all that any step may ever put in force, for it, for all members or for the
//! public: more than it sees at any moment, and never less.

use std::collections::BTreeMap;

use hayward_store::Decision;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::ask::{Ask, What, Who};
use crate::bargain::Bargain;
use crate::fields::{Row, SHAPES, Shape, shape};
use crate::plan::{DealPlan, Event, Fate, Plan, Step, To};
use crate::redraw::{alike, is_seen, unseen};
use crate::twins::{Told, Twins};
use crate::world::{Deal, LISTS, RECIPIENT, SECRET_LIST, STRANGER, Side, World, coop, terms, with};

/// The first number of the agreements that only the second world has.
const ELSEWHERE: usize = 30;

/// One agreement as it stands.
struct Standing {
    deal: Deal,
    bargain: Bargain,
    version: i64,
    newest: i64,
}

/// Where the play stands.
pub struct Play<'a> {
    twins: &'a mut Twins,
    plan: &'a Plan,
    /// What the recipient may ever see of each list.
    visible: Vec<Vec<Bargain>>,
    /// The records of the first world.
    live: Vec<BTreeMap<u8, Row>>,
    /// The records before the newest import, where that can be undone.
    before: Vec<Option<BTreeMap<u8, Row>>>,
    deals: Vec<Standing>,
    elsewhere: usize,
    random: StdRng,
}

/// Plays the whole plan.
pub fn play(twins: &mut Twins, plan: &Plan) -> Told {
    let visible = (0..LISTS.len()).map(|list| visible(plan, list)).collect();
    let (live, before) = (vec![BTreeMap::new(); LISTS.len()], vec![None; LISTS.len()]);
    let random = StdRng::seed_from_u64(plan.salt);
    let mut play = Play { twins, plan, visible, live, before, deals: Vec::new(), elsewhere: ELSEWHERE, random };
    for list in (0..LISTS.len()).filter(|list| *list == SECRET_LIST || plan.deals.iter().any(|deal| deal.list == *list)) {
        let rows = plan.lists[list].iter().zip(0..).map(|(row, key)| (key, Some(row.clone()))).collect::<Vec<_>>();
        play.import(list, &rows);
    }
    for (number, deal) in plan.deals.iter().enumerate() {
        play.agree(number, deal);
    }
    let (steps, traces) = (plan.steps.len().max(1), plan.traces.len());
    for (at, step) in plan.steps.iter().enumerate() {
        play.step(step)?;
        // A world in which much has happened is worth more than one question: making it takes longest.
        for trace in &plan.traces[at * traces / steps..(at + 1) * traces / steps] {
            play.twins.anew(|twins| trace.iter().try_for_each(|ask| twins.ask(ask)))?;
        }
    }
    play.sweep()
}

fn shape_of(list: usize) -> &'static Shape {
    shape(LISTS[list].1)
}

fn key(number: u8) -> String {
    format!("K-{number:03}")
}

/// Every version that any step may put in force where the recipient can read it.
fn visible(plan: &Plan, list: usize) -> Vec<Bargain> {
    let mut all = Vec::new();
    for (number, deal) in plan.deals.iter().enumerate().filter(|(_, deal)| deal.list == list && deal.to != To::Stranger) {
        all.push(Bargain::new(&deal.drawn, shape_of(list), !plan.ties));
        for step in &plan.steps {
            // Narrower versions show nothing that an earlier one does not.
            if let Step::Event { deal, event: Event::Succeed(drawn) } = step
                && deal % plan.deals.len() == number
            {
                all.push(Bargain::new(drawn, shape_of(list), !plan.ties));
            }
        }
    }
    all
}

impl Play<'_> {
    fn step(&mut self, step: &Step) -> Told {
        match step {
            Step::Import { list, rows } => self.import(*list, rows),
            Step::Undo { list } => {
                if let Some(before) = self.before[*list].take() {
                    self.twins.each(|world| world.undo(*list));
                    self.live[*list] = before;
                }
            }
            Step::HiddenEdit { list } => self.hidden_edit(*list),
            Step::Elsewhere { what, list } => self.happen_elsewhere(*what, *list),
            Step::Event { deal, event } => self.event(deal % self.plan.deals.len(), event),
            Step::Clock { hours } => self.twins.each(|world| world.forward(*hours)),
            Step::Ask(ask) => return self.twins.ask(ask),
            Step::Slip { shape, place } => {
                let shape = &SHAPES[*shape];
                return self.twins.ask_for(&format!("/api/v1/{}?{place}", shape.collection), shape.never);
            }
        }
        Ok(())
    }

    fn import(&mut self, list: usize, rows: &[(u8, Option<Row>)]) {
        let pools = shape_of(list).pools;
        let mut after = self.live[list].clone();
        for (key, row) in rows {
            match row {
                Some(row) => drop(after.insert(*key, pools.iter().zip(row).map(|(pool, cell)| pool.cell(*cell)).collect())),
                None => drop(after.remove(key)),
            }
        }
        let whole = rows.iter().any(|(_, row)| row.is_none());
        let mut file: Vec<(u8, Row)> = Vec::new();
        for (key, row) in &after {
            if whole || rows.iter().any(|(touched, _)| touched == key) {
                file.push((*key, row.clone()));
            }
        }
        if file.is_empty() {
            return;
        }
        let first: Vec<(String, Row)> = file.iter().map(|(number, row)| (key(*number), row.clone())).collect();
        let second = self.redrawn(list, &file, whole);
        let memo = self.random.random::<u16>().to_string();
        self.twins.worlds[0].import(list, &shape_of(list).file(&first, "memo"), whole);
        self.twins.worlds[1].import(list, &shape_of(list).file(&second, &memo), whole);
        self.before[list] = Some(std::mem::replace(&mut self.live[list], after));
    }

    /// The same file in the second world.
    fn redrawn(&mut self, list: usize, file: &[(u8, Row)], whole: bool) -> Vec<(String, Row)> {
        let (shape, visible) = (shape_of(list), &self.visible[list]);
        let mut second = Vec::with_capacity(file.len());
        for (number, row) in file {
            // Unseen now and before: it may as well not be there.
            let was_seen = self.live[list].get(number).is_some_and(|row| is_seen(row, visible));
            let droppable = !self.plan.ties && !is_seen(row, visible) && (whole || !was_seen);
            if !(droppable && self.random.random_bool(0.5)) {
                second.push((key(*number), alike(row, shape, visible, &mut self.random)));
            }
        }
        if !self.plan.ties {
            for number in 0..self.random.random_range(0..3) {
                second.extend(unseen(shape, visible, &mut self.random).map(|row| (format!("X-{number:03}"), row)));
            }
            second.shuffle(&mut self.random);
        }
        if second.is_empty() { vec![(key(file[0].0), alike(&file[0].1, shape, visible, &mut self.random))] } else { second }
    }

    fn hidden_edit(&mut self, list: usize) {
        let live: Vec<(u8, Row)> = self.live[list].clone().into_iter().collect();
        if live.is_empty() {
            return;
        }
        let file = self.redrawn(list, &live, true);
        let memo = self.random.random::<u16>().to_string();
        self.twins.worlds[1].import(list, &shape_of(list).file(&file, &memo), !self.plan.ties);
        // An undo would now meet records that changed since in one world only.
        self.before[list] = None;
    }

    fn happen_elsewhere(&mut self, what: u8, list: usize) {
        match what % 3 {
            0 => self.hidden_edit(SECRET_LIST),
            1 => {
                let file =
                    shape_of(list).file(&[(key(99), shape_of(list).pools.iter().map(|pool| pool.cell(None)).collect())], "draft");
                drop(self.twins.worlds[1].upload(list, &file));
            }
            _ => {
                let shown = json!({shape_of(list).key: "exact", shape_of(list).pools[0].name: "exact"});
                let deal = Deal { number: self.elsewhere, list, with: Some(STRANGER) };
                self.elsewhere += 1;
                self.twins.worlds[1].agree(deal, &terms(list, json!({"organization": coop(STRANGER)}), shown));
            }
        }
    }

    fn agree(&mut self, number: usize, plan: &DealPlan) {
        let deal = Deal {
            number,
            list: plan.list,
            with: match plan.to {
                To::Recipient => Some(RECIPIENT),
                To::Stranger => Some(STRANGER),
                To::Members | To::Public => None,
            },
        };
        let bargain = Bargain::new(&plan.drawn, shape_of(plan.list), !self.plan.ties);
        let terms = document(plan, &bargain);
        let open = |world: &World| match plan.fate {
            Fate::OnlyOffered => world.offer(deal, &terms),
            Fate::Agreed | Fate::BeginsLater | Fate::EndsSoon => world.agree(deal, &terms),
        };
        open(&self.twins.worlds[0]);
        // The second world need not have what is none of the recipient's business.
        if plan.to != To::Stranger || self.random.random() {
            open(&self.twins.worlds[1]);
        }
        self.deals.push(Standing { deal, bargain, version: 1, newest: 1 });
    }

    fn event(&mut self, number: usize, event: &Event) {
        let plan = &self.plan.deals[number];
        let standing = &self.deals[number];
        if plan.to == To::Stranger {
            let world = usize::from(self.random.random::<bool>());
            self.twins.worlds[world].decide(standing.deal, Side::Provider, 1, Decision::Suspend);
            return;
        }
        let bargain = match event {
            Event::Narrow(pick) => Some(standing.bargain.narrowed(*pick)),
            Event::Succeed(drawn) => Some(Bargain::new(drawn, shape_of(plan.list), !self.plan.ties)),
            Event::Approve | Event::Suspend | Event::Resume | Event::RecipientSuspends | Event::RecipientResumes | Event::End => {
                None
            }
        };
        let terms = bargain.as_ref().map(|bargain| document(plan, bargain));
        let Standing { deal, version, newest, .. } = *standing;
        let done = self.twins.worlds.each_ref().map(|world| happen(world, deal, version, newest, event, terms.as_ref()));
        assert_eq!(done[0], done[1], "stewards get as far in both worlds");
        let standing = &mut self.deals[number];
        (standing.version, standing.newest) = done[0];
        if let Some(bargain) = bargain.filter(|_| done[0].0 > version) {
            standing.bargain = bargain;
        }
    }

    /// At the end everything is read once more, by everyone.
    fn sweep(&mut self) -> Told {
        for who in [Who::Recipient, Who::Nobody] {
            for shape in SHAPES {
                let ask = Ask::get(&format!("/api/v1/{}?count=true", shape.collection)).by(who);
                self.twins.ask(&ask)?;
                self.twins.ask(&Ask::get(&format!("/api/v1/{}", shape.collection)).by(who).accept("text/csv"))?;
            }
            self.twins.ask(&Ask::get("/api/v1/changes").by(who))?;
        }
        for nth in 0..3 {
            self.twins.ask(&Ask::of(What::Next(nth)))?;
        }
        for standing in &self.deals {
            let versions = format!("/api/v1/agreements/{}/versions", crate::world::agreement(standing.deal.number));
            self.twins.get(&format!("{versions}/1/words"))?;
            self.twins.get(&format!("{versions}/{}/difference?from=1&lang=es", standing.newest))?;
        }
        self.twins.get("/api/v1/agreements")?;
        self.twins.get("/api/v1/disclosures").map(drop)
    }
}

fn document(plan: &DealPlan, bargain: &Bargain) -> Value {
    let audience = match plan.to {
        To::Recipient => json!({"organization": coop(RECIPIENT)}),
        To::Stranger => json!({"organization": coop(STRANGER)}),
        To::Members => json!("members"),
        To::Public => json!("public"),
    };
    let days = match plan.fate {
        Fate::Agreed | Fate::OnlyOffered => json!({}),
        Fate::BeginsLater => json!({"starts_on": "2026-11-24"}),
        Fate::EndsSoon => json!({"ends_on": "2026-11-23"}),
    };
    let ids = if plan.pseudonymous { "pseudonym" } else { "stable" };
    let terms = with(terms(plan.list, audience, bargain.fields()), json!({"rows": bargain.rows(), "record_id": ids}));
    with(terms, days)
}

/// One event in one world. The version in force after it, and the newest there is.
fn happen(world: &World, deal: Deal, version: i64, newest: i64, event: &Event, terms: Option<&Value>) -> (i64, i64) {
    let decided = |side, decision| {
        world.decide(deal, side, version, decision);
        (version, newest)
    };
    match event {
        Event::Approve => (if world.approve(deal, newest) { newest } else { version }, newest),
        Event::Suspend => decided(Side::Provider, Decision::Suspend),
        Event::Resume => decided(Side::Provider, Decision::Resume),
        Event::RecipientSuspends => decided(Side::Recipient, Decision::Suspend),
        Event::RecipientResumes => decided(Side::Recipient, Decision::Resume),
        Event::End => decided(Side::Provider, Decision::End),
        Event::Narrow(_) | Event::Succeed(_) => match terms.and_then(|terms| world.propose(deal, newest, terms)) {
            None => (version, newest),
            Some((made, true)) => (made, made),
            Some((made, false)) => (if world.approve(deal, made) { made } else { version }, made),
        },
    }
}
