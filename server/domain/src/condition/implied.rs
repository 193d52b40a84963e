//! What a condition gives away by itself.
//!
//! Whoever sees that a row is there knows that the row matched. The preview says so, field by field, before a steward approves.

use super::{Condition, Is, Operand};
use crate::schema::FieldName;

/// One thing that seeing a row tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Told<'a> {
    /// About which field.
    pub(crate) field: &'a FieldName,
    /// What of it.
    pub(crate) is: &'a Is,
    /// Whether it is so; otherwise it is so or another alternative holds.
    pub(crate) surely: bool,
}

impl Condition {
    /// What seeing a row tells about fields, disclosed or not: each field with a phrase such as `is one of "ES", "FR"`.
    ///
    /// A field under an `any` is told less surely, and the phrase says so.
    #[must_use]
    pub fn implied(&self) -> Vec<(FieldName, String)> {
        let phrase = |told: Told<'_>| match told.surely {
            true => (told.field.clone(), told.is.phrase()),
            false => (told.field.clone(), format!("{}, or another alternative holds", told.is.phrase())),
        };
        self.told().into_iter().map(phrase).collect()
    }

    /// The same, for whoever has words of their own for it.
    pub(crate) fn told(&self) -> Vec<Told<'_>> {
        let mut told = Vec::new();
        self.tell(true, &mut told);
        told
    }

    fn tell<'a>(&'a self, surely: bool, told: &mut Vec<Told<'a>>) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.tell(surely, told)),
            Self::Any(parts) => parts.iter().for_each(|part| part.tell(surely && parts.len() == 1, told)),
            Self::Test { field, is } => told.push(Told { field, is, surely }),
        }
    }
}

impl Is {
    fn phrase(&self) -> String {
        match self {
            Self::Eq(operand) => format!("is {}", operand.phrase()),
            Self::In(operands) => format!("is one of {}", operands.iter().map(Operand::phrase).collect::<Vec<_>>().join(", ")),
            Self::Gt(operand) => format!("is greater than {}", operand.phrase()),
            Self::Gte(operand) => format!("is at least {}", operand.phrase()),
            Self::Lt(operand) => format!("is less than {}", operand.phrase()),
            Self::Lte(operand) => format!("is at most {}", operand.phrase()),
            Self::Prefix(prefix) => format!("begins with \"{prefix}\""),
            Self::Null(true) => "is empty".to_owned(),
            Self::Null(false) => "is not empty".to_owned(),
        }
    }
}

impl Operand {
    fn phrase(&self) -> String {
        self.to_json().to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn an_alternative_tells_less_surely_than_a_demand() {
        let test = |name: &str| Condition::Test { field: FieldName::parse(name).unwrap(), is: Is::Eq(Operand::number(2.0)) };
        let condition = Condition::All(vec![test("shares"), Condition::Any(vec![test("left"), test("right")])]);
        let phrases: Vec<String> = condition.implied().into_iter().map(|(field, phrase)| format!("{field} {phrase}")).collect();
        assert_eq!(
            phrases,
            ["shares is 2", "left is 2, or another alternative holds", "right is 2, or another alternative holds"]
        );
    }
}
