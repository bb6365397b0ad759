//! Value modifiers: the words after `|`, applied left to right until it is known what a value must be.
//!
//! A modifier may turn one value into several variants, of which one must match even under `all`. `all` and `neq`
//! belong to the item, not to a value. The order of a chain matters and a chain that could only be a mistake is refused
//! with the reason, because a rule that never matches looks like a quiet network.

use std::collections::BTreeMap;

use super::ast::{Bound, Case, DatePart, Item, Join, Matcher, Name, Negated, Number, Part, Pattern, Place, Regex};
use super::error::{Advice, At, Fault};
use super::yaml::{Meaning, Node, Scalar, Value};
use crate::plan::Operator;

mod encode;

use encode::{ascii, base64, base64_offset, windash};

/// Values of placeholders for `expand`, by name without the percent signs.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// Most variants that one value may become (placeholders within placeholders' texts multiply).
const VARIANTS_MAX: usize = 10_000;

/// What is wrong or odd about an item, before the file is known.
#[derive(Debug, Default)]
pub struct Notes {
    /// Faults.
    pub faults: Vec<(At, String, Fault)>,
    /// Advice.
    pub advice: Vec<(At, String, Advice)>,
}

impl Notes {
    #[cold]
    pub(crate) fn fault(&mut self, at: At, found: &str, fault: Fault) {
        self.faults.push((at, found.to_owned(), fault));
    }
    #[cold]
    pub(crate) fn advise(&mut self, at: At, found: &str, advice: Advice) {
        self.advice.push((at, found.to_owned(), advice));
    }
}

macro_rules! modifiers {
    ($($variant:ident $($text:literal)|+;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Modifier { $($variant),+ }
        impl Modifier {
            const NAMES: &'static [&'static str] = &[$($($text),+),+];
            fn read(text: &str) -> Option<Modifier> {
                match text { $($($text)|+ => Some(Modifier::$variant),)+ _ => None }
            }
        }
    };
}

modifiers! {
    Contains "contains"; StartsWith "startswith"; EndsWith "endswith"; All "all"; Cased "cased"; Exists "exists";
    Neq "neq"; Re "re"; IgnoreCase "i" | "ignorecase"; MultiLine "m" | "multiline"; DotAll "s" | "dotall";
    Base64 "base64"; Base64Offset "base64offset"; Utf16Le "wide" | "utf16le"; Utf16Be "utf16be"; Utf16 "utf16";
    WinDash "windash"; Lt "lt"; Lte "lte"; Gt "gt"; Gte "gte"; Cidr "cidr"; Minute "minute"; Hour "hour"; Day "day";
    Week "week"; Month "month"; Year "year"; FieldRef "fieldref"; Expand "expand";
}

/// A value on its way through the chain.
#[derive(Clone, Debug)]
enum Step {
    Text(Pattern),
    Scalar(Scalar),
    Null,
    Exists(bool),
    Regex(Regex),
    Cidr(ipnet::IpNet),
    Compare(Bound),
    Date(DatePart, Option<Bound>),
    FieldRef(Name, Place),
}

struct Chain<'a> {
    modifiers: Vec<(&'a str, Modifier, At)>,
    placeholders: &'a Placeholders,
}

