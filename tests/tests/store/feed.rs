//! The changes feed: whoever applies it has what whoever reads everything again has, after whatever happened.

use std::collections::BTreeMap;

use hayward_domain::id::AgreementId;
use hayward_importers::Absent;
use hayward_store::{ChangeItem, ChangesFrom, Decision, Import, ShareQuery, StoreError};
use hayward_tests::commons::{Commons, List, Member, To, item};
use hayward_tests::on_both;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use crate::agreements::parties;
use crate::chance;

const COLLECTIONS: [&str; 2] = ["organizations", "opportunities"];

/// A copy kept by applying the feed: items by agreement and id.
#[derive(Default)]
struct Copy {
    from: ChangesFrom,
    items: BTreeMap<(String, String), Value>,
}

impl Copy {
    /// Applies one page. How many items it had.
    fn turn(&mut self, commons: &Commons, to: &Member, limit: i64) -> usize {
        let collections: Vec<String> = COLLECTIONS.iter().map(|name| (*name).to_owned()).collect();
        let page = commons
            .store
            .view::<_, StoreError>(&to.viewer, |view| view.changes(&collections, &ShareQuery::default(), self.from, limit));
        let page = page.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        let count = page.items.len();
        for (_, change) in page.items {
            match change {
                ChangeItem::Upserted(row) => {
                    let item = item(&row, page.shares.iter().find(|share| share.number() == row.share).unwrap());
                    let key = (item["agreement"].as_str().unwrap().to_owned(), row.id);
                    self.items.insert(key, item);
                }
                ChangeItem::Removed { id, share, .. } => {
                    let share = page.shares.iter().find(|summary| summary.number() == share).unwrap();
                    self.items.remove(&(share.agreement.to_string(), id));
                }
            }
        }
        self.from = page.next;
        count
    }

    /// Turns pages until there is nothing more. How many items came.
    fn catch_up(&mut self, commons: &Commons, to: &Member, limit: i64) -> usize {
        let mut count = 0;
        loop {
            let came = self.turn(commons, to, limit);
            count += came;
            let newest = commons.store.newest_commit().unwrap();
            if came == 0 && self.from == (ChangesFrom { seen: newest, ..ChangesFrom::default() }) {
                return count;
            }
        }
    }
}

/// Everything, read anew.
fn anew(commons: &Commons, to: &Member) -> BTreeMap<(String, String), Value> {
    let items = COLLECTIONS.iter().flat_map(|collection| commons.list(&to.viewer, collection));
    let key = |item: &Value| (item["agreement"].as_str().unwrap().to_owned(), item["id"].as_str().unwrap().to_owned());
    items.map(|item| (key(&item), item)).collect()
}

on_both! {
    fn a_change_of_hidden_fields_alone_is_no_change(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact", "founded_on": {"generalised": "year"}}}));
        let mut copy = Copy::default();
        copy.catch_up(&commons, &b, 10);
        let before = commons.list(&b.viewer, "organizations");
        commons.import_csv(&list, "identifier,name,city,founded_on,email\n1,Alder,Bath,,a@b.example\n");
        assert_eq!((copy.catch_up(&commons, &b, 10), commons.list(&b.viewer, "organizations")), (0, before));
        commons.import_csv(&list, "identifier,name,founded_on\n1,Alder,2001-02-03\n");
        assert_eq!(copy.catch_up(&commons, &b, 10), 1);
        let before = commons.list(&b.viewer, "organizations");
        commons.import_csv(&list, "identifier,name,founded_on\n1,Alder,2001-09-09\n");
        assert_eq!((copy.catch_up(&commons, &b, 10), commons.list(&b.viewer, "organizations")), (0, before));
    }
}

