//! Log records of OpenTelemetry: each record of an OTLP document, and the rows that exporters make of them.
//!
//! A document (`resourceLogs` of `scopeLogs` of `logRecords`) is cut into its records before it comes here; what its resource says
//! stands around the record and is read with it. A body that is a line of a known family is that family's, and this
//! only an envelope. Else the attributes are the facts: the semantic conventions' names, and what programs usually mean by
//! others. Also read: one record alone, ClickHouse's columns, Elastic's documents.
//!
//! Source: OpenTelemetry, "Logs Data Model", "OTLP" 1.5 (JSON), "Semantic Conventions" 1.30.

use schemas::{Field as F, RejectKind, Row, key};

use crate::detect::Keys;
use crate::generic::Put::{Again, Extra, Leave, Maybe, Note};
use crate::generic::aliases::alias;
use crate::generic::{Event, Note as N, Put, Sources, Value, keys, sources};
use crate::lex::json::{self, Extent};
use crate::lex::keys::KeyMap;
use crate::lex::otlp;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static SOURCES: Sources = sources("otel");

/// Names of the semantic conventions that other programs don't use, or mean otherwise.
static ATTRIBUTES: KeyMap<Put, 128> = KeyMap::new(keys! {
    Note(N::Src) => "source.address" "client.address";
    Note(N::Dst) => "destination.address" "server.address";
    Maybe(F::SrcPort) => "source.port" "client.port";
    Maybe(F::DstPort) => "destination.port" "server.port";
    // which of both ends the program is, nothing says
    Extra => "network.peer.address" "network.peer.port" "network.local.address" "network.local.port" "net.peer.ip" "net.peer.port" "net.host.ip"
        "net.host.port" "net.sock.peer.addr" "net.sock.host.addr" "network.type" "service" "service.namespace" "service.version"
        "event.domain" "user.id";
    Note(N::Host) => "host.name";
    Note(N::HostAddress) => "host.ip";
    Note(N::User) => "user.name" "enduser.id";
    Note(N::Name) => "event.name";
    Again(F::Product) => "service.name";
    Maybe(F::Level) => "log.level";
    // the exporter's word about itself, and the line that was read
    Leave => "telemetry.sdk.name" "telemetry.sdk.language" "telemetry.sdk.version" "log.record.original" "log.file.name" "log.file.path"
        "log.iostream" "observed_timestamp";
});

/// Severity numbers go by fours. Source: "Logs Data Model", "Field: SeverityNumber".
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "otel"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["otlp", "opentelemetry"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Objects
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _: &Memory) -> Option<Confidence> {
        let marks = Keys::OTEL_TIME.and(Keys::OTEL_OBSERVED).and(Keys::OTEL_SEVERITY).and(Keys::OTEL_ATTRIBUTES);
        record.keys.has_any(marks).then_some(Confidence::Likely)
    }

    fn parse(&self, record: &Record<'_>, _: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut log = Log { event: Event::default(), observed: Value::default(), known: false };
        let mut members = json::members(record.body)?;
        for member in members.by_ref() {
            let member = member?;
            log.member(record, member.key, member.value, row)?;
        }
        if members.extent() == Extent::Truncated {
            return Err(Refusal { at: record.body.len(), kind: RejectKind::Unclosed { what: "the JSON object" } });
        }
        if !log.known {
            return Err(record.not_this_family("a log record of OpenTelemetry"));
        }
        if !record.around.is_empty() {
            log.attributes(record, json::Value::Array(record.around), row)?;
        }
        log.conclude(record, row)?;
        Ok(Parsed::Events)
    }
}

struct Log<'a> {
    event: Event<'a>,
    observed: Value<'a>,
    /// Whether there is any member of the data model.
    known: bool,
}

