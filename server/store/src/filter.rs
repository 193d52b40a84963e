//! Conditions as SQL: the one place that emits them.
//!
//! It must agree with [`Condition::matches`], cell by cell: a property test holds the two equal. The grammar has no negation, so SQL's
//! unknown and false come to the same.

use hayward_domain::condition::{Condition, Is, Operand};
use hayward_domain::mutants;

use crate::conn::Kind;
use crate::dialect::{self, Document, FieldSql};
use crate::sql::{Bind, Sql};

/// The condition over the document of alias `r`.
pub(crate) fn emit(kind: Kind, document: Document, condition: &Condition) -> Sql {
    match condition {
        Condition::All(parts) => join(kind, document, parts, " and ", "1 = 1"),
        Condition::Any(parts) => join(kind, document, parts, " or ", "1 = 0"),
        Condition::Test { field, is } => test(&dialect::field(kind, document, field), is),
    }
}

fn join(kind: Kind, document: Document, parts: &[Condition], between: &str, empty: &str) -> Sql {
    if parts.is_empty() {
        return Sql::new(empty).varying();
    }
    let mut sql = Sql::new("(").varying();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            sql.push(between);
        }
        sql.append(emit(kind, document, part));
    }
    sql.push(")");
    sql
}

fn test(field: &FieldSql, is: &Is) -> Sql {
    match is {
        Is::Eq(operand) => compare(field, "=", operand),
        Is::Gt(operand) => compare(field, ">", operand),
        Is::Gte(operand) => compare(field, ">=", operand),
        Is::Lt(operand) => compare(field, "<", operand),
        Is::Lte(operand) => compare(field, "<=", operand),
        Is::In(operands) => {
            // Lists, not a chain of `or`: SQLite's expressions have a depth, and a filter may name a thousand values.
            let texts: Vec<Bind> = operands.iter().filter_map(|operand| operand.text.as_ref()).map(Bind::from).collect();
            let numbers: Vec<Bind> = operands.iter().filter_map(|operand| operand.number).map(Bind::from).collect();
            let truths: Vec<Bind> =
                operands.iter().filter_map(|operand| operand.boolean).map(|truth| i64::from(truth).into()).collect();
            let mut sql = Sql::new("(1 = 0").varying();
            for (expression, binds) in [(&field.text, texts), (&field.number, numbers), (&field.boolean, truths)] {
                if !binds.is_empty() {
                    sql.push(&format!(" or {expression} in ")).list(binds);
                }
            }
            sql.push(")");
            sql
        }
        Is::Prefix(prefix) => {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            // The length stands in the text: PostgreSQL would want a 32-bit number for a bind here.
            let text = &field.text;
            Sql::new(&format!("substr({text}, 1, {length}) = ?")).bind(prefix).varying()
        }
        Is::Null(true) if mutants::on("hidden-is-empty") => {
            Sql::new(&format!("coalesce({}, 'null') = 'null'", field.kind)).varying()
        }
        Is::Null(true) => Sql::new(&format!("({}) = 'null'", field.kind)).varying(),
        Is::Null(false) => Sql::new(&format!("({}) <> 'null'", field.kind)).varying(),
    }
}

/// One comparison, in every way the operand can be read; the cell's type picks the one that counts.
fn compare(field: &FieldSql, operator: &str, operand: &Operand) -> Sql {
    let mut sql = Sql::new("(1 = 0").varying();
    let mut or = |expression: &str, bind: Bind| {
        sql.push_with(&format!(" or {expression} {operator} ?"), [bind]);
    };
    if let Some(text) = &operand.text {
        or(&field.text, text.into());
    }
    if let Some(number) = operand.number {
        or(&field.number, number.into());
    }
    // Truth has no order.
    if let (Some(boolean), "=") = (operand.boolean, operator) {
        or(&field.boolean, i64::from(boolean).into());
    }
    sql.push(")");
    sql
}
