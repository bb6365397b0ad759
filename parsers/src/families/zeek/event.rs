//! What a line of each log says: the values noted on the way, and what follows from them once the line has ended.

use schemas::{
    Action, Direction, EventKind, Field, FieldKind, Initiator, Key, Outcome, PortState, RejectKind, Row, Span,
    Transport, key,
};

use super::Cell;
use super::columns::{Column, Note, Put};
use super::types::{LogType, OTHER, STATES, by_path};
use crate::lex::few::Few;
use crate::lex::text::{decimal, port, split_once};
use crate::{Record, Refusal, set_time};

/// Answers that are kept of one lookup.
const ANSWERS_MAX: usize = 32;

/// The noted values of one line.
pub(super) struct Event<'a> {
    notes: [Cell<'a>; Note::Count as usize],
    answers: Few<Cell<'a>, ANSWERS_MAX>,
    hint: &'static str,
}

impl<'a> Event<'a> {
    pub(super) fn new() -> Event<'a> {
        Event { notes: [Cell::ABSENT; Note::Count as usize], answers: Few::default(), hint: "" }
    }

    #[inline(always)]
    pub(super) fn take(
        &mut self,
        record: &Record<'_>,
        column: &Column,
        cell: Cell<'a>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        if self.hint.is_empty() {
            self.hint = column.hint;
        }
        match column.put {
            Put::Field(field) => set(record, row, field, cell)?,
            Put::First(field) if !row.has(field) => set(record, row, field, cell)?,
            Put::Note(note) => self.notes[note as usize] = cell,
            Put::FirstNote(note) => {
                let slot = &mut self.notes[note as usize];
                if slot.raw().is_empty() {
                    *slot = cell;
                }
            }
            Put::Extra => cell.with(|text| row.extra_fixed(column.name, text)),
            Put::NotZero if !matches!(cell.raw(), b"0" | b"0.0") => {
                cell.with(|text| row.extra_fixed(column.name, text));
            }
            Put::IfTrue if cell.flag() == Some(true) => row.extra_fixed(column.name, b"true"),
            Put::Answers => self.answer(cell),
            Put::First(_) | Put::NotZero | Put::IfTrue | Put::Leave | Put::Other => {}
        }
        Ok(())
    }

    /// Keeps an answer of a lookup.
    pub(super) fn answer(&mut self, cell: Cell<'a>) {
        if !cell.raw().is_empty() {
            self.answers.push(cell);
        }
    }

    /// The log type, by `_path` or by what only one type has.
    pub(super) fn log_type(&self) -> Option<&'static LogType> {
        by_path(self.raw(Note::Path)).or_else(|| by_path(self.hint.as_bytes())).or_else(|| {
            let has = |note| !self.raw(note).is_empty();
            let name: &[u8] = match () {
                _ if has(Note::Name) => b"weird",
                _ if has(Note::NoticeSrc) && has(Note::Proto) => b"traceroute",
                _ if has(Note::Method) && has(Note::Host) => b"http",
                _ if has(Note::Command) && has(Note::ReplyCode) => b"ftp",
                _ if has(Note::Command) => b"irc",
                _ if has(Note::User) && has(Note::Result) => b"radius",
                _ => return None,
            };
            by_path(name)
        })
    }

    fn raw(&self, note: Note) -> &'a [u8] {
        self.notes[note as usize].raw()
    }

    fn text<K: FieldKind<Stored = Span, Value = Span>>(&self, row: &mut Row<'_>, field: Key<K>, note: Note) {
        self.notes[note as usize].with(|text| row.text(field, text));
    }

    fn extra(&self, row: &mut Row<'_>, name: &'static str, note: Note) {
        self.notes[note as usize].with(|text| row.extra_fixed(name, text));
    }

    fn number(&self, note: Note) -> Option<u64> {
        decimal(self.raw(note)).filter(|number| *number <= i64::MAX as u64)
    }

    /// What follows from the columns together.
    pub(super) fn conclude(
        &self,
        record: &Record<'_>,
        log_type: Option<&'static LogType>,
        row: &mut Row<'_>,
    ) -> Result<(), Refusal> {
        let time = self.raw(Note::Time);
        if time.is_empty() {
            return Err(record.not_this_family("a member `ts`"));
        }
        match record.time.any(time) {
            Some(us) => set_time(row, us),
            None => {
                let expected = "seconds since 1970, or an ISO 8601 time";
                return Err(record.refuse(time, RejectKind::bad_value("ts", time, expected)));
            }
        }
        let known = log_type.unwrap_or(&OTHER);
        row.log_source(&known.source);
        let two_ends = row.has(Field::SrcIp) && row.has(Field::DstIp);
        let kind = if log_type.is_none() && two_ends { EventKind::Flow } else { known.kind };
        row.set(key::KIND, kind);
        self.ends(record, known, row)?;
        if !known.protocol.is_empty() {
            row.fixed(key::APP_PROTO, known.protocol);
            if two_ends {
                // An analyser that has read the protocol knows which end asks.
                row.set(key::INITIATOR, Initiator::Source);
            }
        }
        row.set_opt(key::DURATION, microseconds(self.raw(Note::Duration)));
        self.of_type(record, known, row)
    }

    /// Transport and ports. ICMP has type and code in the ports' places.
    fn ends(&self, record: &Record<'_>, known: &LogType, row: &mut Row<'_>) -> Result<(), Refusal> {
        let proto = self.raw(Note::Proto);
        let named = match proto {
            b"" | b"unknown_transport" => None,
            name => Transport::parse(name),
        };
        let numbered = || self.number(Note::IpProto).and_then(|number| u8::try_from(number).ok()).map(Transport);
        let mut transport = named.or_else(numbered).or(known.transport);
        if known.name == "ssl" && self.raw(Note::Version).starts_with(b"DTLS") {
            transport = Some(Transport::UDP);
        }
        row.set_opt(key::TRANSPORT, transport);
        let (orig, resp) = (self.raw(Note::OrigPort), self.raw(Note::RespPort));
        if matches!(transport, Some(Transport::ICMP | Transport::ICMPV6)) {
            row.set_opt(key::ICMP_TYPE, decimal(orig));
            row.set_opt(key::ICMP_CODE, decimal(resp));
            return Ok(());
        }
        for (field, text) in [(key::SRC_PORT, orig), (key::DST_PORT, resp)] {
            // The reader of Zeek itself takes `53/tcp`, too.
            let number = split_once(text, b'/').map_or(text, |(number, _)| number);
            match port(number) {
                Some(number) => row.set(field, number),
                None if text.is_empty() => {}
                None => {
                    let kind = RejectKind::bad_value(field.field.name(), text, "digits 0..=65535");
                    return Err(record.refuse(text, kind));
                }
            }
        }
        Ok(())
    }

    fn of_type(&self, record: &Record<'_>, known: &LogType, row: &mut Row<'_>) -> Result<(), Refusal> {
        match known.name {
            "conn" => self.connection(row),
            "dns" => {
                if row.has(Field::DnsRcode) {
                    row.set(key::PORT_STATE, PortState::Open);
                }
                for answer in self.answers.get() {
                    answer.with(|text| row.add(key::DNS_ANSWERS, text));
                }
            }
            "ssh" => {
                self.text(row, key::CLIENT_SOFTWARE, Note::Client);
                self.answered(row, Note::Server);
                self.text(row, key::SERVER_SOFTWARE, Note::Server);
                self.login(row, self.notes[Note::AuthSuccess as usize].flag());
                row.set_opt(
                    key::DIRECTION,
                    match self.raw(Note::Direction) {
                        b"INBOUND" => Some(Direction::Inbound),
                        b"OUTBOUND" => Some(Direction::Outbound),
                        _ => None,
                    },
                );
            }
            "rdp" => {
                self.text(row, key::REASON, Note::Result);
                self.answered(row, Note::Result);
            }
            "ssl" => {
                self.text(row, key::TLS_VERSION, Note::Version);
                self.answered(row, Note::Version);
            }
            "http" => {
                self.text(row, key::HTTP_HOST, Note::Host);
                self.text(row, key::HTTP_METHOD, Note::Method);
                self.text(row, key::USER, Note::User);
                if let Some(status) = row.get(key::HTTP_STATUS) {
                    row.set(key::PORT_STATE, PortState::Open);
                    // with a name, the server has judged it
                    if row.has(Field::User) {
                        self.login(
                            row,
                            match status {
                                401 | 403 => Some(false),
                                200..=399 => Some(true),
                                _ => None,
                            },
                        );
                    }
                }
            }
            "snmp" => {
                self.extra(row, "get_responses", Note::Responses);
                if self.number(Note::Responses).is_some_and(|count| count > 0) {
                    row.set(key::PORT_STATE, PortState::Open);
                }
            }
            "redis" => {
                self.text(row, key::EVENT_ACTION, Note::Command);
                self.text(row, key::USER, Note::User);
                if self.raw(Note::Command).eq_ignore_ascii_case(b"AUTH") {
                    self.login(row, self.notes[Note::Success as usize].flag());
                } else {
                    self.extra(row, "success", Note::Success);
                }
            }
            "smb_cmd" => {
                self.text(row, key::EVENT_ACTION, Note::Command);
                self.text(row, key::USER, Note::User);
                self.text(row, key::STATUS_CODE, Note::Status);
                self.answered(row, Note::Status);
                if self.raw(Note::Status) == b"LOGON_FAILURE" {
                    self.login(row, Some(false));
                }
            }
            "ntlm" => {
                self.text(row, key::USER, Note::User);
                row.fixed(key::AUTH_METHOD, "NTLM");
                self.login(row, self.notes[Note::Success as usize].flag());
            }
            "kerberos" => self.kerberos(row),
            "radius" => {
                self.text(row, key::USER, Note::User);
                row.fixed(key::AUTH_METHOD, "RADIUS");
                self.login(row, word_outcome(self.raw(Note::Result)));
            }
            "mysql" | "postgresql" => {
                self.text(row, key::EVENT_ACTION, Note::Command);
                self.text(row, key::USER, Note::User);
                if self.raw(Note::Command) == b"login" {
                    self.text(row, key::USER, Note::Argument);
                    self.login(row, self.notes[Note::Success as usize].flag());
                } else {
                    self.extra(row, "arg", Note::Argument);
                    self.extra(row, "success", Note::Success);
                }
            }
            "ftp" => {
                self.text(row, key::EVENT_ACTION, Note::Command);
                self.text(row, key::USER, Note::User);
                self.text(row, key::STATUS_CODE, Note::ReplyCode);
                if self.raw(Note::Command) != b"PASS" {
                    self.extra(row, "arg", Note::Argument);
                }
                match self.raw(Note::ReplyCode) {
                    b"230" => self.login(row, Some(true)),
                    b"530" => self.login(row, Some(false)),
                    _ => {}
                }
            }
            "smtp" => match self.raw(Note::LastReply) {
                [b'5', b'3', b'5', ..] => self.login(row, Some(false)),
                [b'2', b'3', b'5', ..] => self.login(row, Some(true)),
                _ => self.extra(row, "last_reply", Note::LastReply),
            },
            "ldap" => {
                self.text(row, key::USER, Note::User);
                if row.has(Field::User) {
                    self.login(row, word_outcome(self.raw(Note::Result)));
                }
                self.extra(row, "result", Note::Result);
            }
            "rfb" => self.login(row, self.notes[Note::Auth as usize].flag()),
            "irc" | "socks" => {
                self.text(row, key::USER, Note::User);
                self.text(row, key::EVENT_ACTION, Note::Command);
                self.extra(row, "status", Note::Status);
            }
            "notice" => {
                row.set(key::ACTION, Action::Alert);
                for (field, note) in [(Field::SrcIp, Note::NoticeSrc), (Field::DstIp, Note::NoticeDst)] {
                    set(record, row, field, self.notes[note as usize])?;
                }
                set(record, row, Field::DstPort, self.notes[Note::NoticePort as usize])?;
            }
            "traceroute" => {
                set(record, row, Field::SrcIp, self.notes[Note::NoticeSrc as usize])?;
                set(record, row, Field::DstIp, self.notes[Note::NoticeDst as usize])?;
            }
            "signatures" | "intel" => row.set(key::ACTION, Action::Alert),
            "weird" => self.text(row, key::EVENT_ACTION, Note::Name),
            "known_services" => {
                set(record, row, Field::DstIp, self.notes[Note::Host as usize])?;
                set(record, row, Field::DstPort, self.notes[Note::HostPort as usize])?;
                let service = self.raw(Note::Service);
                row.text(key::APP_PROTO, split_once(service, b',').map_or(service, |(first, _)| first));
                row.set(key::PORT_STATE, PortState::Open);
            }
            "software" => self.software(record, row)?,
            "known_hosts" | "known_certs" | "known_devices" => {
                set(record, row, Field::SrcIp, self.notes[Note::Host as usize])?;
            }
            _ => {
                // Of a log without a page here: nothing is lost.
                self.text(row, key::USER, Note::User);
                self.text(row, key::EVENT_ACTION, Note::Command);
                for (name, note) in [
                    ("service", Note::Service),
                    ("host", Note::Host),
                    ("client", Note::Client),
                    ("server", Note::Server),
                    ("result", Note::Result),
                    ("status", Note::Status),
                    ("success", Note::Success),
                    ("name", Note::Name),
                    ("version", Note::Version),
                    ("method", Note::Method),
                    ("arg", Note::Argument),
                    ("src", Note::NoticeSrc),
                    ("dst", Note::NoticeDst),
                    ("direction", Note::Direction),
                    ("reply_code", Note::ReplyCode),
                ] {
                    self.extra(row, name, note);
                }
            }
        }
        Ok(())
    }

    fn connection(&self, row: &mut Row<'_>) {
        let service = self.raw(Note::Service);
        // `-ssl` means that the analyser gave up; GSS-API and NTLM only carry the login of another protocol.
        let spoken = || service.split(|byte| *byte == b',').filter(|word| !word.is_empty() && word[0] != b'-');
        let main = spoken().find(|word| !matches!(*word, b"gssapi" | b"ntlm" | b"spnego")).or_else(|| spoken().next());
        if let Some(main) = main {
            row.text(key::APP_PROTO, main);
            if main.len() < service.len() {
                row.extra_fixed("service", service);
            }
        }
        // Octets of the packets; those of the payload come from sequence numbers and may be absurd after a reset.
        for (field, packets, payload, name) in [
            (key::BYTES_OUT, Note::OrigIpBytes, Note::OrigBytes, "orig_bytes"),
            (key::BYTES_IN, Note::RespIpBytes, Note::RespBytes, "resp_bytes"),
        ] {
            match self.number(packets) {
                Some(octets) => {
                    row.set(field, octets);
                    self.extra(row, name, payload);
                }
                None => row.set_opt(field, self.number(payload)),
            }
        }
        let local = |note: Note| self.notes[note as usize].flag();
        row.set_opt(
            key::DIRECTION,
            match (local(Note::LocalOrig), local(Note::LocalResp)) {
                (Some(true), Some(true)) => Some(Direction::Internal),
                (Some(true), Some(false)) => Some(Direction::Outbound),
                (Some(false), Some(true)) => Some(Direction::Inbound),
                (Some(false), Some(false)) => Some(Direction::External),
                (None, _) | (_, None) => None,
            },
        );
        let history = self.raw(Note::History);
        row.text(key::TCP_FLAGS, history);
        let tcp = row.get(key::TRANSPORT) == Some(Transport::TCP);
        let udp = row.get(key::TRANSPORT) == Some(Transport::UDP);
        let Some((state, port_state, initiator)) = row
            .get_text(key::CONN_STATE)
            .and_then(|state| STATES.iter().find(|known| known.0.as_bytes() == state))
            .copied()
        else {
            return;
        };
        let sure = match state {
            // Of UDP: no answer proves nothing; only the responder sent, so the direction is probably wrong.
            "S0" | "SHR" => tcp,
            "SF" => tcp || udp,
            // A reset without a SYN-ACK before it may come from anything on the way.
            "RSTR" => history.is_empty() || history.contains(&b'h'),
            _ => tcp,
        };
        row.set_opt(key::PORT_STATE, port_state.filter(|_| sure));
        // `^`: Zeek itself turned the ends round, on a guess.
        row.set_opt(key::INITIATOR, initiator.filter(|_| (tcp || udp) && history.first() != Some(&b'^')));
    }

    fn kerberos(&self, row: &mut Row<'_>) {
        self.notes[Note::Client as usize].with(|client| match split_once(client, b'/') {
            Some((user, realm)) => {
                row.text(key::USER, user);
                row.text(key::USER_DOMAIN, realm);
            }
            None => row.text(key::USER, client),
        });
        row.fixed(key::AUTH_METHOD, "Kerberos");
        self.extra(row, "service", Note::Service);
        self.text(row, key::EVENT_ACTION, Note::RequestType);
        self.text(row, key::REASON, Note::Error);
        let success = self.notes[Note::Success as usize].flag();
        // The usual first step of every login is no failed login.
        if !(success == Some(false) && self.raw(Note::Error) == b"KDC_ERR_PREAUTH_REQUIRED") {
            self.login(row, success);
        }
    }

    fn software(&self, record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
        let kind = self.raw(Note::SoftwareType);
        self.extra(row, "software_type", Note::SoftwareType);
        if kind.ends_with(b"SERVER") {
            set(record, row, Field::DstIp, self.notes[Note::Host as usize])?;
            set(record, row, Field::DstPort, self.notes[Note::HostPort as usize])?;
            self.text(row, key::SERVER_SOFTWARE, Note::Name);
            if row.has(Field::DstPort) {
                row.set(key::PORT_STATE, PortState::Open);
                row.set(key::KIND, EventKind::Listener);
            }
        } else {
            set(record, row, Field::SrcIp, self.notes[Note::Host as usize])?;
            self.text(row, key::CLIENT_SOFTWARE, Note::Name);
        }
        Ok(())
    }

    fn answered(&self, row: &mut Row<'_>, note: Note) {
        if !self.raw(note).is_empty() {
            row.set(key::PORT_STATE, PortState::Open);
        }
    }

    /// A login if its result is known; Zeek leaves it unset where it could not tell.
    fn login(&self, row: &mut Row<'_>, success: Option<bool>) {
        if let Some(success) = success {
            row.set(key::KIND, EventKind::Auth);
            row.set(key::OUTCOME, if success { Outcome::Success } else { Outcome::Failure });
        }
    }
}