/// Reads `key: value` of a selection, or a keyword (`key` empty).
///
/// Faults go to `notes`; an item with faults is still given, so that the rest of the rule can be checked.
pub fn item(key: &str, key_at: At, value: &Node, placeholders: &Placeholders, notes: &mut Notes) -> Item {
    let mut words = key.split('|');
    let field = words.next().unwrap_or_default();
    let mut offset = field.chars().count();
    let mut chain = Chain { modifiers: Vec::new(), placeholders };
    for word in words {
        let at = key_at.plus(offset + 1);
        offset += 1 + word.chars().count();
        match Modifier::read(word) {
            Some(modifier) => chain.modifiers.push((word, modifier, at)),
            None => {
                let known = Modifier::NAMES.iter().copied();
                let suggestion = schemas::nearest(&word.to_ascii_lowercase(), known).map(str::to_owned);
                notes.fault(at, word, Fault::UnknownModifier { suggestion });
            }
        }
    }
    let has = |wanted| chain.modifiers.iter().any(|(_, modifier, _)| *modifier == wanted);
    let join = if has(Modifier::All) { Join::All } else { Join::Any };
    let negated = if has(Modifier::Neq) { Negated::Yes } else { Negated::No };
    let field = (!field.is_empty()).then(|| Name { text: field.to_owned(), at: key_at });
    if field.is_none() {
        chain.check_keyword(notes);
    }
    let case = if has(Modifier::Cased) { Case::Sensitive } else { Case::Insensitive };
    let nodes = match &value.value {
        Value::List(nodes) => nodes.as_slice(),
        Value::Null | Value::Scalar(_) | Value::Map(_) => std::slice::from_ref(value),
    };
    let mut values = Vec::with_capacity(nodes.len());
    if nodes.is_empty() {
        notes.advise(value.at, key, Advice::EmptyList);
        values.push(vec![Matcher::Null]);
    }
    if join == Join::All && nodes.len() == 1 {
        notes.advise(key_at, key, Advice::AllOnSingle);
    }
    for node in nodes {
        if node.is_null() && nodes.len() > 1 {
            notes.fault(node.at, "null", Fault::NullInList);
            continue;
        }
        if let Some(variants) = chain.apply(node, field.is_none(), notes) {
            values.push(variants.into_iter().map(|step| finish(step, case, field.is_none())).collect());
        }
    }
    Item { field, values, join, negated }
}

fn finish(step: Step, case: Case, keyword: bool) -> Matcher {
    match step {
        Step::Text(pattern) if keyword => Matcher::Text(pattern.open_start().open_end(), case),
        Step::Text(pattern) => Matcher::Text(pattern, case),
        Step::Scalar(Scalar { text, .. }) if keyword => {
            Matcher::Text(Pattern::literal(&text).open_start().open_end(), case)
        }
        Step::Scalar(Scalar { text, meaning }) => match meaning {
            Meaning::Text => Matcher::Text(Pattern::read(&text), case),
            Meaning::Bool(value) => Matcher::Bool(value),
            Meaning::Int(number) => Matcher::Number(Number::Int(number), text),
            Meaning::Float(number) => Matcher::Number(Number::Float(number), text),
        },
        Step::Null => Matcher::Null,
        Step::Exists(wanted) => Matcher::Exists(wanted),
        Step::Regex(regex) => Matcher::Regex(regex),
        Step::Cidr(network) => Matcher::Cidr(network),
        Step::Compare(bound) => Matcher::Compare(bound),
        Step::Date(part, bound) => Matcher::DatePart(part, bound.map_or_else(Vec::new, ranges)),
        Step::FieldRef(name, place) => Matcher::FieldRef(name, place, case),
    }
}

/// The whole numbers that meet a bound, as inclusive ranges.
pub fn ranges(bound: Bound) -> Vec<(i64, i64)> {
    let (floor, ceil, whole) = match bound.number {
        Number::Int(number) => (number, number, true),
        Number::Float(number) => (number.floor() as i64, number.ceil() as i64, number.fract() == 0.0),
    };
    let all = (i64::MIN, i64::MAX);
    match bound.operator {
        Operator::Gt if floor == i64::MAX => Vec::new(),
        Operator::Gt => vec![(floor + 1, all.1)],
        Operator::Gte => vec![(ceil, all.1)],
        Operator::Lt if ceil == i64::MIN => Vec::new(),
        Operator::Lt => vec![(all.0, ceil - 1)],
        Operator::Lte => vec![(all.0, floor)],
        Operator::Eq if whole => vec![(floor, floor)],
        Operator::Eq => Vec::new(),
        Operator::Neq if !whole => vec![all],
        Operator::Neq => {
            let below = floor.checked_sub(1).map(|high| (all.0, high));
            let above = floor.checked_add(1).map(|low| (low, all.1));
            below.into_iter().chain(above).collect()
        }
    }
}

