//! Built and Teardown: sessions (302013–302016 and their kin), ICMP (302020, 302021), translations (305009–305012).

use schemas::{Action, Direction, EventKind, Initiator, PortState, Row, Transport, key};

use super::ends::{self, End};
use crate::lex::scan;
use crate::lex::text::{Cursor, decimal};

/// Whether a sentence tells of a beginning or an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Built,
    Teardown,
}

#[inline]
fn phase(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<Phase> {
    let phase = match cursor.peek()? {
        b'B' => {
            row.text(key::EVENT_ACTION, cursor.rest().get(..5)?);
            cursor.expect(b"Built ")?;
            Phase::Built
        }
        _ => {
            row.text(key::EVENT_ACTION, cursor.rest().get(..8)?);
            cursor.expect(b"Teardown ")?;
            Phase::Teardown
        }
    };
    Some(phase)
}

/// `inbound ` or `outbound `, if it comes next.
#[inline]
fn direction(cursor: &mut Cursor<'_>) -> Option<Direction> {
    if cursor.take_if(b"inbound ") {
        Some(Direction::Inbound)
    } else if cursor.take_if(b"outbound ") {
        Some(Direction::Outbound)
    } else {
        None
    }
}

/// `Built {inbound|outbound} [Probe ]PROTO [state-bypass ]connection ID for END (M/N)[(id)] to END (M/N)[(id)] [(user)]` and
/// `Teardown [Probe ]PROTO [state-bypass ]connection ID for END[(id)] to END[(id)] duration D bytes N [REASON [from IF]] [(user)]`.
#[inline]
pub(super) fn session(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    let phase = phase(cursor, row)?;
    let direction = direction(cursor);
    let mut word = cursor.until_near(b' ')?;
    if word == b"Probe" || word == b"stub" {
        word = cursor.until_near(b' ')?;
    }
    let transport = Transport::parse(word)?;
    row.set(key::TRANSPORT, transport);
    cursor.take_if(b"state-bypass ");
    cursor.expect(b"connection ")?;
    row.text(key::SESSION_ID, cursor.until_near(b' ')?);
    cursor.expect(b"for ")?;

    let mut first = ends::end(cursor)?;
    let first_mapped = if phase == Phase::Built { ends::mapped(cursor) } else { None };
    first.identity = ends::brackets(cursor).unwrap_or(b"");
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    let mut second = ends::end(cursor)?;
    let second_mapped = if phase == Phase::Built { ends::mapped(cursor) } else { None };

    match phase {
        Phase::Built => {
            let (source, destination, source_mapped, destination_mapped) = match direction {
                Some(Direction::Outbound) => (&second, &first, second_mapped, first_mapped),
                Some(Direction::Inbound | Direction::Internal | Direction::External) | None => {
                    (&first, &second, first_mapped, second_mapped)
                }
            };
            ends::set_source(row, source);
            ends::set_destination(row, destination);
            translated_source(row, source, source_mapped);
            translated_destination(row, destination, destination_mapped);
            row.set(key::ACTION, Action::Allow);
            if let Some(direction) = direction {
                row.set(key::DIRECTION, direction);
                row.set(key::INITIATOR, Initiator::Source);
            }
            if !cursor.is_done() || !first.identity.is_empty() {
                // identity of the second end, then the AAA user
                second.identity = ends::brackets(cursor).unwrap_or(b"");
                let user = ends::brackets(cursor).unwrap_or(b"");
                let outbound = direction == Some(Direction::Outbound);
                identities(
                    row,
                    if outbound { [second.identity, first.identity] } else { [first.identity, second.identity] },
                    user,
                );
            }
        }
        Phase::Teardown => {
            second.identity = ends::brackets(cursor).unwrap_or(b"");
            ends::set_source(row, &first);
            ends::set_destination(row, &second);
            identities(row, [first.identity, second.identity], b"");
            teardown(cursor, transport, row)?;
        }
    }
    Some(())
}

/// `duration D bytes N [REASON [from IF]] [(user)]`.
#[inline]
fn teardown(cursor: &mut Cursor<'_>, transport: Transport, row: &mut Row<'_>) -> Option<()> {
    cursor.skip_blanks();
    cursor.expect(b"duration ")?;
    duration(cursor, row)?;
    cursor.expect(b" bytes ")?;
    let bytes = cursor.number()?;
    row.set(key::BYTES_TOTAL, bytes);
    cursor.skip_blanks();
    let mut reason = cursor.finish();
    if let [rest @ .., b')'] = reason
        && let Some(open) = memchr::memrchr(b'(', rest)
    {
        ends::set_user(&rest[open + 1..], row);
        reason = rest[..open].trim_ascii_end();
    }
    if let Some(at) = memchr::memmem::find(reason, b" from ") {
        row.extra_fixed("reason_from", &reason[at + 6..]);
        reason = &reason[..at];
    }
    row.text(key::REASON, reason);
    let (action, state) = judge(reason, bytes);
    row.set(key::ACTION, action);
    if transport == Transport::TCP {
        row.set_opt(key::PORT_STATE, state);
    }
    Some(())
}

/// What a reason says about the end, and what it proves about the server's port. Payload in TCP means that the handshake was
/// completed; a reset without it may be either end's, since "I" and "O" are security sides, not roles.
#[inline]
fn judge(reason: &[u8], bytes: u64) -> (Action, Option<PortState>) {
    let established = (bytes > 0).then_some(PortState::Open);
    match reason {
        b"" => (Action::Close, None),
        b"TCP FINs" => (Action::Close, Some(PortState::Open)),
        b"SYN Timeout" => (Action::Timeout, Some(PortState::Filtered)),
        b"FIN Timeout" => (Action::Timeout, Some(PortState::Open)),
        b"Conn-timeout" | b"Idle Timeout" | b"Connection timeout" => (Action::Timeout, established),
        b"Flow closed by inspection"
        | b"Deny Terminate"
        | b"Flow terminated by IPS"
        | b"IPS fail-close"
        | b"Unauth Deny" => (Action::Deny, None),
        b"Flow reset by IPS" => (Action::Reset, None),
        _ if reason.starts_with(b"TCP Reset") => (Action::Reset, established),
        _ if reason.starts_with(b"Flow timed out") || reason.starts_with(b"Pinhole") => (Action::Timeout, None),
        _ => (Action::Close, None),
    }
}

/// `H:MM:SS`, hours unbounded; also the flow's beginning, where the line has a time.
#[inline]
fn duration(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    let hours = decimal(cursor.until_near(b':')?)?;
    let minutes = decimal(cursor.until_near(b':')?)?;
    let seconds = cursor.number()?;
    let us =
        hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?.checked_mul(1_000_000)?;
    let signed = i64::try_from(us).ok()?;
    row.set(key::DURATION, us);
    if let Some(end) = row.get(key::TIME) {
        row.set(key::START, end.saturating_sub(signed));
    }
    Some(())
}

#[inline]
fn translated_source(row: &mut Row<'_>, end: &End<'_>, mapped: Option<(&[u8], &[u8])>) {
    if let Some((address, port)) = mapped
        && !(scan::same(address, end.address) && scan::same(port, end.port))
    {
        row.set_opt(key::NAT_SRC_IP, schemas::Ip::parse(address));
        row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(port));
    }
}

