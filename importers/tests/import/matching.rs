//! Which column goes where, and what is asked.

use hayward_domain::schema::FieldName;
use hayward_importers::{
    Absent, Blank, Column, DateOrder, DecimalMark, Decision, HeldSource, Matching, Question, Serials, profile, suggest,
};
use serde_json::json;

use crate::harness::{Imported, decide, field_of, import, opportunities, organizations, schema};

fn decided(imported: &Imported) -> Vec<Option<&str>> {
    imported.columns.iter().map(field_of).collect()
}

#[test]
fn a_heading_that_is_a_name_of_a_field_decides() {
    let imported = organizations("CUK Organisation ID,nombre,POST-CODE,Correo electrónico\n1,One,08500,a@b.example\n");
    assert_eq!(decided(&imported), [Some("identifier"), Some("name"), Some("postcode"), Some("email")]);
    assert!(imported.columns.iter().all(|column| column.confidence >= 0.9));
}

#[test]
fn a_heading_that_is_only_close_is_a_suggestion() {
    let imported = organizations("identifier,name,Telefone number,Headquarters city\n1,One,+34 600 123 456,Vic\n");
    assert_eq!(decided(&imported), [Some("identifier"), Some("name"), None, None]);
    let suggestions: Vec<_> = imported.columns.iter().map(|column| column.suggestion.as_ref().map(FieldName::as_str)).collect();
    assert_eq!(suggestions, [None, None, Some("phone"), Some("city")]);
    assert!(imported.columns.iter().skip(2).all(|column| column.confidence < 0.9));
}

#[test]
fn values_without_a_telling_heading_are_a_suggestion() {
    let imported = organizations("identifier,name,zzz\n1,One,a@b.example\n2,Two,c@d.example\n");
    let column = imported.column("zzz");
    assert_eq!(column.suggestion.as_ref().map(FieldName::as_str), Some("email"));
    assert_eq!(column.reason, "2 of 2 values look like e-mail addresses");
}

#[test]
fn two_columns_never_go_to_one_field() {
    let imported = organizations("identifier,Trading name,name\n1,Trade,One\n");
    assert_eq!(decided(&imported), [Some("identifier"), None, Some("name")]);
    assert!(imported.columns[1].reason.contains("`name`"));
}

#[test]
fn the_last_matching_is_applied_by_heading_and_not_by_position() {
    let first = organizations("Code X,Called,Wifi password\n1,One,secret\n").decided(|matching| {
        decide(matching, "Code X").field = Some(Decision::Field(FieldName::parse("identifier").unwrap()));
        decide(matching, "Called").field = Some(Decision::Field(FieldName::parse("name").unwrap()));
        decide(matching, "Wifi password").field = Some(Decision::LeaveOut);
    });
    let next = organizations("New,Wifi password,Called,Code X\n9,secret,One,1\n");
    let columns = suggest(&next.profile, &schema("organization"), Some(&first.matching));
    assert_eq!(columns.iter().map(field_of).collect::<Vec<_>>(), [None, None, Some("name"), Some("identifier")]);
    assert_eq!(columns[1].field, Some(Decision::LeaveOut));
    assert_eq!((columns[2].confidence, columns[2].reason.as_str()), (1.0, "same as last time"));
}

#[test]
fn ambiguous_dates_are_asked_about_and_the_answer_is_obeyed() {
    let imported = opportunities("reference,title,opens_on\n1,One,03/04/2024\n2,Two,05/06/2024\n");
    let column = imported.column("opens_on");
    assert_eq!((&column.field, column.suggestion.as_ref().map(FieldName::as_str)), (&None, Some("opens_on")));
    assert_eq!(
        serde_json::to_value(&column.question).unwrap(),
        json!({"about": "dates", "example": "03/04/2024", "choices": [
            {"answer": "dmy", "reads": "2024-04-03"}, {"answer": "mdy", "reads": "2024-03-04"},
        ]})
    );
    assert_eq!(imported.ready()[0].record.private["opens_on"], "03/04/2024");
    let field = Some(Decision::Field(FieldName::parse("opens_on").unwrap()));
    let unanswered = imported.decided(|matching| decide(matching, "opens_on").field = field);
    assert_eq!(unanswered.matching.undecided(&unanswered.profile, &schema("opportunity")).len(), 1);
    let answered = unanswered.decided(|matching| decide(matching, "opens_on").dates = Some(DateOrder::Mdy));
    assert!(answered.matching.undecided(&answered.profile, &schema("opportunity")).is_empty());
    assert_eq!(answered.values("opens_on"), ["2024-03-04", "2024-05-06"]);
}

