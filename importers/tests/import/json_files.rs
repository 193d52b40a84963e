//! JSON: an array, a single object, or one object a line.

use hayward_importers::{DraftRow, Format};
use serde_json::json;

use crate::harness::{Imported, import, schema, try_import};

fn json_file(text: &str) -> Imported {
    import("list.json", text, &schema("organization"))
}

fn lines(text: &str) -> Imported {
    import("list.ndjson", text, &schema("organization"))
}

fn refused(text: &str) -> (&'static str, Option<u64>) {
    let refusal = try_import("list.json", text, &schema("organization")).err().unwrap();
    (refusal.code(), refusal.row())
}

#[test]
fn an_array_and_lines_are_the_same_rows() {
    let array =
        json_file("[{\"identifier\":\"A1\",\"name\":\"One\"},\n {\"identifier\":\"A2\",\"name\":\"Two\",\"latitude\":41.9}]");
    let lines = lines("{\"identifier\":\"A1\",\"name\":\"One\"}\n{\"identifier\":\"A2\",\"name\":\"Two\",\"latitude\":41.9}\n");
    assert_eq!((array.profile.reading.format, lines.profile.reading.format), (Format::Json, Format::Ndjson));
    assert_eq!(array.rows, lines.rows);
    assert_eq!(array.ready()[0].row, 2);
    assert_eq!(array.values("latitude"), [json!(null), json!(41.9)]);
}

#[test]
fn the_format_is_found_without_a_name() {
    for (text, format) in [
        ("[{\"identifier\":\"A1\",\"name\":\"One\"}]", Format::Json),
        ("{\"identifier\":\"A1\",\"name\":\"One\"}\n{\"identifier\":\"A2\",\"name\":\"Two\"}", Format::Ndjson),
        ("{\n  \"identifier\": \"A1\",\n  \"name\": \"One\"\n}\n", Format::Json),
    ] {
        let imported = import("upload", text, &schema("organization"));
        assert_eq!(imported.profile.reading.format, format);
        assert_eq!(imported.values("name")[0], "One");
    }
}

#[test]
fn what_is_nested_stands_in_columns_of_its_own() {
    let text = r#"[{"identifier":"A1","name":"One","geolocation":{"lat":41.9,"lon":2.25},"activities":["bread","beer",3],
        "urls":[{"name":"shop","url":"x"}]}]"#;
    let imported = json_file(text);
    let headers: Vec<_> = imported.columns.iter().map(|column| column.header.as_str()).collect();
    assert_eq!(
        headers,
        ["identifier", "name", "geolocation.lat", "geolocation.lon", "activities", "urls[0].name", "urls[0].url"]
    );
    assert_eq!(imported.values("latitude"), [json!(41.9)]);
    assert_eq!(imported.values("activities"), ["bread; beer; 3"]);
}

#[test]
fn an_object_where_a_value_belongs_is_a_problem_of_its_row() {
    let text =
        r#"[{"identifier":"A1","name":"One"},{"identifier":"A2","name":{"en":"Two"}},{"identifier":["A3"],"name":"Three"}]"#;
    let imported = json_file(text);
    assert_eq!(imported.codes(), [(3, "type-error")]);
    assert_eq!(imported.values("identifier"), ["A1", "A3"]);
}

#[test]
fn a_scalar_keeps_its_type() {
    let text = r#"[{"identifier":17,"name":"One","latitude":"41.9","founded_on":20240131,"member_count":12.0},
        {"identifier":"A2","name":"Two","latitude":true}]"#;
    let imported = json_file(text);
    assert_eq!(imported.values("identifier"), ["17"]);
    assert_eq!(imported.values("founded_on"), ["2024-01-31"]);
    assert_eq!(imported.values("member_count"), [json!(12)]);
    assert_eq!(imported.codes(), [(3, "type-error")]);
}

#[test]
fn null_and_absent_are_blank() {
    let imported = lines(
        "{\"identifier\":\"A1\",\"name\":\"One\",\"city\":null}\n\n{}\n{\"identifier\":\"A2\",\"name\":\"Two\",\"city\":[]}\n",
    );
    assert_eq!(imported.rows[1], DraftRow::Blank { row: 3 });
    assert_eq!(imported.rows[2], DraftRow::Blank { row: 4 });
    assert_eq!(imported.ready()[1].record.fields.len(), 2);
}

#[test]
fn a_broken_line_costs_its_row_only() {
    let good = r#"{"identifier":"A1","name":"One"}"#;
    for bad in [
        r#"{"identifier":"A2","name":"Two""#,
        r#"{"identifier":"A2","name":NaN}"#,
        r#"{"identifier":"A2","name":"\ud800"}"#,
        r#"{"identifier":"A2","identifier":"A3"}"#,
        r#"{"identifier":"A2","na\u006de":"x","name":"y"}"#,
        r#"["A2"]"#,
        "17",
    ] {
        let imported = lines(&format!("{good}\n{bad}\n{}\n", good.replace("A1", "A9")));
        assert_eq!(imported.codes(), [(3, "json-error")], "{bad}");
        assert_eq!(imported.ready().len(), 2, "{bad}");
    }
}

#[test]
fn a_number_that_cannot_be_kept_is_a_problem_of_its_cell() {
    let text = r#"[{"identifier":"A1","name":"One","latitude":1e999},{"identifier":"A2","name":"Two","latitude":1.00000000000000000001}]"#;
    assert_eq!(json_file(text).codes(), [(2, "type-error"), (3, "type-error")]);
}

#[test]
fn an_array_whose_records_cannot_be_told_apart_is_refused() {
    assert_eq!(refused(r#"[{"identifier":"A1"},{"identifier":"#), ("json-error", Some(3)));
    assert_eq!(refused(r#"[{"identifier":"A1"} {"identifier":"A2"}]"#), ("json-error", Some(3)));
    assert_eq!(refused(r#"[{"identifier":"A1"},]"#), ("json-error", Some(3)));
    assert_eq!(refused(r#"[{"identifier":"A1"}] more"#), ("json-error", Some(3)));
    assert_eq!(refused("17"), ("json-error", Some(2)));
    assert_eq!(refused("   "), ("empty-file", None));
}

#[test]
fn deep_nesting_costs_its_row_and_nothing_else() {
    let bomb = format!("{{\"identifier\":\"A2\",\"name\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!("[{{\"identifier\":\"A1\",\"name\":\"One\"}},{bomb}]");
    let imported = json_file(&text);
    assert_eq!(imported.codes(), [(3, "json-error")]);
}
