//! Falco's alerts: JSON, and the text that `output` has in it.
//!
//! Which fields an alert has is the rule's choice. `fd.name` of a socket is `CLIENT->SERVER` whichever of them the process is;
//! `fd.c*` and `fd.s*` are the same ends by themselves. One end alone is what is listened on. The text's time of day is
//! that of the host without a date, so a text line has its header's time only.
//!
//! Source: falco.org, "Output formatting", "Supported fields for conditions and outputs".

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::detect::Keys;
use crate::document::{self, Notes, Paths, notes, paths};
use crate::lex::json::Value;
use crate::lex::text::{contains, port, split_once, split_once_str};
use crate::lex::time;
use crate::logins::end;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, Shape, set_time};

pub(super) struct Family;

static SOURCE: LogSource = LogSource {
    family: "falco",
    vendor: "Falco",
    product: "Falco",
    dataset: "falco.alerts",
    categories: &["ids"],
    products: &["falco", "linux"],
    services: &["falco"],
};

notes! {
    Time, Rule, Priority, EventTime, FdName, ClientIp, ClientPort, ServerIp, ServerPort, RemoteIp, RemotePort, LocalIp, LocalPort, Protocol,
    EventType, EventResult, Source
}

#[rustfmt::skip]
static PATHS: Paths<Note, 128> = {
    use Field::*;
    use self::Note as N;
    paths! {
    "time" Note(N::Time), "rule" Note(N::Rule), "priority" Note(N::Priority), "source" Note(N::Source), "hostname" Field(Host),
    "output" Field(Message), "tags" Extra, "uuid" Extra,
    "output_fields.evt.time" Note(N::EventTime), "output_fields.evt.rawtime" Leave, "output_fields.evt.time.iso8601" Leave,
    "output_fields.evt.type" Note(N::EventType), "output_fields.evt.res" Note(N::EventResult), "output_fields.evt.hostname" Field(Host),
    "output_fields.fd.name" Note(N::FdName), "output_fields.fd.cip" Note(N::ClientIp), "output_fields.fd.sip" Note(N::ServerIp),
    "output_fields.fd.cport" Note(N::ClientPort), "output_fields.fd.sport" Note(N::ServerPort), "output_fields.fd.rip" Note(N::RemoteIp),
    "output_fields.fd.rport" Note(N::RemotePort), "output_fields.fd.lip" Note(N::LocalIp), "output_fields.fd.lport" Note(N::LocalPort),
    "output_fields.fd.l4proto" Note(N::Protocol), "output_fields.fd.sip.name" Field(DstHost),
    "output_fields.proc.name" Field(ProcessName), "output_fields.proc.exepath" Field(ProcessPath), "output_fields.proc.pid" Field(ProcessId),
    "output_fields.proc.cmdline" Field(ProcessCommand), "output_fields.proc.pexepath" Field(ParentPath), "output_fields.proc.pcmdline" Field(ParentCommand),
    "output_fields.user.name" Field(User), "output_fields.user.uid" Field(UserId), "output_fields.user.loginname" Field(SrcUser),
    }
};

/// Words for how grave an alert is; the text form begins with one, behind its time.
const PRIORITIES: &[&str] = &["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "falco"
    }

    fn accepts(&self) -> Accepts {
        Accepts::Both
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let known = match record.shape {
            Shape::Object => record.keys.has(Keys::OUTPUT_FIELDS.and(Keys::RULE)),
            Shape::Text => record.header.app == b"falco" || text(record.line).is_some(),
        };
        known.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        row.log_source(&SOURCE);
        if record.shape == Shape::Text {
            let of_syslog = record.header.app == b"falco";
            let Some((priority, rest)) = text(record.body).or_else(|| text(record.line)) else {
                if !of_syslog {
                    return Err(record.not_this_family("`HH:MM:SS.nnnnnnnnn: PRIORITY TEXT`"));
                }
                row.set(key::KIND, EventKind::Other);
                row.text(key::MESSAGE, record.body);
                return Ok(Parsed::Events);
            };
            alert(priority.as_bytes(), row);
            row.text(key::MESSAGE, rest);
            row.text(key::SIGNATURE, sentence(rest));
            for name in [&b"connection="[..], b"fd.name=", b"connection "] {
                if let Some((_, rest)) = split_once_str(rest, name) {
                    ends(rest.split(|byte| matches!(byte, b' ' | b')')).next().unwrap_or_default(), row);
                    break;
                }
            }
            return Ok(Parsed::Events);
        }
        let mut notes = Notes::default();
        document::read(record, row, &PATHS, &[], |note, value, _| notes.take(note, value))?;
        conclude(record, &notes, row)?;
        Ok(Parsed::Events)
    }
}

