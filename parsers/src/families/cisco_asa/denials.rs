//! Refusals, access lists, spoofing and threat detection: the messages in which the device says no, or should.

use schemas::{Action, Direction, EventKind, Initiator, Ip, PortState, Row, Transport, key};

use super::ends::{self, End};
use crate::lex::text::{Cursor, contains, split_once};

/// `access-list ACL {permitted|denied|est-allowed} PROTO [for user 'U' ]IF/A(p)[(id)] -> IF/B(q)[(id)] hit-cnt N …`
/// (106100, 106102, 106103). For ICMP the numbers in brackets are type and code.
pub(super) fn access_list(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    cursor.expect(b"access-list ")?;
    row.text(key::RULE_NAME, cursor.until_near(b' ')?);
    let verdict = cursor.until_near(b' ')?;
    row.text(key::EVENT_ACTION, verdict);
    match verdict {
        b"permitted" | b"est-allowed" => row.set(key::ACTION, Action::Allow),
        b"denied" => row.set(key::ACTION, Action::Deny),
        _ => return None,
    }
    let protocol = cursor.until_near(b' ')?;
    let transport = Transport::parse(protocol);
    row.set_opt(key::TRANSPORT, transport);
    if cursor.take_if(b"for user ") {
        ends::set_user_name(cursor.until_near(b' ')?, row);
    }
    let (source, source_number) = slashed(cursor)?;
    cursor.skip_blanks();
    cursor.expect(b"-> ")?;
    let (destination, destination_number) = slashed(cursor)?;
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    // some releases print ids there, which are no types
    let numbers_are_types = source_number.len() <= 3 && destination_number.len() <= 3;
    if matches!(transport, Some(Transport::ICMP | Transport::ICMPV6)) && numbers_are_types {
        row.set_opt(key::ICMP_TYPE, schemas::parse_u64(source_number));
        row.set_opt(key::ICMP_CODE, schemas::parse_u64(destination_number));
    } else {
        row.set_opt(key::SRC_PORT, ends::port(source_number));
        row.set_opt(key::DST_PORT, ends::port(destination_number));
        if verdict == b"denied" {
            row.set(key::PORT_STATE, PortState::Filtered);
        }
    }
    ends::set_user(source.identity, row);
    cursor.skip_blanks();
    cursor.expect(b"hit-cnt ")?;
    let hits = cursor.number()?;
    if hits > 1 {
        row.set(key::REPEAT, hits);
    }
    Some(())
}

/// `IF/ADDR(NUMBER)[(id)]`.
#[inline]
fn slashed<'a>(cursor: &mut Cursor<'a>) -> Option<(End<'a>, &'a [u8])> {
    let token = cursor.until_near(b'(')?;
    let (interface, address) = crate::lex::text::rsplit_once(token, b'/')?;
    let number = cursor.until_near(b')')?;
    let identity = ends::brackets(cursor).unwrap_or(b"");
    Some((End { interface, address, port: b"", identity }, number))
}

/// `… PROTO src IF:A[/p][(id)] dst IF:B[/q][(id)] [(type T, code C)] [by access-group "ACL" …]` (106010, 106011, 106014, 106023,
/// 305005, 305006, 305013, 313005).
pub(super) fn source_destination(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    verb(cursor, row);
    let before = cursor.until_str(b" src ")?;
    let transport = protocol(before);
    row.set_opt(key::TRANSPORT, transport);
    let mut source = ends::end(cursor)?;
    source.identity = ends::brackets(cursor).unwrap_or(b"");
    cursor.skip_blanks();
    cursor.expect(b"dst ")?;
    let mut destination = ends::end(cursor)?;
    // `(type 8, code 0)` may follow an address at once; an identity has no `type`
    if !cursor.rest().starts_with(b"(type") && !cursor.rest().starts_with(b" (type") {
        destination.identity = ends::brackets(cursor).unwrap_or(b"");
    }
    if let Some(inside) = ends::brackets(cursor) {
        let mut numbers = Cursor::new(inside);
        if numbers.take_if(b"type ") {
            row.set_opt(key::ICMP_TYPE, numbers.number());
            if numbers.take_if(b", code ") {
                row.set_opt(key::ICMP_CODE, numbers.number());
            }
        }
    }
    if number == 313_005 {
        return unmatched_icmp_error(&source, cursor, row);
    }
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    ends::set_user(source.identity, row);
    row.set(key::ACTION, if matches!(number, 305_006 | 305_013) { Action::Drop } else { Action::Deny });
    if contains(before, b"inbound") {
        row.set(key::DIRECTION, Direction::Inbound);
    }
    if cursor.until_str(b"by access-group \"").is_some() {
        row.text(key::RULE_NAME, cursor.until(b'"')?);
    }
    // 106011 is what remains of a flow after a reset, 305006 and 305013 are the device's own trouble
    if matches!(number, 106_010 | 106_023) && destination.port != b"" {
        row.set(key::PORT_STATE, PortState::Filtered);
    }
    Some(())
}

