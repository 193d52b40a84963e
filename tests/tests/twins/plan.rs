//! What a random pair of worlds goes through: lists, agreements, and a script in which changes and questions take turns.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ask::{About, Ask, What, Who};
use crate::bargain::Drawn;
use crate::fields::{Cell, Row, SHAPES, Shape};
use crate::world::{LISTS, agreement, coop};

/// More cells than any schema has pools.
const WIDE: usize = 16;

/// One case.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether records may look alike. Ties follow the (encrypted) number of the record, so both worlds then number alike: the
    /// same keys come in the same order.
    pub ties: bool,
    /// What the second world's redrawing is seeded with.
    pub salt: u64,
    /// The first records of each list; their keys are their places.
    pub lists: Vec<Vec<Row>>,
    pub deals: Vec<DealPlan>,
    pub steps: Vec<Step>,
    /// Callers who know nothing yet, each with a line of questions, spread over the steps.
    pub traces: Vec<Vec<Ask>>,
}

/// An agreement to be.
#[derive(Clone, Debug)]
pub struct DealPlan {
    pub list: usize,
    pub to: To,
    pub pseudonymous: bool,
    pub drawn: Drawn,
    pub fate: Fate,
}

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Recipient,
    Members,
    Public,
    Stranger,
}

/// What becomes of it at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Agreed,
    OnlyOffered,
    BeginsLater,
    EndsSoon,
}

/// One thing that happens, or is asked.
#[derive(Clone, Debug)]
pub enum Step {
    /// Records change; one without a row is deleted, by a file that has all the others.
    Import {
        list: usize,
        rows: Vec<(u8, Option<Row>)>,
    },
    Undo {
        list: usize,
    },
    /// In the second world: what no agreement shows of a list changes.
    HiddenEdit {
        list: usize,
    },
    /// In the second world: something that has nothing to do with the recipient.
    Elsewhere {
        what: u8,
        list: usize,
    },
    Event {
        deal: usize,
        event: Event,
    },
    Clock {
        hours: u64,
    },
    Ask(Ask),
    /// A field that no agreement shows, where the second world is asked for a slip instead.
    Slip {
        shape: usize,
        place: &'static str,
    },
}

/// What stewards do to an agreement.
#[derive(Clone, Debug)]
pub enum Event {
    Approve,
    Suspend,
    Resume,
    RecipientSuspends,
    RecipientResumes,
    End,
    Narrow(u8),
    Succeed(Drawn),
}

/// A plan with so many traces.
pub fn plan(traces: usize) -> impl Strategy<Value = Plan> {
    let lists = vec(vec(row(), 1..7), LISTS.len());
    let traces = vec(vec(ask(), 4..12), traces);
    (any::<bool>(), any::<u64>(), lists, vec(deal(), 2..7), vec(step(), 45..65), traces)
        .prop_map(|(ties, salt, lists, deals, steps, traces)| Plan { ties, salt, lists, deals, steps, traces })
}

fn row() -> impl Strategy<Value = Row> {
    let cell = prop_oneof![1 => Just(None), 5 => (0..8u8, 0..4u8).prop_map(Some)];
    vec(cell, WIDE)
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (vec(0..40u8, WIDE), any::<u8>(), any::<u8>(), any::<[u8; 4]>()).prop_map(|(looks, key, rows, picks)| Drawn {
        looks,
        key,
        rows,
        picks,
    })
}

fn list() -> impl Strategy<Value = usize> {
    0..LISTS.len() - 1
}

