//! Spanish.
//!
//! Labels and names have a gender and a number that nobody told us, so that no adjective or article here leans on one.

use chrono::{Datelike, NaiveDate};

use super::{Asked, Copies, How, Joint, On, Order, Otherwise, RowsChange, To, Tongue, in_a_list};
use crate::terms::{PurposeCode, RecordIds};
use crate::words::Change;
use crate::words::text::{self, Apart, Figures, plain};

pub(super) struct Spanish;

/// As CLDR has it for Spain: four digits stand together.
const FIGURES: Figures = Figures { group: '.', point: ',', grouped_from: 5 };
const MONTHS: [&str; 12] =
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"];

impl Tongue for Spanish {
    fn quoted(&self, text: &str) -> String {
        text::quoted(text, ['«', '»'], ['“', '”'])
    }

    fn joined(&self, items: &[String], joint: Joint) -> String {
        in_a_list(items, word(joint, items.last().map_or("", String::as_str)))
    }

    fn day(&self, day: NaiveDate) -> String {
        format!("{} de {}", day.day(), self.month(day))
    }

    fn day_as_value(&self, day: NaiveDate) -> String {
        format!("el {}", self.day(day))
    }

    fn month(&self, day: NaiveDate) -> String {
        let name = usize::try_from(day.month0()).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
        format!("{name} de {}", day.year())
    }

    fn number(&self, digits: &str) -> String {
        text::number(digits, &FIGURES)
    }

