//! From text to a tree of nodes with byte spans, within a budget.
//!
//! The events of serde-saphyr's own parser are used rather than its serde face: it gives byte spans of keys and
//! the quoting of scalars, which serde's data model has no place for. The budget (size, nodes, depth) makes a
//! "billion laughs" document an ordinary mistake with a position: an alias counts as all the nodes that it repeats.

use std::collections::HashMap;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Tag, options};

use super::finding::{Finding, Findings};

/// The largest document that is read, in bytes: far more than any configuration, far less than a memory.
pub const BYTES_MAX: usize = 8 << 20;
/// The most nodes that a document may have, repeated aliases included.
pub const NODES_MAX: usize = 500_000;
/// How deep collections may nest.
pub const DEPTH_MAX: usize = 64;

/// A value with the place where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Bytes of the text. Of a collection only the beginning, so that an underline stays on one line.
    pub span: Range<usize>,
    /// What stands there.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing: `key:` without a value, `~` or `null`.
    Null,
    /// A scalar, escapes resolved. `quoted` is true for every style but the plain one.
    Scalar {
        /// The text.
        text: String,
        /// Whether it was quoted (or a block scalar), and so is never a number, a boolean or null.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the text. Keys are unique: later duplicates are reported and dropped.
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// Where the key stands.
    pub key_span: Range<usize>,
    /// Its value.
    pub node: Node,
}

impl Value {
    /// The kind of value in a reader's words, for "expected …, found …".
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// A collection that is still open while the events come.
enum Open {
    List { items: Vec<Node>, span: Range<usize>, anchor: usize },
    Map { entries: Vec<Entry>, key: Option<(String, Range<usize>)>, span: Range<usize>, anchor: usize },
}

/// Reads one document. Mistakes are noted in `found`; what could be read is returned all the same.
///
/// A syntax error ends the reading: what stands after it can't be understood, and guesses would only add noise.
pub fn parse(text: &str, found: &mut Findings) -> Node {
    let nothing = Node { span: 0..0, value: Value::Null };
    if text.len() > BYTES_MAX {
        let title = format!("the file is {} bytes long, at most {BYTES_MAX} are read", text.len());
        found.note(Finding::error(0..0, title, "here it begins"));
        return nothing;
    }
    let limits = options! { emit_comments: false, flow_nesting_limit: DEPTH_MAX, block_nesting_limit: DEPTH_MAX };
    let mut builder = Builder { text, open: Vec::new(), root: None, anchors: HashMap::new(), nodes: 0, documents: 0 };
    for event in Parser::new_from_str_with_options(text, limits) {
        match event {
            Ok((event, span)) => {
                let span = span.byte_range().unwrap_or(0..0);
                if !builder.event(event, span, found) {
                    break;
                }
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                found.note(
                    Finding::error(one_char(text, at), "this is not valid YAML", error.info())
                        .help("check the indentation, the quotes and the brackets here and on the line above"),
                );
                break;
            }
        }
    }
    builder.root.unwrap_or(nothing)
}

/// The span of the one character at a byte offset, so that an underline has something to stand under.
fn one_char(text: &str, at: usize) -> Range<usize> {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    at..text[at..].chars().next().map_or(at, |c| at + c.len_utf8())
}

/// The tree under construction.
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
}

