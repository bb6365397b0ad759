//! Graylog Extended Log Format 1.0 and 1.1, and what Graylog exports of it.
//!
//! A message is a text and whatever fields its sender adds under a leading underscore, so names are read by what programs
//! usually mean by them. Where the text itself is a line of a known family that line is what the record says; then this is only an
//! envelope. Exports drop the underscore and call the host `source`.
//!
//! Source: Graylog, "GELF Payload Specification" 1.1.

use schemas::{Field as F, RejectKind, Row, key};

use crate::detect::Keys;
use crate::generic::Put::{Extra, Leave, Maybe, Note, To};
use crate::generic::aliases::alias;
use crate::generic::{Event, Note as N, Put, Sources, Value, keys, sources};
use crate::lex::json::{self, Extent};
use crate::lex::keys::KeyMap;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCES: Sources = sources("gelf");

static KEYS: KeyMap<Put, 128> = KeyMap::new(keys! {
    Note(N::Host) => "host";
    Note(N::Time) => "timestamp";
    To(F::Message) => "short_message";
    Extra => "full_message" "file" "line" "facility" "_facility";
    Maybe(F::Severity) => "level";
    Leave => "version" "_id" "_version" "_index";
});

/// Members of an export.
static EXPORTED: KeyMap<Put, 32> = KeyMap::new(keys! {
    Note(N::Host) => "source";
    To(F::Message) => "message";
    Leave => "streams" "gl2_accounted_message_size" "gl2_message_id" "gl2_source_input" "gl2_source_node" "gl2_source_collector"
        "gl2_processing_timestamp" "gl2_receive_timestamp" "gl2_remote_port";
    // who sent it on, and perhaps who wrote it
    Extra => "gl2_remote_ip" "gl2_original_timestamp";
});

/// Severities of syslog, as words. Source: RFC 5424, section 6.2.1.
const LEVELS: [&str; 8] = ["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "gelf"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["graylog"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let keys = record.keys;
        let sent = keys.has(Keys::SHORT_MESSAGE) && keys.has_any(Keys::VERSION.and(Keys::HOST));
        let exported = keys.has(Keys::GRAYLOG_ID.and(Keys::MESSAGE));
        (sent || exported).then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut event = Event::default();
        let exported = json::member(record.body, b"short_message").is_none();
        let extent = json::walk(record.body, |path, value| {
            let value = Value::json(value);
            let put = KEYS.get(path).or_else(|| if exported { EXPORTED.get(path) } else { None });
            let name = path.strip_prefix(b"_").unwrap_or(path);
            let put = put.or_else(|| alias(name)).unwrap_or(Extra);
            if matches!(put, To(F::Message)) {
                event.set_note(N::About, value);
            }
            event.take(record, put, name, value, row)
        })?;
        if extent == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        if !row.has(F::Message) || exported && event.note(N::Host).raw.is_empty() {
            return Err(record.not_this_family("`short_message`, or `source` and `message` of an export"));
        }
        let level = row.get(key::SEVERITY).and_then(|level| LEVELS.get(usize::try_from(level).ok()?));
        if let Some(level) = level.filter(|_| !row.has(F::Level)) {
            row.fixed(key::LEVEL, level);
        }
        event.conclude(record, row, &SOURCES)?;
        Ok(Parsed::Events)
    }
}
