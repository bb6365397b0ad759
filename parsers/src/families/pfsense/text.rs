//! pf as text (`tcpdump -n -e -ttt -i pflog0`, OpenBSD), and macOS' application firewall.
//!
//! `rule 5/0(match) [uid 0, pid 1]: block in on em0: 192.0.2.1.443 > 10.0.0.5.50001: Flags [S], …`; older builds print flags
//! as `S 1:1(0)`. Address and port are joined by a dot.

use schemas::{Action, EventKind, Field, Initiator, LogSource, PortState, RejectKind, Row, Transport, key};

use super::{source, verdict};
use crate::lex::endpoint;
use crate::lex::text::{Cursor, contains, decimal, split_once, split_once_str};
use crate::{Record, Refusal};

static PACKET: LogSource = source("pfsense.pflog", &["firewall"], &["pflog"]);
static APPLICATION: LogSource = LogSource {
    family: "pfsense",
    vendor: "Apple",
    product: "macOS",
    dataset: "macos.firewall",
    categories: &["firewall"],
    products: &["macos"],
    services: &["alf"],
};

/// Whether it is a line of pf's text form.
pub(super) fn is_packet(body: &[u8]) -> bool {
    body.starts_with(b"rule ") && contains(&body[..body.len().min(120)], b" on ") && contains(body, b" > ")
}

/// Whether it is a line of macOS' application firewall.
pub(super) fn is_application(body: &[u8]) -> bool {
    (body.starts_with(b"Deny ") || body.starts_with(b"Allow ")) && contains(body, b" connecting from ")
        || body.starts_with(b"Stealth Mode connection attempt to ")
}

