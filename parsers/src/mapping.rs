//! Formats that a configuration describes: "our own JSON, CSV or key=value", without code.
//!
//! A [`Mapping`] is a family that is made at run time of a [`Spec`]: which keys or columns hold which fields, what a sender's
//! words mean, how its times are written, and by which mark its records are known. It concludes as the families of generic
//! formats do. The list of families stays as it is built: a mapping is asked for by [`crate::Format::Mapped`], or given to
//! a session, which asks the marks of its mappings before it asks any family. A session without any pays nothing for them.
//!
//! Nothing is read here: whoever reads the file makes the [`Spec`] and tells people where a mistake stands.

use std::collections::HashMap;

use schemas::{EventKind, Field, FieldType, Ip, RejectKind, Row, Word};

use crate::generic::{Escapes, Event, Note, Put, Sources, Value, sources};
use crate::lex::json::{self, Extent};
use crate::lex::text::contains;
use crate::lex::{csv, kv, pattern};
use crate::transport::Shape;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// What records are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON objects; a source key is a dotted path.
    Json,
    /// Separated columns.
    Csv {
        /// What stands between them.
        delimiter: u8,
        /// Their names, from left to right.
        columns: Vec<String>,
    },
    /// `key=value`.
    KeyValue {
        /// What stands between pairs; `None` for blanks.
        separator: Option<u8>,
    },
}

/// By what records are known among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The text, after a syslog header, begins so.
    Starts(String),
    /// The text has this in it.
    Contains(String),
    /// The object has all of these members at its top.
    Keys(Vec<String>),
}

/// What a mapping says, checked field by field but for what only the whole shows.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name: that of `--format`, and of the events' `family`.
    pub name: String,
    /// What records are made of.
    pub form: Form,
    /// Fields and the source keys that hold them.
    pub fields: Vec<(Target, String)>,
    /// Fields that are the same in every record.
    pub constants: Vec<(Target, String)>,
    /// Of a field, what the sender's words mean.
    pub words: Vec<(Target, Vec<(String, String)>)>,
    /// How times are written, as a pattern; `None` for the usual forms.
    pub time_format: Option<String>,
    /// What sort of events these are; `None` if each says so itself.
    pub kind: Option<EventKind>,
    /// By what they are known; `None` if only [`crate::Format::Mapped`] asks for them.
    pub mark: Option<Mark>,
}

/// A field that a mapping may set.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    name: &'static str,
    put: Put,
}

impl PartialEq for Target {
    fn eq(&self, other: &Target) -> bool {
        self.name == other.name
    }
}

/// Fields that are concluded from, and names for durations in other units.
const CONCLUDED: &[(&str, Note)] = &[
    ("time", Note::Time),
    ("start", Note::Start),
    ("end", Note::End),
    ("src_ip", Note::Src),
    ("dst_ip", Note::Dst),
    ("nat_src_ip", Note::NatSrc),
    ("nat_dst_ip", Note::NatDst),
    ("transport", Note::Transport),
    ("direction", Note::Direction),
    ("action", Note::Action),
    ("outcome", Note::Outcome),
    ("severity", Note::Severity),
    ("host", Note::Host),
    ("host_ip", Note::HostAddress),
    ("user", Note::User),
    ("src_user", Note::SrcUser),
    ("event_action", Note::Name),
    ("duration", Note::Seconds),
    ("duration_ms", Note::Milliseconds),
    ("duration_us", Note::Microseconds),
    ("duration_ns", Note::Nanoseconds),
];

/// Fields that are the program's own: a log can't say them.
const OWN: &[Field] = &[Field::Received, Field::TimeSource, Field::Kind, Field::Family, Field::Relay, Field::Initiator];

impl Target {
    /// The field of that name. `None` if there is none, or a log can't set it.
    pub fn of(name: &str) -> Option<Target> {
        Target::all().find(|target| target.name == name)
    }

