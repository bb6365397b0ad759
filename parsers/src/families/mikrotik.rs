//! MikroTik RouterOS: firewall log rules, logins, leases.
//!
//! `[topics ]PREFIX chain: in:IF out:IF, connection-state:S src-mac M, proto P (FLAGS), A:p->B:q, NAT …, len N`. The router does not
//! say what it did with the packet; the prefix is the operator's text and becomes the rule's name. One line is one
//! packet. Interface names may hold blanks, so they end where the next fixed word begins. Of a translation the pair in
//! parentheses is one end before and after; the row's other address is the one that the packet does not have.
//! A user's name in a login is the attacker's text: the sentence is read from its right end.
//!
//! Source: MikroTik, "Log", "Firewall: log action".

use schemas::{Action, EventKind, Field, Initiator, Ip, LogSource, Outcome, RejectKind, Row, Transport, key};

use crate::lex::endpoint;
use crate::lex::text::{Cursor, contains, decimal, rsplit_once, split_once, split_once_str};
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static FIREWALL: LogSource = source("mikrotik.firewall", &["firewall"], &["firewall"]);
static LOGIN: LogSource = source("mikrotik.auth", &["authentication"], &["account"]);
static EVENT: LogSource = source("mikrotik.event", &[], &["system"]);

const fn source(
    dataset: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        family: "mikrotik",
        vendor: "MikroTik",
        product: "RouterOS",
        dataset,
        categories,
        products: &["mikrotik", "routeros"],
        services,
    }
}

/// First topics of lines that are kept.
const TOPICS: &[&[u8]] = &[
    b"firewall",
    b"system",
    b"dhcp",
    b"dhcpv6",
    b"ppp",
    b"pptp",
    b"pppoe",
    b"l2tp",
    b"sstp",
    b"ovpn",
    b"ipsec",
    b"wireguard",
    b"wireless",
    b"caps",
    b"interface",
    b"script",
    b"hotspot",
    b"radius",
    b"bridge",
    b"route",
    b"ssh",
    b"web-proxy",
];

const CHAINS: &[&[u8]] =
    &[b"input", b"forward", b"output", b"prerouting", b"postrouting", b"srcnat", b"dstnat", b"raw"];

impl Parser for Family {
    fn name(&self) -> &'static str {
        "mikrotik"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["routeros"]
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        let body = record.body;
        if record.header.app.is_empty() {
            if topics(body).is_some_and(|(topics, _)| topics.contains(&b',')) || packet_at(body).is_some() {
                return Some(Confidence::Certain);
            }
            let login = body.starts_with(b"login failure for user ") && contains(body, b" via ");
            return login.then_some(Confidence::Likely);
        }
        let chained = CHAINS.contains(&record.header.app) && body.starts_with(b"in:") && contains(body, b" out:");
        chained.then_some(Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        let body = record.body;
        if CHAINS.contains(&record.header.app) && body.starts_with(b"in:") {
            packet(record, record.header.app, body, row)?;
            return Ok(Parsed::Events);
        }
        let (named, text) = topics(body).unwrap_or((b"", body));
        row.extra_fixed("topics", named);
        if let Some(at) = packet_at(text) {
            let (head, rest) = (&text[..at], &text[at + 2..]);
            let (prefix, chain) = rsplit_once(head, b' ').unwrap_or((b"", head));
            row.text(key::RULE_NAME, prefix.trim_ascii());
            packet(record, chain, rest, row)?;
            return Ok(Parsed::Events);
        }
        row.text(key::MESSAGE, text);
        if login(text, row) {
            row.log_source(&LOGIN);
            row.set(key::KIND, EventKind::Auth);
        } else if !named.is_empty() {
            event(text, row);
        } else {
            return Err(record.not_this_family("topics, `chain: in:… out:…`, or a login's sentence"));
        }
        Ok(Parsed::Events)
    }
}

/// `firewall,info `: topics, and the text behind them.
#[inline]
fn topics(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = body
        .iter()
        .take(64)
        .position(|byte| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b',' | b'-')))?;
    if body[length] != b' ' && body[length] != b':' {
        return None;
    }
    let first = body[..length].split(|byte| *byte == b',').next()?;
    if !TOPICS.contains(&first) {
        return None;
    }
    let rest = &body[length..];
    Some((&body[..length], rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start()))
}

/// Where the colon behind the chain stands: `input: in:`.
#[inline]
fn packet_at(text: &[u8]) -> Option<usize> {
    // a prefix has at most 15 letters in RouterOS; topics and chain are short
    let head = &text[..text.len().min(160)];
    let at = memchr::memmem::find(head, b": in:")?;
    (contains(&text[at..], b" out:") && contains(&text[at..], b"proto ")).then_some(at)
}

/// An interface; `(unknown 0)` and `(none)` are none.
fn interface(name: &[u8]) -> &[u8] {
    if matches!(name, b"(unknown 0)" | b"(none)" | b"(unknown)") { b"" } else { name }
}

