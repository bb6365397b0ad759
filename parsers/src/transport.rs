//! What stands between the wire and the vendor's own words, taken off: framing, syslog headers, JSON envelopes.
//!
//! A family sees a [`Record`]: the body without headers and what the headers said. The same family therefore reads a line
//! from a file, from a relay that put its own header before it, and from the `message` member of a shipper's JSON. Headers
//! are optional at every level, since shippers eat them.

use schemas::{Field, Ip, RejectKind, Row, TimeSource, key};

use crate::Refusal;
use crate::detect::Keys;
use crate::lex::json::{self, Value};
use crate::lex::keys::KeyMap;
use crate::lex::syslog::{self, ClockTrust, Header};
use crate::lex::text::{decimal, offset_in};
use crate::lex::time::TimeContext;

/// Most envelopes around one line.
pub const ENVELOPES_MAX: usize = 4;

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line of text.
    Text,
    /// A JSON object.
    Object,
}

/// What a family can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Lines of text. Of a JSON envelope it gets the line inside.
    Lines,
    /// JSON objects, also those inside an envelope.
    Objects,
    /// Both: the line inside an envelope if it looks like the family's, else the object itself.
    Both,
}

/// One record with its transport taken off.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The line without framing and line ends; of an envelope the line inside it.
    pub line: &'a [u8],
    /// The vendor's own words: after the headers, or the JSON object from `{` on.
    pub body: &'a [u8],
    /// What the headers, or the envelope, said.
    pub header: Header<'a>,
    /// What `body` is made of.
    pub shape: Shape,
    /// Well-known keys of a JSON object; only filled in for detection.
    pub keys: Keys,
    /// Receipt and zone.
    pub time: &'a TimeContext,
    /// Attributes of what the record was wrapped in, as OpenTelemetry writes them; mostly empty.
    pub around: &'a [u8],
}

impl Record<'_> {
    /// Sets time, host and relay as the header has them. The session calls it before the family; a family calls it again
    /// after [`Row::another`].
    #[inline]
    pub fn stamp(&self, row: &mut Row<'_>) {
        if let Some(us) = self.header.time_us {
            row.set(key::TIME, us);
            row.set(
                key::TIME_SOURCE,
                match self.header.clock {
                    ClockTrust::Stated | ClockTrust::Lost => TimeSource::Record,
                    ClockTrust::NeverSet => TimeSource::Implausible,
                },
            );
        }
        if let Some(first) = self.header.host.first() {
            row.text(key::HOST, self.header.host);
            if first.is_ascii_digit() || *first == b'[' || *first == b':' {
                row.set_opt(key::HOST_IP, Ip::parse(self.header.host));
            }
            row.text(key::RELAY, self.header.relay);
        }
    }

    /// Takes back host and relay that the header's reading found in the line itself: for families whose lines begin with a
    /// time and go on with words of their own. What an envelope said stays.
    pub fn forget_host(&self, row: &mut Row<'_>) {
        if offset_in(self.line, self.header.host).is_some() {
            for field in [Field::Host, Field::HostIp, Field::Relay] {
                row.clear(field);
            }
        }
    }

    /// A refusal that points at `part`, a slice of the body or of the header before it.
    #[cold]
    pub fn refuse(&self, part: &[u8], kind: RejectKind) -> Refusal {
        let before = || Some(offset_in(self.line, part)?.wrapping_sub(offset_in(self.line, self.body)?));
        Refusal { at: offset_in(self.body, part).or_else(before).unwrap_or(0), kind }
    }

    /// A refusal that points at what is no JSON in `part`, a slice of the body.
    #[cold]
    pub fn refuse_json(&self, part: &[u8], error: json::Error) -> Refusal {
        let refusal = Refusal::from(error);
        Refusal { at: offset_in(self.body, part).unwrap_or(0) + refusal.at, kind: refusal.kind }
    }

    /// The refusal of a record that is not of the family.
    #[cold]
    pub fn not_this_family(&self, expected: &'static str) -> Refusal {
        Refusal { at: 0, kind: RejectKind::NotThisFamily { expected } }
    }
}

