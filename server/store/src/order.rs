//! Sorting by fields, and going on after a given row.
//!
//! Numbers come before texts, texts before truths; what is empty, hidden or structured comes last in either direction. Ties follow
//! the row number. The position is a row: its sort values are read again from the row itself, so that a cursor holds no value.

use hayward_domain::schema::FieldName;
use serde_json::Value;

use crate::conn::Kind;
use crate::dialect::{self, Document};
use crate::sql::{Bind, Sql};

/// The fields to sort by, most important first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(pub Vec<Key>);

/// One field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The field.
    pub field: FieldName,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Order {
    /// Reads `title,-closes_on`.
    ///
    /// # Errors
    /// The word that cannot be the name of a field, or the fourth.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        for word in text.split(',') {
            let name = word.strip_prefix('-').unwrap_or(word);
            let field = FieldName::parse(name).filter(|_| keys.len() < 3).ok_or_else(|| name.to_owned())?;
            if keys.iter().any(|key| key.field == field) {
                return Err(name.to_owned());
            }
            keys.push(Key { field, descending: word.starts_with('-') });
        }
        Ok(Self(keys))
    }

    /// Whether it says nothing: the rows' own order.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// `order by …`, ending with `tie`.
    pub(crate) fn emit(&self, kind: Kind, document: Document, tie: &str) -> String {
        let mut text = String::from(" order by ");
        for key in &self.0 {
            let [rank, number, word, boolean] = expressions(kind, document, &key.field);
            let way = if key.descending { " desc" } else { "" };
            // One of the three is not null, or none: which, the rank has told already.
            text.push_str(&format!("{rank}, {number}{way}, {word}{way}, {boolean}{way}, "));
        }
        text.push_str(tie);
        text
    }

    /// What holds for the rows after the one with `document` and the number `last`.
    pub(crate) fn after(&self, kind: Kind, document: Document, values: &Value, tie: &str, last: i64) -> Sql {
        let mut sql = Sql::new(&format!("{tie} > ?")).bind(last).varying();
        for key in self.0.iter().rev() {
            let expressions = expressions(kind, document, &key.field);
            let (beyond, same) = beside(&expressions, values.get(key.field.as_str()), key.descending);
            let mut outer = Sql::new("(").varying();
            outer.append(beyond).push(" or (").append(same).push(" and ").append(sql).push("))");
            sql = outer;
        }
        sql
    }
}

/// Rank, number, text and truth of a field.
fn expressions(kind: Kind, document: Document, field: &FieldName) -> [String; 4] {
    let field = dialect::field(kind, document, field);
    let rank = format!("(case ({}) when 'number' then 0 when 'text' then 1 when 'boolean' then 2 else 3 end)", field.kind);
    [rank, field.number, field.text, field.boolean]
}

/// What lies beyond this value, and what equals it.
fn beside([rank, number, word, boolean]: &[String; 4], value: Option<&Value>, descending: bool) -> (Sql, Sql) {
    let operator = if descending { "<" } else { ">" };
    let of = |place: i64, expression: &str, bind: Bind| {
        let beyond = format!("({rank} > {place} or ({rank} = {place} and {expression} {operator} ?))");
        let same = format!("({rank} = {place} and {expression} = ?)");
        (Sql::default().with(&beyond, bind.clone()), Sql::default().with(&same, bind))
    };
    match value {
        Some(Value::Number(value)) => of(0, number, value.as_f64().unwrap_or(0.0).into()),
        Some(Value::String(value)) => of(1, word, value.into()),
        Some(Value::Bool(value)) => of(2, boolean, i64::from(*value).into()),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
            (Sql::new("1 = 0").varying(), Sql::new(&format!("{rank} = 3")).varying())
        }
    }
}

impl Sql {
    fn with(mut self, text: &str, bind: Bind) -> Self {
        self.push_with(text, [bind]);
        self.varying()
    }
}
