//! What holds for every value of every schema: it must survive being stored, sent and read again unchanged.

use serde_json::Value;

/// 2^53: beyond it a JSON number no longer names one integer, for a reader that keeps doubles as most do.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// What cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inexact {
    /// A number with more digits than a double keeps.
    Digits,
    /// U+0000, which PostgreSQL cannot store.
    Nul,
}

/// The number, if it is one that every reader keeps exactly.
pub(super) fn number(value: &Value) -> Option<f64> {
    let whole = value.as_i64().map(i64::unsigned_abs).or_else(|| value.as_u64());
    // Compared as an integer, because 2^53 + 1 becomes 2^53 on its way to a double.
    if whole.is_some_and(|whole| whole > 1 << 53) {
        return None;
    }
    value.as_f64().filter(|number| number.is_finite() && number.abs() <= LARGEST)
}

/// The first thing in `value` that cannot be kept, however deep.
pub(super) fn lost(value: &Value) -> Option<Inexact> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::Number(_) if number(value).is_none() => Some(Inexact::Digits),
        Value::Number(_) => None,
        Value::String(text) => nul(text),
        Value::Array(items) => items.iter().find_map(lost),
        Value::Object(members) => members.iter().find_map(|(name, member)| nul(name).or_else(|| lost(member))),
    }
}

fn nul(text: &str) -> Option<Inexact> {
    text.contains('\0').then_some(Inexact::Nul)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Inexact, lost};

    #[test]
    fn two_to_the_fifty_third_is_the_last_whole_number() {
        for kept in [json!(9_007_199_254_740_992_i64), json!(-9_007_199_254_740_992_i64), json!(0.1), json!(-0.0)] {
            assert_eq!(lost(&kept), None);
        }
        for large in
            [json!(9_007_199_254_740_993_i64), json!(-9_007_199_254_740_993_i64), json!(u64::MAX), json!(i64::MIN), json!(1e300)]
        {
            assert_eq!(lost(&large), Some(Inexact::Digits));
        }
    }

    #[test]
    fn a_nul_is_found_however_deep() {
        for value in [json!("a\0b"), json!(["a", {"b": "\0"}]), json!({"\0": 1})] {
            assert_eq!(lost(&value), Some(Inexact::Nul));
        }
    }
}
