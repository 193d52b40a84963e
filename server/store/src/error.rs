//! What the store answers when it cannot do what was asked.

/// Why the store did not do it. Carries no value of any record: database details stay inside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing, or it is not the caller's.
    #[error("not found")]
    NotFound,
    /// Somebody else is writing this dataset.
    #[error("the dataset is being written by something else: {0}")]
    Busy(String),
    /// What the caller saw is no longer so.
    #[error("{0}")]
    Stale(String),
    /// A rule of the domain says no.
    #[error("{detail}")]
    Refused {
        /// A short name for the reason, for programs.
        code: &'static str,
        /// The reason in words.
        detail: String,
    },
    /// Something with this name exists already.
    #[error("already there: {0}")]
    Exists(&'static str),
    /// Too many guesses were wrong. After so many seconds there may be another.
    #[error("too many attempts; wait {0} seconds")]
    TooSoon(u64),
    /// Another claimer took over this dataset: nothing more may be written.
    #[error("the claim on this dataset was lost")]
    Fenced,
    /// The database cannot be reached, is full, or is shutting down. Trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database holds something that this program cannot read.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(&'static str),
    /// A mistake of ours.
    #[error("database error: {0}")]
    Database(String),
}

impl StoreError {
    /// A rule of the domain says no.
    pub fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Refused { code, detail: detail.into() }
    }
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Exists("a row with this name"),
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
                Self::Unavailable("the connection is gone".to_owned())
            }
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => {
                Self::Unavailable("a conflict; try again".to_owned())
            }
            // The message names tables and constraints; details and hints, which quote values, are left out.
            Error::DatabaseError(kind, info) => {
                let message = info.message();
                let passing =
                    ["locked", "disk is full", "disk I/O", "shutting down", "starting up", "terminating connection", "No space"];
                if passing.iter().any(|word| message.contains(word)) {
                    Self::Unavailable(message.to_owned())
                } else {
                    Self::Database(format!("{kind:?}: {message}"))
                }
            }
            Error::DeserializationError(_) | Error::SerializationError(_) => {
                Self::Database("a value of an unexpected type".to_owned())
            }
            Error::BrokenTransactionManager => Self::Unavailable("the connection is broken".to_owned()),
            other => Self::Database(other.to_string()),
        }
    }
}

/// What every function of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;
