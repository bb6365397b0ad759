//! OpenVPN servers and clients: their own log file and syslog.
//!
//! `[TIME ][us=N ][NAME/]ADDRESS:PORT TEXT`, where NAME is the common name of a client that is known already. A login is counted
//! where the server says that the peer is connected, or that its name and password were refused; what goes before (certificates,
//! passwords that were right) stands beside it. A handshake that fails is a failure, but says nothing about a password; a packet
//! without the server's own key is a scan.
//!
//! The header's reading takes an address for a host and a sentence's first word for a program; so lines without a program are
//! read from their beginning here. Source: openvpn, `src/openvpn/{ssl,ssl_verify,multi,socket,forward}.c`.

use memchr::memmem;
use schemas::{Action, EventKind, Field, Ip, LogSource, Outcome, PortState, Row, Transport, key};

use crate::lex::text::{Beginnings, Cursor, contains, decimal, port, split_once, split_once_str};
use crate::lex::time;
use crate::logins::{attempt, beside, end, set_user};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal, set_time};

/// The family.
pub struct Family;

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "openvpn",
        vendor: "OpenVPN",
        product: "OpenVPN",
        dataset: "openvpn.log",
        categories,
        products: &["openvpn"],
        services: &["openvpn", "vpn"],
    }
}

static LOGIN: LogSource = source(&["authentication"]);
static REST: LogSource = source(&[]);

/// Beginnings of sentences that no other program has.
static BEGINNINGS: Beginnings = Beginnings::new(&[
    b"TLS: ",
    b"TLS Error: ",
    b"TLS Auth Error: ",
    b"VERIFY ",
    b"peer info: ",
    b"MULTI: ",
    b"MULTI_sva: ",
    b"SENT CONTROL [",
    b"PUSH: ",
    b"Peer Connection Initiated",
    b"Control Channel: ",
    b"Data Channel",
    b"Outgoing Data Channel",
    b"Incoming Data Channel",
    b"SIGUSR1[",
    b"SIGTERM[",
    b"SIGHUP[",
    b"Initialization Sequence Completed",
    b"Diffie-Hellman initialized",
    b"IFCONFIG POOL",
    b"ifconfig_pool_",
    b"succeeded -> ifconfig_pool_set",
    b"Socket Buffers: R=",
    b"TUN/TAP device ",
    b"net_route_v",
    b"net_addr_",
    b"net_iface_",
    b"UDPv4 link ",
    b"UDPv6 link ",
    b"TCPv4_",
    b"TCPv6_",
    b"UDP link ",
    b"TCP connection established with ",
    b"Timers: ping ",
    b"Connection reset, restarting",
    b"Inactivity timeout (--ping",
    b"OpenVPN ",
    b"library versions: ",
    b"Authenticate/Decrypt packet error",
    b"PLUGIN_",
    b"AUTH: Received control message: ",
    b"event_wait : ",
    b"Could not determine IPv4/IPv6 protocol",
    b"AEAD Decrypt error",
    b"WARNING: Bad encapsulated packet length",
    b"Delayed exit in ",
    b"Listening for incoming TCP connection on ",
    b"Client disconnected",
    b"Connection Attempt MULTI",
    b"TLS_ERROR: ",
    b"OpenSSL: error",
    b"read UDP",
    b"tls-crypt unwrap error",
    b"tls-crypt-v2 ",
    b"Re-using SSL/TLS context",
    b"LZO compression",
    b"Expected Remote Options",
    b"NOTE: ",
    b"OPTIONS IMPORT",
    b"ROUTE_GATEWAY",
    b"/sbin/ip ",
    b"UID set to ",
    b"GID set to ",
    b"LDAP user \"",
    b"Incorrect password supplied for LDAP DN",
]);