    fn truth(&self, truth: bool) -> &'static str {
        if truth { "sí" } else { "no" }
    }

    fn shows(&self, provider: &str, list: &str, schema: &str, to: To<'_>) -> String {
        let what = format!("lo siguiente de su lista {} ({schema})", self.quoted(list));
        let provider = plain(provider);
        match to {
            To::One(name) => format!("{provider} muestra a {} {what}, y nada más.", plain(name)),
            To::Members => {
                format!("{provider} muestra {what} a todas las cooperativas miembro, también a las que se incorporen después.")
            }
            To::Public => format!("{provider} muestra {what} a cualquiera, sin iniciar sesión."),
        }
    }

    fn fields(&self, labels: &str, many: bool, how: &How) -> String {
        format!("{labels} {} {}.", if many { "se muestran" } else { "se muestra" }, self.how(how))
    }

    fn personal(&self, labels: &str) -> String {
        format!("Datos de personas identificables: {labels}.")
    }

    fn special(&self, labels: &str) -> String {
        format!("Datos especialmente delicados: {labels}.")
    }

    fn not_shown(&self, labels: Option<&str>) -> String {
        match labels {
            Some(labels) => format!("No se muestra: {labels}. Tampoco se muestra ningún campo que la lista reciba más adelante."),
            None => "Se muestran todos los campos de la lista, pero no los que reciba más adelante.".to_owned(),
        }
    }

    fn named_hidden(&self, labels: &str, many: bool) -> String {
        format!("La versión dice expresamente que {labels} no {}.", if many { "se muestran" } else { "se muestra" })
    }

    fn every_record(&self) -> String {
        "Se muestran todos los registros de la lista, también los que se añadan después.".to_owned()
    }

    fn some_records(&self, condition: &str) -> String {
        format!("Solo se muestran los registros en los que {condition}. Vale también para los que se añadan o cambien después.")
    }

    fn who_said_no(&self, label: &str) -> String {
        format!(
            "No se muestra ningún registro en el que {label} sea no, se acuerde lo que se acuerde: quien se muestra no ha dicho que no."
        )
    }

    fn group(&self, joint: Joint, parts: &[String], within: bool) -> String {
        // What follows begins with a quoted label or a parenthesis: `o` and `y` after a semicolon stay as they are.
        let parts = parts.join(match joint {
            Joint::And => "; y ",
            Joint::Or => "; o ",
        });
        match (joint, within) {
            (Joint::And, false) => format!("se cumple todo esto: {parts}"),
            (Joint::Or, false) => format!("se cumple al menos una de estas condiciones: {parts}"),
            (Joint::And, true) => format!("(todo esto: {parts})"),
            (Joint::Or, true) => format!("(al menos una de estas condiciones: {parts})"),
        }
    }

    fn asked(&self, label: &str, asked: &Asked) -> String {
        let order = "en el orden de los caracteres";
        match asked {
            Asked::Is(values) => format!("{label} es {values}"),
            Asked::More(Order::Days, day) => format!("{label} es posterior al {day}"),
            Asked::AtLeast(Order::Days, day) => format!("{label} es {day} o una fecha posterior"),
            Asked::Less(Order::Days, day) => format!("{label} es anterior al {day}"),
            Asked::AtMost(Order::Days, day) => format!("{label} es {day} o una fecha anterior"),
            Asked::More(Order::Numbers, number) => format!("{label} es más de {number}"),
            Asked::AtLeast(Order::Numbers, number) => format!("{label} es al menos {number}"),
            Asked::Less(Order::Numbers, number) => format!("{label} es menos de {number}"),
            Asked::AtMost(Order::Numbers, number) => format!("{label} es como mucho {number}"),
            Asked::More(Order::Texts, text) => format!("{label} va después de {text} {order}"),
            Asked::AtLeast(Order::Texts, text) => format!("{label} es {text} o va después {order}"),
            Asked::Less(Order::Texts, text) => format!("{label} va antes de {text} {order}"),
            Asked::AtMost(Order::Texts, text) => format!("{label} es {text} o va antes {order}"),
            Asked::Begins(text) => format!("{label} empieza por {text}"),
            Asked::During(time) => format!("{label} cae en {time}"),
            Asked::Empty => format!("no hay dato en {label}"),
            Asked::Filled => format!("hay algún dato en {label}"),
        }
    }

    fn gives_away(&self, told: &str, surely: bool, otherwise: Otherwise) -> String {
        let or = if surely { "" } else { ", o que se cumple otra de las alternativas" };
        let field = match otherwise {
            Otherwise::Hidden => "El campo en sí no se muestra",
            Otherwise::Treated => "El campo en sí se muestra solo como se ha dicho",
        };
        format!("Quien ve un registro sabe por la condición que {told}{or}. {field}.")
    }

    fn tells_nothing_new(&self, labels: &str) -> String {
        format!("La condición informa también de {labels}, cosa que se ve de todos modos.")
    }

    fn purpose(&self, code: PurposeCode, text: &str) -> String {
        let code = match code {
            PurposeCode::Directory => "un directorio de organizaciones",
            PurposeCode::JobMatching => "poner en contacto a personas y trabajo",
            PurposeCode::Procurement => "comprar y vender",
            PurposeCode::Funding => "préstamos, subvenciones e inversión",
            PurposeCode::Training => "cursos y aprendizaje",
            PurposeCode::MutualAid => "la ayuda mutua",
            PurposeCode::Statistics => "la estadística",
            PurposeCode::Research => "la investigación",
            PurposeCode::Governance => "el gobierno de una cooperativa o de una federación",
            PurposeCode::Other => "otra",
        };
        format!("La finalidad es {code}: {}.", self.said(text))
    }

    fn lawful_basis(&self, note: &str) -> String {
        match plain(note).is_empty() {
            true => "No consta ninguna base jurídica.".to_owned(),
            false => format!("Como base jurídica, la versión indica: {}.", self.said(note)),
        }
    }

    fn onward(&self, to: To<'_>, on: On<'_>) -> String {
        let who = receiver(to);
        match on {
            On::Nobody => format!("{who} no puede ceder los datos a nadie."),
            On::Members => format!("{who} puede ceder los datos a cooperativas miembro, y a nadie más."),
            On::Named(names) => format!("{who} puede ceder los datos a {names}, y a nadie más."),
            On::Public => format!("{who} puede ceder los datos a cualquiera."),
        }
    }

    fn ending(&self, to: To<'_>, copies: Copies<'_>) -> String {
        let who = receiver(to);
        match copies {
            Copies::Deleted { days: 0 } => {
                format!("{who} borra todas las copias el mismo día en que acaba el acuerdo, y lo certifica.")
            }
            Copies::Deleted { days: 1 } => {
                format!("{who} borra todas las copias en el plazo de un día tras el final, y lo certifica.")
            }
            Copies::Deleted { days } => {
                let days = self.number(&days.to_string());
                format!("{who} borra todas las copias en el plazo de {days} días tras el final, y lo certifica.")
            }
            Copies::Kept(terms) => {
                format!("{who} puede conservar copias después del final, en estas condiciones: {}.", self.said(terms))
            }
        }
    }

    fn lasts(&self, first: NaiveDate, last: NaiveDate, zone: &str) -> String {
        let (first, last) = (self.day(first), self.day(last));
        format!("El acuerdo vale desde el comienzo del {first} hasta el final del {last} ({zone}).")
    }

    fn review(&self, provider: &str, to: To<'_>, day: Option<NaiveDate>) -> String {
        match (day.map(|day| self.day(day)), to) {
            (None, _) => "No se ha fijado ningún día para revisar el acuerdo.".to_owned(),
            (Some(day), To::One(_)) => format!("Las dos partes revisan el acuerdo el {day}."),
            (Some(day), To::Members | To::Public) => format!("{} revisa el acuerdo el {day}.", plain(provider)),
        }
    }

    fn record_ids(&self, ids: RecordIds) -> String {
        match ids {
            RecordIds::Stable => {
                "Un registro tiene aquí el mismo identificador que en otros acuerdos con identificadores duraderos, de \
                modo que se puede juntar lo que se recibe por varios de ellos."
                    .to_owned()
            }
            RecordIds::Pseudonym => {
                "Un registro tiene un identificador que solo usa este acuerdo, de modo que los identificadores por \
                sí solos no lo enlazan con lo que muestran otros acuerdos."
                    .to_owned()
            }
        }
    }

    fn contact(&self, contact: &str) -> String {
        match plain(contact).is_empty() {
            true => "No se indica a quién preguntar.".to_owned(),
            false => format!("Las preguntas se dirigen a {}.", self.said(contact)),
        }
    }

    fn heading(&self, change: Change) -> &'static str {
        match change {
            Change::More => "Más",
            Change::Longer => "Más tiempo",
            Change::Different => "Distinto",
            Change::Shorter => "Menos tiempo",
            Change::Less => "Menos",
        }
    }

    fn also_shows(&self, provider: &str, labels: &str, _many: bool, how: &How) -> String {
        format!("{} mostraría también {labels}, {}.", plain(provider), self.how(how))
    }

    fn no_longer_shows(&self, provider: &str, labels: &str) -> String {
        format!("{} dejaría de mostrar {labels}.", plain(provider))
    }

    fn looks_otherwise(&self, label: &str, now: &How, before: &How) -> String {
        format!("{label} se mostraría {}. Antes: {}.", self.how(now), self.how(before))
    }

    fn hidden_as_before(&self, label: &str, named: bool) -> String {
        let how = if named { "ahora la versión lo dice expresamente" } else { "la versión ya no lo dice expresamente" };
        format!("{label} sigue sin mostrarse, como antes; {how}.")
    }

    fn rows_change(&self, change: &RowsChange) -> String {
        match change {
            RowsChange::Lifted { before } => {
                format!("Se mostrarían todos los registros. Antes: solo aquellos en los que {before}.")
            }
            RowsChange::Imposed { now } => {
                format!("Solo se mostrarían los registros en los que {now}. Antes: todos los registros.")
            }
            RowsChange::Added(demand) => {
                format!("Se mostrarían menos registros: solo aquellos en los que, además, {demand}.")
            }
            RowsChange::Dropped(demand) => format!("Se mostrarían más registros: ya no haría falta que se dé esto: {demand}."),
            RowsChange::Other { now, before, partly } => {
                let rest = if *partly { " El resto de la condición queda igual." } else { "" };
                format!("Se mostrarían otros registros: aquellos en los que {now}. Antes: aquellos en los que {before}.{rest}")
            }
            RowsChange::Respelled => {
                "La condición sobre los registros está escrita de otra manera y deja pasar los mismos registros.".to_owned()
            }
        }
    }

    fn begins(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String {
        let (now, before) = (self.day(now), self.day(before));
        format!("El acuerdo valdría desde el comienzo del {now} ({zone}). Antes: del {before}.")
    }

    fn ends(&self, now: NaiveDate, before: NaiveDate, zone: &str) -> String {
        let (now, before) = (self.day(now), self.day(before));
        format!("El acuerdo valdría hasta el final del {now} ({zone}). Antes: del {before}.")
    }

    fn schema_version(&self, now: i64, before: i64) -> String {
        format!("La versión se escribió para la forma {now} de la lista. Antes: para la forma {before}.")
    }

    fn another_list(&self) -> &'static str {
        "Las dos versiones tratan de listas distintas."
    }

    fn instead(&self, now: &str, before: &str) -> String {
        format!("{now} Antes: {before}")
    }

    fn unchanged(&self, count: usize, of_changed: bool) -> String {
        match (count, of_changed) {
            (_, false) => "No cambia nada.".to_owned(),
            (0, true) => "Nada queda como está.".to_owned(),
            (1, true) => "Un punto más queda como está.".to_owned(),
            (count, true) => format!("Otros {count} puntos quedan como están."),
        }
    }
}

