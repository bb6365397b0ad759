//! YAML text as a tree of nodes, each with its line and column.
//!
//! Built from the parser's events and not by deserialising into structs: a struct stops at its first wrong type, and
//! here every fault of every document is to be told at once, with its place. Sigma also needs what serde hides: whether
//! a scalar was quoted (`'4625'` is text, `4625` a number), dates as they stand, and the order of keys.
//!
//! Aliases and merge keys are expanded while building, under a budget of nodes and depth, so that no file can
//! blow up. A key that stands twice in a map is a fault: YAML 1.2 section 3.2.1.1 wants unique keys, and
//! loaders that take the last one lose half of a selection silently.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;
use std::sync::Arc;

use super::error::{At, Fault, RuleError};

/// Most nodes of one file, aliases counted as often as they are used.
pub const NODES_MAX: usize = 200_000;
/// Deepest nesting of one document, aliases included.
pub const DEPTH_MAX: usize = 48;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: At,
    /// Where its text begins, if the text stands in the file as it is: then a place inside the text can be told.
    pub text_at: Option<At>,
    /// What it is.
    pub value: Value,
}

/// A YAML value by the core schema (YAML 1.2, section 10.3), except that keys are always text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A plain scalar that is a boolean, a number, or text; or a quoted one, which is always text.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Map),
}

/// A scalar as written and as meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// Its text after YAML's unescaping.
    pub text: String,
    /// What the text means.
    pub meaning: Meaning,
}

/// The types of scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
}

/// Keys and values of a mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// The entries, in the order of the file.
    pub entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub at: At,
    /// The value.
    pub value: Node,
}

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }
    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Node {
    /// The text of a scalar of any type.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
    /// A few words of it, to be quoted.
    pub fn excerpt(&self) -> &str {
        self.text().unwrap_or("")
    }
    /// Whether nothing stands here.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }
    /// Appends bytes that are equal for equal trees, whatever their layout and comments; for digests.
    pub fn canonical(&self, out: &mut Vec<u8>) {
        fn text(text: &str, out: &mut Vec<u8>) {
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        match &self.value {
            Value::Null => out.push(b'n'),
            Value::Scalar(scalar) => {
                out.push(if scalar.meaning == Meaning::Text { b't' } else { b's' });
                text(&scalar.text, out);
            }
            Value::List(nodes) => {
                out.push(b'l');
                out.extend_from_slice(&(nodes.len() as u64).to_le_bytes());
                nodes.iter().for_each(|node| node.canonical(out));
            }
            Value::Map(map) => {
                out.push(b'm');
                out.extend_from_slice(&(map.entries.len() as u64).to_le_bytes());
                for entry in &map.entries {
                    text(&entry.key, out);
                    entry.value.canonical(out);
                }
            }
        }
    }
}

/// The documents of a file, and what is wrong with it. After a syntax error the documents before it are still given.
pub fn documents(file: &Arc<str>, text: &str) -> (Vec<Node>, Vec<RuleError>) {
    // A byte order mark is no part of the document, and editors on Windows like to write one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        file,
        text,
        nodes: 0,
        anchors: HashMap::new(),
        open: Vec::new(),
        done: Vec::new(),
        errors: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => {
                let at = At { line: span.start.line() as u32, column: span.start.col() as u32 + 1 };
                builder.take(event, at, span.byte_range())
            }
            Err(error) => {
                let at = At { line: error.marker().line() as u32, column: error.marker().col() as u32 + 1 };
                let mut message = error.info().to_string();
                if message.contains("unknown anchor") {
                    message.push_str(" (a value that begins with `*` must be quoted)");
                }
                Err(RuleError::new(file, at, "", Fault::Yaml { message }))
            }
        };
        if let Err(error) = step {
            builder.errors.push(error);
            break;
        }
    }
    (builder.done, builder.errors)
}

/// A collection that is not complete yet.
struct Open {
    at: At,
    anchor: usize,
    depth: usize,
    what: Collection,
}

enum Collection {
    List(Vec<Node>),
    Map { map: Map, key: Option<(String, At)>, merges: Vec<(At, Node)> },
}

