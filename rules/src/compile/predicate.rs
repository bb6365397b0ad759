//! Items of a selection become predicates: typed questions to one column, each asked once a batch whoever asks.
//!
//! What a value means hangs on the column's type. `3389`, `'3389'` and `'33*'` are a range of ports, the same range, and a
//! pattern over the port's digits; `10.*` on addresses is a prefix of 8 bits. Everything that can be a range becomes one,
//! because ranges join (a list of forty ports is one predicate) and compare without branches. A value that can't equal
//! anything of the column's type is advised against, not refused: Sigma rules are written for many targets.
//!
//! Long because each type's reading of a value stands beside those of the others, which it must agree with.

use schemas::{FieldType, Ip, Transport};

use super::names::{Source, resolve, type_words, words_of};
use super::read::{date_part, in_ranges, number_in, time_us, truth_in};
use crate::sigma::ast::*;
use crate::sigma::error::{Advice, Fault};
use crate::sigma::modifiers::{Notes, ranges};
use crate::sigma::pattern::Fold;

/// A question to one column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Predicate {
    /// The column.
    pub source: Source,
    /// The question.
    pub test: Test,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Whether it is there.
    Present,
    /// Whether a number lies in one of these inclusive ranges, sorted and apart. Times are microseconds.
    Numbers(Vec<(i64, i64)>),
    /// Whether an address lies in one of these inclusive ranges, sorted and apart.
    Addresses(Vec<(u128, u128)>),
    /// Whether the bit of a byte is set.
    Words([u64; 4]),
    /// Whether a part of a time lies in one of these ranges.
    DatePart(DatePart, Vec<(i64, i64)>),
    /// Whether its text passes one of these; a value of another type is written as text first.
    Text(Vec<TextTest>),
    /// How it stands to another value of the event.
    FieldRef(Source, Place, Case),
}

/// What is asked of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// Whether it fits.
    Pattern(Pattern, Fold),
    /// Whether it is this number, or this text.
    Number(Bits, String),
    /// Whether it is one of the words of a truth value.
    Bool(bool),
    /// Whether the expression is found in it.
    Regex(Regex),
    /// Whether it is an address in this range.
    Address(u128, u128),
    /// Whether it is a number in this relation to another.
    Compare(crate::plan::Operator, Bits),
    /// Whether it is a time with a part in these ranges.
    DatePart(DatePart, Vec<(i64, i64)>),
}

/// A float that can be a key: its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// Of a number; the two zeros are one.
    pub fn of(number: f64) -> Bits {
        Bits((number + 0.0).to_bits())
    }
    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A condition over predicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logic {
    /// Always.
    True,
    /// Never.
    False,
    /// This one holds, by its number.
    Test(u32),
    /// All hold.
    And(Vec<Logic>),
    /// One holds.
    Or(Vec<Logic>),
    /// Does not hold.
    Not(Box<Logic>),
}

impl Logic {
    /// All of them, with constants worked in.
    pub fn and(parts: Vec<Logic>) -> Logic {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Logic::True => {}
                Logic::False => return Logic::False,
                Logic::And(inner) => kept.extend(inner),
                Logic::Test(_) | Logic::Or(_) | Logic::Not(_) => kept.push(part),
            }
        }
        match kept.len() {
            0 => Logic::True,
            1 => kept.remove(0),
            _ => Logic::And(kept),
        }
    }

    /// One of them, with constants worked in.
    pub fn or(parts: Vec<Logic>) -> Logic {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Logic::False => {}
                Logic::True => return Logic::True,
                Logic::Or(inner) => kept.extend(inner),
                Logic::Test(_) | Logic::And(_) | Logic::Not(_) => kept.push(part),
            }
        }
        match kept.len() {
            0 => Logic::False,
            1 => kept.remove(0),
            _ => Logic::Or(kept),
        }
    }

    /// The opposite.
    #[expect(clippy::should_implement_trait, reason = "a constructor beside `and` and `or`")]
    pub fn not(part: Logic) -> Logic {
        match part {
            Logic::True => Logic::False,
            Logic::False => Logic::True,
            Logic::Not(inner) => *inner,
            Logic::Test(_) | Logic::And(_) | Logic::Or(_) => Logic::Not(Box::new(part)),
        }
    }

    /// Calls `each` with every predicate in it.
    pub fn tests(&self, each: &mut impl FnMut(u32)) {
        match self {
            Logic::True | Logic::False => {}
            Logic::Test(test) => each(*test),
            Logic::And(parts) | Logic::Or(parts) => parts.iter().for_each(|part| part.tests(each)),
            Logic::Not(part) => part.tests(each),
        }
    }
}

