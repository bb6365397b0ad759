//! nfdump's output for people: `line`, `long`, `extended`, `biline`, `bilong`, `nsel` and `nat`, told apart by what stands around the addresses
//! and how many values follow, so that no header line is needed.
//!
//! ```text
//! 2026-01-05 10:00:00.123     2.500 TCP    10.0.1.5:50000 ->  203.0.113.80:443   .AP.SF   0   10   1000   1
//! date and time               s     proto  from              to                  flags  tos pkts bytes flows
//! ```
//! Large counters are written rounded unless nfdump was told not to (`-N`): the number is taken as it stands there, and kept as it was
//! written beside it. Long IPv6 addresses are written without their middle (`2001:db8:..:1`) unless it was told not to
//! (`line6`): that is no address, and is kept as text. Source: nfdump `output.c`, `output_fmt.c`, `output_util.c`.

use schemas::{Field, Ip, Key, RejectKind, Row, key};

use super::{NOTES, Note, Notes};
use crate::document;
use crate::lex::json::Value;
use crate::lex::text::{contains, decimal, offset_in, rsplit_once, split_once};
use crate::{Record, Refusal};

/// Words of a line that are looked at; the longest form has 22.
const WORDS: usize = 24;

/// What the firewall did, as nfdump calls it; of `nat`, what became of the translation.
const EVENTS: [&[u8]; 8] = [b"IGNORE", b"CREATE", b"DELETE", b"DENIED", b"ALERT", b"UPDATE", b"ADD", b"INVALID"];

/// A line by its parts.
pub(super) struct Parts<'a> {
    start: &'a [u8],
    /// Between time and protocol: a duration, or an event and what is said of it.
    middle: &'a [u8],
    protocol: &'a [u8],
    from: &'a [u8],
    to: &'a [u8],
    both_ways: bool,
    /// The addresses after translation.
    translated: Option<(&'a [u8], &'a [u8])>,
    values: [&'a [u8]; WORDS],
    count: usize,
}

/// Whether it is a line that stands above or below the flows.
pub(super) fn is_notice(line: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 4] =
        [b"Date first seen ", b"Summary: total flows: ", b"Time window: ", b"Total flows processed: "];
    matches!(line.first(), Some(b'D' | b'S' | b'T')) && BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
        || line.starts_with(b"Sys: ") && contains(line, b"flows/second: ")
}

/// A flow by its parts. `None` if the line is none.
pub(super) fn flow(line: &[u8]) -> Option<Parts<'_>> {
    let at = |at: usize, byte: u8| line.get(at) == Some(&byte);
    let dated = at(4, b'-') && at(7, b'-') && at(10, b' ') && at(13, b':') && at(19, b'.') && at(23, b' ');
    if dated { split(line) } else { None }
}

fn split(line: &[u8]) -> Option<Parts<'_>> {
    let mut words = [&b""[..]; WORDS];
    let mut count = 0;
    for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    let words = &words[..count];
    let arrow = |words: &[&[u8]]| words.iter().position(|word| matches!(*word, b"->" | b"<->"));
    let at = arrow(words).filter(|at| *at >= 5)?;
    let (from, to, protocol) = (words[at - 1], *words.get(at + 1)?, words[at - 2]);
    let middle = between(line, words[2], words[at - 3]);
    let event = EVENTS.contains(&words[2]);
    if !event && duration(middle).is_none() {
        return None;
    }
    let rest = &words[at + 2..];
    let (translated, rest) = match arrow(rest) {
        Some(1) if event => (Some((rest[0], *rest.get(2)?)), &rest[3..]),
        Some(_) => return None,
        None => (None, rest),
    };
    let mut parts = Parts {
        start: between(line, words[0], words[1]),
        middle,
        protocol,
        from,
        to,
        both_ways: words[at] == b"<->",
        translated,
        values: [b""; WORDS],
        count: 0,
    };
    for word in rest {
        if parts.count > 0 && matches!(*word, b"K" | b"M" | b"G" | b"T") {
            parts.values[parts.count - 1] = between(line, parts.values[parts.count - 1], word);
        } else {
            parts.values[parts.count] = word;
            parts.count += 1;
        }
    }
    Some(parts)
}

/// The text from one word of the line to the end of another.
fn between<'a>(line: &'a [u8], first: &[u8], last: &[u8]) -> &'a [u8] {
    let at = |word: &[u8]| (word.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
    line.get(at(first)..at(last).wrapping_add(last.len())).unwrap_or_default()
}

