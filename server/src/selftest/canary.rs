//! `canary`: what every reader is shown, cell by cell, against the originals and the terms.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use hayward_domain::condition::Cell;
use hayward_domain::id::{DatasetId, OrganizationId};
use hayward_domain::schema::FieldName;
use hayward_domain::terms::{Context, Rows, Terms};
use serde_json::Value;

use super::Found;
use super::world::{COLLECTIONS, Reader, World, steward, text};
use crate::demo::Organization;

/// What stands in every cell that no agreement of the demo world shows.
const MARK: &str = "ZQX";
/// What belongs to every item, besides its fields.
const ENVELOPE: [&str; 4] = ["id", "provider", "agreement", "edition"];

/// What one agreement may show: how each field looks, and which values it can have.
struct Shown {
    looks: BTreeMap<String, Value>,
    values: HashMap<String, HashSet<String>>,
    rows: usize,
}

/// Every agreement in force by the co-op (or audience) that it is for.
type ByAudience = BTreeMap<String, BTreeMap<String, Shown>>;

pub(super) fn check(world: &World) -> Found {
    let mut by_audience = ByAudience::new();
    for provider in &world.organizations {
        for agreement in world.in_force(provider)? {
            let audience = match agreement.pointer("/terms/audience") {
                Some(Value::String(all)) => all.clone(),
                Some(one) => text(one, "organization").to_owned(),
                None => return Err("an agreement without an audience".to_owned()),
            };
            let shown = shown(world, provider, &agreement)?;
            by_audience.entry(audience).or_default().insert(text(&agreement, "id").to_owned(), shown);
        }
    }
    let (mut readers, mut items) = (0, 0);
    for reader in world.readers() {
        items += read(world, reader, &by_audience)?;
        readers += 1;
    }
    if items == 0 {
        return Err("nobody is shown anything".to_owned());
    }
    Ok(format!("{readers} readers were shown {items} items, every cell as its terms say and nothing else"))
}

/// Works out from the originals what an agreement may show.
fn shown(world: &World, provider: &Organization, agreement: &Value) -> Result<Shown, String> {
    let raw = agreement.get("terms").ok_or("an agreement without terms")?;
    let dataset = DatasetId::parse(text(raw, "dataset")).ok_or("terms without a dataset")?;
    let kept = provider.datasets.iter().find(|one| one.id == dataset.as_str()).ok_or("terms about another's dataset")?;
    let schema = world.schemas.iter().find(|schema| schema.name == kept.schema).ok_or("a list without a schema")?;
    let owner = OrganizationId::parse(&provider.id).ok_or("a co-op without an id")?;
    let context = Context { provider: &owner, schema, dataset: &dataset, longest_months: 24 };
    let terms = Terms::parse(raw, &context).map_err(|_| format!("the terms of {} do not read back", text(agreement, "id")))?;
    let fields = raw.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    let looks: BTreeMap<String, Value> = fields.into_iter().filter(|(_, look)| look != "hidden").collect();
    let (mut values, mut rows) = (HashMap::<String, HashSet<String>>::new(), 0);
    for record in world.items(&format!("/api/v1/datasets/{dataset}/records"), Some(steward(provider)?))? {
        let cell = |name: &FieldName| {
            record.get(name.as_str()).map_or(Cell::Null, |value| if value.is_null() { Cell::Null } else { Cell::Value(value) })
        };
        let within = match &terms.rows {
            Rows::All => true,
            Rows::Where(condition) => condition.matches(&cell),
        };
        // Whoever said no is shown to nobody, whatever was agreed.
        let refused = schema.consent.iter().any(|field| record.get(field.as_str()) == Some(&Value::Bool(false)));
        let within = within && !refused;
        if within {
            rows += 1;
            for name in looks.keys() {
                values.entry(name.clone()).or_default().insert(record.get(name).unwrap_or(&Value::Null).to_string());
            }
        }
    }
    Ok(Shown { looks, values, rows })
}

