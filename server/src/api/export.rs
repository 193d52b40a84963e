//! Everything that a list selects, as one answer: CSV, NDJSON and GeoJSON as streams, and a workbook.
//!
//! * All have the same rows in the same order, whose entries are durable before they leave, page by page.
//! * One that breaks off can be told from one that has ended: GeoJSON and a workbook are none without their ends; CSV and NDJSON say
//!   at the end how many rows there were, where the request wants that (`end_line=true`), and `Row-Count` says so before, where it is
//!   known.
//! * A stream takes as little memory as one page. A workbook has its end first, so that it is made in a file, and leaves from there.

use std::fs::File;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use hayward_domain::id::DisclosureId;
use hayward_domain::schema::Kind;
use hayward_importers::{SheetCell, SheetWriter};
use hayward_store::SharedRow;
use serde_json::{Map, Value, json};

use super::coding::{Coding, Press};
use super::datasets::unwritten;
use super::format::{Format, accepted, csv_line};
use super::imports::turn;
use super::made::{Made, WORKBOOK};
use super::params::Params;
use super::reading::{GoesOn, Page, Reading};
use super::shared::{VARY, caching, gave, may_leave, next_page, push_item, stands, write_down};
use crate::commons::Commons;
use crate::error::Error;

/// Rows that one chunk of a stream holds.
pub const CHUNK: i64 = 500;

/// The columns before the disclosed fields.
const ENVELOPE: [&str; 4] = ["id", "provider", "agreement", "edition"];

/// The formats that everything comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// The features of a map (RFC 7946).
    GeoJson,
    /// A workbook.
    Workbook,
}

impl Form {
    /// What the request accepts, the first that we have; nothing where that is a page of JSON.
    ///
    /// # Errors
    /// `not-acceptable`.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>, Error> {
        let known = |kind: &str| match kind {
            "application/geo+json" => Some(Some(Self::GeoJson)),
            WORKBOOK => Some(Some(Self::Workbook)),
            _ => Format::called(kind).map(|format| match format {
                Format::Json => None,
                Format::Csv => Some(Self::Csv),
                Format::Ndjson => Some(Self::Ndjson),
            }),
        };
        accepted(request, None, known).ok_or_else(|| {
            let detail = format!(
                "this list comes as application/json, text/csv, application/x-ndjson, application/geo+json or {WORKBOOK}"
            );
            Error::bad("not-acceptable", detail)
        })
    }

    /// The word for it in the ledger.
    #[must_use]
    pub fn channel(self) -> &'static str {
        match self {
            Self::Csv => Format::Csv.channel(),
            Self::Ndjson => Format::Ndjson.channel(),
            Self::GeoJson => "geojson",
            Self::Workbook => "xlsx",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => Format::Csv.media_type(),
            Self::Ndjson => Format::Ndjson.media_type(),
            Self::GeoJson => "application/geo+json",
            Self::Workbook => WORKBOOK,
        }
    }
}

/// One answer with everything.
pub struct Export {
    /// As what.
    pub form: Form,
    /// Under which id.
    pub id: DisclosureId,
    /// So many rows at most.
    pub wanted: i64,
    /// How many there will be, where that is known.
    pub rows: Option<i64>,
    /// Whether the last line says how many rows there were.
    pub end_line: bool,
}

/// Whether a last line is wanted, which only formats of lines can have.
///
/// # Errors
/// `invalid-parameter`.
pub fn end_line(params: &mut Params, form: Option<Form>) -> Result<bool, Error> {
    match params.take("end_line").as_deref() {
        None => Ok(false),
        Some("true" | "false") if !matches!(form, Some(Form::Csv | Form::Ndjson)) => {
            Err(Error::parameter("invalid-parameter", "end_line", "`end_line` comes with text/csv and application/x-ndjson only"))
        }
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Error::parameter("invalid-parameter", "end_line", "`end_line` is true or false")),
    }
}

/// What a stream does when it is next asked for bytes.
enum Step {
    /// Hand over the page that was read to see whether the request is good at all.
    First(Box<Page>),
    /// Read on.
    On(GoesOn),
    End,
}

