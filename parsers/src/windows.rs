//! What the two families of Windows events share: reading each event of a record, and writing what all events have.
//!
//! Beside `families/` and not in it, since a family knows no other; and not in `lex/`, which knows no columns.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use schemas::{Field as Column, FieldKind, Key, RejectKind, Row, Span, key};

use crate::detect::Keys;
use crate::lex::text::{contains, decimal, file_name, hexadecimal, offset_in, rsplit_once, trim};
use crate::lex::winevent::{Field, Slot, WinEvent, is_event_text, read_json, read_text, read_xml};
use crate::lex::xml::Reader;
use crate::transport::{Record, Shape, set_time};
use crate::{Memory, Parsed, Refusal};

/// Whether a text is a rendered event: `<Event`, after an XML declaration, blanks or the viewer's dash, with the
/// namespace of Windows events near its beginning.
pub fn is_event_xml(body: &[u8]) -> bool {
    let head = &body[..body.len().min(400)];
    let start = head.trim_ascii_start();
    let start = start.strip_prefix(b"- ").unwrap_or(start);
    start.starts_with(b"<Event") || start.starts_with(b"<?xml") && contains(head, b"<Event")
}

/// The end of the provider's name as a JSON text; inside other text its quote would be escaped.
static SYSMON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"-Sysmon\""));

/// The system part of an event that was turned from XML into JSON.
static RENDERED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"EventID\""));

/// Whether an object has the keys of a Windows event.
#[inline]
pub fn has_event_keys(keys: Keys) -> bool {
    const SHIPPED: Keys = Keys::WINLOG.and(Keys::WINLOG_EVENT_ID).and(Keys::WINLOG_CHANNEL).and(Keys::WINLOG_PROVIDER);
    const ORIGIN: Keys =
        Keys::CHANNEL.and(Keys::SOURCE_NAME).and(Keys::PROVIDER).and(Keys::PROVIDER_2).and(Keys::LOG_NAME);
    keys.has_any(SHIPPED)
        || keys.has_any(Keys::EVENT_ID.and(Keys::EVENT_CODE)) && keys.has_any(ORIGIN)
        || keys.has(Keys::OLD_EVENT_ID.and(Keys::EVENT_DATA))
        || keys.has_any(Keys::WINLOGBEAT_EVENT_ID.and(Keys::WINLOGBEAT_WINLOG_EVENT_ID))
}

/// Whether a record is an event of Windows, and if so whether Sysmon wrote it.
pub fn is_sysmon(record: &Record<'_>) -> Option<bool> {
    match record.shape {
        Shape::Object => {
            let known =
                has_event_keys(record.keys) || record.keys.has(Keys::WIN_EVENT) && RENDERED.find(record.body).is_some();
            known.then(|| SYSMON.find(record.body).is_some())
        }
        Shape::Text => {
            let known = is_event_xml(record.body) || is_event_text(&record.header, record.body);
            // The provider stands at the beginning of the system part.
            let head = &record.body[..record.body.len().min(400)];
            known.then(|| contains(head, b"-Sysmon") || record.header.app.ends_with(b"-Sysmon"))
        }
    }
}

/// What is wrong in an event, and the part of the record that it is wrong in.
pub struct Fault<'a> {
    part: &'a [u8],
    kind: RejectKind,
}

impl From<RejectKind> for Fault<'_> {
    #[cold]
    fn from(kind: RejectKind) -> Self {
        Fault { part: b"", kind }
    }
}

/// Sets a field by its type, unless the event says nothing there.
///
/// # Errors
/// That the text is not of the field's type.
#[inline]
pub fn put<'a>(row: &mut Row<'_>, column: Column, field: Field<'a>) -> Result<(), Fault<'a>> {
    if field.is_absent() {
        return Ok(());
    }
    row.put(column, field.raw()).map_err(|kind| Fault { part: field.raw(), kind })
}

