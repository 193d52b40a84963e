//! Cuts a JSON file into its records without reading what is in them.
//!
//! Only quotes, brackets and commas are looked at here, so one record at a time is held, and a record that is broken inside is
//! that record's problem.

use crate::refusal::{ROW_BYTES, Refusal};
use crate::text::Text;

/// How the records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// One array of them, or a single one.
    Document,
    /// One a line.
    Lines,
    /// One array of them, under the key `features` of an object.
    Features,
}

/// What is expected next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// `[`, or the only record.
    Opening,
    /// The first record, or `]`.
    First,
    /// A record.
    Record,
    /// `,` or `]`.
    Comma,
    /// Nothing.
    End,
}

/// The records of a file, as text.
pub(super) struct Records {
    text: Text,
    arrangement: Arrangement,
    next: Next,
}

impl Records {
    pub(super) fn new(text: Text, arrangement: Arrangement) -> Self {
        Self { text, arrangement, next: Next::Opening }
    }

    /// Reads the next record into `record`; false at the end. `row` is its number.
    pub(super) fn next(&mut self, row: u64, record: &mut String) -> Result<bool, Refusal> {
        record.clear();
        match self.arrangement {
            Arrangement::Lines => self.line(row, record),
            Arrangement::Document => self.element(row, record),
            Arrangement::Features => {
                if self.next == Next::Opening {
                    self.open_features(row, record)?;
                }
                // What stands behind the features is about all of them.
                if self.next == Next::End { Ok(false) } else { self.element(row, record) }
            }
        }
    }

    /// Passes over what stands before the features, for which `passed` is used.
    fn open_features(&mut self, row: u64, passed: &mut String) -> Result<(), Refusal> {
        const NO_FEATURES: &str = "expected an object with `features`";
        self.mark('{', row, NO_FEATURES)?;
        loop {
            passed.clear();
            self.key(row, passed)?;
            self.mark(':', row, NO_FEATURES)?;
            let first = self.skip_space()?;
            if passed == "features" && first == Some('[') {
                self.text.consume(1);
                passed.clear();
                self.next = Next::First;
                return Ok(());
            }
            passed.clear();
            self.value(row, passed)?;
            self.mark(',', row, NO_FEATURES)?;
        }
    }

    /// A key, without its quotes and with its escapes.
    fn key(&mut self, row: u64, key: &mut String) -> Result<(), Refusal> {
        self.mark('"', row, "expected a key")?;
        let mut escaped = false;
        while let Some(rest) = self.text.rest()? {
            let end = rest.bytes().position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            let taken = end.unwrap_or(rest.len());
            key.push_str(rest.get(..taken).unwrap_or_default());
            self.text.consume(taken + usize::from(end.is_some()));
            fits(key, row)?;
            if end.is_some() {
                return Ok(());
            }
        }
        Err(broken(row, "the file ends in the middle"))
    }

    fn mark(&mut self, wanted: char, row: u64, otherwise: &'static str) -> Result<(), Refusal> {
        if self.skip_space()? != Some(wanted) {
            return Err(broken(row, otherwise));
        }
        self.text.consume(1);
        Ok(())
    }

    fn line(&mut self, row: u64, line: &mut String) -> Result<bool, Refusal> {
        let mut begun = false;
        while let Some(rest) = self.text.rest()? {
            begun = true;
            let end = rest.find('\n');
            let taken = end.unwrap_or(rest.len());
            line.push_str(rest.get(..taken).unwrap_or_default());
            self.text.consume(taken + usize::from(end.is_some()));
            fits(line, row)?;
            if end.is_some() {
                break;
            }
        }
        Ok(begun)
    }

    fn element(&mut self, row: u64, record: &mut String) -> Result<bool, Refusal> {
        loop {
            let Some(first) = self.skip_space()? else {
                return if self.next == Next::End { Ok(false) } else { Err(broken(row, "the file ends in the middle")) };
            };
            let (after, mark) = match (self.next, first) {
                (Next::Opening, '[') => (Next::First, true),
                (Next::First | Next::Comma, ']') => (Next::End, true),
                (Next::Comma, ',') => (Next::Record, true),
                (Next::Opening, '{') => (Next::End, false),
                (Next::Opening, _) => return Err(broken(row, "expected an array of objects")),
                (Next::Record, ']' | ',') | (Next::First, ',') => return Err(broken(row, "expected a record")),
                (Next::First | Next::Record, _) => (Next::Comma, false),
                (Next::Comma, _) => return Err(broken(row, "expected `,` or `]` after the record before")),
                (Next::End, _) => return Err(broken(row, "expected nothing more")),
            };
            self.next = after;
            if !mark {
                self.value(row, record)?;
                return Ok(true);
            }
            self.text.consume(1);
            if self.next == Next::End && self.arrangement == Arrangement::Features {
                return Ok(false);
            }
        }
    }

    /// The first character that is not white space; it is not consumed.
    fn skip_space(&mut self) -> Result<Option<char>, Refusal> {
        while let Some(rest) = self.text.rest()? {
            let kept = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            let (length, first) = (rest.len() - kept.len(), kept.chars().next());
            self.text.consume(length);
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(None)
    }

    /// One value: up to the bracket that closes it, or up to a comma or bracket outside of it.
    fn value(&mut self, row: u64, record: &mut String) -> Result<(), Refusal> {
        let mut inside = Inside::default();
        while let Some(rest) = self.text.rest()? {
            let (taken, ended) = inside.walk(rest);
            record.push_str(rest.get(..taken).unwrap_or_default());
            self.text.consume(taken);
            fits(record, row)?;
            if ended {
                return Ok(());
            }
        }
        Err(broken(row, "the file ends in the middle of it"))
    }
}

/// Where in a value a scan is.
#[derive(Default)]
struct Inside {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Inside {
    /// Walks through `text`: how many bytes belong to the value, and whether it ends there.
    fn walk(&mut self, text: &str) -> (usize, bool) {
        for (at, byte) in text.bytes().enumerate() {
            if self.string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' if self.depth == 1 => return (at + 1, true),
                b'}' | b']' | b',' if self.depth == 0 => return (at, true),
                _ => {}
            }
        }
        (text.len(), false)
    }
}

fn fits(record: &str, row: u64) -> Result<(), Refusal> {
    if record.len() > ROW_BYTES { Err(Refusal::RowTooLong { row }) } else { Ok(()) }
}

fn broken(row: u64, detail: &'static str) -> Refusal {
    Refusal::Json { row, detail }
}