    /// Every name that [`Target::of`] takes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Target::all().map(|target| target.name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether `word` is one of the words that the field knows; always so for a field of free text.
    ///
    /// # Errors
    /// The words that it knows.
    pub fn takes(&self, word: &str) -> Result<(), &'static [&'static str]> {
        let words = match self.name {
            "action" => schemas::Action::WORDS,
            "outcome" => schemas::Outcome::WORDS,
            "direction" => schemas::Direction::WORDS,
            _ => return Ok(()),
        };
        if words.contains(&word) { Ok(()) } else { Err(words) }
    }

    /// Whether `text` can be the field's value in every record.
    ///
    /// # Errors
    /// What it should be.
    pub fn check(&self, text: &str) -> Result<(), &'static str> {
        let text = text.as_bytes();
        let (fits, expected) = match self.put {
            Put::Note(Note::Time | Note::Start | Note::End) => (false, "a time is another in each record"),
            Put::Note(Note::Transport) => (schemas::Transport::parse(text).is_some(), "an IP protocol"),
            Put::Note(Note::NatSrc | Note::NatDst) => (Ip::parse(text).is_some(), "an address"),
            Put::To(field) | Put::Maybe(field) => match field.field_type() {
                FieldType::Ip => (Ip::parse(text).is_some(), "an address"),
                FieldType::Port => (schemas::parse_port(text).is_some(), "a port, 0 to 65535"),
                FieldType::Long => (schemas::parse_u64(text).is_some(), "a number"),
                FieldType::Word(words) => {
                    (words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text)), "a word of docs/fields.md")
                }
                _ => (true, ""),
            },
            _ => (true, ""),
        };
        if fits { Ok(()) } else { Err(expected) }
    }

    fn all() -> impl Iterator<Item = Target> {
        let concluded = CONCLUDED.iter().map(|(name, note)| Target { name, put: Put::Note(*note) });
        // what stands behind the message in the table is added by enrichment
        let plain = Field::ALL.iter().filter(|field| field.index() <= Field::Message.index() && !OWN.contains(field));
        let plain = plain.filter(|field| !CONCLUDED.iter().any(|(name, _)| *name == field.name()));
        concluded.chain(plain.map(|field| Target { name: field.name(), put: Put::To(*field) }))
    }
}

/// What a source key stands for.
struct Entry {
    put: Put,
    /// What the sender's words mean; empty if it has the field's own.
    words: HashMap<Vec<u8>, Vec<u8>>,
}

/// A family that a configuration describes.
pub struct Mapping {
    name: &'static str,
    form: Form,
    entries: HashMap<Vec<u8>, Vec<Entry>>,
    constants: Vec<(Target, Vec<u8>)>,
    time_format: Vec<u8>,
    kind: Option<EventKind>,
    mark: Option<Mark>,
    sources: &'static Sources,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mapping").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Mapping {
    fn eq(&self, other: &Mapping) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Mapping {}

impl Mapping {
    /// Makes a mapping, which stays for as long as the program runs: rows and sources name it by reference, and there are as many as
    /// the configuration has files.
    pub fn leak(spec: Spec) -> &'static Mapping {
        let name: &'static str = Box::leak(spec.name.into_boxed_str());
        let mut entries: HashMap<Vec<u8>, Vec<Entry>> = HashMap::new();
        for (target, key) in spec.fields {
            let words = spec.words.iter().filter(|(of, _)| *of == target).flat_map(|(_, words)| words);
            let words = words.map(|(from, to)| (from.clone().into_bytes(), to.clone().into_bytes())).collect();
            entries.entry(key.into_bytes()).or_default().push(Entry { put: target.put, words });
        }
        let constants = spec.constants.into_iter().map(|(target, text)| (target, text.into_bytes())).collect();
        Box::leak(Box::new(Mapping {
            name,
            form: spec.form,
            entries,
            constants,
            time_format: spec.time_format.unwrap_or_default().into_bytes(),
            kind: spec.kind,
            mark: spec.mark,
            sources: Box::leak(Box::new(sources(name))),
        }))
    }

