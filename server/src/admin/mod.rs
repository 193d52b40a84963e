//! `hayward admin`: what an operator needs before anybody can sign in.
//!
//! An operator names co-ops, people, programs and schemas, and reads no row of any list. Secrets are printed once, here, and kept
//! nowhere but as hashes. What changes something is written down as the operator's act.

mod clients;
mod command;
mod datasets;
mod invites;
mod keys;
mod organizations;
mod people;
mod schemas;
mod settings;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use hayward_store::{Organization, Store, StoreError};
use serde_json::{Value, json};

use crate::auth::password::PasswordError;

pub use command::{
    AdminCommand, ClientCommand, DatasetCommand, InviteCommand, KeysCommand, NewPersonArgs, OrganizationCommand, PersonCommand,
    RoleCommand, SchemaCommand, SettingsCommand, TokenCommand,
};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// What was typed cannot be meant.
    #[error("{0}")]
    Input(String),
    /// No co-op has this short name.
    #[error("there is no organization `{0}`; `hayward admin organization list` shows those there are")]
    NoOrganization(String),
    /// A password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The system has no random bytes for us.
    #[error("no random bytes to be had from the system")]
    Random,
    /// A file or a stream.
    #[error("{what}: {cause}")]
    Io {
        /// What was being read or written.
        what: String,
        /// Why it could not be.
        cause: io::Error,
    },
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out a command, and says on `out` what was done: sentences for people, or with `json` one object for programs.
///
/// # Errors
/// Why it was not carried out. Nothing is printed then.
pub fn run(
    store: &Arc<Store>,
    key_file: &Path,
    command: AdminCommand,
    json: bool,
    out: &mut impl Write,
) -> Result<(), AdminError> {
    run_from(store, key_file, command, json, &mut io::stdin().lock(), out)
}

/// Like [`run`], with what stands on standard input given.
fn run_from(
    store: &Arc<Store>,
    key_file: &Path,
    command: AdminCommand,
    json: bool,
    input: &mut impl Read,
    out: &mut impl Write,
) -> Result<(), AdminError> {
    let answer = match command {
        AdminCommand::Organization(command) => organizations::run(store, command)?,
        AdminCommand::Person(command) => people::run(store, command, input)?,
        AdminCommand::Invite(command) => invites::run(store, command)?,
        AdminCommand::Role(command) => people::role_command(store, command)?,
        AdminCommand::Client(command) => clients::run(store, command)?,
        AdminCommand::Schema(command) => schemas::run(store, command)?,
        AdminCommand::Dataset(command) => datasets::run(store, command)?,
        AdminCommand::Settings(command) => settings::run(store, command)?,
        AdminCommand::Token(TokenCommand::Revoke) => clients::revoke_token(store, input)?,
        AdminCommand::Keys(command) => keys::run(store, key_file, command)?,
        AdminCommand::Acts { limit } => acts(store, limit)?,
    };
    if let Some((act, subject)) = &answer.did {
        tracing::info!(act, subject, "the operator did this");
        store.note_act(act, subject)?;
    }
    let text = if json { format!("{}\n", answer.json) } else { answer.text };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|cause| AdminError::Io { what: "standard output".to_owned(), cause })
}

/// What a command says, both ways.
struct Answer {
    /// Whole lines.
    text: String,
    json: Value,
    /// The act and the id of what it was done to, where something was changed. Kept, so it holds no names.
    did: Option<(&'static str, String)>,
}

impl Answer {
    /// One sentence.
    fn new(sentence: impl Into<String>, json: Value) -> Self {
        let mut text = sentence.into();
        text.push('\n');
        Self { text, json, did: None }
    }

    /// A line for each thing, its parts apart; or a sentence where there is none.
    fn list(lines: &[Vec<String>], none: &str, json: Value) -> Self {
        if lines.is_empty() {
            return Self::new(none, json);
        }
        Self { text: lines.iter().map(|parts| parts.join("\t") + "\n").collect(), json, did: None }
    }

    /// Says that this changed something.
    fn did(self, act: &'static str, subject: impl Into<String>) -> Self {
        Self { did: Some((act, subject.into())), ..self }
    }
}

fn acts(store: &Store, limit: u32) -> Result<Answer, AdminError> {
    let acts = store.acts(i64::from(limit))?;
    let lines: Vec<_> = acts.iter().map(|one| vec![one.at.clone(), one.act.clone(), one.subject.clone()]).collect();
    Ok(Answer::list(&lines, "the operator has done nothing yet", json!({"acts": acts})))
}

/// The co-op that was named.
fn organization(store: &Store, slug: &str) -> Result<Organization, AdminError> {
    match store.organization(slug) {
        Ok(found) => Ok(found),
        Err(StoreError::NotFound) => Err(AdminError::NoOrganization(slug.to_owned())),
        Err(other) => Err(other.into()),
    }
}

/// Random bytes from the system.
fn random<const N: usize>() -> Result<[u8; N], AdminError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AdminError::Random)?;
    Ok(bytes)
}

/// The first line of what stands on standard input.
fn first_line(input: &mut impl Read) -> Result<String, AdminError> {
    let mut text = String::new();
    // Nothing that is asked for here is longer.
    let read = input.take(8_192).read_to_string(&mut text);
    read.map_err(|cause| AdminError::Io { what: "standard input".to_owned(), cause })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
