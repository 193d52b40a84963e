//! Everything that knows there is a database, and that there are two.
//!
//! Plain values go in; [`hayward_domain::record::Sealed`] originals or shared rows come out. No row struct leaves this crate. All
//! of it blocks: callers run it where a dropped request cannot cancel it.

mod activation;
mod acts;
mod agreements;
mod answers;
mod attempts;
mod backup;
mod bulk;
mod catalogue;
mod changes;
mod claim;
mod clients;
mod conn;
mod counter;
mod datasets;
mod dialect;
mod edition;
mod era;
mod erasure;
mod error;
mod evolve;
mod explain;
mod figures;
mod filter;
mod floor;
mod imports;
mod inspect;
mod invites;
mod journal;
mod keys;
mod leaving;
mod ledger;
mod migrate;
mod named;
mod oauth;
mod order;
mod parallel;
mod people;
mod preview;
mod prune;
mod records;
mod report;
mod roster;
mod rotation;
mod schemas;
mod search;
mod second_steps;
mod sessions;
mod settings;
mod share;
mod shelf;
mod spool;
mod sql;
mod staff;
mod tidy;
mod tokens;
mod turn;
mod uses;
mod waits;
mod writing;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hayward_domain::id::AgreementId;
use hayward_domain::keys::AgreementKeys;
use hayward_domain::moment::Moment;
use hayward_domain::schema::Schema;
use hayward_domain::terms::{Context, Terms};

pub use acts::Act;
pub use agreements::{Again, AgreementPage, Decision, Fresh, Granted, Outcome, ProposalError, Wording, certified};
pub use answers::{ANSWERS_KEPT, Begun, KeptAnswer};
pub use attempts::{Counted as CountedAttempt, Strictness};
pub use backup::{
    Backup, BackupError, Contents, Counted, Header, LedgerEyes, Progress, Replayed, Restore, Restored, back_up, inspect,
    note_backup, restore,
};
pub use catalogue::{CatalogueEntry, Sought};
pub use changes::{ChangeItem, ChangesFrom, ChangesPage};
pub use clients::{Client, ClientForm, ListedClient, NewClient};
#[cfg(feature = "mutants")]
pub use conn::Work;
pub use conn::{DatabaseUrl, Kind};
pub use datasets::{Dataset, NewDataset};
pub use era::{CursorKey, Era};
pub use erasure::ErasurePage;
pub use error::{Result, StoreError};
pub use evolve::Move;
pub use explain::{Beholder, Explained, Question, Reason, UnderAgreement};
pub use figures::Figures;
pub use imports::{Import, ImportState, NewImport, StoredSource};
pub use inspect::{Inspector, Newest, Stale, Steps, Tail, Unsealed};
pub use invites::{Invited, ListedInvite, NewInvite};
pub use journal::{Closing, Keep, Note, Stop};
pub use keys::{CursorKeys, Keyring, Rotate};
pub use leaving::{KEPT_AFTER_LEAVING, Left};
pub use ledger::{
    Disclosed, Entry, EntryKind, EntryPage, FieldUse, Filter, GivenRecord, GivenTo, LedgerStore, Link, Point, PublicRead,
    RecordGivenTo, RecordName, RecordRead, Refusal, Sealable, Usage, commons_file,
};
pub use oauth::{
    CodeShown, ConsentView, DeviceFound, Issue, ListedConsent, NewCode, NewConsent, NewDevice, OpenedBy, Polled, Redeemed,
    Shown as ShownToken,
};
pub use order::Key;
pub use order::Order;
pub use people::{NewOrganization, NewPerson, Organization, Person};
pub use preview::{FreeText, Preview};
pub use records::{OwnPage, OwnRecord, private_name};
pub use report::SubjectReport;
pub use roster::{Listed, Standing};
pub use rotation::{KEY_PRINT, RetiredKey};
pub use second_steps::{SecondStep, code_second};
pub use sessions::{ListedSession, NewPageSession, PageSession};
pub use settings::Settings;
pub use shelf::{
    AudienceKind, BUDGET, Facet, Names, OpenOn, Place, RefusedUnder, Selection, Shape, ShareQuery, ShareSummary, SharedPage,
    SharedRow, Shares, View, Viewer,
};
pub use staff::{Colleague, OpenInvite};
pub use tokens::{Caller, NewToken};
pub use writing::{
    Counts, DiffColumn, DiffItem, DiffRow, Difference, Edit, EditError, EditFault, Edited, Given, ImportProgress, Phase,
    RowChange, Seen, Show, Shown, UndoItem, UndoItems, Undoing,
};

