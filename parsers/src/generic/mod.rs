//! What formats without a vendor share: CEF, LEEF, GELF, OpenTelemetry, CIM and configured mappings name the same facts by
//! other keys, and leave the same things open.
//!
//! A family of them is a table from its keys to a [`Put`]. What needs a second fact to be judged is noted while the record is
//! read, since keys come in any order, and concluded at its end: whose name is the account, which of three stamps is the
//! event's time, whether an end is an address or a name, what sort of event it is. Beside `families/`, since no family
//! knows another; not in `lex/`, which knows no columns.

pub mod aliases;
mod value;
pub mod words;

pub use value::{Escapes, Value};

use schemas::{
    Action, EventKind, Field, FieldKind, FieldType, Ip, Key, LogSource, Outcome, PortState, RejectKind, Row, Span,
    Transport, key,
};

use crate::lex::pattern;
use crate::lex::text::{decimal, is_absent, rsplit_once, split_once};
use crate::lex::time::{self, TimeContext, Zone};
use crate::{Record, Refusal, set_time};

/// What is done with a key's value.
#[derive(Clone, Copy, Debug)]
pub enum Put {
    /// Into a field, by its type; what is not of the type refuses the record.
    To(Field),
    /// Into a field if it is of its type, else it is kept as it is.
    Maybe(Field),
    /// Likewise, and what comes later is not kept: it says the same in other words.
    Again(Field),
    /// Noted, concluded at the end.
    Note(Note),
    /// Added to the answers of a name lookup.
    Answer,
    /// Kept under its own name.
    Extra,
    /// Not kept: the sender's word about itself, or what another key says.
    Leave,
}

/// The entries of a table from keys to what is done with them: a line a meaning, with the keys that have it.
macro_rules! keys {
    ($($put:expr => $($key:literal)+;)+) => { &[$($(($key, $put)),+),+] };
}
pub(crate) use keys;

/// What is concluded from, one slot each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// When it happened.
    Time,
    /// When the device took note of it.
    Noticed,
    /// The zone of stamps without one.
    Zone,
    /// The format of stamps that aren't of the usual ones, as a pattern.
    TimeFormat,
    /// When it began.
    Start,
    /// When it ended.
    End,
    /// The source: an address, with a port or without, or a name.
    Src,
    /// The destination, likewise.
    Dst,
    /// The other end as a server sees it: the source of a logon, nothing sure elsewhere.
    Peer,
    /// The source's other address.
    NatSrc,
    /// The destination's other address.
    NatDst,
    /// Name or number of the IP protocol; an application's name may follow a slash.
    Transport,
    /// A word, or CEF's number.
    Direction,
    /// The device's word for what it did.
    Action,
    /// The sender's word for how it ended.
    Outcome,
    /// A number or a word.
    Severity,
    /// The device's name.
    Host,
    /// The device's address, or its name.
    HostAddress,
    /// The account concerned.
    User,
    /// The account at the source's end.
    SrcUser,
    /// The account at the destination's end.
    DstUser,
    /// The domain of the source's account.
    SrcDomain,
    /// The domain of the destination's account.
    DstDomain,
    /// The id of the source's account.
    SrcUserId,
    /// The id of the destination's account.
    DstUserId,
    /// A duration in seconds, with a fraction or without.
    Seconds,
    /// A duration in milliseconds.
    Milliseconds,
    /// A duration in microseconds.
    Microseconds,
    /// A duration in nanoseconds.
    Nanoseconds,
    /// What the event is called.
    Name,
    /// A sentence that says what it is about; kept elsewhere.
    About,
    /// The sender's class of event.
    Category,
    /// A process, by name or by path.
    Process,
    /// How many there are.
    Count,
}

/// The log sources of a family: one a kind of event. Of a product nothing is known beforehand, so that a rule for any
/// product may match.
pub struct Sources {
    flow: LogSource,
    auth: LogSource,
    alert: LogSource,
    dns: LogSource,
    process: LogSource,
    other: LogSource,
}

