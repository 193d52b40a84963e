//! One cell as a value of a field.
//!
//! How a column is read has been decided when a [`Reader`] is made; nothing here looks at other cells, and nothing guesses. What
//! cannot be read is said, with what may be meant.

use std::borrow::Cow;

use hayward_domain::schema::{Field, Kind, ReadsAs, Schema};
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use crate::fold::trim;
use crate::matching::{DateOrder, DecimalMark};
use crate::table::{Cell, Shape, csv_plain};

pub(crate) mod booleans;
pub(crate) mod countries;
pub(crate) mod dates;
pub(crate) mod links;
pub(crate) mod lists;
pub(crate) mod numbers;
pub(crate) mod serials;

pub(crate) use dates::Calendar;
use lists::Items;

/// What was done to cells without being asked; only what loses nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// White space around a value was left away.
    pub(crate) trimmed: u64,
    /// Line breaks inside a value were made the same.
    pub(crate) line_breaks: u64,
    /// The apostrophe of an export was taken away.
    pub(crate) apostrophes: u64,
    /// A web address was given `https://`.
    pub(crate) schemes: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, more: Self) {
        self.trimmed += more.trimmed;
        self.line_breaks += more.line_breaks;
        self.apostrophes += more.apostrophes;
        self.schemes += more.schemes;
    }
}

/// A value; one that is text is still where it was read from, as long as nothing had to be changed.
#[derive(Clone)]
pub(crate) enum Held<'a> {
    Text(Cow<'a, str>),
    Number(Number),
    Boolean(bool),
    Structured(Box<Value>),
}

impl Held<'_> {
    /// The same value by itself.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Number(number) => Value::Number(number),
            Self::Boolean(boolean) => Value::Bool(boolean),
            Self::Structured(value) => *value,
        }
    }

    /// What two columns of one field come to.
    pub(crate) fn joined<'b>(self, other: Held<'_>) -> Held<'b> {
        match lists::joined(self.into_value(), other.into_value()) {
            Value::String(text) => Held::Text(Cow::Owned(text)),
            Value::Number(number) => Held::Number(number),
            Value::Bool(boolean) => Held::Boolean(boolean),
            value @ (Value::Null | Value::Array(_) | Value::Object(_)) => Held::Structured(Box::new(value)),
        }
    }

    /// The same value without what it was read from.
    pub(crate) fn kept<'b>(self) -> Held<'b> {
        match self {
            Self::Text(text) => Held::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Held::Number(number),
            Self::Boolean(boolean) => Held::Boolean(boolean),
            Self::Structured(value) => Held::Structured(value),
        }
    }
}

impl Serialize for Held<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Boolean(boolean) => boolean.serialize(serializer),
            Self::Structured(value) => value.serialize(serializer),
        }
    }
}

/// Why a cell is no value of its field.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    pub(crate) suggestion: Option<String>,
}

/// How the cells of one column become values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    kind: Kind,
    reads_as: Option<ReadsAs>,
    calendar: Calendar,
    mark: DecimalMark,
    /// What a list of values has in it; nothing where the field is none, or one of objects.
    items: Option<Items>,
}

/// The text of a cell without what only its file needed: white space around it, carriage returns, and in CSV the apostrophe
/// before what would be a formula.
///
/// In a row that is known to be plain there are no carriage returns to look for.
pub(crate) fn clean<'a>(text: &'a str, is_csv: bool, is_plain: bool, counts: &mut Counts) -> Cow<'a, str> {
    let trimmed = trim(text);
    counts.trimmed += u64::from(trimmed.len() != text.len());
    let plain = if is_csv { csv_plain(trimmed) } else { trimmed };
    counts.apostrophes += u64::from(plain.len() != trimmed.len());
    if is_plain || !plain.contains('\r') {
        return Cow::Borrowed(plain);
    }
    counts.line_breaks += 1;
    Cow::Owned(plain.replace("\r\n", "\n").replace('\r', "\n"))
}

impl Reader {
    /// Reads a column as values of `field`.
    pub(crate) fn new(schema: &Schema, field: &Field, calendar: Calendar, mark: DecimalMark) -> Self {
        Self { kind: field.kind, reads_as: field.reads_as, calendar, mark, items: lists::items(schema, field) }
    }

    /// Whether its values are numbers.
    pub(crate) fn is_of_numbers(&self) -> bool {
        matches!(self.kind, Kind::Integer | Kind::Number)
    }