/// `… on I interface. Original IP payload: PROTO src A/p dst B/q.`: the inner packet is the flow, the outer source complains.
fn unmatched_icmp_error(complainer: &End<'_>, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::ACTION, Action::Drop);
    row.extra_fixed("icmp_from", complainer.address);
    ends::set_user(complainer.identity, row);
    if cursor.until_str(b"Original IP payload: ").is_none() {
        return Some(());
    }
    let Some(before) = cursor.until_str(b" src ") else { return Some(()) };
    let inner = protocol(before).or_else(|| Transport::parse(before));
    row.set_opt(key::TRANSPORT, inner);
    let source = ends::either(cursor)?;
    cursor.expect(b" dst ")?;
    let mut destination = ends::either(cursor)?;
    destination.address = destination.address.strip_suffix(b".").unwrap_or(destination.address);
    destination.port = destination.port.strip_suffix(b".").unwrap_or(destination.port);
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    let (kind, code) = (row.get(key::ICMP_TYPE), row.get(key::ICMP_CODE));
    if kind == Some(3) {
        match code {
            // port unreachable, said by the host itself
            Some(3) if complainer.address == destination.address => row.set(key::PORT_STATE, PortState::Closed),
            Some(9 | 10 | 13) => row.set(key::PORT_STATE, PortState::Filtered),
            Some(_) | None => {}
        }
    }
    Some(())
}

/// The protocol that ends a part of a sentence: `… tcp`, `… protocol 47`.
fn protocol(before: &[u8]) -> Option<Transport> {
    let last = before.rsplit(|&b| b == b' ').next()?;
    Transport::parse(last)
}

/// The device's own word for what it did, where the sentence begins with it.
#[inline]
fn verb(cursor: &Cursor<'_>, row: &mut Row<'_>) {
    let word = first_word(cursor);
    if matches!(word, b"Deny" | b"Denied" | b"Dropping" | b"Dropped") {
        row.text(key::EVENT_ACTION, word);
    }
}

#[inline]
fn first_word<'a>(cursor: &Cursor<'a>) -> &'a [u8] {
    let mut ahead = *cursor;
    ahead.word()
}

