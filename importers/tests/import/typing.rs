//! Cells as values.

use serde_json::json;

use crate::harness::{import, opportunities, organizations, schema};

#[test]
fn identifiers_telephones_and_postcodes_stay_byte_for_byte() {
    let imported = organizations(
        "identifier,name,phone,postcode,registration_number\n1E5,One,+34 600 123 456,02138,00525.0\n007,Two,TBC,E2 0DP,1/2/2024\n",
    );
    assert_eq!(imported.values("identifier"), ["1E5", "007"]);
    assert_eq!(imported.values("phone"), ["+34 600 123 456", "TBC"]);
    assert_eq!(imported.values("postcode"), ["02138", "E2 0DP"]);
    assert_eq!(imported.values("registration_number"), ["00525.0", "1/2/2024"]);
}

#[test]
fn one_day_that_fits_one_reading_decides_the_column_of_dates() {
    let imported = organizations(
        "identifier,name,founded_on\n1,One,3/4/2024\n2,Two,25/4/2024\n3,Three,31/02/2024\n4,Four,2024-04-03T10:00\n",
    );
    assert_eq!(imported.values("founded_on"), ["2024-04-03", "2024-04-25", "2024-04-03"]);
    let problem = imported.problems()[0];
    assert_eq!((problem.row, &*problem.code, problem.suggestion.as_deref()), (4, "type-error", Some("29/02/2024")));
    assert!(problem.message.contains("is not a day in the calendar"));
}

#[test]
fn a_country_may_be_called_by_any_of_its_names() {
    let imported = organizations(
        "identifier,name,country\n1,a,España\n2,b,UK\n3,c,Scotland\n4,d,usa\n5,e,Schweiz\n6,f,es\n7,g,Untied States\n",
    );
    assert_eq!(imported.values("country"), ["ES", "GB", "GB", "US", "CH", "ES"]);
    assert_eq!(imported.codes(), [(8, "constraint-error")]);
}

#[test]
fn a_web_address_is_given_the_scheme_that_people_leave_away() {
    let imported = organizations(
        "identifier,name,website\n1,a,funerals.example.coop\n2,b,http://example.coop \n3,c,www.example.coop/shop\n",
    );
    assert_eq!(
        imported.values("website"),
        ["https://funerals.example.coop", "http://example.coop", "https://www.example.coop/shop"]
    );
}

#[test]
fn amounts_lose_their_currency_and_keep_their_digits() {
    let imported = opportunities(
        "reference;title;salary_min\n1;a;1.234,50 €\n2;b;€ 9,99\n3;c;12\n4;d;0,12345678901234567890123\n5;e;a lot\n",
    );
    assert_eq!(imported.values("salary_min"), [json!(1234.5), json!(9.99), json!(12)]);
    assert_eq!(imported.codes(), [(5, "type-error"), (6, "type-error")]);
}

#[test]
fn thousands_may_be_set_apart_as_in_any_country() {
    let imported = organizations(
        "identifier;name;Members\n1;a;1 234\n2;b;1\u{a0}234\n3;c;1\u{202f}234\n4;d;1'234\n5;e;1’234\n6;f;1.234\n7;g;12,0\n8;h;1 23\n",
    );
    assert_eq!(
        imported.values("member_count"),
        [json!(1234), json!(1234), json!(1234), json!(1234), json!(1234), json!(1234), json!(12)]
    );
    assert_eq!(imported.codes(), [(9, "type-error")]);
}

#[test]
fn yes_and_no_are_understood_in_six_languages() {
    let schema = schema("membership");
    for (yes, no) in
        [("yes", "no"), ("Sí", "No"), ("OUI", "NON"), ("Sim", "Não"), ("Cert", "Fals"), ("Ja", "Nein"), ("WAHR", "FALSCH")]
    {
        let imported = import("list.csv", format!("member_id,consent_directory\n1,{yes}\n2,{no}\n"), &schema);
        assert_eq!(imported.values("consent_directory"), [json!(true), json!(false)], "{yes}");
    }
}

#[test]
fn a_whole_number_may_be_written_with_decimals() {
    let imported = organizations("identifier,name,Members\n1,a,12.0\n2,b,12.5\n");
    assert_eq!(imported.values("member_count"), [json!(12)]);
    assert_eq!(imported.codes(), [(3, "type-error")]);
}

#[test]
fn yes_and_no_are_understood_in_any_mixture() {
    let schema = schema("membership");
    let text = "member_id,consent_directory\n1,Sí\n2,no\n3,x\n4,FALSE\n5,perhaps\n";
    let imported = import("list.csv", text, &schema);
    assert_eq!(imported.values("consent_directory"), [json!(true), json!(false), json!(true), json!(false)]);
    assert_eq!(imported.codes(), [(6, "type-error")]);
}

#[test]
fn white_space_around_a_value_goes_and_inside_stays() {
    let imported = organizations("identifier,name\n\u{feff}A1\u{a0},\"  Two  words \n\"\n");
    assert_eq!(imported.values("identifier"), ["A1"]);
    assert_eq!(imported.values("name"), ["Two  words"]);
}

#[test]
fn what_the_schema_forbids_is_a_problem_with_its_cell() {
    let imported = organizations("identifier,name,email,latitude\n1,a,nobody,95\n");
    let problems: Vec<_> =
        imported.problems().iter().map(|problem| (problem.column.as_deref(), problem.value.as_deref())).collect();
    assert!(problems.contains(&(Some("C"), Some("nobody"))));
    assert!(problems.contains(&(Some("D"), Some("95"))));
}

#[test]
fn a_zero_byte_costs_its_row() {
    let imported = organizations("identifier,name\nA1,O\0ne\nA2,Two\n");
    assert_eq!(imported.codes(), [(2, "constraint-error")]);
    assert_eq!(imported.ready().len(), 1);
}