/// What a stream is at.
struct Under {
    step: Step,
    chunk: i64,
    /// Rows that are handed over.
    done: i64,
    press: Press,
}

impl Export {
    fn response(&self, page: &Page) -> actix_web::HttpResponseBuilder {
        let mut response = HttpResponse::Ok();
        response.content_type(self.form.media_type()).insert_header(VARY);
        caching(&mut response, page);
        if page.caller.is_some() {
            response.insert_header(("Disclosure-Id", self.id.as_str()));
        }
        if let Some(rows) = self.rows {
            response.insert_header(("Row-Count", rows.to_string()));
        }
        response
    }

    /// The answer as a stream, of which the first page is there.
    pub fn stream(self, commons: Data<Commons>, reading: Reading, first: Page, coding: Coding) -> HttpResponse {
        let mut response = self.response(&first);
        coding.named(&mut response);
        let columns = columns(&first);
        // The request's id belongs to its task; the stream is polled outside it.
        let request_id = crate::request_id::current();
        let all = Data::new((commons, reading, self, columns));
        let under = Under { step: Step::First(Box::new(first)), chunk: 0, done: 0, press: Press::new(coding) };
        let stream = try_unfold(under, move |mut under| {
            let all = all.clone();
            let work = async move {
                let (commons, reading, export, columns) = &**all;
                let mut text = String::new();
                let page = match under.step {
                    Step::End => return Ok::<_, Error>(None),
                    Step::First(page) => {
                        text.push_str(&export.head(columns));
                        *page
                    }
                    Step::On(from) => {
                        let limit = CHUNK.min(export.wanted - under.done);
                        let page = next_page(commons, reading, None, Some(from), limit).await?;
                        write_down(commons, &page, &export.id, under.chunk, export.form.channel()).await?;
                        page
                    }
                };
                export.encode(&mut text, &page, columns, under.done == 0);
                under.done += i64::try_from(page.rows.len()).unwrap_or(0);
                let next = page.goes_on().filter(|_| under.done < export.wanted);
                if next.is_none() {
                    text.push_str(&export.tail(columns, under.done));
                }
                let mut bytes = under.press.piece(text.into_bytes());
                if next.is_none() {
                    bytes.extend(under.press.end());
                }
                // Last of all: the first page may have waited long for its reader, and making the text took time too.
                may_leave(commons, reading, &page).await?;
                under.step = next.map_or(Step::End, Step::On);
                under.chunk += 1;
                Ok(Some((Bytes::from(bytes), under)))
            };
            crate::request_id::with(request_id.clone(), work)
        });
        response.streaming(Box::pin(stream))
    }

    fn head(&self, columns: &[String]) -> String {
        match self.form {
            Form::Csv => csv_line(&columns.iter().map(|name| name.as_str().into()).collect::<Vec<Value>>()),
            Form::GeoJson => "{\"type\":\"FeatureCollection\",\"features\":[\n".to_owned(),
            Form::Ndjson | Form::Workbook => String::new(),
        }
    }

    fn tail(&self, columns: &[String], rows: i64) -> String {
        match self.form {
            Form::GeoJson => "\n]}\n".to_owned(),
            // As wide as the others, or a reader would stumble over it.
            Form::Csv if self.end_line => {
                let said = [Value::from("# end"), Value::from(format!("rows={rows}"))];
                let rest = std::iter::repeat_n(Value::Null, columns.len().saturating_sub(said.len()));
                csv_line(&said.into_iter().chain(rest).collect::<Vec<_>>())
            }
            Form::Ndjson if self.end_line => json!({"end": true, "rows": rows}).to_string() + "\n",
            Form::Csv | Form::Ndjson | Form::Workbook => String::new(),
        }
    }

    fn encode(&self, text: &mut String, page: &Page, columns: &[String], begins: bool) {
        for (at, row) in page.rows.iter().enumerate() {
            match self.form {
                Form::Ndjson | Form::Workbook => {
                    push_item(text, page, row);
                    text.push('\n');
                }
                Form::Csv => {
                    let item = item(page, row);
                    let cells = columns.iter().map(|column| item.get(column).unwrap_or(&Value::Null));
                    text.push_str(&csv_line(cells));
                }
                Form::GeoJson => {
                    if at > 0 || !begins {
                        text.push_str(",\n");
                    }
                    text.push_str(&feature(page, row).to_string());
                }
            }
        }
    }