fn word_outcome(word: &[u8]) -> Option<bool> {
    match word {
        b"success" => Some(true),
        b"failed" | b"failure" | b"invalidCredentials" | b"invalid credentials" => Some(false),
        _ => None,
    }
}

/// An interval in seconds as microseconds; JSON writes small ones with an exponent.
fn microseconds(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = split_once(text, b'.').unwrap_or((text, b""));
    let digits = fraction.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    if let (Some(seconds), true) = (decimal(whole), fraction.iter().all(u8::is_ascii_digit)) {
        let micros = fraction[..digits].iter().fold(0, |micros, byte| micros * 10 + u64::from(byte - b'0'));
        return seconds.checked_mul(1_000_000)?.checked_add(micros * 10u64.pow(6 - digits as u32));
    }
    let seconds: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (0.0..9.0e12).contains(&seconds).then_some((seconds * 1e6) as u64)
}

#[inline(always)]
fn set(record: &Record<'_>, row: &mut Row<'_>, field: Field, cell: Cell<'_>) -> Result<(), Refusal> {
    let text = cell.raw();
    let result = match field {
        // Counters may be written as floats by a shipper.
        _ if text.is_empty() => Ok(()),
        Field::SrcIp | Field::DstIp => row.put(field, text),
        _ => cell.with(|text| row.put(field, text)),
    };
    result.map_err(|kind| record.refuse(text, kind))
}
