//! What a token may do, and what the roles of people add up to.
//!
//! A scope is a ceiling. It never opens data by itself: an active agreement does.

use std::fmt;

/// One permission of a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read what is shared of one collection. `organizations` is spelled `directory:read`.
    Read(String),
    /// Read one's own lists.
    DatasetsRead,
    /// Make datasets.
    DatasetsWrite,
    /// Import files into them, commit and undo.
    ImportsWrite,
    /// Read one's own agreements, and the catalogue.
    AgreementsRead,
    /// Offer, request and counter.
    AgreementsPropose,
    /// Decide. For people only.
    AgreementsApprove,
    /// Read one's own side of the ledger.
    LedgerRead,
    /// Register programs.
    ClientsManage,
    /// Say who is in one's own organization, and as what. For people only.
    PeopleManage,
}

impl Scope {
    /// The scope that `text` names. Any collection may be named: what is not there can still not be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "directory:read" => Self::Read("organizations".to_owned()),
            "datasets:read" => Self::DatasetsRead,
            "datasets:write" => Self::DatasetsWrite,
            "imports:write" => Self::ImportsWrite,
            "agreements:read" => Self::AgreementsRead,
            "agreements:propose" => Self::AgreementsPropose,
            "agreements:approve" => Self::AgreementsApprove,
            "ledger:read" => Self::LedgerRead,
            "clients:manage" => Self::ClientsManage,
            "people:manage" => Self::PeopleManage,
            _ => {
                let collection = text.strip_suffix(":read")?;
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                // `organizations:read` would be a second spelling of `directory:read`.
                (!collection.is_empty() && collection != "organizations" && collection.bytes().all(plain))
                    .then(|| Self::Read(collection.to_owned()))?
            }
        })
    }

    /// Whether a program may hold it. Deciding about sharing, and about who may, is for people.
    #[must_use]
    pub fn for_clients(&self) -> bool {
        !matches!(self, Self::AgreementsApprove | Self::PeopleManage)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(collection) if collection == "organizations" => f.write_str("directory:read"),
            Self::Read(collection) => write!(f, "{collection}:read"),
            Self::DatasetsRead => f.write_str("datasets:read"),
            Self::DatasetsWrite => f.write_str("datasets:write"),
            Self::ImportsWrite => f.write_str("imports:write"),
            Self::AgreementsRead => f.write_str("agreements:read"),
            Self::AgreementsPropose => f.write_str("agreements:propose"),
            Self::AgreementsApprove => f.write_str("agreements:approve"),
            Self::LedgerRead => f.write_str("ledger:read"),
            Self::ClientsManage => f.write_str("clients:manage"),
            Self::PeopleManage => f.write_str("people:manage"),
        }
    }
}

/// A set of scopes, as tokens carry it: space-separated on the wire (RFC 6749, section 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(std::collections::BTreeSet<Scope>);

impl Scopes {
    /// Reads a space-separated list; the first word that is no scope is the error.
    ///
    /// # Errors
    /// The word that names no scope.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split_ascii_whitespace()
            .map(|word| Scope::parse(word).ok_or_else(|| word.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `scope` is one of them.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Those that both sets have.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Whether every scope of these is one of `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Each scope, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{scope}")?;
        }
        Ok(())
    }
}

/// What a person is in one organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything in the organization.
    Owner,
    /// Decides about sharing.
    Steward,
    /// Keeps the lists.
    Editor,
    /// Registers programs.
    Developer,
    /// Reads what is shared with the organization.
    Viewer,
    /// Runs the server. Belongs to no organization's data: no scope at all.
    Operator,
    /// Runs the commons' proposals and meetings. An office of the commons: no scope at all.
    Facilitator,
    /// Looks at how the commons is run. An office of the commons: no scope at all.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Owner,
        Self::Steward,
        Self::Editor,
        Self::Developer,
        Self::Viewer,
        Self::Operator,
        Self::Facilitator,
        Self::Auditor,
    ];

    /// Whether it is held in the commons, and in no organization.
    #[must_use]
    pub fn of_commons(self) -> bool {
        matches!(self, Self::Operator | Self::Facilitator | Self::Auditor)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Steward => "steward",
            Self::Editor => "editor",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Facilitator => "facilitator",
            Self::Auditor => "auditor",
        }
    }

    /// The role that `text` names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What a person with this role may do; `collections` are those of the commons' schemas.
    #[must_use]
    pub fn scopes(self, collections: &[String]) -> Scopes {
        let reads = || collections.iter().cloned().map(Scope::Read);
        let lists = [Scope::DatasetsRead, Scope::DatasetsWrite, Scope::ImportsWrite];
        let decides = [Scope::AgreementsRead, Scope::AgreementsPropose, Scope::AgreementsApprove, Scope::LedgerRead];
        match self {
            Self::Owner => reads().chain(lists).chain(decides).chain([Scope::ClientsManage, Scope::PeopleManage]).collect(),
            Self::Steward => reads().chain([Scope::DatasetsRead]).chain(decides).collect(),
            Self::Editor => reads().chain(lists).chain([Scope::AgreementsRead]).collect(),
            Self::Developer => reads().chain([Scope::AgreementsRead, Scope::AgreementsPropose, Scope::ClientsManage]).collect(),
            Self::Viewer => reads().collect(),
            Self::Operator | Self::Facilitator | Self::Auditor => Scopes::default(),
        }
    }

    /// Whether this role's approval counts.
    #[must_use]
    pub fn decides(self) -> bool {
        matches!(self, Self::Owner | Self::Steward)
    }
}
