//! The marked list goes out with the sentences in front and comes back as what it was.

use hayward_importers::{
    Decision, DraftRow, Fix, Grid, HeldSource, Marked, MarkedFormat, Matching, Overrules, Problem, Refusal, Unmarked, Unwritten,
    draft, grid, profile, returned, suggest,
};

use crate::harness::{Imported, decide, import, opportunities, organizations, schema};

const BOTH: [MarkedFormat; 2] = [MarkedFormat::Csv, MarkedFormat::Xlsx];

fn name(format: MarkedFormat) -> &'static str {
    match format {
        MarkedFormat::Csv => "marked.csv",
        MarkedFormat::Xlsx => "marked.xlsx",
    }
}

fn write(imported: &Imported, problems: &[Problem], count: u64, format: MarkedFormat, of: &str) -> Result<Vec<u8>, Unmarked> {
    let (schema, mut bytes) = (schema(of), Vec::new());
    let Imported { source, profile, matching, .. } = imported;
    let list = Marked { source, profile, schema: &schema, matching };
    list.write(problems.iter().cloned().map(Ok::<_, Unmarked>), count, format, &mut bytes).map(|()| bytes)
}

fn all_problems(imported: &Imported) -> Vec<Problem> {
    let of_row = |row: &DraftRow| match row {
        DraftRow::Ready(ready) => ready.missing.values().chain(&ready.warnings).cloned().collect(),
        DraftRow::Rejected { problems, .. } => problems.clone(),
        DraftRow::Duplicate { .. } | DraftRow::Blank { .. } => Vec::new(),
    };
    imported.rows.iter().flat_map(of_row).collect()
}

fn marked(imported: &Imported, format: MarkedFormat, of: &str) -> Vec<u8> {
    let problems = all_problems(imported);
    write(imported, &problems, problems.len() as u64, format, of).unwrap()
}

/// The list read again, with what was decided about the file it was made of.
fn come_back(imported: &Imported, bytes: Vec<u8>, format: MarkedFormat, of: &str) -> Imported {
    let source = HeldSource::new(name(format), bytes);
    let headings = returned(&source, &Overrules::default()).unwrap().unwrap();
    assert_eq!(headings, imported.profile.own_headings(&imported.matching));
    let (profile, schema) = (profile(&source).unwrap(), schema(of));
    let carried = imported.matching.for_marked(&imported.profile);
    let columns = suggest(&profile, &schema, Some(&carried));
    let matching = Matching { columns: Matching::from_columns(&columns).columns, ..carried };
    matching.validate(&profile, &schema).unwrap();
    let rows = draft(&source, &profile, &schema, &matching).unwrap().map(Result::unwrap).collect();
    Imported { source, profile, columns, matching, rows, schema }
}

/// What a row comes to, wherever it stands.
fn outcome(row: &DraftRow) -> String {
    match row {
        DraftRow::Ready(ready) => format!("{} {}", ready.key, ready.record.to_body()),
        DraftRow::Rejected { problems, .. } => {
            let of = |problem: &Problem| format!("{:?} {} {:?}", problem.header, problem.code, problem.value);
            problems.iter().map(of).collect::<Vec<_>>().join("; ")
        }
        DraftRow::Duplicate { .. } => "again".to_owned(),
        DraftRow::Blank { .. } => "blank".to_owned(),
    }
}

fn comes_to_the_same(imported: &Imported, of: &str) {
    let before: Vec<String> = imported.rows.iter().map(outcome).collect();
    for format in BOTH {
        let again = come_back(imported, marked(imported, format, of), format, of);
        assert_eq!(again.rows.iter().map(outcome).collect::<Vec<_>>(), before, "{format:?}");
        assert_eq!(again.columns[0].field, Some(Decision::LeaveOut));
        assert!(again.columns[0].reason.contains("when the list was marked"));
        // And the list of the list has one column of sentences, not two.
        let twice = come_back(&again, marked(&again, format, of), format, of);
        assert_eq!(twice.rows.iter().map(outcome).collect::<Vec<_>>(), before, "{format:?}");
        assert_eq!(twice.columns.len(), again.columns.len());
    }
}

fn text(grid: Grid) -> Vec<Vec<String>> {
    grid.map(|row| row.unwrap().1).collect()
}

const FILE: &str = "Members,,,\n\nidentifier,name,country,Notes\nA1,One,ES,=1+1\nA2,,Untied States,'+34600\n,,,\nA3,Three,FR,\n";