/// That a field's text is not of the type it should be.
#[cold]
pub fn bad<'a>(what: &'static str, field: Field<'a>, expected: &'static str) -> Fault<'a> {
    Fault { part: field.raw(), kind: RejectKind::bad_value(what, field.raw(), expected) }
}

/// Reads each event of a record and has it written; the rows of a document with several follow each other.
pub fn each_event<'a>(
    record: &Record<'a>,
    memory: &mut Memory,
    row: &mut Row<'_>,
    mut write: impl FnMut(&mut WinEvent<'a>, &mut Row<'_>) -> Result<(), Fault<'a>>,
) -> Result<Parsed, Refusal> {
    let refuse = |from: usize, fault: Fault<'a>| {
        let at = offset_in(record.body, fault.part).filter(|_| !fault.part.is_empty());
        Refusal { at: at.unwrap_or(from), kind: fault.kind }
    };
    if record.shape == Shape::Object {
        let mut event = WinEvent::default();
        read_json(record.body, memory.trail(), &mut event, |name, field| extra(row, name, field))?;
        if !event.has_data() && !event.peek(Slot::Message).is_absent() {
            event.fill_from_message();
        }
        write(&mut event, row).map_err(|fault| refuse(0, fault))?;
        return Ok(Parsed::Events);
    }
    if !is_event_xml(record.body) {
        let mut event = WinEvent::default();
        if !read_text(&record.header, record.body, &mut event, |name, field| extra(row, name, field)) {
            return Err(
                record.not_this_family("<Event> with <System>, or an event as Snare, Splunk or QRadar write it")
            );
        }
        event.fill_from_message();
        write(&mut event, row).map_err(|fault| refuse(0, fault))?;
        return Ok(Parsed::Events);
    }
    let mut reader = Reader::new(record.body);
    let mut any = false;
    loop {
        let at = reader.at();
        // The next event's row is begun before it is read, since its unknown fields go there at once.
        if any {
            if !contains(&record.body[at..], b"<Event") {
                return Ok(Parsed::Events);
            }
            row.another()?;
            record.stamp(row);
        }
        let mut event = WinEvent::default();
        if !read_xml(record.body, &mut reader, &mut event, |name, field| extra(row, name, field))? {
            return Err(record.not_this_family("<Event> with <System>"));
        }
        any = true;
        write(&mut event, row).map_err(|fault| refuse(at, fault))?;
    }
}

#[inline]
fn extra(row: &mut Row<'_>, name: &[u8], field: Field<'_>) {
    if !field.is_absent() {
        field.with(|text| row.extra(name, text));
    }
}

/// Sets a text, unless the event says nothing there.
#[inline]
pub fn text<K: FieldKind<Stored = Span, Value = Span>>(row: &mut Row<'_>, key: Key<K>, field: Field<'_>) {
    if !field.is_absent() {
        field.with(|text| row.text(key, text));
    }
}

/// What every event has: time, host, number, level; and at the end what nobody has taken, as extras.
///
/// # Errors
/// No number, or one that is none.
pub fn common<'a>(event: &mut WinEvent<'a>, record: &Record<'_>, row: &mut Row<'_>) -> Result<u32, Fault<'a>> {
    let code_text = event.take(Slot::EventId);
    let Some(code) = event.code() else {
        return Err(match code_text.raw() {
            b"" => RejectKind::Missing { what: "the event's number (EventID)" }.into(),
            _ => bad("EventID", code_text, "digits"),
        });
    };
    text(row, key::EVENT_CODE, code_text);
    if let Some(us) = event.time(record.time) {
        set_time(row, us);
    }
    let host = event.first(&[Slot::Computer, Slot::HostName]);
    text(row, key::HOST, host);
    for (column, slot) in [(key::EVENT_ACTION, Slot::Action), (key::LEVEL, Slot::Severity)] {
        // a word, where the shipper has looked it up
        let word = event.peek(slot);
        if !word.raw().iter().all(u8::is_ascii_digit) {
            text(row, column, word);
        }
    }
    let record_id = event.peek(Slot::RecordId);
    if !record_id.is_absent() {
        row.extra_fixed("record_id", record_id.raw());
    }
    Ok(code)
}

