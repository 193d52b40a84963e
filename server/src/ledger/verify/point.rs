//! Checkpoints: who signed what.

use serde_json::Value;

use crate::ledger::seal;

/// A checkpoint, as it stands in a file.
pub(super) struct Checkpoint {
    pub(super) provider: String,
    pub(super) position: i64,
    pub(super) hash: String,
    at: String,
    signature: String,
    key: String,
    era: Option<String>,
    /// Retired keys: each, the one after it, and its signature for that.
    succession: Vec<[String; 3]>,
}

impl Checkpoint {
    /// Reads it. What is missing is empty, and then no signature holds.
    pub(super) fn read(value: &Value) -> Self {
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let steps = value.get("succession").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            provider: text(value, "provider"),
            position: value.get("position").and_then(Value::as_i64).unwrap_or_default(),
            hash: text(value, "hash"),
            at: text(value, "at"),
            signature: text(value, "signature"),
            key: text(value, "key"),
            era: value.get("era").and_then(Value::as_str).map(str::to_owned),
            succession: steps.iter().map(|step| ["key", "successor", "signature"].map(|name| text(step, name))).collect(),
        }
    }

    /// Why it cannot be believed, if it cannot.
    pub(super) fn fault(&self, key: Option<&str>, kept: Option<&Self>) -> Option<String> {
        if key.is_some_and(|key| !self.leads_from(key)) {
            return Some("the checkpoint names another key than the one asked for".to_owned());
        }
        if !self.is_signed() {
            return Some("the checkpoint's signature does not hold".to_owned());
        }
        if self.succession.iter().any(|[key, successor, signature]| !seal::vouched(key, successor, signature)) {
            return Some("the checkpoint lists keys that did not vouch for each other".to_owned());
        }
        let kept = kept?;
        if !kept.is_signed() || key.is_some_and(|key| !kept.leads_from(key) && !self.reaches(key, &kept.key)) {
            return Some("the checkpoint that was kept is not signed by the key asked for".to_owned());
        }
        if kept.provider != self.provider {
            return Some("the checkpoint that was kept is of another provider's chain".to_owned());
        }
        if !self.leads_from(&kept.key) {
            return Some("the checkpoint names another key than the one that was kept, and nothing leads to it".to_owned());
        }
        None
    }

    fn is_signed(&self) -> bool {
        seal::signed_by(&self.key, &self.provider, self.position, &self.hash, &self.at, self.era.as_deref(), &self.signature)
    }

    /// Whether its key is the one that is trusted, or each key on the way from there vouched for the one after it.
    fn leads_from(&self, trusted: &str) -> bool {
        self.reaches(trusted, &self.key)
    }

    fn reaches(&self, trusted: &str, wanted: &str) -> bool {
        let mut at = trusted;
        // No more steps than there are: a circle ends.
        for _ in 0..=self.succession.len() {
            if at == wanted {
                return true;
            }
            match self.succession.iter().find(|[key, ..]| key == at) {
                Some([key, successor, signature]) if seal::vouched(key, successor, signature) => at = successor,
                Some(_) | None => return false,
            }
        }
        false
    }
}
