//! What a condition means, decided in memory.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Cell, Condition, Is, Operand};
use crate::schema::FieldName;

impl Condition {
    /// Whether a row matches, given where to find its cells.
    pub fn matches<'a>(&self, cell: &impl Fn(&FieldName) -> Cell<'a>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(cell)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(cell)),
            Self::Test { field, is } => is.holds(cell(field)),
        }
    }
}

impl Is {
    fn holds(&self, cell: Cell<'_>) -> bool {
        match cell {
            Cell::Hidden => false,
            Cell::Null | Cell::Value(Value::Null) => matches!(self, Self::Null(true)),
            Cell::Value(value) => self.holds_for(value),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        match self {
            Self::Eq(operand) => operand.equals(value),
            Self::In(operands) => operands.iter().any(|operand| operand.equals(value)),
            Self::Gt(operand) => operand.order(value).is_some_and(Ordering::is_gt),
            Self::Gte(operand) => operand.order(value).is_some_and(Ordering::is_ge),
            Self::Lt(operand) => operand.order(value).is_some_and(Ordering::is_lt),
            Self::Lte(operand) => operand.order(value).is_some_and(Ordering::is_le),
            Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            Self::Null(null) => !null,
        }
    }
}

impl Operand {
    fn equals(&self, value: &Value) -> bool {
        match value {
            Value::Bool(boolean) => self.boolean == Some(*boolean),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.order(value).is_some_and(Ordering::is_eq)
            }
        }
    }

    /// How `value` stands to this operand; nothing where the two do not compare. Booleans have no order.
    fn order(&self, value: &Value) -> Option<Ordering> {
        match value {
            Value::Number(number) => number.as_f64()?.partial_cmp(&self.number?),
            Value::String(text) => Some(text.as_bytes().cmp(self.text.as_ref()?.as_bytes())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use serde_json::json;

    use super::*;

    fn holds(is: Is, cell: Cell<'_>) -> bool {
        Condition::Test { field: FieldName::parse("field").unwrap(), is }.matches(&|_: &FieldName| cell)
    }

    #[test]
    fn a_hidden_field_matches_nothing_not_even_null() {
        for is in [Is::Null(true), Is::Null(false), Is::Eq(Operand::text("x")), Is::Prefix(String::new())] {
            assert!(!holds(is, Cell::Hidden));
        }
    }

    #[test]
    fn an_empty_field_matches_only_null() {
        assert!(holds(Is::Null(true), Cell::Null));
        for is in [Is::Null(false), Is::Lt(Operand::text("z")), Is::Lte(Operand::number(9.0)), Is::Prefix(String::new())] {
            assert!(!holds(is, Cell::Null));
        }
    }

    #[test]
    fn an_operand_meets_a_cell_of_its_own_type_only() {
        let five = Operand { text: Some("5".to_owned()), number: Some(5.0), boolean: None };
        assert!(holds(Is::Eq(five.clone()), Cell::Value(&json!("5"))));
        assert!(holds(Is::Eq(five.clone()), Cell::Value(&json!(5.0))));
        assert!(!holds(Is::Eq(five), Cell::Value(&json!(true))));
        assert!(!holds(Is::Eq(Operand::text("5")), Cell::Value(&json!(5))));
        assert!(!holds(Is::Gt(Operand::number(1.0)), Cell::Value(&json!("5"))));
        assert!(!holds(Is::Gte(Operand::boolean(true)), Cell::Value(&json!(true))));
    }

    #[test]
    fn text_compares_by_bytes() {
        assert!(holds(Is::Gt(Operand::text("Z")), Cell::Value(&json!("a"))));
        assert!(holds(Is::Gt(Operand::text("z")), Cell::Value(&json!("é"))));
    }

    #[test]
    fn an_empty_in_and_an_empty_any_match_no_row() {
        assert!(!holds(Is::In(vec![]), Cell::Value(&json!("x"))));
        assert!(!Condition::Any(vec![]).matches(&|_: &FieldName| Cell::Null));
    }

    #[test]
    fn an_array_is_there_and_matches_nothing_else() {
        let list = json!(["x"]);
        assert!(holds(Is::Null(false), Cell::Value(&list)));
        assert!(!holds(Is::Eq(Operand::text("x")), Cell::Value(&list)));
    }
}