    /// A cell that is more than text in its file, as text that is read alike.
    pub(crate) fn written<'a>(&self, cell: Cell<'a>) -> Cow<'a, str> {
        match cell.shape {
            Shape::Number if self.is_of_numbers() && self.mark == DecimalMark::Comma => cell.text.replace('.', ",").into(),
            Shape::List if self.kind == Kind::Text => match self.list(cell.text) {
                Ok(Held::Text(text)) => text.into_owned().into(),
                Ok(_) | Err(_) => cell.text.into(),
            },
            Shape::Text | Shape::Number | Shape::Boolean | Shape::Error | Shape::List | Shape::Nested => cell.text.into(),
        }
    }

    /// The value of a cell that is not blank.
    pub(crate) fn read<'a>(&self, cell: Cell<'a>, counts: &mut Counts) -> Result<Held<'a>, Wrong> {
        match cell.shape {
            Shape::Text if is_error(cell.text) => self.read(Cell { shape: Shape::Error, ..cell }, counts),
            Shape::Text => self.text(cell.text, counts),
            Shape::Number => match self.kind {
                Kind::Number | Kind::Integer => self.number(numbers::json(cell.text)),
                Kind::Text | Kind::Date | Kind::Boolean | Kind::Structured => self.text(cell.text, counts),
            },
            Shape::Boolean => match self.kind {
                Kind::Boolean => Ok(Held::Boolean(cell.text == "true")),
                Kind::Text => Ok(Held::Text(Cow::Borrowed(cell.text))),
                Kind::Date | Kind::Integer | Kind::Number | Kind::Structured => {
                    Err(Wrong::of_type("is true or false, which this field is not"))
                }
            },
            Shape::Error => Err(Wrong {
                code: "formula-error",
                message: "is the error of a formula, or a formula whose result the file does not have",
                suggestion: None,
            }),
            Shape::List => self.list(cell.text),
            Shape::Nested => Err(Wrong::of_type("is an object or a list of objects, where one value is expected")),
        }
    }

    fn text<'a>(&self, text: &'a str, counts: &mut Counts) -> Result<Held<'a>, Wrong> {
        match self.kind {
            Kind::Text => self.words(text, counts),
            Kind::Date if dates::is_written_plainly(text) => Ok(Held::Text(Cow::Borrowed(text))),
            Kind::Date => {
                let day = dates::read(text, self.calendar).map_err(|fault| self.no_day(fault))?;
                Ok(Held::Text(Cow::Owned(day.to_string())))
            }
            Kind::Integer | Kind::Number => match self.reads_as {
                Some(ReadsAs::Latitude | ReadsAs::Longitude) => self.number(numbers::degrees(text)),
                Some(
                    ReadsAs::Identifier | ReadsAs::Phone | ReadsAs::Postcode | ReadsAs::Email | ReadsAs::Url | ReadsAs::Country,
                )
                | None => self.number(numbers::read(text, self.mark)),
            },
            Kind::Boolean => booleans::read(text).map(Held::Boolean).ok_or_else(|| Wrong::of_type("is neither yes nor no")),
            Kind::Structured => self.structured(text),
        }
    }

    /// A list as people write it, or JSON.
    fn structured<'a>(&self, text: &str) -> Result<Held<'a>, Wrong> {
        match self.items {
            Some(items) if !text.starts_with('[') => {
                let values: Result<Vec<Value>, Wrong> = lists::split(text).map(|value| self.item(items, value)).collect();
                values.map(|values| Held::Structured(Box::new(Value::Array(values))))
            }
            Some(_) | None => structured(text),
        }
    }

    fn item(&self, items: Items, text: &str) -> Result<Value, Wrong> {
        match items {
            Items::Text => Ok(Value::from(text)),
            Items::Integers | Items::Numbers => {
                let number = numbers::read(text, self.mark).and_then(|text| numbers::exact(&text));
                let number = number.filter(|number| items == Items::Numbers || !number.is_f64());
                number.map(Value::Number).ok_or_else(|| Wrong::of_type("has a value that is not a number of this list"))
            }
            Items::Booleans => booleans::read(text).map(Value::Bool).ok_or_else(|| Wrong::of_type("is neither yes nor no")),
        }
    }

    fn words<'a>(&self, text: &'a str, counts: &mut Counts) -> Result<Held<'a>, Wrong> {
        match self.reads_as {
            Some(ReadsAs::Country) => countries::read(text).map(|code| Held::Text(Cow::Borrowed(code))).ok_or_else(|| Wrong {
                code: "constraint-error",
                message: "is not a country, by name or by ISO 3166-1 code",
                suggestion: countries::meant(text),
            }),
            Some(ReadsAs::Url) => {
                let address = links::with_scheme(text);
                counts.schemes += u64::from(address.is_some());
                Ok(Held::Text(address.map_or(Cow::Borrowed(text), Cow::Owned)))
            }
            Some(
                ReadsAs::Identifier
                | ReadsAs::Phone
                | ReadsAs::Postcode
                | ReadsAs::Email
                | ReadsAs::Latitude
                | ReadsAs::Longitude,
            )
            | None => Ok(Held::Text(Cow::Borrowed(text))),
        }
    }

    fn number<'a>(&self, text: Option<Cow<'_, str>>) -> Result<Held<'a>, Wrong> {
        let text = text.ok_or_else(|| Wrong::of_type("is not a number"))?;
        let number = numbers::exact(&text).ok_or_else(|| Wrong::of_type("has more digits than can be kept exactly"))?;
        if self.kind == Kind::Integer && number.is_f64() {
            return Err(Wrong::of_type("is not a whole number"));
        }
        Ok(Held::Number(number))
    }

    fn list<'a>(&self, raw: &str) -> Result<Held<'a>, Wrong> {
        match self.kind {
            Kind::Structured => structured(raw),
            Kind::Text => {
                let values: Vec<Value> = serde_json::from_str(raw).map_err(|_| Wrong::of_type("is not valid JSON"))?;
                let texts = values.iter().filter(|value| !value.is_null()).map(|value| match value.as_str() {
                    Some(text) => text.to_owned(),
                    None => value.to_string(),
                });
                Ok(Held::Text(Cow::Owned(texts.collect::<Vec<_>>().join("; "))))
            }
            Kind::Date | Kind::Integer | Kind::Number | Kind::Boolean => {
                Err(Wrong::of_type("is a list, where one value is expected"))
            }
        }
    }

    fn no_day(&self, fault: dates::Fault) -> Wrong {
        match fault {
            dates::Fault::NotADate => Wrong::of_type("is not a day, as in 2024-12-31"),
            dates::Fault::ShortYear => Wrong::of_type("has a year of two digits; the century is needed too"),
            dates::Fault::Serial(suggestion) => Wrong {
                code: "type-error",
                message: "is a number, as spreadsheets keep days, and not written as a day",
                suggestion,
            },
            dates::Fault::NotInCalendar(suggestion) => {
                let message = match self.calendar.order {
                    DateOrder::Dmy => "is not a day in the calendar (day, month, year)",
                    DateOrder::Mdy => "is not a day in the calendar (month, day, year)",
                    DateOrder::Ymd => "is not a day in the calendar (year, month, day)",
                };
                Wrong { code: "type-error", message, suggestion }
            }
        }
    }
}