fn deal() -> impl Strategy<Value = DealPlan> {
    let to = prop_oneof![5 => Just(To::Recipient), 2 => Just(To::Members), 2 => Just(To::Public), 2 => Just(To::Stranger)];
    let fate = prop_oneof![7 => Just(Fate::Agreed), 1 => Just(Fate::OnlyOffered), 1 => Just(Fate::BeginsLater), 1 => Just(Fate::EndsSoon)];
    (list(), to, any::<bool>(), drawn(), fate).prop_map(|(list, to, pseudonymous, drawn, fate)| DealPlan {
        list,
        to,
        pseudonymous,
        drawn,
        fate,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let place = select(&["{}=1", "{}[gte]=1", "{}[null]=true", "{}[near]=1", "sort={}", "sort=-{}", "fields={}", "{}.x=1"][..]);
    let change = (0..9u8, prop_oneof![4 => row().prop_map(Some), 1 => Just(None)]);
    prop_oneof![
        20 => ask().prop_map(Step::Ask),
        4 => (list(), vec(change, 1..5)).prop_map(|(list, rows)| Step::Import { list, rows }),
        1 => list().prop_map(|list| Step::Undo { list }),
        2 => list().prop_map(|list| Step::HiddenEdit { list }),
        1 => (any::<u8>(), list()).prop_map(|(what, list)| Step::Elsewhere { what, list }),
        3 => (0..7usize, event()).prop_map(|(deal, event)| Step::Event { deal, event }),
        1 => (1..30u64).prop_map(|hours| Step::Clock { hours }),
        1 => (0..SHAPES.len(), place).prop_map(|(shape, place)| Step::Slip { shape, place }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Approve),
        2 => Just(Event::Suspend),
        3 => Just(Event::Resume),
        1 => Just(Event::RecipientSuspends),
        1 => Just(Event::RecipientResumes),
        1 => Just(Event::End),
        2 => any::<u8>().prop_map(Event::Narrow),
        2 => drawn().prop_map(Event::Succeed),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let who = prop_oneof![
        8 => Just(Who::Recipient),
        3 => Just(Who::Nobody),
        1 => select(&[Who::Forger, Who::Narrow, Who::Brief, Who::Steward][..]),
    ];
    let accept = prop_oneof![
        6 => Just(None),
        2 => select(&["text/csv", "application/x-ndjson", "application/json", "image/png"][..]).prop_map(Some),
    ];
    (who, accept, what()).prop_map(|(who, accept, what)| Ask { who, accept, ..Ask::of(what) })
}

fn what() -> impl Strategy<Value = What> {
    let path = |path: String| What::Path(path, Vec::new());
    let limited = (select(&["changes", "catalogue", "agreements", "disclosures"][..]), proptest::option::of(limit()))
        .prop_map(|(word, limit)| What::Path(format!("/api/v1/{word}"), limit.into_iter().collect()));
    let other = prop_oneof![
        select(
            &[
                "schemas",
                "schemas/opportunity",
                "schemas/venue",
                "schemas/none",
                "nothing",
                "opportunities/",
                "datasets",
                "imports/imp_x"
            ][..]
        )
        .prop_map(|word| format!("/api/v1/{word}")),
        (0..9usize).prop_map(|number| format!("/api/v1/agreements/{}", agreement(number))),
        (0..9usize, 1..4usize, select(&["preview", "words", "words?lang=es", "difference", "difference?from=1"][..]))
            .prop_map(|(number, version, part)| format!("/api/v1/agreements/{}/versions/{version}/{part}", agreement(number))),
        (0..LISTS.len()).prop_map(|list| format!("/api/v1/datasets/{}/records", crate::world::dataset(list))),
        (0..LISTS.len()).prop_map(|list| format!("/api/v1/catalogue/{}", crate::world::dataset(list))),
        (0..LISTS.len()).prop_map(|list| {
            format!("/api/v1/datasets/{}/records/rec_aaaaaaaaaaaaaaaaaaaaaaaaaa", crate::world::dataset(list))
        }),
        (0..9usize).prop_map(|number| format!("/api/v1/agreements/{}/usage", agreement(number))),
    ];
    prop_oneof![
        8 => (shape(), 0..4usize).prop_flat_map(|(shape, length)| {
            vec(parameter(shape), length).prop_map(|query| What::Path(format!("/api/v1/{}", shape.collection), query))
        }),
        4 => any::<u8>().prop_map(|nth| What::Next(nth.into())),
        2 => any::<u8>().prop_map(|nth| What::Again(nth.into())),
        2 => (shape(), any::<u8>()).prop_map(|(shape, nth)| {
            What::Seen { collection: shape.collection.to_owned(), nth: nth.into(), query: Vec::new() }
        }),
        1 => shape().prop_map(|shape| {
            What::Hidden { collection: shape.collection.to_owned(), list: crate::world::SECRET_LIST, key: String::new() }
        }),
        1 => any::<u8>().prop_map(|nth| What::Disclosure(nth.into())),
        3 => about(),
        3 => limited,
        1 => (0..9usize).prop_map(|number| {
            What::Path("/api/v1/changes".to_owned(), vec![("agreement".to_owned(), agreement(number).to_string())])
        }),
        2 => other.prop_map(path),
    ]
}

/// What the ledger and the explanations say about an agreement, a field, a record that was seen, or one that was not.
fn about() -> impl Strategy<Value = What> {
    let path = select(&["explain", "disclosures"][..]);
    let field = proptest::option::of(shape().prop_flat_map(name));
    let record = prop_oneof![
        2 => Just(About::None),
        3 => any::<u8>().prop_map(|nth| About::Seen(nth.into())),
        2 => (0..LISTS.len(), 0..9u8).prop_map(|(list, key)| About::Hidden(list, format!("K-{key:03}"))),
    ];
    let kind = proptest::option::of(select(&["disclosure", "preview", "refusal", "other"][..]));
    (path, proptest::option::of(0..9usize), field, record, kind).prop_map(|(path, number, field, record, kind)| {
        let mut query: Vec<(String, String)> = Vec::new();
        query.extend(number.map(|number| ("agreement".to_owned(), agreement(number).to_string())));
        query.extend(field.map(|field| ("field".to_owned(), field)));
        query.extend(kind.filter(|_| path == "disclosures").map(|kind| ("kind".to_owned(), kind.to_owned())));
        What::About { path: format!("/api/v1/{path}"), query, record }
    })
}

fn shape() -> impl Strategy<Value = &'static Shape> {
    (0..SHAPES.len()).prop_map(|at| &SHAPES[at])
}

fn limit() -> impl Strategy<Value = (String, String)> {
    (0..5u8).prop_map(|limit| ("limit".to_owned(), limit.to_string()))
}

/// A parameter of a list: names that are shown, hidden, misspelt or reserved, with values that stand in the lists.
fn parameter(shape: &'static Shape) -> impl Strategy<Value = (String, String)> {
    let operator = select(&["", "", "", "[eq]", "[in]", "[gt]", "[gte]", "[lt]", "[lte]", "[prefix]", "[null]", "[near]"][..]);
    let filter = (name(shape), operator, value(shape)).prop_map(|(name, operator, value)| (format!("{name}{operator}"), value));
    let own = (0..shape.pools.len(), operator_of_lists(), (0..8u8, 0..4u8)).prop_map(move |(at, operator, drawn)| {
        let pool = &shape.pools[at];
        let cell: Cell = pool.cell(Some(drawn));
        (format!("{}{operator}", pool.name), pool.text(cell).chars().take(40).collect())
    });
    let sort =
        (name(shape), any::<bool>()).prop_map(|(name, down)| ("sort".to_owned(), if down { format!("-{name}") } else { name }));
    let fields = vec(name(shape), 1..3).prop_map(|names| ("fields".to_owned(), names.join(",")));
    let pair = |name: &'static str, value: String| (name.to_owned(), value);
    prop_oneof![
        3 => filter,
        6 => own,
        3 => sort,
        2 => fields,
        3 => limit(),
        3 => Just(("count".to_owned(), "true".to_owned())),
        1 => (0..9usize).prop_map(move |number| pair("agreement", agreement(number).to_string())),
        1 => (0..8usize).prop_map(move |number| pair("provider", coop(number).to_string())),
        1 => select(&["organization", "members", "public", "all"][..]).prop_map(move |word| pair("audience", word.to_owned())),
        1 => select(&["q", "near", "bbox", "cursor", "all[0][title]", "a.b", "group_by"][..]).prop_map(move |word| pair(word, "1".to_owned())),
    ]
}

fn operator_of_lists() -> impl Strategy<Value = &'static str> {
    select(&["", "", "[in]", "[gte]", "[lt]", "[prefix]"][..])
}

fn name(shape: &'static Shape) -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = shape.pools.iter().map(|pool| pool.name).chain([shape.key]).collect();
    prop_oneof![
        8 => select(names.clone()).prop_map(str::to_owned),
        1 => select(names.clone()).prop_map(str::to_uppercase),
        1 => select(names.clone()).prop_map(|name| format!("{name}.x")),
        1 => select(names).prop_map(|name| format!("{name}s")),
        1 => select(&["id", "provider", "edition", "agreement", "row", "memo", "fields", "private.memo", ""][..]).prop_map(str::to_owned),
    ]
}

fn value(shape: &'static Shape) -> impl Strategy<Value = String> {
    let texts: Vec<&'static str> =
        shape.pools.iter().flat_map(|pool| pool.families.iter().flat_map(|family| *family).copied()).collect();
    prop_oneof![
        4 => select(texts),
        1 => select(&["true", "false", "", "0", "B", "2026", "2027-01", "K-000", "K-", "maria@example.org", "%", "'"][..]),
    ]
    .prop_map(str::to_owned)
}