impl Builder<'_> {
    /// Takes one event; false ends the reading.
    fn event(&mut self, event: Event<'_>, span: Range<usize>, found: &mut Findings) -> bool {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    found.note(
                        Finding::error(span, "a second document in one file", "it begins here")
                            .help("one file holds one document: remove the `---`, or use a file of its own"),
                    );
                    return false;
                }
                true
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), &span, found);
                let quoted = style != ScalarStyle::Plain;
                let value = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if !quoted => Value::Null,
                    text => Value::Scalar { text: text.to_owned(), quoted },
                };
                let span = first_line(self.text, span);
                self.add(Node { span, value }, anchor, 1, found)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &span, found);
                self.open.push(Open::List { items: Vec::new(), span, anchor });
                self.count(1, found)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), &span, found);
                self.open.push(Open::Map { entries: Vec::new(), key: None, span, anchor });
                self.count(1, found)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List { items, span, anchor }) => {
                    self.add(Node { span, value: Value::List(items) }, anchor, 0, found)
                }
                Some(Open::Map { entries, span, anchor, .. }) => {
                    self.add(Node { span, value: Value::Map(entries) }, anchor, 0, found)
                }
                None => true,
            },
            Event::Alias(id) => match self.anchors.get(&id).cloned() {
                Some(node) => {
                    let size = size(&node);
                    self.add(node, 0, size, found)
                }
                None => {
                    found.note(
                        Finding::error(span, "an alias to a value that contains it", "refers to what it stands in")
                            .help("write the value out"),
                    );
                    false
                }
            },
            // Comments, anchors' names, stream marks, and events that a later version of the parser may add, carry no value.
            _ => true,
        }
    }

    /// Tags choose types in other programs; here they would be silently ignored, so they are refused.
    fn tag(&self, tag: Option<&Tag>, span: &Range<usize>, found: &mut Findings) {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            let span = one_char(self.text, span.start);
            found
                .note(Finding::error(span, "a YAML tag has no meaning here", "tagged value").help("remove the `!tag`"));
        }
    }

    fn count(&mut self, nodes: usize, found: &mut Findings) -> bool {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            let title = format!("the document has more than {NODES_MAX} values, repeated aliases included");
            found.note(Finding::error(0..0, title, "in this document"));
            self.open.clear();
            return false;
        }
        true
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, nodes: usize, found: &mut Findings) -> bool {
        if !self.count(nodes, found) {
            return false;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                None => *key = Some(as_key(node, found)),
                Some((key, key_span)) => match entries.iter().find(|entry| entry.key == key) {
                    Some(first) => found.note(
                        Finding::error(key_span, format!("`{key}` is given twice"), "here again")
                            .also(first.key_span.clone(), "first given here")
                            .help("keep one of the two"),
                    ),
                    None => entries.push(Entry { key, key_span, node }),
                },
            },
        }
        true
    }
}

/// A key must be a scalar: `[a]: b` and `{a: b}: c` are valid YAML, and surely a mistake.
fn as_key(node: Node, found: &mut Findings) -> (String, Range<usize>) {
    match node.value {
        Value::Scalar { text, .. } => (text, node.span),
        Value::Null => ("null".to_owned(), node.span),
        Value::List(_) | Value::Map(_) => {
            found.note(Finding::error(node.span.clone(), "a key must be a word", "a collection stands here"));
            (String::new(), node.span)
        }
    }
}

/// How many nodes a value is made of. Depth is bounded by [`DEPTH_MAX`] per anchor and by [`NODES_MAX`] in all.
fn size(node: &Node) -> usize {
    let mut total = 0usize;
    let mut todo = vec![node];
    while let Some(node) = todo.pop() {
        total += 1;
        match &node.value {
            Value::Null | Value::Scalar { .. } => {}
            Value::List(items) => todo.extend(items),
            Value::Map(entries) => todo.extend(entries.iter().map(|entry| &entry.node)),
        }
    }
    total
}

/// Cuts a span at the end of its first line.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let inside = text.get(span.clone()).unwrap_or("");
    span.start..span.start + inside.find(['\n', '\r']).unwrap_or(inside.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut found = Findings::default();
        parse(text, &mut found);
        let titles: Vec<&str> = found.iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!(titles, expected);
    }

    #[test]
    fn a_good_document_has_no_findings_and_keeps_its_spans() {
        let text = "a: 1\nb:\n  - x\n  - \"y z\"\n";
        let mut found = Findings::default();
        let Value::Map(entries) = parse(text, &mut found).value else { panic!("a mapping") };
        assert!(found.is_empty());
        assert_eq!(&text[entries[1].key_span.clone()], "b");
        let Value::List(items) = &entries[1].node.value else { panic!("a list") };
        assert_eq!(&text[items[1].span.clone()], "\"y z\"");
    }

    #[test]
    fn duplicates_tags_second_documents_and_syntax_errors_are_reported() {
        check("a: 1\na: 2\nb: 1\nb: 2\n", &["`a` is given twice", "`b` is given twice"]);
        check("a: !secret x\n", &["a YAML tag has no meaning here"]);
        check("a: 1\n---\nb: 2\n", &["a second document in one file"]);
        check("a: [1, 2\nb: 3\n", &["this is not valid YAML"]);
        check("", &[]);
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_within_the_budget() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{before}]\n");
        }
        check(&text, &["the document has more than 500000 values, repeated aliases included"]);
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
        let mut found = Findings::default();
        parse(&"[".repeat(100_000), &mut found);
        assert_eq!(found.len(), 1);
    }
}