pub(super) fn packet(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let body = record.body;
    let missing = |what| Refusal { at: 0, kind: RejectKind::Missing { what } };
    let (head, rest) = split_once_str(body, b": ").ok_or(missing("`: ` after the rule"))?;
    row.log_source(&PACKET);
    row.set(key::KIND, EventKind::Flow);
    let rule = head.strip_prefix(b"rule ").unwrap_or(head);
    let (number, reason) = split_once(rule, b'(').unwrap_or((rule, b""));
    row.text(key::RULE_ID, number.split(|byte| matches!(byte, b'/' | b' ')).next().unwrap_or(number));
    let reason = split_once(reason, b')').map_or(reason, |(reason, _)| reason);
    row.text(key::REASON, reason);
    let mut cursor = Cursor::new(rest);
    let action = cursor.word();
    row.text(key::EVENT_ACTION, action);
    let verdict = verdict(action);
    row.set_opt(key::ACTION, verdict);
    let direction = cursor.word();
    cursor.take_if(b"on ");
    let interface = cursor.word();
    let interface = interface.strip_suffix(b":").unwrap_or(interface);
    row.text(if direction == b"out" { key::OUT_INTERFACE } else { key::IN_INTERFACE }, interface);
    let text = cursor.rest();
    let (source, rest) = split_once_str(text, b" > ").ok_or(missing("` > ` between the ends"))?;
    let source = source.rsplit(|byte| *byte == b' ').next().unwrap_or(source);
    let (destination, rest) = split_once(rest, b' ').unwrap_or((rest, b""));
    let destination = destination.strip_suffix(b":").unwrap_or(destination);
    for (part, ip_key, port_key) in [(source, key::SRC_IP, key::SRC_PORT), (destination, key::DST_IP, key::DST_PORT)] {
        let Some((ip, port)) = endpoint::dot(part) else {
            return Err(record.refuse(part, RejectKind::bad_value("an end", part, "ADDRESS.PORT")));
        };
        row.set(ip_key, ip);
        row.set_opt(port_key, port);
    }
    row.set(key::PACKETS_OUT, 1);
    let flags = match rest.strip_prefix(b"Flags [") {
        Some(rest) => split_once(rest, b']').map(|(flags, _)| flags),
        // `S 1:1(0) win 512`
        None => split_once(rest, b' ')
            .filter(|(flags, after)| is_old_flags(flags) && after.contains(&b':'))
            .map(|(it, _)| it),
    };
    if let Some(flags) = flags {
        row.set(key::TRANSPORT, Transport::TCP);
        row.text(key::TCP_FLAGS, flags);
        // `.` is ACK
        let (syn, ack) = (flags.contains(&b'S'), flags.contains(&b'.') || contains(rest, b" ack "));
        if syn {
            row.set(key::INITIATOR, if ack { Initiator::Destination } else { Initiator::Source });
        }
        if syn && !ack && verdict == Some(Action::Deny) && reason == b"match" {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    } else if rest.starts_with(b"UDP") || rest.starts_with(b"udp") {
        row.set(key::TRANSPORT, Transport::UDP);
    } else if rest.starts_with(b"ICMP6") || rest.starts_with(b"icmp6") {
        row.set(key::TRANSPORT, Transport::ICMPV6);
    } else if rest.starts_with(b"ICMP") || rest.starts_with(b"icmp") {
        row.set(key::TRANSPORT, Transport::ICMP);
    }
    row.text(key::MESSAGE, rest);
    Ok(())
}

fn is_old_flags(word: &[u8]) -> bool {
    !word.is_empty() && word.len() <= 6 && word.iter().all(|byte| b"SFRPUWE.".contains(byte))
}

/// `{Deny|Allow} PROC connecting from A:p to port q proto=6`, `Stealth Mode connection attempt to TCP B:q from A:p`.
pub(super) fn application(record: &Record<'_>, row: &mut Row<'_>) -> Result<(), Refusal> {
    let body = record.body;
    row.log_source(&APPLICATION);
    row.set(key::KIND, EventKind::Flow);
    row.set(key::INITIATOR, Initiator::Source);
    row.text(key::MESSAGE, body);
    let bad = |part: &[u8]| record.refuse(part, RejectKind::bad_value("an end", part, "ADDRESS:PORT"));
    if let Some(rest) = body.strip_prefix(b"Stealth Mode connection attempt to ") {
        let mut cursor = Cursor::new(rest);
        row.set_opt(key::TRANSPORT, Transport::parse(cursor.word()));
        let destination = cursor.word();
        cursor.take_if(b"from ");
        let source = cursor.word();
        for (part, ip_key, port_key) in
            [(source, key::SRC_IP, key::SRC_PORT), (destination, key::DST_IP, key::DST_PORT)]
        {
            let (ip, port) = endpoint::colon(part).ok_or_else(|| bad(part))?;
            row.set(ip_key, ip);
            row.set_opt(port_key, port);
        }
        // it does not answer
        row.set(key::ACTION, Action::Drop);
        row.set(key::PORT_STATE, PortState::Filtered);
        return Ok(());
    }
    let (word, rest) = split_once(body, b' ').unwrap_or((body, b""));
    row.set(key::ACTION, if word == b"Deny" { Action::Deny } else { Action::Allow });
    row.text(key::EVENT_ACTION, word);
    let (process, rest) = split_once_str(rest, b" connecting from ").unwrap_or((rest, b""));
    row.text(key::PROCESS_NAME, process);
    let (source, rest) = split_once(rest, b' ').unwrap_or((rest, b""));
    let (ip, port) = endpoint::colon(source).ok_or_else(|| bad(source))?;
    row.set(key::SRC_IP, ip);
    row.set_opt(key::SRC_PORT, port);
    if let Some((_, rest)) = split_once_str(rest, b"to port ") {
        let (port, rest) = split_once(rest, b' ').unwrap_or((rest, b""));
        row.set_opt(key::DST_PORT, schemas::parse_port(port));
        let protocol = rest.strip_prefix(b"proto=").and_then(decimal).and_then(|number| u8::try_from(number).ok());
        row.set_opt(key::TRANSPORT, protocol.map(Transport));
    }
    if word == b"Deny" && row.has(Field::DstPort) {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Ok(())
}