impl Chain<'_> {
    fn check_keyword(&self, notes: &mut Notes) {
        for (word, modifier, at) in &self.modifiers {
            let named = match modifier {
                Modifier::StartsWith => "startswith",
                Modifier::EndsWith => "endswith",
                Modifier::Exists => "exists",
                Modifier::Neq => "neq",
                Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte => "lt, lte, gt, gte",
                Modifier::Cidr => "cidr",
                Modifier::Minute
                | Modifier::Hour
                | Modifier::Day
                | Modifier::Week
                | Modifier::Month
                | Modifier::Year => "minute to year",
                Modifier::FieldRef => "fieldref",
                Modifier::Contains | Modifier::All | Modifier::Cased | Modifier::Re | Modifier::IgnoreCase => continue,
                Modifier::MultiLine | Modifier::DotAll | Modifier::Base64 | Modifier::Base64Offset => continue,
                Modifier::Utf16Le | Modifier::Utf16Be | Modifier::Utf16 | Modifier::WinDash | Modifier::Expand => {
                    continue;
                }
            };
            notes.fault(*at, word, Fault::ModifierNeedsField { modifier: named });
        }
    }

    /// Sends one value through the chain; `None` if it is faulty.
    fn apply(&self, node: &Node, keyword: bool, notes: &mut Notes) -> Option<Vec<Step>> {
        let start = match &node.value {
            Value::Null => Step::Null,
            Value::Scalar(scalar) => Step::Scalar(scalar.clone()),
            Value::List(_) | Value::Map(_) => {
                let expected = if keyword { "a keyword" } else { "a value or a list of values" };
                notes.fault(node.at, "", Fault::WrongType { expected });
                return None;
            }
        };
        if let (Step::Scalar(scalar), true) = (&start, self.modifiers.is_empty())
            && scalar.meaning == Meaning::Text
            && scalar.text.is_empty()
        {
            notes.advise(node.at, "''", Advice::EmptyText);
        }
        let mut steps = vec![start];
        let mut reads_text_raw = false;
        for (index, (word, modifier, at)) in self.modifiers.iter().enumerate() {
            reads_text_raw |= matches!(modifier, Modifier::Re);
            let mut next = Vec::with_capacity(steps.len());
            for step in steps {
                match self.modify(step, *modifier, index, node) {
                    Ok(variants) => next.extend(variants),
                    Err(fault) => {
                        // A value's fault is told at the value, a chain's at the modifier.
                        let about_chain = matches!(fault, Fault::ModifierOrder { .. });
                        let (at, found) = if about_chain { (*at, *word) } else { (node.at, node.excerpt()) };
                        notes.fault(at, found, fault);
                        return None;
                    }
                }
                if next.len() > VARIANTS_MAX {
                    notes.fault(
                        node.at,
                        node.excerpt(),
                        Fault::TooLarge { what: "variants of one value", limit: VARIANTS_MAX },
                    );
                    return None;
                }
            }
            steps = next;
        }
        for step in &mut steps {
            match step {
                // A part of a time without a comparison is compared with the number itself.
                Step::Date(part, bound @ None) => {
                    let Some(Number::Int(number)) = self.number(node) else {
                        notes.fault(node.at, node.excerpt(), Fault::WrongType { expected: "a whole number" });
                        return None;
                    };
                    let (low, high) = limits(*part);
                    if number < low || number > high {
                        notes.fault(node.at, node.excerpt(), Fault::OutOfRange { part: part_name(*part), low, high });
                        return None;
                    }
                    *bound = Some(Bound { operator: Operator::Eq, number: Number::Int(number) });
                }
                Step::Scalar(scalar) if keyword && !reads_text_raw => {
                    *step = Step::Text(Pattern::read(&scalar.text));
                }
                Step::Null if keyword => {
                    notes.fault(node.at, "null", Fault::WrongType { expected: "a keyword" });
                    return None;
                }
                Step::Scalar(_) | Step::Text(_) | Step::Null | Step::Exists(_) | Step::Regex(_) => {}
                Step::Cidr(_) | Step::Compare(_) | Step::Date(..) | Step::FieldRef(..) => {}
            }
        }
        Some(steps)
    }

    fn number(&self, node: &Node) -> Option<Number> {
        match &node.value {
            Value::Scalar(scalar) => number_of(scalar),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    fn modify(&self, step: Step, modifier: Modifier, index: usize, node: &Node) -> Result<Vec<Step>, Fault> {
        let one = |step| Ok(vec![step]);
        let order = |modifier, rule| Err(Fault::ModifierOrder { modifier, rule });
        // `all`, `neq` and `cased` belong to the item, so they may stand before what must be first.
        let first = self.modifiers[..index]
            .iter()
            .all(|(_, modifier, _)| matches!(modifier, Modifier::All | Modifier::Neq | Modifier::Cased));
        match modifier {
            Modifier::All | Modifier::Neq => one(step),
            Modifier::Cased => match step {
                Step::Regex(_) => {
                    order("cased", "says nothing here: a regular expression is case-sensitive without it")
                }
                step => one(step),
            },
            Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith => affix(step, modifier),
            Modifier::Exists => match (&step, self.modifiers.len()) {
                (_, 2..) => order("exists", "must stand alone"),
                (Step::Scalar(Scalar { meaning: Meaning::Bool(wanted), .. }), _) => one(Step::Exists(*wanted)),
                (Step::Scalar(Scalar { text, .. }), _) => match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" => one(Step::Exists(true)),
                    "false" | "no" => one(Step::Exists(false)),
                    _ => Err(Fault::ModifierValue { modifier: "exists", expected: "`true` or `false`" }),
                },
                (_, _) => Err(Fault::ModifierValue { modifier: "exists", expected: "`true` or `false`" }),
            },
            Modifier::Re => match step {
                _ if !first => order("re", "must be the first one: its text is taken as it is"),
                Step::Scalar(Scalar { text, .. }) => {
                    let regex = Regex { text, ignore_case: false, multi_line: false, dot_all: false };
                    check_regex(&regex)?;
                    one(Step::Regex(regex))
                }
                _ => Err(Fault::ModifierValue { modifier: "re", expected: "a regular expression as text" }),
            },
            Modifier::IgnoreCase | Modifier::MultiLine | Modifier::DotAll => match step {
                Step::Regex(mut regex) => {
                    match modifier {
                        Modifier::IgnoreCase => regex.ignore_case = true,
                        Modifier::MultiLine => regex.multi_line = true,
                        _ => regex.dot_all = true,
                    }
                    one(Step::Regex(regex))
                }
                _ => order("i, m, s", "must follow `re`"),
            },
            Modifier::Base64 => {
                let bytes = encodable(step, "base64")?;
                one(Step::Text(ascii(base64(&bytes))))
            }
            Modifier::Base64Offset => {
                let bytes = encodable(step, "base64offset")?;
                Ok((0..3).map(|offset| Step::Text(ascii(base64_offset(&bytes, offset)))).collect())
            }
            Modifier::Utf16Le => Ok(vec![wide(step, "wide", u16::to_le_bytes, &[])?]),
            Modifier::Utf16Be => Ok(vec![wide(step, "utf16be", u16::to_be_bytes, &[])?]),
            Modifier::Utf16 => Ok(vec![wide(step, "utf16", u16::to_le_bytes, &[0xff, 0xfe])?]),
            Modifier::WinDash => one(Step::Text(windash(&pattern_of(step, "windash")?))),
            Modifier::Lt => compare(step, Operator::Lt, node),
            Modifier::Lte => compare(step, Operator::Lte, node),
            Modifier::Gt => compare(step, Operator::Gt, node),
            Modifier::Gte => compare(step, Operator::Gte, node),
            Modifier::Cidr => match step {
                _ if !first => order("cidr", "must be the first one"),
                Step::Scalar(Scalar { text, .. }) => one(Step::Cidr(network(&text)?)),
                _ => Err(Fault::ModifierValue { modifier: "cidr", expected: "a network: `192.0.2.0/24`" }),
            },
            Modifier::Minute => date(step, DatePart::Minute),
            Modifier::Hour => date(step, DatePart::Hour),
            Modifier::Day => date(step, DatePart::Day),
            Modifier::Week => date(step, DatePart::Week),
            Modifier::Month => date(step, DatePart::Month),
            Modifier::Year => date(step, DatePart::Year),
            Modifier::FieldRef => match step {
                _ if !first => order("fieldref", "must be the first one"),
                Step::Scalar(Scalar { text, .. }) if !text.is_empty() && !text.contains(['*', '?']) => {
                    one(Step::FieldRef(Name { text, at: node.text_at.unwrap_or(node.at) }, Place::Whole))
                }
                _ => Err(Fault::ModifierValue {
                    modifier: "fieldref",
                    expected: "the name of a field, without wildcards",
                }),
            },
            Modifier::Expand => {
                let pattern = pattern_of(step, "expand")?;
                Ok(self.expand(&pattern)?.into_iter().map(Step::Text).collect())
            }
        }
    }

    /// Replaces `%name%` by each of its values; `\%` is a percent sign.
    fn expand(&self, pattern: &Pattern) -> Result<Vec<Pattern>, Fault> {
        let mut done = vec![Pattern::default()];
        for part in &pattern.0 {
            let Part::Literal(bytes) = part else {
                done.iter_mut().for_each(|pattern| pattern.push(part.clone()));
                continue;
            };
            let text = String::from_utf8_lossy(bytes);
            let mut rest: &str = &text;
            while let Some(at) = rest.find('%') {
                let (head, tail) = (&rest[..at], &rest[at + 1..]);
                if let Some(head) = head.strip_suffix('\\') {
                    done.iter_mut().for_each(|pattern| append(pattern, &Pattern::literal(&format!("{head}%"))));
                    rest = tail;
                    continue;
                }
                let Some(end) = tail.find('%') else {
                    return Err(Fault::ModifierValue { modifier: "expand", expected: "placeholders as `%name%`" });
                };
                let name = &tail[..end];
                let Some(values) = self.placeholders.get(name).filter(|values| !values.is_empty()) else {
                    return Err(Fault::Placeholder { name: name.to_owned() });
                };
                if done.len() * values.len() > VARIANTS_MAX {
                    return Err(Fault::TooLarge { what: "variants of one value", limit: VARIANTS_MAX });
                }
                done = done
                    .iter()
                    .flat_map(|before| {
                        values.iter().map(move |value| {
                            let mut pattern = before.clone();
                            append(&mut pattern, &Pattern::literal(head));
                            append(&mut pattern, &Pattern::read(value));
                            pattern
                        })
                    })
                    .collect();
                rest = &tail[end + 1..];
            }
            done.iter_mut().for_each(|pattern| append(pattern, &Pattern::literal(rest)));
        }
        Ok(done)
    }
}