/// The log sources of the family of that name.
pub const fn sources(family: &'static str) -> Sources {
    const fn source(family: &'static str, categories: &'static [&'static str]) -> LogSource {
        LogSource { family, vendor: "", product: "", dataset: "", categories, products: &[], services: &[] }
    }
    Sources {
        flow: source(family, &["firewall", "network_connection", "proxy", "webserver"]),
        auth: source(family, &["authentication"]),
        alert: source(family, &["ids", "firewall", "network_connection", "antivirus"]),
        dns: source(family, &["dns", "dns_query"]),
        process: source(family, &["process_creation"]),
        other: source(family, &[]),
    }
}

impl Sources {
    /// That of a kind.
    pub fn of(&'static self, kind: EventKind) -> &'static LogSource {
        match kind {
            EventKind::Flow | EventKind::Listener => &self.flow,
            EventKind::Auth => &self.auth,
            EventKind::Alert => &self.alert,
            EventKind::Dns => &self.dns,
            EventKind::Process => &self.process,
            EventKind::Inventory | EventKind::Other => &self.other,
        }
    }
}

/// One record while it is read.
pub struct Event<'a> {
    notes: [Value<'a>; Note::Count as usize],
    /// What sort of event it is, where the sender says so.
    pub kind: Option<EventKind>,
    /// How it ended, where the sender's code says so and no word does.
    pub outcome: Option<Outcome>,
    /// Whether it ends a session, where the sender's code says so.
    pub logoff: bool,
}

impl Default for Event<'_> {
    fn default() -> Self {
        Event { notes: [Value::plain(b""); Note::Count as usize], kind: None, outcome: None, logoff: false }
    }
}

/// Words that senders write for nothing in addresses, ports and counters.
fn is_unknown(text: &[u8]) -> bool {
    is_absent(text) || text.eq_ignore_ascii_case(b"unknown") || text.eq_ignore_ascii_case(b"none")
}

impl<'a> Event<'a> {
    /// What was noted; empty if nothing.
    #[inline]
    pub fn note(&self, note: Note) -> Value<'a> {
        self.notes[note as usize]
    }

    /// Notes a value in place of what was noted.
    #[inline]
    pub fn set_note(&mut self, note: Note, value: Value<'a>) {
        self.notes[note as usize] = value;
    }

    fn first(&self, notes: &[Note]) -> Option<Value<'a>> {
        notes.iter().map(|note| self.note(*note)).find(|value| !value.raw.is_empty())
    }

    /// Takes one key's value. Of several values for one thing the first counts, the others are kept as they are.
    ///
    /// # Errors
    /// That the value is not of its field's type.
    #[inline]
    pub fn take(
        &mut self,
        record: &Record<'_>,
        put: Put,
        name: &[u8],
        value: Value<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        if value.is_absent() {
            return Ok(());
        }
        match put {
            Put::Again(field) if row.has(field) => {}
            Put::To(field) | Put::Maybe(field) | Put::Again(field) => {
                let is_text = matches!(field.field_type(), FieldType::Text | FieldType::List);
                if !is_text && is_unknown(value.raw) {
                    return Ok(());
                }
                if row.has(field) {
                    value.with(|text| row.extra(name, text));
                    return Ok(());
                }
                match value.with(|text| row.put(field, text)) {
                    Ok(()) => {}
                    Err(kind) if matches!(put, Put::To(_)) => return Err(record.refuse(value.raw, kind)),
                    Err(_) => value.with(|text| row.extra(name, text)),
                }
            }
            Put::Note(note) => {
                let slot = &mut self.notes[note as usize];
                if slot.raw.is_empty() {
                    *slot = value;
                } else if slot.raw != value.raw {
                    value.with(|text| row.extra(name, text));
                }
            }
            Put::Answer => answer(row, value),
            Put::Extra => value.with(|text| row.extra(name, text)),
            Put::Leave => {}
        }
        Ok(())
    }

    /// Draws the conclusions.
    ///
    /// # Errors
    /// That the event's own time can't be read.
    pub fn conclude(
        &self,
        record: &Record<'_>,
        row: &mut Row<'_>,
        sources: &'static Sources,
    ) -> Result<EventKind, Refusal> {
        self.times(record, row)?;
        self.host(row);
        let code = row.get_text(key::EVENT_CODE).unwrap_or_default();
        let mut topic = words::topic(&[
            self.note(Note::Name).raw,
            self.note(Note::Category).raw,
            self.note(Note::Action).raw,
            self.note(Note::About).raw,
            if code.first().is_some_and(u8::is_ascii_alphabetic) { code } else { b"" },
        ]);
        topic.logoff |= self.logoff;
        self.ends(topic.login || topic.logoff || self.kind == Some(EventKind::Auth), row);
        let kind = self.kind.unwrap_or_else(|| self.kind_of(&topic, row));
        row.set(key::KIND, kind);
        row.log_source(sources.of(kind));
        if kind == EventKind::Auth && topic.outcome.is_none() {
            topic.outcome = words::topic(&[row.get_text(key::MESSAGE).unwrap_or_default()]).outcome;
        }
        self.transport(row);
        self.users(kind, row);
        self.judged(kind, &topic, row);
        self.named(kind, row);
        self.measured(row);
        Ok(kind)
    }

    fn times(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let zone = self.note(Note::Zone).with(time::zone);
        let format = self.note(Note::TimeFormat).raw;
        let read = |text: &[u8]| {
            let fixed;
            let context = match zone {
                Some(offset) => {
                    fixed = TimeContext::new(record.time.received_us, Zone::Fixed(offset));
                    &fixed
                }
                None => record.time,
            };
            let by_pattern = pattern::read(format, text).filter(|_| !format.is_empty());
            by_pattern.and_then(|stamp| context.resolve(&stamp)).or_else(|| context.any(text))
        };
        for (note, field, name) in [(Note::Start, key::START, "start"), (Note::End, key::END, "end")] {
            let stamp = self.note(note);
            match stamp.with(read) {
                Some(us) => row.set(field, us),
                // Some senders write months in their own language.
                None => stamp.with(|text| row.extra_fixed(name, text)),
            }
        }
        match self.first(&[Note::Time, Note::Noticed]) {
            Some(stamp) => match stamp.with(read) {
                Some(us) => set_time(row, us),
                None => return Err(record.refuse(stamp.raw, RejectKind::bad_value("time", stamp.raw, "a time"))),
            },
            None => {
                if let Some(us) = row.get(key::START).or(row.get(key::END)) {
                    set_time(row, us);
                }
            }
        }
        Ok(())
    }

    fn host(&self, row: &mut Row<'_>) {
        let name = self.note(Note::Host);
        let address = self.note(Note::HostAddress);
        let ip = Ip::parse(address.raw);
        if !name.raw.is_empty() {
            name.with(|text| row.text(key::HOST, text));
            row.clear(Field::HostIp);
            row.set_opt(key::HOST_IP, Ip::parse(name.raw));
        } else if !address.raw.is_empty() && (ip.is_none() || !row.has(Field::Host)) {
            address.with(|text| row.text(key::HOST, text));
            row.clear(Field::HostIp);
        }
        row.set_opt(key::HOST_IP, ip);
    }

    fn ends(&self, of_login: bool, row: &mut Row<'_>) {
        let (src, peer) = (self.note(Note::Src), self.note(Note::Peer));
        if of_login && src.raw.is_empty() {
            end(row, peer, key::SRC_IP, key::SRC_PORT, key::SRC_HOST, "src");
        } else {
            end(row, src, key::SRC_IP, key::SRC_PORT, key::SRC_HOST, "src");
            peer.with(|text| row.extra_fixed("remote_ip", text));
        }
        end(row, self.note(Note::Dst), key::DST_IP, key::DST_PORT, key::DST_HOST, "dst");
        let translated =
            [(Note::NatSrc, key::NAT_SRC_IP, Field::NatSrcPort), (Note::NatDst, key::NAT_DST_IP, Field::NatDstPort)];
        for (note, field, port) in translated {
            // `0.0.0.0` says that nothing was translated, and so does its port.
            match Ip::parse(self.note(note).raw).filter(|ip| !ip.to_std().is_unspecified()) {
                Some(ip) => row.set(field, ip),
                None if !self.note(note).raw.is_empty() => row.clear(port),
                None => {}
            }
        }
    }

    fn kind_of(&self, topic: &words::Topic, row: &Row<'_>) -> EventKind {
        let person = [Note::User, Note::SrcUser, Note::DstUser].iter().any(|note| !self.note(*note).raw.is_empty());
        let stated = !self.note(Note::Outcome).raw.is_empty() || self.outcome.is_some();
        let login = (topic.login || topic.logoff) && (person || stated);
        let called = row.has(Field::DstIp) || row.has(Field::DstHost) || row.has(Field::Url);
        match () {
            () if row.has(Field::DnsQuery) => EventKind::Dns,
            () if row.has(Field::Signature) || topic.threat && !(login && stated) => EventKind::Alert,
            () if login => EventKind::Auth,
            () if row.has(Field::SrcIp) && (called || row.has(Field::DstPort)) => EventKind::Flow,
            () if row.has(Field::DstIp) && row.has(Field::DstPort) => EventKind::Flow,
            () => EventKind::Other,
        }
    }

    fn transport(&self, row: &mut Row<'_>) {
        let value = self.note(Note::Transport);
        if !is_unknown(value.raw) {
            let (name, app) = split_once(value.raw, b'/').unwrap_or((value.raw, b""));
            match Transport::parse(name) {
                Some(transport) => {
                    row.set(key::TRANSPORT, transport);
                    if !row.has(Field::AppProto) && app.first().is_some_and(u8::is_ascii_alphabetic) {
                        row.text(key::APP_PROTO, app);
                    }
                }
                // Senders without the word for it put the application's name here.
                None if !row.has(Field::AppProto) => value.with(|text| row.text(key::APP_PROTO, text)),
                None => value.with(|text| row.extra_fixed("protocol", text)),
            }
        }
        let direction = self.note(Note::Direction);
        match words::direction(direction.raw) {
            Some(found) => row.set(key::DIRECTION, found),
            None => direction.with(|text| row.extra_fixed("direction", text)),
        }
    }

    /// Of a logon the destination's account is the one that logs on; of anything else the source's acts.
    fn users(&self, kind: EventKind, row: &mut Row<'_>) {
        let src = (self.note(Note::SrcUser), self.note(Note::SrcDomain), self.note(Note::SrcUserId));
        let dst = (self.note(Note::DstUser), self.note(Note::DstDomain), self.note(Note::DstUserId));
        let none = (Value::default(), Value::default(), Value::default());
        let own = (self.note(Note::User), Value::default(), Value::default());
        let known = |who: &(Value<'_>, Value<'_>, Value<'_>)| !who.0.raw.is_empty() || !who.2.raw.is_empty();
        let order = if kind == EventKind::Auth { [own, dst, src] } else { [own, src, dst] };
        let who = order.into_iter().find(known).unwrap_or(none);
        account(row, who.0, key::USER, key::USER_DOMAIN);
        if !row.has(Field::UserDomain) {
            who.1.with(|text| row.text(key::USER_DOMAIN, text));
        }
        if !row.has(Field::UserId) {
            who.2.with(|text| row.text(key::USER_ID, text));
        }
        if kind == EventKind::Auth && known(&src) && src.0.raw != who.0.raw {
            account(row, src.0, key::SRC_USER, key::SRC_USER_DOMAIN);
            if !row.has(Field::SrcUserDomain) {
                src.1.with(|text| row.text(key::SRC_USER_DOMAIN, text));
            }
        } else if kind != EventKind::Auth && dst.0.raw != who.0.raw {
            dst.0.with(|text| row.extra_fixed("dst_user", text));
        }
    }

    fn judged(&self, kind: EventKind, topic: &words::Topic, row: &mut Row<'_>) {
        let word = self.note(Note::Action);
        let action = word.with(words::action);
        let action = match kind {
            EventKind::Flow | EventKind::Dns => action,
            EventKind::Alert => Some(action.unwrap_or(Action::Alert)),
            EventKind::Auth => topic.logoff.then_some(Action::End),
            EventKind::Listener | EventKind::Process | EventKind::Inventory | EventKind::Other => None,
        };
        row.set_opt(key::ACTION, action);
        let stated = self.note(Note::Outcome);
        let outcome = stated.with(words::outcome);
        let outcome = match kind {
            EventKind::Auth if topic.logoff => outcome.or(self.outcome),
            EventKind::Auth => outcome.or(self.outcome).or(word.with(words::outcome)).or(topic.outcome),
            EventKind::Flow | EventKind::Alert | EventKind::Dns => None,
            _ => outcome.or(self.outcome),
        };
        row.set_opt(key::OUTCOME, outcome);
        if outcome.is_none() {
            stated.with(|text| row.extra_fixed("outcome", text));
        }
        if kind == EventKind::Flow && matches!(action, Some(Action::Deny | Action::Drop)) {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    }

    fn named(&self, kind: EventKind, row: &mut Row<'_>) {
        let (word, name, category) = (self.note(Note::Action), self.note(Note::Name), self.note(Note::Category));
        word.with(|text| row.text(key::EVENT_ACTION, text));
        if kind == EventKind::Alert {
            if !row.has(Field::Signature) {
                name.with(|text| row.text(key::SIGNATURE, text));
            } else {
                name.with(|text| row.extra_fixed("name", text));
            }
            if !row.has(Field::SignatureId)
                && let Some(code) = row.get(key::EVENT_CODE)
            {
                row.set(key::SIGNATURE_ID, code);
            }
            if !row.has(Field::SignatureClass) {
                category.with(|text| row.text(key::SIGNATURE_CLASS, text));
            }
        } else {
            match () {
                () if word.raw.is_empty() => name.with(|text| row.text(key::EVENT_ACTION, text)),
                () if !row.has(Field::Message) => name.with(|text| row.text(key::MESSAGE, text)),
                () => name.with(|text| row.extra_fixed("name", text)),
            }
            category.with(|text| row.extra_fixed("category", text));
        }
        let severity = self.note(Note::Severity);
        match decimal(severity.raw) {
            Some(number) => row.set(key::SEVERITY, number),
            None if is_unknown(severity.raw) => {}
            None if !row.has(Field::Level) && severity.raw[0].is_ascii_alphabetic() => {
                severity.with(|text| row.text(key::LEVEL, text))
            }
            None => severity.with(|text| row.extra_fixed("severity", text)),
        }
        let process = self.note(Note::Process);
        let is_path = process.raw.iter().any(|byte| matches!(byte, b'/' | b'\\'));
        let field = if is_path { key::PROCESS_PATH } else { key::PROCESS_NAME };
        if !row.has(field.field) {
            process.with(|text| row.text(field, text));
        }
    }

    fn measured(&self, row: &mut Row<'_>) {
        let units = [
            (Note::Seconds, 1_000_000, 1),
            (Note::Milliseconds, 1_000, 1),
            (Note::Microseconds, 1, 1),
            (Note::Nanoseconds, 1, 1_000),
        ];
        for (note, times, parts) in units {
            let text = self.note(note).raw;
            let (whole, fraction) = split_once(text, b'.').unwrap_or((text, b""));
            // Parts of a unit, as far as a microsecond shows them.
            let mut parts_us = 0;
            let mut worth = times;
            for digit in fraction.iter().take(6).map_while(|byte| (*byte as char).to_digit(10)) {
                worth /= 10;
                parts_us += u64::from(digit) * worth;
            }
            if let Some(us) = decimal(whole).and_then(|count| count.checked_mul(times)) {
                row.set(key::DURATION, (us / parts).saturating_add(parts_us));
                return;
            }
        }
    }
}

/// Adds an answer to those of a name lookup: they come one by one, the list is what came before and this one.
pub fn answer(row: &mut Row<'_>, value: Value<'_>) {
    const LIST_BYTES_MAX: usize = 4_096;
    let known = row.get(key::DNS_ANSWERS).map_or(0, Span::len);
    value.with(|text| {
        if known + text.len() < LIST_BYTES_MAX {
            row.add(key::DNS_ANSWERS, text);
        }
    });
}

/// Sets an end by what stands for it: an address, an address and a port, or a name.
fn end<P: FieldKind<Value = u16>, T: FieldKind<Stored = Span, Value = Span>>(
    row: &mut Row<'_>,
    value: Value<'_>,
    ip: Key<Ip>,
    port: Key<P>,
    host: Key<T>,
    name: &'static str,
) {
    if is_unknown(value.raw) {
        return;
    }
    let with_port = || {
        let (address, number) = rsplit_once(value.raw, b':')?;
        Some((Ip::parse(address)?, crate::lex::text::port(number)?))
    };
    match Ip::parse(value.raw) {
        Some(address) if !row.has(ip.field) => row.set(ip, address),
        Some(_) => value.with(|text| row.extra_fixed(name, text)),
        None => match with_port() {
            Some((address, number)) if !row.has(ip.field) => {
                row.set(ip, address);
                if !row.has(port.field) {
                    row.set(port, number);
                }
            }
            _ if !row.has(host.field) => value.with(|text| row.text(host, text)),
            _ => value.with(|text| row.extra_fixed(name, text)),
        },
    }
}

/// Sets an account; `DOMAIN\name` is parted.
fn account<K: FieldKind<Stored = Span, Value = Span>>(
    row: &mut Row<'_>,
    value: Value<'_>,
    name: Key<K>,
    domain: Key<K>,
) {
    value.with(|text| match rsplit_once(text, b'\\') {
        Some((before, after)) if !before.is_empty() && !after.is_empty() => {
            row.text(name, after);
            row.text(domain, before.strip_suffix(b"\\").unwrap_or(before));
        }
        _ => row.text(name, text),
    });
}
