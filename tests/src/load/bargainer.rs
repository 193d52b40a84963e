//! Two stewards who make agreements, halt them, narrow them, end them, and begin anew.

use std::collections::BTreeMap;

use hayward_domain::id::{DatasetId, OrganizationId};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};

use super::founding::{days, merge};
use super::{Body, Caller, Gone, Path, Work, pause};
use crate::checker::{Seen, Step};
use crate::commons::{List, Member};

/// The fields of the widest terms; each narrower version leaves one out.
const FIELDS: [&str; 5] = ["title", "category", "city", "country", "description"];

/// Two stewards and a list that one of them offers to the other.
pub struct Bargainer {
    name: String,
    provider: Caller,
    recipient: Caller,
    audience: OrganizationId,
    dataset: DatasetId,
    random: StdRng,
    agreement: Option<String>,
    /// What was acknowledged, and how often.
    taken: BTreeMap<Step, usize>,
    /// What was asked for and not acknowledged.
    pending: Option<(Step, Path)>,
    /// Steps that were acknowledged.
    pub acknowledged: u64,
}

impl Bargainer {
    pub(super) fn new(name: &str, provider: &Member, recipient: &Member, list: &List, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            provider: Caller::new(Some(provider.token.clone())),
            recipient: Caller::new(Some(recipient.token.clone())),
            audience: recipient.id.clone(),
            dataset: list.id.clone(),
            random: StdRng::seed_from_u64(seed ^ 0xba6),
            agreement: None,
            taken: BTreeMap::new(),
            pending: None,
            acknowledged: 0,
        }
    }

    /// Works until the server is gone, or it is told to stop.
    pub fn work(&mut self, work: &Work) {
        while !work.stopped() {
            match self.turn(work) {
                Ok(()) => pause(&mut self.random, 30),
                Err(Gone) => return,
            }
        }
    }

    fn turn(&mut self, work: &Work) -> Result<(), Gone> {
        let Some(id) = self.agreement.clone() else { return self.propose(work) };
        let (status, agreement) = self.provider.told(work, Method::GET, &format!("/api/v1/agreements/{id}"), None, &[])?;
        if status != 200 {
            return Ok(());
        }
        let version = agreement["version"].as_i64().unwrap_or_default();
        match agreement["state"].as_str().unwrap_or_default() {
            "offered" => self.approve(work, &id, version),
            // The building of its share is under way.
            "agreed" => Ok(()),
            "active" => match self.random.random_range(0..10) {
                0..=3 => {
                    let side = self.either();
                    self.decide(work, side, &id, version, "suspend", Path::Halt).map(drop)
                }
                4..=7 => self.narrow(work, &id, version, &agreement["terms"]),
                _ => {
                    let side = self.either();
                    self.decide(work, side, &id, version, "end", Path::Halt).map(drop)
                }
            },
            // Only who halted it can let it go on.
            "suspended" => {
                let resumed = self.decide(work, "provider", &id, version, "resume", Path::Halt)?;
                if resumed { Ok(()) } else { self.decide(work, "recipient", &id, version, "resume", Path::Halt).map(drop) }
            }
            "ended" => {
                let side = self.either();
                self.decide(work, side, &id, version, "certify", Path::Halt)?;
                self.agreement = None;
                Ok(())
            }
            _ => {
                self.agreement = None;
                Ok(())
            }
        }
    }

    fn either(&mut self) -> &'static str {
        ["provider", "recipient"].choose(&mut self.random).unwrap_or(&"provider")
    }

    fn propose(&mut self, work: &Work) -> Result<(), Gone> {
        let fields: BTreeMap<&str, &str> = FIELDS.map(|name| (name, "exact")).into();
        let mut terms = json!({
            "dataset": self.dataset, "audience": {"organization": self.audience}, "fields": fields, "rows": "all",
            "record_id": "pseudonym", "purpose": {"code": "directory", "text": "To be tested."},
            "ending": {"delete_within_days": 30},
        });
        merge(&mut terms, days());
        let (status, told) = self.provider.told(work, Method::POST, "/api/v1/agreements", Some(Body::Json(terms)), &[])?;
        if let (201, Some(id)) = (status, told["id"].as_str()) {
            self.note((id.to_owned(), 1, "propose".to_owned(), "provider".to_owned()));
            self.agreement = Some(id.to_owned());
        }
        Ok(())
    }

    /// Both sides; with the last approval the share is built.
    fn approve(&mut self, work: &Work, id: &str, version: i64) -> Result<(), Gone> {
        self.decide(work, "provider", id, version, "approve", Path::Halt)?;
        self.decide(work, "recipient", id, version, "approve", Path::Activation).map(drop)
    }

    fn narrow(&mut self, work: &Work, id: &str, version: i64, terms: &Value) -> Result<(), Gone> {
        let mut narrower = terms.clone();
        let Some(fields) = narrower["fields"].as_object_mut() else { return Ok(()) };
        let Some(last) = FIELDS.iter().rev().find(|name| fields.contains_key(**name)).filter(|_| fields.len() > 1) else {
            return self.decide(work, "provider", id, version, "end", Path::Halt).map(drop);
        };
        fields.remove(*last);
        // What the server adds to terms is not asked for.
        if let Some(members) = narrower.as_object_mut() {
            members.retain(|name, _| !["parties", "schema", "provider", "recipient"].contains(&name.as_str()));
        }
        let step = (id.to_owned(), version + 1, "narrow".to_owned(), "provider".to_owned());
        self.pending = Some((step.clone(), Path::Narrowing));
        work.begin(&self.name, Path::Narrowing);
        let body = Body::Json(json!({"terms": narrower, "from": version}));
        let told = self.provider.told(work, Method::POST, &format!("/api/v1/agreements/{id}/versions"), Some(body), &[]);
        let (status, _) = told?;
        work.end(&self.name);
        self.acknowledge(status == 201, step);
        Ok(())
    }

    /// Whether it was acknowledged.
    fn decide(&mut self, work: &Work, side: &str, id: &str, version: i64, event: &str, path: Path) -> Result<bool, Gone> {
        let step = (id.to_owned(), version, event.to_owned(), side.to_owned());
        self.pending = Some((step.clone(), path));
        work.begin(&self.name, path);
        let caller = if side == "provider" { &self.provider } else { &self.recipient };
        let body = Body::Json(json!({"version": version}));
        let url = format!("/api/v1/agreements/{id}/{event}");
        // The server may be a step further than the one who asks: a share was built, the other side has halted it.
        let (status, _) = caller.told(work, Method::POST, &url, Some(body), &[409])?;
        work.end(&self.name);
        self.acknowledge(status == 200, step);
        Ok(status == 200)
    }

    fn acknowledge(&mut self, done: bool, step: Step) {
        self.pending = None;
        if done {
            self.note(step);
        }
    }

    fn note(&mut self, step: Step) {
        *self.taken.entry(step).or_default() += 1;
        self.acknowledged += 1;
    }

    /// Which path a server that died here was on.
    #[must_use]
    pub fn died_in(&self) -> Option<Path> {
        self.pending.as_ref().map(|(_, path)| *path)
    }

    /// What was acknowledged and is not there, or is there and was not asked for.
    #[must_use]
    pub fn compare(&self, seen: &Seen) -> Vec<String> {
        let found = seen.steps();
        let mut faults = Vec::new();
        for (step, taken) in &self.taken {
            let there = found.get(step).copied().unwrap_or(0);
            let open = usize::from(self.pending.as_ref().is_some_and(|(pending, _)| pending == step));
            if there < *taken || there > taken + open {
                let (id, version, event, side) = step;
                faults.push(format!("`{event}` of {id}, version {version}, by the {side}: {taken} acknowledged, {there} there"));
            }
        }
        faults
    }

    /// Takes what the tables tell for what happened, once the server is back.
    ///
    /// # Errors
    /// What is wrong.
    pub fn resume(&mut self, seen: &Seen) -> Result<(), String> {
        if let Some(fault) = self.compare(seen).into_iter().next() {
            return Err(fault);
        }
        if let Some((step, _)) = self.pending.take() {
            let there = seen.steps().get(&step).copied().unwrap_or(0);
            if there > 0 {
                self.taken.insert(step, there);
            }
        }
        Ok(())
    }
}