/// Sets an event time that a body states, in place of the header's.
#[inline]
pub fn set_time(row: &mut Row<'_>, us: i64) {
    row.set(key::TIME, us);
    row.set(key::TIME_SOURCE, TimeSource::Record);
}

/// Takes framing off: a byte order mark, an octet count (RFC 6587 section 3.4.1), CR, LF and NUL at the end.
#[inline]
pub fn unframe(line: &[u8]) -> &[u8] {
    let mut line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    while let [rest @ .., b'\r' | b'\n' | 0] = line {
        line = rest;
    }
    if let [b'1'..=b'9', ..] = line
        && let Some(digits) = line.iter().take(8).position(|&b| b == b' ')
        && line.get(digits + 1) == Some(&b'<')
        && decimal(&line[..digits]).is_some()
    {
        line = &line[digits + 1..];
    }
    line
}

/// Takes framing and headers off a line.
pub fn open<'a>(line: &'a [u8], time: &'a TimeContext) -> Record<'a> {
    let mut record = Record::closed(line, time);
    record.open(|line, header| syslog::header_into(line, time, header));
    record
}

impl<'a> Record<'a> {
    /// A line as it was received: nothing has been taken off it.
    #[inline(always)]
    pub(crate) fn closed(line: &'a [u8], time: &'a TimeContext) -> Record<'a> {
        let header = Header::default();
        Record { line, body: line, header, shape: Shape::Text, keys: Keys::NONE, time, around: b"" }
    }

    /// Takes framing and headers off where the record lies: one that is moved costs as much as one of its headers. `read_header`
    /// is [`syslog::header_into`], or what says the same sooner.
    #[inline]
    pub(crate) fn open(&mut self, read_header: impl FnOnce(&'a [u8], &mut Header<'a>) -> usize) {
        let line = unframe(self.line);
        let object = |body: &[u8]| {
            matches!(body, [b'{', ..])
                || matches!(body, [b'[', rest @ ..] if rest.trim_ascii_start().first() == Some(&b'{'))
        };
        let mut trimmed = line.trim_ascii_start();
        // an element of an array that has each on a line of its own, the comma first
        if let [b',', rest @ ..] = trimmed
            && rest.trim_ascii_start().first() == Some(&b'{')
        {
            trimmed = rest.trim_ascii_start();
        }
        self.line = line;
        (self.body, self.shape) = if object(trimmed) {
            (trimmed, Shape::Object)
        } else {
            let at = read_header(line, &mut self.header);
            let body = &line[at..];
            let inner = body.strip_prefix(b"@cee:").unwrap_or(body).trim_ascii_start();
            if object(inner) { (inner, Shape::Object) } else { (body, Shape::Text) }
        };
    }
}

/// The raw line that a shipper's JSON carries, and what it says about it.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    raw: Raw<'a>,
    time: Option<Value<'a>>,
    host: &'a [u8],
    app: &'a [u8],
    pid: &'a [u8],
}

/// How a shipper wrote the line.
#[derive(Clone, Copy, Debug)]
enum Raw<'a> {
    /// As a text, JSON escapes not resolved.
    Text(json::Text<'a>),
    /// As an array of the numbers of its bytes: journald does so where a line is no UTF-8.
    Bytes(&'a [u8]),
}

impl Raw<'_> {
    fn is_empty(self) -> bool {
        match self {
            Raw::Text(text) => text.raw.is_empty(),
            Raw::Bytes(array) => array.len() < 3,
        }
    }
}

/// Hands over the bytes of an array of numbers, one by one; `None` if it holds anything else.
pub fn bytes_of(array: &[u8], mut each: impl FnMut(u8)) -> Option<()> {
    for element in json::elements(array).ok()? {
        match element.ok()? {
            Value::Number(number) => each(u8::try_from(decimal(number)?).ok()?),
            _ => return None,
        }
    }
    Some(())
}

