//! Cisco ISE: `CISE_Passed_Authentications MSGID TOTAL SEG TIME ZONE SEQ 5200 NOTICE Class: Text, Key=Value, Key=Value,`.
//!
//! The code says what happened; the pairs say who, from where and through which network device. That device (NAS) is not the
//! source of a login: the endpoint's address is in `Framed-IP-Address` and its kin, its hardware address in `Calling-Station-ID`.
//! `DestinationIPAddress` is ISE itself, to which the request was sent.
//!
//! A message longer than a datagram comes in segments with the same number. Each line is a row of its own, for a line must not
//! wait for others that may never come: the first segment has time, code and names and is the event; those that follow are
//! of kind `other`, with what the first has said and what they add ([`segments`]), and the number in `message_id` to join
//! them. Only where it needs a later segment to know that a login failed, that one is the event. A shipper may have eaten the
//! header and the category.
//!
//! Source: Cisco, "ISE Syslogs" and the message catalogue.

mod pairs;
mod segments;

use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, RejectKind, Row, key};

use crate::lex::endpoint;
use crate::lex::keys::KeyMap;
use crate::lex::text::{Cursor, decimal, present, rsplit_once, split_once, split_once_str};
use crate::lex::{openssh, time};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

static LOGIN: LogSource = source("cisco_ise.auth", &["authentication"], &["ise", "radius"]);
static ACCOUNTING: LogSource = source("cisco_ise.accounting", &[], &["ise", "radius"]);
static REST: LogSource = source("cisco_ise.system", &[], &["ise"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "cisco_ise",
        vendor: "Cisco",
        product: "ISE",
        dataset,
        categories,
        products: &["cisco", "ise"],
        services,
    }
}

/// What is remembered of a line until its end; the order of keys differs.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Noted {
    UserName,
    RadiusUser,
    Admin,
    Account,
    Calling,
    EndpointMac,
    FramedIp,
    EndpointIp,
    RemoteAddress,
    PortalIp,
    AdminIp,
    FailureReason,
    OperationText,
    Status,
    Attempts,
    InputOctets,
    OutputOctets,
    InputGigawords,
    OutputGigawords,
    AccountingSession,
    Session,
    TerminateCause,
    Step,
    Device,
    Count,
}

const NOTES: usize = Noted::Count as usize;

#[derive(Clone, Copy)]
enum What {
    Note(Noted),
    /// A column that only some values fit; anything else becomes an extra.
    Maybe(Field),
    /// `name=value` inside: kept under its own name.
    Inner,
    Duration,
    Skip,
}

static KEYS: KeyMap<What, 128> = KeyMap::new(&[
    ("UserName", What::Note(Noted::UserName)),
    ("User-Name", What::Note(Noted::RadiusUser)),
    ("User", What::Note(Noted::RadiusUser)),
    ("GuestUserName", What::Note(Noted::RadiusUser)),
    ("AdminName", What::Note(Noted::Admin)),
    ("Admin", What::Note(Noted::Admin)),
    ("AD-Account-Name", What::Note(Noted::Account)),
    ("Device login username", What::Note(Noted::Account)),
    ("Calling-Station-ID", What::Note(Noted::Calling)),
    ("Calling Station ID", What::Note(Noted::Calling)),
    ("EndPointMACAddress", What::Note(Noted::EndpointMac)),
    ("EndpointMacAddress", What::Note(Noted::EndpointMac)),
    ("EPMacAddress", What::Note(Noted::EndpointMac)),
    ("PeerAddress", What::Note(Noted::EndpointMac)),
    ("Framed-IP-Address", What::Note(Noted::FramedIp)),
    ("EndPointIPAddress", What::Note(Noted::EndpointIp)),
    ("EndpointIPAddress", What::Note(Noted::EndpointIp)),
    ("Remote-Address", What::Note(Noted::RemoteAddress)),
    ("IpAddress", What::Note(Noted::PortalIp)),
    ("AdminIPAddress", What::Note(Noted::AdminIp)),
    ("FailureReason", What::Note(Noted::FailureReason)),
    ("Failure Reason", What::Note(Noted::FailureReason)),
    ("OperationMessageText", What::Note(Noted::OperationText)),
    ("AuthenticationStatus", What::Note(Noted::Status)),
    ("TotalFailedAttempts", What::Note(Noted::Attempts)),
    ("Acct-Input-Octets", What::Note(Noted::InputOctets)),
    ("Acct-Output-Octets", What::Note(Noted::OutputOctets)),
    ("Acct-Input-Gigawords", What::Note(Noted::InputGigawords)),
    ("Acct-Output-Gigawords", What::Note(Noted::OutputGigawords)),
    ("Acct-Session-Id", What::Note(Noted::AccountingSession)),
    ("CPMSessionID", What::Note(Noted::Session)),
    ("Acct-Terminate-Cause", What::Note(Noted::TerminateCause)),
    ("Step", What::Note(Noted::Step)),
    // of alarms only
    ("NAS IP Address", What::Note(Noted::Device)),
    ("Acct-Input-Packets", What::Maybe(Field::PacketsOut)),
    ("Acct-Output-Packets", What::Maybe(Field::PacketsIn)),
    ("Acct-Session-Time", What::Duration),
    ("DestinationIPAddress", What::Maybe(Field::DstIp)),
    ("DestinationPort", What::Maybe(Field::DstPort)),
    ("AuthenticationMethod", What::Maybe(Field::AuthMethod)),
    ("NAS-Port-Id", What::Maybe(Field::InInterface)),
    ("Protocol", What::Maybe(Field::AppProto)),
    ("cisco-av-pair", What::Inner),
    ("StepData", What::Skip),
    ("StepLatency", What::Skip),
]);