fn packet<'a>(record: &Record<'a>, chain: &'a [u8], text: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
    let missing = |what| record.refuse(text, RejectKind::Missing { what });
    row.log_source(&FIREWALL);
    row.set(key::KIND, EventKind::Flow);
    row.extra_fixed("chain", chain);
    let rest = text.strip_prefix(b"in:").ok_or_else(|| missing("`in:`"))?;
    let (from, rest) = split_once_str(rest, b" out:").ok_or_else(|| missing("`out:`"))?;
    let (to, rest) = split_once_str(rest, b", ").ok_or_else(|| missing("what follows the interfaces"))?;
    row.text(key::IN_INTERFACE, interface(from));
    row.text(key::OUT_INTERFACE, interface(to));
    let (marks, rest) = split_once_str(rest, b"proto ").ok_or_else(|| missing("`proto`"))?;
    for mark in marks.split(|byte| *byte == b' ') {
        let mark = mark.strip_suffix(b",").unwrap_or(mark);
        match split_once(mark, b':') {
            Some((b"connection-state", state)) => row.text(key::CONN_STATE, state),
            Some((b"connection-mark", mark)) => row.extra_fixed("connection_mark", mark),
            Some((b"packet-mark", mark)) => row.extra_fixed("packet_mark", mark),
            // behind `src-mac`, which has no colon of its own
            _ if mark.len() == 17 && mark[2] == b':' => row.text(key::SRC_MAC, mark),
            _ => {}
        }
    }
    let mut cursor = Cursor::new(rest);
    let protocol = cursor.take_while(|byte| !matches!(byte, b' ' | b','));
    let transport = Transport::parse(protocol);
    row.set_opt(key::TRANSPORT, transport);
    if transport.is_none() {
        row.extra_fixed("protocol", protocol);
    }
    cursor.skip_blanks();
    while cursor.take_if(b"(") {
        let inside = cursor.until(b')').ok_or_else(|| missing("`)`"))?;
        if let Some(kind) = inside.strip_prefix(b"type ") {
            let (kind, code) = split_once_str(kind, b", code ").unwrap_or((kind, b""));
            row.set_opt(key::ICMP_TYPE, decimal(kind));
            row.set_opt(key::ICMP_CODE, decimal(code));
        } else {
            row.text(key::TCP_FLAGS, inside);
            let (syn, ack) = (contains(inside, b"SYN"), contains(inside, b"ACK"));
            if syn {
                row.set(key::INITIATOR, if ack { Initiator::Destination } else { Initiator::Source });
            }
        }
        cursor.skip_blanks();
    }
    cursor.take_if(b",");
    cursor.skip_blanks();
    let pair = cursor.take_while(|byte| byte != b',');
    let (src, dst) = split_once_str(pair, b"->").ok_or_else(|| missing("`SOURCE->DESTINATION`"))?;
    for (part, ip_key, port_key) in [(src, key::SRC_IP, key::SRC_PORT), (dst, key::DST_IP, key::DST_PORT)] {
        let Some((ip, port)) = end(part, transport) else {
            return Err(record.refuse(part, RejectKind::bad_value("an end", part, "ADDRESS:PORT")));
        };
        row.set(ip_key, ip);
        row.set_opt(port_key, port);
    }
    while cursor.take_if(b",") {
        cursor.skip_blanks();
        let part = cursor.take_while(|byte| byte != b',').trim_ascii();
        if let Some(length) = part.strip_prefix(b"len ") {
            row.set_opt(key::BYTES_OUT, decimal(length));
            row.set(key::PACKETS_OUT, 1);
        } else if let Some(translation) = part.strip_prefix(b"NAT ") {
            translated(translation, transport, row);
        } else if let Some(priority) = part.strip_prefix(b"prio ") {
            row.extra_fixed("priority", priority);
        } else {
            row.extra_fixed("more", part);
        }
    }
    Ok(())
}

/// Of a protocol with ports an end has one, so that the last group of an IPv6 address without brackets is it.
fn end(text: &[u8], transport: Option<Transport>) -> Option<(Ip, Option<u16>)> {
    match transport {
        Some(Transport::TCP | Transport::UDP) => endpoint::colon(text),
        _ => Ip::parse(text).map(|ip| (ip, None)).or_else(|| endpoint::colon(text)),
    }
}

/// `(A:p->A2:p2)->B:q` or `A:p->(B2:q2->B:q)`; both pairs may stand there.
fn translated(text: &[u8], transport: Option<Transport>, row: &mut Row<'_>) {
    let Some(open) = memchr::memchr(b'(', text) else { return };
    let mut rest = text;
    let mut source = open == 0;
    while let Some((_, inside)) = split_once(rest, b'(') {
        let Some((pair, behind)) = split_once(inside, b')') else { return };
        if let Some((one, other)) = split_once_str(pair, b"->")
            && let (Some(one), Some(other)) = (end(one, transport), end(other, transport))
        {
            let (own, ip_key, port_key) = if source {
                (row.get(key::SRC_IP).map(|ip| (ip, row.get(key::SRC_PORT))), key::NAT_SRC_IP, key::NAT_SRC_PORT)
            } else {
                (row.get(key::DST_IP).map(|ip| (ip, row.get(key::DST_PORT))), key::NAT_DST_IP, key::NAT_DST_PORT)
            };
            let (ip, port) = if Some(other) == own { one } else { other };
            row.set(ip_key, ip);
            row.set_opt(port_key, port);
        }
        source = false;
        rest = behind;
    }
}

