//! Where the co-ops of the demo world are, and what their people write there.

/// The languages that their lists are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
    German,
    Portuguese,
    Spanish,
}

impl Language {
    /// Its code, as the schemas' labels and synonyms have it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
            Self::Portuguese => "pt",
            Self::Spanish => "es",
        }
    }

    /// What its spreadsheets put between cells.
    pub(super) fn delimiter(self) -> u8 {
        match self {
            Self::English => b',',
            Self::French | Self::German | Self::Portuguese | Self::Spanish => b';',
        }
    }

    /// How its spreadsheets write `year`, `month`, `day`.
    pub(super) fn day(self, year: i32, month: u32, day: u32) -> String {
        match self {
            Self::English => format!("{year:04}-{month:02}-{day:02}"),
            Self::German => format!("{day:02}.{month:02}.{year:04}"),
            Self::French | Self::Portuguese | Self::Spanish => format!("{day:02}/{month:02}/{year:04}"),
        }
    }

    /// How they write a number with `decimals` decimals.
    pub(super) fn number(self, value: f64, decimals: usize) -> String {
        let plain = format!("{value:.decimals$}");
        match self {
            Self::English => plain,
            Self::French | Self::German | Self::Portuguese | Self::Spanish => plain.replace('.', ","),
        }
    }

    /// Yes or no.
    pub(super) fn boolean(self, yes: bool) -> &'static str {
        match (self, yes) {
            (Self::English, true) => "yes",
            (Self::English | Self::Spanish, false) => "no",
            (Self::French, true) => "oui",
            (Self::French, false) => "non",
            (Self::German, true) => "ja",
            (Self::German, false) => "nein",
            (Self::Portuguese, true) => "sim",
            (Self::Portuguese, false) => "não",
            (Self::Spanish, true) => "sí",
        }
    }
}

/// A country with co-ops in the demo world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Country {
    Denmark,
    France,
    Germany,
    Ireland,
    Italy,
    Poland,
    Portugal,
    Spain,
    UnitedKingdom,
}

/// A town: name, region, the beginning of its postcodes, degrees north, degrees east.
pub(super) type Town = (&'static str, &'static str, &'static str, f64, f64);

impl Country {
    /// Every country.
    pub(super) const ALL: [Self; 9] = [
        Self::Denmark,
        Self::France,
        Self::Germany,
        Self::Ireland,
        Self::Italy,
        Self::Poland,
        Self::Portugal,
        Self::Spain,
        Self::UnitedKingdom,
    ];

    /// As its own people write it into a spreadsheet.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Denmark => "Denmark",
            Self::France => "France",
            Self::Germany => "Deutschland",
            Self::Ireland => "Ireland",
            Self::Italy => "Italia",
            Self::Poland => "PL",
            Self::Portugal => "Portugal",
            Self::Spain => "España",
            Self::UnitedKingdom => "United Kingdom",
        }
    }

    /// ISO 3166-1 alpha-2.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Denmark => "DK",
            Self::France => "FR",
            Self::Germany => "DE",
            Self::Ireland => "IE",
            Self::Italy => "IT",
            Self::Poland => "PL",
            Self::Portugal => "PT",
            Self::Spain => "ES",
            Self::UnitedKingdom => "GB",
        }
    }

    /// The beginning of its telephone numbers.
    pub(super) fn dial(self) -> &'static str {
        match self {
            Self::Denmark => "+45",
            Self::France => "+33",
            Self::Germany => "+49",
            Self::Ireland => "+353",
            Self::Italy => "+39",
            Self::Poland => "+48",
            Self::Portugal => "+351",
            Self::Spain => "+34",
            Self::UnitedKingdom => "+44",
        }
    }

    /// Some of its towns.
    pub(super) fn towns(self) -> &'static [Town] {
        match self {
            Self::Denmark => {
                &[("Aarhus", "Midtjylland", "80", 56.157, 10.211), ("København", "Hovedstaden", "22", 55.676, 12.568)]
            }
            Self::France => &[
                ("Marseille", "Bouches-du-Rhône", "130", 43.296, 5.370),
                ("Rennes", "Ille-et-Vilaine", "350", 48.117, -1.678),
                ("Orée-d'Anjou", "Maine-et-Loire", "495", 47.340, -1.330),
            ],
            Self::Germany => &[
                ("Frankfurt am Main", "Hessen", "659", 50.102, 8.545),
                ("Kempten (Allgäu)", "Bayern", "874", 47.727, 10.314),
                ("Leipzig", "Sachsen", "041", 51.340, 12.375),
            ],
            Self::Ireland => &[("Galway", "Connacht", "H91 ", 53.271, -9.057), ("Cork", "Munster", "T12 ", 51.898, -8.476)],
            Self::Italy => {
                &[("Reggio nell'Emilia", "Emilia-Romagna", "421", 44.698, 10.631), ("Torino", "Piemonte", "101", 45.070, 7.687)]
            }
            Self::Poland => &[("Łódź", "łódzkie", "90-", 51.759, 19.456), ("Gdańsk", "pomorskie", "80-", 54.352, 18.647)],
            Self::Portugal => &[("Coimbra", "Centro", "3000-", 40.211, -8.429), ("Braga", "Norte", "4700-", 41.550, -8.420)],
            Self::Spain => &[
                ("Barcelona", "Cataluña", "080", 41.388, 2.170),
                ("Cádiz", "Andalucía", "110", 36.527, -6.289),
                ("Donostia / San Sebastián", "Gipuzkoa", "200", 43.318, -1.981),
                ("Valdemoro", "Comunidad de Madrid", "283", 40.191, -3.674),
            ],
            Self::UnitedKingdom => &[
                ("Hebden Bridge", "West Yorkshire", "HX7 ", 53.742, -2.013),
                ("Newcastle upon Tyne", "Tyne and Wear", "NE1 ", 54.978, -1.618),
                ("Bristol", "Somerset", "BS1 ", 51.454, -2.588),
            ],
        }
    }
}