fn append(pattern: &mut Pattern, more: &Pattern) {
    more.0.iter().for_each(|part| pattern.push(part.clone()));
}

/// Whether the engine can run it.
fn check_regex(regex: &Regex) -> Result<(), Fault> {
    let Err(error) = regex.build() else { return Ok(()) };
    let full = error.to_string();
    // The last line of the engine's message has the reason; those before draw the pattern.
    let message = full.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    if full.contains("look-around") || full.contains("backreferences") {
        return Err(Fault::LookAround { message });
    }
    Err(Fault::Regex { message })
}

fn affix(step: Step, modifier: Modifier) -> Result<Vec<Step>, Fault> {
    let (name, place) = match modifier {
        Modifier::StartsWith => ("startswith", Place::Start),
        Modifier::EndsWith => ("endswith", Place::End),
        _ => ("contains", Place::Inside),
    };
    Ok(vec![match step {
        // A regular expression is searched for, so that it already may stand anywhere.
        Step::Regex(regex) if place == Place::Inside => Step::Regex(regex),
        Step::Regex(_) => {
            let rule = "can't follow `re`: anchor the expression with `^` or `$`";
            return Err(Fault::ModifierOrder { modifier: name, rule });
        }
        Step::FieldRef(field, Place::Whole) => Step::FieldRef(field, place),
        step => {
            let pattern = pattern_of(step, name)?;
            Step::Text(match place {
                Place::Start => pattern.open_end(),
                Place::End => pattern.open_start(),
                Place::Inside | Place::Whole => pattern.open_start().open_end(),
            })
        }
    }])
}