/// Whether a tag is that of an OpenVPN server; people give instances names of their own.
fn is_program(app: &[u8]) -> bool {
    let begins = app.starts_with(b"openvpn") || app.starts_with(b"ovpn") || app.starts_with(b"OpenVPN");
    begins || app.ends_with(b"openvpn") || app.ends_with(b"ovpn")
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "openvpn"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ovpn"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if is_program(record.header.app) {
            return Some(Confidence::Certain);
        }
        if record.header.priority.is_some() || !record.header.pid.is_empty() {
            return None;
        }
        let text = without_time(record.line)?;
        if !BEGINNINGS.begin(text) && !may_have_peer(text) {
            return None;
        }
        let (peer, rest) = prefix(text);
        let rest = nameless(rest);
        let known =
            BEGINNINGS.begin(rest) || rest.starts_with(b"[") && contains(rest, b"] Peer Connection Initiated with ");
        known.then_some(if peer.is_some() { Confidence::Likely } else { Confidence::Possible })
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let header = &record.header;
        // a program's number is no part of the log's own form
        let of_syslog = is_program(header.app) || !header.pid.is_empty() || header.priority.is_some();
        let text = if of_syslog {
            row.text(key::PROCESS_NAME, header.app);
            row.set_opt(key::PROCESS_ID, decimal(header.pid));
            record.body
        } else {
            record.forget_host(row);
            own_time(record, row)
        };
        let text = text.trim_ascii();
        let (peer, rest) = prefix(text);
        let rest = nameless(rest);
        if let Some(peer) = &peer {
            set_user(row, peer.name);
            row.set(key::SRC_IP, peer.ip);
            row.set(key::SRC_PORT, peer.port);
        }
        let known = of_syslog || peer.is_some() || BEGINNINGS.begin(rest);
        if !known && header.time_us.is_none() {
            return Err(record.not_this_family("a time, `ADDRESS:PORT` of a client, or one of OpenVPN's sentences"));
        }
        row.fixed(key::APP_PROTO, "openvpn");
        row.text(key::MESSAGE, rest);
        if message(rest, row).is_none() {
            beside(row, &REST, None);
        }
        Ok(Parsed::Events)
    }
}

/// The text behind `2026-05-04 09:12:31 ` or `Mon May  4 09:12:31 2026 `, by the places of their separators. A line that begins
/// otherwise is returned whole.
fn without_time(line: &[u8]) -> Option<&[u8]> {
    match line {
        [b'1'..=b'2', _, _, _, b'-', _, _, b'-', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', rest @ ..] => {
            Some(micros(rest))
        }
        [_, _, _, b' ', _, _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', _, _, _, _, b' ', rest @ ..] => {
            Some(micros(rest))
        }
        [b'A'..=b'Z' | b'a'..=b'z' | b'1'..=b'9', ..] => Some(line),
        _ => None,
    }
}

/// Whether a client may stand at the start of a text: a first word with a colon in it, or a slash with a number behind it.
/// Only a look, since every line that has no header comes here.
fn may_have_peer(text: &[u8]) -> bool {
    let head = &text[..text.len().min(100)];
    match head.first() {
        Some(b'0'..=b'9') => head.iter().take(48).take_while(|byte| **byte != b' ').any(|byte| *byte == b':'),
        _ => {
            head.first() == Some(&b'[')
                || memchr::memchr(b'/', head)
                    .and_then(|at| head.get(at + 1))
                    .is_some_and(|byte| byte.is_ascii_hexdigit())
        }
    }
}

/// Behind `us=340080 `.
fn micros(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"us=").and_then(|rest| split_once(rest, b' ')).map_or(text, |(_, rest)| rest)
}

/// Sets the time that the line begins with, and gives what follows it.
fn own_time<'a>(record: &Record<'a>, row: &mut Row<'_>) -> &'a [u8] {
    let line = record.line;
    let Some((stamp, length)) = time::iso(line).or_else(|| time::bsd(line)) else { return line };
    let rest = line[length..].trim_ascii_start();
    let Some(us) = record.time.resolve(&stamp) else { return rest };
    let part = rest.strip_prefix(b"us=").and_then(|rest| split_once(rest, b' '));
    let micro = part.and_then(|(digits, _)| decimal(digits)).filter(|micro| *micro < 1_000_000).unwrap_or(0);
    set_time(row, us + micro as i64);
    part.map_or(rest, |(_, rest)| rest)
}

/// Without the name of the client in brackets that some sentences have before them.
fn nameless(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"[").and_then(|rest| split_once_str(rest, b"] ")) {
        Some((_, rest)) if BEGINNINGS.begin(rest) && !rest.starts_with(b"Peer ") => rest,
        _ => text,
    }
}

struct Peer<'a> {
    name: &'a [u8],
    ip: Ip,
    port: u16,
}

