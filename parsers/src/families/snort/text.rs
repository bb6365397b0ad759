//! Alerts in prose: one line (`alert_fast`, syslog) or a block of lines (`alert_full`).
//!
//! A message may hold brackets, braces and arrows, so a line's tail is read from its end: the last `{PROTO} a -> b`, before it
//! the bracketed items that Snort appends, and what remains is the message.

use memchr::{memmem, memrchr};
use schemas::RejectKind;

use super::{Alert, Slot, stamp};
use crate::lex::text::{offset_in, split_once_str, unquote};
use crate::{Record, Refusal};

/// `[gid:sid:rev]` at the start: its inside and its length.
pub(super) fn rule_id(text: &[u8]) -> Option<(&[u8], usize)> {
    let inside = text.strip_prefix(b"[")?;
    let close = inside.iter().take(32).position(|byte| *byte == b']')?;
    let inside = &inside[..close];
    let colons = inside.iter().filter(|byte| **byte == b':').count();
    let digits = inside.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let whole = digits && colons == 2 && !inside.starts_with(b":") && !inside.ends_with(b":");
    whole.then_some((inside, close + 2))
}

#[cold]
fn missing(body: &[u8], part: &[u8], what: &'static str) -> Refusal {
    Refusal { at: offset_in(body, part).unwrap_or(body.len()), kind: RejectKind::Missing { what } }
}

/// One line, with or without its time.
pub(super) fn read_line<'a>(record: &Record<'a>, alert: &mut Alert<'a>) -> Result<(), Refusal> {
    let body = record.body;
    let mut rest = body;
    if let Some((written, length)) = stamp(body) {
        alert.put(Slot::Timestamp, &body[..length]);
        // only Suricata writes four digits of the year
        alert.suricata = written.civil.year.is_some() && body.get(10) == Some(&b'-');
        rest = body[length..].trim_ascii_start();
    }
    // `[drop]` before the first mark
    if let Some((before, after)) = split_once_str(&rest[..rest.len().min(64)], b"[**]") {
        let word = before.trim_ascii();
        if let [b'[', word @ .., b']'] = word {
            alert.put(Slot::Action, word);
        }
        rest = rest[rest.len().min(64) - after.len()..].trim_ascii_start();
    }
    let Some((rule, length)) = rule_id(rest) else {
        return Err(missing(body, rest, "`[gid:sid:rev]`"));
    };
    alert.put(Slot::Rule, rule);
    rest = rest[length..].trim_ascii_start();
    // the tail from its end
    let Some(close) = memrchr(b'}', rest) else {
        return Err(missing(body, &rest[rest.len()..], "`{PROTO} source -> destination` at the end"));
    };
    let Some(open) = memrchr(b'{', &rest[..close]) else {
        return Err(missing(body, &rest[close..], "`{` before the protocol"));
    };
    alert.put(Slot::Proto, &rest[open + 1..close]);
    ends(body, rest[close + 1..].trim_ascii(), alert)?;
    message(items(rest[..open].trim_ascii_end(), alert), alert);
    Ok(())
}

/// `a:p -> b:p`; what follows the second end is given back.
fn ends<'a>(body: &[u8], text: &'a [u8], alert: &mut Alert<'a>) -> Result<&'a [u8], Refusal> {
    let Some((from, rest)) = split_once_str(text, b" -> ") else {
        return Err(missing(body, text, "` -> ` between the two ends"));
    };
    let length = rest.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
    let to = &rest[..length];
    let is_hardware = |text: &[u8]| text.iter().filter(|byte| **byte == b':').count() == 5 && text.len() <= 17;
    if is_hardware(from) && is_hardware(to) {
        alert.put(Slot::EthSrc, from);
        alert.put(Slot::EthDst, to);
    } else {
        alert.put(Slot::SrcAp, from);
        alert.put(Slot::DstAp, to);
    }
    Ok(rest[length..].trim_ascii_start())
}

/// Takes the bracketed items off the end of a text, and an interface in angle brackets; gives what remains.
fn items<'a>(mut text: &'a [u8], alert: &mut Alert<'a>) -> &'a [u8] {
    loop {
        let end = text.trim_ascii_end();
        let end = end.strip_suffix(b":").unwrap_or(end);
        text = match end.last() {
            Some(b'>') => match memrchr(b'<', end) {
                Some(at) if !end[at..].contains(&b' ') => {
                    alert.put(Slot::Interface, &end[at + 1..end.len() - 1]);
                    &end[..at]
                }
                _ => return text,
            },
            Some(b']') => match memrchr(b'[', end) {
                Some(at) if item(&end[at + 1..end.len() - 1], alert) => &end[..at],
                _ => return text,
            },
            _ => return text,
        };
    }
}

