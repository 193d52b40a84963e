//! `GET /api/v1/organization/archive`: all that is one's own, to take along.
//!
//! One zip of open formats. What it holds is described in a text of its own inside, so that whoever opens it years later needs nobody.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use hayward_domain::id::DatasetId;
use hayward_domain::scope::Scope;
use hayward_store::{Caller, Dataset, LedgerStore, Order, Organization, Store};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;

use super::datasets::{encode, gone, header};
use super::disclosures::{checkpoint, linked};
use super::format::{Format, csv_line};
use super::made;
use super::params::Params;
use crate::auth::bearer::{Bearer, DatasetsRead, unknown_token};
use crate::commons::Commons;
use crate::error::Error;

/// Records, agreements or entries that are read in one go.
const PAGE: i64 = 500;

/// What stands in the archive, for whoever opens it.
const README: &str = "\
This is everything that a member co-op has put into its commons, and what was done with it.

organization.json   who it is, and when this was made
lists.json          its lists: name, schema, edition, and which files hold each
lists/*.csv         every list as it stands, private columns included; a cell that a spreadsheet would run as a formula begins with '
lists/*.ndjson      the same, one JSON object a line
schemas/*.json      what the fields of the lists mean (JSON Schema 2020-12)
agreements.ndjson   every agreement that it was a party to, with all versions, one a line
erasures.ndjson     who was erased from the lists on request: which list, when, why, and who has confirmed; never whom
ledger.ndjson       every disclosure of its lists, and every one that it received, with the chain of hashes and the newest signed
                    checkpoint; `hayward ledger verify ledger.ndjson` checks it without a server

What others shared with it is theirs, and is not in here.
";

/// Everything of one's own, as one file.
pub async fn archive(request: HttpRequest, bearer: Bearer<DatasetsRead>, commons: Data<Commons>) -> Result<HttpResponse, Error> {
    Params::parse(request.query_string())?.end()?;
    for scope in [Scope::AgreementsRead, Scope::LedgerRead] {
        if !bearer.caller.scopes.has(&scope) {
            return Err(Error::MissingScope(scope));
        }
    }
    let Bearer { caller, token_hash, .. } = bearer;
    let own = caller.organization_id.clone();
    let organization = commons.run(move |store| store.organization(own.as_str())).await?;
    // Before the entries: what is sealed while they are read must not stand behind one that was read unsealed.
    let checkpoint = checkpoint(&commons, caller.organization_id.as_str()).await?;
    let name = format!("{}.zip", organization.slug);
    let (ledger, token) = (commons.ledger.store.clone(), token_hash.clone());
    let made = made::make(&commons, move |store, file| {
        let zip = ZipWriter::new(BufWriter::new(file));
        let archive = Archive { store, ledger: &ledger, caller: &caller, token: &token, zip };
        archive.write(&organization, &checkpoint)
    })
    .await?;
    Ok(made.send(commons, token_hash, "application/zip", &name))
}

/// An archive in the making.
struct Archive<'a> {
    store: &'a Store,
    ledger: &'a LedgerStore,
    caller: &'a Caller,
    /// Looked up again before every page.
    token: &'a str,
    zip: ZipWriter<BufWriter<&'a mut File>>,
}

impl Archive<'_> {
    fn write(mut self, organization: &Organization, checkpoint: &str) -> Result<(), Error> {
        let Organization { id, slug, name, .. } = organization;
        let made_at = self.store.now().to_rfc3339();
        self.whole("README.txt", README)?;
        self.whole("organization.json", &json!({"id": id, "slug": slug, "name": name, "made_at": made_at}).to_string())?;
        let lists = self.store.datasets(self.caller.organization)?;
        let listed = lists.iter().map(|list| self.list(list)).collect::<Result<Vec<_>, _>>()?;
        self.whole("lists.json", &Value::from(listed).to_string())?;
        self.agreements()?;
        self.erasures()?;
        self.entries(checkpoint)?;
        self.zip.finish().map_err(unzipped)?.flush().map_err(unwritten)
    }

    fn begin(&mut self, name: &str) -> Result<(), Error> {
        // A list may be larger than the four gigabytes that the format's first sizes can say.
        let options = SimpleFileOptions::default().large_file(true).unix_permissions(0o600);
        self.zip.start_file(name, options).map_err(unzipped)
    }

    fn add(&mut self, text: &str) -> Result<(), Error> {
        self.zip.write_all(text.as_bytes()).map_err(unwritten)
    }

    fn whole(&mut self, name: &str, text: &str) -> Result<(), Error> {
        self.begin(name)?;
        self.add(text)
    }

    fn still(&self) -> Result<(), Error> {
        self.store.caller(self.token).map(drop).map_err(unknown_token)
    }

    /// One list, once as CSV and once as JSON, both of one edition. Returns what the table of contents says of it.
    fn list(&mut self, list: &Dataset) -> Result<Value, Error> {
        let (owner, id) = (self.caller.organization, DatasetId::parse(&list.id).ok_or(Error::NotFound)?);
        let schema = self.store.dataset_schema(owner, &id)?;
        let private = self.store.private_headers(owner, &id)?;
        let called = format!("{}-{}", made::named(&list.name, "").trim_end_matches('.'), list.id);
        let described = format!("schemas/{}-of-{}.json", schema.name, list.id);
        self.whole(&described, &schema.document.to_string())?;
        let mut of = None;
        let mut files = Vec::new();
        for format in [Format::Csv, Format::Ndjson] {
            let ending = if format == Format::Csv { "csv" } else { "ndjson" };
            let file = format!("lists/{called}.{ending}");
            self.begin(&file)?;
            if format == Format::Csv {
                self.add(&csv_line(&header(&schema, &private)))?;
            }
            // Row 0 stands before the first.
            let mut from = of.map(|edition| (edition, 0));
            loop {
                self.still()?;
                let page = self.store.own_records(owner, &id, &Order::default(), from, PAGE).map_err(gone)?;
                self.add(&encode(format, &page, &private))?;
                of = Some(page.edition);
                let Some(after) = page.after else { break };
                from = Some((page.edition, after));
            }
            files.push(file);
        }
        Ok(json!({
            "id": list.id, "name": list.name, "schema": schema.name, "schema_version": schema.version, "described_by": described,
            "edition": of, "files": files, "private_columns": private,
        }))
    }

    /// What comes in pages, one a line.
    fn lines(
        &mut self,
        name: &str,
        read: impl Fn(&Self, Option<i64>) -> Result<(Vec<Value>, Option<i64>), Error>,
    ) -> Result<(), Error> {
        self.begin(name)?;
        let mut below = None;
        loop {
            self.still()?;
            let (items, next) = read(self, below)?;
            self.add(&items.iter().map(|item| item.to_string() + "\n").collect::<String>())?;
            below = next;
            if below.is_none() {
                return Ok(());
            }
        }
    }

    fn agreements(&mut self) -> Result<(), Error> {
        self.lines("agreements.ndjson", |archive, below| {
            let page = archive.store.agreements(archive.caller, below, PAGE)?;
            Ok((page.items, page.after))
        })
    }

    fn erasures(&mut self) -> Result<(), Error> {
        self.lines("erasures.ndjson", |archive, below| {
            let owner = (archive.caller.organization, archive.caller.organization_id.as_str());
            let page = archive.store.erasures(archive.ledger, owner, below, PAGE)?;
            Ok((page.items, page.below))
        })
    }

    fn entries(&mut self, checkpoint: &str) -> Result<(), Error> {
        self.lines("ledger.ndjson", |archive, below| {
            let page = archive.ledger.entries(archive.caller.organization_id.as_str(), below, PAGE)?;
            Ok((page.items.into_iter().map(linked).collect(), page.below))
        })?;
        self.add(checkpoint)
    }
}

fn unzipped(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => unwritten(error),
        // Its words may name a file of the archive.
        _ => Error::Internal("the archive could not be put together".to_owned()),
    }
}

fn unwritten(error: io::Error) -> Error {
    Error::Unavailable(format!("a temporary file could not be written: {}", error.kind()))
}
