//! Access lists: `list ACL {permitted|denied} PROTO A(p) [(IF MAC)] -> B(q), N packet[s] [[cookie]]`.
//!
//! The number of packets is what was seen since the line before (the first packet at once, then a sum every five minutes),
//! never a count of sessions. Ports that the entry does not look at print as 0 on both sides: then they are unknown.

use schemas::{Action, EventKind, Ip, PortState, Row, Transport, key};

use super::end;
use crate::lex::text::{Cursor, decimal, rsplit_once, split_once, split_once_str};

/// `…LOGP`, `…LOGDP`, `…LOGNP`, `…LOGRP`, `…LOGSP`, and `…LOGS`, which knows the source only.
pub(super) fn list(mnemonic: &[u8], cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    if !cursor.take_if(b"list ") {
        // `R0/0: fman_fp_image: `, blanks as they come
        cursor.until_str(b" list ")?;
    }
    rule(cursor.until_near(b' ')?, row);
    cursor.skip_blanks();
    let mut ahead = *cursor;
    let verdict = ahead.word();
    let denied = match verdict {
        b"denied" | b"Denied" => true,
        b"permitted" | b"Permitted" => false,
        _ => return None,
    };
    *cursor = ahead;
    row.text(key::EVENT_ACTION, verdict);
    row.set(key::ACTION, if denied { Action::Deny } else { Action::Allow });
    if mnemonic.ends_with(b"LOGS") {
        let mut ahead = *cursor;
        row.set(key::SRC_IP, Ip::parse(ahead.word())?);
        *cursor = ahead;
        row.set(key::PACKETS_OUT, cursor.number()?);
        return Some(());
    }
    let mut ahead = *cursor;
    let transport = transport(ahead.word(), row);
    let left = ahead.until_str(b"->")?;
    let source_port = source(left, row)?;
    *cursor = ahead;
    cursor.skip_blanks();
    let (right, count) = split_once(cursor.rest(), b',')?;
    let destination_port = destination(right.trim_ascii(), transport, row)?;
    let mut count = Cursor::new(count.trim_ascii_start());
    row.set(key::PACKETS_OUT, count.number()?);
    if let Some((_, cookie)) = split_once(count.rest(), b'[') {
        row.extra_fixed("cookie", cookie.split(|b| *b == b']').next()?);
    }
    let ports = (schemas::parse_port(source_port), schemas::parse_port(destination_port));
    if let (Some(from), Some(to)) = ports
        && (from, to) != (0, 0)
    {
        row.set(key::SRC_PORT, from);
        row.set(key::DST_PORT, to);
        if denied {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    }
    Some(())
}

/// The list's name; of IPv6 with the entry's sequence number after the last slash.
fn rule(name: &[u8], row: &mut Row<'_>) {
    match rsplit_once(name, b'/') {
        Some((list, entry)) if decimal(entry).is_some() => {
            row.text(key::RULE_NAME, list);
            row.text(key::RULE_ID, entry);
        }
        _ => row.text(key::RULE_NAME, name),
    }
}

/// By name or number. `0` and `ipv6` mean any protocol.
fn transport(word: &[u8], row: &mut Row<'_>) -> Option<Transport> {
    let found = match word {
        b"0" | b"ip" | b"ipv6" => None,
        word => Transport::parse(word),
    };
    row.set_opt(key::TRANSPORT, found);
    found
}

/// `A(p)` among interface and hardware address, which stand before or after it; gives the port.
fn source<'a>(text: &'a [u8], row: &mut Row<'_>) -> Option<&'a [u8]> {
    let mut port = None;
    for word in text.split(|b| *b == b' ').filter(|word| !word.is_empty()) {
        if port.is_none()
            && let Some((ip, found)) = end(word)
        {
            row.set(key::SRC_IP, ip);
            port = Some(found);
            continue;
        }
        let word = word.strip_prefix(b"(").unwrap_or(word);
        let word = word.strip_suffix(b")").unwrap_or(word);
        if is_mac(word) {
            row.text(key::SRC_MAC, word);
        } else if !word.is_empty() {
            row.text(key::IN_INTERFACE, word);
        }
    }
    port
}

/// `B(q)`, or `B (type/code)` and `B (type)`; gives the port.
fn destination<'a>(text: &'a [u8], transport: Option<Transport>, row: &mut Row<'_>) -> Option<&'a [u8]> {
    let (address, kind) = split_once(text, b' ').unwrap_or((text, b""));
    let (ip, port) = end(address)?;
    row.set(key::DST_IP, ip);
    let kind = kind.trim_ascii();
    if let Some(inside) = kind.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")")) {
        match split_once(inside, b'/') {
            Some((kind, code)) => {
                row.set_opt(key::ICMP_TYPE, decimal(kind));
                row.set_opt(key::ICMP_CODE, decimal(code));
            }
            None if matches!(transport, Some(Transport::ICMP | Transport::ICMPV6)) => {
                row.set_opt(key::ICMP_TYPE, decimal(inside));
            }
            // IGMP's type has no column
            None => row.extra_fixed("message_type", inside),
        }
    }
    Some(port)
}

/// `0011.2233.4455`.
fn is_mac(word: &[u8]) -> bool {
    word.len() == 14 && word[4] == b'.' && word[9] == b'.' && word.iter().all(|b| b.is_ascii_hexdigit() || *b == b'.')
}

/// `access-list logging rate-limited or missed N packets`: the counts of the lines around are lower bounds.
pub(super) fn lost(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    let (_, count) = split_once_str(cursor.rest(), b"missed ")?;
    let count = count.split(|b| *b == b' ').next()?;
    decimal(count)?;
    row.extra_fixed("packets_not_logged", count);
    row.fixed(key::EVENT_ACTION, "log records lost");
    Some(())
}
