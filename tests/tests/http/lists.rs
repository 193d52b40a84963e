//! What stands in the lists of the founded commons, and which of it no recipient may ever see.
//!
//! The canaries are words with `ZQX` (`zqx-` in addresses), and numbers and days that stand nowhere else.

/// Parts of values that must never come out towards a recipient. Long enough, or with letters that no random id has, so that none
/// comes up by chance.
pub fn canaries() -> Vec<String> {
    let mut canaries: Vec<String> =
        ["ZQX", "zqx-", "17283469", "55817269", "92653589", "41762893", "91234.77", "2026-10-13", "34 600926"]
            .map(str::to_owned)
            .into();
    canaries.extend((1..=12).map(closes_on));
    canaries.extend((1..=6).map(|row| format!("198{row}-06-19")));
    canaries
}

/// What the third member co-op may see, although it looks like a canary.
pub const OPEN_TO_THE_THIRD: &str = "ZQX-KIND";

fn closes_on(row: u32) -> String {
    format!("2027-{row:02}-17")
}

/// Twelve opportunities; the first eight are in Spain and France.
pub fn jobs() -> String {
    let mut csv = String::from(
        "reference,title,description,kind,category,city,country,latitude,longitude,contact_name,contact_email,contact_phone,\
         website,salary_min,salary_max,opens_on,closes_on,status,Note of the office\n",
    );
    for row in 1..=12 {
        let country = match row {
            1..=5 => "ES",
            6..=8 => "FR",
            _ => "DE",
        };
        let title = if row <= 8 { format!("Job {row:02}") } else { format!("Hidden job {row:02}") };
        let category = if row % 3 == 0 { "gig" } else { "job" };
        csv.push_str(&format!(
            "ZQX-REF-{row},{title},ZQX-DESC-{row},ZQX-KIND-{row},{category},Ba ZQX-CITY-{row},{country},{}.17283469,\
             {}.55817269,Zoe ZQX-NAME-{row},zqx-mail-{row}@vall.example,+34 600926{row:03},https://zqx-{row}.example/,\
             {}.92653589,91234.77,2026-10-13,{},ZQX-STATUS,ZQX-PRIVATE-{row}\n",
            40 + row,
            row,
            20_000 + row * 1_000,
            closes_on(row),
        ));
    }
    csv
}

/// Six people.
pub fn people() -> String {
    let mut csv = String::from("member_id,given_name,family_name,email,birth_date,postcode,shares,notes\n");
    for row in 1..=6 {
        csv.push_str(&format!(
            "ZQX-M{row},Ann{row},ZQX-FAMILY-{row},zqx-{row}@people.example,198{row}-06-19,ZQX{row},41762893,ZQX-NOTE-{row}\n"
        ));
    }
    csv
}

/// Three co-ops, for the public.
pub fn coops() -> String {
    let mut csv = String::from("identifier,name,legal_name,city,country,email,phone,activities\n");
    for row in 1..=3 {
        csv.push_str(&format!(
            "ZQX-C{row},Coop {row},ZQX-LEGAL-{row},Vic,ES,zqx-{row}@coop.example,+34 600926{row:03},ZQX-ACT-{row}\n"
        ));
    }
    csv
}

/// Figures whose every word is a canary.
pub fn figures(word: &str) -> String {
    let row = |at: u32| format!("{word}-{at},{word}-INDICATOR,2026-0{at}-01,41762893,{word}-SOURCE\n");
    "organization_identifier,indicator,period_start,value,source\n".to_owned() + &(1..=3).map(row).collect::<String>()
}

/// A list that nobody has an agreement about.
pub fn unshared() -> String {
    let row = |at: u32| format!("ZQX-U{at},ZQX-UNSHARED-{at},ES\n");
    "reference,title,country\n".to_owned() + &(1..=3).map(row).collect::<String>()
}

/// What the third member co-op shows to all: title and category.
pub const THIRD_JOBS: &str = "reference,title,category,description\n\
    ZQX-T1,Theirs 1,job,ZQX-THIRD-1\nZQX-T2,Theirs 2,gig,ZQX-THIRD-2\n";

/// Uploaded and never committed.
pub const DRAFT: &str = "reference,title,country\nZQX-D1,ZQX-DRAFT-1,ES\n";
