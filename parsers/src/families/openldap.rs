//! LDAP servers: OpenLDAP's slapd, 389 Directory Server.
//!
//! ```text
//! conn=1022 fd=21 ACCEPT from IP=192.0.2.10:45011 (IP=0.0.0.0:389)      conn=5 fd=64 slot=64 connection from A to B
//! conn=1022 op=1 BIND dn="uid=u,dc=x" method=128
//! conn=1022 op=1 RESULT tag=97 err=49 text=
//! ```
//! Who came, as whom, and how it ended are three lines with one connection's number, and only together they are a login; so the
//! last connections' ends and names are remembered, in a table of fixed size. Tag 97 is the answer to a bind; other results
//! are none of a login, nor is a bind without a name. Sources: openldap `servers/slapd/{daemon,bind,result}.c`, RFC 4511;
//! 389-ds-base `ldap/servers/slapd/result.c`; Microsoft, "Common Active Directory Bind Errors".

use std::sync::LazyLock;

use memchr::memmem::Finder;
use schemas::{Action, Ip, LogSource, Outcome, PortState, Row, key};

use crate::lex::text::{Cursor, contains, decimal, split_once, split_once_str};
use crate::lex::time;
use crate::logins::{attempt, beside, end, set_service};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(product: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "openldap",
        vendor: product,
        product,
        dataset: "openldap.access",
        categories,
        products: &["linux", "openldap"],
        services: &["ldap", "slapd"],
    }
}

static LOGIN: LogSource = source("OpenLDAP", &["authentication"]);
static REST: LogSource = source("OpenLDAP", &[]);
static DS_LOGIN: LogSource = source("389 Directory Server", &["authentication"]);
static DS_REST: LogSource = source("389 Directory Server", &[]);

/// Connections that are remembered. One whose place another has taken gives its later lines without ends and name.
const CONNECTIONS: usize = 512;

/// Longest name that is remembered.
const NAME_MAX: usize = 256;

#[derive(Clone, Default)]
struct Connection {
    number: u64,
    source: Option<(Ip, Option<u16>)>,
    destination: Option<(Option<Ip>, Option<u16>)>,
    name: Vec<u8>,
    method: &'static str,
}

/// By number, modulo the table's size.
#[derive(Default)]
struct Connections(Vec<Connection>);

impl Connections {
    fn at(&mut self, number: u64) -> &mut Connection {
        if self.0.is_empty() {
            self.0.resize(CONNECTIONS, Connection { number: u64::MAX, ..Connection::default() });
        }
        let slot = &mut self.0[(number % CONNECTIONS as u64) as usize];
        if slot.number != number {
            slot.forget();
            slot.number = number;
        }
        slot
    }
}

impl Connection {
    /// Keeps the name's room.
    fn forget(&mut self) {
        (self.number, self.source, self.destination, self.method) = (u64::MAX, None, None, "");
        self.name.clear();
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "openldap"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["slapd", "389ds", "ldap"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let text = match record.line {
            [b'[', _, _, b'/', ..] => access_log(record.line).map(|(_, text)| text)?,
            _ => record.body,
        };
        if record.header.app == b"slapd" {
            return Some(Confidence::Certain);
        }
        connection(text).map(|_| Confidence::Likely)
    }

    fn remembers(&self) -> Option<fn(&[u8]) -> bool> {
        static CONNECTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"conn="));
        Some(|line| CONNECTION.find(line).is_some())
    }

    fn parse(&self, record: &Record<'_>, memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let mut text = record.body.trim_ascii();
        let mut sources = (&LOGIN, &REST);
        if let Some((stamp, rest)) = access_log(record.line) {
            if let Some(us) = stamp.and_then(|stamp| record.time.resolve(&stamp)) {
                set_time(row, us);
            }
            text = rest.trim_ascii();
            sources = (&DS_LOGIN, &DS_REST);
        }
        row.text(key::PROCESS_NAME, record.header.app);
        row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        row.text(key::MESSAGE, text);
        let Some((number, digits, rest)) = connection(text) else {
            if record.header.app == b"slapd" {
                beside(row, sources.1, None);
                return Ok(Parsed::Events);
            }
            return Err(record.not_this_family("`conn=N op=N …` or slapd's tag"));
        };
        row.text(key::SESSION_ID, digits);
        set_service(row, "ldap");
        line(rest, memory.of::<Connections>().at(number), sources, row);
        Ok(Parsed::Events)
    }
}

