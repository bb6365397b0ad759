//! The scan against its slow twin: one rule and one event at a time, over a plain map of field to value.
//!
//! The twin shares with the scan only what a document means (the syntax tree); how a value is compared it says for itself,
//! in the most obvious way. Values and texts come from small ranges so that they collide.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use rules::RuleSet;
use rules::scan::{RawSample, Scanner};
use rules::sigma::ast::*;
use rules::sigma::parse;
use schemas::{FlowBatch, Ip, LogSource as Origin, Place as At, Word, key};

// ---- events

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    List(Vec<String>),
    Ip(IpAddr),
    Number(i64),
    Word(&'static str),
    Time(i64),
}

#[derive(Clone, Debug)]
struct Event {
    origin: Option<usize>,
    values: BTreeMap<&'static str, Value>,
    raw: String,
}

static FIREWALL: Origin = origin(&["firewall", "network"], &["fortigate"], &["traffic"]);
static WINDOWS: Origin = origin(&[], &["windows"], &["security"]);
static BARE: Origin = origin(&["authentication"], &[], &[]);
static ORIGINS: [&Origin; 3] = [&FIREWALL, &WINDOWS, &BARE];

const fn origin(
    categories: &'static [&'static str],
    products: &'static [&'static str],
    services: &'static [&'static str],
) -> Origin {
    Origin { family: "f", vendor: "", product: "", dataset: "", categories, products, services }
}

const WORDS: [&str; 14] = [
    "admin",
    "ADMIN",
    "adm",
    "a",
    "",
    "powershell -enc",
    "443",
    "0443",
    "443.0",
    "192.0.2.1",
    "true",
    "Äpfel",
    "äPFEL x",
    "cmd /c echo",
];
const LIST_WORDS: [&str; 5] = ["admin", "443", "192.0.2.1", "Äpfel", "cmd /c echo"];
const ADDRESSES: [&str; 6] = ["192.0.2.1", "192.0.2.77", "10.1.2.3", "198.51.100.1", "2001:db8::1", "2001:db8:1::"];

fn event() -> impl Strategy<Value = Event> {
    let text = || prop::option::of(prop::sample::select(&WORDS[..]).prop_map(|text| Value::Text(text.to_owned())));
    let address =
        || prop::option::of(prop::sample::select(&ADDRESSES[..]).prop_map(|text| Value::Ip(text.parse().unwrap())));
    let port = prop::option::of(prop::sample::select(&[22i64, 80, 443, 3389, 65_535][..]).prop_map(Value::Number));
    let long = prop::option::of((0i64..6).prop_map(Value::Number));
    let action = prop::option::of(prop::sample::select(&["allow", "deny", "drop", "alert"][..]).prop_map(Value::Word));
    let transport = prop::option::of(prop::sample::select(&["tcp", "udp", "icmp"][..]).prop_map(Value::Word));
    let kind = prop::sample::select(&["flow", "auth", "alert"][..]).prop_map(Value::Word);
    let list = prop::option::of(
        prop::collection::vec(prop::sample::select(&LIST_WORDS[..]), 1..4)
            .prop_map(|list| Value::List(list.into_iter().map(str::to_owned).collect())),
    );
    let time = (0i64..400_000).prop_map(|minutes| Value::Time(minutes * 60_000_000 * 37));
    let raw = prop::collection::vec(prop::sample::select(&WORDS[..]), 0..4).prop_map(|words| words.join(" "));
    let values = (text(), text(), text(), address(), address(), port, long, action, transport, (kind, list, time));
    (prop::option::of(0..ORIGINS.len()), values, raw).prop_map(|(origin, values, raw)| {
        let (user, command, extra, src, dst, port, bytes, action, transport, (kind, list, time)) = values;
        let pairs = [
            ("user", user),
            ("process_command", command),
            ("extras.Vendor", extra),
            ("src_ip", src),
            ("dst_ip", dst),
            ("dst_port", port),
            ("bytes_out", bytes),
            ("action", action),
            ("transport", transport),
            ("kind", Some(kind)),
            ("dns_answers", list),
            ("time", Some(time)),
        ];
        let present = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        // An empty text is kept as an absent one.
        let kept = present.filter(|(_, value)| *value != Value::Text(String::new()));
        Event { origin, values: kept.collect(), raw }
    })
}