/// Seconds with a fraction; or, of version 1.7, days, hours, minutes and seconds. In microseconds.
fn duration(text: &[u8]) -> Option<u64> {
    let (days, clock) = match split_once(text, b'd') {
        Some((days, clock)) => (decimal(days)?, clock.trim_ascii()),
        None => (0, text),
    };
    let (clock, fraction) = split_once(clock, b'.')?;
    if fraction.len() != 3 {
        return None;
    }
    let (mut units, mut count) = ([0; 3], 0);
    for unit in clock.split(|byte| *byte == b':') {
        *units.get_mut(count)? = decimal(unit)?;
        count += 1;
    }
    let seconds = match (count, units) {
        (1, [seconds, ..]) if days == 0 => seconds,
        (3, [hours, minutes, seconds]) => {
            let hours = days.checked_mul(24)?.checked_add(hours)?;
            hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?.checked_add(seconds)?
        }
        _ => return None,
    };
    seconds.checked_mul(1_000_000)?.checked_add(decimal(fraction)? * 1_000)
}

/// Reads a flow.
pub(super) fn read<'a>(
    record: &Record<'a>,
    parts: &Parts<'a>,
    notes: &mut Notes<'a, NOTES>,
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    // what stands behind a date is a host elsewhere
    if offset_in(record.line, record.header.host).is_some() {
        row.clear(Field::Host);
    }
    // of an event without a flow nfdump knows no beginning
    if !parts.start.starts_with(b"0000-00-00") {
        notes.take(Note::Start, Value::plain(parts.start));
    }
    notes.take(Note::Protocol, Value::plain(parts.protocol));
    match duration(parts.middle) {
        Some(us) => row.set(key::DURATION, us),
        None => event(parts, notes, row),
    }
    let is_icmp = parts.protocol.starts_with(b"ICMP") || matches!(parts.protocol, b"1" | b"58");
    let ported = matches!(parts.protocol, b"TCP" | b"UDP" | b"SCTP" | b"DCCP" | b"6" | b"17" | b"132" | b"33");
    let known = |port: &'a [u8]| ported || port != b"0";
    let (address, port) = endpoint(parts.from);
    set_address(record, row, key::SRC_IP, "src_addr", address)?;
    if known(port) && !is_icmp {
        notes.take(Note::SrcPort, Value::plain(port));
    }
    let (address, port) = if is_icmp { icmp(parts.to, notes) } else { endpoint(parts.to) };
    set_address(record, row, key::DST_IP, "dst_addr", address)?;
    if known(port) && !is_icmp {
        notes.take(Note::DstPort, Value::plain(port));
    }
    if let Some((from, to)) = parts.translated {
        for (end, ip, port) in [(from, Note::NatSrcIp, Note::NatSrcPort), (to, Note::NatDstIp, Note::NatDstPort)] {
            let (address, number) = endpoint(end);
            notes.take(ip, Value::plain(address));
            notes.take(port, Value::plain(number));
        }
    }
    values(record, parts, notes, row)
}

/// An event of a firewall's session (`CREATE  Ignore`), or of a translation (`ADD`).
fn event<'a>(parts: &Parts<'a>, notes: &mut Notes<'a, NOTES>, row: &mut Row<'_>) {
    let (word, reason) = split_once(parts.middle, b' ').unwrap_or((parts.middle, b""));
    if reason.is_empty() {
        row.extra_fixed("nat_event", word);
        return;
    }
    notes.take(Note::FirewallEvent, Value::plain(word));
    let code: &'static [u8] = match reason.trim_ascii() {
        b"Ignore" => return,
        b"I-ACL" => b"1001",
        b"E-ACL" => b"1002",
        b"Adap" => b"1003",
        b"No Syn" => b"1004",
        other => return notes.take(Note::FirewallExtended, Value::plain(other)),
    };
    notes.take(Note::FirewallExtended, Value::plain(code));
}

/// Address and port: `10.0.1.5:443`, `2001:db8::5.443`.
fn endpoint(text: &[u8]) -> (&[u8], &[u8]) {
    let wide = text.iter().filter(|byte| **byte == b':').count() > 1;
    rsplit_once(text, if wide { b'.' } else { b':' }).unwrap_or((text, b"0"))
}

