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
    /// Invitations: whoever holds one becomes a person here, once
    #[command(subcommand)]
    Invite(InviteCommand),
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
    /// The commons' keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show what the operator did, the newest first
    Acts {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

/// About member co-ops.
#[derive(Subcommand)]
pub enum OrganizationCommand {
    /// Add a member co-op
    #[command(visible_alias = "create")]
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
    /// Show one: its rule, and how much it has of everything
    Show {
        /// Its short name or its id
        organization: String,
    },
    /// Call it something else; its short name and its id stay
    Rename {
        /// Its short name or its id
        organization: String,
        /// What people call it from now on
        #[arg(long)]
        name: String,
    },
    /// Say how many of its stewards have to approve
    Rule {
        /// Its short name or its id
        organization: String,
        /// 1, 2 or all
        rule: String,
        /// Only where something of this sensitivity is shown: public, internal, personal or special; without it, for everything
        #[arg(long)]
        sensitivity: Option<String>,
    },
}

/// About people.
#[derive(Subcommand)]
pub enum PersonCommand {
    /// Add a person, with a password that is printed once
    #[command(visible_alias = "create")]
    Add(NewPersonArgs),
    /// Show everybody who can sign in, or could
    List,
    /// Give a person another password, printed once, and sign them out everywhere
    ResetPassword {
        /// Whose
        #[arg(long)]
        email: String,
        /// Take the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut a person out: nothing of theirs works any more
    Disable {
        /// Whom
        #[arg(long)]
        email: String,
    },
    /// Let a person in again
    Enable {
        /// Whom
        #[arg(long)]
        email: String,
    },
    /// Ask a person who has lost their app for codes no more, and sign them out everywhere
    ResetCodes {
        /// Whom
        #[arg(long)]
        email: String,
    },
    /// Take every token of a person away
    SignOut {
        /// Whose
        #[arg(long)]
        email: String,
    },
}

/// About invitations.
#[derive(Subcommand)]
pub enum InviteCommand {
    /// Invite somebody; the address to open is printed once
    #[command(visible_alias = "create")]
    Add {
        /// Who is meant: they will sign in with this address
        #[arg(long)]
        email: String,
        /// Where they will have the role
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// What they will be there: owner, steward, editor, developer or viewer; may be repeated
        #[arg(long, required = true)]
        role: Vec<String>,
        /// How many days it works
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90))]
        days: u16,
        /// Where people reach this commons, such as `https://commons.example`
        #[arg(long, env = "HAYWARD_PUBLIC_URL", default_value = "")]
        public_url: String,
    },
    /// Show the invitations, the newest first
    List,
    /// Take an invitation back
    Revoke {
        /// Its id, `inv_…`
        id: String,
    },
}

/// About the commons' keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Show prints of the keys and the public key of the ledger; nothing that is secret
    Show,
    /// Replace keys: all that can be, or those that are named. The keys of record ids and of pseudonyms never change.
    /// Stop every server first, and start them again with the new file
    Rotate {
        /// The key that encloses the agreements' secrets
        #[arg(long)]
        wrapping: bool,
        /// The key of cursors: those that partners hold are answered 410 from then on
        #[arg(long)]
        cursor: bool,
        /// The key that signs the ledger; its public half stays known
        #[arg(long)]
        signing: bool,
    },
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
        /// Where; not for a role in the commons itself
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
        /// What they are there: owner, steward, editor, developer or viewer; or in the commons: operator, facilitator or auditor
        #[arg(long)]
        role: String,
    },
    /// Take a role away; tokens that needed it stop working
    Remove {
        /// Whose role
        #[arg(long)]
        email: String,
        /// Where; not for a role in the commons itself
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
        /// Which: owner, steward, editor, developer or viewer; or in the commons: operator, facilitator or auditor
        #[arg(long)]
        role: String,
    },
}

/// About programs.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Register a program, with a secret that is printed once unless it is public
    #[command(visible_alias = "create")]
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
        /// Where a browser may be sent back to: https, or http://127.0.0.1 with any port; may be repeated
        #[arg(long, value_name = "URI")]
        redirect_uri: Vec<String>,
        /// It runs on people's own machines and can keep no secret: it gets none, and acts for people only
        #[arg(long)]
        public: bool,
        /// Whom to ask about it
        #[arg(long)]
        contact: Option<String>,
    },
    /// Show the programs
    List,
    /// Give a program another secret, printed once; the one before goes on working for a while
    Rotate {
        /// Its id, `cli_…`
        id: String,
        /// How many hours the secret before goes on working; 0: not at all
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(0..=720))]
        overlap_hours: u16,
    },
    /// Let a program make more requests a second than others, or fewer; within ten seconds this holds
    Limit {
        /// Its id, `cli_…`
        id: String,
        /// How many; as many as others where none is given
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        requests: Option<u32>,
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
    /// Show one schema: the document of its newest version
    Show {
        /// Its name
        name: String,
    },
}

/// About lists.
#[derive(Subcommand)]
pub enum DatasetCommand {
    /// Make an empty list
    #[command(visible_alias = "create")]
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
    /// Show the settings
    Show,
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
        /// How many requests a second a program or a person may make; every server counts by itself
        #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        client_limit: Option<u32>,
        /// The same for an address from which somebody asks without a token
        #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        address_limit: Option<u32>,
    },
}

/// About tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Revoke the token on the first line of standard input: an argument would stay in the shell's history
    Revoke,
}