/// Turns an item into logic; `number` gives a predicate its number, the same for equal ones.
pub fn item(
    item: &Item,
    log_source: &LogSource,
    number: &mut impl FnMut(Predicate) -> u32,
    notes: &mut Notes,
) -> Logic {
    let source = match &item.field {
        None => Source::Raw,
        Some(name) => match source_of(name, log_source, notes) {
            Some(source) => source,
            None => return Logic::False,
        },
    };
    let mut make = |gathered: Gathered| gathered.logic(&source, number);
    let logic = match item.join {
        Join::Any => {
            let mut gathered = Gathered::default();
            for matcher in item.values.iter().flatten() {
                gathered.add(matcher, &source, item, log_source, notes);
            }
            make(gathered)
        }
        Join::All => {
            let each = item.values.iter().map(|variants| {
                let mut gathered = Gathered::default();
                for matcher in variants {
                    gathered.add(matcher, &source, item, log_source, notes);
                }
                make(gathered)
            });
            Logic::and(each.collect())
        }
    };
    match item.negated {
        Negated::No => logic,
        Negated::Yes => Logic::and(vec![Logic::Test(number(present(&source))), Logic::not(logic)]),
    }
}

/// Looks a name up, with faults and advice.
pub fn source_of(name: &Name, log_source: &LogSource, notes: &mut Notes) -> Option<Source> {
    match resolve(&name.text, log_source) {
        Ok(found) => {
            if let Some(suggestion) = found.near {
                notes.advise(name.at, &name.text, Advice::VendorFieldNear { suggestion });
            }
            Some(found.source)
        }
        Err(suggestion) => {
            notes.fault(name.at, &name.text, Fault::UnknownField { suggestion });
            None
        }
    }
}

/// That a value is there. A vendor field has no bit of presence, so any text must fit.
fn present(source: &Source) -> Predicate {
    let test = match source {
        Source::Field(_) | Source::View(_) => Test::Present,
        Source::Extra(_) | Source::Raw => Test::Text(vec![TextTest::Pattern(Pattern(vec![Part::Any]), Fold::None)]),
    };
    Predicate { source: source.clone(), test }
}

/// What the values of an item come to, of which one must hold.
#[derive(Default)]
struct Gathered {
    always: bool,
    present: bool,
    absent: bool,
    numbers: Vec<(i64, i64)>,
    addresses: Vec<(u128, u128)>,
    words: [u64; 4],
    dates: Vec<(DatePart, Vec<(i64, i64)>)>,
    texts: Vec<TextTest>,
    others: Vec<(Source, Place, Case)>,
}

impl Gathered {
    fn logic(self, source: &Source, number: &mut impl FnMut(Predicate) -> u32) -> Logic {
        if self.always {
            return Logic::True;
        }
        let mut parts = Vec::new();
        let mut test = |test| Logic::Test(number(Predicate { source: source.clone(), test }));
        if !self.numbers.is_empty() {
            parts.push(test(Test::Numbers(joined(self.numbers))));
        }
        if !self.addresses.is_empty() {
            parts.push(test(Test::Addresses(joined(self.addresses))));
        }
        if self.words != [0; 4] {
            parts.push(test(Test::Words(self.words)));
        }
        parts.extend(self.dates.into_iter().map(|(part, ranges)| test(Test::DatePart(part, ranges))));
        if !self.texts.is_empty() {
            parts.push(test(Test::Text(self.texts)));
        }
        parts.extend(self.others.into_iter().map(|(other, place, case)| test(Test::FieldRef(other, place, case))));
        if self.present {
            parts.push(Logic::Test(number(present(source))));
        }
        if self.absent {
            parts.push(Logic::not(Logic::Test(number(present(source)))));
        }
        Logic::or(parts)
    }