/// What a code means. Codes that are not here are told by their text, or are bookkeeping.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Passed,
    Failed,
    /// Failed, but nobody's password was wrong unless the reason says so.
    Incomplete,
    /// Several failures told in one.
    Repeated,
    /// An authorisation, a download, a session's other affairs: no login.
    Granted,
    Refused,
    LoggedOut,
    Started,
    Stopped,
    Interim,
}

/// Source: Cisco, "ISE Syslogs", passed authentications, failed attempts, RADIUS accounting, administrative audit.
static CODES: KeyMap<Meaning, 128> = KeyMap::new(&[
    ("5200", Meaning::Passed),
    ("5201", Meaning::Passed),
    ("5202", Meaning::Granted),
    ("5203", Meaning::Granted),
    ("5204", Meaning::Granted),
    ("5205", Meaning::Granted),
    ("5231", Meaning::Passed),
    ("5232", Meaning::Granted),
    ("5233", Meaning::Granted),
    ("5234", Meaning::Granted),
    ("5236", Meaning::Granted),
    ("5238", Meaning::Granted),
    ("5400", Meaning::Failed),
    ("5401", Meaning::Failed),
    ("5402", Meaning::Refused),
    ("5403", Meaning::Refused),
    ("5404", Meaning::Refused),
    ("5405", Meaning::Incomplete),
    ("5411", Meaning::Incomplete),
    ("5412", Meaning::Incomplete),
    ("5413", Meaning::Refused),
    ("5414", Meaning::Refused),
    ("5417", Meaning::Refused),
    ("5418", Meaning::Failed),
    ("5434", Meaning::Repeated),
    ("5435", Meaning::Repeated),
    ("5436", Meaning::Incomplete),
    ("5440", Meaning::Incomplete),
    ("5441", Meaning::Incomplete),
    ("5449", Meaning::Repeated),
    ("3000", Meaning::Started),
    ("3001", Meaning::Stopped),
    ("3002", Meaning::Interim),
    ("51000", Meaning::Failed),
    ("51001", Meaning::Passed),
    ("51002", Meaning::LoggedOut),
    ("51003", Meaning::LoggedOut),
    ("51004", Meaning::Failed),
    ("51005", Meaning::Failed),
    ("51006", Meaning::Failed),
    ("51007", Meaning::Failed),
    ("51008", Meaning::Failed),
    ("51009", Meaning::Failed),
    ("51020", Meaning::Failed),
    ("51021", Meaning::Failed),
    ("51022", Meaning::Failed),
    ("51023", Meaning::Failed),
    ("51025", Meaning::Failed),
    ("60077", Meaning::Failed),
    ("60078", Meaning::Passed),
    ("60080", Meaning::Passed),
    ("60081", Meaning::Failed),
    // the same logins once more
    ("60115", Meaning::Granted),
    ("60116", Meaning::LoggedOut),
    ("61077", Meaning::LoggedOut),
    // a disconnect before the login
    ("60188", Meaning::Refused),
]);

