//! What is selected by more than one value: whether a search, a place, an opening, a moment, a count of values or a format tells what is
//! hidden, or what others are shown.

use std::io::Read;

use serde_json::{Value, json};

use super::{DEAL, JOBS, READ, elsewhere, sees, shown};
use crate::ask::Ask;
use crate::twins::{Told, Twins};
use crate::world::{Deal, token};

alike! {
    a_search_sees_what_is_shown => words;
    a_place_is_looked_for_where_it_is_shown => places;
    an_opening_is_told_by_what_is_shown => open;
    what_has_changed_is_what_was_shown => since;
    values_are_counted_as_they_are_shown => facets;
    what_others_are_shown_is_found_by_nothing => others;
    every_format_is_alike => formats;
    a_workbook_is_alike => workbooks;
}

const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

pub fn words(twins: &mut Twins) -> Told {
    let heading = "reference,title,description,organization_name,contact_email,memo\n";
    twins.import(
        JOBS,
        [
            &format!("{heading}A,Baker,Solar,Acme,maria@example.org,Wind\nB,Cook,,Bon,ana@x.coop,\n"),
            &format!("{heading}A,Baker,Wind,Ajo,marta@example.org,Solar\nB,Cook,Solar,Bread,alba@x.coop,Baker\n"),
        ],
    );
    twins.agree(
        DEAL,
        &shown(json!({"reference": "exact", "title": "exact", "organization_name": "masked", "contact_email": "masked"})),
    );
    sees(twins, "Baker")?;
    for query in
        ["baker", "solar", "sol*", "wind", "acme", "a*", "b*", "maria", "ma*", "m*", "example", "baker+solar", "coop", ""]
    {
        twins.get(&format!("{READ}?q={query}"))?;
        twins.get(&format!("{READ}?q={query}&count=true&sort=-title&facets=title"))?;
    }
    // And as the rows change where nobody sees it.
    twins.worlds[1].import(JOBS, "reference,title,description\nA,Baker,Hydro\n", false);
    for query in ["hydro", "baker"] {
        twins.get(&format!("{READ}?q={query}"))?;
    }
    Ok(())
}

pub fn places(twins: &mut Twins) -> Told {
    let heading = "reference,title,latitude,longitude\n";
    twins.import(
        JOBS,
        [
            &format!("{heading}A,Baker,41.38,2.17\nB,Cook,40.42,-3.72\nC,Smith,,\n"),
            &format!("{heading}A,Baker,41.41,2.22\nB,Cook,40.38,-3.68\nC,Smith,,\n"),
        ],
    );
    let grid = json!({"generalised": "grid:0.1"});
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact", "latitude": grid, "longitude": grid})));
    sees(twins, "41.4")?;
    for circle in ["41.38,2.17,1", "41.41,2.22,1", "41.4,2.2,0", "41.4,2.2,3.3", "40.4,-3.7,2", "41,0,400"] {
        twins.get(&format!("{READ}?near={circle}&count=true"))?;
    }
    for frame in ["2.16,41.37,2.18,41.39", "2.2,41.4,2.2,41.4", "-4,40,3,42", "2.19,41,-3.7,42"] {
        twins.get(&format!("{READ}?bbox={frame}&facets=latitude"))?;
    }
    let hidden = json!({"reference": "exact", "title": "exact"});
    let other = Deal { number: 1, ..DEAL };
    twins.agree(other, &shown(hidden));
    for query in ["near=41.38,2.17,1", "bbox=2,41,3,42", "near=1,1,1"] {
        twins.get(&format!("{READ}?agreement={}&{query}", other.id()))?;
    }
    Ok(())
}

fn open(twins: &mut Twins) -> Told {
    let heading = "reference,title,opens_on,closes_on\n";
    twins.import(
        JOBS,
        [
            &format!("{heading}A,Baker,2026-11-01,2026-12-01\nB,Cook,,2027-01-01\nC,Smith,2027-01-01,\n"),
            &format!("{heading}A,Baker,2027-11-01,2026-12-31\nB,Cook,2027-01-01,2027-01-31\nC,Smith,,\n"),
        ],
    );
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact", "closes_on": {"generalised": "month"}})));
    sees(twins, "2026-12")?;
    let other = Deal { number: 1, ..DEAL };
    twins.agree(other, &shown(json!({"reference": "exact", "title": "exact"})));
    for _ in 0..5 {
        for query in ["open=true", "open=false", "open=true&count=true&facets=title"] {
            twins.get(&format!("{READ}?{query}"))?;
            twins.get(&format!("{READ}?agreement={}&{query}", other.id()))?;
        }
        twins.each(|world| world.server().clock.forward(std::time::Duration::from_secs(14 * 86_400)));
    }
    twins.get("/api/v1/changes").map(drop)
}