/// The inside of one pair of brackets; says whether it is one that Snort appends.
fn item<'a>(inside: &'a [u8], alert: &mut Alert<'a>) -> bool {
    let known: [(&[u8], Slot); 4] = [
        (b"Classification: ", Slot::Class),
        (b"Priority: ", Slot::Priority),
        (b"AppID: ", Slot::AppId),
        (b"Xref => ", Slot::Xref),
    ];
    for (mark, slot) in known {
        if let Some(value) = inside.strip_prefix(mark) {
            alert.put(slot, value.trim_ascii());
            return true;
        }
    }
    inside == b"**" || inside == b"Classification:" || inside == b"Classification: "
}

/// The message, before which an interface may stand. Snort 3 leaves the rule's own quotes around it.
fn message<'a>(text: &'a [u8], alert: &mut Alert<'a>) {
    let mut text = text.trim_ascii();
    if let Some(inside) = text.strip_prefix(b"<")
        && let Some(close) = inside.iter().take(32).position(|byte| *byte == b'>')
        && !inside[..close].contains(&b' ')
        && inside.get(close + 1) == Some(&b' ')
    {
        alert.put(Slot::Interface, &inside[..close]);
        text = inside[close + 1..].trim_ascii_start();
    }
    alert.put(Slot::Msg, unquote(text));
}

/// A block of lines: the rule, its items, the time with both ends, then the packet's headers.
pub(super) fn read_block<'a>(record: &Record<'a>, alert: &mut Alert<'a>) -> Result<(), Refusal> {
    let body = record.body;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        match line.first() {
            None => {}
            Some(b'[') => match line.strip_prefix(b"[**] ").and_then(|rest| Some((rule_id(rest)?, rest))) {
                Some(((rule, length), rest)) => {
                    alert.put(Slot::Rule, rule);
                    message(items(rest[length..].trim_ascii_start(), alert), alert);
                }
                None => {
                    items(line, alert);
                }
            },
            Some(_) => {
                let mut rest = line;
                if let Some((_, length)) = stamp(line) {
                    alert.put(Slot::Timestamp, &line[..length]);
                    rest = line[length..].trim_ascii_start();
                }
                if memmem::find(rest, b" -> ").is_some() {
                    rest = ends(body, rest, alert)?;
                }
                header(rest, alert);
            }
        }
    }
    match alert.get(Slot::SrcAp) {
        b"" => Err(missing(body, b"", "the line with the time and both ends")),
        _ => Ok(()),
    }
}

/// `TCP TTL:64 TOS:0x0 ID:4660 IpLen:20 DgmLen:60 DF`, `***A**S* Seq: 0x1  Ack: 0x0`, `Type:8  Code:0  ID:1   Seq:1  ECHO`.
fn header<'a>(line: &'a [u8], alert: &mut Alert<'a>) {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return };
    if first.len() == 8 && first.iter().all(|byte| b"*12CEUAPRSF".contains(byte)) {
        alert.put(Slot::TcpFlags, first);
        return;
    }
    let icmp = first.starts_with(b"Type:");
    if words.clone().next().is_some_and(|word| word.starts_with(b"TTL:")) {
        alert.put(Slot::Proto, first);
    } else if !icmp {
        return;
    }
    for word in std::iter::once(first).chain(words) {
        let Some(colon) = word.iter().position(|byte| *byte == b':') else { continue };
        let slot = match (&word[..colon], icmp) {
            (b"TTL", _) => Slot::Ttl,
            (b"TOS", _) => Slot::Tos,
            (b"DgmLen", _) => Slot::PacketLength,
            (b"ID", false) => Slot::IpId,
            (b"ID", true) => Slot::IcmpId,
            (b"Seq", true) => Slot::IcmpSeq,
            (b"Type", true) => Slot::IcmpType,
            (b"Code", true) => Slot::IcmpCode,
            _ => continue,
        };
        alert.put(slot, &word[colon + 1..]);
    }
}