/// `[NAME/]ADDRESS:PORT ` at the start of a text, and what follows it. A name may hold blanks.
fn prefix(text: &[u8]) -> (Option<Peer<'_>>, &[u8]) {
    // a name of a certificate has 64 characters at most
    let head = &text[..text.len().min(140)];
    let mut from = 0;
    loop {
        let word_end = head[from..].iter().position(|byte| *byte == b' ').map(|length| from + length);
        let Some(word_end) = word_end else { return (None, text) };
        let word_start = memchr::memrchr(b'/', &head[from..word_end]).map_or(from, |at| from + at + 1);
        if (word_start > from || from == 0)
            && let (address, Some(port)) = end(&head[word_start..word_end])
            && let Some(ip) = Ip::parse(address)
        {
            let name = &head[..word_start.saturating_sub(1)];
            return (Some(Peer { name, ip, port }), &text[word_end + 1..]);
        }
        // sentences have colons, names have none
        if head[from..word_end].ends_with(b":") || from > 0 && word_end > 80 {
            return (None, text);
        }
        from = word_end + 1;
    }
}

/// `[AF_INET]192.0.2.10:50111`, `[AF_INET6]2001:db8::7:1194`: the end behind a mark.
fn family_end(text: &[u8]) -> Option<(Ip, u16)> {
    let at = memmem::find(text, b"[AF_INET")?;
    let (_, rest) = split_once(&text[at + 1..], b']')?;
    let word = rest.split(|byte| matches!(byte, b' ' | b',' | b')')).next()?;
    let (address, number) = end(word);
    Some((Ip::parse(address)?, number?))
}

fn set_end(text: &[u8], row: &mut Row<'_>) {
    if let Some((ip, number)) = family_end(text) {
        row.set(key::SRC_IP, ip);
        row.set(key::SRC_PORT, number);
    }
}

/// Reads a sentence. `None` if it says nothing about a login or an end.
fn message(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"[")
        && let Some((name, rest)) = split_once_str(rest, b"] Peer Connection Initiated with ")
    {
        attempt(row, &LOGIN, Outcome::Success);
        row.set(key::ACTION, Action::Start);
        row.set(key::PORT_STATE, PortState::Open);
        set_user(row, name);
        set_end(rest, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"TLS Auth Error: ") {
        attempt(row, &LOGIN, Outcome::Failure);
        row.set(key::PORT_STATE, PortState::Open);
        row.text(key::REASON, rest);
        if let Some((_, name)) = split_once_str(rest, b"common name '") {
            set_user(row, split_once(name, b'\'')?.0);
        }
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"TLS: ") {
        let outcome = contains(rest, b"authentication succeeded").then_some(Outcome::Success);
        beside(row, &REST, outcome);
        if let Some((_, name)) = split_once_str(rest, b"for username '") {
            let name = memchr::memrchr(b'\'', name).map_or(name, |at| &name[..at]);
            row.clear(Field::User);
            set_user(row, name);
        }
        set_end(rest, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"TLS Error: ") {
        let shaken = rest.starts_with(b"TLS handshake failed") || rest.starts_with(b"TLS key negotiation failed");
        beside(row, &REST, shaken.then_some(Outcome::Failure));
        row.text(key::REASON, rest);
        set_end(rest, row);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"VERIFY ERROR: ") {
        beside(row, &REST, Some(Outcome::Failure));
        row.text(key::REASON, split_once_str(rest, b"error=").map_or(rest, |(_, why)| why));
        return Some(());
    }
    if contains(text, b"AUTH_FAILED") {
        beside(row, &REST, Some(Outcome::Failure));
        if let Some((_, name)) = split_once(text.strip_prefix(b"SENT CONTROL ").unwrap_or_default(), b'[') {
            set_user(row, split_once(name, b']')?.0);
        }
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"SENT CONTROL [") {
        beside(row, &REST, None);
        let (name, _) = split_once(rest, b']')?;
        if name != b"UNDEF" {
            set_user(row, name);
        }
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"peer info: ") {
        beside(row, &REST, None);
        let (name, value) = split_once(rest, b'=')?;
        if name == b"IV_VER" {
            row.text(key::CLIENT_SOFTWARE, value);
        }
        row.extra(name, value);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"TCP connection established with ") {
        beside(row, &REST, None);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::ACTION, Action::Start);
        row.set(key::PORT_STATE, PortState::Open);
        set_end(rest, row);
        return Some(());
    }
    let pool = text.strip_prefix(b"MULTI_sva: ").or_else(|| text.strip_prefix(b"MULTI: "));
    if let Some(rest) = pool.and_then(|text| text.strip_prefix(b"pool returned IPv4=")) {
        beside(row, &REST, None);
        // the address that the client gets in the tunnel
        row.set_opt(key::NAT_SRC_IP, Ip::parse(rest.split(|byte| *byte == b',').next().unwrap_or(rest)));
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"MULTI: Learn: ") {
        beside(row, &REST, None);
        let (inside, rest) = split_once_str(rest, b" -> ")?;
        row.extra_fixed("virtual_address", inside);
        let at = memchr::memrchr(b'/', rest);
        let (address, number) = end(&rest[at.map_or(0, |at| at + 1)..]);
        set_user(row, at.map_or(&b""[..], |at| &rest[..at]));
        row.set_opt(key::SRC_IP, Ip::parse(address));
        row.set_opt(key::SRC_PORT, number);
        return Some(());
    }
    if text.starts_with(b"SIGUSR1[")
        || text.starts_with(b"SIGTERM[")
        || text.starts_with(b"Connection reset, restarting")
    {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::End);
        row.text(
            key::REASON,
            split_once(text, b'[').and_then(|(_, rest)| split_once(rest, b']')).map_or(text, |(why, _)| why),
        );
        return Some(());
    }
    if text.starts_with(b"Inactivity timeout") {
        beside(row, &REST, None);
        row.set(key::ACTION, Action::Timeout);
        return Some(());
    }
    if contains(text, b"Bad encapsulated packet length")
        || text.starts_with(b"Authenticate/Decrypt packet error")
        || text.starts_with(b"tls-crypt unwrap error")
        || text.starts_with(b"AEAD Decrypt error")
    {
        beside(row, &REST, None);
        row.text(key::REASON, text);
        set_end(text, row);
        return Some(());
    }
    accounts(text, row).or_else(|| listening(text, row))
}