on_both! {
    fn leaving_the_condition_and_being_deleted_look_the_same(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.import_csv(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,Leeds\n3,Cedar,Leeds\n");
        commons.agree(&a, To::One(&b), &list, &json!({"fields": {"name": "exact"}, "rows": {"city": {"eq": "Leeds"}}}));
        let mut copy = Copy::default();
        assert_eq!(copy.catch_up(&commons, &b, 10), 3);
        commons.import_with(&list, "identifier,name,city\n1,Alder,Leeds\n2,Birch,York\n", |matching| {
            matching.absent = Absent::Delete
        });
        assert_eq!(copy.turn(&commons, &b, 10), 2);
        assert_eq!(copy.items, anew(&commons, &b));
        assert_eq!(copy.items.len(), 1);
    }
}

on_both! {
    fn an_agreement_for_somebody_else_is_not_in_the_feed(commons: Commons) {
        let (a, b, list) = parties(&commons);
        let c = commons.organization("c");
        commons.agree(&a, To::One(&b), &list, &json!({}));
        assert_eq!(Copy::default().catch_up(&commons, &c, 10), 0);
        assert_eq!(Copy::default().catch_up(&commons, &a, 10), 0);
    }
}

on_both! {
    fn the_last_day_takes_everything_back(commons: Commons) {
        let (a, b, list) = parties(&commons);
        commons.agree(&a, To::One(&b), &list, &json!({"ends_on": "2026-12-02"}));
        let mut copy = Copy::default();
        assert_eq!(copy.catch_up(&commons, &b, 10), 2);
        commons.pass_days(2);
        // Whether or not the clock's own work has been done.
        assert_eq!((copy.turn(&commons, &b, 10), copy.items.len()), (2, 0));
        commons.store.expire_due().unwrap();
        copy.catch_up(&commons, &b, 10);
        assert_eq!((copy.items.len(), Copy::default().catch_up(&commons, &b, 10)), (0, 0));
    }
}

on_both! {
    fn a_share_that_closes_and_opens_again_under_way_is_had_in_full(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "organization");
        let file = |name: &str| format!("identifier,name\n{}", (0..6).map(|at| format!("{at},{name}\n")).collect::<String>());
        commons.import_csv(&list, &file("Alder"));
        let agreement = commons.agree(&a, To::One(&b), &list, &json!({}));
        for (before, during) in [(0, 1), (1, 1), (1, 3), (3, 3), (5, 6), (2, 9)] {
            let mut copy = Copy::default();
            copy.catch_up(&commons, &b, 10);
            commons.import_csv(&list, &file(&format!("Birch {before}")));
            commons.import_csv(&list, &format!("identifier,name\n2,Cedar {during}\n"));
            (0..before).for_each(|_| assert_eq!(copy.turn(&commons, &b, 1), 1));
            commons.decide(&a.steward, &agreement, 1, Decision::Suspend).unwrap();
            (0..during).for_each(|_| assert!(copy.turn(&commons, &b, 1) <= 1));
            commons.decide(&a.steward, &agreement, 1, Decision::Resume).unwrap();
            copy.catch_up(&commons, &b, 1);
            assert_eq!(copy.items, anew(&commons, &b));
        }
    }
}

/// What may happen between two looks into the feed. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Act {
    Import {
        list: usize,
        rows: Vec<(u8, u8, u8)>,
        absent: bool,
    },
    Undo(usize),
    Offer {
        list: usize,
        to: u8,
        terms: usize,
    },
    Suspend(usize, bool),
    Resume(usize, bool),
    Narrow(usize),
    /// Other terms of the same agreement, wider or narrower, laid before the other side.
    Counter {
        which: usize,
        terms: usize,
    },
    /// One side says yes to whatever waits.
    Approve(usize, bool),
    Build,
    End(usize),
    Pass,
    Turn(i64),
}

fn act() -> BoxedStrategy<Act> {
    let rows = prop::collection::vec((0u8..7, 0u8..4, 0u8..4), 0..6);
    prop_oneof![
        5 => (0usize..3, rows, any::<bool>()).prop_map(|(list, rows, absent)| Act::Import { list, rows, absent }),
        2 => any::<usize>().prop_map(Act::Undo),
        3 => (0usize..3, 0u8..3, 0usize..4).prop_map(|(list, to, terms)| Act::Offer { list, to, terms }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, side)| Act::Suspend(which, side)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, side)| Act::Resume(which, side)),
        2 => any::<usize>().prop_map(Act::Narrow),
        2 => (any::<usize>(), 0usize..4).prop_map(|(which, terms)| Act::Counter { which, terms }),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(which, side)| Act::Approve(which, side)),
        2 => Just(Act::Build),
        1 => any::<usize>().prop_map(Act::End),
        1 => Just(Act::Pass),
        8 => (1i64..4).prop_map(Act::Turn),
    ]
    .boxed()
}

/// Two providers with three lists, a recipient, and what was agreed and imported so far.
struct World<'a> {
    commons: &'a Commons,
    providers: [Member; 2],
    recipient: Member,
    lists: [(usize, List); 3],
    agreements: Vec<(AgreementId, usize, u8, usize)>,
    imports: Vec<(usize, Import)>,
}

