//! Terms of random worlds: what a recipient may see of a record, without asking the program.

use serde_json::{Map, Value, json};

use crate::fields::{Kind, Pool, Row, Shape, treatment};

/// Numbers that a case draws; what they mean depends on the schema.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub looks: Vec<u8>,
    pub key: u8,
    pub rows: u8,
    pub picks: [u8; 4],
}

/// How a field looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Hidden,
    Exact,
    Pseudonym,
    Coarse(u8),
}

/// A test of one field, by family: the values of one family are never told apart.
#[derive(Clone, Debug)]
enum Test {
    Among(usize, Vec<u8>),
    Empty(usize, bool),
}

/// Which records.
#[derive(Clone, Debug)]
enum Rows {
    All,
    One(Test),
    Both(Test, Test),
    Either(Test, Test),
}

/// One version's terms.
#[derive(Clone, Debug)]
pub struct Bargain {
    shape: &'static str,
    pub key: Look,
    pub looks: Vec<Look>,
    rows: Rows,
}

impl Bargain {
    /// What the numbers mean for `shape`. With `telling`, records can be told apart by their key.
    pub fn new(drawn: &Drawn, shape: &Shape, telling: bool) -> Self {
        let key = match drawn.key % 8 {
            0..=2 => Look::Exact,
            3 | 4 => Look::Pseudonym,
            _ if telling => Look::Exact,
            5 => Look::Coarse(drawn.picks[0] % u8::try_from(shape.key_coarse.len()).unwrap()),
            _ => Look::Hidden,
        };
        let look = |(pool, number): (&Pool, &u8)| match number % 10 {
            _ if !pool.open => Look::Hidden,
            3..=5 => Look::Exact,
            6 | 7 if !pool.coarse.is_empty() => Look::Coarse(number / 10 % u8::try_from(pool.coarse.len()).unwrap()),
            8 if pool.pseudonym => Look::Pseudonym,
            _ => Look::Hidden,
        };
        let mut looks: Vec<Look> = shape.pools.iter().zip(&drawn.looks).map(look).collect();
        if let Some([latitude, longitude]) = shape.place() {
            looks[longitude] = looks[latitude];
        }
        let mut bargain = Self { shape: shape.schema, key, looks, rows: rows(drawn, shape) };
        if bargain.shown() == 0 {
            bargain.looks[0] = Look::Exact;
        }
        bargain
    }

    /// The same with one field fewer, if one is left then.
    pub fn narrowed(&self, pick: u8) -> Self {
        let mut narrow = self.clone();
        let shown: Vec<usize> = (0..self.looks.len()).filter(|at| self.looks[*at] != Look::Hidden).collect();
        if self.shown() > 1 && !shown.is_empty() {
            let hidden = shown[usize::from(pick) % shown.len()];
            // A place is hidden whole, and then something else has to be left.
            match self.shape().place().filter(|place| place.contains(&hidden)) {
                Some(place) if self.shown() > 2 => place.into_iter().for_each(|at| narrow.looks[at] = Look::Hidden),
                Some(_) => {}
                None => narrow.looks[hidden] = Look::Hidden,
            }
        }
        narrow
    }

    fn shown(&self) -> usize {
        self.looks.iter().chain([&self.key]).filter(|look| **look != Look::Hidden).count()
    }

    fn shape(&self) -> &'static Shape {
        crate::fields::shape(self.shape)
    }

    /// `fields` of the terms.
    pub fn fields(&self) -> Value {
        let shape = self.shape();
        let mut fields = Map::new();
        let mut show = |name: &str, look: Look, coarse: &[&str]| match look {
            Look::Hidden => {}
            Look::Exact => drop(fields.insert(name.to_owned(), json!("exact"))),
            Look::Pseudonym => drop(fields.insert(name.to_owned(), json!("pseudonym"))),
            Look::Coarse(which) => drop(fields.insert(name.to_owned(), treatment(coarse[usize::from(which)]))),
        };
        show(shape.key, self.key, shape.key_coarse);
        for (pool, look) in shape.pools.iter().zip(&self.looks) {
            show(pool.name, *look, pool.coarse);
        }
        Value::Object(fields)
    }

    /// `rows` of the terms.
    pub fn rows(&self) -> Value {
        let test = |test: &Test| test.json(self.shape());
        match &self.rows {
            Rows::All => json!("all"),
            Rows::One(one) => test(one),
            Rows::Both(one, two) => json!({"all": [test(one), test(two)]}),
            Rows::Either(one, two) => json!({"any": [test(one), {"all": [test(two)]}]}),
        }
    }

    /// Whether a record is among the rows, and not closed to everybody.
    pub fn holds(&self, row: &Row) -> bool {
        !self.shape().refuses(row) && self.meant(row)
    }

    fn meant(&self, row: &Row) -> bool {
        match &self.rows {
            Rows::All => true,
            Rows::One(one) => one.holds(row),
            Rows::Both(one, two) => one.holds(row) && two.holds(row),
            Rows::Either(one, two) => one.holds(row) || two.holds(row),
        }
    }

    /// The pools that the rows depend on.
    pub fn asks_about(&self) -> Vec<usize> {
        let tested = match &self.rows {
            Rows::All => Vec::new(),
            Rows::One(one) => vec![one.pool()],
            Rows::Both(one, two) | Rows::Either(one, two) => vec![one.pool(), two.pool()],
        };
        self.shape().consent.into_iter().chain(tested).collect()
    }
}

fn rows(drawn: &Drawn, shape: &Shape) -> Rows {
    // What is never shared is no condition either.
    let pools: Vec<usize> = (0..shape.pools.len()).filter(|at| shape.pools[*at].open).collect();
    let test = |pick: u8, mask: u8| {
        let pool = pools[usize::from(pick) % pools.len()];
        let families = u8::try_from(shape.pools[pool].families.len()).unwrap();
        let some: Vec<u8> = (0..families).filter(|family| mask >> (family % 8) & 1 == 1).collect();
        if some.is_empty() { Test::Empty(pool, mask >= 128) } else { Test::Among(pool, some) }
    };
    let [first, second, one, two] = drawn.picks;
    match drawn.rows % 8 {
        0..=2 => Rows::All,
        3..=5 => Rows::One(test(first, one)),
        6 => Rows::Both(test(first, one), test(second, two)),
        _ => Rows::Either(test(first, one), test(second, two)),
    }
}

impl Test {
    fn pool(&self) -> usize {
        match self {
            Self::Among(pool, _) | Self::Empty(pool, _) => *pool,
        }
    }

    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Among(pool, families) => row[*pool].is_some_and(|(family, _)| families.contains(&family)),
            Self::Empty(pool, empty) => row[*pool].is_none() == *empty,
        }
    }

    fn json(&self, shape: &Shape) -> Value {
        let pool = &shape.pools[self.pool()];
        match self {
            Self::Empty(_, empty) => json!({pool.name: {"null": empty}}),
            Self::Among(_, families) => {
                let each =
                    |family: &u8| (0..pool.size(*family)).map(|variant| pool.text(Some((*family, variant)))).collect::<Vec<_>>();
                let values: Vec<Value> = families.iter().flat_map(each).map(|text| pool.json(&text)).collect();
                match (pool.kind, values.as_slice()) {
                    (Kind::Text | Kind::Truth, [one]) => json!({pool.name: {"eq": one}}),
                    (Kind::Text | Kind::Number | Kind::Truth, _) => json!({pool.name: {"in": values}}),
                }
            }
        }
    }
}
