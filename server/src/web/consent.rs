//! What a person reads before a program may act for them: who asks, what it could do, and through which agreements.
//!
//! Made from the person's roles, the program's scopes and the terms of the agreements in force; no record comes near.

use actix_web::web::Data;
use hayward_domain::scope::{Scope, Scopes};
use hayward_domain::words::{self, About, Language};
use hayward_store::{AudienceKind, Caller, Client, ConsentView, OpenedBy};

use super::Halt;
use crate::commons::Commons;
use crate::error::Error;

/// A program that asks.
pub(super) struct Program {
    /// What people call it.
    pub(super) name: String,
    /// What the member co-op is called that registered it.
    pub(super) owner: String,
    /// Its id.
    pub(super) id: String,
    /// Whom to ask about it.
    pub(super) contact: Option<String>,
}

/// One thing that it could do.
pub(super) struct Line {
    /// The same in words.
    pub(super) text: String,
    /// The scope, as programs write it.
    pub(super) scope: String,
    /// Whether it is about data of others, which agreements open and nothing else.
    pub(super) reads: bool,
    /// Which these are now.
    pub(super) opened_by: Vec<Opened>,
}

/// One agreement.
pub(super) struct Opened {
    /// Its id.
    pub(super) agreement: String,
    /// What it shows, in sentences.
    pub(super) sentences: Vec<String>,
}

/// The whole of it.
pub(super) struct Consent {
    pub(super) program: Program,
    /// For whom the program would act.
    pub(super) organization: String,
    /// The id of that member co-op: whoever says yes says it for the one that was shown.
    pub(super) organization_id: String,
    pub(super) lines: Vec<Line>,
    /// Agreements that are not named.
    pub(super) more: usize,
    /// What is asked for and cannot be given.
    pub(super) withheld: Vec<String>,
}

impl Consent {
    /// What `caller`, a person, would allow `client` within `wanted`.
    pub(super) async fn of(commons: &Data<Commons>, caller: &Caller, client: &Client, wanted: &Scopes) -> Result<Self, Halt> {
        let person = caller.person.clone().ok_or(Error::NotFound)?;
        let (organization, asking, scopes) = (caller.organization, client.clone(), wanted.clone());
        let view = commons.run(move |store| store.consent_view(&person, organization, &asking, &scopes)).await?;
        let mut view = view.ok_or(Error::NotFound)?;
        let scopes: Vec<Scope> = view.scopes.iter().cloned().collect();
        let lines = scopes.into_iter().map(|scope| line(&scope, &mut view)).collect();
        Ok(Self {
            program: Program {
                name: client.name.clone(),
                owner: client.owner.clone(),
                id: client.id.to_string(),
                contact: client.form.contact.clone(),
            },
            organization: view.organization,
            organization_id: caller.organization_id.to_string(),
            lines,
            more: view.more,
            withheld: view.withheld.iter().map(ToString::to_string).collect(),
        })
    }
}

fn line(scope: &Scope, view: &mut ConsentView) -> Line {
    let opened_by = match scope {
        Scope::Read(collection) => view.opens.remove(collection).unwrap_or_default().iter().map(opened).collect(),
        _ => Vec::new(),
    };
    let text = text(scope, &view.organization);
    Line { text, scope: scope.to_string(), reads: matches!(scope, Scope::Read(_)), opened_by }
}

fn opened(by: &OpenedBy) -> Opened {
    let told = |about: About| matches!(about, About::Parties | About::Fields | About::People | About::Rows | About::Dates);
    let said = words::sentences(&by.wording.as_version(), Language::English);
    let mut sentences: Vec<String> = said.into_iter().filter(|one| told(one.about)).map(|one| one.text).collect();
    match by.audience {
        AudienceKind::Organization => {}
        AudienceKind::Members => sentences.push("Every member co-op reads this.".to_owned()),
        AudienceKind::Public => sentences.push("Everybody reads this, without signing in.".to_owned()),
    }
    Opened { agreement: by.agreement.to_string(), sentences }
}

fn text(scope: &Scope, organization: &str) -> String {
    match scope {
        Scope::Read(collection) => format!("Read {} that others share with {organization}", collection.replace('_', " ")),
        Scope::DatasetsRead => format!("Read the whole lists of {organization}, with every field"),
        Scope::DatasetsWrite => format!("Make lists for {organization}, and change them"),
        Scope::ImportsWrite => format!("Import files into the lists of {organization}, and undo imports"),
        Scope::AgreementsRead => format!("Read the agreements of {organization}, and the catalogue"),
        Scope::AgreementsPropose => format!("Propose agreements in the name of {organization}"),
        Scope::AgreementsApprove => format!("Decide about agreements in the name of {organization}"),
        Scope::LedgerRead => format!("Read who was given what of {organization}, and what {organization} was given"),
        Scope::PeopleManage => format!("Say who belongs to {organization}, and as what"),
        Scope::ClientsManage => format!("Register and revoke programs of {organization}"),
    }
}