fn pick<T>(from: &[T], which: usize) -> Option<&T> {
    if from.is_empty() { None } else { from.get(which % from.len()) }
}

impl<'a> World<'a> {
    fn new(commons: &'a Commons, number: usize) -> Self {
        let member = |name: &str| commons.organization(&format!("{name}{number}"));
        let (providers, recipient) = ([member("a"), member("b")], member("r"));
        let list = |owner: usize, schema: &str| (owner, commons.dataset(&providers[owner], schema));
        let lists = [list(0, "organization"), list(0, "opportunity"), list(1, "organization")];
        Self { commons, providers, recipient, lists, agreements: Vec::new(), imports: Vec::new() }
    }

    fn to(&self, audience: u8) -> To<'_> {
        match audience {
            0 => To::One(&self.recipient),
            1 => To::Members,
            _ => To::Public,
        }
    }

    /// Terms of falling width: each next one is narrower than the one before it.
    fn terms(&self, list: usize, terms: usize) -> Value {
        let name = if self.lists[list].1.schema == "organization" { "name" } else { "title" };
        let fields = match terms {
            0 => json!({name: "exact", "city": "exact", "country": "exact"}),
            1 => json!({name: "exact", "city": "exact"}),
            2 | 3 => json!({name: "exact"}),
            _ => json!({name: "exact", "city": "hidden"}),
        };
        let rows = if terms < 3 { json!("all") } else { json!({"city": {"in": ["Leeds", "York"]}}) };
        let record_id = if list == 2 { "pseudonym" } else { "stable" };
        // Some run for three days only, so that time ends them.
        let ends_on = if list == 1 { "2026-12-03" } else { "2027-11-30" };
        json!({"fields": fields, "rows": rows, "record_id": record_id, "ends_on": ends_on})
    }

    fn import(&mut self, list: usize, rows: &[(u8, u8, u8)], absent: bool) {
        let (_, target) = &self.lists[list];
        let head =
            if target.schema == "organization" { "identifier,name,city,country\n" } else { "reference,title,city,country\n" };
        let row = |(key, name, city): &(u8, u8, u8)| {
            let city = ["Leeds", "York", "Bath", "Hull"][usize::from(*city)];
            format!(
                "{key},{},{city},{}\n",
                ["Alder", "Birch", "Cedar", "Elm"][usize::from(*name)],
                ["GB", "FR"][usize::from(*key) % 2]
            )
        };
        let file: String = rows.iter().map(row).collect();
        let change = |matching: &mut hayward_importers::Matching| {
            matching.absent = if absent { Absent::Delete } else { Absent::Keep };
        };
        let import = self.commons.import_with(target, &format!("{head}0,Yew,Leeds,GB\n{file}"), change);
        self.imports.push((list, import));
    }

    /// Decides for one side of an agreement; that it may be refused is part of the game.
    fn decide(&self, which: usize, provider: bool, decision: Decision) {
        let Some((agreement, list, _, _)) = pick(&self.agreements, which) else { return };
        let owner = &self.providers[self.lists[*list].0];
        let by = if provider { &owner.steward } else { &self.recipient.steward };
        let shown = self.commons.store.agreement(&owner.steward, agreement, None).unwrap();
        for version in 1..=shown["versions"].as_array().unwrap().len() {
            drop(self.commons.decide(by, agreement, i64::try_from(version).unwrap(), decision));
        }
    }

    fn narrow(&mut self, which: usize) {
        if self.agreements.is_empty() {
            return;
        }
        let which = which % self.agreements.len();
        let (agreement, list, to, terms) = self.agreements[which].clone();
        let (owner, target) = (&self.providers[self.lists[list].0], &self.lists[list].1);
        let shown = self.commons.store.agreement(&owner.steward, &agreement, None).unwrap();
        let from = i64::try_from(shown["versions"].as_array().unwrap().len()).unwrap();
        let narrower = self.commons.terms(target, self.to(to), &self.terms(list, terms + 1));
        if self.commons.store.propose_version(&owner.steward, &agreement, from, &narrower).is_ok() {
            self.agreements[which].3 = (terms + 1).min(4);
        }
    }

    fn counter(&mut self, which: usize, terms: usize) {
        let Some((agreement, list, to, _)) = pick(&self.agreements, which).cloned() else { return };
        let (owner, target) = (&self.providers[self.lists[list].0], &self.lists[list].1);
        let shown = self.commons.store.agreement(&owner.steward, &agreement, None).unwrap();
        let from = shown["versions"].as_array().unwrap().last().unwrap()["version"].as_i64().unwrap();
        let other = self.commons.terms(target, self.to(to), &self.terms(list, terms));
        drop(self.commons.store.propose_version(&self.recipient.steward, &agreement, from, &other));
    }

    /// Whoever applied the feed has what whoever reads anew has.
    fn compare(&self, copy: &mut Copy, limit: i64) {
        copy.catch_up(self.commons, &self.recipient, limit);
        assert_eq!(copy.items, anew(self.commons, &self.recipient));
    }

    fn act(&mut self, act: &Act, copy: &mut Copy) {
        match act {
            Act::Import { list, rows, absent } => self.import(*list, rows, *absent),
            Act::Undo(which) => {
                if let Some((list, import)) = pick(&self.imports, *which) {
                    let target = &self.lists[*list].1;
                    drop(self.commons.store.undo_import(&self.commons.again(target, import), None));
                }
            }
            Act::Offer { list, to, terms } => {
                let owner = &self.providers[self.lists[*list].0];
                let over = self.terms(*list, *terms);
                let terms_now = self.commons.terms(&self.lists[*list].1, self.to(*to), &over);
                // Past its last day there is nothing to offer.
                if let Ok(agreement) = self.commons.propose(&owner.steward, &terms_now) {
                    self.commons.approve(owner, self.to(*to), &agreement, 1);
                    self.agreements.push((agreement, *list, *to, *terms));
                }
            }
            Act::Suspend(which, side) => self.decide(*which, *side, Decision::Suspend),
            Act::Resume(which, side) => self.decide(*which, *side, Decision::Resume),
            Act::Narrow(which) => self.narrow(*which),
            Act::Counter { which, terms } => self.counter(*which, *terms),
            Act::Approve(which, side) => self.decide(*which, *side, Decision::Approve),
            Act::Build => drop(self.commons.store.build_due().unwrap()),
            Act::End(which) => self.decide(*which, true, Decision::End),
            Act::Pass => {
                self.commons.pass_days(1);
                self.commons.store.expire_due().unwrap();
            }
            Act::Turn(limit) => drop(copy.turn(self.commons, &self.recipient, *limit)),
        }
    }
}