impl Parser for Family {
    fn name(&self) -> &'static str {
        "cisco_ise"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ise"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        match body.first()? {
            b'C' if body.starts_with(b"CISE_") => Some(Confidence::Certain),
            b'0'..=b'9' if record.header.app.starts_with(b"CISE_") => Some(Confidence::Certain),
            b'0'..=b'9' => numbers(body).map(|_| Confidence::Likely),
            b'I' | b'W' | b'E' | b'C' if record.header.app.is_empty() || record.header.app == b"CISE_Alarm" => {
                alarm(body).map(|_| Confidence::Possible)
            }
            _ => None,
        }
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        Some(segments::begins)
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut body = record.body.trim_ascii();
        // a relay's way to write CR
        body = body.strip_suffix(b"#015").unwrap_or(body);
        let mut category = record.header.app;
        if body.starts_with(b"CISE_") {
            let end = memchr::memchr2(b' ', b':', body).unwrap_or(body.len());
            category = &body[..end];
            body = body[end..].trim_ascii_start();
            body = body.strip_prefix(b":").unwrap_or(body).trim_ascii_start();
        }
        if category.starts_with(b"CISE_") {
            row.extra_fixed("category", category);
        }
        if let Some((level, text, rest)) = alarm(body) {
            row.log_source(&REST);
            row.set(key::KIND, EventKind::Other);
            row.text(key::LEVEL, level);
            row.text(key::MESSAGE, text);
            let mut line = Line { record, notes: [b""; NOTES] };
            for (name, value) in pairs::alarm(rest) {
                line.pair(name, value, row);
            }
            line.names(false, row);
            // an alarm about a request that names no endpoint: who sent it is the network device
            if !row.has(Field::SrcIp) {
                row.set_opt(key::SRC_IP, Ip::parse(line.note(Noted::Device)));
            }
            row.extra_fixed("NAS IP Address", line.note(Noted::Device));
            return Ok(Parsed::Events);
        }
        let Some((segment, rest)) = numbers(body) else {
            return Err(record.not_this_family("`CISE_CATEGORY MSGID TOTAL SEGMENT`"));
        };
        row.extra_fixed("message_id", segment.message);
        if segment.number == 0 {
            let mut line = Line { record, notes: [b""; NOTES] };
            line.first(rest, row)?;
            if segment.total > 1 {
                memory.of::<segments::Messages>().begin(&segment, &line, rest, row);
            }
        } else if memory.is_used() {
            memory.of::<segments::Messages>().go_on(record, &segment, rest, row);
        } else {
            segments::Messages::default().go_on(record, &segment, rest, row);
        }
        Ok(Parsed::Events)
    }
}

struct Segment<'a> {
    message: &'a [u8],
    /// The same as a number.
    id: u64,
    total: u64,
    number: u64,
}

/// `MSGID TOTAL SEG `: ten digits, and two small numbers of which the second is less.
#[inline]
fn numbers(body: &[u8]) -> Option<(Segment<'_>, &[u8])> {
    if body.get(10) != Some(&b' ') {
        return None;
    }
    let mut cursor = Cursor::new(body);
    let message = cursor.word();
    let id = decimal(message)?;
    let total = cursor.number()?;
    cursor.expect(b" ")?;
    let number = cursor.number()?;
    cursor.expect(b" ")?;
    (number < total && total < 1000)
        .then_some((Segment { message, id, total, number }, cursor.rest().trim_ascii_start()))
}

/// `LEVEL: Text: Key=Value; Key=Value`: level, text, pairs.
#[inline]
fn alarm(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let level = [&b"INFO"[..], b"WARN", b"ERROR", b"CRITICAL"].into_iter().find(|level| body.starts_with(level))?;
    let rest = body[level.len()..].strip_prefix(b": ")?;
    let equals = memchr::memchr(b'=', rest)?;
    let at = memchr::memmem::rfind(&rest[..equals], b": ")?;
    Some((&body[..level.len()], rest[..at].trim_ascii(), &rest[at + 2..]))
}