    /// The answer as a workbook, of which the first page is there.
    ///
    /// # Errors
    /// `too-large-for-xlsx`, and whatever reading on ends with.
    pub async fn workbook(self, commons: Data<Commons>, reading: Reading, first: Page) -> Result<HttpResponse, Error> {
        let _turn = turn(&commons).await?;
        let mut response = self.response(&first);
        let columns = columns(&first);
        let mut sheet = SheetWriter::new(columns.iter().map(String::as_str), None).map_err(unwritten)?;
        let (mut page, mut chunk, mut done) = (first, 0, 0);
        // Every share that anything is of: before each piece of the file, all of them are looked at again.
        let mut shares = gave(&page);
        let commit = page.commit;
        loop {
            done += i64::try_from(page.rows.len()).unwrap_or(0);
            let next = page.goes_on().filter(|_| done < self.wanted);
            let columns = columns.clone();
            sheet = commons.run(move |_| write_rows(sheet, &page, &columns)).await?;
            let Some(from) = next else { break };
            page = next_page(&commons, &reading, None, Some(from), CHUNK.min(self.wanted - done)).await?;
            chunk += 1;
            write_down(&commons, &page, &self.id, chunk, self.form.channel()).await?;
            shares.extend(gave(&page));
            shares.sort_unstable();
            shares.dedup();
        }
        let made = commons.run(move |_| saved(sheet)).await?;
        response.insert_header(("Content-Disposition", format!("attachment; filename=\"{}.xlsx\"", reading.collection)));
        let of = Data::new((commons, reading, shares));
        Ok(made.leave(response, move || {
            let of = of.clone();
            async move { stands(&of.0, &of.1, &of.2, commit).await }
        }))
    }
}

fn saved(sheet: SheetWriter) -> Result<Made, Error> {
    let failed = |error: std::io::Error| Error::Unavailable(format!("a temporary file could not be written: {}", error.kind()));
    let mut file: File = tempfile::tempfile().map_err(failed)?;
    sheet.save(&mut file).map_err(unwritten)?;
    Made::of(file)
}

fn write_rows(mut sheet: SheetWriter, page: &Page, columns: &[String]) -> Result<SheetWriter, Error> {
    for row in &page.rows {
        let item = item(page, row);
        let schema = page.shares.of(row.share).map(|share| &share.schema);
        let is_day = |name: &str| {
            schema.is_some_and(|schema| schema.fields.iter().any(|field| field.name.as_str() == name && field.kind == Kind::Date))
        };
        let cells = columns.iter().map(|name| SheetCell::of(item.get(name).unwrap_or(&Value::Null), is_day(name)));
        sheet.row(cells.map(|cell| (cell, false))).map_err(unwritten)?;
    }
    Ok(sheet)
}

fn item(page: &Page, row: &SharedRow) -> Map<String, Value> {
    let mut text = String::new();
    push_item(&mut text, page, row);
    serde_json::from_str(&text).unwrap_or_default()
}

/// RFC 7946: a point in degrees east and north, and nothing where the share shows no place or the record has none.
fn feature(page: &Page, row: &SharedRow) -> Value {
    let mut properties = item(page, row);
    let id = properties.shift_remove("id");
    let place = page.shares.of(row.share).and_then(|share| share.schema.geo.as_ref());
    let at = |name: &str| properties.get(name).filter(|value| value.is_number());
    let point = place.and_then(|(north, east)| Some([at(east.as_str())?, at(north.as_str())?]));
    let geometry = point.map(|coordinates| json!({"type": "Point", "coordinates": coordinates}));
    json!({"type": "Feature", "id": id, "geometry": geometry, "properties": properties})
}

fn columns(page: &Page) -> Vec<String> {
    let wanted =
        page.shares.names.in_order.iter().filter(|name| page.fields.as_ref().is_none_or(|fields| fields.contains(*name)));
    ENVELOPE.into_iter().map(str::to_owned).chain(wanted.cloned()).collect()
}
