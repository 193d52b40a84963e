//! Which of the two databases it is, and where.

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the database is: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(std::path::PathBuf),
    /// A connection string, password included: it has no `Debug`.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads a database's address.
    ///
    /// # Errors
    /// A sentence, without the address: it may hold a password.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some("") => Err("`sqlite:` wants the path of a file after it".to_owned()),
            Some(path) => Ok(Self::Sqlite(path.into())),
            None => Err("a database is named `sqlite:PATH` or `postgres://…`".to_owned()),
        }
    }

    /// Which database it names.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }
}