#[test]
fn a_century_is_asked_about_once_the_order_is_known() {
    let imported = opportunities("reference,title,opens_on\n1,One,03/04/24\n2,Two,05/06/31\n");
    let question = |imported: &Imported| {
        let columns = imported.matching.columns(&imported.profile, &schema("opportunity"));
        serde_json::to_value(&columns[2].question).unwrap()
    };
    assert_eq!(imported.column("opens_on").field, None);
    assert_eq!(question(&imported)["choices"][1], json!({"answer": "mdy", "reads": "2024-03-04"}));
    let ordered = imported.decided(|matching| decide(matching, "opens_on").dates = Some(DateOrder::Dmy));
    assert_eq!(
        question(&ordered),
        json!({"about": "years", "example": "03/04/24", "choices": [
            {"answer": 2029, "reads": "2024-04-03"}, {"answer": 1999, "reads": "1924-04-03"},
        ]})
    );
    let field = Some(Decision::Field(FieldName::parse("opens_on").unwrap()));
    let answered = ordered.decided(|matching| {
        let column = decide(matching, "opens_on");
        (column.field, column.years) = (field, Some(2049));
    });
    assert_eq!(question(&answered), json!(null));
    assert_eq!(answered.values("opens_on"), ["2024-04-03", "2031-06-05"]);
}

#[test]
fn days_that_a_spreadsheet_counted_are_asked_about() {
    let imported = organizations("identifier,name,founded_on\n1,One,45385\n2,Two,2024-01-31\n");
    assert_eq!(
        serde_json::to_value(&imported.column("founded_on").question).unwrap(),
        json!({"about": "serials", "example": "45385", "choices": [
            {"answer": 1900, "reads": "2024-04-03"}, {"answer": 1904, "reads": "2028-04-04"},
        ]})
    );
    let field = Some(Decision::Field(FieldName::parse("founded_on").unwrap()));
    let answered = imported.decided(|matching| {
        let column = decide(matching, "founded_on");
        (column.field, column.serials) = (field, Some(Serials::From1900));
    });
    assert_eq!(answered.values("founded_on"), ["2024-04-03", "2024-01-31"]);
    // One among many days is rather a mistake: a problem of its cell, with what it may mean.
    let days: String = (1..20).map(|day| format!("{day},x,2024-01-31\n")).collect();
    let imported = organizations(format!("identifier,name,founded_on\n{days}99,x,45385\n"));
    assert_eq!(imported.column("founded_on").question, None);
    assert_eq!((imported.codes(), imported.problems()[0].suggestion.as_deref()), (vec![(21, "type-error")], Some("2024-04-03")));
}

#[test]
fn ambiguous_numbers_are_asked_about() {
    let imported = opportunities("reference;title;salary_min\n1;One;1,234\n2;Two;2,500\n");
    assert!(imported.column("salary_min").question.is_some());
    let field = Some(Decision::Field(FieldName::parse("salary_min").unwrap()));
    let answered = imported.decided(|matching| {
        decide(matching, "salary_min").field = field;
        decide(matching, "salary_min").numbers = Some(DecimalMark::Point);
    });
    assert_eq!(answered.values("salary_min"), [1234, 2500]);
}

#[test]
fn a_column_that_says_itself_how_it_is_read_is_not_asked_about() {
    let imported = opportunities("reference;title;salary_min;opens_on\n1;One;9,99;03/04/2024\n2;Two;1.234,56;25/04/2024\n");
    assert_eq!(imported.values("salary_min"), [9.99, 1234.56]);
    assert_eq!(imported.values("opens_on"), ["2024-04-03", "2024-04-25"]);
}

#[test]
fn an_empty_column_is_left_out_by_itself() {
    let imported = organizations("identifier,,name,Empty\n1,,One,\n");
    assert_eq!(imported.columns[1].field, Some(Decision::LeaveOut));
    assert_eq!(imported.columns[3].field, None);
}

#[test]
fn a_matching_is_read_as_the_contract_writes_it() {
    let body = json!({"columns": [
        {"column": "A", "header": "ID", "field": "identifier"}, {"column": "B", "header": "x", "field": {"private": true}},
        {"column": "C", "header": "y", "field": {"leave_out": true}}, {"column": "D", "header": "z", "field": null, "dates": "dmy"},
    ], "key": ["identifier"], "absent": "delete", "blank": "clear"});
    let matching: Matching = serde_json::from_value(body.clone()).unwrap();
    assert_eq!((matching.absent, matching.blank), (Absent::Delete, Blank::Clear));
    assert_eq!(serde_json::to_value(&matching).unwrap(), body);
    let least: Matching = serde_json::from_value(json!({"columns": []})).unwrap();
    assert_eq!(least, Matching::default());
    for wrong in
        [json!({}), json!({"columns": [], "keys": []}), json!({"columns": [{"column": "A", "header": "x", "samples": []}]})]
    {
        assert!(serde_json::from_value::<Matching>(wrong).is_err());
    }
}

