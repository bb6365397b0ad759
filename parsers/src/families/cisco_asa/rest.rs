//! Messages that are neither traffic nor logins: IPsec's tunnels, fragments, shunned hosts, ARP, users' addresses. All keep their
//! text; what has another sentence than the known one has that alone.
//!
//! Source: Cisco, "Secure Firewall ASA Syslog Messages", 209, 401, 405, 602, 713 to 715, 746.

use schemas::{Action, EventKind, Field, Ip, Row, Transport, key};

use super::ends;
use crate::lex::text::{Cursor, split_once};

/// A message that is not mapped elsewhere: its text, and what it says in one of the usual ways.
pub(super) fn message(number: u32, text: &[u8], row: &mut Row<'_>) {
    row.set(key::KIND, EventKind::Other);
    row.text(key::MESSAGE, text.trim_ascii());
    let mut cursor = Cursor::new(text);
    let known = match number {
        209_003..=209_005 => fragment(&mut cursor, row),
        401_002..=401_004 => shunned(number, &mut cursor, row),
        405_001 | 405_002 => collision(&mut cursor, row),
        602_303 | 602_304 => security_association(number, &mut cursor, row),
        746_012 | 746_013 => mapping(&mut cursor, row),
        713_000..=715_999 => peer(&mut cursor, row),
        _ => None,
    };
    if known.is_some() {
        return;
    }
    ends::group_user_ip(text, row);
    ends::local_remote(text, row);
    ends::from_to(text, row);
}

/// `…: src = A, dest = B, proto = UDP, id = N`.
fn fragment(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    cursor.until_str(b"src = ")?;
    let source = cursor.until(b',')?;
    cursor.expect(b" dest = ")?;
    let destination = cursor.until(b',')?;
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Deny);
    row.set_opt(key::SRC_IP, Ip::parse(source));
    row.set_opt(key::DST_IP, Ip::parse(destination));
    if cursor.take_if(b" proto = ") {
        row.set_opt(key::TRANSPORT, Transport::parse(cursor.take_while(|byte| byte != b',')));
    }
    Some(())
}

/// `Shunned packet: A ==> B on interface I`, `Shun {added|deleted}: A …`.
fn shunned(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    cursor.until_str(b": ")?;
    let address = Ip::parse(cursor.word())?;
    row.set(key::SRC_IP, address);
    if number != 401_004 {
        return Some(());
    }
    row.set(key::KIND, EventKind::Flow);
    row.set(key::ACTION, Action::Drop);
    cursor.expect(b"==> ")?;
    row.set_opt(key::DST_IP, Ip::parse(cursor.word()));
    if cursor.take_if(b"on interface ") {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    Some(())
}

/// `Received ARP {request|response} collision from A/MAC on interface I …`.
fn collision(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    cursor.until_str(b" collision from ")?;
    let (address, mac) = split_once(cursor.word(), b'/')?;
    row.set(key::KIND, EventKind::Alert);
    row.set(key::ACTION, Action::Alert);
    row.set_opt(key::SRC_IP, Ip::parse(address));
    row.text(key::SRC_MAC, mac);
    if cursor.take_if(b"on interface ") {
        row.text(key::IN_INTERFACE, cursor.word());
    }
    Some(())
}

/// `IPSEC: An outbound LAN-to-LAN SA (SPI= 0x1) between A and B (user= U) has been {created|deleted}.`: ends in textual order.
fn security_association(number: u32, cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    cursor.until_str(b" between ")?;
    let first = Ip::parse(cursor.word());
    cursor.expect(b"and ")?;
    row.set_opt(key::SRC_IP, first);
    row.set_opt(key::DST_IP, Ip::parse(cursor.word()));
    row.set(key::ACTION, if number == 602_303 { Action::Start } else { Action::End });
    if cursor.take_if(b"(user= ") {
        let name = cursor.until(b')')?;
        // of a tunnel between sites it is the peer's address
        if Ip::parse(name).is_none() {
            ends::set_user_name(name, row);
        }
    }
    Some(())
}

/// `user-identity: {Add|Delete} IP-User mapping A - DOMAIN\user {Succeeded|Failed} - WHY`: who has an address, no login.
fn mapping(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    cursor.until_str(b" IP-User mapping ")?;
    row.set_opt(key::SRC_IP, Ip::parse(cursor.word()));
    cursor.expect(b"- ")?;
    ends::set_user_name(cursor.word(), row);
    cursor.until_str(b"- ")?;
    row.text(key::REASON, cursor.finish().trim_ascii());
    Some(())
}

/// `[Group = G, ][Username = U, ]IP = A, …`, as the messages of IKEv1 begin.
fn peer(cursor: &mut Cursor<'_>, row: &mut Row<'_>) -> Option<()> {
    if cursor.take_if(b"Group = ") {
        row.extra_fixed("group", cursor.until(b',')?);
        cursor.skip_blanks();
    }
    if cursor.take_if(b"Username = ") {
        ends::set_user_name(cursor.until_str(b", IP = ")?, row);
    } else {
        cursor.expect(b"IP = ")?;
    }
    let address = cursor.take_while(|byte| !matches!(byte, b',' | b' '));
    row.set_opt(key::SRC_IP, Ip::parse(address));
    row.has(Field::SrcIp).then_some(())
}
