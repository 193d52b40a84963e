//! Writing JSON objects straight into a text.
//!
//! A million records pass through here in one import: what would be a map of copies on its way to a text is only the text.

use serde_json::Value;

/// Appends `"name":value`, after a comma unless it is the first member.
pub(crate) fn member(object: &mut String, at: usize, name: &str, value: &Value) {
    begin(object, at, name);
    match value {
        Value::String(value) => text(object, value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            object.push_str(&value.to_string());
        }
    }
}

/// Appends `"name":"value"`, after a comma unless it is the first member.
pub(crate) fn text_member(object: &mut String, at: usize, name: &str, value: &str) {
    begin(object, at, name);
    text(object, value);
}

fn begin(object: &mut String, at: usize, name: &str) {
    if at > 0 {
        object.push(',');
    }
    text(object, name);
    object.push(':');
}

fn text(into: &mut String, text: &str) {
    // Looks at every byte whatever the first ones say, which takes many at a time; nearly all texts are plain.
    if text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')) {
        into.push('"');
        into.push_str(text);
        into.push('"');
    } else {
        into.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_what_serde_json_would_write(names in proptest::collection::vec(any::<String>(), 0..6), text in any::<String>(), number in any::<i64>()) {
            let values = [json!(text), json!(number), json!(null), json!([text]), json!({"a": text}), json!(0.5)];
            let members: Map<String, Value> = names.into_iter().zip(values).collect();
            let mut written = String::from("{");
            members.iter().enumerate().for_each(|(at, (name, value))| member(&mut written, at, name, value));
            written.push('}');
            prop_assert_eq!(written, Value::Object(members).to_string());
        }
    }
}