    /// What a key holds goes to its fields; what no field is made of is kept under its own name.
    fn pair<'a>(
        &'a self,
        record: &Record<'_>,
        event: &mut Event<'a>,
        key: &[u8],
        value: Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let Some(entries) = self.entries.get(key) else {
            return event.take(record, Put::Extra, key, value, row);
        };
        for entry in entries {
            let meant = if entry.words.is_empty() { None } else { value.with(|text| entry.words.get(text)) };
            let value = meant.map_or(value, |word| Value::plain(word));
            event.take(record, entry.put, key, value, row)?;
        }
        Ok(())
    }

    fn read<'a>(&'a self, record: &Record<'a>, event: &mut Event<'a>, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        match &self.form {
            Form::Json => {
                let extent = json::walk(body, |path, value| self.pair(record, event, path, Value::json(value), row))?;
                if extent == Extent::Truncated {
                    return Err(Refusal { at: body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
                }
            }
            Form::Csv { delimiter, columns } => {
                let count = csv::columns_by(body, *delimiter).count();
                if count != columns.len() {
                    let found = count.to_string();
                    let kind =
                        RejectKind::bad_value("number of columns", found.as_bytes(), "as many as the mapping names");
                    return Err(Refusal { at: 0, kind });
                }
                let named = || csv::columns_by(body, *delimiter).zip(columns);
                if named().all(|(column, name)| column.value == name.as_bytes()) {
                    return Ok(Parsed::Nothing);
                }
                for (column, name) in named() {
                    self.pair(
                        record,
                        event,
                        name.as_bytes(),
                        Value {
                            raw: column.value.trim_ascii(),
                            escapes: if column.doubled { Escapes::Doubled } else { Escapes::None },
                        },
                        row,
                    )?;
                }
            }
            Form::KeyValue { separator } => {
                let pairs = match separator {
                    Some(separator) => kv::pairs_by(body, *separator),
                    None => kv::pairs(body),
                };
                let mut known = false;
                for pair in pairs {
                    if pair.unclosed {
                        let at = pair.value_offset().saturating_sub(1);
                        return Err(Refusal { at, kind: RejectKind::Unclosed { what: "a quoted value" } });
                    }
                    if pair.key.is_empty() {
                        row.extra_fixed("text", pair.value);
                        continue;
                    }
                    known = true;
                    self.pair(
                        record,
                        event,
                        pair.key,
                        Value { raw: pair.value, escapes: if pair.escaped { Escapes::Quoted } else { Escapes::None } },
                        row,
                    )?;
                }
                if !known {
                    return Err(record.not_this_family("key=value pairs, as the mapping says"));
                }
            }
        }
        Ok(Parsed::Events)
    }
}

impl Parser for Mapping {
    fn name(&self) -> &'static str {
        self.name
    }

    fn accepts(&self) -> Accepts {
        if self.form == Form::Json { Accepts::Objects } else { Accepts::Lines }
    }

    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let shape = if self.form == Form::Json { Shape::Object } else { Shape::Text };
        let marked = record.shape == shape
            && match self.mark.as_ref()? {
                Mark::Starts(text) => record.body.starts_with(text.as_bytes()),
                Mark::Contains(text) => contains(record.body, text.as_bytes()),
                Mark::Keys(keys) => keys.iter().all(|key| json::member(record.body, key.as_bytes()).is_some()),
            };
        marked.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event::default();
        event.kind = self.kind;
        let parsed = self.read(record, &mut event, row)?;
        if parsed == Parsed::Nothing {
            return Ok(parsed);
        }
        for (target, text) in &self.constants {
            event.take(record, target.put, target.name.as_bytes(), Value::plain(text), row)?;
        }
        event.set_note(Note::TimeFormat, Value::plain(&self.time_format));
        event.conclude(record, row, self.sources)?;
        Ok(Parsed::Events)
    }
}

/// Whether a time's pattern can be read. See [`crate::lex::pattern`].
///
/// # Errors
/// What is wrong with it.
pub fn check_time_format(pattern: &str) -> Result<(), &'static str> {
    pattern::check(pattern)
}