    fn add(&mut self, matcher: &Matcher, source: &Source, item: &Item, log_source: &LogSource, notes: &mut Notes) {
        match matcher {
            Matcher::Null | Matcher::Exists(false) => return self.absent = true,
            Matcher::Exists(true) => return self.present = true,
            Matcher::Text(pattern, _) if pattern.0 == [Part::Any] => return self.present = true,
            Matcher::FieldRef(name, place, case) => {
                if let Some(other) = source_of(name, log_source, notes) {
                    self.others.push((other, *place, *case));
                }
                return;
            }
            Matcher::Text(..) | Matcher::Number(..) | Matcher::Bool(_) | Matcher::Regex(_) => {}
            Matcher::Cidr(_) | Matcher::Compare(_) | Matcher::DatePart(..) => {}
        }
        let kind = source.field_type();
        let fits = match kind {
            FieldType::Word(_) => self.add_word(matcher, source),
            FieldType::Text | FieldType::List => self.add_text(matcher),
            FieldType::Ip => self.add_address(matcher),
            FieldType::Long | FieldType::Port | FieldType::Percent => self.add_number(matcher, kind),
            FieldType::Time => self.add_time(matcher),
        };
        if !fits && let Some(name) = &item.field {
            let field = source.field().map_or("raw", schemas::Field::name);
            notes.advise(name.at, &name.text, Advice::NeverMatches { field, expected: type_words(kind) });
        }
    }

    fn add_word(&mut self, matcher: &Matcher, source: &Source) -> bool {
        let mut any = false;
        let tests = text_tests(matcher);
        // Compiled once, not for each word.
        let regex = if let Matcher::Regex(regex) = matcher { regex.build().ok() } else { None };
        for byte in 0..=255u8 {
            let words = words_of(source, byte);
            let passes = |word: &str| match &regex {
                Some(regex) => regex.is_match(word.as_bytes()),
                None => tests.iter().any(|test| test.passes(word.as_bytes())),
            };
            let mut fits = words.iter().any(|word| passes(word));
            if *source == Source::Field(schemas::Field::Transport) {
                fits |= transport(matcher) == Some(byte);
            }
            if *source == Source::Field(schemas::Field::Action) {
                fits |= words.first().is_some_and(|word| action_says(matcher, word));
            }
            if fits {
                self.words[usize::from(byte >> 6)] |= 1 << (byte & 63);
                any = true;
            }
        }
        any
    }

    fn add_text(&mut self, matcher: &Matcher) -> bool {
        let tests = text_tests(matcher);
        let any = !tests.is_empty();
        for test in tests {
            if !self.texts.contains(&test) {
                self.texts.push(test);
            }
        }
        any
    }

    fn add_address(&mut self, matcher: &Matcher) -> bool {
        match matcher {
            Matcher::Cidr(network) => self.addresses.extend(network_ranges(network)),
            Matcher::Text(pattern, _) => match (pattern.as_literal(), prefix_range(pattern)) {
                (Some(literal), _) => match Ip::parse(literal) {
                    Some(ip) => self.addresses.push((ip.to_bits(), ip.to_bits())),
                    None => return false,
                },
                (None, Some(range)) => self.addresses.push(range),
                (None, None) => return self.add_text(matcher),
            },
            Matcher::Regex(_) => return self.add_text(matcher),
            Matcher::Number(..) | Matcher::Bool(_) | Matcher::Compare(_) | Matcher::DatePart(..) => return false,
            Matcher::Null | Matcher::Exists(_) | Matcher::FieldRef(..) => return false,
        }
        true
    }

