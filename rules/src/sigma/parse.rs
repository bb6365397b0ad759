//! YAML nodes to documents: which keys there are, which must be there, and what their values may be.
//!
//! Every fault of every document is collected; a document with one is left out and remembered by name, so that a
//! correlation that refers to it is not blamed for it. Keys that Sigma does not know are an author's own business at the
//! top of a document (the specification allows them), but a fault inside `correlation` and `x-portolan`, where a
//! misspelt key would silently change what the rule does.

use std::sync::Arc;

use super::ast::*;
use super::condition;
use super::error::{Advice, At, Fault, RuleError, RuleWarning};
use super::modifiers::{self, Notes, Placeholders};
use super::yaml::{self, Entry, Map, Meaning, Node, Value};
use crate::plan::Operator;
use schemas::{Level, Word};

mod correlation;

/// The product that a rule names if it reads the normalised events of every product.
const OURS: &str = "portolan";

/// What a file holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents without a fault.
    pub documents: Vec<Document>,
    /// All faults.
    pub errors: Vec<RuleError>,
    /// What is odd.
    pub warnings: Vec<RuleWarning>,
    /// Ids, names and titles of documents that are left out, for a fault or because the engine can't run them.
    pub left_out: Vec<String>,
    /// Whether documents may be missing whose names are unknown: the file is not valid YAML.
    pub cut: bool,
}

/// Parses a file of one or more documents.
pub fn parse(file: &Arc<str>, text: &str, placeholders: &Placeholders) -> Parsed {
    let (nodes, errors) = yaml::documents(file, text);
    let mut parsed = Parsed {
        cut: errors.iter().any(|error| matches!(error.kind, Fault::Yaml { .. } | Fault::TooLarge { .. })),
        errors,
        ..Parsed::default()
    };
    let (mut template, mut previous): (Option<Map>, Option<Map>) = (None, None);
    for node in nodes {
        let map = match node.value {
            Value::Map(map) => map,
            Value::Null => continue,
            Value::Scalar(_) | Value::List(_) => {
                parsed.errors.push(RuleError::new(file, node.at, "", Fault::NotAMap { what: "a document" }));
                continue;
            }
        };
        let Some(map) = collected(file, map, &mut template, &previous, &mut parsed.errors) else { continue };
        previous = Some(map.clone());
        let at = map.entries.first().map_or(node.at, |entry| entry.at);
        document(file, at, map, placeholders, &mut parsed);
    }
    parsed
}

/// The collection actions of older rule sets; `None` if the document is itself no rule.
fn collected(
    file: &Arc<str>,
    mut map: Map,
    template: &mut Option<Map>,
    previous: &Option<Map>,
    errors: &mut Vec<RuleError>,
) -> Option<Map> {
    let Some(at) = map.entries.iter().position(|entry| entry.key == "action") else {
        let plain = map.get("correlation").is_none() && map.get("filter").is_none();
        return Some(match template {
            Some(template) if plain => merged(template.clone(), map),
            Some(_) | None => map,
        });
    };
    let action = map.entries.remove(at).value;
    match action.text() {
        Some("global") => *template = Some(map),
        Some("reset") => *template = None,
        Some("repeat") => match previous {
            Some(previous) => return Some(merged(previous.clone(), map)),
            None => errors.push(RuleError::new(file, action.at, "repeat", Fault::NoPredecessor)),
        },
        Some(_) | None => errors.push(RuleError::new(file, action.at, action.excerpt(), Fault::UnknownAction)),
    }
    None
}

/// Deep merge; `over` wins.
fn merged(mut under: Map, over: Map) -> Map {
    for entry in over.entries {
        match under.entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => match (&mut known.value.value, entry.value.value) {
                (Value::Map(below), Value::Map(above)) => *below = merged(std::mem::take(below), above),
                (_, value) => *known = Entry { value: Node { value, ..entry.value }, ..entry },
            },
            None => under.entries.push(entry),
        }
    }
    under
}