/// Whether a text is what a spreadsheet shows for a formula that went wrong: in CSV nothing else is left of it.
fn is_error(text: &str) -> bool {
    // In English, Spanish and Catalan, French, Portuguese, German.
    const ERRORS: [&str; 32] = [
        "#N/A",
        "#REF!",
        "#NAME?",
        "#DIV/0!",
        "#VALUE!",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#N/D",
        "#¡REF!",
        "#¿NOMBRE?",
        "#NOM?",
        "#¡DIV/0!",
        "#¡VALOR!",
        "#¡NULO!",
        "#¡NUM!",
        "#¡DESBORDAMIENTO!",
        "#NOM ?",
        "#VALEUR!",
        "#NOMBRE!",
        "#NUL!",
        "#NOME?",
        "#VALOR!",
        "#NÚM!",
        "#NULO!",
        "#NV",
        "#BEZUG!",
        "#WERT!",
        "#ZAHL!",
        "#ÜBERLAUF!",
        "#DESPEJAR!",
    ];
    text.starts_with('#') && ERRORS.contains(&text)
}

fn structured<'a>(text: &str) -> Result<Held<'a>, Wrong> {
    let value = serde_json::from_str(text).ok().filter(|value: &Value| value.is_array() || value.is_object());
    value.map(|value| Held::Structured(Box::new(value))).ok_or_else(|| Wrong::of_type("is not a JSON array or object"))
}

impl Wrong {
    fn of_type(message: &'static str) -> Self {
        Self { code: "type-error", message, suggestion: None }
    }
}