on_both! {
    fn who_applies_the_feed_has_what_who_reads_anew_has(commons: Commons) {
        // Each world stands on its own in one commons; what the others share with all members comes along.
        let mut runner = chance::runner(12);
        let number = std::cell::Cell::new(0);
        runner
            .run(&(prop::collection::vec(act(), 1..40), 1i64..6), |(acts, limit)| {
                let world = Commons::new(commons.database().kind()).unwrap();
                number.set(number.get() + 1);
                let mut world = World::new(&world, number.get());
                let mut copy = Copy::default();
                for act in &acts {
                    world.act(act, &mut copy);
                }
                copy.catch_up(world.commons, &world.recipient, limit);
                prop_assert_eq!(&copy.items, &anew(world.commons, &world.recipient));
                world.commons.store.build_due().unwrap();
                copy.catch_up(world.commons, &world.recipient, limit);
                prop_assert_eq!(&copy.items, &anew(world.commons, &world.recipient));
                let mut late = Copy::default();
                late.catch_up(world.commons, &world.recipient, limit);
                prop_assert_eq!(late.items, copy.items);
                Ok(())
            })
            .unwrap();
    }
}

/// Acts of the long run, unless `HAYWARD_FEED_ACTS` says otherwise; and how many pass between two comparisons.
const ACTS: usize = 400;
const BETWEEN: usize = 20;

on_both! {
    fn one_copy_stays_right_over_a_long_life(commons: Commons) {
        let acts = std::env::var("HAYWARD_FEED_ACTS").ok().and_then(|acts| acts.parse().ok()).unwrap_or(ACTS);
        let mut runner = chance::runner(1);
        let (mut world, mut copy) = (World::new(&commons, 0), Copy::default());
        // From time to time everybody begins anew, since what has ended stays ended and the lists would only grow.
        for number in 0..acts {
            let act = act().new_tree(&mut runner).unwrap().current();
            world.act(&act, &mut copy);
            if number % BETWEEN == BETWEEN - 1 {
                world.compare(&mut copy, 1 + i64::try_from(number % 7).unwrap());
            }
            if number % 200 == 199 {
                world = World::new(&commons, number);
                copy = Copy::default();
            }
        }
        commons.store.build_due().unwrap();
        world.compare(&mut copy, 3);
    }
}
