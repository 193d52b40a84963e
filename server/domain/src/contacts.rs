//! What in a free text looks like a way to reach somebody: an e-mail address, a telephone number.
//!
//! For a warning to whoever is about to share the text, so it is a look and not a proof. It takes time in proportion to the text, keeps
//! nothing of it, and answers yes or no. What should not be taken for a number: days, amounts, decimals, years, network addresses, account
//! and card numbers, and whatever hangs on letters, as in `REF-2026-000123`.

use serde_json::Value;

/// What was found in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Something that looks like an e-mail address.
    pub email: bool,
    /// Something that looks like a telephone number.
    pub phone: bool,
}

impl Contacts {
    /// Looks through a text.
    #[must_use]
    pub fn in_text(text: &str) -> Self {
        Self { email: has_email(text), phone: has_phone(text) }
    }

    /// Looks through every text in a value. A number is an amount, never a telephone.
    #[must_use]
    pub fn in_value(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::default(),
            Value::String(text) => Self::in_text(text),
            Value::Array(values) => values.iter().map(Self::in_value).fold(Self::default(), Self::or),
            Value::Object(members) => members.values().map(Self::in_value).fold(Self::default(), Self::or),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { email: self.email || other.email, phone: self.phone || other.phone }
    }
}

/// Something before an `@`, and after it a name with a dot whose end is no number.
fn has_email(text: &str) -> bool {
    let mut before = None;
    let mut rest = text;
    while let Some(at) = rest.find(['@', '＠']) {
        let (left, right) = rest.split_at(at);
        let mut after = right.chars();
        after.next();
        rest = after.as_str();
        let named =
            left.chars().next_back().or(before).is_some_and(|letter| letter.is_alphanumeric() || "_%+-'".contains(letter));
        before = Some('@');
        if named && begins_with_domain(rest) {
            return true;
        }
    }
    false
}

fn begins_with_domain(text: &str) -> bool {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '.' | '-'))).unwrap_or(text.len());
    let domain = text.get(..end).unwrap_or_default().trim_end_matches(['.', '-']);
    let last = domain.rsplit('.').next().unwrap_or_default();
    let labels = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
    labels && last.chars().count() >= 2 && last.starts_with(char::is_alphabetic)
}

/// The digits between two separators.
#[derive(Clone, Debug)]
struct Group {
    /// The number that they are; the largest there is where they are too many.
    number: u64,
    digits: usize,
    /// Whether they begin with a zero, and whether with two.
    zeros: usize,
    first: u32,
    /// Whether a plus stands before them.
    plus: bool,
    /// What separates them from the group before.
    by: Between,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// The first of a run.
    Nothing,
    Space,
    Dot,
    Dash,
    /// A parenthesis, a slash, or several of these.
    Other,
    /// A dash or a slash between spaces: often two numbers, sometimes one.
    Wide,
}

fn has_phone(text: &str) -> bool {
    let mut run: Vec<Group> = Vec::new();
    let mut letters = text.chars().peekable();
    let (mut before, mut between, mut stuck) = (' ', String::new(), false);
    while let Some(letter) = letters.next() {
        if let Some(digit) = digit(letter) {
            let by = if run.is_empty() { Some(Between::Nothing) } else { self::between(&between) };
            if by.is_none() {
                if is_phone_run(&run) {
                    return true;
                }
                run.clear();
            }
            let by = by.unwrap_or(Between::Nothing);
            let hangs = by == Between::Nothing
                && (stuck || before.is_alphabetic() || matches!(before, '_' | '#' | '№' | '$' | '€' | '£'));
            let mut group =
                Group { number: u64::from(digit), digits: 1, zeros: 0, first: digit, plus: before == '+' || before == '＋', by };
            let mut leading = digit == 0;
            group.zeros += usize::from(leading);
            while let Some(next) = letters.peek().copied().and_then(self::digit) {
                letters.next();
                group.number = group.number.saturating_mul(10).saturating_add(u64::from(next));
                group.digits += 1;
                leading = leading && next == 0;
                group.zeros += usize::from(leading);
            }
            let into_letters = letters.peek().is_some_and(|next| next.is_alphabetic() || matches!(next, '_' | '@' | '%'));
            if hangs || into_letters {
                // `12345678Z`, `B-600926123`: a part of some name. What came before may still be a number.
                if is_phone_run(&run) {
                    return true;
                }
                run.clear();
                stuck = true;
            } else {
                run.push(group);
                stuck = false;
            }
            between.clear();
            before = '0';
            continue;
        }
        // A name goes on over a dash, a dot or a slash: `REF-2026-000123`, `EXP/2026/0001`.
        stuck = matches!(letter, '-' | '/' | '_' | '.') && (stuck || before.is_alphabetic() && letter != '.');
        if is_between(letter) && between.len() < 8 {
            between.push(letter);
        } else {
            if is_phone_run(&run) {
                return true;
            }
            run.clear();
            between.clear();
        }
        before = letter;
    }
    is_phone_run(&run)
}