/// Reads everything as one reader; how many items that were.
fn read(world: &World, reader: Reader<'_>, by_audience: &ByAudience) -> Result<usize, String> {
    let audiences = [reader.id, if reader.token.is_some() { "members" } else { "" }, "public"];
    let open: BTreeMap<&str, &Shown> = audiences
        .iter()
        .filter_map(|audience| by_audience.get(*audience))
        .flat_map(|all| all.iter().map(|(id, shown)| (id.as_str(), shown)))
        .collect();
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for collection in COLLECTIONS {
        let path = format!("/api/v1/{collection}");
        for item in world.items(&path, reader.token)? {
            let agreement = text(&item, "agreement");
            let shown = open.get(agreement).ok_or_else(|| {
                format!("{} is shown an item of {collection} under an agreement that is not for it", reader.name)
            })?;
            judge(&item, shown).map_err(|wrong| format!("{} under {agreement}: {wrong}", reader.name))?;
            *counted.entry(agreement.to_owned()).or_default() += 1;
        }
        marked(world, reader, &path)?;
    }
    for (agreement, shown) in open {
        let count = counted.get(agreement).copied().unwrap_or_default();
        if count != shown.rows {
            return Err(format!(
                "{} is shown {count} items under {agreement}, and {} are among its rows",
                reader.name, shown.rows
            ));
        }
    }
    Ok(counted.values().sum())
}

/// Whether an item has the fields of its terms, each as it is to look.
fn judge(item: &Value, shown: &Shown) -> Result<(), String> {
    let members = item.as_object().ok_or("an item that is no object")?;
    let named: BTreeSet<&str> = members.keys().map(String::as_str).filter(|name| !ENVELOPE.contains(name)).collect();
    if named != shown.looks.keys().map(String::as_str).collect() {
        return Err("an item has other fields than its terms".to_owned());
    }
    for (name, look) in &shown.looks {
        let value = members.get(name).unwrap_or(&Value::Null);
        let original = || shown.values.get(name).is_some_and(|values| values.contains(&value.to_string()));
        if !value.is_null() && !looks(look, value, original) {
            return Err(format!("`{name}` does not look as agreed"));
        }
    }
    Ok(())
}

/// Whether a value looks as a treatment makes values look; `original` tells whether it stands in the list as it is.
fn looks(look: &Value, value: &Value, original: impl Fn() -> bool) -> bool {
    let letters = value.as_str().map(|text| text.chars().count());
    let words = look.as_str().or_else(|| look.get("generalised").and_then(Value::as_str)).unwrap_or_default();
    let multiple = |width: &str| match (width.parse::<f64>(), value.as_f64()) {
        (Ok(width), Some(number)) => ((number / width).round() * width - number).abs() < 1e-9 * width.max(number.abs()).max(1.0),
        _ => false,
    };
    match words.split_once(':') {
        None => match words {
            "exact" => original(),
            "pseudonym" => letters == Some(26) && !original(),
            "masked" => value.as_str().is_some_and(|text| text.contains('•')),
            "year" => letters == Some(4),
            "month" => letters == Some(7),
            _ => false,
        },
        Some(("prefix", most)) => letters.zip(most.parse::<usize>().ok()).is_some_and(|(letters, most)| letters <= most),
        Some(("grid" | "band", width)) => multiple(width),
        Some(_) => false,
    }
}

/// Asks about hidden fields in ways that are no good, and looks for marks in what comes back.
fn marked(world: &World, reader: Reader<'_>, path: &str) -> Result<(), String> {
    for query in [
        "street[prefix]=Z",
        "sort=notes",
        "fields=contact_name",
        "count=true&registration_number=1",
        "limit=0",
        "source[null]=true",
    ] {
        let answer = world.get(&format!("{path}?{query}"), reader.token)?;
        let head: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        if (head + &answer.body).contains(MARK) {
            return Err(format!("{} finds a hidden value in the answer to {path}?{query}", reader.name));
        }
        if answer.status != 400 {
            return Err(format!("{path}?{query} was answered {} to {}", answer.status, reader.name));
        }
    }
    let sheet = world.send(reqwest::Method::GET, path, reader.token, |request| request.header("Accept", "text/csv"))?;
    let feed = world.get("/api/v1/changes?limit=1000", reader.token)?;
    let catalogue = world.get("/api/v1/catalogue", reader.token)?;
    for (answer, what) in [(sheet, "a sheet"), (feed, "the feed"), (catalogue, "the catalogue")] {
        if answer.body.contains(MARK) {
            return Err(format!("{} finds a hidden value in {what}", reader.name));
        }
    }
    Ok(())
}