/// The step as text with wildcards; numbers and truth values by the text that the rule has.
fn pattern_of(step: Step, modifier: &'static str) -> Result<Pattern, Fault> {
    match step {
        Step::Text(pattern) => Ok(pattern),
        Step::Scalar(Scalar { text, .. }) => Ok(Pattern::read(&text)),
        Step::Null => Err(Fault::ModifierValue { modifier, expected: "a text, not null" }),
        Step::Exists(_) | Step::Regex(_) | Step::Cidr(_) | Step::Compare(_) | Step::Date(..) | Step::FieldRef(..) => {
            Err(Fault::ModifierOrder { modifier, rule: "works on text and can't stand here" })
        }
    }
}

fn encodable(step: Step, modifier: &'static str) -> Result<Vec<u8>, Fault> {
    let pattern = pattern_of(step, modifier)?;
    pattern.as_literal().map(<[u8]>::to_vec).ok_or(Fault::Wildcard { modifier })
}

fn wide(step: Step, modifier: &'static str, bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Result<Step, Fault> {
    let pattern = pattern_of(step, modifier)?;
    let mut wide = Pattern(Vec::new());
    let mut mark = mark;
    for part in &pattern.0 {
        match part {
            Part::Literal(text) => {
                let text = std::str::from_utf8(text)
                    .map_err(|_| Fault::ModifierOrder { modifier, rule: "can't follow another encoding" })?;
                let mut encoded = std::mem::take(&mut mark).to_vec();
                encoded.extend(text.encode_utf16().flat_map(bytes));
                wide.push(Part::Literal(encoded));
            }
            Part::Any | Part::One | Part::Dash => wide.push(part.clone()),
        }
    }
    Ok(Step::Text(wide))
}

