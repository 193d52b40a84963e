//! Who is in the demo world: its co-ops, their people, programs and lists, before anything is stored.
//!
//! A cast is a pure function of the seed, so that the world can be told again from the seed alone.

use hayward_domain::id::{ClientId, DatasetId, OrganizationId, PersonId, base32};
use hayward_domain::scope::{Role, Scopes};
use rand::Rng;

use super::derive::{bytes, stream};
use super::places::{Country, Language};
use super::words::STAFF;
use crate::auth::secret;

/// The whole cast.
pub(super) struct Cast {
    pub(super) seed: u64,
    pub(super) members: Vec<Member>,
}

/// A member co-op.
pub(super) struct Member {
    pub(super) id: OrganizationId,
    pub(super) slug: &'static str,
    pub(super) name: String,
    pub(super) country: Country,
    pub(super) language: Language,
    /// How many stewards it wants for an approval.
    pub(super) rule: &'static str,
    /// Its stewards first.
    pub(super) people: Vec<Human>,
    pub(super) programs: Vec<Program>,
    pub(super) lists: Vec<List>,
}

/// A person who acts for a co-op.
pub(super) struct Human {
    pub(super) id: PersonId,
    pub(super) name: &'static str,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) role: Role,
    pub(super) token: String,
}

/// A program of a co-op.
pub(super) struct Program {
    pub(super) id: ClientId,
    pub(super) name: &'static str,
    pub(super) secret: String,
    pub(super) scopes: Scopes,
}

/// A list of a co-op.
pub(super) struct List {
    pub(super) id: DatasetId,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) rows: usize,
}

/// What a list is of: one kind for each built-in schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    Members,
    Opportunities,
    Figures,
}

impl Kind {
    /// The name of the schema.
    pub(super) fn schema(self) -> &'static str {
        match self {
            Self::Directory => "organization",
            Self::Members => "membership",
            Self::Opportunities => "opportunity",
            Self::Figures => "measurement",
        }
    }

    /// What a co-op calls such a list.
    fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Directory, Language::English) => "Who we are",
            (Self::Directory, Language::French) => "Qui sommes-nous",
            (Self::Directory, Language::German) => "Über uns",
            (Self::Directory, Language::Portuguese) => "Quem somos",
            (Self::Directory, Language::Spanish) => "Quiénes somos",
            (Self::Members, Language::English) => "Members",
            (Self::Members, Language::French) => "Sociétaires",
            (Self::Members, Language::German) => "Mitgliederliste",
            (Self::Members, Language::Portuguese) => "Associados",
            (Self::Members, Language::Spanish) => "Socias y socios",
            (Self::Opportunities, Language::English) => "Openings",
            (Self::Opportunities, Language::French) => "Offres",
            (Self::Opportunities, Language::German) => "Ausschreibungen",
            (Self::Opportunities, Language::Portuguese) => "Oportunidades",
            (Self::Opportunities, Language::Spanish) => "Ofertas",
            (Self::Figures, Language::English) => "Figures",
            (Self::Figures, Language::French) => "Chiffres",
            (Self::Figures, Language::German) => "Kennzahlen",
            (Self::Figures, Language::Portuguese) => "Números",
            (Self::Figures, Language::Spanish) => "Cifras",
        }
    }
}