#[test]
fn a_matching_that_does_not_fit_says_everything_that_is_wrong() {
    let imported = organizations("identifier,name\n1,One\n");
    let body = json!({"columns": [
        {"column": "A", "header": "identifier", "field": "identifier"}, {"column": "A", "header": "ID", "field": "identifier"},
        {"column": "B", "header": "name", "field": "nonsense"}, {"column": "Z", "header": "name", "field": null},
    ], "key": ["name", "what"]});
    let matching: Matching = serde_json::from_value(body).unwrap();
    let faults = matching.validate(&imported.profile, &schema("organization")).unwrap_err();
    let faults: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
    assert_eq!(
        faults,
        [
            ("/columns/1/header", "header-mismatch"),
            ("/columns/1/column", "duplicate-column"),
            ("/columns/1/field", "duplicate-field"),
            ("/columns/2/field", "unknown-field"),
            ("/columns/3/column", "unknown-column"),
            ("/key/0", "unmatched-key"),
            ("/key/1", "unknown-field"),
        ]
    );
}

#[test]
fn a_key_of_ones_own_tells_records_apart() {
    let imported = organizations("identifier,name,city\n1,One,Vic\n1,One,Olot\n").decided(|matching| {
        matching.key = Some(vec!["name".to_owned(), "city".to_owned()]);
    });
    let keys: Vec<_> = imported.ready().iter().map(|ready| ready.key.as_str()).collect();
    assert_eq!(keys, [r#"["One","Vic"]"#, r#"["One","Olot"]"#]);
}

#[test]
fn a_column_has_the_words_of_the_contract() {
    let imported = organizations("identifier,name\n1,One\n");
    assert_eq!(
        serde_json::to_value(&imported.columns[0]).unwrap(),
        json!({"column": "A", "header": "identifier", "samples": ["1"], "field": "identifier", "confidence": 1.0,
            "reason": "the heading is the name of the field", "suggestion": null})
    );
    assert_eq!(
        serde_json::to_value(&imported.profile.reading).unwrap(),
        json!({"format": "csv", "encoding": "utf-8", "delimiter": ",", "header_row": 1, "sheet": null})
    );
}

#[test]
fn the_names_that_other_programs_use_are_synonyms() {
    let text =
        r#"[{"id":"1","organization":"Co","title":"One","lat":1.5,"lon":2.5,"starts_on":"2024-01-01","ends_on":"2024-02-01"}]"#;
    let imported = import("list.json", text, &schema("opportunity"));
    let fields: Vec<_> = decided(&imported).into_iter().flatten().collect();
    assert_eq!(fields, ["reference", "organization_name", "title", "latitude", "longitude", "opens_on", "closes_on"]);
    assert_eq!(imported.ready().len(), 1);
}

/// What is suggested for `second` after `first` was decided as `change` says.
fn next_month(first: &str, second: &str, change: impl FnOnce(&mut Matching)) -> Vec<Column> {
    let first = organizations(first).decided(change);
    let source = HeldSource::new("next.csv", second.as_bytes());
    suggest(&profile(&source).unwrap(), &schema("organization"), Some(&first.matching))
}

#[test]
fn equal_headings_keep_their_decisions_whoever_spoke_of_them_first() {
    let list = "identifier,name,Line,Line\n1,One,a,b\n";
    let next = next_month(list, list, |matching| {
        matching.columns[2].field = FieldName::parse("phone").map(Decision::Field);
        matching.columns[3].field = Some(Decision::Private);
        matching.columns.rotate_right(1);
    });
    assert_eq!(field_of(&next[2]), Some("phone"));
    assert_eq!(next[3].field, Some(Decision::Private));
}

#[test]
fn a_column_that_was_empty_is_not_left_out_when_it_is_filled() {
    let next = next_month("identifier,name,\n1,One,\n", "identifier,name,\n1,One,vegan\n", |_| ());
    assert_eq!(next[2].field, None);
}

#[test]
fn an_answer_that_some_values_contradict_is_asked_for_again() {
    let month = |days: &str| format!("identifier,name,founded_on\n1,One,{days}\n2,Two,05/04/2024\n");
    let american = |matching: &mut Matching| {
        matching.columns[2].field = FieldName::parse("founded_on").map(Decision::Field);
        matching.columns[2].dates = Some(DateOrder::Mdy);
    };
    let next = next_month(&month("03/04/2024"), &month("25/04/2024"), american);
    assert!(next[2].field.is_none() && matches!(next[2].question, Some(Question::Dates(_))));
    let next = next_month(&month("03/04/2024"), &month("04/25/2024"), american);
    assert_eq!(field_of(&next[2]), Some("founded_on"));
}

#[test]
fn of_two_columns_with_another_word_for_one_field_a_person_chooses() {
    let imported = import("list.csv", "Entidad,Código de entidad,indicator\nCoop,E1,x\n", &schema("measurement"));
    for header in ["Entidad", "Código de entidad"] {
        let column = imported.column(header);
        assert!(column.field.is_none() && column.confidence < 0.9, "{header}");
    }
}