#[test]
fn sentences_stand_in_front_of_the_rows_they_are_about() {
    let mut imported = organizations(FILE);
    imported = imported.decided(|matching| decide(matching, "Notes").field = Some(Decision::Private));
    let list = String::from_utf8(marked(&imported, MarkedFormat::Csv, "organization")).unwrap();
    let problem = "! country: is not a country, by name or by ISO 3166-1 code; did you mean `United States`?";
    let expected = [
        "problems,identifier,name,country,Notes",
        ",A1,One,ES,'=1+1",
        &format!("\"{problem}\",A2,,Untied States,'+34600"),
        ",,,,",
        ",A3,Three,FR,",
        "",
    ];
    assert_eq!(list, expected.join("\r\n"));
    let book = marked(&imported, MarkedFormat::Xlsx, "organization");
    let source = HeldSource::new("marked.xlsx", book);
    let rows = text(grid(&source, &profile(&source).unwrap()).unwrap());
    assert_eq!(rows[0], ["problems", "identifier", "name", "country", "Notes"]);
    assert_eq!(rows[2][1..], ["A2", "", "Untied States", "+34600"]);
    assert_eq!(rows[2][0], problem);
    comes_to_the_same(&imported, "organization");
}

#[test]
fn a_list_that_nobody_touched_comes_to_what_it_came_to() {
    let texts = ["007", "1E5", "'apostrophe", "''=twice", "-5", "@x", "é ü 漢", "12345678901234567890", "_x0041_", "#N/A", "="];
    let lines = texts.iter().enumerate().map(|(at, text)| format!("K{at},\"{text}\",\"{text}\nand more\",\"{text}\",no day\n"));
    let file = lines.fold("identifier,name,description,Own,founded_on\n".to_owned(), |file, line| file + &line);
    let imported = organizations(file).decided(|matching| decide(matching, "Own").field = Some(Decision::Private));
    assert_eq!(
        imported.problems().len(),
        texts.len() + 1,
        "every row has a wrong day, and the error of a formula is wrong as well"
    );
    comes_to_the_same(&imported, "organization");
}

#[test]
fn numbers_keep_their_mark_and_lists_their_text() {
    let file = r#"[{"reference": "A1", "title": "One", "salary_min": 1.234, "description": ["a", "b"], "closes_on": "2024-02-01", "remote": {"x": true}},
        {"reference": "A2", "title": "Two", "salary_min": "12,5", "description": 1.50, "closes_on": "soon", "remote": 1e3},
        {"reference": "A3", "title": "Three", "salary_min": 9007199254740993, "closes_on": "2024-02-30"}, 7]"#;
    let imported = import("list.json", file, &schema("opportunity"));
    let imported = imported.decided(|matching| {
        for decision in matching.columns.iter_mut().filter(|decision| decision.field.is_none()) {
            decision.field = Some(Decision::Private);
        }
    });
    assert!(matches!(imported.rows[3], DraftRow::Rejected { .. }));
    let before: Vec<String> = imported.rows.iter().take(3).map(outcome).collect();
    for format in BOTH {
        let again = come_back(&imported, marked(&imported, format, "opportunity"), format, "opportunity");
        assert_eq!(again.rows.iter().take(3).map(outcome).collect::<Vec<_>>(), before, "{format:?}");
        // What could not be read cannot be written either; its row says so, and is none when it comes back.
        assert_eq!(again.rows[3], DraftRow::Blank { row: 5 });
    }
}

#[test]
fn cells_without_a_heading_stay_where_they_are() {
    let imported = organizations("identifier,name,\nA1,One,,stray\nA2,Two\n");
    let list = String::from_utf8(marked(&imported, MarkedFormat::Csv, "organization")).unwrap();
    let line = list.lines().nth(1).unwrap();
    assert_eq!(line, "! column D: stands to the right of the last column with a heading,A1,One,,stray");
    assert_eq!(list.lines().nth(2).unwrap(), ",A2,Two,");
    comes_to_the_same(&imported, "organization");
}

#[test]
fn a_row_that_was_put_right_goes_in() {
    let imported = organizations(FILE);
    let list = String::from_utf8(marked(&imported, MarkedFormat::Csv, "organization")).unwrap();
    let fixed = list.replace("A2,,Untied States", "A2,Two,US");
    let again = come_back(&imported, fixed.into_bytes(), MarkedFormat::Csv, "organization");
    assert_eq!(again.ready().len(), 3);
    assert_eq!(again.profile.rows, 4);
    // Somebody may take sentences out as they go, all of them in the end.
    let cleared = list.lines().map(|line| format!("{}\n", line.trim_start_matches(|letter| letter != ','))).collect::<String>();
    let cleared = cleared.replacen("\n", "\n,A9,Nine,ES,\n", 1).replacen(",identifier", "problems,identifier", 1);
    let again = come_back(&imported, cleared.into_bytes(), MarkedFormat::Csv, "organization");
    assert_eq!(again.columns[0].field, Some(Decision::LeaveOut));
}