/// Priority and text of `HH:MM:SS.nnnnnnnnn: PRIORITY TEXT`.
fn text(line: &[u8]) -> Option<(&'static str, &[u8])> {
    let [b'0'..=b'2', _, b':', _, _, b':', _, _, b'.', rest @ ..] = line else { return None };
    let rest = rest.get(9..)?.strip_prefix(b": ")?;
    let priority = PRIORITIES.iter().find(|priority| rest.starts_with(priority.as_bytes()))?;
    Some((priority, rest[priority.len()..].strip_prefix(b" ")?))
}

/// What a text says before its fields.
fn sentence(text: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'(', b'|', text).unwrap_or(text.len());
    text[..end].trim_ascii()
}

fn alert(priority: &[u8], row: &mut Row<'_>) {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Alert);
    row.text(key::LEVEL, priority);
    if let Some(severity) = PRIORITIES.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(priority)) {
        row.set(key::SEVERITY, severity as u64);
    }
}

fn conclude(record: &Record<'_>, notes: &Notes<'_, NOTES>, row: &mut Row<'_>) -> Result<(), Refusal> {
    if !notes.has(Note::Rule) {
        return Err(RejectKind::Missing { what: "rule" }.into());
    }
    alert(notes.raw(Note::Priority), row);
    document::text(row, key::SIGNATURE, notes.value(Note::Rule));
    document::text(row, key::SIGNATURE_CLASS, notes.value(Note::Source));
    document::text(row, key::EVENT_ACTION, notes.value(Note::EventType));
    // both say the same; the number cannot be cut
    match notes.value(Note::EventTime) {
        Value::Number(number) if time::epoch(number).is_some() => {
            if let Some(us) = time::epoch(number) {
                set_time(row, us);
            }
        }
        _ => document::time(record, row, "time", notes.value(Note::Time))?,
    }
    document::extra(row, "evt.res", notes.value(Note::EventResult));
    notes.value(Note::FdName).with(|name| ends(name, row));
    for (ip, number, ip_key, port_key) in [
        (Note::ClientIp, Note::ClientPort, key::SRC_IP, key::SRC_PORT),
        (Note::ServerIp, Note::ServerPort, key::DST_IP, key::DST_PORT),
    ] {
        row.set_opt(ip_key, Ip::parse(notes.raw(ip)));
        row.set_opt(port_key, port(document::whole(notes.value(number))));
    }
    // of a process's own and other end it is not known who began
    if !row.has(Field::SrcIp) && !row.has(Field::DstIp) {
        row.set_opt(key::SRC_IP, Ip::parse(notes.raw(Note::LocalIp)));
        row.set_opt(key::SRC_PORT, port(document::whole(notes.value(Note::LocalPort))));
        row.set_opt(key::DST_IP, Ip::parse(notes.raw(Note::RemoteIp)));
        row.set_opt(key::DST_PORT, port(document::whole(notes.value(Note::RemotePort))));
    }
    row.set_opt(key::TRANSPORT, Transport::parse(notes.raw(Note::Protocol)));
    if row.has(Field::SrcIp) && row.has(Field::DstIp) {
        match notes.raw(Note::EventResult) {
            b"ECONNREFUSED" => row.set(key::PORT_STATE, PortState::Closed),
            b"ETIMEDOUT" => row.set(key::PORT_STATE, PortState::Filtered),
            b"SUCCESS" if matches!(notes.raw(Note::EventType), b"accept" | b"accept4") => {
                row.set(key::PORT_STATE, PortState::Open)
            }
            _ => {}
        }
    }
    Ok(())
}

/// `CLIENT->SERVER`, or the one end that a process listens on.
fn ends(name: &[u8], row: &mut Row<'_>) {
    let Some((client, server)) = split_once_str(name, b"->") else {
        let (address, number) = end(name);
        if let (Some(ip), Some(number)) = (Ip::parse(address), number)
            && !contains(name, b"/")
        {
            if !ip.to_std().is_unspecified() {
                row.set(key::DST_IP, ip);
            }
            row.set(key::DST_PORT, number);
        }
        return;
    };
    for (text, ip_key, port_key) in [(client, key::SRC_IP, key::SRC_PORT), (server, key::DST_IP, key::DST_PORT)] {
        // the alert's text may write the server's name in the address's place
        let (address, number) = end(split_once(text, b'(').map_or(text, |(text, _)| text));
        row.set_opt(ip_key, Ip::parse(address));
        row.set_opt(port_key, number);
    }
    row.set(key::INITIATOR, Initiator::Source);
}
