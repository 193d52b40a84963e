//! What a person said goes before what two co-ops agree on.

use hayward_tests::commons::{Commons, To};
use hayward_tests::on_both;
use serde_json::{Value, json};

const HEADING: &str = "member_id,given_name,consent_directory\n";

fn names(commons: &Commons, member: &hayward_tests::commons::Member) -> Vec<String> {
    let items = commons.list(&member.viewer, "memberships");
    let name = |item: &Value| item.get("given_name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut names: Vec<String> = items.iter().map(name).collect();
    names.sort();
    names
}

on_both! {
    fn who_said_no_is_shown_by_no_agreement_from_the_next_commit_on(commons: Commons) {
        let (a, b) = (commons.organization("a"), commons.organization("b"));
        let list = commons.dataset(&a, "membership");
        commons.import_csv(&list, &format!("{HEADING}1,Ada,yes\n2,Bo,\n3,Cem,no\n"));
        let fields = json!({"member_id": "exact", "given_name": "exact"});
        let all = commons.agree(&a, To::One(&b), &list, &json!({"fields": fields}));
        // Whatever the rows say: a condition that means exactly those who said no shows nobody.
        let no = json!({"fields": fields, "rows": {"consent_directory": {"eq": false}}});
        let nobody = commons.agree(&a, To::One(&b), &list, &no);
        assert_eq!(names(&commons, &b), ["Ada", "Bo"]);
        assert_eq!(commons.store.preview(&a.steward, &all, 1, 10).unwrap().records.len(), 2);
        assert!(commons.store.preview(&a.steward, &nobody, 1, 10).unwrap().records.is_empty());
        // No is taken at once, and so is yes.
        commons.import_csv(&list, &format!("{HEADING}1,Ada,no\n3,Cem,yes\n"));
        assert_eq!(names(&commons, &b), ["Bo", "Cem"]);
        // Without the field's being named there is nothing to say no with, and a blank cell keeps what was said.
        commons.import_csv(&list, "member_id,given_name\n1,Ada Lovelace\n");
        assert_eq!(names(&commons, &b), ["Bo", "Cem"]);
        let later = commons.agree(&a, To::Members, &list, &json!({"fields": fields}));
        assert_eq!(commons.store.preview(&a.steward, &later, 1, 10).unwrap().records.len(), 2);
        assert_eq!(names(&commons, &b), ["Bo", "Bo", "Cem", "Cem"]);
    }
}