/// The co-ops: short name, name, country, language. The last one's name is stretched to 300 characters.
const COOPS: [(&str, &str, Country, Language); 34] = [
    ("la-espiga", "Panadería La Espiga", Country::Spain, Language::Spanish),
    ("girasol", "🌻 Girasol Energía", Country::Spain, Language::Spanish),
    ("consumo-sur", "Cooperativa de Consumo del Sur", Country::Spain, Language::Spanish),
    ("fruites-emporda", "Fruites de l'Empordà", Country::Spain, Language::Spanish),
    ("huerta-valdemoro", "Huerta de Valdemoro, S. Coop.", Country::Spain, Language::Spanish),
    ("mugarri", "Mugarri Herri Lantegia", Country::Spain, Language::Spanish),
    ("sant-pau", "Taller Tèxtil Sant Pau, \"El Fil\"", Country::Spain, Language::Spanish),
    ("vieux-port", "Boulangerie du Vieux-Port", Country::France, Language::French),
    ("jardins-oree", "Les Jardins d'Orée", Country::France, Language::French),
    ("energies-bretagne", "Énergies Partagées en Bretagne", Country::France, Language::French),
    ("atelier-velo", "L'Atelier Vélo Solidaire", Country::France, Language::French),
    ("zaytun", "تعاونية الزيتون", Country::France, Language::French),
    ("upper-valley", "Upper Valley Food Co-operative", Country::UnitedKingdom, Language::English),
    ("tyne-wind", "Tyne Wind Community Energy", Country::UnitedKingdom, Language::English),
    ("bicycle-workers", "Harbourside Bicycle Workers", Country::UnitedKingdom, Language::English),
    ("sum-a1", "=SUM(A1)", Country::UnitedKingdom, Language::English),
    ("severn-homes", "Severn Homes Mutual", Country::UnitedKingdom, Language::English),
    ("gruener-strom", "Genossenschaft Grüner Strom Höchst", Country::Germany, Language::German),
    ("suedhang", "Wohnprojekt Südhang eG", Country::Germany, Language::German),
    ("buergerkaeserei", "Bürgerkäserei Allgäu eG", Country::Germany, Language::German),
    ("am-kanal", "Druckerei am Kanal eG", Country::Germany, Language::German),
    ("mondego", "Cooperativa Agrícola do Mondego", Country::Portugal, Language::Portuguese),
    ("pao-nosso", "Pão Nosso, CRL", Country::Portugal, Language::Portuguese),
    ("cuidados-minho", "Rede de Cuidados do Minho", Country::Portugal, Language::Portuguese),
    ("mare-alta", "Cooperativa Cultural Maré Alta", Country::Portugal, Language::Portuguese),
    ("lodz", "Spółdzielnia Łódź Solidarna", Country::Poland, Language::English),
    ("zulawy", "Żuławska Spółdzielnia Rolna", Country::Poland, Language::English),
    ("orsted-gaard", "Ørsted Andelsgård", Country::Denmark, Language::English),
    ("faelleskoekken", "Fælleskøkkenet ved Åen", Country::Denmark, Language::English),
    ("obrien-dairy", "O'Brien & Daughters Dairy Co-op", Country::Ireland, Language::English),
    ("galway-growers", "Galway Bay Growers", Country::Ireland, Language::English),
    ("val-denza", "Caseificio Sociale Val d'Enza", Country::Italy, Language::English),
    ("officina-mutua", "Officina Mutua di Torino", Country::Italy, Language::English),
    ("long-name", "Federation of Worker, Consumer, Housing and Energy Co-operatives", Country::Ireland, Language::English),
];

/// Every scope that reads.
const READS_ALL: &str =
    "directory:read opportunities:read memberships:read measurements:read agreements:read ledger:read datasets:read";

/// The programs: whose, name, scopes.
const PROGRAMS: [(&str, &str, &str); 12] = [
    ("la-espiga", "Nightly sync", READS_ALL),
    ("upper-valley", "Valley portal", READS_ALL),
    ("gruener-strom", "Datenabgleich", READS_ALL),
    ("galway-growers", "Sandbox", READS_ALL),
    ("girasol", "Bolsa de empleo", "opportunities:read directory:read"),
    ("vieux-port", "Site public", "directory:read"),
    ("zaytun", "Carte", "directory:read opportunities:read"),
    ("obrien-dairy", "Milk round planner", "memberships:read agreements:read"),
    ("mondego", "Estatística", "measurements:read directory:read ledger:read"),
    ("buergerkaeserei", "Import", "datasets:read datasets:write imports:write"),
    ("long-name", "Federation directory", "directory:read agreements:read agreements:propose"),
    ("officina-mutua", "Bacheca", "opportunities:read"),
];

impl Cast {
    pub(super) fn new(seed: u64) -> Self {
        let members = COOPS.into_iter().enumerate().map(|(at, coop)| member(seed, at, coop)).collect();
        Self { seed, members }
    }
}

