//! What holds for every file.

use hayward_importers::{DraftRow, HeldSource, Matching, csv_plain, csv_safe, draft, profile, suggest};
use proptest::prelude::*;

use crate::harness::schema;

/// Reads a file all the way; the numbers of its rows, if it is one.
fn rows_of(name: &str, bytes: &[u8]) -> Option<Vec<u64>> {
    let schema = schema("organization");
    let source = HeldSource::new(name, bytes);
    let profile = profile(&source).ok()?;
    let matching = Matching::from_columns(&suggest(&profile, &schema, None));
    let rows = draft(&source, &profile, &schema, &matching).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(rows.len() as u64, profile.rows);
    let number = |row: &DraftRow| match row {
        DraftRow::Ready(ready) => ready.row,
        DraftRow::Rejected { row, .. } | DraftRow::Duplicate { row, .. } | DraftRow::Blank { row } => *row,
    };
    Some(rows.iter().map(number).collect())
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 áéñ]{0,8}",
        "[,;\"\n\r\t|'= ]{0,5}",
        Just(String::new()),
        Just("31/02/2024".to_owned()),
        Just("1,234".to_owned()),
        Just("España".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_row_of_any_table_is_accounted_for(rows in prop::collection::vec(prop::collection::vec(cell(), 4), 0..12)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["identifier", "name", "founded_on", "country"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let numbers = rows_of("list.csv", &writer.into_inner().unwrap()).unwrap();
        let expected: Vec<u64> = (2..).take(rows.len()).collect();
        prop_assert_eq!(numbers, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), name in "list\\.(csv|json|ndjson|txt)") {
        let _ = rows_of(&name, &bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}\",:;\n\r\\\\a-c0-2 \u{0}é]{0,200}", name in "list\\.(csv|json|ndjson|txt)") {
        let _ = rows_of(&name, text.as_bytes());
        let _ = rows_of(&name, format!("identifier,name\n{text}").as_bytes());
        let _ = rows_of(&name, format!("[{{\"identifier\":\"1\"}},{text}]").as_bytes());
    }

    #[test]
    fn an_export_comes_back_as_it_was(cell in "\\PC{0,40}|['=+@\t\r-]{0,4}") {
        let safe = csv_safe(&cell);
        prop_assert_eq!(csv_plain(&safe), cell.as_str());
    }

    #[test]
    fn text_comes_back_from_a_file_as_it_was(cells in prop::collection::vec("[ -~¡-ÿ\n]{1,30}", 1..8)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["identifier", "name"]).unwrap();
        for (at, cell) in cells.iter().enumerate() {
            writer.write_record([at.to_string().as_str(), &*csv_safe(cell.trim())]).unwrap();
        }
        let schema = schema("organization");
        let source = HeldSource::new("list.csv", writer.into_inner().unwrap());
        let profile = profile(&source).unwrap();
        let matching = Matching::from_columns(&suggest(&profile, &schema, None));
        for (row, cell) in draft(&source, &profile, &schema, &matching).unwrap().zip(&cells) {
            let row = row.unwrap();
            let ready = if let DraftRow::Ready(ready) = &row { Some(ready) } else { None };
            let name = ready.unwrap().record.fields.iter().find(|(name, _)| name.as_str() == "name");
            let name = name.map(|(_, value)| value.clone()).unwrap_or_default();
            prop_assert_eq!(name.as_str().unwrap_or_default(), cell.trim());
        }
    }
}
