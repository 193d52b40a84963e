//! Which fields, and how each looks.

use super::text::Apart;
use super::tongue::{self, How};
use super::{About, Language, Sentence, Version, quoted_list};
use crate::fault::below;
use crate::schema::{Field, FieldName, ReadsAs, Schema, Sensitivity};
use crate::treatment::{Generalisation, Treatment};

/// Fields that look alike, in the order of the schema.
pub(super) struct Alike<'a> {
    pub(super) how: How,
    pub(super) fields: Vec<&'a Field>,
}

impl Alike<'_> {
    pub(super) fn labels(&self, language: Language) -> String {
        list(&self.fields, language)
    }

    pub(super) fn pointers(&self) -> Vec<String> {
        self.fields.iter().map(|field| pointer(&field.name)).collect()
    }

    pub(super) fn many(&self) -> bool {
        self.fields.len() > 1
    }
}

/// How a field looks; nothing if it is hidden, which one that is never shared always is.
pub(super) fn how(treatment: &Treatment, field: &Field) -> Option<How> {
    if field.sensitivity == Sensitivity::Never {
        return None;
    }
    Some(match treatment {
        Treatment::Hidden => return None,
        Treatment::Exact => How::Exact,
        Treatment::Pseudonym => How::Pseudonym,
        Treatment::Masked => match field.reads_as {
            Some(ReadsAs::Email) => How::MaskedEmail,
            Some(ReadsAs::Phone) => How::MaskedPhone,
            Some(
                ReadsAs::Identifier
                | ReadsAs::Postcode
                | ReadsAs::Url
                | ReadsAs::Country
                | ReadsAs::Latitude
                | ReadsAs::Longitude,
            )
            | None => How::MaskedText,
        },
        Treatment::Generalised(Generalisation::Year) => How::Year,
        Treatment::Generalised(Generalisation::Month) => How::Month,
        Treatment::Generalised(Generalisation::Prefix(length)) => How::Prefix(*length),
        Treatment::Generalised(Generalisation::Grid(step)) => {
            let degrees = step.to_string();
            How::Grid { apart: Apart::of_degrees(&degrees), degrees }
        }
        Treatment::Generalised(Generalisation::Band(width)) => How::Band(width.to_string()),
    })
}

/// Puts fields together that look alike, whatever is shown as it is first.
pub(super) fn alike<'a>(shown: impl Iterator<Item = (&'a Field, How)>) -> Vec<Alike<'a>> {
    let mut groups: Vec<Alike<'a>> = Vec::new();
    for (field, how) in shown {
        match groups.iter_mut().find(|group| group.how == how) {
            Some(group) => group.fields.push(field),
            None => groups.push(Alike { how, fields: vec![field] }),
        }
    }
    groups.sort_by_key(|group| group.how != How::Exact);
    groups
}

/// What a version says about the fields of its list.
pub(super) fn sentences(version: &Version<'_>, language: Language) -> Vec<Sentence> {
    let tongue = tongue::of(language);
    let treatment = |field: &Field| version.terms.fields.get(&field.name).unwrap_or(&Treatment::Hidden).clone();
    let looks = || version.schema.fields.iter().filter_map(|field| Some((field, how(&treatment(field), field)?)));
    let mut said: Vec<Sentence> = Vec::new();
    for group in alike(looks()) {
        let text = tongue.fields(&group.labels(language), group.many(), &group.how);
        said.push(Sentence { about: About::Fields, pointers: group.pointers(), text });
    }
    let shown: Vec<&Field> = looks().map(|(field, _)| field).collect();
    said.extend(careful(&shown, Sensitivity::Special, |labels| tongue.special(labels), language));
    said.extend(careful(&shown, Sensitivity::Personal, |labels| tongue.personal(labels), language));
    let hidden: Vec<&Field> = version.schema.fields.iter().filter(|field| how(&treatment(field), field).is_none()).collect();
    let labels = (!hidden.is_empty()).then(|| list(&hidden, language));
    said.push(Sentence::new(About::Hidden, &["/fields"], tongue.not_shown(labels.as_deref())));
    let named: Vec<&Field> = hidden.into_iter().filter(|field| version.terms.fields.get(&field.name).is_some()).collect();
    if !named.is_empty() {
        let text = tongue.named_hidden(&list(&named, language), named.len() > 1);
        let pointers = named.iter().map(|field| pointer(&field.name)).collect();
        said.push(Sentence { about: About::Hidden, pointers, text });
    }
    said
}

/// Which of the shown fields are of this sensitivity, with what their schema has to say about sharing them.
fn careful(shown: &[&Field], sensitivity: Sensitivity, say: impl Fn(&str) -> String, language: Language) -> Option<Sentence> {
    let fields: Vec<&Field> = shown.iter().copied().filter(|field| field.sensitivity == sensitivity).collect();
    if fields.is_empty() {
        return None;
    }
    let help = fields.iter().filter_map(|field| language.of(&field.help)).map(super::text::plain);
    let text = [say(&list(&fields, language))].into_iter().chain(help).collect::<Vec<_>>().join(" ");
    Some(Sentence { about: About::People, pointers: fields.iter().map(|field| pointer(&field.name)).collect(), text })
}

/// Where the terms say how this field looks.
pub(super) fn pointer(name: &FieldName) -> String {
    below("/fields", name.as_str())
}

/// What people call a field, in quotation marks. A field that the schema does not have keeps its name.
pub(super) fn label(name: &FieldName, schema: &Schema, language: Language) -> String {
    let label = schema.field(name.as_str()).and_then(|field| language.of(&field.labels));
    tongue::of(language).quoted(label.unwrap_or(name.as_str()))
}

/// Fields by their labels, as a list; nothing if there are none.
pub(super) fn labels<'a>(names: impl Iterator<Item = &'a FieldName>, schema: &Schema, language: Language) -> Option<String> {
    let fields: Vec<&Field> = names.filter_map(|name| schema.field(name.as_str())).collect();
    (!fields.is_empty()).then(|| list(&fields, language))
}

fn list(fields: &[&Field], language: Language) -> String {
    let label = |field: &&'_ Field| language.of(&field.labels).map_or_else(|| field.name.to_string(), str::to_owned);
    let labels: Vec<String> = fields.iter().map(label).collect();
    quoted_list(tongue::of(language), labels.iter().map(String::as_str))
}