fn batch_of(events: &[Event]) -> FlowBatch {
    let mut batch = FlowBatch::new(4);
    let block: String = events.iter().map(|event| format!("{}\n", event.raw)).collect();
    let block = Arc::new(block.into_bytes());
    batch.reset(Arc::clone(&block), Arc::from("test"), 0);
    let mut at = 0;
    for (number, event) in events.iter().enumerate() {
        let line = &block[at..at + event.raw.len()];
        at += event.raw.len() + 1;
        let mut row = batch.begin(At { offset: number as u64 + 1, received_us: 0 }, line);
        if let Some(origin) = event.origin {
            row.log_source(ORIGINS[origin]);
        }
        for (name, value) in &event.values {
            let field = schemas::Field::ALL.iter().find(|field| field.name() == *name);
            match (value, field) {
                (Value::Text(text), None) => row.extra(b"Vendor", text.as_bytes()),
                (Value::List(list), _) => row.list(key::DNS_ANSWERS, list),
                (Value::Time(us), _) => row.set(key::TIME, *us),
                (Value::Ip(ip), Some(field)) => row.put(*field, ip.to_string().as_bytes()).unwrap(),
                (Value::Number(number), Some(field)) => row.put(*field, number.to_string().as_bytes()).unwrap(),
                (Value::Word(word), Some(field)) => row.put(*field, word.as_bytes()).unwrap(),
                (Value::Text(text), Some(field)) => row.put(*field, text.as_bytes()).unwrap(),
                (_, None) => unreachable!("{name}"),
            }
        }
        row.commit();
    }
    batch.seal();
    batch
}

// ---- the twin

struct Twin<'a> {
    event: &'a Event,
}