struct Builder<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    nodes: usize,
    /// Complete anchored nodes with their size and depth.
    anchors: HashMap<usize, (Node, usize, usize)>,
    open: Vec<Open>,
    done: Vec<Node>,
    errors: Vec<RuleError>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, at: At, bytes: Option<std::ops::Range<usize>>) -> Result<(), RuleError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = tag.as_ref().is_some_and(|tag| tag.core_suffix() == Some("str"));
                let value = match (style, text_tag) {
                    (ScalarStyle::Plain, false) => plain(&text),
                    _ => Value::Scalar(Scalar { text: text.to_string(), meaning: Meaning::Text }),
                };
                let text_at = self.text_at(at, bytes, &text);
                self.node(Node { at, text_at, value }, anchor, 1, 0)
            }
            Event::SequenceStart(_, anchor, _) => self.enter(at, anchor, Collection::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.enter(at, anchor, Collection::Map { map: Map::default(), key: None, merges: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((node, size, depth)) => {
                    let (node, size, depth) = (Node { at, ..node.clone() }, *size, *depth);
                    self.node(node, 0, size, depth)
                }
                None => Err(self.error(at, "", Fault::Yaml { message: "an alias inside its own anchor".into() })),
            },
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            // Comments, stream and document ends say nothing; the event type may grow.
            _ => Ok(()),
        }
    }

    /// Where the text of a scalar begins, if the file has exactly that text there.
    fn text_at(&self, at: At, bytes: Option<std::ops::Range<usize>>, text: &str) -> Option<At> {
        let source = self.text.get(bytes?)?;
        if source.starts_with(text) {
            return Some(at);
        }
        let quoted = source.strip_prefix(['\'', '"'])?;
        quoted.starts_with(text).then(|| at.plus(1))
    }

    fn error(&self, at: At, found: &str, fault: Fault) -> RuleError {
        RuleError::new(self.file, at, found, fault)
    }

    fn enter(&mut self, at: At, anchor: usize, what: Collection) -> Result<(), RuleError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(self.error(at, "", Fault::TooLarge { what: "levels of nesting", limit: DEPTH_MAX }));
        }
        self.open.push(Open { at, anchor, depth: 0, what });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), RuleError> {
        let Some(Open { at, anchor, depth, what }) = self.open.pop() else { return Ok(()) };
        let value = match what {
            Collection::List(nodes) => Value::List(nodes),
            Collection::Map { mut map, merges, .. } => {
                for (at, node) in merges {
                    self.merge(&mut map, at, node);
                }
                Value::Map(map)
            }
        };
        let node = Node { at, text_at: None, value };
        let size = if anchor == 0 { 0 } else { size_of_tree(&node) };
        // The children have been counted when they came.
        self.anchored(&node, anchor, size, depth + 1);
        self.put(node, depth + 1)
    }

    /// Merge keys (`<<`): what the map says itself wins, then the first of the merged maps.
    fn merge(&mut self, map: &mut Map, at: At, node: Node) {
        let maps = match node.value {
            Value::Map(merged) => vec![merged],
            Value::List(nodes) => nodes
                .into_iter()
                .filter_map(|node| match node.value {
                    Value::Map(merged) => Some(merged),
                    Value::Null | Value::Scalar(_) | Value::List(_) => None,
                })
                .collect(),
            Value::Null | Value::Scalar(_) => {
                let error = self.error(at, "<<", Fault::NotAMap { what: "what is merged" });
                self.errors.push(error);
                return;
            }
        };
        for entry in maps.into_iter().flat_map(|map| map.entries) {
            if map.get(&entry.key).is_none() {
                map.entries.push(entry);
            }
        }
    }

    fn node(&mut self, node: Node, anchor: usize, size: usize, depth: usize) -> Result<(), RuleError> {
        self.nodes += size;
        if self.nodes > NODES_MAX {
            return Err(self.error(node.at, "", Fault::TooLarge { what: "values in one file", limit: NODES_MAX }));
        }
        if self.open.len() + depth > DEPTH_MAX {
            return Err(self.error(node.at, "", Fault::TooLarge { what: "levels of nesting", limit: DEPTH_MAX }));
        }
        self.anchored(&node, anchor, size, depth);
        self.put(node, depth)
    }

    fn anchored(&mut self, node: &Node, anchor: usize, size: usize, depth: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size, depth));
        }
    }

    fn put(&mut self, node: Node, depth: usize) -> Result<(), RuleError> {
        let Some(parent) = self.open.last_mut() else {
            self.done.push(node);
            return Ok(());
        };
        parent.depth = parent.depth.max(depth);
        match &mut parent.what {
            Collection::List(nodes) => nodes.push(node),
            Collection::Map { map, key, merges } => match key.take() {
                None => match node.value {
                    Value::Scalar(scalar) => *key = Some((scalar.text, node.text_at.unwrap_or(node.at))),
                    Value::Null => *key = Some(("null".to_owned(), node.at)),
                    Value::List(_) | Value::Map(_) => {
                        return Err(self.error(node.at, "", Fault::WrongType { expected: "a key that is text" }));
                    }
                },
                Some((key, at)) if key == "<<" => merges.push((at, node)),
                Some((key, at)) => match map.entry(&key) {
                    Some(first) => {
                        let error = RuleError::new(self.file, at, &key, Fault::DuplicateKey { first: first.at });
                        self.errors.push(error);
                    }
                    None => map.entries.push(Entry { key, at, value: node }),
                },
            },
        }
        Ok(())
    }
}