struct Line<'a, 'r> {
    record: &'r Record<'a>,
    notes: [&'r [u8]; NOTES],
}

impl<'a: 'r, 'r> Line<'a, 'r> {
    #[inline]
    fn note(&self, note: Noted) -> &'r [u8] {
        self.notes[note as usize]
    }

    /// `TIME ZONE SEQ CODE LEVEL Class: Text, pairs`.
    fn first(&mut self, text: &'r [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
        let bad =
            |what, found: &[u8], expected| self.record.refuse(found, RejectKind::bad_value(what, found, expected));
        let (stamp, length) = time::iso(text).ok_or_else(|| bad("time", text, "a date, a time and its offset"))?;
        let us = self.record.time.resolve(&stamp).ok_or_else(|| bad("time", text, "a date that exists"))?;
        set_time(row, us);
        let mut cursor = Cursor::new(&text[length..]);
        cursor.skip_blanks();
        let _sequence = cursor.word();
        let code = cursor.word();
        if decimal(code).is_none() || code.len() > 6 {
            return Err(bad("message code", code, "a number"));
        }
        row.text(key::EVENT_CODE, code);
        row.text(key::LEVEL, cursor.word());
        let rest = cursor.rest();
        let (class, rest) = split_once_str(rest, b": ").ok_or_else(|| bad("text", rest, "`Class: Text, Key=Value`"))?;
        row.text(key::EVENT_ACTION, class);
        let (message, rest) = pairs::text(rest);
        row.text(key::MESSAGE, message);
        self.pairs(rest, row);
        self.names(CODES.get(code).is_none(), row);
        self.judge(code, row);
        Ok(())
    }

    fn pairs(&mut self, text: &'r [u8], row: &mut Row<'_>) {
        for (name, value) in pairs::of(text) {
            self.pair(name, value, row);
        }
    }

    fn pair(&mut self, name: &'r [u8], value: &'r [u8], row: &mut Row<'_>) {
        let Some(value) = present(value.trim_ascii()) else { return };
        match KEYS.get(name) {
            Some(What::Note(Noted::Step)) => self.notes[Noted::Step as usize] = value,
            Some(What::Note(note)) if self.note(note).is_empty() => self.notes[note as usize] = value,
            Some(What::Maybe(field)) if !row.has(field) && row.put_if(field, value) => {}
            Some(What::Duration) => {
                let us = decimal(value).and_then(|seconds| seconds.checked_mul(1_000_000));
                row.set_opt(key::DURATION, us.filter(|us| *us <= i64::MAX as u64));
            }
            Some(What::Inner) => match split_once(value, b'=') {
                Some((inner, value)) => row.extra(inner, value),
                None => row.extra(name, value),
            },
            Some(What::Skip) => {}
            Some(What::Note(_) | What::Maybe(_)) | None => row.extra(name, value),
        }
    }

    /// Who, and from where. A device without a login of its own (MAB) has its hardware address for a name: where it logs in or has
    /// a session that is no user, while in ISE's own diagnostics it is the name that was looked up.
    fn names(&self, diagnostics: bool, row: &mut Row<'_>) {
        let who = [Noted::UserName, Noted::RadiusUser, Noted::Admin, Noted::Account];
        if let Some(name) = who.into_iter().map(|note| self.note(note)).find(|name| !name.is_empty()) {
            if is_mac(name) {
                row.text(key::SRC_MAC, name);
                row.text(key::USER, if diagnostics { name } else { b"" });
            } else if let Some((domain, user)) = rsplit_once(name, b'\\').filter(|(_, user)| !user.is_empty()) {
                row.text(key::USER, user);
                row.text(key::USER_DOMAIN, domain.strip_suffix(b"\\").unwrap_or(domain));
            } else {
                row.text(key::USER, name);
            }
        }
        for note in [Noted::EndpointMac, Noted::Calling] {
            let value = self.note(note);
            if is_mac(value) {
                row.text(key::SRC_MAC, value);
            }
        }
        let from = [
            Noted::FramedIp,
            Noted::EndpointIp,
            Noted::RemoteAddress,
            Noted::PortalIp,
            Noted::AdminIp,
            Noted::Calling,
            Noted::EndpointMac,
        ];
        row.set_opt(key::SRC_IP, from.into_iter().find_map(|note| Ip::parse(self.note(note))));
        let session = match self.note(Noted::AccountingSession) {
            b"" => self.note(Noted::Session),
            session => session,
        };
        row.text(key::SESSION_ID, session);
        row.extra_fixed("last_step", self.note(Noted::Step));
        row.extra_fixed("operation", self.note(Noted::OperationText));
        row.extra_fixed("authentication_status", self.note(Noted::Status));
    }

    /// What the code means for kind and outcome.
    fn judge(&self, code: &[u8], row: &mut Row<'_>) {
        let reason = self.note(Noted::FailureReason);
        row.text(key::REASON, reason);
        let login = |row: &mut Row<'_>, outcome| {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
            row.set_opt(key::OUTCOME, outcome);
        };
        let other = |row: &mut Row<'_>, outcome| {
            row.log_source(&REST);
            row.set(key::KIND, EventKind::Other);
            row.set_opt(key::OUTCOME, outcome);
        };
        match CODES.get(code) {
            Some(Meaning::Passed) => login(row, Some(Outcome::Success)),
            Some(Meaning::Failed) => login(row, Some(Outcome::Failure)),
            Some(Meaning::Incomplete) if is_of_credentials(reason) => login(row, Some(Outcome::Failure)),
            Some(Meaning::Incomplete) => {
                other(row, Some(Outcome::Failure));
                if reason.is_empty() {
                    row.fixed(key::REASON, "incomplete");
                }
            }
            Some(Meaning::Repeated) => {
                login(row, Some(Outcome::Failure));
                row.set_opt(key::REPEAT, decimal(self.note(Noted::Attempts)).filter(|count| *count > 0));
            }
            Some(Meaning::Granted) => other(row, Some(Outcome::Success)),
            Some(Meaning::Refused) => other(row, Some(Outcome::Failure)),
            Some(Meaning::LoggedOut) => {
                login(row, None);
                row.set(key::ACTION, Action::End);
            }
            Some(meaning @ (Meaning::Started | Meaning::Stopped | Meaning::Interim)) => self.accounting(meaning, row),
            None => other(row, None),
        }
        self.operation(row);
        if reason.is_empty() && row.get(key::OUTCOME) == Some(Outcome::Failure) && !row.has(Field::Reason) {
            row.text(key::REASON, self.note(Noted::OperationText));
        }
    }

    /// Sessions at the network device. Counters of a line in between are included in later ones.
    fn accounting(&self, meaning: Meaning, row: &mut Row<'_>) {
        row.log_source(&ACCOUNTING);
        let interim = meaning == Meaning::Interim;
        row.set(key::KIND, if interim { EventKind::Other } else { EventKind::Flow });
        match meaning {
            Meaning::Started => row.set(key::ACTION, Action::Start),
            Meaning::Stopped => row.set(key::ACTION, Action::End),
            _ => {}
        }
        row.text(key::REASON, self.note(Noted::TerminateCause));
        // input is what the endpoint sent
        row.set_opt(key::BYTES_OUT, octets(self.note(Noted::InputOctets), self.note(Noted::InputGigawords)));
        row.set_opt(key::BYTES_IN, octets(self.note(Noted::OutputOctets), self.note(Noted::OutputGigawords)));
    }

    /// Ends that only the text of an operation names: `Accepted password for U from A port P ssh2`, `Received disconnect from
    /// A port P:11: …`, `Connection created from A:p to B:q`.
    fn operation(&self, row: &mut Row<'_>) {
        let text = self.note(Noted::OperationText);
        let Some(at) = memchr::memmem::rfind(text, b" from ") else { return };
        let mut cursor = Cursor::new(&text[at + 6..]);
        let from = endpoint::colon(cursor.word());
        if text.starts_with(b"Connection ") && cursor.take_if(b"to ") {
            if let (Some(from), Some(to)) = (from, endpoint::colon(cursor.word())) {
                row.set(key::SRC_IP, from.0);
                row.set_opt(key::SRC_PORT, from.1);
                row.set(key::DST_IP, to.0);
                row.set_opt(key::DST_PORT, to.1);
            }
            return;
        }
        if row.has(Field::SrcIp) {
            return;
        }
        if let Some(login) = openssh::login(text) {
            row.set_opt(key::SRC_IP, Ip::parse(login.address));
            row.set_opt(key::SRC_PORT, login.port);
            row.text(key::AUTH_METHOD, login.method);
            if !row.has(Field::User) {
                row.text(key::USER, login.user);
            }
        } else if let (Some((ip, _)), true) = (from, cursor.take_if(b"port ")) {
            row.set(key::SRC_IP, ip);
            row.set_opt(key::SRC_PORT, cursor.number().and_then(|port| u16::try_from(port).ok()));
        }
    }
}

/// 22xxx and 24xxx: identity stores; there somebody's name or password was not right.
fn is_of_credentials(reason: &[u8]) -> bool {
    matches!(reason, [b'2', b'2' | b'4', _, _, _, b' ', ..])
}

/// `Gigawords` counts how often 2³² was passed.
fn octets(low: &[u8], high: &[u8]) -> Option<u64> {
    let low = decimal(low)?;
    let high = decimal(high).unwrap_or(0);
    high.checked_mul(1 << 32)?.checked_add(low).filter(|sum| *sum <= i64::MAX as u64)
}

/// Twelve hexadecimal digits, in pairs or fours with separators or without.
fn is_mac(text: &[u8]) -> bool {
    let digits = text.iter().filter(|b| b.is_ascii_hexdigit()).count();
    let separators = text.iter().filter(|b| matches!(b, b':' | b'-' | b'.')).count();
    digits == 12 && digits + separators == text.len() && matches!(separators, 0 | 2 | 5)
}
