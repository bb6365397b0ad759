//! HAProxy: HTTP, TCP and error formats, `Connect from`, and the state of servers.
//!
//! `CLIENT:p [dd/Mon/yyyy:hh:mm:ss.mmm] FRONTEND BACKEND/SERVER Tq/Tw/Tc/Tr/Ta STATUS BYTES … TERM … "REQUEST"`: five timers are HTTP,
//! three are TCP. The stamp in brackets is when the client was accepted, in the machine's own zone. Two conversations
//! stand in one line: the row is the client's with the frontend, whose address the line has not; what the end of the
//! session proves about the server behind (refused, timed out, answered) is told in an extra. Bytes are those to the
//! client. A `+` says that the session was not over. Source: HAProxy, Configuration Manual, "Log formats", 8.2 and 8.5.

use schemas::{Action, EventKind, Initiator, LogSource, PortState, RejectKind, Row, Transport, key};

use crate::lex::endpoint::colon;
use crate::lex::text::{Cursor, decimal, split_once, split_once_str};
use crate::lex::{time, weblog};
use crate::transport::set_time;
use crate::{Accepts, Confidence, Memory, Parsed, Parser, Record, Refusal};

/// The family.
pub struct Family;

static HTTP: LogSource = source("haproxy.http", &["webserver"]);
static TCP: LogSource = source("haproxy.tcp", &[]);
static OTHER: LogSource = source("haproxy.event", &[]);

const fn source(dataset: &'static str, categories: &'static [&'static str]) -> LogSource {
    LogSource {
        family: "haproxy",
        vendor: "HAProxy",
        product: "HAProxy",
        dataset,
        categories,
        products: &["haproxy"],
        services: &["haproxy"],
    }
}

impl Parser for Family {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn accepts(&self) -> Accepts {
        Accepts::Lines
    }

    #[inline]
    fn detect(&self, record: &Record<'_>, _memory: &Memory) -> Option<Confidence> {
        if record.header.app == b"haproxy" {
            return Some(Confidence::Certain);
        }
        session(record.body).map(|_| Confidence::Certain)
    }

    fn parse(&self, record: &Record<'_>, _memory: &mut Memory, row: &mut Row<'_>) -> Result<Parsed, Refusal> {
        row.text(key::PROCESS_NAME, record.header.app);
        row.set_opt(key::PROCESS_ID, decimal(record.header.pid));
        if let Some((client, stamp, rest)) = session(record.body) {
            let Some((ip, port)) = colon(client) else {
                return Err(record.refuse(client, RejectKind::bad_value("the client", client, "ADDRESS:PORT")));
            };
            row.set(key::SRC_IP, ip);
            row.set_opt(key::SRC_PORT, port);
            if let Some(us) = record.time.resolve(&stamp) {
                set_time(row, us);
                row.set(key::START, us);
            }
            row.set(key::KIND, EventKind::Flow);
            row.set(key::INITIATOR, Initiator::Source);
            row.set(key::TRANSPORT, Transport::TCP);
            ended(record, rest, row)?;
        } else if record.header.app == b"haproxy" {
            event(record.body, row);
        } else {
            return Err(record.not_this_family("`CLIENT:PORT [dd/Mon/yyyy:hh:mm:ss.mmm] FRONTEND …`"));
        }
        Ok(Parsed::Events)
    }
}

/// `CLIENT:p [STAMP.mmm] `: client, stamp, and what follows.
fn session(body: &[u8]) -> Option<(&[u8], time::Stamp, &[u8])> {
    // an IPv6 address and its port have at most 47 bytes
    let blank = body.iter().take(56).position(|byte| *byte == b' ')?;
    let (client, rest) = (&body[..blank], body[blank + 1..].strip_prefix(b"[")?);
    // `05/Jan/2026:10:00:00.123]`: no other log has the milliseconds
    if rest.get(20) != Some(&b'.') || rest.get(24) != Some(&b']') || !client.contains(&b':') {
        return None;
    }
    let (stamp, length) = time::clf(rest)?;
    (length == 24).then_some((client, stamp, rest[25..].trim_ascii_start()))
}

/// What follows the stamp.
fn ended<'a>(record: &Record<'a>, rest: &'a [u8], row: &mut Row<'_>) -> Result<(), Refusal> {
    let mut cursor = Cursor::new(rest);
    let frontend = cursor.word();
    let target = cursor.word();
    if let Some(name) = frontend.strip_suffix(b":").filter(|_| !target.contains(&b'/')) {
        failed(name, &rest[frontend.len()..], row);
        return Ok(());
    }
    let encrypted = frontend.ends_with(b"~");
    row.extra_fixed("frontend", frontend.strip_suffix(b"~").unwrap_or(frontend));
    if encrypted {
        row.extra_fixed("tls", b"1");
    }
    let (backend, server) = split_once(target, b'/').unwrap_or((target, b""));
    row.extra_fixed("backend", backend);
    row.extra_fixed("server", server);
    let timers = cursor.word();
    let http = match timers.iter().filter(|byte| **byte == b'/').count() {
        4 => true,
        2 => false,
        _ => {
            return Err(
                record.refuse(timers, RejectKind::bad_value("the timers", timers, "Tw/Tc/Tt, or Tq/Tw/Tc/Tr/Ta"))
            );
        }
    };
    row.extra_fixed("timers", timers);
    let total = timers.rsplit(|byte| *byte == b'/').next().and_then(counted);
    row.set_opt(key::DURATION, total.map(|ms| ms.min(u64::from(u32::MAX)).saturating_mul(1000)));
    if http {
        row.log_source(&HTTP);
        let status = cursor.word();
        row.set_opt(key::HTTP_STATUS, decimal(status));
        row.set_opt(key::OUTCOME, decimal(status).and_then(weblog::outcome));
    } else {
        row.log_source(&TCP);
    }
    let bytes = cursor.word();
    let Some(to_client) = counted(bytes) else {
        return Err(record.refuse(bytes, RejectKind::bad_value("bytes", bytes, "digits")));
    };
    row.set(key::BYTES_IN, to_client);
    if http {
        // captured cookies of request and response
        cursor.word();
        cursor.word();
    }
    let end = cursor.word();
    row.text(key::CONN_STATE, end);
    row.extra_fixed("connections", cursor.word());
    row.extra_fixed("queues", cursor.word());
    let mut rest = cursor.rest();
    for name in ["request_headers", "response_headers"] {
        if let Some((captured, behind)) = rest.strip_prefix(b"{").and_then(|inside| split_once(inside, b'}')) {
            row.extra_fixed(name, captured);
            rest = behind.trim_ascii_start();
        }
    }
    if let Some(line) = rest.strip_prefix(b"\"") {
        // the manual: it may be cut, and is the last field of the classic format
        let line = weblog::quoted(rest).map_or(line, |(line, _)| line);
        let request = weblog::request_line(line);
        row.text(key::HTTP_METHOD, request.method);
        row.text(key::URL, request.target);
        row.text(key::HTTP_HOST, weblog::authority(request.target).0);
        if !request.method.is_empty() {
            row.fixed(key::APP_PROTO, "http");
        }
    }
    let first = end.first().copied();
    let action = match (first, end.get(1)) {
        (Some(b'P'), Some(b'R' | b'T')) => Action::Deny,
        (Some(b'c' | b's'), _) => Action::Timeout,
        _ => Action::Close,
    };
    row.set(key::ACTION, action);
    if server != b"<NOSRV>" {
        row.extra_fixed("server_state", state(end));
    }
    Ok(())
}