/// `[04/May/2026:09:12:31.123456789 +0000] conn=…`: 389's time, of which the fraction has nine digits.
fn access_log(line: &[u8]) -> Option<(Option<time::Stamp>, &[u8])> {
    let (inside, rest) = split_once(line.strip_prefix(b"[")?, b']')?;
    let rest = rest.trim_ascii_start();
    if !rest.starts_with(b"conn=") || inside.len() < 26 {
        return None;
    }
    let (clock, fraction) = inside.split_at(20);
    let zone = memchr::memchr(b' ', fraction)?;
    let mut whole = [0u8; 40];
    let length = 20 + fraction.len() - zone;
    whole.get_mut(..length)?;
    whole[..20].copy_from_slice(clock);
    whole[20..length].copy_from_slice(&fraction[zone..]);
    let mut stamp = time::clf(&whole[..length]).map(|(stamp, _)| stamp);
    if let (Some(stamp), Some(digits)) = (&mut stamp, fraction[..zone].strip_prefix(b"."))
        && let Some(micro) = digits.get(..6).and_then(decimal)
    {
        stamp.civil.micro = micro as u32;
    }
    Some((stamp, rest))
}

/// `conn=N `: the number, its digits, and what follows.
fn connection(text: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (digits, rest) = split_once(text.strip_prefix(b"conn=")?, b' ')?;
    Some((decimal(digits)?, digits, rest))
}

/// A line of one connection.
fn line(text: &[u8], known: &mut Connection, sources: (&'static LogSource, &'static LogSource), row: &mut Row<'_>) {
    let mut cursor = Cursor::new(text);
    let first = cursor.word();
    // `fd=21 ACCEPT …`, `fd=64 slot=64 connection …`, `op=1 BIND …`, `op=-1 fd=64 closed …`
    let number = first.strip_prefix(b"op=");
    if let Some(number) = number {
        row.extra_fixed("op", number);
    }
    if cursor.rest().starts_with(b"slot=") || cursor.rest().starts_with(b"fd=") {
        cursor.word();
    }
    let rest = cursor.rest();
    let (login, source) = sources;
    if let Some(ends) = rest.strip_prefix(b"ACCEPT from IP=") {
        // `192.0.2.10:45011 (IP=0.0.0.0:389)`
        let (remote, local) = split_once_str(ends, b" (IP=").unwrap_or((ends, b""));
        let (address, port) = end(remote);
        let (own, own_port) = end(local.strip_suffix(b")").unwrap_or(local));
        known.source = Ip::parse(address).map(|ip| (ip, port));
        known.destination = Some((Ip::parse(own).filter(|ip| !ip.to_std().is_unspecified()), own_port));
        begun(known, source, row);
        return;
    }
    if let Some(ends) = rest.strip_prefix(b"connection from ").or_else(|| rest.strip_prefix(b"SSL connection from ")) {
        let (remote, local) = split_once_str(ends, b" to ").unwrap_or((ends, b""));
        known.source = Ip::parse(remote).map(|ip| (ip, None));
        known.destination = Some((Ip::parse(local), None));
        begun(known, source, row);
        return;
    }
    if let Some(fields) = rest.strip_prefix(b"BIND ") {
        bind(fields, known);
        beside(row, source, None);
        row.fixed(key::EVENT_ACTION, "BIND");
        written(known, row);
        return;
    }
    if let Some(fields) = rest.strip_prefix(b"RESULT ") {
        result(fields, known, (login, source), row);
        return;
    }
    beside(row, source, None);
    written(known, row);
    let ended =
        first.starts_with(b"fd=") && rest.starts_with(b"closed") || contains(&rest[..rest.len().min(16)], b"closed");
    if ended {
        row.set(key::ACTION, Action::End);
        if let Some((why, _)) = split_once(rest, b'(').and_then(|(_, rest)| split_once(rest, b')')) {
            row.text(key::REASON, why);
        }
        known.forget();
    } else {
        row.text(key::EVENT_ACTION, rest.split(|byte| *byte == b' ').next().unwrap_or_default());
    }
}

fn begun(known: &mut Connection, source: &'static LogSource, row: &mut Row<'_>) {
    known.name.clear();
    beside(row, source, None);
    row.fixed(key::EVENT_ACTION, "ACCEPT");
    row.set(key::ACTION, Action::Start);
    written(known, row);
}