impl Twin<'_> {
    fn document(&self, document: &Document) -> bool {
        let Body::Detection(detection) = &document.body else { unreachable!() };
        self.source_fits(&detection.log_source) && self.expr(&detection.condition, &detection.searches)
    }

    fn source_fits(&self, rule: &LogSource) -> bool {
        let Some(origin) = self.event.origin.map(|at| ORIGINS[at]) else { return true };
        let conflict = |word: &str, tags: &[&str]| !word.is_empty() && !tags.is_empty() && !tags.contains(&word);
        !(conflict(&rule.category, origin.categories)
            || conflict(&rule.product, origin.products)
            || conflict(&rule.service, origin.services))
    }

    fn expr(&self, expr: &Expr, searches: &[Search]) -> bool {
        match expr {
            Expr::Search(index) => self.matches(&searches[*index].what),
            Expr::And(parts) => parts.iter().all(|part| self.expr(part, searches)),
            Expr::Or(parts) => parts.iter().any(|part| self.expr(part, searches)),
            Expr::Not(part) => !self.expr(part, searches),
        }
    }

    fn matches(&self, what: &Match) -> bool {
        match what {
            Match::All(parts) => parts.iter().all(|part| self.matches(part)),
            Match::Any(parts) => parts.iter().any(|part| self.matches(part)),
            Match::Item(item) => self.item(item),
        }
    }

    fn item(&self, item: &Item) -> bool {
        let name = item.field.as_ref().map(|name| name.text.as_str());
        let raw = Value::Text(self.event.raw.clone());
        let value = match name {
            None => Some(&raw),
            Some("event.category") => self.event.values.get("kind"),
            Some(name) => self.event.values.get(name),
        };
        let one = |matcher: &Matcher| self.value(value, matcher, name);
        let holds = match item.join {
            Join::Any => item.values.iter().any(|variants| variants.iter().any(one)),
            Join::All => item.values.iter().all(|variants| variants.iter().any(one)),
        };
        match item.negated {
            Negated::No => holds,
            Negated::Yes => value.is_some() && !holds,
        }
    }

    fn value(&self, value: Option<&Value>, matcher: &Matcher, name: Option<&str>) -> bool {
        match (matcher, value) {
            (Matcher::Null | Matcher::Exists(false), value) => value.is_none(),
            (Matcher::Exists(true), value) => value.is_some(),
            (_, None) => false,
            (Matcher::FieldRef(other, place, case), Some(value)) => match self.event.values.get(other.text.as_str()) {
                None => false,
                Some(other) => refers(&text_of(value), &text_of(other), *place, *case),
            },
            (matcher, Some(Value::List(list))) => {
                list.iter().any(|text| self.value(Some(&Value::Text(text.clone())), matcher, name))
            }
            (Matcher::Text(pattern, _), Some(_)) if pattern.0 == [Part::Any] => true,
            (Matcher::Text(pattern, case), Some(value)) => match value {
                Value::Time(_) => false,
                Value::Ip(ip) => match pattern.as_literal() {
                    Some(text) => Ip::parse(text) == Some(Ip::from(*ip)),
                    None => glob(&pattern.0, &text_of(value), *case),
                },
                Value::Word(word) if name == Some("event.category") => {
                    category(word).iter().any(|word| glob(&pattern.0, word, *case))
                }
                _ => glob(&pattern.0, &text_of(value), *case),
            },
            (Matcher::Number(number, written), Some(value)) => match value {
                Value::Number(found) => *found as f64 == number.as_f64(),
                Value::Time(found) => *number == Number::Int(*found),
                Value::Text(text) => text.parse() == Ok(number.as_f64()) || text.eq_ignore_ascii_case(written),
                Value::Word("tcp") => *number == Number::Int(6) && name == Some("transport"),
                Value::Word(_) | Value::Ip(_) | Value::List(_) => false,
            },
            (Matcher::Bool(wanted), Some(value)) => match value {
                Value::Number(number) => *number == i64::from(*wanted),
                Value::Text(text) => {
                    let words = if *wanted { ["true", "1", "yes"] } else { ["false", "0", "no"] };
                    words.contains(&text.to_lowercase().as_str())
                }
                Value::Word(_) | Value::Ip(_) | Value::List(_) | Value::Time(_) => false,
            },
            (Matcher::Regex(regex), Some(value)) => match value {
                Value::Time(_) => false,
                value => regex.build().unwrap().is_match(text_of(value).as_bytes()),
            },
            (Matcher::Cidr(network), Some(value)) => match value {
                Value::Ip(ip) => network.contains(ip),
                Value::Text(text) => text.parse::<IpAddr>().is_ok_and(|ip| network.contains(&ip)),
                Value::Word(_) | Value::Number(_) | Value::List(_) | Value::Time(_) => false,
            },
            (Matcher::Compare(bound), Some(value)) => {
                let found = match value {
                    Value::Number(number) | Value::Time(number) => Some(*number as f64),
                    Value::Text(text) => text.parse().ok(),
                    Value::Word(_) | Value::Ip(_) | Value::List(_) => None,
                };
                found.is_some_and(|found: f64| {
                    rules::plan::Comparison { operator: bound.operator, number: bound.number.as_f64() }.holds(found)
                })
            }
            (Matcher::DatePart(part, ranges), Some(value)) => match value {
                Value::Time(us) => {
                    let zoned = jiff::Timestamp::from_microsecond(*us).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
                    let found: i64 = match part {
                        DatePart::Minute => zoned.minute().into(),
                        DatePart::Hour => zoned.hour().into(),
                        DatePart::Day => zoned.day().into(),
                        DatePart::Week => zoned.date().iso_week_date().week().into(),
                        DatePart::Month => zoned.month().into(),
                        DatePart::Year => zoned.year().into(),
                    };
                    ranges.iter().any(|(low, high)| *low <= found && found <= *high)
                }
                _ => false,
            },
        }
    }
}

fn category(kind: &str) -> &'static [&'static str] {
    match kind {
        "flow" => &["network"],
        "auth" => &["authentication"],
        "alert" => &["network", "intrusion_detection"],
        _ => &[],
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(list) => list.join("\n"),
        Value::Ip(ip) => ip.to_string(),
        Value::Number(number) | Value::Time(number) => number.to_string(),
        Value::Word(word) => (*word).to_owned(),
    }
}

fn lower(text: &str, case: Case) -> Vec<char> {
    match case {
        Case::Insensitive => text.to_lowercase().chars().collect(),
        Case::Sensitive => text.chars().collect(),
    }
}