    fn add_number(&mut self, matcher: &Matcher, kind: FieldType) -> bool {
        let before = self.numbers.len();
        match matcher {
            Matcher::Number(Number::Int(number), _) => self.numbers.push((*number, *number)),
            Matcher::Number(Number::Float(number), _) => {
                if number.fract() == 0.0 {
                    self.numbers.push((*number as i64, *number as i64));
                }
            }
            Matcher::Bool(value) => self.numbers.push((i64::from(*value), i64::from(*value))),
            Matcher::Compare(bound) => self.numbers.extend(ranges(*bound)),
            Matcher::Text(pattern, _) => match pattern.as_literal() {
                // Compared through its decimal text: `'0443'` is not 443.
                Some(literal) => {
                    let number = std::str::from_utf8(literal).ok().and_then(|text| text.parse::<i64>().ok());
                    if let Some(number) = number.filter(|number| number.to_string().as_bytes() == literal) {
                        self.numbers.push((number, number));
                    }
                }
                None => return self.add_text(matcher),
            },
            Matcher::Regex(_) => return self.add_text(matcher),
            Matcher::Cidr(_) | Matcher::DatePart(..) => {}
            Matcher::Null | Matcher::Exists(_) | Matcher::FieldRef(..) => {}
        }
        let limits = match kind {
            FieldType::Port => (0, i64::from(u16::MAX)),
            FieldType::Percent => (0, 100),
            FieldType::Long | FieldType::Ip | FieldType::Time | FieldType::Word(_) => (0, i64::MAX),
            FieldType::Text | FieldType::List => (0, i64::MAX),
        };
        self.numbers[before..].iter_mut().for_each(|(low, high)| {
            *low = (*low).max(limits.0);
            *high = (*high).min(limits.1);
        });
        self.numbers.retain(|(low, high)| low <= high);
        self.numbers.len() > before
    }

    fn add_time(&mut self, matcher: &Matcher) -> bool {
        match matcher {
            Matcher::DatePart(part, ranges) => self.dates.push((*part, ranges.clone())),
            Matcher::Number(Number::Int(number), _) => self.numbers.push((*number, *number)),
            Matcher::Compare(bound) => self.numbers.extend(ranges(*bound)),
            Matcher::Text(pattern, _) => {
                let text = pattern.as_literal().and_then(|literal| std::str::from_utf8(literal).ok());
                match text.and_then(time_us) {
                    Some(us) => self.numbers.push((us, us)),
                    None => return false,
                }
            }
            Matcher::Number(Number::Float(_), _) | Matcher::Bool(_) | Matcher::Regex(_) | Matcher::Cidr(_) => {
                return false;
            }
            Matcher::Null | Matcher::Exists(_) | Matcher::FieldRef(..) => return false,
        }
        true
    }
}

/// The tests of a matcher on text; none where it asks something else.
fn text_tests(matcher: &Matcher) -> Vec<TextTest> {
    match matcher {
        Matcher::Text(pattern, case) => vec![TextTest::Pattern(pattern.clone(), pattern.fold(*case))],
        Matcher::Number(number, text) => vec![TextTest::Number(Bits::of(number.as_f64()), text.clone())],
        Matcher::Bool(value) => vec![TextTest::Bool(*value)],
        Matcher::Regex(regex) => vec![TextTest::Regex(regex.clone())],
        Matcher::Cidr(network) => {
            network_ranges(network).into_iter().map(|(low, high)| TextTest::Address(low, high)).collect()
        }
        Matcher::Compare(bound) => vec![TextTest::Compare(bound.operator, Bits::of(bound.number.as_f64()))],
        Matcher::DatePart(part, ranges) => vec![TextTest::DatePart(*part, ranges.clone())],
        Matcher::Null | Matcher::Exists(_) | Matcher::FieldRef(..) => Vec::new(),
    }
}

impl TextTest {
    /// Whether a text passes, asked one by one: for vocabularies when rules are compiled. The scan asks many at once.
    fn passes(&self, text: &[u8]) -> bool {
        match self {
            TextTest::Pattern(pattern, fold) => pattern.matches(text, *fold),
            TextTest::Number(number, written) => {
                number_in(text) == Some(number.get()) || written.as_bytes().eq_ignore_ascii_case(text)
            }
            TextTest::Bool(value) => truth_in(text) == Some(*value),
            TextTest::Regex(regex) => regex.build().is_ok_and(|regex| regex.is_match(text)),
            TextTest::Address(low, high) => Ip::parse(text).is_some_and(|ip| (*low..=*high).contains(&ip.to_bits())),
            TextTest::Compare(operator, number) => number_in(text).is_some_and(|found| {
                crate::plan::Comparison { operator: *operator, number: number.get() }.holds(found)
            }),
            TextTest::DatePart(part, ranges) => {
                let us = std::str::from_utf8(text).ok().and_then(time_us);
                us.and_then(|us| date_part(us, *part)).is_some_and(|value| in_ranges(value, ranges))
            }
        }
    }
}

