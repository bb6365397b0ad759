//! Readers over the tree: ask for what is needed, note what is wrong, go on.
//!
//! Every reader returns an `Option`: `None` means that a finding was noted (or that an optional value is absent), and
//! the caller goes on with a default, because the document is refused at the end anyway. A [`Section`] remembers
//! which keys were asked for, so that the unknown ones are known when it is finished.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use schemas::nearest;

use super::finding::{Finding, Findings, is_secret_key};
use super::tree::{Entry, Node, Value};

/// A node with the name by which a person knows it, as `kafka.brokers[2]`.
#[derive(Clone, Debug)]
pub struct At<'n> {
    /// The node.
    pub node: &'n Node,
    /// Its name.
    pub path: String,
    /// Where to point if the node itself has no text, as an empty value: the key.
    key_span: Range<usize>,
}

/// A mapping that is being read.
#[derive(Debug)]
pub struct Section<'n> {
    entries: &'n [Entry],
    path: String,
    at: Range<usize>,
    asked: Vec<&'static str>,
    missing: Vec<(&'static str, &'static str)>,
}

impl<'n> At<'n> {
    /// The document itself.
    pub fn root(node: &'n Node) -> At<'n> {
        At { node, path: String::new(), key_span: 0..0 }
    }

    /// The bytes to underline.
    pub fn span(&self) -> Range<usize> {
        if self.node.span.is_empty() { self.key_span.clone() } else { self.node.span.clone() }
    }

    /// The name, or what the document as a whole is called.
    fn name(&self) -> &str {
        if self.path.is_empty() { "the document" } else { &self.path }
    }

    /// Notes that the value is not what it should be.
    pub fn wrong(&self, found: &mut Findings, label: impl Into<String>, help: impl Into<String>) {
        let label = label.into();
        let title = format!("`{}`: {label}", self.name());
        found.note(Finding::error(self.span(), title, label).help(help));
    }

    /// Notes that another kind of value is needed.
    fn kind(&self, found: &mut Findings, expected: &str, help: impl Into<String>) {
        let title = format!("`{}` must be {expected}", self.name());
        found.note(Finding::error(self.span(), title, format!("this is {}", self.node.value.kind())).help(help));
    }

    /// The value as a mapping.
    pub fn section(&self, found: &mut Findings) -> Option<Section<'n>> {
        let Value::Map(entries) = &self.node.value else {
            self.kind(found, "a mapping", "write `key: value` lines, indented under it");
            return None;
        };
        Some(Section { entries, ..self.empty() })
    }