/// `user U logged in|out from A via M`, `login failure for user U from A via M`. Says whether it was one of them.
fn login(text: &[u8], row: &mut Row<'_>) -> bool {
    let Some(via) = memchr::memmem::rfind(text, b" via ") else { return false };
    let (head, method) = (&text[..via], &text[via + 5..]);
    let (head, address) = match memchr::memmem::rfind(head, b" from ") {
        Some(at) => (&head[..at], &head[at + 6..]),
        // `logged in via local`
        None => (head, &b""[..]),
    };
    let (outcome, user) = if let Some(user) = head.strip_prefix(b"login failure for user ") {
        (Some(Outcome::Failure), user)
    } else if head == b"login failure for user" {
        (Some(Outcome::Failure), &b""[..])
    } else if let Some(user) = head.strip_prefix(b"user ") {
        if let Some(user) = user.strip_suffix(b" logged in") {
            (Some(Outcome::Success), user)
        } else if let Some(user) = user.strip_suffix(b" logged out") {
            (None, user)
        } else {
            return false;
        }
    } else {
        return false;
    };
    row.set_opt(key::OUTCOME, outcome);
    row.text(key::USER, user.trim_ascii());
    // a MAC address where somebody came over the second layer
    match Ip::parse(address) {
        Some(ip) => row.set(key::SRC_IP, ip),
        None if address.len() == 17 => row.text(key::SRC_MAC, address),
        None => row.text(key::SRC_HOST, address),
    }
    row.text(key::AUTH_METHOD, method.split(|byte| *byte == b' ').next().unwrap_or(method));
    true
}

/// Remote access: `U logged in, TUNNEL-ADDRESS[ from A]`, `U logged out, SECONDS IN OUT PACKETS PACKETS[ from A]`, `<U>: user U
/// authentication failed`. Counters are the router's: `in` is what the user sent.
fn remote_access(text: &[u8], row: &mut Row<'_>) -> Option<()> {
    if let Some((_, rest)) = split_once_str(text, b">: user ") {
        let user = rest.strip_suffix(b" authentication failed")?;
        row.set(key::OUTCOME, Outcome::Failure);
        row.text(key::USER, user);
    } else if let Some((user, rest)) = split_once_str(text, b" logged in, ").filter(|(user, _)| !user.contains(&b' ')) {
        let (inside, from) = split_once_str(rest, b" from ").unwrap_or((rest, b""));
        row.set(key::NAT_SRC_IP, Ip::parse(inside.trim_ascii())?);
        row.set(key::OUTCOME, Outcome::Success);
        row.set(key::ACTION, Action::Start);
        row.text(key::USER, user);
        row.set_opt(key::SRC_IP, Ip::parse(from.trim_ascii()));
    } else {
        let (user, rest) = split_once_str(text, b" logged out, ").filter(|(user, _)| !user.contains(&b' '))?;
        let (counters, from) = split_once_str(rest, b" from ").unwrap_or((rest, b""));
        let mut counters = counters.split(|byte| *byte == b' ').map(decimal);
        let seconds = counters.next()??;
        row.set_opt(key::DURATION, seconds.checked_mul(1_000_000).filter(|us| *us <= i64::MAX as u64));
        let fields = [key::BYTES_OUT, key::BYTES_IN, key::PACKETS_OUT, key::PACKETS_IN];
        for (field, count) in fields.into_iter().zip(counters) {
            row.set_opt(field, count);
        }
        row.set(key::ACTION, Action::End);
        row.text(key::USER, user);
        row.set_opt(key::SRC_IP, Ip::parse(from.trim_ascii()));
    }
    row.log_source(&LOGIN);
    row.set(key::KIND, EventKind::Auth);
    Some(())
}

/// Leases, tunnels' first packets, and the rest.
fn event(text: &[u8], row: &mut Row<'_>) {
    if remote_access(text, row).is_some() {
        return;
    }
    row.log_source(&EVENT);
    row.set(key::KIND, EventKind::Other);
    // `dhcp1 assigned A to|for MAC [name]`, `dhcp1 deassigned A from|for MAC`
    let lease = split_once_str(text, b" assigned ").or_else(|| split_once_str(text, b" deassigned "));
    if let Some((server, rest)) = lease {
        let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        row.set_opt(key::SRC_IP, words.next().and_then(Ip::parse));
        words.next();
        row.text(key::SRC_MAC, words.next().unwrap_or(b""));
        row.text(key::SRC_HOST, words.next().unwrap_or(b""));
        row.extra_fixed("server", server);
        return;
    }
    // `TCP connection established from A`, `first L2TP UDP packet received from A`
    if let Some((_, address)) = rsplit_once(text, b' ').filter(|(head, _)| head.ends_with(b" from"))
        && !row.has(Field::SrcIp)
        && let Some((ip, port)) = endpoint::colon(address)
    {
        row.set(key::SRC_IP, ip);
        row.set_opt(key::SRC_PORT, port);
    }
}
