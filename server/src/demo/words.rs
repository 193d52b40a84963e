//! The words that the invented people and things of the demo world are made of.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// One of `words`.
pub(super) fn one(rng: &mut StdRng, words: &[&'static str]) -> &'static str {
    words.choose(rng).copied().unwrap_or_default()
}

/// `count` digits.
pub(super) fn digits(rng: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rng.random_range(0..10u8))).collect()
}

/// A day of `years` that spreadsheets cannot take for month-day: its day of the month is 13 to 28.
pub(super) fn plain_day(rng: &mut StdRng, years: std::ops::Range<i32>) -> (i32, u32, u32) {
    (rng.random_range(years), rng.random_range(1..=12), rng.random_range(13..=28))
}

/// Given names of stewards and editors: plain letters, as they stand in addresses.
pub(super) const STAFF: [&str; 23] = [
    "Rosa", "Devi", "Marta", "Ossi", "Lin", "Pere", "Amara", "Tomasz", "Ines", "Jonas", "Siobhan", "Chiara", "Yusuf", "Anouk",
    "Bruno", "Freja", "Gael", "Hana", "Ivo", "Julia", "Karim", "Lucia", "Mads",
];

/// Given names of the people in the lists.
pub(super) const GIVEN: [&str; 30] = [
    "María José",
    "Jordi",
    "Nerea",
    "Íñigo",
    "Aïcha",
    "Benoît",
    "Chloé",
    "François",
    "Zoë",
    "Jürgen",
    "Käthe",
    "Björn",
    "Anneliese",
    "João",
    "Conceição",
    "Inês",
    "Małgorzata",
    "Łukasz",
    "Zbigniew",
    "Søren",
    "Åse",
    "Siobhán",
    "Pádraig",
    "Giulia",
    "Niccolò",
    "Olivia",
    "Kwame",
    "Nguyễn An",
    "فاطمة",
    "D'Arcy",
];

/// Family names of the people in the lists.
pub(super) const FAMILY: [&str; 30] = [
    "Muñoz Peña",
    "Ibáñez",
    "d'Àngelo",
    "Etxeberria",
    "García de la Torre",
    "Lefèvre",
    "L'Hénoret",
    "Châtelain",
    "Groß",
    "Müller-Lüdenscheidt",
    "Weiß",
    "von der Tann",
    "Gonçalves",
    "Brandão",
    "Łukasiewicz",
    "Wójcik",
    "Żak",
    "Ørsted",
    "Kjær",
    "Ågård",
    "O'Brien",
    "Mac Giolla Bháin",
    "Ní Dhomhnaill",
    "D'Agostino",
    "Bianchi",
    "Smith",
    "Okonkwo-Jones",
    "Null",
    "True",
    "الزيتون",
];

/// Streets, without the number.
pub(super) const STREETS: [&str; 8] = [
    "Calle Mayor",
    "Rue de la République",
    "Mühlgasse",
    "Rua da Sofia",
    "ul. Piotrkowska",
    "Nørregade",
    "Shop Street",
    "Via Roma",
];

/// What a co-op does.
pub(super) const ACTIVITIES: [&str; 12] = [
    "bread and pastry",
    "food retail; bulk goods",
    "solar power",
    "housing",
    "bicycle repair",
    "printing",
    "dairy",
    "vegetables and fruit",
    "home care",
    "culture; events",
    "software",
    "cheese",
];

/// What people are looked for as.
pub(super) const TITLES: [&str; 14] = [
    "Baker, night shift",
    "Responsable de tienda",
    "Maraîcher·ère",
    "Elektriker (m/w/d)",
    "Auxiliar de geriatria",
    "Bicycle mechanic",
    "Treasurer, volunteer",
    "Développeuse web",
    "Käserin oder Käser",
    "Course: reading a balance sheet",
    "Tender: roof for 40 panels",
    "Formación de socias nuevas",
    "Warehouse helper 📦",
    "Driver \"B\", part-time; weekends",
];

/// How an opportunity is classed, so that filters have something to hold on to.
pub(super) const CATEGORIES: [&str; 5] = ["job", "training", "volunteering", "tender", "grant"];

/// The kinds of work.
pub(super) const KINDS: [&str; 4] = ["full-time", "part-time", "fixed-term", "freelance"];

/// What is measured, with its unit.
pub(super) const INDICATORS: [(&str, &str); 4] =
    [("turnover", "EUR"), ("members", "people"), ("energy used", "kWh"), ("hours worked", "h")];

/// What a secretary writes beside a name.
pub(super) const REMARKS: [&str; 6] = [
    "prefers calls after six",
    "pays in two parts",
    "allergic to nuts",
    "helps at the Saturday stall",
    "moved, new address pending",
    "asked not to be photographed",
];