fn refers(text: &str, other: &str, place: Place, case: Case) -> bool {
    let (text, other): (String, String) = (lower(text, case).iter().collect(), lower(other, case).iter().collect());
    match place {
        Place::Whole => text == other,
        Place::Start => text.starts_with(&other),
        Place::End => text.ends_with(&other),
        Place::Inside => text.contains(&other),
    }
}

fn glob(parts: &[Part], text: &str, case: Case) -> bool {
    enum Piece {
        Char(char),
        Any,
        One,
        Dash,
    }
    fn fits(pieces: &[Piece], text: &[char]) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((Piece::Any, rest)) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
            Some((piece, rest)) => text.split_first().is_some_and(|(c, text)| {
                let ok = match piece {
                    Piece::Char(wanted) => wanted == c,
                    Piece::One | Piece::Any => true,
                    Piece::Dash => "-/\u{2013}\u{2014}\u{2015}".contains(*c),
                };
                ok && fits(rest, text)
            }),
        }
    }
    let pieces: Vec<Piece> = parts
        .iter()
        .flat_map(|part| match part {
            Part::Literal(text) => {
                lower(std::str::from_utf8(text).unwrap(), case).into_iter().map(Piece::Char).collect()
            }
            Part::Any => vec![Piece::Any],
            Part::One => vec![Piece::One],
            Part::Dash => vec![Piece::Dash],
        })
        .collect();
    fits(&pieces, &lower(text, case))
}

// ---- rules

fn line() -> impl Strategy<Value = String> {
    let words = prop::sample::select(
        &[
            "admin",
            "ADM*",
            "'*a*'",
            "a?m*",
            "'*shell*-e*'",
            "443",
            "'443'",
            "443.0",
            "true",
            "äpfel*",
            "'*ÄPFEL*'",
            "'*'",
            "''",
            "'192.0.2.1'",
            "'192.0.*'",
            "'192.0.2*'",
            "'*8::*'",
            "x",
            "[admin, '*echo', 443]",
            "[cmd*, '*c*']",
        ][..],
    );
    let texts = prop::sample::select(&["user", "process_command", "extras.Vendor", "dns_answers"][..]);
    let text_mods = prop::sample::select(
        &[
            "",
            "|contains",
            "|startswith",
            "|endswith",
            "|cased",
            "|contains|cased",
            "|neq",
            "|contains|neq",
            "|contains|all",
            "|all",
        ][..],
    );
    prop_oneof![
        6 => (texts.clone(), text_mods, words.clone()).prop_map(|(field, mods, value)| format!("{field}{mods}: {value}")),
        1 => (texts.clone(), prop::sample::select(&["^a", "min$", "[0-9]+", "(?i)ADMIN", "p.*l"][..]), prop::sample::select(&["", "|i", "|s"][..]))
            .prop_map(|(field, regex, flags)| format!("{field}|re{flags}: '{regex}'")),
        1 => texts.clone().prop_map(|field| format!("{field}|contains|windash: [' -c', '/c']")),
        1 => texts.clone().prop_map(|field| format!("{field}: null")),
        1 => (prop::sample::select(&["user", "src_ip", "dst_port", "extras.Vendor", "action"][..]), any::<bool>())
            .prop_map(|(field, wanted)| format!("{field}|exists: {wanted}")),
        2 => (prop::sample::select(&["src_ip", "dst_ip"][..]), words.clone()).prop_map(|(field, value)| format!("{field}: {value}")),
        2 => (prop::sample::select(&["src_ip", "dst_ip", "extras.Vendor"][..]), prop::sample::select(&["192.0.2.0/24", "['10.0.0.0/8', '2001:db8::/48']", "'::/0'", "0.0.0.0/0"][..]), prop::sample::select(&["", "|neq"][..]))
            .prop_map(|(field, network, neq)| format!("{field}|cidr{neq}: {network}")),
        3 => (prop::sample::select(&["dst_port", "bytes_out", "destination.port"][..]), prop::sample::select(&["443", "[22, 80, 3389]", "'443'", "'0443'", "'4*'", "3", "true", "2.0", "2.5", "-1"][..]), prop::sample::select(&["", "|neq"][..]))
            .prop_map(|(field, value, neq)| format!("{field}{neq}: {value}").replace("destination.port", "dst_port")),
        2 => (prop::sample::select(&["dst_port", "bytes_out", "user", "extras.Vendor"][..]), prop::sample::select(&["gt", "gte", "lt", "lte"][..]), prop::sample::select(&["2", "2.5", "443", "-1", "70000"][..]))
            .prop_map(|(field, operator, value)| format!("{field}|{operator}: {value}")),
        2 => (prop::sample::select(&["action", "transport", "event.category"][..]), prop::sample::select(&["allow", "DENY", "'*o*'", "TCP", "6", "[network, deny]", "authentication", "'?cp'"][..]))
            .prop_map(|(field, value)| format!("{field}: {value}")),
        1 => (prop::sample::select(&["minute: 37", "hour: [0, 3, 7]", "hour|gte: 12", "day: 1", "week: 53", "month|lt: 3", "year: 1970"][..]))
            .prop_map(|rest| format!("time|{rest}")),
        1 => (prop::sample::select(&["", "|startswith", "|contains", "|endswith|cased", "|neq"][..]))
            .prop_map(|place| format!("user|fieldref{place}: process_command")),
        1 => Just("src_ip|fieldref: dst_ip".to_owned()),
        1 => words.prop_map(|value| format!("'': {value}")),
        1 => Just("'|all': [admin, echo]".to_owned()),
    ]
}