/// The other messages of this file. `None` if the number is not among them; else whether the sentence was the known one.
pub(super) fn message(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<Option<()>> {
    let shape = match number {
        106_001 => Shape { direction: Some(Direction::Inbound), ..Shape::filtered(Protocol::Is(Transport::TCP)) },
        106_006 => Shape { direction: Some(Direction::Inbound), ..Shape::filtered(Protocol::Is(Transport::UDP)) },
        // a late DNS answer as a rule: the first end is the server
        106_007 => Shape { direction: Some(Direction::Inbound), ..Shape::denied(Protocol::Is(Transport::UDP)) },
        106_012 | 106_016 | 106_017 | 106_020 => Shape::alerted(Protocol::None),
        106_013 => Shape { action: Action::Drop, ..Shape::denied(Protocol::Is(Transport::ICMP)) },
        // out of state: what is left of a flow, no refusal by policy
        106_015 => Shape { action: Action::Drop, ..Shape::denied(Protocol::Is(Transport::TCP)) },
        106_021 | 106_022 => Shape::alerted(Protocol::Word(1)),
        110_002 | 110_003 => Shape { action: Action::Drop, ..Shape::denied(Protocol::LastWord) },
        303_002 => {
            Shape { action: Action::Allow, state: Some(PortState::Open), ..Shape::denied(Protocol::Is(Transport::TCP)) }
        }
        419_002 => Shape { action: Action::Alert, ..Shape::alerted(Protocol::Is(Transport::TCP)) },
        400_000..=400_051 => Shape { action: Action::Alert, ..Shape::alerted(Protocol::None) },
        410_001 => Shape { action: Action::Drop, ..Shape::denied(Protocol::Word(1)) },
        419_001 => Shape { action: Action::Drop, ..Shape::denied(Protocol::Is(Transport::TCP)) },
        434_002 => Shape::denied(Protocol::BeforePacket),
        500_003 => Shape::denied(Protocol::Is(Transport::TCP)),
        500_004 => Shape::alerted(Protocol::Equals),
        507_001 => Shape::denied(Protocol::Is(Transport::TCP)),
        507_003 => Shape::denied(Protocol::Word(0)),
        710_001 | 710_002 => Shape {
            action: Action::Allow,
            // 710001: the cookie was not verified yet
            state: (number == 710_002).then_some(PortState::Open),
            ..Shape::denied(Protocol::Word(0))
        },
        710_003 => Shape::filtered(Protocol::Word(0)),
        710_004..=710_006 => Shape { action: Action::Drop, ..Shape::denied(Protocol::Word(0)) },
        338_001..=338_004 | 338_101..=338_104 | 338_201 | 338_202 => {
            return Some(dynamic_filter(Action::Alert, cursor, row));
        }
        338_005..=338_008 | 338_203 | 338_204 => return Some(dynamic_filter(Action::Drop, cursor, row)),
        338_301 => return Some(dns_reply(cursor, row)),
        304_001 => return Some(accessed(cursor, row)),
        304_002 => return Some(url_denied(cursor, row)),
        313_001 | 313_004 | 313_008 => return Some(icmp_denied(cursor, row)),
        313_009 => return Some(icmp_invalid(cursor, row)),
        607_001 => return Some(secondary_channel(cursor, row)),
        725_001..=725_007 | 725_016 => return Some(tls(cursor, row)),
        609_001 | 609_002 => return Some(local_host(cursor, row)),
        733_100..=733_105 => return Some(threat(number, cursor, row)),
        106_002 => return Some(connection_denied(cursor, row)),
        852_001 | 852_002 => return Some(lightweight(cursor, row)),
        _ => return None,
    };
    Some(from_to(&shape, cursor, row))
}

/// How a sentence with `from A to B` is to be read.
struct Shape {
    kind: EventKind,
    action: Action,
    protocol: Protocol,
    direction: Option<Direction>,
    state: Option<PortState>,
}

/// Where such a sentence names its protocol.
enum Protocol {
    None,
    Is(Transport),
    /// The word at this place, from 0.
    Word(usize),
    /// The word before ` from `.
    LastWord,
    /// The word before ` packet`.
    BeforePacket,
    /// `protocol=N`
    Equals,
}

impl Shape {
    fn denied(protocol: Protocol) -> Shape {
        Shape { kind: EventKind::Flow, action: Action::Deny, protocol, direction: None, state: None }
    }
    fn filtered(protocol: Protocol) -> Shape {
        Shape { state: Some(PortState::Filtered), ..Shape::denied(protocol) }
    }
    fn alerted(protocol: Protocol) -> Shape {
        Shape { kind: EventKind::Alert, ..Shape::denied(protocol) }
    }
}

fn from_to(shape: &Shape, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, shape.kind);
    row.set(key::ACTION, shape.action);
    let sentence = cursor.rest();
    verb(cursor, row);
    if shape.kind == EventKind::Alert {
        row.text(key::MESSAGE, sentence.trim_ascii());
    }
    let before = cursor.until_str(b"from ")?.trim_ascii_end();
    // 4000nn: `IDS:2004 ICMP echo request from …`, `IPS:…`
    let numbered = before.strip_prefix(b"IDS:").or_else(|| before.strip_prefix(b"IPS:"));
    if let Some((signature, name)) = numbered.and_then(|text| split_once(text, b' ')) {
        row.text(key::SIGNATURE_ID, signature);
        row.text(key::SIGNATURE, name);
    }
    let word = |at: usize| before.split(|&b| b == b' ').nth(at);
    let transport = match shape.protocol {
        Protocol::None => None,
        Protocol::Is(transport) => Some(transport),
        Protocol::Word(at) => word(at).and_then(Transport::parse),
        Protocol::LastWord => protocol(before),
        Protocol::BeforePacket => before.strip_suffix(b" packet").and_then(protocol),
        Protocol::Equals => {
            let mut ahead = Cursor::new(before);
            ahead.until_str(b"protocol=");
            Transport::parse(ahead.take_while(|b| b.is_ascii_alphanumeric()))
        }
    };
    row.set_opt(key::TRANSPORT, transport);
    let source = match ends::brackets(cursor) {
        // `from (A) to B`
        Some(address) => End { address, ..End::default() },
        None => ends::either(cursor)?,
    };
    ends::brackets(cursor);
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    cursor.take_if(b"PAT address ");
    let mut destination = ends::either(cursor)?;
    destination.address = destination.address.strip_suffix(b".").unwrap_or(destination.address);
    destination.port = destination.port.strip_suffix(b";").unwrap_or(destination.port);
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    row.set_opt(key::DIRECTION, shape.direction);
    row.set_opt(key::PORT_STATE, shape.state.filter(|_| !destination.port.is_empty()));
    let mut tail = *cursor;
    if tail.until_str(b"flags ").is_some() {
        let flags = tail.rest();
        let end = memchr::memmem::find(flags, b" on interface").unwrap_or(flags.len());
        row.text(key::TCP_FLAGS, flags[..end].trim_ascii());
    }
    if cursor.until_str(b"on interface ").is_some() {
        row.text(key::IN_INTERFACE, cursor.word());
    } else if cursor.until_str(b"reason - ").is_some() {
        row.text(key::REASON, cursor.finish().trim_ascii());
    } else if cursor.until_str(b", user ").is_some() {
        ends::set_user_name(cursor.word(), row);
        row.fixed(key::APP_PROTO, "ftp");
    }
    Some(())
}

