//! Checks an export of the ledger without the server: `hayward ledger verify FILE`.
//!
//! * The file is what `GET /api/v1/disclosures` gives as NDJSON to a provider: one entry a line, the newest first, sealed ones with
//!   their `chain`, and one line with the newest `checkpoint`. It may be turned round, oldest first.
//! * Every entry is held to its own link (`walk`), every link to the one beside it, the newest to the checkpoint, and the checkpoint
//!   to its signature (`point`). What is wrong is named: what it is, in which line, at which position of the chain.
//! * The file is read twice and never held: memory does not grow with it.
//! * Whoever holds the commons' signing key can make another chain. A key, or an earlier checkpoint, kept outside the commons shows it.

mod point;
mod walk;

#[cfg(test)]
mod tests;

use std::io::{BufRead, Read, Result, Seek};

use serde::Serialize;
use serde_json::Value;

use point::Checkpoint;
use walk::Walk;

/// The longest line that is read: an entry takes some hundred bytes for each agreement.
const LONGEST: u64 = 16 << 20;
/// The most faults that are told one by one.
const MOST: usize = 100;
/// Sealed lines at either end that tell which way the file runs.
const ENDS: usize = 8;

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It is not what was sealed.
    Changed,
    /// It is gone, and others before and after it are there.
    Dropped,
    /// It stands in another place.
    Reordered,
    /// It stands there twice.
    Repeated,
    /// The beginning or the end of the file is gone.
    Truncated,
    /// A checkpoint, or the chain under it, is not the one that was signed.
    Forged,
    /// The export was filtered: what is not in it cannot be told.
    Filtered,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What it is.
    pub what: What,
    /// In which line of the file, from 1; of what is gone, the line where it should stand.
    pub line: usize,
    /// At which position of the chain, where it has one.
    pub position: Option<i64>,
    /// The same in words.
    pub text: String,
}

/// What was found in an export.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries in the file.
    pub entries: usize,
    /// Those that are sealed.
    pub sealed: usize,
    /// Whether a checkpoint stands behind the newest sealed entry.
    pub checkpoint: bool,
    /// The first thing that is wrong, in the order of the lines.
    pub first: Option<Fault>,
    /// Everything that is wrong, in words, in the order of the lines. Empty if nothing is.
    pub faults: Vec<String>,
}

/// What is held against the file besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Insist<'a> {
    /// The commons' public key.
    pub key: Option<&'a str>,
    /// An earlier checkpoint that was kept: its line, or an earlier export that ends with it.
    pub checkpoint: Option<&'a str>,
}

/// Reads an export and checks it.
///
/// # Errors
/// If the file cannot be read, or the checkpoint to insist on is none.
pub fn verify(mut file: impl BufRead + Seek, insist: Insist<'_>) -> Result<Report> {
    let kept = insist.checkpoint.map(kept).transpose()?;
    let survey = survey(&mut file)?;
    file.rewind()?;
    let mut faults = Vec::new();
    let checkpoint = survey.checkpoint.as_ref().map(|(line, value)| (*line, Checkpoint::read(value)));
    let mut trusted = None;
    if let Some((line, checkpoint)) = &checkpoint {
        match checkpoint.fault(insist.key, kept.as_ref()) {
            Some(text) => faults.push(Fault { what: What::Forged, line: *line, position: Some(checkpoint.position), text }),
            None => trusted = Some(checkpoint),
        }
        let aside = *line != survey.first && *line != survey.last;
        if survey.checkpoints > 1 || aside {
            let what = if aside { What::Reordered } else { What::Repeated };
            let text = format!("line {line}: a checkpoint stands at the end of an export, once");
            faults.push(Fault { what, line: *line, position: None, text });
        }
    }
    if let Some(line) = survey.filtered {
        let text = "the export was filtered: each entry is held to its own link, and what is not in it cannot be told".to_owned();
        faults.push(Fault { what: What::Filtered, line, position: None, text });
    }
    let mut walk = Walk::new(survey.upwards, survey.filtered.is_some(), trusted, kept.as_ref(), faults);
    each_line(&mut file, |number, text, whole| walk.line(number, text, whole))?;
    walk.end(checkpoint.is_some(), survey.last);
    let Walk { mut faults, entries, sealed, met, unnamed, .. } = walk;
    faults.sort_by_key(|fault| fault.line);
    let mut words: Vec<String> = faults.iter().take(MOST).map(|fault| fault.text.clone()).collect();
    let more = faults.len().saturating_sub(MOST) + unnamed;
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    Ok(Report { entries, sealed, checkpoint: met, first: faults.into_iter().next(), faults: words })
}

/// What is known of a file before it is walked through.
#[derive(Default)]
struct Survey {
    /// The checkpoint, with its line; the last if there are several.
    checkpoint: Option<(usize, Value)>,
    checkpoints: usize,
    /// The line that says that the export was filtered.
    filtered: Option<usize>,
    /// The first and the last line that hold something.
    first: usize,
    last: usize,
    /// Whether the oldest entry comes first.
    upwards: bool,
}

fn survey(file: &mut (impl BufRead + Seek)) -> Result<Survey> {
    let mut survey = Survey::default();
    let (mut beginning, mut end): (Vec<i64>, std::collections::VecDeque<String>) = Default::default();
    each_line(file, |number, text, _| {
        survey.last = number;
        if survey.first == 0 {
            survey.first = number;
        }
        if text.contains("\"checkpoint\"") || text.contains("\"filtered\"") {
            let Ok(mut line) = serde_json::from_str::<Value>(text) else { return };
            if let Some(checkpoint) = line.get_mut("checkpoint") {
                survey.checkpoint = Some((number, checkpoint.take()));
                survey.checkpoints += 1;
            } else if line.get("filtered").is_some() {
                survey.filtered = Some(number);
            }
        }
        if text.contains("\"chain\"") && text.contains("\"position\"") {
            if beginning.len() < ENDS {
                beginning.extend(position(text));
            } else {
                if end.len() == ENDS {
                    end.pop_front();
                }
                end.push_back(text.to_owned());
            }
        }
    })?;
    let positions: Vec<i64> = beginning.into_iter().chain(end.iter().filter_map(|text| position(text))).collect();
    // By majority: one of these lines may be the one that was changed.
    let pairs = positions.iter().enumerate().flat_map(|(at, one)| positions.iter().skip(at + 1).map(move |other| (one, other)));
    let votes: i64 = pairs.map(|(one, other)| other.cmp(one) as i64).sum();
    survey.upwards = votes > 0;
    Ok(survey)
}

fn position(text: &str) -> Option<i64> {
    let line: Value = serde_json::from_str(text).ok()?;
    line.get("chain")?.get("position")?.as_i64()
}

/// The checkpoint in a file that somebody kept.
fn kept(text: &str) -> Result<Checkpoint> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = lines.filter_map(|mut line| line.get_mut("checkpoint").map(Value::take)).next_back();
    let none = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it holds no checkpoint");
    found.map(|checkpoint| Checkpoint::read(&checkpoint)).ok_or_else(none)
}

/// Hands over each line that holds something, with its number, and whether it ends as lines do.
fn each_line(file: &mut impl BufRead, mut see: impl FnMut(usize, &str, bool)) -> Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = file.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let whole = line.last() == Some(&b'\n');
        // What is too long is read to its end as more lines, none of which is an entry.
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            see(number, text, whole);
        }
    }
    Ok(())
}
