//! What `x-hayward` says about one field, read into a [`Field`].
//!
//! A field may only offer what makes sense of its values: an offer that could not be kept would be shown to a steward as a
//! safeguard.

use std::collections::BTreeMap;

use super::node::Node;
use super::{Field, FieldName, Generalises, Kind, Offers, ReadsAs, SchemaError, Sensitivity};

const READINGS: [(&str, ReadsAs); 8] = [
    ("identifier", ReadsAs::Identifier),
    ("phone", ReadsAs::Phone),
    ("postcode", ReadsAs::Postcode),
    ("email", ReadsAs::Email),
    ("url", ReadsAs::Url),
    ("country", ReadsAs::Country),
    ("latitude", ReadsAs::Latitude),
    ("longitude", ReadsAs::Longitude),
];

const GENERALISATIONS: [(&str, Generalises); 5] = [
    ("year", Generalises::Year),
    ("month", Generalises::Month),
    ("prefix", Generalises::Prefix),
    ("grid", Generalises::Grid),
    ("band", Generalises::Band),
];

const KNOWN: [&str; 10] =
    ["sensitivity", "label", "help", "synonyms", "treatments", "generalise", "search", "filter", "reads_as", "maps_to"];

/// Vocabularies of others that a field may say its counterpart in.
const OTHERS: [&str; 4] = ["murmurations", "hsds", "essglobal", "schema_org"];

/// Reads one property of the document.
pub(super) fn field(name: &str, property: &Node<'_>, required: bool) -> Result<Field, SchemaError> {
    let name = FieldName::parse(name).ok_or_else(|| {
        property
            .refuse(format!("`{name}` is no field name: it must match `[a-z][a-z0-9_]*`, be short, and not be a reserved word"))
    })?;
    let kind = kind(property)?;
    let says = property.need("x-hayward")?;
    says.only(&KNOWN)?;
    let sensitivity =
        says.need("sensitivity")?.choice(&Sensitivity::ALL.map(|sensitivity| (sensitivity.as_str(), sensitivity)))?;
    let reads_as = reads_as(&says, kind)?;
    maps_to(&says)?;
    Ok(Field {
        name,
        kind,
        sensitivity,
        reads_as,
        labels: languages(&says.need("label")?)?,
        help: says.get("help").map(|help| languages(&help)).transpose()?.unwrap_or_default(),
        synonyms: synonyms(&says)?,
        offers: offers(&says, property, kind, sensitivity, reads_as)?,
        search: search(&says, kind)?,
        filter: says.get("filter").map(|flag| flag.flag()).transpose()?.unwrap_or(false),
        required,
    })
}

fn kind(property: &Node<'_>) -> Result<Kind, SchemaError> {
    let written = property.need("type")?;
    if written.value.is_array() {
        return Err(written.refuse("must be one type: a record says nothing about a field by leaving it out, not by null"));
    }
    let plain = written.choice(&[
        ("string", Kind::Text),
        ("integer", Kind::Integer),
        ("number", Kind::Number),
        ("boolean", Kind::Boolean),
        ("array", Kind::Structured),
        ("object", Kind::Structured),
    ])?;
    let date = property.get("format").is_some_and(|format| format.value == "date");
    Ok(if plain == Kind::Text && date { Kind::Date } else { plain })
}

/// Texts by language. English and Spanish are the two that every page of a commons has.
pub(super) fn languages(node: &Node<'_>) -> Result<BTreeMap<String, String>, SchemaError> {
    for language in ["en", "es"] {
        node.need(language)?;
    }
    node.entries()?.into_iter().map(|(language, text)| Ok((code(language, &text)?, text.text()?.to_owned()))).collect()
}

fn code(language: &str, node: &Node<'_>) -> Result<String, SchemaError> {
    let plain = matches!(language.len(), 2 | 3) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    if plain { Ok(language.to_owned()) } else { Err(node.refuse("must be under a language code such as `fr`")) }
}

fn synonyms(says: &Node<'_>) -> Result<Vec<String>, SchemaError> {
    let mut words = Vec::new();
    for (language, list) in says.get("synonyms").map(|node| node.entries()).transpose()?.unwrap_or_default() {
        code(language, &list)?;
        for word in list.items()? {
            words.push(word.text()?.to_owned());
        }
    }
    Ok(words)
}

fn reads_as(says: &Node<'_>, kind: Kind) -> Result<Option<ReadsAs>, SchemaError> {
    let Some(node) = says.get("reads_as") else { return Ok(None) };
    let reading = node.choice(&READINGS)?;
    let wanted = match reading {
        ReadsAs::Identifier | ReadsAs::Phone | ReadsAs::Postcode | ReadsAs::Email | ReadsAs::Url | ReadsAs::Country => Kind::Text,
        ReadsAs::Latitude | ReadsAs::Longitude => Kind::Number,
    };
    if kind == wanted { Ok(Some(reading)) } else { Err(node.refuse("does not fit the type of this field")) }
}

fn maps_to(says: &Node<'_>) -> Result<(), SchemaError> {
    let Some(node) = says.get("maps_to") else { return Ok(()) };
    node.only(&OTHERS)?;
    node.entries()?.into_iter().try_for_each(|(_, name)| name.text().map(|_| ()))
}

fn search(says: &Node<'_>, kind: Kind) -> Result<bool, SchemaError> {
    let Some(node) = says.get("search") else { return Ok(false) };
    match node.flag()? {
        true if kind != Kind::Text => Err(node.refuse("only text can be searched")),
        searched => Ok(searched),
    }
}

fn offers(
    says: &Node<'_>,
    property: &Node<'_>,
    kind: Kind,
    sensitivity: Sensitivity,
    reads_as: Option<ReadsAs>,
) -> Result<Offers, SchemaError> {
    let treatments = says.get("treatments");
    let chosen = Node::choices(treatments.as_ref(), &[("masked", "masked"), ("pseudonym", "pseudonym")])?;
    let offers = Offers {
        masked: chosen.contains(&"masked"),
        pseudonym: chosen.contains(&"pseudonym"),
        generalised: generalised(says, kind, reads_as)?,
    };
    let few = property.get("enum").is_some() || property.get("const").is_some();
    match treatments {
        Some(node) if (offers.masked || offers.pseudonym) && kind != Kind::Text => {
            return Err(node.refuse("only text can be masked or stood in for"));
        }
        Some(node) if offers.pseudonym && few => {
            return Err(node.refuse("a pseudonym of a few known values falls to counting, so it is for identifiers only"));
        }
        Some(_) | None => {}
    }
    if sensitivity == Sensitivity::Never && offers != Offers::default() {
        return Err(says.refuse("a field that is never shared offers no treatment"));
    }
    Ok(offers)
}

fn generalised(says: &Node<'_>, kind: Kind, reads_as: Option<ReadsAs>) -> Result<Vec<Generalises>, SchemaError> {
    let list = says.get("generalise");
    let chosen = Node::choices(list.as_ref(), &GENERALISATIONS)?;
    let fits = |generalises: &Generalises| match generalises {
        Generalises::Year | Generalises::Month => kind == Kind::Date,
        Generalises::Prefix => kind == Kind::Text,
        Generalises::Grid => matches!(reads_as, Some(ReadsAs::Latitude | ReadsAs::Longitude)),
        Generalises::Band => matches!(kind, Kind::Integer | Kind::Number),
    };
    match list {
        Some(node) if !chosen.iter().all(fits) => {
            Err(node.refuse("does not fit: year and month are for days, prefix for text, grid for coordinates, band for numbers"))
        }
        Some(_) | None => Ok(chosen),
    }
}