/// Puts what nobody has taken into the extras, under its own name.
pub fn leave(event: &WinEvent<'_>, row: &mut Row<'_>) {
    for (name, field) in event.rest() {
        field.with(|text| row.extra_fixed(name, text));
    }
}

/// Sets the user from `name`, `DOMAIN\name` or Kerberos' `name@REALM`.
pub fn account(row: &mut Row<'_>, field: Field<'_>) {
    if field.is_absent() {
        return;
    }
    field.with(|name| account_text(row, name));
}

/// The same from a text.
pub fn account_text(row: &mut Row<'_>, name: &[u8]) {
    match rsplit_once(name, b'\\') {
        Some((domain, name)) => {
            row.text(key::USER_DOMAIN, domain.strip_suffix(b"\\").unwrap_or(domain));
            row.text(key::USER, name);
        }
        None => row.text(key::USER, name),
    }
}

/// A hexadecimal or decimal process number.
pub fn process_id(row: &mut Row<'_>, field: Field<'_>) {
    let number = match field.raw() {
        text @ [b'0', b'x' | b'X', ..] => hexadecimal(text),
        text => decimal(text),
    };
    row.set_opt(key::PROCESS_ID, number);
}

/// Path and name of a program.
pub fn program(row: &mut Row<'_>, field: Field<'_>) {
    if field.is_absent() {
        return;
    }
    field.with(|path| {
        row.text(key::PROCESS_PATH, path);
        row.text(key::PROCESS_NAME, file_name(path));
    });
}

/// The number of a logon type by its name, however the words of the name are joined: `RemoteInteractive`, `REMOTE_INTERACTIVE`.
/// Source: Microsoft, "4624(S): An account was successfully logged on", and `SECURITY_LOGON_TYPE` in ntsecapi.h.
pub fn logon_type(name: &[u8]) -> Option<u64> {
    const NAMES: [(&str, u64); 12] = [
        ("interactive", 2),
        ("network", 3),
        ("batch", 4),
        ("service", 5),
        ("unlock", 7),
        ("networkcleartext", 8),
        ("newcredentials", 9),
        ("remoteinteractive", 10),
        ("remoteinteractive(rdp)", 10),
        ("cachedinteractive", 11),
        ("cachedremoteinteractive", 12),
        ("cachedunlock", 13),
    ];
    let letters = || name.iter().filter(|byte| !matches!(byte, b'_' | b' ')).map(u8::to_ascii_lowercase);
    NAMES.iter().find(|(known, _)| letters().eq(known.bytes())).map(|(_, number)| *number)
}

/// The response code that a Windows error number stands for, where it stands for one. Source: winerror.h, `DNS_ERROR_*`.
pub fn dns_result(number: &[u8]) -> Option<&'static str> {
    Some(match number {
        b"0" => "NOERROR",
        b"9001" => "FORMERR",
        b"9002" => "SERVFAIL",
        b"9003" => "NXDOMAIN",
        b"9005" => "REFUSED",
        _ => return None,
    })
}

/// One of the results that Windows joins by `;`: `type:  5 www.example.net` or `::ffff:192.0.2.1`.
pub fn dns_answer(result: &[u8]) -> Option<&[u8]> {
    let result = trim(result);
    let data = match result.strip_prefix(b"type:") {
        Some(typed) => {
            let typed = typed.trim_ascii_start();
            let digits = typed.iter().take_while(|byte| byte.is_ascii_digit()).count();
            trim(&typed[digits..])
        }
        None => result.strip_prefix(b"::ffff:").unwrap_or(result),
    };
    (!data.is_empty()).then_some(data)
}