/// What plugins and pfSense's script say about an account, before the server itself refuses or takes the client.
fn accounts(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some(rest) = text.strip_prefix(b"Incorrect password supplied for LDAP DN \"") {
        beside(row, &REST, Some(Outcome::Failure));
        row.fixed(key::REASON, "wrong password");
        let dn = split_once(rest, b'"')?.0;
        row.extra_fixed("dn", dn);
        let first = dn.split(|byte| *byte == b',').next()?;
        set_user(row, split_once(first, b'=').map_or(first, |(_, name)| name));
        return Some(());
    }
    if let Some(rest) = text.strip_prefix(b"LDAP user \"") {
        beside(row, &REST, Some(Outcome::Failure));
        row.fixed(key::REASON, "unknown user");
        set_user(row, &rest[..memmem::rfind(rest, b"\" was not found")?]);
        return Some(());
    }
    // `openvpn server 'ovpns1' user 'U' address 'A' - connected`
    if let Some((_, rest)) = text.strip_prefix(b"openvpn server '").and_then(|rest| split_once_str(rest, b"' user '")) {
        let at = memmem::rfind(rest, b"' address '")?;
        let (address, what) = split_once_str(&rest[at + b"' address '".len()..], b"' - ")?;
        beside(row, &REST, None);
        set_user(row, &rest[..at]);
        row.set_opt(key::SRC_IP, Ip::parse(address));
        row.set(key::ACTION, if what.starts_with(b"conn") { Action::Start } else { Action::End });
        return Some(());
    }
    let rest = text.strip_prefix(b"user '")?;
    let at = memchr::memrchr(b'\'', rest)?;
    let failed = contains(&rest[at..], b"could not");
    beside(row, &REST, Some(if failed { Outcome::Failure } else { Outcome::Success }));
    set_user(row, &rest[..at]);
    Some(())
}

/// `UDPv4 link local (bound): [AF_INET][undef]:1194`, `Listening for incoming TCP connection on [AF_INET]0.0.0.0:1194`.
fn listening(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (transport, rest) = if let Some((head, rest)) = split_once_str(text, b" link local (bound): ") {
        (if head.starts_with(b"TCP") { Transport::TCP } else { Transport::UDP }, rest)
    } else {
        (Transport::TCP, text.strip_prefix(b"Listening for incoming TCP connection on ")?)
    };
    let number = port(Cursor::new(&rest[memchr::memrchr(b':', rest)? + 1..]).word())?;
    row.log_source(&REST);
    row.set(key::KIND, EventKind::Listener);
    row.set(key::TRANSPORT, transport);
    row.set(key::DST_PORT, number);
    row.set(key::PORT_STATE, PortState::Open);
    row.extra_fixed("listen_address", family_end(rest).map_or(&b""[..], |_| rest));
    Some(())
}