/// `Dynamic filter WORD LISTlisted PROTO traffic from END (M/N) to END (M/N), {source|destination} X resolved from … list: Y, …`.
fn dynamic_filter(action: Action, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, action);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    let before = cursor.until_str(b" traffic from ")?;
    row.set_opt(key::TRANSPORT, protocol(before));
    let source = ends::end(cursor)?;
    ends::brackets(cursor);
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    let destination = ends::end(cursor)?;
    ends::brackets(cursor);
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    row.fixed(key::SIGNATURE, "Dynamic filter");
    if cursor.until_str(b" list: ").is_some() {
        row.extra_fixed("listed", cursor.take_while(|b| b != b','));
    }
    if cursor.until_str(b"threat-level: ").is_some() {
        row.extra_fixed("threat_level", cursor.take_while(|b| b != b','));
    }
    if cursor.until_str(b"category: ").is_some() {
        row.text(key::SIGNATURE_CLASS, cursor.finish().trim_ascii());
    }
    Some(())
}

/// `[u@]A[(id)] Accessed [JAVA ]URL [u@]B:URL`.
fn accessed(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Allow);
    row.set(key::TRANSPORT, Transport::TCP);
    let mut who = cursor.until_str(b" Accessed ")?;
    if let Some((user, rest)) = split_once(who, b'@') {
        ends::set_user_name(user, row);
        who = rest;
    }
    let mut source = Cursor::new(who);
    let mut end = ends::either(&mut source)?;
    end.identity = ends::brackets(&mut source).unwrap_or(b"");
    ends::set_source(row, &end);
    ends::set_user(end.identity, row);
    cursor.take_if(b"JAVA ");
    cursor.expect(b"URL ")?;
    let target = cursor.finish().trim_ascii();
    let target =
        split_once(target, b'@').map_or(target, |(user, rest)| if user.contains(&b'/') { target } else { rest });
    // B is an address or a name and ends at the colon before the URL; an IPv6 address has colons of its own
    let scheme = memchr::memmem::find(target, b":http").or_else(|| memchr::memmem::find(target, b":ftp"));
    let at = scheme.or_else(|| memchr::memchr(b':', target))?;
    ends::set_address(row, key::DST_IP, key::DST_HOST, &target[..at]);
    row.text(key::URL, &target[at + 1..]);
    row.fixed(key::APP_PROTO, "http");
    Some(())
}

