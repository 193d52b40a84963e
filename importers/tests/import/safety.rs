//! What must not get out of a file by the way.

use hayward_importers::{csv_plain, csv_safe};

use crate::harness::{organizations, refusal};

#[test]
fn what_we_export_is_what_we_import() {
    let imported = organizations("identifier,name\n1,'=SUM(A1)\n2,''=x\n3,'quoted'\n4,'-5\n5,-5\n6,'+34 600\n");
    assert_eq!(imported.values("name"), ["=SUM(A1)", "'=x", "'quoted'", "-5", "-5", "+34 600"]);
}

#[test]
fn a_cell_that_would_be_a_formula_is_disarmed() {
    for cell in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''@"] {
        let safe = csv_safe(cell);
        assert!(safe.starts_with('\''), "{cell:?}");
        assert_eq!(csv_plain(&safe), cell);
    }
    for cell in ["", "a=b", "'", "it's", "1-2", "' x"] {
        assert_eq!(csv_safe(cell), cell);
    }
}

#[test]
fn values_do_not_get_into_logs() {
    let secret = "correct horse battery";
    let text = format!("identifier,name,founded_on,zzz\nA1,{secret},{secret},{secret}\nA2,{secret},2024-01-01,{secret}\n");
    let imported = organizations(&text);
    let logged = format!("{:?} {:?} {:?} {:?}", imported.profile, imported.columns, imported.matching, imported.rows);
    assert!(!logged.contains("horse"));
    assert!(imported.problems().iter().all(|problem| !problem.message.contains("horse")));
}

#[test]
fn a_refusal_does_not_repeat_the_file() {
    let refusal = refusal("list.json", "[{\"secret horse\" ");
    assert!(!format!("{refusal} {refusal:?}").contains("horse"));
}
