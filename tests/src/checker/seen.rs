//! What a look at the tables tells about what was acknowledged: lists, decisions, and answers that somebody received.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hayward_domain::keys::{AgreementKeys, Named, RecordIdKeys};
use hayward_domain::record::{Record, RecordNumber};
use serde_json::Value;

use super::Faults;
use super::ledger::numbers;
use super::tables::Tables;

/// The tables as they were, and what was wrong with them.
pub struct Seen {
    /// What was wrong, in words; empty if nothing was.
    pub faults: Vec<String>,
    /// What the program has still to do by itself; empty once it has settled.
    pub waiting: Vec<String>,
    tables: Tables,
    ids: RecordIdKeys,
    keys: HashMap<i64, AgreementKeys>,
}

/// What somebody received of one answer, perhaps in part.
#[derive(Default)]
pub struct Answer {
    /// What `Disclosure-Id` said; nothing for an answer without a token.
    pub id: Option<String>,
    /// The ids of records with the names of their fields, by agreement.
    pub given: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// A step of an agreement as its event tells: agreement, version, event, side.
pub type Step = (String, i64, String, String);

impl Seen {
    pub(super) fn new(tables: Tables, faults: Faults, ids: RecordIdKeys, keys: HashMap<i64, AgreementKeys>) -> Self {
        Self { faults: faults.wrong, waiting: faults.waiting, tables, ids, keys }
    }

    /// The live records of a dataset: the value of one field, by that of another.
    #[must_use]
    pub fn live(&self, dataset: &str, key: &str, field: &str) -> BTreeMap<String, String> {
        let Some(list) = self.tables.datasets.iter().find(|list| list.id == dataset) else { return BTreeMap::new() };
        let live = self.tables.records.iter().filter(|original| original.dataset == list.number);
        let live = live.filter(|original| original.born <= list.head && original.died > list.head);
        live.filter_map(|original| {
            let record = Record::from_body(&original.body)?;
            let text = |wanted: &str| {
                let found = record.fields.iter().find(|(name, _)| name.as_str() == wanted)?;
                found.1.as_str().map(str::to_owned)
            };
            Some((text(key)?, text(field)?))
        })
        .collect()
    }

    /// The state of an import, and whether its file had arrived whole.
    #[must_use]
    pub fn import(&self, id: &str) -> Option<(&str, bool)> {
        let import = self.tables.imports.iter().find(|import| import.id == id)?;
        Some((import.state.as_str(), !import.file_hash.is_empty()))
    }

    /// Files that somebody began to upload into a dataset: whether each had arrived whole.
    #[must_use]
    pub fn uploads(&self, dataset: &str) -> Vec<bool> {
        let Some(list) = self.tables.datasets.iter().find(|list| list.id == dataset) else { return Vec::new() };
        let reading = self.tables.imports.iter().filter(|import| import.dataset == list.number && import.state == "reading");
        reading.map(|import| !import.file_hash.is_empty()).collect()
    }

    /// How often each step was taken by a side.
    #[must_use]
    pub fn steps(&self) -> BTreeMap<Step, usize> {
        let ids: HashMap<i64, &str> =
            self.tables.agreements.iter().map(|agreement| (agreement.number, agreement.id.as_str())).collect();
        let mut steps = BTreeMap::new();
        for event in &self.tables.events {
            let (Some(id), Some(side)) = (ids.get(&event.agreement), &event.side) else { continue };
            *steps.entry(((*id).to_owned(), event.version, event.event.clone(), side.clone())).or_default() += 1;
        }
        steps
    }

    /// Whether there is an entry in some chain of the ledger.
    #[must_use]
    pub fn anything_sealed(&self) -> bool {
        self.tables.parties.iter().any(|party| party.position.is_some())
    }

    /// No disclosure without its entry: what is missing in the ledger of what was received.
    #[must_use]
    pub fn undisclosed(&self, answers: &[Answer]) -> Vec<String> {
        let mut entries: HashMap<&str, Vec<Value>> = HashMap::new();
        for entry in &self.tables.entries {
            let disclosed: Vec<Value> = serde_json::from_str(&entry.disclosed).unwrap_or_default();
            entries.entry(&entry.id).or_default().extend(disclosed);
        }
        let names: HashMap<(i64, i64), i64> =
            self.tables.names.iter().map(|name| ((name.share, name.record), name.name)).collect();
        let mut missing = Vec::new();
        let mut tokenless: BTreeMap<&str, i64> = BTreeMap::new();
        for answer in answers {
            let Some(id) = &answer.id else {
                answer.given.keys().for_each(|agreement| *tokenless.entry(agreement).or_default() += 1);
                continue;
            };
            match entries.get(id.as_str()) {
                None => missing.push(format!("the answer {id} was received and has no entry")),
                Some(disclosed) => {
                    missing.extend(self.uncovered(answer, disclosed, &names).map(|what| format!("{what} of {id}")))
                }
            }
        }
        for (agreement, received) in tokenless {
            let reads = self.tables.public_reads.iter().filter(|read| read.agreement == agreement).map(|read| read.reads);
            let counted: i64 = reads.sum();
            if counted < received {
                missing.push(format!("{agreement} was read {received} times without a token, and {counted} are counted"));
            }
        }
        missing
    }

    /// The first thing in an answer that its entries do not name.
    fn uncovered(&self, answer: &Answer, disclosed: &[Value], names: &HashMap<(i64, i64), i64>) -> Option<String> {
        for (agreement, records) in &answer.given {
            let number = self.tables.agreements.iter().find(|one| one.id == *agreement)?.number;
            let own = || disclosed.iter().filter(|one| one["agreement"] == agreement.as_str());
            let named: BTreeSet<i64> = own().filter_map(|one| numbers(one["records"].as_str()?)).flatten().collect();
            let fields = own().filter_map(|one| one["fields"].as_array()).flatten().filter_map(Value::as_str);
            let fields: BTreeSet<&str> = fields.collect();
            if named.len() < records.len() {
                return Some(format!("{} of {} records", records.len() - named.len(), records.len()));
            }
            let closed = !self.keys.contains_key(&number);
            for (id, shown) in records {
                // Once its secret is destroyed nobody can tell any more what a pseudonymous id stood for: then they are counted.
                if closed && matches!(self.ids.read(id), Some(Named::Pseudonym { share, .. }) if share == number) {
                    continue;
                }
                let Some(record) = self.record(number, id) else { return Some("an id that names nothing".to_owned()) };
                let name = names.get(&(number, record));
                if name.is_none_or(|name| !named.contains(name)) {
                    return Some(format!("record {record}"));
                }
                if let Some(field) = shown.iter().find(|field| !fields.contains(field.as_str())) {
                    return Some(format!("the field `{field}`"));
                }
            }
        }
        None
    }

    fn record(&self, share: i64, id: &str) -> Option<i64> {
        match self.ids.read(id)? {
            Named::Stable(RecordNumber(number)) => Some(number),
            Named::Pseudonym { share: of, sealed } if of == share => Some(self.keys.get(&share)?.open_record(sealed)?.0),
            Named::Pseudonym { .. } => None,
        }
    }
}