/// `Access denied URL u SRC A DEST B on interface I`.
fn url_denied(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Deny);
    cursor.expect(b"Access denied URL ")?;
    row.text(key::URL, cursor.until_str(b" SRC ")?);
    ends::set_source(row, &ends::either(cursor)?);
    cursor.skip_blanks();
    cursor.expect(b"DEST ")?;
    ends::set_destination(row, &ends::either(cursor)?);
    row.fixed(key::APP_PROTO, "http");
    if cursor.until_str(b"on interface ").is_some() {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    Some(())
}

/// `Intercepted DNS reply for domain D from IF:A/p to IF:B/q, matched LIST`: the first end is the server.
fn dns_reply(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Dns);
    row.set(key::ACTION, Action::Alert);
    row.set(key::INITIATOR, Initiator::Destination);
    cursor.expect(b"Intercepted DNS reply for ")?;
    cursor.take_if(b"domain ");
    row.text(key::DNS_QUERY, cursor.until_str(b" from ")?);
    ends::set_source(row, &ends::either(cursor)?);
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    ends::set_destination(row, &ends::either(cursor)?);
    if cursor.until_str(b"matched ").is_some() {
        row.text(key::SIGNATURE_CLASS, cursor.finish().trim_ascii());
    }
    Some(())
}

/// `Denied {ICMP|IPv6-ICMP} type=T, [code=C ]from [laddr ]A on interface I[ to B…]`: to the device itself.
fn icmp_denied(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Deny);
    row.text(key::EVENT_ACTION, first_word(cursor));
    cursor.expect(b"Denied ")?;
    row.set(key::TRANSPORT, Transport::parse(cursor.until_near(b' ')?)?);
    cursor.expect(b"type=")?;
    row.set_opt(key::ICMP_TYPE, cursor.number());
    let mut code = *cursor;
    if code.until_str(b"code=").is_some() {
        row.set_opt(key::ICMP_CODE, code.number());
    }
    cursor.until_str(b"from ")?;
    cursor.take_if(b"laddr ");
    ends::set_source(row, &ends::either(cursor)?);
    if cursor.until_str(b"on interface ").is_some() {
        row.text(key::IN_INTERFACE, cursor.word());
        if cursor.take_if(b"to ") {
            let address = cursor.word();
            let address = address.strip_suffix(b":").unwrap_or(address);
            ends::set_destination(row, &End { address, ..End::default() });
        }
    }
    Some(())
}

/// `Denied invalid ICMP code C, for IF:A/p (M/n) to IF:B/q (M/n), ICMP id N, ICMP type T`.
fn icmp_invalid(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Drop);
    row.set(key::TRANSPORT, Transport::ICMP);
    cursor.expect(b"Denied invalid ICMP code ")?;
    row.set_opt(key::ICMP_CODE, cursor.number());
    cursor.until_str(b"for ")?;
    let mut source = ends::end(cursor)?;
    ends::brackets(cursor);
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    let mut destination = ends::end(cursor)?;
    // ids, not ports
    (source.port, destination.port) = (b"", b"");
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    if cursor.until_str(b"ICMP type ").is_some() {
        row.set_opt(key::ICMP_TYPE, cursor.number());
    }
    Some(())
}

/// `Pre-allocate SIP WHAT UDP secondary channel for IF:A[/p] to IF:B[/q] from KIND message`: B may soon call A.
fn secondary_channel(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    let before = cursor.until_str(b" secondary channel for ")?;
    row.set_opt(key::TRANSPORT, protocol(before));
    row.fixed(key::APP_PROTO, "sip");
    let called = ends::end(cursor)?;
    cursor.skip_blanks();
    cursor.expect(b"to ")?;
    let caller = ends::end(cursor)?;
    ends::set_source(row, &caller);
    ends::set_destination(row, &called);
    Some(())
}