/// What the letters of the end prove about the server: who ended it, and in which phase.
fn state(end: &[u8]) -> &'static [u8] {
    match end {
        [b'S', b'C', ..] => b"closed",
        [b's', b'C', ..] => b"filtered",
        [b'-', b'-', ..] | [b'S' | b's' | b'c', b'D' | b'L', ..] | [b'S' | b's', b'H', ..] => b"open",
        _ => b"",
    }
}

/// Digits, perhaps behind the `+` of a session that is not over.
fn counted(text: &[u8]) -> Option<u64> {
    decimal(text.strip_prefix(b"+").unwrap_or(text))
}

/// `FRONTEND/BIND: what went wrong`; the bind's name is its address where it has no other.
fn failed(name: &[u8], text: &[u8], row: &mut Row<'_>) {
    row.log_source(&TCP);
    let (frontend, bind) = split_once(name, b'/').unwrap_or((name, b""));
    row.extra_fixed("frontend", frontend);
    match colon(bind) {
        Some((ip, port)) => {
            row.set(key::DST_IP, ip);
            row.set_opt(key::DST_PORT, port);
        }
        None => row.extra_fixed("bind", bind),
    }
    let text = text.trim_ascii();
    row.text(key::MESSAGE, text);
    row.text(key::REASON, text);
}

/// Lines without a session: `Connect from A:p to B:q (FRONTEND/MODE)`, `Server B/S is DOWN, reason: …`.
fn event(text: &[u8], row: &mut Row<'_>) {
    row.text(key::MESSAGE, text);
    if let Some((from, rest)) = text.strip_prefix(b"Connect from ").and_then(|rest| split_once_str(rest, b" to "))
        && let Some((src, src_port)) = colon(from)
    {
        let (to, frontend) = split_once(rest, b' ').unwrap_or((rest, b""));
        row.log_source(&TCP);
        row.set(key::KIND, EventKind::Flow);
        row.set(key::INITIATOR, Initiator::Source);
        row.set(key::TRANSPORT, Transport::TCP);
        row.set(key::ACTION, Action::Start);
        row.set(key::SRC_IP, src);
        row.set_opt(key::SRC_PORT, src_port);
        if let Some((dst, dst_port)) = colon(to) {
            row.set(key::DST_IP, dst);
            row.set_opt(key::DST_PORT, dst_port);
            // it was accepted
            row.set(key::PORT_STATE, PortState::Open);
        }
        let inside = frontend.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")).unwrap_or(frontend);
        row.extra_fixed("frontend", split_once(inside, b'/').map_or(inside, |(name, _)| name));
        return;
    }
    row.log_source(&OTHER);
    row.set(key::KIND, EventKind::Other);
    if let Some((server, rest)) = text.strip_prefix(b"Server ").and_then(|rest| split_once_str(rest, b" is ")) {
        let (backend, server) = split_once(server, b'/').unwrap_or((b"", server));
        row.extra_fixed("backend", backend);
        row.extra_fixed("server", server);
        let end = rest.iter().position(|byte| matches!(byte, b',' | b'.' | b' ')).unwrap_or(rest.len());
        row.text(key::CONN_STATE, &rest[..end]);
        if let Some((_, why)) = split_once_str(rest, b"reason: ") {
            row.text(key::REASON, why.split(|byte| *byte == b',').next().unwrap_or(why));
        }
    }
}
