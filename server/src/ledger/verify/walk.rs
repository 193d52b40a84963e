//! One walk through an export, line after line.
//!
//! Positions have to follow one another, down or up. Where one is skipped a gap is noted; a line that turns up in a gap later was
//! moved, and what stays a gap is gone. Only gaps are remembered, never lines, and no more than a file with a broken chain deserves.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::point::Checkpoint;
use super::{Fault, What};
use crate::ledger::seal;

/// The most gaps and faults that are kept.
const KEPT: usize = 10_000;

/// A sealed line: its place, and the two hashes of its link.
#[derive(Clone)]
struct Link {
    line: usize,
    position: i64,
    previous: String,
    hash: String,
    /// Whether the entry is the one that its hash covers.
    holds: bool,
}

/// Positions that were skipped.
struct Gap {
    to: i64,
    /// The line that stands where the first of them should.
    line: usize,
    /// The position that this line has.
    instead: Option<i64>,
    /// At the oldest or at the newest end of the chain: nothing of the chain is beyond it.
    at_end: bool,
    /// At the newest end, where lines without a link are only not sealed yet.
    newest: bool,
    /// Lines between those before and after the gap that could have been the entries.
    suspects: usize,
    /// The first of them.
    suspect: usize,
}

pub(super) struct Walk<'a> {
    upwards: bool,
    filtered: bool,
    checkpoint: Option<&'a Checkpoint>,
    kept: Option<&'a Checkpoint>,
    before: Option<Link>,
    /// Whether the position of `before` is known from nothing but its own line.
    alone: bool,
    /// The two lines of which one has a position that is not its own.
    doubt: Option<(Link, Link)>,
    highest: i64,
    gaps: BTreeMap<i64, Gap>,
    suspects: usize,
    suspect: usize,
    /// The last line was cut in its middle.
    cut: bool,
    pub(super) entries: usize,
    pub(super) sealed: usize,
    /// Whether the checkpoint's entry was met, and is the one that was signed.
    pub(super) met: bool,
    pub(super) faults: Vec<Fault>,
    /// Faults beyond those that are kept.
    pub(super) unnamed: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        upwards: bool,
        filtered: bool,
        checkpoint: Option<&'a Checkpoint>,
        kept: Option<&'a Checkpoint>,
        faults: Vec<Fault>,
    ) -> Self {
        Self {
            upwards,
            filtered,
            checkpoint,
            kept,
            before: None,
            alone: false,
            doubt: None,
            highest: 0,
            gaps: BTreeMap::new(),
            suspects: 0,
            suspect: 0,
            cut: false,
            entries: 0,
            sealed: 0,
            met: false,
            faults,
            unnamed: 0,
        }
    }

    pub(super) fn line(&mut self, number: usize, text: &str, whole: bool) {
        let entry = match serde_json::from_str(text) {
            Ok(Value::Object(entry)) => entry,
            Ok(_) | Err(_) => {
                self.cut = !whole;
                let what = if self.cut { What::Truncated } else { What::Changed };
                self.fault(what, number, None, format!("line {number}: not a JSON object"));
                return self.suspect(number);
            }
        };
        if entry.contains_key("checkpoint") || entry.contains_key("filtered") {
            return;
        }
        self.entries += 1;
        if !["id", "at", "recipient"].iter().all(|name| entry.get(*name).is_some_and(Value::is_string)) {
            self.fault(What::Changed, number, None, format!("line {number}: not an entry"));
            return self.suspect(number);
        }
        match entry.get("chain") {
            // Not sealed yet, or of somebody else's chain: what the organization itself received.
            None | Some(Value::Null) => {
                if self.is_own(&entry) {
                    self.suspect(number);
                }
            }
            Some(_) => match link(number, entry) {
                Some(link) => self.link(link),
                None => {
                    let text = format!("line {number}: a `chain` without position, previous and hash");
                    self.fault(What::Changed, number, None, text);
                    self.suspect(number);
                }
            },
        }
    }

    /// Whether an entry belongs into the chain, as far as that is known.
    fn is_own(&self, entry: &Map<String, Value>) -> bool {
        let Some(checkpoint) = self.checkpoint else { return true };
        let disclosed = entry.get("disclosed").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        disclosed.iter().any(|part| part.get("provider").and_then(Value::as_str) == Some(&checkpoint.provider))
    }

    fn suspect(&mut self, number: usize) {
        if self.suspects == 0 {
            self.suspect = number;
        }
        self.suspects += 1;
    }

    fn fault(&mut self, what: What, line: usize, position: Option<i64>, text: String) {
        if self.faults.len() < KEPT {
            self.faults.push(Fault { what, line, position, text });
        } else {
            self.unnamed += 1;
        }
    }

    fn link(&mut self, link: Link) {
        self.sealed += 1;
        if !link.holds {
            let text = format!("position {} (line {}): the entry is not the one that was sealed", link.position, link.line);
            self.fault(What::Changed, link.line, Some(link.position), text);
        }
        if self.filtered {
            return;
        }
        self.meet(&link);
        self.settle(&link);
        let expected = match &self.before {
            Some(before) => before.position + self.step(),
            // The newest entry is the checkpoint's or newer; the oldest is the first.
            None if self.upwards => 1,
            None => self.checkpoint.map_or(link.position, |checkpoint| link.position.max(checkpoint.position)),
        };
        if link.position == expected {
            self.hang_together(&link);
            return self.go_on(link);
        }
        // The link beside it says that this is the entry, so it is its position that is not its own.
        let beside = self.before.as_ref().filter(|before| link.holds && before.holds && self.joined(before, &link));
        if let Some(before) = beside {
            if self.alone {
                self.doubt = Some((before.clone(), link.clone()));
                return self.go_on(link);
            }
            let text = format!("position {expected} (line {}): says that it is position {}", link.line, link.position);
            self.fault(What::Changed, link.line, Some(expected), text);
            return self.go_on(Link { position: expected, ..link });
        }
        self.out_of_turn(link, expected);
    }

    fn step(&self) -> i64 {
        if self.upwards { 1 } else { -1 }
    }

    /// Whether the newer of two neighbours names the older one's hash.
    fn joined(&self, before: &Link, link: &Link) -> bool {
        if self.upwards { link.previous == before.hash } else { before.previous == link.hash }
    }

    fn hang_together(&mut self, link: &Link) {
        let Some(before) = self.before.as_ref().filter(|before| before.holds && link.holds && !self.joined(before, link)) else {
            return;
        };
        let older = if self.upwards { before } else { link };
        let (line, position) = (older.line, older.position);
        let text = format!("position {position} (line {line}): the entry after it was sealed on another one");
        self.fault(What::Changed, line, Some(position), text);
    }

    fn go_on(&mut self, link: Link) {
        if link.position == 1 && !link.previous.is_empty() && link.holds {
            let text = format!("position 1 (line {}): follows another entry", link.line);
            self.fault(What::Changed, link.line, Some(1), text);
        }
        self.alone = self.before.is_none();
        self.highest = self.highest.max(link.position);
        self.before = Some(link);
        self.suspects = 0;
    }

    /// Two neighbours whose positions do not fit: the line after them tells which of the two is wrong.
    fn settle(&mut self, link: &Link) {
        let Some((first, second)) = self.doubt.take() else { return };
        let fits_first = link.position == first.position + 2 * self.step();
        self.blame(&first, &second, fits_first);
        if fits_first {
            self.before = Some(Link { position: first.position + self.step(), ..second });
        } else {
            self.gaps.retain(|_, gap| gap.line != first.line);
        }
    }

    fn blame(&mut self, first: &Link, second: &Link, second_is_wrong: bool) {
        let (wrong, right) =
            if second_is_wrong { (second, first.position + self.step()) } else { (first, second.position - self.step()) };
        let text = format!("position {right} (line {}): says that it is position {}", wrong.line, wrong.position);
        self.fault(What::Changed, wrong.line, Some(right), text);
    }

    /// A line whose position is not the one that should come now.
    fn out_of_turn(&mut self, link: Link, expected: i64) {
        let ahead = if self.upwards { link.position > expected } else { link.position < expected };
        if ahead {
            let (from, to) = if self.upwards { (expected, link.position - 1) } else { (link.position + 1, expected) };
            self.skip(from, to, link.line, Some(link.position), self.before.is_none());
            return self.go_on(link);
        }
        self.highest = self.highest.max(link.position);
        let within = self.gaps.range_mut(..=link.position).next_back().filter(|(_, gap)| gap.to >= link.position);
        let Some((&from, gap)) = within else {
            let twice = link.position <= self.highest && self.before.is_some();
            let what = if twice { What::Repeated } else { What::Reordered };
            let text =
                format!("position {} (line {}): stands there a second time, or out of its place", link.position, link.line);
            return self.fault(what, link.line, Some(link.position), text);
        };
        // It was moved. The rest of the gap stays one, before and after it.
        let (to, line, instead) = (gap.to, gap.line, gap.instead);
        let rest = |to| Gap { to, line, instead: None, at_end: false, newest: false, suspects: 0, suspect: 0 };
        self.gaps.remove(&from);
        if from < link.position {
            self.gaps.insert(from, rest(link.position - 1));
        }
        if link.position < to {
            self.gaps.insert(link.position + 1, rest(to));
        }
        // Told once, where the order breaks: at the line that stands in a place that is not its own.
        if let Some(instead) = instead {
            let text = format!(
                "position {instead} (line {line}): stands before its turn; position {} comes in line {}",
                link.position, link.line
            );
            self.fault(What::Reordered, line, Some(instead), text);
        }
    }

    fn skip(&mut self, from: i64, to: i64, line: usize, instead: Option<i64>, at_end: bool) {
        if self.gaps.len() < KEPT {
            let (suspects, suspect) = (self.suspects, self.suspect);
            let newest = at_end && self.upwards == instead.is_none();
            self.gaps.insert(from, Gap { to, line, instead, at_end, newest, suspects, suspect });
        } else {
            self.unnamed += 1;
        }
    }

    /// Holds an entry against the checkpoints.
    fn meet(&mut self, link: &Link) {
        for (checkpoint, kept) in [(self.checkpoint, false), (self.kept, true)] {
            let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.position == link.position) else { continue };
            if checkpoint.hash == link.hash {
                self.met |= !kept;
            } else if link.holds {
                let (what, by) = if kept { (What::Forged, "checkpoint that was kept") } else { (What::Changed, "checkpoint") };
                let text = format!("position {} (line {}): the {by} was signed over another entry", link.position, link.line);
                self.fault(what, link.line, Some(link.position), text);
            }
        }
    }

    pub(super) fn end(&mut self, has_checkpoint: bool, last: usize) {
        if let Some((first, second)) = self.doubt.take() {
            let signed = self.checkpoint.is_some_and(|checkpoint| checkpoint.position == first.position);
            self.blame(&first, &second, signed || self.upwards && first.position == 1);
        }
        if self.sealed > 0 && !has_checkpoint && !self.filtered {
            let text = "no checkpoint: entries could be missing at the end".to_owned();
            self.fault(What::Truncated, last, None, text);
        }
        let reached = self.kept.map(|kept| kept.position).filter(|position| *position > self.highest && !self.filtered);
        if let Some(position) = reached {
            let text =
                format!("position {position}: the checkpoint that was kept stands behind an entry that is not in the file");
            self.fault(What::Truncated, last, Some(position), text);
        }
        match &self.before {
            Some(before) if !self.upwards && before.position > 1 => self.skip(1, before.position - 1, last, None, true),
            Some(before) if self.upwards => {
                let signed = self.checkpoint.map_or(0, |checkpoint| checkpoint.position);
                if before.position < signed {
                    self.skip(before.position + 1, signed, last, None, true);
                }
            }
            Some(_) => {}
            None => {
                if let Some(signed) = self.checkpoint.map(|checkpoint| checkpoint.position).filter(|_| !self.filtered) {
                    self.skip(1, signed, last, None, true);
                }
            }
        }
        for (from, gap) in std::mem::take(&mut self.gaps) {
            self.gone(from, &gap);
        }
    }

    /// A gap that nothing turned up in.
    fn gone(&mut self, from: i64, gap: &Gap) {
        let which = if from == gap.to { format!("position {from}") } else { format!("positions {from} to {}", gap.to) };
        let many = usize::try_from(gap.to - from).unwrap_or(usize::MAX).saturating_add(1);
        if !self.cut && gap.suspects >= many && (!gap.newest || self.faults.iter().any(|fault| fault.line == gap.suspect)) {
            let text = format!("{which} (line {}): there is an entry without its link, or one that cannot be read", gap.suspect);
            return self.fault(What::Changed, gap.suspect, Some(gap.to), text);
        }
        if !gap.at_end {
            let text = format!("{which}: missing before line {}", gap.line);
            return self.fault(What::Dropped, gap.line, Some(gap.to), text);
        }
        let signed = self.checkpoint.is_some_and(|checkpoint| (from..=gap.to).contains(&checkpoint.position));
        let behind = if signed { "; the checkpoint stands behind an entry that is not in the file" } else { "" };
        self.fault(What::Truncated, gap.line, Some(gap.to), format!("{which}: missing{behind}"));
    }
}

fn link(line: usize, mut entry: Map<String, Value>) -> Option<Link> {
    let chain = entry.remove("chain")?;
    let text = |name: &str| chain.get(name).and_then(Value::as_str).map(str::to_owned);
    let position = chain.get("position").and_then(Value::as_i64).filter(|position| *position > 0)?;
    let (previous, hash) = (text("previous")?, text("hash")?);
    let holds = seal::hash(&previous, &Value::Object(entry)) == hash;
    Some(Link { line, position, previous, hash, holds })
}