    /// A section without keys: of an empty document everything is missing, which says more than "must be a mapping".
    pub fn empty(&self) -> Section<'n> {
        let (path, at) = (self.path.clone(), self.key_span.clone());
        Section { entries: &[], path, at, asked: Vec::new(), missing: Vec::new() }
    }

    /// The value as a list, each item read by `item`; items that can't be read are left out (and noted).
    pub fn list<T>(
        &self,
        found: &mut Findings,
        mut item: impl FnMut(At<'n>, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::List(items) = &self.node.value else {
            let help = match &self.node.value {
                Value::Scalar { text, .. } => format!("write `[{text}]`"),
                Value::Null | Value::List(_) | Value::Map(_) => "write `[one, two]`, or one `- item` a line".to_owned(),
            };
            self.kind(found, "a list", help);
            return None;
        };
        let at = |(index, node)| At { node, path: format!("{}[{index}]", self.path), key_span: self.span() };
        Some(items.iter().enumerate().map(at).filter_map(|at| item(at, found)).collect())
    }

    /// The value as a list with at least one item.
    pub fn some<T>(
        &self,
        found: &mut Findings,
        item: impl FnMut(At<'n>, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        if matches!(&self.node.value, Value::List(items) if items.is_empty()) {
            let title = format!("`{}` is empty", self.name());
            found.note(Finding::error(self.span(), title, "nothing in this list").help("name at least one"));
            return None;
        }
        self.list(found, item)
    }

    /// A mapping of free keys to texts, in the order of the document.
    pub fn texts(&self, found: &mut Findings) -> Option<Vec<(String, Range<usize>, String)>> {
        let Value::Map(entries) = &self.node.value else {
            self.kind(found, "a mapping", "write `name: value` lines, indented under it");
            return None;
        };
        let read = |entry: &'n Entry| {
            let at = self.child(entry);
            at.text(found).map(|text| (entry.key.clone(), entry.key_span.clone(), text))
        };
        Some(entries.iter().filter_map(read).collect())
    }

    /// A mapping of free keys, in the order of the document: each key, where it stands, and its value.
    pub fn entries(&self, found: &mut Findings) -> Option<Vec<(String, Range<usize>, At<'n>)>> {
        let Value::Map(entries) = &self.node.value else {
            self.kind(found, "a mapping", "write `name: value` lines, indented under it");
            return None;
        };
        let read = |entry: &'n Entry| (entry.key.clone(), entry.key_span.clone(), self.child(entry));
        Some(entries.iter().map(read).collect())
    }

    fn child(&self, entry: &'n Entry) -> At<'n> {
        At { node: &entry.node, path: join(&self.path, &entry.key), key_span: entry.key_span.clone() }
    }

    /// The value as a text that is not empty. A number or a boolean is taken as it was written.
    pub fn text(&self, found: &mut Findings) -> Option<String> {
        match &self.node.value {
            Value::Scalar { text, .. } if text.trim().is_empty() => {
                found.note(Finding::error(
                    self.span(),
                    format!("`{}` is empty", self.name()),
                    "nothing between the quotes",
                ));
                None
            }
            Value::Scalar { text, .. } => Some(text.clone()),
            Value::Null => {
                let title = format!("`{}` has no value", self.name());
                found.note(Finding::error(self.span(), title, "a text is expected after the colon"));
                None
            }
            Value::List(_) | Value::Map(_) => {
                self.kind(found, "a single text", "write one value after the colon");
                None
            }
        }
    }

    /// One of a closed set of words.
    pub fn word<T: Copy>(&self, found: &mut Findings, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(found)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let help = match nearest(&text, words.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean `{near}`? It may be {all}"),
            None => format!("it may be {all}"),
        };
        let title = format!("`{}` does not know the word `{text}`", self.name());
        found.note(Finding::error(self.span(), title, "unknown word").help(help));
        None
    }

    /// `true` or `false`.
    pub fn boolean(&self, found: &mut Findings) -> Option<bool> {
        let text = self.text(found)?;
        let help = match &*text.to_ascii_lowercase() {
            "true" | "false" if matches!(self.node.value, Value::Scalar { quoted: true, .. }) => "remove the quotes",
            "true" => return Some(true),
            "false" => return Some(false),
            "yes" | "on" | "1" => "write `true`",
            "no" | "off" | "0" => "write `false`",
            _ => "write `true` or `false`",
        };
        let title = format!("`{}` must be true or false", self.name());
        found.note(Finding::error(self.span(), title, format!("found `{text}`")).help(help));
        None
    }

    /// A whole number within a range.
    pub fn integer(&self, found: &mut Findings, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(found)?;
        let (low, high) = (range.start(), range.end());
        match text.parse::<u64>() {
            Ok(number) if range.contains(&number) => Some(number),
            Ok(number) => {
                let title = format!("`{}` is out of range", self.name());
                let near = number.clamp(*low, *high);
                let help = format!("it may be {low} to {high}; the nearest is `{near}`");
                found.note(Finding::error(self.span(), title, format!("{number} is not in {low}..={high}")).help(help));
                None
            }
            Err(_) => {
                let title = format!("`{}` must be a whole number", self.name());
                let help = format!("write digits only, {low} to {high}");
                found.note(Finding::error(self.span(), title, format!("found `{text}`")).help(help));
                None
            }
        }
    }

    /// A length of time within a range, as `500ms`, `10s`, `2m`, `1h`, `7d`.
    pub fn duration(&self, found: &mut Findings, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text(found)?;
        let Some(duration) = duration(&text) else {
            let title = format!("`{}` must be a length of time", self.name());
            let help = match text.parse::<u64>() {
                Ok(number) => format!("add the unit: `{number}s`, `{number}m` or `{number}ms`"),
                Err(_) => "write a number and a unit: `500ms`, `10s`, `2m`, `1h`, `7d`".to_owned(),
            };
            found.note(Finding::error(self.span(), title, format!("found `{text}`")).help(help));
            return None;
        };
        if range.contains(&duration) {
            return Some(duration);
        }
        let title = format!("`{}` is out of range", self.name());
        let (low, high) = (show_duration(*range.start()), show_duration(*range.end()));
        found.note(
            Finding::error(self.span(), title, format!("it may be {low} to {high}"))
                .help(format!("the nearest is `{}`", show_duration(duration.clamp(*range.start(), *range.end())))),
        );
        None
    }

    /// An amount of bytes within a range, as `512MiB`, `2GiB`, `64KiB`, `100MB`.
    pub fn size(&self, found: &mut Findings, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(found)?;
        let Some(size) = size(&text) else {
            let title = format!("`{}` must be an amount of bytes", self.name());
            let help = match text.parse::<u64>() {
                Ok(number) => format!("add the unit: `{number}MiB` or `{number}GiB`"),
                Err(_) => "write a number and a unit: `64KiB`, `512MiB`, `2GiB`".to_owned(),
            };
            found.note(Finding::error(self.span(), title, format!("found `{text}`")).help(help));
            return None;
        };
        if range.contains(&size) {
            return Some(size);
        }
        let title = format!("`{}` is out of range", self.name());
        let (low, high) = (show_size(*range.start()), show_size(*range.end()));
        let near = show_size(size.clamp(*range.start(), *range.end()));
        found.note(
            Finding::error(self.span(), title, format!("it may be {low} to {high}"))
                .help(format!("the nearest is `{near}`")),
        );
        None
    }
}