use crate::conn::{Conn, Db};
use crate::sql::{Number, Sql, rows};

/// The server's clock, passed in so that tests can move it.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Why an agreement that is closed can no longer be read through.
pub(crate) const SECRET_GONE: &str = "secret-destroyed";

/// Longer than any agreement may run: what is stored was checked when it was proposed.
const ANY_LENGTH: u32 = 12_000;

/// How many parsed terms and schemas are kept: each is immutable under its name.
const KEPT: usize = 10_000;

type Named<K, V> = Mutex<HashMap<K, V>>;
/// Terms, and the schema that they are read against.
type Understood = (Arc<Terms>, Arc<Schema>);

/// One commons' database.
pub struct Store {
    db: Db,
    keyring: Keyring,
    clock: Clock,
    era: Era,
    /// What tells this commons from every other one.
    commons: String,
    /// Where it is noted what was closed.
    keep: OnceLock<Keep>,
    schemas: Named<(String, i64), Arc<Schema>>,
    /// By agreement, version, and the dataset's ceiling.
    terms: Named<(i64, i64, i64), Understood>,
    /// Words that some schema stands under.
    collections: RwLock<HashSet<String>>,
    /// Whether something behind a last step is left over; at the start an earlier program may have left it.
    untidy: AtomicBool,
    standing: Mutex<shelf::Standing>,
    /// Tokens that were used since that was last written down.
    uses: uses::Uses,
}

rows! {
    TermsRow { terms: String, provider: String, dataset: String, schema_name: String, schema_version: i64 }
    SecretRow { id: String, secret: Option<String> }
    DocumentRow { document: String }
}

impl Store {
    /// Opens the database, and brings it up to date.
    ///
    /// # Errors
    /// If it cannot be reached or was migrated by a newer program.
    pub fn open(url: &DatabaseUrl, keyring: Keyring, clock: Clock) -> Result<Arc<Self>> {
        let db = Db::open(url, "public", 16)?;
        db.bare(|conn| migrate::run(conn, migrate::Tree::Commons))?;
        search::complete(&db)?;
        Ok(Arc::new(Self::on(db, keyring, clock)?))
    }

    /// A store on a database that is up to date.
    fn on(db: Db, keyring: Keyring, clock: Clock) -> Result<Self> {
        let (era, commons) = era::current(&db, &*clock)?;
        Ok(Self {
            db,
            keyring,
            clock,
            era,
            commons,
            keep: OnceLock::new(),
            schemas: Mutex::default(),
            terms: Mutex::default(),
            collections: RwLock::default(),
            untidy: AtomicBool::new(true),
            standing: Mutex::default(),
            uses: uses::Uses::default(),
        })
    }

