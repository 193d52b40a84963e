//! What can be typed after `hayward admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// One of the operator's commands.
#[derive(Subcommand)]
pub enum AdminCommand {
    /// Member co-ops
    #[command(subcommand)]
    Organization(OrganizationCommand),
    /// People who sign in
    #[command(subcommand)]
    Person(PersonCommand),
    /// What people are, and where
    #[command(subcommand)]
    Role(RoleCommand),
    /// Programs
    #[command(subcommand)]
    Client(ClientCommand),
    /// Schemas of lists
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Lists
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// What the commons has decided about itself
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Bearer tokens
    #[command(subcommand)]
    Token(TokenCommand),
}

/// About member co-ops.
#[derive(Subcommand)]
pub enum OrganizationCommand {
    /// Add a member co-op
    Add {
        /// Its short name: lower-case letters, digits and hyphens
        #[arg(long)]
        slug: String,
        /// What people call it
        #[arg(long)]
        name: String,
        /// How many of its stewards have to approve: 1, 2 or all
        #[arg(long, value_name = "RULE", default_value = "1")]
        approval_rule: String,
    },
    /// Show the member co-ops
    List,
}

/// About people.
#[derive(Subcommand)]
pub enum PersonCommand {
    /// Add a person, with a password that is printed once
    Add(NewPersonArgs),
}

/// A person to be.
#[derive(Args)]
pub struct NewPersonArgs {
    /// What they sign in with
    #[arg(long)]
    pub email: String,
    /// What they are called
    #[arg(long)]
    pub name: String,
    /// Where they have the role that follows; may be repeated
    #[arg(long, value_name = "SLUG")]
    pub organization: Vec<String>,
    /// What they are there: owner, steward, editor, developer or viewer
    #[arg(long)]
    pub role: Vec<String>,
    /// They run the server; they read no rows
    #[arg(long)]
    pub operator: bool,
    /// Take the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// About what people are.
#[derive(Subcommand)]
pub enum RoleCommand {
    /// Give a person a role
    Add {
        /// Whose role
        #[arg(long)]
        email: String,
        /// Where
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// What they are there: owner, steward, editor, developer or viewer
        #[arg(long)]
        role: String,
    },
}

/// About programs.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Register a program, with a secret that is printed once
    Add {
        /// Whose it is
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// What people call it
        #[arg(long)]
        name: String,
        /// The most it may ask for, with spaces between: "directory:read opportunities:read"
        #[arg(long)]
        scopes: String,
    },
    /// Revoke a program and every token it holds
    Revoke {
        /// Its id, `cli_…`
        id: String,
    },
}

/// About schemas.
#[derive(Subcommand)]
pub enum SchemaCommand {
    /// Register a schema, or its next version
    Register {
        /// A JSON Schema document
        file: PathBuf,
    },
    /// Show the newest version of every schema
    List,
}

/// About lists.
#[derive(Subcommand)]
pub enum DatasetCommand {
    /// Make an empty list
    Add {
        /// Whose it is
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// The name of its schema
        #[arg(long)]
        schema: String,
        /// What people call it
        #[arg(long)]
        name: String,
    },
    /// Show the lists of every co-op: what they are called, never what is in them
    List,
}

/// About the commons itself.
#[derive(Subcommand)]
pub enum SettingsCommand {
    /// Change settings; what is not named stays
    Set {
        /// What people call the commons
        #[arg(long)]
        name: Option<String>,
        /// Where its days begin: an IANA name such as Europe/Madrid
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// How many minutes an agreed version can be taken back
        #[arg(long, value_name = "MINUTES")]
        grace_minutes: Option<u32>,
    },
}

/// About tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Revoke the token on the first line of standard input: an argument would stay in the shell's history
    Revoke,
}