impl<'a> Log<'a> {
    fn member(
        &mut self,
        record: &Record<'a>,
        name: &[u8],
        value: json::Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let scalar = Value::json(value);
        match name {
            b"timeUnixNano" | b"time_unix_nano" | b"Timestamp" | b"@timestamp" => {
                if scalar.raw != b"0" {
                    self.event.take(record, Note(N::Time), name, scalar, row)?;
                }
                self.known |= name != b"@timestamp";
            }
            b"observedTimeUnixNano" | b"observed_time_unix_nano" | b"ObservedTimestamp" => {
                self.observed = scalar;
                self.known = true;
            }
            b"severityNumber" | b"severity_number" | b"SeverityNumber" => {
                self.event.take(record, Maybe(F::Severity), name, scalar, row)?;
                self.known = true;
            }
            b"severityText" | b"severity_text" | b"SeverityText" => {
                self.event.take(record, Maybe(F::Level), name, scalar, row)?
            }
            b"body" | b"Body" => self.body(record, otlp::any(value), value, row)?,
            b"attributes" | b"LogAttributes" | b"ResourceAttributes" => {
                self.known |= name != b"attributes";
                self.attributes(record, value, row)?;
            }
            b"resource" => {
                if let json::Value::Object(resource) = value {
                    self.attributes(record, json::member(resource, b"attributes").unwrap_or(json::Value::Null), row)?;
                }
            }
            b"eventName" | b"event_name" | b"EventName" => self.event.take(record, Note(N::Name), name, scalar, row)?,
            b"ServiceName" => self.event.take(record, Again(F::Product), name, scalar, row)?,
            b"traceId" | b"trace_id" | b"TraceId" => scalar.with(|text| row.extra_fixed("trace_id", text)),
            b"spanId" | b"span_id" | b"SpanId" => scalar.with(|text| row.extra_fixed("span_id", text)),
            b"ScopeName" => scalar.with(|text| row.extra_fixed("scope", text)),
            b"flags" | b"TraceFlags" | b"droppedAttributesCount" | b"scope" | b"data_stream" | b"TimestampTime" => {}
            b"ScopeVersion" | b"ScopeAttributes" | b"ScopeSchemaUrl" | b"ResourceSchemaUrl" => {}
            name => match value {
                json::Value::Object(_) | json::Value::Array(_) => {}
                _ => scalar.with(|text| row.extra(name, text)),
            },
        }
        Ok(())
    }

    fn body(
        &mut self,
        record: &Record<'a>,
        body: json::Value<'a>,
        written: json::Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        match (body, written) {
            (json::Value::Array(_), _) => self.attributes(record, body, row),
            // Elastic has the text in a member of its own
            (json::Value::Null, json::Value::Object(object)) => match json::member(object, b"text") {
                Some(text) => self.body(record, text, json::Value::Null, row),
                None => self.attributes(record, written, row),
            },
            _ => {
                let text = Value::json(body);
                self.event.set_note(N::About, text);
                self.event.take(record, Maybe(F::Message), b"body", text, row)
            }
        }
    }

    /// Attributes as OTLP writes them, or as an object with dotted or nested names.
    fn attributes(&mut self, record: &Record<'a>, list: json::Value<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        match list {
            json::Value::Array(text) => {
                for attribute in otlp::attributes(text) {
                    match attribute.value {
                        json::Value::Array(inner) => {
                            for element in json::elements(inner).into_iter().flatten().map_while(Result::ok) {
                                self.attribute(record, attribute.key, otlp::any(element), row)?;
                            }
                        }
                        scalar => self.attribute(record, attribute.key, scalar, row)?,
                    }
                }
                Ok(())
            }
            json::Value::Object(text) => {
                json::walk(text, |path, value| self.attribute(record, path, value, row)).map(|_: Extent| ())
            }
            _ => Ok(()),
        }
    }

    fn attribute(
        &mut self,
        record: &Record<'a>,
        name: &[u8],
        value: json::Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let put = ATTRIBUTES.get(name).or_else(|| alias(name)).unwrap_or(Extra);
        self.event.take(record, put, name, Value::json(value), row)
    }

    fn conclude(&mut self, record: &Record<'a>, row: &mut Row<'_>) -> Result<(), Refusal> {
        if self.event.note(N::Time).raw.is_empty() && self.observed.raw != b"0" {
            self.event.set_note(N::Time, self.observed);
        }
        let level =
            row.get(key::SEVERITY).and_then(|number| LEVELS.get(usize::try_from(number.checked_sub(1)? / 4).ok()?));
        if let Some(level) = level.filter(|_| !row.has(F::Level)) {
            row.fixed(key::LEVEL, level);
        }
        self.event.conclude(record, row, &SOURCES)?;
        Ok(())
    }
}