#[inline]
fn translated_destination(row: &mut Row<'_>, end: &End<'_>, mapped: Option<(&[u8], &[u8])>) {
    if let Some((address, port)) = mapped
        && !(scan::same(address, end.address) && scan::same(port, end.port))
    {
        row.set_opt(key::NAT_DST_IP, schemas::Ip::parse(address));
        row.set_opt(key::NAT_DST_PORT, schemas::parse_port(port));
    }
}

/// The user: of the first end that has one, else the AAA user.
fn identities(row: &mut Row<'_>, ends: [&[u8]; 2], aaa: &[u8]) {
    for identity in ends {
        if !identity.is_empty() {
            ends::set_user(identity, row);
        }
    }
    if !aaa.is_empty() {
        ends::set_user(aaa, row);
    }
}

/// `{Built {inbound|outbound}|Teardown} ICMP connection for faddr F/x[(id)] gaddr G/y laddr L/z[(id)] [(user)] [type T code C]`.
/// The numbers after the slash are ICMP ids, not ports. Who asked has the id, the other end 0: so a teardown, which has no
/// direction, tells who began.
pub(super) fn icmp(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    let phase = phase(cursor, row)?;
    let direction = direction(cursor);
    row.set(key::TRANSPORT, Transport::parse(cursor.until_near(b' ')?)?);
    cursor.expect(b"connection for faddr ")?;
    let mut foreign = ends::either(cursor)?;
    foreign.identity = ends::brackets(cursor).unwrap_or(b"");
    cursor.skip_blanks();
    cursor.expect(b"gaddr ")?;
    let global = ends::either(cursor)?;
    cursor.skip_blanks();
    cursor.expect(b"laddr ")?;
    let mut local = ends::either(cursor)?;
    local.identity = ends::brackets(cursor).unwrap_or(b"");
    let user = ends::brackets(cursor).unwrap_or(b"");
    let has_id = |end: &ends::End<'_>| !matches!(end.port, b"" | b"0");
    let asked = match (has_id(&foreign), has_id(&local)) {
        (true, false) => Some(Direction::Inbound),
        (false, true) => Some(Direction::Outbound),
        _ => None,
    };
    (foreign.port, local.port) = (b"", b"");
    let other = (global.address != local.address).then(|| schemas::Ip::parse(global.address)).flatten();
    if direction.or(asked) == Some(Direction::Outbound) {
        ends::set_source(row, &local);
        ends::set_destination(row, &foreign);
        row.set_opt(key::NAT_SRC_IP, other);
        identities(row, [local.identity, foreign.identity], user);
    } else {
        ends::set_source(row, &foreign);
        ends::set_destination(row, &local);
        row.set_opt(key::NAT_DST_IP, other);
        identities(row, [foreign.identity, local.identity], user);
    }
    row.set(
        key::ACTION,
        match phase {
            Phase::Built => Action::Allow,
            Phase::Teardown => Action::Close,
        },
    );
    row.set_opt(key::DIRECTION, direction);
    if direction.or(asked).is_some() {
        row.set(key::INITIATOR, Initiator::Source);
    }
    if cursor.until_str(b"type ").is_some() {
        row.set_opt(key::ICMP_TYPE, cursor.number());
        if cursor.take_if(b" code ") {
            row.set_opt(key::ICMP_CODE, cursor.number());
        }
    }
    Some(())
}

/// `{Built|Teardown} {dynamic|static} [PROTO ]translation from IF:A[/p][(id)] to IF:M[/n] [duration D]`: a NAT binding, no
/// flow. The text's own ends are kept as source and destination; the second is the first's other address.
pub(super) fn translation(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.set(key::ACTION, Action::Nat);
    phase(cursor, row)?;
    row.extra_fixed("nat_type", cursor.until_near(b' ')?);
    let word = cursor.until_near(b' ')?;
    if word != b"translation" {
        row.set_opt(key::TRANSPORT, Transport::parse(word));
        cursor.expect(b"translation ")?;
    }
    cursor.expect(b"from ")?;
    let mut from = ends::end(cursor)?;
    from.identity = ends::brackets(cursor).unwrap_or(b"");
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    let to = ends::end(cursor)?;
    ends::set_source(row, &from);
    ends::set_destination(row, &to);
    row.set_opt(key::NAT_SRC_IP, schemas::Ip::parse(to.address));
    row.set_opt(key::NAT_SRC_PORT, schemas::parse_port(to.port));
    ends::set_user(from.identity, row);
    if cursor.take_if(b" duration ") {
        duration(cursor, row)?;
    }
    Some(())
}
