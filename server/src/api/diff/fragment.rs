//! The difference as a fragment of HTML: one table, to be put into a page.
//!
//! * Every text of the list is escaped; there is no script, no style, and no address.
//! * What was is in `<del>`, what will be in `<ins>`, each with a word before it, in an element of the class `diff-word`: colour says
//!   nothing to who cannot see it. A page may hide the words from the eye.
//! * Only the key and the columns in which some record differs are shown.
//! * The direction of a text does not reach beyond it (`dir="auto"`).

use hayward_store::{DiffColumn, DiffRow, RowChange};
use serde_json::Value;

/// The columns that are shown.
fn shown(columns: &[DiffColumn]) -> impl Iterator<Item = (usize, &DiffColumn)> {
    columns.iter().enumerate().filter(|(_, column)| column.is_key || column.differs)
}

/// The beginning of the table.
#[must_use]
pub fn head(columns: &[DiffColumn]) -> String {
    let mut text = String::from("<table class=\"diff\">\n<thead>\n<tr><th scope=\"col\">Change</th><th scope=\"col\">Row</th>");
    for (_, column) in shown(columns) {
        let class = match (column.before, column.after) {
            (false, _) => " class=\"diff-column-created\"",
            (true, false) => " class=\"diff-column-removed\"",
            (true, true) => "",
        };
        text.push_str("<th scope=\"col\"");
        text.push_str(class);
        text.push_str(" dir=\"auto\">");
        push_escaped(&mut text, &column.name);
        text.push_str("</th>");
    }
    text.push_str("</tr>\n</thead>\n<tbody>\n");
    text
}

/// The end of the table.
pub const END: &str = "</tbody>\n</table>\n";

/// Appends one record.
pub fn push(text: &mut String, columns: &[DiffColumn], row: &DiffRow) {
    let word = match row.change {
        RowChange::Created => "added",
        RowChange::Updated => "changed",
        RowChange::Removed => "removed",
        // Where the others are needs no saying to who reads.
        RowChange::Kept => return,
    };
    let number = row.row.map(|row| row.to_string()).unwrap_or_default();
    text.push_str(&format!("<tr class=\"diff-{}\"><th scope=\"row\">{word}</th><td>{number}</td>", row.change.as_str()));
    for (at, _) in shown(columns) {
        let cell = |cells: &Option<Vec<Value>>| cells.as_ref().and_then(|cells| cells.get(at)).map(plain).unwrap_or_default();
        push_cell(text, &cell(&row.before), &cell(&row.after));
    }
    text.push_str("</tr>\n");
}

/// A value as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn push_cell(text: &mut String, before: &str, after: &str) {
    if before == after {
        text.push_str("<td dir=\"auto\">");
        push_escaped(text, after);
    } else {
        text.push_str("<td class=\"diff-cell-changed\">");
        push_marked(text, "del", "was", before);
        if !before.is_empty() && !after.is_empty() {
            text.push(' ');
        }
        push_marked(text, "ins", "now", after);
    }
    text.push_str("</td>");
}

fn push_marked(text: &mut String, element: &str, word: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    text.push_str(&format!("<span class=\"diff-word\">{word}</span> <{element} dir=\"auto\">"));
    push_escaped(text, value);
    text.push_str(&format!("</{element}>"));
}

fn push_escaped(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_escaped_and_every_change_has_its_words() {
        let columns = [DiffColumn { name: "<b>name".to_owned(), before: true, after: true, is_key: false, differs: true }];
        let row = DiffRow {
            change: RowChange::Updated,
            row: Some(7),
            follows: true,
            key: Value::Null,
            before: Some(vec![json!("<script>alert('x')</script>")]),
            after: Some(vec![json!("a & \"b\"")]),
        };
        let mut text = head(&columns);
        push(&mut text, &columns, &row);
        assert!(text.contains("&lt;b&gt;name</th>"));
        assert!(text.contains(
            "<tr class=\"diff-updated\"><th scope=\"row\">changed</th><td>7</td><td class=\"diff-cell-changed\">\
             <span class=\"diff-word\">was</span> <del dir=\"auto\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</del> \
             <span class=\"diff-word\">now</span> <ins dir=\"auto\">a &amp; &quot;b&quot;</ins></td></tr>"
        ));
    }
}