    /// Which database it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.db.kind()
    }

    /// Now, by the server's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.clock)()
    }

    /// The commons' keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub fn ping(&self) -> Result<()> {
        // As recipients are served: without the role for that, nothing could be answered.
        self.db.read(conn::Eyes::Recipient, |conn| {
            conn.one::<Number>(Sql::new("select number as value from commit_counter")).map(drop)
        })
    }

    /// A version of a schema. It never changes, so it is parsed once.
    fn schema_at(&self, conn: &mut Conn, name: &str, version: i64) -> Result<Arc<Schema>> {
        let key = (name.to_owned(), version);
        if let Some(schema) = kept(&self.schemas).get(&key) {
            return Ok(Arc::clone(schema));
        }
        let select = "select document from schemas where name = ? and version = ?";
        let row = conn.one::<DocumentRow>(Sql::new(select).bind(name).bind(version))?;
        let document = serde_json::from_str(&row.document).map_err(|_| StoreError::Corrupt("a schema"))?;
        let schema = Arc::new(Schema::parse(&document).map_err(|_| StoreError::Corrupt("a schema"))?);
        keep(&self.schemas, key, Arc::clone(&schema));
        Ok(schema)
    }

    fn forget_schema(&self, name: &str, version: i64) {
        kept(&self.schemas).remove(&(name.to_owned(), version));
    }

    /// A version of a schema as it binds what is agreed under it: less what later versions took away, for a dataset that stands at
    /// version `reached`.
    fn schema_under(&self, conn: &mut Conn, name: &str, version: i64, reached: i64) -> Result<Arc<Schema>> {
        let schema = self.schema_at(conn, name, version)?;
        let later = "select version as value from schemas where name = ? and version > ? order by version";
        let later = conn.load::<Number>(Sql::new(later).bind(name).bind(version))?;
        if later.is_empty() {
            return Ok(schema);
        }
        let later = later.iter().map(|row| self.schema_at(conn, name, row.value)).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(schema.under(later.iter().map(|schema| &**schema), reached)))
    }

    /// A version's terms with the schema they name, less what later versions of the schema took away. As long as there is no such
    /// version and the dataset stays where it is, neither changes, so they are parsed once.
    fn terms(&self, conn: &mut Conn, agreement: i64, version: i64) -> Result<(Arc<Terms>, Arc<Schema>)> {
        let ceiling = "select d.ceiling as value from agreements a join datasets d on d.number = a.dataset where a.number = ?";
        let key = (agreement, version, conn.one::<Number>(Sql::new(ceiling).bind(agreement))?.value);
        if let Some(found) = kept(&self.terms).get(&key) {
            return Ok(found.clone());
        }
        let read = self.read_terms(conn, agreement, version)?;
        keep(&self.terms, key, read.clone());
        Ok(read)
    }

    /// The same, read anew: for a transaction that changes what they hang on and may yet be taken back.
    fn read_terms(&self, conn: &mut Conn, agreement: i64, version: i64) -> Result<(Arc<Terms>, Arc<Schema>)> {
        let select =
            "select v.terms, o.id as provider, d.id as dataset, d.schema_name, d.schema_version from agreement_versions v
            join agreements a on a.number = v.agreement join organizations o on o.number = a.provider
            join datasets d on d.number = a.dataset where v.agreement = ? and v.version = ?";
        let row = conn.one::<TermsRow>(Sql::new(select).bind(agreement).bind(version))?;
        let corrupt = || StoreError::Corrupt("terms");
        let raw: serde_json::Value = serde_json::from_str(&row.terms).map_err(|_| corrupt())?;
        let of =
            raw.get("schema").and_then(|schema| schema.get("version")).and_then(serde_json::Value::as_i64).ok_or_else(corrupt)?;
        let schema = self.schema_at(conn, &row.schema_name, of)?;
        let provider = hayward_domain::id::OrganizationId::parse(&row.provider).ok_or_else(corrupt)?;
        let dataset = hayward_domain::id::DatasetId::parse(&row.dataset).ok_or_else(corrupt)?;
        let context = Context { provider: &provider, schema: &schema, dataset: &dataset, longest_months: ANY_LENGTH };
        let terms = Terms::parse(&raw, &context).map_err(|_| corrupt())?;
        let schema = self.schema_under(conn, &row.schema_name, of, row.schema_version)?;
        Ok((Arc::new(terms.under(&schema)), schema))
    }

    /// An agreement's keys. Not kept: they can be destroyed.
    fn agreement_keys(&self, conn: &mut Conn, agreement: i64) -> Result<AgreementKeys> {
        let row = conn.one::<SecretRow>(Sql::new("select id, secret from agreements where number = ?").bind(agreement))?;
        let id = AgreementId::parse(&row.id).ok_or(StoreError::Corrupt("an agreement"))?;
        self.keyring
            .unwrap(&id, &row.secret.ok_or_else(|| StoreError::refused(SECRET_GONE, "the agreement's secret is destroyed"))?)
    }
}

fn kept<K, V>(named: &Named<K, V>) -> std::sync::MutexGuard<'_, HashMap<K, V>> {
    named.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<K: std::hash::Hash + Eq, V>(named: &Named<K, V>, key: K, value: V) {
    let mut named = kept(named);
    if named.len() >= KEPT {
        named.clear();
    }
    named.insert(key, value);
}