/// `… client IF:A/p[ to IF:B/q] …`: the device as a TLS server.
fn tls(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    let text = cursor.rest();
    if cursor.until_str(b" client ").is_none()
        && cursor.until_str(b" peer ").is_none()
        && cursor.until_str(b" server ").is_none()
    {
        return Some(());
    }
    let peer_is_server = contains(text, b" with server ");
    let peer = ends::either(cursor)?;
    let other = if cursor.take_if(b" to ") { ends::either(cursor) } else { None };
    if peer_is_server {
        ends::set_destination(row, &peer);
    } else {
        ends::set_source(row, &peer);
        if let Some(other) = other {
            ends::set_destination(row, &other);
        }
    }
    row.fixed(key::APP_PROTO, "tls");
    Some(())
}

/// `{Built|Teardown} local-host IF:A[ duration D]`: bookkeeping, no flow.
fn local_host(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::EVENT_ACTION, first_word(cursor));
    cursor.until_str(b"local-host ")?;
    ends::set_source(row, &ends::end(cursor)?);
    Some(())
}

/// Threat detection: `[ OBJECT] drop rate-K exceeded. …`, `{Host|Subnet} A is {attacking|targeted}. …`, `… host A {to|from} shun list`,
/// `TCP Intercept SYN flood attack detected to B/q (R/r). …`.
fn threat(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Alert);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    row.fixed(key::SIGNATURE_CLASS, "threat-detection");
    match number {
        733_100 => {
            cursor.expect(b"[")?;
            let object = cursor.until(b']')?.trim_ascii();
            row.text(key::SIGNATURE, object);
            row.set_opt(key::SRC_IP, Ip::parse(object));
        }
        733_101 => {
            cursor.until_near(b' ')?;
            let address = Ip::parse(cursor.until_near(b' ')?);
            cursor.expect(b"is ")?;
            if cursor.rest().starts_with(b"targeted") {
                row.set_opt(key::DST_IP, address);
            } else {
                row.set_opt(key::SRC_IP, address);
            }
        }
        733_102 | 733_103 => {
            cursor.until_str(b" host ")?;
            row.set_opt(key::SRC_IP, Ip::parse(cursor.until_near(b' ')?));
            row.set(key::ACTION, if number == 733_102 { Action::Deny } else { Action::End });
        }
        _ => {
            cursor.until_str(b"detected to ")?;
            let destination = ends::either(cursor)?;
            ends::set_destination(row, &destination);
            // the address before or after translation, whichever the first is not
            if let Some((address, port)) = ends::mapped(cursor).filter(|(address, _)| *address != destination.address) {
                row.set_opt(key::NAT_DST_IP, Ip::parse(address));
                row.set_opt(key::NAT_DST_PORT, schemas::parse_port(port));
            }
            row.set(key::TRANSPORT, Transport::TCP);
            row.fixed(key::SIGNATURE, "SYN flood");
        }
    }
    Some(())
}

/// `PROTO Connection denied by {inbound|outbound} list ACL src A dest B`.
fn connection_denied(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Deny);
    row.set_opt(key::TRANSPORT, Transport::parse(cursor.until_near(b' ')?));
    cursor.expect(b"Connection denied by ")?;
    match cursor.until_near(b' ')? {
        b"inbound" => row.set(key::DIRECTION, Direction::Inbound),
        b"outbound" => row.set(key::DIRECTION, Direction::Outbound),
        _ => return None,
    }
    cursor.expect(b"list ")?;
    row.text(key::RULE_NAME, cursor.until_near(b' ')?);
    cursor.expect(b"src ")?;
    ends::set_source(row, &ends::either(cursor)?);
    cursor.expect(b" dest ")?;
    ends::set_destination(row, &ends::either(cursor)?);
    Some(())
}

/// `Received Lightweight to full proxy event from application X for PROTO flow A/p to B/q`: bookkeeping of the proxy.
fn lightweight(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, cursor.rest().trim_ascii());
    let before = cursor.until_str(b" flow ")?;
    row.set_opt(key::TRANSPORT, protocol(before));
    let source = ends::either(cursor)?;
    cursor.expect(b" to ")?;
    let mut destination = ends::either(cursor)?;
    destination.port = destination.port.strip_suffix(b".").unwrap_or(destination.port);
    ends::set_source(row, &source);
    ends::set_destination(row, &destination);
    Some(())
}