/// The addresses of a network. IPv4 addresses are stored in their mapped form, but are no part of an IPv6 network that
/// happens to lie around that form: `::/0` is every IPv6 address, and no IPv4 one.
fn network_ranges(network: &ipnet::IpNet) -> Vec<(u128, u128)> {
    let (low, high) = (Ip::from(network.network()).to_bits(), Ip::from(network.broadcast()).to_bits());
    let mapped = (Ip::v4([0; 4]).to_bits(), Ip::v4([255; 4]).to_bits());
    match network {
        ipnet::IpNet::V6(_) if low < mapped.0 && mapped.1 < high => vec![(low, mapped.0 - 1), (mapped.1 + 1, high)],
        ipnet::IpNet::V4(_) | ipnet::IpNet::V6(_) => vec![(low, high)],
    }
}

/// `10.*`, `192.168.*`: the addresses whose text begins so. Only whole parts, because `10.1*` has no range.
fn prefix_range(pattern: &Pattern) -> Option<(u128, u128)> {
    let [Part::Literal(text), Part::Any] = pattern.0.as_slice() else { return None };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('.')?;
    let mut address = [0u8; 4];
    let mut parts = 0;
    for part in text.split('.') {
        let number: u8 = part.parse().ok()?;
        if parts == 3 || number.to_string() != part {
            return None;
        }
        address[parts] = number;
        parts += 1;
    }
    let low = Ip::v4(address);
    address[parts..].fill(255);
    Some((low.to_bits(), Ip::v4(address).to_bits()))
}

/// A protocol by its number or by a spelling that devices use.
fn transport(matcher: &Matcher) -> Option<u8> {
    match matcher {
        Matcher::Number(Number::Int(number), _) => u8::try_from(*number).ok(),
        Matcher::Text(pattern, Case::Insensitive) => {
            pattern.as_literal().and_then(Transport::parse).map(|found| found.0)
        }
        Matcher::Text(..) | Matcher::Number(..) | Matcher::Bool(_) | Matcher::Null | Matcher::Exists(_) => None,
        Matcher::Regex(_) | Matcher::Cidr(_) | Matcher::Compare(_) | Matcher::DatePart(..) | Matcher::FieldRef(..) => {
            None
        }
    }
}

/// Whether a vendor's word for what a firewall did is our word. Sigma's firewall rules name several vendors' words at once.
fn action_says(matcher: &Matcher, word: &str) -> bool {
    let Matcher::Text(pattern, Case::Insensitive) = matcher else { return false };
    let Some(literal) = pattern.as_literal() else { return false };
    let is = |words: &[&str]| words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(literal));
    match word {
        "allow" => is(&["accept", "accepted", "allowed", "forward", "pass", "passed", "permit", "permitted"]),
        "deny" => is(&["denied", "block", "blocked", "reject", "rejected"]),
        "drop" => is(&["dropped", "discard", "discarded"]),
        _ => false,
    }
}

/// Sorted, with neighbours joined.
fn joined<T: Copy + Ord + Successor>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut out: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match out.last_mut() {
            Some(last) if last.1 >= low || last.1.next() == Some(low) => last.1 = last.1.max(high),
            Some(_) | None => out.push((low, high)),
        }
    }
    out
}

trait Successor: Sized {
    fn next(self) -> Option<Self>;
}
impl Successor for i64 {
    fn next(self) -> Option<i64> {
        self.checked_add(1)
    }
}
impl Successor for u128 {
    fn next(self) -> Option<u128> {
        self.checked_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_where_they_touch() {
        assert_eq!(joined(vec![(5i64, 9), (1, 2), (3, 4), (20, 30), (25, 26)]), [(1, 9), (20, 30)]);
        assert_eq!(joined(vec![(0u128, u128::MAX), (5, 6)]), [(0, u128::MAX)]);
    }

    #[test]
    fn a_prefix_of_whole_parts_is_a_range_of_addresses() {
        let of = |text: &str| {
            prefix_range(&Pattern::read(text))
                .map(|(low, high)| (Ip(low.to_be_bytes()).to_string(), Ip(high.to_be_bytes()).to_string()))
        };
        assert_eq!(of("192.168.*"), Some(("192.168.0.0".into(), "192.168.255.255".into())));
        for text in ["192.168*", "1.2.3.4.*", "01.*", "300.*", "fe80.*", "*"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