fn search() -> impl Strategy<Value = String> {
    let map = || prop::collection::vec(line(), 1..3);
    let distinct = |mut lines: Vec<String>| {
        lines.sort_by(|a, b| a.split(':').next().cmp(&b.split(':').next()));
        lines.dedup_by(|a, b| a.split(':').next() == b.split(':').next());
        lines
    };
    prop_oneof![
        3 => map().prop_map(move |lines| format!("\n        {}", distinct(lines).join("\n        "))),
        1 => prop::collection::vec(map(), 1..3).prop_map(move |maps| {
            maps.into_iter().map(|lines| format!("\n        - {}", distinct(lines).join("\n          "))).collect()
        }),
        1 => Just(" [admin, '*443*', äpfel]".to_owned()),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let sources = prop::sample::select(
        &[
            "category: firewall",
            "product: windows",
            "category: authentication",
            "category: firewall, service: other",
            "product: fortigate",
        ][..],
    );
    let conditions = prop::sample::select(
        &[
            "a",
            "a and b",
            "a or b",
            "not a",
            "a and not b",
            "1 of them",
            "all of them",
            "not (a or c) or b",
            "not 1 of *",
            "(a and c) or (b and not c)",
        ][..],
    );
    (sources, search(), search(), search(), conditions).prop_map(|(source, a, b, c, condition)| {
        format!("title: T\nlogsource: {{{source}}}\ndetection:\n    a:{a}\n    b:{b}\n    c:{c}\n    condition: {condition}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]
    #[test]
    fn the_scan_gives_the_answers_of_its_twin(
        rules in prop::collection::vec(rule(), 1..8),
        batches in prop::collection::vec(prop::collection::vec(event(), 0..90), 1..3),
    ) {
        let files: Vec<(String, String)> = rules.iter().enumerate()
            .map(|(at, text)| (format!("{at}.yml"), text.replace("title: T", &format!("title: T{at}")))).collect();
        let set = match RuleSet::load(&files) {
            Ok(set) => set,
            Err(errors) => return Err(TestCaseError::fail(format!("{errors:#?}\n{files:#?}"))),
        };
        let documents: Vec<Document> = files.iter()
            .flat_map(|(name, text)| parse::parse(&Arc::from(name.as_str()), text, &Default::default()).documents).collect();
        let mut scanner = Scanner::new(Arc::new(set), RawSample::None);
        for events in &batches {
            let batch = batch_of(events);
            let masks = scanner.matches(&batch);
            for (rule, document) in documents.iter().enumerate() {
                for (row, event) in events.iter().enumerate() {
                    let slow = Twin { event }.document(document);
                    prop_assert_eq!(masks[rule].get(row), slow, "rule:\n{}\nevent: {:?}", &files[rule].1, event);
                }
            }
        }
    }
}

#[test]
fn words_of_the_schema_are_those_of_the_test() {
    for word in ["allow", "deny", "drop", "alert"] {
        assert!(schemas::Action::parse(word.as_bytes()).is_some());
    }
}