impl Spanish {
    /// What somebody wrote, as the end of a sentence, whose period stands behind the quotation mark.
    fn said(&self, text: &str) -> String {
        let text = text.trim_end();
        let without = text.strip_suffix('.').filter(|rest| !rest.ends_with('.') && !rest.trim().is_empty());
        self.quoted(without.unwrap_or(text))
    }

    fn how(&self, how: &How) -> String {
        match how {
            How::Exact => "tal cual".to_owned(),
            How::MaskedEmail => "de forma parcial: solo se leen la primera letra y lo que sigue a la arroba".to_owned(),
            How::MaskedPhone => {
                "de forma parcial: solo se leen las tres últimas cifras, y ninguna si el número es corto".to_owned()
            }
            How::MaskedText => "de forma parcial: solo se lee la primera letra".to_owned(),
            How::Pseudonym => {
                "con un código en su lugar, que solo existe en este acuerdo: el mismo valor recibe aquí siempre el mismo \
                código, y en otra parte otro"
                    .to_owned()
            }
            How::Year => "solo con el año".to_owned(),
            How::Month => "solo con el mes y el año, sin el día".to_owned(),
            How::Prefix(1) => "solo en parte: el primer carácter".to_owned(),
            How::Prefix(length) => format!("solo en parte: los {length} primeros caracteres"),
            How::Grid { degrees, apart } => {
                let degrees = self.number(degrees);
                let apart = match apart {
                    Apart::Kilometres(far) => format!("unos {} km", self.number(far)),
                    Apart::Metres(far) => format!("unos {} m", self.number(far)),
                    Apart::Less => "un metro".to_owned(),
                };
                format!(
                    "solo de forma aproximada: el punto más cercano de una cuadrícula fija, con {apart} o menos entre sus puntos \
                     ({degrees} grados)"
                )
            }
            How::Band(width) => {
                format!("solo de forma aproximada: el límite inferior de un tramo de {}", self.number(width))
            }
        }
    }
}

