//! FreeRADIUS: `radius.log` and syslog.
//!
//! `TIME : Auth: (N) Login OK: [USER] (from client NAS port 8 cli 00-00-5E-00-53-01[ via TLS tunnel])`. The client of the
//! protocol is the switch or access point that asks (extra `nas`); who logs in is named by `cli`, a hardware address, a phone
//! number or an IP address. A login through EAP writes two lines; the outer one counts. A password that `log_badpass` puts
//! behind the user's name is not kept. Source: freeradius-server, `src/main/auth.c`, `src/main/listen.c`.

use memchr::memmem;
use schemas::{Action, EventKind, Ip, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Cursor, contains, decimal, port, split_once, split_once_str};
use crate::logins::{attempt, beside};
use crate::windows::account_text;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "freeradius",
        vendor: "FreeRADIUS",
        product: "FreeRADIUS",
        dataset: "freeradius.log",
        categories,
        products: &["freeradius"],
        services: &["radius"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

/// How a login ended, by the sentence's beginning.
const ENDS: &[(&[u8], Outcome)] = &[
    (b"Login OK", Outcome::Success),
    (b"Login incorrect", Outcome::Failure),
    (b"Invalid user", Outcome::Failure),
    (b"Multiple logins", Outcome::Failure),
    (b"Rejected in post-auth", Outcome::Failure),
];

/// Kinds of line of the server's own log, which the header's reading takes for a program.
fn is_level(app: &[u8]) -> bool {
    matches!(app, b"Auth" | b"Info" | b"Error" | b"Proxy" | b"Warning" | b"Warn" | b"Debug")
}

fn is_program(app: &[u8]) -> bool {
    matches!(app, b"radiusd" | b"freeradius" | b"radius")
}

/// `(123) `, the request's number.
fn request(text: &[u8]) -> (&[u8], &[u8]) {
    match text.strip_prefix(b"(").and_then(|rest| split_once_str(rest, b") ")) {
        Some((number, rest)) if !number.is_empty() && number.iter().all(u8::is_ascii_digit) => {
            (number, rest.trim_ascii_start())
        }
        _ => (b"", text),
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "freeradius"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["radiusd", "radius"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let app = record.header.app;
        if is_program(app) {
            return Some(Confidence::Certain);
        }
        if !app.is_empty() && !is_level(app) {
            return None;
        }
        let (_, text) = request(record.body);
        if ENDS.iter().any(|(beginning, _)| text.starts_with(beginning)) && contains(text, b" (from client ") {
            return Some(Confidence::Certain);
        }
        // the server's own log has a weekday and ` : ` behind its time
        let own = is_level(app) && record.line.get(24..27) == Some(b" : ");
        own.then_some(Confidence::Possible)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let app = record.header.app;
        if is_level(app) {
            row.text(key::LEVEL, app);
        } else {
            row.text(key::PROCESS_NAME, app);
            row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        }
        let (number, text) = request(record.body.trim_ascii());
        row.extra_fixed("request", number);
        if let Some((beginning, outcome)) = ENDS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
            return match login(text, beginning, *outcome, row) {
                Some(()) => Ok(Parsed::Events),
                None => Err(record.not_this_family("`[USER] (from client NAS port N)` behind the sentence")),
            };
        }
        if !is_program(app) && !is_level(app) {
            return Err(record.not_this_family("`Login OK: [USER] (from client NAS port N)`, or a program's tag"));
        }
        beside(row, &REST, None);
        row.text(key::MESSAGE, text);
        let _ = unknown_client(text, row).or_else(|| listening(text, row));
        Ok(Parsed::Events)
    }
}

/// `BEGINNING[ (WHY)]: [USER[/PASSWORD]] (from client NAS port N[ cli WHO][ via TLS tunnel])[ TEXT]`. Name and password are
/// the client's: what follows them is looked for from the right.
fn login(text: &[u8], beginning: &[u8], outcome: Outcome, row: &mut Row<'_>) -> Option<()> {
    let (head, rest) = split_once_str(text, b": [")?;
    let at = memmem::rfind(rest, b"] (from client ")?;
    let (who, ends) = (&rest[..at], &rest[at + b"] (from client ".len()..]);
    // `host/NAME` is a machine; behind any other slash stands a password, or `<via Auth-Type = …>`
    let start = if who.starts_with(b"host/") { 5 } else { 0 };
    let slash = memchr::memchr(b'/', &who[start..]).map(|at| start + at);
    let (name, behind) = slash.map_or((who, &b""[..]), |at| (&who[..at], &who[at + 1..]));
    let name = name.trim_ascii();
    let inner = contains(ends, b" via TLS tunnel");
    if inner {
        beside(row, &REST, Some(outcome));
    } else {
        attempt(row, &LOGIN, outcome);
    }
    row.text(key::EVENT_ACTION, beginning);
    if name.starts_with(b"host/") {
        row.text(key::USER, name);
    } else {
        account_text(row, name);
    }
    let why = head[beginning.len()..].trim_ascii();
    let why = why.strip_prefix(b"(").and_then(|why| why.strip_suffix(b")")).unwrap_or(why);
    if beginning == b"Invalid user" && why.is_empty() {
        row.fixed(key::REASON, "unknown user");
    }
    row.text(key::REASON, why);
    if behind.is_empty() || behind.starts_with(b"<via ") || behind.starts_with(b"<no User-Password") {
        row.text(key::MESSAGE, text);
    }
    if let Some(method) = behind.strip_prefix(b"<via Auth-Type = ") {
        row.text(key::AUTH_METHOD, method.strip_suffix(b">").unwrap_or(method));
    }
    let mut cursor = Cursor::new(ends.split(|byte| *byte == b')').next().unwrap_or(ends));
    row.extra_fixed("nas", cursor.word());
    if cursor.take_if(b"port ") {
        row.extra_fixed("nas_port", cursor.word());
    }
    if cursor.take_if(b"cli ") {
        caller(cursor.word(), row);
    }
    Some(())
}

/// Who called: an address, a hardware address (of a wireless network with its name behind it), or a number.
fn caller(text: &[u8], row: &mut Row<'_>) {
    let mac = text.get(..17).filter(|mac| {
        mac.chunks(3).all(|part| {
            part[0].is_ascii_hexdigit()
                && part[1].is_ascii_hexdigit()
                && part.get(2).is_none_or(|byte| matches!(byte, b'-' | b':'))
        })
    });
    match (mac, Ip::parse(text)) {
        (Some(mac), _) => row.text(key::SRC_MAC, mac),
        (None, Some(ip)) => row.set(key::SRC_IP, ip),
        (None, None) => row.extra_fixed("calling_station", text),
    }
}

/// `Ignoring request to auth address * port 1812 … from unknown client ADDRESS port N proto udp`.
fn unknown_client(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (before, rest) = split_once_str(text, b" from unknown client ")?;
    let mut cursor = Cursor::new(rest);
    row.set(key::SRC_IP, Ip::parse(cursor.word())?);
    row.set(key::ACTION, Action::Deny);
    if cursor.take_if(b"port ") {
        row.set_opt(key::SRC_PORT, port(cursor.word()));
    }
    if cursor.take_if(b"proto ") {
        row.set_opt(key::TRANSPORT, Transport::parse(cursor.word()));
    }
    let (_, number) = split_once_str(before, b" port ")?;
    row.set_opt(key::DST_PORT, port(Cursor::new(number).word()));
    Some(())
}

/// `Listening on auth address * port 1812 bound to server default`.
fn listening(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let rest = text.strip_prefix(b"Listening on ")?;
    let (_, address) = split_once_str(rest, b"address ")?;
    let (address, number) = split_once_str(address, b" port ")?;
    row.set(key::KIND, EventKind::Listener);
    row.set(key::DST_PORT, port(Cursor::new(number).word())?);
    row.set(key::PORT_STATE, PortState::Open);
    row.extra_fixed("listen_address", address);
    row.extra_fixed("listens_for", split_once(rest, b' ').map_or(rest, |(kind, _)| kind));
    Some(())
}