#[test]
fn what_is_not_shown_is_said() {
    let imported = organizations("identifier,country\nA1,Nowhere\nA2,Nowhere\nA3,Nowhere\n");
    let problems = all_problems(&imported);
    for format in BOTH {
        let list = write(&imported, &problems[..1], problems.len() as u64, format, "organization").unwrap();
        let source = HeldSource::new(name(format), list.clone());
        let rows = text(grid(&source, &profile(&source).unwrap()).unwrap());
        let more = problems.len() - 1;
        let words = format!("! {more} more problems are not shown here: put these right and upload the list again");
        assert_eq!(rows.last().unwrap()[0], words);
        let again = come_back(&imported, list, format, "organization");
        assert_eq!(*again.rows.last().unwrap(), DraftRow::Blank { row: 5 });
    }
}

#[test]
fn problems_of_other_rows_are_never_lost_in_silence() {
    let imported = organizations("identifier,country\nA1,Nowhere\nA2,Nowhere\n");
    let mut problems = all_problems(&imported);
    problems.reverse();
    let changed = write(&imported, &problems, 2, MarkedFormat::Csv, "organization");
    assert!(matches!(changed, Err(Unmarked::Refused(Refusal::Changed))));
    problems.reverse();
    problems.last_mut().unwrap().row = 99;
    let changed = write(&imported, &problems, 2, MarkedFormat::Csv, "organization");
    assert!(matches!(changed, Err(Unmarked::Refused(Refusal::Changed))));
}

#[test]
fn a_cell_that_no_workbook_can_hold_is_refused_and_not_cut() {
    let long = "x".repeat(40_000);
    let imported = opportunities(format!("reference,title,description\nA1,One,{long}\n"));
    let refused = write(&imported, &[], 0, MarkedFormat::Xlsx, "opportunity");
    assert!(matches!(refused, Err(Unmarked::Unwritten(Unwritten::TooLarge(why))) if why.contains("row 2")));
    let list = write(&imported, &[], 0, MarkedFormat::Csv, "opportunity").unwrap();
    assert!(String::from_utf8(list).unwrap().contains(&long));
}

#[test]
fn a_column_of_somebodys_own_is_never_taken_for_marks() {
    let is_ours = |file: &str| returned(&HeldSource::new("list.csv", file.as_bytes()), &Overrules::default()).unwrap().is_some();
    assert!(is_ours("problems,identifier\n! Name: is missing,A1\n,A2\n"));
    assert!(is_ours("problems,identifier\n,A1\n"));
    // A word of somebody's own, another place, another heading.
    assert!(!is_ours("problems,identifier\n! Name: is missing,A1\nroof leaks,A2\n"));
    assert!(!is_ours("problems,identifier\n!,A1\n!!,A2\n"));
    assert!(!is_ours("identifier,problems\nA1,! Name: is missing\n"));
    assert!(!is_ours("Problems,identifier\n! Name: is missing,A1\n"));
    let of = |file: &str, previous: Option<&Matching>| {
        let profile = profile(&HeldSource::new("list.csv", file.as_bytes())).unwrap();
        suggest(&profile, &schema("organization"), previous)[0].field.clone()
    };
    assert_eq!(of("problems,identifier\nroof leaks,A1\n", None), None);
    // A column that nobody has filled yet may be filled next month.
    assert_eq!(of("problems,identifier\n,A1\n", None), None);
    let marks = organizations("problems,identifier\n! x,A1\n");
    assert_eq!(marks.columns[0].field, Some(Decision::LeaveOut));
    assert_eq!(of("problems,identifier\nroof leaks,A1\n", Some(&marks.matching)), None);
    assert_eq!(of("problems,identifier\n,A1\n", Some(&marks.matching)), Some(Decision::LeaveOut), "which loses nothing");
    // A person may say that it is theirs.
    let kept = marks.decided(|matching| decide(matching, "problems").field = Some(Decision::Private));
    assert_eq!(kept.ready()[0].record.private["problems"], "! x");
}

#[test]
fn corrected_cells_are_shown_as_corrected() {
    let imported = organizations("identifier,name,country\nA1,One,Untied States\nA2,Two,Nowhere\nA3,,Nowhere\n");
    let fix = |row, from: Option<&str>, to: &str| Fix {
        column: "C".to_owned(),
        from: from.map(str::to_owned),
        row,
        to: Some(to.to_owned()),
    };
    let imported = imported.decided(|matching| {
        matching.amend(vec![fix(None, Some("Untied States"), "US"), fix(Some(3), None, "=ES"), fix(Some(4), None, "FR")])
    });
    for format in BOTH {
        let bytes = marked(&imported, format, "organization");
        let source = HeldSource::new(name(format), bytes.clone());
        let rows = text(grid(&source, &profile(&source).unwrap()).unwrap());
        let apostrophe = if format == MarkedFormat::Csv { "'" } else { "" };
        assert_eq!([&rows[1][3], &rows[2][3], &rows[3][3]], ["US", &format!("{apostrophe}=ES"), "FR"]);
        let again = come_back(&imported, bytes, format, "organization");
        assert!(again.matching.fixes.is_empty());
        assert_eq!(again.rows.iter().map(outcome).collect::<Vec<_>>(), imported.rows.iter().map(outcome).collect::<Vec<_>>());
    }
}