fn size_of_tree(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::List(nodes) => nodes.iter().map(size_of_tree).sum(),
        Value::Map(map) => map.entries.iter().map(|entry| 1 + size_of_tree(&entry.value)).sum(),
    }
}

/// A plain scalar by the core schema. Dates stay text; so do `yes` and `no`, which only YAML 1.1 took for booleans.
fn plain(text: &str) -> Value {
    let meaning = match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        _ => number(text).unwrap_or(Meaning::Text),
    };
    Value::Scalar(Scalar { text: text.to_owned(), meaning })
}

fn number(text: &str) -> Option<Meaning> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with(['+', '-'])).map(Meaning::Int);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().filter(|_| !octal.starts_with(['+', '-'])).map(Meaning::Int);
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(Meaning::Int(number));
    }
    // `inf` and `nan` are what Rust reads beyond the schema's digits.
    let digits = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = text.parse::<f64>().ok().filter(|number| digits && number.is_finite())?;
    Some(Meaning::Float(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Node>, Vec<String>) {
        let (nodes, errors) = documents(&Arc::from("f.yml"), text);
        (nodes, errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_keep_their_place_and_their_quotes() {
        let (documents, errors) = read("a: 4625\nb: '4625'\nc:\n  - 0x10\n  - 2024-01-02\n---\n\"ä\": ~\n");
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(documents.len(), 2);
        let Value::Map(map) = &documents[0].value else { panic!("a map") };
        let kinds: Vec<_> = map.entries.iter().map(|entry| (entry.at.line, entry.value.at.column)).collect();
        assert_eq!(kinds, [(1, 4), (2, 4), (3, 3)]);
        let meaning = |node: &Node| match &node.value {
            Value::Scalar(scalar) => scalar.meaning,
            other => panic!("{other:?}"),
        };
        assert_eq!(meaning(&map.entries[0].value), Meaning::Int(4625));
        assert_eq!(meaning(&map.entries[1].value), Meaning::Text);
        assert_eq!(map.entries[1].value.text_at, Some(At { line: 2, column: 5 }));
        let Value::List(list) = &map.entries[2].value.value else { panic!("a list") };
        assert_eq!(meaning(&list[0]), Meaning::Int(16));
        assert_eq!(meaning(&list[1]), Meaning::Text);
    }

    #[test]
    fn a_key_that_stands_twice_is_told_with_both_places() {
        let (_, errors) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(
            errors,
            [
                "f.yml:3:1: `a`: this key stands twice, first in line 1; one of the two would be lost, join them in a list"
            ]
        );
    }

    #[test]
    fn merge_keys_give_way_to_the_maps_own_keys() {
        let (documents, errors) = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n");
        assert_eq!(errors, Vec::<String>::new());
        let Value::Map(map) = &documents[0].value else { panic!("a map") };
        let Value::Map(y) = &map.get("y").expect("y").value else { panic!("a map") };
        let texts: Vec<_> = y.entries.iter().map(|e| (e.key.as_str(), e.value.excerpt())).collect();
        assert_eq!(texts, [("b", "3"), ("a", "1")]);
    }

    #[test]
    fn a_bomb_of_aliases_and_a_deep_nest_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..12 {
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        }
        assert!(read(&bomb).1[0].contains("more than 200000 values"), "{:?}", read(&bomb).1);
        let deep = "[".repeat(60) + &"]".repeat(60);
        assert!(read(&deep).1[0].contains("levels of nesting"), "{:?}", read(&deep).1);
        let chain: String = (1..80).map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1)).collect();
        assert!(read(&format!("a0: &a0 x\n{chain}")).1[0].contains("levels of nesting"));
    }

    #[test]
    fn a_syntax_error_says_where_and_leaves_the_documents_before_it() {
        let (documents, errors) = read("a: 1\n---\nb: [1, 2\nc: 3\n");
        assert_eq!(documents.len(), 1);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with("f.yml:4:"), "{errors:?}");
    }
}