#[derive(Clone, Copy)]
enum Role {
    /// May hold the raw line; the smallest number that does wins.
    Raw(u8),
    /// An object whose `original` may hold it.
    Original(u8),
    /// May be either.
    RawOrOriginal(u8, u8),
    /// May hold it, or an object whose `stringValue` does.
    RawOrValue(u8),
    Time,
    /// A time that counts more than any other.
    Happened,
    Host,
    App,
    Pid,
    /// The name and number of the process, where none of the program that logs is there.
    Process,
    ProcessNumber,
}

/// Members of the shippers' envelopes, in the order in which a raw line is looked for.
static ROLES: KeyMap<Role, 128> = KeyMap::new(&[
    ("event.original", Role::Raw(0)),
    ("event", Role::RawOrOriginal(10, 0)),
    ("log.original", Role::Raw(1)),
    ("log", Role::RawOrOriginal(6, 1)),
    ("message", Role::Raw(2)),
    ("msg", Role::Raw(3)),
    ("raw", Role::Raw(4)),
    ("rawmsg", Role::Raw(4)),
    ("_raw", Role::Raw(5)),
    ("MESSAGE", Role::Raw(7)),
    ("full_message", Role::Raw(8)),
    ("short_message", Role::Raw(9)),
    ("Message", Role::Raw(11)),
    ("body", Role::RawOrValue(12)),
    ("Body", Role::Raw(12)),
    ("payload", Role::Raw(13)),
    ("textPayload", Role::Raw(14)),
    ("result", Role::Original(5)),
    ("@timestamp", Role::Time),
    ("timestamp", Role::Time),
    ("time", Role::Time),
    ("timeUnixNano", Role::Time),
    ("timereported", Role::Time),
    ("EventTime", Role::Time),
    ("DATE", Role::Time),
    ("date", Role::Time),
    ("hostname", Role::Host),
    ("host", Role::Host),
    ("host.name", Role::Host),
    ("HOST", Role::Host),
    ("Hostname", Role::Host),
    ("appname", Role::App),
    ("ident", Role::App),
    ("PROGRAM", Role::App),
    ("programname", Role::App),
    ("SYSLOG_IDENTIFIER", Role::App),
    ("_COMM", Role::Process),
    ("SYSLOG_PID", Role::Pid),
    ("_PID", Role::ProcessNumber),
    ("_HOSTNAME", Role::Host),
    ("_SOURCE_REALTIME_TIMESTAMP", Role::Happened),
    ("__REALTIME_TIMESTAMP", Role::Time),
    ("procid", Role::Pid),
    ("pid", Role::Pid),
    ("PID", Role::Pid),
]);

