//! The uploaded file: kept in pieces, read back piece by piece, and dropped once the import is over.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use hayward_domain::id::ImportId;
use hayward_domain::moment::Moment;
use hayward_importers::Source;

use super::{Import, drop_some};
use crate::Store;
use crate::conn::{Conn, Eyes};
use crate::error::{Result, StoreError};
use crate::sql::{Number, Sql, rows};
use crate::writing::Pulse;

/// Pieces a file is kept in.
const PIECE: usize = 256 * 1024;

rows! {
    ChunkRow { bytes: Vec<u8> }
    IdRow { id: String }
}

impl Store {
    /// Keeps one more piece of the file, the `position`-th from 0.
    ///
    /// # Errors
    /// Only the database's.
    pub fn keep_piece(&self, import: &ImportId, position: i64, bytes: Vec<u8>) -> Result<()> {
        let now = (self.clock)();
        self.db.write(|conn| {
            if touch(conn, import, now)? == 0 {
                return Err(StoreError::refused("cancelled", "this import was given up"));
            }
            let insert = Sql::new("insert into import_chunks (import, position, bytes) values (?, ?, ?)");
            conn.execute(insert.bind(import.as_str()).bind(position).bind(bytes)).map(drop)
        })
    }

    /// The file is complete. Where the same file waits as a draft already, that draft is the answer and this upload goes.
    ///
    /// # Errors
    /// Only the database's.
    pub fn end_upload(&self, import: &ImportId, hash: &str, size: i64) -> Result<ImportId> {
        self.db.write(|conn| {
            let same = "select i.id from imports i join imports n on n.id = ? and n.dataset = i.dataset
                where i.file_hash = ? and i.size = ? and i.state in ('draft', 'checked') and i.matching is not null
                and coalesce(i.overrules, '') = coalesce(n.overrules, '') order by i.made_at limit 1";
            let same = conn.first::<IdRow>(Sql::new(same).bind(import.as_str()).bind(hash).bind(size))?;
            if let Some(id) = same.and_then(|row| ImportId::parse(&row.id)) {
                forget(conn, import)?;
                return Ok(id);
            }
            let update = Sql::new("update imports set file_hash = ?, size = ? where id = ?").bind(hash).bind(size);
            conn.execute(update.bind(import.as_str()))?;
            Ok(import.clone())
        })
    }

    /// Drops an upload that did not arrive whole.
    ///
    /// # Errors
    /// Only the database's.
    pub fn drop_upload(&self, import: &ImportId) -> Result<()> {
        self.until_none(|conn| drop_pieces(conn, import.as_str()))?;
        self.db.write(|conn| forget(conn, import))
    }

    /// Keeps a whole file, piece by piece, from a reader. The size and a hash of it are taken on the way.
    ///
    /// # Errors
    /// The database's, and [`StoreError::Unavailable`] where the reader fails; the pieces that came are dropped then.
    pub fn keep_file(&self, import: &ImportId, mut from: impl Read) -> Result<ImportId> {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        let (mut size, mut position) = (0i64, 0i64);
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            if from.by_ref().take(PIECE as u64).read_to_end(&mut piece).is_err() {
                self.drop_upload(import)?;
                return Err(StoreError::Unavailable("the file could not be read to its end".to_owned()));
            }
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            size += i64::try_from(piece.len()).unwrap_or(0);
            self.keep_piece(import, position, piece)?;
            position += 1;
        }
        self.end_upload(import, &hayward_domain::id::base32(&hasher.finalize()), size)
    }

    /// Whether the file of an import is still kept.
    pub(crate) fn has_file(&self, import: &Import) -> Result<bool> {
        let pieces = Sql::new("select count(*) as value from import_chunks where import = ? and position = 0").bind(&import.id);
        Ok(self.db.read(Eyes::Own, |conn| conn.one::<Number>(pieces))?.value > 0)
    }

    /// The kept file of an import.
    #[must_use]
    pub fn import_file(self: &Arc<Self>, import: &Import) -> StoredSource {
        StoredSource { store: Arc::clone(self), import: import.id.clone(), name: import.filename.clone(), pulse: None }
    }

    /// The same, where the bytes that are read are counted.
    pub(crate) fn counted_file(self: &Arc<Self>, import: &Import, pulse: &Arc<Pulse>) -> StoredSource {
        StoredSource { pulse: Some(Arc::clone(pulse)), ..self.import_file(import) }
    }
}

/// Says that a file is still arriving; 0 where nobody waits for it any more.
fn touch(conn: &mut Conn, import: &ImportId, now: Moment) -> Result<usize> {
    let update = "update imports set changed_at = ? where id = ? and state in ('reading', 'interrupted')";
    conn.execute(Sql::new(update).bind(now).bind(import.as_str()))
}

/// Takes an import out as if it had never been.
pub(crate) fn forget(conn: &mut Conn, import: &ImportId) -> Result<()> {
    drop_file(conn, import.as_str())?;
    conn.execute(Sql::new("delete from import_problems where import = ?").bind(import.as_str()))?;
    conn.execute(Sql::new("delete from imports where id = ?").bind(import.as_str())).map(drop)
}

fn drop_file(conn: &mut Conn, import: &str) -> Result<()> {
    conn.execute(Sql::new("delete from import_chunks where import = ?").bind(import)).map(drop)
}

/// Drops some pieces of an import's file; 0 once none is left.
pub(crate) fn drop_pieces(conn: &mut Conn, import: &str) -> Result<usize> {
    drop_some(conn, "import_chunks", import, 16)
}

/// An uploaded file, read back from the database piece by piece.
pub struct StoredSource {
    store: Arc<Store>,
    import: String,
    name: String,
    pulse: Option<Arc<Pulse>>,
}

impl Source for StoredSource {
    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Pieces {
            store: Arc::clone(&self.store),
            import: self.import.clone(),
            position: 0,
            rest: VecDeque::new(),
            pulse: self.pulse.clone(),
        }))
    }

    fn name(&self) -> &str {
        &self.name
    }
}

struct Pieces {
    store: Arc<Store>,
    import: String,
    position: i64,
    rest: VecDeque<u8>,
    pulse: Option<Arc<Pulse>>,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let select = Sql::new("select bytes from import_chunks where import = ? and position = ?");
            let select = select.bind(&self.import).bind(self.position);
            let piece = self.store.db.read(Eyes::Own, |conn| conn.first::<ChunkRow>(select)).map_err(io::Error::other)?;
            self.position += 1;
            let length = piece.as_ref().map_or(0, |row| row.bytes.len() as u64);
            self.pulse.as_ref().map_or(Ok(()), |pulse| pulse.count(length)).map_err(io::Error::other)?;
            self.rest = piece.map(|row| row.bytes).unwrap_or_default().into();
        }
        self.rest.read(into)
    }
}
