//! The zone-based firewall's sessions and drops, and TCP segments whose signature does not fit.

use schemas::{Action, EventKind, Initiator, PortState, Row, Transport, key};

use super::end;
use crate::lex::text::{Cursor, contains, split_once_str};

/// `(A:p)` or `A:p` into the source's or the destination's columns.
fn source(token: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (ip, port) = end(token)?;
    row.set(key::SRC_IP, ip);
    row.set_opt(key::SRC_PORT, schemas::parse_port(port));
    Some(())
}

fn destination(token: &[u8], row: &mut Row<'_>) -> Option<()> {
    let (ip, port) = end(token)?;
    row.set(key::DST_IP, ip);
    row.set_opt(key::DST_PORT, schemas::parse_port(port));
    Some(())
}

/// `[(target:class)-(ZP:CM):][Stop PROTO session: ]initiator (A:p) sent n bytes -- responder (B:q) sent m bytes[, from IF]`
/// and, with `Start`, the same without bytes.
pub(super) fn session(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::INITIATOR, Initiator::Source);
    let mut ahead = *cursor;
    let before = ahead.until_str(b"initiator (")?;
    let started = contains(before, b"Start ");
    row.set(key::ACTION, if started { Action::Start } else { Action::Close });
    policy(before, row);
    if let Some((_, word)) = split_once_str(before, if started { b"Start " } else { b"Stop " }) {
        // `http` and its kin: what the inspection recognised
        let word = word.split(|b| *b == b' ').next()?;
        match Transport::parse(word) {
            Some(transport) => row.set(key::TRANSPORT, transport),
            None => row.text(key::APP_PROTO, word),
        }
    }
    *cursor = ahead;
    source(cursor.until(b')')?, row)?;
    if cursor.take_if(b" sent ") {
        row.set(key::BYTES_OUT, cursor.number()?);
    }
    cursor.until_str(b"responder (")?;
    destination(cursor.until(b')')?, row)?;
    if cursor.take_if(b" sent ") {
        let bytes = cursor.number()?;
        row.set(key::BYTES_IN, bytes);
        if bytes > 0 && row.get(key::TRANSPORT) == Some(Transport::TCP) {
            row.set(key::PORT_STATE, PortState::Open);
        }
    }
    if cursor.until_str(b", from ").is_some() {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    Some(())
}

/// `(target:class)-(ZONE-PAIR:CLASS)`.
fn policy(text: &[u8], row: &mut Row<'_>) {
    let Some((_, pair)) = split_once_str(text, b"(target:class)-(") else { return };
    let Some(pair) = pair.split(|b| *b == b')').next() else { return };
    let mut parts = pair.splitn(2, |b| *b == b':');
    row.extra_fixed("zone_pair", parts.next().unwrap_or(b""));
    row.text(key::RULE_NAME, parts.next().unwrap_or(b""));
}

/// `Dropping PROTO {session|pkt} [from IF] A:p [=>] B:q[(target:class)-(ZP:CM)] [on zone-pair ZP class CM] due to R [with ip ident N]`.
pub(super) fn dropped(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Drop);
    cursor.until_str(b"Dropping ")?;
    let transport = Transport::parse(cursor.word());
    row.set_opt(key::TRANSPORT, transport);
    let _session_or_packet = cursor.word();
    if cursor.take_if(b"from ") {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    source(cursor.word(), row)?;
    if cursor.take_if(b"=>") {
        cursor.skip_blanks();
    }
    let mut ahead = *cursor;
    let mut token = ahead.word();
    if let Some(open) = memchr::memchr(b'(', token) {
        token = &token[..open];
    }
    destination(token, row)?;
    let tail = cursor.rest();
    policy(tail, row);
    if let Some((_, pair)) = split_once_str(tail, b"on zone-pair ") {
        let mut words = Cursor::new(pair);
        row.extra_fixed("zone_pair", words.word());
        if words.take_if(b"class ") {
            row.text(key::RULE_NAME, words.word());
        }
    }
    let (_, reason) = split_once_str(tail, b"due to ")?;
    let reason = split_once_str(reason, b" with ip ident").map_or(reason, |(reason, _)| reason).trim_ascii();
    row.text(key::REASON, reason);
    // other reasons are left-overs of sessions and malformed segments: nothing about a port
    let by_policy = contains(reason, b"policy match failure") || contains(reason, b"DROP action found");
    if by_policy && matches!(transport, Some(Transport::TCP | Transport::UDP)) {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Some(())
}

/// `{No|Invalid} MD5 digest from A(p) to B(q) [(RST)] [tableid - N]`, also `A:p to B:q`.
pub(super) fn bad_digest(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Drop);
    row.set(key::TRANSPORT, Transport::TCP);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    row.text(key::SIGNATURE, cursor.until_str(b" from ")?);
    let mut ahead = *cursor;
    source(ahead.word(), row)?;
    ahead.expect(b"to ")?;
    destination(ahead.word(), row)?;
    *cursor = ahead;
    if contains(cursor.rest(), b"(RST)") {
        row.fixed(key::TCP_FLAGS, "RST");
    }
    Some(())
}