fn member(seed: u64, at: usize, (slug, name, country, language): (&'static str, &str, Country, Language)) -> Member {
    let name = match slug {
        "long-name" => stretched(name),
        _ => name.to_owned(),
    };
    let rule = match at {
        11 => "all",
        _ if at % 7 == 3 => "2",
        _ => "1",
    };
    let programs = PROGRAMS.into_iter().filter(|(whose, _, _)| *whose == slug);
    Member {
        id: OrganizationId::from_random(bytes(seed, &["organization", slug])),
        slug,
        name,
        country,
        language,
        rule,
        people: people(seed, at, slug),
        programs: programs.map(|(_, name, scopes)| program(seed, slug, name, scopes)).collect(),
        lists: lists(seed, at, slug, language),
    }
}

/// A name of 300 characters, as a federation of federations has it.
fn stretched(name: &str) -> String {
    let more = " and of their Friends in Every Valley";
    name.chars().chain(more.chars().cycle()).take(299).chain(['.']).collect()
}

/// Two stewards or three, and somebody who keeps the lists.
fn people(seed: u64, at: usize, slug: &str) -> Vec<Human> {
    let keeper = if at.is_multiple_of(5) { Role::Owner } else { Role::Editor };
    let roles = match at % 7 {
        3 => vec![Role::Steward, Role::Steward, Role::Steward, keeper],
        _ => vec![Role::Steward, Role::Steward, keeper],
    };
    let names = STAFF.iter().cycle().skip(at * 3);
    roles.into_iter().zip(names).map(|(role, name)| human(seed, slug, name, role)).collect()
}

fn human(seed: u64, slug: &str, name: &'static str, role: Role) -> Human {
    let email = format!("{}@{slug}.example", name.to_ascii_lowercase());
    Human {
        id: PersonId::from_random(bytes(seed, &["person", &email])),
        name,
        password: base32(&bytes::<15>(seed, &["password", &email])),
        role,
        token: secret::token(bytes(seed, &["token", &email])),
        email,
    }
}

fn program(seed: u64, slug: &str, name: &'static str, scopes: &str) -> Program {
    Program {
        id: ClientId::from_random(bytes(seed, &["client", slug, name])),
        name,
        secret: secret::client_secret(bytes(seed, &["client secret", slug, name])),
        scopes: Scopes::parse(scopes).unwrap_or_default(),
    }
}

/// Every co-op lists itself; every second one its members, every fourth what it offers, every eighth its figures.
fn lists(seed: u64, at: usize, slug: &str, language: Language) -> Vec<List> {
    let size =
        |kind: Kind, range: std::ops::RangeInclusive<usize>| stream(seed, &["size", slug, kind.schema()]).random_range(range);
    let mut lists = vec![(Kind::Directory, directory_size(slug))];
    if at.is_multiple_of(2) && at < 32 {
        lists.push((Kind::Members, member_count(slug).unwrap_or_else(|| size(Kind::Members, 20..=400))));
    }
    if at % 4 == 1 && at < 32 {
        lists.push((Kind::Opportunities, size(Kind::Opportunities, 20..=200)));
    }
    if at % 8 == 3 {
        lists.push((Kind::Figures, size(Kind::Figures, 60..=120)));
    }
    let list = |(kind, rows): (Kind, usize)| List {
        id: DatasetId::from_random(bytes(seed, &["dataset", slug, kind.schema()])),
        kind,
        name: kind.name(language).to_owned(),
        rows,
    };
    lists.into_iter().map(list).collect()
}

/// Federations list those who belong to them, and one co-op its two places.
fn directory_size(slug: &str) -> usize {
    match slug {
        "long-name" => 60,
        "energies-bretagne" | "gruener-strom" => 25,
        "mugarri" => 2,
        _ => 1,
    }
}

fn member_count(slug: &str) -> Option<usize> {
    match slug {
        "upper-valley" => Some(5_000),
        "consumo-sur" => Some(340),
        _ => None,
    }
}
