//! A marked list that comes back to its dataset.
//!
//! What a file must look like to be a marked list is said by [`hayward_importers::returned`]; whose it is, here: the list of an import
//! of the same dataset that has problems and whose headings are the same in the same order.
//!
//! * Where there are several, the id in the name of the file tells, which a marked list is given. Without it, the only one that
//!   waits or still has its file is meant; of two, neither is.
//! * Where the one that is meant still waits, the file takes the place of its own: it is the same draft, under the same id.
//! * Otherwise it is an import of its own, with what was decided about the other one. What went in before is there already, so only
//!   the rows that somebody put right change anything.
//!
//! INVARIANT: a draft whose file is being replaced can be neither read nor committed: from before the first piece goes until the last
//! one has come it has no hash, as a file that is still arriving. A program that stops in between leaves it so, and the list can be
//! uploaded once more. Whoever gives one of the two up meanwhile has given up both.

use std::sync::Arc;

use hayward_domain::id::ImportId;
use hayward_importers::{Matching, returned};

use crate::Store;
use crate::conn::Conn;
use crate::error::{Result, StoreError};
use crate::imports::{Import, ImportState, drop_pieces, forget, set_state};
use crate::sql::{Number, Sql};

/// Drafts that wait.
const WAITING: [ImportState; 3] = [ImportState::Draft, ImportState::Checked, ImportState::Interrupted];

/// Pieces that one transaction moves.
const PIECES: i64 = 16;

impl Store {
    /// Recognises an upload, complete and not yet read, that is a marked list come back. Returns the import that is to be read: the
    /// upload itself, or the draft whose file it has become.
    ///
    /// # Errors
    /// Only the database's: what is wrong with the file is found when it is read.
    pub fn take_up(self: &Arc<Self>, upload: &ImportId) -> Result<ImportId> {
        let upload = self.import_called(upload.as_str())?;
        let own = |upload: &Import| ImportId::parse(&upload.id).ok_or(StoreError::Corrupt("an import"));
        if upload.state != ImportState::Reading {
            return own(&upload);
        }
        let marked = self.with_problems(&upload)?;
        // Most files end here, unread.
        if marked.is_empty() {
            return own(&upload);
        }
        let Ok(Some(headings)) = returned(&self.import_file(&upload), &upload.overrules) else { return own(&upload) };
        let mut same = Vec::new();
        for import in marked {
            let (Some(profile), Ok(matching)) = (&import.profile, self.decided(&import)) else { continue };
            if profile.own_headings(&matching) == headings {
                same.push((matching.for_marked(profile), import));
            }
        }
        let meant = self.meant(&same, &upload.filename)?;
        if let Some((matching, draft)) = meant
            && WAITING.contains(&draft.state)
            && self.replace_file(draft, &upload, matching)?
        {
            return own(draft);
        }
        if let Some((matching, _)) = meant.or(same.first()) {
            let text = as_text(matching)?;
            let update =
                Sql::new("update imports set matching = ? where id = ? and state = 'reading'").bind(text).bind(&upload.id);
            self.db.write(|conn| conn.execute(update))?;
        }
        own(&upload)
    }

    /// Which of these the list is of.
    fn meant<'a>(&self, same: &'a [(Matching, Import)], filename: &str) -> Result<Option<&'a (Matching, Import)>> {
        let named = same.iter().find(|(_, import)| filename.contains(&import.id));
        if named.is_some() {
            return Ok(named);
        }
        let mut alive = Vec::new();
        for one in same {
            if WAITING.contains(&one.1.state) || self.has_file(&one.1)? {
                alive.push(one);
            }
        }
        Ok(alive.first().filter(|_| alive.len() == 1).copied())
    }

    /// Puts the file of `upload` in the place of the draft's, unless somebody has begun to commit the draft.
    fn replace_file(&self, draft: &Import, upload: &Import, matching: &Matching) -> Result<bool> {
        let now = (self.clock)();
        let count = "select count(*) as value from import_chunks where import = ?";
        let begun = self.db.write(|conn| {
            set_state(conn, &draft.id, &WAITING, ImportState::Reading, now)?;
            set_state(conn, &upload.id, &[ImportState::Reading], ImportState::Reading, now)?;
            conn.execute(Sql::new("update imports set file_hash = '' where id = ?").bind(&draft.id))?;
            conn.one::<Number>(Sql::new(count).bind(&upload.id))
        });
        let pieces = match begun {
            Ok(pieces) => pieces.value,
            Err(StoreError::Refused { .. } | StoreError::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        };
        self.until_none(|conn| drop_pieces(conn, &draft.id))?;
        self.until_none(|conn| move_pieces(conn, &upload.id, &draft.id))?;
        let text = as_text(matching)?;
        let of_upload = |column: &str| format!("(select n.{column} from imports n where n.id = ?)");
        let update = format!(
            "update imports set state = 'reading', file_hash = {}, size = {}, filename = {}, overrules = {}, reading = null, profile = null, columns = null,
            counts = null, problem_count = 0, failure = null, matching = ?, changed_at = ? where id = ? and state = 'reading' and file_hash = ''",
            of_upload("file_hash"),
            of_upload("size"),
            of_upload("filename"),
            of_upload("overrules"),
        );
        let id = ImportId::parse(&upload.id).ok_or(StoreError::Corrupt("an import"))?;
        let update = (0..4).fold(Sql::new(&update), |update, _| update.bind(&upload.id)).bind(text).bind(now).bind(&draft.id);
        let replaced = self.db.write(|conn| {
            let is_whole = conn.one::<Number>(Sql::new(count).bind(&draft.id))?.value == pieces;
            if !is_whole || conn.execute(update)? == 0 {
                return Ok::<_, StoreError>(false);
            }
            forget(conn, &id).map(|()| true)
        })?;
        if !replaced {
            let given_up = |import| self.cancel_import(import).or_else(|_| self.drop_given_up(import).map(drop));
            given_up(draft)?;
            given_up(upload)?;
            return Err(StoreError::refused("cancelled", "this import was given up"));
        }
        Ok(true)
    }
}

fn as_text(matching: &Matching) -> Result<String> {
    serde_json::to_value(matching).map(|value| value.to_string()).map_err(|_| StoreError::Corrupt("a matching"))
}

fn move_pieces(conn: &mut Conn, from: &str, to: &str) -> Result<usize> {
    let update = "update import_chunks set import = ? where import = ? and position in
        (select position from import_chunks where import = ? order by position limit ?)";
    conn.execute(Sql::new(update).bind(to).bind(from).bind(from).bind(PIECES))
}
