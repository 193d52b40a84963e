//! The journal: what was closed, written down in a file outside the database and outside its backups.
//!
//! * A note is on disk before what it notes is acknowledged. A restore replays what is younger than its archive.
//! * One line a note, JSON, with a sum over the note's very bytes. Lines are only ever added; each server has a file of its own.
//! * Whoever adds a line holds the file's lock. A last line that is torn was never acknowledged: the next one takes its place.
//! * A note that cannot be written is kept in memory and goes first next time.
//!
//! What is noted is [`hayward_store::Closing`]'s to say.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hayward_domain::id::base32;
use hayward_store::Note;
use sha2::{Digest, Sha256};

/// The version of the lines that this program writes, and the newest that it reads.
const VERSION: &str = "1";
/// Letters of a sum.
const SUM: usize = 16;
/// The longest line that is read: terms are the largest thing that is noted, and have limits of their own.
const LONGEST: u64 = 8 << 20;

/// A journal that is added to.
pub struct Journal {
    path: PathBuf,
    /// Lines that could not be written yet.
    waiting: Mutex<Vec<String>>,
}

impl Journal {
    /// Opens a journal, making it if there is none.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder)?;
        let file = open(path)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { path: path.to_owned(), waiting: Mutex::default() })
    }

    /// Keeps a note; when this returns, it is durable.
    ///
    /// # Errors
    /// If it is not. It goes first next time.
    pub fn keep(&self, note: &Note) -> io::Result<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(note)?;
        // Whoever could not keep it may have come back with it.
        if !waiting.contains(&line) {
            waiting.push(line);
        }
        append(&self.path, &waiting)?;
        waiting.clear();
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Adds lines. The file is opened each time: somebody may have moved it to keep it elsewhere.
fn append(path: &Path, lines: &[String]) -> io::Result<()> {
    let mut file = open(path)?;
    // Ends when the file is closed.
    file.lock()?;
    mend(&mut file)?;
    let before = file.metadata()?.len();
    let written = file.write_all(lines.concat().as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        // Where even this fails, the next one mends it.
        drop(file.set_len(before));
    }
    written
}

/// Cuts off a last line that has no end: whoever wrote it is gone, since the lock is ours.
fn mend(file: &mut File) -> io::Result<()> {
    let mut end = file.metadata()?.len();
    let mut byte = [0; 1];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        end -= 1;
    }
    if end < file.metadata()?.len() { file.set_len(end) } else { Ok(()) }
}

fn line(note: &Note) -> io::Result<String> {
    let text = serde_json::to_string(note).map_err(io::Error::other)?;
    Ok(format!("{{\"sum\":\"{}\",\"v\":{VERSION},\"note\":{text}}}\n", sum(&text)))
}

fn sum(text: &str) -> String {
    base32(&Sha256::digest(text.as_bytes())).chars().take(SUM).collect()
}

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Journalled {
    /// Its notes.
    pub notes: Vec<Note>,
    /// Which lines are not what was written.
    pub damaged: Vec<usize>,
}

/// Reads a journal. A last line that is torn is none.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> io::Result<Journalled> {
    let mut file = BufReader::new(File::open(path)?);
    let mut found = Journalled::default();
    for number in 1.. {
        let mut bytes = Vec::new();
        file.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)?;
        let Some((b'\n', text)) = bytes.split_last() else {
            if u64::try_from(bytes.len()) == Ok(LONGEST) {
                found.damaged.push(number);
            }
            return Ok(found);
        };
        match std::str::from_utf8(text).ok().and_then(parse) {
            Some(note) => found.notes.push(note),
            None => found.damaged.push(number),
        }
    }
    Ok(found)
}

fn parse(line: &str) -> Option<Note> {
    let (kept, rest) = line.strip_prefix("{\"sum\":\"")?.split_at_checked(SUM)?;
    let text = rest.strip_prefix("\",\"v\":")?.strip_prefix(VERSION)?.strip_prefix(",\"note\":")?.strip_suffix('}')?;
    if sum(text) != kept {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at what it did not expect")]

    use hayward_store::Closing;

    use super::*;

    fn note(commit: i64) -> Note {
        let closing = Closing::TokenRevoked { hash: format!("hash {commit}") };
        Note { commons: "c".to_owned(), era: "e".to_owned(), commit, at: 7, closing }
    }

    fn commits(found: &Journalled) -> Vec<i64> {
        found.notes.iter().map(|note| note.commit).collect()
    }

    #[test]
    fn notes_are_read_back_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hayward.journal");
        let (one, other) = (Journal::open(&path).unwrap(), Journal::open(&path).unwrap());
        one.keep(&note(1)).unwrap();
        other.keep(&note(2)).unwrap();
        one.keep(&note(3)).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(found.notes, [note(1), note(2), note(3)]);
        assert!(found.damaged.is_empty());
    }

    #[test]
    fn a_torn_last_line_is_none_wherever_it_is_torn_and_the_next_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hayward.journal");
        let journal = Journal::open(&path).unwrap();
        journal.keep(&note(1)).unwrap();
        let first = std::fs::read(&path).unwrap();
        journal.keep(&note(2)).unwrap();
        let both = std::fs::read(&path).unwrap();
        for end in first.len()..both.len() {
            std::fs::write(&path, &both[..end]).unwrap();
            let found = read(&path).unwrap();
            assert_eq!((commits(&found), found.damaged), (vec![1], vec![]));
            journal.keep(&note(3)).unwrap();
            let found = read(&path).unwrap();
            assert_eq!((commits(&found), found.damaged), (vec![1, 3], vec![]));
        }
    }

    #[test]
    fn a_changed_byte_anywhere_in_a_line_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hayward.journal");
        let journal = Journal::open(&path).unwrap();
        (1..=3).for_each(|commit| journal.keep(&note(commit)).unwrap());
        let whole = std::fs::read(&path).unwrap();
        let line = whole.len() / 3;
        for at in line..2 * line - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            if changed[at] == b'\n' {
                continue;
            }
            std::fs::write(&path, &changed).unwrap();
            let found = read(&path).unwrap();
            assert_eq!((commits(&found), found.damaged), (vec![1, 3], vec![2]), "byte {at}");
        }
    }

    #[test]
    fn what_could_not_be_written_goes_first_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hayward.journal");
        let journal = Journal::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(journal.keep(&note(1)).is_err());
        std::fs::remove_dir(&path).unwrap();
        journal.keep(&note(2)).unwrap();
        assert_eq!(commits(&read(&path).unwrap()), [1, 2]);
    }
}