fn document(file: &Arc<str>, at: At, map: Map, placeholders: &Placeholders, parsed: &mut Parsed) {
    let mut reader = Reader { notes: Notes::default(), placeholders };
    let kind = ["detection", "correlation", "filter"].into_iter().find_map(|key| map.entry(key));
    let head = reader.head(&map, at, kind.is_some_and(|entry| entry.key == "correlation"));
    let body = match kind {
        Some(entry) if entry.key == "correlation" => reader.correlation(&map, entry).map(Body::Correlation),
        Some(entry) if entry.key == "filter" => reader.filter(&map, entry).map(Body::Filter),
        Some(entry) => reader.detection(&map, entry).map(Body::Detection),
        None => {
            reader.notes.fault(at, "", Fault::UnknownKind);
            None
        }
    };
    let Notes { faults, advice } = reader.notes;
    parsed.warnings.extend(advice.into_iter().map(|(at, found, kind)| RuleWarning::new(file, at, &found, kind)));
    if faults.is_empty()
        && let Some(body) = body
    {
        let mut canonical = Vec::new();
        Node { at, text_at: None, value: Value::Map(map) }.canonical(&mut canonical);
        parsed.documents.push(Document { file: Arc::clone(file), at, head, body, canonical });
        return;
    }
    parsed.left_out.extend([head.name, head.id].into_iter().flatten().chain([head.title]));
    // What only the engine can't do is no fault of the author, and must not keep the other rules from running.
    if faults.iter().all(|(_, _, fault)| matches!(fault, Fault::LookAround { .. })) {
        parsed.warnings.extend(faults.into_iter().map(|(at, found, fault)| {
            RuleWarning::new(file, at, &found, Advice::Unsupported { why: fault.to_string() })
        }));
        return;
    }
    parsed.errors.extend(faults.into_iter().map(|(at, found, kind)| RuleError::new(file, at, &found, kind)));
}

/// Reads the parts of one document, noting faults.
struct Reader<'a> {
    notes: Notes,
    placeholders: &'a Placeholders,
}

const LEVELS: &str = "informational, low, medium, high or critical";
const STATUSES: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];