/// A digit of a script that people write telephone numbers in.
fn digit(letter: char) -> Option<u32> {
    let zero = match letter {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{966}'..='\u{96f}' => '\u{966}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    u32::from(letter).checked_sub(u32::from(zero))
}

fn is_between(letter: char) -> bool {
    is_space(letter) || is_dash(letter) || matches!(letter, '.' | '/' | '(' | ')' | '+' | '＋')
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '−')
}

/// What two groups of digits have between them; nothing if it is too much for one number.
fn between(text: &str) -> Option<Between> {
    let spaced = text.starts_with(is_space) && text.ends_with(is_space);
    Some(match text {
        _ if text.contains(['+', '＋']) => return None,
        _ if text.chars().count() > 3 || text.contains("  ") => return None,
        " " | "\u{a0}" | "\u{2009}" | "\u{202f}" => Between::Space,
        "." => Between::Dot,
        _ if text.chars().count() == 1 && text.chars().all(is_dash) => Between::Dash,
        _ if spaced => Between::Wide,
        _ => Between::Other,
    })
}

/// Whether groups that stand together are a number, or one of the parts is that a wide gap makes.
fn is_phone_run(run: &[Group]) -> bool {
    without_days(run).into_iter().any(|part| is_phone(part) || part.chunk_by(|_, next| next.by != Between::Wide).any(is_phone))
}

/// The groups that are not a day.
fn without_days(run: &[Group]) -> Vec<&[Group]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at < run.len() {
        let goes_on = run.get(at + 3).zip(run.get(at + 2)).is_some_and(|(next, last)| next.by == last.by);
        if !goes_on && run.get(at..at + 3).is_some_and(is_day) {
            parts.extend(run.get(from..at));
            at += 3;
            from = at;
        } else {
            at += 1;
        }
    }
    parts.extend(run.get(from..));
    parts
}

/// `2026-12-31`, `31/12/2026`, `31.12.26`.
fn is_day(groups: &[Group]) -> bool {
    let [one, two, three] = groups else { return false };
    let joined =
        two.by == three.by && one.by != two.by && matches!(two.by, Between::Dot | Between::Dash | Between::Other) && !one.plus;
    let short = |group: &Group, most: u64| group.digits <= 2 && (1..=most).contains(&group.number);
    let in_front = one.digits == 4 && short(two, 12) && short(three, 31);
    let behind = short(one, 31) && short(two, 31) && (three.digits == 4 && is_year(three) || three.digits == 2);
    joined && (in_front || behind)
}

fn is_year(group: &Group) -> bool {
    group.digits == 4 && (1800..2200).contains(&group.number)
}

fn is_phone(groups: &[Group]) -> bool {
    let Some(first) = groups.first() else { return false };
    let digits: usize = groups.iter().map(|group| group.digits).sum();
    if first.plus {
        return (7..=16).contains(&digits) && first.zeros == 0;
    }
    if first.zeros == 2 && first.digits >= 3 || first.zeros == 2 && first.digits == 2 && groups.len() > 1 {
        return (9..=18).contains(&digits);
    }
    match groups {
        // Bare digits: as long as a subscriber's number, and beginning as those do where many co-ops are.
        [_] => (9..=11).contains(&digits) && matches!(first.first, 0 | 6..=9),
        _ if is_amount(groups) || is_address(groups) || is_span(groups) => false,
        [_, last] if last.by == Between::Dot => false,
        // A single digit inside is of a book's or a section's number.
        [_, others @ ..] if others.iter().any(|group| group.digits == 1) => false,
        [_, last] if digits == 7 => last.by == Between::Dash && last.digits == 4 && !is_year(last),
        [_, _, _, ..] if digits == 8 => !groups.iter().any(is_year),
        _ => (9..=13).contains(&digits),
    }
}

/// `12.345.678`, `1 234 567`: thousands. Three groups of three are how a number of nine digits is written in Spain.
fn is_amount(groups: &[Group]) -> bool {
    let [first, others @ ..] = groups else { return false };
    let thousands = others.iter().all(|group| group.digits == 3 && matches!(group.by, Between::Dot | Between::Space));
    thousands && first.zeros == 0 && first.digits <= 3 && !(groups.len() == 3 && first.digits == 3)
}