/// `dn="uid=u,dc=x" method=128`, again with `mech=SIMPLE ssf=0` once it has succeeded.
fn bind(fields: &[u8], known: &mut Connection) {
    let Some((_, rest)) = split_once_str(fields, b"dn=\"") else { return };
    // a name may hold quotes: the last one before the method closes it
    let close = memchr::memmem::rfind(rest, b"\" ").unwrap_or(rest.len().saturating_sub(1));
    known.name.clear();
    known.name.extend_from_slice(&rest[..close.min(NAME_MAX)]);
    known.method = if contains(&rest[close..], b"method=128") || contains(&rest[close..], b"mech=SIMPLE") {
        "simple"
    } else if contains(&rest[close..], b"method=163") || contains(&rest[close..], b"method=sasl") {
        "sasl"
    } else {
        known.method
    };
}

/// `tag=97 err=49 [qtime=… etime=… ]text=…`, `err=49 tag=97 nentries=0 etime=0.1`.
fn result(fields: &[u8], known: &mut Connection, sources: (&'static LogSource, &'static LogSource), row: &mut Row<'_>) {
    let value = |name: &[u8]| {
        let at = if fields.starts_with(name) { name.len() } else { memchr::memmem::find(fields, name)? + name.len() };
        fields[at..].split(|byte| *byte == b' ').next()
    };
    let error = value(b"err=").unwrap_or_default();
    let is_bind = value(b"tag=") == Some(b"97");
    row.fixed(key::EVENT_ACTION, "RESULT");
    match (is_bind, error) {
        // more is to come
        (true, b"14") => beside(row, sources.1, None),
        (true, b"0") if known.name.is_empty() => beside(row, sources.1, Some(Outcome::Success)),
        (true, b"0") => attempt(row, sources.0, Outcome::Success),
        (true, b"") => beside(row, sources.1, None),
        (true, _) => attempt(row, sources.0, Outcome::Failure),
        (false, b"0" | b"") => beside(row, sources.1, None),
        (false, _) => beside(row, sources.1, Some(Outcome::Failure)),
    }
    written(known, row);
    if !matches!(error, b"" | b"0" | b"14") {
        row.text(key::STATUS_CODE, error);
        let text = split_once_str(fields, b"text=").map_or(&b""[..], |(_, text)| text);
        reason(error, text, row);
    }
}

/// Why: the sub-code that Active Directory puts into the text, else the result's own meaning.
fn reason(error: &[u8], text: &[u8], row: &mut Row<'_>) {
    let sub = split_once_str(text, b"data ").map(|(_, rest)| rest.split(|byte| matches!(byte, b',' | b' ')).next());
    let reason = match (sub.flatten(), error) {
        (Some(b"52e"), _) => "wrong password",
        (Some(b"525"), _) => "unknown user",
        (Some(b"530"), _) => "outside logon hours",
        (Some(b"531"), _) => "workstation not allowed",
        (Some(b"532"), _) => "password expired",
        (Some(b"533"), _) => "account disabled",
        (Some(b"701"), _) => "account expired",
        (Some(b"773"), _) => "password must change",
        (Some(b"775"), _) => "account locked",
        (_, b"49") => "invalid credentials",
        (_, b"50") => "insufficient access",
        (_, b"53") => "unwilling to perform",
        (_, b"32") => "no such object",
        _ => {
            row.text(key::REASON, text);
            return;
        }
    };
    row.fixed(key::REASON, reason);
}

/// What is known of the connection so far.
fn written(known: &Connection, row: &mut Row<'_>) {
    if let Some((ip, port)) = known.source {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, port);
        row.set(key::PORT_STATE, PortState::Open);
    }
    if let Some((ip, port)) = known.destination {
        row.set_opt(key::DST_IP, ip);
        row.set_opt(key::DST_PORT, port);
    }
    if known.name.is_empty() {
        return;
    }
    row.extra_fixed("dn", &known.name);
    if !known.method.is_empty() {
        row.fixed(key::AUTH_METHOD, known.method);
    }
    // `uid=u,…`: what the first part names; a user may also be written `u@example.com` or `EXAMPLE\u`
    let first = known.name.split(|byte| *byte == b',').next().unwrap_or_default();
    row.text(key::USER, split_once(first, b'=').map_or(first, |(_, name)| name));
}