impl<'n> Section<'n> {
    /// The value of an optional key, read by `read`. A key without a value counts as absent.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        found: &mut Findings,
        read: impl FnOnce(At<'n>, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        let at = self.get(key)?;
        if matches!(at.node.value, Value::Null) { None } else { read(at, found) }
    }

    /// The value of a key that must be there; `example` shows how it could look.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        example: &'static str,
        found: &mut Findings,
        read: impl FnOnce(At<'n>, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(at) => read(at, found),
            None => {
                self.missing.push((key, example));
                None
            }
        }
    }

    /// The value of a key, if it is there.
    pub fn get(&mut self, key: &'static str) -> Option<At<'n>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(At { node: &entry.node, path: join(&self.path, key), key_span: entry.key_span.clone() })
    }

    /// Where to point when the section as a whole is meant: its key.
    pub fn span(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Notes the unknown keys and the missing ones. A missing key that was only misspelt is noted once, as misspelt.
    pub fn finish(self, found: &mut Findings) {
        let place = if self.path.is_empty() { "the top level".to_owned() } else { format!("`{}`", self.path) };
        let mut misspelt = Vec::new();
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let free = self.asked.iter().copied().filter(|key| !self.entries.iter().any(|other| other.key == *key));
            let help = match nearest(&entry.key, free) {
                Some(near) => {
                    misspelt.push(near);
                    format!("did you mean `{near}`?")
                }
                None if is_secret_key(&entry.key) => {
                    "a secret is never written here: name a file or an environment variable that holds it".to_owned()
                }
                None => format!("known here: {}", self.asked.join(", ")),
            };
            let title = format!("unknown key `{}`", entry.key);
            found.note(Finding::error(entry.key_span.clone(), title, format!("not a key of {place}")).help(help));
        }
        for (key, example) in self.missing.iter().filter(|(key, _)| !misspelt.contains(key)) {
            let title = format!("`{}` is missing", join(&self.path, key));
            let label = if self.path.is_empty() { "the file begins here".to_owned() } else { format!("in {place}") };
            found.note(Finding::error(self.at.clone(), title, label).help(format!("add `{key}: {example}`")));
        }
    }
}

/// The name of a key in a section.
fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Units of time, the largest first, in microseconds.
const TIME_UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];
/// Units of size in bytes; the ones to show sizes in come first.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A whole number and a unit from a table, blanks between them allowed.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = (text[..digits].parse::<u64>().ok()?, text[digits..].trim());
    let (_, factor) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*factor)
}

/// `10s`, `2m`, `500ms`: a length of time. `None` if it is none, or too long to count in microseconds.
pub fn duration(text: &str) -> Option<Duration> {
    quantity(text.trim(), &TIME_UNITS).map(Duration::from_micros)
}

/// `512MiB`, `2GB`, `100B`: an amount of bytes.
pub fn size(text: &str) -> Option<u64> {
    quantity(text.trim(), &SIZE_UNITS)
}

/// A length of time in the largest unit that shows it whole.
pub fn show_duration(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    show(micros, &TIME_UNITS, "s")
}

/// A size in the largest binary unit that shows it whole.
pub fn show_size(bytes: u64) -> String {
    show(bytes, &SIZE_UNITS, "B")
}

fn show(amount: u64, units: &[(&str, u64)], zero: &str) -> String {
    let whole = |(_, factor): &&(&str, u64)| amount != 0 && amount.is_multiple_of(*factor);
    units.iter().find(whole).map_or(format!("{amount}{zero}"), |(unit, factor)| format!("{}{unit}", amount / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_need_a_unit_and_never_overflow() {
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("2 m"), Some(Duration::from_secs(120)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(
            (duration("10"), duration("s"), duration("-1s"), duration("99999999999999999d")),
            (None, None, None, None)
        );
        assert_eq!((size("512MiB"), size("2gb"), size("1.5GiB")), (Some(512 << 20), Some(2_000_000_000), None));
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        for micros in [1, 1_500, 90_000_000, 120_000_000, 86_400_000_000] {
            let it = Duration::from_micros(micros);
            assert_eq!(duration(&show_duration(it)), Some(it));
        }
        for bytes in [1, 1_000, 1_024, 512 << 20, 3 << 30] {
            assert_eq!(size(&show_size(bytes)), Some(bytes));
        }
    }
}