/// Looks for a raw line in a JSON object. `None` if no member can hold one.
pub fn envelope(object: &[u8]) -> Option<Envelope<'_>> {
    let mut best: Option<(u8, Raw<'_>)> = None;
    let (mut time, mut host, mut app, mut pid) = (None, &b""[..], &b""[..], &b""[..]);
    let (mut process, mut process_number) = (&b""[..], &b""[..]);
    for member in json::members(object).ok()?.map_while(Result::ok) {
        let Some(role) = ROLES.get(member.key) else { continue };
        let candidate = match (role, member.value) {
            (Role::Raw(rank) | Role::RawOrOriginal(rank, _) | Role::RawOrValue(rank), Value::Text(text)) => {
                Some((rank, Raw::Text(text)))
            }
            (Role::Raw(rank), Value::Array(array)) if member.key == b"MESSAGE" => Some((rank, Raw::Bytes(array))),
            (Role::RawOrValue(rank), Value::Object(inner)) => {
                json::member(inner, b"stringValue").and_then(Value::text).map(|text| (rank, Raw::Text(text)))
            }
            (Role::Original(rank) | Role::RawOrOriginal(_, rank), Value::Object(inner)) => {
                let original = json::member(inner, b"original").or_else(|| json::member(inner, b"_raw"));
                if member.key == b"result"
                    && let Some(Value::Text(text)) = json::member(inner, b"host")
                {
                    host = text.raw;
                }
                original.and_then(Value::text).map(|text| (rank, Raw::Text(text)))
            }
            // OpenTelemetry's zero is no time
            (Role::Time, value) if value.scalar() == b"0" => None,
            (Role::Time, value) => {
                time = time.or(Some(value));
                None
            }
            (Role::Happened, value) => {
                time = Some(value);
                None
            }
            (Role::Process, Value::Text(text)) => {
                process = text.raw;
                None
            }
            (Role::ProcessNumber, value) => {
                process_number = value.scalar();
                None
            }
            (Role::Host, Value::Text(text)) => {
                host = text.raw;
                None
            }
            // as Elastic's shippers write it
            (Role::Host, Value::Object(inner)) => {
                if let Some(Value::Text(text)) = json::member(inner, b"name") {
                    host = text.raw;
                }
                None
            }
            (Role::App, Value::Text(text)) => {
                app = text.raw;
                None
            }
            (Role::Pid, value) => {
                pid = value.scalar();
                None
            }
            (Role::Raw(_) | Role::Original(_) | Role::RawOrOriginal(..) | Role::RawOrValue(_), _) => None,
            (Role::Host | Role::App | Role::Process, _) => None,
        };
        if let Some((rank, raw)) = candidate
            && !raw.is_empty()
            && best.is_none_or(|(known, _)| rank < known)
        {
            best = Some((rank, raw));
        }
    }
    if app.is_empty() {
        app = process;
    }
    if pid.is_empty() {
        pid = process_number;
    }
    best.map(|(_, raw)| Envelope { raw, time, host, app, pid })
}

/// The object that a store or a collector has put one level down: a hit's `_source`, the `event` of Splunk's collector. What the
/// wrapper says of time and host holds for a record without them. `None` if it is no such wrapper.
pub fn nested<'a>(record: &Record<'a>) -> Option<Record<'a>> {
    let (mut inside, mut wraps, mut time, mut host) = (None, false, None, &b""[..]);
    for member in json::members(record.body).ok()?.map_while(Result::ok) {
        match (member.key, member.value) {
            (b"_source", Value::Object(object)) => (inside, wraps) = (Some(object), true),
            (b"event", Value::Object(object)) => inside = Some(object),
            (b"sourcetype", _) => wraps = true,
            (b"time", value) => time = value.with(|text| record.time.any(text)),
            (b"host", Value::Text(text)) => host = text.raw,
            _ => {}
        }
    }
    let body = inside.filter(|_| wraps)?;
    let mut inner = Record { body, keys: Keys::NONE, ..record.clone() };
    inner.header.time_us = time.or(inner.header.time_us);
    inner.header.host = if host.is_empty() { inner.header.host } else { host };
    Some(inner)
}

impl<'a> Envelope<'a> {
    /// Appends the raw line, escapes resolved; nothing where it is an array that holds anything but bytes.
    pub fn append_to(&self, into: &mut Vec<u8>) {
        let before = into.len();
        match self.raw {
            Raw::Text(text) => text.append_to(into),
            Raw::Bytes(array) => {
                if bytes_of(array, |byte| into.push(byte)).is_none() {
                    into.truncate(before);
                }
            }
        }
    }

    /// The record inside, with the shipper's fields where the line has no header of its own. `scratch` takes the line if
    /// it has to be unescaped.
    pub fn open(&self, scratch: &'a mut Vec<u8>, time: &'a TimeContext) -> Record<'a> {
        scratch.clear();
        let line = match self.raw {
            Raw::Text(text) if !text.escaped => text.raw,
            Raw::Text(_) | Raw::Bytes(_) => {
                self.append_to(scratch);
                &scratch[..]
            }
        };
        let mut record = open(line, time);
        let header = &mut record.header;
        if header.time_us.is_none() {
            header.time_us = self.time.and_then(|value| value.with(|text| time.any(text)));
        }
        if header.host.is_empty() {
            header.host = self.host;
        }
        if header.app.is_empty() {
            (header.app, header.pid) = (self.app, self.pid);
        }
        record
    }
}
