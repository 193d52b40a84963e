//! Where the commons is kept: the arguments that most commands share.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use hayward_store::DatabaseUrl;

use crate::app;
use crate::config::{self, Config};
use crate::edge::Reach;

/// Where the commons is kept.
#[derive(Args, Clone)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite:hayward.db", hide_env_values = true, global = true)]
    database_url: String,
    /// A file whose first line is the database's address, so that its password stands in no environment. Goes before the former.
    #[arg(long, env = "DATABASE_URL_FILE", global = true)]
    database_url_file: Option<PathBuf>,
    /// The commons' key file. By default beside the SQLite database, else `hayward.keys`.
    #[arg(long, env = "HAYWARD_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
    /// Where it is written down what was closed. By default beside the key file.
    #[arg(long, env = "HAYWARD_JOURNAL", global = true)]
    journal: Option<PathBuf>,
}

impl Database {
    /// Which database it is.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn url(&self) -> Result<DatabaseUrl, String> {
        let Some(file) = &self.database_url_file else { return DatabaseUrl::parse(&self.database_url) };
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("the file with the database's address cannot be read: {error}"))?;
        DatabaseUrl::parse(text.lines().next().unwrap_or_default().trim())
    }

    /// Where its key file is.
    #[must_use]
    pub fn key_path(&self, database: &DatabaseUrl) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| config::key_file(database))
    }

    /// Opens it, with its keys.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn config(&self) -> Result<Config, String> {
        let database = self.url()?;
        let path = self.key_path(&database);
        let random = app::system_random();
        let keyring = config::keys(&path, |bytes| random(bytes))?;
        let keyring = config::settle(&path, &keyring, &database, app::machine_clock()())?.unwrap_or(keyring);
        Ok(Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database,
            keyring,
            journal: Some(self.journal.clone().unwrap_or_else(|| config::journal_file(&path))),
            upload_limit: config::UPLOAD_LIMIT,
            kept: config::KEPT,
            reach: Reach::default(),
            workers: None,
        })
    }
}