/// `10.20.30.40`.
fn is_address(groups: &[Group]) -> bool {
    groups.len() == 4
        && groups.iter().skip(1).all(|group| group.by == Between::Dot)
        && groups.iter().all(|group| group.number < 256)
}

/// `2019-2024`, `15000 - 20000`, `28001 2026`.
fn is_span(groups: &[Group]) -> bool {
    let [from, to] = groups else { return false };
    let round = |group: &Group| group.number.is_multiple_of(100) && group.number > 0;
    is_year(from) || is_year(to) || round(from) && round(to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        for text in [
            "maria@example.org",
            "Write to <maria.lopez+jobs@mail.example.co.uk>, please.",
            "correo:ana_ruiz@cooperativa.coop.",
            "josé@españa.es",
            "почта@пример.рф",
            "ana＠example.org",
            "a@b@c.example.org",
        ] {
            assert_eq!(Contacts::in_text(text), Contacts { email: true, phone: false }, "{text}");
        }
    }

    #[test]
    fn an_at_alone_is_no_address() {
        for text in
            ["@maria", "maria@", "5 kg @ 3.50", "maria@localhost", "name at example dot org", "@@@", "a@1.2", "x@.org", "x@y..z"]
        {
            assert_eq!(Contacts::in_text(text), Contacts::default(), "{text}");
        }
    }

    #[test]
    fn numbers_are_found_as_people_write_them() {
        for text in [
            "+34 600 926 123",
            "+34600926123",
            "(+34) 600-92-61-23",
            "0034 91 123 45 67",
            "00 34 911 234 567",
            "600 926 123",
            "600926123",
            "600.926.123",
            "91 123 45 67",
            "tel.: 911 23 45 67, mornings",
            "Tel.600926123",
            "01 23 45 67 89",
            "01.23.45.67.89",
            "0151/12345678",
            "030 - 12345678",
            "+49 (0)30 123456",
            "020 7946 0958",
            "(555) 123-4567",
            "1-555-123-4567",
            "call 555-1234",
            "22 33 44 55",
            "+353 (0)1 234 5678",
            "600 111 222 / 600 333 444",
            "2026-12-31 600 926 123",
            "since 2019, 911 234 567",
            "٠١٠٠١٢٣٤٥٦٧",
            "＋３４６００９２６１２３",
            "+34\u{a0}600\u{a0}926\u{a0}123",
        ] {
            assert_eq!(Contacts::in_text(text), Contacts { email: false, phone: true }, "{text}");
        }
    }

    #[test]
    fn days_ids_and_amounts_are_not_numbers_to_call() {
        for text in [
            "2026-12-31",
            "31/12/2026 - 01/02/2027",
            "31.12.2026",
            "2026-12-31 09:30",
            "1.12.26",
            "2019-2024",
            "28001 2026",
            "REF-2026-000123",
            "EXP/2026/000123456",
            "12345678Z",
            "B-600926123",
            "B600926123",
            "ES91 2100 0418 4502 0005 1332",
            "4111 1111 1111 1111",
            "978-3-16-148410-0",
            "40.4168, -3.7038",
            "40.416775",
            "1.234.567,89",
            "12.345.678",
            "1 234 567",
            "15000-20000 euros a year",
            "192.168.100.200",
            "10.20.30.40",
            "3.5.1",
            "550e8400-e29b-41d4-a716-446655440000",
            "100 people, 20 places, 3 rooms",
            "12345",
            "08:00 - 15:30",
            "$600926123",
            "v1.2.3",
            "",
        ] {
            assert_eq!(Contacts::in_text(text), Contacts::default(), "{text}");
        }
    }

    #[test]
    fn lists_and_objects_are_looked_into_and_numbers_are_amounts() {
        assert!(Contacts::in_value(&json!(["quiet", {"by": "600 926 123"}])).phone);
        assert!(Contacts::in_value(&json!({"a": ["x@example.org"]})).email);
        assert_eq!(Contacts::in_value(&json!([600_926_123, true, null])), Contacts::default());
    }

    #[test]
    fn a_text_that_is_made_to_be_slow_is_not() {
        for piece in ["@", "1", "1 ", "+", "a@b.", "1-", "٠", "/ ", "12-12-"] {
            let text = piece.repeat(100_000);
            assert!(!Contacts::in_text(&text).email, "{piece}");
        }
    }
}