/// Of ICMP the destination has type and code for a port: `10.0.1.5:8.0`, `2001:db8::5.128.0`.
fn icmp<'a>(text: &'a [u8], notes: &mut Notes<'a, NOTES>) -> (&'a [u8], &'a [u8]) {
    let Some((rest, code)) = rsplit_once(text, b'.') else { return endpoint(text) };
    let (address, kind) = endpoint(rest);
    // an address alone ends in a number behind a dot, too
    if kind.is_empty() || !kind.iter().all(u8::is_ascii_digit) || address.len() + 1 + kind.len() != rest.len() {
        return endpoint(text);
    }
    notes.take(Note::IcmpType, Value::plain(kind));
    notes.take(Note::IcmpCode, Value::plain(code));
    (address, b"0")
}

fn set_address(
    record: &Record<'_>,
    row: &mut Row<'_>,
    to: Key<Ip>,
    name: &'static str,
    text: &[u8],
) -> Result<(), Refusal> {
    if contains(text, b"..") {
        row.extra_fixed(name, text);
        return Ok(());
    }
    document::address(record, row, to, name, Value::plain(text))
}

/// What stands behind the addresses, by how many values there are.
fn values<'a>(
    record: &Record<'a>,
    parts: &Parts<'a>,
    notes: &mut Notes<'a, NOTES>,
    row: &mut Row<'_>,
) -> Result<(), Refusal> {
    let mut values = &parts.values[..parts.count];
    if let [flags, tos, rest @ ..] = values
        && matches!(flags.len(), 6 | 8)
        && flags.iter().all(|letter| b"CEUAPRSF.".contains(letter))
    {
        notes.take(Note::FlagsText, Value::plain(flags));
        document::extra(row, "tos", Value::plain(if *tos == b"0" { b"" } else { tos }));
        values = rest;
    }
    let mut count = |note: Note, rounded: &'static str, written: &'a [u8]| match scaled(written) {
        Some(number) => {
            match note {
                Note::Packets => row.set(key::PACKETS_OUT, number),
                Note::Bytes => row.set(key::BYTES_OUT, number),
                Note::ResponderPackets => row.set(key::PACKETS_IN, number),
                _ => row.set(key::BYTES_IN, number),
            }
            row.extra_fixed(rounded, written);
            Ok(())
        }
        None if decimal(written).is_some() => {
            notes.take(note, Value::plain(written));
            Ok(())
        }
        None => Err(record.refuse(written, RejectKind::bad_value(rounded, written, "a number"))),
    };
    let flows = match (parts.both_ways, parts.translated.is_some(), values) {
        (false, false, [packets, bytes, flows] | [packets, bytes, _, _, _, flows]) => {
            count(Note::Packets, "packets", packets)?;
            count(Note::Bytes, "bytes", bytes)?;
            flows
        }
        // `out` is what came back
        (true, false, [back_packets, packets, back_bytes, bytes, flows]) => {
            count(Note::ResponderPackets, "packets_back", back_packets)?;
            count(Note::Packets, "packets", packets)?;
            count(Note::ResponderBytes, "bytes_back", back_bytes)?;
            count(Note::Bytes, "bytes", bytes)?;
            flows
        }
        (false, true, [bytes, back_bytes]) => {
            count(Note::Bytes, "bytes", bytes)?;
            count(Note::ResponderBytes, "bytes_back", back_bytes)?;
            return Ok(());
        }
        (false, true, []) => return Ok(()),
        _ => {
            let kind = RejectKind::bad_value("number of values", record.line, "those of nfdump's own formats");
            return Err(record.refuse(parts.to, kind));
        }
    };
    document::extra(row, "flows", Value::plain(flows));
    Ok(())
}

/// `1.2 M`: rounded to a tenth of its unit.
fn scaled(text: &[u8]) -> Option<u64> {
    let (number, unit) = split_once(text, b' ')?;
    let unit: u64 = match unit.trim_ascii() {
        b"K" => 1_000,
        b"M" => 1_000_000,
        b"G" => 1_000_000_000,
        b"T" => 1_000_000_000_000,
        _ => return None,
    };
    let (whole, tenths) = split_once(number, b'.').unwrap_or((number, b"0"));
    let tenths = decimal(tenths).filter(|_| tenths.len() == 1)?;
    let number = decimal(whole)?.checked_mul(10)?.checked_add(tenths)?;
    number.checked_mul(unit / 10).filter(|number| *number <= i64::MAX as u64)
}