pub fn since(twins: &mut Twins) -> Told {
    let first = "reference,title,salary_min\nA,Baker,1\nB,Cook,2\n";
    twins.import(JOBS, [first, first]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "Baker")?;
    twins.each(|world| world.server().clock.forward(std::time::Duration::from_secs(86_400)));
    let now = (twins.worlds[0].server().clock.clock())();
    let moment = now.minus(std::time::Duration::from_secs(60)).to_rfc3339();
    let asked = |twins: &mut Twins| {
        for query in ["", "&count=true", "&sort=title", "&facets=title", "&title=Baker"] {
            twins.get(&format!("{READ}?updated_since={moment}{query}"))?;
            twins.get(&format!("{READ}?updated_since=2026-01-01T00:00:00Z{query}"))?;
        }
        Ok(())
    };
    asked(twins)?;
    twins.worlds[1].import(JOBS, "reference,title,salary_min\nA,Baker,7\n", false);
    elsewhere(twins);
    asked(twins)?;
    let edit = "reference,title\nB,Chef\n";
    twins.import(JOBS, [edit, edit]);
    asked(twins)
}

pub fn facets(twins: &mut Twins) -> Told {
    let heading = "reference,title,country,salary_min,city\n";
    twins.import(
        JOBS,
        [
            &format!("{heading}A,Baker,ES,12000,Barcelona\nB,Cook,ES,25500,Madrid\nC,Smith,FR,1,Łódź\n"),
            &format!("{heading}A,Baker,ES,12900,Badalona\nB,Cook,ES,25100,Marbella\nD,Smith,FR,2,\nE,Tailor,FR,,\n"),
        ],
    );
    let rows = json!({"rows": {"country": {"eq": "ES"}}});
    let fields = json!({"title": "exact", "salary_min": {"generalised": "band:1000"}, "city": {"generalised": "prefix:2"}});
    twins.agree(DEAL, &crate::world::with(shown(fields), rows));
    sees(twins, "Cook")?;
    for names in ["title", "salary_min", "city", "salary_min,city", "country", "countri", "reference", "id", "", "title,"] {
        twins.get(&format!("{READ}?facets={names}"))?;
        twins.get(&format!("{READ}?facets={names}&q=baker&fields=city"))?;
        twins.ask(&Ask::get(&format!("{READ}?facets={names}")).accept("text/csv"))?;
    }
    twins.get("/api/v1/disclosures").map(drop)
}

/// The second world has what the first has, and besides a list of others in the same collection, shared with somebody else, with the
/// same words.
pub fn others(twins: &mut Twins) -> Told {
    let file = "reference,title\nA,Solar baker\n";
    twins.import(JOBS, [file, file]);
    twins.agree(DEAL, &shown(json!({"reference": "exact", "title": "exact"})));
    sees(twins, "Solar")?;
    twins.worlds[1].import(crate::world::SECRET_LIST, "reference,title\nZ,Solar wind\nY,Solar solar\nX,Baker\n", false);
    for query in ["solar", "sol*", "wind", "baker", "solar+wind"] {
        twins.get(&format!("{READ}?q={query}"))?;
        twins.get(&format!("{READ}?q={query}&sort=title&count=true&facets=title"))?;
    }
    Ok(())
}

fn formats(twins: &mut Twins) -> Told {
    let heading = "reference,title,latitude,longitude,salary_min\n";
    twins.import(
        JOBS,
        [&format!("{heading}A,Baker,41.38,2.17,1\nB,Cook,,,2\n"), &format!("{heading}A,Baker,41.41,2.22,3\nB,Cook,,,\n")],
    );
    let grid = json!({"generalised": "grid:0.1"});
    twins.agree(DEAL, &shown(json!({"title": "exact", "latitude": grid, "longitude": grid})));
    let other = Deal { number: 1, ..DEAL };
    twins.agree(other, &shown(json!({"reference": "exact", "title": "exact"})));
    for format in ["application/geo+json", "text/csv", "application/x-ndjson"] {
        for query in ["", "q=baker", "near=41.4,2.2,1&count=true", "open=true", "end_line=true", "sort=-latitude&limit=1"] {
            twins.ask(&Ask::get(&format!("{READ}?{query}")).accept(format))?;
            twins.ask(&Ask::get(&format!("{READ}?agreement={}&{query}", other.id())).accept(format))?;
        }
    }
    twins.get("/api/v1/disclosures").map(drop)
}

/// What stands in a workbook's sheet, without the times and ids that no two files share.
fn workbooks(twins: &mut Twins) -> Told {
    twins
        .import(JOBS, ["reference,title,salary_min\nA,Baker,1\nB,Cook,2\n", "reference,title,salary_min\nA,Baker,2\nB,Cook,3\n"]);
    twins.agree(DEAL, &shown(json!({"title": "exact"})));
    sees(twins, "Cook")?;
    let sheets = twins.worlds.each_ref().map(|world| {
        let asked = world.server().request(reqwest::Method::GET, &format!("{READ}?sort=title"), Some(token()));
        let book = asked.header("accept", WORKBOOK).send().unwrap();
        assert_eq!(book.status(), 200);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(book.bytes().unwrap())).unwrap();
        let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        let mut sheet = String::new();
        zip.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
        let cells: Vec<Value> =
            ["Baker", "Cook", "salary_min", "reference", "memo"].map(|word| sheet.contains(word).into()).into();
        let rows = sheet.matches("<row").count();
        (names, cells, rows)
    });
    assert_eq!(sheets[0], sheets[1]);
    assert_eq!(sheets[0].1, [true, true, false, false, false].map(Value::from));
    Ok(())
}