impl Reader<'_> {
    fn fault(&mut self, at: At, found: &str, fault: Fault) {
        self.notes.fault(at, found, fault);
    }

    /// One text; a number or a truth value gives the text that stands there.
    fn text(&mut self, node: &Node, expected: &'static str) -> Option<String> {
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.fault(node.at, "", Fault::WrongType { expected });
        }
        text
    }

    fn optional_text(&mut self, map: &Map, key: &str) -> Option<String> {
        let node = map.get(key).filter(|node| !node.is_null())?;
        self.text(node, "text")
    }

    /// A list of texts, or one text.
    fn texts(&mut self, map: &Map, key: &str) -> Vec<String> {
        map.get(key).map_or_else(Vec::new, |node| self.names(node)).into_iter().map(|name| name.text).collect()
    }

    fn names(&mut self, node: &Node) -> Vec<Name> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::Map(_) => std::slice::from_ref(node),
        };
        nodes.iter().filter_map(|node| self.name(node)).collect()
    }

    fn name(&mut self, node: &Node) -> Option<Name> {
        let text = self.text(node, "a name, or a list of names")?;
        Some(Name { text, at: node.text_at.unwrap_or(node.at) })
    }

    fn bool(&mut self, map: &Map, key: &str) -> Option<bool> {
        let node = map.get(key)?;
        match &node.value {
            Value::Scalar(scalar) if let Meaning::Bool(value) = scalar.meaning => Some(value),
            Value::Null | Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
                self.fault(node.at, node.excerpt(), Fault::WrongType { expected: "`true` or `false`" });
                None
            }
        }
    }

    fn map<'m>(&mut self, node: &'m Node, what: &'static str) -> Option<&'m Map> {
        match &node.value {
            Value::Map(map) if map.entries.is_empty() => self.fault(node.at, "", Fault::Empty { what }),
            Value::Map(map) => return Some(map),
            Value::Null | Value::Scalar(_) | Value::List(_) => {
                self.fault(node.at, node.excerpt(), Fault::NotAMap { what });
            }
        }
        None
    }

    fn unknown_keys(&mut self, map: &Map, known: &[&'static str]) {
        for entry in &map.entries {
            if !known.contains(&entry.key.as_str()) {
                let suggestion = schemas::nearest(&entry.key, known.iter().copied()).map(str::to_owned);
                self.fault(entry.at, &entry.key, Fault::UnknownKey { suggestion });
            }
        }
    }

    fn head(&mut self, map: &Map, at: At, correlation: bool) -> Head {
        let title = self.optional_text(map, "title").unwrap_or_default();
        match (map.get("title"), title.chars().count()) {
            (None, _) => self.fault(at, "", Fault::Missing { key: "title", of: "a rule" }),
            (Some(node), 0) => self.fault(node.at, "", Fault::Empty { what: "the title" }),
            (Some(node), 257..) => self.fault(node.at, &title, Fault::TooLong { what: "the title", limit: 256 }),
            (Some(_), _) => {}
        }
        let description = self.optional_text(map, "description").unwrap_or_default();
        if description.chars().count() > 65_535 {
            self.fault(at, &description, Fault::TooLong { what: "the description", limit: 65_535 });
        }
        let level = map.get("level").and_then(|node| {
            let word = self.text(node, LEVELS)?;
            let level = Level::parse(word.as_bytes()).filter(|level| level.as_str() == word);
            if level.is_none() {
                let known = ["informational", "low", "medium", "high", "critical"];
                let suggestion = schemas::nearest(&word, known).map(str::to_owned);
                self.fault(node.at, &word, Fault::NotOneOf { expected: LEVELS, suggestion });
            }
            level
        });
        let status = self.optional_text(map, "status");
        if let (Some(status), Some(node)) = (&status, map.get("status"))
            && !STATUSES.contains(&status.as_str())
        {
            let suggestion = schemas::nearest(status, STATUSES).map(str::to_owned);
            let expected = "stable, test, experimental, deprecated or unsupported";
            self.fault(node.at, status, Fault::NotOneOf { expected, suggestion });
        }
        let id = self.optional_text(map, "id").map(|id| id.to_ascii_lowercase());
        if let (Some(id), Some(node)) = (&id, map.get("id"))
            && !is_uuid(id)
        {
            self.notes.advise(node.at, id, Advice::BadId);
        }
        for key in ["date", "modified"] {
            if let Some(node) = map.get(key)
                && !node.text().is_some_and(is_date)
            {
                self.notes.advise(node.at, node.excerpt(), Advice::BadDate);
            }
        }
        Head {
            title,
            id,
            name: self.optional_text(map, "name"),
            status,
            description,
            author: self.optional_text(map, "author").unwrap_or_default(),
            date: self.optional_text(map, "date"),
            modified: self.optional_text(map, "modified"),
            references: self.texts(map, "references"),
            falsepositives: self.texts(map, "falsepositives"),
            level: level.unwrap_or(Level::Medium),
            tags: self.texts(map, "tags"),
            fields: map.get("fields").map_or_else(Vec::new, |node| self.names(node)),
            extension: map.get("x-portolan").map_or_else(Extension::default, |node| self.extension(node, correlation)),
        }
    }

    fn log_source(&mut self, map: &Map, at: At) -> LogSource {
        let Some(node) = map.get("logsource") else {
            self.fault(at, "", Fault::Missing { key: "logsource", of: "a detection or filter" });
            return LogSource::default();
        };
        let Some(inner) = self.map(node, "`logsource`") else { return LogSource::default() };
        let mut word = |key| self.optional_text(inner, key).unwrap_or_default().to_lowercase();
        let mut source = LogSource { category: word("category"), product: word("product"), service: word("service") };
        if source == LogSource::default() {
            self.fault(node.at, "", Fault::Missing { key: "category", of: "a log source without product and service" });
        }
        // Sigma wants a log source; this one says that the rule speaks of normalised events, whoever logged them. So every
        // product fits, and a name that is none of ours is a mistake and no vendor's field.
        if source.product == OURS {
            source.product.clear();
        }
        source
    }

    fn detection(&mut self, map: &Map, entry: &Entry) -> Option<Detection> {
        let log_source = self.log_source(map, entry.at);
        let generate = self.bool(map, "generate").unwrap_or(false);
        let body = self.map(&entry.value, "`detection`")?;
        if let Some(timeframe) = body.entry("timeframe") {
            self.fault(timeframe.at, "timeframe", Fault::Timeframe);
        }
        let searches = self.searches(body, &["condition", "timeframe"]);
        if searches.is_empty() {
            self.fault(entry.at, "", Fault::Missing { key: "a search identifier", of: "a detection" });
        }
        let condition = self.condition(body, entry.at, &searches)?;
        Some(Detection { log_source, searches, condition, generate })
    }

    fn filter(&mut self, map: &Map, entry: &Entry) -> Option<Filter> {
        let log_source = self.log_source(map, entry.at);
        let body = self.map(&entry.value, "`filter`")?;
        let rules = match body.get("rules") {
            None => {
                self.fault(entry.at, "", Fault::Missing { key: "rules", of: "a filter" });
                None
            }
            Some(node) if node.text().is_some_and(|text| text.eq_ignore_ascii_case("any")) => None,
            Some(node) => Some(self.names(node)).filter(|names| !names.is_empty()),
        };
        let searches = self.searches(body, &["condition", "rules"]);
        if let Some(node) = body.get("condition")
            && matches!(node.value, Value::List(_))
        {
            self.fault(node.at, "", Fault::WrongType { expected: "one condition" });
        }
        let condition = self.condition(body, entry.at, &searches)?;
        if !mentions_not(&condition)
            && let Some(node) = body.get("condition")
        {
            self.notes.advise(node.at, node.excerpt(), Advice::FilterWithoutNot);
        }
        Some(Filter { log_source, rules, searches, condition })
    }

    fn searches(&mut self, body: &Map, other: &[&str]) -> Vec<Search> {
        let entries = body.entries.iter().filter(|entry| !other.contains(&entry.key.as_str()));
        entries.map(|entry| Search { name: entry.key.clone(), at: entry.at, what: self.search(&entry.value) }).collect()
    }

    fn search(&mut self, node: &Node) -> Match {
        match &node.value {
            Value::Map(map) => {
                if map.entries.is_empty() {
                    self.fault(node.at, "", Fault::Empty { what: "a search identifier" });
                }
                let items = map.entries.iter();
                Match::All(items.map(|entry| Match::Item(self.item(&entry.key, entry.at, &entry.value))).collect())
            }
            Value::Scalar(_) => Match::Item(self.item("", node.at, node)),
            Value::List(nodes) if nodes.iter().all(|node| matches!(node.value, Value::Scalar(_) | Value::Null)) => {
                if nodes.is_empty() {
                    self.fault(node.at, "", Fault::Empty { what: "a search identifier" });
                }
                Match::Item(self.item("", node.at, node))
            }
            Value::List(nodes) => {
                let mut any = Vec::with_capacity(nodes.len());
                for node in nodes {
                    match node.value {
                        Value::Map(_) | Value::Scalar(_) => any.push(self.search(node)),
                        Value::List(_) | Value::Null => {
                            self.fault(node.at, "", Fault::WrongType { expected: "a map of fields, or a keyword" });
                        }
                    }
                }
                Match::Any(any)
            }
            Value::Null => {
                self.fault(node.at, "", Fault::Empty { what: "a search identifier" });
                Match::All(Vec::new())
            }
        }
    }

    fn item(&mut self, key: &str, at: At, value: &Node) -> Item {
        modifiers::item(key, at, value, self.placeholders, &mut self.notes)
    }

    fn condition(&mut self, body: &Map, at: At, searches: &[Search]) -> Option<Expr> {
        let Some(node) = body.get("condition") else {
            self.fault(at, "", Fault::Missing { key: "condition", of: "a detection or filter" });
            return None;
        };
        let nodes = match &node.value {
            Value::List(nodes) if !nodes.is_empty() => nodes.as_slice(),
            Value::Scalar(_) => std::slice::from_ref(node),
            Value::List(_) | Value::Null | Value::Map(_) => {
                self.fault(node.at, "", Fault::WrongType { expected: "a condition, or a list of conditions" });
                return None;
            }
        };
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = self.text(node, "a condition")?;
            if text.eq_ignore_ascii_case("all of them") {
                self.notes.advise(node.at, &text, Advice::AllOfThem);
            }
            let resolved =
                condition::parse(&text, node.text_at, node.at).and_then(|named| condition::resolve(&named, searches));
            match resolved {
                Ok(expr) => parts.push(expr),
                Err((at, found, fault)) => self.fault(at, &found, fault),
            }
        }
        if parts.len() < nodes.len() {
            return None;
        }
        let expr = if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) };
        for (index, search) in searches.iter().enumerate() {
            if !mentions(&expr, index) && !search.name.starts_with('_') {
                self.notes.advise(search.at, &search.name, Advice::UnusedIdentifier);
            }
        }
        Some(expr)
    }
}

fn mentions(expr: &Expr, search: usize) -> bool {
    match expr {
        Expr::Search(index) => *index == search,
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(|part| mentions(part, search)),
        Expr::Not(part) => mentions(part, search),
    }
}

fn mentions_not(expr: &Expr) -> bool {
    match expr {
        Expr::Search(_) => false,
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(mentions_not),
        Expr::Not(_) => true,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

/// The comparison operators of a condition, by Sigma's words.
fn operator(word: &str) -> Option<Operator> {
    Some(match word {
        "gt" => Operator::Gt,
        "gte" => Operator::Gte,
        "lt" => Operator::Lt,
        "lte" => Operator::Lte,
        "eq" => Operator::Eq,
        "neq" => Operator::Neq,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