/// `e` before the sound of i, `u` before that of o.
fn word(joint: Joint, next: &str) -> &'static str {
    let next = next.trim_start_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    let sounds = |sound: [&str; 4]| sound.into_iter().any(|begin| next.starts_with(begin));
    // `y hielo`: an i before another vowel sounds otherwise.
    let glides = ["hia", "hie", "hio", "io", "ia", "ie"].into_iter().any(|begin| next.starts_with(begin));
    match joint {
        Joint::And if sounds(["i", "í", "hi", "hí"]) && !glides => "e",
        Joint::And => "y",
        Joint::Or if sounds(["o", "ó", "ho", "hó"]) || is_read_with_o(&next) => "u",
        Joint::Or => "o",
    }
}

/// Whether a number is read aloud with an o at the beginning: ocho, ochenta, ochocientos, ocho mil, once, once mil.
fn is_read_with_o(next: &str) -> bool {
    let digits: String =
        next.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').filter(char::is_ascii_digit).collect();
    digits.starts_with('8') || (digits.starts_with("11") && digits.len() % 3 == 2)
}

fn receiver(to: To<'_>) -> String {
    match to {
        To::One(name) => plain(name),
        To::Members | To::Public => "Quien recibe los datos".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_and_or_give_way_to_the_sound_that_follows() {
        let list = |last: &str, joint| Spanish.joined(&["a".to_owned(), "b".to_owned(), last.to_owned()], joint);
        for (last, joined) in [
            ("«Ciudad»", "a, b y «Ciudad»"),
            ("«Identificador»", "a, b e «Identificador»"),
            ("«Índice»", "a, b e «Índice»"),
            ("«Historia»", "a, b e «Historia»"),
            ("«Hielo»", "a, b y «Hielo»"),
            ("«Yuca»", "a, b y «Yuca»"),
        ] {
            assert_eq!(list(last, Joint::And), joined);
        }
        for (last, joined) in [
            ("«ES»", "a, b o «ES»"),
            ("«Otro»", "a, b u «Otro»"),
            ("«hogar»", "a, b u «hogar»"),
            ("80", "a, b u 80"),
            ("11", "a, b u 11"),
            ("11.000", "a, b u 11.000"),
            ("110", "a, b o 110"),
            ("1100", "a, b o 1100"),
        ] {
            assert_eq!(list(last, Joint::Or), joined);
        }
    }
}
