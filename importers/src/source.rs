//! Where a file's bytes come from.
//!
//! A source is opened several times and never held in memory: a million rows are as welcome as ten.

use std::fs::File;
use std::io::{Cursor, Read, Result};
use std::path::PathBuf;
use std::sync::Arc;

/// A file that can be read from its beginning as often as needed, with the same bytes every time.
pub trait Source: Send + Sync {
    /// The bytes, from the first one on.
    ///
    /// # Errors
    /// What the system says when the file cannot be opened.
    fn open(&self) -> Result<Box<dyn Read + Send>>;

    /// The same bytes as a file that can be read at any place, where they are one already. Workbooks are read so; of other sources
    /// they are first copied to a temporary file.
    ///
    /// # Errors
    /// What the system says when the file cannot be opened.
    fn file(&self) -> Result<Option<File>> {
        Ok(None)
    }

    /// The file's name; its ending is a hint at the format.
    fn name(&self) -> &str;
}

/// A file on disk.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    name: String,
}

impl FileSource {
    /// The file at `path`, which was called `name` where it came from.
    pub fn new(path: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self { path: path.into(), name: name.into() }
    }
}

impl Source for FileSource {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }

    fn file(&self) -> Result<Option<File>> {
        File::open(&self.path).map(Some)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// A small file in memory, such as cells that somebody pasted.
#[derive(Clone)]
pub struct HeldSource {
    bytes: Arc<[u8]>,
    name: String,
}

impl HeldSource {
    /// `bytes` as if they were a file called `name`.
    pub fn new(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), name: name.into() }
    }
}

impl Source for HeldSource {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(Arc::clone(&self.bytes))))
    }

    fn name(&self) -> &str {
        &self.name
    }
}