fn number_of(scalar: &Scalar) -> Option<Number> {
    match scalar.meaning {
        Meaning::Int(number) => Some(Number::Int(number)),
        Meaning::Float(number) => Some(Number::Float(number)),
        Meaning::Bool(_) => None,
        Meaning::Text => match scalar.text.parse::<i64>() {
            Ok(number) => Some(Number::Int(number)),
            Err(_) => scalar.text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float),
        },
    }
}

fn compare(step: Step, operator: Operator, node: &Node) -> Result<Vec<Step>, Fault> {
    let bad = Fault::ModifierValue { modifier: "lt, lte, gt, gte", expected: "a number" };
    match step {
        Step::Scalar(scalar) => {
            let number = number_of(&scalar).ok_or(bad)?;
            Ok(vec![Step::Compare(Bound { operator, number })])
        }
        Step::Date(part, None) => match &node.value {
            Value::Scalar(scalar) => {
                let number = number_of(scalar).ok_or(bad)?;
                Ok(vec![Step::Date(part, Some(Bound { operator, number }))])
            }
            Value::Null | Value::List(_) | Value::Map(_) => Err(bad),
        },
        _ => Err(bad),
    }
}

fn date(step: Step, part: DatePart) -> Result<Vec<Step>, Fault> {
    match step {
        Step::Scalar(_) => Ok(vec![Step::Date(part, None)]),
        _ => Err(Fault::ModifierOrder {
            modifier: part_name(part),
            rule: "must be the first one, with a number as value",
        }),
    }
}

fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Minute => "minute",
        DatePart::Hour => "hour",
        DatePart::Day => "day",
        DatePart::Week => "week",
        DatePart::Month => "month",
        DatePart::Year => "year",
    }
}

fn limits(part: DatePart) -> (i64, i64) {
    match part {
        DatePart::Minute => (0, 59),
        DatePart::Hour => (0, 23),
        DatePart::Day => (1, 31),
        DatePart::Week => (1, 53),
        DatePart::Month => (1, 12),
        DatePart::Year => (-9999, 9999),
    }
}

/// A network, strictly: host bits must be zero. An IPv4-mapped one becomes the IPv4 network that it means.
fn network(text: &str) -> Result<ipnet::IpNet, Fault> {
    let bad = Fault::ModifierValue { modifier: "cidr", expected: "a network: `192.0.2.0/24` or `2001:db8::/32`" };
    let network: ipnet::IpNet = match text.parse() {
        Ok(network) => network,
        // An address alone is a network of one.
        Err(_) => match text.parse::<core::net::IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => return Err(bad),
        },
    };
    if network.addr() != network.network() {
        return Err(Fault::HostBits { network: network.trunc().to_string() });
    }
    if let ipnet::IpNet::V6(v6) = network
        && let Some(v4) = v6.addr().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(v4) = ipnet::Ipv4Net::new(v4, prefix)
    {
        return Ok(v4.into());
    }
    Ok(network)
}

#[cfg(test)]
mod tests;
